"""What a person reads: the key numbers with their kinds, in any width and for any number of samples."""

import math
import re

import pytest
from example_result import EXPECTED, MASSES, result, sample, scan
from rich.console import Console

from kaongen.analysis.record import Number, Value
from kaongen.decays.catalogue import find, processes
from kaongen.decays.mixture import Component, Mixture, natural
from kaongen.decays.process import Rate
from kaongen.report.catalogue import (
    bench_table,
    channel_details,
    channel_rows,
    channel_table,
    mixture_rows,
    mixture_table,
)
from kaongen.report.scan_sheets import best_point, chosen_points, overview_sheet, scan_sheet
from kaongen.report.sheets import cutflow_sheets, groups, samples_sheet, yields_sheet
from kaongen.report.tables import measured, measured_text, number, numbers_table, result_tables, sheet_table

RESULT = result()


def text(renderable, width=160):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(renderable)
    return console.export_text()


@pytest.mark.parametrize(
    ("value", "written"), [(0.302, "0.302"), (7549.0, "7549"), (1.04e-6, "1.04e-06"), (None, "–"), (0.0, "0")]
)
def test_numbers_are_written_as_people_do(value, written):
    assert number(value) == written


def test_an_error_is_written_with_two_digits():
    assert measured_text(0.30217, 0.00075123) == "0.3022 ± 0.00075"
    assert measured_text(1184.0, 0.0) == "1184"
    assert measured(Value(value=1.0, error=0.5)) == "1 ± 0.5"
    assert measured(None) == "–"


def test_every_number_stands_beside_its_kind_and_the_published_one():
    lines = text(result_tables(RESULT)).splitlines()

    def line(name):
        return next(one for one in lines if name in one)

    assert re.search(r"input\b.*2\.19e\+09", line("normalisation events"))
    assert re.search(r"tuned\b.*0\.3022 ± 0\.00075.*0\.302 ± 0\.005.*1\.001", line("A of K+ -> mu+ nu"))
    assert re.search(r"prediction\b.*1534.*1526.*1\.005", line("expected limit on |U_μ4|²"))
    assert re.search(r"prediction\b.*7.*–", line("<script>alert(1)</script>"))


def test_an_input_has_no_ratio_to_itself():
    lines = text(result_tables(RESULT)).splitlines()
    assert "1.000" not in next(one for one in lines if "normalisation events" in one)


def test_what_is_in_brackets_is_no_markup():
    rows = [Number(name="[bold]limit[/bold] [GeV]", value=1.0, kind="input")]
    assert "[bold]limit[/bold] [GeV]" in text(numbers_table("[red]title", rows))
    assert "[red]title" in text(numbers_table("[red]title", rows))


@pytest.mark.parametrize("width", [100, 120, 400])
def test_the_key_numbers_survive_any_width(width):
    out = text(result_tables(RESULT), width)
    for fragment in ("munu", "65,536", "munug", "7549 ± 50", "muN-200", "0.5", "90% CL", "hybrid CLs", "0.28 *"):
        assert fragment in out


@pytest.mark.parametrize(("signals", "scans"), [(0, 0), (1, 1), (300, 2), (300, 40), (3000, 6)])
def test_a_run_fits_on_two_screens(signals, scans):
    lines = text(result_tables(result(signals, scans)), 120).splitlines()
    assert len(lines) <= 100
    assert max(map(len, lines)) <= 120


def test_samples_of_a_scan_share_a_row():
    found = groups(RESULT.samples)
    assert [group.name for group in found] == ["munu", "munug", "pipipi", "muN-200 … muN-349.5 (300)"]
    rows = samples_sheet(RESULT).rows
    assert rows[-1][-1] == f"{0.3 - 0.2 * 0.1495:.4g} … 0.3"
    assert len(samples_sheet(RESULT, every=True).rows) == len(RESULT.samples)


def test_what_differs_in_more_than_parameters_stays_apart():
    alike = [sample(f"a{i}", "muN", "signal", 0.1, {"m_N": i}) for i in range(4)]
    others = [
        sample("b", "muN", "background", 0.1, {"m_N": 9.0}),
        sample("c", "muN", "signal", 0.1, {"m_N": 9.0}, zone="upstream"),
        sample("d", "muN", "signal", 0.1, {"m_X": 9.0}),
    ]
    assert [len(group.members) for group in groups(alike + others)] == [4, 1, 1, 1]
    # without a parameter they are repetitions, and each counts
    assert len(groups([sample(f"e{i}", "munu", "signal", 0.1) for i in range(9)])) == 9


def test_backgrounds_are_added_with_their_errors():
    sheet = yields_sheet(RESULT)
    assert sheet.rows[-1][0] == "sum of backgrounds"
    assert sheet.rows[-1][2] == measured_text(4470.0 + 3079.0, math.hypot(30.0, 40.0))
    assert "1.14e+10 ± 2e+08 kaon decays" in sheet.title
    assert yields_sheet(result().model_copy(update={"samples": RESULT.samples[:1]})) is None


def test_efficiencies_of_the_cuts_and_what_is_left():
    (efficiencies,) = cutflow_sheets(RESULT)
    assert efficiencies.columns == ("cut", "munu", "munug", "pipipi", "muN-200", "muN-349.5")
    assert [row[:2] for row in efficiencies.rows] == [
        ("seen in all detectors", "0.5"),
        ("momentum", "0.9"),
        ("vertex", "0.4"),
        ("all", "0.302"),
    ]
    (counts,) = cutflow_sheets(RESULT, events=True)
    assert [row[1] for row in counts.rows] == ["65,536", "32,768", "29,491", "11,796"]


def test_many_samples_are_spread_over_tables():
    many = result().model_copy(update={"samples": [sample(f"s{i}", "munu", "signal", 0.1) for i in range(14)]})
    sheets = cutflow_sheets(many, columns=6)
    assert [len(sheet.columns) - 1 for sheet in sheets] == [6, 6, 2]
    assert sum((sheet.columns[1:] for sheet in sheets), ()) == tuple(f"s{i}" for i in range(14))


def test_a_sample_without_its_first_cut_passed_has_that_efficiency():
    first = sample("a", "munu", "signal", 0.1)
    steps = [first.cutflow[1].model_copy(update={"efficiency": None}), *first.cutflow[2:]]
    cut = result().model_copy(update={"samples": [first.model_copy(update={"cutflow": steps})]})
    (sheet,) = cutflow_sheets(cut)
    assert sheet.rows[0] == ("seen in all detectors", "0.5")


def test_points_of_a_scan_with_the_best_among_them():
    one = scan()
    best = min(range(len(MASSES)), key=lambda i: EXPECTED[i])
    assert best_point(one) == best
    for rows in (3, 7, 12):
        chosen = chosen_points(one, rows)
        assert {0, len(MASSES) - 1, best} <= set(chosen)
        assert len(chosen) <= rows + 1
        assert chosen == sorted(set(chosen))
    assert chosen_points(one, 100) == list(range(len(MASSES)))


def test_the_best_is_that_of_the_data_where_nothing_is_expected():
    observed = [None] * 46 + [1e-9]
    one = scan().model_copy(update={"expected": None, "bands": {}, "observed": observed})
    assert best_point(one) == 46
    assert best_point(one.model_copy(update={"observed": None})) is None


def test_all_of_a_scan():
    sheet = scan_sheet(scan(), rows=len(MASSES), level=0.9)
    assert sheet.columns == ("$m_N$ [GeV]", "observed", "expected", "±1σ", "±2σ", "acceptance", "width [GeV]")
    assert len(sheet.rows) == len(MASSES)
    row = next(row for row in sheet.rows if row[0].startswith("0.28"))
    assert row == ("0.28 *", "1.1e-08", "1e-08", "7e-09 … 1.4e-08", "5e-09 … 2e-08", "0.207", "0.28")
    assert sheet.rows[4][1] == "–"
    assert "90% CL" in sheet.note


def test_columns_that_do_not_fit_are_left_out():
    sheet = scan_sheet(scan(), width=60)
    assert sheet.columns == ("$m_N$ [GeV]", "observed", "expected", "±1σ")
    assert max(map(len, text(sheet_table(sheet), 400).splitlines())) <= 62


def test_many_scans_are_one_table():
    nothing = {"points": [], "observed": [], "expected": [], "bands": {}, "columns": []}
    sheet = overview_sheet("limits", [scan(), scan("other").model_copy(update=nothing)])
    assert sheet.rows[0] == (scan().title, "$m_N$: 0.2 … 0.384 GeV", "0.28 GeV", "1e-08", "1.1e-08")
    assert sheet.rows[1][2:] == ("–", "–", "–")


def test_the_catalogue_lists_every_process_with_its_parameters():
    rows = channel_rows(processes())
    out = text(channel_table(rows), 300)
    for row in rows:
        assert row["name"] in out
        assert row["decay"] in out
        for parameter in row["parameters"]:
            assert parameter["name"] in out


@pytest.mark.parametrize("process", processes(), ids=lambda p: p.name)
@pytest.mark.parametrize("width", [100, 400])
def test_all_about_one_process(process, width):
    (row,) = channel_rows([process])
    out = text(channel_details(row), width)
    assert process.decay in out
    flat = " ".join(out.split())
    for part in process.reference.split()[:3]:
        assert part in flat
    if row["branching_fraction"] is None:
        assert not re.search(r"^branching fraction", out, re.MULTILINE)
    else:
        assert measured_text(row["branching_fraction"], row["branching_fraction_error"]) in out
    assert ("in steps" in out) == bool(process.chain)
    for p in process.parameters:
        line = next(one for one in out.splitlines() if re.search(rf"^│\s*{p.name}\b", one))
        assert ("must be given" if p.default is None else f"{p.default:g}") in line
        assert f"{p.minimum:g}" in line
        assert f"{p.maximum:g}" in line
        assert p.unit in line


def test_a_chain_stands_beside_its_process():
    (row,) = channel_rows([find("munuV-mumu")])
    assert re.search(r"in steps\s+K\+ -> mu\+ nu_mu \(V -> mu\+ mu-\)", text(channel_details(row)))
    (row,) = channel_rows([find("K+ -> pi+ (S -> mu+ mu-)")])
    out = text(channel_details(row))
    assert "K+ -> pi+ (S -> mu+ mu-)" in out
    assert re.search(r"tau_S\b.*\b0\b.*1e\+06.*ns.*mean life of S", out)


def test_a_mixture_is_a_table():
    mixture = natural()
    out = text(mixture_table(mixture), 200)
    for c in mixture.components:
        fraction = measured_text(c.fraction.value, c.fraction.error)
        row = re.escape(c.process.decay) + r"\s.*" + re.escape(fraction)
        assert re.search(rf"{c.process.name}\s.*{row}.*{re.escape(c.fraction.source[:20])}", out)
    assert out.splitlines()[-1] == f"sum {measured_text(mixture.total, mixture.total_error)}; samples divide by it"


def test_fractions_without_an_error_stand_alone():
    parts = [("munu", 0.75), ("pipi0", 0.123456789)]
    mixture = Mixture("mine", tuple(Component(find(n), {}, Rate(f, 0.0, "a file")) for n, f in parts))
    out = text(mixture_table(mixture))
    assert re.search(r"munu\s.*0\.75\s.*a file", out)
    assert re.search(r"pipi0\s.*0\.12346\s.*a file", out)
    assert "sum 0.873457; samples divide by it" in out
    assert "±" not in out


def test_rows_of_a_mixture():
    parts = [("munu", {}, Rate(0.5, 0.03, "one")), ("piX", {"m_X": 0.1}, Rate(0.2, 0.04, "other"))]
    mixture = Mixture("mine", tuple(Component(find(n), v, f) for n, v, f in parts))
    rows = mixture_rows(mixture)
    assert (rows["name"], rows["sum"], rows["sum_error"]) == ("mine", 0.7, pytest.approx(0.05))
    assert rows["components"][1] == {
        "process": "piX",
        "decay": "K+ -> pi+ X",
        "parameters": {"m_X": 0.1},
        "fraction": 0.2,
        "fraction_error": 0.04,
        "source": "other",
    }


def test_measurements_of_the_machine_are_a_table():
    out = text(bench_table({"munu, beam to selection": 123.45}, 2))
    assert "2 threads" in out
    assert re.search(r"munu, beam to selection.*123\.[45]", out)
