"""K+ -> l+ nu gamma against the explicit matrix element, and against measured branching fractions.

Daughters in the order l+, nu, gamma. Bremsstrahlung comes from the three diagrams of scalar electrodynamics with a
derivative weak vertex (lepton, kaon, contact); the structure-dependent part from the general hadronic tensor with
q^2 = 0 (Bijnens, Ecker and Gasser, Nucl. Phys. B 396 (1993) 81, hep-ph/9209261),

    T = F_K L^mu - H^{mu nu} l_nu,  H^{mu nu} = i V1 eps^{mu nu a b} q_a P_b - A1 (q.W g^{mu nu} - W^mu q^nu),

where V1 = -f_v/(sqrt2 m_K), A1 = -f_a/(sqrt2 m_K) and F_K = f_K/sqrt2.
"""

from math import exp, inf, isfinite, log, pi

import numpy as np
import pytest
from dirac import (
    IDENTITY,
    KAON,
    LEFT,
    METRIC,
    RIGHT,
    dot,
    fractions,
    helicity_vectors,
    levi_civita,
    lower,
    propagator,
    sandwich,
    slash,
    squared,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad
from three_bodies import momenta, point, s12_limits, s23_limits

from kaongen.amplitudes import lnu_gamma
from kaongen.particles import ALPHA_EM, BR_K_MUNU, M_E, M_K, M_MU

RATIO = M_K / lnu_gamma.F_K
EPSILON = -levi_civita()
"""eps_{0123} = +1: the sign that makes V1 = A1 emit photons of helicity +1 only."""

KLOE = (0.0885, 0.38, 0.0365)
"""f_v, its slope, f_a (arXiv:0907.3594)."""

form_factors = st.floats(-0.3, 0.3)
slopes = st.floats(-1, 1)
leptons = st.one_of(st.sampled_from([M_MU, M_E]), st.floats(log(1e-3), log(0.3)).map(exp))


def masses(m_l):
    return m_l, 0.0, 0.0


def plot_point(m_l, where):
    return point(M_K, masses(m_l), *where)


def bremsstrahlung_diagrams(e, lepton, photon, m_l):
    """Lepton, kaon and contact diagram, in units of e lambda; each sign follows from gauge invariance."""
    weak = slash(KAON) @ LEFT
    from_lepton = -weak @ propagator(-(lepton + photon), m_l) @ slash(e)
    from_kaon = -dot(KAON, e) / dot(KAON, photon) * slash(KAON - photon) @ LEFT
    contact = -slash(e) @ LEFT
    return (from_lepton + from_kaon + contact) / m_l


def bremsstrahlung(e, lepton, photon):
    """What they add up to between spinors: a chirality flip throughout, and nothing that cancels for light leptons."""
    eikonal = dot(KAON, e) / dot(KAON, photon) - dot(lepton, e) / dot(lepton, photon)
    magnetic = slash(photon) @ slash(e) / (2 * dot(lepton, photon))
    return RIGHT @ (eikonal * IDENTITY - magnetic)


def structure(e, photon, m_l, f_v, f_a):
    """-H^{mu nu} e_mu gamma_nu P_L / F_K, in units of e lambda."""
    w = KAON - photon
    vector = 1j * f_v * np.einsum("mnab,a,b->mn", EPSILON, lower(photon), lower(KAON))
    axial = -f_a * (dot(photon, w) * METRIC - np.outer(w, photon))
    current = (lower(e) @ (vector + axial)) / (M_K * lnu_gamma.F_K)
    return slash(current) @ LEFT / m_l


def by_helicity(s12, s23, m_l, f_v, f_v_slope, f_a, emission=bremsstrahlung):
    """Sum over the spins of the leptons, for photon helicity +1 and -1."""
    _, lepton, nu, photon = momenta(s12, s23, M_K, masses(m_l))
    f_v_here = f_v * (1 + f_v_slope * (1 - 2 * photon[0] / M_K))
    sums = []
    for e in helicity_vectors(photon):
        line = structure(e.conj(), photon, m_l, f_v_here, f_a)
        if emission:
            line = line + emission(e.conj(), lepton, photon)
        sums.append(squared(nu, lepton, m_l, line))
    return np.array(sums)


def from_diagrams(s12, s23, m_l, f_v, f_v_slope, f_a):
    return by_helicity(s12, s23, m_l, f_v, f_v_slope, f_a).sum()


def energies(s12, s23, m_l):
    """x = 2 E_gamma/m_K, y = 2 E_l/m_K."""
    return 1 - s12 / M_K**2, 1 + (m_l / M_K) ** 2 - s23 / M_K**2


def densities(x, y, m_l):
    """The standard Dalitz densities (e.g. hep-ph/9209261, PDG note on radiative K_l2)."""
    r = (m_l / M_K) ** 2
    a, b = 1 - y + r, x + y - 1 - r
    return {
        "IB": a / (x * x * b) * (x * x + 2 * (1 - x) * (1 - r) - 2 * x * r * (1 - r) / b),
        "SD+": b * ((x + y - 1) * (1 - x) - r),
        "SD-": a * ((1 - x) * (1 - y) + r),
        "INT+": a / (x * b) * ((1 - x) * (1 - x - y) + r),
        "INT-": a / (x * b) * (x * x - (1 - x) * (1 - x - y) - r),
    }


def from_densities(s12, s23, m_l, f_v, f_v_slope, f_a):
    x, y = energies(s12, s23, m_l)
    f = densities(x, y, m_l)
    v = f_v * (1 + f_v_slope * (1 - x))
    plus, minus = v + f_a, v - f_a
    sd = RATIO**2 / (4 * (m_l / M_K) ** 2) * (plus**2 * f["SD+"] + minus**2 * f["SD-"])
    interference = -RATIO * (plus * f["INT+"] + minus * f["INT-"])
    return 2 * (f["IB"] + sd + interference)


def over_two_body(amplitude, m_l, s12_range=None, s23_range=(0.0, inf)):
    """Gamma(l nu gamma)/Gamma(l nu) by quadrature in (log(m_K^2 - s12), s23); amplitude in units of e^2 lambda_l^2."""
    low, high = s12_range or s12_limits(M_K, masses(m_l))

    def limits(u):
        return np.clip(s23_limits(M_K**2 - np.exp(u), M_K, masses(m_l)), *s23_range)

    def integrand(s23, u):
        return amplitude(M_K**2 - np.exp(u), s23) * np.exp(u)

    area, _ = dblquad(
        integrand,
        np.log(M_K**2 - high),
        np.log(M_K**2 - low),
        lambda u: limits(u)[0],
        lambda u: limits(u)[1],
        epsrel=1e-5,
        epsabs=1e-9,
    )
    gamma_3 = 4 * pi * ALPHA_EM * area / (256 * pi**3 * M_K**3)
    gamma_2 = M_K * (1 - (m_l / M_K) ** 2) ** 2 / (16 * pi)
    return gamma_3 / gamma_2


def branching_fraction(amplitude, **ranges):
    """BR(K -> mu nu gamma)."""
    return BR_K_MUNU.value * over_two_body(amplitude, M_MU, **ranges)


@settings(max_examples=100, deadline=None)
@given(m_l=leptons, where=fractions(), f_v=form_factors, f_v_slope=slopes, f_a=form_factors)
def test_amplitude_agrees_with_diagrams(m_l, where, f_v, f_v_slope, f_a):
    s12, s23 = plot_point(m_l, where)
    values = m_l, f_v, f_v_slope, f_a
    assert lnu_gamma.squared(s12, s23, *values) == pytest.approx(from_diagrams(s12, s23, *values), rel=1e-9, abs=0)


@settings(max_examples=40, deadline=None)
@given(where=fractions(), m_l=st.floats(0.05, 0.3), f_v=form_factors, f_a=form_factors)
def test_amplitude_agrees_with_the_three_diagrams_as_they_are(where, m_l, f_v, f_a):
    """With lepton, kaon and contact emission uncombined; for heavy leptons, for which their sum keeps its digits."""
    s12, s23 = plot_point(m_l, where)

    def diagrams(e, lepton, photon):
        return bremsstrahlung_diagrams(e, lepton, photon, m_l)

    expected = by_helicity(s12, s23, m_l, f_v, 0.0, f_a, diagrams).sum()
    assert lnu_gamma.squared(s12, s23, m_l, f_v, 0.0, f_a) == pytest.approx(expected, rel=1e-8, abs=0)


@settings(max_examples=30, deadline=None)
@given(m_l=leptons, where=fractions())
def test_bremsstrahlung_agrees_with_diagrams(m_l, where):
    s12, s23 = plot_point(m_l, where)
    expected = from_diagrams(s12, s23, m_l, 0.0, 0.0, 0.0)
    assert lnu_gamma.squared(s12, s23, m_l, 0.0, 0.0, 0.0) == pytest.approx(expected, rel=1e-9, abs=0)


@settings(max_examples=30, deadline=None)
@given(m_l=leptons, where=fractions(), f_v=form_factors, f_v_slope=slopes, f_a=form_factors)
def test_published_densities_agree_with_diagrams(m_l, where, f_v, f_v_slope, f_a):
    s12, s23 = plot_point(m_l, where)
    values = m_l, f_v, f_v_slope, f_a
    assert from_densities(s12, s23, *values) == pytest.approx(from_diagrams(s12, s23, *values), rel=1e-8, abs=0)


@settings(max_examples=30, deadline=None)
@given(m_l=leptons, where=fractions(), f_v=form_factors, f_a=form_factors)
def test_each_term_of_the_amplitude(m_l, where, f_v, f_a):
    """The even and odd parts in the form factors separate bremsstrahlung, interference and structure."""
    s12, s23 = plot_point(m_l, where)
    f = densities(*energies(s12, s23, m_l), m_l)
    plus, minus = f_v + f_a, f_v - f_a
    none = lnu_gamma.squared(s12, s23, m_l, 0.0, 0.0, 0.0)
    one, other = (lnu_gamma.squared(s12, s23, m_l, sign * f_v, 0.0, sign * f_a) for sign in (1, -1))
    scale = abs(one) + abs(other) + none
    assert none == pytest.approx(2 * f["IB"], rel=1e-10)
    assert (one - other) / 2 == pytest.approx(
        -2 * RATIO * (plus * f["INT+"] + minus * f["INT-"]), rel=1e-9, abs=1e-12 * scale
    )
    assert (one + other) / 2 - none == pytest.approx(
        RATIO**2 / (2 * (m_l / M_K) ** 2) * (plus**2 * f["SD+"] + minus**2 * f["SD-"]), rel=1e-9, abs=1e-12 * scale
    )


@settings(max_examples=30, deadline=None)
@given(m_l=leptons, where=fractions(), f_v=form_factors, f_v_slope=slopes, f_a=form_factors)
def test_slope_of_the_vector_form_factor(m_l, where, f_v, f_v_slope, f_a):
    """f_v (1 + slope (1 - x)): the plain form factor at the largest photon energy, x = 1."""
    s12, s23 = plot_point(m_l, where)
    x = energies(s12, s23, m_l)[0]
    expected = lnu_gamma.squared(s12, s23, m_l, f_v * (1 + f_v_slope * (1 - x)), 0.0, f_a)
    assert lnu_gamma.squared(s12, s23, m_l, f_v, f_v_slope, f_a) == pytest.approx(expected, rel=1e-11, abs=0)


@settings(max_examples=20, deadline=None)
@given(m_l=leptons, where=fractions(), f_v=form_factors, f_a=form_factors)
def test_matrix_element_is_gauge_invariant(m_l, where, f_v, f_a):
    _, lepton, nu, photon = momenta(*plot_point(m_l, where), M_K, masses(m_l))
    line = bremsstrahlung_diagrams(photon, lepton, photon, m_l) + structure(photon, photon, m_l, f_v, f_a)
    # What is left of each diagram by itself, before anything cancels.
    one = slash(KAON) @ LEFT @ propagator(-(lepton + photon), m_l) @ slash(photon) / m_l
    size = abs(slash(nu)).max() * abs(one).max() * abs(slash(lepton) - m_l * IDENTITY).max()
    assert abs(sandwich(nu, lepton, m_l, line)).max() < 1e-12 * size
    assert abs(bremsstrahlung(photon, lepton, photon)).max() < 1e-12


@settings(max_examples=40, deadline=None)
@given(m_l=leptons, where=fractions())
def test_bremsstrahlung_is_the_known_gauge_invariant_form(m_l, where):
    """The three diagrams add up to P_R (P.e/P.l - k.e/k.l - lslash eslash/(2 k.l)), a chirality flip throughout."""
    _, lepton, nu, photon = momenta(*plot_point(m_l, where), M_K, masses(m_l))
    for e in helicity_vectors(photon):
        expected = sandwich(nu, lepton, m_l, bremsstrahlung(e, lepton, photon))
        diagrams = sandwich(nu, lepton, m_l, bremsstrahlung_diagrams(e, lepton, photon, m_l))
        contact = sandwich(nu, lepton, m_l, slash(e) @ LEFT / m_l)
        tolerance = 1e-11 * (abs(expected).max() + abs(contact).max())
        assert np.allclose(diagrams, expected, rtol=0, atol=tolerance)


@settings(max_examples=20, deadline=None)
@given(m_l=leptons, where=fractions(), f=st.floats(0.01, 0.3))
def test_structure_terms_have_definite_photon_helicity(m_l, where, f):
    """V = A emits photons of helicity +1 only (SD+), V = -A those of helicity -1 only (SD-)."""
    s12, s23 = plot_point(m_l, where)
    here = densities(*energies(s12, s23, m_l), m_l)
    constant = RATIO**2 / (2 * (m_l / M_K) ** 2) * 4 * f * f
    right, left = by_helicity(s12, s23, m_l, f, 0.0, f, emission=None)
    assert left < 1e-12 * right
    assert right == pytest.approx(constant * here["SD+"], rel=1e-8, abs=0)
    right, left = by_helicity(s12, s23, m_l, f, 0.0, -f, emission=None)
    assert right < 1e-12 * left
    assert left == pytest.approx(constant * here["SD-"], rel=1e-8, abs=0)


@settings(max_examples=20, deadline=None)
@given(where=fractions(), m_l=st.floats(0.05, 0.3))
def test_soft_photons_factorise(where, m_l):
    """|M|^2 -> |M(l nu)|^2 times -(k/k.l - P/P.l)^2 as the photon energy goes to zero."""
    x = 1e-5
    s12 = M_K**2 * (1 - x)
    low, high = s23_limits(s12, M_K, masses(m_l))
    s23 = low + where[0] * (high - low)
    _, lepton, _, photon = momenta(s12, s23, M_K, masses(m_l))
    current = lepton / dot(lepton, photon) - KAON / dot(KAON, photon)
    expected = (M_K**2 - m_l**2) * -dot(current, current)
    assert lnu_gamma.squared(s12, s23, m_l, 0.0945, 0.38, 0.0425) == pytest.approx(expected, rel=3e-3)


@settings(max_examples=30, deadline=None)
@given(x=st.floats(0.1, 0.9), along=st.floats(0.05, 0.95))
def test_massless_limit_of_structure_radiation(x, along):
    """m_l^2 |M|^2 stays finite: structure-dependent radiation is not helicity-suppressed, bremsstrahlung is."""
    m_l = 1e-8
    y = 1 - x + along * x
    value = m_l**2 * lnu_gamma.squared(M_K**2 * (1 - x), M_K**2 * (1 - y), m_l, 0.1, 0.0, 0.04)
    sd_plus, sd_minus = (1 - x) * (x + y - 1) ** 2, (1 - x) * (1 - y) ** 2
    expected = M_K**4 / lnu_gamma.F_K**2 / 2 * (0.14**2 * sd_plus + 0.06**2 * sd_minus)
    assert value == pytest.approx(expected, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(m_l=leptons, where=fractions(), f_v=form_factors, f_v_slope=slopes, f_a=form_factors)
def test_never_negative(m_l, where, f_v, f_v_slope, f_a):
    assert lnu_gamma.squared(*plot_point(m_l, where), m_l, f_v, f_v_slope, f_a) > 0


@settings(max_examples=100, deadline=None)
@given(
    m_l=st.sampled_from([M_E, M_MU]), across=st.floats(0, 1), along=st.floats(0, 1), f_v=form_factors, f_a=form_factors
)
def test_finite_on_the_whole_plot(m_l, across, along, f_v, f_a):
    """Edges included, for photons above 1 MeV; where the exact value is nought rounding may leave a trace."""
    low, high = m_l**2, M_K**2 - 2 * M_K * 1e-3
    s12, s23 = point(M_K, masses(m_l), across * (high - low) / (M_K**2 - low), along)
    value = lnu_gamma.squared(s12, s23, m_l, f_v, 0.38, f_a)
    assert isfinite(value)
    # In units of the soft factor at this photon energy.
    assert value >= -1e-9 * (M_K**2 / (M_K**2 - s12)) ** 2 * (M_K / m_l) ** 2


def test_interference_with_sd_minus_is_destructive():
    """F_V - F_A = +0.134 suppresses hard photons: ISTRA+ (arXiv:1001.0374), OKA (Eur. Phys. J. C 79 (2019) 635)."""
    x, y = 0.5, 0.8
    s12, s23 = M_K**2 * (1 - x), M_K**2 * (1 + (M_MU / M_K) ** 2 - y)
    none = lnu_gamma.squared(s12, s23, M_MU, 0.0, 0.0, 0.0)
    assert lnu_gamma.squared(s12, s23, M_MU, 0.067, 0.0, -0.067) < none
    assert lnu_gamma.squared(s12, s23, M_MU, -0.067, 0.0, 0.067) > none


def test_decay_constant():
    """f_K of Gamma = G_F^2 |V_us|^2 f_K^2 m_K m_mu^2 (1 - r)^2/(8 pi): 155.7 MeV (FLAG, PDG)."""
    assert pytest.approx(0.1557, abs=0.0008) == lnu_gamma.F_K
    f = 0.0932
    assert np.sqrt(2) * M_K / (8 * pi**2 * f) == pytest.approx(0.0945, rel=0.01)
    assert np.sqrt(2) * M_K * 4 * (6.9e-3 - 5.5e-3) / f == pytest.approx(0.0425, rel=0.02)


@pytest.mark.parametrize("m_l", [M_E, M_MU])
def test_integral_of_sd_plus(m_l):
    """f_SD+ integrates over the Dalitz plot in closed form."""

    def sd_plus(s12, s23):
        parts = (lnu_gamma.squared(s12, s23, m_l, f, 0.0, f) for f in (0.0825, -0.0825))
        return sum(parts) / 2 - lnu_gamma.squared(s12, s23, m_l, 0.0, 0.0, 0.0)

    value = over_two_body(sd_plus, m_l, s12_range=(m_l**2, M_K**2 * (1 - 1e-4)))
    r = (m_l / M_K) ** 2
    c = 1 - r
    tail = 1.5 + 1 / r + 3 * np.log(r) - 3 * r + r**2 / 2
    integral = c**4 / 12 - c**5 / 15 - r * c**4 / 8 + r**3 / 6 * tail
    constant = ALPHA_EM / (8 * pi) / (r * c**2) * RATIO**2
    assert value == pytest.approx(constant * 0.165**2 * integral, rel=1e-5)


def test_measured_branching_fraction_of_sd_plus():
    """PDG: (1.33 +- 0.22)e-5 at F_V + F_A = 0.165 +- 0.013 (E787, Phys. Rev. Lett. 85 (2000) 2256)."""

    def sd_plus(s12, s23):
        parts = (lnu_gamma.squared(s12, s23, M_MU, f, 0.0, f) for f in (0.0825, -0.0825))
        return sum(parts) / 2 - lnu_gamma.squared(s12, s23, M_MU, 0.0, 0.0, 0.0)

    value = branching_fraction(sd_plus, s12_range=(M_MU**2, M_K**2 * (1 - 1e-4)))
    assert value == pytest.approx(1.33e-5, abs=0.22e-5)


def test_measured_branching_fraction_of_radiative_decays():
    """PDG: (6.2 +- 0.8)e-3 for muon momenta below 231.5 MeV."""
    r = (M_MU / M_K) ** 2
    y_max = 2 * np.hypot(0.2315, M_MU) / M_K
    # y >= 1 - x + r/(1 - x) leaves room below y_max only for photon energies between the two roots.
    root = np.sqrt(y_max**2 - 4 * r)
    x_min, x_max = 1 - (y_max + root) / 2, 1 - (y_max - root) / 2
    value = branching_fraction(
        lambda s12, s23: lnu_gamma.squared(s12, s23, M_MU, 0.0945, 0.0, 0.0425),
        s12_range=(M_K**2 * (1 - x_max), M_K**2 * (1 - x_min)),
        s23_range=(M_K**2 * (1 + r - y_max), M_K**2),
    )
    assert value == pytest.approx(6.2e-3, abs=0.8e-3)


@pytest.mark.parametrize("e_gamma", [0.01, 0.02])
def test_bremsstrahlung_above_a_photon_energy(e_gamma):
    """One quadrature over kaongen's amplitude, one over the published density in (x, y)."""
    r = (M_MU / M_K) ** 2
    value = branching_fraction(
        lambda s12, s23: lnu_gamma.squared(s12, s23, M_MU, 0.0, 0.0, 0.0),
        s12_range=(M_MU**2, M_K * (M_K - 2 * e_gamma)),
    )

    def y_limits(x):
        return 1 - x + r / (1 - x), 1 + r

    area, _ = dblquad(
        lambda y, x: densities(x, y, M_MU)["IB"],
        2 * e_gamma / M_K,
        1 - r,
        lambda x: y_limits(x)[0],
        lambda x: y_limits(x)[1],
    )
    assert value == pytest.approx(BR_K_MUNU.value * ALPHA_EM / (2 * pi) / (1 - r) ** 2 * area, rel=1e-4)


def electrons(squared_amplitude, e_gamma=0.01, p_e=0.2):
    """Gamma(K -> e nu gamma; E_gamma and p_e above) / Gamma(K -> e nu)."""
    y_min = 2 * np.hypot(p_e, M_E) / M_K
    return over_two_body(
        squared_amplitude,
        M_E,
        s12_range=(M_E**2, M_K * (M_K - 2 * e_gamma)),
        s23_range=(0.0, M_K**2 * (1 + (M_E / M_K) ** 2 - y_min)),
    )


def test_measured_rate_of_electrons():
    """KLOE, Eur. Phys. J. C 64 (2009) 627 (arXiv:0907.3594), photons above 10 MeV and electrons above 200 MeV/c:

    Gamma(e nu gamma)/Gamma(mu nu) = (1.483 +- 0.066 +- 0.013)e-5 for the structure-dependent part, fitted with
    F_V = 0.0885 [1 + 0.38(1 - x)] and F_A = 0.0365; O(p^4) is quoted as 1.447e-5 there. PDG 2026, which has J-PARC E36
    besides: BR = (1.03 +- 0.14)e-5.
    """
    r_e, r_mu = ((m / M_K) ** 2 for m in (M_E, M_MU))
    to_muons = r_e / r_mu * ((1 - r_e) / (1 - r_mu)) ** 2

    def structure_dependent(f_v, f_v_slope, f_a):
        return to_muons * electrons(
            lambda *s: lnu_gamma.squared(*s, M_E, f_v, f_v_slope, f_a) - lnu_gamma.squared(*s, M_E, 0.0, 0.0, 0.0)
        )

    kloe = structure_dependent(*KLOE)
    assert kloe == pytest.approx(1.483e-5, abs=0.067e-5)
    assert kloe * BR_K_MUNU.value == pytest.approx(1.03e-5, abs=0.14e-5)
    assert structure_dependent(0.0945, 0.0, 0.0425) == pytest.approx(1.447e-5, rel=0.01)


def test_bremsstrahlung_of_electrons_is_small_where_structure_is_measured():
    """6% there, and all of the rate for photons below 2 MeV."""
    together, alone = (electrons(lambda *s, v=v: lnu_gamma.squared(*s, M_E, *v)) for v in (KLOE, (0.0, 0.0, 0.0)))
    assert alone / together == pytest.approx(0.064, abs=0.005)
    soft = M_K * (M_K - 2 * 0.002), 0.5 * 2 * 0.002 * M_K
    ratio = lnu_gamma.squared(*soft, M_E, 0.0, 0.0, 0.0) / lnu_gamma.squared(*soft, M_E, *KLOE)
    assert ratio == pytest.approx(1, abs=0.01)
