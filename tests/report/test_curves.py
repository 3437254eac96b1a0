"""Curves as CSV and as HEPData tables: every number comes back, and the tables are what HEPData accepts."""

import csv

import pytest
import yaml
from example_result import EDGES, EXPECTED, MASSES, result, scan

from kaongen.analysis.figure import Curve, Density, Figure, Histogram
from kaongen.analysis.record import Axis
from kaongen.errors import EventFileError
from kaongen.report.curves import save_curves, save_result_curves
from kaongen.report.hepdata import HEPDATA, SUBMISSION

RESULT = result(signals=3)
X, Y = Axis(name="x", label="$m_X$", unit="GeV"), Axis(name="y", label="limit", unit="1")


def read_csv(path):
    """Comment lines, and the rows as dictionaries."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = [line.removeprefix("# ") for line in lines if line.startswith("#")]
    assert [line.startswith("#") for line in lines] == [True] * len(head) + [False] * (len(lines) - len(head))
    return head, list(csv.DictReader(lines[len(head) :]))


def numbers(rows, column):
    return [None if row[column] == "" else float(row[column]) for row in rows]


# the rules of HEPData's schema 1.1.1 for data files and submissions, and those of its importer


def is_text_or_number(value):
    return isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool))


def check_header(header):
    assert set(header) <= {"name", "units"}
    assert header["name"]
    assert all(isinstance(value, str) for value in header.values())


def check_data(table):
    assert set(table) == {"independent_variables", "dependent_variables"}
    lengths = set()
    for variable in table["independent_variables"]:
        assert set(variable) == {"header", "values"}
        check_header(variable["header"])
        lengths.add(len(variable["values"]))
        for value in variable["values"]:
            if set(value) == {"value"}:
                assert is_text_or_number(value["value"])
            else:
                assert set(value) == {"low", "high"}
                assert value["low"] < value["high"]
    for variable in table["dependent_variables"]:
        assert {"header", "values"} <= set(variable) <= {"header", "qualifiers", "values"}
        check_header(variable["header"])
        lengths.add(len(variable["values"]))
        for qualifier in variable.get("qualifiers", []):
            assert set(qualifier) == {"name", "value"}
            assert is_text_or_number(qualifier["value"])
        for value in variable["values"]:
            assert {"value"} <= set(value) <= {"value", "errors"}
            assert is_text_or_number(value["value"])
            for error in value.get("errors", []):
                assert len({"symerror", "asymerror"} & set(error)) == 1
                assert set(error) <= {"symerror", "asymerror", "label"}
                # errors of zero on both sides are refused
                if "asymerror" in error:
                    assert set(error["asymerror"]) == {"minus", "plus"}
                    assert error["asymerror"]["minus"] <= 0.0 <= error["asymerror"]["plus"]
                    assert any(error["asymerror"].values())
                else:
                    assert error["symerror"] > 0.0
    assert len(lengths) == 1


def check_submission(directory):
    """The tables that a submission lists, by name; each of them has been checked."""
    first, *tables = yaml.safe_load_all((directory / SUBMISSION).read_text(encoding="utf-8"))
    assert set(first) == {"comment"}
    found = {}
    for table in tables:
        assert {"name", "description", "keywords", "data_file"} <= set(table)
        assert set(table) <= {"name", "location", "description", "keywords", "data_file"}
        assert len(table["name"]) <= 64
        assert len(table.get("location", "")) <= 256
        for keyword in table["keywords"]:
            assert keyword["name"] in ("cmenergies", "observables", "reactions", "phrases")
            assert all(len(str(value)) <= 128 for value in keyword["values"])
        content = yaml.safe_load((directory / table["data_file"]).read_text(encoding="utf-8"))
        check_data(content)
        assert table["name"] not in found
        found[table["name"]] = content
    assert len({table["data_file"] for table in tables}) == len(tables)
    assert {path.name for path in directory.iterdir()} == {SUBMISSION, *(table["data_file"] for table in tables)}
    return found


def test_a_scan_comes_back_from_its_csv(tmp_path):
    one = scan()
    files = save_curves(one, tmp_path / "new", {"seed": "3"})
    head, rows = read_csv(files[0])
    assert files[0].name == "u-mu4.csv"
    assert numbers(rows, "m_N") == one.points
    assert numbers(rows, "observed") == one.observed
    assert numbers(rows, "expected") == one.expected
    names = ("expected_minus_2_sigma", "expected_minus_1_sigma", "expected_plus_1_sigma", "expected_plus_2_sigma")
    for name, band in zip(names, ("-2", "-1", "+1", "+2"), strict=True):
        assert numbers(rows, name) == one.bands[band]
    assert numbers(rows, "width") == one.columns[1].values
    for line in ("Limits on |U_μ4|² & <friends>", "m_N: m_N [GeV]", "width: of the peak [GeV]", "seed: 3"):
        assert line in head
    assert "method: hybrid CLs" in head


def test_a_spectrum_comes_back_from_its_csv(tmp_path):
    spectrum = RESULT.spectra[0]
    head, rows = read_csv(save_curves(spectrum, tmp_path)[0])
    assert numbers(rows, "m2_miss_low") + numbers(rows[-1:], "m2_miss_high") == EDGES
    for sample, values in spectrum.expected.items():
        assert numbers(rows, sample) == values
    assert numbers(rows, "munug_error") == spectrum.errors["munug"]
    assert "muN-200: BR = 10⁻⁶" in head
    assert any(line.startswith("made by: kaongen ") for line in head)


def test_lines_of_a_title_stay_in_the_comment(tmp_path):
    _, rows = read_csv(save_curves(scan(title="first\nsecond"), tmp_path)[0])
    assert len(rows) == len(MASSES)


def figure():
    return Figure(
        name="figure-5",
        title="Limits",
        x=X,
        y=Y,
        curves=[
            Curve(label="ours, $m$", x=[1.0, 2.0, 3.0], y=[1.0, None, 3.0]),
            Curve(
                label="band", x=[1.0, 2.0, 3.0], y=[1.0, 2.0, 3.0], low=[0.5, 1.0, 2.0], high=[2.0, 3.0, 3.0],
                style="band",
            ),
            Curve(label="closed", x=[1.0, 2.0], y=[None, None], low=[0.1, None], high=[0.2, 0.3], style="region"),
            Curve(label="theirs", x=[1.0], y=[9.0], published=True, reference="a paper"),
        ],
        histograms=[
            Histogram(label="counts", edges=[0.0, 1.0, 3.0], values=[4.0, 9.0], errors=[2.0, 0.0], style="points"),
            Histogram(label="their counts", edges=[0.0, 1.0], values=[5.0], published=True),
        ],
        densities=[Density(label="plane", x_edges=[0, 1, 2], y_edges=[0, 1, 2], values=[[1.0, 2.0], [3.0, 4.0]])],
        reference="figure 5",
    )  # fmt: skip


def test_a_figure_is_a_long_table_in_which_each_line_says_what_it_belongs_to(tmp_path):
    head, rows = read_csv(save_curves(figure(), tmp_path)[0])
    assert "theirs: a paper" in head
    by_series = {}
    for row in rows:
        by_series.setdefault(row["series"], []).append(row)
    assert numbers(by_series["ours, m"], "y") == [1.0, None, 3.0]
    assert numbers(by_series["band"], "y_low") == [0.5, 1.0, 2.0]
    assert numbers(by_series["closed"], "y_high") == [0.2, 0.3]
    assert [row["published"] for row in by_series["theirs"]] == ["1"]
    assert {row["published"] for row in by_series["ours, m"]} == {"0"}
    counts = by_series["counts"]
    assert numbers(counts, "x_low") == [0.0, 1.0]
    assert numbers(counts, "x_high") == [1.0, 3.0]
    assert numbers(counts, "y_low") == [2.0, 9.0]
    plane = by_series["plane"]
    assert [(numbers([r], "x")[0], numbers([r], "y")[0], numbers([r], "content")[0]) for r in plane] == [
        (0.5, 0.5, 1.0), (1.5, 0.5, 2.0), (0.5, 1.5, 3.0), (1.5, 1.5, 4.0),
    ]  # fmt: skip


def test_a_scan_as_hepdata_has_its_bands_as_errors(tmp_path):
    save_curves(scan(), tmp_path)
    (table,) = check_submission(tmp_path / HEPDATA).values()
    (x,) = table["independent_variables"]
    assert x["header"] == {"name": "$m_N$", "units": "GeV"}
    assert [value["value"] for value in x["values"]] == MASSES
    observed, expected, acceptance, width = table["dependent_variables"]
    assert [q["value"] for q in observed["qualifiers"]] == ["observed", "hybrid CLs"]
    assert [value["value"] for value in observed["values"]][3:5] == [pytest.approx(1.1 * EXPECTED[3]), "-"]
    assert width["values"][0] == {"value": "-"}
    assert width["header"] == {"name": "of the peak", "units": "GeV"}
    assert len(acceptance["values"]) == len(MASSES)
    for entry, central in zip(expected["values"], EXPECTED, strict=True):
        assert entry["value"] == central
        errors = {error["label"]: error["asymerror"] for error in entry["errors"]}
        for label, low, high in (("1 sigma", 0.7, 1.4), ("2 sigma", 0.5, 2.0)):
            assert entry["value"] + errors[label]["minus"] == pytest.approx(low * central)
            assert entry["value"] + errors[label]["plus"] == pytest.approx(high * central)


def test_a_figure_as_hepdata_has_what_kaongen_obtained(tmp_path):
    files = save_curves(figure(), tmp_path)
    tables = check_submission(tmp_path / HEPDATA)
    assert len(tables) == 4
    assert set(files[1:]) == {*(tmp_path / HEPDATA).iterdir()}
    text = "".join(path.read_text() for path in files[1:])
    assert "theirs" not in text
    assert "their counts" not in text
    lines, closed, counts, plane = tables.values()
    assert [d["qualifiers"][0]["value"] for d in lines["dependent_variables"]] == ["ours, $m$", "band"]
    assert lines["dependent_variables"][1]["values"][0]["errors"][0]["asymerror"] == {"minus": -0.5, "plus": 1.0}
    # a region without a value inside has its two edges
    assert [[v["value"] for v in d["values"]] for d in closed["dependent_variables"]] == [[0.1, "-"], [0.2, 0.3]]
    assert counts["dependent_variables"][0]["values"] == [
        {"value": 4.0, "errors": [{"symerror": 2.0, "label": "stat"}]}, {"value": 9.0},
    ]  # fmt: skip
    assert [len(v["values"]) for v in plane["independent_variables"]] == [4, 4]


def test_what_only_others_have_published_is_no_submission(tmp_path):
    one = figure().model_copy(update={"curves": figure().curves[-1:], "histograms": [], "densities": []})
    assert [path.name for path in save_curves(one, tmp_path)] == ["figure-5.csv"]
    assert not (tmp_path / HEPDATA).exists()


def test_a_submission_lists_every_table_once(tmp_path):
    save_curves(scan("a"), tmp_path)
    save_curves(figure(), tmp_path)
    save_curves(scan("figure"), tmp_path)
    before = check_submission(tmp_path / HEPDATA)
    save_curves(scan("a"), tmp_path)
    save_curves(figure(), tmp_path)
    assert check_submission(tmp_path / HEPDATA) == before
    assert len(before) == 6


def test_a_whole_result(tmp_path):
    files = save_result_curves(RESULT, tmp_path)
    assert [path.name for path in files if path.suffix == ".csv"] == ["m2-miss.csv", "u-mu4.csv", "scan-1.csv"]
    assert set(check_submission(tmp_path / HEPDATA)) == {"m2-miss", "u-mu4", "scan-1"}
    comment = next(yaml.safe_load_all((tmp_path / HEPDATA / SUBMISSION).read_text()))["comment"]
    for fragment in ("seed: 3", "ab" * 32, "kaongen 0.1.0", "na62-2016-2018"):
        assert fragment in comment


def test_tables_of_an_older_result_go(tmp_path):
    save_result_curves(RESULT, tmp_path)
    save_result_curves(RESULT.model_copy(update={"scans": [scan("new")], "spectra": []}), tmp_path)
    assert set(check_submission(tmp_path / HEPDATA)) == {"new"}


@pytest.mark.parametrize("content", ["a: [", "comment: one\n---\njust text\n", "a: 1\n---\nname: x\n", "\x00"])
def test_a_foreign_submission_is_left_alone(tmp_path, content):
    (tmp_path / HEPDATA).mkdir()
    path = tmp_path / HEPDATA / SUBMISSION
    path.write_text(content)
    with pytest.raises(EventFileError, match=r"submission\.yaml does not list tables"):
        save_curves(scan(), tmp_path)
    with pytest.raises(EventFileError, match=r"submission\.yaml does not list tables"):
        save_result_curves(RESULT, tmp_path)
    assert path.read_text() == content
