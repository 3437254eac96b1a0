"""The search for K+ -> mu+ N as scans: events, branching fraction, mixing, and mixing for shorter lifetimes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kaongen.analysis.heavy_neutrino import Point, Search
from kaongen.analysis.heavy_neutrino_data import global_p_value_of, local_significance
from kaongen.analysis.record import Axis, Number
from kaongen.analysis.result import Column, Scan, Spectrum
from kaongen.papers import na62_mu as paper
from kaongen.statistics.limit import UpperLimit

_MASS = Axis(name="m_N", label=r"$m_N$", unit="GeV")
_MIXING = Axis(name="mixing", label=r"Upper limit on $|U_{\mu4}|^2$")
_FRACTION = Axis(name="branching_fraction", label=r"Upper limit on BR($K^+ \to \mu^+ N$)")
_EVENTS = Axis(name="signal_events", label="Upper limit on signal events")


def scans(found: Search) -> list[Scan]:
    """Limits against m_N, "heavy-neutrino-events", "-branching", "-mixing", "-mixing-5ns" and so on."""
    points = found.points
    return [
        _scan("heavy-neutrino-events", "K+ -> mu+ N, signal events", _EVENTS, points, lambda p: p.limit,
              [*_line_columns(points), *_background_columns(points)], "figure 4 left"),
        _scan("heavy-neutrino-branching", "K+ -> mu+ N, branching fraction", _FRACTION, points,
              lambda p: p.limit.scaled(p.sensitivity),
              [_column("single_event", "Branching fraction of one event", [p.sensitivity for p in points])],
              "figure 4 right"),
        _scan("heavy-neutrino-mixing", "K+ -> mu+ N, mixing, stable N", _MIXING, points, _mixing,
              [_column("single_event", "Mixing of one event", [p.mixing_sensitivity for p in points])], "figure 5"),
        *(_lifetime(found, i) for i in range(len(found.lifetimes))),
    ]  # fmt: skip


def _scan(
    name: str,
    title: str,
    y: Axis,
    points: Sequence[Point],
    limit: Callable[[Point], UpperLimit | None],
    columns: Sequence[Column],
    figure: str,
) -> Scan:
    return Scan.of_limits(
        name, title, _MASS, y, {p.m_n: limit(p) for p in points}, columns, f"{paper.REFERENCE}, {figure}"
    )


def _mixing(p: Point) -> UpperLimit | None:
    return None if p.mixing_sensitivity is None else p.limit.scaled(p.mixing_sensitivity)


def _lifetime(found: Search, i: int) -> Scan:
    """Lines of an N that may decay where it would be seen are fewer: limits are higher in inverse proportion."""
    lifetime, points = found.lifetimes[i], found.points

    def limit(p: Point) -> UpperLimit | None:
        stable = _mixing(p)
        return None if stable is None or p.line.lasting[i] <= 0.0 else stable.scaled(1.0 / p.line.lasting[i])

    name = f"heavy-neutrino-mixing-{lifetime:g}ns".replace(".", "-").replace("+", "")
    columns = [_column("relative_acceptance", "Over that for a stable N", [p.line.lasting[i] for p in points])]
    return _scan(name, f"K+ -> mu+ N, mixing, lifetime {lifetime:g} ns", _MIXING, points, limit, columns, "section 5")


def _column(name: str, description: str, values: Sequence[float | None], unit: str = "") -> Column:
    return Column(name=name, unit=unit, description=description, values=list(values))


def _line_columns(points: Sequence[Point]) -> list[Column]:
    return [
        _column("resolution", "Resolution of the missing mass", [p.line.resolution for p in points], "GeV"),
        _column("acceptance", "Probability to be selected in the window", [p.line.acceptance for p in points]),
        _column("acceptance_error", "Its error from the simulation", [p.line.acceptance_error for p in points]),
    ]


def _background_columns(points: Sequence[Point]) -> list[Column]:
    columns = [
        _column("background", "Expected from the side bands", [p.background.expected for p in points]),
        _column("background_error", "Its uncertainty", [p.background.error for p in points]),
        _column("background_statistical", "Part of it: of the fit", [p.background.statistical for p in points]),
        _column("background_systematic", "Part of it: of its order", [p.background.systematic for p in points]),
    ]
    if all(p.expected is not None for p in points):
        columns += [
            _column("simulated", "Simulated background in the window", [p.expected for p in points]),
            _column("simulated_density", "Simulated background", [p.density for p in points], "1/GeV"),
            _column("simulated_density_error", "Its error", [p.density_error for p in points], "1/GeV"),
        ]
    if all(p.observed is not None for p in points):
        columns += [
            _column("observed_events", "Observed", [p.observed for p in points]),
            _column("significance", "Local, in standard deviations", significances(points)),
        ]
    return columns


def significances(points: Sequence[Point]) -> list[float]:
    """Local significance of the data at each mass."""
    return [
        local_significance(p.observed, p.background.expected, p.background.error)
        for p in points
        if p.observed is not None
    ]


def numbers(found: Search) -> list[Number]:
    """How far data are from no signal; none without data."""
    z = significances(found.points)
    if not z:
        return []
    best = max(range(len(z)), key=z.__getitem__)
    text = "K+ -> mu+ N, largest local significance"
    return [
        Number(name=f"{text}, standard deviations", value=z[best], kind="prediction", reference=paper.REFERENCE),
        Number(name=f"{text}: m_N, GeV", value=found.points[best].m_n, kind="prediction", reference=paper.REFERENCE),
        Number(name=f"{text}: global p-value", value=global_p_value_of(z), kind="prediction",
               reference=paper.REFERENCE),
    ]  # fmt: skip


def spectrum(found: Search) -> Spectrum:
    """The simulated missing mass, and its smooth description."""
    edges = np.array(found.edges)
    expected = {name: list(values) for name, (values, _) in found.contents.items()}
    errors = {name: [float(v) for v in np.sqrt(variances)] for name, (_, variances) in found.contents.items()}
    return Spectrum(
        name="m-miss",
        title="Missing mass of the simulated background",
        x=Axis(name="m_miss", label=r"$m_\mathrm{miss}$", unit="GeV"),
        edges=[float(e) for e in edges],
        expected=expected,
        errors=errors,
        normalisation=dict.fromkeys(expected, "events of the data set"),
    )
