"""The searches by name: which events they keep, which cards they refuse, and how they read event files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from kaongen.analysis.result import Result
from kaongen.configuration import Configuration
from kaongen.events.reader import EventSet
from kaongen.production.card import Card
from kaongen.production.selection import Selection
from kaongen.searches.settings import Settings, known_settings


@dataclass(frozen=True)
class Search:
    """A search.

    selection : of the events that production keeps for it. check : refuses a card that it cannot be done with
    (CardError). analyse : from events, the role of each sample, settings and the name of the run to the result; it
    refuses events that do not fit (EventFileError).
    """

    selection: Callable[[Any, Configuration], Selection]
    check: Callable[[Card], None]
    analyse: Callable[[EventSet[Any], Mapping[str, str], Any, str], Result]


def search(name: str) -> Search:
    """The search of that name, as cards write it."""
    module = import_module(f"kaongen.analysis.{known_settings()[name].module}")
    return Search(module.selection, module.check, module.analyse)


def selection_of(card: Card) -> Selection:
    """Which events the search of a card keeps."""
    return search(card.analysis.name).selection(card.analysis, card.configuration())


def check(card: Card) -> None:
    """Refuse a card that its search cannot be done with.

    Raises
    ------
    CardError
        Saying what is missing.
    """
    search(card.analysis.name).check(card)


def analyse(events: EventSet[Any], roles: Mapping[str, str], settings: Settings, run: str = "") -> Result:
    """Do the search that the settings are for.

    Parameters
    ----------
    events
        Of a complete run.
    roles
        What each sample is for: normalisation, background or signal.
    settings
        The search, and its choices.
    run
        Name of the run, for the result.

    Raises
    ------
    KaongenError
        If the events do not fit the search.
    """
    return search(settings.name).analyse(events, roles, settings, run)
