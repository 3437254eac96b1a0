"""Final states of processes whose daughters decay, and samples of them: what is in which slot, where it begins."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import vector
from in_flight import M_E, M_K, M_MU, M_PI, P_MIN, SIGMAS, in_frame_of, product, spikes, spiky_process
from scipy import stats

import kaongen
from kaongen.decays import daughters
from kaongen.decays.catalogue import find
from kaongen.decays.final_state import final_state, lifetime_name, mass_name
from kaongen.decays.samplers import PRIMARY, sampler
from kaongen.decays.sampling import CHUNK, sample
from kaongen.decays.workspace import VERTEX_X, DecayBlock
from kaongen.errors import ProcessError
from kaongen.jit import BLOCK
from kaongen.particles import Measured
from kaongen.random import stream_key

C = 0.299792458
"""m/ns"""
BR_GG, BR_EEG, BR_PION = 0.98823, 0.01174, 0.999877
"""Particle Data Group 2026."""


def built(decay, at_once=True, **values):
    process = find(decay)
    return final_state(process, process.values(values), at_once)


def names(final):
    return [species.name for species in final.species]


def links(final):
    """Parent and products of each decay, by slot."""
    return [(s.parent, *s.products) for s in final.secondaries]


# what a final state consists of


def test_a_descriptor_says_what_is_in_which_slot():
    final = built("K+ -> nu_mu (phi -> e- gamma e+) mu+", m_X=0.2, tau_phi=3.0)
    assert names(final) == ["mu+", "nu_mu", "phi", "e-", "gamma", "e+"]
    assert final.masses == pytest.approx((M_MU, 0.0, 0.2, M_E, 0.0, M_E), rel=1e-6)
    assert links(final) == [(2, 3, 4, 5)]
    (secondary,) = final.secondaries
    assert (secondary.mass, secondary.lifetime) == (0.2, 3.0)
    assert final.displaced() == (3, 4, 5)
    assert final.charged() == (0, 3, 5)
    assert final.photons() == (4,)
    assert final.branching == 1.0, "nothing is known of the decays of phi"
    assert final.descriptor == "K+ -> mu+ nu_mu (phi -> e- gamma e+)"


def test_products_that_decay_in_turn():
    """Depth first: what a product decays to follows it, before its sister's."""
    final = built("K+ -> pi+ (S -> (A' -> e+ e-) (A' -> gamma gamma))", m_S=0.3, m_A=0.1, tau_S=1.0)
    assert names(final) == ["pi+", "S", "A'", "A'", "e+", "e-", "gamma", "gamma"]
    assert links(final) == [(1, 2, 3), (2, 4, 5), (3, 6, 7)]
    assert final.masses == pytest.approx((M_PI, 0.3, 0.1, 0.1, M_E, M_E, 0.0, 0.0), rel=1e-6)
    assert [s.lifetime for s in final.secondaries] == [1.0, 0.0, 0.0]
    assert final.displaced() == (2, 3, 4, 5, 6, 7)
    assert final.charged() == (0, 4, 5)


def test_only_what_is_behind_a_flight_is_displaced():
    final = built("K+ -> pi+ (S -> (A' -> e+ e-) (A' -> gamma gamma))", m_S=0.3, m_A=0.1, tau_A=2.0)
    assert final.displaced() == (4, 5, 6, 7)
    assert built("K+ -> pi+ (S -> (A' -> e+ e-) A')", m_S=0.3, m_A=0.1).displaced() == ()


def test_pions_and_muons_fly():
    final = built("K+ -> (pi+ -> (mu+ -> e+ nu_e anti-nu_mu) nu_mu) (pi0 -> e+ e- gamma)")
    assert names(final) == ["pi+", "pi0", "mu+", "nu_mu", "e+", "nu_e", "anti-nu_mu", "e+", "e-", "gamma"]
    assert links(final) == [(0, 2, 3), (2, 4, 5, 6), (1, 7, 8, 9)]
    assert [s.lifetime for s in final.secondaries] == pytest.approx([26.033, 2196.98, 0.0], rel=1e-4)
    assert final.branching == pytest.approx(BR_PION * BR_EEG, rel=1e-6)
    assert final.charged() == (4, 7, 8), "the pion and the muon have decayed"
    assert final.displaced() == (2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("decay", "at_once", "products", "branching"),
    [
        ("K+ -> pi+ pi0", True, ["gamma"] * 2, BR_GG),
        ("K+ -> pi+ pi0", False, [], 1.0),
        ("K+ -> pi+ (pi0 -> e+ e- gamma)", True, ["e+", "e-", "gamma"], BR_EEG),
        ("K+ -> pi+ (pi0 -> e+ e- gamma)", False, ["e+", "e-", "gamma"], BR_EEG),
        ("K+ -> pi+ (pi0 -> gamma gamma)", False, ["gamma"] * 2, BR_GG),
        ("K+ -> pi+ (pi0 -> nu anti-nu)", True, ["nu", "anti-nu"], 1.0),
        ("K+ -> pi+ pi0 pi0", True, ["gamma"] * 4, BR_GG**2),
        ("K+ -> pi+ pi0 (pi0 -> e+ e- gamma)", True, ["e+", "e-", "gamma", "gamma", "gamma"], 2 * BR_GG * BR_EEG),
        ("K+ -> pi+ pi0 (pi0 -> e+ e- gamma)", False, ["e+", "e-", "gamma"], BR_EEG * (2 - BR_EEG)),
        ("K+ -> pi0 mu+ nu_mu", True, ["gamma"] * 2, BR_GG),
        ("K+ -> mu+ nu_mu gamma", True, [], 1.0),
    ],
)
def test_a_neutral_pion_decays_at_once_if_one_asks_for_it(decay, at_once, products, branching):
    final = built(decay, at_once)
    assert names(final)[len(find(decay).daughters) :] == products
    assert final.branching == pytest.approx(branching, rel=1e-6)
    assert final.displaced() == ()


@pytest.mark.parametrize(
    ("decay", "ways"),
    [
        ("K+ -> pi+ (pi0 -> gamma gamma) (pi0 -> gamma gamma)", BR_GG**2),
        ("K+ -> pi+ (pi0 -> gamma gamma) pi0", BR_GG**2),
        ("K+ -> pi+ (pi0 -> e+ e- gamma) (pi0 -> e+ e- gamma)", BR_EEG**2),
        ("K+ -> pi+ (pi0 -> e+ gamma e-) (pi0 -> e- e+ gamma)", BR_EEG**2),
        ("K+ -> pi+ (pi0 -> e+ e- gamma) (pi0 -> gamma gamma)", 2 * BR_EEG * BR_GG),
        ("K+ -> pi+ (S -> pi0 pi0)", BR_GG**2),
        ("K+ -> pi+ (S -> (pi0 -> e+ e- gamma) pi0)", 2 * BR_EEG * BR_GG),
        ("K+ -> pi+ (a -> (pi0 -> e+ e- gamma) gamma) (a -> pi0 gamma)", 2 * BR_EEG * BR_GG),
    ],
)
def test_either_of_two_that_are_alike_may_decay_one_way(decay, ways):
    """By the binomial theorem all ways together are (BR + BR')^2."""
    masses = {name: m for name, m in (("m_S", 0.3), ("m_a", 0.15)) if f"({name[2:]} ->" in decay}
    assert built(decay, **masses).branching == pytest.approx(ways, rel=1e-6)


@pytest.mark.parametrize(
    ("decay", "values", "slot", "alike"),
    [
        ("K+ -> mu+ nu_mu", {}, 0, 1),
        ("K+ -> pi+ pi+ pi-", {}, 0, 2),
        ("K+ -> pi+ pi+ pi-", {}, 2, 1),
        ("K+ -> mu+ nu_mu mu+ mu-", {}, 0, 2),
        ("K+ -> mu+ nu_mu (V -> mu+ mu-)", {"m_X": 0.25}, 0, 1),
        ("K+ -> mu+ nu_mu (phi -> mu+ mu-)", {"m_X": 0.25}, 0, 1),
        ("K+ -> mu+ nu_mu (phi -> mu+ mu-)", {"m_X": 0.25}, 3, 1),
        ("K+ -> (pi+ -> mu+ nu_mu) pi+ pi-", {}, 1, 1),
        ("K+ -> pi+ pi+ (pi- -> mu- anti-nu_mu)", {}, 0, 2),
        ("K+ -> pi+ pi0 pi0", {}, 0, 1),
        ("K+ -> pi+ (S -> e+ e+ e- e-)", {"m_S": 0.3}, 2, 2),
    ],
)
def test_how_many_are_alike(decay, values, slot, alike):
    """From the same decay, left over, and not told apart by a chain that is described as a whole."""
    assert len(built(decay, **values).alike(slot)) == alike


def test_a_neutral_pion_among_the_products():
    """X -> pi0 gamma: photons of the pi0 that begin where X has decayed, in the detector but not in a sample."""
    decay = "K+ -> pi+ (X -> pi0 gamma)"
    final = built(decay, m_X=0.3, tau_X=1.0)
    assert names(final) == ["pi+", "X", "pi0", "gamma", "gamma", "gamma"]
    assert final.descriptor == "K+ -> pi+ (X -> (pi0 -> gamma gamma) gamma)"
    assert final.displaced() == (2, 3, 4, 5)
    assert final.photons() == (3, 4, 5)
    assert names(built(decay, at_once=False, m_X=0.3)) == ["pi+", "X", "pi0", "gamma"]


def test_all_that_decays_is_written_out():
    assert built("K+ -> pi0 mu+ nu_mu").descriptor == "K+ -> (pi0 -> gamma gamma) mu+ nu_mu"
    assert built("K+ -> pi+ pi0 (pi0 -> e+ e- gamma)").descriptor == (
        "K+ -> pi+ (pi0 -> e+ e- gamma) (pi0 -> gamma gamma)"
    )
    assert built("K+ -> pi0 mu+ nu_mu", at_once=False).descriptor == "K+ -> pi0 mu+ nu_mu"


@pytest.mark.parametrize(("particle", "name"), [("phi", "phi"), ("A'", "A"), ("N", "N")])
def test_names_of_parameters(particle, name):
    assert (lifetime_name(particle), mass_name(particle)) == (f"tau_{name}", f"m_{name}")


# samples


FLYING = "K+ -> mu+ nu_mu (phi -> gamma gamma)"
CHAIN = "K+ -> pi+ (S -> (A' -> e+ e-) (A' -> gamma gamma))"
CASES = {
    FLYING: {"m_X": 0.2, "tau_phi": 1.5},
    CHAIN: {"m_S": 0.3, "m_A": 0.1, "tau_S": 2.0, "tau_A": 0.7},
    "K+ -> (pi+ -> mu+ nu_mu) (pi0 -> e+ e- gamma)": {},
    "K+ -> (mu+ -> e+ nu_e anti-nu_mu) nu_mu": {},
}
every_case = pytest.mark.parametrize("decay", list(CASES))


@cache
def decays(decay, n=50_000, **options):
    return sample(find(decay), n, values=CASES[decay], **options)


def columns(found, slot):
    """Momentum (4, n) with the energy of the particle's mass."""
    p = found.columns[3 * slot : 3 * slot + 3].astype(float)
    return np.array([*p, np.sqrt((p**2).sum(axis=0) + found.masses[slot] ** 2)])


@every_case
@pytest.mark.parametrize("momentum", [0.0, 75.0])
def test_energy_and_momentum_at_every_vertex(decay, momentum):
    """In single precision; the energies from the masses of each."""
    found = decays(decay, momentum=momentum)
    final = final_state(find(decay), find(decay).values(CASES[decay]), at_once=False)
    assert list(found.names) == names(final)
    assert found.masses == final.masses
    kaon = np.array([0.0, 0.0, momentum, np.hypot(momentum, M_K)])
    daughters = sum(columns(found, slot) for slot in range(len(find(decay).daughters)))
    assert np.abs(daughters - kaon[:, None]).max() < 3e-7 * kaon[3]
    for secondary in final.secondaries:
        products = sum(columns(found, slot) for slot in secondary.products)
        parent = columns(found, secondary.parent)
        assert (np.abs(products - parent).max(axis=0) / parent[3]).max() < 1e-6


@every_case
def test_vertices_follow_from_one_another(decay):
    """Along the parent's momentum, with the parent's lifetime and boost."""
    found = decays(decay, momentum=75.0)
    final = final_state(find(decay), find(decay).values(CASES[decay]), at_once=False)
    assert set(found.vertices) == set(final.displaced())
    for secondary in final.secondaries:
        parent = columns(found, secondary.parent)
        way = found.vertex(secondary.products[0]).astype(float) - found.vertex(secondary.parent)
        for slot in secondary.products[1:]:
            assert np.array_equal(found.vertex(slot), found.vertex(secondary.products[0]))
        if secondary.lifetime == 0.0:
            assert (way == 0.0).all()
            continue
        p = np.sqrt((parent[:3] ** 2).sum(axis=0))
        along = (way * parent[:3]).sum(axis=0) / p
        length = np.sqrt((way**2).sum(axis=0))
        coarse = np.abs(found.vertex(secondary.products[0])).max(axis=0)
        assert (np.abs(along - length) <= 1e-6 * coarse).all()
        assert stats.kstest(along * secondary.mass / p / C / secondary.lifetime, "expon").pvalue > P_MIN


@every_case
def test_the_kaon_s_own_decays_are_those_of_the_process(decay):
    """With the same key: what the daughters do later has random numbers of its own."""
    process = find(decay)
    names_of_daughters = " ".join(process.daughters)
    stable = find(f"K+ -> {names_of_daughters}")
    values = {k: v for k, v in CASES[decay].items() if k in [p.name for p in stable.parameters]}
    for momentum in (0.0, 75.0):
        alone = sample(stable, 20_000, values=values, seed=9, momentum=momentum)
        whole = sample(replace(process, name=stable.name), 20_000, values=CASES[decay], seed=9, momentum=momentum)
        assert np.array_equal(whole.columns[: len(alone.columns)], alone.columns)


@every_case
def test_threads_and_longer_samples_do_not_change_decays(decay):
    n = 2 * CHUNK + 1000
    base = sample(find(decay), n, values=CASES[decay], momentum=75.0, threads=1)
    other = sample(find(decay), n, values=CASES[decay], momentum=75.0, threads=3)
    assert np.array_equal(base.columns, other.columns)
    for size in (0, 1, BLOCK + 1, CHUNK, CHUNK + 1):
        fewer = sample(find(decay), size, values=CASES[decay], momentum=75.0)
        assert fewer.columns.shape == (len(base.columns), size)
        assert np.array_equal(fewer.columns, base.columns[:, :size])
        assert set(fewer.vertices) == set(base.vertices)
        for slot, vertex in fewer.vertices.items():
            assert vertex.shape == (3, size)
            assert np.array_equal(vertex, base.vertices[slot][:, :size])


@every_case
def test_a_sample_is_what_the_blocks_hold(decay):
    """Momenta and vertices, to the last bit of single precision."""
    process = find(decay)
    values = process.values(CASES[decay])
    final, source = final_state(process, values, at_once=False), sampler(process, values)
    found = decays(decay)
    key, first, n = stream_key(1, process.name), 3 * BLOCK + 5, BLOCK
    block = DecayBlock(len(final.species))
    block.take(found.index[first : first + n])
    source.settle(key, n, PRIMARY, block, block.momenta[: source.particles])
    final.decay(key, n, block)
    for slot, rows in enumerate(block.momenta):
        expected = rows.reshape(4, BLOCK)[:3].astype(np.float32)
        assert np.array_equal(found.columns[3 * slot : 3 * slot + 3, first : first + n], expected)
        start = block.origins[slot].reshape(-1, BLOCK)[VERTEX_X:].astype(np.float32)
        assert np.array_equal(found.vertex(slot)[:, first : first + n], start)


def test_a_moving_kaon_boosts_all_of_it():
    """Momenta of products, and flights in time: seen from a kaon of 75 GeV, by the vector package."""
    rest, moving = decays(FLYING, momentum=0.0), decays(FLYING, momentum=75.0)
    kaon = vector.obj(px=0.0, py=0.0, pz=75.0, mass=M_K)
    for slot in (0, 1, 2):
        expected = rest.momentum(slot).boost_p4(kaon)
        assert np.abs(moving.momentum(slot).pz - expected.pz).max() < 1e-5
    # the photons are made in the frame of phi with axes of either laboratory: the same angles in that frame
    for slot in (3, 4):
        inside = [in_frame_of(columns(f, 2), 0.2, columns(f, slot)) for f in (rest, moving)]
        assert np.abs(inside[0] - inside[1]).max() < 2e-3
    times = [
        np.sqrt((f.vertex(3).astype(float) ** 2).sum(axis=0)) / np.sqrt((columns(f, 2)[:3] ** 2).sum(axis=0))
        for f in (rest, moving)
    ]
    assert np.allclose(*times, rtol=1e-5)


def test_daughters_and_products_by_name():
    found = decays(CHAIN, momentum=75.0)
    assert found.names == ("pi+", "S", "A'", "A'", "e+", "e-", "gamma", "gamma")
    assert found.momentum("e-").mass == pytest.approx(np.full(len(found), M_E), abs=1e-6)
    assert np.array_equal(found.momentum("e-").px, found.columns[15])
    assert np.array_equal(found.momentum("A'").px, found.columns[6]), "the first of them"
    assert np.array_equal(found.vertex("gamma"), found.vertices[6])
    assert np.array_equal(found.vertex("A'"), found.vertices[2])
    for stable in ("pi+", "S"):
        assert (found.vertex(stable) == 0.0).all()
        assert found.vertex(stable).shape == (3, len(found))
    for wrong in ("e", "K+", "nu", 8, -1):
        for ask in (found.momentum, found.vertex):
            with pytest.raises(ProcessError, match="has no daughter"):
                ask(wrong)


def test_masses_from_the_momenta():
    """Of each system that has decayed: the mass that the card gave."""
    found = decays(CHAIN, momentum=75.0)
    for parts, mass, error in (((4, 5), 0.1, 2e-4), ((6, 7), 0.1, 2e-4), ((2, 3), 0.3, 2e-4)):
        total = sum(columns(found, slot) for slot in parts)
        heavy = columns(found, parts[0])[3] > 1.0
        assert np.sqrt(np.maximum(product(total, total), 0.0))[heavy] == pytest.approx(mass, abs=error)


def test_without_a_lifetime_there_are_no_vertices():
    found = sample(find(FLYING), 1000, values={"m_X": 0.2})
    assert found.vertices == {}
    assert (found.vertex("gamma") == 0.0).all()
    assert found.columns.shape == (15, 1000)


def test_decays_of_the_catalogue_are_not_touched():
    """A pi0 of which nothing is said stays a pi0 in a sample."""
    found = sample(find("pipi0"), 100)
    assert found.names == ("pi+", "pi0")
    assert found.columns.shape == (6, 100)


def test_seeds_and_names_give_different_decays():
    one, same, other = (decays(FLYING, n=1000, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.columns, same.columns)
    assert not (one.columns[9] == other.columns[9]).any()
    assert not (one.vertex(3)[0] == other.vertex(3)[0]).any()


def test_the_decay_of_a_daughter_knows_nothing_of_the_kaon_s():
    """Directions of the photons in the frame of phi, against the momenta of phi and muon."""
    n = 200_000
    found = sample(find(FLYING), n, values=CASES[FLYING])
    phi, muon = columns(found, 2), columns(found, 0)
    inside = in_frame_of(phi, 0.2, columns(found, 3))
    unit = inside[:3] / np.sqrt((inside[:3] ** 2).sum(axis=0))
    ways = [p[:3] / np.sqrt((p[:3] ** 2).sum(axis=0)) for p in (phi, muon)]
    for way in ways:
        assert stats.kstest((unit * way).sum(axis=0), "uniform", args=(-1, 2)).pvalue > P_MIN
    flown = np.sqrt((found.vertex(3).astype(float) ** 2).sum(axis=0)) / np.sqrt((phi[:3] ** 2).sum(axis=0))
    flown *= 0.2 / C / CASES[FLYING]["tau_phi"]
    rows = [*unit, *ways[0], *ways[1], phi[3], muon[3]]
    for row in rows:
        assert abs(np.corrcoef(np.exp(-flown), row)[0, 1]) < SIGMAS / np.sqrt(n)
    for component in unit:
        for row in rows[3:]:
            assert abs(np.corrcoef(component, row)[0, 1]) < SIGMAS / np.sqrt(n)


@pytest.mark.slow
def test_the_polarisation_of_a_vector_matters():
    """Why a chain of the catalogue is preferred: an isotropic decay of V has other muons than the correlated one."""
    n = 400_000
    chain = sample(find("munuV-mumu"), n, values={"m_X": 0.3})
    flat = sample(replace(find("munuV"), name="flat", decay="K+ -> mu+ nu_mu (V -> mu+ mu-)"), n, values={"m_X": 0.3})
    assert flat.names == ("mu+", "nu_mu", "V", "mu+", "mu-")

    def cosine(found, plus, minus):
        """Of the mu+ against the flight of V, in its frame."""
        p, m = columns(found, plus), columns(found, minus)
        v = p + m
        inside = in_frame_of(v, np.sqrt(product(v, v)), p)[:3]
        return (inside * v[:3]).sum(axis=0) / np.sqrt((inside**2).sum(axis=0) * (v[:3] ** 2).sum(axis=0))

    # of the two mu+ of the chain, the one that makes V
    second = np.array([columns(chain, k) + columns(chain, 3) for k in (0, 2)])
    masses = np.array([np.sqrt(product(v, v)) for v in second])
    assert np.abs(masses[1] - 0.3).max() < 1e-5, "the order of the daughters"
    correlated, isotropic = cosine(chain, 2, 3), cosine(flat, 3, 4)
    assert stats.kstest(isotropic, "uniform", args=(-1, 2)).pvalue > P_MIN
    assert stats.kstest(correlated, "uniform", args=(-1, 2)).pvalue < 1e-12


# weights


@pytest.fixture(scope="module")
def spiky():
    return spiky_process()


@pytest.mark.filterwarnings("ignore:.*varies much")
def test_decays_above_the_bound_keep_their_weights(spiky):
    """The same numbers and weights, whether the daughters decay or not."""
    n = 3 * CHUNK
    alone = sample(spiky, n)
    assert len(alone.above_bound) > 3, "the case that is meant"
    for lifetime in (0.0, 1.0):
        process = replace(spiky, decay="K+ -> e+ nu_e (a -> gamma gamma)")
        whole = sample(process, n, values={"tau_a": lifetime})
        assert whole.above_bound == alone.above_bound
        assert np.array_equal(whole.weight, alone.weight)
        assert np.array_equal(whole.columns[:9], alone.columns)
    assert (alone.weight >= 1.0).all()
    assert {k: w for k, w in enumerate(alone.weight) if w > 1.0} == alone.above_bound
    threads = sample(spiky, n, threads=3)
    assert threads.above_bound == alone.above_bound


@pytest.mark.filterwarnings("ignore:.*varies much")
def test_weights_of_a_secondary_decay_are_in_the_sample(monkeypatch):
    """Always of the same events, alone and times those of the kaon's own decay."""
    monkeypatch.setitem(daughters.KNOWN, ("a", "e+", "e-", "gamma"), daughters.Known(Measured(0.5, 0.0, ""), spikes))
    n, values = CHUNK + 1000, {"m_a": 0.3}
    process = replace(find("K+ -> pi+ (a -> e+ e- gamma)"), name="heavy")
    assert final_state(process, process.values(values)).branching == 0.5
    found = sample(process, n, values=values)
    assert len(found.above_bound) > 50
    assert min(found.above_bound.values()) > 1.0
    assert {k: w for k, w in enumerate(found.weight) if w > 1.0} == found.above_bound
    more = sample(process, n + CHUNK, values=values, threads=2)
    assert {k: w for k, w in more.above_bound.items() if k < n} == found.above_bound
    both = replace(spiky_process(), decay="K+ -> e+ nu_e (a -> e+ e- gamma)", name="heavy")
    alone = replace(both, decay="K+ -> e+ nu_e a")
    product_of_both = sample(both, n, values=values).weight
    own = sample(alone, n, values=values).weight
    assert np.allclose(product_of_both, own * found.weight, rtol=1e-14, atol=0)
    assert (product_of_both > np.maximum(own, found.weight)).any()


# errors


@pytest.mark.parametrize(
    ("decay", "values", "message"),
    [
        ("K+ -> mu+ nu_mu (phi -> mu+ mu-)", {"m_X": 0.2}, "phi of 0.2 GeV cannot decay to mu"),
        (CHAIN, {"m_S": 0.1, "m_A": 0.05}, "S of 0.1 GeV cannot decay to A' A', which weigh 0.1 GeV"),
        (CHAIN, {"m_S": 0.3, "m_A": 0.001}, "A' of 0.001 GeV cannot decay to e"),
        (CHAIN, {"m_S": 0.3}, "m_A is missing"),
        (FLYING, {"m_X": 0.2, "tau_X": 1.0}, "no parameter 'tau_X'"),
        (FLYING, {"m_X": 0.2, "tau_phi": -1.0}, "tau_phi = -1 ns is not allowed"),
        (FLYING, {"m_X": 0.2, "tau_phi": "long"}, "tau_phi = 'long' is not a number"),
    ],
)
def test_what_is_refused(decay, values, message):
    with pytest.raises(ProcessError, match=message):
        kaongen.sample(find(decay), 10, values=values)
