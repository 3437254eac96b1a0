"""Scans as rows of text: a choice of their points, or all of them, and the best of each."""

from __future__ import annotations

from collections.abc import Sequence

from kaongen.analysis.result import Scan
from kaongen.report.mathematics import plain, with_unit
from kaongen.report.sheets import NONE, Sheet, number

_PAIRS = (("-1", "+1", "±1σ"), ("-2", "+2", "±2σ"))


def percent(level: float) -> str:
    """A confidence level as one writes it: 90%, 99.7%."""
    return f"{100.0 * level:.6g}%"


def best_point(scan: Scan) -> int | None:
    """Where the expected limit is strongest, or the observed one where nothing is expected; None without any."""
    for values in (scan.expected, scan.observed):
        known = [(value, i) for i, value in enumerate(values or []) if value is not None]
        if known:
            return min(known)[1]
    return None


def chosen_points(scan: Scan, rows: int) -> list[int]:
    """So many points at most, evenly chosen with the first and the last, and the best in addition."""
    n = len(scan.points)
    chosen = set(range(n)) if n <= rows else {round(i * (n - 1) / (rows - 1)) for i in range(rows)}
    best = best_point(scan)
    return sorted(chosen | ({best} if best is not None else set()))


def scan_sheet(scan: Scan, rows: int = 12, width: int | None = None, level: float | None = None) -> Sheet:
    """Limits at some of the points of a scan, the best one with a star.

    Parameters
    ----------
    scan
        Limits at points.
    rows
        Points at most, besides the best.
    width
        Characters: bands of two standard deviations and further columns that do not fit are left out.
    level
        Confidence level, for the note below.
    """
    picked = chosen_points(scan, rows)
    best = best_point(scan) if len(scan.points) > 1 else None
    first = [f"{number(scan.points[i], 6)}{' *' if i == best else ''}" for i in picked]
    columns: list[tuple[str, list[str]]] = [(with_unit(scan.x.label, scan.x.unit), first)]
    for name, values in (("observed", scan.observed), ("expected", scan.expected)):
        if values is not None:
            columns.append((name, [number(values[i], 3) for i in picked]))
    further = [
        (label, [_band(scan, low, high, i) for i in picked])
        for low, high, label in _PAIRS
        if low in scan.bands and high in scan.bands
    ]
    columns += further[:1]
    extra = [(with_unit(c.name, c.unit), [number(c.values[i], 3) for i in picked]) for c in scan.columns]
    room = width - _width(columns) if width else None
    for column in [*extra, *further[1:]] if width else [*further[1:], *extra]:
        needed = _width([column])
        if room is not None:
            if needed > room:
                continue
            room -= needed
        columns.append(column)
    notes = [f"limits on {with_unit(scan.y.label, scan.y.unit)}" + (f" at {percent(level)} CL" if level else "")]
    notes += [scan.method] if scan.method else []
    if len(picked) < len(scan.points):
        notes.append(f"{len(picked)} of {len(scan.points)} points")
    if best is not None:
        notes.append("* the strongest")
    names, cells = zip(*columns, strict=True)
    return Sheet(scan.title, names, tuple(zip(*cells, strict=True)), note="; ".join(notes))


def _band(scan: Scan, low: str, high: str, i: int) -> str:
    if scan.bands[low][i] is None and scan.bands[high][i] is None:
        return NONE
    return f"{number(scan.bands[low][i], 3)} … {number(scan.bands[high][i], 3)}"


def _width(columns: Sequence[tuple[str, list[str]]]) -> int:
    return sum(max(map(len, [plain(name), *cells])) + 3 for name, cells in columns)


def overview_sheet(title: str, scans: Sequence[Scan]) -> Sheet:
    """One row for each scan: its range, and where its limit is strongest."""
    rows = []
    for scan in scans:
        i = best_point(scan)
        unit = f" {scan.x.unit}" if scan.x.unit else ""
        known = (
            sorted({number(point) for point in (min(scan.points), max(scan.points))}, key=float) if scan.points else []
        )
        ends = " … ".join(known) + unit if known else NONE
        rows.append(
            (
                scan.title,
                f"{scan.x.label}: {ends}",
                NONE if i is None else f"{number(scan.points[i])}{unit}",
                NONE if i is None or scan.expected is None else number(scan.expected[i], 3),
                NONE if i is None or scan.observed is None else number(scan.observed[i], 3),
            )
        )
    return Sheet(title, ("limit", "scanned", "strongest at", "expected", "observed"), tuple(rows), texts=(1,))
