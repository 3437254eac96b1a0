"""K+ -> pi0 l+ nu against explicit traces, and against the measured ratio of the two widths.

Daughters in the order pi0, l+, nu; M = [f+ (P+p) + f- (P-p)]^a ubar(nu) gamma_a (1 - gamma5) v(l), f+(0) = 1.
"""

import numpy as np
import pytest
from dirac import GAMMA5, IDENTITY, KAON, fractions, invariants, momenta, s12_limits, s23_limits, slash, squared
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad, quad

from kaongen.amplitudes import kl3
from kaongen.particles import M_E, M_K, M_MU, M_PI, M_PI0

PDG = (0.0259, 0.00186, 0.0176)
"""lambda+', lambda+'' of K_e3 and lambda0 of K_mu3."""

slopes = st.tuples(st.floats(-0.1, 0.1), st.floats(-0.01, 0.01), st.floats(-0.1, 0.1))
leptons = st.sampled_from([M_E, M_MU])


def form_factors(t, m_pi, lambda_plus, lambda_plus2, lambda_zero):
    t_pi = t / M_PI**2
    f_plus = 1 + lambda_plus * t_pi + lambda_plus2 / 2 * t_pi**2
    f_zero = 1 + lambda_zero * t_pi
    return f_plus, (f_zero - f_plus) * (M_K**2 - m_pi**2) / t


def from_diagram(s12, s23, m_pi, m_l, *slope):
    pion, lepton, nu = momenta(s12, s23, (m_pi, m_l, 0.0))
    f_plus, f_minus = form_factors(s23, m_pi, *slope)
    current = f_plus * (KAON + pion) + f_minus * (KAON - pion)
    return squared(nu, lepton, m_l, slash(current) @ (IDENTITY - GAMMA5))


def width(amplitude, masses):
    """Gamma(K -> 123) in GeV for a squared amplitude, by nested quadrature."""
    low, high = s12_limits(masses)
    area, _ = dblquad(
        lambda s23, s12: amplitude(s12, s23),
        low,
        high,
        lambda s12: s23_limits(s12, masses)[0],
        lambda s12: s23_limits(s12, masses)[1],
        epsrel=1e-5,
    )
    return area / (256 * np.pi**3 * M_K**3)


@settings(max_examples=60, deadline=None)
@given(m_l=leptons, where=fractions(), slope=slopes)
def test_amplitude_agrees_with_trace(m_l, where, slope):
    point = invariants((M_PI0, m_l, 0.0), *where)
    assert kl3.squared(*point, M_PI0, m_l, *slope) == pytest.approx(
        from_diagram(*point, M_PI0, m_l, *slope), rel=1e-9, abs=0
    )


@settings(max_examples=20, deadline=None)
@given(m_pi=st.floats(0.0, 0.25), m_l=st.floats(0.001, 0.2), where=fractions(), slope=slopes)
def test_amplitude_agrees_with_trace_for_any_masses(m_pi, m_l, where, slope):
    """The slopes stay those in units of the charged pion mass, whatever pion comes out."""
    point = invariants((m_pi, m_l, 0.0), *where)
    assert kl3.squared(*point, m_pi, m_l, *slope) == pytest.approx(
        from_diagram(*point, m_pi, m_l, *slope), rel=1e-8, abs=0
    )


@pytest.mark.parametrize("m_l", [M_E, M_MU])
def test_width_is_the_textbook_integral_over_t(m_l):
    """Over the lepton angle, dGamma/dt = G_F^2 |V|^2/(24 pi^3) (1 - e)^2 [p^3 (1 + e/2) f+^2 + p (D/m_K)^2 3e/8 f0^2].

    Here e = m_l^2/t, D = m_K^2 - m_pi^2, p is the pion momentum in the kaon frame, and G_F |V|/sqrt2 is put to one.
    """

    def spectrum(t):
        f_plus, f_minus = form_factors(t, M_PI0, *PDG)
        delta = M_K**2 - M_PI0**2
        f_zero = f_plus + f_minus * t / delta
        p = np.sqrt(M_K**4 + M_PI0**4 + t * t - 2 * (M_K**2 * M_PI0**2 + t * (M_K**2 + M_PI0**2))) / (2 * M_K)
        epsilon = m_l**2 / t
        transverse = p**3 * (1 + epsilon / 2) * f_plus**2
        scalar = p * 3 * epsilon / 8 * (delta / M_K) ** 2 * f_zero**2
        return (1 - epsilon) ** 2 * (transverse + scalar) / (12 * np.pi**3)

    # dt = t d(log t): the electron's threshold is six decades below the end.
    expected, _ = quad(
        lambda u: np.exp(u) * spectrum(np.exp(u)), np.log(m_l**2), np.log((M_K - M_PI0) ** 2), epsrel=1e-8, limit=200
    )
    masses = (M_PI0, m_l, 0.0)
    assert width(lambda s12, s23: kl3.squared(s12, s23, M_PI0, m_l, *PDG), masses) == pytest.approx(expected, rel=1e-4)


def test_measured_ratio_of_widths():
    """PDG: BR(K_mu3)/BR(K_e3) = 3.352(34)%/5.07(4)%."""
    gamma = [width(lambda s12, s23, m=m: kl3.squared(s12, s23, M_PI0, m, *PDG), (M_PI0, m, 0.0)) for m in (M_MU, M_E)]
    assert gamma[0] / gamma[1] == pytest.approx(3.352 / 5.07, rel=0.013)


def test_width_gives_v_us():
    """With G_F^2 |V_us f+(0)|^2/4, S_EW and the isospin correction of K+ -> pi0, the width is the measured one."""
    g_f, v_us, f_zero, s_ew, delta_su2 = 1.1663788e-5, 0.2243, 0.9698, 1.0232, 0.0252
    # <pi0|V|K+> = f+/sqrt2; the weak vertex is G_F/sqrt2 V_us.
    constant = (g_f * v_us * f_zero / 2) ** 2 * s_ew * (1 + delta_su2) ** 2
    gamma = width(lambda s12, s23: kl3.squared(s12, s23, M_PI0, M_E, *PDG), (M_PI0, M_E, 0.0))
    gamma_k = 6.582119569e-25 / 1.238e-8
    assert constant * gamma / gamma_k == pytest.approx(0.0507, rel=0.02)
