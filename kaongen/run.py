"""A whole run: from a card to event files to a result, tables and plots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kaongen.analysis.registry import analyse, check, selection_of
from kaongen.analysis.result import Result
from kaongen.errors import EventFileError
from kaongen.events.durable import write_durably
from kaongen.events.reader import EventSet, open_events
from kaongen.production.card import Card
from kaongen.production.directory import CARD_FILE, PLOTS, RESULT_FILE, TABLES, prepare, read_run_card
from kaongen.production.engine import Progress, plan, produce
from kaongen.report.curves import save_result_curves
from kaongen.report.html import write_report
from kaongen.report.plots import save_plots


@dataclass(frozen=True)
class Outcome:
    """What a run left: its result, and the files beside the events."""

    result: Result
    directory: Path
    plots: list[Path]
    tables: list[Path]
    report: Path


def run(
    card: Card,
    directory: Path,
    *,
    threads: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Produce the events of a card, and analyse them.

    Parameters
    ----------
    card
        What to generate and which search to do.
    directory
        Where; it must not exist, unless `resume` or `overwrite` is set.
    threads
        Number of threads; all processors by default.
    resume
        Go on with a run that was killed.
    overwrite
        Replace a run that is there.
    progress
        Called as candidates are done.

    Raises
    ------
    KaongenError
        If the card cannot be used or a file cannot be written; a run that was there is not touched before the card
        has been checked.
    """
    plan(card)
    check(card)
    prepare(directory, card, resume=resume, overwrite=overwrite)
    if not (directory / CARD_FILE).exists():
        _write(directory / CARD_FILE, card.model_dump_json(indent=2))
    produce(card, selection_of(card), directory, threads=threads, resume=resume, progress=progress)
    return _conclude(open_events(directory), card, directory)


def analyse_again(directory: Path) -> Outcome:
    """Analyse the events of a complete run directory once more.

    Raises
    ------
    EventFileError
        If there is no complete run there.
    """
    if directory.is_file():
        raise EventFileError(f"{directory} is a file: analyse reads a run directory")
    events = open_events(directory)
    card = read_run_card(directory)
    if card.sha256() != events.provenance.card_sha256:
        raise EventFileError(f"{directory / CARD_FILE} is not the card that the events were made from")
    return _conclude(events, card, directory)


def _conclude(events: EventSet[Any], card: Card, directory: Path) -> Outcome:
    result = analyse(events, card.roles(), card.analysis, card.run.name)
    _write(directory / RESULT_FILE, result.model_dump_json(indent=2))
    try:
        plots = save_plots(result, directory / PLOTS)
        tables = save_result_curves(result, directory / TABLES)
        report = write_report(result, directory, card=card, provenance=events.provenance, drawn=plots)
    except OSError as problem:
        raise EventFileError(f"cannot write the report to {directory}: {problem.strerror}") from None
    return Outcome(result, directory, plots, tables, report)


def _write(path: Path, text: str) -> None:
    write_durably(path, text.encode())
