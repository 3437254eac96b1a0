"""Weights against yes and no: both ways to run must give the same expectation, cell by cell."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from blocks import CONFIGURATION, assert_fraction, chain_of, decided, produced

from kaongen.event_block import R_M2, T_P
from kaongen.random import stream_key

N = 100_000


def test_a_weight_is_the_product_of_all_probabilities():
    rng = np.random.default_rng(1)
    inside, efficiency, survival = rng.integers(0, 2, N).astype(float), *rng.uniform(size=(2, N))
    weight = rng.uniform(1.0, 1.2, N)
    found = decided(inside, efficiency, survival, weight, 2.0, accept=False)
    assert np.abs(found - 2.0 * weight * inside * efficiency * survival).max() < 1e-15


@pytest.mark.parametrize("probability", [0.001, 0.2, 0.9])
def test_events_are_accepted_as_often_as_they_should(probability):
    found = decided(1.0, probability, 1.0, np.ones(N), 1.0, accept=True)
    assert set(found) == {0.0, 1.0}
    assert_fraction(found, probability)


def test_certain_events_are_certain():
    assert (decided(1.0, 1.0, 1.0, np.ones(N), 3.0, accept=True) == 3.0).all()
    for fate in ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0)):
        assert (decided(*fate, np.ones(N), 3.0, accept=True) == 0.0).all()


def test_a_weight_from_the_sampler_stays():
    found = decided(1.0, 0.5, 1.0, np.full(N, 1.3), 2.0, accept=True)
    assert set(found) == {0.0, 2.6}


def poor(name, value):
    """What a veto or an identification that hardly works has in the place of a number."""
    section, _, quantity = name.partition(".")
    if section == "photon_inefficiency" and np.ndim(value) == 2:
        return tuple((energy, 0.5) for energy, _ in value)
    if "inefficiency" in quantity:
        return 0.8
    if name == "rich.ring_hits":
        return 3.0
    if quantity.endswith(("_as_muon", "punch_through")):
        return tuple((p, 0.5) for p, _ in value) if np.ndim(value) == 2 else 0.5
    return None


POOR = tuple(
    (name, changed) for name, q in CONFIGURATION.quantities.items() if (changed := poor(name, q.value)) is not None
)
"""Photons and charged particles are missed often, so that some of the events survive."""


@pytest.mark.parametrize("name", ["munug", "pi0munu"])
def test_weighted_and_unweighted_runs_agree(name):
    """Sums and cells of missing mass, momentum and weight within 4 sigma; the false-alarm rate is 0.2% for 30 cells,
    with a fixed seed. What is accepted is a coin of the probability that the event has."""
    weighted, decisions = (produced(name, 300_000, changes=POOR, vetoes=vetoes) for vetoes in ("weight", "accept"))
    assert np.array_equal(weighted.index, decisions.index)
    assert set(decisions.weight) == {0.0, 1.0}
    assert decisions.weight.sum() > 1000
    chance = np.prod(decisions.fate, axis=0)
    assert_coins(chance, decisions.weight)
    assert_equal_sums(weighted.weight, decisions.weight)
    for low, high in cells(chance[chance > 0]):
        cell = (chance >= low) & (chance <= high)
        assert_coins(chance[cell], decisions.weight[cell])
    for quantity in (lambda e: e.reco[R_M2], lambda e: e.track[T_P]):
        values, others = quantity(decisions), quantity(weighted)
        for low, high in cells(values[chance > 0]):
            inside, inside_weighted = ((v >= low) & (v <= high) for v in (values, others))
            assert_coins(chance[inside], decisions.weight[inside])
            assert_equal_sums(weighted.weight * inside_weighted, decisions.weight * inside)


def cells(values):
    """Ends of five ranges with as many values in each."""
    return pairwise(np.quantile(values, np.linspace(0, 1, 6)))


def assert_coins(probabilities, outcomes):
    error = np.sqrt((probabilities * (1 - probabilities)).sum())
    assert abs(outcomes.sum() - probabilities.sum()) < 4 * error


def assert_equal_sums(one, other):
    """As if they were independent, which overestimates the error: most events are the same in both."""
    n = one.size
    assert abs(one.mean() - other.mean()) < 4 * np.sqrt((one.var() + other.var()) / n)


def test_both_ways_measure_the_same():
    """But for the decays, collisions and wrong tracks that are forced with weights, at most one event in four."""
    weighted, decisions = (produced("munug", 50_000, changes=POOR, vetoes=vetoes) for vetoes in ("weight", "accept"))
    for rows in (weighted.beam == decisions.beam, weighted.reco == decisions.reco):
        assert rows.all(axis=0)[decisions.weight > 0].mean() > 0.75


def test_what_has_no_chance_is_not_accepted():
    weighted, decisions = (produced("munug", 50_000, changes=POOR, vetoes=vetoes) for vetoes in ("weight", "accept"))
    for events in (weighted, decisions):
        hopeless = np.prod(events.fate, axis=0) == 0
        assert hopeless.sum() > 1000
        assert not events.weight[hopeless].any()


def test_three_pions_with_forced_and_with_natural_decays_agree():
    """Weights force pions to decay, yes and no lets them decay as in nature: from independent streams, within 4 sigma
    (0.05% for 8 comparisons, with a fixed seed). Two alike pi+ count twice."""
    weighted = produced("pipipi", 400_000, changes=POOR, key=stream_key(1, "weights"))
    decisions = produced("pipipi", 400_000, changes=POOR, vetoes="accept", key=stream_key(1, "coins"))
    assert set(decisions.weight) == {0.0, 2.0}
    assert (decisions.weight > 0).sum() > 500
    observables = {
        "sum": lambda e: np.ones(len(e)),
        "momentum": lambda e: e.track[T_P],
        "soft": lambda e: e.track[T_P] < 20,
        "missing mass": lambda e: e.reco[R_M2],
        "low missing mass": lambda e: e.reco[R_M2] < 0.09,
    }
    for name, observable in observables.items():
        terms = [events.weight * observable(events) for events in (weighted, decisions)]
        error = np.sqrt(sum(term.var() / term.size for term in terms))
        assert abs(terms[0].mean() - terms[1].mean()) < 4 * error, name
    # weighting is worth it: a smaller error from as many events
    assert weighted.weight.std() < decisions.weight.std()


@pytest.mark.parametrize(
    ("name", "candidates"),
    [
        ("munu", {"mu+": 1}),
        ("pipipi", {"pi+": 2}),
        ("munumumu", {"mu+": 2}),
        ("pimumu", {"pi+": 2, "mu+": 2}),  # two lanes
        ("pieeee", {"pi+": 2, "e+": 4}),  # and any of two e+
    ],
)
def test_multiplicity_counts_all_that_could_be_the_candidate(name, candidates):
    """An event that is accepted stands for those of its kind, and for the lanes of the other kinds."""
    chain = chain_of(name, changes=POOR, vetoes="accept")
    found = 0
    for lane in chain.lanes:
        events = produced("", 20_000, chain=replace(chain, lanes=(lane,)))
        multiplicity = candidates[lane.final.species[lane.candidate].name]
        # above its bound a decay counts for a little more
        assert np.isin(events.weight, [0.0, multiplicity]).sum() >= 20_000 - events.above
        found += (events.weight > 0).sum()
    assert len(chain.lanes) == len(candidates)
    assert found > 20
    assert [lane.candidate for lane in chain_of("pipipi").lanes] == [0]
