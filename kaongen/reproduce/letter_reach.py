"""The letter's figure 5 as data: what background and signals look like, and how far errors of the background matter."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kaongen.analysis.figure import Curve, Figure, Histogram
from kaongen.analysis.record import Axis
from kaongen.analysis.result import Result
from kaongen.papers import letter

SHAPES = (0.01, 0.1, 0.2, 0.3)
"""Masses (GeV) whose distributions of m2_miss are drawn."""
RED, BLUE, GREEN = "tab:red", "tab:blue", "tab:green"
PALE = {BLUE: "lightsteelblue", GREEN: "palegreen"}


def mass_axis(symbol: str) -> Axis:
    return Axis(name="m_X", label=f"$m_{{{symbol}}}$", unit="GeV")


def shapes(result: Result) -> Figure:
    """Figure 5 (left): distributions of m2_miss, each normalised to 1."""
    simulated = result.spectrum("vector-simulated")
    backgrounds = [s for s in result.spectra if s.name.startswith("background-") and s.name != "background-simulated"]
    parts = [
        _shape(f"$m_V$ = {1e3 * mass:g} MeV", simulated.edges, simulated.expected[f"{1e3 * mass:g}"])
        for mass in SHAPES
        if f"{1e3 * mass:g}" in simulated.expected
    ]
    parts = [
        *(_shape(s.title, s.edges, np.sum(list(s.expected.values()), axis=0).tolist()) for s in backgrounds),
        *parts,
    ]
    return Figure(
        name="letter-5-left",
        title="Missing mass squared of K+ -> mu+ nu V and of the background of 2015",
        x=simulated.x,
        y=Axis(name="share", label="share of events per bin"),
        log_y=True,
        y_range=(1e-4, 1.0),
        histograms=parts,
        reference=f"{letter.REFERENCE}, figure 5 (left)",
    )


def _shape(label: str, edges: Sequence[float], values: Sequence[float]) -> Histogram:
    total = math.fsum(values) or 1.0
    return Histogram(label=label, edges=list(edges), values=[v / total for v in values])


def sensitivity(result: Result) -> Figure:
    """Figure 5 (right): cut and count for several errors of the background, and the likelihood ratio."""
    curves = []
    for label, text, colour in (("1e8", "$10^8$ kaons of 2015", BLUE), ("1e13", "$10^{13}$ kaons", GREEN)):
        found = [s for s in result.scans if s.name.startswith(f"vector-cut-{label}-") and "assumed" not in s.name]
        smallest, largest = found[0].column("coupling"), found[-1].column("coupling")
        largest_kappa = float(found[-1].name.rpartition("kappa-")[2])
        spread = rf"\kappa_\mathrm{{min}}$ to {largest_kappa:g}"
        curves.append(
            Curve(label=f"{text}, cut and count, ${spread}", x=found[0].points, y=smallest, low=smallest,
                  high=largest, style="band", colour=PALE[colour], reference=found[0].reference)
        )  # fmt: skip
        curves += [
            Curve(label=scan.title, x=scan.points, y=scan.column("coupling"), style="dotted", colour=colour)
            for scan in found[1:-1]
        ]
    dashed = (
        ("vector-equal-1e8", "S = B, 2015", RED),
        ("vector-likelihood-1e13", "$10^{13}$ kaons, likelihood ratio", "black"),
    )
    curves += [
        Curve(label=text, x=result.scan(name).points, y=result.scan(name).column("coupling"), style="dashed",
              colour=colour, reference=result.scan(name).reference)
        for name, text, colour in dashed
    ]  # fmt: skip
    return Figure(
        name="letter-5-right",
        title="Reach of the search for X that is not seen",
        x=mass_axis("V"),
        y=Axis(name="g_V", label="$g_V$"),
        log_x=True,
        log_y=True,
        curves=curves,
        reference=f"{letter.REFERENCE}, figure 5 (right)",
    )
