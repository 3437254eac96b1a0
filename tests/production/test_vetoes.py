"""Two ways to count what gets past the vetoes: probabilities as weights, or yes and no. They estimate the same."""

from itertools import pairwise

import numpy as np
import pytest
from small_runs import columns, made, sample

from kaongen.configuration import load
from kaongen.decays.sampling import CHUNK
from kaongen.events.reader import open_events

NA62 = load("na62-2016-2018")
LEAKY = {
    f"photon_inefficiency.{system}": [
        [energy, max(p, 0.3)] for energy, p in NA62.array(f"photon_inefficiency.{system}").tolist()
    ]
    for system in ("lav", "lkr", "irc", "sac")
} | {
    "straw.inefficiency": 0.6,
    "rich.inefficiency": 0.6,
    "lkr.mip_inefficiency": 0.7,
    "lav.mip_inefficiency": 0.7,
    "chanti.inefficiency": 0.7,
    "muv3.pion_punch_through": 0.5,
    "rich.pion_as_muon": 0.7,
}
"""Holes large enough that yes and no has something to count."""

FLIGHT = "K+ -> (pi+ -> mu+ nu_mu) pi0"
MUONS = ("munu", "munug", "pi0munu", "munumumu", "munuee", FLIGHT)
"""Whose candidate is a muon: from the kaon, or from a pion of a chain."""
CASES = (*MUONS, "pipipi", "pipi0", "piee")
CANDIDATES = 4 * CHUNK


def label(name):
    """Of a sample: a word."""
    return "flight" if name == FLIGHT else name


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("vetoes")
    samples = [sample(name, CANDIDATES, name=label(name)) for name in CASES]
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
    """A probability carries more than one of its outcomes."""
    weighted, accepted = (columns(runs / vetoes)[label(name)] for vetoes in ("weight", "accept"))
    relative = [np.sqrt((t["weight"] ** 2).sum()) / t["weight"].sum() for t in (weighted, accepted)]
    assert relative[0] < relative[1]


@pytest.mark.parametrize("name", MUONS)
def test_what_is_accepted_had_a_chance(runs, name):
    """Of a muon's events every accepted one is among the weighted ones, measured the same."""
    weighted, accepted = (columns(runs / vetoes)[label(name)] for vetoes in ("weight", "accept"))
    where = np.searchsorted(weighted["index"], accepted["index"])
    for column, values in accepted.items():
        if column != "weight":
            assert weighted[column][where].tobytes() == values.tobytes(), column
