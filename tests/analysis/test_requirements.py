"""Events and cards that a search cannot be done with are refused, with the reason."""

from itertools import pairwise

import pytest

from kaongen.analysis.none import analyse, selection
from kaongen.analysis.registry import search
from kaongen.analysis.requirements import require, require_of_card
from kaongen.configuration import load
from kaongen.errors import CardError, EventFileError
from kaongen.events.layout import SampleInfo
from kaongen.events.manifest import CandidateRange
from kaongen.events.reader import EventSet
from kaongen.production.card import Card
from kaongen.production.memory import simulate_card
from kaongen.searches.mu_invisible import MuInvisible
from kaongen.searches.mu_projection import MuProjection
from kaongen.searches.none import NoSearch
from kaongen.searches.settings import known_settings


@pytest.fixture(scope="module")
def card():
    samples = [
        {"process": "munu", "role": "normalisation", "candidates": 5000},
        {"process": "munug", "role": "background", "candidates": 5000},
    ]
    return Card.model_validate({"run": {"name": "small"}, "sample": samples, "analysis": {"name": "none"}})


@pytest.fixture(scope="module")
def events(card):
    return simulate_card(card, selection(card.analysis, card.configuration()))


def refusal(events, roles, **more):
    wanted = {"search": "my_search", "settings": MuInvisible(), "candidate": "muon", "columns": ("m2_miss",)} | more
    with pytest.raises(EventFileError) as caught:
        require(events, roles, **wanted)
    return str(caught.value)


ROLES = {"munu": "normalisation", "munug": "background"}


def test_what_fits_passes(events):
    require(
        events, ROLES, search="my_search", settings=MuInvisible(), candidate="muon", columns=("m2_miss", "weight"),
        processes=("munu",), needed_roles=("normalisation", "background"),
    )  # fmt: skip


def test_missing_shards(events):
    lacking = EventSet(events.provenance, events.members, (CandidateRange("munu", 7, 12),))
    assert "these are missing" in refusal(lacking, ROLES)
    assert "munu" in refusal(lacking, ROLES)


def test_another_detector(events):
    said = refusal(events, ROLES, candidate="pion")
    assert "looks for a single pion" in said
    assert "na62-2016-2018" in said
    settings = MuProjection(name="mu_projection")
    assert "for the detector 'na62-2015', and this is 'na62-2016-2018'" in refusal(events, ROLES, settings=settings)
    require(
        events, ROLES, search="s", settings=settings.model_copy(update={"any_detector": True}), candidate="muon",
        columns=("m2_miss",),
    )  # fmt: skip


def test_absent_columns(events):
    assert "no column 'pion_pz'" in refusal(events, ROLES, columns=("pion_pz", "m2_miss"))


def test_absent_roles_and_processes(events):
    assert "'munug' is for" in refusal(events, {"munu": "normalisation"})
    assert 'role = "signal"' in refusal(events, ROLES, needed_roles=("signal",))
    assert "needs the process pi0munu (there: munu, munug)" in refusal(events, ROLES, processes=("munu", "pi0munu"))


def test_a_role_without_its_sample_is_absent(events):
    alone = EventSet(events.provenance, tuple(m for m in events.members if m.info.name == "munu"))
    assert 'role = "background"' in refusal(alone, ROLES, needed_roles=("background",))


def test_cards_are_refused_for_the_same_reasons():
    infos = [SampleInfo(name="munu", process="munu", decay="K+ -> mu+ nu_mu", parameters={})]
    roles = {"munu": "normalisation"}
    others = {"search": "s", "settings": MuProjection(name="mu_projection")}
    require_of_card(infos, roles, "na62-2015", "muon", candidate="muon", processes=("munu",), **others)
    with pytest.raises(CardError, match="single pion"):
        require_of_card(infos, roles, "na62-2015", "muon", candidate="pion", **others)
    with pytest.raises(CardError, match="needs the process munug"):
        require_of_card(infos, roles, "na62-2015", "muon", candidate="muon", processes=("munug",), **others)
    with pytest.raises(CardError, match="is for the detector 'na62-2015', and this is 'na62-2016-2018'"):
        require_of_card(infos, roles, "na62-2016-2018", "muon", candidate="muon", **others)


def test_no_search_reports_acceptances_and_cut_flows(events):
    result = analyse(events, ROLES, NoSearch(name="none"), "small")
    assert (result.analysis, result.run, result.seed, result.scans) == ("none", "small", 1, [])
    for summary, sample in zip(result.samples, events.members, strict=True):
        weights = sample.columns("weight")["weight"]
        assert summary.role == ROLES[summary.sample]
        assert summary.selected == len(weights)
        assert summary.acceptance.value == pytest.approx(weights.sum() / 5000, rel=1e-12)
        left = [step.sum_weights for step in summary.cutflow]
        assert summary.cutflow[0].efficiency is None
        assert [step.efficiency for step in summary.cutflow[1:]] == pytest.approx(
            [after / before for before, after in pairwise(left)]
        )
        assert left[-1] == pytest.approx(weights.sum(), rel=1e-12)


@pytest.mark.parametrize("name", known_settings())
def test_every_search_can_be_had_by_its_name(name):
    found = search(name)
    assert callable(found.selection)
    assert callable(found.check)
    assert callable(found.analyse)


def test_no_search_takes_any_configuration():
    for name in ("na62-2016-2018", "na62-2017-pinunu"):
        assert selection(NoSearch(name="none"), load(name)).cuts[0] == "generated"
