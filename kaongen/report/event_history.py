"""The history of an event as tables for a terminal."""

from __future__ import annotations

import math
import re

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kaongen.detector.surroundings import Point
from kaongen.replay.history import History, Particle, Quantity, Step, Stored

_STORED: dict[Stored | None, str] = {
    "identical": "identical to what is stored",
    "not selected": "not stored: the selection does not keep it, now as then",
    "not there": "not stored yet: its part of the run is not there",
    None: "made from the card, compared with no file",
}
_PLANE = re.compile(r"(STRAW \d|RICH|tile|slab|LKr|MUV3) [xy]")


def quantity(value: float | None, digits: int = 4) -> str:
    """A number, or a dash for none."""
    return "–" if value is None or value != value else f"{value:.{digits}g}"


def between(limit: tuple[float | None, float | None], unit: str) -> str:
    """A range that passes, in words: `5 to 70 GeV`, `below 0.2`."""
    least, most = limit
    unit = f" {unit}" if unit else ""
    if least is None:
        return "any" if most is None else f"below {most:.5g}{unit}"
    return f"above {least:.5g}{unit}" if most is None else f"{least:.5g} to {most:.5g}{unit}"


def history_tables(history: History) -> RenderableType:
    """All of it: which event, truth, detector, reconstruction, cuts, weight."""
    return Group(
        head(history), truth(history), detector(history), reconstruction(history), cuts(history), conclusion(history)
    )


def _table(title: str, *columns: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(title=f"\n{title}", title_justify="left", title_style="bold", header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def head(history: History) -> Table:
    o = history.origin
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    parameters = ", ".join(f"{name} = {value:g}" for name, value in o.parameters.items())
    table.add_row("event", f"candidate {o.index} of {o.sample}, seed {o.seed}")
    table.add_row("decay", o.decay + (f"   [{parameters}]" if parameters else ""))
    table.add_row("detector", f"{o.detector}, vetoes: {o.vetoes}")
    table.add_row("from", f"card {o.card_sha256[:12]}, kaongen {o.kaongen_version}")
    table.add_row("file", _STORED[history.stored])
    return table


def _place(point: Point) -> str:
    return f"{1e3 * point.x:.1f}, {1e3 * point.y:.1f} mm, {point.z:.3f} m"


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _end(particle: Particle) -> str:
    where = "not seen, " if not particle.visible and not particle.decays else ""
    return f"{where}{particle.end} at {particle.path[-1].z:.2f} m"


def truth(history: History) -> Table:
    """Every particle: momentum, where it begins, what it meets."""
    numbers = ("", "p, GeV", "px", "py", "pz")
    table = _table(
        "Truth", "", "particle", "of", *numbers[1:], "begins at x, y, z", "ends", "crosses", right=numbers
    )  # fmt: skip
    for p in (history.kaon, *history.particles):
        m = p.momentum
        crossed = ", ".join(hit.detector for hit in p.hits if hit.inside)
        missed = ", ".join(hit.detector for hit in p.hits if not hit.inside)
        name = f"{p.name} (candidate)" if p.candidate else p.name
        table.add_row(
            _number(p.number), name, _number(p.parent),
            f"{m.p:.3f}", f"{m.px:+.4f}", f"{m.py:+.4f}", f"{m.pz:.3f}", _place(p.begins), _end(p),
            crossed + (f"; misses {missed}" if missed else ""),
        )  # fmt: skip
    return table


def detector(history: History) -> Table:
    """Each stage: what it makes of the three probabilities and of the weight, and what it measured."""
    numbers = ("acceptance", "efficiency", "survival", "weight")
    table = _table("Detector: factors", "stage", "of", *numbers, "found", right=numbers)
    if history.generated != 1.0:
        table.add_row("generation", "", "", "", "", quantity(history.generated), "")
    for step in history.steps:
        factors = (step.acceptance, step.efficiency, step.survival, step.weight)
        table.add_row(step.name, step.subject, *(_factor(f) for f in factors), _written(step))
    totals = (history.acceptance, history.efficiency, history.survival, history.weight)
    table.add_section()
    table.add_row("together", "", *(quantity(t) for t in totals), "")
    return table


def _factor(value: float | None) -> str:
    # a factor of 1 says nothing, and many would hide those that do
    return "lost before" if value is None else "" if value == 1.0 else quantity(value)


def _written(step: Step) -> str:
    planes = [q for q in step.written if _PLANE.fullmatch(q.name)]
    others = [q for q in step.written if q not in planes]
    parts = [_said(q) for q in others]
    if planes:
        parts.append(f"{len(planes) // 2} planes, see above")
    return ", ".join(parts)


def _said(q: Quantity) -> str:
    if q.name in ("muon from z", "electron from z", "kink z") and (q.value < 0.0 or q.value == math.inf):
        what = q.name.split()[0]
        return f"{what} from the start" if q.value < 0.0 else f"no {what}"
    return f"{q.name} = {quantity(q.value, 5)}" + (f" {q.unit}" if q.unit else "")


def reconstruction(history: History) -> Table:
    reco = history.reconstruction
    numbers = ("measured", "true")
    table = _table("Reconstruction", "quantity", *numbers, "unit", right=numbers)
    kaon, candidate = history.kaon.momentum, history.tracked().momentum
    true = reco.true_vertex
    rows = (
        ("p of the kaon", None if reco.kaon is None else reco.kaon.p, kaon.p, "GeV"),
        ("p of the candidate", None if reco.candidate is None else reco.candidate.p, candidate.p, "GeV"),
        ("vertex x", None if reco.vertex is None else 1e3 * reco.vertex.x, 1e3 * true.x, "mm"),
        ("vertex y", None if reco.vertex is None else 1e3 * reco.vertex.y, 1e3 * true.y, "mm"),
        ("vertex z", None if reco.vertex is None else reco.vertex.z, true.z, "m"),
        ("closest approach", None if reco.cda is None else 1e3 * reco.cda, None, "mm"),
        ("m2_miss", reco.m2_miss, reco.m2_miss_true, "GeV²"),
        ("E/p", reco.eop, None, ""),
    )
    for name, measured, value, unit in rows:
        table.add_row(name, quantity(measured, 6), quantity(value, 6), unit)
    return table


def cuts(history: History) -> Table:
    table = _table("Cuts", "cut", "value", "passes", "", right=("value",))
    for cut in history.cuts:
        verdict = Text("passed", style="green") if cut.passed else Text("failed", style="bold red")
        unit = f" {cut.unit}" if cut.unit else ""
        table.add_row(cut.name, quantity(cut.value, 5) + unit, between(cut.limit, cut.unit), verdict)
    return table


def conclusion(history: History) -> Text:
    style = "bold green" if history.selected else "bold red"
    return Text(f"\nweight {history.weight:.6g}: {history.verdict()}", style=style)
