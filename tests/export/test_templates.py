"""Exported templates, read back by the programs that they are for, against sums over the events."""

import json
import sys
from importlib.resources import files
from itertools import pairwise

import boost_histogram.serialization
import hist
import jsonschema
import numpy as np
import pyhf
import pytest
import uhi.io.json
import uproot
from exported_run import CARD, FRACTIONS, GENERATED, ROLES, events, write_run

from kaongen.analysis.record import Axis, Value
from kaongen.analysis.result import Result, SampleSummary, Spectrum
from kaongen.errors import EventFileError, KaongenError
from kaongen.export.templates import export_templates, parse_bins
from kaongen.production.directory import RESULT_FILE

EDGES = np.array([-0.02, 0.02, 0.04, 0.1, 0.11])
KAONS, BRANCHING_FRACTION = 2e9, 3e-7
NORMALISED = {"column": "m2_miss", "edges": EDGES, "kaons": KAONS, "signal_branching_fraction": BRANCHING_FRACTION}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("known"))


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    """All formats by suffix, and what the function returned."""
    out = tmp_path_factory.mktemp("out") / "new"
    done = export_templates(run, out, ("hist", "root", "pyhf", "npz"), signal="muN-250", **NORMALISED)
    assert set(done.files) == set(out.iterdir())
    return {path.name.partition(".")[2]: path for path in done.files if path.name.startswith("m2-miss")}, done


def fraction(name):
    return BRANCHING_FRACTION if ROLES[name] == "signal" else FRACTIONS[name]


def expected(name):
    """Events and variances per bin: the mean over all generated decays, of which most are worth nothing."""
    columns, n = events(name), GENERATED[name]
    values, variances = [], []
    for low, high in pairwise(EDGES):
        worth = np.zeros(n)
        inside = (columns["m2_miss"] >= low) & (columns["m2_miss"] < high)
        worth[columns["index"][inside].astype(int)] = columns["weight"][inside]
        values.append(KAONS * fraction(name) * worth.mean())
        variances.append((KAONS * fraction(name)) ** 2 * worth.var() / n)
    return np.array(values), np.array(variances)


def check(name, values, variances):
    wanted, errors = expected(name)
    assert values == pytest.approx(wanted, rel=1e-12)
    assert variances == pytest.approx(errors, rel=1e-9)


def test_universal_histograms(exported):
    content = json.loads(exported[0]["uhi.json"].read_text(), object_hook=uhi.io.json.object_hook)
    assert list(content) == list(FRACTIONS)
    for name, part in content.items():
        histogram = hist.Hist(boost_histogram.serialization.from_uhi(part))
        check(name, histogram.values(), histogram.variances())
        assert histogram.axes[0].edges == pytest.approx(EDGES, abs=0)
        assert histogram.axes[0].name == "m2_miss"
        about = part["metadata"]
        assert about["unit"] == "GeV^2"
        assert about["role"] == ROLES[name]
        assert about["normalisation"].endswith(f"2e+09 kaon decays at a branching fraction of {fraction(name):.6g}")


def test_universal_histograms_follow_their_schema(exported):
    schema = json.loads(files("uhi.resources").joinpath("histogram.schema.json").read_text())
    for part in json.loads(exported[0]["uhi.json"].read_text()).values():
        jsonschema.validate(part, schema)


def test_root_histograms_with_their_sums_of_squares(exported):
    with uproot.open(exported[0]["root"]) as file:
        for name in FRACTIONS:
            histogram = file[name]
            assert histogram.classname == "TH1D"
            check(name, histogram.values(), histogram.variances())
            assert np.asarray(histogram.member("fSumw2"))[1:-1] == pytest.approx(expected(name)[1], rel=1e-9)
            assert histogram.axis().edges() == pytest.approx(EDGES, abs=0)
            assert histogram.axis().member("fTitle") == "m2_miss [GeV^2]"
        about = json.loads(str(file["about"]))
    assert about["samples"]["muN-250"]["normalisation"].endswith("3e-07")
    assert about["about"]["SHA-256 of the card"] == CARD.sha256()


def test_arrays(exported):
    with np.load(exported[0]["npz"]) as archive:
        assert archive["edges"] == pytest.approx(EDGES, abs=0)
        assert archive["samples"].tolist() == list(FRACTIONS)
        assert archive["roles"].tolist() == list(ROLES.values())
        assert (str(archive["quantity"]), str(archive["unit"])) == ("m2_miss", "GeV^2")
        assert all("2e+09 kaon decays" in text for text in archive["normalisation"].tolist())
        for i, name in enumerate(FRACTIONS):
            check(name, archive["values"][i], archive["variances"][i])
        assert json.loads(str(archive["about"]))["seed"] == "7"


def test_a_workspace_expects_what_the_events_say(exported):
    workspace = pyhf.Workspace(json.loads(exported[0]["pyhf.json"].read_text()))
    model = workspace.model()
    background = expected("munu")[0] + expected("munug")[0]
    for strength in (0.0, 1.0, 2.5):
        parameters = model.config.suggested_init()
        parameters[model.config.poi_index] = strength
        nominal = model.expected_data(parameters, include_auxdata=False)
        assert nominal == pytest.approx(background + strength * expected("muN-250")[0], rel=1e-9)
    # the errors of the simulation, for the sum of the backgrounds
    relative = np.sqrt(expected("munu")[1] + expected("munug")[1]) / background
    assert np.array(model.config.param_set("staterror_m2_miss").sigmas) == pytest.approx(relative, rel=1e-9)
    assert np.array(workspace.data(model, include_auxdata=False)) == pytest.approx(background)


def test_the_signal_has_the_error_of_the_simulation(exported):
    workspace = json.loads(exported[0]["pyhf.json"].read_text())
    signal = workspace["channels"][0]["samples"][0]
    (shift,) = [m["data"] for m in signal["modifiers"] if m["type"] == "histosys"]
    values, variances = expected("muN-250")
    assert np.array(shift["hi_data"]) / values - 1.0 == pytest.approx(np.sqrt(variances.sum()) / values.sum())


def test_the_index_describes_the_files(exported):
    paths, done = exported
    index = json.loads((paths["npz"].parent / "templates.json").read_text())
    assert index["files"] == [path.name for path in done.files[:-1]]
    (about,) = index["templates"]
    assert (about["quantity"], about["unit"], about["bins"]) == ("m2_miss", "GeV^2", 4)
    for name in FRACTIONS:
        assert about["samples"][name]["events"] == pytest.approx(expected(name)[0].sum())
    assert done.as_dict()["templates"] == index["templates"]


def test_some_of_the_samples(run, tmp_path):
    done = export_templates(run, tmp_path, ("npz",), samples=["munug", "muN-300"], **NORMALISED)
    assert [sample.name for sample in done.templates[0].samples] == ["munug", "muN-300"]


def result(spectra):
    rows = [
        SampleSummary(
            sample=name, process="p", decay=f"K+ -> {name}", parameters={}, zone="volume", role=role, generated=10,
            selected=5, above_bound=0, branching_fraction=0.1, acceptance=Value(value=0.5), cutflow=[],
        )
        for name, role in (("munug", "background"), ("X", "signal"))
    ]  # fmt: skip
    return Result(
        analysis="none", run="known", kaongen_version="0.1.0", card_sha256="ab", seed=7, detector="na62-2016-2018",
        settings={}, confidence_level=0.9, n_kaons=Value(value=1e10), numbers=[], samples=rows, spectra=spectra,
        scans=[],
    )  # fmt: skip


SPECTRUM = Spectrum(
    name="m2-miss",
    title="Missing mass",
    x=Axis(name="m2_miss", label="$m^2$", unit="GeV$^2$"),
    edges=[0.0, 0.1, 0.3],
    expected={"munug": [50.0, 8.0], "X": [1.0, 2.0]},
    errors={"munug": [5.0, 1.0]},
    normalisation={"X": "BR = 1e-6"},
)


def test_spectra_of_the_result(tmp_path):
    (tmp_path / RESULT_FILE).write_text(result([SPECTRUM]).model_dump_json())
    done = export_templates(tmp_path, tmp_path / "out", ("hist", "npz", "pyhf"), signal="X")
    with np.load(tmp_path / "out" / "m2-miss.npz") as archive:
        assert archive["values"].tolist() == [[50.0, 8.0], [1.0, 2.0]]
        assert archive["variances"].tolist() == [[25.0, 1.0], [0.0, 0.0]]
        assert archive["normalisation"].tolist() == ["events of 1e+10 kaon decays", "BR = 1e-6"]
    assert done.templates[0]["X"].role == "signal"


def test_the_number_of_kaons_is_that_of_the_result(tmp_path):
    run = write_run(tmp_path)
    (tmp_path / RESULT_FILE).write_text(result([]).model_dump_json())
    done = export_templates(run, tmp_path / "out", ("npz",), column="m2_miss", edges=EDGES)
    munu, *_, signal = done.templates[0].samples
    assert munu.values == pytest.approx(expected("munu")[0] * 1e10 / KAONS)
    assert signal.values == pytest.approx(expected("muN-300")[0] * 1e10 / KAONS * 1e-6 / BRANCHING_FRACTION)


@pytest.mark.parametrize(
    ("formats", "options", "message"),
    [
        (["hist", "rot"], {}, "no format 'rot'; did you mean 'root'. .there are hist, root, pyhf, npz"),
        (["hist"], {"column": "m2_mis"}, "no column 'm2_mis'"),
        (["hist"], {"samples": ["munu", "mung"]}, "no sample 'mung'"),
        (["hist"], {"edges": None}, "a column and bins belong together"),
        (["hist"], {"column": None}, "a column and bins belong together"),
        (["hist"], {"edges": [0.0, 1.0, 1.0]}, "finite numbers that rise"),
        (["hist"], {"edges": [0.0]}, "at least two"),
        (["hist"], {"kaons": 0.0}, r"number of kaon decays = 0\.0"),
        (["hist"], {"kaons": float("nan")}, "number of kaon decays = nan"),
        (["hist"], {"kaons": None}, "for how many kaon decays: give their number"),
        (["hist"], {"signal_branching_fraction": 0.0}, r"branching fraction of signals = 0\.0"),
        (["hist"], {"signal_branching_fraction": float("inf")}, "branching fraction of signals = inf"),
        (["hist"], {"column": None, "edges": None}, "have their kaons already"),
        (["pyhf"], {}, "needs a signal: name one .--signal; signals: muN-250, muN-300"),
        (["pyhf"], {"signal": "munug"}, "'munug' is a background and not a signal"),
        (["pyhf"], {"signal": "muN-20"}, "no sample 'muN-20'; did you mean 'muN-250'"),
        (["pyhf"], {"signal": "muN-250", "samples": ["muN-250"]}, "no background"),
        (["pyhf"], {"signal": "muN-250", "edges": [5.0, 6.0]}, "'muN-250' has no events in the bins"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_the_reason(run, tmp_path, formats, options, message):
    with pytest.raises(KaongenError, match=message):
        export_templates(run, tmp_path, formats, **(NORMALISED | options))


def test_a_run_without_a_result_has_no_spectra(run, tmp_path):
    with pytest.raises(EventFileError, match="cannot read the result"):
        export_templates(run, tmp_path)
    (tmp_path / RESULT_FILE).write_text(result([]).model_dump_json())
    with pytest.raises(EventFileError, match="has no spectra: give a column and bins"):
        export_templates(tmp_path, tmp_path)


def test_a_background_of_unknown_rate_is_refused(run, tmp_path, monkeypatch):
    parts = tuple(part.model_copy(update={"role": "background"}) for part in CARD.sample)
    backgrounds = CARD.model_copy(update={"sample": parts})
    monkeypatch.setattr("kaongen.export.collection.read_run_card", lambda directory: backgrounds)
    with pytest.raises(EventFileError, match=r"branching fraction of the sample 'muN-300' \(K\+ -> muN\) is unknown"):
        export_templates(run, tmp_path, ("npz",), **NORMALISED)


def test_an_older_result_is_named(tmp_path):
    (tmp_path / RESULT_FILE).write_text('{"result_version": 1}')
    with pytest.raises(EventFileError, match=r"result\.json is not a result as this version writes it: `kaongen anal"):
        export_templates(tmp_path, tmp_path / "out", ("hist",))


def test_a_directory_that_cannot_be_made(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EventFileError, match="cannot write templates to"):
        export_templates(run, tmp_path / "file", ("npz",), **NORMALISED)


def test_a_library_that_is_not_installed_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "uproot", None)
    with pytest.raises(EventFileError, match=r'pip install "kaongen\[interop\]"'):
        export_templates(run, tmp_path, ("root",), **NORMALISED)
    export_templates(run, tmp_path, ("hist", "npz"), **NORMALISED)


@pytest.mark.parametrize(("text", "low", "high", "bins"), [("0:0.14:35", 0.0, 0.14, 35), ("-1e-2:1:1", -0.01, 1.0, 1)])
def test_bins(text, low, high, bins):
    edges = parse_bins(text)
    assert (edges[0], edges[-1], len(edges)) == (low, high, bins + 1)
    assert np.diff(edges) == pytest.approx((high - low) / bins)


@pytest.mark.parametrize(
    "text",
    ["", "1", "0:1", "0:1:2:3", "1:0:5", "0:1:0", "0:1:-3", "0:1:2.5", "a:1:2", "nan:1:2", "0:inf:2", "0:1:9999999"],
)
def test_bins_that_are_none(text):
    with pytest.raises(EventFileError, match="LOW:HIGH:N"):
        parse_bins(text)
