"""A smooth background of the missing mass from weighted, simulated events.

A simulated sample has far less statistical power than the data, and a few large weights in it: taken bin by bin its
fluctuations would pass for structure. Each background is therefore described by exp(polynomial), which keeps its
simulated total and first moments, and has as many terms as its events can carry. In front stands the square of the
muon's momentum in the kaon frame when m_miss is all that is left for the rest: once because phase space closes, and
once because slow muons leave through the beam's hole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kaongen.analysis.template import Floats
from kaongen.particles import M_K, M_MU

BIN = 1e-3
"""GeV; much wider bins would not resolve the fall at the end of the spectrum."""
_TERMS = ((0.0, 1), (10.0, 2), (40.0, 3), (200.0, 4), (1000.0, 6))
"""From so many effective events on, so many terms."""
_LARGEST = 60.0


@dataclass(frozen=True)
class Smooth:
    """Background per GeV at any missing mass within [low, high] (GeV).

    parts : Legendre coefficients of the logarithm of each background's density over the factor at the end.
    covariances : of these, from the simulation.
    """

    low: float
    high: float
    parts: tuple[Floats, ...]
    covariances: tuple[Floats, ...]

    def density(self, m: Floats) -> Floats:
        """Events per GeV at masses m."""
        return np.asarray(sum((self._one(c, m) for c in self.parts), np.zeros_like(m)), dtype=np.float64)

    def error(self, m: Floats) -> Floats:
        """Its standard error from the simulation."""
        variance = np.zeros_like(m)
        for coefficients, covariance in zip(self.parts, self.covariances, strict=True):
            basis = _basis(m, self.low, self.high, len(coefficients))
            variance += self._one(coefficients, m) ** 2 * np.einsum("ij,jk,ik->i", basis, covariance, basis)
        return np.sqrt(variance)

    def counts(self, edges: Floats) -> Floats:
        """Expected events in each bin: Gauss-Legendre quadrature; 0 outside of [low, high]."""
        nodes, weights = np.polynomial.legendre.leggauss(4)
        clipped = np.clip(edges, self.low, self.high)
        half = 0.5 * np.diff(clipped)
        m = clipped[:-1, None] + half[:, None] * (1.0 + nodes)
        return np.asarray((half[:, None] * weights * self.density(m.ravel()).reshape(m.shape)).sum(axis=1))

    def _one(self, coefficients: Floats, m: Floats) -> Floats:
        return _exponential(_basis(m, self.low, self.high, len(coefficients)), coefficients) * _end(m)


def smooth(low: float, high: float, contents: Sequence[tuple[Floats, Floats]]) -> Smooth:
    """Describe backgrounds by exponentials of polynomials.

    Parameters
    ----------
    low, high
        Range of the missing mass, GeV.
    contents
        Of each background the expected events in equal bins over the range, and their variances.

    Returns
    -------
    Smooth
        Each with the total of its bins. Backgrounds without events are left out.
    """
    fitted = [_fit(low, high, n, v) for n, v in contents if n.sum() > 0.0]
    return Smooth(low, high, tuple(c for c, _ in fitted), tuple(v for _, v in fitted))


def terms(counts: Floats, variances: Floats) -> int:
    """How many terms the events carry, by their effective number (sum w)^2 / sum w^2."""
    effective = counts.sum() ** 2 / variances.sum() if variances.sum() > 0.0 else np.inf
    occupied = int(np.count_nonzero(counts > 0.0))
    return min(max(n for least, n in _TERMS if effective >= least), max(occupied, 1))


def _fit(low: float, high: float, counts: Floats, variances: Floats) -> tuple[Floats, Floats]:
    """Coefficients of the logarithm of the density, and their covariance: a Poisson likelihood in small bins.

    Its equations say that sums of the basis over the events are those of the fit. The covariance is that of such an
    estimator for any variances of the bins (the sandwich).
    """
    width = (high - low) / len(counts)
    centres: Floats = low + width * (np.arange(len(counts), dtype=np.float64) + 0.5)
    n_terms = terms(counts, variances)
    basis = _basis(centres, low, high, n_terms)
    factor = _end(centres) * width
    coefficients = np.zeros(n_terms)
    coefficients[0] = np.log(counts.sum() / factor.sum())

    def negative(c: Floats) -> float:
        return float((_exponential(basis, c) * factor).sum() - counts @ (basis @ c))

    best = negative(coefficients)
    for _ in range(200):
        mean = _exponential(basis, coefficients) * factor
        hessian = basis.T @ (mean[:, None] * basis)
        step = np.linalg.solve(hessian + 1e-12 * np.trace(hessian) * np.eye(n_terms), basis.T @ (counts - mean))
        size = 1.0
        while size > 1e-6 and negative(coefficients + size * step) > best + 1e-12 * abs(best):
            size *= 0.5
        coefficients = coefficients + size * step
        best = negative(coefficients)
        if np.abs(size * step).max() < 1e-10:
            break
    mean = _exponential(basis, coefficients) * factor
    inverse = np.linalg.pinv(basis.T @ (mean[:, None] * basis))
    return coefficients, inverse @ (basis.T @ (variances[:, None] * basis)) @ inverse


def _basis(m: Floats, low: float, high: float, n_terms: int) -> Floats:
    x = (2.0 * m - low - high) / (high - low)
    return np.asarray(np.polynomial.legendre.legvander(x, n_terms - 1), dtype=np.float64)


def _exponential(basis: Floats, coefficients: Floats) -> Floats:
    return np.asarray(np.exp(np.clip(basis @ coefficients, -_LARGEST, _LARGEST)))


def _end(m: Floats) -> Floats:
    """p*^2 of the muon of K+ -> mu+ and a mass m, over that for m = 0; nothing beyond the end of the spectrum."""
    s = M_K * M_K

    def square(mass: Floats) -> Floats:
        return np.asarray((s - (M_MU + mass) ** 2) * (s - (M_MU - mass) ** 2))

    return np.where(m < M_K - M_MU, square(m) / square(np.zeros(1)), 0.0)
