"""K+ -> mu+ + invisible: from event files to acceptances, backgrounds and limits for the data of 2016-2018.

NA62, Phys. Lett. B 816 (2021) 136259. The counts above m2_miss = 0.1 GeV^2 are the published ones; what depends on the
detector is simulated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.result import (
    Acceptance,
    Background,
    CutLimit,
    Limit,
    Number,
    Result,
    SignalLimit,
    Spectrum,
    Value,
)
from kaongen.analysis.weighted import acceptance, core_width
from kaongen.errors import CardError
from kaongen.events.reader import EventSet, Sample
from kaongen.papers import na62_mu as paper
from kaongen.particles import BR_K_MUNU
from kaongen.production.card import Card
from kaongen.statistics.counting import CountingLimit, counting_limit
from kaongen.statistics.sensitivity import branching_fraction_limit

SPECTRUM_EDGES = np.linspace(-0.06, 0.16, 111)
"""GeV^2, 0.002 each."""
SIGNAL_BRANCHING_FRACTION = 1e-4
"""At which signals are drawn, as in the paper's figure 2."""
CUTS = np.round(np.arange(1, 8) * paper.CUT_STEP, 10)

_COUPLINGS = {"munuV": "g", "munuphi": "y"}
"""The parameter whose square the rate is proportional to."""


@dataclass(frozen=True)
class Selected:
    """The selected events of one sample, reduced to what this search needs."""

    name: str
    role: str
    sample: Sample
    m2_miss: NDArray[np.float64]
    weight: NDArray[np.float64]

    def acceptance(self, low: float = -math.inf, high: float = math.inf) -> Value:
        """Probability that a generated decay is selected with m2_miss between two cuts (GeV^2)."""
        inside = (self.m2_miss > low) & (self.m2_miss < high)
        return acceptance(self.weight[inside], max(self.sample.tally.generated, 1))

    def expected(self, low: float) -> Value:
        """Events above a cut in the published data set."""
        fraction = self.sample.info.branching_fraction or 0.0
        a = self.acceptance(low)
        scale = paper.N_KAONS.value * fraction
        return Value(value=scale * a.value, error=scale * a.error)


def check(card: Card) -> None:
    """Refuse a card that this search could not be done with.

    Raises
    ------
    CardError
        If the card has no sample for the normalisation, or its detector's configuration looks for another particle.
    """
    if card.configuration().candidate != "muon":
        raise CardError(
            f"mu_invisible looks for muons, and the detector {card.detector.configuration!r} for pions: "
            "use another configuration"
        )
    if not any(part.role == "normalisation" for part in card.sample):
        raise CardError('mu_invisible needs a sample with role = "normalisation"')


def analyse(events: EventSet, card: Card) -> Result:
    """The whole search.

    Parameters
    ----------
    events
        A complete run.
    card
        The card it was made from: roles of the samples, confidence level.

    Raises
    ------
    CardError
        If the card has no sample for the normalisation.
    """
    check(card)
    roles = {part.name: part.role for part in card.sample}
    selected = [_select(events[name], roles[name]) for name in events.samples]
    normalisation = next(s for s in selected if s.role == "normalisation")
    backgrounds = [s for s in selected if s.role == "background"]
    signals = [s for s in selected if s.role == "signal"]
    level = card.analysis.confidence_level
    published = counting_limit(paper.OBSERVED, paper.BACKGROUND_TOTAL.value, paper.BACKGROUND_TOTAL.error, level)
    cuts = [limit for cut in CUTS if (limit := _cut_limit(backgrounds, float(cut), level)) is not None]
    provenance = events.provenance
    return Result(
        analysis=card.analysis.name,
        run=card.run.name,
        kaongen_version=provenance.kaongen_version,
        card_sha256=provenance.card_sha256,
        seed=provenance.seed,
        detector=provenance.detector,
        confidence_level=level,
        n_kaons=Value(value=paper.N_KAONS.value, error=paper.N_KAONS.error),
        numbers=_numbers(normalisation, backgrounds, signals, published),
        acceptances=[_acceptance_row(s) for s in selected],
        backgrounds=[_background_row(s, backgrounds) for s in backgrounds],
        published_limit=_as_limit(published),
        cuts=cuts,
        signals=[row for s in signals if (row := _signal_row(s, published, cuts)) is not None],
        spectrum=_spectrum(selected),
    )


def _select(sample: Sample, role: str) -> Selected:
    columns = sample.columns("m2_miss", "weight")
    return Selected(sample.info.name, role, sample, columns["m2_miss"].astype(np.float64), columns["weight"])


def _numbers(
    normalisation: Selected, backgrounds: Sequence[Selected], signals: Sequence[Selected], limit: CountingLimit
) -> list[Number]:
    window = paper.NORMALISATION_WINDOW
    a_sm = normalisation.acceptance(-window, window)
    if a_sm.value <= 0.0:
        generated = normalisation.sample.tally.generated
        raise CardError(
            f"none of {generated} decays of the sample {normalisation.name!r} was selected: it needs more candidates"
        )
    n_kaons = paper.N_NORMALISATION / (a_sm.value * BR_K_MUNU.value)
    resolution = core_width(normalisation.m2_miss, normalisation.weight)
    ref = paper.REFERENCE
    numbers = [
        Number(name="K+ decays in the data set", value=paper.N_KAONS.value, kind="input", published=paper.N_KAONS.value,
               published_error=paper.N_KAONS.error, reference=ref),
        Number(name="normalisation events", value=paper.N_NORMALISATION, kind="input",
               published=paper.N_NORMALISATION, reference=ref),
        Number(name="observed, m2_miss > 0.1 GeV^2", value=paper.OBSERVED, kind="input", published=paper.OBSERVED,
               reference=ref),
        Number(name="acceptance of K+ -> mu+ nu", value=a_sm.value, error=a_sm.error, kind="tuned",
               published=paper.ACCEPTANCE_MUNU.value, published_error=paper.ACCEPTANCE_MUNU.error, reference=ref),
        Number(name="K+ decays from the K+ -> mu+ nu peak", value=n_kaons, error=n_kaons * a_sm.error / a_sm.value,
               kind="tuned", published=paper.N_KAONS.value, published_error=paper.N_KAONS.error, reference=ref),
        Number(name="m2_miss resolution at the peak, GeV^2", value=resolution, kind="prediction",
               published=paper.RESOLUTION_M2_MISS, reference=ref),
    ]  # fmt: skip
    for s in signals:
        if s.sample.info.process == "mununubarnu":
            for text, low, value in (
                ("acceptance of K+ -> mu+ nu nu nubar", -math.inf, paper.ACCEPTANCE_MUNUNUNU),
                ("the same, m2_miss > 0.1 GeV^2", paper.SIGNAL_REGION, paper.ACCEPTANCE_MUNUNUNU_SIGNAL_REGION),
            ):
                a = s.acceptance(low)
                numbers.append(
                    Number(name=text, value=a.value, error=a.error, kind="prediction", published=value, reference=ref)
                )
    for line, parts in _lines([normalisation, *backgrounds]).items():
        expected = [s.expected(paper.SIGNAL_REGION) for s in parts]
        known = paper.BACKGROUND.get(line)
        numbers.append(
            Number(name=f"background {line}, m2_miss > 0.1 GeV^2", value=math.fsum(e.value for e in expected),
                   error=math.hypot(*(e.error for e in expected)), kind="prediction",
                   published=known.value if known else None, published_error=known.error if known else None,
                   reference=ref)
        )  # fmt: skip
    assert limit.observed is not None
    for text, value, limit_known in (
        ("observed limit on signal events", limit.observed, paper.LIMIT_OBSERVED),
        ("expected limit on signal events", limit.expected, paper.LIMIT_EXPECTED),
    ):
        # the paper's limits are for 90%
        known_here = limit_known if math.isclose(limit.confidence_level, 0.9) else None
        numbers.append(Number(name=text, value=value, kind="prediction", published=known_here, reference=ref))
    return numbers


def _lines(samples: Sequence[Selected]) -> dict[str, list[Selected]]:
    """Samples by the line of the published table that they belong to: K+ -> mu+ nu is radiative or not, all zones."""
    lines: dict[str, list[Selected]] = {}
    for s in samples:
        process = s.sample.info.process
        lines.setdefault("munug" if process == "munu" else process, []).append(s)
    if [s.role for s in lines.get("munug", [])] == ["normalisation"]:
        del lines["munug"]
    return lines


def _acceptance_row(s: Selected) -> Acceptance:
    tally = s.sample.tally
    return Acceptance(
        sample=s.name,
        decay=s.sample.info.decay,
        role=s.role,
        generated=tally.generated,
        selected=tally.selected,
        above_bound=tally.above_bound,
        acceptance=s.acceptance(),
        signal_region=s.acceptance(paper.SIGNAL_REGION),
        branching_fraction=s.sample.info.branching_fraction,
    )


def _background_row(s: Selected, backgrounds: Sequence[Selected]) -> Background:
    """The published number stands beside a sample only if it is the whole line of the table."""
    process = s.sample.info.process
    alone = sum(other.sample.info.process == process for other in backgrounds) == 1
    known = paper.BACKGROUND.get(process) if alone else None
    return Background(
        sample=s.name,
        expected=s.expected(paper.SIGNAL_REGION),
        published=known.value if known else None,
        published_error=known.error if known else None,
    )


def _cut_limit(backgrounds: Sequence[Selected], cut: float, level: float) -> CutLimit | None:
    """Expected limit above a cut; the background's relative uncertainty is the published one, and the simulation's."""
    parts = [s.expected(cut) for s in backgrounds]
    total = math.fsum(p.value for p in parts)
    if total <= 0.0:
        return None
    relative = paper.BACKGROUND_TOTAL.error / paper.BACKGROUND_TOTAL.value
    error = math.hypot(relative * total, *(p.error for p in parts))
    limit = counting_limit(None, total, error, level)
    return CutLimit(m2_cut=cut, background=Value(value=total, error=error), limit=_as_limit(limit))


def _as_limit(limit: CountingLimit, scale: float = 1.0, power: float = 1.0) -> Limit:
    def scaled(events: float) -> float:
        return float((events * scale) ** power)

    bands = {
        "-2": limit.minus_two_sigma,
        "-1": limit.minus_one_sigma,
        "+1": limit.plus_one_sigma,
        "+2": limit.plus_two_sigma,
    }
    return Limit(
        observed=None if limit.observed is None else scaled(limit.observed),
        expected=scaled(limit.expected),
        bands={name: scaled(value) for name, value in bands.items()},
    )


def _signal_row(s: Selected, published: CountingLimit, cuts: Sequence[CutLimit]) -> SignalLimit | None:
    region = s.acceptance(paper.SIGNAL_REGION)
    if region.value <= 0.0:
        return None
    reach = {
        c.m2_cut: branching_fraction_limit(c.limit.expected, paper.N_KAONS.value, a.value)
        for c in cuts
        if (a := s.acceptance(c.m2_cut)).value > 0.0
    }
    best = min(reach, key=lambda cut: reach[cut], default=None)
    per_event = branching_fraction_limit(1.0, paper.N_KAONS.value, region.value)
    info = s.sample.info
    coupling = _COUPLINGS.get(info.process)
    coupling_limit = None
    if coupling and info.branching_fraction:
        # the rate is proportional to the coupling squared
        per_unit = info.branching_fraction / info.parameters[coupling] ** 2
        coupling_limit = _as_limit(published, per_event / per_unit, 0.5)
    return SignalLimit(
        sample=s.name,
        decay=info.decay,
        parameters=info.parameters,
        m2_cut=paper.SIGNAL_REGION,
        acceptance=region,
        branching_fraction=_as_limit(published, per_event),
        best_m2_cut=best,
        best_expected=None if best is None else reach[best],
        coupling=coupling,
        coupling_limit=coupling_limit,
    )


def _spectrum(selected: Sequence[Selected]) -> Spectrum:
    from hist import Hist, axis, storage

    expected, errors = {}, {}
    for s in selected:
        h = Hist(axis.Variable(SPECTRUM_EDGES, name="m2_miss"), storage=storage.Weight())
        h.fill(s.m2_miss, weight=s.weight)
        fraction = SIGNAL_BRANCHING_FRACTION if s.role == "signal" else s.sample.info.branching_fraction or 0.0
        scale = paper.N_KAONS.value * fraction / max(s.sample.tally.generated, 1)
        expected[s.name] = [float(v) for v in h.values() * scale]
        errors[s.name] = [float(v) for v in np.sqrt(h.variances()) * scale]
    return Spectrum(edges=[float(e) for e in SPECTRUM_EDGES], expected=expected, errors=errors)
