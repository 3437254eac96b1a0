"""The particles of an event: the daughters, followed by the products of those that decay."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kaongen.decays.daughters import LIFETIMES, Secondary, known, sampler_of
from kaongen.decays.descriptor import Descriptor, name_of
from kaongen.decays.process import Process, Rate, Values
from kaongen.decays.workspace import DecayBlock
from kaongen.particles import SPECIES, Species

_AT_ONCE = {"pi0": ("gamma", "gamma")}
"""What decays before it can be seen, and how it does unless the descriptor says otherwise."""


@dataclass(frozen=True)
class FinalState:
    """Slots of a block and what is in them.

    species : what each slot holds, and masses : in GeV; the kaon's own daughters come first.
    secondaries : the decays of daughters, in the order in which they happen.
    branching : probability of those that are known.
    descriptor : of the decay, with all secondary decays written out.
    daughters : how many of the slots are the kaon's own.
    ordered : whether daughters of a kind differ by their place in a chain that the process describes as a whole.
    """

    species: tuple[Species, ...]
    masses: tuple[float, ...]
    secondaries: tuple[Secondary, ...]
    branching: float
    descriptor: str
    daughters: int
    ordered: bool

    def displaced(self) -> tuple[int, ...]:
        """Slots of particles that begin where another has decayed in flight."""
        result: list[int] = []
        for s in self.secondaries:
            if s.lifetime > 0.0 or s.parent in result:
                result += s.products
        return tuple(result)

    def alike(self, slot: int) -> tuple[int, ...]:
        """Slots of what cannot be told from that in a slot: of its kind, from the same decay, and left over.

        Particles of a decay that describes a whole chain are told apart by their place in it.
        """
        if self.ordered:
            return (slot,)
        gone = self._decayed()
        siblings = next((s.products for s in self.secondaries if slot in s.products), range(self.daughters))
        return tuple(i for i in siblings if self.species[i] == self.species[slot] and i not in gone)

    def charged(self) -> tuple[int, ...]:
        """Slots of charged particles that the detector sees; one that was told to decay is not among them."""
        gone = self._decayed()
        return tuple(i for i, s in enumerate(self.species) if s.charge and s.visible and i not in gone)

    def _decayed(self) -> set[int]:
        return {s.parent for s in self.secondaries}

    def photons(self) -> tuple[int, ...]:
        return tuple(i for i, s in enumerate(self.species) if s.name == "gamma")

    def decay(self, key: np.uint64, n: int, block: DecayBlock) -> int:
        """Let the daughters decay, once all are in the laboratory; returns how many decays lay above their bound."""
        return sum(secondary.decay(key, number, n, block) for number, secondary in enumerate(self.secondaries))


def final_state(process: Process, values: Values, at_once: bool = True) -> FinalState:
    """What is left of a decay: its daughters and the products of those that decay.

    Parameters
    ----------
    process
        Its descriptor says which daughters decay, and how.
    values
        All parameters of the process: lifetimes and masses of new particles among them.
    at_once
        Whether a pi0 of which nothing is said decays to two photons.

    Raises
    ------
    ProcessError
        If a daughter is too light for its decay.
    """
    builder = _Builder(process, values, at_once)
    descriptor = builder.add(0, process.descriptor)
    return FinalState(
        tuple(builder.species),
        tuple(builder.masses),
        tuple(builder.secondaries),
        builder.branching,
        str(descriptor),
        len(process.daughters),
        bool(process.chain),
    )


def decay_rate(process: Process, values: Values) -> Rate:
    """Branching fraction of a decay with those decays of daughters that its descriptor asks for and that are known."""
    rate = process.branching_fraction(values)
    factor = final_state(process, values, at_once=False).branching
    return Rate(rate.value * factor, rate.error * factor, rate.source)


class _Builder:
    def __init__(self, process: Process, values: Values, at_once: bool) -> None:
        self.process, self.values, self.at_once = process, values, at_once
        self.species = list(process.species)
        self.masses = list(process.masses(values))
        self.secondaries: list[Secondary] = []
        self.branching = 1.0

    def add(self, first: int, decay: Descriptor) -> Descriptor:
        """Add the decays of the daughters of `decay`, which have slots from `first` on; returns it written out."""
        written: list[str | Descriptor] = []
        for slot, daughter in enumerate(decay.daughters, first):
            if isinstance(daughter, str) and self.at_once and daughter in _AT_ONCE:
                daughter = Descriptor(daughter, _AT_ONCE[daughter])
            written.append(daughter if isinstance(daughter, str) else self._decay(slot, daughter))
        self.branching *= _arrangements(written)
        return Descriptor(decay.parent, tuple(written))

    def _decay(self, parent: int, decay: Descriptor) -> Descriptor:
        products = tuple(range(len(self.species), len(self.species) + len(decay.names)))
        masses = [self.process.mass(name, self.values) for name in decay.names]
        name, mass = decay.parent, self.masses[parent]
        entry, _ = known(name, decay.names)
        if entry is not None:
            self.branching *= entry.branching_fraction.value
        lifetime = LIFETIMES[name] if name in LIFETIMES else self.values.get(lifetime_name(name), 0.0)
        self.secondaries.append(
            Secondary(parent, products, mass, lifetime, sampler_of(name, mass, decay.names, tuple(masses)))
        )
        self.species += [SPECIES[n] for n in decay.names]
        self.masses += masses
        return self.add(products[0], decay)


def _arrangements(daughters: Sequence[str | Descriptor]) -> float:
    """What like daughters do to the product of the branching fractions of those that decay.

    They can share different decays in several ways. One that is left alone may decay anyhow: of n daughters at least as
    many decay as is asked for.
    """
    result = 1.0
    for name in set(map(name_of, daughters)):
        alike = [d for d in daughters if name_of(d) == name]
        modes = [d.key for d in alike if not isinstance(d, str)]
        n, decaying = len(alike), len(modes)
        if len(set(modes)) == 1 and decaying < n:
            decay = next(d for d in alike if not isinstance(d, str))
            entry, _ = known(name, decay.names)
            p = entry.branching_fraction.value if entry is not None else 1.0
            at_least = sum(math.comb(n, k) * p**k * (1.0 - p) ** (n - k) for k in range(decaying, n + 1))
            result *= at_least / p**decaying
        elif modes:
            ways = math.factorial(n) // math.factorial(n - decaying)
            for mode in set(modes):
                ways //= math.factorial(modes.count(mode))
            result *= ways
    return result


def lifetime_name(particle: str) -> str:
    """Name of the parameter that holds a new particle's mean life in ns."""
    return f"tau_{particle.replace(chr(39), '')}"


def mass_name(particle: str) -> str:
    """Name of the parameter that holds a new particle's mass in GeV."""
    return f"m_{particle.removeprefix('anti-').replace(chr(39), '')}"
