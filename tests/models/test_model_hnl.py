"""The heavy neutral lepton: production and decay against traces, spinors and published numbers."""

import math

import numpy as np
import pytest
from boson_decays import antispinors, spinors, two_body_width
from dirac import GAMMA, IDENTITY, KAON, LEFT, METRIC, RIGHT, bar, kallen, slash
from hypothesis import given, settings
from hypothesis import strategies as st
from relative import approx
from scipy.optimize import minimize_scalar

from kaongen.errors import ProcessError
from kaongen.models import hnl
from kaongen.models.constants import F_PI, SIN2_THETA_W, V_UD
from kaongen.models.hnl import HeavyNeutralLepton
from kaongen.particles import BR_K_ENU, BR_K_MUNU, G_F, M_E, M_K, M_MU, M_PI, M_PI0, TAU_MU, TAU_PI


def kaon_width(m_n, m_l):
    """Gamma(K -> l N) for the vertex ubar(N) Pslash P_L v(l)."""
    vertex = slash(KAON) @ LEFT

    def average(heavy, lepton):
        return np.trace((slash(heavy) + m_n * IDENTITY) @ vertex @ (slash(lepton) - m_l * IDENTITY) @ bar(vertex)).real

    return two_body_width(M_K, m_n, m_l, average)


@settings(max_examples=60)
@given(fraction=st.floats(0.0, 0.9999), m_l=st.sampled_from([M_E, M_MU]))
def test_rho_is_the_ratio_of_widths(fraction, m_l):
    m_n = fraction * (M_K - m_l)
    # for the electron the trace itself loses four digits
    assert hnl.rho(m_n, m_l) == approx(kaon_width(m_n, m_l) / kaon_width(0.0, m_l), rel=1e-8 if m_l > 0.1 else 1e-5)


def test_published_values_for_the_muon():
    """NA62, Phys. Lett. B 816 (2021) 136259, below equation (1)."""
    assert hnl.rho(0.0) == approx(1)
    assert hnl.rho(M_K - M_MU) == 0
    top = minimize_scalar(lambda m: -hnl.rho(m), bounds=(0.1, 0.38), method="bounded", options={"xatol": 1e-6})
    assert top.x == approx(0.263, abs=5e-4)
    assert -top.fun == approx(4.13, abs=5e-3)


@given(m_n=st.floats(0.0, 0.387))
def test_equation_1_as_it_is_printed(m_n):
    x, y = (M_MU / M_K) ** 2, (m_n / M_K) ** 2
    printed = (x + y - (x - y) ** 2) / (x * (1 - x) ** 2) * math.sqrt(1 + x**2 + y**2 - 2 * (x + y + x * y))
    assert hnl.rho(m_n) == approx(printed, rel=1e-7)


def test_the_electron_is_freed_from_its_helicity():
    """rho_e/rho_mu -> m_mu^2/m_e^2 for equal phase space, at most 1.4 10^5."""
    assert hnl.rho(0.0, M_E) == approx(1)
    assert hnl.rho(M_K - M_E, M_E) == 0
    y = (0.285 / M_K) ** 2
    assert hnl.rho(0.285, M_E) == approx(y * (1 - y) ** 2 / (M_E / M_K) ** 2, rel=1e-4)
    assert hnl.rho(0.285, M_E) == approx(1.383e5, rel=1e-3)


def test_branching_fractions_of_the_kaon():
    assert hnl.kaon_branching_fraction("mu", 0.263, 1e-8) == approx(0.6356 * 4.126e-8, rel=1e-3)
    assert hnl.kaon_branching_fraction("e", 0.0, 1.0) == approx(BR_K_ENU.value)
    n = HeavyNeutralLepton(0.3, u2_mu=1e-8)
    assert n.kaon_branching_fraction("mu") == approx(BR_K_MUNU.value * hnl.rho(0.3) * 1e-8)
    assert n.kaon_branching_fraction("e") == 0


@given(m_n=st.floats(0.25, 0.49), m_l=st.sampled_from([M_E, M_MU]))
def test_pion_and_lepton_are_a_pion_decay_crossed(m_n, m_l):
    """The spin sum of N -> l pi is that of pi -> l N with the sign of p_N turned, over N's two spins."""
    scale = G_F**2 * V_UD**2 * F_PI**2

    def average(pion, lepton):
        heavy = pion + lepton
        vertex = math.sqrt(2) * slash(pion) @ LEFT
        trace = np.trace((slash(lepton) + m_l * IDENTITY) @ vertex @ (slash(heavy) + m_n * IDENTITY) @ bar(vertex))
        return scale * trace.real / 2

    expected = two_body_width(m_n, M_PI, m_l, average) if m_n > M_PI + m_l else 0.0
    assert hnl.width_to_pion(m_n, m_l) == approx(expected, rel=1e-7, abs=1e-30)


def test_the_same_constants_give_the_pion_its_lifetime():
    """Tree level is 2% low: radiative corrections."""
    r = (M_MU / M_PI) ** 2
    width = G_F**2 * F_PI**2 * V_UD**2 * M_PI * M_MU**2 * (1 - r) ** 2 / (8 * math.pi)
    assert 6.582119569e-16 / width == approx(TAU_PI, rel=0.03)


def test_neutral_pion():
    """By the Z, half of a charged pion's width with a massless lepton and V_ud = 1, at equal masses."""
    charged = G_F**2 * F_PI**2 * 0.3**3 / (16 * math.pi) * (1 - (M_PI0 / 0.3) ** 2) ** 2
    assert hnl.width_to_pi0(0.3) == approx(charged / 2)
    assert hnl.width_to_pi0(0.13) == 0


def helicity_sum(heavy, neutrino, minus, plus, m_n, masses, neutral, charged):
    """Sum over spins of |M|^2/(8 G_F^2) for N -> nu l-(minus) l+(plus), currents contracted spinor by spinor.

    neutral: (g_L, g_R) of the pair coupled to the Z; charged: coefficient of (l- N)(nu l+), which gets the minus sign
    of the exchanged fermions.
    """
    u_n, u_nu = spinors(heavy, m_n), spinors(neutrino, 0.0)
    u_l, v_l = spinors(minus, masses[0]), antispinors(plus, masses[1])
    left, right = neutral
    total = np.zeros((2, 2, 2, 2), dtype=complex)
    for mu in range(4):
        sign = METRIC[mu, mu]
        g = GAMMA[mu]
        nu_n = u_nu.conj().T @ GAMMA[0] @ g @ LEFT @ u_n
        pair = u_l.conj().T @ GAMMA[0] @ g @ (left * LEFT + right * RIGHT) @ v_l
        l_n = u_l.conj().T @ GAMMA[0] @ g @ LEFT @ u_n
        nu_l = u_nu.conj().T @ GAMMA[0] @ g @ LEFT @ v_l
        total += sign * np.einsum("an,lp->nalp", nu_n, pair)
        total -= sign * charged * np.einsum("ln,ap->nalp", l_n, nu_l)
    return float(np.sum(np.abs(total) ** 2))


def three_body_width(m_n, masses, neutral, charged, points=20):
    """Gamma(N -> nu l- l+)/|U|^2 over the Dalitz plot, from the spinors."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    low, high = masses[0] + masses[1], m_n
    total = 0.0
    for a, wa in zip(nodes, weights, strict=True):
        # the pair's mass, stretched so that both ends are smooth
        t = 0.5 * (a + 1)
        root = low + (high - low) * t * t * (3 - 2 * t)
        measure = (high - low) * 6 * t * (1 - t) * 0.5 * wa
        pair = root**2
        momentum = (m_n**2 - pair) / (2 * m_n)
        neutrino = np.array([momentum, 0.0, 0.0, momentum])
        size = math.sqrt(max(kallen(pair, masses[0] ** 2, masses[1] ** 2), 0)) / (2 * root)
        energies = [(m_n - momentum) / root, -momentum / root]
        for c, wc in zip(nodes, weights, strict=True):
            e = math.hypot(size, masses[0])
            along, across = size * c, size * math.sqrt(1 - c * c)
            minus = np.array(
                [energies[0] * e + energies[1] * along, across, 0.0, energies[0] * along + energies[1] * e]
            )
            heavy = np.array([m_n, 0.0, 0.0, 0.0])
            plus = heavy - neutrino - minus
            squared = 8 * G_F**2 * helicity_sum(heavy, neutrino, minus, plus, m_n, masses, neutral, charged)
            total += measure * wc * squared * size * momentum
    # 1/(2m), 1/2 for N's spins, dM^2/(2 pi), and p/(4 pi M) for each of the two steps, the second over 2 of cosine
    return total / (128 * math.pi**3 * m_n**2)


Z = (SIN2_THETA_W - 0.5, SIN2_THETA_W)


@pytest.mark.parametrize(("m_n", "m_l"), [(0.1, M_E), (0.25, M_MU), (0.35, M_MU), (0.01, 0.003)])
@pytest.mark.parametrize("charged", [False, True])
def test_pairs_are_what_the_spinors_say(m_n, m_l, charged):
    expected = three_body_width(m_n, (m_l, m_l), Z, 1.0 if charged else 0.0)
    assert hnl.width_to_pair(m_n, m_l, charged) == approx(expected, rel=2e-4)


@pytest.mark.parametrize(
    ("m_n", "m_a", "m_b"), [(0.2, M_E, M_MU), (0.2, M_MU, M_E), (0.3, 0.06, M_MU), (0.12, M_MU, M_E)]
)
def test_unlike_leptons_are_what_the_spinors_say(m_n, m_a, m_b):
    expected = three_body_width(m_n, (m_a, m_b), (0.0, 0.0), 1.0)
    assert hnl.width_to_unlike_leptons(m_n, m_a, m_b) == approx(expected, rel=2e-4)


def test_unlike_leptons_are_a_muon_decay():
    """The phase-space function 1 - 8r + 8r^3 - r^4 - 12 r^2 ln r, whichever of the two is heavy."""
    m = 0.2
    r = (M_MU / m) ** 2
    phase = 1 - 8 * r + 8 * r**3 - r**4 - 12 * r * r * math.log(r)
    muon = 6.582119569e-16 / TAU_MU * (m / M_MU) ** 5 / (1 - 8 * (M_E / M_MU) ** 2)
    for masses in ((0.0, M_MU), (M_MU, 0.0)):
        assert hnl.width_to_unlike_leptons(m, *masses) == approx(muon * phase, rel=5e-3)


def test_three_neutrinos():
    """Two foreign flavours at (1/2)^2 each and the own one at twice the amplitude, halved for identical particles."""
    muon = G_F**2 * 0.05**5 / (192 * math.pi**3)
    assert hnl.width_to_neutrinos(0.05) == approx(muon * (2 * 0.25 + 4 * 0.25 / 2))
    massless = hnl.width_to_pair(1.0, 1e-6, False)
    assert massless == approx(G_F**2 / (192 * math.pi**3) * (Z[0] ** 2 + Z[1] ** 2), rel=1e-6)


def test_lifetime_of_a_sterile_neutrino_of_keV_mass():
    """1/(4.7 10^10 s) (m/50 keV)^5 sin^2(theta), Majorana: Adhikari et al., JCAP 01 (2017) 025 (arXiv:1602.04816)."""
    n = HeavyNeutralLepton(5e-5, u2_e=1.0, majorana=True)
    assert n.lifetime() * 1e-9 == approx(4.7e10, rel=0.03)


def test_lifetime_quoted_by_na62():
    """It exceeds 10^-4/|U|^2 microseconds, where K -> mu N is searched (below 384 MeV), whatever the flavour."""
    worst = min(
        HeavyNeutralLepton(0.384, majorana=majorana, **{flavour: 1.0}).lifetime() * 1e-3
        for flavour in ("u2_e", "u2_mu", "u2_tau")
        for majorana in (False, True)
    )
    assert worst == approx(1e-4, rel=0.05)


@settings(max_examples=40)
@given(
    m_n=st.floats(0.002, 0.49),
    u2=st.tuples(*[st.floats(0, 1e-3)] * 3).filter(lambda u: sum(u) > 1e-9),
)
def test_widths_add_up(m_n, u2):
    n = HeavyNeutralLepton(m_n, *u2)
    widths = n.widths()
    assert min(widths.values()) >= 0
    assert math.fsum(n.branching_fractions().values()) == approx(1)
    parts = [HeavyNeutralLepton(m_n, **{name: u}) for name, u in zip(("u2_e", "u2_mu", "u2_tau"), u2, strict=True)]
    for channel, width in widths.items():
        assert math.fsum(p.width(channel) for p in parts) == approx(width, rel=1e-9, abs=1e-60)
    assert HeavyNeutralLepton(m_n, *u2, majorana=True).lifetime() == approx(n.lifetime() / 2)
    assert 0 < n.invisible_fraction() <= 1


def test_channels_open_one_after_another():
    closed = {
        m: {c for c, w in HeavyNeutralLepton(m, u2_mu=1e-6).widths().items() if w == 0} for m in (0.05, 0.12, 0.2, 0.3)
    }
    electron = {"pi+ e-", "e- mu+ nu_mu"}
    assert closed[0.05] == electron | {"nu mu+ mu-", "pi+ mu-", "pi0 nu", "mu- e+ nu_e"}
    assert closed[0.12] == closed[0.05] - {"mu- e+ nu_e"}
    assert closed[0.2] == closed[0.12] - {"pi0 nu"}
    assert closed[0.3] == electron


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HeavyNeutralLepton(0.6, u2_mu=1e-8), "heavy neutral lepton: m_n = 0.6 GeV is not allowed"),
        (lambda: HeavyNeutralLepton(0.3, u2_e=-1e-8), "u2_e = -1e-08 is not allowed: it must lie between 0 and 1"),
        (lambda: HeavyNeutralLepton(0.3).branching_fractions(), "no decay is open"),
        (lambda: hnl.kaon_branching_fraction("tau", 0.1, 1e-8), r"no decay to 'tau'.*known: e, mu"),
        (lambda: hnl.kaon_branching_fraction("mu", 0.1, 2.0), "u2 = 2 is not allowed"),
    ],
)
def test_what_makes_no_sense_is_named(make, message):
    with pytest.raises(ProcessError, match=message):
        make()
