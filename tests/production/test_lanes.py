"""Lanes of a sample: which number goes which way, how often, and that the company it keeps changes nothing."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import stats

from kaongen.analysis.mu_selection import MuonSelection
from kaongen.configuration import load
from kaongen.decays.catalogue import find
from kaongen.decays.mixture import Component, Mixture, alone, natural
from kaongen.decays.process import Rate
from kaongen.decays.sampling import CHUNK
from kaongen.errors import ProcessError
from kaongen.event_block import M2_TRUE, RECO_ROWS
from kaongen.jit import BLOCK, row
from kaongen.production.card import Card
from kaongen.production.chain import build_chain
from kaongen.production.engine import Worker, plan, run_in_threads
from kaongen.random import stream_key

NA62 = load("na62-2016-2018")
KEY = stream_key(7, "lanes")
P_MIN = 1e-6
SIGMAS = 5.0


@cache
def nature():
    return natural()


@cache
def chain_of(name):
    components = nature().components if name == "natural" else (alone(find(name), {}),)
    return build_chain(components, NA62)


def mixed(*parts):
    """Of (process, fraction) pairs."""
    return Mixture("mine", tuple(Component(find(name), {}, Rate(x, 0.0, "invented")) for name, x in parts)).components


def lanes_of(chain, first, n, key=KEY):
    """Position of the lane of each number; every number has one."""
    found = np.full(n, -1)
    for lane, numbers in chain.batches(key, first, n):
        assert 0 < len(numbers) <= BLOCK
        assert numbers.dtype == np.uint64
        assert (np.diff(numbers.astype(np.int64)) > 0).all()
        places = (numbers - np.uint64(first)).astype(np.int64)
        assert (found[places] == -1).all(), "no number twice"
        found[places] = next(k for k, one in enumerate(chain.lanes) if one is lane)
    assert (found >= 0).all()
    return found


# which way


@pytest.mark.parametrize("name", ["munu", "munuee", "pieeee", "natural"])
def test_the_lane_of_a_number_depends_on_the_number_alone(name):
    chain, n = chain_of(name), 3 * BLOCK + 5
    for start in (0, 2**32 - 2 * BLOCK, 2**62):
        whole = lanes_of(chain, start, n)
        for first, length in ((0, 1), (1, BLOCK), (317, 1000), (BLOCK - 1, 2 * BLOCK), (n - 1, 1)):
            assert np.array_equal(lanes_of(chain, start + first, length), whole[first : first + length])
        for number in (0, 1, 5, 1000, n - 1):
            assert chain.lane(KEY, start + number) is chain.lanes[whole[number]]


def test_without_numbers_there_are_no_batches():
    for name in ("munu", "munuee", "natural"):
        assert not any(len(numbers) for _, numbers in chain_of(name).batches(KEY, 5, 0))


def test_seeds_and_samples_choose_differently():
    chain = chain_of("munuee")
    one, other = (lanes_of(chain, 0, 10_000, stream_key(seed, "s")) for seed in (1, 2))
    assert abs(np.corrcoef(one, other)[0, 1]) < SIGMAS / 100
    # and neighbours do not know of each other
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < SIGMAS / 100


# how often


def assert_shares(chain, shares, n=1_000_000):
    counts = np.bincount(lanes_of(chain, 0, n), minlength=len(shares))
    expected = n * np.array(shares) / sum(shares)
    often = expected > 20
    rest = expected[~often].sum()
    assert abs(counts[~often].sum() - rest) <= SIGMAS * math.sqrt(rest) + 1
    scaled = expected[often] * counts[often].sum() / expected[often].sum()
    assert stats.chisquare(counts[often], scaled).pvalue > P_MIN


@pytest.mark.parametrize("name", ["munuee", "pipienu", "enumumu", "pieeee"])
def test_candidates_of_different_kinds_share_the_numbers_equally(name):
    """Also where one stands for several, which its weight counts."""
    chain = chain_of(name)
    assert len(chain.lanes) == 2
    assert_shares(chain, [1, 1], 200_000)


def test_nature_shares_the_numbers_as_the_manifest_says():
    """By the branching fractions of what is generated: a pi0 of which only the decay to two photons is, counts less."""
    sample = {"process": "natural", "role": "background", "candidates": 1}
    (planned,) = plan(Card.model_validate({"run": {"name": "x"}, "sample": [sample]})).samples
    fractions = [c.branching_fraction for c in planned.info.components]
    chain = chain_of("natural")
    lanes = [sum(lane.component == k for lane in chain.lanes) for k in range(len(fractions))]
    assert lanes == [2 if c.process.name in TWO_KINDS else 1 for c in nature().components]
    shares = [fractions[lane.component] / lanes[lane.component] for lane in chain.lanes]
    assert_shares(chain, shares)
    # the limits themselves, to the last digits that the smallest share leaves
    limits = [0, *(int(limit) for limit in chain.limits)]
    found = np.diff(np.array(limits, dtype=object)) / 2**64
    assert [float(x) for x in found] == pytest.approx([x / sum(shares) for x in shares], rel=1e-4, abs=1e-15)


TWO_KINDS = {"pipienu", "piee", "pimumu", "munuee", "enumumu", "pieeee"}
"""Standard Model decays with positive particles of two kinds."""


def test_what_never_happens_gets_no_number():
    chain = build_chain(mixed(("munu", 1.0), ("munuee", 0.0), ("pipipi", 3.0), ("enu", 0.0)), NA62)
    assert [lane.component for lane in chain.lanes] == [0, 1, 1, 2, 3]
    assert_shares(chain, [1, 0, 0, 3, 0], 100_000)
    assert set(lanes_of(chain, 0, 100_000)) == {0, 3}


@pytest.mark.parametrize("fraction", [0.0, 1e-30, 1.0])
def test_a_decay_alone_gets_all_numbers_whatever_its_rate(fraction):
    """A coupling of zero, say: acceptance and shape are asked all the same."""
    for name, lanes in (("munu", 1), ("munuee", 2)):
        chain = build_chain([Component(find(name), {}, Rate(fraction, 0.0, "invented"))], NA62)
        assert len(chain.lanes) == lanes
        assert set(lanes_of(chain, 0, 1000)) == set(range(lanes))


def test_components_are_told_apart_to_the_last():
    """255 of them; one byte holds no more lanes, and what would be mistaken for another is refused."""
    chain = build_chain(mixed(*[("munu", 1.0)] * 255), NA62)
    assert np.array_equal(np.unique(lanes_of(chain, 0, 20_000)), np.arange(255))
    assert [lane.component for lane in chain.lanes] == list(range(255))
    with pytest.raises(ProcessError, match=r"200 decays with 400 candidates: at most 255"):
        build_chain(mixed(*[("munuee", 1.0)] * 200), NA62)


# what comes out


def events_of(lane, numbers, event):
    event.take(numbers)
    left, _ = lane.run(KEY, len(numbers), event)
    measured = event.reco.reshape(RECO_ROWS, BLOCK)[:, :left]
    return event.index[:left].copy(), event.weight[:left].copy(), measured.copy()


def test_a_decay_is_the_same_in_a_mixture_and_alone():
    """Event by event and to the last bit, for every lane of nature: those that hardly ever happen too."""
    numbers = np.arange(50_000, 50_000 + 500, dtype=np.uint64)
    mixture = chain_of("natural")
    room = mixture.block()
    compared = 0
    for lane in mixture.lanes:
        component = nature().components[lane.component]
        single = build_chain([component], NA62)
        same = next(one for one in single.lanes if one.candidate == lane.candidate)
        for found, expected in zip(
            events_of(lane, numbers, room), events_of(same, numbers, single.block()), strict=True
        ):
            assert found.tobytes() == expected.tobytes(), component.process.name
        compared += len(single.lanes)
    assert compared >= 29


CUTS = len(MuonSelection.cuts)


def chunk(chain, first, n, key=KEY):
    return Worker(MuonSelection(), None).run(chain, key, first, n)


def joined(chunks):
    return {
        "index": np.concatenate([c.index for c in chunks]),
        "weight": np.concatenate([c.weight for c in chunks]),
        "component": np.concatenate([c.component for c in chunks]),
        "measured": np.concatenate([c.measured for c in chunks], axis=1),
        "counts": sum(c.counts for c in chunks),
        "generated": sum(c.generated for c in chunks),
        "above": sum(c.above for c in chunks),
    }


def assert_same(one, two):
    assert one.keys() == two.keys()
    for name, values in one.items():
        assert np.asarray(values).tobytes() == np.asarray(two[name]).tobytes(), name


@cache
def whole(name, n):
    return chunk(chain_of(name), 0, n)


@pytest.mark.parametrize("name", ["natural", "munuee"])
def test_pieces_of_any_length_have_the_same_content(name):
    n = 40_000
    chain = chain_of(name)
    expected = joined([whole(name, n)])
    assert len(expected["index"]) > 1000
    for length in (n // 2 + 1, BLOCK, BLOCK - 1, 9973, 1003):
        worker = Worker(MuonSelection(), None)
        chunks = [worker.run(chain, KEY, first, min(length, n - first)) for first in range(0, n, length)]
        assert_same(joined(chunks), expected)
        sums = sum(c.sums for c in chunks)
        assert sums == pytest.approx(whole(name, n).sums, rel=1e-12)


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_have_the_same_content(threads):
    n = 40_000
    pieces = [(chain_of("natural"), KEY, first, min(3001, n - first)) for first in range(0, n, 3001)]
    chunks = run_in_threads(Worker(MuonSelection(), None), pieces, threads)
    assert_same(joined(chunks), joined([whole("natural", n)]))


def test_a_worker_that_has_made_another_sample():
    """Blocks of other sizes, with other particles in them."""
    worker = Worker(MuonSelection(), None)
    for name in ("pieeee", "munu", "natural", "munuee"):
        found = worker.run(chain_of(name), KEY, 0, 40_000)
        expected = chunk(chain_of(name), 0, 40_000)
        assert_same(joined([found]), joined([expected]))


def test_events_of_a_mixture_are_in_the_order_of_their_numbers():
    """With the component that their number chose; all cuts count events of all lanes."""
    found = whole("natural", 4 * CHUNK)
    chain = chain_of("natural")
    index = found.index.astype(np.int64)
    assert (np.diff(index) > 0).all()
    assert index.max() < 4 * CHUNK
    component = np.array([lane.component for lane in chain.lanes])[lanes_of(chain, 0, 4 * CHUNK)]
    assert found.component.dtype == np.uint8
    assert np.array_equal(found.component, component[index])
    assert len(set(found.component)) >= 6
    assert found.generated == found.counts[0] == found.sums[0] == 4 * CHUNK
    assert found.counts[-1] == len(index)
    assert found.sums[-1] == pytest.approx(found.weight.sum(), rel=1e-12)
    assert (np.diff(found.counts) <= 0).all()
    assert len(found.counts) == CUTS


# expected yields


def yields(found, fraction, component=None):
    """Events for each K+ decay, with their error, of one component of what was selected."""
    weights = found.weight if component is None else found.weight[found.component == component]
    n = found.generated
    mean, square = weights.sum() / n, (weights**2).sum() / n
    return fraction * mean, fraction * math.sqrt(max(square - mean * mean, 0.0) / n)


N = 8 * CHUNK


@pytest.fixture(scope="module")
def planned():
    sample = {"process": "natural", "role": "background", "candidates": 1}
    return plan(Card.model_validate({"run": {"name": "x"}, "sample": [sample]})).samples[0].info


@pytest.mark.parametrize("name", ["munu", "pipi0", "pipipi", "pi0enu", "pi0munu", "munug"])
def test_a_part_of_nature_is_as_large_as_alone(planned, name):
    """Number of events for each kaon, distribution of their weights and of the missing mass: an independent sample."""
    k = [c.process for c in planned.components].index(name)
    mixture = whole("natural", N)
    single = Worker(MuonSelection(), None).run(
        build_chain([nature().components[k]], NA62), stream_key(8, name), 0, 2 * CHUNK
    )
    (one, d_one), (two, d_two) = (
        yields(mixture, planned.branching_fraction, k),
        yields(single, planned.components[k].branching_fraction),
    )
    # electrons look like neither muon nor pion: nothing of them may be seen at all
    assert abs(one - two) < SIGMAS * math.hypot(d_one, d_two) or one == two == 0.0, (one, two)
    assert one > 0.0 or name == "pi0enu"
    mine = mixture.component == k
    if mine.sum() > 100 and len(single.weight) > 100:
        assert stats.ks_2samp(mixture.weight[mine], single.weight).pvalue > P_MIN
        for one, other in zip(mixture.measured[:, mine], single.measured, strict=True):
            assert stats.ks_2samp(one, other).pvalue > P_MIN


def test_the_munu_part_of_nature_is_sharp(planned):
    """To a permille, which is less than what pi0 that do not decay to two photons would make of all shares."""
    k = [c.process for c in planned.components].index("munu")
    numbers = (np.array([lane.component for lane in chain_of("natural").lanes]) == k).nonzero()[0]
    n = 64 * CHUNK
    chosen = sum(np.isin(lanes_of(chain_of("natural"), first, CHUNK), numbers).sum() for first in range(0, n, CHUNK))
    expected = planned.components[k].branching_fraction / planned.branching_fraction
    assert abs(chosen / n - expected) < 4 * math.sqrt(expected * (1 - expected) / n) < 1.1e-3


def test_nature_is_the_sum_of_its_parts(planned):
    """Events for each kaon in all, and in the tail above the peak of K+ -> mu+ nu."""
    mixture = whole("natural", N)
    total, error = yields(mixture, planned.branching_fraction)
    parts = []
    for k, component in enumerate(planned.components):
        if component.branching_fraction > 1e-4:
            n = 2 * CHUNK if component.branching_fraction > 1e-2 else CHUNK // 4
            made = chunk(build_chain([nature().components[k]], NA62), 0, n, stream_key(9, component.process))
            parts.append(yields(made, component.branching_fraction))
    expected, spread = math.fsum(value for value, _ in parts), math.hypot(*(e for _, e in parts))
    # what is rarer than 1e-4 has no larger acceptance than one
    rest = math.fsum(c.branching_fraction for c in planned.components if c.branching_fraction <= 1e-4)
    assert abs(total - expected) < SIGMAS * math.hypot(error, spread) + rest
    assert error < 0.005 * total


def test_a_chain_of_one_lane_of_a_mixture_keeps_its_component():
    mixture = chain_of("natural")
    (lane,) = (one for one in mixture.lanes if nature().components[one.component].process.name == "pipipi")
    found = chunk(replace(mixture, lanes=(lane,)), 0, 20_000)
    assert set(found.component) == {lane.component} != {0}


@pytest.mark.parametrize("name", ["pipienu", "pimumu", "munuee", "pieeee"])
def test_the_true_missing_mass_is_that_of_the_lane_s_candidate(name):
    """(P_K - P)^2, from the momenta in the laboratory: 75 GeV squared leave 1e-11 of double precision."""
    chain = chain_of(name)
    event = chain.block()
    for lane in chain.lanes:
        event.take(np.arange(1000, dtype=np.uint64))
        lane.decay(KEY, 1000, event)
        kaon, momentum = (rows.reshape(-1, BLOCK)[:4, :1000] for rows in (event.beam, event.momenta[lane.candidate]))
        difference = kaon - momentum
        expected = difference[3] ** 2 - (difference[:3] ** 2).sum(axis=0)
        assert np.abs(row(event.reco, M2_TRUE)[:1000] - expected).max() < 1e-10
