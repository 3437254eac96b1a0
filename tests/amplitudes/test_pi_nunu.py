"""K+ -> pi+ nu nubar: the amplitude of K_l3 with a charged pion and massless leptons.

Daughters in the order pi+, nubar, nu; M = f+ (P+p)^a ubar(nu) gamma_a (1 - gamma5) v(nubar), f+(0) = 1.
"""

from math import isfinite, pi

import numpy as np
import pytest
from dirac import GAMMA5, IDENTITY, KAON, fractions, kallen, sandwich, slash, squared
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from three_bodies import momenta, point, s13, s23_limits, width

from kaongen.amplitudes import kl3
from kaongen.particles import M_K, M_PI

MASSES = (M_PI, 0.0, 0.0)
PDG = (0.0259, 0.00186, 0.0176)
"""lambda+', lambda+'' of K_e3 and lambda0 of K_mu3."""

slopes = st.tuples(st.floats(-0.1, 0.1), st.floats(-0.01, 0.01), st.floats(-0.1, 0.1))


def f_plus(t, lambda_plus, lambda_plus2, _=0.0):
    return 1 + lambda_plus * t / M_PI**2 + lambda_plus2 / 2 * (t / M_PI**2) ** 2


def from_diagram(s12, s23, *slope):
    _, pion, antineutrino, neutrino = momenta(s12, s23, M_K, MASSES)
    line = f_plus(s23, *slope) * slash(KAON + pion) @ (IDENTITY - GAMMA5)
    return squared(neutrino, antineutrino, 0.0, line)


@settings(max_examples=60, deadline=None)
@given(where=fractions(), slope=slopes)
def test_amplitude_agrees_with_trace(where, slope):
    """Whatever lambda0 is: a massless lepton line does not see the scalar form factor."""
    s12, s23 = point(M_K, MASSES, *where)
    expected = from_diagram(s12, s23, *slope)
    assert kl3.squared(s12, s23, M_PI, 0.0, *slope) == pytest.approx(expected, rel=1e-9, abs=0)
    assert kl3.squared(s12, s23, M_PI, 0.0, *slope[:2], 0.0) == pytest.approx(expected, rel=1e-9, abs=0)


@settings(max_examples=20, deadline=None)
@given(where=fractions())
def test_current_of_massless_neutrinos_is_conserved(where):
    _, pion, antineutrino, neutrino = momenta(*point(M_K, MASSES, *where), M_K, MASSES)
    along, across = (
        sandwich(neutrino, antineutrino, 0.0, slash(p) @ (IDENTITY - GAMMA5)) for p in (KAON - pion, KAON + pion)
    )
    assert abs(along).max() < 1e-13 * max(abs(across).max(), 0.01)


@settings(max_examples=30, deadline=None)
@given(where=fractions(), slope=slopes)
def test_symmetric_in_neutrino_and_antineutrino(where, slope):
    s12, s23 = point(M_K, MASSES, *where)
    other = s13(s12, s23, M_K, MASSES)
    expected = kl3.squared(other, s23, M_PI, 0.0, *slope)
    assert kl3.squared(s12, s23, M_PI, 0.0, *slope) == pytest.approx(expected, rel=1e-9, abs=0)


@settings(max_examples=30, deadline=None)
@given(where=fractions(0.05))
def test_massless_limit_is_smooth(where):
    """As m_l^2: what is left at the electron's mass is of relative order m_e^2/t."""
    s12, s23 = point(M_K, MASSES, *where)
    values = [kl3.squared(s12, s23, M_PI, m, *PDG) for m in (0.0, 1e-6, 5.11e-4)]
    assert values[1] == pytest.approx(values[0], rel=1e-8)
    assert values[2] == pytest.approx(values[0], rel=1e-3)


@settings(max_examples=80, deadline=None)
@given(across=st.floats(0, 1), along=st.floats(0, 1), slope=slopes)
def test_finite_and_never_negative(across, along, slope):
    """Edges included, also t = 0, where the neutrinos are collinear and f- has a removable singularity."""
    value = kl3.squared(*point(M_K, MASSES, across, along), M_PI, 0.0, *slope)
    assert isfinite(value)
    assert value >= -1e-13 * M_K**4


@settings(max_examples=20, deadline=None)
@given(fraction=st.floats(0.01, 0.99))
def test_spectrum_of_the_missing_mass(fraction):
    """dGamma/dt ~ lambda^{3/2} f+^2; the constant is that of the trace, 8/3 per unit of s12."""
    t = fraction * (M_K - M_PI) ** 2
    low, high = s23_limits(t, M_K, MASSES[::-1])
    area, _ = quad(lambda s12: kl3.squared(s12, t, M_PI, 0.0, *PDG), low, high, epsrel=1e-10)
    expected = 8 / 3 * kallen(M_K**2, M_PI**2, t) ** 1.5 * f_plus(t, *PDG[:2]) ** 2
    assert area == pytest.approx(expected, rel=1e-8)


def test_published_constant_kappa():
    """kappa_+ = 0.5173(25)e-10 (lambda/0.225)^8 of Mescia and Smith, Phys. Rev. D 76 (2007) 034017 (arXiv:0705.2025).

    Three flavours with G_F/sqrt2 alpha/(2 pi sin^2 theta_W) lambda^5 for constant; alpha(m_Z) = 1/127.9,
    sin^2 theta_W = 0.231 and |V_us f+(0)| = 0.2164. Their slopes and isospin breaking are worth less than 1%.
    """
    g_f, alpha, sin2, v_us_f, lam = 1.1663788e-5, 1 / 127.9, 0.231, 0.2164, 0.225
    constant = (g_f * alpha / (2 * pi * sin2) * v_us_f * lam**4) ** 2 / 2
    gamma = 3 * constant * width(lambda *s: kl3.squared(*s, M_PI, 0.0, *PDG), M_K, MASSES, epsrel=1e-6)
    gamma_k = 6.582119569e-25 / 1.238e-8
    assert gamma / gamma_k == pytest.approx(0.5173e-10, rel=0.01)


def test_fast_pions_are_rare():
    """P wave: nothing at the smallest momentum of the pion, t = (m_K - m_pi)^2; the most for t = 0."""
    end = (M_K - M_PI) ** 2
    spectrum = []
    for t in np.linspace(0.01, 0.999, 30) * end:
        low, high = s23_limits(t, M_K, MASSES[::-1])
        spectrum.append(quad(lambda s12, t=t: kl3.squared(s12, t, M_PI, 0.0, *PDG), low, high)[0])
    assert np.all(np.diff(spectrum) < 0)
    assert spectrum[-1] < 1e-3 * spectrum[0]
