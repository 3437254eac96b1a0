"""An event drawn into NA62: side and top view, with what was measured and decided beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kaongen.detector.surroundings import (
    BEGIN,
    END,
    HALF_WIDTH,
    MAGNET_HALF_GAP,
    MAGNET_HALF_YOKE,
    MAGNET_LENGTH,
    Element,
    Point,
    Surroundings,
    axis_path,
)
from kaongen.errors import EventFileError
from kaongen.replay.history import History, Particle
from kaongen.report.event_history import between, quantity

View = Literal["side", "top"]

_INK, _PALE = "#2b2d33", "#8a8d96"
_GOOD, _BAD = "#2a8a4a", "#c8102e"

_COLOURS = {
    "K": "#2b2d33",
    "mu": "#c8102e",
    "pi": "#2667c9",
    "e": "#e07b00",
    "gamma": "#1f8a4c",
    "nu": "#8a8d96",
    "new": "#7a21dd",
}
_SHADES = ("", "#62b981", "#0f5c30", "#9ccf4f", "#3f9ea0", "#74702a")
"""Photons after the first, of which there may be many."""

_FACES = {
    "GTK3": "#515c6b",
    "CHANTI": "#9aa3b0",
    "STRAW": "#3c6e8f",
    "LAV": "#dccba6",
    "RICH": "#e3eefa",
    "CHOD": "#8cc3a0",
    "IRC": "#c58b5a",
    "LKr": "#bcdcec",
    "MUV1": "#d8cfe6",
    "MUV2": "#cbbfdf",
    "MUV3": "#7c6aa8",
    "wall": "#b9bcc4",
    "SAC": "#c58b5a",
}
_BOLD = {"STRAW": 0.30, "GTK3": 0.35, "CHANTI": 0.18, "CHOD": 0.30, "MUV3": 0.40}
"""Drawn thickness of what is thin (m)."""

_SYMBOLS = {
    "K": "K",
    "mu": r"\mu",
    "pi": r"\pi",
    "e": "e",
    "gamma": r"\gamma",
    "nu": r"\nu",
    "phi": r"\phi",
    "chi": r"\chi",
    "neutrino": r"\nu",
    "neutrinos": r"\nu\bar\nu",
}


def symbol(name: str, number: int | None = None) -> str:
    """A particle as one writes it, for matplotlib: mu+ with 2 is $\\mu^{+}_{2}$."""
    if " " in name:
        return "".join(symbol(part) for part in name.split())
    bar = name.startswith("anti-")
    match = re.fullmatch(r"([A-Za-z]+)(?:_(\w+))?(0|\+|-|')?", name.removeprefix("anti-"))
    if match is None:
        return name
    base, flavour, charge = match.groups()
    text = _SYMBOLS.get(base, base if len(base) == 1 else rf"\mathrm{{{base}}}")
    if bar:
        text = rf"\bar{{{text}}}"
    below = _SYMBOLS.get(flavour, flavour) if flavour else "" if number is None else str(number)
    above = {"'": r"\prime"}.get(charge or "", charge or "")
    return f"${text}" + (f"^{{{above}}}" if above else "") + (f"_{{{below}}}" if below else "") + "$"


def decay_symbols(decay: str) -> str:
    """A decay descriptor in symbols."""
    parts = re.split(r"(->|[()\s]+)", decay)
    return "".join(r" $\rightarrow$ " if p == "->" else p if not p.strip("() ") else symbol(p) for p in parts).replace(
        "  ", " "
    )


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Positions as near to the wanted ones as they can be, at least a gap apart and in the same order.

    Least squares: what would come too close is moved together, to the mean of what its members want.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    groups: list[list[float]] = []  # sum of what is wanted by the first member, number of members
    for place, i in enumerate(order):
        groups.append([wanted[i] - place * gap, 1.0])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] >= groups[-1][0] / groups[-1][1]:
            total, members = groups.pop()
            groups[-1][0] += total
            groups[-1][1] += members
    shifts = [total / members for total, members in groups for _ in range(int(members))]
    result = [0.0] * len(wanted)
    for place, i in enumerate(order):
        result[i] = shifts[place] + place * gap
    return result


@dataclass(frozen=True)
class _Style:
    """How a particle is drawn and called."""

    colour: str
    line: Any
    width: float
    label: str


def save_event(history: History, around: Surroundings, directory: Path) -> list[Path]:
    """Draw an event as SVG and PNG; returns the files.

    Raises
    ------
    EventFileError
        If they cannot be written.
    """
    from matplotlib import rc_context

    stem = f"{history.origin.sample}-{history.origin.index}"
    # letters stay letters, so that one can search for them; equal events make equal files
    settings = {"svg.fonttype": "none", "svg.hashsalt": stem, "font.family": "DejaVu Sans", "mathtext.default": "it"}
    files = [directory / f"{stem}.svg", directory / f"{stem}.png"]
    with rc_context(settings):
        figure = event_figure(history, around)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            figure.savefig(files[0], metadata={"Date": None, "Title": history.origin.target})
            figure.savefig(files[1], dpi=150)
        except OSError as problem:
            raise EventFileError(f"cannot write the drawing to {directory}: {problem.strerror or problem}") from None
    return files


def event_figure(history: History, around: Surroundings) -> Any:
    """The drawing as a matplotlib figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 9.6), facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        2, 2, width_ratios=(4.1, 1.0), left=0.045, right=0.99, top=0.845, bottom=0.06, hspace=0.06, wspace=0.025
    )
    side = figure.add_subplot(grid[0, 0])
    top = figure.add_subplot(grid[1, 0], sharex=side)
    styles = dict(_styles(history))
    both: tuple[tuple[Any, View], ...] = ((side, "side"), (top, "top"))
    for axes, view in both:
        _frame(axes, view)
        _draw_detector(axes, around, view)
        for particle in (history.kaon, *history.particles):
            _draw_particle(axes, particle, styles[particle.number], view)
        _draw_vertices(axes, history, view)
        _tag(axes, history, styles, view)
    side.tick_params(labelbottom=False)
    top.set_xlabel("z [m]", loc="right", fontsize=12)
    _name_detectors(side, around)
    _title(figure, history)
    _margin(figure.add_subplot(grid[:, 1]), history, styles)
    return figure


def _styles(history: History) -> Iterator[tuple[int | None, _Style]]:
    names = [p.name for p in history.particles]
    seen: dict[str, int] = {}
    photons = 0
    for p in (history.kaon, *history.particles):
        seen[p.name] = seen.get(p.name, 0) + 1
        kind = re.split(r"[_+\-0']", p.name.removeprefix("anti-"))[0].split()[0]
        kind = "nu" if kind.startswith(("neutrino", "nu ")) else kind
        colour = _COLOURS.get(kind, _COLOURS["new"])
        if p.name == "gamma":
            colour = (_SHADES[photons % len(_SHADES)]) or colour
            photons += 1
        line: Any = "-" if p.charge else (0, (5.0, 2.2)) if p.visible else (0, (1.0, 1.8))
        width = 2.6 if p.candidate or p in history.family() else 2.2 if p is history.kaon else 1.7
        number = seen[p.name] if names.count(p.name) > 1 and (p.charge or p.visible) else None
        yield p.number, _Style(colour, line, width, symbol(p.name, number))


def _across(point: Point | Any, view: View) -> float:
    return float(point.y if view == "side" else point.x)


def _frame(axes: Any, view: View) -> None:
    from matplotlib.ticker import AutoMinorLocator

    axes.set_xlim(BEGIN - 1.0, END + 4.0)
    axes.set_ylim(-HALF_WIDTH - 0.05, HALF_WIDTH + 0.05)
    axes.set_ylabel(f"{'y' if view == 'side' else 'x'} [m]", loc="top", fontsize=12)
    axes.xaxis.set_minor_locator(AutoMinorLocator(5))
    axes.yaxis.set_minor_locator(AutoMinorLocator(5))
    axes.tick_params(which="both", direction="in", top=True, right=True, labelsize=10.5)
    axes.tick_params(which="major", length=6)
    axes.tick_params(which="minor", length=3)
    height = axes.figure.get_figheight() * axes.get_position().height / (2.0 * HALF_WIDTH)
    width = axes.figure.get_figwidth() * axes.get_position().width / (END - BEGIN)
    name = "side view" if view == "side" else "top view"
    axes.text(
        0.008, 0.955, name, transform=axes.transAxes, fontsize=12, fontweight="bold", color=_INK, va="top", zorder=9
    )
    stretched = f"transverse scale stretched {height / width:.0f} times"
    axes.text(0.008, 0.03, stretched, transform=axes.transAxes, fontsize=8.5, color=_PALE, style="italic", zorder=9)


def _draw_detector(axes: Any, around: Surroundings, view: View) -> None:
    first, last = around.volume
    axes.axvspan(first, last, color="#fbf8ee", zorder=0)
    axes.text(
        0.5 * (first + last), -HALF_WIDTH + 0.03, "decay volume", color="#b09a5a", fontsize=9, ha="center", zorder=1
    )
    _draw_magnet(axes, around)
    for element in around.elements:
        _draw_element(axes, element, view)
    if view == "top":
        z, x = zip(*axis_path(around), strict=True)
    else:
        z, x = (BEGIN, END), (0.0, 0.0)
    axes.plot(z, x, color=_PALE, linewidth=0.8, linestyle=(0, (8, 3, 1, 3)), zorder=3, gid=f"{view}-beam-axis")


def _draw_magnet(axes: Any, around: Surroundings) -> None:
    from matplotlib.patches import Rectangle

    front = around.magnet_z - 0.5 * MAGNET_LENGTH
    axes.axvspan(front, front + MAGNET_LENGTH, color="#e9e4ef", zorder=0.5, linewidth=0)
    for sign in (-1.0, 1.0):
        bottom = MAGNET_HALF_GAP if sign > 0 else -MAGNET_HALF_YOKE
        height = MAGNET_HALF_YOKE - MAGNET_HALF_GAP
        axes.add_patch(
            Rectangle((front, bottom), MAGNET_LENGTH, height, facecolor="#7d7f8a", edgecolor=_INK, linewidth=0.6)
        )


def _draw_element(axes: Any, element: Element, view: View) -> None:
    from matplotlib.patches import Rectangle

    intervals = element.aperture.side() if view == "side" else element.aperture.top()
    depth = max(element.back - element.front, _BOLD.get(element.system, 0.0))
    hatch = {"wall": "////", "MUV1": "||||", "MUV2": "||||"}.get(element.system)
    for low, high in intervals:
        axes.add_patch(
            Rectangle(
                (element.front, low), depth, high - low, facecolor=_FACES[element.system],
                edgecolor="#5b6472" if element.system != "wall" else "#90939c", linewidth=0.5, zorder=2,
                hatch=hatch, gid=f"{view}-{element.name.replace(' ', '-')}",
            )
        )  # fmt: skip


def _name_detectors(axes: Any, around: Surroundings) -> None:
    """Names above the picture, moved apart, each with a line to where its detector stands."""
    named: dict[str, float] = {}
    for e in around.elements:
        if e.system != "wall":
            named.setdefault(e.system if e.system in ("CHANTI", "CHOD") else e.name, 0.5 * (e.front + e.back))
    named["magnet"] = around.magnet_z
    places = spread(list(named.values()), 2.05)
    over = axes.get_xaxis_transform()
    for (name, z), place in zip(named.items(), places, strict=True):
        axes.plot([z, place], [1.0, 1.032], transform=over, color=_PALE, linewidth=0.7, clip_on=False)
        axes.text(place, 1.04, name, transform=over, rotation=90, ha="center", va="bottom", fontsize=9, color=_INK)


def _called(particle: Particle) -> str:
    return "kaon" if particle.number is None else str(particle.number)


def _draw_particle(axes: Any, particle: Particle, style: _Style, view: View) -> None:
    from matplotlib import patheffects

    z = [point.z for point in particle.path]
    u = [_across(point, view) for point in particle.path]
    over = {"-": 5.0}.get(style.line, 4.5) if particle.visible else 4.0
    casing = [patheffects.Stroke(linewidth=style.width + 1.6, foreground="white", alpha=0.85), patheffects.Normal()]
    axes.plot(
        z, u, color=style.colour, linestyle=style.line, linewidth=style.width, zorder=over, solid_capstyle="round",
        gid=f"{view}-trajectory-{_called(particle)}", path_effects=casing if particle.charge else None,
    )  # fmt: skip
    inside = [hit for hit in particle.hits if hit.inside]
    end = next((hit for hit in inside if particle.end == f"ends in {hit.detector}"), None)
    crossed = [hit for hit in inside if hit is not end]
    common = {"linestyle": "none", "clip_on": True}
    axes.plot(
        [h.z for h in crossed], [_across(h, view) for h in crossed], marker="o", markersize=4.6,
        markerfacecolor=style.colour, markeredgecolor="white", markeredgewidth=0.8, zorder=6,
        gid=f"{view}-hits-{_called(particle)}", **common,
    )  # fmt: skip
    if end:
        axes.plot(
            [end.z], [_across(end, view)], marker="*", markersize=12, markerfacecolor=style.colour,
            markeredgecolor="white", markeredgewidth=0.8, zorder=7, **common,
        )  # fmt: skip
    missed = [hit for hit in particle.hits if not hit.inside and abs(_across(hit, view)) <= HALF_WIDTH]
    axes.plot(
        [h.z for h in missed], [_across(h, view) for h in missed], marker="x", markersize=7, color=_BAD,
        markeredgewidth=1.8, zorder=7, gid=f"{view}-missed-{_called(particle)}", **common,
    )  # fmt: skip


def _draw_vertices(axes: Any, history: History, view: View) -> None:
    kaon_end = history.kaon.path[-1]
    for p in history.particles:
        if p.decays and p.path[-1] != kaon_end:
            axes.plot(
                [p.path[-1].z], [_across(p.path[-1], view)], marker="D", markersize=5.5, markerfacecolor="white",
                markeredgecolor=_INK, markeredgewidth=1.2, zorder=8, linestyle="none", gid=f"{view}-decay-{p.number}",
            )  # fmt: skip
    axes.plot(
        [kaon_end.z], [_across(kaon_end, view)], marker="o", markersize=7, markerfacecolor=_INK,
        markeredgecolor="white", markeredgewidth=1.0, zorder=8, linestyle="none", gid=f"{view}-vertex",
    )  # fmt: skip
    vertex = history.reconstruction.vertex
    if vertex and BEGIN <= vertex.z <= END and abs(_across(vertex, view)) <= HALF_WIDTH:
        axes.plot(
            [vertex.z], [_across(vertex, view)], marker="P", markersize=11, markerfacecolor="none",
            markeredgecolor="#d99a00", markeredgewidth=1.8, zorder=9, linestyle="none",
            gid=f"{view}-reconstructed-vertex",
        )  # fmt: skip


def _tag(axes: Any, history: History, styles: dict[int | None, _Style], view: View) -> None:
    """The particle's symbol where its line ends, beside the others."""
    ends = [(p, p.path[-1] if len(p.path) > 1 else p.begins) for p in history.particles if not p.decays]
    places = spread([_across(point, view) for _, point in ends], 0.15)
    for (p, point), place in zip(ends, places, strict=True):
        place = min(max(place, -HALF_WIDTH + 0.05), HALF_WIDTH - 0.08)
        axes.annotate(
            styles[p.number].label, (point.z, _across(point, view)), (min(point.z + 1.3, END + 0.6), place),
            fontsize=12.5, color=styles[p.number].colour, va="center", ha="left", zorder=10,
            bbox={"boxstyle": "round,pad=0.08", "facecolor": "white", "edgecolor": "none", "alpha": 0.75},
        )  # fmt: skip


def _title(figure: Any, history: History) -> None:
    origin = history.origin
    left, right = 0.045, 0.807
    figure.text(left, 0.965, "kaongen", fontsize=17, fontweight="bold", color=_INK)
    figure.text(left + 0.082, 0.965, f"detector {origin.detector}", fontsize=12.5, style="italic", color=_INK)
    figure.text(
        right, 0.965, f"{origin.sample}:{origin.index}    {decay_symbols(origin.decay)}", fontsize=14, ha="right",
        color=_INK,
    )  # fmt: skip
    colour = _GOOD if history.selected else _BAD
    figure.text(
        left, 0.938, f"weight {history.weight:.4g}    {history.verdict()}", fontsize=12.5, color=colour,
        fontweight="bold",
    )  # fmt: skip
    figure.text(
        right, 0.938, f"seed {origin.seed}, card {origin.card_sha256[:12]}, kaongen {origin.kaongen_version}",
        fontsize=9, ha="right", color=_PALE,
    )  # fmt: skip


class _Column:
    """Lines of text from the top of the margin down."""

    def __init__(self, axes: Any) -> None:
        axes.set_axis_off()
        axes.set_xlim(0.0, 1.0)
        axes.set_ylim(0.0, 1.0)
        self.axes, self.y = axes, 1.0

    def text(self, text: str, step: float = 0.022, x: float = 0.0, **style: Any) -> None:
        self.axes.text(x, self.y, text, **({"fontsize": 9.5, "color": _INK, "va": "center"} | style))
        self.y -= step

    def heading(self, text: str) -> None:
        self.y -= 0.012
        self.text(text, 0.027, fontsize=10.5, fontweight="bold")

    def pair(self, name: str, value: str, **style: Any) -> None:
        self.axes.text(1.0, self.y, value, fontsize=9.5, va="center", ha="right", color=style.pop("colour", _INK))
        self.text(name, **style)


def _margin(axes: Any, history: History, styles: dict[int | None, _Style]) -> None:
    column = _Column(axes)
    column.text("particles", 0.027, fontsize=10.5, fontweight="bold")
    # two lines for each of many would not leave room for the rest
    tight = len(history.particles) > 6
    for p in (history.kaon, *history.particles):
        style = styles[p.number]
        axes.plot([0.0, 0.13], [column.y] * 2, color=style.colour, linestyle=style.line, linewidth=style.width)
        end = p.end if p.decays or p.visible else "not seen"
        name = style.label + (" (candidate)" if p.candidate and not tight else "")
        column.pair(
            name, f"{p.momentum.p:.2f} GeV", step=0.026 if tight else 0.021, x=0.17, fontsize=10 if tight else 11
        )
        if not tight:
            where = f" at z = {p.path[-1].z:.1f} m" if p.decays or p.visible else ""
            column.text(f"{end}{where}", 0.026, x=0.17, fontsize=8, color=_PALE)
    reco, true = history.reconstruction, history.reconstruction.true_vertex
    column.heading("measured (true)")
    column.pair("$m^2_{miss}$", f"{quantity(reco.m2_miss)} ({quantity(reco.m2_miss_true)}) GeV²")
    measured = None if reco.candidate is None else reco.candidate.p
    column.pair("$p$", f"{quantity(measured)} ({quantity(history.tracked().momentum.p)}) GeV")
    column.pair("vertex z", f"{'–' if reco.vertex is None else f'{reco.vertex.z:.2f}'} ({true.z:.2f}) m")
    column.pair("CDA", f"{quantity(None if reco.cda is None else 1e3 * reco.cda)} mm")
    column.pair("$E/p$", quantity(reco.eop))
    column.heading("probability")
    column.pair("candidate inside", f"{history.acceptance:g}")
    column.pair("seen, identified", quantity(history.efficiency))
    column.pair("nothing else seen", quantity(history.survival))
    column.heading("cuts")
    for cut in history.cuts:
        mark, colour = ("✓", _GOOD) if cut.passed else ("✗", _BAD)
        column.pair(f"{mark} {cut.name}", quantity(cut.value) + (f" {cut.unit}" if cut.unit else ""), color=colour)
        column.text(between(cut.limit, cut.unit), 0.0205, x=0.075, fontsize=8, color=_PALE)
    column.heading("marks")
    for marker, face, edge, text in (
        ("o", _INK, "white", "kaon's decay"),
        ("D", "white", _INK, "further decay"),
        ("P", "none", "#d99a00", "reconstructed vertex"),
        ("o", _PALE, "white", "crosses a detector"),
        ("*", _PALE, "white", "ends there"),
        ("x", _BAD, _BAD, "misses a detector it should cross"),
    ):
        size = 10 if marker == "*" else 7
        axes.plot(
            [0.05], [column.y], marker=marker, markersize=size, markerfacecolor=face, markeredgecolor=edge,
            linestyle="none", markeredgewidth=1.5 if marker in "xDP" else 0.8,
        )  # fmt: skip
        column.text(text, 0.0215, x=0.12, fontsize=8.5)
