"""Scans and spectra of a result as figures, so that one code draws and tabulates them all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from kaongen.analysis.figure import Curve, Figure, Histogram, Style
from kaongen.analysis.record import Axis
from kaongen.analysis.result import Result, Scan, Spectrum

ONE_SIGMA = "#66bb66"
TWO_SIGMA = "#ffdd55"
"""Colours of the bands that limits are shown with."""

_DECADES = 1.5
"""Positive points over more than this are drawn against a logarithmic axis."""
_SIGNALS = 4
_BACKGROUNDS = 9
"""That a spectrum shows at most; smaller backgrounds are joined."""


def figure_of(scan: Scan) -> Figure:
    """Observed and expected limits with the bands of one and two standard deviations.

    Parameters
    ----------
    scan
        Limits at points; gaps stay gaps.

    Returns
    -------
    Figure
        Named as the scan, with its axes and units.
    """
    curves = []
    for label, low, high, colour in (("±2σ", "-2", "+2", TWO_SIGMA), ("±1σ", "-1", "+1", ONE_SIGMA)):
        if low in scan.bands and high in scan.bands:
            curves.append(
                Curve(
                    label=f"expected {label}", x=scan.points, y=_middle(scan, low, high), low=scan.bands[low],
                    high=scan.bands[high], style="band", colour=colour,
                )
            )  # fmt: skip
    if scan.expected is not None:
        curves.append(Curve(label="expected", x=scan.points, y=scan.expected, style="dashed", colour="black"))
    if scan.observed is not None:
        style: Style = "line" if _neighbours(scan.observed) else "points"
        curves.append(Curve(label="observed", x=scan.points, y=scan.observed, style=style, colour="black"))
    drawn = [v for c in curves for part in (c.y, c.low or [], c.high or []) for v in part if v is not None]
    return Figure(
        name=scan.name,
        title=scan.title,
        x=scan.x,
        y=scan.y,
        log_x=min(scan.points, default=0.0) > 0.0 and _span(scan.points) > _DECADES,
        log_y=min(drawn, default=0.0) > 0.0,
        curves=curves,
        reference=scan.reference,
    )


def _middle(scan: Scan, low: str, high: str) -> list[float | None]:
    if scan.expected is not None:
        return scan.expected
    ends = zip(scan.bands[low], scan.bands[high], strict=True)
    return [None if a is None or b is None else 0.5 * (a + b) for a, b in ends]


def _neighbours(values: Sequence[float | None]) -> bool:
    """Whether two points follow each other, so that a line shows something."""
    return any(a is not None and b is not None for a, b in pairwise(values))


def _span(values: Sequence[float]) -> float:
    return math.log10(max(values) / min(values))


def figure_of_spectrum(spectrum: Spectrum, roles: Mapping[str, str]) -> Figure:
    """Backgrounds upon each other, signals as lines.

    Parameters
    ----------
    spectrum
        Expected events by sample.
    roles
        What each sample is for; one that is not named counts as background.

    Returns
    -------
    Figure
        At most 9 backgrounds, the smallest joined as "others", and 4 signals out of a scan.
    """
    signals = [name for name in spectrum.expected if roles.get(name) == "signal"]
    stacked = sorted(
        (name for name in spectrum.expected if roles.get(name) != "signal"), key=lambda s: sum(spectrum.expected[s])
    )
    joined, shown = stacked[: max(0, len(stacked) - _BACKGROUNDS)], stacked[max(0, len(stacked) - _BACKGROUNDS) :]
    histograms = []
    if joined:
        histograms.append(_histogram(spectrum, "others", joined, "stack"))
    histograms += [_histogram(spectrum, name, [name], "stack") for name in shown]
    for name in evenly(signals, _SIGNALS):
        histograms.append(_histogram(spectrum, name, [name], "step"))
    return Figure(
        name=spectrum.name,
        title=spectrum.title,
        x=spectrum.x,
        y=Axis(name="events", label=_per_bin(spectrum)),
        log_y=spectrum.log and any(v > 0.0 for values in spectrum.expected.values() for v in values),
        x_range=(spectrum.edges[0], spectrum.edges[-1]),
        histograms=histograms,
    )


def _histogram(spectrum: Spectrum, label: str, names: Sequence[str], style: str) -> Histogram:
    values = [math.fsum(column) for column in zip(*(spectrum.expected[n] for n in names), strict=True)]
    errors = None
    if all(n in spectrum.errors for n in names):
        errors = [math.hypot(*column) for column in zip(*(spectrum.errors[n] for n in names), strict=True)]
    normalised = spectrum.normalisation.get(names[0], "") if len(names) == 1 else ""
    return Histogram.model_validate(
        {
            "label": f"{label}, {normalised}" if normalised else label,
            "edges": spectrum.edges,
            "values": values,
            "errors": errors,
            "style": style,
        }
    )


def _per_bin(spectrum: Spectrum) -> str:
    widths = [b - a for a, b in pairwise(spectrum.edges)]
    if max(widths) - min(widths) > 1e-6 * max(widths):
        return "events per bin"
    return f"events per {widths[0]:.4g}" + (f" {spectrum.x.unit}" if spectrum.x.unit else "")


def figures_of(result: Result) -> list[Figure]:
    """A figure for each spectrum and each scan of several points.

    A scan that has the name of a spectrum gets `-limit` behind it.
    """
    roles = {sample.sample: sample.role for sample in result.samples}
    figures = [figure_of_spectrum(s, roles) for s in result.spectra if s.expected]
    taken = {figure.name for figure in figures}
    for scan in result.scans:
        if len(scan.points) > 1 and (scan.expected is not None or scan.observed is not None or scan.bands):
            figure = figure_of(scan)
            name = f"{figure.name}-limit" if figure.name in taken else figure.name
            figures.append(figure.model_copy(update={"name": name}))
            taken.add(name)
    return figures


def evenly(things: Iterable[str], number: int) -> list[str]:
    """At most so many of a list, with its first and last."""
    known = list(things)
    if len(known) <= number:
        return known
    return [known[round(i * (len(known) - 1) / (number - 1))] for i in range(number)]
