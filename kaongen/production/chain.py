"""A sample's way through beam, decay, detector and selection, a block at a time.

A sample is one decay or a mixture of several, and in some decays more than one particle may be taken for the candidate
of the search. Each such case is a lane; which lane a number goes depends on that number alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kaongen.beam import Beam, Zone, true_missing_mass
from kaongen.configuration import Configuration
from kaongen.decays.final_state import FinalState, final_state
from kaongen.decays.mixture import LARGEST, Component, choose, sorted_numbers, thresholds
from kaongen.decays.samplers import PRIMARY, Sampler, sampler
from kaongen.detector.na62 import NA62, Vetoes
from kaongen.detector.stage import Stage
from kaongen.errors import ProcessError
from kaongen.event_block import EventBlock
from kaongen.jit import BLOCK
from kaongen.production.selection import MEASURED_ROWS
from kaongen.upstream import pion_decay, transport


@dataclass(frozen=True)
class Lane:
    """What makes measured events of one decay with one candidate; shared by all threads, and never changed.

    component : position of the decay in the sample's mixture, 0 for a sample of one decay.
    candidate : slot of the particle that is taken for the muon or the pion of the search.
    upstream : stages of the detector before the kaon decays; propagation, response : those before and behind the place
        from which only those go on whose candidate is inside every acceptance; slots : particles that the response
        looks at.
    """

    component: int
    final: FinalState
    candidate: int
    sampler: Sampler
    beam: Beam
    upstream: tuple[Stage, ...]
    propagation: tuple[Stage, ...]
    response: tuple[Stage, ...]
    slots: tuple[int, ...]

    def decay(self, key: np.uint64, n: int, event: EventBlock) -> int:
        """Kaons that decay, all particles in the laboratory; returns how many decays lay above their bound."""
        above = self.begin(key, n, event)
        for stage in self.upstream:
            stage.run(key, n, event)
        return above + self.finish(key, n, event)

    def begin(self, key: np.uint64, n: int, event: EventBlock) -> int:
        """Decays in the kaon's rest frame, and kaons on their way to them: what comes before `upstream`."""
        _, above = self.sampler.settle(key, n, PRIMARY, event, event.momenta[: self.sampler.particles])
        self.beam.send(key, n, event)
        return above

    def finish(self, key: np.uint64, n: int, event: EventBlock) -> int:
        """All particles in the laboratory: what comes behind `upstream`."""
        self.beam.boost(n, event, self.sampler.particles)
        above = self.final.decay(key, n, event)
        mass = self.final.masses[self.candidate]
        true_missing_mass(n, mass, event.beam, event.momenta[self.candidate], event.reco)
        transport(key, n, event, self.final, self.beam)
        return above

    def run(self, key: np.uint64, n: int, event: EventBlock) -> tuple[int, int]:
        """Make and measure the events whose numbers the block holds.

        Returns how many are left, at the front of the block, and how many of all lay above their bound.
        """
        above = self.decay(key, n, event)
        for stage in self.propagation:
            stage.run(key, n, event)
        left = event.compact(n, self.slots)
        if left:
            for stage in self.response:
                stage.run(key, left, event)
        return left, above


@dataclass(frozen=True)
class Chain:
    """All lanes of a sample; `limits` says which numbers go which lane."""

    lanes: tuple[Lane, ...]
    limits: NDArray[np.uint64]
    detector: NA62

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of `measured` that become columns of an event file, in their order."""
        return MEASURED_ROWS

    def block(self) -> EventBlock:
        """Room for one block; each thread needs its own."""
        return EventBlock(self.particles)

    def measured(self, event: EventBlock) -> NDArray[np.float64]:
        """What is measured of the events of a block."""
        return event.reco

    @property
    def particles(self) -> int:
        """Room that an event needs."""
        return max(len(lane.final.species) for lane in self.lanes)

    def batches(self, key: np.uint64, first: int, n: int) -> Iterator[tuple[Lane, NDArray[np.uint64]]]:
        """Numbers first .. first + n - 1 in blocks, each with its lane."""
        if len(self.lanes) == 1:
            numbers = np.arange(first, first + n, dtype=np.uint64)
            counts = np.array([n])
        else:
            chosen = np.empty(n, dtype=np.uint8)
            counts = choose(key, first, self.limits, chosen)
            numbers = sorted_numbers(first, chosen, counts)
        start = 0
        for lane, count in zip(self.lanes, counts, strict=True):
            for offset in range(start, start + count, BLOCK):
                yield lane, numbers[offset : min(offset + BLOCK, start + count)]
            start += count

    def lane(self, key: np.uint64, number: int) -> Lane:
        """The lane of one number."""
        return next(self.batches(key, number, 1))[0]


def candidates(final: FinalState) -> tuple[int, ...]:
    """Slots of what may be taken for the search's particle: one of each kind that cannot be told apart.

    Raises
    ------
    ProcessError
        If there is no positively charged particle.
    """
    positive = [slot for slot in final.charged() if final.species[slot].charge > 0]
    if not positive:
        raise ProcessError(f"{final.descriptor} has no positively charged particle that could be seen")
    return tuple(slot for slot in positive if slot == final.alike(slot)[0])


def build_chain(
    components: Sequence[Component], configuration: Configuration, vetoes: Vetoes = "weight", zone: Zone = "volume"
) -> Chain:
    """The chain of a decay of kaons, or of the decays of a mixture.

    Raises
    ------
    ProcessError
        If parameters are missing or out of range, or there is no candidate.
    """
    beam = Beam(configuration, zone)
    detector = NA62(configuration, vetoes, beam)
    lanes: list[Lane] = []
    shares: list[float] = []
    for number, component in enumerate(components):
        values = component.process.values(component.values)
        final = final_state(component.process, values)
        new = _lanes(number, final, sampler(component.process, values), beam, detector)
        # what is alone is all there is, whatever its rate; of several, decays of daughters count in how often each is
        share = component.fraction.value * final.branching if len(components) > 1 else 1.0
        lanes += new
        shares += [share / len(new)] * len(new)
    if len(lanes) > LARGEST:
        raise ProcessError(f"{len(components)} decays with {len(lanes)} candidates: at most {LARGEST} are told apart")
    return Chain(tuple(lanes), thresholds(shares), detector)


def build_pion_chain(configuration: Configuration, vetoes: Vetoes = "weight", zone: Zone = "volume") -> Chain:
    """The chain of beam pions that decay to a muon while KTAG sees a kaon."""
    beam = Beam(configuration, zone, "pion")
    detector = NA62(configuration, vetoes, beam)
    made, final = pion_decay()
    return Chain(tuple(_lanes(0, final, made, beam, detector)), thresholds([1.0]), detector)


def _lanes(number: int, final: FinalState, made: Sampler, beam: Beam, detector: NA62) -> list[Lane]:
    """One lane for each kind of candidate."""
    slots = candidates(final)
    seen = tuple(dict.fromkeys((*final.photons(), *final.charged())))
    return [
        Lane(
            component=number,
            final=final,
            candidate=slot,
            sampler=made,
            beam=beam,
            upstream=detector.upstream(),
            propagation=detector.propagation(final, slot),
            response=detector.response(final, slot, multiplicity=len(slots) * len(final.alike(slot))),
            slots=seen,
        )
        for slot in slots
    ]
