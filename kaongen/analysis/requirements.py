"""What a search needs of the events it is given; what does not fit is refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kaongen.configuration import CONFIGURATIONS, Candidate, load
from kaongen.errors import CardError, EventFileError
from kaongen.events.layout import SampleInfo
from kaongen.events.reader import EventSet
from kaongen.searches.base import SearchSettings


def require(
    events: EventSet[Any],
    roles: Mapping[str, str],
    *,
    search: str,
    settings: SearchSettings,
    candidate: Candidate,
    columns: Sequence[str],
    processes: Sequence[str] = (),
    needed_roles: Sequence[str] = (),
) -> None:
    """Refuse events that a search cannot be done with.

    Parameters
    ----------
    events, roles
        The samples, and what each is for.
    search
        Name of the search, for messages.
    settings
        For which detector it is, and whether another will do.
    candidate
        What the detector's selection must have looked for.
    columns
        That every sample must have.
    processes, needed_roles
        Of each at least one sample must be there.

    Raises
    ------
    EventFileError
        If shards are missing, the detector is another one or looks for another particle, or columns or samples are
        absent.
    """
    if events.missing:
        listed = ", ".join(str(gap) for gap in events.missing[:3]) + (" and more" if len(events.missing) > 3 else "")
        raise EventFileError(f"{search} needs all events, and these are missing: {listed}")
    detector = events.provenance.detector
    if detector in CONFIGURATIONS and load(detector).candidate != candidate:
        raise EventFileError(_wrong_candidate(search, candidate, detector))
    if _is_foreign(settings, detector):
        raise EventFileError(_foreign(search, settings, detector))
    for sample in events.members:
        if absent := [name for name in columns if name not in sample.column_names]:
            raise EventFileError(
                f"the sample {sample.info.name!r} has no column {', '.join(map(repr, absent))}, which {search} needs"
            )
        if sample.info.name not in roles:
            raise EventFileError(
                f"{search} does not know what the sample {sample.info.name!r} is for: give it a role "
                "(normalisation, background or signal)"
            )
    infos = [sample.info for sample in events.members]
    # roles of samples that are not there help nobody
    _present(infos, {info.name: roles[info.name] for info in infos}, search, processes, needed_roles)


def require_of_card(
    samples: Sequence[SampleInfo],
    roles: Mapping[str, str],
    detector: str,
    found: Candidate,
    *,
    search: str,
    settings: SearchSettings,
    candidate: Candidate,
    processes: Sequence[str] = (),
    needed_roles: Sequence[str] = (),
) -> None:
    """The same of a card, before anything is generated.

    Raises
    ------
    CardError
        If the detector is another one or looks for another particle, or samples are absent.
    """
    if found != candidate:
        raise CardError(_wrong_candidate(search, candidate, detector))
    if _is_foreign(settings, detector):
        raise CardError(_foreign(search, settings, detector))
    try:
        _present(samples, roles, search, processes, needed_roles)
    except EventFileError as problem:
        raise CardError(str(problem)) from None


def _present(
    samples: Sequence[SampleInfo],
    roles: Mapping[str, str],
    search: str,
    processes: Sequence[str],
    needed_roles: Sequence[str],
) -> None:
    for role in needed_roles:
        if role not in roles.values():
            raise EventFileError(f'{search} needs a sample with role = "{role}"')
    known = {info.process for info in samples}
    if absent := [process for process in processes if process not in known]:
        raise EventFileError(
            f"{search} needs the process {', '.join(absent)} (there: {', '.join(sorted(known)) or 'none'})"
        )


def _wrong_candidate(search: str, candidate: Candidate, detector: str) -> str:
    what = {"muon": "a single muon", "pion": "a single pion", "three muons": "three muons"}[candidate]
    return f"{search} looks for {what}, and the detector {detector!r} for something else: use another configuration"


def _is_foreign(settings: SearchSettings, detector: str) -> bool:
    return not settings.any_detector and settings.detector not in ("", detector)


def _foreign(search: str, settings: SearchSettings, detector: str) -> str:
    return (
        f"{search} is for the detector {settings.detector!r}, and this is {detector!r}: "
        "any_detector = true in [analysis] takes it as it is"
    )
