"""A paper beside kaongen: its cards are run, numbers compared, figures drawn and written as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args

from kaongen.analysis.figure import Figure
from kaongen.analysis.record import Number
from kaongen.analysis.result import Result
from kaongen.errors import EventFileError
from kaongen.events.manifest import MANIFEST
from kaongen.production.card import Card, read_card
from kaongen.production.directory import REPORT_FILE
from kaongen.production.engine import Progress
from kaongen.report.curves import save_curves
from kaongen.report.figures import save_figure
from kaongen.report.html import write_reproduction
from kaongen.run import run

Paper = Literal["letter", "na62-mu", "na62-pix"]
PAPERS: tuple[Paper, ...] = get_args(Paper)

FIGURES = "figures"
"""Directory of a reproduction that holds its figures, and their curves as CSV and YAML."""


@dataclass(frozen=True)
class Reproduction:
    """What came out: numbers beside the published ones, figures as data, and the files that were written."""

    numbers: list[Number]
    figures: list[Figure]
    results: dict[str, Result]
    report: Path
    files: list[Path]


def cards(paper: Paper, scale: float = 1.0) -> dict[str, Card]:
    """The cards that a paper's numbers come from, with so many times the candidates."""
    return {name: read_card(name).scaled(scale) for name in _module(paper).CARDS}


def reproduce(
    paper: Paper,
    directory: Path,
    *,
    scale: float = 1.0,
    threads: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Reproduction:
    """Run, analyse and compare.

    Parameters
    ----------
    paper
        Which one.
    directory
        For the runs (one directory per card), figures and report. Runs of the same cards that are there already are
        gone on with, or read again.
    scale
        Factor on the candidates of every sample.
    threads
        All processors by default.
    overwrite
        Make runs again that are there.
    progress
        Called as candidates are done.

    Raises
    ------
    KaongenError
        If there is another run or the report of something else in the directory, or a file cannot be written.
    """
    _refuse_others(directory, paper)
    results = {}
    for name, card in cards(paper, scale).items():
        results[name] = run(
            card, directory / name, threads=threads, resume=not overwrite, overwrite=overwrite, progress=progress
        ).result
    numbers, figures = compare(paper, results)
    try:
        files = [path for figure in figures for path in _write(figure, directory / FIGURES)]
        report = write_reproduction(paper, numbers, figures, results, directory, drawn=files)
    except OSError as problem:
        raise EventFileError(f"cannot write the figures of {paper} to {directory}: {problem.strerror}") from None
    return Reproduction(numbers, figures, results, report, files)


def compare(paper: Paper, results: Mapping[str, Result]) -> tuple[list[Number], list[Figure]]:
    """Numbers beside the published ones and the paper's figures, from the results of its cards by name."""
    numbers, figures = _module(paper).compare(results)
    return numbers, figures


def _refuse_others(directory: Path, paper: Paper) -> None:
    """Figures and report of something else are not replaced."""
    if directory.exists() and not directory.is_dir():
        raise EventFileError(f"{directory} is a file: choose another directory with -o")
    if any((directory / name).exists() for name in _module(paper).CARDS):
        return
    for name in (REPORT_FILE, FIGURES, MANIFEST):
        if (directory / name).exists():
            raise EventFileError(f"{directory} holds {name} and no reproduction of {paper}: choose another with -o")


def _write(figure: Figure, directory: Path) -> list[Path]:
    return [*save_figure(figure, directory), *save_curves(figure, directory)]


def _module(paper: Paper) -> Any:
    return import_module(f"kaongen.reproduce.{paper.replace('-', '_')}")
