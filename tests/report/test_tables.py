"""What a person reads: the key numbers with their kinds, in any width."""

import re

import pytest
from rich.console import Console

from kaongen.analysis.result import (
    Acceptance,
    Background,
    CutLimit,
    Limit,
    Number,
    Result,
    SignalLimit,
    Spectrum,
    Value,
)
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
from kaongen.report.tables import measured, measured_text, number, result_tables

BANDS = {"-2": 780.0, "-1": 1070.0, "+1": 2219.0, "+2": 3075.0}
RESULT = Result(
    analysis="mu_invisible",
    run="small",
    kaongen_version="0.1.0",
    card_sha256="ab" * 32,
    seed=3,
    detector="na62-2016-2018",
    confidence_level=0.9,
    n_kaons=Value(value=1.14e10, error=0.02e10),
    numbers=[
        Number(name="normalisation events", value=2.19e9, kind="input", published=2.19e9),
        Number(
            name="A of K+ -> mu+ nu", value=0.30217, error=0.00075, kind="tuned", published=0.302, published_error=0.005
        ),
        Number(name="expected limit", value=1533.7, kind="prediction", published=1526.0),
        Number(name="nobody knows", value=7.0, kind="prediction"),
    ],
    acceptances=[
        Acceptance(
            sample="munu", decay="K+ -> mu+ nu_mu", role="normalisation", generated=262144, selected=100056,
            above_bound=0, acceptance=Value(value=0.30217, error=0.00075), signal_region=Value(value=0.0),
            branching_fraction=0.6356,
        )
    ],
    backgrounds=[Background(sample="munug", expected=Value(value=4470.0, error=783.0), published=6224.0)],
    published_limit=Limit(observed=1186.1, expected=1533.7, bands=BANDS),
    cuts=[
        CutLimit(
            m2_cut=0.1, background=Value(value=4576.0, error=964.0),
            limit=Limit(observed=None, expected=1590.0, bands=BANDS),
        )
    ],
    signals=[
        SignalLimit(
            sample="V-100", decay="K+ -> mu+ nu_mu V", parameters={"m_X": 0.1, "g": 1e-3}, m2_cut=0.1,
            acceptance=Value(value=0.03615, error=0.0003),
            branching_fraction=Limit(observed=2.88e-6, expected=3.72e-6, bands=BANDS),
            best_m2_cut=0.06, best_expected=3.22e-6, coupling="g",
            coupling_limit=Limit(observed=0.0126, expected=0.0144, bands=BANDS),
        )
    ],
    spectrum=Spectrum(edges=[0.0, 0.1], expected={"munu": [1.0]}, errors={"munu": [0.1]}),
)  # fmt: skip


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
    assert re.search(r"prediction\b.*1534.*1526.*1\.005", line("expected limit"))
    assert re.search(r"prediction\b.*7.*–", line("nobody knows"))


def test_an_input_has_no_ratio_to_itself():
    lines = text(result_tables(RESULT)).splitlines()
    assert "1.000" not in next(one for one in lines if "normalisation events" in one)


@pytest.mark.parametrize("width", [100, 120, 400])
def test_the_key_numbers_survive_any_width(width):
    out = text(result_tables(RESULT), width)
    for fragment in ("munu", "262,144", "100,056", "4576 ± 9.6e+02", "1590", "V-100", "2.88e-06", "3.72e-06", "90% CL"):
        assert fragment in out


def test_limits_name_the_coupling():
    assert re.search(r"V-100.*2\.88e-06.*3\.72e-06.*0\.06.*3\.22e-06.*g < 0\.0126", text(result_tables(RESULT)))


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
