"""One sample's way through beam, decay, detector and selection, a block at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaongen.beam import Beam, true_missing_mass
from kaongen.configuration import Configuration
from kaongen.decays.final_state import FinalState, final_state
from kaongen.decays.process import Process, Values
from kaongen.decays.samplers import PRIMARY, Sampler, sampler
from kaongen.detector.na62 import NA62, Vetoes
from kaongen.errors import ProcessError
from kaongen.event_block import EventBlock


@dataclass(frozen=True)
class Chain:
    """Everything that makes measured events of one process; shared by all threads, and never changed.

    candidate : slot of the particle that is taken for the muon, and its mass in GeV.
    """

    process: Process
    values: Values
    sampler: Sampler
    final: FinalState
    candidate: int
    candidate_mass: float
    beam: Beam
    detector: NA62

    def block(self) -> EventBlock:
        """Room for one block; each thread needs its own."""
        return EventBlock(len(self.final.species))

    def run(self, key: np.uint64, first: int, n: int, event: EventBlock) -> tuple[int, int]:
        """Make events of candidates first .. first + n - 1 (n at most a block).

        Returns how many decays were made, which is all of them, and how many lay above their bound.
        """
        event.number(first, n)
        _, above = self.sampler.settle(key, n, PRIMARY, event, event.momenta[: self.sampler.particles])
        self.beam.send(key, n, event, self.sampler.particles)
        above += self.final.decay(key, n, event)
        true_missing_mass(n, self.candidate_mass, event.beam, event.momenta[self.candidate], event.reco)
        self.detector.respond(key, n, event, self.final, self.candidate)
        return n, above


def candidate_slot(process: Process, final: FinalState) -> int:
    """The slot of what is taken for the muon.

    Raises
    ------
    ProcessError
        If there is nothing that could be.
    """
    for slot in final.charged():
        if final.species[slot].name in ("mu+", "pi+"):
            return slot
    raise ProcessError(f"{process.name}: {final.descriptor} has no mu+ or pi+ that could be seen as a muon")


def build_chain(process: Process, values: Values, configuration: Configuration, vetoes: Vetoes = "weight") -> Chain:
    """The chain of a process at the given parameter values.

    Raises
    ------
    ProcessError
        If parameters are missing or out of range, or no daughter can be taken for a muon.
    """
    checked = process.values(values)
    final = final_state(process, checked)
    candidate = candidate_slot(process, final)
    return Chain(
        process=process,
        values=checked,
        sampler=sampler(process, checked),
        final=final,
        candidate=candidate,
        candidate_mass=final.masses[candidate],
        beam=Beam(configuration),
        detector=NA62(configuration, vetoes),
    )
