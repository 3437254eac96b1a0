"""The vector of L_mu - L_tau: widths against squared amplitudes, mixing against quadrature, freeze-out."""

import cmath
import math

import pytest
from boson_decays import (
    LEFT_HANDED,
    VECTOR,
    fermion_tensor,
    majorana_tensor,
    s_channel,
    scalar_tensor,
    two_body_width,
    vector_average,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from relative import approx
from scipy.integrate import quad

from kaongen.errors import ProcessError
from kaongen.models import g_minus_2
from kaongen.models.constants import DARK_MATTER_DENSITY, M_TAU
from kaongen.models.lmu_ltau import (
    DarkMatter,
    LMuLTau,
    kinetic_mixing,
    thermal_coupling,
    width_to_dark_matter,
    width_to_leptons,
    width_to_neutrinos,
)
from kaongen.particles import ALPHA_EM, M_MU

ALPHA = 1 / (4 * math.pi)
"""Of a unit coupling."""

KINDS = ["scalar", "majorana", "dirac"]
TENSORS = {
    "scalar": lambda m: scalar_tensor,
    "majorana": lambda m: lambda p1, p2: majorana_tensor(p1, p2, m),
    "dirac": lambda m: lambda p1, p2: fermion_tensor(p1, m, p2, m, VECTOR),
}
SPINS = {"scalar": 1, "majorana": 2, "dirac": 2}


def width_of(m_v, m, tensor):
    def average(p1, p2):
        return vector_average(tensor(p1, p2), p1 + p2, m_v)

    return two_body_width(m_v, m, m, average)


@settings(max_examples=30)
@given(ratio=st.floats(0.01, 0.499), m_v=st.floats(0.01, 3.0))
def test_width_to_leptons_is_that_of_the_squared_amplitude(ratio, m_v):
    m = ratio * m_v
    assert width_to_leptons(ALPHA, m_v, m) == approx(width_of(m_v, m, TENSORS["dirac"](m)), rel=1e-9)


def test_width_to_neutrinos_is_that_of_the_squared_amplitude():
    expected = width_of(0.2, 0.0, lambda p1, p2: fermion_tensor(p1, 0.0, p2, 0.0, LEFT_HANDED))
    assert width_to_neutrinos(ALPHA, 0.2) == approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ratio", [0.05, 0.3, 0.45])
def test_width_to_dark_matter_is_that_of_the_squared_amplitude(kind, ratio):
    m = ratio * 0.3
    identical = 0.5 if kind == "majorana" else 1.0
    expected = identical * width_of(0.3, m, TENSORS[kind](m))
    assert width_to_dark_matter(kind, ALPHA, 0.3, m) == approx(expected, rel=1e-9)


def test_light_dark_matter_counts_degrees_of_freedom():
    """Massless: a Dirac fermion is two chiral ones, a Majorana fermion one, a complex scalar a quarter of four."""
    neutrino = width_to_neutrinos(ALPHA, 0.2)
    light = {kind: width_to_dark_matter(kind, ALPHA, 0.2, 1e-6) / neutrino for kind in KINDS}
    assert light == approx({"dirac": 2, "majorana": 1, "scalar": 0.5}, rel=1e-6)


def test_mixing_by_hand():
    """ln(m_tau/m_mu) = 2.8224: 1/69.3, between the 1/67 of Krnjaic et al. and the usual 1/70."""
    by_hand = math.sqrt(4 * math.pi / 137.036) * math.log(1776.93 / 105.658) / (6 * math.pi**2)
    assert kinetic_mixing(1.0) == approx(by_hand, rel=1e-5)
    assert 1 / kinetic_mixing(1.0).real == approx(69.3, abs=0.05)
    assert 67 < 1 / kinetic_mixing(1.0).real < 70


@pytest.mark.parametrize("q2", [-5.0, -0.3, -1e-6, 1e-9, 4e-5, 5e-5, 0.02, 0.0446, 0.05, 0.3, 4.0, 20.0])
def test_mixing_is_the_loop_integral(q2):
    e = math.sqrt(4 * math.pi * ALPHA_EM)

    def integrand(x, part):
        logs = [cmath.log(complex(m * m - x * (1 - x) * q2, -1e-300)) for m in (M_TAU, M_MU)]
        return x * (1 - x) * getattr(logs[0] - logs[1], part)

    zeros = []
    for m in (M_TAU, M_MU):
        if q2 > 4 * m * m:
            half = 0.5 * math.sqrt(1 - 4 * m * m / q2)
            zeros += [0.5 - half, 0.5 + half]
    parts = [
        sum(
            quad(integrand, a, b, args=(part,), limit=300, epsabs=1e-13)[0]
            for a, b in zip([0.0, *sorted(zeros)], [*sorted(zeros), 1.0], strict=True)
        )
        for part in ("real", "imag")
    ]
    expected = e / (2 * math.pi**2) * complex(*parts)
    assert kinetic_mixing(1.0, q2) == approx(expected, rel=1e-7, abs=1e-12)


def test_electrons_are_a_millionth():
    model = LMuLTau(m_v=0.1, g=1e-3)
    expected = (1 / 67) ** 2 * 4 * math.pi * ALPHA_EM  # epsilon^2 e^2 m/(12 pi) beside two neutrinos' g^2 m/(24 pi)
    assert model.branching_fraction("e+ e-") == approx(expected, rel=0.02)
    assert model.branching_fraction("e+ e-") < 3e-5


def test_below_muon_pairs_it_is_invisible():
    model = LMuLTau(m_v=0.2, g=1e-3)
    assert model.widths()["mu+ mu-"] == 0
    assert model.invisible_fraction() == approx(1, abs=1e-4)
    fractions = LMuLTau(m_v=5.0, g=1e-3).branching_fractions()
    assert fractions["tau+ tau-"] == approx(1 / 3, abs=0.05)
    assert LMuLTau(5.0, 1e-3).invisible_fraction() == approx(1 / 3, abs=0.05)


def test_it_decays_within_the_decay_region():
    """Section II of Krnjaic et al.: within 65 m in all their plane, whose last corner is 1 MeV and g = 10^-4."""
    by_hand = 75.0 / 0.001 * 1.97327e-16 / (1e-8 / (4 * math.pi) * 0.001 / 3)
    assert LMuLTau(m_v=0.001, g=1e-4).decay_length(75.0) == approx(by_hand, rel=1e-3)
    assert by_hand < 65


@settings(max_examples=40)
@given(
    m_v=st.floats(0.001, 5.0),
    g=st.floats(1e-6, 1.0),
    kind=st.sampled_from(KINDS),
    ratio=st.floats(0.01, 0.9),
    charge=st.floats(-3, 3),
)
def test_branching_fractions_add_up_and_do_not_depend_on_the_coupling(m_v, g, kind, ratio, charge):
    chi = DarkMatter(kind, ratio * m_v, charge)
    fractions = LMuLTau(m_v, g, chi).branching_fractions()
    assert math.fsum(fractions.values()) == approx(1)
    assert min(fractions.values()) >= 0
    assert LMuLTau(m_v, 1e-3, chi).branching_fractions() == approx(fractions, rel=1e-9)
    assert LMuLTau(m_v, 0.5 * g, chi).lifetime() == approx(4 * LMuLTau(m_v, g, chi).lifetime())


def test_dark_matter_of_large_charge_takes_all():
    chi = DarkMatter("dirac", 0.05, charge=100.0)
    assert LMuLTau(0.3, 1e-3, chi).branching_fraction("chi anti-chi") == approx(1, abs=1e-3)
    assert LMuLTau(0.3, 1e-3, chi).invisible_fraction() == approx(1, abs=1e-3)


def test_contribution_to_g_minus_2():
    assert LMuLTau(0.2, 5e-4).delta_a_mu() == approx(25e-8 * g_minus_2.vector(0.2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("s", [0.0402, 0.06, 0.2])
def test_annihilation_is_that_of_the_squared_amplitudes(kind, s):
    """At every energy, angular integral done numerically: the resonance formula holds off the mass shell."""
    m, m_v, g, q = 0.1, 0.35, 1e-3, 0.7
    model = LMuLTau(m_v, g, DarkMatter(kind, m, q))

    def lepton(m_f, vertices):
        return lambda p1, p2: fermion_tensor(p1, m_f, p2, m_f, vertices)

    total = 2 * s_channel(s, m, TENSORS[kind](m), SPINS[kind], 0.0, lepton(0.0, LEFT_HANDED))
    if s > 4 * M_MU**2:
        total += s_channel(s, m, TENSORS[kind](m), SPINS[kind], M_MU, lepton(M_MU, VECTOR))
    propagator = (s - m_v**2) ** 2 + (m_v * model.total_width()) ** 2
    assert model.annihilation_cross_section(s) == approx(g**4 * q**2 * total / propagator, rel=1e-6)
    contact = g**4 * q**2 * total / (4 * m**2 - m_v**2) ** 2
    assert model.annihilation_cross_section(s, resonant=False) == approx(contact, rel=1e-6)


def test_annihilation_by_hand():
    """sigma v -> g^2 g_chi^2 m^2/(pi m_V^4) for each light Dirac fermion at threshold; two neutrinos make one."""
    m, m_v, g = 0.05, 5.0, 1e-2
    model = LMuLTau(m_v, g, DarkMatter("dirac", m))
    s = 4 * m * m * (1 + 1e-6)
    speed = 2 * math.sqrt(1 - 4 * m * m / s)
    assert model.annihilation_cross_section(s) * speed == approx(g**4 * m**2 / (math.pi * m_v**4), rel=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_waves(kind):
    """s-wave for a Dirac fermion, p-wave for a Majorana fermion and for a scalar."""
    m = 0.05
    model = LMuLTau(0.3, 1e-2, DarkMatter(kind, m))

    def rate(beta):
        return model.annihilation_cross_section(4 * m * m / (1 - beta**2)) * 2 * beta

    power = math.log(rate(0.02) / rate(0.01)) / math.log(2)
    assert power == approx(0 if kind == "dirac" else 2, abs=0.01)


def test_the_target_leaves_the_observed_density():
    chi = DarkMatter("dirac", 0.1 / 3)
    g = thermal_coupling(0.1, chi)
    assert LMuLTau(0.1, g, chi).relic_density() == approx(DARK_MATTER_DENSITY, rel=2e-4)
    assert LMuLTau(0.1, 2 * g, chi).relic_density() < DARK_MATTER_DENSITY


def test_the_target_off_the_resonance_is_a_line_of_constant_y():
    """g^2 g_chi^2 (m_chi/m_V)^4 depends on m_chi alone, up to 4 m_chi^2/m_V^2 in the propagator."""
    chi = DarkMatter("majorana", 0.01)

    def y(m_v, charge):
        g = thermal_coupling(m_v, DarkMatter("majorana", 0.01, charge), resonant=False)
        return g**4 * charge**2 * ((1 - 4 * chi.mass**2 / m_v**2) ** -2) * (chi.mass / m_v) ** 4

    assert y(0.05, 1.0) == approx(y(0.5, 1.0), rel=0.01)
    assert y(0.05, 1.0) == approx(y(0.05, 10.0), rel=0.01)


def test_p_wave_needs_more_coupling():
    """At m_chi = m_V/3 as in figure 1 (right): scalar and Majorana targets above the Dirac one."""
    targets = [thermal_coupling(0.3, DarkMatter(kind, 0.1), resonant=False) for kind in ("dirac", "majorana", "scalar")]
    assert targets == sorted(targets)
    assert 5e-3 < targets[0] < 2e-2


def test_the_resonance_lowers_the_target():
    chi = DarkMatter("majorana", 0.02)
    assert thermal_coupling(0.06, chi) < 0.7 * thermal_coupling(0.06, chi, resonant=False)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LMuLTau(-0.1, 1e-3), r"V of L_mu - L_tau: m_v = -0.1 GeV is not allowed: .* between 1e-06 and 10 GeV"),
        (lambda: LMuLTau(0.1, float("nan")), "g = nan is not allowed"),
        (lambda: LMuLTau(0.1, 1.0, DarkMatter("dirac", 0.01, 10.0)), "g q_chi = 10 is not allowed"),
        (lambda: DarkMatter("fermion", 0.1), r"no kind 'fermion' \(known: scalar, majorana, dirac\)"),
        (lambda: DarkMatter("Dirac", 0.1), "did you mean 'dirac'"),
        (lambda: LMuLTau(0.1, 1e-3).width("mu mu"), "no channel 'mu mu'.*known: nu_mu anti-nu_mu"),
        (lambda: LMuLTau(0.1, 0.0).branching_fractions(), "no decay is open"),
        (lambda: LMuLTau(0.1, 1e-3).relic_density(), "needs dark matter"),
        (lambda: LMuLTau(0.1, 1e-3, DarkMatter("dirac", 0.06)).relic_density(), "freeze-out needs 2 m_chi below m_V"),
        (lambda: LMuLTau(0.1, 1e-3).decay_length(0.05), "energy = 0.05 GeV is not allowed"),
        (lambda: thermal_coupling(9.0, DarkMatter("scalar", 0.01, 0.01)), "g = .* is not allowed"),
    ],
)
def test_what_makes_no_sense_is_named(make, message):
    with pytest.raises(ProcessError, match=message):
        make()


def test_no_coupling_is_no_decay():
    assert LMuLTau(0.1, 0.0).lifetime() == math.inf
    assert LMuLTau(0.1, 0.0).decay_length(75.0) == math.inf
