"""Figures 2 to 5 and 7 of NA62, Phys. Lett. B 816 (2021) 136259, as data."""

from __future__ import annotations

from kaongen.analysis.figure import Curve, Figure, Histogram
from kaongen.analysis.record import Axis
from kaongen.analysis.result import Result, Scan
from kaongen.papers import limits
from kaongen.papers import na62_mu as paper
from kaongen.reproduce.curves import expectation, observation, of_column, published

_M_N = Axis(name="m_N", label=r"$m_N$", unit="GeV")
_M_X = Axis(name="m_X", label=r"$m_X$", unit="GeV")
_DRAWN = ("munuphi-50", "munuphi-300", "mununubarnu")
"""Signals that are drawn over the spectrum, where there are such samples."""


def all_figures(result: Result) -> list[Figure]:
    """All figures that the result has the scans for."""
    found = [_spectrum(result)]
    known = {scan.name: scan for scan in result.scans}
    if "heavy-neutrino-events" in known:
        events, branching, mixing = (known[f"heavy-neutrino-{name}"] for name in ("events", "branching", "mixing"))
        found += [_resolution(events), _acceptance(events), _events(events), _sensitivity(branching, mixing)]
        found += [_mixing(mixing), _lifetimes(result)]
    if "events-above-cut" in known:
        found.append(_cuts(known["events-above-cut"], known["published-counts"]))
    if "munuphi" in known or "munuv" in known:
        found += [_mediators(known), _couplings(known)]
    return found


def _reference(figure: str) -> str:
    return f"{paper.REFERENCE}, figure {figure}"


def _spectrum(result: Result) -> Figure:
    spectrum = result.spectrum("m2-miss")
    roles = {s.sample: s.role for s in result.samples}
    stacked = sorted((n for n in spectrum.expected if roles[n] != "signal"), key=lambda n: sum(spectrum.expected[n]))
    histograms = [
        Histogram(label=name, edges=spectrum.edges, values=spectrum.expected[name], errors=spectrum.errors[name],
                  style="stack")
        for name in stacked
    ]  # fmt: skip
    histograms += [
        Histogram(label=f"{name}, BR = $10^{{-4}}$", edges=spectrum.edges, values=spectrum.expected[name])
        for name in _DRAWN
        if name in spectrum.expected
    ]
    return Figure(
        name="na62-mu-figure-2",
        title="Squared missing mass of the selected events",
        x=spectrum.x,
        y=Axis(name="events", label="Events / 0.002 GeV$^2$"),
        log_y=True,
        y_range=(1.0, 1e10),
        histograms=histograms,
        reference=_reference("2"),
    )


def _resolution(events: Scan) -> Figure:
    return Figure(
        name="na62-mu-figure-3-left",
        title="Resolution of the missing mass",
        x=_M_N,
        y=Axis(name="resolution", label=r"$\sigma_m$", unit="GeV"),
        curves=[of_column(events, "resolution", "kaongen")],
        reference=_reference("3 left"),
    )


def _acceptance(events: Scan) -> Figure:
    return Figure(
        name="na62-mu-figure-3-right",
        title="Acceptance of the selection",
        x=_M_N,
        y=Axis(name="acceptance", label="Acceptance"),
        curves=[of_column(events, "acceptance", r"kaongen, within 1.5 $\sigma_m$")],
        reference=_reference("3 right"),
    )


def _events(events: Scan) -> Figure:
    curves = [*expectation(events, "expected limit"), *observation(events, "observed limit")]
    curves.append(of_column(events, "background", "expected background"))
    if any(c.name == "observed_events" for c in events.columns):
        curves.append(of_column(events, "observed_events", "observed events", "points"))
    return Figure(
        name="na62-mu-figure-4-left",
        title=r"Signal events, 90% CL",
        x=_M_N,
        y=Axis(name="events", label="Events"),
        log_y=True,
        curves=curves,
        reference=_reference("4 left"),
    )


def _sensitivity(branching: Scan, mixing: Scan) -> Figure:
    return Figure(
        name="na62-mu-figure-4-right",
        title="Single-event sensitivity",
        x=_M_N,
        y=Axis(name="sensitivity", label="Branching fraction, mixing"),
        log_y=True,
        curves=[
            of_column(branching, "single_event", r"BR($K^+ \to \mu^+ N$)", "dashed"),
            of_column(mixing, "single_event", r"$|U_{\mu4}|^2$"),
        ],
        reference=_reference("4 right"),
    )


def _earlier() -> list[Curve]:
    return [
        published(curve.name, curve.x.tolist(), curve.y.tolist(), curve.reference)
        for curve in limits.heavy_neutrino().values()
    ]


def _mixing(mixing: Scan) -> Figure:
    masses, values = zip(*paper.HNL_LIMIT, strict=True)
    observed = published("NA62 2016-2018, observed", masses, values, f"{_reference('5')}, digitised")
    return Figure(
        name="na62-mu-figure-5",
        title=r"Upper limits at 90% CL on $|U_{\mu4}|^2$",
        x=_M_N,
        y=Axis(name="mixing", label=r"$|U_{\mu4}|^2$"),
        log_y=True,
        x_range=(0.18, 0.4),
        y_range=(1e-9, 1e-4),
        curves=[*expectation(mixing), *observation(mixing), observed, *_earlier()],
        reference=_reference("5"),
    )


def _lifetimes(result: Result) -> Figure:
    prefix = "heavy-neutrino-mixing-"
    curves = [
        Curve(label=scan.title.rpartition(", ")[2], x=scan.points, y=list(scan.expected or []))
        for scan in result.scans
        if scan.name == prefix.rstrip("-") or scan.name.startswith(prefix)
    ]
    return Figure(
        name="na62-mu-lifetimes",
        title=r"Expected limits on $|U_{\mu4}|^2$ by the lifetime of $N$",
        x=_M_N,
        y=Axis(name="mixing", label=r"$|U_{\mu4}|^2$"),
        log_y=True,
        curves=curves,
        reference=f"{paper.REFERENCE}, section 5",
    )


def _cuts(events: Scan, counts: Scan) -> Figure:
    curves = [*expectation(events, "expected limit"), of_column(events, "background", "expected background")]
    reference = f"{paper.REFERENCE}, section 6"
    known = counts.points == [paper.SIGNAL_REGION]
    if known:
        curves += [
            published(
                "published background", [paper.SIGNAL_REGION], [paper.BACKGROUND_TOTAL.value], reference, "points"
            ),
            published("published observed events", [paper.SIGNAL_REGION], [paper.OBSERVED], reference, "points"),
            published("published observed limit", [paper.SIGNAL_REGION], [paper.LIMIT_OBSERVED], reference, "points"),
        ]
    return Figure(
        name="na62-mu-figure-7-left",
        title=r"Events above a cut on $m^2_\mathrm{miss}$",
        x=events.x,
        y=Axis(name="events", label="Events"),
        log_y=True,
        curves=curves,
        reference=_reference("7 left"),
    )


def _mediators(known: dict[str, Scan]) -> Figure:
    curves = []
    for name, kind, colour in (("munuphi", "scalar", "#bd1f01"), ("munuv", "vector", "#3f90da")):
        if name in known:
            scan = known[name]
            curves.append(
                Curve(label=f"{kind}, expected", x=scan.points, y=list(scan.expected or []), style="dashed",
                      colour=colour)
            )  # fmt: skip
            if scan.observed is not None:
                curves.append(
                    Curve(label=f"{kind}, published counts", x=scan.points, y=scan.observed, colour=colour)
                )  # fmt: skip
        if f"{name}-best-cut" in known:
            best = known[f"{name}-best-cut"]
            label = f"{kind}, expected, best cut on the simulated background"
            curves.append(Curve(label=label, x=best.points, y=list(best.expected or []), style="dotted", colour=colour))
    return Figure(
        name="na62-mu-figure-7-right",
        title=r"Upper limits at 90% CL on BR($K^+ \to \mu^+ \nu X$)",
        x=_M_X,
        y=Axis(name="branching_fraction", label=r"BR($K^+ \to \mu^+ \nu X$)"),
        log_y=True,
        curves=curves,
        reference=_reference("7 right"),
    )


def _couplings(known: dict[str, Scan]) -> Figure:
    curves = []
    for name, label in (("munuphi-coupling", r"scalar, Yukawa coupling $y$"), ("munuv-coupling", "vector, $g$")):
        if name in known:
            scan = known[name]
            curves.append(Curve(label=label, x=scan.points, y=list(scan.expected or []), style="dashed"))
            if scan.observed is not None:
                curves.append(Curve(label=f"{label}, published counts", x=scan.points, y=scan.observed))
    return Figure(
        name="na62-mu-couplings",
        title="Upper limits at 90% CL on the coupling of X to the muon",
        x=_M_X,
        y=Axis(name="coupling", label="Coupling"),
        log_y=True,
        curves=curves,
    )
