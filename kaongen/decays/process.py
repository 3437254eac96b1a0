"""What a decay process is: daughters, dynamics, parameters, rate and reference. A process is a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numba.core.registry import CPUDispatcher
from numpy.typing import NDArray

from kaongen.decays.dalitz import AMPLITUDE_SIGNATURE, DalitzTable, build_table
from kaongen.errors import ProcessError, suggestion
from kaongen.jit import block_kernel
from kaongen.kinematics import two_body_momentum
from kaongen.particles import M_K, SPECIES, Species

Values = Mapping[str, float]
"""Values of a process's parameters by name."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that a process depends on, with the range in which it makes sense.

    A parameter without a default must be given.
    """

    name: str
    minimum: float
    maximum: float
    description: str
    unit: str = ""
    default: float | None = None

    def check(self, process: str, value: float) -> float:
        if not (math.isfinite(value) and self.minimum <= value <= self.maximum):
            unit = f" {self.unit}" if self.unit else ""
            raise ProcessError(
                f"{process}: {self.name} = {value:g}{unit} is not allowed: "
                f"it must lie between {self.minimum:g} and {self.maximum:g}{unit} ({self.description})"
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


Dynamics = TwoBody | MuonSpectrum | ThreeBody


@dataclass(frozen=True)
class Process:
    """One entry of the catalogue.

    name : what cards and commands call it.
    decay : descriptor "K+ -> a b c" with the names of `kaongen.particles.SPECIES`.
    dynamics : how momenta are distributed.
    rate : function of the parameter values that gives the branching fraction.
    reference : where amplitude and rate come from.
    mass_of : name of the daughter whose mass is a parameter, and that parameter's name.
    """

    name: str
    decay: str
    dynamics: Dynamics
    rate: Callable[[Process, Values], Rate]
    reference: str
    parameters: tuple[Parameter, ...] = ()
    mass_of: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parent, arrow, rest = self.decay.partition(" -> ")
        names = rest.split()
        if parent != "K+" or not arrow or not names:
            raise ProcessError(f"{self.name}: {self.decay!r} is not a decay descriptor such as 'K+ -> mu+ nu_mu'")
        for name in names:
            if name not in SPECIES:
                hint = suggestion(name, SPECIES)
                raise ProcessError(f"{self.name}: there is no particle {name!r}{hint} (known: {', '.join(SPECIES)})")
        if isinstance(self.dynamics, ThreeBody):
            if len(names) != 3:
                raise ProcessError(f"{self.name}: {self.decay!r} has {len(names)} daughters, a three-body decay has 3")
            if sorted(self.dynamics.order) != [0, 1, 2]:
                raise ProcessError(f"{self.name}: order {self.dynamics.order} must hold 0, 1 and 2 once each")
        elif isinstance(self.dynamics, TwoBody) and len(names) != 2:
            raise ProcessError(f"{self.name}: {self.decay!r} has {len(names)} daughters, a two-body decay has 2")

    @property
    def daughters(self) -> tuple[str, ...]:
        return tuple(self.decay.split(" -> ")[1].split())

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
        return np.array([values[p.name] for p in self.parameters], dtype=np.float64)

    def masses(self, values: Values) -> tuple[float, ...]:
        """Masses of the daughters in GeV."""
        result = []
        for species in self.species:
            mass = values[self.mass_of[species.name]] if species.name in self.mass_of else species.mass
            if mass is None:
                raise ProcessError(f"{self.name}: no parameter gives the mass of {species.name}")
            result.append(mass)
        return tuple(result)

    def table(self, values: Values) -> DalitzTable:
        """The Dalitz plot of a three-body process, tabulated."""
        if not isinstance(self.dynamics, ThreeBody):
            raise ProcessError(f"{self.name} has no Dalitz plot: {self.decay}")
        masses = self.masses(values)
        one, two, three = self.dynamics.order
        cut = self.dynamics.s12_max(values) if self.dynamics.s12_max else None
        try:
            return _table(
                self.dynamics.amplitude, (masses[one], masses[two], masses[three]), tuple(self.vector(values)), cut
            )
        except ProcessError as problem:
            raise ProcessError(f"{self.name}: {problem}") from None

    def momentum(self, values: Values) -> float:
        """Momentum of the daughters of a two-body process in the kaon's rest frame (GeV)."""
        if not isinstance(self.dynamics, TwoBody):
            raise ProcessError(f"{self.name} has no single momentum: {self.decay}")
        m1, m2 = self.masses(values)
        return float(two_body_momentum(M_K, m1, m2))

    def branching_fraction(self, values: Values) -> Rate:
        return self.rate(self, values)


@lru_cache(maxsize=16)
def _table(
    amplitude: Any, masses: tuple[float, float, float], parameters: tuple[float, ...], s12_max: float | None
) -> DalitzTable:
    # kept, because rate and sampler of a process want the same one
    return build_table(amplitude, masses, np.array(parameters, dtype=np.float64), parent=M_K, s12_max=s12_max)


def amplitude(function: Any) -> Any:
    """Make a squared amplitude usable by the three-body sampler.

    Parameters
    ----------
    function
        A plain Python function or an ``@numba.njit`` function of (s12, s23, parameters): two floats in GeV^2
        and a float64 array; it returns |M|^2 in any unit.

    Returns
    -------
    The compiled function, callable from Python as well.
    """
    body = function.py_func if isinstance(function, CPUDispatcher) else function
    # The cache is keyed by the sources of kaongen: it would not notice a change in a user's.
    if body.__module__.startswith("kaongen."):
        return block_kernel(signature=AMPLITUDE_SIGNATURE)(body)
    return njit(AMPLITUDE_SIGNATURE, error_model="numpy", nogil=True)(body)
