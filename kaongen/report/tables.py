"""Results as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table

from kaongen.analysis.result import Limit, Number, Result, Value


def number(value: float | None, digits: int = 4) -> str:
    """A number as a person writes it: 0.302, 7549, 1.04e-06."""
    return "–" if value is None else f"{value:.{digits}g}"


def measured(value: Value | None) -> str:
    """A value with its error."""
    if value is None:
        return "–"
    return measured_text(value.value, value.error)


def measured_text(value: float, error: float) -> str:
    """The same from two floats."""
    return number(value) if error <= 0.0 else f"{value:.4g} ± {error:.2g}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right", overflow="fold")
    return table


def result_tables(result: Result) -> RenderableType:
    """The whole result: acceptances, published and simulated numbers, limits."""
    return Group(acceptances(result), numbers(result), cuts(result), limits(result))


def acceptances(result: Result) -> Table:
    table = _table("Acceptances", "sample", "role", "generated", "selected", "acceptance", "m2_miss > 0.1 GeV²")
    for row in result.acceptances:
        table.add_row(
            row.sample,
            row.role,
            f"{row.generated:,}",
            f"{row.selected:,}",
            measured(row.acceptance),
            measured(row.signal_region),
        )
    return table


def numbers(result: Result) -> Table:
    return numbers_table("Beside the published numbers", result.numbers)


def numbers_table(title: str, rows: Iterable[Number]) -> Table:
    """Numbers beside the published ones."""
    table = _table(title, "quantity", "kind", "kaongen", "published", "ratio")
    for row in rows:
        here = measured(Value(value=row.value, error=row.error or 0.0))
        there = "–" if row.published is None else measured(Value(value=row.published, error=row.published_error or 0.0))
        ratio = "" if not row.published or row.kind == "input" else f"{row.value / row.published:.3f}"
        table.add_row(row.name, row.kind, here, there, ratio)
    return table


def cuts(result: Result) -> Table:
    table = _table(
        f"Expected limit on signal events at {result.confidence_level:.0%} CL, simulated background",
        "m2_miss >, GeV²", "background", "expected", "-1σ … +1σ",
    )  # fmt: skip
    for row in result.cuts:
        bands = f"{number(row.limit.bands['-1'])} … {number(row.limit.bands['+1'])}"
        table.add_row(f"{row.m2_cut:.2f}", measured(row.background), number(row.limit.expected), bands)
    return table


def limits(result: Result) -> Table:
    table = _table(
        f"Limits at {result.confidence_level:.0%} CL on the published data (m2_miss > 0.1 GeV²)",
        "signal", "acceptance", "BR observed", "BR expected", "best cut", "expected there", "coupling observed",
    )  # fmt: skip
    for row in result.signals:
        coupling = ""
        if row.coupling and row.coupling_limit:
            coupling = f"{row.coupling} < {number(row.coupling_limit.observed, 3)}"
        br: Limit = row.branching_fraction
        table.add_row(
            row.sample, measured(row.acceptance), number(br.observed, 3), number(br.expected, 3),
            number(row.best_m2_cut, 2), number(row.best_expected, 3), coupling,
        )  # fmt: skip
    return table
