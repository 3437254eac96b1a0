"""Commands on runs and their events: generate, analyse, look into, check."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from kaongen.cli.app import Json, Quiet, Threads, announce_compilation, app, print_json, print_table


@app.command()
def run(
    card: Annotated[str, typer.Argument(metavar="CARD|NAME", help="A card (.toml), or the name of one that ships.")],
    candidates: Annotated[
        int | None, typer.Option("-n", min=1, help="Candidates of every sample instead of the card's.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Run directory; the run's name by default.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Seed instead of the card's.")] = None,
    threads: Threads = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was killed.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run that is there.")] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Generate the events of a card and do its search."""
    if resume and overwrite:
        raise typer.BadParameter("--resume goes on with a run and --overwrite replaces it: choose one")
    started = time.monotonic()
    announce_compilation()
    from kaongen.production.card import read_card
    from kaongen.report.progress import Progress
    from kaongen.report.tables import result_tables
    from kaongen.run import run as run_card

    chosen = read_card(card).changed(seed=seed, candidates=candidates)
    directory = output or Path(chosen.run.name)
    try:
        with Progress(sum(s.candidates for s in chosen.sample), quiet=quiet) as progress:
            outcome = run_card(
                chosen, directory, threads=threads, resume=resume, overwrite=overwrite, progress=progress
            )
    except KeyboardInterrupt:
        print(f"interrupted; {directory} is intact: the same command with --resume goes on with it", file=sys.stderr)
        raise typer.Exit(130) from None
    if json:
        print_json(outcome.result.model_dump())
        return
    print_table(result_tables(outcome.result))
    seconds = time.monotonic() - started
    print(f"\n{seconds:.1f} s; in {directory}: report.html, result.json, plots/, tables/, shards/ (events)")
    print(f"next: kaongen inspect {directory}   or   kaongen.open({str(directory)!r}) in Python")


@app.command()
def analyse(
    directory: Annotated[Path, typer.Argument(help="A run directory with all its events.")], json: Json = False
) -> None:
    """Do the search of a run again on its event files."""
    from kaongen.report.tables import result_tables
    from kaongen.run import analyse_again

    outcome = analyse_again(directory)
    if json:
        print_json(outcome.result.model_dump())
    else:
        print_table(result_tables(outcome.result))


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="An event file, or a run directory.")], json: Json = False
) -> None:
    """What an event file or a run directory holds, and where it comes from."""
    from kaongen.events.inspection import inspect as inspect_events
    from kaongen.report.catalogue import inspection_tables

    summary = inspect_events(path)
    if json:
        print_json(summary)
    else:
        print_table(inspection_tables(summary))


@app.command()
def validate(
    path: Annotated[str, typer.Argument(metavar="FILE|CARD", help="An event file, a run directory, or a card.")],
    json: Json = False,
) -> None:
    """Check an event file, a run directory or a card from end to end."""
    problems = _problems(path)
    if json:
        print_json({"path": path, "valid": not problems, "problems": problems})
    else:
        for problem in problems:
            print(problem)
        if not problems:
            print(f"{path}: valid")
    if problems:
        raise typer.Exit(2)


def _problems(path: str) -> list[str]:
    from kaongen.analysis.registry import check
    from kaongen.events.inspection import validate_events
    from kaongen.production.card import read_card, shipped_cards
    from kaongen.production.engine import plan

    if path.endswith(".toml") or (path in shipped_cards() and not Path(path).exists()):
        card = read_card(path)
        plan(card)
        check(card)
        return []
    return validate_events(Path(path))
