"""From partial widths to branching fractions, lifetimes and decay lengths; checks of what a model is given."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from kaongen.errors import ProcessError, suggestion
from kaongen.particles import HBAR, SPEED_OF_LIGHT


def kallen(a: float, b: float, c: float) -> float:
    """Triangle function a^2 + b^2 + c^2 - 2(ab + bc + ca)."""
    return (a - b - c) ** 2 - 4.0 * b * c


def phase_space(m: float, m1: float, m2: float) -> float:
    """lambda^(1/2)(1, m1^2/m^2, m2^2/m^2) = 2p/m of the decay m -> m1 m2; 0 below threshold."""
    # factorised, so that nothing cancels near threshold
    product = max(m - m1 - m2, 0.0) * (m + m1 + m2) * (m - m1 + m2) * (m + m1 - m2)
    return math.sqrt(max(product, 0.0)) / (m * m)


def velocity(m: float, m_daughter: float) -> float:
    """Velocity of the daughters of m -> 2 m_daughter in units of c; 0 below threshold."""
    return phase_space(m, m_daughter, m_daughter)


def check(model: str, name: str, value: float, minimum: float, maximum: float, unit: str = "") -> float:
    """The value, or a ProcessError that names model, parameter, value and what is allowed."""
    if not (math.isfinite(value) and minimum <= value <= maximum):
        unit = f" {unit}" if unit else ""
        raise ProcessError(
            f"{model}: {name} = {value:g}{unit} is not allowed: it must lie between {minimum:g} and {maximum:g}{unit}"
        )
    return value


LIGHTEST = 1e-6
"""Smallest mass that a model takes, in GeV: the formulas are for decays in flight of a massive particle."""

LARGEST_COUPLING = math.sqrt(4.0 * math.pi)
"""A larger coupling is not perturbative."""


class Unstable(ABC):
    """A particle with partial widths.

    Channels are named after their daughters, as in `kaongen.particles.SPECIES`: "mu+ mu-", "nu_mu anti-nu_mu".
    """

    __slots__ = ()

    @property
    @abstractmethod
    def name(self) -> str:
        """What messages call the particle."""

    @property
    @abstractmethod
    def mass(self) -> float:
        """Mass in GeV."""

    @abstractmethod
    def widths(self) -> dict[str, float]:
        """Partial widths in GeV of all channels, those that are closed included with 0."""

    def width(self, channel: str) -> float:
        """Partial width of a channel in GeV."""
        widths = self.widths()
        if channel not in widths:
            hint = suggestion(channel, widths)
            raise ProcessError(f"{self.name} has no channel {channel!r}{hint} (known: {', '.join(widths)})")
        return widths[channel]

    def total_width(self) -> float:
        """Sum of the partial widths in GeV."""
        return math.fsum(self.widths().values())

    def branching_fractions(self) -> dict[str, float]:
        """Branching fraction of every channel."""
        widths = self.widths()
        total = math.fsum(widths.values())
        if total <= 0.0:
            raise ProcessError(f"{self.name}: no decay is open to it, so it has no branching fractions")
        return {channel: width / total for channel, width in widths.items()}

    def branching_fraction(self, channel: str) -> float:
        """Branching fraction of one channel."""
        return self.width(channel) / self.total_width() if self.width(channel) > 0.0 else 0.0

    def lifetime(self) -> float:
        """Mean life at rest in ns; infinite where nothing is open."""
        total = self.total_width()
        return HBAR / total if total > 0.0 else math.inf

    def decay_length(self, energy: float) -> float:
        """Mean decay length beta gamma c tau in m at an energy in GeV."""
        check(self.name, "energy", energy, self.mass, 1e9, "GeV")
        boost = math.sqrt((energy - self.mass) * (energy + self.mass)) / self.mass
        return boost * SPEED_OF_LIGHT * self.lifetime()

    def escape_probability(self, energy: float, length: float) -> float:
        """Probability of flying `length` (m) without decaying at an energy in GeV."""
        check(self.name, "length", length, 0.0, 1e9, "m")
        mean = self.decay_length(energy)
        if mean == 0.0:
            return 1.0 if length == 0.0 else 0.0
        return math.exp(-length / mean)
