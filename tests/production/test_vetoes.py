"""Two ways to count what gets past the vetoes: probabilities as weights, or yes and no. They estimate the same."""

from itertools import pairwise

import numpy as np
import pytest
from small_runs import columns, made, sample

from kaongen.configuration import load
from kaongen.decays.catalogue import find
from kaongen.decays.mixture import alone
from kaongen.decays.sampling import CHUNK
from kaongen.events.reader import open_events
from kaongen.production.chain import build_chain
from kaongen.random import stream_key

NA62 = load("na62-2016-2018")


def leaky(name, value):
    """What a system with holes has in the place of a number."""
    section, _, quantity = name.partition(".")
    if section == "photon_inefficiency" and np.ndim(value) == 2:
        return [[energy, max(p, 0.6)] for energy, p in value]
    if "inefficiency" in quantity:
        return 0.8
    if name == "rich.ring_hits":
        return 3.0
    if quantity.endswith(("_as_muon", "punch_through")):
        return [[p, 0.6] for p, _ in value] if np.ndim(value) == 2 else 0.6
    return None


LEAKY = {name: changed for name, q in NA62.quantities.items() if (changed := leaky(name, q.value)) is not None}
"""Holes large enough that yes and no has something to count."""

FLIGHT = "K+ -> (pi+ -> mu+ nu_mu) X"
MUONS = ("munu", "munug", "pi0munu", "munumumu", "munuee", FLIGHT)
"""Whose candidate is a muon, or also an e+: from the kaon, or from a pion of a chain."""
CASES = (*MUONS, "pipipi", "pipi0", "piee")
CANDIDATES = 4 * CHUNK


def label(name):
    """Of a sample: a word."""
    return "flight" if name == FLIGHT else name


def parameters(name):
    return {"m_X": 0.1} if name == FLIGHT else {}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("vetoes")
    samples = [sample(name, CANDIDATES, name=label(name), parameters=parameters(name)) for name in CASES]
    for vetoes in ("weight", "accept"):
        made(directory / vetoes, *samples, vetoes=vetoes, changes=LEAKY)
    return directory


def mean(values, n):
    """Of n events of which only those that are not zero are given, with its error."""
    m, m2 = values.sum() / n, (values**2).sum() / n
    return m, np.sqrt((m2 - m * m) / n)


@pytest.mark.parametrize("name", CASES)
def test_both_ways_agree(runs, name):
    """In the whole and in thirds of the missing mass, to 4.5 standard deviations: 2.4e-4 over the 36 numbers.

    The events are partly the same, so that the errors are overestimated and not underestimated.
    """
    weighted, accepted = (columns(runs / vetoes)[label(name)] for vetoes in ("weight", "accept"))
    n = open_events(runs / "weight")[label(name)].tally.generated
    assert n == CANDIDATES == open_events(runs / "accept")[label(name)].tally.generated
    assert len(accepted["weight"]) > 50
    edges = [-np.inf, *np.quantile(accepted["m2_miss"], [1 / 3, 2 / 3]), np.inf]
    for low, high in [(-np.inf, np.inf), *pairwise(edges)]:
        (one, d_one), (two, d_two) = (
            mean(t["weight"][(t["m2_miss"] > low) & (t["m2_miss"] <= high)], n) for t in (weighted, accepted)
        )
        assert abs(one - two) < 4.5 * np.hypot(d_one, d_two), (name, low, high, one, two)


@pytest.mark.parametrize("name", CASES)
def test_weights_never_lose_precision(runs, name):
    """A probability carries more than one of its outcomes; where most is accepted, what is forced costs a little."""
    weighted, accepted = (columns(runs / vetoes)[label(name)] for vetoes in ("weight", "accept"))
    relative = [np.sqrt((t["weight"] ** 2).sum()) / t["weight"].sum() for t in (weighted, accepted)]
    assert relative[0] < (1.2 if name == "munu" else 1.0) * relative[1]


def muon_numbers(name):
    """Of candidates whose lane takes a muon for the candidate."""
    chain = build_chain([alone(find(name), parameters(name))], NA62)
    batches = chain.batches(stream_key(5, label(name)), 0, CANDIDATES)
    return np.concatenate([some for lane, some in batches if lane.final.species[lane.candidate].name == "mu+"])


@pytest.mark.parametrize("name", MUONS)
def test_what_is_accepted_had_a_chance(runs, name):
    """A muon's events are among the weighted ones and measured the same, but for those of which a decay, a collision
    or a wrong track was forced: weights make many of what is rare."""
    weighted, accepted = (columns(runs / vetoes)[label(name)] for vetoes in ("weight", "accept"))
    muon = np.isin(accepted["index"], muon_numbers(name))
    assert muon.sum() > 50
    accepted = {column: values[muon] for column, values in accepted.items()}
    both = np.isin(accepted["index"], weighted["index"])
    assert both.mean() > 0.75
    accepted = {column: values[both] for column, values in accepted.items()}
    where = np.searchsorted(weighted["index"], accepted["index"])
    same = [weighted[name][where] == values for name, values in accepted.items() if name != "weight"]
    assert np.logical_and.reduce(same).mean() > 0.75
