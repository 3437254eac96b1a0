"""What a projection must know of a model: its process, unknown mass and coupling, and how the new particle decays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kaongen.decays.catalogue import find
from kaongen.decays.process import Process, TwoBody
from kaongen.errors import ProcessError
from kaongen.models.g_minus_2 import Boson
from kaongen.reach.settings import Channel


@dataclass(frozen=True)
class Coupling:
    """A parameter of the process to whose power the rate is proportional.

    symbol : for axes. unit : of the reference in which the rate is computed, and largest : up to which the model holds.
    """

    name: str
    symbol: str
    power: int
    reference: float
    largest: float


def _everything(mass: float) -> float:
    return 1.0


@dataclass(frozen=True)
class Model:
    """A process with one unknown mass, as a projection sees it.

    process : name or descriptor of the catalogue. rate_of : the process whose rate counts, if another one.
    mass : its parameter that is scanned. particle : symbol of the new particle. masses : allowed range in GeV.
    scan : masses by default. values : its other parameters.
    fraction : share of the new particle's decays that the channel can see, at a mass.
    lifetime : of the new particle in ns at a mass and a coupling, where its visible decays spoil the event; None where
    none do. unspoilt : share of its decays that spoil nothing. own_lifetime : the same for information, where limits do
    not depend on it: whether it would escape.
    """

    name: str
    title: str
    process: str
    mass: str
    particle: str
    channel: Channel
    masses: tuple[float, float]
    scan: tuple[float, ...]
    coupling: Coupling | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    rate_of: str = ""
    fraction: Callable[[float], float] = _everything
    lifetime: Callable[[float, float], float] | None = None
    unspoilt: Callable[[float], float] | None = None
    own_lifetime: Callable[[float, float], float] | None = None
    boson: Boson | None = None
    decays: str = ""

    @cached_property
    def entry(self) -> Process:
        """The process of the catalogue."""
        return find(self.process)

    @property
    def is_peak(self) -> bool:
        """Whether the signal is narrow in the mass that is measured."""
        return self.channel == "dimuon" or isinstance(self.entry.dynamics, TwoBody)

    def branching_fraction(self, mass: float, coupling: float) -> float:
        """Of the kaon's decay to the new particle, whatever becomes of it.

        Raises
        ------
        ProcessError
            If the model has no coupling, or a value is out of range.
        """
        c = self._coupling()
        if not (math.isfinite(coupling) and 0.0 <= coupling <= c.largest):
            raise ProcessError(f"{self.name}: {c.name} = {coupling:g} must lie between 0 and {c.largest:g}")
        return self.rate(mass) * coupling**c.power

    def rate(self, mass: float) -> float:
        """Branching fraction per power of the coupling; without a coupling, that of the process."""
        process = find(self.rate_of) if self.rate_of else self.entry
        given = {**self.values, self.mass: mass}
        c = self.coupling
        if c is None:
            return process.branching_fraction(process.values(given)).value
        values = process.values({**given, c.name: c.reference})
        return process.branching_fraction(values).value / c.reference**c.power

    def coupling_of(self, mass: float, branching_fraction: float) -> float:
        """The coupling that gives a branching fraction: the inverse of `branching_fraction`."""
        c = self._coupling()
        return float((branching_fraction / self.rate(mass)) ** (1.0 / c.power))

    def check_mass(self, mass: float) -> float:
        """The mass, or a ProcessError that says which ones are allowed."""
        low, high = self.masses
        if not (math.isfinite(mass) and low <= mass <= high):
            raise ProcessError(
                f"{self.name}: {self.mass} = {mass:g} GeV cannot be looked for: it must lie between {low:g} and "
                f"{high:g} GeV"
            )
        return mass

    def _coupling(self) -> Coupling:
        if self.coupling is None:
            raise ProcessError(f"{self.name} has no coupling: its limits are on the branching fraction")
        return self.coupling
