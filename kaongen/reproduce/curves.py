"""Scans of results as curves of figures."""

from __future__ import annotations

from collections.abc import Sequence

from kaongen.analysis.figure import Curve, Style
from kaongen.analysis.result import Scan


def column(scan: Scan, name: str) -> list[float]:
    """A column of a scan as numbers, NaN where there is none.

    Raises
    ------
    KeyError
        If there is none of that name.
    """
    return [float("nan") if v is None else v for v in scan.column(name)]


def of_column(scan: Scan, name: str, label: str, style: Style = "line") -> Curve:
    """A column against what is scanned."""
    return Curve(label=label, x=scan.points, y=scan.column(name), style=style)


def expectation(scan: Scan, label: str = "expected") -> list[Curve]:
    """Expected limits with their bands of one and two standard deviations."""
    found = []
    for sigmas, colour in (("2", "#ffdd55"), ("1", "#66bb66")):
        low, high = scan.bands.get(f"-{sigmas}"), scan.bands.get(f"+{sigmas}")
        if low is not None and high is not None:
            found.append(
                Curve(label=rf"{label} $\pm {sigmas}\sigma$", x=scan.points, y=list(scan.expected or []), low=low,
                      high=high, style="band", colour=colour)
            )  # fmt: skip
    if scan.expected is not None:
        found.append(Curve(label=label, x=scan.points, y=scan.expected, style="dashed", colour="black"))
    return found


def observation(scan: Scan, label: str = "observed") -> list[Curve]:
    """Observed limits, where there are any."""
    if scan.observed is None:
        return []
    return [Curve(label=label, x=scan.points, y=scan.observed, style="points", colour="black")]


def published(label: str, x: Sequence[float], y: Sequence[float], reference: str, style: Style = "line") -> Curve:
    """What was published."""
    return Curve(label=label, x=list(x), y=list(y), style=style, published=True, reference=reference)
