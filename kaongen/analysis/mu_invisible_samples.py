"""The samples of the search for K+ -> mu+ + invisible, reduced to their spectra of m2_miss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kaongen.analysis.record import Value
from kaongen.analysis.result import Axis, SampleSummary, Spectrum
from kaongen.analysis.summary import summarise
from kaongen.analysis.template import Floats, Template, template
from kaongen.analysis.weighted import central_half_width
from kaongen.errors import EventFileError
from kaongen.events.layout import SampleInfo
from kaongen.events.reader import Events, EventSet

SPECTRUM_EDGES = np.round(np.linspace(-0.06, 0.16, 111), 10)
"""GeV^2, 0.002 each."""
SIGNAL_BRANCHING_FRACTION = 1e-4
"""At which signals are drawn, as in the paper's figure 2."""

_FINE = np.round(np.linspace(-0.06, 0.16, 2201), 10)
_EVERYWHERE = np.concatenate(([-1e6], _FINE, [1e6]))


@dataclass(frozen=True)
class Reduced:
    """The selected events of one sample in bins of m2_miss, of which all cuts are edges.

    n_kaons : decays that expected events are for.
    """

    events: Events
    role: str
    n_kaons: float
    spectrum: Template

    @property
    def info(self) -> SampleInfo:
        return self.events.info

    @property
    def branching_fraction(self) -> float:
        """Of the decay; 0 where it is unknown."""
        return self.info.branching_fraction or 0.0

    def acceptance(self, low: float = -math.inf, high: float = math.inf) -> Value:
        """Probability that a generated decay is selected with m2_miss between two edges (GeV^2)."""
        edges = self.spectrum.edges
        inside = (edges[:-1] > low - 1e-9) & (edges[1:] < high + 1e-9)
        mean, square = math.fsum(self.spectrum.probability[inside]), math.fsum(self._squares[inside])
        return Value(value=mean, error=math.sqrt(max(square - mean * mean, 0.0) / self.events.tally.generated))

    def drawn(self, edges: Floats) -> tuple[Floats, Floats]:
        """Probability in wider bins, and its error."""
        positions = np.searchsorted(self.spectrum.edges, edges - 1e-9)
        inside = [a[: positions[-1]] for a in (self.spectrum.probability, self._squares)]
        mean, square = (np.add.reduceat(a, positions[:-1]) for a in inside)
        return mean, np.sqrt(np.maximum(square - mean * mean, 0.0) / self.events.tally.generated)

    @cached_property
    def _squares(self) -> Floats:
        """Mean square of the weights in each bin, over all generated decays: unlike variances, those of bins add."""
        return self.spectrum.variance * self.events.tally.generated + self.spectrum.probability**2

    def expected(self, low: float) -> Value:
        """Events above a cut in the data set, with the error of the simulation."""
        scale, a = self.n_kaons * self.branching_fraction, self.acceptance(low)
        return Value(value=scale * a.value, error=scale * a.error)

    def width(self) -> float:
        """Half the width that holds the central 68.3% of m2_miss: a resolution that is blind to the tails."""
        return central_half_width(self.spectrum.edges[1:], np.cumsum(self.spectrum.probability))


@dataclass(frozen=True)
class Samples:
    """All samples by what they are for."""

    everything: tuple[Reduced, ...]

    @property
    def normalisation(self) -> Reduced:
        return self.of("normalisation")[0]

    @property
    def backgrounds(self) -> tuple[Reduced, ...]:
        return self.of("background")

    @property
    def signals(self) -> tuple[Reduced, ...]:
        return self.of("signal")

    @property
    def expected(self) -> tuple[Reduced, ...]:
        """All that there is without a signal: backgrounds, and the normalisation unless one of them contains it."""
        peak = self.normalisation.info
        for s in self.backgrounds:
            inside = {s.info.process, *(c.process for c in s.info.components)}
            if s.info.zone == peak.zone and peak.process in inside:
                return self.backgrounds
        return (self.normalisation, *self.backgrounds)

    def of(self, role: str) -> tuple[Reduced, ...]:
        """Those with a role, in the order of the card."""
        return tuple(s for s in self.everything if s.role == role)


def reduce_samples(events: EventSet[Any], roles: Mapping[str, str], n_kaons: float) -> Samples:
    """Read all samples in stretches.

    Raises
    ------
    EventFileError
        If a sample has no generated decay.
    """
    return Samples(
        tuple(
            Reduced(sample, roles[sample.info.name], n_kaons, template(sample, _EVERYWHERE))
            for sample in events.members
        )
    )


def lines(samples: Sequence[Reduced]) -> dict[str, list[Reduced]]:
    """Samples by the line of the published table that they belong to: K+ -> mu+ nu is radiative or not, all zones."""
    found: dict[str, list[Reduced]] = {}
    for s in samples:
        process = s.info.process
        found.setdefault("munug" if process == "munu" else process, []).append(s)
    if [s.role for s in found.get("munug", [])] == ["normalisation"]:
        del found["munug"]
    return found


def region_name(low: float) -> str:
    """Of the events above a cut."""
    return f"m2_miss > {low:g} GeV^2"


def summaries(samples: Samples, signal_region: float) -> list[SampleSummary]:
    """Acceptance and cut flow of each, and what is expected of it in the signal region.

    Of a signal that is what a branching fraction of 1e-4 would give.
    """
    found = []
    for s in samples.everything:
        fraction = SIGNAL_BRANCHING_FRACTION if s.role == "signal" else s.branching_fraction
        a = s.acceptance(signal_region)
        scale = s.n_kaons * fraction
        yields = {region_name(signal_region): Value(value=scale * a.value, error=scale * a.error)}
        found.append(summarise(s.events, s.role, yields))
    return found


def spectrum(samples: Samples) -> Spectrum:
    """Expected events in bins of m2_miss."""
    expected, errors, normalisation = {}, {}, {}
    for s in samples.everything:
        values, of_values = s.drawn(SPECTRUM_EDGES)
        fraction = SIGNAL_BRANCHING_FRACTION if s.role == "signal" else s.branching_fraction
        scale, name = s.n_kaons * fraction, s.info.name
        expected[name] = [float(v) for v in values * scale]
        errors[name] = [float(v) for v in of_values * scale]
        normalisation[name] = f"{s.n_kaons:.4g} K+ decays, branching fraction {fraction:.4g}"
    return Spectrum(
        name="m2-miss",
        title="Squared missing mass of the selected events",
        x=Axis(name="m2_miss", label=r"$m^2_\mathrm{miss}$", unit="GeV^2"),
        edges=[float(e) for e in SPECTRUM_EDGES],
        expected=expected,
        errors=errors,
        normalisation=normalisation,
    )


def background_above(backgrounds: Sequence[Reduced], low: float) -> Value:
    """Simulated background above a cut, with the error of the simulation."""
    parts = [s.expected(low) for s in backgrounds]
    return Value(value=math.fsum(p.value for p in parts), error=math.hypot(*(p.error for p in parts)))


def cuts(step: float) -> Floats:
    """Those on m2_miss that are tried, GeV^2: multiples of a step up to the end of the spectrum."""
    return np.round(np.arange(1, int(0.1501 / step) + 1) * step, 10)


def refuse_without_events(normalisation: Reduced) -> None:
    """The peak must be there.

    Raises
    ------
    EventFileError
        If no event of the normalisation was selected.
    """
    if normalisation.events.tally.sum_weights <= 0.0:
        generated = normalisation.events.tally.generated
        raise EventFileError(
            f"none of {generated} decays of the sample {normalisation.info.name!r} was selected: "
            "it needs more candidates"
        )
