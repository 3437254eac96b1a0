"""K+ -> mu+ nu_mu gamma against the explicit matrix element, and against measured branching fractions.

Daughters in the order mu+, nu_mu, gamma. Bremsstrahlung comes from the three diagrams of scalar electrodynamics with a
derivative weak vertex (muon, kaon, contact); the structure-dependent part from the general hadronic tensor with q^2 = 0
(Bijnens, Ecker and Gasser, Nucl. Phys. B 396 (1993) 81, hep-ph/9209261),

    T = F_K L^mu - H^{mu nu} l_nu,  H^{mu nu} = i V1 eps^{mu nu a b} q_a P_b - A1 (q.W g^{mu nu} - W^mu q^nu),

where V1 = -f_v/(sqrt2 m_K), A1 = -f_a/(sqrt2 m_K) and F_K = f_K/sqrt2.
"""

from math import pi

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
    invariants,
    levi_civita,
    lower,
    momenta,
    propagator,
    s12_limits,
    s23_limits,
    sandwich,
    slash,
    squared,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad

from kaongen.amplitudes import munu_gamma
from kaongen.particles import ALPHA_EM, BR_K_MUNU, M_K, M_MU

MASSES = (M_MU, 0.0, 0.0)
R = (M_MU / M_K) ** 2
RATIO = M_K / munu_gamma.F_K
EPSILON = -levi_civita()
"""eps_{0123} = +1: the sign that makes V1 = A1 emit photons of helicity +1 only."""

form_factors = st.floats(-0.3, 0.3)


def bremsstrahlung(e, mu, photon):
    """Muon, kaon and contact diagram, in units of e lambda; each sign follows from gauge invariance."""
    weak = slash(KAON) @ LEFT
    from_muon = -weak @ propagator(-(mu + photon), M_MU) @ slash(e)
    from_kaon = -dot(KAON, e) / dot(KAON, photon) * slash(KAON - photon) @ LEFT
    contact = -slash(e) @ LEFT
    return (from_muon + from_kaon + contact) / M_MU


def structure(e, photon, f_v, f_a):
    """-H^{mu nu} e_mu gamma_nu P_L / F_K, in units of e lambda."""
    w = KAON - photon
    vector = 1j * f_v * np.einsum("mnab,a,b->mn", EPSILON, lower(photon), lower(KAON))
    axial = -f_a * (dot(photon, w) * METRIC - np.outer(w, photon))
    current = (lower(e) @ (vector + axial)) / (M_K * munu_gamma.F_K)
    return slash(current) @ LEFT / M_MU


def by_helicity(s12, s23, f_v, f_a, with_bremsstrahlung=True):
    """Sum over the spins of the leptons, for photon helicity +1 and -1."""
    mu, nu, photon = momenta(s12, s23, MASSES)
    sums = []
    for e in helicity_vectors(photon):
        line = structure(e.conj(), photon, f_v, f_a)
        if with_bremsstrahlung:
            line = line + bremsstrahlung(e.conj(), mu, photon)
        sums.append(squared(nu, mu, M_MU, line))
    return np.array(sums)


def from_diagrams(s12, s23, f_v, f_a):
    return by_helicity(s12, s23, f_v, f_a).sum()


def energies(s12, s23):
    """x = 2 E_gamma/m_K, y = 2 E_mu/m_K."""
    return 1 - s12 / M_K**2, 1 + R - s23 / M_K**2


def densities(x, y):
    """The standard Dalitz densities (e.g. hep-ph/9209261, PDG note on radiative K_l2)."""
    a, b = 1 - y + R, x + y - 1 - R
    return {
        "IB": a / (x * x * b) * (x * x + 2 * (1 - x) * (1 - R) - 2 * x * R * (1 - R) / b),
        "SD+": b * ((x + y - 1) * (1 - x) - R),
        "SD-": a * ((1 - x) * (1 - y) + R),
        "INT+": a / (x * b) * ((1 - x) * (1 - x - y) + R),
        "INT-": a / (x * b) * (x * x - (1 - x) * (1 - x - y) - R),
    }


def from_densities(s12, s23, f_v, f_a):
    f = densities(*energies(s12, s23))
    plus, minus = f_v + f_a, f_v - f_a
    sd = RATIO**2 / (4 * R) * (plus**2 * f["SD+"] + minus**2 * f["SD-"])
    interference = -RATIO * (plus * f["INT+"] + minus * f["INT-"])
    return 2 * (f["IB"] + sd + interference)


def branching_fraction(amplitude, s12_range=None, s23_range=None):
    """BR(K -> mu nu gamma) by quadrature in (log(m_K^2 - s12), s23); amplitude is in units of e^2 lambda^2."""
    low, high = s12_range or s12_limits(MASSES)
    s23_cut = s23_range or (0.0, M_K**2)

    def limits(u):
        s23 = np.clip(s23_limits(M_K**2 - np.exp(u), MASSES), *s23_cut)
        return s23[0], s23[1]

    def integrand(s23, u):
        return amplitude(M_K**2 - np.exp(u), s23) * np.exp(u)

    area, _ = dblquad(
        integrand,
        np.log(M_K**2 - high),
        np.log(M_K**2 - low),
        lambda u: limits(u)[0],
        lambda u: limits(u)[1],
        epsrel=1e-5,
    )
    gamma_3 = 4 * pi * ALPHA_EM * area / (256 * pi**3 * M_K**3)
    gamma_2 = M_K * (1 - R) ** 2 / (16 * pi)
    return BR_K_MUNU.value * gamma_3 / gamma_2


@settings(max_examples=60, deadline=None)
@given(where=fractions(), f_v=form_factors, f_a=form_factors)
def test_amplitude_agrees_with_diagrams(where, f_v, f_a):
    point = invariants(MASSES, *where)
    assert munu_gamma.squared(*point, f_v, f_a) == pytest.approx(from_diagrams(*point, f_v, f_a), rel=1e-8, abs=0)


@settings(max_examples=30, deadline=None)
@given(where=fractions())
def test_bremsstrahlung_agrees_with_diagrams(where):
    point = invariants(MASSES, *where)
    assert munu_gamma.squared(*point, 0.0, 0.0) == pytest.approx(from_diagrams(*point, 0.0, 0.0), rel=1e-9, abs=0)


@settings(max_examples=30, deadline=None)
@given(where=fractions(), f_v=form_factors, f_a=form_factors)
def test_published_densities_agree_with_diagrams(where, f_v, f_a):
    point = invariants(MASSES, *where)
    assert from_densities(*point, f_v, f_a) == pytest.approx(from_diagrams(*point, f_v, f_a), rel=1e-8, abs=0)


@settings(max_examples=30, deadline=None)
@given(where=fractions(), f_v=form_factors, f_a=form_factors)
def test_each_term_of_the_amplitude(where, f_v, f_a):
    """The even and odd parts in the form factors separate bremsstrahlung, interference and structure."""
    point = invariants(MASSES, *where)
    f = densities(*energies(*point))
    plus, minus = f_v + f_a, f_v - f_a
    none = munu_gamma.squared(*point, 0.0, 0.0)
    one, other = munu_gamma.squared(*point, f_v, f_a), munu_gamma.squared(*point, -f_v, -f_a)
    scale = abs(one) + abs(other) + none
    assert none == pytest.approx(2 * f["IB"], rel=1e-10)
    assert (one - other) / 2 == pytest.approx(
        -2 * RATIO * (plus * f["INT+"] + minus * f["INT-"]), rel=1e-9, abs=1e-12 * scale
    )
    assert (one + other) / 2 - none == pytest.approx(
        RATIO**2 / (2 * R) * (plus**2 * f["SD+"] + minus**2 * f["SD-"]), rel=1e-9, abs=1e-12 * scale
    )


@settings(max_examples=20, deadline=None)
@given(where=fractions(), f_v=form_factors, f_a=form_factors)
def test_matrix_element_is_gauge_invariant(where, f_v, f_a):
    mu, nu, photon = momenta(*invariants(MASSES, *where), MASSES)
    line = bremsstrahlung(photon, mu, photon) + structure(photon, photon, f_v, f_a)
    non_radiative = slash(KAON) @ LEFT / M_MU  # what is left of each diagram by itself
    assert abs(sandwich(nu, mu, M_MU, line)).max() < 1e-11 * abs(sandwich(nu, mu, M_MU, non_radiative)).max()


@settings(max_examples=20, deadline=None)
@given(where=fractions())
def test_bremsstrahlung_is_the_known_gauge_invariant_form(where):
    """The three diagrams add up to P_R (P.e/P.l - k.e/k.l - lslash eslash/(2 k.l)), a chirality flip throughout."""
    mu, nu, photon = momenta(*invariants(MASSES, *where), MASSES)
    for e in helicity_vectors(photon):
        eikonal = dot(KAON, e) / dot(KAON, photon) - dot(mu, e) / dot(mu, photon)
        magnetic = slash(photon) @ slash(e) / (2 * dot(mu, photon))
        known = RIGHT @ (eikonal * IDENTITY - magnetic)
        expected = sandwich(nu, mu, M_MU, known)
        contact = sandwich(nu, mu, M_MU, slash(e) @ LEFT / M_MU)
        tolerance = 1e-11 * (abs(expected).max() + abs(contact).max())
        assert np.allclose(sandwich(nu, mu, M_MU, bremsstrahlung(e, mu, photon)), expected, rtol=0, atol=tolerance)


@settings(max_examples=20, deadline=None)
@given(where=fractions(), f=st.floats(0.01, 0.3))
def test_structure_terms_have_definite_photon_helicity(where, f):
    """V = A emits photons of helicity +1 only (SD+), V = -A those of helicity -1 only (SD-)."""
    point = invariants(MASSES, *where)
    densities_here = densities(*energies(*point))
    right, left = by_helicity(*point, f, f, with_bremsstrahlung=False)
    assert left < 1e-12 * right
    assert right == pytest.approx(RATIO**2 / (2 * R) * 4 * f * f * densities_here["SD+"], rel=1e-8, abs=0)
    right, left = by_helicity(*point, f, -f, with_bremsstrahlung=False)
    assert right < 1e-12 * left
    assert left == pytest.approx(RATIO**2 / (2 * R) * 4 * f * f * densities_here["SD-"], rel=1e-8, abs=0)


@settings(max_examples=20, deadline=None)
@given(where=fractions())
def test_soft_photons_factorise(where):
    """|M|^2 -> |M(mu nu)|^2 times -(k/k.l - P/P.l)^2 as the photon energy goes to zero."""
    x = 1e-5
    s12 = M_K**2 * (1 - x)
    low, high = s23_limits(s12, MASSES)
    s23 = low + where[0] * (high - low)
    mu, _, photon = momenta(s12, s23, MASSES)
    current = mu / dot(mu, photon) - KAON / dot(KAON, photon)
    expected = (M_K**2 - M_MU**2) * -dot(current, current)
    assert munu_gamma.squared(s12, s23, 0.0945, 0.0425) == pytest.approx(expected, rel=1e-3)


@settings(max_examples=20, deadline=None)
@given(where=fractions(), f_v=form_factors, f_a=form_factors)
def test_never_negative(where, f_v, f_a):
    assert munu_gamma.squared(*invariants(MASSES, *where), f_v, f_a) > 0


def test_interference_with_sd_minus_is_destructive():
    """F_V - F_A = +0.134 suppresses hard photons: ISTRA+ (arXiv:1001.0374), OKA (Eur. Phys. J. C 79 (2019) 635)."""
    x, y = 0.5, 0.8
    point = M_K**2 * (1 - x), M_K**2 * (1 + R - y)
    assert munu_gamma.squared(*point, 0.067, -0.067) < munu_gamma.squared(*point, 0.0, 0.0)
    assert munu_gamma.squared(*point, -0.067, 0.067) > munu_gamma.squared(*point, 0.0, 0.0)


def test_decay_constant():
    """f_K of Gamma = G_F^2 |V_us|^2 f_K^2 m_K m_mu^2 (1 - r)^2/(8 pi): 155.7 MeV (FLAG, PDG)."""
    assert pytest.approx(0.1557, abs=0.0008) == munu_gamma.F_K
    f = 0.0932
    assert np.sqrt(2) * M_K / (8 * pi**2 * f) == pytest.approx(0.0945, rel=0.01)
    assert np.sqrt(2) * M_K * 4 * (6.9e-3 - 5.5e-3) / f == pytest.approx(0.0425, rel=0.02)


def test_measured_branching_fraction_of_sd_plus():
    """PDG: (1.33 +- 0.22)e-5 at F_V + F_A = 0.165 +- 0.013 (E787, Phys. Rev. Lett. 85 (2000) 2256)."""

    def sd_plus(s12, s23):
        parts = (munu_gamma.squared(s12, s23, f, f) for f in (0.0825, -0.0825))
        return sum(parts) / 2 - munu_gamma.squared(s12, s23, 0.0, 0.0)

    value = branching_fraction(sd_plus, s12_range=(M_MU**2, M_K**2 * (1 - 1e-4)))
    assert value == pytest.approx(1.33e-5, abs=0.22e-5)
    # f_SD+ integrates over the Dalitz plot in closed form.
    c = 1 - R
    tail = 1.5 + 1 / R + 3 * np.log(R) - 3 * R + R**2 / 2
    integral = c**4 / 12 - c**5 / 15 - R * c**4 / 8 + R**3 / 6 * tail
    constant = ALPHA_EM / (8 * pi) / (R * c**2) * RATIO**2
    assert value == pytest.approx(BR_K_MUNU.value * constant * 0.165**2 * integral, rel=1e-5)


def test_measured_branching_fraction_of_radiative_decays():
    """PDG: (6.2 +- 0.8)e-3 for muon momenta below 231.5 MeV."""
    y_max = 2 * np.hypot(0.2315, M_MU) / M_K
    # y >= 1 - x + r/(1 - x) leaves room below y_max only for photon energies between the two roots.
    root = np.sqrt(y_max**2 - 4 * R)
    x_min, x_max = 1 - (y_max + root) / 2, 1 - (y_max - root) / 2
    value = branching_fraction(
        lambda s12, s23: munu_gamma.squared(s12, s23, 0.0945, 0.0425),
        s12_range=(M_K**2 * (1 - x_max), M_K**2 * (1 - x_min)),
        s23_range=(M_K**2 * (1 + R - y_max), M_K**2),
    )
    assert value == pytest.approx(6.2e-3, abs=0.8e-3)


@pytest.mark.parametrize("e_gamma", [0.01, 0.02])
def test_bremsstrahlung_above_a_photon_energy(e_gamma):
    """One quadrature over kaongen's amplitude, one over the published density in (x, y)."""
    value = branching_fraction(
        lambda s12, s23: munu_gamma.squared(s12, s23, 0.0, 0.0),
        s12_range=(M_MU**2, M_K * (M_K - 2 * e_gamma)),
    )

    def y_limits(x):
        return 1 - x + R / (1 - x), 1 + R

    area, _ = dblquad(
        lambda y, x: densities(x, y)["IB"], 2 * e_gamma / M_K, 1 - R, lambda x: y_limits(x)[0], lambda x: y_limits(x)[1]
    )
    assert value == pytest.approx(BR_K_MUNU.value * ALPHA_EM / (2 * pi) / (1 - R) ** 2 * area, rel=1e-4)
