"""The user's own question: what a number of kaons can exclude."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from kaongen.cli.app import Json, Quiet, Threads, announce_compilation, app, print_json, print_table


@app.command()
def reach(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL|PROCESS",
            help="lmu-ltau, lmu-ltau-mumu, muonic-scalar, muonic-scalar-mumu, hnl, dark-scalar, alp; or a process with "
            "one unknown mass, by name or as a decay (`kaongen channels`), one of an imported file among them.",
        ),
    ],
    search: Annotated[
        str, typer.Option("--search", help="auto, mu (one muon), dimuon (three muons) or pion (one pion).")
    ] = "auto",
    visible: Annotated[
        bool | None,
        typer.Option(
            "--visible/--invisible",
            help="Whether decays of the new particle within the detector are seen and spoil the event; by default, "
            "what the model says.",
        ),
    ] = None,
    kaons: Annotated[
        float,
        typer.Option(
            "--kaons",
            show_default="1e13",
            help="Kaon decays in the decay volume times the share of them that trigger, downscaling and accidental "
            "activity in the vetoes leave: the data of 2016-2018 for single muons count 1.14e10, those of 2017 for "
            "pi+ nu nubar 8.3e11.",
        ),
    ] = 1e13,
    background: Annotated[
        str,
        typer.Option(
            "--background",
            help="simulated, scaled with the kaons; published, the paper's counts and errors scaled with them; "
            "sideband, of free level and slope, for narrow peaks; none.",
        ),
    ] = "simulated",
    systematic: Annotated[
        float,
        typer.Option(
            "--systematic",
            help="Relative error of each background. It is the same in all bins: where there are many, the shapes, "
            "taken as known, tell it from a signal; with --counting they do not.",
        ),
    ] = 0.01,
    counting: Annotated[
        bool, typer.Option("--counting", help="Count in the best single bin instead of fitting shapes.")
    ] = False,
    simulation_error: Annotated[
        bool,
        typer.Option(
            "--simulation-error/--no-simulation-error",
            help="Whether the statistical errors of the simulated backgrounds weaken the limits, by default not; how "
            "much they would is in the column simulation_share, and --scale makes them smaller.",
        ),
    ] = False,
    masses: Annotated[
        str | None, typer.Option("--masses", help="In GeV, FIRST:LAST:STEP or a list 0.2,0.25; the model's by default.")
    ] = None,
    cl: Annotated[float, typer.Option("--cl", help="Confidence level.")] = 0.9,
    method: Annotated[
        str,
        typer.Option("--method", help="auto (toys where few events are expected), asymptotics or toys."),
    ] = "auto",
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A parameter, as name=value; may be repeated. lmu-ltau: chi_over_v, chi_charge, chi; hnl: majorana; a "
            "process: its parameters, and lifetime in ns.",
        ),
    ] = None,
    coupling: Annotated[
        str | None, typer.Option("--coupling", help="The process's parameter to limit; the model's own by default.")
    ] = None,
    import_file: Annotated[
        Path | None, typer.Option("--import", help="A Python file that registers processes of its own.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Of the simulation and of toys.")] = 1,
    scale: Annotated[
        float, typer.Option("--scale", min=1e-4, max=1e4, help="Factor on the numbers of simulated decays.")
    ] = 1.0,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Write result, figures, tables and report into this directory; a projection there is replaced.",
        ),
    ] = None,
    threads: Threads = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Which couplings of a model a number of kaons can exclude: expected limits against mass, with their bands."""
    started = time.monotonic()
    announce_compilation()
    from kaongen.reach.ask import ask
    from kaongen.reach.project import prepare, project
    from kaongen.report.progress import Progress
    from kaongen.report.tables import result_tables

    if import_file is not None:
        from kaongen.reach.user import import_file as read_processes

        read_processes(import_file)
    settings = ask(
        model, search=search, visible=visible, kaons=kaons, background=background, systematic=systematic,
        counting=counting, simulation_error=simulation_error, masses=masses, confidence_level=cl, method=method,
        values=values or [], coupling=coupling,
    )  # fmt: skip
    if output is not None:
        from kaongen.reach.output import refuse_others

        refuse_others(output)
    asked = prepare(settings, seed=seed, scale=scale)
    try:
        with Progress(asked.candidates, quiet=quiet) as progress:
            result = project(asked, threads=threads, progress=progress)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise typer.Exit(130) from None
    written = None
    if output is not None:
        from kaongen.reach.output import write

        written = write(result, asked.card, output)
    if json:
        print_json(result.model_dump())
        return
    print_table(result_tables(result))
    print(f"\n{time.monotonic() - started:.1f} s" + (f"; in {output}: result.json, plots/, tables/" if output else ""))
    if written is not None:
        print(f"report: {written}")
