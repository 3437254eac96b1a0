"""How far daughters fly before they decay, and the boost to the frame in which they fly."""

import numpy as np
import pytest
from in_flight import (
    M_MU,
    M_PI,
    P_MIN,
    SIGMAS,
    at_rest,
    decayed,
    in_frame_of,
    moving,
    of,
    product,
)
from scipy import stats

from kaongen.decays.daughters import LIFETIMES, Secondary, sampler_of
from kaongen.decays.flight import boost_from
from kaongen.jit import BLOCK
from kaongen.random import stream_key

N = 100_000
C = 0.299792458
"""m/ns, exact."""
TWO_PHOTONS = ("gamma", "gamma")


def two_photons(parent, first, mass, lifetime):
    return Secondary(parent, (first, first + 1), mass, lifetime, sampler_of("X", mass, TWO_PHOTONS, (0.0, 0.0)))


def displaced(mass, lifetime):
    """X -> gamma gamma in flight: X in slot 0."""
    return of("X", two_photons(0, 1, mass, lifetime), masses=(mass, 0.0, 0.0))


def proper_times(momentum, mass, start, end):
    """In ns, from where a particle began and ended (3, n) in m."""
    length = np.sqrt(((end - start) ** 2).sum(axis=0))
    p = np.sqrt((momentum[:3] ** 2).sum(axis=0))
    return length * mass / p / C


def boosted(mass, parent, momenta):
    n = momenta.shape[-1]
    frame, rows = np.zeros((4, BLOCK)), np.zeros((4, BLOCK))
    frame[:, :n], rows[:, :n] = parent, momenta
    flat = rows.ravel()
    boost_from(n, mass, frame.ravel(), flat)
    return flat.reshape(4, BLOCK)[:, :n]


@pytest.mark.parametrize("mass", [0.000511, 0.135, 0.35])
@pytest.mark.parametrize("scale", [1e-3, 0.2, 20.0])
def test_the_boost_is_the_inverse_of_a_boost_by_matrix(mass, scale):
    parent = moving(mass, 4000, scale)
    inside = moving(0.05, 4000, 0.1, seed=2)
    laboratory = boosted(mass, parent, inside)
    back = in_frame_of(parent, mass, laboratory)
    # the matrix amplifies the rounding of the laboratory's energies by the parent's gamma
    rounding = 1e-14 * (laboratory[3] * parent[3] / mass).max()
    assert np.abs(back - inside).max() < rounding
    assert np.abs(product(laboratory, parent) / mass - inside[3]).max() < rounding


def test_a_particle_at_rest_does_not_boost():
    inside = moving(0.05, 1000)
    assert np.allclose(boosted(0.2, at_rest(0.2, 1000), inside), inside, rtol=1e-15, atol=0)


def test_the_parent_itself_is_boosted_to_its_momentum():
    parent = moving(0.2, 4000)
    assert np.allclose(boosted(0.2, parent, at_rest(0.2, 4000)), parent, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize(
    ("mass", "lifetime", "scale"), [(0.2, 1.0, 10.0), (0.01, 1e-3, 10.0), (0.35, 1e6, 10.0), (0.2, 5.0, 1e-3)]
)
def test_flights_are_exponential_along_the_momentum(mass, lifetime, scale):
    parent = moving(mass, N, scale)
    found = decayed(displaced(mass, lifetime), parent[np.newaxis])
    way = found.starts[1] - found.starts[0]
    along = (way * parent[:3]).sum(axis=0)
    assert (along > 0).all()
    assert np.allclose(along**2, (way**2).sum(axis=0) * (parent[:3] ** 2).sum(axis=0), rtol=1e-12)
    times = proper_times(parent, mass, found.starts[0], found.starts[1])
    assert stats.kstest(times / lifetime, "expon").pvalue > P_MIN
    assert abs(times.mean() / lifetime - 1) < SIGMAS / np.sqrt(N)
    # nothing but the boost depends on the momentum
    assert abs(np.corrcoef(times, parent[3])[0, 1]) < SIGMAS / np.sqrt(N)


def test_flights_are_finer_than_32_bits():
    """Of half a million 32-bit numbers, 29 are expected to be there twice; and flights would end at 22 mean lives."""
    n = 500_000
    parent = np.tile(moving(0.2, 1), n)
    found = decayed(displaced(0.2, 1.0), parent[np.newaxis])
    assert len(np.unique(found.starts[1, 2])) == n


def test_both_products_begin_together_where_the_parent_decays():
    found = decayed(displaced(0.2, 1.0), moving(0.2, 1000)[np.newaxis], vertex=(0.1, -0.2, 130.0))
    assert (found.starts[0] == np.array([[0.1], [-0.2], [130.0]])).all()
    assert np.array_equal(found.starts[1], found.starts[2])
    assert (found.starts[1] != found.starts[0]).all()


def test_flights_begin_where_the_parent_does():
    """A vertex of its own for each event, added to the same flights."""
    parent = moving(0.2, 10_000)
    vertex = np.random.default_rng(4).normal(size=(3, 10_000), scale=50.0)
    from_origin = decayed(displaced(0.2, 1.0), parent[np.newaxis])
    elsewhere = decayed(displaced(0.2, 1.0), parent[np.newaxis], vertex=vertex)
    assert np.allclose(elsewhere.starts[1] - vertex, from_origin.starts[1], rtol=0, atol=1e-9)
    assert np.array_equal(elsewhere.momenta, from_origin.momenta)


def test_without_a_lifetime_nothing_flies():
    vertex = np.random.default_rng(4).normal(size=(3, 10_000))
    found = decayed(displaced(0.2, 0.0), moving(0.2, 10_000)[np.newaxis], vertex=vertex)
    assert np.array_equal(found.starts[1], vertex)
    assert np.array_equal(found.starts[2], vertex)


def test_a_parent_at_rest_decays_where_it_is():
    found = decayed(displaced(0.2, 10.0), at_rest(0.2, 1000)[np.newaxis])
    assert (found.starts == 0.0).all()


def test_the_lifetime_does_not_change_what_comes_out():
    """The same photons, farther and farther away: in proportion."""
    parent = moving(0.2, 10_000)[np.newaxis]
    once, twice, at_once = (decayed(displaced(0.2, tau), parent) for tau in (1.0, 2.0, 0.0))
    assert np.array_equal(once.momenta, twice.momenta)
    assert np.array_equal(once.momenta, at_once.momenta)
    assert np.allclose(2 * once.starts, twice.starts, rtol=1e-14, atol=0)


def test_flights_and_directions_are_independent():
    parent = moving(0.2, N)
    found = decayed(displaced(0.2, 1.0), parent[np.newaxis])
    times = proper_times(parent, 0.2, found.starts[0], found.starts[1])
    inside = in_frame_of(parent, 0.2, found.momenta[1])
    columns = [np.exp(-times), *inside[:3]]
    assert np.abs(np.corrcoef(columns) - np.eye(4)).max() < SIGMAS / np.sqrt(N)


LONG, SHORT, HEAVY, LIGHT = 3.0, 0.5, 0.3, 0.05


@pytest.fixture(scope="module")
def chain():
    """X -> A' A' in flight, each A' -> gamma gamma in flight: X in slot 0, A' in 1 and 2, photons in 3 to 6."""
    pair = Secondary(0, (1, 2), HEAVY, LONG, sampler_of("X", HEAVY, ("A'", "A'"), (LIGHT, LIGHT)))
    final = of(
        "X", pair, two_photons(1, 3, LIGHT, SHORT), two_photons(2, 5, LIGHT, SHORT),
        masses=(HEAVY, LIGHT, LIGHT, 0.0, 0.0, 0.0, 0.0),
    )  # fmt: skip
    return final, decayed(final, moving(HEAVY, N)[np.newaxis], vertex=(0.0, 0.1, 110.0))


def test_one_flight_after_the_other(chain):
    """Each begins where the one before ended, and goes on along its own momentum."""
    _, found = chain
    assert np.array_equal(found.starts[1], found.starts[2])
    for parent, photon, mass, lifetime in ((0, 1, HEAVY, LONG), (1, 3, LIGHT, SHORT), (2, 5, LIGHT, SHORT)):
        start, end, momentum = found.starts[parent], found.starts[photon], found.momenta[parent]
        way = end - start
        along = (way * momentum[:3]).sum(axis=0)
        assert (along > 0).all()
        assert np.allclose(along**2, (way**2).sum(axis=0) * (momentum[:3] ** 2).sum(axis=0), rtol=1e-9)
        assert np.array_equal(found.starts[photon + 1], end)
        assert stats.kstest(proper_times(momentum, mass, start, end) / lifetime, "expon").pvalue > P_MIN


def test_flights_of_one_event_are_independent(chain):
    _, found = chain
    steps = ((0, 1, HEAVY, LONG), (1, 3, LIGHT, SHORT), (2, 5, LIGHT, SHORT))
    times = [
        proper_times(found.momenta[parent], mass, found.starts[parent], found.starts[photon]) / lifetime
        for parent, photon, mass, lifetime in steps
    ]
    columns = [np.exp(-t) for t in times]
    assert np.abs(np.corrcoef(columns) - np.eye(3)).max() < SIGMAS / np.sqrt(N)
    assert not (columns[1] == columns[2]).any()


def test_what_decays_at_once_behind_a_flight_begins_where_that_ended():
    """X -> pi0 pi0 in flight, pi0 -> gamma gamma on the spot."""
    mass = 0.3
    pair = Secondary(0, (1, 2), mass, 2.0, sampler_of("X", mass, ("pi0", "pi0"), (0.135, 0.135)))
    final = of("X", pair, two_photons(2, 3, 0.135, 0.0), masses=(mass, 0.135, 0.135, 0.0, 0.0))
    found = decayed(final, moving(mass, 1000)[np.newaxis])
    assert (found.starts[1] != 0.0).all()
    for slot in (2, 3, 4):
        assert np.array_equal(found.starts[slot], found.starts[1])
    assert final.displaced() == (1, 2, 3, 4)


def test_a_flight_after_a_decay_on_the_spot():
    mass = 0.3
    pair = Secondary(0, (1, 2), mass, 0.0, sampler_of("X", mass, ("A'", "A'"), (LIGHT, LIGHT)))
    final = of("X", pair, two_photons(2, 3, LIGHT, 2.0), masses=(mass, LIGHT, LIGHT, 0.0, 0.0))
    found = decayed(final, moving(mass, 1000)[np.newaxis])
    assert (found.starts[:3] == 0.0).all()
    assert (found.starts[3:] != 0.0).all()
    assert final.displaced() == (3, 4)


def test_flights_do_not_depend_on_the_place_in_the_block(chain):
    final, _ = chain
    parent = moving(HEAVY, 3 * BLOCK)
    index = np.arange(3 * BLOCK, dtype=np.uint64) + np.uint64(2**40)
    order = np.random.default_rng(3).permutation(len(index))
    straight = decayed(final, parent[np.newaxis], index)
    shuffled = decayed(final, parent[np.newaxis][..., order], index[order])
    assert np.array_equal(shuffled.starts, straight.starts[..., order])
    assert np.array_equal(shuffled.momenta, straight.momenta[..., order])
    alone = decayed(final, parent[np.newaxis, :, 777:778], index[777:778])
    assert np.array_equal(alone.starts, straight.starts[..., 777:778])


def test_keys_give_different_flights(chain):
    final, found = chain
    other = decayed(final, moving(HEAVY, 1000)[np.newaxis], key=stream_key(2, "tests/in_flight"))
    assert not (other.starts[1] == found.starts[1, :, :1000]).any()


@pytest.mark.parametrize(
    ("name", "mass", "products", "masses", "length"),
    [
        ("pi+", M_PI, ("mu+", "nu_mu"), (M_MU, 0.0), 7.8045),
        ("pi-", M_PI, ("mu-", "anti-nu_mu"), (M_MU, 0.0), 7.8045),
        ("mu+", M_MU, ("e+", "nu_e", "anti-nu_mu"), (0.000511, 0.0, 0.0), 658.6384),
        ("mu-", M_MU, ("e-", "anti-nu_e", "nu_mu"), (0.000511, 0.0, 0.0), 658.6384),
    ],
)
def test_lifetimes_of_pions_and_muons(name, mass, products, masses, length):
    """c tau of the Particle Data Group in m; c tau/m p is the mean flight: 559 m for a pion of 10 GeV."""
    assert C * LIFETIMES[name] == pytest.approx(length, rel=2e-4)
    slots = tuple(range(1, 1 + len(products)))
    final = of(name, Secondary(0, slots, mass, LIFETIMES[name], sampler_of(name, mass, products, masses)),
               masses=(mass, *masses))  # fmt: skip
    parent = moving(mass, N)
    found = decayed(final, parent[np.newaxis])
    flown = np.sqrt((found.starts[1] ** 2).sum(axis=0)) / np.sqrt((parent[:3] ** 2).sum(axis=0)) * mass / length
    assert stats.kstest(flown, "expon").pvalue > P_MIN


def test_a_neutral_pion_decays_on_the_spot():
    """c tau = 25.3 nm: a pi0 of 75 GeV flies 14 micrometres."""
    assert LIFETIMES["pi0"] == 0.0
