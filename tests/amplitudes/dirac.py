"""A small Dirac algebra: explicit matrices, nothing simplified, so that it can judge what has been simplified.

Metric (+, -, -, -), natural units. A decay is that of a kaon at rest to three particles 1, 2, 3 with
s12 = (p1 + p2)^2 and s23 = (p2 + p3)^2; an amplitude is written ubar(neutrino) `line` v(charged antilepton).
"""

from itertools import permutations

import numpy as np
from hypothesis import strategies as st

from kaongen.particles import M_K

METRIC = np.diag([1.0, -1.0, -1.0, -1.0])
KAON = np.array([M_K, 0.0, 0.0, 0.0])

IDENTITY = np.eye(4, dtype=complex)
_PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
GAMMA = np.array(
    [np.kron([[1, 0], [0, -1]], np.eye(2))] + [np.kron([[0, 1], [-1, 0]], sigma) for sigma in _PAULI], dtype=complex
)
GAMMA5 = 1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]
LEFT = (IDENTITY - GAMMA5) / 2
RIGHT = (IDENTITY + GAMMA5) / 2


def levi_civita():
    """eps^{mu nu alpha beta} with eps^{0123} = +1."""
    tensor = np.zeros((4, 4, 4, 4))
    for order in permutations(range(4)):
        tensor[order] = np.linalg.det(np.eye(4)[list(order)])
    return tensor


def lower(vector):
    return METRIC @ vector


def dot(a, b):
    return a @ METRIC @ b


def slash(p):
    return np.tensordot(lower(p), GAMMA, axes=1)


def bar(line):
    return GAMMA[0] @ line.conj().T @ GAMMA[0]


def propagator(p, m):
    return (slash(p) + m * IDENTITY) / (dot(p, p) - m * m)


def interference(nu, lepton, m_lepton, first, second):
    """Sum over spins of [ubar(nu) first v(lepton)] [ubar(nu) second v(lepton)]^*."""
    return np.trace(slash(nu) @ first @ (slash(lepton) - m_lepton * IDENTITY) @ bar(second))


def sandwich(nu, lepton, m_lepton, line):
    """A matrix, linear in the amplitude, that vanishes if and only if ubar(nu) line v(lepton) does for all spins."""
    return slash(nu) @ line @ (slash(lepton) - m_lepton * IDENTITY)


def squared(nu, lepton, m_lepton, line):
    """Sum over spins of |ubar(nu) line v(lepton)|^2."""
    return interference(nu, lepton, m_lepton, line, line).real


def helicity_vectors(p):
    """The polarisation vectors for helicity +1 and -1 of a vector particle of momentum p."""
    direction = p[1:] / np.linalg.norm(p[1:])
    first = np.cross(direction, [1.0, 0.0, 0.0] if abs(direction[0]) < 0.9 else [0.0, 1.0, 0.0])
    first /= np.linalg.norm(first)
    second = np.cross(direction, first)
    return tuple(np.concatenate([[0.0], sign * (first + sign * 1j * second) / -np.sqrt(2.0)]) for sign in (1.0, -1.0))


def polarisations(p, m):
    """All polarisation vectors: two for a massless particle, three for a massive one."""
    transverse = helicity_vectors(p)
    if m == 0.0:
        return transverse
    size = np.linalg.norm(p[1:])
    return (*transverse, np.concatenate([[size], p[0] * p[1:] / size]) / m)


def kallen(a, b, c):
    return a * a + b * b + c * c - 2 * (a * b + b * c + c * a)


def s12_limits(masses):
    return (masses[0] + masses[1]) ** 2, (M_K - masses[2]) ** 2


def s23_limits(s12, masses):
    """Limits of s23 at given s12, written so that nothing cancels when s12 is at its threshold."""
    a, b, c = (m * m for m in masses)
    middle = b + c + ((s12 - a + b) * (M_K**2 - s12 - c)) / (2 * s12)
    root = np.sqrt(max(0.0, kallen(s12, a, b)) * max(0.0, kallen(M_K**2, s12, c))) / (2 * s12)
    return middle - root, middle + root


# Any orientation will do, but one in which no component vanishes hides nothing.
_E1 = np.array([2.0, -1.0, 2.0]) / 3
_E2 = np.array([2.0, 2.0, -1.0]) / 3


def momenta(s12, s23, masses):
    """Four-momenta of the three daughters of a kaon at rest."""
    a, b, c = (m * m for m in masses)
    e1 = (M_K**2 + a - s23) / (2 * M_K)
    e3 = (M_K**2 + c - s12) / (2 * M_K)
    p1, p3 = np.sqrt(e1 * e1 - a), np.sqrt(e3 * e3 - c)
    e2 = M_K - e1 - e3
    cosine = (e2 * e2 - b - p1 * p1 - p3 * p3) / (2 * p1 * p3)
    sine = np.sqrt(max(0.0, 1 - cosine * cosine))
    first = np.concatenate([[e1], p1 * (cosine * _E1 + sine * _E2)])
    third = np.concatenate([[e3], p3 * _E1])
    return first, KAON - first - third, third


def invariants(masses, across, along, logarithmic=False):
    """The point of the Dalitz plot at fractions (across, along) of the ranges of s12 (or its log) and of s23."""
    low, high = s12_limits(masses)
    s12 = low * (high / low) ** across if logarithmic else low + across * (high - low)
    s23_low, s23_high = s23_limits(s12, masses)
    return s12, s23_low + along * (s23_high - s23_low)


def fractions(edge=0.005):
    """Hypothesis: two fractions for `invariants`, not closer to the boundary than rounding allows."""
    return st.tuples(st.floats(edge, 1 - edge), st.floats(edge, 1 - edge))
