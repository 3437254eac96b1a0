"""Weights against yes and no: both ways to run must give the same expectation, cell by cell."""

from itertools import pairwise

import numpy as np
import pytest
from blocks import assert_fraction, chain_of, decided, produced

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


POOR = (
    # Photons and charged particles are missed often, so that a few in a hundred events survive.
    ("photon_inefficiency.lav", tuple((e, 0.3) for e in (0.05, 0.1, 0.2, 0.3, 3.0, 5.0, 100.0))),
    ("photon_inefficiency.lkr", tuple((e, 0.2) for e in (0.3, 1.0, 1.75, 4.0, 6.5, 8.75, 15.0, 100.0))),
    ("photon_inefficiency.irc", tuple((e, 0.4) for e in (0.5, 2.0, 5.0, 100.0))),
    ("photon_inefficiency.sac", tuple((e, 0.4) for e in (0.5, 2.0, 5.0, 100.0))),
    ("straw.inefficiency", 0.6),
    ("rich.inefficiency", 0.6),
    ("lkr.mip_inefficiency", 0.6),
    ("muv3.pion_punch_through", 0.5),
    ("rich.pion_as_muon", 0.5),
)


@pytest.mark.parametrize("name", ["munug", "pi0munu"])
def test_weighted_and_unweighted_runs_agree(name):
    """The same events in both: given its weight w, each is a coin of probability w. Sums and cells of missing mass,
    momentum and weight within 4 sigma; the false-alarm rate is 0.2% for 30 cells, with a fixed seed."""
    weighted, decisions = (produced(name, 300_000, changes=POOR, vetoes=vetoes) for vetoes in ("weight", "accept"))
    assert np.array_equal(weighted.index, decisions.index)
    assert np.array_equal(weighted.reco, decisions.reco)
    assert set(decisions.weight) == {0.0, 1.0}
    assert decisions.weight.sum() > 1000
    assert_coins(weighted.weight, decisions.weight)
    inside = weighted.weight > 0
    for value in (weighted.reco[R_M2], weighted.track[T_P], weighted.weight):
        edges = np.quantile(value[inside], np.linspace(0, 1, 6))
        for low, high in pairwise(edges):
            cell = inside & (value >= low) & (value <= high)
            assert_coins(weighted.weight[cell], decisions.weight[cell])


def assert_coins(probabilities, outcomes):
    error = np.sqrt((probabilities * (1 - probabilities)).sum())
    assert abs(outcomes.sum() - probabilities.sum()) < 4 * error


def test_events_that_are_not_accepted_cannot_be_told_from_their_weight():
    weighted, decisions = (produced("munug", 50_000, changes=POOR, vetoes=vetoes) for vetoes in ("weight", "accept"))
    assert (decisions.weight[weighted.weight == 0] == 0).all()


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


def test_multiplicity_counts_the_candidates_that_are_alike():
    """One mu+ in K -> mu nu; two pi+ in K -> pi+ pi+ pi-."""
    for name, alike in (("munu", 1.0), ("pipipi", 2.0)):
        events = produced(name, 2_000, changes=POOR)
        expected = alike * np.prod(events.fate, axis=0)
        assert np.abs(events.weight - expected).max() < 1e-15
    assert chain_of("pipipi").candidate == 0
