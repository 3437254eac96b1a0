"""`kaongen reach`: what it prints and writes, and how it refuses."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from kaongen.analysis.result import Result
from kaongen.cli import app
from kaongen.errors import KaongenError


def test_the_command_writes_everything(tmp_path):
    out = tmp_path / "out"
    run = CliRunner().invoke(
        app,
        ["reach", "hnl", "--masses", "0.25,0.35", "--kaons", "1e10", "--scale", "0.02", "-o", str(out), "--json"],
    )
    assert run.exit_code == 0, run.output
    shown = json.loads(run.stdout)
    assert shown["analysis"] == "reach"
    assert shown["scans"][0]["points"] == [0.25, 0.35]
    assert Result.model_validate_json((out / "result.json").read_text()).scans[0].points == [0.25, 0.35]
    assert (out / "report.html").stat().st_size > 10_000
    assert (out / "plots" / "coupling-beside-others.svg").exists()
    assert "0.25" in (out / "tables" / "coupling.csv").read_text()


def test_mistakes_are_one_line_and_exit_code_2(tmp_path):
    own = tmp_path / "own.py"
    own.write_text("import nothing_of_the_kind\n")
    (tmp_path / "manifest.json").touch()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "result.json").write_text('{"analysis": "dimuon"}')
    code = "from kaongen.cli import main; main()"
    for options, word in (
        (["hln"], "did you mean 'hnl'"),
        (["hnl", "--masses", "0.3,0.5"], "m_N = 0.5"),
        (["hnl", "--import", str(own)], "ModuleNotFoundError"),
        (["hnl", "-o", str(tmp_path)], "holds a run"),
        (["hnl", "-o", str(tmp_path / "mine")], "holds result.json and no projection"),
        (["hnl", "-o", str(own)], "Not a directory"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, "reach", *options], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("kaongen:")]
        assert word in line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--set", "majorana=nan"], "--set 'majorana=nan': the number must be finite"),
        (["--set", "majorana=2"], "majorana = 2 must be 1 (Majorana) or 0 (Dirac)"),
        (["--masses", ""], "--masses ''"),
        (["--masses", "0.2:0.3:0"], "step = 0: Input should be greater than 0"),
    ],
)
def test_numbers_that_cannot_be_are_named(options, words):
    done = CliRunner().invoke(app, ["reach", "hnl", *options])
    assert isinstance(done.exception, KaongenError)
    assert words in str(done.exception)


@pytest.mark.parametrize(
    "options", [["--scale", "inf"], ["--scale", "nan"], ["--scale", "1e300"], ["--seed", str(2**63)]]
)
def test_factors_and_seeds_have_a_range(options):
    assert CliRunner().invoke(app, ["reach", "hnl", *options]).exit_code == 2
