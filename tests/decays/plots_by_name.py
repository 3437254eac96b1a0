"""Dalitz plots by name: their limits from energies and momenta, integrals and bin contents by quadrature.

Everything in GeV. Daughters are those of `by_name.THREE_BODY`, in the kernel's order.
"""

from dataclasses import dataclass

import numpy as np
from by_name import PI, THREE_BODY, K, masses, photon_cut

KINKS = {"pipi0pi0": 4 * PI * PI, "pigg": 4 * PI * PI}
"""Where |M|^2 is not smooth in s12: two charged pions at rest."""


def double_exponential(n, width=3.2):
    """Nodes x in (0, 1), and weights: for integrands with poles and roots at the ends."""
    t = np.linspace(-width, width, n)
    x = 1 / (1 + np.exp(-np.pi * np.sinh(t)))
    return x, (t[1] - t[0]) * np.pi * np.cosh(t) / (2 + 2 * np.cosh(np.pi * np.sinh(t)))


def gauss_legendre(edges, nodes):
    """Nodes (bins, nodes) between edges, and weights."""
    x, weight = np.polynomial.legendre.leggauss(nodes)
    low, size = edges[:-1, None], np.diff(edges)[:, None]
    return low + size * (x + 1) / 2, size * weight / 2


def opposite_range(s, m1, m2, m3):
    """Range of (p2 + p3)^2 at s = (p1 + p2)^2, from the energies and momenta of 2 and 3 in the frame of 1 and 2."""
    root = np.sqrt(s)
    e2, e3 = (s - m1**2 + m2**2) / (2 * root), (K**2 - s - m3**2) / (2 * root)
    p2, p3 = np.sqrt(np.maximum(e2**2 - m2**2, 0)), np.sqrt(np.maximum(e3**2 - m3**2, 0))
    return (e2 + e3) ** 2 - (p2 + p3) ** 2, (e2 + e3) ** 2 - (p2 - p3) ** 2


@dataclass(frozen=True)
class Plot:
    """The Dalitz plot of a process at some values of its parameters, in s12 and s23 of its kernel."""

    name: str
    values: dict

    @property
    def amplitude(self):
        return THREE_BODY[self.name]

    @property
    def masses(self):
        return masses(self.amplitude.roles, self.values)

    def squared(self, s12, s23):
        return self.amplitude.call(self.values, (s12, s23))

    @property
    def s12_range(self):
        m1, m2, m3 = self.masses
        return (m1 + m2) ** 2, min((K - m3) ** 2, photon_cut(self.name, self.values))

    @property
    def s23_range(self):
        m1, m2, m3 = self.masses
        return (m2 + m3) ** 2, (K - m1) ** 2

    def s23_at(self, s12):
        return opposite_range(s12, *self.masses)

    def s12_at(self, s23):
        low, high = opposite_range(s23, *self.masses[::-1])
        return low, np.clip(high, low, self.s12_range[1])

    def integral(self, n=81):
        """Integral of |M|^2 over the plot in GeV^4 times its unit, and how much fewer nodes change it."""
        return self._integral(n), abs(self._integral(n) - self._integral(2 * n // 3))

    def _integral(self, n):
        low, high = self.s12_range
        kink = KINKS.get(self.name, high)
        pieces = [(low, kink), (kink, high)] if low < kink < high else [(low, high)]
        x, weight = double_exponential(n)
        total = 0.0
        for low, high in pieces:
            if low > 0:
                s12 = low * (high / low) ** x
                size = s12 * np.log(high / low)
            else:
                s12, size = high * x, high
            bottom, top = self.s23_at(s12)
            s23 = bottom[:, None] + (top - bottom)[:, None] * x
            values = self.squared(s12[:, None], s23) * (top - bottom)[:, None]
            total += (weight * size) @ (values @ weight)
        return total

    def contents(self, edges_s12, edges_w, nodes=8, inner=41):
        """Content of cells of s12 and of w, the place in the interval of s23."""
        s12, weight_s12 = gauss_legendre(edges_s12, nodes)
        x, weight = double_exponential(inner)
        w = edges_w[:-1, None] + np.diff(edges_w)[:, None] * x
        low, high = (side[..., None, None] for side in self.s23_at(s12))
        values = self.squared(s12[..., None, None], low + w * (high - low)) * (high - low)
        return np.einsum("ai,b,j,aibj->ab", weight_s12, np.diff(edges_w), weight, values)

    def marginal_s12(self, edges, nodes=8, inner=41):
        s12, weight_s12 = gauss_legendre(edges, nodes)
        low, high = self.s23_at(s12)
        return (weight_s12 * _over(low, high, inner, lambda s23: self.squared(s12[..., None], s23))).sum(axis=1)

    def marginal_s23(self, edges, nodes=8, inner=41):
        s23, weight_s23 = gauss_legendre(edges, nodes)
        low, high = self.s12_at(s23)
        middle = np.clip(KINKS[self.name], low, high) if self.name in KINKS else high
        pieces = [(low, middle)] if middle is high else [(low, middle), (middle, high)]
        total = sum(_over(*piece, inner, lambda s12: self.squared(s12, s23[..., None])) for piece in pieces)
        return (weight_s23 * total).sum(axis=1)


def _over(low, high, n, function):
    """Integral over the last axis between limits that need no length."""
    x, weight = double_exponential(n)
    return (function(low[..., None] + x * (high - low)[..., None]) @ weight) * (high - low)
