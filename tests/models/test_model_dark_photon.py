"""The dark photon: as the photon is an A' with epsilon = 1 and a mass to integrate over, rates of pairs judge it."""

import math

import pytest
from boson_decays import VECTOR, fermion_tensor, scalar_tensor, two_body_width, vector_average
from hypothesis import given
from hypothesis import strategies as st
from relative import approx
from scipy.integrate import quad

from kaongen.errors import ProcessError
from kaongen.models import dark_photon, g_minus_2
from kaongen.models.constants import M_RHO, WIDTH_RHO
from kaongen.models.dark_photon import DarkPhoton
from kaongen.particles import (
    ALPHA_EM,
    BR_K_PIEE,
    BR_K_PIMUMU,
    BR_PI0_EEGAMMA,
    BR_PI0_GAMMAGAMMA,
    M_E,
    M_K,
    M_MU,
    M_PI,
    M_PI0,
)

E2 = 4 * math.pi * ALPHA_EM


@pytest.mark.parametrize("m", [0.213, 0.3, 0.6])
def test_width_to_leptons_is_that_of_the_squared_amplitude(m):
    def average(p1, p2):
        return vector_average(fermion_tensor(p1, M_MU, p2, M_MU, VECTOR), p1 + p2, m)

    expected = E2 * 1e-6 * two_body_width(m, M_MU, M_MU, average)
    assert dark_photon.width_to_leptons(1e-3, m, M_MU) == approx(expected, rel=1e-9)


def test_width_to_pions_is_that_of_the_squared_amplitude():
    m = 0.5
    point = E2 * 1e-6 * two_body_width(m, M_PI, M_PI, lambda p1, p2: vector_average(scalar_tensor(p1, p2), p1 + p2, m))
    expected = point * abs(dark_photon.pion_form_factor(m * m)) ** 2
    assert dark_photon.width_to_pions(1e-3, m) == approx(expected, rel=1e-9)


def through_virtual_photons(rate, m_l, end):
    """Rate of pairs by the same route: the integral of rate(q) (alpha/3pi) dq^2/q^2 times the pair's phase space."""

    def integrand(log_q2):
        q2 = math.exp(log_q2)
        r = m_l * m_l / q2
        pair = ALPHA_EM / (3 * math.pi) * (1 + 2 * r) * math.sqrt(max(1 - 4 * r, 0.0))
        return rate(math.sqrt(q2)) * pair

    return quad(integrand, math.log(4 * m_l * m_l), math.log(end * end), limit=400)[0]


def test_pion_branching_fraction_gives_that_of_dalitz_decays():
    """Kroll and Wada: 1.185% of pi0 -> gamma gamma without a form factor; measured 1.174 +- 0.035%."""
    found = through_virtual_photons(lambda m: DarkPhoton(m, 1.0).pion_branching_fraction(), M_E, M_PI0 * (1 - 1e-9))
    assert found / BR_PI0_GAMMAGAMMA.value == approx(0.01185, rel=3e-3)
    assert found == approx(BR_PI0_EEGAMMA.value, abs=BR_PI0_EEGAMMA.error)


@pytest.mark.parametrize(("m_l", "measured", "sigmas"), [(M_E, BR_K_PIEE, 1), (M_MU, BR_K_PIMUMU, 1)])
def test_kaon_branching_fraction_gives_those_of_pairs(m_l, measured, sigmas):
    """K -> pi l+ l- is K -> pi A' with a virtual photon for A': 2.98 10^-7 and 9.23 10^-8."""
    found = through_virtual_photons(lambda m: DarkPhoton(m, 1.0).kaon_branching_fraction(), m_l, M_K - M_PI)
    assert found == approx(measured.value, abs=sigmas * measured.error)


def test_kaon_branching_fraction_as_pospelov_has_it():
    """About 8 10^-5 epsilon^2 (m/100 MeV)^2 at small masses, 0811.1030; the measured form factor gives 5 10^-5."""
    assert 4e-5 < DarkPhoton(0.1, 1.0).kaon_branching_fraction() < 8e-5
    ratio = DarkPhoton(0.02, 1e-3).kaon_branching_fraction() / DarkPhoton(0.01, 1e-3).kaon_branching_fraction()
    assert ratio == approx(4, rel=0.02)


def test_form_factor_of_the_pion():
    """1 at rest; at the rho's mass a phase of 90 degrees and 3 m/(Gamma ...) = 5.8; radius 0.63 fm without rho'."""
    assert dark_photon.pion_form_factor(0.0) == 1
    peak = dark_photon.pion_form_factor(M_RHO**2)
    assert peak.real == approx(0, abs=1e-9)
    k = math.sqrt(M_RHO**2 / 4 - M_PI**2)
    log = math.log((M_RHO + 2 * k) / (2 * M_PI))
    d = 3 * M_PI**2 / (math.pi * k**2) * log + M_RHO / (2 * math.pi * k) - M_PI**2 * M_RHO / (math.pi * k**3)
    assert abs(peak) == approx((M_RHO + d * WIDTH_RHO) / WIDTH_RHO, rel=1e-9)
    step = 1e-3
    slope = (dark_photon.pion_form_factor(step) - dark_photon.pion_form_factor(-step)).real / (2 * step)
    assert math.sqrt(6 * slope) * 0.1973270 == approx(0.63, abs=0.01)


@pytest.mark.parametrize("s", [0.0, 4 * M_PI**2])
def test_form_factor_is_continuous(s):
    below, above = (dark_photon.pion_form_factor(s + shift) for shift in (-1e-9, 1e-9))
    assert below == approx(above, abs=1e-6)


@given(s=st.floats(-0.2, 0.07))
def test_form_factor_obeys_its_dispersion_relation(s):
    """Once subtracted at 0, up to the tail above 9 GeV^2: 1 + s/pi times the integral of Im F/(s' (s' - s))."""
    start = 4 * M_PI**2

    def integrand(log):
        q2 = start + math.exp(log)
        return dark_photon.pion_form_factor(q2).imag / (q2 * (q2 - s)) * math.exp(log)

    integral = quad(integrand, math.log(1e-9), math.log(1e4), limit=400)[0]
    assert dark_photon.pion_form_factor(s).real == approx(1 + s / math.pi * integral, rel=2e-3)


@given(m=st.floats(0.002, 0.7), epsilon=st.floats(1e-9, 1.0))
def test_widths_add_up_and_scale(m, epsilon):
    a = DarkPhoton(m, epsilon)
    assert math.fsum(a.branching_fractions().values()) == approx(1)
    assert min(a.widths().values()) >= 0
    half = DarkPhoton(m, -0.5 * epsilon)
    assert half.lifetime() == approx(4 * a.lifetime())
    assert half.pion_branching_fraction() == approx(0.25 * a.pion_branching_fraction())
    assert half.kaon_branching_fraction() == approx(0.25 * a.kaon_branching_fraction())


def test_thresholds():
    assert DarkPhoton(0.001, 1e-3).lifetime() == math.inf
    assert DarkPhoton(0.2, 1e-3).branching_fraction("e+ e-") == 1
    assert DarkPhoton(0.25, 1e-3).branching_fraction("mu+ mu-") == approx(0.42, abs=0.02)
    assert DarkPhoton(0.7, 1e-3).branching_fraction("pi+ pi-") > 0.6
    assert DarkPhoton(M_PI0, 1e-3).pion_branching_fraction() == 0
    assert DarkPhoton(0.36, 1e-3).kaon_branching_fraction() == 0


def test_muon_moment():
    """A dark photon is a vector of coupling epsilon e."""
    assert DarkPhoton(0.05, 1e-3).delta_a_mu() == approx(E2 * 1e-6 * g_minus_2.vector(0.05))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: DarkPhoton(0.8, 1e-3),
            "dark photon: m = 0.8 GeV is not allowed: it must lie between 1e-06 and 0.7 GeV",
        ),
        (lambda: DarkPhoton(0.1, 1.1), "epsilon = 1.1 is not allowed"),
        (lambda: DarkPhoton(0.1, 1e-3).width("pi pi"), "no channel 'pi pi'"),
    ],
)
def test_what_makes_no_sense_is_named(make, message):
    with pytest.raises(ProcessError, match=message):
        make()
