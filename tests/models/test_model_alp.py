"""The axion-like particle: its flavour change from the loop, its widths from squared amplitudes and limits."""

import math

import numpy as np
import pytest
from boson_decays import two_body_width
from dirac import GAMMA, GAMMA5, IDENTITY, METRIC, kallen, slash
from hypothesis import given
from hypothesis import strategies as st
from relative import approx
from scipy.integrate import quad

from kaongen.errors import ProcessError
from kaongen.models import alp
from kaongen.models.alp import AxionLikeParticle
from kaongen.models.constants import M_DOWN, M_STRANGE, M_TOP_MSBAR, M_W, SIN2_THETA_W, V_TD, V_TS, VEV
from kaongen.models.kaon_form_factor import current_divergence, scalar_form_factor
from kaongen.particles import ALPHA_EM, HBAR, M_E, M_K, M_MU, M_PI, TAU_K

masses = st.floats(0.002, 0.353)


def test_flavour_change_is_the_loop_of_a_top_and_a_charged_goldstone():
    """Coefficient of d_mu a dbar_L gamma^mu s_L, in the basis where only the right-handed top couples, by g_Y/v.

    With Yukawa couplings y_t V_td, y_t V_ts to the charged Goldstone the integrand is kslash gamma^mu kslash/k^6,
    whose average over directions is a matrix, and whose radial integral runs from the top's mass to the cutoff.
    """
    average = sum(METRIC[a, a] * GAMMA[a] @ GAMMA[1] @ GAMMA[a] for a in range(4)) / 4
    matrix = np.trace(average @ GAMMA[1]).real / np.trace(GAMMA[1] @ GAMMA[1]).real
    assert matrix == approx(-0.5)
    radial = quad(lambda log_k: 2 * math.pi**2 / (2 * math.pi) ** 4, math.log(M_TOP_MSBAR), math.log(1000.0))[0]
    y_t = math.sqrt(2) * M_TOP_MSBAR / VEV
    expected = abs(matrix) * radial * y_t**2 * V_TD * V_TS * 1e-3 / VEV
    assert alp.flavour_change(1e-3) == approx(expected, rel=1e-9)


def test_flavour_change_in_electroweak_units():
    """16 pi, not 4 pi; tree level ties alpha, m_W and the angle to v within 7%, the running of alpha."""
    log = math.log(1000.0**2 / M_TOP_MSBAR**2)
    form = ALPHA_EM * M_TOP_MSBAR**2 / (16 * math.pi * M_W**2 * SIN2_THETA_W * VEV) * V_TD * V_TS * log
    assert alp.flavour_change(1.0) == approx(form, rel=0.08)


def test_derivative_and_yukawa_couplings_agree():
    """g d_mu a dbar_L gamma^mu s_L is i g a (m_s dbar_L s_R - m_d dbar_R s_L), whose scalar half K -> pi sees.

    The width of the Yukawa form, with <pi|dbar s|K> = (m_K^2 - m_pi^2) f_0/(m_s - m_d), is that of 1412.5174.
    """
    m_a, g_y = 0.2, 1e-3
    yukawa = 0.5 * alp.flavour_change(g_y) * (M_STRANGE - M_DOWN)
    matrix_element = (M_K**2 - M_PI**2) * scalar_form_factor(m_a**2) / (M_STRANGE - M_DOWN)
    triangle = math.sqrt(kallen(M_K**2, M_PI**2, m_a**2))
    width = triangle / (16 * math.pi * M_K**3) * matrix_element**2 * yukawa**2
    assert AxionLikeParticle(m_a, g_y).kaon_branching_fraction() == approx(width * TAU_K / HBAR)


def test_form_factor_of_the_current():
    assert current_divergence(0.0) == approx((M_K**2 - M_PI**2) * 0.9698)


def test_branching_fraction_by_hand():
    """1.71 10^-3 g_Y^2 for a massless a: g_sd = 1.44 10^-8 g_Y per GeV."""
    assert alp.flavour_change(1.0) == approx(1.44e-8, rel=2e-3)
    gap = 1 - (M_PI / M_K) ** 2
    width = M_K**3 * alp.flavour_change(1.0) ** 2 * 0.9698**2 * gap**3 / (64 * math.pi)
    assert AxionLikeParticle(1e-6, 1.0).kaon_branching_fraction() == approx(width / 5.317e-17, rel=1e-3)
    assert AxionLikeParticle(1e-6, 1.0).kaon_branching_fraction() == approx(1.71e-3, rel=2e-3)


def test_the_cutoff_enters_by_its_logarithm():
    ratio = (
        AxionLikeParticle(0.1, 1e-4, 1e4).kaon_branching_fraction()
        / AxionLikeParticle(0.1, 1e-4).kaon_branching_fraction()
    )
    assert math.sqrt(ratio) == approx(math.log(1e4 / 162.8) / math.log(1e3 / 162.8), rel=1e-3)


def test_width_to_leptons_is_that_of_the_squared_amplitude():
    def average(p1, p2):
        first, second = slash(p1) + M_MU * IDENTITY, slash(p2) - M_MU * IDENTITY
        return -(first @ GAMMA5 @ second @ GAMMA5).trace().real

    for m_a in (0.213, 0.25, 0.35):
        expected = (1e-3 * M_MU / VEV) ** 2 * two_body_width(m_a, M_MU, M_MU, average)
        assert AxionLikeParticle(m_a, 1e-3).width("mu+ mu-") == approx(expected, rel=1e-9)


def test_photon_loop_limits():
    """1 for light fermions, -m_a^2/(12 m_f^2) for heavy ones, 1 - (pi/2)^2 at threshold."""
    assert alp.photon_loop(0.2, 1e-7) == approx(1, abs=1e-9)
    assert alp.photon_loop(0.2, 100.0) == approx(-(0.2**2) / (12 * 100.0**2), rel=1e-4)
    assert alp.photon_loop(0.2, 0.1) == approx(1 - math.pi**2 / 4)
    m = 0.1 * math.sqrt(1e3)
    assert alp.photon_loop(0.2, m * (1 + 1e-9)) == approx(alp.photon_loop(0.2, m * (1 - 1e-9)), rel=1e-7)


@pytest.mark.parametrize("m_f", [0.05, 0.0999, 0.11, 0.3, 5.0])
def test_photon_loop_is_the_triangle(m_f):
    """1 minus 2 m_f^2 times the integral of 1/(m_f^2 - ab m_a^2 - i0) over the triangle a + b < 1."""
    m_a = 0.2

    def part(a, imaginary):
        end = 1 - a * (1 - a) * m_a**2 / m_f**2
        log = (-math.pi if end < 0 else 0.0) if imaginary else math.log(abs(end))
        return -log * m_f**2 / (a * m_a**2)

    t = 4 * m_f**2 / m_a**2
    kinks = [0.5 - 0.5 * math.sqrt(1 - t), 0.5 + 0.5 * math.sqrt(1 - t)] if t < 1 else None
    integral = complex(*(quad(part, 0, 1, args=(i,), points=kinks, limit=400)[0] for i in (0, 1)))
    assert alp.photon_loop(m_a, m_f) == approx(1 - 2 * integral, rel=1e-6)


def test_electrons_dominate_below_muon_pairs():
    """As NA62 says for BC10 in JHEP 03 (2021) 058."""
    for m_a in (0.01, 0.05, 0.1, 0.15, 0.2):
        assert AxionLikeParticle(m_a, 1e-4).branching_fraction("e+ e-") > 0.95
    assert AxionLikeParticle(0.25, 1e-4).branching_fraction("mu+ mu-") > 0.999


@given(m_a=masses, g_y=st.floats(1e-8, 1.0))
def test_widths_add_up_and_scale(m_a, g_y):
    a = AxionLikeParticle(m_a, g_y)
    assert math.fsum(a.branching_fractions().values()) == approx(1)
    assert min(a.widths().values()) >= 0
    assert AxionLikeParticle(m_a, -0.5 * g_y).lifetime() == approx(4 * a.lifetime())
    assert AxionLikeParticle(m_a, 0.5 * g_y).kaon_branching_fraction() == approx(0.25 * a.kaon_branching_fraction())


def test_photons_below_electron_pairs():
    assert AxionLikeParticle(2 * M_E * 0.99, 1e-3).branching_fraction("gamma gamma") == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AxionLikeParticle(0.4, 1e-4), "axion-like particle: m_a = 0.4 GeV is not allowed"),
        (lambda: AxionLikeParticle(0.1, 10.0), "g_y = 10 is not allowed"),
        (lambda: AxionLikeParticle(0.1, 1e-4, 100.0), "cutoff = 100 GeV is not allowed"),
        (lambda: alp.flavour_change(1.0, 10.0), "cutoff = 10 GeV is not allowed"),
    ],
)
def test_what_makes_no_sense_is_named(make, message):
    with pytest.raises(ProcessError, match=message):
        make()
