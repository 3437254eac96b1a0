"""The command line: thin commands over the Python API. Heavy imports happen inside the commands."""

from __future__ import annotations

import json as json_module
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from kaongen.errors import KaongenError

app = typer.Typer(
    name="kaongen",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="K+ decays, a parametric NA62, and its searches: from a run card to events to limits.",
)
limit_app = typer.Typer(no_args_is_help=True, help="Limits from numbers of events.")
app.add_typer(limit_app, name="limit")


@app.callback(invoke_without_command=True)
def _version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """K+ decays, a parametric NA62, and its searches: from a run card to events to limits."""
    if show:
        from importlib.metadata import version as installed

        print(installed("kaongen"))
        raise typer.Exit


Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Number of threads; all processors by default.")]
Reproducible = Literal["na62-detector", "letter", "na62-mu", "na62-pix"]
SchemaName = Literal["card", "event-file", "manifest", "result"]


def _print_json(value: Any) -> None:
    # not through rich, which would wrap lines
    sys.stdout.write(json_module.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _print(renderable: Any) -> None:
    from rich.console import Console

    # a file or a pipe has no width of its own
    Console(width=None if sys.stdout.isatty() else 120).print(renderable)


def _announce_compilation() -> None:
    from kaongen.jit import is_cache_cold

    if is_cache_cold():
        print("compiling the kernels, once for this version and machine: half a minute or so", file=sys.stderr)


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
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
    json: Json = False,
) -> None:
    """Generate the events of a card and do its search."""
    if resume and overwrite:
        raise typer.BadParameter("--resume goes on with a run and --overwrite replaces it: choose one")
    started = time.monotonic()
    _announce_compilation()
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
        _print_json(outcome.result.model_dump())
        return
    _print(result_tables(outcome.result))
    print(f"\n{time.monotonic() - started:.1f} s; in {directory}: shards/ (events), result.json, plots/")
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
        _print_json(outcome.result.model_dump())
    else:
        _print(result_tables(outcome.result))


@app.command()
def channels(
    name: Annotated[
        str | None, typer.Argument(help="One process, or a decay such as 'K+ -> pi+ (a -> e+ e-)'.")
    ] = None,
    json: Json = False,
) -> None:
    """List the decays in the catalogue, or say all about one."""
    from kaongen.decays.catalogue import find, processes
    from kaongen.report.catalogue import channel_details, channel_rows, channel_table

    _announce_compilation()
    rows = channel_rows(processes() if name is None else (find(name),))
    if json:
        _print_json(rows if name is None else rows[0])
    else:
        _print(channel_table(rows) if name is None else channel_details(rows[0]))


@app.command()
def rate(
    process: Annotated[str, typer.Argument(help="Name of the process, or a decay such as 'K+ -> pi+ (a -> e+ e-)'.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter, as name=value; may be repeated.")
    ] = None,
    json: Json = False,
) -> None:
    """Branching fraction of a process."""
    from kaongen.decays.catalogue import find
    from kaongen.decays.final_state import decay_rate
    from kaongen.report.tables import measured_text

    entry = find(process)
    values = entry.values(_parse_settings(settings or []))
    result = decay_rate(entry, values)
    if json:
        _print_json(
            {
                "process": entry.name,
                "decay": entry.decay,
                "parameters": values,
                "branching_fraction": result.value,
                "uncertainty": result.error,
                "source": result.source,
                "reference": entry.reference,
            }
        )
    else:
        given = ", ".join(f"{k} = {v:g}" for k, v in values.items())
        print(f"BR({entry.decay}) = {measured_text(result.value, result.error)}" + (f"   [{given}]" if given else ""))
        print(f"{result.source}\n{entry.reference}")


@app.command()
def mixture(
    table: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A decay table in DEC format; natural decays by default.")
    ] = None,
    dec: Annotated[bool, typer.Option("--dec", help="Print it in DEC format.")] = False,
    json: Json = False,
) -> None:
    """How kaons decay: all modes of nature, or of a decay table, with their fractions."""
    from kaongen.decays.mixture import dec_text, from_dec, natural
    from kaongen.report.catalogue import mixture_rows, mixture_table

    _announce_compilation()
    chosen = natural() if table is None else from_dec(table)
    if json:
        _print_json(mixture_rows(chosen))
    elif dec:
        sys.stdout.write(dec_text(chosen))
    else:
        _print(mixture_table(chosen))


def _parse_settings(settings: list[str]) -> dict[str, float]:
    from kaongen.errors import ProcessError

    result = {}
    for text in settings:
        name, equals, value = text.partition("=")
        try:
            result[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise ProcessError(f"--set {text!r}: it must be name=value with a number, such as --set m_X=0.1")
    return result


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
        _print_json(result.as_dict())
        return
    if result.observed is not None:
        print(f"observed limit at {cl:.0%} CL: {result.observed:.5g} signal events")
    print(f"expected (median): {result.expected:.5g}")
    print(f"  ±1σ: {result.minus_one_sigma:.5g} … {result.plus_one_sigma:.5g}")
    print(f"  ±2σ: {result.minus_two_sigma:.5g} … {result.plus_two_sigma:.5g}")


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="An event file, or a run directory.")], json: Json = False
) -> None:
    """What an event file or a run directory holds, and where it comes from."""
    from kaongen.events.inspection import inspect as inspect_events
    from kaongen.report.catalogue import inspection_tables

    summary = inspect_events(path)
    if json:
        _print_json(summary)
    else:
        _print(inspection_tables(summary))


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
    _announce_compilation()
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
        _print_json(history.as_dict() | {"files": [str(file) for file in files]})
        return
    from kaongen.report.event_history import history_tables

    _print(history_tables(history))
    print("drawn: " + ", ".join(str(file) for file in files))


def _show_response(name: str, output: Path | None, json: bool) -> None:
    from kaongen.configuration import load
    from kaongen.report.response import Response, summary_table

    response = Response(load(name))
    directory = output if output is not None or json else Path(f"response-{name}")
    files = response.save(directory) if directory is not None else []
    if json:
        _print_json(response.as_dict(files))
        return
    _print(summary_table(response.configuration))
    names = sorted({file.stem for file in files if file.suffix == ".svg"})
    print(f"in {directory}: response.png (at a glance), numbers.txt (every number with its source), as PNG and SVG:")
    _print(", ".join(names))


@app.command()
def reproduce(
    what: Annotated[
        Reproducible,
        typer.Argument(
            help="na62-detector: resolutions, acceptances, backgrounds, tails, rejections; letter, na62-mu, na62-pix: "
            "the limits and figures of these papers."
        ),
    ],
    scale: Annotated[float, typer.Option("--scale", min=1e-4, help="Factor on the numbers of simulated decays.")] = 1.0,
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
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
    json: Json = False,
) -> None:
    """Published numbers beside those that kaongen obtains: inputs, tuned, and predictions."""
    _announce_compilation()
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
        _print_json([number.model_dump() for number in numbers])
        return
    _print(numbers_table(f"Beside the published numbers: {what}", numbers))
    if what != "na62-detector":
        print(f"\nin {directory}: report.html, {FIGURES}/ (PNG, SVG, CSV, HEPData YAML) and the runs with their events")


@app.command()
def validate(
    path: Annotated[str, typer.Argument(metavar="FILE|CARD", help="An event file, a run directory, or a card.")],
    json: Json = False,
) -> None:
    """Check an event file, a run directory or a card from end to end."""
    problems = _problems(path)
    if json:
        _print_json({"path": path, "valid": not problems, "problems": problems})
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


@app.command()
def schema(
    name: Annotated[SchemaName | None, typer.Argument(help="Which schema; without it, all are written to -o.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write all schemas into this directory.")
    ] = None,
) -> None:
    """JSON Schemas of card, event file, manifest and result."""
    from kaongen.schemas import schemas, write_schemas

    if output is not None and name is not None:
        raise typer.BadParameter("-o writes all schemas: leave out the name")
    if output is not None:
        for path in write_schemas(output):
            print(path)
    elif name is None:
        _print_json(schemas())
    else:
        _print_json(schemas()[name])


@app.command()
def warmup(json: Json = False) -> None:
    """Compile everything that the shipped cards need, so that the first run starts at once."""
    started = time.monotonic()
    _announce_compilation()
    from kaongen.jit import cache_directory
    from kaongen.warmup import warm_up

    warm_up()
    seconds = time.monotonic() - started
    if json:
        _print_json({"seconds": seconds, "cache": str(cache_directory())})
    else:
        print(f"compiled in {seconds:.1f} s; kept in {cache_directory()}")


@app.command()
def bench(
    threads: Threads = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Medians are over so many repeats.")] = 5,
    json: Json = False,
) -> None:
    """Measure this machine: nanoseconds per decay, without peers."""
    import os

    _announce_compilation()
    from kaongen.bench import bench as measure
    from kaongen.report.catalogue import bench_table

    used = threads or os.cpu_count() or 1
    result = measure(used, repeats)
    if json:
        _print_json({"threads": used, "repeats": repeats, "nanoseconds_per_decay": result})
    else:
        _print(bench_table(result, used))


def main() -> None:
    """Entry point: bad input ends with one message and exit code 2."""
    try:
        app()
    except KaongenError as problem:
        print(f"kaongen: {problem}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # whoever read our output has seen enough
        sys.stderr.close()
        sys.exit(0)
    except OSError as problem:
        # a full disk, say, where compiled code is kept
        print(f"kaongen: {problem}", file=sys.stderr)
        sys.exit(2)
