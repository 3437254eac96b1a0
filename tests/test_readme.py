"""The README is true: its Python blocks run as printed, one after the other, beside a small run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kaongen.analysis.mu_selection import MuonSelection
from kaongen.decays import catalogue
from kaongen.production.card import parse_card, read_card
from kaongen.production.engine import plan, produce

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture
def small_run(tmp_path, monkeypatch):
    card = read_card("na62-muon").changed(seed=7, candidates=2000)
    produce(card, MuonSelection(), tmp_path / "small")
    monkeypatch.chdir(tmp_path)
    known = dict(catalogue._CATALOGUE)
    yield
    catalogue._CATALOGUE.clear()
    catalogue._CATALOGUE.update(known)


def test_the_python_blocks_run(small_run, capsys):
    for code in blocks("python"):
        # as a file would run it, but numba must find no source for it
        exec(compile(code, "<readme>", "exec"), {"__name__": "readme"})
    printed = capsys.readouterr().out.splitlines()
    munuphi, small, pipi0, flight, observed, limits, branching, length, mine, pair = printed
    assert float(munuphi.split()[-1]) > 0.95
    assert 0.2 < float(small.split()[-1]) < 0.4
    assert float(pipi0) == pytest.approx(0.206, abs=0.003)
    # c tau 0.1 ns, a few hundred times longer in the laboratory
    assert 5.0 < float(flight) < 20.0
    assert float(observed) == pytest.approx(1184.0, rel=0.01)
    asymptotic, toys = map(float, limits.split())
    assert toys == pytest.approx(asymptotic, rel=0.1)
    assert "mu+ mu-" in branching
    assert float(length) == pytest.approx(60.0, rel=0.1)
    assert float(mine) > 0.95
    assert float(pair) > 0.2


def test_the_card_is_valid():
    (text,) = blocks("toml")
    assert plan(parse_card(text, "README")).samples[1].info.parameters["E_gamma_min"] == 0.05


def test_the_commands_exist():
    """Every command line of the README names a command and options that the program has."""
    lines = [
        line.split("#")[0].split()
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith("kaongen ")
    ]
    assert len(lines) >= 10
    for words in lines:
        command = words[1:3] if words[1] in ("limit", "export") else words[1:2]
        help_text = subprocess.run(
            [sys.executable, "-c", "from kaongen.cli import main; main()", *command, "--help"],
            capture_output=True, text=True, check=True, env={"COLUMNS": "200", "PATH": "", "TERM": "dumb"},
        ).stdout  # fmt: skip
        for option in (word for word in words if word.startswith("-")):
            assert option in help_text
