"""What a sample of a card is made of: one decay, a mixture of decays, or pions of the beam."""

from __future__ import annotations

import math

from kaongen.configuration import Candidate, Configuration
from kaongen.decays.catalogue import find
from kaongen.decays.final_state import final_state
from kaongen.decays.mixture import Component, alone, from_dec, natural
from kaongen.detector.na62 import Vetoes
from kaongen.errors import CardError, KaongenError, ProcessError
from kaongen.events.layout import ComponentInfo, SampleInfo
from kaongen.production.card import SamplePart
from kaongen.production.chain import Chain, build_chain, build_pion_chain, candidates
from kaongen.production.three_muons import build_three_muon_chain, three_tracks
from kaongen.upstream import pion_decay

NATURAL, BEAM_PIONS = "natural", "beam-pions"
"""Processes of a card that are none of the catalogue."""


def chain(part: SamplePart, configuration: Configuration, vetoes: Vetoes) -> Chain:
    """What makes the events of a sample.

    Raises
    ------
    ProcessError
        If a process, a parameter or a decay table cannot be used.
    """
    if configuration.candidate == "three muons":
        return build_three_muon_chain(_single_decay(part), configuration, vetoes, part.zone)
    if part.process == BEAM_PIONS:
        return build_pion_chain(configuration, vetoes, part.zone)
    return build_chain(components(part), configuration, vetoes, part.zone)


def components(part: SamplePart) -> tuple[Component, ...]:
    """The decays of kaons that a sample has.

    Raises
    ------
    ProcessError
        If a process, a parameter or a decay table cannot be used.
    """
    if part.process == BEAM_PIONS:
        return ()
    if not _is_mixture(part):
        return (alone(find(part.process), part.parameters),)
    if part.parameters:
        raise ProcessError(f"the mixture {part.process!r} has no parameters (here: {', '.join(part.parameters)})")
    return (natural() if part.process == NATURAL else from_dec(part.process)).components


def _single_decay(part: SamplePart) -> Component:
    if part.process == BEAM_PIONS or _is_mixture(part):
        raise ProcessError(f"a detector that looks for three muons takes a single decay of kaons, not {part.process!r}")
    return components(part)[0]


def info(part: SamplePart, candidate: Candidate = "muon") -> SampleInfo:
    """What a sample is made of, for the event files.

    candidate : what the detector's selection looks for.

    Raises
    ------
    CardError
        If a process, a parameter or a decay table cannot be used.
    """
    try:
        if candidate == "three muons":
            three_tracks(_single_decay(part), part.zone)
        return _info(part)
    except KaongenError as problem:
        raise CardError(f"sample {part.name!r}: {problem}") from None


def _info(part: SamplePart) -> SampleInfo:
    if part.process == BEAM_PIONS:
        if part.parameters:
            raise ProcessError(f"beam pions have no parameters (here: {', '.join(part.parameters)})")
        _, final = pion_decay()
        return SampleInfo(
            name=part.name, zone=part.zone, process=part.process, decay=final.descriptor, parameters={},
            branching_fraction=final.branching, branching_fraction_error=0.0,
        )  # fmt: skip
    decays = [_component_info(component) for component in components(part)]
    if not _is_mixture(part):
        return SampleInfo(name=part.name, zone=part.zone, **dict(decays[0]))
    return SampleInfo(
        name=part.name,
        zone=part.zone,
        process=part.process,
        decay="K+ -> anything",
        parameters={},
        branching_fraction=math.fsum(c.branching_fraction or 0.0 for c in decays),
        branching_fraction_error=math.hypot(*(c.branching_fraction_error or 0.0 for c in decays)),
        components=tuple(decays),
    )


def _component_info(component: Component) -> ComponentInfo:
    final = final_state(component.process, component.values)
    candidates(final)
    rate = component.fraction
    return ComponentInfo(
        process=component.process.name,
        decay=final.descriptor,
        parameters=dict(component.values),
        branching_fraction=rate.value * final.branching,
        branching_fraction_error=rate.error * final.branching,
    )


def _is_mixture(part: SamplePart) -> bool:
    return part.process == NATURAL or part.process.endswith(".dec")
