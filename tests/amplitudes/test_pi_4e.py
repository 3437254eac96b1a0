"""K+ -> pi+ e+ e- e+ e- against all Feynman diagrams with explicit Dirac matrices, and against published rates.

The diagrams are in units of alpha^2 G_F, with all couplings to photons 1. Momenta are (E, px, py, pz) here; p is the
pion, a and b are the positrons, c and d the electrons.
"""

from itertools import product
from math import factorial, log, pi, sqrt

import numpy as np
import pytest
from dirac import GAMMA, IDENTITY, KAON, METRIC, dot, fractions, invariants, momenta, propagator, slash
from hypothesis import given, settings
from numba import njit
from scipy.integrate import quad
from scipy.optimize import brentq

from kaongen.amplitudes import pi_4e, pi_gg, pi_ll
from kaongen.particles import ALPHA_EM, G_F, M_E, M_K, M_PI, TAU_K

A, B, C_HAT = -0.531, -1.232, 1.72
HBAR = 6.582119569e-16
"""GeV ns"""

NAMES, LEPTONS = "pabcd", "abcd"
SPINS = (0, 1)
E2, K2, PI2 = M_E**2, M_K**2, M_PI**2


# Diagrams


def spinors(p):
    """ubar of an electron and v of a positron of momentum p, for two spins each."""
    norm = np.sqrt(p[0] + M_E)
    u = [(slash(p) + M_E * IDENTITY) @ IDENTITY[s] / norm for s in SPINS]
    v = [(slash(p) - M_E * IDENTITY) @ IDENTITY[2 + s] / norm for s in SPINS]
    return [x.conj() @ GAMMA[0] for x in u], v


def transition(kaon, pion, k, field, form):
    """K+ -> pi+ in the field of a photon, the mesons on or off their mass shells."""
    both = kaon + pion
    return form(dot(k, k)) * (dot(k, k) * dot(both, field) - dot(k, both) * dot(k, field))


def radiated(pion, k, field, other_k, other_field, form, contact):
    """The photon k from the transition, and the other one from a meson of charge 1 or from the same point."""
    kaon_after, pion_before = KAON - other_k, pion + other_k
    by_kaon = dot(KAON + kaon_after, other_field) / (dot(kaon_after, kaon_after) - K2)
    by_pion = dot(pion + pion_before, other_field) / (dot(pion_before, pion_before) - PI2)
    transverse = dot(k, k) * field - k * dot(k, field)
    return (
        by_kaon * transition(kaon_after, pion, k, field, form)
        + by_pion * transition(KAON, pion_before, k, field, form)
        - contact * 2.0 * form(dot(k, k)) * dot(transverse, other_field)
    )


def loop_amplitude(z):
    """e^2 A(z)/m_K^2 of Ecker, Pich and de Rafael over alpha^2 G_F."""
    r = PI2 / K2
    pion, kaon = complex(*pi_gg.loop(z / r)), complex(*pi_gg.loop(z))
    return 2 * pi_gg.G_8 / G_F * (((r - 1 - z) * pion + (1 - r - z) * kaon) / z + C_HAT)


def diagrams(p, gauge=0.0, contact=1.0):
    """Amplitudes with one photon, with two, and of the loops, (3, 2, 2, 2, 2) for the spins of a, b, c, d.

    `gauge` adds gauge k to the field of each pair, and changes the propagator of the photon that makes both.
    """
    ubar = {name: spinors(p[name])[0] for name in "cd"}
    v = {name: spinors(p[name])[1] for name in "ab"}
    q = sum(p[name] for name in LEPTONS)
    loops = loop_amplitude(dot(q, q) / K2)

    def form(k2):
        return -(A + B * k2 / K2)

    def field(e, s_e, o, s_o):
        k = p[e] + p[o]
        return np.array([ubar[e][s_e] @ g @ v[o][s_o] for g in GAMMA]) / dot(k, k) + gauge * k

    def current(e, s_e, o, s_o, k, field):
        """Current of an electron and a positron, which have charge -1, while the field acts on either."""
        before, after = slash(field) @ propagator(p[e] + k, M_E), propagator(-(p[o] + k), M_E) @ slash(field)
        return -np.array([ubar[e][s_e] @ (before @ g + g @ after) @ v[o][s_o] for g in GAMMA])

    result = np.zeros((3, 2, 2, 2, 2), dtype=complex)
    for (sign, x, y), (s_c, s_x, s_d, s_y) in product(((1, "a", "b"), (-1, "b", "a")), product(SPINS, repeat=4)):
        k1, k2 = p["c"] + p[x], p["d"] + p[y]
        field1, field2 = field("c", s_c, x, s_x), field("d", s_d, y, s_y)
        j = current("c", s_c, x, s_x, k2, field2) + current("d", s_d, y, s_y, k1, field1)
        one = transition(KAON, p["p"], q, (j - gauge * q * dot(q, j)) / dot(q, q), form)
        two = radiated(p["p"], k1, field1, k2, field2, form, contact)
        two += radiated(p["p"], k2, field2, k1, field1, form, contact)
        loop = loops * (dot(k2, field1) * dot(k1, field2) - dot(k1, k2) * dot(field1, field2))
        spins = (s_x, s_y, s_c, s_d) if x == "a" else (s_y, s_x, s_c, s_d)
        result[:, *spins] += sign * np.array([one, two, loop])
    return result


def spin_sum(amplitude):
    return (abs(amplitude) ** 2).sum()


def kernel(function, p, *parameters, order=NAMES):
    return function(*(tuple(float(x) for x in (*p[name][1:], p[name][0])) for name in order), *parameters)


# Phase space, with the virtual photons and the electrons close to them sampled by their logarithms


def square(p):
    return np.einsum("ni,ij,nj->n", p, METRIC, p)


def size(s, s1, s2):
    m, m1, m2 = np.sqrt(s), np.sqrt(s1), np.sqrt(s2)
    return np.sqrt(np.maximum((m - m1 - m2) * (m + m1 + m2) * (m - m1 + m2) * (m + m1 - m2), 0.0)) / (2 * m)


def two_bodies(s, s1, s2):
    """Phase space of two bodies from one of squared mass s."""
    return size(s, s1, s2) / (4 * pi * np.sqrt(s))


def decay(rng, parent, s, s1, s2):
    """Momenta of two bodies of squared masses s1, s2 from one of squared mass s, isotropic in its rest frame."""
    length, cosine, angle = size(s, s1, s2), rng.uniform(-1, 1, len(s)), rng.uniform(0, 2 * pi, len(s))
    across = length * np.sqrt(1 - cosine**2)
    p = np.stack([across * np.cos(angle), across * np.sin(angle), length * cosine], axis=1)
    mass, daughters = np.sqrt(s), []
    for sign, energy in ((1, np.sqrt(length**2 + s1)), (-1, np.sqrt(length**2 + s2))):
        along = sign * (p * parent[:, 1:]).sum(axis=1)
        factor = (along / (parent[:, 0] + mass) + energy) / mass
        boosted = sign * p + factor[:, None] * parent[:, 1:]
        daughters.append(np.column_stack([(parent[:, 0] * energy + along) / mass, boosted]))
    return daughters


def draw(rng, low, high, pole):
    return pole + (low - pole) * ((high - pole) / (low - pole)) ** rng.uniform(size=len(high))


def density(s, low, high, pole):
    inside = (s > low) & (s < high)
    return np.where(inside, 1 / (np.where(inside, s - pole, 1.0) * np.log((high - pole) / (low - pole))), 0.0)


PAIRS = [("c", "a", "d", "b"), ("c", "b", "d", "a")]
"""Virtual photons to the first two and to the last two: first the one or first the other, for each."""
CHAINS = [(*chain, e, o) for c, x, e, o in (*PAIRS, *(p[2:] + p[:2] for p in PAIRS)) for chain in ((c, x), (x, c))]
"""The first radiates a virtual photon to the last two, and the second does not."""
CHANNELS = [*((c, True) for c in PAIRS), *((c, False) for c in CHAINS)]


def channel_density(p, q2, channel, paired):
    """Density of the leptons that come from q2, over the phase space of the three decays in two."""
    first, second, third, fourth = (p[name] for name in channel)
    mass, s4 = np.sqrt(q2), np.maximum(square(third + fourth), 4.000001 * E2)
    if paired:
        s3 = np.maximum(square(first + second), 4.000001 * E2)
        chosen = 0.0
        for x, y in ((s3, s4), (s4, s3)):
            second_high = (mass - np.sqrt(x)) ** 2
            chosen += density(x, 4 * E2, (mass - 2 * M_E) ** 2, 0.0) * density(y, 4 * E2, second_high, 0.0) / 2
        return chosen / (two_bodies(q2, s3, s4) * two_bodies(s3, E2, E2) * two_bodies(s4, E2, E2))
    s3 = np.maximum(square(first + third + fourth), 9.000001 * E2)
    chosen = density(s3, 9 * E2, (mass - M_E) ** 2, E2) * density(s4, 4 * E2, (np.sqrt(s3) - M_E) ** 2, 0.0)
    return chosen / (two_bodies(q2, s3, E2) * two_bodies(s3, E2, s4) * two_bodies(s4, E2, E2))


def sample(rng, n):
    """Momenta (n, 4) of the five particles, and weights of which the mean is an integral over phase space."""
    lowest, highest = 16 * E2, np.full(n, (M_K - M_PI) ** 2)
    q2 = np.where(rng.uniform(size=n) < 0.7, rng.uniform(lowest, highest), draw(rng, lowest, highest, 0.0))
    p = {name: np.empty((n, 4)) for name in LEPTONS}
    p["p"], leptons = decay(rng, np.tile(KAON, (n, 1)), np.full(n, K2), np.full(n, PI2), q2)
    which = rng.integers(0, len(CHANNELS), n)
    for number, ((first, second, third, fourth), paired) in enumerate(CHANNELS):
        i = which == number
        q, s = leptons[i], q2[i]
        mass, light = np.sqrt(s), np.full(len(s), E2)
        if paired:
            x = draw(rng, 4 * E2, (mass - 2 * M_E) ** 2, 0.0)
            y = draw(rng, 4 * E2, (mass - np.sqrt(x)) ** 2, 0.0)
            swap = rng.uniform(size=len(s)) < 0.5
            s3, s4 = np.where(swap, y, x), np.where(swap, x, y)
            left, right = decay(rng, q, s, s3, s4)
            p[first][i], p[second][i] = decay(rng, left, s3, light, light)
        else:
            s3 = draw(rng, 9 * E2, (mass - M_E) ** 2, E2)
            s4 = draw(rng, 4 * E2, (np.sqrt(s3) - M_E) ** 2, 0.0)
            left, p[second][i] = decay(rng, q, s, s3, light)
            p[first][i], right = decay(rng, left, s3, light, s4)
        p[third][i], p[fourth][i] = decay(rng, right, s4, light, light)
    total = sum(channel_density(p, q2, *channel) for channel in CHANNELS) / len(CHANNELS)
    total *= 0.7 / (highest - lowest) + 0.3 * density(q2, lowest, highest, 0.0)
    return p, two_bodies(K2, PI2, q2) / (2 * pi) ** 3 / total  # 2 pi for each intermediate squared mass


@njit(error_model="numpy")
def evaluate(p, a, b, c_hat, result):
    for j in range(p.shape[1]):
        pion = (p[0, j], p[1, j], p[2, j], p[3, j])
        k, m = (p[4, j], p[5, j], p[6, j], p[7, j]), (p[8, j], p[9, j], p[10, j], p[11, j])
        n, o = (p[12, j], p[13, j], p[14, j], p[15, j]), (p[16, j], p[17, j], p[18, j], p[19, j])
        result[0, j] = pi_4e.one_photon(pion, k, m, n, o, a, b)
        result[1, j] = pi_4e.squared(pion, k, m, n, o, a, b)
        result[2, j] = pi_4e.with_loops(pion, k, m, n, o, 0.0, 0.0, c_hat)


SAMPLE = 200_000


@pytest.fixture(scope="module")
def weighted():
    """Weights: of phase space, and of branching fractions with one photon, with two as well, and of the loops alone.

    Third, the mass of the four leptons.
    """
    p, weight = sample(np.random.default_rng(20220704), SAMPLE)
    values = np.empty((3, SAMPLE))
    evaluate(np.concatenate([np.roll(p[name], -1, axis=1).T for name in NAMES]), A, B, C_HAT, values)
    values *= pi_4e.unit_squared() / 4 / (2 * M_K) * TAU_K / HBAR
    return weight, values * weight, np.sqrt(square(sum(p[name] for name in LEPTONS)))


def mean(weights):
    return weights.mean(), weights.std() / sqrt(len(weights))


# Points of phase space


@pytest.fixture(scope="module", params=range(24))
def point(request):
    p, _ = sample(np.random.default_rng([2022, request.param]), 1)
    return {name: value[0] for name, value in p.items()}


def with_directions(*directions):
    """The point at which the leptons' momenta are the same number times these vectors."""
    directions = np.array(directions, dtype=float)

    def energies(scale):
        pion = scale * directions.sum(axis=0)
        return np.sqrt([PI2 + pion @ pion, *(E2 + scale**2 * (directions**2).sum(axis=1))])

    scale = brentq(lambda x: energies(x).sum() - M_K, 0.0, M_K, xtol=1e-16)
    vectors = [-scale * directions.sum(axis=0), *(scale * directions)]
    return {name: np.array([e, *p]) for name, e, p in zip(NAMES, energies(scale), vectors, strict=True)}


X, Z = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
EDGES = {
    "pairs at rest in themselves": with_directions(X, -Z, X, -Z),
    "pairs along the axis of the spins": with_directions(Z, -Z, Z, -Z),
    "equal positrons": with_directions(X, X, Z, -X),
    "leptons at rest": with_directions(0 * X, X, 0 * X, Z),
    "pion at rest": with_directions(Z, -Z, X, -X),
}


@pytest.fixture(scope="module", params=EDGES)
def edge(request):
    return EDGES[request.param]


# Tests


def test_kernels_agree_with_the_diagrams(point):
    """Spinors, propagators and currents as the rules have them: nothing cancelled, no use of what is conserved."""
    one, two, loops = diagrams(point)
    assert kernel(pi_4e.one_photon, point, A, B) == pytest.approx(spin_sum(one), rel=1e-9, abs=0)
    assert kernel(pi_4e.squared, point, A, B) == pytest.approx(spin_sum(one + two), rel=1e-9, abs=0)
    total = spin_sum(one + two + loops)
    assert kernel(pi_4e.with_loops, point, A, B, C_HAT) == pytest.approx(total, rel=1e-9, abs=0)


def test_kernels_are_right_at_the_edges(edge):
    one, two, loops = diagrams(edge)
    expected = spin_sum(one + two)
    # opposite directions leave nothing for a kaon at rest to emit one photon with
    assert kernel(pi_4e.one_photon, edge, A, B) == pytest.approx(spin_sum(one), rel=1e-9, abs=1e-12 * expected)
    assert kernel(pi_4e.squared, edge, A, B) == pytest.approx(expected, rel=1e-9, abs=0)
    assert kernel(pi_4e.with_loops, edge, A, B, C_HAT) == pytest.approx(spin_sum(one + two + loops), rel=1e-9, abs=0)


def test_one_photon_does_not_make_four_leptons_at_rest():
    """Equal leptons at the same velocity have opposite spins, so that all four have no angular momentum together."""
    together = with_directions(Z, Z, Z, Z)
    two = kernel(pi_4e.squared, together, A, B)
    assert 1.0 < two < np.inf
    assert kernel(pi_4e.one_photon, together, A, B) < 1e-12 * two


def test_every_photon_is_gauge_invariant(point):
    """And the contact term is what makes the two-photon topology so."""
    gauge = 1e4
    here, there = diagrams(point), diagrams(point, gauge)
    for before, after in zip(here, there, strict=True):
        assert abs(after - before).max() < 1e-8 * abs(before).max()
    without = diagrams(point, gauge, contact=0.0)[1] - diagrams(point, contact=0.0)[1]
    assert abs(without).max() > 1e-3 * abs(here[1]).max()


@settings(max_examples=20, deadline=None)
@given(where=fractions(0.02))
def test_one_photon_is_that_of_the_decay_to_one_pair(where):
    masses = (M_E, M_E, M_PI)
    s12, s23 = invariants(masses, *where, logarithmic=True)
    positron, electron, pion = momenta(s12, s23, masses)
    k, (ubar, _), (_, v) = positron + electron, spinors(electron), spinors(positron)
    total = 0.0
    for s, t in product(SPINS, repeat=2):
        field = np.array([ubar[s] @ g @ v[t] for g in GAMMA]) / dot(k, k)
        total += abs(transition(KAON, pion, k, field, lambda k2: A + B * k2 / K2)) ** 2
    assert total == pytest.approx(pi_ll.squared(s12, s23, M_E, A, B), rel=1e-8)
    assert pi_4e.unit_squared() == pytest.approx(((4 * pi * ALPHA_EM) ** 2 * G_F / (4 * pi) ** 2) ** 2)


def test_equal_leptons_can_be_exchanged_and_no_direction_is_special(point):
    rotation = np.eye(4)
    rotation[1:, 1:], _ = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))
    turned = {name: rotation @ value for name, value in point.items()}
    for function, parameters in ((pi_4e.squared, (A, B)), (pi_4e.with_loops, (A, B, C_HAT))):
        expected = pytest.approx(kernel(function, point, *parameters), rel=1e-8, abs=0)
        for order in ("pbacd", "pabdc", "pbadc"):
            assert kernel(function, point, *parameters, order=order) == expected
        assert kernel(function, turned, *parameters) == expected


def test_exchange_of_electrons_and_positrons_changes_the_sign_of_one_photon(point):
    one, two, _ = diagrams(point)
    assert kernel(pi_4e.one_photon, point, A, B, order="pcdab") == pytest.approx(spin_sum(one), rel=1e-8, abs=0)
    both = kernel(pi_4e.squared, point, A, B) + kernel(pi_4e.squared, point, A, B, order="pcdab")
    assert both == pytest.approx(2 * (spin_sum(one) + spin_sum(two)), rel=1e-8, abs=0)


@pytest.mark.parametrize("x", [1e-4, 0.3, 1.999, 2.001, 3.999, 4.0, 4.001, 6.44])
def test_vectorised_loop_function(x):
    assert pi_4e.loop(x) == pytest.approx(pi_gg.loop(x), rel=1e-11, abs=1e-14)


def test_sampled_phase_space(weighted):
    """Four massless bodies have s^2/(24 (4 pi)^5); the mass of the electron changes less than the error."""
    volume, error = mean(weighted[0])
    four = 1 / (2 * (4 * pi) ** 5 * factorial(3) * factorial(2))
    expected, _ = quad(lambda s: two_bodies(K2, PI2, s) / (2 * pi) * four * s**2, 0.0, (M_K - M_PI) ** 2)
    assert error < 0.015 * expected
    assert volume == pytest.approx(expected, abs=4 * error)


def test_published_branching_fractions(weighted):
    """Husek, Phys. Rev. D 106 (2022) L071301; inputs and the two-photon topology differ, within twice his errors.

    That is (7.2 +- 0.7)e-11 outside the pi0 and (6.0 +- 0.6)e-11 above 150 MeV. Here it is 6.4e-11 and 5.3e-11.
    """
    _, (one, both, _), mass = weighted
    total, error = mean(both)
    assert error < 0.02 * total
    assert total == pytest.approx(7.2e-11, abs=2 * 0.7e-11)
    assert mean(both * (mass > 0.15))[0] == pytest.approx(6.0e-11, abs=2 * 0.6e-11)
    # one photon prevails, says the same paper
    assert 0.85 < mean(one)[0] / total < 1.0


def test_loops_convert_both_photons(weighted):
    """K+ -> pi+ gamma gamma, either photon converted in a fraction (2 alpha/3 pi)(log(m/m_e) - 7/4), m that of both."""

    def spectrum(z):
        loops = abs(z * loop_amplitude(z) * G_F / (2 * pi_gg.G_8)) ** 2
        pairs = 4 * ALPHA_EM / (3 * pi) * (log(M_K * sqrt(z) / M_E) - 1.75)
        triangle = 1 + z**2 + (PI2 / K2) ** 2 - 2 * (z + z * PI2 / K2 + PI2 / K2)
        return 0.5 * sqrt(max(triangle, 0.0)) * loops * pairs**2 / 4

    area, _ = quad(spectrum, 0.001, (1 - M_PI / M_K) ** 2, points=[4 * PI2 / K2])
    scale = M_K / (512 * pi**3) * (pi_gg.G_8 * K2 * ALPHA_EM / (2 * pi)) ** 2 * TAU_K / HBAR
    rate, error = mean(weighted[1][2])
    assert error < 0.01 * rate
    assert rate == pytest.approx(scale * area, rel=0.05)
