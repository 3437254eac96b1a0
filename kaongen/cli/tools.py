"""Schemas, compilation, speed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from kaongen.cli.app import Json, Threads, announce_compilation, app, print_json, print_table

SchemaName = Literal["card", "event-file", "manifest", "result"]


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
        print_json(schemas())
    else:
        print_json(schemas()[name])


@app.command()
def warmup(json: Json = False) -> None:
    """Compile everything that the shipped cards need, so that the first run starts at once."""
    started = time.monotonic()
    announce_compilation()
    from kaongen.jit import cache_directory
    from kaongen.warmup import warm_up

    warm_up()
    seconds = time.monotonic() - started
    if json:
        print_json({"seconds": seconds, "cache": str(cache_directory())})
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

    announce_compilation()
    from kaongen.bench import bench as measure
    from kaongen.report.catalogue import bench_table

    used = threads or os.cpu_count() or 1
    result = measure(used, repeats)
    if json:
        print_json({"threads": used, "repeats": repeats, "nanoseconds_per_decay": result})
    else:
        print_table(bench_table(result, used))
