"""Commands that write files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kaongen.cli.app import Json, app, print_json

export_app = typer.Typer(no_args_is_help=True, help="Files for other programs.")
app.add_typer(export_app, name="export")


@export_app.command()
def templates(
    run: Annotated[Path, typer.Argument(help="A run directory with all its events.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Directory to write to; templates-RUN by default.")
    ] = None,
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            help="One or more of hist (UHI JSON), root (TH1D with Sumw2), pyhf (workspace), npz, with commas between.",
        ),
    ] = "hist",
    column: Annotated[
        str | None, typer.Option("--column", help="What to bin, such as m2_miss; by default the result's spectra.")
    ] = None,
    bins: Annotated[
        str | None, typer.Option("--bins", metavar="LOW:HIGH:N", help="Bins of the column, in its unit.")
    ] = None,
    signal: Annotated[
        str | None, typer.Option("--signal", help="Sample that is the signal of a pyhf workspace.")
    ] = None,
    sample: Annotated[list[str] | None, typer.Option("--sample", help="Only this sample; may be repeated.")] = None,
    branching_fraction: Annotated[
        float | None,
        typer.Option("--branching-fraction", help="That signals are normalised to; 1e-6 by default."),
    ] = None,
    kaons: Annotated[
        float | None, typer.Option("--kaons", help="Kaon decays that the events are for; the result's by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Histograms, a pyhf workspace and arrays of selected events, with units and normalisation."""
    from kaongen.export.templates import export_templates, parse_bins

    done = export_templates(
        run,
        output or Path(f"templates-{run.resolve().name}"),
        [name.strip() for name in formats.split(",")],
        column=column,
        edges=None if bins is None else parse_bins(bins),
        signal=signal,
        samples=sample or None,
        signal_branching_fraction=branching_fraction,
        kaons=kaons,
    )
    if json:
        print_json(done.as_dict())
        return
    for templates in done.templates:
        shown = len(templates.samples)
        print(f"{templates.name}: {len(templates.edges) - 1} bins in {templates.x.name}, {shown} samples")
    for file in done.files:
        print(file)
