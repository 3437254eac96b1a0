"""NA62, Phys. Lett. B 816 (2021) 136259, beside kaongen: numbers and figures of `kaongen reproduce na62-mu`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.figure import Figure
from kaongen.analysis.record import Number
from kaongen.analysis.result import Result, Scan
from kaongen.papers import na62_mu as paper
from kaongen.reproduce import na62_mu_figures as figures
from kaongen.reproduce.curves import column

CARDS = ("na62-mu",)

SLICES = ((0.2, 0.24), (0.24, 0.28), (0.28, 0.32), (0.32, 0.36), (0.36, 0.38))
"""GeV: stretches in which the published limits on the mixing are compared, for they fluctuate from mass to mass."""
REACH = {"scalar": "munuphi", "vector": "munuv"}
_REF = paper.REFERENCE


def compare(results: Mapping[str, Result]) -> tuple[list[Number], list[Figure]]:
    """Numbers beside the published ones, and figures 2 to 5 and 7.

    Parameters
    ----------
    results
        Of `CARDS`, by name.
    """
    result = results["na62-mu"]
    numbers = [*result.numbers, *_mununubarnu(result), *_mixing(result), *_lifetimes(result), *_mediators(result)]
    return numbers, figures.all_figures(result)


def _mununubarnu(result: Result) -> list[Number]:
    """The limit with the published acceptance, and with the simulated one."""
    known = {scan.name: scan for scan in result.scans}
    observed = [(known[n].observed or [None])[0] if n in known else None for n in ("published-counts", "mununubarnu")]
    if observed[0] is None or observed[1] is None:
        return []
    value = observed[0] / (paper.N_KAONS.value * paper.ACCEPTANCE_MUNUNUNU_SIGNAL_REGION)
    text = "limit on BR(K+ -> mu+ nu nu nubar)"
    return [
        Number(name=f"{text}, published acceptance", value=value, kind="prediction",
               published=paper.BR_LIMIT_MUNUNUNU, reference=_REF),
        Number(name=f"{text}, simulated acceptance", value=observed[1], kind="prediction",
               published=paper.BR_LIMIT_MUNUNUNU, reference=_REF),
    ]  # fmt: skip


def published_over_expected(scan: Scan, low: float, high: float) -> NDArray[np.float64]:
    """Published observed limits on the mixing within [low, high) (GeV) over the expected ones of kaongen there."""
    known = np.array([point for point in paper.HNL_LIMIT if low <= point[0] < high])
    inside = [(m, e) for m, e in zip(scan.points, scan.expected or [], strict=True) if e is not None]
    if len(known) == 0 or not inside:
        return np.zeros(0)
    masses, expected = np.array(inside).T
    covered = (known[:, 0] >= masses[0] - 0.5e-3) & (known[:, 0] <= masses[-1] + 0.5e-3)
    return np.asarray(known[covered, 1] / np.exp(np.interp(known[covered, 0], masses, np.log(expected))))


def _mixing(result: Result) -> list[Number]:
    """Published, observed limits fluctuate around the expected ones: their geometric mean over a slice less so."""
    if not any(scan.name == "heavy-neutrino-mixing" for scan in result.scans):
        return []
    scan, found = result.scan("heavy-neutrino-mixing"), []
    ref = f"{_REF}, figure 5, digitised"
    for low, high in SLICES:
        ratio = published_over_expected(scan, low, high)
        if len(ratio) == 0:
            continue
        known = [limit for m, limit in paper.HNL_LIMIT if low <= m < high]
        mean = math.exp(float(np.mean(np.log(known))))
        name = f"limit on |U_mu4|^2, {1e3 * low:.0f}-{1e3 * high:.0f} MeV, mean at {len(known)} published masses"
        value = mean / math.exp(float(np.mean(np.log(ratio))))
        found.append(Number(name=name, value=value, kind="prediction", published=mean, reference=ref))
    ratio = published_over_expected(scan, SLICES[0][0], SLICES[-1][1])
    if len(ratio):
        for text, value in (("median", np.median(ratio)), ("smallest", ratio.min()), ("largest", ratio.max())):
            name = f"published over expected |U_mu4|^2, 200-380 MeV, {text}"
            found.append(Number(name=name, value=float(value), kind="prediction", reference=ref))
    return [*found, *_background_error(result)]


def _background_error(result: Result) -> list[Number]:
    """Relative error of the background in the window, from the side bands."""
    scan, found = result.scan("heavy-neutrino-events"), []
    background, error = column(scan, "background"), column(scan, "background_error")
    for mass, known in paper.HNL_BACKGROUND_ERROR:
        if scan.points[0] - 1e-9 <= mass <= scan.points[-1] + 1e-9:
            i = int(np.argmin(np.abs(np.array(scan.points) - mass)))
            found.append(
                Number(name=f"K+ -> mu+ N, relative background error at {1e3 * mass:.0f} MeV",
                       value=error[i] / background[i], kind="prediction", published=known, reference=_REF)
            )  # fmt: skip
    return found


def _lifetimes(result: Result) -> list[Number]:
    """By how much the acceptance is lower for an N that decays on its way."""
    found = []
    for lifetime, known in ((50.0, None), *paper.HNL_ACCEPTANCE_FACTOR.items()):
        scan = next((s for s in result.scans if s.name == f"heavy-neutrino-mixing-{lifetime:g}ns"), None)
        if scan is None:
            continue
        smallest = min(column(scan, "relative_acceptance"))
        if known is None:
            name, value, published = "largest loss", 1.0 - smallest, paper.HNL_ACCEPTANCE_LOSS_50_NS
        else:
            name, value, published = "largest factor", 1.0 / smallest, known
        found.append(
            Number(name=f"K+ -> mu+ N, acceptance for {lifetime:g} ns, {name}", value=value, kind="prediction",
                   published=published, reference=_REF)
        )  # fmt: skip
    return found


def _mediators(result: Result) -> list[Number]:
    """Limits on K+ -> mu+ nu X at the ends of the masses, and scalar against vector."""
    found, by_kind = [], {}
    for kind, name in REACH.items():
        scan = next((s for s in result.scans if s.name == name), None)
        if scan is None:
            continue
        best = [o if o is not None else e for o, e in zip(scan.observed or scan.expected or [], scan.expected or [],
                                                          strict=True)]  # fmt: skip
        by_kind[kind] = {m: value for m, value in zip(scan.points, best, strict=True) if value is not None}
        for mass, known in zip((min(by_kind[kind]), max(by_kind[kind])), paper.MUNUX_LIMIT_ORDER, strict=True):
            found.append(
                Number(name=f"limit on BR(K+ -> mu+ nu X), {kind}, {1e3 * mass:.0f} MeV",
                       value=by_kind[kind][mass], kind="prediction", published=known,
                       reference=f"{_REF}: order of magnitude")
            )  # fmt: skip
    if len(by_kind) == 2:
        scalar, vector = by_kind["scalar"], by_kind["vector"]
        ratio = {m: vector[m] / scalar[m] for m in scalar if m in vector}
        for text, value in (("smallest", min(ratio.values())), ("largest", max(ratio.values()))):
            name = f"limit on BR(K+ -> mu+ nu X), vector over scalar, {text}"
            found.append(Number(name=name, value=value, kind="prediction", reference=f"{_REF}: above 1"))
    return found
