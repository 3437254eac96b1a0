"""The published performance of NA62 beside the model's: structure of the list, and how near its predictions come."""

import json
import math

import pytest
from typer.testing import CliRunner

from kaongen.analysis.result import Number, Value
from kaongen.cli import app
from kaongen.decays.sampling import CHUNK
from kaongen.production.chain import build_chain
from kaongen.reproduce import na62_detector, simulate, three_tracks

AIMS = {
    "acceptance of K+ -> mu+ nu": 0.02,
    "acceptance of mu+ nu nu nubar": 0.05,
    "acceptance of mu+ nu nu nubar, m2_miss > 0.1 GeV^2": 0.05,
    "resolution of m2_miss at the K+ -> mu+ nu peak, GeV^2: rms within 0.01": 0.10,
    "background munug, m2_miss > 0.1 GeV^2": 0.30,
    "background pi0munu, m2_miss > 0.1 GeV^2": 0.30,
    "gain in mass resolution by the GTK": 0.15,
    "resolution of m2_miss, pi+ pi0, GeV^2": 0.10,
    "kaon's own GTK track is taken": 0.02,
    "another GTK track is taken where the kaon's own is missing": 0.10,
    "acceptance of pi+ nu nubar in both regions": 0.30,
    "region 2 over region 1, pi+ nu nubar": 0.30,
    "single-event sensitivity, pi+ nu nubar": 0.30,
    "pi+ X, 200 MeV: single-event sensitivity": 0.30,
}
"""Relative distance from the published number that is asked for, besides four standard errors of the simulation."""

FACTORS = {
    "tail below -0.1 GeV^2 over the K+ -> mu+ nu peak": 2.0,
    "2015: events per 1e8 kaons, m2_miss > 0.05 GeV^2": 2.0,
    "inefficiency for pi0 -> gamma gamma, 15-35 GeV": 2.0,
}

MISSED = {
    # LKr: how often it misses the cluster of a minimum-ionising pion is recalled, and 3 pi is proportional to it
    "background pipipi, m2_miss > 0.1 GeV^2": (1.2, 1.9),
    # beam and halo of 2015 are known by their averages alone
    "2015: events per 1e8 kaons, m2_miss > 0.023 GeV^2": (0.25, 0.6),
}
"""Predictions that miss their aim, and where they are: a change that improves them shows up here."""


@pytest.fixture(scope="module")
def numbers():
    return {n.name: n for n in na62_detector.reproduce(scale=0.25)}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "aim"), AIMS.items())
def test_within_the_aim(numbers, name, aim):
    n = numbers[name]
    assert abs(n.value / n.published - 1.0) < aim + 4.0 * n.error / n.published


@pytest.mark.slow
@pytest.mark.parametrize(("name", "factor"), FACTORS.items())
def test_within_a_factor(numbers, name, factor):
    n = numbers[name]
    assert n.published / factor < n.value + 4.0 * n.error
    assert n.value - 4.0 * n.error < n.published * factor


@pytest.mark.slow
@pytest.mark.parametrize(("name", "interval"), MISSED.items())
def test_known_misses_are_what_they_are(numbers, name, interval):
    n = numbers[name]
    assert interval[0] < n.value / n.published < interval[1]


@pytest.mark.slow
def test_acceptance_falls_and_resolution_improves_with_the_heavy_neutrino(numbers):
    """Figure 3 of NA62, Phys. Lett. B 816 (2021) 136259: below 1.33 MeV at 384 MeV, or its side bands had no room."""
    acceptances = [numbers[f"acceptance of mu+ N, {1e3 * m:.0f} MeV"].value for m in na62_detector.HNL_MASSES]
    resolutions = [numbers[f"mass resolution of mu+ N, {1e3 * m:.0f} MeV, GeV"].value for m in na62_detector.HNL_MASSES]
    assert acceptances == sorted(acceptances, reverse=True)
    assert resolutions == sorted(resolutions, reverse=True)
    assert resolutions[-1] < 1.33e-3


@pytest.mark.slow
def test_half_is_lost_at_an_edge_or_more(numbers):
    """The limit itself takes half; those on the other missing masses, which the paper has too, take more."""
    edges = [n for name, n in numbers.items() if "at the edge" in name]
    assert len(edges) == 4
    for n in edges:
        assert 0.2 < n.value < 0.62


@pytest.fixture(scope="module")
def small():
    """The list from one chunk of each sample, and how many decays were asked for."""
    asked = []

    def one_chunk(name, configuration, selection, decays, **options):
        asked.append(decays)
        return simulate.simulate(name, configuration, selection, CHUNK, **options)

    def few(name, configuration, momentum, decays, seed=1):
        return three_tracks.acceptance_of_all(name, configuration, momentum, 4096, seed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(na62_detector, "simulate", one_chunk)
        patch.setattr(na62_detector, "acceptance_of_all", few)
        # so few that an event of every sample is not sure
        patch.setattr(na62_detector, "ratio", lambda a, b: Value(value=a.value / b.value if b.value else 0.0))
        patch.setattr(na62_detector, "inverse", lambda a, x: Value(value=1.0 / max(a.value * x, 1e-300)))
        return na62_detector.reproduce(), sum(asked)


def test_the_progress_knows_how_much_there_is(small):
    assert small[1] == pytest.approx(na62_detector.DECAYS, rel=0.02)


def test_each_number_says_what_it_is(small):
    numbers, _ = small
    names = [n.name for n in numbers]
    assert len(set(names)) == len(names)
    assert {n.kind for n in numbers} == {"input", "tuned", "prediction"}
    for n in numbers:
        assert math.isfinite(n.value)
        assert n.reference.strip()
        if n.kind != "prediction":
            assert n.published is not None
        if n.kind == "input":
            assert n.value == pytest.approx(n.published, rel=1e-12)


def test_no_more_is_tuned_than_may_be(small):
    tuned = [n.name for n in small[0] if n.kind == "tuned"]
    assert tuned == [
        "acceptance of K+ -> mu+ nu",
        "inefficiency for pi0 -> gamma gamma, 15-35 GeV",
        "kaon's own GTK track is taken",
        "another GTK track is taken where the kaon's own is missing",
    ]


def test_the_command_prints_the_list(monkeypatch, small):
    monkeypatch.setattr(na62_detector, "reproduce", lambda **options: small[0])
    result = CliRunner().invoke(app, ["reproduce", "na62-detector", "--json", "--quiet"])
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert [Number.model_validate(entry) for entry in found] == small[0]
    assert set(found[0]) == {"name", "published", "published_error", "value", "error", "kind", "reference"}
    table = CliRunner().invoke(app, ["reproduce", "na62-detector", "--quiet"])
    assert table.exit_code == 0
    assert "prediction" in table.stdout


def test_what_cannot_be_reproduced_is_refused():
    result = CliRunner().invoke(app, ["reproduce", "na62-detectro"])
    assert result.exit_code == 2
    assert "na62-detector" in result.output


def test_three_tracks_are_fewer_than_one():
    """Each of the muons has to be accepted: at most as often as the hardest to see, and more often than none."""
    from kaongen.configuration import load

    all_three = three_tracks.acceptance_of_all("munumumu", load("na62-2016-2018"), 5.0, 100_000)
    loose = three_tracks.acceptance_of_all("munumumu", load("na62-2016-2018"), 0.0, 100_000)
    hard = three_tracks.acceptance_of_all("munumumu", load("na62-2016-2018"), 12.0, 100_000)
    # the magnet bends what has less than 5 GeV out of NA62 anyway
    assert 0.05 < hard.value < all_three.value <= loose.value < 0.4
    assert all_three.value > 0.99 * loose.value
    assert 0.0 < all_three.error < 0.003


def test_weights_of_three_tracks_are_probabilities(monkeypatch):
    """As often as where each flight and each collision is as in nature."""
    from kaongen.configuration import load

    c, n = load("na62-2016-2018"), 200_000
    weighted = three_tracks.acceptance_of_all("munumumu", c, 5.0, n)
    monkeypatch.setattr(three_tracks, "build_chain", lambda components, c: build_chain(components, c, "accept"))
    natural = three_tracks.acceptance_of_all("munumumu", c, 5.0, n, seed=2)
    assert abs(weighted.value - natural.value) < 4.0 * math.hypot(weighted.error, natural.error)
