"""What an event consists of once pi0 have decayed; pi0 -> gamma gamma against conservation laws and isotropy.

Seeds are fixed. A Kolmogorov test fails below p = 1e-4 as everywhere under tests/decays (8 of them), a correlation
beyond 5 standard deviations.
"""

from dataclasses import replace

import numpy as np
import pytest
import vector
from phase_space import P_MIN
from scipy import stats

from kaongen.decays.catalogue import find
from kaongen.decays.final_state import final_state
from kaongen.decays.sampling import blocks
from kaongen.decays.workspace import DecayBlock
from kaongen.jit import BLOCK
from kaongen.random import stream_key

KEY = stream_key(1, "tests/final_state")
N = 100_000
M_PI0 = 0.1349768
"""GeV; Particle Data Group, Review of Particle Physics 2026."""

TWO_PI0 = replace(find("pipipi"), name="pipi0pi0", decay="K+ -> pi+ pi0 pi0")


def parents(n=N, scale=10.0, seed=1):
    p = np.random.default_rng(seed).normal(scale=scale, size=(3, n)) + np.array([[0.0], [0.0], [2 * scale]])
    return np.array([*p, np.sqrt((p**2).sum(axis=0) + M_PI0**2)])


def decayed(process, momenta, index=None, key=KEY):
    """Products (slots, 4, n) of an event whose pi0 have the given momenta (pi0, 4, n)."""
    final = final_state(process)
    block = DecayBlock(len(final.species))
    n = momenta.shape[-1]
    index = np.arange(n, dtype=np.uint64) if index is None else index
    result = np.empty((len(final.species), 4, n))
    for first, size in blocks(n):
        piece = slice(first, first + size)
        block.index[:size] = index[piece]
        for (slot, _, _), momentum in zip(final.prompt, momenta, strict=True):
            block.momenta[slot].reshape(4, BLOCK)[:, :size] = momentum[:, piece]
        final.decay(key, size, block)
        for slot, rows in enumerate(block.momenta):
            result[slot, :, piece] = rows.reshape(4, BLOCK)[:, :size]
    return result


@pytest.fixture(scope="module")
def pairs():
    """The parent and its two photons."""
    parent = parents()
    products = decayed(find("pi0munu"), parent[np.newaxis])
    _, first, second = final_state(find("pi0munu")).prompt[0]
    return parent, products[first], products[second]


def test_kmu3_is_a_muon_a_neutrino_and_two_photons():
    final = final_state(find("pi0munu"))
    names = [species.name for species in final.species]
    assert names[:3] == list(find("pi0munu").daughters)
    assert names[3:] == ["gamma", "gamma"]
    assert final.prompt == ((names.index("pi0"), 3, 4),)
    assert final.photons() == (3, 4)
    assert final.charged() == (names.index("mu+"),)
    assert final.branching == pytest.approx(0.98823, abs=1e-6), "Particle Data Group 2026"


@pytest.mark.parametrize(
    ("name", "charged", "photons"),
    [("munu", 1, 0), ("munug", 1, 1), ("pipipi", 3, 0), ("munuV", 1, 0), ("mununubarnu", 1, 0)],
)
def test_without_a_pi0_nothing_is_added(name, charged, photons):
    final = final_state(find(name))
    assert tuple(species.name for species in final.species) == find(name).daughters
    assert final.prompt == ()
    assert final.branching == 1.0
    assert (len(final.charged()), len(final.photons())) == (charged, photons)


def test_each_of_two_pi0_has_photons_of_its_own():
    final = final_state(TWO_PI0)
    assert final.prompt == ((1, 3, 4), (2, 5, 6))
    assert final.branching == pytest.approx(0.98823**2, abs=1e-6)
    parent = parents(20_000)
    products = decayed(TWO_PI0, np.array([parent, parent]))
    same_momentum, other = products[3], products[5]
    assert not (same_momentum == other).any()
    energies = [products[slot, 3] / parent[3] for slot in (3, 5)]
    assert abs(np.corrcoef(energies)[0, 1]) < 5 / np.sqrt(20_000)


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
    _, _, _, first, second = decayed(find("pi0munu"), at_rest)
    assert np.abs(first[:3] + second[:3]).max() == 0.0
    assert np.abs(first[3] / (M_PI0 / 2) - 1).max() < 1e-12


def test_the_photons_do_not_depend_on_the_place_in_the_block():
    parent = parents(5 * BLOCK)
    index = np.arange(5 * BLOCK, dtype=np.uint64)
    order = np.random.default_rng(3).permutation(len(index))
    straight = decayed(find("pi0munu"), parent[np.newaxis])[3:]
    shuffled = decayed(find("pi0munu"), parent[np.newaxis][..., order], index[order])[3:]
    assert np.array_equal(shuffled, straight[..., order])
