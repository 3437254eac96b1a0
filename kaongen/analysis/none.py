"""No search: acceptances and cut flows of the samples, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kaongen.analysis.dimuon_selection import ThreeMuonSelection
from kaongen.analysis.mu_selection import MuonSelection
from kaongen.analysis.pi_selection import PionSelection
from kaongen.analysis.result import Result, Value
from kaongen.analysis.summary import provenance_of, summarise
from kaongen.configuration import Candidate, Configuration
from kaongen.events.reader import EventSet
from kaongen.production.card import Card
from kaongen.production.selection import Selection
from kaongen.searches.none import NoSearch

_SELECTIONS: dict[Candidate, type[Selection]] = {
    "muon": MuonSelection,
    "pion": PionSelection,
    "three muons": ThreeMuonSelection,
}


def selection(settings: NoSearch, configuration: Configuration) -> Selection:
    """The standard selection of what the configuration looks for."""
    return _SELECTIONS[configuration.candidate]()


def check(card: Card) -> None:
    """Any card will do."""


def analyse(events: EventSet[Any], roles: Mapping[str, str], settings: NoSearch, run: str) -> Result:
    """Acceptances and cut flows."""
    return Result(
        **provenance_of(events.provenance, settings, run),
        n_kaons=Value(value=0.0),
        numbers=[],
        samples=[summarise(sample, roles[sample.info.name]) for sample in events.members],
        spectra=[],
        scans=[],
    )
