"""The catalogue, event files and benchmarks as rows and tables."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from kaongen.decays.catalogue import processes
from kaongen.decays.process import Process


def channel_rows() -> list[dict[str, Any]]:
    """One object per process; the branching fraction is None where parameters without default are needed."""
    return [_channel(process) for process in processes()]


def _channel(process: Process) -> dict[str, Any]:
    complete = all(p.default is not None for p in process.parameters)
    rate = process.branching_fraction(process.values({})) if complete else None
    return {
        "name": process.name,
        "decay": process.decay,
        "daughters": list(process.daughters),
        "branching_fraction": rate.value if rate else None,
        "branching_fraction_error": rate.error if rate else None,
        "parameters": [
            {
                "name": p.name,
                "minimum": p.minimum,
                "maximum": p.maximum,
                "default": p.default,
                "unit": p.unit,
                "description": p.description,
            }
            for p in process.parameters
        ],
        "reference": process.reference,
    }


def channel_table(rows: list[dict[str, Any]]) -> Table:
    table = Table(header_style="bold", pad_edge=False)
    for column in ("name", "decay", "branching fraction", "parameters", "reference"):
        table.add_column(column, overflow="fold")
    for row in rows:
        fraction = "depends on parameters" if row["branching_fraction"] is None else f"{row['branching_fraction']:.4g}"
        parameters = ", ".join(
            p["name"] + ("" if p["default"] is None else f" = {p['default']:g}") for p in row["parameters"]
        )
        table.add_row(row["name"], row["decay"], fraction, parameters, row["reference"])
    return table


def inspection_tables(summary: dict[str, Any]) -> RenderableType:
    """What `kaongen.events.inspection.inspect` found."""
    head = Table(show_header=False, box=None, pad_edge=False)
    for key, value in summary["provenance"].items():
        head.add_row(key, str(value))
    samples = Table(header_style="bold", pad_edge=False)
    for column in ("sample", "decay", "candidates", "generated", "rows", "sum of weights", "above bound"):
        samples.add_column(column, overflow="fold")
    for s in summary["samples"]:
        tally = s["tally"]
        samples.add_row(
            s["info"]["name"],
            s["info"]["decay"],
            f"{tally['candidates']:,}",
            f"{tally['generated']:,}",
            f"{s['rows']:,}",
            f"{tally['sum_weights']:.6g}",
            str(tally["above_bound"]),
        )
    columns = Table(header_style="bold", pad_edge=False)
    for column in ("column", "type", "unit", "description"):
        columns.add_column(column, overflow="fold")
    # every sample of a run has the same columns
    for c in summary["samples"][0]["columns"]:
        columns.add_row(c["name"], c["dtype"], c["unit"], c["description"])
    gaps = [f"missing: {g['sample']}, candidates {g['first']:,} to {g['stop']:,}" for g in summary["missing"]]
    return Group(head, samples, columns, *gaps)


def bench_table(result: dict[str, float], threads: int) -> Table:
    table = Table(header_style="bold", pad_edge=False, title=f"{threads} threads", title_justify="left")
    table.add_column("what")
    table.add_column("ns per decay", justify="right")
    for name, value in result.items():
        table.add_row(name, f"{value:.1f}")
    return table
