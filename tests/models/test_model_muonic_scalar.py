"""The muon-philic scalar: widths against squared amplitudes and the loop integral, (7) and the completion."""

import math

import pytest
from boson_decays import two_body_width
from dirac import IDENTITY, slash
from hypothesis import given, settings
from hypothesis import strategies as st
from relative import approx
from scipy.integrate import quad

from kaongen.errors import ProcessError
from kaongen.models import g_minus_2
from kaongen.models.constants import HBAR_C
from kaongen.models.muonic_scalar import MuonicScalar, VectorLikeLeptons, fermion_loop
from kaongen.particles import ALPHA_EM, M_MU


@settings(max_examples=30)
@given(m_phi=st.floats(0.212, 3.0))
def test_width_to_muons_is_that_of_the_squared_amplitude(m_phi):
    def average(p1, p2):
        return ((slash(p1) + M_MU * IDENTITY) @ (slash(p2) - M_MU * IDENTITY)).trace().real

    expected = 1e-6 * two_body_width(m_phi, M_MU, M_MU, average)
    assert MuonicScalar(m_phi, 1e-3).width("mu+ mu-") == approx(expected, rel=1e-8)


def triangle(x):
    """4 times the integral of (1 - 4ab)/(1 - 4x ab - i0) over the triangle a + b < 1: the loop in Feynman parameters.

    The integral over b is done by hand: (1 - 4ab)/(1 - 4xab) = 1/x + (1 - 1/x)/(1 - 4xab).
    """

    def part(a, imaginary):
        end = 1 - 4 * x * a * (1 - a)
        log = math.log(abs(end)) if not imaginary else (-math.pi if end < 0 else 0.0)
        return -log / (4 * x * a)

    kinks = [0.5 - 0.5 * math.sqrt(1 - 1 / x), 0.5 + 0.5 * math.sqrt(1 - 1 / x)] if x > 1 else None
    real, imaginary = (quad(part, 0, 1, args=(i,), points=kinks, limit=400)[0] for i in (0, 1))
    return 4 * (0.5 / x + (1 - 1 / x) * complex(real, imaginary))


@pytest.mark.parametrize("x", [1e-4, 9.99e-4, 1.001e-3, 0.05, 0.5, 0.999, 1.001, 2.0, 30.0, 2000.0])
def test_loop_is_the_feynman_integral(x):
    assert fermion_loop(x) == approx(triangle(x), rel=1e-6)


def test_loop_limits():
    assert fermion_loop(1e-12) == approx(4 / 3)
    assert fermion_loop(1.0) == approx(2)
    assert abs(fermion_loop(1e6)) == approx((math.log(4e6) ** 2 + math.pi**2) / 2e6, rel=0.02)
    # no step where the series hands over
    assert fermion_loop(1e-3 * (1 - 1e-9)) == approx(fermion_loop(1e-3 * (1 + 1e-9)), rel=1e-8)


def test_equation_6_as_it_is_printed():
    m_phi, y = 0.12, 2e-3
    x = m_phi**2 / (4 * M_MU**2)
    printed = abs(2 / x**2 * (x + (x - 1) * math.asin(math.sqrt(x)) ** 2)) ** 2
    expected = ALPHA_EM**2 * y**2 / (4 * math.pi) * m_phi**3 / (64 * math.pi**2 * M_MU**2) * printed
    assert MuonicScalar(m_phi, y).width("gamma gamma") == approx(expected, rel=1e-12)


def reference(m_phi=0.05, alpha=3e-6):
    return MuonicScalar(m_phi, math.sqrt(4 * math.pi * alpha))


def test_decay_length_of_equation_7():
    """About 60 m at alpha = 3e-6, 50 MeV and 75 GeV: 57.3 m, and by hand 62.8 m with the heavy muon's 4/3."""
    length = reference().decay_length(75.0)
    assert length == approx(60, rel=0.1)
    assert length == approx(57.25, abs=0.05)
    heavy = 1.973269804e-16 * 64 * math.pi**2 * M_MU**2 / (ALPHA_EM**2 * 3e-6 * 0.05**3 * 16 / 9) * 75 / 0.05
    assert length < heavy < 1.1 * length


def test_scaling_of_equation_7():
    length = reference().decay_length(75.0)
    assert reference(alpha=1.5e-6).decay_length(75.0) == approx(2 * length)
    assert reference().decay_length(37.5) == approx(0.5 * length, rel=1e-5)
    powers = [math.log(reference(m).decay_length(75.0) / reference(2 * m).decay_length(75.0), 2) for m in (1e-3, 1e-2)]
    assert powers == approx([4, 4], abs=0.05)


def test_photons_give_way_to_muons():
    assert MuonicScalar(0.2, 1e-3).branching_fractions() == {"gamma gamma": 1.0, "mu+ mu-": 0.0}
    assert MuonicScalar(0.25, 1e-3).branching_fraction("mu+ mu-") > 0.999
    assert MuonicScalar(0.25, 1e-3).lifetime() < 1e-4 * MuonicScalar(0.2, 1e-3).lifetime()


@given(m_phi=st.floats(0.001, 1.0), y=st.floats(1e-5, 1.0), energy=st.floats(1.5, 400.0))
def test_it_scales_with_the_coupling_squared(m_phi, y, energy):
    one, two = MuonicScalar(m_phi, y), MuonicScalar(m_phi, 2 * y)
    assert two.total_width() == approx(4 * one.total_width())
    assert two.decay_length(energy) == approx(one.decay_length(energy) / 4)
    assert MuonicScalar(m_phi, -y).widths() == one.widths()
    assert one.delta_a_mu() == approx(y * y * g_minus_2.scalar(m_phi))


def test_invisible_when_it_escapes():
    phi = reference()
    assert phi.escape_probability(75.0, 57.25) == approx(math.exp(-1), rel=1e-3)


LEPTONS = VectorLikeLeptons(heavy_mass=1000.0, lambda_1=0.5, lambda_2=0.1, y_psi=0.2)


def test_completion_by_hand():
    """(B.4): -0.1 0.2 246.22/(sqrt(2) 1000); (B.3): 0.5 alpha/(6 pi 1000)."""
    assert approx(-3.482e-3, rel=1e-3) == LEPTONS.yukawa
    assert approx(0.5 / (137.036 * 6 * math.pi * 1000), rel=1e-6) == LEPTONS.photon_coupling
    phi = LEPTONS.scalar(0.05)
    assert (phi.y, phi.photon_coupling) == (LEPTONS.yukawa, LEPTONS.photon_coupling)


def test_photons_from_the_heavy_leptons_alone():
    """c phi F^2 has the width c^2 m^3/(4 pi)."""
    c, m = 1e-7, 0.05
    assert MuonicScalar(m, 0.0, c).width("gamma gamma") == approx(c * c * m**3 / (4 * math.pi), rel=1e-9)


def test_a_light_scalar_cannot_tell_muons_from_heavy_leptons():
    """For m_phi far below both, the loops add as y/m: couplings of opposite sign cancel."""
    y, m = 1e-3, 1e-3
    same = ALPHA_EM * y / (6 * math.pi * M_MU)
    alone = MuonicScalar(m, y).width("gamma gamma")
    assert MuonicScalar(m, y, same).width("gamma gamma") == approx(4 * alone, rel=1e-4)
    assert MuonicScalar(m, y, -same).width("gamma gamma") < 1e-8 * alone


def test_the_completion_can_shorten_the_decay_length():
    """As the appendix says: displaced or prompt decays for different lambda_1."""
    prompt = VectorLikeLeptons(300.0, 3.0, 1e-4, 0.2).scalar(0.05)
    assert prompt.decay_length(75.0) < 0.05 * MuonicScalar(0.05, prompt.y).decay_length(75.0)


def test_higgs_mixing_is_far_below_its_bound():
    """Below 1e-3, as the appendix says, and with the muon's Yukawa coupling in the second term."""
    first, second = LEPTONS.higgs_mass_mixing()
    assert first == approx(0.5 * 0.04 * 1000 * 246.22 / (16 * math.pi**2), rel=1e-4)
    assert second == approx(0.1 * 0.2 * (math.sqrt(2) * M_MU / 246.22) * 1000 * 246.22 / 157.914, rel=1e-4)
    assert LEPTONS.higgs_mixing() == approx(first / 125.1**2, rel=2e-3)
    assert VectorLikeLeptons(1000.0, 1e-2, 0.1, 0.2).higgs_mixing() < 1e-3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MuonicScalar(0.0, 1e-3), "muon-philic scalar: m_phi = 0 GeV is not allowed"),
        (lambda: MuonicScalar(0.1, 5.0), "y = 5 is not allowed: it must lie between -3.54491 and 3.54491"),
        (lambda: MuonicScalar(0.1, 1e-3, math.inf), "photon_coupling = inf GeV"),
        (lambda: VectorLikeLeptons(100.0, 0.1, 0.1, 0.1), "heavy_mass = 100 GeV is not allowed"),
        (lambda: VectorLikeLeptons(1000.0, 0.1, 9.0, 0.1), "lambda_2 = 9 is not allowed"),
        (lambda: MuonicScalar(0.1, 1e-3).width("e+ e-"), "muon-philic scalar has no channel 'e\\+ e-'"),
    ],
)
def test_what_makes_no_sense_is_named(make, message):
    with pytest.raises(ProcessError, match=message):
        make()


def test_units_of_the_decay_length():
    phi = MuonicScalar(0.3, 1e-4)
    assert phi.decay_length(0.3 * math.sqrt(2)) == approx(HBAR_C / phi.total_width())
