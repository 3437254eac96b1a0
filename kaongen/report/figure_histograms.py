"""Histograms of a figure: stacks, lines and points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from kaongen.analysis.figure import Histogram

COLOURS: Final = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#92dadd", "#717581",
)  # fmt: skip
"""Of a stack, from the top."""
_LINES: Final = ("-", "--", ":", "-.")


def draw_histograms(axes: Any, histograms: Sequence[Histogram]) -> None:
    """Stacks first, those of equal bins upon each other; then lines; then points with their errors."""
    floors: dict[tuple[float, ...], Any] = {}
    stacks = [h for h in histograms if h.style == "stack"]
    for i, h in enumerate(stacks):
        edges, values = tuple(h.edges), np.array(h.values, dtype=np.float64)
        floor = floors.get(edges, np.zeros(len(values)))
        floors[edges] = floor + values
        axes.stairs(
            floors[edges], h.edges, baseline=floor, fill=True, color=COLOURS[(len(stacks) - 1 - i) % len(COLOURS)],
            label=h.label or None, zorder=1.0,
        )  # fmt: skip
    for edges, total in floors.items():
        axes.stairs(total, edges, color="#33383f", linewidth=0.8, zorder=1.2)
    steps = [h for h in histograms if h.style == "step"]
    for i, h in enumerate(steps):
        axes.stairs(
            h.values, h.edges, baseline=None, color=_line_colour(i, h, bool(stacks)), linewidth=1.7,
            linestyle=_LINES[i % len(_LINES)], label=h.label or None, zorder=2.0,
        )  # fmt: skip
    for h in histograms:
        if h.style == "points":
            edges_ = np.array(h.edges, dtype=np.float64)
            axes.errorbar(
                0.5 * (edges_[1:] + edges_[:-1]), h.values, h.errors, 0.5 * np.diff(edges_), fmt="o", markersize=4.0,
                color="black", elinewidth=1.0, markerfacecolor="white" if h.published else "black",
                label=h.label or None, zorder=2.5,
            )  # fmt: skip


def _line_colour(number: int, histogram: Histogram, upon_stacks: bool) -> str:
    """Black upon the colours of a stack; each its own where there are only lines."""
    if histogram.published:
        return "#717581"
    return "black" if upon_stacks else COLOURS[number % len(COLOURS)]
