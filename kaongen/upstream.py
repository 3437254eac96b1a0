"""Decays in front of the last station of GTK, and those of beam pions: how their daughters come to the detector."""

from __future__ import annotations

import numpy as np

from kaongen.beam import Beam
from kaongen.beam_line import carry
from kaongen.decays.final_state import FinalState
from kaongen.decays.samplers import BackToBack, Sampler
from kaongen.decays.workspace import vertex_rows
from kaongen.event_block import EventBlock
from kaongen.kinematics import two_body_momentum
from kaongen.particles import M_MU, M_PI, SPECIES


def transport(key: np.uint64, n: int, event: EventBlock, final: FinalState, beam: Beam) -> None:
    """Carry all visible particles of upstream decays through the beam line, once they are in the laboratory.

    Each then has an origin of its own: the last station of GTK, or where it was made if that is behind it. What is
    absorbed keeps a momentum of 1e-9 GeV against the beam, which no detector sees. A pion does not decay on the way,
    which one in a hundred does.
    """
    line = beam.line
    if line is None:
        return
    for slot in (*final.photons(), *final.charged()):
        species, mass = final.species[slot], final.masses[slot]
        start = event.room(_origin, slot)
        carry(
            n, key, slot, float(species.charge), mass, species.name.startswith("mu"), line.elements, line.iron,
            line.end, event.index, event.origins[slot], event.momenta[slot], start,
        )  # fmt: skip
        event.origins[slot] = start


def pion_decay() -> tuple[Sampler, FinalState]:
    """pi+ -> mu+ nu_mu in the pion's rest frame, and what is left of it: for a beam of pions."""
    sampler = BackToBack.at(float(two_body_momentum(M_PI, M_MU, 0.0)), M_MU, M_PI)
    species = (SPECIES["mu+"], SPECIES["nu_mu"])
    return sampler, FinalState(species, (M_MU, 0.0), (), 1.0, "pi+ -> mu+ nu_mu", 2, False)


def _origin(slot: int) -> np.ndarray:
    return vertex_rows()
