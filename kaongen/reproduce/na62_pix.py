"""NA62's search for K+ -> pi+ X, JHEP 03 (2021) 058, beside kaongen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.figure import Figure
from kaongen.analysis.pion_x_result import scan_of_lifetime
from kaongen.analysis.record import Kind, Number
from kaongen.analysis.result import Result, Scan
from kaongen.papers import limits
from kaongen.papers import na62_pix as paper
from kaongen.reproduce.na62_pix_figures import figures

CARD = "na62-pix"
CARDS = (CARD,)

SENSITIVITY_MASSES = (0.06, 0.09, 0.17, 0.2, 0.24)
E949_MASSES = (0.02, 0.06, 0.17, 0.2, 0.23)
"""GeV: where figures 2 and 4 are looked at."""

Floats = NDArray[np.float64]


def compare(results: Mapping[str, Result]) -> tuple[list[Number], list[Figure]]:
    """Numbers beside the published ones and the paper's figures, from the result of the card `na62-pix`."""
    result = results[CARD]
    stable = result.scan("stable")
    numbers = [
        *_best_limits(result),
        *_sensitivities(stable),
        *_backgrounds(result),
        *_significances(result),
        *_dark_scalar(result.scan("dark-scalar-visible")),
        *_e949(result),
        *_cross_check(result),
    ]
    return numbers, figures(result)


def _number(
    name: str,
    value: float | None,
    kind: Kind = "prediction",
    published: float | None = None,
    error: float | None = None,
    published_error: float | None = None,
    reference: str = paper.REFERENCE,
) -> list[Number]:
    """The number, or none where there is no value."""
    if value is None or not math.isfinite(value):
        return []
    return [
        Number(
            name=name,
            value=value,
            error=error,
            kind=kind,
            published=published,
            published_error=published_error,
            reference=reference,
        )
    ]


def _best_limits(result: Result) -> list[Number]:
    made = []
    low, high = paper.BEST_LIMIT_MASSES
    first, last = paper.MASSES_1
    for scan, text, published in (
        (result.scan("stable"), "stable", paper.BEST_LIMIT),
        (_lifetime(result, 100.0), "100 ns", paper.BEST_LIMIT),
        (_lifetime(result, 10.0), "10 ns", paper.BEST_LIMIT),
        (_lifetime(result, 5.0), "5 ns", paper.BEST_LIMIT),
    ):
        if scan is not None:
            least = _least(scan, scan.observed, low, high)
            made += _number(f"strongest limit on BR(K+ -> pi+ X), 160-250 MeV, {text}", least, published=published)
    stable = result.scan("stable")
    made += _number(
        "the same, median expected, stable", _least(stable, stable.expected, low, high), published=paper.BEST_LIMIT
    )
    made += _number(
        "strongest limit on BR(K+ -> pi+ X), 0-110 MeV, stable", _least(stable, stable.observed, first, last)
    )
    made += _number("the same, median expected", _least(stable, stable.expected, first, last))
    return made


def _sensitivities(stable: Scan) -> list[Number]:
    made = []
    ses, resolution = (stable.column(name) for name in ("sensitivity", "resolution_corrected"))
    acceptance = stable.column("acceptance")
    for mass in SENSITIVITY_MASSES:
        at = f"pi+ X, {1e3 * mass:g} MeV"
        figure = f"{paper.REFERENCE}, figure 2"
        low, high = paper.BEST_LIMIT_MASSES
        # figure 2 is not tabulated: what the strongest limit says if no event was seen there
        least = paper.BEST_LIMIT / -math.log(0.1) if low < mass < high else None
        source = figure if least is None else f"{paper.REFERENCE}, strongest limit over 2.30"
        made += _number(f"{at}: single-event sensitivity", _at(stable, ses, mass), published=least, reference=source)
        made += _number(f"{at}: acceptance", _at(stable, acceptance, mass), reference=figure)
        made += _number(f"{at}: resolution of m2_miss, GeV^2", _at(stable, resolution, mass), reference=figure)
    spacing = _at(stable, resolution, 0.26 - paper.MASS_STEP)
    made += _number(
        "resolution over the distance of neighbouring m_X^2 at 260 MeV (published: above 1)",
        None if spacing is None else spacing / paper.RESOLUTION_LEAST_AT_260,
    )
    return made


def _backgrounds(result: Result) -> list[Number]:
    made = []
    simulated = next(s for s in result.samples if s.process == "pinunu" and s.zone == "volume").yields
    for number, known, total, seen in (
        (1, paper.EXPECTED_1, paper.BACKGROUND_TOTAL[0], paper.OBSERVED[0]),
        (2, paper.EXPECTED_2, paper.BACKGROUND_TOTAL[1], paper.OBSERVED[1]),
    ):
        region = f"region {number}"
        value = simulated[region]
        made += _number(
            f"K+ -> pi+ nu nubar, {region}", value.value, "prediction", known.value, value.error, known.error
        )
        integral = math.fsum(result.spectrum(f"polynomial-{number}").expected["polynomial"])
        made += _number(f"background, {region}", integral, "input", total.value, None, total.error)
        made += _number(f"observed, {region}", float(seen), "input", float(seen))
    both = [simulated[f"region {number}"] for number in (1, 2)]
    if both[0].value > 0.0 and both[1].value > 0.0:
        ratio = both[1].value / both[0].value
        error = ratio * math.hypot(*(v.error / v.value for v in both))
        known = paper.REGION_RATIO
        made += _number(
            "K+ -> pi+ nu nubar, region 2 over region 1", ratio, "prediction", known.value, error, known.error
        )
    return made


def _significances(result: Result) -> list[Number]:
    stable = result.scan("stable")
    local = stable.column("local_p")
    made = []
    for mass in paper.OBSERVED_MASSES:
        made += _number(f"local p-value at {1e3 * mass:g} MeV", _at(stable, local, mass))
    made += [n for n in result.numbers if n.name == "global p-value of the scan"]
    return made


def _dark_scalar(visible: Scan) -> list[Number]:
    """sin(theta) at the lower end of what is excluded over that of figure 5, along the digitised curve."""
    made = []
    limit = [None if s is None else math.sqrt(s) for s in visible.observed or []]
    for number, (first, last) in enumerate((paper.MASSES_1, paper.MASSES_2), start=1):
        ratios = [
            ours / known
            for mass, known in paper.BC4_LIMIT
            if first <= mass <= last and (ours := _at(visible, limit, mass)) is not None
        ]
        if ratios:
            text = f"limit on sin(theta) of a dark scalar over the published, region {number}"
            reference = f"{paper.REFERENCE}, figure 5, digitised"
            for name, value in (("median", float(np.median(ratios))), ("least", min(ratios)), ("largest", max(ratios))):
                made += _number(f"{text}: {name}", value, published=1.0, reference=reference)
    return made


def _e949(result: Result) -> list[Number]:
    """Limits over those of E787 and E949, at the same mass and lifetime."""
    made = []
    for lifetime, (masses, known) in limits.e949_pix().items():
        scan = _lifetime(result, lifetime)
        if scan is None or lifetime not in (1.0, 10.0):
            continue
        for mass in E949_MASSES:
            ours = _at(scan, scan.observed, mass)
            if ours is not None and masses[0] <= mass <= masses[-1]:
                theirs = float(np.exp(np.interp(mass, masses, np.log(known))))
                # a factor of O(10) stronger in region 2, competitive in region 1
                published = (0.1 if mass > paper.MASSES_2[0] else 1.0) if lifetime == 10.0 else None
                made += _number(
                    f"limit over that of E949, {1e3 * mass:g} MeV, {lifetime:g} ns", ours / theirs, published=published,
                    reference=f"{paper.REFERENCE}, figure 4, orders of magnitude",
                )  # fmt: skip
    return made


def _cross_check(result: Result) -> list[Number]:
    shape, counting = result.scan("stable"), result.scan("counting")
    ratios = [
        b / a
        for a, b in zip(shape.expected or [], counting.expected or [], strict=True)
        if a is not None and b is not None
    ]
    value = float(np.median(ratios)) if ratios else None
    return _number("expected limit by counting over that of the shape analysis, median", value, published=1.0)


def _lifetime(result: Result, lifetime: float) -> Scan | None:
    name = scan_of_lifetime(lifetime)
    return next((scan for scan in result.scans if scan.name == name), None)


def _least(scan: Scan, values: Sequence[float | None] | None, low: float, high: float) -> float | None:
    inside = [v for m, v in zip(scan.points, values or [], strict=False) if v is not None and low <= m <= high]
    return min(inside, default=None)


def _at(scan: Scan, values: Sequence[float | None] | None, mass: float) -> float | None:
    """Between the neighbouring points linear in the logarithm; None where there is none on either side."""
    for (m1, v1), (m2, v2) in pairwise(zip(scan.points, values or [], strict=False)):
        if m1 - 1e-9 <= mass <= m2 + 1e-9 and _same_region(m1, m2) and v1 and v2:
            part = (mass - m1) / (m2 - m1)
            return math.exp((1.0 - part) * math.log(v1) + part * math.log(v2))
    return None


def _same_region(m1: float, m2: float) -> bool:
    return not (m1 <= paper.MASSES_1[1] and m2 >= paper.MASSES_2[0])
