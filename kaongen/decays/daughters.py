"""Decays of daughters in flight: known ones with their amplitude and branching fraction, all others isotropic or flat.

A daughter's decay does not know how it was polarised. Where that matters, the catalogue has an amplitude for the
whole chain (`Process.chain`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kaongen.amplitudes import muon_decay, pi0_dalitz
from kaongen.decays.amplitude import amplitude, flat, flat_dalitz
from kaongen.decays.cells import build_cells
from kaongen.decays.dalitz import build_table
from kaongen.decays.flight import boost_from, fly
from kaongen.decays.phase_space import phase_space
from kaongen.decays.samplers import BackToBack, Cells, Dalitz, Draws, Sampler
from kaongen.decays.workspace import DecayBlock, vertex_rows
from kaongen.errors import ProcessError
from kaongen.kinematics import two_body_momentum
from kaongen.particles import (
    BR_PI0_EEGAMMA,
    BR_PI0_GAMMAGAMMA,
    BR_PI_MUNU,
    SPEED_OF_LIGHT,
    TAU_MU,
    TAU_PI,
    Measured,
)
from kaongen.random import SECONDARY

_DRAWS = 1 << 20
"""Draws of the secondary stream that each decay of an event has for itself."""


@amplitude
def _pi0_dalitz(s12, s23, p):
    # slope of the form factor: PDG 2026
    return pi0_dalitz.squared(s12, s23, 0.0332)


@amplitude
def _muon(s12, s23, p):
    return muon_decay.squared(s12, s23)


@dataclass(frozen=True, slots=True)
class Known:
    """A decay of a daughter that is known: its branching fraction, and |M|^2 on its Dalitz plot if it has one."""

    branching_fraction: Measured
    amplitude: Any = None


_ALWAYS = Measured(1.0, 0.0, "all but 4e-5 of the decays")

KNOWN = {
    ("pi0", "gamma", "gamma"): Known(BR_PI0_GAMMAGAMMA),
    ("pi0", "e+", "e-", "gamma"): Known(BR_PI0_EEGAMMA, _pi0_dalitz),
    ("pi+", "mu+", "nu_mu"): Known(BR_PI_MUNU),
    ("pi-", "mu-", "anti-nu_mu"): Known(BR_PI_MUNU),
    ("mu+", "e+", "nu_e", "anti-nu_mu"): Known(_ALWAYS, _muon),
    ("mu-", "e-", "anti-nu_e", "nu_mu"): Known(_ALWAYS, _muon),
}

LIFETIMES = {"pi+": TAU_PI, "pi-": TAU_PI, "mu+": TAU_MU, "mu-": TAU_MU, "pi0": 0.0}
"""Mean lives in ns of daughters that are not new; the pi0 flies a few micrometres at most."""


def known(parent: str, products: Sequence[str]) -> tuple[Known | None, tuple[int, ...]]:
    """The known decay with these products in whatever order, and where each particle of its amplitude stands."""
    for (name, *order), entry in KNOWN.items():
        if name == parent and sorted(order) == sorted(products):
            left = list(enumerate(products))
            places = []
            for wanted in order:
                place = next(item for item in left if item[1] == wanted)
                left.remove(place)
                places.append(place[0])
            return entry, tuple(places)
    return None, tuple(range(len(products)))


@dataclass(frozen=True, slots=True)
class Secondary:
    """One decay of a daughter: slots of the parent and its products, and how it goes.

    lifetime : mean life in ns; 0 for a decay on the spot.
    """

    parent: int
    products: tuple[int, ...]
    mass: float
    lifetime: float
    sampler: Sampler

    def decay(self, key: np.uint64, number: int, n: int, block: DecayBlock) -> int:
        """Fill the products' momenta and where they begin, in the frame in which the parent's momentum is given.

        `number` tells several decays of one event apart. Returns how many decays lay above their bound.
        """
        first = np.uint64(number * _DRAWS)
        draws = Draws(SECONDARY, first + np.uint64(2), SECONDARY, first)
        before = block.weight[:n].copy()
        momenta = [block.momenta[slot] for slot in self.products]
        _, above = self.sampler.settle(key, n, draws, block, momenta)
        # the sampler has set the weights to those of this decay alone
        block.weight[:n] *= before
        parent = block.momenta[self.parent]
        for product in momenta:
            boost_from(n, self.mass, parent, product)
        start = block.origins[self.parent]
        if self.lifetime > 0.0:
            end = block.room(_vertex, number)
            per_momentum = SPEED_OF_LIGHT * self.lifetime / self.mass
            fly(key, n, first + np.uint64(1), block.index, per_momentum, parent, start, end)
            start = end
        for slot in self.products:
            block.origins[slot] = start
        return above


def _vertex(number: int) -> NDArray[np.float64]:
    return vertex_rows()


@lru_cache(maxsize=32)
def sampler_of(parent: str, mass: float, products: tuple[str, ...], masses: tuple[float, ...]) -> Sampler:
    """How a daughter decays in its rest frame: by a known amplitude, isotropic, or flat in phase space.

    Raises
    ------
    ProcessError
        If the products are too heavy.
    """
    if not math.fsum(masses) < mass:
        raise ProcessError(
            f"{parent} of {mass:.6g} GeV cannot decay to {' '.join(products)}, which weigh {math.fsum(masses):.6g} GeV"
        )
    if len(products) == 2:
        return BackToBack.at(float(two_body_momentum(mass, *masses)), masses[0], mass)
    entry, order = known(parent, products)
    none = np.empty(0)
    if len(products) == 3:
        squared = entry.amplitude if entry and entry.amplitude is not None else flat_dalitz
        one, two, three = order
        return Dalitz(build_table(squared, (masses[one], masses[two], masses[three]), none, parent=mass), order)
    return Cells(build_cells(flat, phase_space(mass, masses), none), tuple(range(len(products))))
