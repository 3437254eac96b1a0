"""The background of the projection: its shape as simulated for 2015, normalised to what was counted in 2015."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.template import Template, template
from kaongen.errors import EventFileError
from kaongen.events.reader import Events
from kaongen.searches.mu_projection import MuProjection, Normalisation

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Background:
    """Expected events by sample in bins of m2_miss.

    edges : (bins + 1,) in GeV^2. events, errors : by sample (bins,), the errors are those of the simulation.
    tail : the samples in which K+ -> mu+ nu was measured badly.
    """

    edges: Floats
    events: Mapping[str, Floats]
    errors: Mapping[str, Floats]
    tail: frozenset[str]

    @property
    def total(self) -> Floats:
        """Of all samples, (bins,)."""
        return np.asarray(np.sum(list(self.events.values()), axis=0), dtype=np.float64)

    def above(self, edge: float) -> float:
        """Events above an edge of the bins (GeV^2)."""
        return math.fsum(self.total[position(self.edges, edge) :])

    def times(self, factors: Mapping[str, Floats] | float) -> Background:
        """The same with other numbers of events: one factor, or by sample one for each bin."""
        by_sample = factors if isinstance(factors, Mapping) else dict.fromkeys(self.events, np.full(1, factors))
        events = {name: values * by_sample[name] for name, values in self.events.items()}
        errors = {name: values * by_sample[name] for name, values in self.errors.items()}
        return Background(self.edges, events, errors, self.tail)

    def rebinned(self, edges: Floats) -> Background:
        """The same in wider bins, each edge of which is one of the old."""
        events, errors = {}, {}
        for name, values in self.events.items():
            wider = Template(self.edges, values, self.errors[name] ** 2).rebinned(edges)
            events[name], errors[name] = wider.probability, wider.error
        return Background(edges, events, errors, self.tail)


def bin_edges(settings: MuProjection) -> Floats:
    """Edges of the bins of the likelihood ratio (GeV^2)."""
    return _rounded(settings.first_bin + settings.bin_width * np.arange(settings.bins + 1))


def cuts(settings: MuProjection) -> Floats:
    """Cuts on m2_miss among which the best is searched (GeV^2)."""
    width = bin_edges(settings)[-1] - settings.cut_minimum
    return _rounded(settings.cut_minimum + settings.bin_width * np.arange(math.ceil(width / settings.bin_width - 1e-9)))


def fine_edges(settings: MuProjection) -> Floats:
    """All of these: the bins in which everything is counted."""
    return np.unique(np.concatenate([bin_edges(settings), cuts(settings)]))


def position(edges: Floats, edge: float) -> int:
    """Which bin begins at an edge."""
    return int(np.argmin(np.abs(edges - edge)))


def simulated(samples: Sequence[Events], kaons: float, edges: Floats) -> Background:
    """What the simulation expects for so many kaon decays, in bins between edges (GeV^2).

    Raises
    ------
    EventFileError
        If a sample's branching fraction is not known.
    """
    events, errors = {}, {}
    for sample in samples:
        info = sample.info
        if info.branching_fraction is None:
            raise EventFileError(f"the branching fraction of the background {info.name!r} ({info.decay}) is not known")
        filled, scale = template(sample, edges), kaons * info.branching_fraction
        events[info.name], errors[info.name] = scale * filled.probability, scale * filled.error
    tail = frozenset(s.info.name for s in samples if s.info.process == "munu" and s.info.zone == "volume")
    return Background(edges, events, errors, tail)


def normalise(background: Background, settings: MuProjection, method: Normalisation) -> Background:
    """Bring a simulated background to the counts of 2015, by the two numbers that these determine.

    "regions": one factor between `first_bin` and `cut_minimum`, another above, so that in each the simulated shape
    stays; at the border it has a step. "components": one factor for K+ -> mu+ nu that was measured badly, another for
    all the rest, so that there is no step. Both give `events_first` and `events_cut` exactly.

    The first is the default because of the published limits of 2015 on heavy neutrinos, which go with the root of the
    background: expected ones are about 0.85 of them in the mean, and 0.65 with the second.

    Raises
    ------
    EventFileError
        If nothing was simulated in a region, or no positive factors lead to the counts.
    """
    border = position(background.edges, settings.cut_minimum)
    below, above = settings.events_first - settings.events_cut, settings.events_cut
    if method == "regions":
        factor = np.empty(len(background.edges) - 1)
        for part, events in ((slice(None, border), below), (slice(border, None), above)):
            found = math.fsum(background.total[part])
            if found <= 0.0:
                low, high = background.edges[:-1][part][0], background.edges[1:][part][-1]
                raise EventFileError(
                    f"the simulated background has no event with m2_miss in {low:g} to {high:g} GeV^2, "
                    f"where {events:g} were counted: simulate more"
                )
            factor[part] = events / found
        return background.times(dict.fromkeys(background.events, factor))
    tail = np.sum([v for k, v in background.events.items() if k in background.tail] or [0.0 * background.total], axis=0)
    rest = background.total - tail
    matrix = [[math.fsum(part[region]) for part in (tail, rest)] for region in (slice(border), slice(border, None))]
    of_tail, of_rest = _two_factors(matrix, (below, above))
    scales = {name: np.full(1, of_tail if name in background.tail else of_rest) for name in background.events}
    return background.times(scales)


def _two_factors(matrix: Sequence[Sequence[float]], counts: tuple[float, float]) -> tuple[float, float]:
    (a, b), (c, d) = matrix
    determinant = a * d - b * c
    first, second = (counts[0] * d - b * counts[1], a * counts[1] - counts[0] * c)
    if determinant == 0.0 or first / determinant < 0.0 or second / determinant < 0.0:
        raise EventFileError(
            "no positive factors on K+ -> mu+ nu and on the other backgrounds lead to the counts of 2015 "
            f"({counts[0]:g} and {counts[1]:g} where {a:.4g} + {b:.4g} and {c:.4g} + {d:.4g} are simulated): "
            'use normalisations = ["regions"]'
        )
    return first / determinant, second / determinant


def kappa_min(background: Background, cut: float) -> float:
    """Relative error of the background above a cut that is as large as its statistical one, 1/sqrt(B): (C.2)."""
    return 1.0 / math.sqrt(background.above(cut))


def _rounded(values: NDArray[np.floating]) -> Floats:
    return np.asarray(np.round(values, 9), dtype=np.float64)
