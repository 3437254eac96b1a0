"""Backgrounds of a projection in bins: simulated, published, of side bands, with what is not known of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kaongen.errors import CardError
from kaongen.reach.channels import ChannelModel, Count, Source
from kaongen.reach.models import Model
from kaongen.reach.settings import Reach, Treatment
from kaongen.reach.shapes import Smooth, flat, smooth, together
from kaongen.reach.simulation import Reduced
from kaongen.statistics.binned import Background

Floats = NDArray[np.float64]

DEGREE = 2
"""Of smooth shapes."""
FREE = (10.0, 3.0, 3.0)
"""Errors of level, slope and curvature of a side band, relative to its level: wide enough for the data to decide."""
_NEGLIGIBLE = 1e-3
SIMULATION = "simulation"
"""How the names of nuisance parameters begin that are statistical errors of smooth shapes."""


@dataclass(frozen=True)
class Binning:
    """Bins in one of the channel's ranges.

    number : of the range. edges : (bins + 1,). target : the measured quantity that is looked for. is_peak : whether
    shapes are smoothed within the outermost edges.
    """

    number: int
    edges: Floats
    target: float
    is_peak: bool

    @property
    def ends(self) -> tuple[float, float]:
        return float(self.edges[0]), float(self.edges[-1])


def check_treatment(treatment: Treatment, model: Model, chosen: ChannelModel) -> None:
    """Refuse a treatment that the channel or the signal cannot have.

    Raises
    ------
    CardError
        Saying why, and what can be had.
    """
    if treatment == "sideband" and not model.is_peak:
        raise CardError("background = sideband needs a narrow signal: that of this model is broad")
    for line in chosen.lines:
        if treatment == "published" and line not in chosen.published:
            raise CardError(
                f"background = published: no numbers of {line} are published for {chosen.name}; "
                "choose simulated, sideband or none"
            )


def backgrounds(
    chosen: ChannelModel, samples: dict[str, Reduced], settings: Reach, binnings: Sequence[Binning]
) -> tuple[Background, ...]:
    """All backgrounds of a channel, ready for a fit.

    Parameters
    ----------
    chosen
        The channel.
    samples
        Simulated, by the name of their source.
    settings
        Number of kaons, treatment and systematic error.
    binnings
        One after the other.

    """
    parts = [_in_range(chosen, samples, settings, binning) for binning in binnings]
    lengths = [len(binning.edges) - 1 for binning in binnings]
    names = list(dict.fromkeys(b.name for part in parts for b in part))
    return tuple(_joined(name, parts, lengths) for name in names)


def _joined(name: str, parts: Sequence[Sequence[Background]], lengths: Sequence[int]) -> Background:
    """One background of several ranges: what it lacks in one of them is zero there."""
    found = [next((b for b in part if b.name == name), None) for part in parts]
    variations = dict.fromkeys(key for b in found if b for key in b.variations)

    def stack(of: str, key: str = "") -> Floats:
        pieces = []
        for b, n in zip(found, lengths, strict=True):
            value = None if b is None else b.variations.get(key) if key else getattr(b, of)
            pieces.append(np.zeros(n) if value is None else value)
        return np.concatenate(pieces)

    return Background(name, stack("events"), stack("errors"), {key: stack("", key) for key in variations})


def _in_range(chosen: ChannelModel, samples: dict[str, Reduced], settings: Reach, binning: Binning) -> list[Background]:
    if settings.background == "sideband":
        return [_side_band(chosen, samples, settings, binning)]
    found, errors = [], []
    for line in chosen.lines:
        sources = [source for source in chosen.sources if source.line == line]
        count = _count(chosen, line, binning.number)
        factor, relative = 1.0, settings.systematic
        if settings.background == "published" or not sources:
            assert count is not None
            wanted = count.events.value * settings.n_kaons / chosen.published_kaons
            relative = math.hypot(relative, count.events.error / count.events.value)
            made = sum(_expected(samples[s.name], settings.n_kaons, count.low, count.high) for s in sources)
            factor = wanted / made if made > 0.0 else 0.0
        name = line if len(chosen.published.get(line, ())) < 2 else f"{line}, region {binning.number + 1}"
        if factor == 0.0 or not sources:
            low, high = chosen.ranges[binning.number]
            assert count is not None
            events = flat(count.events.value * settings.n_kaons / chosen.published_kaons, low, high).events(
                binning.edges
            )
            found.append(Background(line, events, np.zeros(len(events)), {name: relative * events}))
            continue
        events, statistical, smoothed = _simulated(chosen, samples, sources, settings, binning, factor)
        errors += smoothed
        found.append(Background(line, events, statistical, {name: relative * events}))
    return _with_errors_of_shapes(found, errors, binning)


def _simulated(
    chosen: ChannelModel,
    samples: dict[str, Reduced],
    sources: Sequence[Source],
    settings: Reach,
    binning: Binning,
    factor: float,
) -> tuple[Floats, Floats, list[Smooth]]:
    """Events and independent errors in bins, and the smooth parts whose errors are those of their coefficients."""
    events, variance = np.zeros(len(binning.edges) - 1), np.zeros(len(binning.edges) - 1)
    shapes = []
    for source in sources:
        sample = samples[source.name]
        scale = factor * settings.n_kaons * sample.branching_fraction
        if binning.is_peak or source.rare:
            shape = _smooth(chosen, sample, binning, source.rare).scaled(scale)
            events += shape.events(binning.edges)
            shapes.append(shape)
        else:
            raw = sample.template(binning.edges, binning.target)
            events += raw.probability * scale
            variance += raw.variance * scale * scale
    return events, np.sqrt(variance), shapes


def _smooth(chosen: ChannelModel, sample: Reduced, binning: Binning, rare: bool) -> Smooth:
    """Per generated decay and unit of branching fraction: over the whole range where events are rare."""
    low, high = chosen.ranges[binning.number] if rare else binning.ends
    return smooth(sample.nearest(binning.target), sample.weight, low, high, DEGREE).scaled(1.0 / sample.generated)


def _with_errors_of_shapes(found: list[Background], shapes: Sequence[Smooth], binning: Binning) -> list[Background]:
    """The simulation's errors of smooth shapes as nuisance parameters, with those that matter not left out."""
    if not shapes:
        return found
    total = np.maximum(np.sum([b.events for b in found], axis=0), 1e-12)
    variations = {}
    for low, high in dict.fromkeys((shape.low, shape.high) for shape in shapes):
        sum_of = together([shape for shape in shapes if (shape.low, shape.high) == (low, high)])
        for k, shift in enumerate(sum_of.variations(binning.edges)):
            if np.sqrt(np.sum(shift**2 / total)) > _NEGLIGIBLE:
                variations[f"{SIMULATION} {low:g}-{high:g}, {k}"] = shift
    first = found[0]
    return [Background(first.name, first.events, first.errors, {**first.variations, **variations}), *found[1:]]


def _side_band(chosen: ChannelModel, samples: dict[str, Reduced], settings: Reach, binning: Binning) -> Background:
    others = [line for line in chosen.lines if not any(source.line == line for source in chosen.sources)]
    shapes = [
        _smooth(chosen, samples[s.name], binning, s.rare).scaled(settings.n_kaons * samples[s.name].branching_fraction)
        for s in chosen.sources
    ]
    events = np.sum([shape.events(binning.edges) for shape in shapes], axis=0)
    for line in others:
        count = _count(chosen, line, binning.number)
        assert count is not None
        level = count.events.value * settings.n_kaons / chosen.published_kaons
        events = events + flat(level, *chosen.ranges[binning.number]).events(binning.edges)
    low, high = binning.ends
    level = float(events.sum()) / (high - low)
    band = Smooth(low, high, np.full(DEGREE + 1, level), np.zeros((DEGREE + 1, DEGREE + 1)))
    integrals = band.integrals(binning.edges)
    names = ("side band, level", "side band, slope", "side band, curvature")
    return Background(
        "side band",
        events,
        np.zeros(len(events)),
        {name: FREE[k] * level * integrals[:, k] for k, name in enumerate(names)},
    )


def _expected(sample: Reduced, n_kaons: float, low: float, high: float) -> float:
    x = sample.values[0]
    return float(sample.weight[(x > low) & (x < high)].sum()) / sample.generated * n_kaons * sample.branching_fraction


def _count(chosen: ChannelModel, line: str, number: int) -> Count | None:
    counts = chosen.published.get(line, ())
    if not counts:
        return None
    return counts[number] if len(counts) == len(chosen.ranges) else counts[0]
