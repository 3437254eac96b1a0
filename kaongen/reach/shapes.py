"""Smooth densities from weighted events: orthogonal polynomials, whose errors are known without a fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_EFFECTIVE = (30.0, 300.0)
"""Effective events below which a constant, and a line, is all that is taken."""


@dataclass(frozen=True)
class Smooth:
    """A density between two ends, as a sum of Legendre polynomials.

    coefficients : (k,) of P_0, P_1, ... in events per unit of x; covariance : (k, k), of the simulation.
    """

    low: float
    high: float
    coefficients: Floats
    covariance: Floats

    def events(self, edges: Floats) -> Floats:
        """Content of bins, (bins,)."""
        return np.asarray(self.integrals(edges) @ self.coefficients, dtype=np.float64)

    def integrals(self, edges: Floats) -> Floats:
        """Of each polynomial over each bin: (bins, k)."""
        t = 2.0 * (edges - self.low) / (self.high - self.low) - 1.0
        half = 0.5 * (self.high - self.low)
        columns = []
        for k in range(len(self.coefficients)):
            primitive = legendre.legint(np.eye(k + 1)[k])
            columns.append(half * np.diff(legendre.legval(t, primitive)))
        return np.array(columns).T

    def variations(self, edges: Floats) -> Floats:
        """Shifts of the bins for one standard deviation of each independent combination of errors: (k, bins)."""
        values, vectors = np.linalg.eigh(self.covariance)
        shifts = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
        return np.asarray(shifts @ self.integrals(edges).T, dtype=np.float64)

    def scaled(self, factor: float) -> Smooth:
        """The same, so many times."""
        return Smooth(self.low, self.high, self.coefficients * factor, self.covariance * factor**2)


def smooth(x: Floats, weight: Floats, low: float, high: float, degree: int) -> Smooth:
    """The density of weighted events between two ends, projected on polynomials.

    The coefficient of P_k is (2k + 1)/(high - low) times the sum of w P_k(t) over the events, t from -1 to 1: without
    bias for a polynomial of that degree, whatever the weights, and with a covariance that is the sum of w^2 P_j P_k.
    Few events get a lower degree, and so does a density that would fall below a tenth of its mean.

    Parameters
    ----------
    x, weight : (n,) float64
        Events; those outside of the ends do not count.
    low, high : float
        The ends.
    degree : int
        Of the polynomial, at most.
    """
    inside = (x >= low) & (x < high)
    w = weight[inside]
    t = 2.0 * (x[inside] - low) / (high - low) - 1.0
    effective = float(w.sum() ** 2 / (w * w).sum()) if len(w) else 0.0
    limit = min(degree, 0 if effective < _EFFECTIVE[0] else 1 if effective < _EFFECTIVE[1] else degree)
    for chosen in range(limit, -1, -1):
        scale = (2.0 * np.arange(chosen + 1) + 1.0) / (high - low)
        powers = legendre.legvander(t, chosen) * scale
        result = Smooth(low, high, powers.T @ w, (powers * (w * w)[:, None]).T @ powers)
        fine = np.linspace(low, high, 41)
        if chosen == 0 or np.all(result.events(fine) > 0.1 * result.events(np.array([low, high])) / 40.0):
            return result
    raise AssertionError("a constant is always positive")


def together(parts: list[Smooth]) -> Smooth:
    """The sum of independent densities between the same ends."""
    size = max(len(part.coefficients) for part in parts)
    coefficients, covariance = np.zeros(size), np.zeros((size, size))
    for part in parts:
        k = len(part.coefficients)
        coefficients[:k] += part.coefficients
        covariance[:k, :k] += part.covariance
    return Smooth(parts[0].low, parts[0].high, coefficients, covariance)


def flat(events: float, low: float, high: float) -> Smooth:
    """A constant density with so many events, without an error."""
    return Smooth(low, high, np.array([events / (high - low)]), np.zeros((1, 1)))
