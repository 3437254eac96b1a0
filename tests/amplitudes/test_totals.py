"""Total branching fractions by quadrature: of kaongen's amplitudes, and once more of the Feynman diagrams."""

import numpy as np
import pytest
from dirac import s12_limits, s23_limits
from scipy.integrate import dblquad
from test_munu_x import scalar_from_diagrams, vector_from_diagrams

from kaongen.amplitudes import munu_x
from kaongen.particles import BR_K_MUNU, M_K, M_MU

VECTOR = {0.01: 0.2173, 0.05: 0.0553, 0.1: 0.01803, 0.2: 1.937e-3, 0.3: 7.33e-5}
SCALAR = {0.01: 0.0560, 0.05: 0.02685, 0.1: 0.01319, 0.2: 2.439e-3, 0.3: 1.402e-4}
"""BR(K -> mu nu X)/g^2 against m_X in GeV, for BR(K -> mu nu) = 0.6356."""

GAMMA_2 = M_K * (1 - (M_MU / M_K) ** 2) ** 2 / (16 * np.pi)


def branching_fraction(amplitude, m_x):
    """Nested adaptive quadrature in log s12, where the emission from the neutrino peaks, and in s23."""
    masses = (0.0, m_x, M_MU)
    low, high = np.log(s12_limits(masses))
    area, _ = dblquad(
        lambda s23, u: np.exp(u) * amplitude(np.exp(u), s23, m_x),
        low,
        high,
        lambda u: s23_limits(np.exp(u), masses)[0],
        lambda u: s23_limits(np.exp(u), masses)[1],
        epsrel=1e-5,
    )
    return BR_K_MUNU.value * area / (256 * np.pi**3 * M_K**3) / GAMMA_2


def branching_fraction_from_diagrams(amplitude, m_x, order=12):
    """Gauss-Legendre in the same variables; smooth at both ends of the plot after u -> sin^2."""
    masses = (0.0, m_x, M_MU)
    low, high = np.log(s12_limits(masses))
    nodes, weights = np.polynomial.legendre.leggauss(order)
    angles, jacobian = (nodes + 1) * np.pi / 4, weights * np.pi / 4
    total = 0.0
    for angle, weight in zip(angles, jacobian, strict=True):
        s12 = np.exp(low + (high - low) * np.sin(angle) ** 2)
        s23_low, s23_high = s23_limits(s12, masses)
        middle, half = (s23_low + s23_high) / 2, (s23_high - s23_low) / 2
        inner = sum(w * amplitude(s12, middle + half * n, m_x) for n, w in zip(nodes, weights, strict=True)) * half
        total += weight * (high - low) * np.sin(2 * angle) * s12 * inner
    return BR_K_MUNU.value * total / (256 * np.pi**3 * M_K**3) / GAMMA_2


@pytest.mark.parametrize(("m_x", "expected"), VECTOR.items())
def test_vector(m_x, expected):
    assert branching_fraction(munu_x.vector, m_x) == pytest.approx(expected, rel=3e-3)


@pytest.mark.parametrize(("m_x", "expected"), SCALAR.items())
def test_scalar(m_x, expected):
    assert branching_fraction(munu_x.scalar, m_x) == pytest.approx(expected, rel=3e-3)


@pytest.mark.parametrize("m_x", [0.05, 0.3])
def test_the_diagrams_themselves_have_these_totals(m_x):
    assert branching_fraction_from_diagrams(vector_from_diagrams, m_x) == pytest.approx(VECTOR[m_x], rel=3e-3)
    assert branching_fraction_from_diagrams(scalar_from_diagrams, m_x) == pytest.approx(SCALAR[m_x], rel=3e-3)


def test_light_vector_is_enhanced_by_one_logarithm_and_no_power():
    """The current is conserved: BR/g^2 grows like log^2(m_K/m_V) and not like m_K^2/m_V^2 as m_V -> 0."""
    first, second, third = (branching_fraction(munu_x.vector, m) for m in (4e-3, 2e-3, 1e-3))
    assert 1 < third / second < second / first < 1.5
