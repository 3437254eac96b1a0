"""`kaongen reach`: what it prints and writes, and how it refuses."""

import json
import subprocess
import sys

from typer.testing import CliRunner

from kaongen.analysis.result import Result
from kaongen.cli import app


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
    code = "from kaongen.cli import main; main()"
    for options, word in (
        (["hln"], "did you mean 'hnl'"),
        (["hnl", "--masses", "0.3,0.5"], "m_N = 0.5"),
        (["hnl", "--import", str(own)], "ModuleNotFoundError"),
        (["hnl", "-o", str(tmp_path)], "holds a run"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, "reach", *options], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("kaongen:")]
        assert word in line
