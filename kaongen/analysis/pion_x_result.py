"""What the search for K+ -> pi+ X reports: numbers, spectra and scans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kaongen.analysis.pion_x_background import Background
from kaongen.analysis.pion_x_couplings import PORTALS, Portal, excluded, invisible
from kaongen.analysis.pion_x_limits import Hypothesis, Significances, counting_limits, with_lifetime
from kaongen.analysis.record import Axis, Kind, Number, Value
from kaongen.analysis.result import BANDS, Column, Scan, Spectrum
from kaongen.papers import na62_pix as paper
from kaongen.searches.pion_x import PionX
from kaongen.statistics.limit import UpperLimit
from kaongen.statistics.significance import z_from_p

MASS = Axis(name="m_X", label=r"$m_X$", unit="GeV")
RATE = Axis(name="branching_fraction", label=r"BR($K^+\to\pi^+X$)")
M2_MISS = Axis(name="m2_miss", label=r"$m^2_\mathrm{miss}$", unit="GeV^2")

Limits = Mapping[float, UpperLimit]


def scan_of_lifetime(lifetime: float) -> str:
    """Name of the scan for a lifetime in ns: `lifetime-5ns`, `lifetime-200ps`."""
    picoseconds = round(1e3 * lifetime)
    return f"lifetime-{picoseconds // 1000}ns" if picoseconds % 1000 == 0 else f"lifetime-{picoseconds}ps"


def scans(tried: Sequence[Hypothesis], stable: Limits, found: Significances, settings: PionX) -> list[Scan]:
    """All limits against the mass of X."""
    figure = f"{paper.REFERENCE}, figure"
    columns, counted = _signal(tried, found), counting_limits(tried, settings)
    title, window = "X stable or decaying invisibly", "X stable, by counting within 2 sigma of each mass"
    made = [
        Scan.of_limits("stable", title, MASS, RATE, stable, columns, f"{figure} 4 left"),
        Scan.of_limits("counting", window, MASS, RATE, counted, reference=f"{paper.REFERENCE}, section 5"),
    ]
    for lifetime in settings.lifetimes:
        limits, shares = with_lifetime(tried, stable, lifetime)
        column = Column(name="escaping", description="share of the accepted X that get past MUV3", values=list(shares))
        title = f"X decaying visibly, with a lifetime of {lifetime:g} ns"
        name = scan_of_lifetime(lifetime)
        made.append(Scan.of_limits(name, title, MASS, RATE, limits, [column], f"{figure} 4 right"))
    for portal, number in zip(PORTALS, (5, 6), strict=True):
        axis = Axis(name="coupling", label=portal.label)
        hidden = invisible(portal, tried, stable)
        title = f"{portal.title}, X decaying invisibly"
        made.append(
            Scan.of_limits(f"{portal.name}-invisible", title, MASS, axis, hidden, reference=f"{figure} {number} right")
        )
        made.append(_visible(portal, tried, stable, axis, f"{figure} {number} left"))
    return made


def _visible(portal: Portal, tried: Sequence[Hypothesis], stable: Limits, axis: Axis, reference: str) -> Scan:
    def ends(part: Callable[[UpperLimit], float | None]) -> tuple[list[float | None], list[float | None]]:
        low: list[float | None] = []
        high: list[float | None] = []
        for h in tried:
            limit = part(stable[h.mass])
            interval = None if limit is None else excluded(portal, h, limit)
            low.append(None if interval is None else interval.low**portal.power)
            high.append(None if interval is None else interval.high**portal.power)
        return low, high

    observed, observed_high = ends(lambda limit: limit.observed)
    expected, expected_high = ends(lambda limit: limit.expected)
    bands = {band: ends(lambda limit, band=band: limit.bands[band])[0] for band in BANDS}  # type: ignore[misc]
    return Scan(
        name=f"{portal.name}-visible",
        title=f"{portal.title}, X decaying visibly: lower end of what is excluded",
        x=MASS,
        y=axis,
        points=[h.mass for h in tried],
        observed=observed,
        expected=expected,
        bands=bands,
        columns=[
            Column(name="observed_high", description="upper end of what is excluded", values=observed_high),
            Column(name="expected_high", description="upper end of what is expected to be", values=expected_high),
        ],
        method=next(iter(stable.values())).method,
        reference=reference,
    )


def _signal(tried: Sequence[Hypothesis], found: Significances) -> list[Column]:
    def column(name: str, unit: str, description: str, value: Callable[[Hypothesis], float]) -> Column:
        return Column(name=name, unit=unit, description=description, values=[value(h) for h in tried])

    return [
        column("region", "", "signal region", lambda h: float(h.region.number)),
        column("position", "GeV^2", "mean of the line in m2_miss", lambda h: h.position.value),
        column("position_error", "GeV^2", "its error", lambda h: h.position.error),
        column("resolution", "GeV^2", "standard deviation of the line, simulated", lambda h: h.width.value),
        column("resolution_error", "GeV^2", "its error", lambda h: h.width.error),
        column("resolution_corrected", "GeV^2", "the same as in data", lambda h: h.model.width),
        column("acceptance", "", "probability to be selected in the region", lambda h: h.acceptance.value),
        column("acceptance_error", "", "its error", lambda h: h.acceptance.error),
        column("sensitivity", "", "branching fraction that gives one event", lambda h: h.sensitivity),
        Column(name="q0", description="test statistic of a discovery", values=list(found.q0)),
        Column(name="local_p", description="probability of at least q0 without signal", values=list(found.local_p)),
    ]


def spectra(backgrounds: Sequence[Background]) -> list[Spectrum]:
    """Backgrounds in the signal regions, and the polynomials that stand for them."""
    made = []
    for b in backgrounds:
        number, edges = b.region.number, [float(e) for e in b.edges]
        text = f"{paper.REFERENCE}, table 1"
        made.append(
            Spectrum(
                name=f"region-{number}",
                title=f"backgrounds in signal region {number}",
                x=M2_MISS,
                edges=edges,
                expected={name: [float(v) for v in values] for name, values in b.parts.items()},
                errors={name: [float(v) for v in values] for name, values in b.errors.items()},
                normalisation=dict.fromkeys(b.parts, text),
                log=False,
            )
        )
        made.append(
            Spectrum(
                name=f"polynomial-{number}",
                title=f"polynomial that describes the background in signal region {number}",
                x=M2_MISS,
                edges=edges,
                expected={"polynomial": [float(v) for v in b.fitted]},
                errors={"polynomial": [0.0] * len(b.fitted)},
                normalisation={"polynomial": text},
                log=False,
            )
        )
    return made


def numbers(
    tried: Sequence[Hypothesis], stable: Limits, found: Significances, kaons: Value, settings: PionX
) -> list[Number]:
    """The search in numbers, beside the published ones."""
    ref = paper.REFERENCE
    kind: Kind = "input" if settings.sensitivity == "pinunu" else "prediction"
    made = [
        Number(name="K+ decays recorded, without accidental activity", value=kaons.value, error=kaons.error, kind=kind,
               published=paper.N_KAONS_2017.value * paper.RANDOM_VETO["2017"].value * paper.TRIGGER["2017"].value,
               reference=paper.N_KAONS_2017.reference),
    ]  # fmt: skip
    low, high = paper.BEST_LIMIT_MASSES
    observed = {m: limit.observed for m, limit in stable.items() if limit.observed is not None}
    inside = [value for mass, value in observed.items() if low <= mass <= high]
    published = paper.BEST_LIMIT if abs(settings.confidence_level - 0.9) < 1e-9 else None
    if inside:
        made.append(
            Number(name="strongest limit on BR(K+ -> pi+ X), 160-250 MeV", value=min(inside), kind="prediction",
                   published=published, reference=ref)
        )  # fmt: skip
    best = max(range(len(tried)), key=lambda i: found.q0[i])
    significance = max(float(z_from_p(found.local_p[best])), 0.0)
    made += [
        Number(name="mass of the most significant hypothesis, GeV", value=tried[best].mass, kind="prediction"),
        Number(name="its local p-value", value=found.local_p[best], kind="prediction"),
        Number(name="its local significance, sigma", value=significance, kind="prediction"),
        Number(name="global p-value of the scan", value=found.global_p, kind="prediction"),
    ]
    return made
