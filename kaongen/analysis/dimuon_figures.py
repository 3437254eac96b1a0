"""Figures of the search for di-muon resonances, as data."""

from __future__ import annotations

import math
from typing import Literal

from kaongen.analysis.dimuon_samples import MODELS
from kaongen.analysis.figure import Curve, Figure
from kaongen.analysis.record import Axis
from kaongen.analysis.result import BANDS, Result, Scan
from kaongen.papers import three_muons as paper

Quantity = Literal["branching", "coupling", "alpha"]


def figures(result: Result) -> list[Figure]:
    """The masses of the two pairs (figure 6 of the letter), limits for each model, and the normalisations beside one
    another."""
    made = [pairs(result)]
    for model in ("vector", "scalar"):
        if any(scan.name == f"{model}-branching" for scan in result.scans):
            made += [limits(result, model), normalisations(result, model)]
    return made


def pairs(result: Result) -> Figure:
    """Figure 6 of the letter: the masses of the two pairs against each other."""
    return Figure(
        name="dimuon-pairs",
        title="Masses of the two pairs, leading muon by momentum in the kaon's rest frame",
        x=Axis(name="m_mumu_lead", label="$m_{\\mu_1^+\\mu^-}$", unit="GeV"),
        y=Axis(name="m_mumu_other", label="$m_{\\mu_2^+\\mu^-}$", unit="GeV"),
        densities=result.densities,
        reference=f"{paper.LETTER}, figure 6",
    )


def limits(result: Result, model: str) -> Figure:
    """Limits on a branching fraction, with bands, and the sensitivity that the letter defines."""
    scan = result.scan(f"{model}-branching-simulated")
    return Figure(
        name=f"dimuon-{model}-branching",
        title=scan.title,
        x=scan.x,
        y=scan.y,
        log_y=True,
        curves=[
            *curves(result, model, "branching", "-simulated"),
            *curves(result, model, "branching", "", bands=False),
        ],
        reference=scan.reference,
    )


def normalisations(result: Result, model: str) -> Figure:
    """The letter's blue curve for each normalisation of the continuum, as alpha."""
    scan = result.scan(f"{model}-coupling")
    symbol = next(m.symbol for m in MODELS if m.name == model)
    suffixes = ("", "-ib", "-no-contact", "-quoted")
    known = {s.name for s in result.scans}
    return Figure(
        name=f"dimuon-{model}-normalisations",
        title=f"Reach of a {model} for different normalisations of the continuum",
        x=scan.x,
        y=Axis(name="alpha", label=f"$\\alpha = {symbol}^2/4\\pi$"),
        log_y=True,
        curves=[sensitivity(result.scan(f"{model}-coupling{s}"), "alpha") for s in suffixes if _has(known, model, s)],
        reference=scan.reference,
    )


def _has(known: set[str], model: str, suffix: str) -> bool:
    return f"{model}-coupling{suffix}" in known


def curves(result: Result, model: str, quantity: Quantity, suffix: str = "", *, bands: bool = True) -> list[Curve]:
    """Bands, expected limit and sensitivity of one scan, for use in any figure against the mass in GeV.

    Parameters
    ----------
    result
        Of the search.
    model
        "vector" or "scalar".
    quantity
        The branching fraction, the coupling, or alpha, its square over 4 pi.
    suffix
        Of the scan: empty for the letter's choices.
    bands
        Whether to draw the bands of the expected limit.
    """
    scan = result.scan(f"{model}-{'branching' if quantity == 'branching' else 'coupling'}{suffix}")
    low2, low1, high1, high2 = (_as(scan.bands[band], quantity) for band in BANDS)
    expected = _as(scan.expected or [], quantity)
    what = scan.title.rpartition(": ")[2]
    level = f"{result.confidence_level:.0%} CL"
    made = [
        Curve(label=f"expected limit, {level}: {what}", x=scan.points, y=expected, style="dashed"),
        sensitivity(scan, quantity),
    ]
    if bands:
        made = [
            Curve(label="$\\pm 2\\sigma$", x=scan.points, y=expected, low=low2, high=high2, style="band"),
            Curve(label="$\\pm 1\\sigma$", x=scan.points, y=expected, low=low1, high=high1, style="band"),
            *made,
        ]
    return made


def sensitivity(scan: Scan, quantity: Quantity) -> Curve:
    """Where S/sqrt(B) is that of the letter; a gap where fewer background events than one are expected."""
    pairs = zip(scan.column("sensitivity"), scan.column("background"), strict=True)
    enough = [v if b is not None and b >= 1.0 else None for v, b in pairs]
    label = f"S/√B: {scan.title.rpartition(': ')[2]}"
    return Curve(label=label, x=scan.points, y=_as(enough, quantity), reference=f"{paper.LETTER}, appendix C.B")


def _as(values: list[float | None], quantity: Quantity) -> list[float | None]:
    if quantity != "alpha":
        return values
    return [None if v is None else v * v / (4.0 * math.pi) for v in values]
