"""Curves, maps and the panels they are drawn in: what a figure of the detector's response consists of."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kaongen.beam import Beam
from kaongen.configuration import Configuration
from kaongen.detector.na62 import NA62
from kaongen.random import stream_key

Array = NDArray[np.float64]
Style = Literal["line", "steps", "bars"]
Drawn = TypeVar("Drawn")

KEY = stream_key(1, "response")
"""Of the random numbers of all curves that need some."""

COLOURS = ("#3f90da", "#e42536", "#e8a02f", "#2a8a4a", "#964a8b", "#717581", "#7a21dd", "#92dadd")
SPECIES_COLOURS = {"pion": 0, "muon": 1, "electron": 2, "kaon": 5}
"""By particle, the same in all figures."""


class Model:
    """A configuration with the beam and the detector that the simulation makes of it.

    Things happen as often as in nature: nothing is forced.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.number, self.array = configuration.number, configuration.array

    @cached_property
    def beam(self) -> Beam:
        return Beam(self.configuration)

    @cached_property
    def detector(self) -> NA62:
        return NA62(self.configuration, "accept", self.beam)


@dataclass(frozen=True)
class Axis:
    """What an axis shows; `low` and `high` are where it is drawn."""

    label: str
    unit: str = ""
    log: bool = False
    low: float | None = None
    high: float | None = None

    @property
    def text(self) -> str:
        return f"{self.label} [{self.unit}]" if self.unit else self.label


@dataclass(frozen=True)
class Curve:
    """A curve.

    x has one number more than y for "steps", which are the edges of a histogram; `names` are those of bars. band : low
    and high end of a one-sigma band.
    """

    name: str
    label: str
    x: Array
    y: Array
    style: Style = "line"
    colour: int | None = None
    dashes: str = "-"
    band: tuple[Array, Array] | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Map:
    """Values (rows: y, columns: x) of something in a plane."""

    name: str
    label: str
    x: Array
    y: Array
    values: Array


@dataclass(frozen=True)
class Box:
    """A piece of iron or an opening in it."""

    left: float
    right: float
    low: float
    high: float
    colour: str = "#b9bcc4"


@dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    title: str
    x: Axis
    y: Axis
    curves: tuple[Curve, ...] = ()
    image: Map | None = None
    marks: tuple[tuple[float, str], ...] = ()
    boxes: tuple[Box, ...] = ()
    legend: bool = True


@dataclass(frozen=True)
class Subject:
    """One figure: its file's name, title and panels, of which the first is on the overview."""

    name: str
    title: str
    panels: tuple[Panel, ...]
    note: str = ""

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """All curves and maps by name, for programs."""
        result: dict[str, dict[str, Any]] = {}
        for panel in self.panels:
            axes = {"x_label": panel.x.label, "x_unit": panel.x.unit, "y_label": panel.y.label, "y_unit": panel.y.unit}
            about = {"figure": self.name, "panel": panel.title, **axes}
            for c in panel.curves:
                entry: dict[str, Any] = {"label": c.label, **about, "x": _numbers(c.x), "y": _numbers(c.y)}
                if c.band is not None:
                    entry |= {"low": _numbers(c.band[0]), "high": _numbers(c.band[1])}
                if c.names:
                    entry["names"] = list(c.names)
                result[f"{self.name}.{c.name}"] = entry
            if panel.image is not None:
                m = panel.image
                entry = {"label": m.label, **about, "x": _numbers(m.x), "y": _numbers(m.y)}
                result[f"{self.name}.{m.name}"] = entry | {"z": [_numbers(line) for line in m.values]}
        return result


def _numbers(values: Array) -> list[float]:
    return [float(f"{value:.7g}") for value in values]


def scan(kernel: Any, x: ArrayLike, *arguments: Any) -> Array:
    """A scalar kernel at every x, its first argument."""
    return np.array([float(kernel(float(value), *arguments)) for value in np.asarray(x)])


def histogram(name: str, label: str, values: Array, edges: Array, weights: Array | None = None, **style: Any) -> Curve:
    """Density: with weights, of their sum over the number of values; what lies outside counts as well."""
    content, _ = np.histogram(values, edges, weights=weights)
    return Curve(name, label, edges, content / (len(values) * np.diff(edges)), "steps", **style)


def bars(name: str, values: dict[str, float], colour: int = 0) -> Curve:
    """One bar for each name."""
    x, y = np.arange(float(len(values))), np.array(list(values.values()))
    return Curve(name, "", x, y, "bars", colour, names=tuple(values))


def draw(axes: Any, panel: Panel) -> None:
    """Draw a panel into matplotlib's axes."""
    from matplotlib.patches import Rectangle

    for box in panel.boxes:
        size = box.right - box.left, box.high - box.low
        axes.add_patch(Rectangle((box.left, box.low), *size, facecolor=box.colour, edgecolor="none", zorder=1))
    if panel.image is not None:
        image = panel.image
        mesh = axes.pcolormesh(image.x, image.y, image.values, cmap="viridis", shading="nearest", rasterized=True)
        axes.figure.colorbar(mesh, ax=axes, pad=0.02).set_label(image.label)
        axes.set_aspect("equal" if panel.x.unit == panel.y.unit else "auto")
    for i, curve in enumerate(panel.curves):
        _draw_curve(axes, curve, COLOURS[(i if curve.colour is None else curve.colour) % len(COLOURS)], panel)
    for place, text in panel.marks:
        axes.axvline(place, color="#717581", linestyle=":", linewidth=1.2, label=text or None)
    if not any(curve.style == "bars" for curve in panel.curves):
        for axis, name in ((panel.x, "x"), (panel.y, "y")):
            if axis.log:
                getattr(axes, f"set_{name}scale")("log")
            getattr(axes, f"set_{name}lim")(axis.low, axis.high)
            getattr(axes, f"set_{name}label")(axis.text)
    # matplotlib would measure all ticks to find these places, which takes most of its time
    axes.xaxis.set_label_coords(1.0, -0.1)
    axes.yaxis.set_label_coords(-0.12, 1.0)
    axes.set_title(panel.title, loc="left", y=1.02)
    if panel.legend and (labels := [h for h in axes.get_legend_handles_labels()[1] if h]):
        axes.legend(loc="best", ncol=2 if len(labels) > 6 else 1)


def _draw_curve(axes: Any, curve: Curve, colour: str, panel: Panel) -> None:
    label = curve.label or None
    if curve.style == "bars":
        axes.barh(curve.x, curve.y, color=colour, height=0.6)
        axes.set_yticks(curve.x, curve.names)
        axes.tick_params(axis="y", which="both", length=0)
        axes.set_ylim(len(curve.x) - 0.4, -0.6)
        axes.set_xlabel(panel.y.text)
        if panel.y.log:
            axes.set_xscale("log")
        axes.set_xlim(panel.y.low, panel.y.high)
        for place, value in zip(curve.x, curve.y, strict=True):
            text = axes.annotate(f"{value:.4g}", (value, place), (4, 0), textcoords="offset points", va="center")
            text.set_clip_on(False)
        return
    if curve.style == "steps":
        axes.stairs(curve.y, curve.x, color=colour, linestyle=curve.dashes, linewidth=1.6, label=label)
        return
    if curve.band is not None:
        axes.fill_between(curve.x, *curve.band, color=colour, alpha=0.25, linewidth=0)
    axes.plot(curve.x, curve.y, color=colour, linestyle=curve.dashes, linewidth=1.8, label=label)


_STYLE = {
    "font.size": 11.0, "axes.labelsize": 12.0, "axes.titlesize": 12.0, "legend.fontsize": 9.5, "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5, "legend.frameon": False, "axes.linewidth": 1.0, "xtick.major.size": 6.0,
    "ytick.major.size": 6.0, "xtick.minor.size": 3.0, "ytick.minor.size": 3.0, "svg.fonttype": "none",
    "svg.hashsalt": "kaongen", "xtick.major.pad": 5.0, "ytick.major.pad": 4.0,
    "xtick.minor.visible": False, "ytick.minor.visible": False, "xtick.top": False, "ytick.right": False,
}  # fmt: skip


def in_style(work: Callable[[], Drawn]) -> Drawn:
    """Call something that draws, with the style of the figures and without a trace in the user's."""
    import mplhep
    from matplotlib import rc_context

    with rc_context({**mplhep.style.ROOT, **_STYLE}):
        return work()


def grid(panels: Sequence[Panel], columns: int, title: str, note: str = "", size: float = 1.0) -> Any:
    """A figure with all panels, row by row."""
    # without pyplot: its figures, backend and style belong to the user's session
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(columns, len(panels))
    rows = math.ceil(len(panels) / columns)
    width, height = 5.9 * columns * size, 4.5 * rows * size + 0.75
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    figure.subplots_adjust(
        left=0.9 / width, right=1.0 - 0.3 / width, bottom=0.62 / height, top=1.0 - 1.05 / height,
        wspace=0.28, hspace=0.34,
    )  # fmt: skip
    drawn = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, panel in zip(drawn, panels, strict=False):
        draw(axes, panel)
    for axes in drawn[len(panels) :]:
        axes.set_axis_off()
    figure.text(0.6 / width, 1.0 - 0.32 / height, title, fontsize=15, fontweight="bold", va="center")
    figure.text(0.6 / width, 1.0 - 0.6 / height, note, fontsize=10.5, color="#5b6472", va="center")
    return figure
