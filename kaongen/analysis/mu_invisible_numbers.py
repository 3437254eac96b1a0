"""Numbers of the search for K+ -> mu+ + invisible beside those of NA62, Phys. Lett. B 816 (2021) 136259."""

from __future__ import annotations

import math

from kaongen.analysis.mu_invisible_samples import Samples, lines, region_name
from kaongen.analysis.record import Number
from kaongen.errors import EventFileError
from kaongen.papers import na62_mu as paper
from kaongen.particles import BR_K_MUNU
from kaongen.searches.mu_invisible import MuInvisible
from kaongen.statistics.limit import UpperLimit

_REF = paper.REFERENCE


def numbers(samples: Samples, settings: MuInvisible, limit: UpperLimit) -> list[Number]:
    """Inputs, tuned numbers and predictions.

    Parameters
    ----------
    samples, settings
        Of the search.
    limit
        On the events above the cut of the published counts.

    Raises
    ------
    EventFileError
        If no event of the normalisation lies in its peak.
    """
    low = settings.signal_region
    found = [
        Number(name="K+ decays in the data set", value=settings.n_kaons, kind="input", published=paper.N_KAONS.value,
               published_error=paper.N_KAONS.error, reference=_REF),
        Number(name="normalisation events", value=paper.N_NORMALISATION, kind="input",
               published=paper.N_NORMALISATION, reference=_REF),
    ]  # fmt: skip
    if settings.observed is not None:
        known = paper.OBSERVED if _published_region(low) else None
        found.append(
            Number(name=f"observed, {region_name(low)}", value=settings.observed, kind="input", published=known,
                   reference=_REF)
        )  # fmt: skip
    return [
        *found,
        *_peak(samples),
        *_acceptances(samples, low),
        *_backgrounds(samples, low),
        *_limits(limit, settings),
    ]


def _published_region(low: float) -> bool:
    return math.isclose(low, paper.SIGNAL_REGION)


def _peak(samples: Samples) -> list[Number]:
    normalisation, window = samples.normalisation, paper.NORMALISATION_WINDOW
    a_sm = normalisation.acceptance(-window, window)
    if a_sm.value <= 0.0:
        generated = normalisation.events.tally.generated
        raise EventFileError(
            f"none of {generated} decays of the sample {normalisation.info.name!r} was selected in the peak: "
            "it needs more candidates"
        )
    n_kaons = paper.N_NORMALISATION / (a_sm.value * BR_K_MUNU.value)
    return [
        Number(name="acceptance of K+ -> mu+ nu", value=a_sm.value, error=a_sm.error, kind="tuned",
               published=paper.ACCEPTANCE_MUNU.value, published_error=paper.ACCEPTANCE_MUNU.error, reference=_REF),
        Number(name="K+ decays from the K+ -> mu+ nu peak", value=n_kaons, error=n_kaons * a_sm.error / a_sm.value,
               kind="tuned", published=paper.N_KAONS.value, published_error=paper.N_KAONS.error, reference=_REF),
        Number(name="m2_miss resolution at the peak, GeV^2", value=normalisation.width(), kind="prediction",
               published=paper.RESOLUTION_M2_MISS, reference=_REF),
    ]  # fmt: skip


def _acceptances(samples: Samples, low: float) -> list[Number]:
    found = []
    for s in samples.signals:
        if s.info.process != "mununubarnu":
            continue
        inside = paper.ACCEPTANCE_MUNUNUNU_SIGNAL_REGION if _published_region(low) else None
        for text, cut, value in (
            ("acceptance of K+ -> mu+ nu nu nubar", -math.inf, paper.ACCEPTANCE_MUNUNUNU),
            (f"the same, {region_name(low)}", low, inside),
        ):
            a = s.acceptance(cut)
            found.append(
                Number(name=text, value=a.value, error=a.error, kind="prediction", published=value, reference=_REF)
            )
    return found


def _backgrounds(samples: Samples, low: float) -> list[Number]:
    found = []
    for line, parts in lines([samples.normalisation, *samples.backgrounds]).items():
        expected = [s.expected(low) for s in parts]
        known = paper.BACKGROUND.get(line) if _published_region(low) else None
        found.append(
            Number(name=f"background {line}, {region_name(low)}", value=math.fsum(e.value for e in expected),
                   error=math.hypot(*(e.error for e in expected)), kind="prediction",
                   published=known.value if known else None, published_error=known.error if known else None,
                   reference=_REF)
        )  # fmt: skip
    return found


def _limits(limit: UpperLimit, settings: MuInvisible) -> list[Number]:
    # the paper's limits are at 90%, for its counts
    counts = (settings.observed, settings.background, settings.background_error)
    same = math.isclose(limit.confidence_level, 0.9) and counts == (
        paper.OBSERVED, paper.BACKGROUND_TOTAL.value, paper.BACKGROUND_TOTAL.error,
    )  # fmt: skip
    rows = [("expected limit on signal events", limit.expected, paper.LIMIT_EXPECTED)]
    if limit.observed is not None:
        rows.insert(0, ("observed limit on signal events", limit.observed, paper.LIMIT_OBSERVED))
    return [
        Number(name=text, value=value, kind="prediction", published=known if same else None, reference=_REF)
        for text, value, known in rows
    ]
