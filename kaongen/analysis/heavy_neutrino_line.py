"""The line of K+ -> mu+ N in the missing mass: resolution and acceptance against m_N, from simulated masses.

NA62, Phys. Lett. B 816 (2021) 136259, section 5 and figure 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.escape import time_per_mass
from kaongen.analysis.template import Columns, Floats, Template, template
from kaongen.analysis.weighted import central_half_width
from kaongen.errors import EventFileError
from kaongen.events.reader import Events

_STEP = 2e-5
_REACH = 0.04
_END = 1.0
_PATH = ("vertex_z", "kaon_pz", "muon_pz")


def missing_mass(columns: Columns) -> Floats:
    """sqrt(m2_miss) in GeV, negative for a negative square."""
    square = np.asarray(columns["m2_miss"], dtype=np.float64)
    return np.sign(square) * np.sqrt(np.abs(square))


def survival(columns: Columns, m_n: float, lifetime: float, end: float) -> Floats:
    """Probability that N, made at the measured vertex with the measured P_K - P_mu, decays behind a plane.

    Parameters
    ----------
    columns
        vertex_z (m), kaon_pz and muon_pz (GeV), each of shape (n,).
    m_n, lifetime
        Mass in GeV and mean proper lifetime in ns.
    end
        z of the plane in m.

    Returns
    -------
    array of shape (n,)
        exp(-(z_end - z) m_N / (p_z c tau)); 1 behind the plane.
    """
    return np.asarray(np.exp(-time_per_mass(columns, "muon", end) * m_n / lifetime))


@dataclass(frozen=True)
class Line:
    """The line of one simulated mass: resolution in GeV, acceptance of the window and its error, with the acceptances
    for lifetimes relative to it.
    """

    m_n: float
    resolution: float
    acceptance: float
    acceptance_error: float
    lasting: tuple[float, ...]


def line_of(sample: Events, m_n: float, window: float, lifetimes: Sequence[float], end: float) -> Line:
    """Read the line of a simulated mass.

    Parameters
    ----------
    sample
        Of K+ -> mu+ N.
    m_n
        Its mass, GeV.
    window
        Half width of the window in units of the resolution.
    lifetimes, end
        In ns, and z (m) up to which a decay of N would be seen.

    Raises
    ------
    EventFileError
        If too few events were selected to see a line.
    """
    step = np.arange(-_REACH, _REACH + 0.5 * _STEP, _STEP)
    edges = np.concatenate(([-_END], m_n + step, [_END]))
    stable = template(sample, edges, value=missing_mass, needs=("m2_miss",))
    if np.count_nonzero(stable.probability) < 20:
        raise EventFileError(f"the sample {sample.info.name!r} has too few events for a resolution: more candidates")
    resolution = central_half_width(stable.edges[1:], np.cumsum(stable.probability))
    low, high = m_n - window * resolution, m_n + window * resolution
    inside, square = _between(stable, low, high, sample.tally.generated)
    lasting = []
    for lifetime in lifetimes:

        def factor(columns: Columns, lifetime: float = lifetime) -> NDArray[Any]:
            return survival(columns, m_n, lifetime, end)

        decayed = template(sample, edges, value=missing_mass, factor=factor, needs=("m2_miss", *_PATH))
        lasting.append(_between(decayed, low, high, sample.tally.generated)[0] / inside)
    error = math.sqrt(max(square - inside * inside, 0.0) / sample.tally.generated)
    return Line(m_n, resolution, inside, error, tuple(lasting))


def _between(line: Template, low: float, high: float, generated: int) -> tuple[float, float]:
    """Probability between two masses, and the mean square of the weights there."""
    found = []
    for values in (line.probability, line.variance * generated + line.probability**2):
        reached = np.concatenate(([0.0], np.cumsum(values)))
        first, last = np.interp([low, high], line.edges, reached)
        found.append(float(last - first))
    return found[0], found[1]


class Lines:
    """Resolution and acceptance at any mass between the first and the last that were simulated."""

    def __init__(self, lines: Sequence[Line]) -> None:
        """Lines of different masses, at least one, in any order."""
        self.lines = sorted(lines, key=lambda line: line.m_n)
        self.masses = np.array([line.m_n for line in self.lines])

    @property
    def range(self) -> tuple[float, float]:
        """First and last simulated mass, GeV."""
        return float(self.masses[0]), float(self.masses[-1])

    def at(self, m_n: float) -> Line:
        """The line of a mass, interpolated by monotone cubics (of the resolution's logarithm).

        Raises
        ------
        EventFileError
            If the mass lies outside of those that were simulated.
        """
        first, last = self.range
        if not first - 1e-9 <= m_n <= last + 1e-9:
            raise EventFileError(
                f"m_N = {m_n:g} GeV lies outside of the simulated masses, {first:g} to {last:g} GeV: "
                "resolutions and acceptances are not extrapolated"
            )
        resolution, acceptance, error, *lasting = (float(v) for v in self._interpolated(m_n))
        return Line(m_n, math.exp(resolution), acceptance, error, tuple(lasting))

    def _interpolated(self, m_n: float) -> Floats:
        if len(self.lines) == 1:
            return np.asarray(self._values[0])
        return np.asarray(self._curve(min(max(m_n, self.masses[0]), self.masses[-1])))

    @cached_property
    def _values(self) -> Floats:
        return np.array([[math.log(x.resolution), x.acceptance, x.acceptance_error, *x.lasting] for x in self.lines])

    @cached_property
    def _curve(self) -> Any:
        from scipy.interpolate import PchipInterpolator

        return PchipInterpolator(self.masses, self._values)
