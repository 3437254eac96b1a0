"""K+ -> pi+ l+ l- against traces, and against published rates for the form factors they were published with.

Daughters in the order l+, l-, pi+; M = (a + b z)(P + p)^mu ubar(l-) gamma_mu v(l+), z = s12/m_K^2.
"""

from math import isfinite, log, pi

import numpy as np
import pytest
from dirac import IDENTITY, KAON, bar, fractions, kallen, slash
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from three_bodies import integral, momenta, point, s13, s23_limits, width

from kaongen.amplitudes import pi_ll
from kaongen.particles import ALPHA_EM, M_E, M_K, M_MU, M_PI

G_F = 1.1663788e-5
GAMMA_K = 6.582119569e-25 / 1.238e-8
"""GeV, for PDG's mean life of 12.38 ns."""
R_PI = (M_PI / M_K) ** 2
A, B = -0.584, -0.700

coefficients = st.tuples(st.floats(-1, 1), st.floats(-2, 2))
leptons = st.one_of(st.sampled_from([M_E, M_MU]), st.floats(1e-3, 0.15))


def masses(m_l):
    return m_l, m_l, M_PI


def pair(plus, minus, m_l, line):
    """Sum over spins of |ubar(l-) line v(l+)|^2."""
    return np.trace((slash(minus) + m_l * IDENTITY) @ line @ (slash(plus) - m_l * IDENTITY) @ bar(line)).real


def from_diagram(s12, s23, m_l, a, b):
    _, plus, minus, pion = momenta(s12, s23, M_K, masses(m_l))
    return (a + b * s12 / M_K**2) ** 2 * pair(plus, minus, m_l, slash(KAON + pion))


@settings(max_examples=80, deadline=None)
@given(m_l=leptons, where=fractions(), values=coefficients)
def test_amplitude_agrees_with_traces(m_l, where, values):
    s12, s23 = point(M_K, masses(m_l), *where)
    expected = from_diagram(s12, s23, m_l, *values)
    assert pi_ll.squared(s12, s23, m_l, *values) == pytest.approx(expected, rel=1e-9, abs=1e-14)


@settings(max_examples=40, deadline=None)
@given(where=fractions())
def test_electrons_near_threshold_agree_with_traces(where):
    s12, s23 = point(M_K, masses(M_E), *where, logarithmic=True)
    expected = from_diagram(s12, s23, M_E, A, B)
    assert pi_ll.squared(s12, s23, M_E, A, B) == pytest.approx(expected, rel=1e-9, abs=0)


@settings(max_examples=20, deadline=None)
@given(m_l=leptons, where=fractions(), gauge=st.floats(-5, 5))
def test_current_of_the_leptons_is_conserved(m_l, where, gauge):
    """Adding a multiple of q = P - p to P + p changes nothing, so the gauge of the photon does not matter."""
    s12, s23 = point(M_K, masses(m_l), *where)
    _, plus, minus, pion = momenta(s12, s23, M_K, masses(m_l))
    shifted = pair(plus, minus, m_l, slash(KAON + pion + gauge * (KAON - pion)))
    assert pi_ll.squared(s12, s23, m_l, 1.0, 0.0) == pytest.approx(shifted, rel=1e-9, abs=0)


@settings(max_examples=30, deadline=None)
@given(m_l=leptons, where=fractions(), values=coefficients)
def test_symmetric_in_the_leptons(m_l, where, values):
    s12, s23 = point(M_K, masses(m_l), *where)
    other = s13(s12, s23, M_K, masses(m_l))
    expected = pi_ll.squared(s12, other, m_l, *values)
    assert pi_ll.squared(s12, s23, m_l, *values) == pytest.approx(expected, rel=1e-9, abs=1e-14)


@settings(max_examples=30, deadline=None)
@given(where=fractions(0.02))
def test_massless_limit(where):
    """2 [lambda(m_K^2, s12, m_pi^2) - (s13 - s23)^2]: sin^2 of the helicity angle."""
    m_l = 1e-6
    s12, s23 = point(M_K, masses(m_l), *where)
    difference = s13(s12, s23, M_K, masses(m_l)) - s23
    expected = 2 * (kallen(M_K**2, s12, M_PI**2) - difference**2)
    assert pi_ll.squared(s12, s23, m_l, 1.0, 0.0) == pytest.approx(expected, rel=1e-7)


@settings(max_examples=100, deadline=None)
@given(m_l=leptons, across=st.floats(0, 1), along=st.floats(0, 1), logarithmic=st.booleans())
def test_finite_and_never_negative(m_l, across, along, logarithmic):
    value = pi_ll.squared(*point(M_K, masses(m_l), across, along, logarithmic), m_l, A, B)
    assert isfinite(value)
    assert value >= -1e-14


@settings(max_examples=30, deadline=None)
@given(m_l=leptons, fraction=st.floats(0.01, 0.99))
def test_spectrum_is_the_published_one(m_l, fraction):
    """At fixed z the integral over s23 is 4/3 lambda^{3/2} sqrt(1 - 4 r/z) (1 + 2 r/z) (a + b z)^2, r = m_l^2/m_K^2."""
    s12 = 4 * m_l**2 + fraction * ((M_K - M_PI) ** 2 - 4 * m_l**2)
    area, _ = quad(
        lambda s23: pi_ll.squared(s12, s23, m_l, A, B), *s23_limits(s12, M_K, masses(m_l)), epsrel=1e-10, epsabs=0
    )
    z, r = s12 / M_K**2, (m_l / M_K) ** 2
    phase_space = kallen(M_K**2, s12, M_PI**2) ** 1.5 * np.sqrt(1 - 4 * r / z) * (1 + 2 * r / z)
    assert area == pytest.approx(4 / 3 * phase_space * (A + B * z) ** 2, rel=1e-8)


def rate(m_l, form_factor, coulomb=False):
    """Gamma in GeV for any W(z), equation (2.4) of D'Ambrosio, Ecker, Isidori and Portoles, JHEP 08 (1998) 004.

    With the attraction of l+ and l- (Sommerfeld) if wanted; that of the pion for one is its repulsion of the other.
    """
    r = (m_l / M_K) ** 2

    def integrand(u):
        z = np.exp(u)
        beta = np.sqrt(max(1 - 4 * r / z, 0.0))
        value = kallen(1.0, z, R_PI) ** 1.5 * beta * (1 + 2 * r / z) * abs(form_factor(z)) ** 2 * z
        if coulomb and beta > 0:
            attraction = 2 * pi * ALPHA_EM / np.sqrt(1 - 4 * r * r / (z - 2 * r) ** 2)
            value *= attraction / (1 - np.exp(-attraction))
        return value

    area, _ = quad(integrand, log(4 * r), log((1 - M_PI / M_K) ** 2), epsrel=1e-9, limit=200)
    return ALPHA_EM**2 * M_K / (12 * pi * (4 * pi) ** 4) * area


def linear(a, b):
    return lambda z: G_F * M_K**2 * (a + b * z)


def with_pion_loop(a, b):
    """W of the same paper: the linear part and K -> 3 pi -> pi gamma*, alpha_+ = -20.84e-8 and beta_+ = -2.88e-8."""

    def loop(z):
        x = z / R_PI
        if x <= 4:
            g = np.sqrt(4 / x - 1) * np.arcsin(np.sqrt(x) / 2)
        else:
            beta = np.sqrt(1 - 4 / x)
            g = -beta / 2 * (log((1 - beta) / (1 + beta)) + 1j * pi)
        chi = 4 / 9 - 4 / (3 * x) - (1 - 4 / x) * g / 3
        slope = -20.84e-8 - 2.88e-8 * (z - 1 / 3 - R_PI) / R_PI
        return slope / R_PI * (1 + z / 2.5) * chi

    return lambda z: linear(a, b)(z) + loop(z)


@pytest.mark.parametrize("m_l", [M_E, M_MU])
@pytest.mark.parametrize(("a", "b"), [(A, B), (0.531, 1.232), (1.0, 0.0)])
def test_width_is_the_published_integral(m_l, a, b):
    assert pi_ll.width(m_l, a, b) == pytest.approx(rate(m_l, linear(a, b)), rel=1e-6)


@pytest.mark.parametrize("m_l", [M_E, M_MU])
def test_width_is_the_integral_of_the_amplitude(m_l):
    """One photon, e^2/(4 pi)^2 G_F (a + b z) for constant."""
    constant = (ALPHA_EM / (4 * pi) * G_F) ** 2
    area = width(lambda *s: pi_ll.squared(*s, m_l, A, B), M_K, masses(m_l), logarithmic=True, epsrel=1e-7)
    assert pi_ll.width(m_l, A, B) == pytest.approx(constant * area, rel=1e-5)


def test_measured_rates_of_electrons():
    """NA48/2, Phys. Lett. B 677 (2009) 246: f0 = 0.531, delta = 2.32, BR = (3.11 +- 0.12)e-7; PDG (3.00 +- 0.09)e-7.

    The published slopes are for a rate with the Coulomb attraction of the pair, 2.3%, which the width leaves out.
    """
    value = pi_ll.width(M_E, 0.531, 0.531 * 2.32) / GAMMA_K
    assert value == pytest.approx(3.00e-7, abs=0.09e-7)
    attraction = rate(M_E, linear(1, 2.32), coulomb=True) / rate(M_E, linear(1, 2.32))
    assert attraction == pytest.approx(1 + pi * ALPHA_EM, rel=1e-3)
    assert value * attraction == pytest.approx(3.11e-7, abs=0.12e-7)


def test_measured_rates_of_muons():
    """NA48/2, Phys. Lett. B 697 (2011) 107: f0 = 0.470, delta = 3.11 with BR = (9.62 +- 0.25)e-8, Coulomb included."""
    attraction = rate(M_MU, linear(1, 3.11), coulomb=True) / rate(M_MU, linear(1, 3.11))
    value = pi_ll.width(M_MU, 0.470, 0.470 * 3.11) / GAMMA_K
    assert 1.02 < attraction < 1.04
    assert value * attraction == pytest.approx(9.62e-8, rel=0.01)


def test_the_pion_loop_is_what_a_linear_form_factor_leaves_out():
    """a and b of the fits with the loop must not be used without it: 8% of the electrons' rate, 20% of the muons'.

    NA62, JHEP 11 (2022) 011: a = -0.575, b = -0.722 with BR(pi mu mu) = (9.15 +- 0.08)e-8;
    PDG: (3.00 +- 0.09)e-7 for electrons.
    """
    with_loop = rate(M_MU, with_pion_loop(-0.575, -0.722), coulomb=True) / GAMMA_K
    assert with_loop == pytest.approx(9.15e-8, abs=0.08e-8)
    assert rate(M_E, with_pion_loop(A, B)) / GAMMA_K == pytest.approx(3.00e-7, abs=0.09e-7)
    for m_l, missing in ((M_E, 0.088), (M_MU, 0.190)):
        lost = 1 - pi_ll.width(m_l, A, B) / rate(m_l, with_pion_loop(A, B))
        assert lost == pytest.approx(missing, abs=0.005)


def test_muons_over_electrons():
    """Lepton universality: one linear form factor between the two fits gives the measured ratio, 0.306 +- 0.010 (PDG).

    A constant one does not: the slope is what tells this amplitude from phase space.
    """
    measured, error = 9.17 / 30.0, 0.010
    slopes = {delta: pi_ll.width(M_MU, 1.0, delta) / pi_ll.width(M_E, 1.0, delta) for delta in (0.0, 2.32, 3.11)}
    assert slopes[0.0] < measured - 5 * error
    assert slopes[2.32] - error < measured < slopes[3.11] + error


def test_integral_of_electrons_does_not_depend_on_the_variable():
    """The amplitude has no photon pole: linear and logarithmic integration in s12 agree."""
    one, other = (
        integral(lambda *s: pi_ll.squared(*s, M_E, A, B), M_K, masses(M_E), logarithmic=logarithmic, epsrel=1e-6)
        for logarithmic in (False, True)
    )
    assert one == pytest.approx(other, rel=1e-4)
