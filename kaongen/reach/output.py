"""The files of a projection: result, figures, curves as CSV and YAML, one page that holds it all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from kaongen.analysis.result import Result
from kaongen.errors import EventFileError
from kaongen.events.durable import PARTIAL, write_durably
from kaongen.events.manifest import MANIFEST
from kaongen.production.card import Card
from kaongen.production.directory import CARD_FILE, PLOTS, RESULT_FILE, TABLES
from kaongen.reach.figures import figures
from kaongen.reach.settings import Reach
from kaongen.report.curves import save_result_curves
from kaongen.report.figures import save_figure
from kaongen.report.html import write_report
from kaongen.report.plots import save_plots


def refuse_others(directory: Path) -> None:
    """Nothing but an earlier projection is replaced.

    Raises
    ------
    EventFileError
        If the directory is a file, or holds a run or anything else.
    """
    try:
        if not directory.exists():
            return
        there = sorted(path.name for path in directory.iterdir() if not path.name.endswith(PARTIAL))
    except OSError as problem:
        raise EventFileError(f"cannot write the projection to {directory}: {problem.strerror}") from None
    if MANIFEST in there:
        raise EventFileError(f"{directory} holds a run with its events: choose another directory for a projection")
    if there and not _holds_a_projection(directory):
        raise EventFileError(f"{directory} holds {there[0]} and no projection: choose another directory with -o")


def _holds_a_projection(directory: Path) -> bool:
    try:
        found = json.loads((directory / RESULT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("analysis") == Reach.model_fields["name"].default


def write(result: Result, card: Card, directory: Path) -> Path:
    """Write everything of a projection to a directory, and return its report.

    Raises
    ------
    EventFileError
        If the directory holds anything but an earlier projection, or something cannot be written.
    """
    refuse_others(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # figures and tables of an earlier one may have other names
        for name in (PLOTS, TABLES):
            shutil.rmtree(directory / name, ignore_errors=True)
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
