"""The dark scalar: production and decay by hand, by squared amplitudes and against published tables."""

import math

import pytest
from boson_decays import two_body_width
from dirac import IDENTITY, slash
from hypothesis import given
from hypothesis import strategies as st
from relative import approx

from kaongen.errors import ProcessError
from kaongen.models import dark_scalar
from kaongen.models.constants import F_PLUS_0, HBAR_C, M_DOWN, M_STRANGE, VEV
from kaongen.models.dark_scalar import DarkScalar
from kaongen.models.kaon_form_factor import scalar_form_factor
from kaongen.particles import M_E, M_K, M_MU, M_PI

masses = st.floats(0.002, 0.354)


def test_branching_fraction_of_a_massless_scalar():
    """BR/sin^2(theta) = 1.2 to 1.5 10^-3: the spread is the top's mass and the quark masses' factor."""
    found = DarkScalar(1e-6, 1e-8).kaon_branching_fraction() / 1e-8
    assert 1.2e-3 < found < 1.5e-3
    assert found == approx(1.295e-3, abs=2e-6)


def test_branching_fraction_by_hand():
    """xi = 3 m_t^2/(16 pi^2 v^2) |V_ts V_td| = 2.93e-6, and the width of the kaon 5.317e-17 GeV."""
    xi = 3 * 162.8**2 * 0.04111 * 0.00858 / (16 * math.pi**2 * 246.22**2)
    assert dark_scalar.flavour_change() == approx(xi, rel=1e-4)
    assert dark_scalar.flavour_change(172.6) == approx(3.3e-6, abs=0.05e-6)
    gap = M_K**2 - M_PI**2
    quarks = (M_STRANGE / (M_STRANGE - M_DOWN)) ** 2
    width = xi**2 * gap**3 * 0.9698**2 / (64 * math.pi * 246.22**2 * M_K**3) * quarks
    assert DarkScalar(1e-6, 1.0).kaon_branching_fraction() == approx(width / 5.317e-17, rel=1e-3)


def test_form_factor():
    """f_0 at the end point q = m_K - m_pi is 11% above f_+(0), as the measured slope of K_mu3 has it."""
    assert scalar_form_factor(0.0) == F_PLUS_0
    assert scalar_form_factor((M_K - M_PI) ** 2) / F_PLUS_0 == approx(1.113, abs=2e-3)


def test_width_to_leptons_is_that_of_the_squared_amplitude():
    def average(p1, p2):
        return ((slash(p1) + M_MU * IDENTITY) @ (slash(p2) - M_MU * IDENTITY)).trace().real

    for m_s in (0.213, 0.25, 0.35):
        expected = (M_MU / VEV) ** 2 * two_body_width(m_s, M_MU, M_MU, average)
        assert dark_scalar.width_to_leptons(1.0, m_s, M_MU) == approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("m_s", "c_tau"),
    [
        (0.01, 0.1168115),
        (0.05, 0.02301398),
        (0.1, 0.01150194),
        (0.2, 0.005691309),
        (0.22, 5.659321e-6),
        (0.27, 4.130010e-7),
    ],
)
def test_published_decay_lengths_below_two_pions(m_s, c_tau):
    """c tau in m at sin(theta) = 1 of SHiP's EventCalc (ctau-Scalar.txt), which has photons as well."""
    assert HBAR_C / DarkScalar(m_s, 1.0).total_width() == approx(c_tau, rel=0.013)


@pytest.mark.parametrize(
    ("m_s", "width"),
    [(0.2846, 1.267e-9), (0.2969, 2.517e-9), (0.3118, 3.816e-9), (0.3321, 5.298e-9), (0.3478, 6.547e-9)],
)
def test_published_width_to_pions(m_s, width):
    """Winkler, PRD 99 (2019) 015018, figure 4, in GeV at sin(theta) = 1, digitised in the scalar_portal package."""
    s = DarkScalar(m_s, 1.0)
    assert s.width("pi+ pi-") + s.width("pi0 pi0") == approx(width, rel=0.06)


@pytest.mark.parametrize(("m_s", "c_tau"), [(0.29, 5.5236e-8), (0.32, 3.1064e-8), (0.35, 2.1185e-8)])
def test_evaluations_above_two_pions_differ(m_s, c_tau):
    """EventCalc's decay lengths are shorter: the spread among dispersive treatments is a third."""
    found = HBAR_C / DarkScalar(m_s, 1.0).total_width()
    assert c_tau < found < 1.5 * c_tau


def test_leading_order_is_the_low_energy_theorem():
    """(2 m_S^2 + 11 m_pi^2)/9 for each pion: at threshold 19/9 m_pi^2."""
    m_s = 2 * M_PI * 1.0001
    beta = math.sqrt(1 - 4 * M_PI**2 / m_s**2)
    amplitude = 19 / 9 * M_PI**2 / VEV
    charged = amplitude**2 * beta / (16 * math.pi * m_s)
    assert dark_scalar.width_to_pions_leading(1.0, m_s) == approx(1.5 * charged, rel=1e-3)


def test_rescattering_is_what_a_dispersive_form_factor_gives():
    """At 0.3 GeV, from the pion's scalar radius 0.61 fm^2 and curvature 11 GeV^-4 (Colangelo, Gasser and Leutwyler,
    Nucl. Phys. B 603 (2001) 125) and d_F = 0.09 for strange quarks (Donoghue, Gasser and Leutwyler, Nucl. Phys. B
    343 (1990) 341).
    """
    s = 0.09
    enhanced = 1 + 0.61 / 0.19733**2 / 6 * s + 11 * s * s
    leading = 2 / 9 * s + 11 / 9 * M_PI**2
    full = (leading + 7 / 9 * 0.09 * s) * enhanced
    assert dark_scalar.rescattering(0.3) == approx((full / leading) ** 2, rel=0.1)


@given(m_s=masses, sin2=st.floats(1e-12, 1e-2))
def test_widths_add_up_and_scale(m_s, sin2):
    s = DarkScalar(m_s, sin2)
    assert math.fsum(s.branching_fractions().values()) == approx(1)
    assert min(s.widths().values()) >= 0
    assert DarkScalar(m_s, 0.5 * sin2).lifetime() == approx(2 * s.lifetime())
    assert DarkScalar(m_s, 0.5 * sin2).kaon_branching_fraction() == approx(0.5 * s.kaon_branching_fraction())


@given(m_s=masses, step=st.floats(0.0005, 0.01))
def test_a_heavier_scalar_is_rarer_and_lives_shorter(m_s, step):
    heavier = min(m_s + step, M_K - M_PI)
    assert DarkScalar(heavier, 1e-8).kaon_branching_fraction() < DarkScalar(m_s, 1e-8).kaon_branching_fraction()
    assert DarkScalar(heavier, 1e-8).lifetime() < DarkScalar(m_s, 1e-8).lifetime()


def test_thresholds():
    assert DarkScalar(2 * M_E * 0.999, 1e-8).lifetime() == math.inf
    assert DarkScalar(0.2, 1e-8).branching_fraction("e+ e-") == 1
    assert DarkScalar(0.25, 1e-8).branching_fraction("mu+ mu-") > 0.999
    assert DarkScalar(0.34, 1e-8).branching_fraction("pi+ pi-") == approx(0.55, abs=0.03)
    assert DarkScalar(M_K - M_PI, 1e-8).kaon_branching_fraction() == approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DarkScalar(0.4, 1e-8), "dark scalar: m_s = 0.4 GeV is not allowed: .* between 1e-06 and 0.354"),
        (lambda: DarkScalar(0.1, 1.5), "sin2_theta = 1.5 is not allowed: it must lie between 0 and 1"),
        (lambda: DarkScalar(0.1, 1e-8).width("pi pi"), "no channel 'pi pi'"),
    ],
)
def test_what_makes_no_sense_is_named(make, message):
    with pytest.raises(ProcessError, match=message):
        make()
