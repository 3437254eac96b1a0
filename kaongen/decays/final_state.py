"""The particles of an event: the daughters, followed by the products of those that decay at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaongen.decays.process import Process
from kaongen.decays.secondary import to_photons
from kaongen.decays.workspace import DecayBlock
from kaongen.particles import BR_PI0_GAMMAGAMMA, M_PI0, SPECIES, Species


@dataclass(frozen=True)
class FinalState:
    """Slots of a block and what is in them.

    species : what each slot holds at the end.
    prompt : for each daughter that decays at once, its slot and the two slots of its products.
    branching : probability of these secondary decays.
    descriptor : of the decay, with the secondary decays written out.
    """

    species: tuple[Species, ...]
    prompt: tuple[tuple[int, int, int], ...]
    branching: float
    descriptor: str

    def charged(self) -> tuple[int, ...]:
        return tuple(i for i, s in enumerate(self.species) if s.charge and s.visible)

    def photons(self) -> tuple[int, ...]:
        return tuple(i for i, s in enumerate(self.species) if s.name == "gamma")

    def decay(self, key: np.uint64, n: int, block: DecayBlock) -> None:
        """Let the prompt daughters decay, once all are in the laboratory."""
        for number, (parent, first, second) in enumerate(self.prompt):
            momenta = block.momenta
            to_photons(key, n, number, M_PI0, block.index, momenta[parent], momenta[first], momenta[second])


def final_state(process: Process) -> FinalState:
    """The daughters of a process and the photons of pi0 -> gamma gamma."""
    species = list(process.species)
    prompt = []
    branching = 1.0
    decay = process.decay
    for slot, name in enumerate(process.daughters):
        if name == "pi0":
            prompt.append((slot, len(species), len(species) + 1))
            species += [SPECIES["gamma"], SPECIES["gamma"]]
            branching *= BR_PI0_GAMMAGAMMA.value
            decay = decay.replace(" pi0", " (pi0 -> gamma gamma)", 1)
    return FinalState(tuple(species), tuple(prompt), branching, decay)
