"""A sample in memory: decays through beam, detector and selection, without files."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.result import Value
from kaongen.analysis.weighted import acceptance, core_width
from kaongen.beam import Zone
from kaongen.configuration import Configuration
from kaongen.decays.sampling import CHUNK
from kaongen.production.card import SamplePart
from kaongen.production.engine import Progress
from kaongen.production.memory import simulate as simulate_events
from kaongen.production.selection import Selection
from kaongen.random import stream_key

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Sample:
    """Selected events of one decay.

    generated : decays in the decay volume; branching_fraction : of the decay; columns : as in an event file.
    """

    generated: int
    branching_fraction: float
    columns: Columns

    @property
    def m2_miss(self) -> NDArray[np.float64]:
        """Measured missing mass squared, GeV^2."""
        return self.columns["m2_miss"].astype(np.float64)

    @property
    def weight(self) -> NDArray[np.float64]:
        return self.columns["weight"]

    def where(self, chosen: Callable[[Columns], NDArray[np.bool_]]) -> Sample:
        """The events for which a function of the columns is true."""
        mask = chosen(self.columns)
        return Sample(self.generated, self.branching_fraction, {k: v[mask] for k, v in self.columns.items()})

    def acceptance(self, low: float = -math.inf, high: float = math.inf) -> Value:
        """Probability that a decay is selected with m2_miss between two cuts (GeV^2)."""
        m2 = self.m2_miss
        return acceptance(self.weight[(m2 > low) & (m2 < high)], self.generated)

    def expected(self, kaons: float, low: float = -math.inf, high: float = math.inf) -> Value:
        """Events with m2_miss between two cuts (GeV^2) in so many kaon decays."""
        scale = kaons * self.branching_fraction
        a = self.acceptance(low, high)
        return Value(value=scale * a.value, error=scale * a.error)

    def rms(self, window: float) -> float:
        """Of m2_miss (GeV^2) around zero, within a window on either side."""
        m2 = self.m2_miss
        inside = np.abs(m2) < window
        weights = self.weight[inside]
        return math.sqrt(float((weights * m2[inside] ** 2).sum() / weights.sum()))

    def core_width(self, values: NDArray[np.float64]) -> float:
        """Half the width that holds the central 68.3% of a column: the resolution, blind to the tails."""
        return core_width(values, self.weight)


def simulate(
    name: str,
    configuration: Configuration,
    selection: Selection,
    decays: int,
    *,
    values: dict[str, float] | None = None,
    zone: Zone = "volume",
    seed: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Sample:
    """Simulate a decay of the catalogue.

    Parameters
    ----------
    name
        Of the process, or a decay with those of its daughters.
    configuration, selection
        The detector, and which events to keep.
    decays
        How many, rounded up to whole chunks.
    values
        Parameters of the process.
    zone
        Where it decays.
    progress
        Called as decays are done.

    Raises
    ------
    ProcessError
        If there is no such process, or parameters are missing or out of range.
    """
    part = SamplePart(
        process=name,
        name=f"{name}-{zone}" if zone != "volume" else name,
        zone=zone,
        role="signal",
        candidates=CHUNK * math.ceil(decays / CHUNK),
        parameters=values or {},
    )
    made = simulate_events(
        part, configuration, selection, stream_key(seed, f"{name}/{zone}"), threads=threads, progress=progress
    )
    return Sample(
        generated=made.tally.generated, branching_fraction=made.info.branching_fraction or 0.0, columns=made.data
    )


def combine(values: Sequence[Value], factor: float = 1.0) -> Value:
    """Sum of independent numbers, times a factor."""
    total, error = math.fsum(v.value for v in values), math.hypot(*(v.error for v in values))
    return Value(value=factor * total, error=abs(factor) * error)


def ratio(a: Value, b: Value) -> Value:
    """Of two independent numbers."""
    value = a.value / b.value
    return Value(value=value, error=abs(value) * math.hypot(a.error / a.value, b.error / b.value) if a.value else 0.0)


def inverse(a: Value, factor: float) -> Value:
    """One over a number times a factor that is known."""
    return Value(value=1.0 / (factor * a.value), error=a.error / (factor * a.value * a.value))
