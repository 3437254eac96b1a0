"""Decays to many bodies against weighted points of flat phase space, with |M|^2 put in by the names of the daughters.

The reference knows the amplitudes' equations (which tests/amplitudes asks about) and two-body decays, and nothing of
coordinates, warps, cells and the order of daughters.
"""

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from nbody import (
    assert_likely,
    boosted,
    decays,
    energies,
    integral_over_pair,
    mass_squared,
    pair_masses,
    pairs_of_pairs,
    power_of_pair,
    probabilities_of,
    to_rest,
    two_body,
    two_directions,
    two_pairs,
)
from phase_space import P_MIN, assert_attempts, numbered, sampled
from scipy import stats

from kaongen import sample
from kaongen.amplitudes import kl3_gamma, kl4, lnu_ll, munu_v_mumu, pi_4e
from kaongen.decays.alias import probabilities
from kaongen.decays.beyond import MUNU_VECTOR
from kaongen.decays.catalogue import find, processes
from kaongen.decays.cells import build_cells
from kaongen.decays.hypercube import BINS, buffers, draws_needed, evaluate, place
from kaongen.decays.phase_space import phase_space
from kaongen.decays.process import ManyBody
from kaongen.decays.samplers import PRIMARY, Cells
from kaongen.decays.workspace import DecayBlock
from kaongen.jit import BLOCK, block_kernel, scalar_kernel
from kaongen.particles import M_E, M_K, M_MU, M_PI, M_PI0
from kaongen.random import stream_key

# Amplitudes by name ----------------------------------------------------------------------------------------------


@scalar_kernel
def one(p, j):
    return p[0, j], p[1, j], p[2, j], p[3, j]


@block_kernel
def other_flavour(lepton, nu, minus, plus, m, m_pair, v, result):
    for j in range(result.size):
        result[j] = lnu_ll.different(one(lepton, j), one(nu, j), one(minus, j), one(plus, j), m, m_pair, v[0], v[1])


@block_kernel
def same_flavour(lepton, nu, minus, plus, m, v, result):
    for j in range(result.size):
        result[j] = lnu_ll.identical(one(lepton, j), one(nu, j), one(minus, j), one(plus, j), m, v[0], v[1])


@block_kernel
def charged_pions(plus, minus, lepton, nu, v, result):
    for j in range(result.size):
        pi, other = one(plus, j), one(minus, j)
        squared = kl4.squared(
            pi, other, one(lepton, j), one(nu, j), M_E, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
        )
        result[j] = squared * kl4.coulomb(pi, other)


@block_kernel
def neutral_pions(first, second, lepton, nu, v, result):
    for j in range(result.size):
        result[j] = kl4.neutral_squared(
            one(first, j), one(second, j), one(lepton, j), one(nu, j), M_E, v[0], v[1], v[2], v[3]
        )


@block_kernel
def with_photon(pion, lepton, nu, photon, m, v, result):
    for j in range(result.size):
        result[j] = kl3_gamma.squared(one(pion, j), one(lepton, j), one(nu, j), one(photon, j), m, v[0], v[1])


@block_kernel
def vector_to_muons(muon, nu, plus, minus, m_v, result):
    for j in range(result.size):
        result[j] = munu_v_mumu.squared(one(muon, j), one(nu, j), one(plus, j), one(minus, j), m_v)


@block_kernel
def four_electrons(pion, plus, other_plus, minus, other_minus, v, result):
    for j in range(result.size):
        a, b, c, d = one(plus, j), one(other_plus, j), one(minus, j), one(other_minus, j)
        result[j] = pi_4e.squared(one(pion, j), a, b, c, d, v[0], v[1])


def weighted(kernel, weight, *arguments):
    result = np.empty(len(weight))
    kernel(*(np.ascontiguousarray(a) if np.ndim(a) > 1 else a for a in arguments), result)
    return result * weight


# References: momenta by name, and weights ------------------------------------------------------------------------


def vector(values, *names):
    return np.array([values[name] for name in names])


def lepton_pair(rng, n, m, nu, lepton, pair, lowest, values):
    """K+ -> l+ nu l'+ l'-."""
    m_pair = {"e": M_E, "mu": M_MU}[pair]
    p, weight = two_pairs(rng, n, M_K, (m_pair, m_pair, m, 0.0), lowest=lowest**2)
    plus, minus, charged, neutrino = p
    terms = vector(values, "contact", "structure")
    if lepton == pair:
        weight = weighted(same_flavour, weight, charged, neutrino, minus, plus, m, terms)
        weight[mass_squared(charged + minus) < lowest**2] = 0.0
    else:
        weight = weighted(other_flavour, weight, charged, neutrino, minus, plus, m, m_pair, terms)
    return [(f"{lepton}+", charged), (nu, neutrino), (f"{pair}+", plus), (f"{pair}-", minus)], weight


def munumumu(rng, n, values):
    return lepton_pair(rng, n, M_MU, "nu_mu", "mu", "mu", 0.0, values)


def munuee(rng, n, values):
    return lepton_pair(rng, n, M_MU, "nu_mu", "mu", "e", values["m_ee_min"], values)


def enuee(rng, n, values):
    return lepton_pair(rng, n, M_E, "nu_e", "e", "e", values["m_ee_min"], values)


def enumumu(rng, n, values):
    return lepton_pair(rng, n, M_E, "nu_e", "e", "mu", 0.0, values)


def pipienu(rng, n, values):
    p, weight = decays(rng, n, M_K, (M_PI, M_PI, M_E, 0.0))
    weight = weighted(
        charged_pions, weight, *p, vector(values, "f_s", "f_s1", "f_s2", "f_e", "f_p", "g_p", "g_p1", "h_p")
    )
    return list(zip(("pi+", "pi-", "e+", "nu_e"), p, strict=True)), weight


def pi0pi0enu(rng, n, values):
    p, weight = decays(rng, n, M_K, (M_PI0, M_PI0, M_E, 0.0))
    weight = weighted(neutral_pions, weight, *p, vector(values, *"abcd"))
    return list(zip(("pi0", "pi0", "e+", "nu_e"), p, strict=True)), weight


def pion_with_photon(rng, n, m, lepton, nu, values):
    """The soft and the collinear pole are at p_l.q = 0, where no photon above the cut comes."""
    cut = values["E_gamma_min"]
    closest = m * m * (1 + 2 * cut / M_K)
    (charged, photon, pion, neutrino), weight = two_pairs(rng, n, M_K, (m, 0.0, M_PI0, 0.0), pole=m * m, lowest=closest)
    slopes = vector(values, "lambda_plus", "lambda_zero")
    weight = weighted(with_photon, weight, pion, charged, neutrino, photon, m, slopes)
    weight[photon[3] < cut] = 0.0
    return [("pi0", pion), (lepton, charged), (nu, neutrino), ("gamma", photon)], weight


def pi0enug(rng, n, values):
    return pion_with_photon(rng, n, M_E, "e+", "nu_e", values)


def pi0munug(rng, n, values):
    return pion_with_photon(rng, n, M_MU, "mu+", "nu_mu", values)


def munu_v_mumu_chain(rng, n, values):
    """K+ -> mu+ nu V, and V -> mu+ mu- in all directions alike; |M|^2 then prefers some."""
    m_v = values["m_X"]
    (muon, nu, v), weight = decays(rng, n, M_K, (M_MU, 0.0, m_v))
    plus, minus = boosted(two_directions(rng, np.full(n, m_v), M_MU, M_MU), v, m_v)
    weight = weighted(vector_to_muons, weight, muon, nu, plus, minus, m_v)
    # phase space of V on its shell, as dS/pi leaves it
    weight *= m_v * two_body(m_v, M_MU, M_MU)
    return [("mu+", muon), ("nu_mu", nu), ("mu+", plus), ("mu-", minus)], weight


def pieeee(rng, n, values):
    (a, c, b, d, pion), weight = pairs_of_pairs(rng, n, M_K, M_E, M_PI)
    weight = weighted(four_electrons, weight, pion, a, b, c, d, vector(values, "a", "b"))
    return [("pi+", pion), ("e+", a), ("e-", c), ("e+", b), ("e-", d)], weight


@dataclass(frozen=True)
class Case:
    name: str
    reference: object
    values: dict
    least: float = 0.2

    @property
    def process(self):
        return find(self.name)

    def complete(self):
        return self.process.values(self.values)

    def expected(self, seed, n):
        """Momenta in the order of the decay, and weights."""
        named, weight = self.reference(np.random.default_rng(seed), n, self.complete())
        found = []
        for name in self.process.daughters:
            place = next(k for k, (known, _) in enumerate(named) if known == name)
            found.append(named.pop(place)[1])
        return np.stack(found), weight


CASES = [
    Case("pi0enug", pi0enug, {}),
    Case("pi0munug", pi0munug, {}),
    Case("pipienu", pipienu, {}),
    Case("pi0pi0enu", pi0pi0enu, {}),
    Case("munuee", munuee, {}, 0.3),
    Case("enuee", enuee, {}),
    Case("munumumu", munumumu, {}, 0.3),
    Case("enumumu", enumumu, {}),
    Case("munuV-mumu", munu_v_mumu_chain, {"m_X": 0.3}),
    Case("pieeee", pieeee, {}),
]

BY_NAME = {case.name: case for case in CASES}

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)

N = 120_000


@cache
def found(name, n=N):
    case = BY_NAME[name]
    return sampled(case.process, case.values, n)


@cache
def expected(name):
    # of four electrons, few points count
    return BY_NAME[name].expected(7, 4 * N if name == "pieeee" else 2 * N)


def test_every_process_of_many_bodies_is_here():
    assert {p.name for p in processes() if isinstance(p.dynamics, ManyBody)} == set(BY_NAME)


# Distributions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "pieeee" else ()) for name in BY_NAME]
)
def test_masses_energies_and_angles(name):
    """Of all pairs of daughters, and two at a time."""
    decays_, points = found(name), expected(name)
    # the mass of V is fixed
    without = ("s23",) if name == "munuV-mumu" else ()
    assert_likely(probabilities_of(decays_.momenta, decays_.weight, *points, without=without))


@every_case
def test_integral_of_the_amplitude(case):
    """From which widths and branching fractions follow."""
    _, weight = expected(case.name)
    table = case.process.cell_table(case.complete())
    error = np.hypot(weight.std() / np.sqrt(len(weight)), table.integral_error)
    assert abs(weight.mean() - table.integral) < 4.5 * error
    assert error < 0.02 * table.integral


@every_case
def test_energy_momentum_and_mass_shells(case):
    p = found(case.name).momenta
    total = p.sum(axis=0)
    assert np.abs(total[:3]).max() < 1e-12 * M_K
    assert np.abs(total[3] - M_K).max() < 1e-12 * M_K
    for particle, mass in zip(p, case.process.masses(case.complete()), strict=True):
        assert np.abs(mass_squared(particle) - mass**2).max() < 1e-12 * M_K**2


def test_cuts_are_kept():
    assert found("pi0enug").momenta[3, 3].min() > 0.01 * (1 - 1e-12)
    assert found("pi0enug").momenta[3, 3].min() < 0.0101
    for name, pairs in (("munuee", [(2, 3)]), ("enuee", [(0, 3), (2, 3)])):
        p = found(name).momenta
        for i, j in pairs:
            mass = np.sqrt(mass_squared(p[i] + p[j]))
            assert 0.14 * (1 - 1e-9) < mass.min() < 0.1401
    p = found("munuV-mumu").momenta
    assert np.sqrt(mass_squared(p[2] + p[3])) == pytest.approx(np.full(N, 0.3), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "i", "j"),
    [("munumumu", 0, 2), ("enuee", 0, 2), ("pi0pi0enu", 0, 1), ("pieeee", 1, 3), ("pieeee", 2, 4)],
)
def test_like_daughters_are_alike(name, i, j):
    """One half of the decays as they are, and the other with the two exchanged."""
    p, weight = found(name).momenta, found(name).weight
    half = N // 2
    exchanged = p[:, :, half:].copy()
    exchanged[[i, j]] = exchanged[[j, i]]
    assert_likely(probabilities_of(p[:, :, :half], weight[:half], exchanged, weight[half:]))
    # and which of the two is faster says nothing about the decay before
    faster = p[i, 3] > p[j, 3]
    assert_likely({"faster": stats.binomtest(int(faster.sum()), N).pvalue})


# Orientation -----------------------------------------------------------------------------------------------------

turned_cases = pytest.mark.parametrize("name", ["munumumu", "munuV-mumu", "pieeee"])


def directions(p):
    """Of a daughter: cosine to z and azimuth; of another about the first: the angle from the plane with z."""
    first, second = p[0, :3], p[2, :3]
    axis = first / np.linalg.norm(first, axis=0)
    z = np.array([0.0, 0.0, 1.0])[:, None] * np.ones_like(axis)
    level = np.cross(z, axis, axis=0)
    upright = np.cross(axis, level, axis=0)
    turn = np.arctan2((second * level).sum(axis=0), (second * upright).sum(axis=0))
    return {"cosine": axis[2], "azimuth": np.arctan2(axis[1], axis[0]), "turn": turn}


LIMITS = {"cosine": 1.0, "azimuth": np.pi, "turn": np.pi}


def tenths(values, limit):
    return np.minimum((10 * (values / limit + 1) / 2).astype(int), 9)


@turned_cases
def test_decays_are_turned_at_random(name):
    """A rotation is a direction and a turn about it: all of them alike, in cells of all three numbers."""
    angles = directions(found(name).momenta)
    cells = np.zeros(N, dtype=int)
    for label, values in angles.items():
        cells = 10 * cells + tenths(values, LIMITS[label])
    assert_likely({"cells": stats.chisquare(np.bincount(cells, minlength=1000)).pvalue})


@turned_cases
def test_each_daughter_flies_in_all_directions_alike(name):
    likely = {}
    for k, (px, py, pz, _) in enumerate(found(name).momenta):
        cosine, azimuth = pz / np.sqrt(px**2 + py**2 + pz**2), np.arctan2(py, px)
        cells = 10 * tenths(cosine, 1.0) + tenths(azimuth, np.pi)
        likely[k] = stats.chisquare(np.bincount(cells, minlength=100)).pvalue
    assert_likely(likely)


@turned_cases
def test_orientation_does_not_depend_on_the_decay(name):
    p = found(name).momenta
    likely = {}
    for label, values in directions(p).items():
        tenth = tenths(values, LIMITS[label])
        for inner, invariant in (energies(p) | pair_masses(p)).items():
            if np.ptp(invariant) < 1e-9:
                continue
            other = np.searchsorted(np.quantile(invariant, np.arange(1, 10) / 10), invariant)
            table = np.bincount(10 * tenth + other, minlength=100).reshape(10, 10)
            likely[label, inner] = stats.chi2_contingency(table).pvalue
    assert_likely(likely)


# Attempts --------------------------------------------------------------------------------------------------------


@every_case
def test_efficiency(case):
    decays_ = found(case.name)
    assert decays_.efficiency > case.least
    assert_attempts(decays_.attempts, N, decays_.efficiency, error=1e-3)


@every_case
def test_few_decays_lie_above_their_bound(case):
    """Four bodies have 5 coordinates in 2^16 cells, and five bodies have 8."""
    decays_ = found(case.name)
    assert decays_.above == np.sum(decays_.weight > 1)
    assert decays_.weight.min() == 1
    assert decays_.above < (5e-3 if case.name == "pieeee" else 1e-3) * N
    assert decays_.weight.mean() - 1 < 1e-3


@pytest.mark.parametrize("name", ["pi0enug", "pieeee"])
def test_weights_above_the_bound_are_kept(name):
    decays_ = sample(find(name), N)
    expected_weight = found(name).weight
    heavy = np.flatnonzero(expected_weight > 1)
    assert len(heavy) > 5
    assert decays_.above_bound == dict(zip(heavy.tolist(), expected_weight[heavy].tolist(), strict=True))
    assert np.array_equal(decays_.weight, expected_weight)
    assert N / decays_.efficiency == pytest.approx(found(name).attempts, rel=1e-12)


@pytest.mark.parametrize("name", ["munumumu", "pi0enug", "pieeee"])
def test_the_same_decays_in_any_threads_blocks_and_order(name):
    """To the last bit."""
    whole = found(name)
    numbers = np.random.default_rng(1).permutation(N)[:3000].astype(np.uint64)
    for size in (777, BLOCK):
        some = numbered(find(name), {}, numbers, size=size)
        assert np.array_equal(some.momenta, whole.momenta[:, :, numbers])
        assert np.array_equal(some.weight, whole.weight[numbers])
    for threads in (1, 3):
        columns = sample(find(name), N, threads=threads).columns
        assert np.array_equal(columns, whole.momenta[:, :3].reshape(-1, N).astype(np.float32))


def test_another_seed_another_process_and_other_draws_make_other_decays():
    p = found("munuee").momenta[:, :, :1000]
    process = find("munuee")
    others = [
        sampled(process, {}, 1000, seed=2),
        sampled(replace(process, name="other"), {}, 1000),
        numbered(process, {}, np.arange(1000, dtype=np.uint64), draws=replace(PRIMARY, first=np.uint64(1))),
        numbered(process, {}, np.arange(1000, 2000, dtype=np.uint64)),
    ]
    for other in others:
        assert not np.isin(other.momenta[0, 3], p[0, 3]).any()


def settled(source, n, seed=1):
    """Momenta, weights and attempts of a sampler."""
    block, key = DecayBlock(source.particles), stream_key(seed, "inefficient")
    momenta, weight, attempts = [], [], 0
    for first in range(0, n, BLOCK):
        count = min(BLOCK, n - first)
        block.number(first, count)
        attempts += source.settle(key, count, PRIMARY, block, block.momenta)[0]
        momenta.append(np.stack([p.reshape(4, BLOCK)[:, :count] for p in block.momenta]))
        weight.append(block.weight[:count].copy())
    return np.concatenate(momenta, axis=2), np.concatenate(weight), attempts


@pytest.mark.parametrize(("name", "factor"), [("munumumu", 0.1), ("pi0enug", 0.05), ("pi0enug", 2.0)])
def test_neither_retries_nor_bounds_that_are_too_low_bias(name, factor):
    """With bounds so much too high each decay takes many attempts; with bounds too low many have weights."""
    process, n = find(name), 100_000
    table = process.cell_table(process.values({}))
    source = Cells(replace(table, acceptance=factor * table.acceptance), process.order, process.dynamics.exchange)
    p, weight, attempts = settled(source, n)
    if factor < 1:
        assert_attempts(attempts, n, factor * table.efficiency, error=1e-3)
        assert weight.max() == 1
    else:
        assert (weight > 1).mean() > 0.3
    assert_likely(probabilities_of(p, weight, *expected(name)))


def test_an_inefficient_amplitude():
    """A resonance of 1% in the mass of two daughters of which the second does not belong to the first system."""
    masses, m, width = (M_MU, 0.05, 0.08, 0.0), 0.27, 0.01
    a, b = m**2, width * m**2
    table = build_cells(power_of_pair, phase_space(M_K, masses), np.array([0, 2, a, b, -1.0]))
    n = 40_000
    p, weight, attempts = settled(Cells(table, range(4)), n)
    assert table.efficiency < 0.1
    # what lies above a bound is accepted once, and carries the rest as weight
    assert_attempts(attempts, n, table.efficiency / weight.mean(), error=5 * table.integral_error / table.integral)
    edges = a + b * np.array([-np.inf, -10, -3, -1, -0.5, 0, 0.5, 1, 3, 10, np.inf])
    ends = np.clip(edges, (masses[0] + masses[2]) ** 2, (M_K - masses[1]) ** 2)
    shares = [
        integral_over_pair(M_K, masses, (0, 2), lambda s: ((s - a) ** 2 + b**2) ** -1, within=piece)
        for piece in pairwise(ends)
    ]
    observed = np.histogram(mass_squared(p[0] + p[2]), edges, weights=weight)[0]
    errors = np.histogram(mass_squared(p[0] + p[2]), edges, weights=weight**2)[0]
    wanted = np.array(shares) / sum(shares) * weight.sum()
    assert stats.chi2.sf(((observed - wanted) ** 2 / errors).sum(), len(wanted) - 1) > P_MIN


def by_hand(table, key, index):
    """Momenta in the canonical orientation, weights and attempts: one attempt after the other for those still left."""
    axes = table.space.dimensions
    coordinates, *room = buffers(table.space.particles)
    momenta, density = room[1], room[3]
    chance, cells = np.zeros(BLOCK), np.zeros(BLOCK, dtype=np.uint64)
    result = np.full((4 * table.space.particles, len(index)), np.nan)
    weight, left, attempts, first = np.zeros(len(index)), np.arange(len(index)), 0, 0
    shape = table.bits, table.shifts, table.alias
    while len(left):
        n = len(left)
        place(key, n, PRIMARY.attempts, np.uint64(first), index, left, axes, *shape, coordinates, chance, cells)
        evaluate(n, *table.arrays(), coordinates, *room)
        probability = density[:n] * table.acceptance[cells[:n].astype(int)]
        good = probability > chance[:n]
        result[:, left[good]] = momenta.reshape(-1, BLOCK)[:, :n][:, good]
        weight[left[good]] = np.maximum(probability[good], 1.0)
        attempts += n
        left = left[~good]
        first += draws_needed(axes)
    return result, weight, attempts


@pytest.mark.parametrize("name", ["enuee", "pieeee"])
def test_attempts_one_by_one(name):
    """The same by hand, where the likeliest mistake is a draw that is used twice."""
    process = find(name)
    table = process.cell_table(process.values({}))
    source, block = Cells(table, range(table.space.particles)), DecayBlock(table.space.particles)
    block.number(5, 3000)
    attempts, above = source.settle(stream_key(2, name), 3000, PRIMARY, block, block.momenta)
    expected_momenta, weight, expected_attempts = by_hand(table, stream_key(2, name), block.index[:3000])
    p = np.stack([q.reshape(4, BLOCK)[:, :3000] for q in block.momenta])
    assert attempts == expected_attempts
    assert above == (weight > 1).sum()
    assert np.array_equal(block.weight[:3000], weight)
    # the orientation leaves energies and the angles between daughters alone
    q = expected_momenta.reshape(-1, 4, 3000)
    assert np.array_equal(p[:, 3], q[:, 3])
    assert (
        np.abs(np.einsum("ikn,jkn->ijn", p[:, :3], p[:, :3]) - np.einsum("ikn,jkn->ijn", q[:, :3], q[:, :3])).max()
        < 1e-15
    )
    triple = [np.linalg.det(x[:3, :3].transpose(2, 0, 1)) for x in (p, q)]
    assert np.abs(triple[0] - triple[1]).max() < 1e-15


# Tables ----------------------------------------------------------------------------------------------------------


@every_case
def test_no_part_of_phase_space_is_left_out(case):
    """Every cell can be chosen, also one in which no point was found to have any density."""
    table = case.process.cell_table(case.complete())
    assert (table.acceptance > 0).all()
    assert (probabilities(table.alias) > 0).all()


@every_case
def test_no_number_that_can_be_drawn_leaves_the_hypercube(case):
    """Nor the closest to either end: a cosine beyond 1 would have no sine."""
    table = case.process.cell_table(case.complete())
    for (start, slope), bits in zip(table.warps.reshape(-1, 2, BINS), table.bits.tolist(), strict=True):
        steps = 2.0 ** -(32 + bits) * (np.arange(1000) + 0.5)
        assert (start[-1] + slope[-1] * (1 - steps)).max() <= 1
        assert (start[0] + slope[0] * steps).min() >= 0


# The spin of V ---------------------------------------------------------------------------------------------------


def cosine_of_the_muon(v, muon):
    """Of the mu- in the rest frame of V, to where V flies."""
    inside = to_rest(muon, v)[:3]
    return (inside * v[:3]).sum(axis=0) / np.linalg.norm(inside, axis=0) / np.linalg.norm(v[:3], axis=0)


def mean(values, weight):
    """And its standard error."""
    average = np.average(values, weights=weight)
    return average, np.sqrt((weight**2 * (values - average) ** 2).sum()) / weight.sum()


def test_muons_from_v_remember_its_spin():
    """dGamma/dcos = 1 + b cos^2 with b = 0.131 +- 0.004 at 300 MeV: 13 standard deviations in 120000 decays.

    The mean of cos^2, (1/3 + b/5)/(1 + b/3), is 0.3445; without the spin of V it is 1/3.
    """
    process = find("K+ -> mu+ nu_mu (V -> mu+ mu-)")
    assert process.name == "munuV-mumu"
    p = found("munuV-mumu").momenta
    cosine = cosine_of_the_muon(p[2] + p[3], p[3])
    square, error = mean(cosine**2, found("munuV-mumu").weight)
    q, weight = expected("munuV-mumu")
    wanted, its_error = mean(cosine_of_the_muon(q[2] + q[3], q[3]) ** 2, weight)
    assert abs(square - wanted) < 4.5 * np.hypot(error, its_error)
    assert wanted == pytest.approx(0.3445, abs=4.5 * its_error)
    assert square - 1 / 3 > 9 * error
    # V decays by parity-conserving forces
    odd, error = mean(cosine, found("munuV-mumu").weight)
    assert abs(odd) < 4.5 * error


def test_a_daughter_that_decays_on_its_own_forgets_its_spin():
    """K+ -> mu+ nu V with V by its three-body amplitude, and then V -> mu+ mu- in all directions alike."""
    chain = replace(MUNU_VECTOR, name="isotropic", decay="K+ -> mu+ nu_mu (V -> mu+ mu-)")
    decays_ = sample(chain, N, values={"m_X": 0.3})
    muon, nu, v, plus, minus = (decays_.momentum(k) for k in range(5))
    rows = [np.stack([np.asarray(getattr(x, label)) for label in ("px", "py", "pz", "E")]) for x in (v, minus)]
    square, error = mean(cosine_of_the_muon(*rows) ** 2, decays_.weight)
    assert abs(square - 1 / 3) < 4.5 * error
    # all else is as with the spin of V: masses of V with the muon, and with the neutrino
    p, weight = found("munuV-mumu").momenta, found("munuV-mumu").weight
    for k, other in ((0, muon), (1, nu)):
        values = mass_squared(p[2] + p[3] + p[k])
        edges = np.quantile(values[:10_000], np.arange(1, 30) / 30)
        counts = [
            np.bincount(np.searchsorted(edges, x), w, 30)
            for x, w in ((values[10_000:], weight[10_000:]), (np.asarray((v + other).mass2), decays_.weight))
        ]
        assert stats.chi2_contingency(counts).pvalue > P_MIN
    assert np.abs(np.asarray((plus + minus).mass) - 0.3).max() < 1e-5
