"""What happened to one event, and what the detector does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kaongen.cli.app import Json, announce_compilation, app, print_json, print_table


@app.command()
def show(
    event: Annotated[
        str,
        typer.Argument(
            metavar="EVENT|response",
            help="Which event: FILE.h5:NUMBER, RUN/SAMPLE:NUMBER or CARD/SAMPLE:NUMBER, such as na62-muon/munug:1234; "
            "or the word response: what the detector of a configuration does.",
        ),
    ],
    configuration: Annotated[
        str | None, typer.Option("--configuration", help="Of the response; na62-2016-2018 by default.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Where to draw; by default here, or for the response in response-CONFIGURATION; with --json nowhere.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Make one event again from its number, tell and draw what happened to it; or draw the detector's response."""
    announce_compilation()
    if event == "response":
        _show_response(configuration or "na62-2016-2018", output, json)
        return
    if configuration is not None:
        raise typer.BadParameter("--configuration is for `show response`: an event has that of its card")
    from kaongen.replay.event import replay
    from kaongen.replay.target import find_event

    wanted = find_event(event)
    history = replay(wanted)
    directory = output if output is not None or json else Path()
    files: list[Path] = []
    if directory is not None:
        from kaongen.detector.surroundings import Surroundings
        from kaongen.report.event_display import save_event

        files = save_event(history, Surroundings(wanted.card.configuration()), directory)
    if json:
        print_json(history.as_dict() | {"files": [str(file) for file in files]})
        return
    from kaongen.report.event_history import history_tables

    print_table(history_tables(history))
    print("drawn: " + ", ".join(str(file) for file in files))


def _show_response(name: str, output: Path | None, json: bool) -> None:
    from kaongen.configuration import load
    from kaongen.report.response import Response, summary_table

    response = Response(load(name))
    directory = output if output is not None or json else Path(f"response-{name}")
    files = response.save(directory) if directory is not None else []
    if json:
        print_json(response.as_dict(files))
        return
    print_table(summary_table(response.configuration))
    names = sorted({file.stem for file in files if file.suffix == ".svg"})
    print(f"in {directory}: response.png (at a glance), numbers.txt (every number with its source), as PNG and SVG:")
    print_table(", ".join(names))
