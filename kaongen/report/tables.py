"""Results as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kaongen.analysis.record import Number
from kaongen.analysis.result import Result
from kaongen.report.mathematics import plain
from kaongen.report.scan_sheets import overview_sheet, percent, scan_sheet
from kaongen.report.sheets import (
    Sheet,
    cutflow_sheets,
    measured,
    measured_text,
    number,
    numbers_sheet,
    samples_sheet,
    yields_sheet,
)

__all__ = ["measured", "measured_text", "number", "numbers_table", "result_tables", "sheet_table"]

_WIDTH = 116
_LINES = 44
"""For all scans together."""


def sheet_table(sheet: Sheet) -> Table:
    """A sheet as a table of rich; everything in it is text and never markup."""
    table = Table(
        title=Text(plain(sheet.title)),
        title_justify="left",
        title_style="bold",
        header_style="bold",
        pad_edge=False,
        caption=Text(plain(sheet.note)) if sheet.note else None,
        caption_justify="left",
    )
    for i, column in enumerate(sheet.columns):
        left = i == 0 or i in sheet.texts
        table.add_column(Text(plain(column)), justify="left" if left else "right", overflow="fold")
    for row in sheet.rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    return table


def result_tables(result: Result) -> RenderableType:
    """The whole result on a screen or two: samples, cut flows, published and simulated numbers, limits."""
    parts: list[RenderableType] = [sheet_table(samples_sheet(result))]
    if cutflows := cutflow_sheets(result):
        parts += [sheet_table(sheet) for sheet in cutflows[:2]]
        if len(cutflows) > 2:
            parts.append(Text("cut flows of all samples are in the report and in result.json"))
    if (yields := yields_sheet(result)) is not None:
        parts.append(sheet_table(yields))
    if result.numbers:
        parts.append(numbers_table("Beside the published numbers", result.numbers))
    return Group(*parts, *_scans(result))


def _scans(result: Result) -> list[Table]:
    scans = [scan for scan in result.scans if scan.points]
    if not scans:
        return []
    rows = min(12, _LINES // len(scans) - 6)
    if rows < 3:
        return [sheet_table(overview_sheet(f"Upper limits at {percent(result.confidence_level)} CL", scans))]
    return [sheet_table(scan_sheet(scan, rows, _WIDTH, result.confidence_level)) for scan in scans]


def numbers_table(title: str, rows: Iterable[Number]) -> Table:
    """Numbers beside the published ones."""
    return sheet_table(numbers_sheet(title, rows))
