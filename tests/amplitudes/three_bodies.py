"""Decays of any parent at rest to three bodies: limits of the Dalitz plot, four-momenta, integrals by quadrature.

Everything in GeV; s12 = (p1 + p2)^2, s23 = (p2 + p3)^2 for daughters in the stated order.
"""

import numpy as np
from dirac import kallen
from scipy.integrate import dblquad


def s12_limits(parent, masses):
    return (masses[0] + masses[1]) ** 2, (parent - masses[2]) ** 2


def s23_limits(s12, parent, masses):
    """Limits of s23 at given s12, written so that nothing cancels when s12 is at its threshold."""
    a, b, c = (m * m for m in masses)
    middle = b + c + ((s12 - a + b) * (parent**2 - s12 - c)) / (2 * s12)
    root = np.sqrt(max(0.0, kallen(s12, a, b)) * max(0.0, kallen(parent**2, s12, c))) / (2 * s12)
    return middle - root, middle + root


def s13(s12, s23, parent, masses):
    return parent**2 + sum(m * m for m in masses) - s12 - s23


def point(parent, masses, across, along, logarithmic=False):
    """The point of the Dalitz plot at fractions (across, along) of the ranges of s12 (or its log) and of s23."""
    low, high = s12_limits(parent, masses)
    s12 = low * (high / low) ** across if logarithmic else low + across * (high - low)
    s23_low, s23_high = s23_limits(s12, parent, masses)
    return s12, s23_low + along * (s23_high - s23_low)


# Any orientation will do, but one in which no component vanishes hides nothing.
_E1 = np.array([2.0, -1.0, 2.0]) / 3
_E2 = np.array([2.0, 2.0, -1.0]) / 3


def momenta(s12, s23, parent, masses):
    """Four-momenta of the parent, at rest, and of its three daughters."""
    a, b, c = (m * m for m in masses)
    e1 = (parent**2 + a - s23) / (2 * parent)
    e3 = (parent**2 + c - s12) / (2 * parent)
    p1, p3 = np.sqrt(e1 * e1 - a), np.sqrt(e3 * e3 - c)
    e2 = parent - e1 - e3
    cosine = (e2 * e2 - b - p1 * p1 - p3 * p3) / (2 * p1 * p3)
    sine = np.sqrt(max(0.0, 1 - cosine * cosine))
    whole = np.array([parent, 0.0, 0.0, 0.0])
    first = np.concatenate([[e1], p1 * (cosine * _E1 + sine * _E2)])
    third = np.concatenate([[e3], p3 * _E1])
    return whole, first, whole - first - third, third


def integral(squared, parent, masses, s12_range=None, s23_range=(0.0, np.inf), logarithmic=False, epsrel=1e-7):
    """Integral of squared(s12, s23) over the Dalitz plot, or over the part of it inside the given ranges.

    With ``logarithmic`` the outer variable is log s12. The inner one is an angle, which takes the square roots
    at both ends of the range of s23 away.
    """
    low, high = s12_range or s12_limits(parent, masses)

    def integrand(angle, u):
        s12 = np.exp(u) if logarithmic else u
        s23_low, s23_high = np.clip(s23_limits(s12, parent, masses), *s23_range)
        half = (s23_high - s23_low) / 2
        s23 = s23_low + half * (1 - np.cos(angle))
        return squared(s12, s23) * half * np.sin(angle) * (s12 if logarithmic else 1.0)

    limits = np.log([low, high]) if logarithmic else (low, high)
    area, _ = dblquad(integrand, *limits, 0.0, np.pi, epsrel=epsrel, epsabs=0.0)
    return area


def width(squared, parent, masses, **ranges):
    """Gamma in GeV for a sum over spins |M|^2 of dimension zero; no average and no factor for identical daughters."""
    return integral(squared, parent, masses, **ranges) / (256 * np.pi**3 * parent**3)
