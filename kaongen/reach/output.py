"""The files of a projection: result, figures, curves as CSV and YAML, one page that holds it all."""

from __future__ import annotations

from pathlib import Path

from kaongen.analysis.result import Result
from kaongen.errors import EventFileError
from kaongen.events.durable import write_durably
from kaongen.events.manifest import MANIFEST
from kaongen.production.card import Card
from kaongen.production.directory import CARD_FILE, PLOTS, RESULT_FILE, TABLES
from kaongen.reach.figures import figures
from kaongen.report.curves import save_result_curves
from kaongen.report.figures import save_figure
from kaongen.report.html import write_report
from kaongen.report.plots import save_plots


def refuse_run(directory: Path) -> None:
    """Nothing of a run is replaced.

    Raises
    ------
    EventFileError
        If the directory holds one.
    """
    if (directory / MANIFEST).exists():
        raise EventFileError(f"{directory} holds a run with its events: choose another directory for a projection")


def write(result: Result, card: Card, directory: Path) -> Path:
    """Write everything of a projection to a directory, and return its report.

    Raises
    ------
    EventFileError
        If the directory holds a run, or something cannot be written.
    """
    refuse_run(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_durably(directory / RESULT_FILE, result.model_dump_json(indent=2).encode())
        write_durably(directory / CARD_FILE, card.model_dump_json(indent=2).encode())
        drawn = save_plots(result, directory / PLOTS)
        for figure in figures(result):
            beside = figure.model_copy(update={"name": f"{figure.name}-beside-others"})
            save_figure(beside, directory / PLOTS)
        save_result_curves(result, directory / TABLES)
        return write_report(result, directory, card=card, drawn=drawn)
    except OSError as problem:
        raise EventFileError(f"cannot write the projection to {directory}: {problem.strerror}") from None
