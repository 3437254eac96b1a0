"""Widths and cross-sections from explicit spinors and traces, with which the closed forms are compared."""

import numpy as np
from dirac import GAMMA, GAMMA5, IDENTITY, METRIC, bar, dot, slash

DIRECTION = np.array([0.48, -0.6, 0.64])


def pair(m, m1, m2):
    """Momenta of m -> 1 2 for a parent at rest."""
    size = np.sqrt(max((m**2 - (m1 + m2) ** 2) * (m**2 - (m1 - m2) ** 2), 0.0)) / (2 * m)
    first = np.array([np.hypot(size, m1), *(size * DIRECTION)])
    return first, np.array([m, 0.0, 0.0, 0.0]) - first, size


def two_body_width(m, m1, m2, average):
    """Gamma for a spin-averaged |M|^2 that is a function of the daughters' momenta."""
    p1, p2, size = pair(m, m1, m2)
    return size / (8 * np.pi * m**2) * average(p1, p2)


def fermion_tensor(p1, m1, p2, m2, vertices):
    """T^{mu nu}, the spin sum of [ubar(p1) G^mu v(p2)] [ubar(p1) G^nu v(p2)]^*."""
    first, second = slash(p1) + m1 * IDENTITY, slash(p2) - m2 * IDENTITY
    return np.array([[np.trace(first @ a @ second @ bar(b)) for b in vertices] for a in vertices])


def vector_average(tensor, p, m):
    """A tensor contracted with a massive vector's polarisation sum, divided by 3."""
    lowered = METRIC @ p
    return np.einsum("ab,ab", np.outer(lowered, lowered) / m**2 - METRIC, tensor).real / 3


VECTOR = list(GAMMA)
AXIAL = [g @ GAMMA5 for g in GAMMA]
LEFT_HANDED = [g @ (IDENTITY - GAMMA5) / 2 for g in GAMMA]

_C = 1j * GAMMA[2] @ GAMMA[0]


def spinors(p, m):
    """u(p, s) for the two spins, normalised to ubar u = 2m, as columns."""
    rest = np.eye(4, dtype=complex)[:, :2]
    return (slash(p) + m * IDENTITY) @ rest / np.sqrt(p[0] + m)


def antispinors(p, m):
    """v(p, s) = C ubar(p, s)^T."""
    u = spinors(p, m)
    return _C @ (u.conj().T @ GAMMA[0]).T


def current(p1, m1, p2, m2, vertices):
    """ubar(p1, s1) G^mu v(p2, s2), indices mu, s1, s2."""
    ubar = spinors(p1, m1).conj().T @ GAMMA[0]
    return np.array([ubar @ g @ antispinors(p2, m2) for g in vertices])


def majorana_tensor(p1, p2, m):
    """Spin sum for the current 1/2 chibar gamma gamma5 chi of two identical particles, both contractions."""
    direct = current(p1, m, p2, m, AXIAL)
    exchanged = current(p2, m, p1, m, AXIAL).transpose(0, 2, 1)
    amplitude = 0.5 * (direct - exchanged)
    return np.einsum("aij,bij->ab", amplitude, amplitude.conj())


def scalar_tensor(p1, p2):
    """For the current i chi* d chi + h.c. of a complex scalar."""
    return np.outer(p1 - p2, p1 - p2)


def s_channel(s, m, chi_tensor, spin_states, m_f, f_tensor):
    """sigma times (s - m_V^2)^2 of chi chi -> V* -> f f with unit couplings, averaged over initial spins.

    chi_tensor(p1, p2) and f_tensor(p3, p4) are the spin sums of the two currents; crossing leaves them as they are.
    """
    root = np.sqrt(s)
    initial, final = np.sqrt(s / 4 - m**2), np.sqrt(s / 4 - m_f**2)
    nodes, weights = np.polynomial.legendre.leggauss(12)
    total = 0.0
    for cosine, weight in zip(nodes, weights, strict=True):
        p1 = np.array([root / 2, 0.0, 0.0, initial])
        p3 = np.array([root / 2, final * np.sqrt(1 - cosine**2), 0.0, final * cosine])
        flip = np.array([1.0, -1.0, -1.0, -1.0])
        chi = METRIC @ chi_tensor(p1, flip * p1) @ METRIC
        total += weight * np.einsum("ab,ab", chi, f_tensor(p3, flip * p3)).real
    return total * 2 * np.pi * final / (64 * np.pi**2 * s * initial) / spin_states**2


def invariant(p, q):
    return dot(p + q, p + q)
