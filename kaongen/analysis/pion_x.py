"""K+ -> pi+ X, X invisible or long-lived: NA62, JHEP 03 (2021) 058, with the data of 2017."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kaongen.analysis.pi_selection import PionSelection
from kaongen.analysis.pion_x_background import Background, background, expected
from kaongen.analysis.pion_x_limits import Hypothesis, hypotheses, limits, significances
from kaongen.analysis.pion_x_regions import NEEDS, REGIONS, Region
from kaongen.analysis.pion_x_result import numbers, scans, spectra
from kaongen.analysis.pion_x_signal import SignalGrid, check_masses, masses_by_region, read_line
from kaongen.analysis.record import Value
from kaongen.analysis.requirements import require, require_of_card
from kaongen.analysis.result import Result, SampleSummary
from kaongen.analysis.summary import provenance_of, summarise
from kaongen.analysis.template import template
from kaongen.configuration import CONFIGURATIONS, Configuration, load
from kaongen.detector.data_taking import effective_kaons
from kaongen.errors import CardError, EventFileError
from kaongen.events.layout import SampleInfo
from kaongen.events.reader import Events, EventSet
from kaongen.papers import na62_pix as paper
from kaongen.production.card import Card
from kaongen.production.selection import Selection
from kaongen.production.source import info
from kaongen.searches.pion_x import PionX

SEARCH, CONFIGURATION = "pion_x", "na62-2017-pinunu"
PROCESSES = ("piX", "pinunu", "pipi0", "munu", "pipienu", "pipipi")
COLUMNS = ("weight", "kaon_pz", *NEEDS)

_ANY = (float("-inf"), float("inf"))
_KEPT = ((-0.010, paper.NORMALISATION_WINDOW[0]), (paper.NORMALISATION_WINDOW[1], 0.080))


def selection(settings: PionX, configuration: Configuration) -> Selection:
    """The pion's selection without the signal regions and the box, on both sides of the K+ -> pi+ pi0 peak.

    The analysis applies both: it needs the lines at the regions' edges, and pions from upstream inside the box.
    """
    rows = tuple((*paper.PION_MOMENTUM, *m2_miss, *_ANY, *_ANY) for m2_miss in _KEPT)
    return PionSelection(box=(PionSelection().box[0], 0.0, 0.0), regions=rows)


def check(card: Card) -> None:
    """Refuse a card that this search could not be done with.

    Raises
    ------
    CardError
        If the detector looks for another particle, a background or masses of X are missing, or an observed event is in
        no region.
    """
    samples, roles = [info(part) for part in card.sample], card.roles()
    require_of_card(
        samples,
        roles,
        card.detector.configuration,
        card.configuration().candidate,
        search=SEARCH,
        settings=card.analysis,
        candidate="pion",
        processes=PROCESSES,
        needed_roles=("signal", "background"),
    )
    if isinstance(card.analysis, PionX):
        _check_events(card.analysis)
        try:
            _check_samples(samples, roles, card.analysis)
        except EventFileError as problem:
            raise CardError(str(problem)) from None


def analyse(events: EventSet[Any], roles: Mapping[str, str], settings: PionX, run: str) -> Result:
    """The whole search.

    Parameters
    ----------
    events
        Of a complete run: signals piX at masses that enclose those searched for, the backgrounds, decays upstream.
    roles
        What each sample is for.
    settings
        Choices; the masses, and the observed events.
    run
        Name of the run.

    Raises
    ------
    EventFileError
        If shards, samples, columns or masses are missing, or the detector looks for another particle.
    CardError
        If an observed event is in no region.
    """
    require(
        events,
        roles,
        search=SEARCH,
        settings=settings,
        candidate="pion",
        columns=COLUMNS,
        processes=PROCESSES,
        needed_roles=("signal", "background"),
    )
    _check_events(settings)
    _check_samples([sample.info for sample in events.members], roles, settings)
    detector = events.provenance.detector
    configuration = load(detector if detector in CONFIGURATIONS else CONFIGURATION)
    members = list(events.members)
    backgrounds = [s for s in members if roles[s.info.name] == "background"]
    kaons = _kaons(backgrounds, configuration, settings)
    described = [background(backgrounds, region, settings.degree) for region in REGIONS]
    signals = {_mass(s.info): s for s in members if _is_signal(s.info, roles)}
    tried = [
        _hypotheses(signals, region, described[i], configuration.number("muv3.z"), kaons.value, settings)
        for i, region in enumerate(REGIONS)
    ]
    every = [h for of_region in tried for h in of_region]
    stable = limits(every, settings)
    found = significances(tried, settings)
    return Result(
        **provenance_of(events.provenance, settings, run),
        n_kaons=kaons,
        numbers=numbers(every, stable, found, kaons, settings),
        samples=[_summary(s, roles, kaons.value) for s in members],
        spectra=spectra(described),
        scans=scans(every, stable, found, settings),
    )


def _hypotheses(
    signals: Mapping[float, Events],
    region: Region,
    described: Background,
    muv3: float,
    kaons: float,
    settings: PionX,
) -> list[Hypothesis]:
    simulated = masses_by_region(list(signals))[region.number - 1]
    grid = SignalGrid([read_line(signals[mass], mass, region, muv3) for mass in simulated])
    return hypotheses(region, region.masses(settings), grid, described, kaons, settings)


def _kaons(backgrounds: Sequence[Events], configuration: Configuration, settings: PionX) -> Value:
    """Kaon decays in the data, corrected for what no event is to blame for: trigger, accidental activity.

    Those for which the simulated acceptance of K+ -> pi+ nu nubar gives its published single-event sensitivity.
    """
    if settings.sensitivity == "kaons":
        return Value(value=effective_kaons(configuration))
    samples = [s for s in backgrounds if s.info.process == "pinunu" and s.info.zone == "volume"]
    inside = [
        template(s, (region.low, region.high), factor=region.contains, needs=NEEDS).total
        for s in samples[:1]
        for region in REGIONS
    ]
    acceptance = sum(part.value for part in inside)
    if acceptance <= 0.0:
        raise EventFileError(f"{SEARCH} needs a sample of pinunu, decays in the volume, with events in the regions")
    error = sum(part.error**2 for part in inside) ** 0.5 / acceptance
    kaons = 1.0 / (paper.SES.value * acceptance)
    return Value(value=kaons, error=kaons * (error**2 + (paper.SES.error / paper.SES.value) ** 2) ** 0.5)


def _summary(sample: Events, roles: Mapping[str, str], kaons: float) -> SampleSummary:
    return summarise(sample, roles[sample.info.name], {r.name: expected(sample, r, kaons) for r in REGIONS})


def _is_signal(sample: SampleInfo, roles: Mapping[str, str]) -> bool:
    return roles[sample.name] == "signal" and sample.process == "piX"


def _mass(sample: SampleInfo) -> float:
    return float(sample.parameters["m_X"])


def _check_samples(samples: Sequence[SampleInfo], roles: Mapping[str, str], settings: PionX) -> None:
    if not any(s.zone == "upstream" and roles[s.name] == "background" for s in samples):
        raise EventFileError(f'{SEARCH} needs a background with zone = "upstream": K+ -> pi+ pi0 in front of GTK3')
    by_region = masses_by_region([_mass(s) for s in samples if _is_signal(s, roles)])
    for region, simulated in zip(REGIONS, by_region, strict=True):
        check_masses(simulated, region.masses(settings), region)


def _check_events(settings: PionX) -> None:
    for mass in settings.events:
        if not any(region.low < mass * mass < region.high for region in REGIONS):
            places = " or ".join(f"from {region.low:g} to {region.high:g}" for region in REGIONS)
            raise CardError(
                f"analysis.events: a missing mass of {mass:g} GeV, {mass * mass:.4g} GeV^2, is in no signal region "
                f"({places} GeV^2)"
            )
