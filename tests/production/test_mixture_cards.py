"""Samples of many decays, from a card to event files and a result: nature, and decay tables in DEC format."""

import json
import sys
from unittest.mock import patch

import h5py
import numpy as np
import pytest
from small_runs import assert_same, card, columns, made, sample

from kaongen import cli
from kaongen.decays.catalogue import find
from kaongen.decays.final_state import final_state
from kaongen.decays.mixture import natural
from kaongen.decays.sampling import CHUNK
from kaongen.errors import CardError, EventFileError
from kaongen.events.inspection import inspect, validate_events
from kaongen.events.manifest import read_manifest
from kaongen.events.reader import open_events
from kaongen.production.card import parse_card
from kaongen.production.engine import plan
from kaongen.run import analyse_again, run

CARD = """
[run]
name = "mixed"
seed = 3

[[sample]]
process = "munu"
role = "normalisation"
candidates = 20_000

[[sample]]
process = "natural"
role = "background"
candidates = 150_000
"""

TABLE = """\
Decay K+
  0.6  mu+ nu_mu        SLN;
  0.2  pi+ pi0          PHSP;
  0.1  pi+ pi+ pi-      PHSP;
  0.05 mu+ nu_mu        PHOTOS PHSP;
  0.01 pi+ pi0 gamma gamma  PHSP;
  0.0  e+ nu_e          SLN;
Enddecay
End
"""
"""Two lines with the same daughters, one decay that is not in the catalogue, and one that never happens."""

DECAYS = {"munu": 0.65, "pipi0": 0.2, "pipipi": 0.1, "pi+-pi0-gamma-gamma": 0.01, "enu": 0.0}

PI0_TO_PHOTONS = 0.98823
"""Particle Data Group."""


@pytest.fixture(scope="module")
def decaylanguage():
    return pytest.importorskip("decaylanguage")


@pytest.fixture
def table(tmp_path, decaylanguage, monkeypatch):
    """A decay table in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.dec").write_text(TABLE)
    return "mine.dec"


@pytest.fixture
def kaongen(monkeypatch, capsys):
    """Run a command in this process: exit code, stdout, stderr."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["kaongen", *map(str, arguments)])
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def refused(process, **options):
    """What a card with this process is told."""
    with pytest.raises(CardError) as caught:
        plan(card(sample(process, 100, **({"name": "mine", "parameters": {}} | options))))
    return str(caught.value)


# nature


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """A whole run of a card as a person writes it."""
    with patch("kaongen.run.save_plots", lambda result, directory: []):
        return run(parse_card(CARD, "mine.toml"), tmp_path_factory.mktemp("natural") / "run")


def test_a_card_with_nature_runs(outcome):
    assert validate_events(outcome.directory) == []
    events = open_events(outcome.directory)
    assert list(events.samples) == ["munu", "natural"]
    tally = events["natural"].tally
    assert tally.candidates == tally.generated == 150_000
    assert tally.cutflow[0].events == 150_000
    assert tally.selected == len(events["natural"]) > 10_000


def test_the_search_uses_it(outcome):
    """Its tail is a background: as many events as its fraction of all kaons times its acceptance."""
    (background,) = (row for row in outcome.result.samples if row.role == "background")
    assert background.sample == "natural"
    (events_above,) = background.yields.values()
    events = open_events(outcome.directory)["natural"]
    found = events.columns("m2_miss", "weight")
    tail = found["weight"][found["m2_miss"] > 0.1].sum() / 150_000
    assert events_above.value == pytest.approx(1.14e10 * events.info.branching_fraction * tail, rel=1e-9)
    (row,) = (r for r in outcome.result.samples if r.sample == "natural")
    assert row.decay == "K+ -> anything"
    assert 0.1 < row.acceptance.value < 0.35  # mostly K+ -> mu+ nu, of which 0.3 are seen


def expected_components():
    """Of nature, with the pi0 that decay to two photons alone."""
    return [
        (c.process.name, c.fraction.value * PI0_TO_PHOTONS ** c.process.daughters.count("pi0"), c.fraction.error)
        for c in natural().components
    ]


def info_by_hand(path):
    """What a shard says of its sample, without kaongen's reader."""
    with h5py.File(path) as file:
        return json.loads(file.attrs["header"])["sample"]


def test_header_and_manifest_list_the_components(outcome):
    manifest = json.loads((outcome.directory / "manifest.json").read_text())
    info = next(s["info"] for s in manifest["samples"] if s["info"]["name"] == "natural")
    shards = [s["file"] for s in manifest["shards"] if s["sample"] == "natural"]
    assert shards
    for file in shards:
        assert info_by_hand(outcome.directory / file) == info
    assert (info["process"], info["decay"], info["parameters"]) == ("natural", "K+ -> anything", {})
    expected = expected_components()
    assert [c["process"] for c in info["components"]] == [name for name, _, _ in expected]
    for component, (name, fraction, error) in zip(info["components"], expected, strict=True):
        process = find(name)
        assert component["branching_fraction"] == pytest.approx(fraction, rel=1e-12), name
        # the error of the decay alone: that of a pi0 to two photons is not added
        pi0 = fraction / next(c.fraction.value for c in natural().components if c.process.name == name)
        assert component["branching_fraction_error"] == pytest.approx(error * pi0, rel=1e-12), name
        assert component["parameters"] == process.values({})
        assert component["decay"] == final_state(process, process.values({})).descriptor
    assert info["branching_fraction"] == pytest.approx(sum(x for _, x, _ in expected), rel=1e-12)
    # all that kaons do, but pi0 that decay otherwise: 1.2% of 0.33 pi0 each
    assert info["branching_fraction"] == pytest.approx(1.0, abs=0.01)
    parts = [c["branching_fraction_error"] for c in info["components"]]
    assert info["branching_fraction_error"] == pytest.approx(np.sqrt(np.sum(np.square(parts))), rel=1e-12)


def test_a_sample_of_one_decay_lists_none(outcome):
    assert open_events(outcome.directory)["munu"].info.components == ()


def test_components_of_events_point_into_the_list(outcome):
    """Decays with a muon of 0.2356 GeV in the kaon's frame, and only those, leave a massless system."""
    events = open_events(outcome.directory)["natural"]
    found = events.columns("component", "m2_miss_true")
    names = np.array([c.process for c in events.info.components])[found["component"]]
    massless = np.abs(found["m2_miss_true"]) < 1e-6
    assert set(names[massless]) <= {"munu", "munug", "enu"}
    assert (names[massless] == "munu").mean() > 0.99
    assert massless[names == "munu"].all()
    assert np.abs(found["m2_miss_true"][names == "pipi0"] - 0.1349768**2).max() < 1e-6
    assert (names == "munu").mean() > 0.5


def test_the_kaons_that_it_stands_for(outcome):
    """A mixture is made of as many kaons as it has decays, but for those that it leaves out."""
    summary = next(s for s in inspect(outcome.directory)["samples"] if s["info"]["name"] == "natural")
    total = sum(x for _, x, _ in expected_components())
    assert summary["equivalent_kaons"] == pytest.approx(150_000 / total, rel=1e-9)
    assert [c["process"] for c in summary["info"]["components"]] == [name for name, _, _ in expected_components()]


def test_the_analysis_is_done_again(outcome):
    with patch("kaongen.run.save_plots", lambda result, directory: []):
        assert analyse_again(outcome.directory).result == outcome.result


def test_the_size_of_pieces_and_shards_does_not_matter(tmp_path):
    """Shards of one chunk, and of more than a thread takes at a time."""
    part = sample("natural", 6 * CHUNK + 7)
    made(tmp_path / "small", part, threads=1)
    made(tmp_path / "large", part, threads=3, shard_candidates=16 * CHUNK)
    assert len(list((tmp_path / "large" / "shards").iterdir())) == 1
    assert_same(columns(tmp_path / "small"), columns(tmp_path / "large"))
    one, two = (open_events(tmp_path / name)["natural"].tally for name in ("small", "large"))
    assert [cut.events for cut in one.cutflow] == [cut.events for cut in two.cutflow]
    assert [cut.sum_weights for cut in one.cutflow] == pytest.approx([cut.sum_weights for cut in two.cutflow])


def test_nature_may_have_another_name_and_detector(tmp_path):
    """The name seeds it: two samples of nature are different ones."""
    samples = (sample("natural", 5000, name="one"), sample("natural", 5000, name="two"))
    made(tmp_path, *samples, vetoes="accept")
    found = columns(tmp_path)
    assert list(found) == ["one", "two"]
    assert np.isin(found["one"]["muon_px"], found["two"]["muon_px"]).mean() < 0.01
    for events in found.values():
        assert set(events["weight"]) <= {1.0, 2.0, 4.0}
        assert len(events["weight"]) > 100


@pytest.mark.parametrize("parameters", [{"m_X": 0.1}, {"E_min": 0.01, "y": 1.0}])
def test_nature_has_no_parameters(parameters):
    message = refused("natural", parameters=parameters)
    assert "sample 'mine'" in message
    assert "'natural' has no parameters" in message
    for name in parameters:
        assert name in message


def test_something_like_nature_is_not_known():
    assert "there is no process 'Natural'" in refused("Natural")


# decay tables


def test_a_decay_table_is_a_sample(table, tmp_path):
    made(tmp_path / "run", sample(table, 40_000))
    assert validate_events(tmp_path / "run") == []
    events = open_events(tmp_path / "run")
    assert list(events.samples) == ["mine.dec"], "called as its file"
    info = events["mine.dec"].info
    assert info.process == "mine.dec"
    expected = {name: x * PI0_TO_PHOTONS ** name.count("pi0") for name, x in DECAYS.items()}
    assert {c.process: c.branching_fraction for c in info.components} == pytest.approx(expected, rel=1e-12)
    assert info.branching_fraction == pytest.approx(sum(expected.values()), rel=1e-12)
    # a table gives no errors
    assert info.branching_fraction_error == 0.0
    names = np.array(list(DECAYS))[events["mine.dec"].column("component")]
    assert set(names) <= set(DECAYS) - {"enu"}
    # 0.65 of the kaons, of which 0.3 are seen; of the others hardly any, for their photons are
    weight = events["mine.dec"].column("weight")
    assert weight[names == "munu"].sum() / 40_000 == pytest.approx(0.3 * 0.65 / 0.96, rel=0.25)
    assert weight[names == "pipi0"].sum() < 1e-2 * weight.sum()
    truth = events["mine.dec"].column("m2_miss_true")
    assert np.abs(truth[names == "pipi0"] - 0.1349768**2).max() < 1e-6
    assert truth[names == "pi+-pi0-gamma-gamma"].min(initial=1.0) >= 0.1349768**2 - 1e-6


def test_a_table_elsewhere_needs_a_name(table, tmp_path):
    """Files of a sample are called after it; what lies in a folder cannot lend its name."""
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "mine.dec").write_text(TABLE)
    manifest = plan(card(sample("tables/mine.dec", 100, name="table")))
    assert [s.info.name for s in manifest.samples] == ["table"]
    text = CARD.replace('process = "natural"', 'process = "tables/mine.dec"')
    with pytest.raises(CardError, match=r"sample\[1\]"):
        parse_card(text, "mine.toml")


def test_the_same_table_is_resumed_and_another_is_not(table, tmp_path):
    """The card says only where it lies; the manifest says what it said."""
    part = sample(table, 5000)
    manifest = made(tmp_path / "run", part)
    assert made(tmp_path / "run", part, resume=True) == manifest
    (tmp_path / "mine.dec").write_text(TABLE.replace("0.2 ", "0.3 "))
    with pytest.raises(EventFileError, match="another card, seed or version"):
        made(tmp_path / "run", part, resume=True)
    assert read_manifest(tmp_path / "run") == manifest


def test_a_table_of_one_decay(table, tmp_path):
    """It is a mixture all the same: its list of components says what it is."""
    (tmp_path / "mine.dec").write_text("Decay K+\n  0.5 mu+ nu_mu e+ e- PHSP;\nEnddecay\n")
    made(tmp_path / "run", sample(table, 20_000))
    events = open_events(tmp_path / "run")["mine.dec"]
    assert [c.process for c in events.info.components] == ["munuee"]
    assert events.info.branching_fraction == 0.5
    assert not events.column("component").any()
    assert len(events) > 0


def test_a_table_has_no_parameters(table):
    message = refused(table, parameters={"m_X": 0.1})
    assert "'mine.dec' has no parameters" in message
    assert "m_X" in message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, ["mine.dec", "cannot be read"]),
        ("", ["mine.dec"]),
        ("Decay K+\nEnddecay\n", ["mine.dec", "empty"]),
        ("Decay K-\n 1.0 mu- anti-nu_mu PHSP;\nEnddecay\n", ["mine.dec", "K+"]),
        ("Decay K+\n 1.0 mu+ nu_mu PHSP\nEnddecay\n", ["mine.dec", "line"]),
        ("Decay K+\n 1.0 mu+ snark PHSP;\nEnddecay\n", ["mine.dec", "snark"]),
        ("Decay K+\n 1.0 mu+ gamma gamma e- PHSP;\nEnddecay\n", ["mine.dec", "charge"]),
        ("Decay K+\n 0.0 mu+ nu_mu PHSP;\nEnddecay\n", ["mine", "above 0"]),
        ("\0\x01\x02", ["mine.dec"]),
    ],
)
def test_a_table_that_cannot_be_used_ends_with_code_2(table, tmp_path, kaongen, content, said):
    """One message, no directory; `validate` says the same as `run`."""
    path = tmp_path / "mine.dec"
    path.unlink() if content is None else path.write_text(content)
    (tmp_path / "card.toml").write_text(CARD.replace('"natural"', '"mine.dec"'))
    for arguments in (("run", "card.toml", "-o", "run", "--quiet"), ("validate", "card.toml")):
        code, out, err = kaongen(*arguments)
        assert code == 2
        assert out == ""
        assert "Traceback" not in err
        for words in ("sample 'mine.dec'", *said):
            assert words in err
    assert not (tmp_path / "run").exists()


def test_commands_make_and_show_mixtures(table, tmp_path, kaongen):
    """Run, validate, inspect, analyse."""
    text = CARD.replace("150_000", "20_000") + CARD[CARD.rindex("[[sample]]") :].replace('"natural"', '"mine.dec"')
    (tmp_path / "card.toml").write_text(text.replace("150_000", "20_000"))
    assert kaongen("validate", "card.toml")[0] == 0
    code, out, err = kaongen("run", "card.toml", "-o", "run", "--quiet", "--json", "--threads", 2)
    assert code == 0, err
    assert [row["sample"] for row in json.loads(out)["samples"]] == ["munu", "natural", "mine.dec"]
    code, again, _ = kaongen("analyse", "run", "--json")
    assert code == 0
    assert json.loads(again) == json.loads(out)
    assert kaongen("validate", "run") == (0, "run: valid\n", "")
    code, out, _ = kaongen("inspect", "run", "--json")
    components = [[c["process"] for c in s["info"]["components"]] for s in json.loads(out)["samples"]]
    assert components == [[], [name for name, _, _ in expected_components()], list(DECAYS)]
    code, out, _ = kaongen("inspect", "run")
    assert code == 0
    assert "K+ -> anything" in out


def test_without_decaylanguage_the_package_is_named(tmp_path, monkeypatch):
    (tmp_path / "mine.dec").write_text(TABLE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "decaylanguage", None)
    assert "kaongen[dec]" in refused("mine.dec")
