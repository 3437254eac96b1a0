"""The run card: what is written there is what is meant, and every mistake is named with what is allowed."""

import json
import tomllib
from importlib.resources import files
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaongen.beam import Zone
from kaongen.configuration import load
from kaongen.decays.catalogue import find
from kaongen.decays.mixture import alone
from kaongen.decays.process import Process, TwoBody
from kaongen.decays.rates import formula
from kaongen.errors import CardError, KaongenError
from kaongen.production.card import Card, parse_card, read_card, shipped_cards
from kaongen.production.chain import build_chain
from kaongen.production.engine import plan

CHUNK = 65536
SHIPPED = files("kaongen").joinpath("cards", "na62-muon.toml").read_text(encoding="utf-8")
SMALL = """
[run]
name = "small"

[detector]
changes = { "muv3.efficiency" = 0.9, "irc.radii" = [0.07, 0.14] }

[[sample]]
process = "munuV"
role = "signal"
candidates = 1000
parameters = { m_X = 0.1, g = 2e-3 }
"""


def card(old="", new="", text=SHIPPED):
    """The shipped card with one change."""
    assert old in text
    return parse_card(text.replace(old, new, 1), "my.toml")


def complaint(old, new, text=SHIPPED):
    with pytest.raises(CardError) as caught:
        plan(card(old, new, text))
    return str(caught.value)


def test_the_shipped_card_is_the_published_search():
    """The samples of NA62, Phys. Lett. B 816 (2021) 136259: its normalisation, Table 1, and three signals.

    Decays upstream of the volume are part of the lines of the table: of all its processes, munu among them.
    """
    assert {"na62-muon", "na62-natural", "na62-pix"} <= set(shipped_cards())
    shipped = read_card("na62-muon")
    by_role = {
        (role, zone): [s.process for s in shipped.sample if (s.role, s.zone) == (role, zone)]
        for role in ("normalisation", "background")
        for zone in get_args(Zone)
    }
    assert {where: found for where, found in by_role.items() if found} == {
        ("normalisation", "volume"): ["munu"],
        ("background", "volume"): ["munug", "pi0munu", "pipipi"],
        ("background", "upstream"): ["munu", "pi0munu", "pipipi"],
    }
    assert {s.name for s in shipped.sample if s.zone == "upstream"} == {
        "munu-upstream", "pi0munu-upstream", "pipipi-upstream",
    }  # fmt: skip
    assert {s.zone for s in shipped.sample if s.role == "signal"} == {"volume"}
    assert {s.process for s in shipped.sample if s.role == "signal"} == {"munuphi", "munuV", "mununubarnu"}
    assert shipped.analysis.confidence_level == 0.9
    assert shipped.detector.vetoes == "weight"


def test_the_natural_card_has_all_decays_at_once():
    natural = read_card("na62-natural")
    assert [(s.process, s.role, s.zone) for s in natural.sample] == [
        ("munu", "normalisation", "volume"),
        ("natural", "background", "volume"),
    ]
    assert (natural.detector.configuration, natural.detector.vetoes) == ("na62-2016-2018", "weight")


def test_a_zone_is_one_of_three():
    assert get_args(Zone) == ("volume", "entrance", "upstream")
    for zone in get_args(Zone):
        assert card('zone = "upstream"', f'zone = "{zone}"').sample[4].zone == zone
    message = complaint('zone = "upstream"', 'zone = "nowhere"')
    for fragment in ("sample[4].zone = 'nowhere'", "'volume', 'entrance' or 'upstream'"):
        assert fragment in message


def test_a_zone_is_content():
    shipped = read_card("na62-muon")
    assert card('zone = "upstream"', 'zone = "entrance"').sha256() != shipped.sha256()
    assert card(text=SMALL).sha256() == card('process = "munuV"', 'process = "munuV"\nzone = "volume"', SMALL).sha256()


@pytest.mark.parametrize("name", shipped_cards())
def test_shipped_cards_can_be_run(name):
    shipped = read_card(name)
    planned = plan(shipped)
    assert [s.info.name for s in planned.samples] == [s.name for s in shipped.sample]
    assert [s.candidates for s in planned.samples] == [s.candidates for s in shipped.sample]
    assert not planned.shards
    assert not planned.complete


def test_a_plan_holds_the_branching_fractions_of_the_catalogue():
    by_name = {s.info.name: s.info for s in plan(read_card("na62-muon")).samples}
    for info in by_name.values():
        rate = find(info.process).branching_fraction(info.parameters)
        # pi0 -> gamma gamma: (98.823 +- 0.034)%, Particle Data Group
        secondary = 0.98823 if info.process == "pi0munu" else 1.0
        assert info.branching_fraction == pytest.approx(rate.value * secondary, rel=1e-12)
        assert info.branching_fraction_error == pytest.approx(rate.error * secondary, rel=1e-12)
    assert by_name["munuphi-200"].parameters == {"m_X": 0.2, "y": 1e-3}


def test_what_is_not_written_has_its_documented_default():
    small = parse_card(SMALL.replace("[detector]\nchanges", "# changes"), "my.toml")
    assert (small.run.seed, small.run.compression, small.run.shard_candidates) == (1, "none", 16 * CHUNK)
    assert (small.detector.configuration, small.detector.vetoes) == ("na62-2016-2018", "weight")
    assert small.sample[0].name == "munuV"
    assert (small.analysis.name, small.analysis.confidence_level) == ("mu_invisible", 0.9)


def test_changed_numbers_reach_the_detector():
    configuration = card(text=SMALL).configuration()
    assert configuration.number("muv3.efficiency") == 0.9
    assert list(configuration.array("irc.radii")) == [0.07, 0.14]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # unknown keys, at each level
        ("[run]", "[runs]\nname = 'x'\n[run]", ["runs", "no such key", "did you mean 'run'", "detector, sample"]),
        ("seed = 62", "sede = 62", ["run.sede", "no such key", "did you mean 'seed'", "shard_candidates"]),
        ('vetoes = "weight"', 'veto = "weight"', ["detector.veto", "did you mean 'vetoes'", "changes"]),
        ('process = "munug"', 'proces = "munug"', ["sample[1].proces", "did you mean 'process'", "candidates"]),
        ("confidence_level", "confidence", ["analysis.confidence", "did you mean 'confidence_level'"]),
        # missing keys
        ('name = "na62-muon"', "", ["run.name", "missing"]),
        ("candidates = 1_000_000", "", ["sample[0].candidates", "missing"]),
        ('role = "background"', "", ["sample[1].role", "missing"]),
        ('process = "munu"\n', "", ["sample[0].process", "missing"]),
        # wrong types
        ("seed = 62", 'seed = "sixty-two"', ["run.seed", "'sixty-two'", "integer"]),
        ("seed = 62", "seed = 6.2", ["run.seed", "6.2", "integer"]),
        ("candidates = 1_000_000", "candidates = [1]", ["sample[0].candidates", "[1]", "integer"]),
        ("parameters = { m_X = 0.2 }", "parameters = 0.2", ["sample[7].parameters", "0.2", "dict"]),
        ("parameters = { m_X = 0.2 }", 'parameters = { m_X = "light" }', ["m_X", "'light'", "number"]),
        # values that make no sense
        ("candidates = 1_000_000", "candidates = 0", ["sample[0].candidates = 0", "greater than or equal to 1"]),
        ("candidates = 1_000_000", "candidates = -5", ["sample[0].candidates = -5", "greater than or equal to 1"]),
        ("candidates = 1_000_000", "candidates = nan", ["sample[0].candidates = nan", "integer"]),
        ("candidates = 1_000_000", f"candidates = {2**63}", [f"sample[0].candidates = {2**63}", "less than"]),
        ("seed = 62", "seed = -1", ["run.seed = -1", "greater than or equal to 0"]),
        ("seed = 62", "shard_candidates = 100", ["run.shard_candidates = 100", "65536"]),
        ("seed = 62", "shard_candidates = 65537", ["run.shard_candidates = 65537", "multiple of 65536"]),
        ("seed = 62", 'compression = "zip"', ["run.compression = 'zip'", "'none' or 'gzip'"]),
        ("confidence_level = 0.9", "confidence_level = 1.0", ["analysis.confidence_level = 1.0", "less than 1"]),
        ("confidence_level = 0.9", "confidence_level = 90", ["analysis.confidence_level = 90", "less than 1"]),
        ("confidence_level = 0.9", "confidence_level = nan", ["analysis.confidence_level = nan", "finite"]),
        ('name = "mu_invisible"', 'name = "dimoun"', ["analysis.name = 'dimoun'", "did you mean 'dimuon'", "pion_x"]),
        ('name = "mu_invisible"', 'name = "none"\nlimit = 1', ["analysis.limit", "any_detector, name"]),
        ('role = "background"', 'role = "noise"', ["sample[1].role = 'noise'", "'normalisation', 'background'"]),
        ('vetoes = "weight"', 'vetoes = "maybe"', ["detector.vetoes = 'maybe'", "'weight' or 'accept'"]),
        # names that become paths
        ('name = "na62-muon"', 'name = "../elsewhere"', ["run.name = '../elsewhere'", "pattern"]),
        ('name = "na62-muon"', 'name = ""', ["run.name = ''", "pattern"]),
        ('name = "munuV-100"', 'name = "a/b"', ["sample[8].name = 'a/b'", "pattern"]),
        ('name = "munuV-100"', 'name = "munu"', ["two samples are called 'munu'"]),
        # the world that the card speaks of
        ("na62-2016-2018", "na62-2031", ["detector", "'na62-2031'", "na62-2016-2018"]),
        ('process = "munug"', 'process = "munugamma"', ["munugamma", "did you mean 'munug'", "pi0munu"]),
        ("m_X = 0.2", "m_X = 0.45", ["munuphi-200", "m_X = 0.45", "0.387519", "m_K - m_mu"]),
        ("m_X = 0.2", "m_X = -0.2", ["munuphi-200", "m_X = -0.2", "between"]),
        ("m_X = 0.2", "m_X = nan", ["m_X = nan"]),
        ("m_X = 0.2", "y = 0.2", ["munuphi-200", "m_X is missing"]),
        ("m_X = 0.2", "m_x = 0.2", ["munuphi-200", "no parameter 'm_x'", "did you mean 'm_X'", "m_X, y"]),
        ('vetoes = "weight"', 'changes = { "muv3.eficiency" = 0.1 }', ["'muv3.eficiency'", "'muv3.efficiency'"]),
        ('vetoes = "weight"', 'changes = { "irc.radii" = 0.1 }', ["irc.radii = 0.1", "shape", "[0.06, 0.145]"]),
        ('vetoes = "weight"', 'changes = { "muv3.efficiency" = nan }', ["muv3.efficiency", "nan", "finite"]),
        ('vetoes = "weight"', 'changes = { "chod.radii" = [[0.1, 1.0], [0.1]] }', ["chod.radii", "shape"]),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_what_is_allowed(old, new, said):
    message = complaint(old, new)
    assert message.startswith(("my.toml", "sample", "[detector]"))
    for fragment in said:
        assert fragment in message


@pytest.mark.parametrize(
    "change",
    ['"chod.efficiency" = 7.0', '"muv3.efficiency" = -0.1', '"beam.momentum" = -75.0', '"straw.radius" = -1.0'],
)
def test_a_detector_that_cannot_be_is_refused(change):
    """Probabilities lie between 0 and 1, momenta and lengths are not negative."""
    assert change.split('"')[1] in complaint('vetoes = "weight"', f"changes = {{ {change} }}")


@pytest.mark.parametrize("value", ['"100"', "true"])
def test_a_number_of_candidates_is_written_as_one(value):
    assert "candidates" in complaint("candidates = 1_000_000", f"candidates = {value}")


SCANNED = (
    SMALL.replace("[analysis]", "")
    + """
[[sample]]
process = "muN"
role = "signal"
candidates = 100
scan = { m_N = VALUES }
"""
)


@pytest.mark.parametrize(
    ("values", "masses"),
    [
        ("[0.25, 0.2]", [0.25, 0.2]),
        ("{ first = 0.2, last = 0.3, step = 0.05 }", [0.2, 0.25, 0.3]),
        ("{ first = 0.2, last = 0.2999, step = 0.05 }", [0.2, 0.25]),
        ("{ first = 0.3, last = 0.303, step = 0.0005 }", [0.3, 0.3005, 0.301, 0.3015, 0.302, 0.3025, 0.303]),
    ],
)
def test_a_scan_is_a_sample_for_each_value(values, masses):
    samples = parse_card(SCANNED.replace("VALUES", values), "my.toml").sample[1:]
    assert [s.parameters for s in samples] == [{"m_N": mass} for mass in masses]
    assert [s.name for s in samples] == [f"muN-{1e3 * mass:g}" for mass in masses]
    assert {(s.process, s.role, s.candidates) for s in samples} == {("muN", "signal", 100)}


def test_a_scan_is_what_it_stands_for():
    scan = parse_card(SCANNED.replace("VALUES", "[0.25]"), "my.toml")
    written = SCANNED.replace('process = "muN"', 'name = "muN-250"\nprocess = "muN"')
    written = written.replace("scan = { m_N = VALUES }", "parameters = { m_N = 0.25 }")
    assert scan.sha256() == parse_card(written, "my.toml").sha256()
    assert scan.changed(seed=4).sample == scan.sample


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("{ first = 0.2, last = 0.1, step = 0.05 }", ["sample[1].scan.m_N", "last = 0.1 lies before first = 0.2"]),
        ("{ first = 0.2, last = 0.3, stop = 0.05 }", ["sample[1].scan.m_N.stop", "'step'", "first, last, step"]),
        ("{ first = 0.2, last = 0.3, step = 0 }", ["sample[1].scan.m_N.step = 0", "greater than 0"]),
        ("{ first = 0.2, last = 0.3, step = 1e-9 }", ["more than 10000"]),
        ("[0.2, 0.2]", ["two samples are called 'muN-200'"]),
        ("[]", ["sample[1].scan.m_N = []", "at least 1"]),
        ("0.25", ["sample[1].scan.m_N = 0.25", "a list of values, or first, last and step"]),
        ('["x"]', ["sample[1].scan.m_N[0] = 'x'", "number"]),
        ("[0.2], m_X = [0.1]", ["sample[1].scan", "at most 1"]),
        ("[0.2] }\nparameters = { m_N = 0.1", ["m_N is both in `parameters` and in `scan`"]),
    ],
)
def test_a_scan_that_cannot_be_is_refused(values, said):
    with pytest.raises(CardError) as caught:
        parse_card(SCANNED.replace("VALUES", values), "my.toml")
    for fragment in said:
        assert fragment in str(caught.value)
    # of the two ways to write a scan only the one that was tried, and no dump of the card
    assert "tuple" not in str(caught.value).lower().replace("tuple should have at least 1", "")
    assert "candidates" not in str(caught.value)


def test_a_scaled_card_has_whole_chunks():
    shipped = read_card("na62-muon")
    assert shipped.scaled(1.0) == shipped
    for part, whole in zip(shipped.scaled(0.01).sample, shipped.sample, strict=True):
        assert part.candidates % CHUNK == 0
        assert 0 <= part.candidates - 0.01 * whole.candidates < CHUNK
    assert shipped.roles()["munug"] == "background"


def test_one_mistake_is_one_line():
    message = complaint("candidates = 1_000_000", "candidates = -5")
    assert len(message.splitlines()) == 2
    assert "Tuple" not in message


def test_all_mistakes_are_listed():
    wrong = SHIPPED.replace("seed = 62", "sede = 62").replace("confidence_level = 0.9", "confidence_level = 2")
    with pytest.raises(CardError) as caught:
        parse_card(wrong, "my.toml")
    assert "run.sede" in str(caught.value)
    assert "analysis.confidence_level = 2" in str(caught.value)


def test_a_card_without_samples_is_refused():
    for text in ('[run]\nname = "x"', '[run]\nname = "x"\n[sample]\nprocess = "munu"', "sample = []\n[run]\nname='x'"):
        with pytest.raises(CardError, match="sample"):
            parse_card(text, "my.toml")


@pytest.mark.parametrize(
    "text",
    ["[run", "name = ", "\0", "a = 1\na = 2", "x = " + "[" * 100_000, SHIPPED.replace("1_000_000", "1" * 5000)],
    ids=["bracket", "no value", "null", "twice", "deep", "long number"],
)
def test_what_is_not_toml_is_refused(text):
    with pytest.raises(CardError, match=r"my\.toml"):
        parse_card(text, "my.toml")


def test_files_that_are_no_cards_are_named(tmp_path):
    (tmp_path / "latin.toml").write_bytes('[run]\nname = "Ï€"'.encode("latin-1", "replace") + b"\xff")
    (tmp_path / "folder.toml").mkdir()
    for name in ("latin.toml", "folder.toml", "absent.toml"):
        with pytest.raises(CardError, match=f"cannot read the card .*{name}"):
            read_card(tmp_path / name)


def test_an_unknown_name_gets_the_closest():
    with pytest.raises(CardError, match="there is no card 'na62-moun'; did you mean 'na62-muon'"):
        read_card("na62-moun")
    with pytest.raises(CardError, match="there is no card"):
        read_card("a\0b")


def test_a_name_longer_than_any_file_is_refused():
    with pytest.raises(CardError):
        read_card("x" * 5000)


def test_the_run_directory_does_not_hide_the_card_it_came_from(tmp_path, monkeypatch):
    """`kaongen run na62-muon` leaves a directory of that name, and `kaongen run na62-muon --resume` must go on."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "na62-muon").mkdir()
    assert read_card("na62-muon").run.name == "na62-muon"


def test_a_card_beside_a_shipped_one_is_found_by_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(SMALL, encoding="utf-8")
    assert read_card("mine.toml") == read_card(tmp_path / "mine.toml") == card(text=SMALL)


def test_another_seed_or_number_of_candidates_changes_nothing_else():
    shipped = read_card("na62-muon")
    assert shipped.changed() == shipped
    other = shipped.changed(seed=3, candidates=7)
    assert other.run.seed == 3
    assert {s.candidates for s in other.sample} == {7}
    as_written = shipped.changed(seed=3).model_dump()
    assert {**as_written["run"], "seed": 62} == shipped.model_dump()["run"]
    assert [s["process"] for s in as_written["sample"]] == [s.process for s in shipped.sample]


@pytest.mark.parametrize("change", [{"seed": 2**63}, {"seed": -1}, {"candidates": 0}, {"candidates": 2**63}])
def test_changes_obey_the_same_rules_as_the_card(change):
    with pytest.raises(CardError, match=next(iter(change))):
        read_card("na62-muon").changed(**change)


SAME = {
    "comments and blank lines": SMALL.replace("\n", "   # why not\n\n", 1),
    "order of tables": SMALL[SMALL.index("[[sample]]") :] + "\n" + SMALL[: SMALL.index("[[sample]]")],
    "a default written out": SMALL.replace('name = "small"', 'name = "small"\nseed = 1\ncompression = "none"'),
    "another way to write a number": SMALL.replace("2e-3", "0.002").replace("1000", "1_000"),
    "order of keys": SMALL.replace('role = "signal"\ncandidates = 1000', 'candidates = 1000\nrole = "signal"'),
    "order of parameters": SMALL.replace("m_X = 0.1, g = 2e-3", "g = 2e-3, m_X = 0.1"),
    "order of changes": SMALL.replace(
        '"muv3.efficiency" = 0.9, "irc.radii" = [0.07, 0.14]', '"irc.radii" = [0.07, 0.14], "muv3.efficiency" = 0.9'
    ),
}


@pytest.mark.parametrize("what", SAME)
def test_the_checksum_is_of_the_content_and_not_of_the_layout(what):
    assert SAME[what] != SMALL
    assert card(text=SAME[what]).sha256() == card(text=SMALL).sha256()


@pytest.mark.parametrize(
    ("old", "new"), [("1000", "1001"), ("= 0.9,", "= 0.8,"), ("m_X = 0.1", "m_X = 0.11"), ('"signal"', '"background"')]
)
def test_the_checksum_sees_every_change_of_content(old, new):
    assert card(old, new, SMALL).sha256() != card(text=SMALL).sha256()


def test_a_card_survives_json():
    """The run directory keeps it as JSON, from which the analysis is done again."""
    small = card(text=SMALL)
    again = Card.model_validate_json(small.model_dump_json())
    assert again == small
    assert again.sha256() == small.sha256()
    assert json.loads(small.model_dump_json())["sample"][0]["parameters"] == {"m_X": 0.1, "g": 2e-3}


LINES = SHIPPED.splitlines()
VALUES = st.sampled_from(
    ["-1", "0", "1e400", "nan", "-inf", '""', '"munu"', '"natural"', '"no.dec"',
     '"é"', "[]", "{}", "true", "2026-01-01", "[1, [2]]", "'''"]
)  # fmt: skip


@st.composite
def mutations(draw):
    """The shipped card after a few accidents at the keyboard."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        i = draw(st.integers(0, len(lines) - 1))
        accident = draw(st.sampled_from(["drop", "twice", "swap", "value", "key", "character", "cut"]))
        if accident == "drop":
            lines[i] = ""
        elif accident == "twice":
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines[i])
        elif accident == "swap":
            j = draw(st.integers(0, len(lines) - 1))
            lines[i], lines[j] = lines[j], lines[i]
        elif accident == "value" and "=" in lines[i]:
            lines[i] = lines[i].split("=")[0] + "= " + draw(VALUES)
        elif accident == "key" and "=" in lines[i]:
            lines[i] = draw(st.text("abcm_X\".é' ", max_size=8)) + "=" + lines[i].split("=", 1)[1]
        elif accident == "character":
            at = draw(st.integers(0, len(lines[i])))
            lines[i] = lines[i][:at] + draw(st.characters(codec="utf-8")) + lines[i][at + 1 :]
        elif accident == "cut":
            lines = lines[: i + 1]
    return "\n".join(lines)


@settings(max_examples=300)
@given(text=mutations())
def test_a_mutilated_card_is_either_valid_or_refused(text):
    """Whatever stands in the file: a card with positive numbers and known names, or one error of ours."""
    refused = None
    try:
        parsed = parse_card(text, "my.toml")
        plan(parsed)
    except KaongenError as problem:
        refused = str(problem)
    if refused is not None:
        assert refused
        return
    data = tomllib.loads(text)
    assert len(parsed.sample) == len(data["sample"])
    assert all(part.candidates >= 1 for part in parsed.sample)


def test_a_process_of_one_s_own_with_an_electron_has_a_candidate():
    """Also one that never happens: alone in its sample, it is all that is generated."""
    odd = Process(
        name="electronic",
        decay="K+ -> e+ nu_e",
        dynamics=TwoBody(),
        rate=formula(lambda v: 0.0, 0.0, "none"),
        reference="none",
    )
    chain = build_chain([alone(odd, {})], load("na62-2016-2018"))
    assert [lane.final.species[lane.candidate].name for lane in chain.lanes] == ["e+"]
    assert [len(numbers) for _, numbers in chain.batches(np.uint64(1), 0, 1000)] == [1000]
