"""Figures as data, drawn: curves, bands, excluded regions, histograms, and panels of densities."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.figure import Curve, Density, Figure
from kaongen.report.figure_histograms import draw_histograms
from kaongen.report.mathematics import with_unit
from kaongen.report.response_panels import in_style

COLOURS: Final = ("#e42536", "#3f90da", "#2a8a4a", "#964a8b", "#e8a02f", "#7a21dd", "#00959a", "#b5541c")
PUBLISHED: Final = ("#717581", "#a96b59", "#6b8ba4", "#9c9a3a", "#8f6fa8", "#5f8f6f", "#b07aa1", "#44494f")
"""Quieter ones, for what others have published."""

_LINES: Final = {"line": "-", "dashed": "--", "dotted": ":", "region": "-"}
_DECADES: Final = 10.0
"""That a logarithmic axis shows at most below its largest value."""
_INSIDE: Final = 8
"""Entries of a legend that fit into the axes."""
_DPI: Final = 130
_METADATA: Final = {"Date": None}
"""For the same bytes each time."""
_ORDER: Final = {"band": 1.0, "region": 1.5}


def save_figure(figure: Figure, directory: Path) -> list[Path]:
    """Draw a figure as PNG and SVG.

    Parameters
    ----------
    figure
        What to draw; its name becomes that of the files.
    directory
        Where; it is made if it is not there.

    Returns
    -------
    list of Path
        The PNG and the SVG file; the latter has the same bytes for the same figure.
    """
    directory.mkdir(parents=True, exist_ok=True)
    files = [directory / f"{figure.name}{suffix}" for suffix in (".png", ".svg")]

    def save() -> list[Path]:
        drawing = _drawn(figure)
        drawing.savefig(files[0], dpi=_DPI)
        drawing.savefig(files[1], metadata=_METADATA)
        return files

    return in_style(save)


def svg_of(figure: Figure) -> str:
    """The figure as SVG, for example to put into a page."""
    return drawing_as_svg(lambda: _drawn(figure))


def png_of(figure: Figure) -> bytes:
    """The figure as PNG."""

    def save() -> bytes:
        file = io.BytesIO()
        _drawn(figure).savefig(file, format="png", dpi=_DPI)
        return file.getvalue()

    return in_style(save)


def drawing_as_svg(draw: Callable[[], Any]) -> str:
    """What a function draws, as SVG."""

    def save() -> str:
        file = io.StringIO()
        draw().savefig(file, format="svg", metadata=_METADATA)
        return file.getvalue()

    return in_style(save)


def _drawn(figure: Figure) -> Any:
    # without pyplot: its figures, backend and style belong to the user's session
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Drawing
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    panels = max(1, len(figure.densities))
    columns = min(panels, 3)
    rows = math.ceil(panels / columns)
    drawing = Drawing(figsize=(7.6 if columns == 1 else 5.6 * columns, 5.4 if rows == 1 else 4.8 * rows))
    layout = ConstrainedLayoutEngine()
    drawing.set_layout_engine(layout)
    FigureCanvasAgg(drawing)
    grid = list(drawing.subplots(rows, columns, squeeze=False).flat)
    shown: list[Density | None] = [*figure.densities] or [None]
    for axes, density in zip(grid, shown, strict=False):
        _draw_panel(axes, figure, density)
    for axes in grid[panels:]:
        axes.set_axis_off()
    drawing.suptitle(figure.title, fontsize=12.5, fontweight="bold", x=0.02, ha="left", wrap=True)
    # once for all files
    layout.execute(drawing)
    drawing.set_layout_engine("none")
    return drawing


def _draw_panel(axes: Any, figure: Figure, density: Density | None) -> None:
    places = [*(density.x_edges if density else []), *_places(figure)]
    heights = [*(density.y_edges if density else []), *_heights(figure)]
    for name, axis, log, values in (
        ("x", figure.x, figure.log_x, places),
        ("y", figure.y, figure.log_y, heights),
    ):
        getattr(axes, f"set_{name}label")(with_unit(axis.label, axis.unit))
        if log and any(v > 0.0 for v in values):
            getattr(axes, f"set_{name}scale")("log")
    if density is not None:
        _draw_density(axes, density)
    draw_histograms(axes, figure.histograms)
    _set_ranges(axes, figure, density)
    top = axes.get_ylim()[1]
    ours = theirs = 0
    for curve in figure.curves:
        if curve.colour is not None:
            colour = curve.colour
        elif curve.published:
            colour, theirs = PUBLISHED[theirs % len(PUBLISHED)], theirs + 1
        else:
            colour, ours = COLOURS[ours % len(COLOURS)], ours + 1
        _draw_curve(axes, curve, colour, top)
    _draw_legend(axes, outside=any(h.style == "stack" for h in figure.histograms))


def _numbers(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([math.nan if v is None else v for v in values], dtype=np.float64)


def _draw_curve(axes: Any, curve: Curve, colour: str, top: float) -> None:
    x, y = np.array(curve.x, dtype=np.float64), _numbers(curve.y)
    low = None if curve.low is None else _numbers(curve.low)
    high = None if curve.high is None else _numbers(curve.high)
    label = curve.label or None
    width = 1.3 if curve.published else 1.9
    order = _ORDER.get(curve.style, 2.5 if curve.published else 3.0)
    if curve.style == "band":
        edges = (y if low is None else low), (y if high is None else high)
        axes.fill_between(x, *edges, color=colour, linewidth=0, label=label, zorder=order)
        return
    if curve.style == "region":
        closed = low is not None and high is not None
        ends = (low, high) if closed else (y, np.where(np.isnan(y), math.nan, top))
        axes.fill_between(x, *ends, facecolor=colour, alpha=0.22, edgecolor="none", zorder=order)
        axes.plot(x, ends[0], color=colour, linewidth=width, label=label, zorder=order + 0.1)
        if closed:
            axes.plot(x, ends[1], color=colour, linewidth=width, zorder=order + 0.1)
        return
    if curve.style == "points":
        spread = None if low is None or high is None else np.maximum(np.stack([y - low, high - y]), 0.0)
        # neither matplotlib's error bars nor its markers take gaps in the errors
        known = np.isfinite(y) if spread is None else np.isfinite(y) & np.isfinite(spread).all(axis=0)
        axes.errorbar(
            x[known], y[known], None if spread is None else spread[:, known], fmt="o", markersize=4.5, color=colour,
            elinewidth=1.2, label=label, zorder=order, markerfacecolor="white" if curve.published else colour,
        )  # fmt: skip
        return
    if low is not None and high is not None:
        axes.fill_between(x, low, high, color=colour, alpha=0.25, linewidth=0, zorder=order - 0.1)
    lone = not np.any(np.isfinite(y[1:]) & np.isfinite(y[:-1]))
    axes.plot(
        x, y, color=colour, linestyle=_LINES[curve.style], linewidth=width, label=label, zorder=order,
        marker="o" if lone else None, markersize=4.0,
    )  # fmt: skip


def _draw_density(axes: Any, density: Density) -> None:
    from matplotlib.colors import LogNorm

    values = np.array(density.values, dtype=np.float64)
    positive = values[values > 0.0]
    wide = positive.size > 0 and not np.any(values < 0.0) and positive.max() > 1e3 * positive.min()
    floor = max(positive.min(), 1e-6 * positive.max()) if wide else 0.0
    mesh = axes.pcolormesh(
        density.x_edges, density.y_edges, np.ma.masked_equal(values, 0.0) if wide else values, cmap="viridis",
        norm=LogNorm(floor, positive.max()) if wide else None, rasterized=True,
    )  # fmt: skip
    axes.figure.colorbar(mesh, ax=axes, pad=0.02)
    axes.set_title(density.label, loc="left", fontsize=11)


def _set_ranges(axes: Any, figure: Figure, density: Density | None) -> None:
    """Before curves are drawn: a region reaches up to the end of the axis."""
    if figure.x_range is not None:
        axes.set_xlim(*figure.x_range)
    elif figure.curves:
        places = [*_places(figure), *(density.x_edges if density else [])]
        if low_high := _range(places, figure.log_x, margin=0.0):
            axes.set_xlim(*low_high)
    if figure.y_range is not None:
        axes.set_ylim(*figure.y_range)
    elif density is None and (low_high := _range(list(_heights(figure)), figure.log_y, margin=0.06)):
        axes.set_ylim(*low_high)


def _places(figure: Figure) -> Iterator[float]:
    yield from chain.from_iterable(curve.x for curve in figure.curves)
    yield from chain.from_iterable(histogram.edges for histogram in figure.histograms)


def _heights(figure: Figure) -> Iterator[float]:
    for curve in figure.curves:
        inside = [figure.x_range is None or figure.x_range[0] <= x <= figure.x_range[1] for x in curve.x]
        parts = (part for part in (curve.y, curve.low, curve.high) if part is not None)
        yield from (v for part in parts for v, shown in zip(part, inside, strict=True) if v is not None and shown)
    stacked = [h.values for h in figure.histograms if h.style == "stack"]
    yield from (math.fsum(column) for column in zip(*stacked, strict=False))
    yield from chain.from_iterable(h.values for h in figure.histograms)
    if figure.histograms and not figure.log_y:
        yield 0.0


def _range(values: list[float], log: bool, margin: float) -> tuple[float, float] | None:
    """That holds all values; a logarithmic one forgets what is far below the largest."""
    shown = [v for v in values if math.isfinite(v) and (v > 0.0 or not log)]
    if not shown:
        return None
    low, high = min(shown), max(shown)
    if log:
        low = max(low, high * 10.0**-_DECADES)
        factor = (high / low) ** margin if high > low else 2.0
        return low / factor, high * factor * (1.6 if margin else 1.0)
    space = margin * (high - low) if high > low else 0.5 * abs(high) or 1.0
    # the axis begins at zero where the values do
    return (low if low == 0.0 else low - space), high + (2.0 if margin else 1.0) * space


def _draw_legend(axes: Any, outside: bool) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if not labels:
        return
    if len(labels) <= _INSIDE and not outside:
        axes.legend(handles, labels, loc="best", frameon=True, framealpha=0.8, edgecolor="none")
    else:
        axes.legend(handles, labels, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)
