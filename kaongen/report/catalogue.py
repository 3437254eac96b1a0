"""The catalogue, event files and benchmarks as rows and tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from kaongen.decays.final_state import decay_rate
from kaongen.decays.mixture import Mixture
from kaongen.decays.process import Process
from kaongen.report.tables import measured_text


def channel_rows(chosen: Iterable[Process]) -> list[dict[str, Any]]:
    """One object per process; the branching fraction is None where parameters without default are needed."""
    return [_channel(process) for process in chosen]


def _channel(process: Process) -> dict[str, Any]:
    complete = all(p.default is not None for p in process.parameters)
    rate = decay_rate(process, process.values({})) if complete else None
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
        "source": rate.source if rate else None,
        "chain": process.chain,
        "reference": process.reference,
    }


def channel_table(rows: list[dict[str, Any]]) -> RenderableType:
    table = Table(header_style="bold", pad_edge=False)
    for column in ("name", "decay", "branching fraction", "needs", "has defaults for"):
        table.add_column(column, overflow="fold")
    for row in rows:
        fraction = "by parameters" if row["branching_fraction"] is None else f"{row['branching_fraction']:.4g}"
        needed = ", ".join(p["name"] for p in row["parameters"] if p["default"] is None)
        others = ", ".join(p["name"] for p in row["parameters"] if p["default"] is not None)
        table.add_row(row["name"], row["decay"], fraction, needed, others)
    return Group(table, "kaongen channels NAME says more about one: ranges and defaults of its parameters, references")


def channel_details(row: dict[str, Any]) -> RenderableType:
    """All about one process."""
    head = Table(show_header=False, box=None, pad_edge=False)
    fraction = row["branching_fraction"]
    head.add_row("decay", row["decay"])
    if row["chain"]:
        head.add_row("in steps", row["chain"])
    if fraction is not None:
        head.add_row("branching fraction", measured_text(fraction, row["branching_fraction_error"]))
        head.add_row("", row["source"])
    head.add_row("reference", row["reference"])
    if not row["parameters"]:
        return head
    table = Table(header_style="bold", pad_edge=False)
    for column in ("parameter", "default", "from", "to", "unit", "what it is"):
        table.add_column(column)
    for p in row["parameters"]:
        default = "must be given" if p["default"] is None else f"{p['default']:g}"
        table.add_row(p["name"], default, f"{p['minimum']:g}", f"{p['maximum']:g}", p["unit"], p["description"])
    return Group(head, table)


def mixture_rows(mixture: Mixture) -> dict[str, Any]:
    """A mixture with its fractions, which add up to `sum` before they are normalised."""
    return {
        "name": mixture.name,
        "sum": mixture.total,
        "sum_error": mixture.total_error,
        "components": [
            {
                "process": c.process.name,
                "decay": c.process.decay,
                "parameters": dict(c.values),
                "fraction": c.fraction.value,
                "fraction_error": c.fraction.error,
                "source": c.fraction.source,
            }
            for c in mixture.components
        ],
    }


def mixture_table(mixture: Mixture) -> RenderableType:
    table = Table(header_style="bold", pad_edge=False)
    for column in ("process", "decay", "fraction", "where from"):
        table.add_column(column, overflow="fold")
    for c in mixture.components:
        fraction = measured_text(c.fraction.value, c.fraction.error) if c.fraction.error else f"{c.fraction.value:.5g}"
        table.add_row(c.process.name, c.process.decay, fraction, c.fraction.source)
    total = measured_text(mixture.total, mixture.total_error) if mixture.total_error else f"{mixture.total:.6g}"
    return Group(table, f"sum {total}; samples divide by it")


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
