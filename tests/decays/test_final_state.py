"""What an event consists of once daughters have decayed; pi0 -> gamma gamma against conservation laws and isotropy.

Seeds are fixed. A Kolmogorov test fails below p = 1e-4 as everywhere under tests/decays (8 of them), a correlation
beyond 5 standard deviations.
"""

import numpy as np
import pytest
import vector
from phase_space import P_MIN
from scipy import stats

from kaongen.decays.catalogue import find, processes
from kaongen.decays.final_state import final_state
from kaongen.decays.sampling import blocks
from kaongen.decays.workspace import DecayBlock
from kaongen.errors import ProcessError
from kaongen.jit import BLOCK
from kaongen.random import stream_key

KEY = stream_key(1, "tests/final_state")
N = 100_000
M_PI0 = 0.1349768
"""GeV; Particle Data Group, Review of Particle Physics 2026."""

PI0_TO_TWO, PI0_TO_THREE = 0.98823, 0.01174
PI_TO_MU = 0.999877
"""Branching fractions, from there as well."""


def default(process):
    process = find(process) if isinstance(process, str) else process
    given = {p.name: 0.25 for p in process.parameters if p.default is None}
    return process, process.values(given)


def final(process, at_once=True, **given):
    process = find(process)
    return final_state(process, process.values(given), at_once)


def names(state, slots=None):
    return [state.species[i].name for i in (range(len(state.species)) if slots is None else slots)]


def parents(n=N, scale=10.0, seed=1, mass=M_PI0):
    p = np.random.default_rng(seed).normal(scale=scale, size=(3, n)) + np.array([[0.0], [0.0], [2 * scale]])
    return np.array([*p, np.sqrt((p**2).sum(axis=0) + mass**2)])


def decayed(process, momenta, index=None, key=KEY):
    """Particles (slots, 4, n) of an event whose daughters that decay have the given momenta (decays, 4, n)."""
    state = final_state(*default(process))
    block = DecayBlock(len(state.species))
    n = momenta.shape[-1]
    index = np.arange(n, dtype=np.uint64) if index is None else index
    result = np.empty((len(state.species), 4, n))
    assert len(state.secondaries) == len(momenta)
    for first, size in blocks(n):
        piece = slice(first, first + size)
        block.take(index[piece])
        for secondary, momentum in zip(state.secondaries, momenta, strict=True):
            block.momenta[secondary.parent].reshape(4, BLOCK)[:, :size] = momentum[:, piece]
        assert state.decay(key, size, block) == 0
        for slot, rows in enumerate(block.momenta):
            result[slot, :, piece] = rows.reshape(4, BLOCK)[:, :size]
    return result


@pytest.fixture(scope="module")
def pairs():
    """The parent and its two photons."""
    parent = parents()
    products = decayed("pi0munu", parent[np.newaxis])
    first, second = final("pi0munu").secondaries[0].products
    return parent, products[first], products[second]


def test_kmu3_is_a_muon_a_neutrino_and_two_photons():
    state = final("pi0munu")
    assert names(state) == [*find("pi0munu").daughters, "gamma", "gamma"]
    (pi0,) = state.secondaries
    assert (pi0.parent, pi0.products) == (names(state).index("pi0"), (3, 4))
    assert (pi0.mass, pi0.lifetime) == (M_PI0, 0.0)
    assert state.photons() == (3, 4)
    assert state.charged() == (names(state).index("mu+"),)
    assert state.displaced() == ()
    assert state.branching == pytest.approx(PI0_TO_TWO, abs=1e-6)
    assert state.descriptor == "K+ -> (pi0 -> gamma gamma) mu+ nu_mu"
    assert state.masses == (M_PI0, 0.1056583755, 0.0, 0.0, 0.0)


def test_a_pi0_stays_where_nothing_is_at_once():
    state = final("pi0munu", at_once=False)
    assert tuple(names(state)) == find("pi0munu").daughters
    assert (state.secondaries, state.branching, state.photons()) == ((), 1.0, ())
    assert state.descriptor == find("pi0munu").decay


# what there is without a decay: charged particles and photons
STABLE = {
    "munu": (1, 0), "pipipi": (3, 0), "munug": (1, 1), "pipienu": (3, 0), "enu": (1, 0), "enug": (1, 1),
    "pigg": (1, 2), "piee": (3, 0), "pimumu": (3, 0), "munuee": (3, 0), "enuee": (3, 0), "munumumu": (3, 0),
    "enumumu": (3, 0), "pinunu": (1, 0), "pieeee": (5, 0), "mununubarnu": (1, 0), "munuV": (1, 0),
    "munuV-mumu": (3, 0), "munuphi": (1, 0), "muN": (1, 0), "eN": (1, 0), "piX": (1, 0), "piS": (1, 0), "pia": (1, 0),
    "piaa": (1, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", STABLE)
def test_without_a_pi0_nothing_is_added(name):
    process = find(name)
    values = process.values({p.name: 0.5 * (p.minimum + p.maximum) for p in process.parameters if p.default is None})
    for at_once in (True, False):
        state = final_state(process, values, at_once)
        assert tuple(names(state)) == process.daughters
        assert state.masses == process.masses(values)
        assert state.secondaries == ()
        assert state.branching == 1.0
        assert state.descriptor == process.decay
        assert (len(state.charged()), len(state.photons())) == STABLE[name]


def test_every_process_is_here():
    with_pi0 = {p.name for p in processes() if "pi0" in p.daughters}
    assert with_pi0 | set(STABLE) == {p.name for p in processes()}
    assert not with_pi0 & set(STABLE)


@pytest.mark.parametrize("name", [p.name for p in processes() if "pi0" in p.daughters])
def test_every_pi0_decays(name):
    state, daughters = final(name), find(name).daughters
    count = daughters.count("pi0")
    assert names(state) == [*daughters, *["gamma"] * (2 * count)]
    assert [s.parent for s in state.secondaries] == [i for i, d in enumerate(daughters) if d == "pi0"]
    assert state.branching == pytest.approx(PI0_TO_TWO**count, abs=1e-5)
    assert len(state.photons()) == daughters.count("gamma") + 2 * count


def test_each_of_two_pi0_has_photons_of_its_own():
    state = final("pipi0pi0")
    assert [(s.parent, s.products) for s in state.secondaries] == [(1, (3, 4)), (2, (5, 6))]
    assert state.branching == pytest.approx(PI0_TO_TWO**2, abs=1e-6)
    parent = parents(20_000)
    products = decayed("pipi0pi0", np.array([parent, parent]))
    same_momentum, other = products[3], products[5]
    assert not (same_momentum == other).any()
    energies = [products[slot, 3] / parent[3] for slot in (3, 5)]
    assert abs(np.corrcoef(energies)[0, 1]) < 5 / np.sqrt(20_000)


# Decays that are written out --------------------------------------------------------------------------------------

THREE = "(pi0 -> e+ e- gamma)"

BRANCHINGS = [
    # one of two like daughters decays as asked, either of them can be the one
    (f"K+ -> pi+ {THREE} pi0", True, 2 * PI0_TO_THREE * PI0_TO_TWO),
    (f"K+ -> pi+ pi0 {THREE}", True, 2 * PI0_TO_THREE * PI0_TO_TWO),
    (f"K+ -> pi+ {THREE} pi0", False, PI0_TO_THREE * (2 - PI0_TO_THREE)),
    (f"K+ -> pi+ {THREE} (pi0 -> gamma gamma)", True, 2 * PI0_TO_THREE * PI0_TO_TWO),
    (f"K+ -> pi+ {THREE} (pi0 -> gamma gamma)", False, 2 * PI0_TO_THREE * PI0_TO_TWO),
    (f"K+ -> pi+ {THREE} {THREE}", True, PI0_TO_THREE**2),
    (f"K+ -> pi+ {THREE} (pi0 -> e+ gamma e-)", True, PI0_TO_THREE**2),
    ("K+ -> pi+ pi0 pi0", True, PI0_TO_TWO**2),
    ("K+ -> pi+ pi0 pi0", False, 1.0),
    (f"K+ -> pi+ {THREE}", True, PI0_TO_THREE),
    (f"K+ -> {THREE} mu+ nu_mu", True, PI0_TO_THREE),
    ("K+ -> (pi+ -> mu+ nu_mu) pi0", True, PI_TO_MU * PI0_TO_TWO),
    ("K+ -> (pi+ -> mu+ nu_mu) pi0", False, PI_TO_MU),
    ("K+ -> (pi+ -> (mu+ -> e+ nu_e anti-nu_mu) nu_mu) pi0", False, PI_TO_MU),
    ("K+ -> (pi+ -> mu+ nu_mu) (pi+ -> mu+ nu_mu) (pi- -> mu- anti-nu_mu)", True, PI_TO_MU**3),
    ("K+ -> (mu+ -> e+ nu_e anti-nu_mu) nu_mu", True, 1.0),
]


@pytest.mark.parametrize(("decay", "at_once", "expected"), BRANCHINGS)
def test_branching_counts_the_ways(decay, at_once, expected):
    assert final(decay, at_once).branching == pytest.approx(expected, rel=1e-6)


def test_all_ways_of_two_pi0_add_up():
    """Each of the two decays in one way or the other: together (B1 + B2)^2."""
    ways = ("(pi0 -> gamma gamma)", THREE)
    pairs_of = [(ways[0], ways[0]), (ways[0], ways[1]), (ways[1], ways[1])]
    total = sum(final(f"K+ -> pi+ {one} {other}").branching for one, other in pairs_of)
    assert total == pytest.approx((PI0_TO_TWO + PI0_TO_THREE) ** 2, abs=1e-6)


def test_the_fraction_of_a_decay_nobody_knows_is_left_to_the_user():
    """It counts the ways, and knows nothing of what a new particle does."""
    assert final("K+ -> pi+ (a -> e+ e-)", m_a=0.1).branching == 1.0
    assert final("K+ -> pi+ (a -> e+ e-) (a -> e+ e-)", m_a=0.1).branching == 1.0
    assert final("K+ -> pi+ (a -> e+ e-) (a -> gamma gamma)", m_a=0.1).branching == 2.0


def test_slots_follow_the_decays_in_their_order():
    state = final(f"K+ -> (pi+ -> (mu+ -> e+ nu_e anti-nu_mu) nu_mu) {THREE} pi0")
    expected = ["pi+", "pi0", "pi0", "mu+", "nu_mu", "e+", "nu_e", "anti-nu_mu", "e+", "e-", "gamma", "gamma", "gamma"]
    assert names(state) == expected
    found = [(s.parent, s.products) for s in state.secondaries]
    assert found == [(0, (3, 4)), (3, (5, 6, 7)), (1, (8, 9, 10)), (2, (11, 12))]
    assert state.daughters == 3
    assert state.descriptor == (
        "K+ -> (pi+ -> (mu+ -> e+ nu_e anti-nu_mu) nu_mu) (pi0 -> e+ e- gamma) (pi0 -> gamma gamma)"
    )
    # a parent decays before its products do
    done = set()
    for s in state.secondaries:
        assert s.parent < state.daughters or s.parent in done
        done |= set(s.products)


def test_masses_and_lifetimes_of_decays_in_flight():
    """Particle Data Group: 26.033 ns and 2196.9811 ns; the table has widths, that of the pion with five digits."""
    state = final("K+ -> (pi+ -> (mu+ -> e+ nu_e anti-nu_mu) nu_mu) pi0")
    pion, muon, pi0 = state.secondaries
    assert (pion.lifetime, muon.lifetime, pi0.lifetime) == pytest.approx((26.033, 2196.9811, 0.0), rel=2e-5)
    assert (pion.mass, muon.mass, pi0.mass) == pytest.approx((0.13957039, 0.1056583755, M_PI0), rel=1e-9)


def test_parameters_are_the_masses_and_the_lifetime_of_new_particles():
    state = final("K+ -> mu+ (N -> pi+ mu-)", m_N=0.3, tau_N=2.5)
    assert state.masses == pytest.approx((0.1056583755, 0.3, 0.13957039, 0.1056583755), rel=1e-9)
    (secondary,) = state.secondaries
    assert (secondary.mass, secondary.lifetime) == (0.3, 2.5)
    assert final("K+ -> mu+ (N -> pi+ mu-)", m_N=0.3).secondaries[0].lifetime == 0.0
    nested = final("K+ -> pi+ (S -> (A' -> e+ e-) (A' -> e+ e-))", m_S=0.2, m_A=0.05, tau_S=1.0, tau_A=3.0)
    assert names(nested) == ["pi+", "S", "A'", "A'", "e+", "e-", "e+", "e-"]
    assert nested.masses[:4] == pytest.approx((0.13957039, 0.2, 0.05, 0.05), rel=1e-9)
    assert [s.lifetime for s in nested.secondaries] == [1.0, 3.0, 3.0]


@pytest.mark.parametrize(
    ("decay", "given"),
    [("K+ -> pi+ (S -> mu+ mu-)", {"m_S": 0.2}), ("K+ -> pi+ (S -> (A' -> e+ e-) A')", {"m_S": 0.1, "m_A": 0.06})],
)
def test_a_daughter_that_is_too_light_is_refused(decay, given):
    with pytest.raises(ProcessError, match=r"S of 0\.[12] GeV cannot decay to .*, which weigh 0\.[12]1?"):
        final(decay, **given)


def test_what_has_decayed_is_not_seen():
    state = final(f"K+ -> (pi+ -> mu+ nu_mu) {THREE}")
    assert names(state, state.charged()) == ["mu+", "e+", "e-"]
    assert names(state, state.photons()) == ["gamma"]
    muon = final("K+ -> (mu+ -> e+ nu_e anti-nu_mu) nu_mu")
    assert names(muon, muon.charged()) == ["e+"]
    # one of two pions stays
    state = final("K+ -> (pi+ -> mu+ nu_mu) pi+ pi-")
    assert state.charged() == (1, 2, 3)


@pytest.mark.parametrize("name", [p.name for p in processes() if "pi0" not in p.daughters])
def test_neutrinos_and_new_particles_are_not_charged(name):
    process = find(name)
    given = {p.name: 0.5 * (p.minimum + p.maximum) for p in process.parameters if p.default is None}
    state = final_state(process, process.values(given))
    invisible = [i for i, n in enumerate(names(state)) if "nu" in n or n in ("V", "phi", "N", "X", "S", "a")]
    assert not set(invisible) & {*state.charged(), *state.photons()}
    assert {*invisible, *state.charged(), *state.photons()} == set(range(len(state.species)))


def test_what_begins_behind_a_flight():
    """All that comes of one that flew, however late, and nothing of what decays on the spot."""
    state = final("K+ -> (pi+ -> (mu+ -> e+ nu_e anti-nu_mu) nu_mu) pi0")
    assert set(state.displaced()) == {2, 3, 4, 5, 6}
    assert names(state, sorted(state.displaced())) == ["mu+", "nu_mu", "e+", "nu_e", "anti-nu_mu"]
    assert final(f"K+ -> pi+ {THREE}").displaced() == ()
    # A' decays on the spot, but S flew before
    flown = final("K+ -> pi+ (S -> (A' -> e+ e-) A')", m_S=0.2, m_A=0.05, tau_S=1.0)
    assert set(flown.displaced()) == {2, 3, 4, 5}
    late = final("K+ -> pi+ (S -> (A' -> e+ e-) gamma)", m_S=0.2, m_A=0.05, tau_A=1.0)
    assert names(late, late.displaced()) == ["e+", "e-"]
    assert final("K+ -> pi+ (S -> mu+ mu-)", m_S=0.3).displaced() == ()


@pytest.mark.parametrize(
    ("decay", "given", "expected"),
    [
        ("K+ -> pi+ pi+ pi-", {}, (2, 2, 1)),
        ("K+ -> mu+ nu_mu mu+ mu-", {}, (2, 1, 2, 1)),
        ("K+ -> mu+ nu_mu (V -> mu+ mu-)", {"m_X": 0.25}, (1, 1, 1, 1)),
        ("K+ -> mu+ nu_mu", {}, (1, 1)),
        # of two pions one is left over
        ("K+ -> (pi+ -> mu+ nu_mu) pi+ pi-", {}, (None, 1, 1, 1, 1)),
        # a muon from the kaon is not one from a heavy neutrino, nor are those of different flights alike
        ("K+ -> mu+ (N -> mu+ pi-)", {"m_N": 0.3}, (1, None, 1, 1)),
        (
            "K+ -> (pi+ -> mu+ nu_mu) (pi+ -> mu+ nu_mu) pi-",
            {},
            (None, None, 1, 1, 1, 1, 1),
        ),
        ("K+ -> pi+ pi0", {}, (1, None, 2, 2)),
        ("K+ -> pi+ (S -> e+ e+ e- e-)", {"m_S": 0.1}, (1, None, 2, 2, 2, 2)),
    ],
)
def test_how_many_are_alike(decay, given, expected):
    """Of one kind, from one decay, and still there; what has decayed is no candidate."""
    state = final(decay, **given)
    found = tuple(
        None if i in {s.parent for s in state.secondaries} else len(state.alike(i)) for i in range(len(expected))
    )
    assert len(state.species) == len(expected)
    assert found == expected


def test_a_chain_that_is_described_as_a_whole_has_an_order():
    assert final("munuV-mumu", m_X=0.25).ordered
    assert not final("munumumu").ordered
    assert not final("K+ -> pi+ (S -> mu+ mu-)", m_S=0.25).ordered


def test_the_charge_of_what_is_left_is_one():
    """Whatever decays."""
    for decay, at_once, _ in BRANCHINGS:
        state = final(decay, at_once)
        gone = {s.parent for s in state.secondaries}
        assert sum(s.charge for i, s in enumerate(state.species) if i not in gone) == 1


# pi0 -> gamma gamma -------------------------------------------------------------------------------------------------


def test_photons_add_up_to_the_pi0(pairs):
    parent, first, second = pairs
    assert np.abs(first + second - parent).max() < 1e-13 * parent[3].max()


def test_photons_are_massless(pairs):
    """To the rounding of the parent's own mass shell."""
    for px, py, pz, e in pairs[1:]:
        assert (e > 0).all()
        assert np.abs(e**2 - px**2 - py**2 - pz**2).max() < 1e-12 * pairs[0][3].max() ** 2


def test_photons_are_isotropic_in_the_frame_of_the_pi0(pairs):
    """Boosted back by the vector package: directions against fixed axes and against the flight."""
    parent, first, _ = (vector.array(dict(zip(("px", "py", "pz", "E"), p, strict=True))) for p in pairs)
    rest = first.boostCM_of_p4(parent)
    assert np.abs(rest.E / (M_PI0 / 2) - 1).max() < 1e-6
    unit = np.array([rest.px, rest.py, rest.pz]) / rest.E
    flight = np.array([parent.px, parent.py, parent.pz]) / parent.p
    for cosine in (*unit, (unit * flight).sum(axis=0)):
        assert stats.kstest(cosine, "uniform", args=(-1, 2)).pvalue > P_MIN
    assert stats.kstest(rest.phi, "uniform", args=(-np.pi, 2 * np.pi)).pvalue > P_MIN


def test_energies_are_flat_between_the_kinematic_limits(pairs):
    parent, first, second = pairs
    p = np.sqrt(parent[3] ** 2 - M_PI0**2)
    for photon in (first, second):
        share = (photon[3] - (parent[3] - p) / 2) / p
        assert stats.kstest(share, "uniform").pvalue > P_MIN


def test_a_pi0_at_rest_gives_photons_back_to_back():
    at_rest = np.zeros((1, 4, 1000))
    at_rest[0, 3] = M_PI0
    _, _, _, first, second = decayed("pi0munu", at_rest)
    assert np.abs(first[:3] + second[:3]).max() == 0.0
    assert np.abs(first[3] / (M_PI0 / 2) - 1).max() < 1e-12


def test_the_photons_do_not_depend_on_the_place_in_the_block():
    parent = parents(5 * BLOCK)
    index = np.arange(5 * BLOCK, dtype=np.uint64)
    order = np.random.default_rng(3).permutation(len(index))
    straight = decayed("pi0munu", parent[np.newaxis])[3:]
    shuffled = decayed("pi0munu", parent[np.newaxis][..., order], index[order])[3:]
    assert np.array_equal(shuffled, straight[..., order])
