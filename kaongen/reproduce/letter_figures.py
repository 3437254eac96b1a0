"""The letter's figures on X that is not seen, as data; those on three muons come from the di-muon search."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from kaongen.analysis import dimuon_figures
from kaongen.analysis.figure import Curve, Figure, Style
from kaongen.analysis.record import Axis
from kaongen.analysis.result import Result, Scan
from kaongen.models import g_minus_2
from kaongen.models.lmu_ltau import DarkMatter, Kind, thermal_coupling
from kaongen.models.muonic_scalar import MuonicScalar
from kaongen.papers import letter
from kaongen.reproduce.letter_reach import BLUE, GREEN, PALE, RED, mass_axis, sensitivity, shapes

COMPARISON = "2011-davier"
"""Measurement and prediction of (g - 2)_mu of the letter's time: 3.6 standard deviations."""
MODERN = "2025"
_ALPHA = Axis(name="alpha_phi", label=r"$\alpha_\phi = y_\phi^2/4\pi$")
COUPLINGS, ALPHAS = (2e-4, 0.1), (1e-9, 1e-3)
"""Ranges that are drawn."""

Convert = Callable[[float], float]


def figures(invisible: Result, dimuon: Result | None) -> list[Figure]:
    """All of them, in the letter's order."""
    there = {scan.name.partition("-")[0] for scan in invisible.scans}
    made = []
    if "vector" in there:
        made += [_vector(invisible, dimuon), _vector_with_dark_matter(invisible)]
    if "scalar" in there:
        made += [_scalar(invisible, dimuon), _unseen_scalar(invisible)]
    made.append(_rates(invisible))
    if "vector" in there:
        made += [shapes(invisible), sensitivity(invisible)]
    if dimuon is not None:
        made.append(dimuon_figures.pairs(dimuon).model_copy(update={"name": "letter-6"}))
    return made


def _alpha(coupling: float) -> float:
    return coupling * coupling / (4.0 * math.pi)


def _same(coupling: float) -> float:
    return coupling


def _vector(invisible: Result, dimuon: Result | None) -> Figure:
    curves = [*_g_minus_2(invisible, "vector", _same), *_red(invisible, "vector", "coupling", _same)]
    if dimuon is not None:
        curves.append(_blue(dimuon, "vector", "coupling"))
    return Figure(
        name="letter-1-left",
        title="Vector of L_mu - L_tau that decays to neutrinos and muons",
        x=mass_axis("V"),
        y=Axis(name="g_V", label="$g_V$"),
        log_x=True,
        log_y=True,
        y_range=COUPLINGS,
        curves=curves,
        reference=f"{letter.REFERENCE}, figure 1 (left)",
    )


def _vector_with_dark_matter(invisible: Result) -> Figure:
    masses = np.geomspace(0.003, 0.36, 6)
    names: dict[Kind, str] = {"scalar": "complex scalar", "majorana": "Majorana", "dirac": "Dirac"}
    targets = [
        Curve(
            label=f"dark matter by freeze-out, {name}, $m_V = 3 m_\\chi$, charge 1",
            x=masses.tolist(),
            y=[thermal_coupling(float(m), DarkMatter(kind, float(m) / 3.0), resonant=False) for m in masses],
            style="dotted",
            colour="tab:purple",
            reference=f"{letter.REFERENCE}, section II.B",
        )
        for kind, name in names.items()
    ]
    return Figure(
        name="letter-1-right",
        title="Vector of L_mu - L_tau that decays to dark matter",
        x=mass_axis("V"),
        y=Axis(name="g_V", label="$g_V$"),
        log_x=True,
        log_y=True,
        y_range=COUPLINGS,
        curves=[
            *_g_minus_2(invisible, "vector", _same),
            *_red(invisible, "vector", "coupling_dark_matter", _same),
            *targets,
        ],
        reference=f"{letter.REFERENCE}, figure 1 (right)",
    )


def _scalar(invisible: Result, dimuon: Result | None) -> Figure:
    blue = [] if dimuon is None else [_blue(dimuon, "scalar", "alpha")]
    return Figure(
        name="letter-2-left",
        title="Scalar that couples to muons, and decays to them or to photons",
        x=mass_axis("\\phi"),
        y=_ALPHA,
        log_x=True,
        log_y=True,
        y_range=ALPHAS,
        curves=[*_scalar_curves(invisible), *blue, _long_lived()],
        reference=f"{letter.REFERENCE}, figure 2 (left)",
    )


def _unseen_scalar(invisible: Result) -> Figure:
    return Figure(
        name="letter-2-right",
        title="Scalar that couples to muons, and decays unseen",
        x=mass_axis("\\phi"),
        y=_ALPHA,
        log_x=True,
        log_y=True,
        y_range=ALPHAS,
        curves=_scalar_curves(invisible),
        reference=f"{letter.REFERENCE}, figure 2 (right)",
    )


def _scalar_curves(invisible: Result) -> list[Curve]:
    return [*_g_minus_2(invisible, "scalar", _alpha), *_red(invisible, "scalar", "coupling", _alpha)]


def _long_lived() -> Curve:
    """Where the decay length of equation (7) is that of the decay volume."""
    masses = np.geomspace(0.001, 0.2, 60)
    y = 1e-3
    # the length falls as 1/alpha
    lengths = [MuonicScalar(float(m), y).decay_length(letter.DECAY_LENGTH_ENERGY) for m in masses]
    return Curve(
        label=f"decay length {letter.DECAY_LENGTH:g} m at {letter.DECAY_LENGTH_ENERGY:g} GeV: unseen below",
        x=masses.tolist(),
        y=[_alpha(y) * length / letter.DECAY_LENGTH for length in lengths],
        style="dashed",
        colour="tab:gray",
        reference=f"{letter.REFERENCE}, (7)",
    )


def _g_minus_2(result: Result, boson: g_minus_2.Boson, convert: Convert) -> list[Curve]:
    """The band of the letter's time, and what later data leave: an upper end alone."""
    masses = result.scan(f"{boson}-likelihood-1e13").points
    bands = [g_minus_2.coupling_band(COMPARISON, boson, m) for m in masses]
    later = [g_minus_2.coupling_band(MODERN, boson, m)[1] for m in masses]
    low: list[float | None] = [convert(b[0]) for b in bands]
    high: list[float | None] = [convert(b[1]) for b in bands]
    known = g_minus_2.find(COMPARISON).difference.reference
    return [
        Curve(label=r"$(g-2)_\mu$ within $2\sigma$, 2011", x=masses, y=low, low=low, high=high, style="band",
              colour=PALE[GREEN], reference=known),
        Curve(label=rf"$(g-2)_\mu$ off by $2\sigma$, {MODERN}: excluded above", x=masses,
              y=[convert(v) for v in later], style="dashed", colour="darkgreen",
              reference=g_minus_2.find(MODERN).difference.reference),
    ]  # fmt: skip


def _red(result: Result, boson: g_minus_2.Boson, name: str, convert: Convert) -> list[Curve]:
    """Likelihood ratio and profile likelihood with 1e13 kaons."""
    made = []
    profile = _widest(result, f"{boson}-profile-1e13-bins-")
    if profile is not None:
        made.append(_bands(profile, name, convert))
    styles: tuple[tuple[str, str, Style], ...] = (
        ("", "simulated acceptance", "line"),
        ("-assumed", "acceptance 0.35", "dashed"),
    )
    for suffix, text, style in styles:
        scan = result.scan(f"{boson}-likelihood-1e13{suffix}")
        values = [None if v is None else convert(v) for v in scan.column(name)]
        label = f"$10^{{13}}$ kaons, X unseen, {text}"
        made.append(Curve(label=label, x=scan.points, y=values, style=style, colour=RED, reference=scan.reference))
    return made


def _widest(result: Result, prefix: str) -> Scan | None:
    """The scan with the largest error of the background: the last."""
    return next((scan for scan in reversed(result.scans) if scan.name.startswith(prefix)), None)


def _bands(scan: Scan, name: str, convert: Convert) -> Curve:
    """One standard deviation of the expected limit around its median, as couplings."""
    middle, expected = scan.column(name), scan.expected or []
    edges: list[list[float | None]] = []
    for band in ("-1", "+1"):
        edges.append(
            [
                None if c is None or e is None or b is None else convert(c * math.sqrt(b / e))
                for c, e, b in zip(middle, expected, scan.bands[band], strict=True)
            ]
        )
    values = [None if c is None else convert(c) for c in middle]
    label = f"{scan.title}, $\\pm 1\\sigma$"
    return Curve(label=label, x=scan.points, y=values, low=edges[0], high=edges[1], style="band", colour="bisque")


def _blue(dimuon: Result, boson: g_minus_2.Boson, quantity: Literal["coupling", "alpha"]) -> Curve:
    curve = dimuon_figures.sensitivity(dimuon.scan(f"{boson}-coupling"), quantity)
    return curve.model_copy(update={"colour": BLUE, "label": f"$10^{{13}}$ kaons, di-muon resonance, {curve.label}"})


def _rates(result: Result) -> Figure:
    """Figure 4: branching fractions at coupling 1."""
    curves = []
    for process, coupling, label, colour in (
        ("munuV", "g", "vector, $g_V = 1$", RED),
        ("munuphi", "y", r"scalar, $y_\phi = 1$", "black"),
    ):
        found = sorted(
            (s.parameters["m_X"], s.branching_fraction / s.parameters[coupling] ** 2)
            for s in result.samples
            if s.process == process and s.branching_fraction
        )
        curves.append(
            Curve(label=label, x=[m for m, _ in found], y=[b for _, b in found], colour=colour,
                  reference=f"{letter.REFERENCE}, (A.7) and (A.8) corrected")
        )  # fmt: skip
    return Figure(
        name="letter-4",
        title="K+ -> mu+ nu X for couplings of 1",
        x=mass_axis("X"),
        y=Axis(name="branching_fraction", label=r"$B(K^+ \to \mu^+ \nu X)$"),
        log_y=True,
        curves=[curve for curve in curves if curve.x],
        reference=f"{letter.REFERENCE}, figure 4",
    )
