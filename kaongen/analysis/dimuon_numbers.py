"""Numbers of the search for three muons beside the published ones, and what a first observation would take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kaongen.analysis.dimuon_limits import Resolution
from kaongen.analysis.dimuon_samples import Continuum
from kaongen.analysis.dimuon_windows import mass_error, momentum_error, selected
from kaongen.analysis.record import Number, Value
from kaongen.analysis.result import Scan
from kaongen.events.reader import EventSet
from kaongen.papers import three_muons as paper
from kaongen.searches.dimuon import Dimuon
from kaongen.statistics.significance import asimov_significance


def numbers(
    events: EventSet[Any],
    continua: Sequence[Continuum],
    simulated: Mapping[str, Resolution],
    scans: Sequence[Scan],
    settings: Dimuon,
) -> list[Number]:
    """All of them."""
    nominal = continua[0]
    accepted = selected(events[nominal.sample])
    return [
        *_rates(continua),
        *_resolution(simulated, settings),
        *_observation(nominal, accepted, settings),
        *_normalisations(continua, scans, settings),
    ]


def _rates(continua: Sequence[Continuum]) -> list[Number]:
    known = {
        "": (paper.BRANCHING_FRACTION, paper.LETTER),
        "ib": (paper.BRANCHING_FRACTION_BREMSSTRAHLUNG, paper.BEG),
    }
    result = []
    for c in continua:
        if c.name == "quoted":
            continue
        published, reference = known.get(c.name, (None, ""))
        name = f"BR(K+ -> mu+ nu mu+ mu-), {c.title}"
        result.append(
            Number(name=name, value=c.branching_fraction, kind="prediction", published=published, reference=reference)
        )
    return result


def _resolution(simulated: Mapping[str, Resolution], settings: Dimuon) -> list[Number]:
    p = settings.muon_momentum
    made = [
        Number(
            name=f"sigma_p/p at {p:g} GeV", value=momentum_error(p, settings.momentum_resolution), kind="input",
            reference=f"{paper.LETTER}, (C.4) with its percent sign",
        ),
        Number(
            name=f"mass resolution delta m/m for muons of {p:g} GeV",
            value=mass_error(1.0, p, p, settings.momentum_resolution), kind="input",
            reference=f"{paper.LETTER}, (C.3)",
        ),
    ]  # fmt: skip
    shown = (*settings.figure_masses, paper.OTHER_BELOW, paper.LEADING_ABOVE)
    for model, found in simulated.items():
        for mass, error, lead in zip(found.masses, found.error, found.lead, strict=True):
            if all(abs(mass - wanted) > 1e-6 for wanted in shown):
                continue
            text = f"{model}, {1e3 * mass:.6g} MeV"
            name = f"{text}: simulated resolution delta m/m"
            made.append(Number(name=name, value=error / mass, kind="prediction", reference=f"{paper.LETTER}, (C.3)"))
            name = f"{text}: share of decays to the leading muon"
            made.append(Number(name=name, value=lead, kind="prediction", reference=f"{paper.LETTER}, figure 6"))
    return made


def _observation(nominal: Continuum, accepted: Value, settings: Dimuon) -> list[Number]:
    """K+ -> mu+ nu mu+ mu- itself: expected events, significance, and the limit of E787."""
    rate, kaons = nominal.branching_fraction, settings.n_kaons_recorded
    ways = {"assumed": Value(value=settings.assumed_acceptance), "simulated": accepted}
    made = [
        Number(name="acceptance of K+ -> mu+ nu mu+ mu-, simulated", value=accepted.value, error=accepted.error,
               kind="prediction", published=paper.ACCEPTANCE, reference=f"{paper.LETTER}: assumed"),
    ]  # fmt: skip
    none_seen = -math.log(1.0 - paper.CONFIDENCE_E787)
    for way, a in ways.items():
        expected = kaons * rate * a.value
        b = settings.other_background * expected
        z = float(asimov_significance(expected, b, settings.other_background_error * b))
        at = f"{way} acceptance"
        made += [
            Number(name=f"K+ -> mu+ nu mu+ mu- in {kaons:g} kaon decays, {at}", value=expected,
                   error=kaons * rate * a.error, kind="prediction", published=float(paper.EVENTS_RECORDED),
                   reference=f"{paper.LETTER}: at least"),
            Number(name=f"kaon decays for an event with 90% probability, {at}", value=math.log(10.0) / (rate * a.value),
                   kind="prediction"),
            Number(name=f"significance of a first observation with {settings.other_background:g} background events for "
                        f"each, known to {settings.other_background_error:.0%}, {at}", value=z, kind="prediction"),
            Number(name=f"kaon decays that reach the limit of E787 without an event, {at}",
                   value=none_seen / (paper.LIMIT_E787 * a.value), kind="prediction"),
        ]  # fmt: skip
    made.append(
        Number(name="kaon decays times acceptance of E787, without an event", value=none_seen / paper.LIMIT_E787,
               kind="prediction", reference="E787, Phys. Rev. Lett. 63 (1989) 2177")
    )  # fmt: skip
    made.append(
        Number(name="K+ -> mu+ nu mu+ mu- in these", value=rate * none_seen / paper.LIMIT_E787, kind="prediction",
               reference="E787 saw none")
    )  # fmt: skip
    return made


def _normalisations(continua: Sequence[Continuum], scans: Sequence[Scan], settings: Dimuon) -> list[Number]:
    """How much the continuum's normalisation moves the limits: the median over the masses with enough background.

    They move with the square root of it; shapes add a few percent, and the acceptance enters as 1/sqrt(A).
    """
    rates = {f"-{c.name}": c.branching_fraction for c in continua[1:]}
    made: list[Number] = []
    for model in ("vector", "scalar"):
        named = {scan.name: scan for scan in scans if scan.name.startswith(f"{model}-branching")}
        nominal = named.get(f"{model}-branching")
        if nominal is None:
            continue
        reference = _column(nominal, "sensitivity")
        enough = _column(nominal, "background") > _ENOUGH
        for name, scan in named.items():
            if scan is not nominal and enough.any():
                ratio = _column(scan, "sensitivity")[enough] / reference[enough]
                text = f"{name}: S/sqrt(B) = {settings.significance:g} over that of {nominal.name}, median"
                rate = rates.get(name.removeprefix(f"{model}-branching"))
                root = math.sqrt(rate / continua[0].branching_fraction) if rate else None
                why = f"square root of the ratio of branching fractions: {root:.3f}" if root else ""
                made.append(Number(name=text, value=float(np.median(ratio)), kind="prediction", reference=why))
    return made


_ENOUGH = 10.0
"""Events for which S/sqrt(B) says something."""


def _column(scan: Scan, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array(scan.column(name), dtype=np.float64)
