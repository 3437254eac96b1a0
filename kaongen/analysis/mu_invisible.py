"""K+ -> mu+ + invisible: from event files to acceptances, backgrounds and limits for the data of 2016-2018.

NA62, Phys. Lett. B 816 (2021) 136259. The counts above m2_miss = 0.1 GeV^2 are the published ones; what depends on the
detector is simulated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kaongen.analysis import heavy_neutrino, heavy_neutrino_scans
from kaongen.analysis.mu_invisible_limits import published_limit, scans
from kaongen.analysis.mu_invisible_numbers import numbers
from kaongen.analysis.mu_invisible_samples import reduce_samples, refuse_without_events, spectrum, summaries
from kaongen.analysis.mu_selection import MuonSelection
from kaongen.analysis.record import Value
from kaongen.analysis.requirements import require, require_of_card
from kaongen.analysis.result import Result
from kaongen.analysis.summary import provenance_of
from kaongen.configuration import CONFIGURATIONS, Configuration, load
from kaongen.errors import CardError, EventFileError
from kaongen.events.layout import SampleInfo
from kaongen.events.reader import EventSet
from kaongen.papers import na62_mu as paper
from kaongen.production.card import Card
from kaongen.production.selection import Selection
from kaongen.production.source import info
from kaongen.searches.mu_invisible import MuInvisible

NORMALISATION = "K+ -> mu+ nu_mu"
_NEEDED_ROLES = ("normalisation",)


def selection(settings: MuInvisible, configuration: Configuration) -> Selection:
    """A single muon and nothing else."""
    return MuonSelection()


def check(card: Card) -> None:
    """Refuse a card that this search could not be done with.

    Raises
    ------
    CardError
        If the card has no sample of K+ -> mu+ nu for the normalisation, or its detector's configuration looks for
        another particle.
    """
    samples, roles = [info(part) for part in card.sample], card.roles()
    require_of_card(
        samples,
        roles,
        card.detector.configuration,
        card.configuration().candidate,
        search="mu_invisible",
        settings=card.analysis,
        candidate="muon",
        needed_roles=_NEEDED_ROLES,
    )
    try:
        _refuse_other_normalisation(samples, roles)
    except EventFileError as problem:
        raise CardError(str(problem)) from None


def analyse(events: EventSet[Any], roles: Mapping[str, str], settings: MuInvisible, run: str) -> Result:
    """The whole search.

    Parameters
    ----------
    events
        A complete run.
    roles
        What each sample is for.
    settings
        Choices, and the counts of the data.
    run
        Name of the run.

    Raises
    ------
    EventFileError
        If events, samples or columns are missing, another decay is the normalisation, or the detector looked for
        another particle.
    """
    require(
        events, roles, search="mu_invisible", settings=settings, candidate="muon", columns=("m2_miss", "weight"),
        needed_roles=_NEEDED_ROLES,
    )  # fmt: skip
    _refuse_other_normalisation([sample.info for sample in events.members], roles)
    samples = reduce_samples(events, roles, settings.n_kaons)
    refuse_without_events(samples.normalisation)
    heavy = heavy_neutrino.search(samples, settings, _end_of(events.provenance.detector))
    same_data = settings.n_kaons == paper.N_KAONS.value
    return Result(
        **provenance_of(events.provenance, settings, run),
        n_kaons=Value(value=settings.n_kaons, error=paper.N_KAONS.error if same_data else 0.0),
        numbers=[
            *numbers(samples, settings, published_limit(settings)),
            *(heavy_neutrino_scans.numbers(heavy) if heavy else []),
        ],
        samples=summaries(samples, settings.signal_region),
        spectra=[spectrum(samples), *([heavy_neutrino_scans.spectrum(heavy)] if heavy else [])],
        scans=[*scans(samples, settings), *(heavy_neutrino_scans.scans(heavy) if heavy else [])],
    )


def _refuse_other_normalisation(samples: Sequence[SampleInfo], roles: Mapping[str, str]) -> None:
    for sample in samples:
        if roles[sample.name] == "normalisation" and not _counts_kaons(sample):
            raise EventFileError(
                f"mu_invisible is normalised to {NORMALISATION} in the decay volume, and the sample {sample.name!r} is "
                f"{sample.decay} ({sample.zone}): give it another role"
            )


def _counts_kaons(sample: SampleInfo) -> bool:
    # whoever writes event files may call processes as he likes
    return (sample.process == "munu" or sample.decay == NORMALISATION) and sample.zone == "volume"


def _end_of(detector: str) -> float:
    """Where the last detector stands that would see decays of N: MUV3, z in m."""
    return load(detector if detector in CONFIGURATIONS else "na62-2016-2018").number("muv3.z")
