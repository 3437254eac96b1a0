"""Limits on couplings from those on BR(K+ -> pi+ X): the dark scalar (BC4) and the axion-like particle (BC10)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scipy.optimize import brentq, minimize_scalar

from kaongen.analysis.pion_x_limits import Hypothesis
from kaongen.models.alp import AxionLikeParticle
from kaongen.models.dark_scalar import DarkScalar
from kaongen.models.unstable import LARGEST_COUPLING, LIGHTEST, Unstable
from kaongen.statistics.limit import UpperLimit


@dataclass(frozen=True)
class Portal:
    """A model with one coupling, whose square all rates are proportional to.

    name : for programs; title : for people; label : of the coupling in figures; power : of the coupling's square that
    limits are on; largest : square of the coupling, beyond which the model makes no sense; particle : of a mass (GeV)
    at unit coupling; rate : BR(K+ -> pi+ X) at a mass (GeV) and unit coupling.
    """

    name: str
    title: str
    label: str
    power: float
    largest: float
    particle: Callable[[float], Unstable]
    rate: Callable[[float], float]

    def lifetime(self, mass: float, square: float) -> float:
        """In ns at a mass in GeV; infinite where nothing is open."""
        return self.particle(max(mass, LIGHTEST)).lifetime() / square if square > 0.0 else math.inf

    def branching_fraction(self, mass: float, square: float) -> float:
        """BR(K+ -> pi+ X) at a mass in GeV."""
        return square * self.rate(max(mass, LIGHTEST))


DARK_SCALAR = Portal(
    name="dark-scalar",
    title="dark scalar that mixes with the Higgs boson (BC4)",
    label=r"$\sin^2\theta$",
    power=1.0,
    largest=1.0,
    particle=lambda mass: DarkScalar(mass, 1.0),
    rate=lambda mass: DarkScalar(mass, 1.0).kaon_branching_fraction(),
)
ALP = Portal(
    name="alp",
    title="axion-like particle with Yukawa-like couplings (BC10)",
    label=r"$g_Y$",
    power=0.5,
    largest=LARGEST_COUPLING**2,
    particle=lambda mass: AxionLikeParticle(mass, 1.0),
    rate=lambda mass: AxionLikeParticle(mass, 1.0).kaon_branching_fraction(),
)
PORTALS = (DARK_SCALAR, ALP)


@dataclass(frozen=True)
class Interval:
    """Excluded values of the square of a coupling."""

    low: float
    high: float


def invisible(
    portal: Portal, tried: Sequence[Hypothesis], stable: Mapping[float, UpperLimit]
) -> dict[float, UpperLimit | None]:
    """Limits on the coupling (to its power) if X decays only invisibly, by mass in GeV."""
    return {h.mass: stable[h.mass].scaled(1.0 / portal.branching_fraction(h.mass, 1.0), portal.power) for h in tried}


def excluded(portal: Portal, h: Hypothesis, limit: float) -> Interval | None:
    """Squares of the coupling that a limit on BR for a stable X excludes, if X decays visibly; None if there are none.

    The larger the coupling, the more X are made, and the fewer live long enough: BR times the share that escapes rises,
    is largest at some coupling, and falls. Both ends are where it equals the limit.
    """
    rate = portal.branching_fraction(h.mass, 1.0)
    life = portal.lifetime(h.mass, 1.0)

    def log_excess(log_square: float) -> float:
        share = h.grid.escape(h.mass, life * math.exp(-log_square))
        return math.log(rate / limit) + log_square + math.log(max(share, 1e-300))

    low, largest = math.log(limit / rate), math.log(portal.largest)  # low is what it would be if all escaped
    if low >= largest:
        return None
    top = float(minimize_scalar(lambda s: -log_excess(s), bounds=(low, largest), method="bounded").x)
    if log_excess(largest) >= log_excess(top):
        top = largest
    if log_excess(top) <= 0.0:
        return None
    first = low if log_excess(low) >= 0.0 else float(brentq(log_excess, low, top, xtol=1e-10))
    last = largest if log_excess(largest) >= 0.0 else float(brentq(log_excess, top, largest, xtol=1e-10))
    return Interval(math.exp(first), math.exp(last))
