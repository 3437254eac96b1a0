"""What a decay process is: daughters, dynamics, parameters, rate and reference. A process is a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kaongen.decays.cells import CellTable
from kaongen.decays.dalitz import DalitzTable, build_table
from kaongen.decays.descriptor import Descriptor, parse
from kaongen.decays.kept import cell_table
from kaongen.decays.phase_space import phase_space
from kaongen.errors import ProcessError, suggestion
from kaongen.kinematics import two_body_momentum
from kaongen.particles import M_K, SPECIES, Species

Values = Mapping[str, float]
"""Values of a process's parameters by name."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that a process depends on, with the range in which it makes sense.

    A parameter without a default must be given. One that is `of_daughter` says how a daughter decays, and the kaon's
    amplitude does not see it.
    """

    name: str
    minimum: float
    maximum: float
    description: str
    unit: str = ""
    default: float | None = None
    of_daughter: bool = False

    def check(self, process: str, value: float) -> float:
        if not (math.isfinite(value) and self.minimum <= value <= self.maximum):
            unit = f" {self.unit}" if self.unit else ""
            # with all digits where fewer would put the value on the limit
            form = ".12g" if f"{value:g}" in (f"{self.minimum:g}", f"{self.maximum:g}") else "g"
            raise ProcessError(
                f"{process}: {self.name} = {value:{form}}{unit} is not allowed: "
                f"it must lie between {self.minimum:{form}} and {self.maximum:{form}}{unit} ({self.description})"
            )
        return value


@dataclass(frozen=True, slots=True)
class Rate:
    """A branching fraction with its error, and how it is known."""

    value: float
    error: float
    source: str


@dataclass(frozen=True, slots=True)
class TwoBody:
    """An isotropic decay to two particles of fixed mass."""


@dataclass(frozen=True, slots=True)
class MuonSpectrum:
    """A muon whose momentum follows a spectrum (per GeV, in the kaon's rest frame); what recoils is one system."""

    spectrum: Any

    def heights(self, end: float, steps: int) -> NDArray[np.float64]:
        """The spectrum at steps + 1 momenta from 0 to `end` in GeV, never below zero."""
        return np.array([max(float(self.spectrum(p)), 0.0) for p in np.linspace(0.0, end, steps + 1)])


@dataclass(frozen=True, slots=True)
class ThreeBody:
    """A three-body decay with a squared amplitude on its Dalitz plot.

    amplitude : compiled function of (s12, s23, parameters), parameters an array in the order of the process's.
    order : the daughters that are 1, 2, 3 in s12 = (p1 + p2)^2 and s23 = (p2 + p3)^2, as positions in the decay.
    s12_max : optional upper end of s12 in GeV^2, from the values of the parameters (a cut on a photon's energy).
    """

    amplitude: Any
    order: tuple[int, int, int] = (0, 1, 2)
    s12_max: Callable[[Values], float] | None = None


@dataclass(frozen=True, slots=True)
class ManyBody:
    """A decay to three bodies or more with a squared amplitude of the daughters' momenta.

    amplitude : what `kaongen.momenta_amplitude` makes of a function of (p, parameters): p[i] = (px, py, pz, E) in the
        kaon's rest frame in GeV.
    order : the daughters that are p[0], p[1], ..., as positions in the decay; all of them in their order by default.
        Phase space is split into systems of the first two, three, ... of them, so a pole should be in such a mass.
    limits : optional, from the values of the parameters: for a number k the range in GeV of the mass of the first k;
        equal ends put that system on its mass shell.
    exchange : pairs of like particles, as positions in p, that are to be exchanged at random: for an amplitude that is
        not symmetric in them itself, but whose mean over the exchange is the symmetric one.
    """

    amplitude: Any
    order: tuple[int, ...] = ()
    limits: Callable[[Values], Mapping[int, tuple[float, float]]] | None = None
    exchange: tuple[tuple[int, int], ...] = ()


Dynamics = TwoBody | MuonSpectrum | ThreeBody | ManyBody


@dataclass(frozen=True)
class Process:
    """One entry of the catalogue.

    name : what cards and commands call it.
    decay : descriptor "K+ -> a b c" with the names of `kaongen.particles.SPECIES`; daughters may decay in turn.
    dynamics : how momenta are distributed.
    rate : function of the parameter values that gives the branching fraction.
    reference : where amplitude and rate come from.
    mass_of : name of the daughter whose mass is a parameter, and that parameter's name.
    chain : optional, the descriptor of a decay in steps that this one describes as a whole, with the correlations
        between the steps: asked for under that descriptor, this process answers.
    """

    name: str
    decay: str
    dynamics: Dynamics
    rate: Callable[[Process, Values], Rate]
    reference: str
    parameters: tuple[Parameter, ...] = ()
    mass_of: Mapping[str, str] = field(default_factory=dict)
    chain: str = ""

    def __post_init__(self) -> None:
        try:
            names = self.descriptor.names
            if self.chain:
                parse(self.chain)
        except ProcessError as problem:
            raise ProcessError(f"{self.name}: {problem}") from None
        if isinstance(self.dynamics, ThreeBody):
            if len(names) != 3:
                raise ProcessError(f"{self.name}: {self.decay!r} has {len(names)} daughters, a three-body decay has 3")
            _check_order(self.name, self.dynamics.order, 3)
        elif isinstance(self.dynamics, ManyBody):
            if len(names) < 3:
                raise ProcessError(f"{self.name}: {self.decay!r} has {len(names)} daughters, it must have 3 or more")
            _check_order(self.name, self.order, len(names))
            _check_amplitude(self.name, self.dynamics, self.order, names)
        elif isinstance(self.dynamics, TwoBody) and len(names) != 2:
            raise ProcessError(f"{self.name}: {self.decay!r} has {len(names)} daughters, a two-body decay has 2")

    @property
    def order(self) -> tuple[int, ...]:
        """Positions in the decay of the particles that amplitude and phase space count as 1, 2, 3, ..."""
        if isinstance(self.dynamics, (ThreeBody, ManyBody)) and self.dynamics.order:
            return self.dynamics.order
        return tuple(range(len(self.daughters)))

    @cached_property
    def descriptor(self) -> Descriptor:
        """The decay, read."""
        return parse(self.decay)

    @property
    def daughters(self) -> tuple[str, ...]:
        """Names of the kaon's own daughters."""
        return self.descriptor.names

    @property
    def symmetry(self) -> int:
        """What phase space must be divided by for daughters that are alike."""
        return math.prod(math.factorial(self.daughters.count(name)) for name in set(self.daughters))

    @property
    def species(self) -> tuple[Species, ...]:
        return tuple(SPECIES[name] for name in self.daughters)

    def values(self, given: Values) -> dict[str, float]:
        """All parameters by name: those given, checked, and the defaults of the others.

        Raises
        ------
        ProcessError
            If a name is unknown, a value is out of range, or a parameter without default is not given.
        """
        names = [p.name for p in self.parameters]
        for name in given:
            if name not in names:
                hint = suggestion(name, names)
                known = ", ".join(names) or "none"
                raise ProcessError(f"{self.name} has no parameter {name!r}{hint} (its parameters: {known})")
        result = {}
        for p in self.parameters:
            value = given.get(p.name, p.default)
            if value is None:
                raise ProcessError(
                    f"{self.name}: {p.name} is missing: {p.description}, {p.minimum:g} to {p.maximum:g} {p.unit}"
                )
            try:
                number = float(value)
            except (TypeError, ValueError):
                raise ProcessError(f"{self.name}: {p.name} = {value!r} is not a number ({p.description})") from None
            result[p.name] = p.check(self.name, number)
        return result

    def vector(self, values: Values) -> NDArray[np.float64]:
        """The parameters as the amplitude sees them: (n,) float64 in their declared order."""
        return np.array([values[p.name] for p in self.parameters if not p.of_daughter], dtype=np.float64)

    def masses(self, values: Values) -> tuple[float, ...]:
        """Masses of the kaon's own daughters in GeV."""
        return tuple(self.mass(name, values) for name in self.daughters)

    def mass(self, particle: str, values: Values) -> float:
        """Mass of a particle in this decay in GeV."""
        mass = values[self.mass_of[particle]] if particle in self.mass_of else SPECIES[particle].mass
        if mass is None:
            raise ProcessError(f"{self.name}: no parameter gives the mass of {particle}")
        return mass

    def dalitz_table(self, values: Values) -> DalitzTable:
        """The Dalitz plot of a three-body process, tabulated."""
        if not isinstance(self.dynamics, ThreeBody):
            raise ProcessError(f"{self.name} has no Dalitz plot: {self.decay}")
        m = [self.masses(values)[i] for i in self.order]
        cut = self.dynamics.s12_max(values) if self.dynamics.s12_max else None
        try:
            return _dalitz_table(self.dynamics.amplitude, (m[0], m[1], m[2]), tuple(self.vector(values)), cut)
        except ProcessError as problem:
            raise ProcessError(f"{self.name}: {problem}") from None

    def cell_table(self, values: Values) -> CellTable:
        """The phase space of a many-body process, tabulated."""
        if not isinstance(self.dynamics, ManyBody):
            raise ProcessError(f"{self.name} has no many-body phase space: {self.decay}")
        masses = tuple(self.masses(values)[i] for i in self.order)
        limits = self.dynamics.limits(values) if self.dynamics.limits else {}
        try:
            return _cell_table(
                self.dynamics.amplitude, masses, tuple(self.vector(values)), tuple(sorted(limits.items()))
            )
        except ProcessError as problem:
            raise ProcessError(f"{self.name}: {problem}") from None

    def width(self, values: Values) -> tuple[float, float]:
        """Integral of |M|^2 over phase space, over 2 m_K and over the symmetry of like daughters, and its error.

        It is the width in the unit of |M|^2 times GeV^(2n - 5). Only processes with an amplitude have one.
        """
        if isinstance(self.dynamics, ThreeBody):
            plot = self.dalitz_table(values)
            # PDG, Kinematics: dGamma = |M|^2 ds12 ds23 / (256 pi^3 m_K^3)
            flux = 1.0 / (256.0 * math.pi**3 * M_K**3 * self.symmetry)
            return plot.integral * flux, plot.integral_error * flux
        cells = self.cell_table(values)
        flux = 1.0 / (2.0 * M_K * self.symmetry)
        return cells.integral * flux, cells.integral_error * flux

    def momentum(self, values: Values) -> float:
        """Momentum of the daughters of a two-body process in the kaon's rest frame (GeV)."""
        if not isinstance(self.dynamics, TwoBody):
            raise ProcessError(f"{self.name} has no single momentum: {self.decay}")
        m1, m2 = self.masses(values)
        return float(two_body_momentum(M_K, m1, m2))

    def branching_fraction(self, values: Values) -> Rate:
        return self.rate(self, values)


def _check_order(name: str, order: tuple[int, ...], count: int) -> None:
    if sorted(order) != list(range(count)):
        wanted = ", ".join(map(str, range(count - 1)))
        raise ProcessError(f"{name}: order {order} must hold {wanted} and {count - 1} once each")


def _check_amplitude(name: str, dynamics: ManyBody, order: tuple[int, ...], names: tuple[str, ...]) -> None:
    particles = getattr(dynamics.amplitude, "particles", len(names))
    if particles != len(names):
        raise ProcessError(f"{name}: the amplitude is of {particles} daughters, the decay has {len(names)}")
    for i, j in dynamics.exchange:
        if not (0 <= i < len(names) and 0 <= j < len(names) and names[order[i]] == names[order[j]]):
            raise ProcessError(
                f"{name}: exchange ({i}, {j}) must be the positions in p of two daughters that are alike"
            )


# kept, because rate and sampler of a process want the same one; all those of a scan, 1.6 MB each


@lru_cache(maxsize=128)
def _dalitz_table(
    amplitude: Any, masses: tuple[float, float, float], parameters: tuple[float, ...], s12_max: float | None
) -> DalitzTable:
    return build_table(amplitude, masses, np.array(parameters, dtype=np.float64), parent=M_K, s12_max=s12_max)


@lru_cache(maxsize=32)
def _cell_table(
    amplitude: Any,
    masses: tuple[float, ...],
    parameters: tuple[float, ...],
    limits: tuple[tuple[int, tuple[float, float]], ...],
) -> CellTable:
    space = phase_space(M_K, masses, dict(limits))
    return cell_table(amplitude, space, np.array(parameters, dtype=np.float64))
