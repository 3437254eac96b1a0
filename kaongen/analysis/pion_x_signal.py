"""The signal of K+ -> pi+ X: its line in the missing mass, its acceptance, and the share of X that escapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.special import erf

from kaongen.analysis.escape import time_per_mass
from kaongen.analysis.pion_x_regions import NEEDS, TRACK, Region, outside_box
from kaongen.analysis.record import Value
from kaongen.analysis.template import Template, template
from kaongen.errors import EventFileError
from kaongen.events.reader import Events

Floats = NDArray[np.float64]

CORE = 2.0
"""The line is fitted within so many standard deviations: beyond are tails that a Gaussian has not."""
_LINE_EDGES = np.linspace(-0.01, 0.08, 18_001)
_TIME_EDGES = np.linspace(0.0, 40.0, 8_001)
_BETWEEN_REGIONS = 0.134
"""GeV: an X lighter than that belongs to region 1."""


@dataclass(frozen=True)
class Line:
    """The signal at one mass (GeV).

    position, width : of the Gaussian in m2_miss, GeV^2; the errors are those of the simulation; acceptance : of the
    region; times : probability of a decay to be accepted in bins of the time per mass, see `time_per_mass`.
    """

    mass: float
    position: Value
    width: Value
    acceptance: Value
    times: Floats

    def escape(self, mass: float, lifetime: float) -> float:
        """Share of the accepted X of a mass (GeV) that do not decay upstream of MUV3, for a lifetime in ns."""
        middle = 0.5 * (_TIME_EDGES[1:] + _TIME_EDGES[:-1])
        return float(self.times @ np.exp(-mass / lifetime * middle) / self.times.sum())


def read_line(sample: Events, mass: float, region: Region, end: float) -> Line:
    """The line of a simulated mass (GeV) in its region; X must get to z = `end` (m).

    Raises
    ------
    EventFileError
        If no event is in the region.
    """
    line = template(sample, _LINE_EDGES, factor=outside_box, needs=TRACK)
    limits = (region.low, region.high)
    acceptance = template(sample, limits, factor=region.contains, needs=NEEDS).total
    if acceptance.value <= 0.0:
        raise EventFileError(
            f"none of {sample.tally.generated} decays of the sample {sample.info.name!r} is in {region.name}: "
            "it needs more candidates"
        )
    times = template(
        sample,
        _TIME_EDGES,
        value=lambda columns: time_per_mass(columns, "pion", end),
        factor=region.contains,
        needs=(*NEEDS, "kaon_pz"),
    )
    position, width = fit_gaussian(line)
    return Line(mass, position, width, acceptance, times.probability)


def fit_gaussian(spectrum: Template) -> tuple[Value, Value]:
    """Position and standard deviation of the peak of a finely binned spectrum, from its core.

    Of all Gaussians cut at `CORE` of their standard deviations, the one with mean and variance of what is between the
    cuts: where the likelihood of those events is largest.
    """
    x = 0.5 * (spectrum.edges[1:] + spectrum.edges[:-1])
    p, variance = spectrum.probability, spectrum.variance
    reached = np.cumsum(p) / p.sum()
    low, middle, high = np.interp((0.1587, 0.5, 0.8413), reached, x)
    mean, sigma = float(middle), 0.5 * float(high - low)
    # variance of a unit Gaussian that is cut
    left = 1.0 - CORE * math.sqrt(2.0 / math.pi) * math.exp(-0.5 * CORE**2) / erf(CORE / math.sqrt(2.0))
    core = slice(None)
    for _ in range(100):
        before = (mean, sigma)
        first, last = np.searchsorted(x, (mean - CORE * sigma, mean + CORE * sigma))
        core = slice(int(first), int(last))
        total = p[core].sum()
        mean = float((p[core] @ x[core]) / total)
        sigma = math.sqrt(float(p[core] @ (x[core] - mean) ** 2 / total) / left)
        if abs(mean - before[0]) + abs(sigma - before[1]) < 1e-9 * sigma:
            break
    events = float(p[core].sum() ** 2 / variance[core].sum())
    error = sigma / math.sqrt(events * left)
    return Value(value=mean, error=error), Value(value=sigma, error=error)


class SignalGrid:
    """The signal at any mass between those that were simulated.

    Parameters
    ----------
    lines
        Of one region, at least two, by rising mass.
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = tuple(lines)
        self._masses = np.array([line.mass for line in lines])
        columns = [
            (line.position.value - line.mass**2, line.position.error, line.width.value, line.width.error,
             line.acceptance.value, line.acceptance.error)
            for line in lines
        ]  # fmt: skip
        self._curves = PchipInterpolator(self._masses, np.array(columns), extrapolate=False)

    def at(self, mass: float) -> tuple[Value, Value, Value]:
        """Position and width of the line (GeV^2), and the acceptance, at a mass in GeV."""
        shift, error, width, width_error, acceptance, acceptance_error = (float(v) for v in self._curves(mass))
        return (
            Value(value=mass**2 + shift, error=error),
            Value(value=width, error=width_error),
            Value(value=acceptance, error=acceptance_error),
        )

    def escape(self, mass: float, lifetime: float) -> float:
        """Share of the accepted X of a mass (GeV) that do not decay upstream of MUV3; 1 for an infinite lifetime (ns).

        Between the spectra of the neighbouring simulated masses linear; the mass itself enters exactly.
        """
        if math.isinf(lifetime) or mass == 0.0:
            return 1.0
        last = int(np.clip(np.searchsorted(self._masses, mass), 1, len(self.lines) - 1))
        below, above = self.lines[last - 1], self.lines[last]
        part = (mass - below.mass) / (above.mass - below.mass)
        return (1.0 - part) * below.escape(mass, lifetime) + part * above.escape(mass, lifetime)


def masses_by_region(masses: Sequence[float]) -> tuple[list[float], list[float]]:
    """Simulated masses (GeV) that belong to region 1 and 2, rising."""
    rising = sorted(set(masses))
    return [m for m in rising if m < _BETWEEN_REGIONS], [m for m in rising if m >= _BETWEEN_REGIONS]


def check_masses(simulated: Sequence[float], wanted: Sequence[float], region: Region) -> None:
    """Refuse to extrapolate.

    Raises
    ------
    EventFileError
        If a wanted mass (GeV) is not between two of the simulated ones.
    """
    if len(simulated) < 2 or wanted[0] < simulated[0] or wanted[-1] > simulated[-1]:
        there = f"{1e3 * simulated[0]:g} to {1e3 * simulated[-1]:g} MeV" if simulated else "none"
        raise EventFileError(
            f"pion_x searches {region.name} from {1e3 * wanted[0]:g} to {1e3 * wanted[-1]:g} MeV and does not "
            f"extrapolate: it needs signals of the process piX at masses that enclose these (there: {there})"
        )
