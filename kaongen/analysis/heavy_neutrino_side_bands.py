"""The background under a line from the data beside it: polynomials fitted to side bands.

NA62, Phys. Lett. B 816 (2021) 136259, section 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kaongen.analysis.template import Floats
from kaongen.errors import StatisticsError

Counts = Callable[[Floats], Floats]
"""Events in bins with given edges (GeV)."""


@dataclass(frozen=True)
class Bands:
    """Window and side bands of a mass: edges of the window, of the bins below it and of those above it (GeV)."""

    m_n: float
    scale: float
    window: tuple[float, float]
    below: Floats
    above: Floats

    @property
    def bins(self) -> int:
        return len(self.below) + len(self.above) - 2


def bands(
    m_n: float, resolution: float, *, window: float, side: float, width: float, limits: tuple[float, float]
) -> Bands:
    """Window m_N +- window, side bands from there to m_N +- side within limits, in bins.

    Parameters
    ----------
    m_n, resolution
        GeV.
    window, side, width
        Half width of the window, end of the side bands and width of their bins, in units of the resolution.
    limits
        GeV, within which side bands lie; a bin that they cut is narrower.

    Raises
    ------
    StatisticsError
        If the window is not within the limits.
    """
    low, high = m_n - window * resolution, m_n + window * resolution
    if low < limits[0] - 1e-9 or high > limits[1] + 1e-9:
        raise StatisticsError(
            f"the window of m_N = {m_n:g} GeV, {low:.5g} to {high:.5g} GeV, is not within {limits[0]:g} to "
            f"{limits[1]:g} GeV"
        )
    bins = max(round((side - window) / width), 1)
    steps = (window + (side - window) * np.arange(bins + 1) / bins) * resolution
    below, above = np.maximum(m_n - steps[::-1], limits[0]), np.minimum(m_n + steps, limits[1])
    return Bands(m_n, side * resolution, (low, high), _distinct(below), _distinct(above))


def _distinct(edges: Floats) -> Floats:
    # a sliver of a bin that the limits leave would be counted in, but weigh nothing
    kept = np.concatenate(([True], np.diff(edges) > 1e-9))
    return edges[kept]


@dataclass(frozen=True)
class Estimate:
    """Background expected in a window, with its errors: statistical of the fit, systematic, and of both."""

    expected: float
    statistical: float
    systematic: float

    @property
    def error(self) -> float:
        """Of both in quadrature."""
        return math.hypot(self.statistical, self.systematic)


def estimate(where: Bands, counts: Counts, order: int = 2, asimov: bool = False) -> Estimate:
    """Fit a polynomial to the side bands and integrate it over the window.

    Parameters
    ----------
    where
        Window and side bands.
    counts
        Events in bins.
    order
        Of the polynomial; the next order gives the systematic error.
    asimov
        Whether the counts are expectations. Real counts fluctuate, and so does the difference of two orders: its
        expected square is then that of the expectations and its variance, by which the systematic error is enlarged.

    Returns
    -------
    Estimate

    Raises
    ------
    StatisticsError
        If there are too few bins for the polynomial.
    """
    if where.bins < order + 2:
        raise StatisticsError(
            f"m_N = {where.m_n:g} GeV has {where.bins} bins of side bands, too few for a polynomial of order "
            f"{order + 1}"
        )
    observed = np.concatenate([counts(edges) for edges in (where.below, where.above)])
    first, second = (_polynomial(where, observed, k) for k in (order, order + 1))
    shift = second.in_window - first.in_window
    systematic = abs(shift)
    if asimov:
        response = second.response - first.response
        systematic = math.sqrt(shift * shift + float((response * response * observed).sum()))
    return Estimate(max(first.in_window, 0.0), first.error, systematic)


@dataclass(frozen=True)
class _Fit:
    """Events of a fitted polynomial in the window, their error, and how they change with the count of each bin."""

    in_window: float
    error: float
    response: Floats


def _integrals(edges: Floats, where: Bands, order: int) -> Floats:
    """Of powers of (m - m_N)/scale over bins, (bins, order + 1)."""
    x = (edges - where.m_n) / where.scale
    powers = np.arange(1, order + 2)
    return np.diff(x[:, None] ** powers / powers, axis=0)


def _polynomial(where: Bands, observed: Floats, order: int) -> _Fit:
    """Maximum of the Poisson likelihood with a mean that is linear in the coefficients, by reweighted least squares."""
    design = np.concatenate([_integrals(edges, where, order) for edges in (where.below, where.above)])
    window = _integrals(np.array(where.window), where, order)[0]
    total = observed.sum()
    if total <= 0.0:
        return _Fit(0.0, 0.0, np.zeros(len(observed)))
    width = design[:, 0]
    mean = total * width / width.sum()
    floor = 1e-3 * mean
    solve = np.zeros((order + 1, len(observed)))
    for _ in range(100):
        weighted = design / mean[:, None]
        solve = np.linalg.pinv(design.T @ weighted, rcond=1e-13, hermitian=True) @ weighted.T
        new = np.maximum(design @ (solve @ observed), floor)
        change = np.abs(new / mean - 1.0).max()
        # half a step where a mean meets its floor, lest it swing
        mean = new if np.all(new > floor) else 0.5 * (mean + new)
        if change < 1e-10:
            break
    response = window @ solve
    return _Fit(float(response @ observed), math.sqrt(float((response * response * mean).sum())), response)
