"""Commands on limits: papers beside kaongen, and limits from numbers of events."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from kaongen.cli.app import Json, Quiet, Threads, announce_compilation, app, print_json, print_table

Reproducible = Literal["na62-detector", "letter", "na62-mu", "na62-pix"]

limit_app = typer.Typer(no_args_is_help=True, help="Limits from numbers of events.")
app.add_typer(limit_app, name="limit")


@app.command()
def reproduce(
    what: Annotated[
        Reproducible,
        typer.Argument(
            help="na62-detector: resolutions, acceptances, backgrounds, tails, rejections; letter, na62-mu, na62-pix: "
            "the limits and figures of these papers."
        ),
    ],
    scale: Annotated[
        float, typer.Option("--scale", min=1e-4, max=1e4, help="Factor on the numbers of simulated decays.")
    ] = 1.0,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Directory of a paper's runs, figures and report; reproduce-PAPER by default."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make the paper's runs again instead of reading those that are there.")
    ] = False,
    threads: Threads = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Published numbers beside those that kaongen obtains: inputs, tuned, and predictions."""
    announce_compilation()
    from kaongen.report.progress import Progress
    from kaongen.report.tables import numbers_table

    if what == "na62-detector":
        if output is not None or overwrite:
            raise typer.BadParameter("na62-detector writes no files: -o and --overwrite are for the papers")
        from kaongen.reproduce import na62_detector

        with Progress(int(na62_detector.DECAYS * scale), quiet=quiet) as progress:
            numbers = na62_detector.reproduce(scale=scale, threads=threads, progress=progress)
    else:
        from kaongen.reproduction import FIGURES, cards
        from kaongen.reproduction import reproduce as reproduce_paper

        directory = output or Path(f"reproduce-{what}")
        candidates = sum(sample.candidates for card in cards(what, scale).values() for sample in card.sample)
        try:
            with Progress(candidates, quiet=quiet) as progress:
                done = reproduce_paper(
                    what, directory, scale=scale, threads=threads, overwrite=overwrite, progress=progress
                )
        except KeyboardInterrupt:
            print(f"interrupted; {directory} is intact: the same command goes on with it", file=sys.stderr)
            raise typer.Exit(130) from None
        numbers = done.numbers
    if json:
        print_json([number.model_dump() for number in numbers])
        return
    print_table(numbers_table(f"Beside the published numbers: {what}", numbers))
    if what != "na62-detector":
        print(f"\nin {directory}: report.html, {FIGURES}/ (PNG, SVG, CSV, HEPData YAML) and the runs with their events")


@limit_app.command()
def counting(
    background: Annotated[float, typer.Option("--background", help="Expected background events.")],
    background_error: Annotated[float, typer.Option("--background-error", help="Its Gaussian uncertainty.")] = 0.0,
    observed: Annotated[
        int | None, typer.Option("--observed", help="Observed events; without it, expected limits only.")
    ] = None,
    cl: Annotated[float, typer.Option("--cl", help="Confidence level.")] = 0.9,
    json: Json = False,
) -> None:
    """CLs upper limit on signal events, background averaged over its uncertainty."""
    from kaongen.statistics.counting import counting_limit

    result = counting_limit(observed, background, background_error, cl)
    if json:
        print_json(result.as_dict())
        return
    if result.observed is not None:
        print(f"observed limit at {cl:.0%} CL: {result.observed:.5g} signal events")
    print(f"expected (median): {result.expected:.5g}")
    print(f"  ±1σ: {result.minus_one_sigma:.5g} … {result.plus_one_sigma:.5g}")
    print(f"  ±2σ: {result.minus_two_sigma:.5g} … {result.plus_two_sigma:.5g}")
