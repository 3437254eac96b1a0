"""The vector V of gauged L_mu - L_tau, with or without dark matter that carries its charge."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from kaongen.errors import ProcessError, suggestion
from kaongen.models import freeze_out, g_minus_2
from kaongen.models.constants import DARK_MATTER_DENSITY, M_TAU
from kaongen.models.unstable import LARGEST_COUPLING, LIGHTEST, Unstable, check, velocity
from kaongen.particles import ALPHA_EM, M_E, M_MU

Kind = Literal["scalar", "majorana", "dirac"]

SPIN_STATES: Final[dict[str, int]] = {"scalar": 1, "majorana": 2, "dirac": 2}
"""Of the particle; a complex scalar and a Dirac fermion have antiparticles besides."""

HEAVIEST: Final = 10.0
"""Heaviest V, in GeV: far above it the width to hadrons through mixing with the Z would matter."""


def width_to_leptons(alpha: float, m_v: float, m_l: float) -> float:
    """Gamma(V -> l+ l-) in GeV for a coupling g^2 = 4 pi alpha: Krnjaic et al., equation (2)."""
    return alpha * m_v / 3.0 * (1.0 + 2.0 * (m_l / m_v) ** 2) * velocity(m_v, m_l)


def width_to_neutrinos(alpha: float, m_v: float) -> float:
    """Gamma(V -> nu nubar) in GeV for one left-handed flavour: Krnjaic et al., below equation (2)."""
    return alpha * m_v / 6.0


def width_to_dark_matter(kind: Kind, alpha: float, m_v: float, m_chi: float) -> float:
    """Gamma(V -> chi chi) in GeV for the currents of Krnjaic et al., equation (3), with g_chi^2 = 4 pi alpha.

    Complex scalar i chi* d chi + h.c.; Majorana 1/2 chibar gamma gamma5 chi, with identical daughters; Dirac
    chibar gamma chi. Each is compared with the squared amplitude in tests/models/test_model_lmu_ltau.py.
    """
    beta = velocity(m_v, m_chi)
    if kind == "scalar":
        return alpha * m_v / 12.0 * beta**3
    if kind == "majorana":
        return alpha * m_v / 6.0 * beta**3
    return width_to_leptons(alpha, m_v, m_chi)


def kinetic_mixing(g: float, q2: float = 0.0) -> complex:
    """epsilon of the mixing with the photon that loops of muons and taus induce, at q2 in GeV^2.

    e g/(2 pi^2) times the integral of x(1-x) ln[(m_tau^2 - x(1-x) q2)/(m_mu^2 - x(1-x) q2)] over 0 < x < 1, in closed
    form. At q2 = 0 it is e g/(6 pi^2) ln(m_tau/m_mu) = g/69.3; Krnjaic et al. have g/67, others g/70. Complex above the
    threshold of muon pairs.
    """
    e = math.sqrt(4.0 * math.pi * ALPHA_EM)
    return e * g / (2.0 * math.pi**2) * (_vacuum_polarisation(q2, M_TAU) - _vacuum_polarisation(q2, M_MU))


def _vacuum_polarisation(q2: float, m: float) -> complex:
    """Integral of x(1-x) ln[(m^2 - x(1-x) q2 - i0)/GeV^2] over 0 < x < 1."""
    t = q2 / (4.0 * m * m)
    start = math.log(m * m) / 6.0
    if abs(t) < 1e-3:
        # -sum over n of (4t)^n/n B(n+2, n+2)
        return start - 4.0 * t * (1.0 / 30.0 + 4.0 * t * (1.0 / 280.0 + 4.0 * t / 1890.0))
    root = math.sqrt(abs(1.0 - 1.0 / t))
    angle: complex
    if t > 1.0:
        angle = root * (2.0 * math.log((1.0 + root) * math.sqrt(t)) - 1j * math.pi)
    elif t > 0.0:
        angle = 2.0 * root * math.atan(1.0 / root) if root > 0.0 else 0.0
    else:
        angle = 2.0 * root * math.log((1.0 + root) * math.sqrt(-t))
    return start - 5.0 / 18.0 - 1.0 / (6.0 * t) + (1.0 + 0.5 / t) * angle / 6.0


@dataclass(frozen=True, slots=True)
class DarkMatter:
    """Dark matter chi with charge q under L_mu - L_tau, in units of the muon's.

    kind : "scalar" (complex), "majorana" or "dirac".
    mass : GeV.
    charge : q_chi, so that g_chi = g q_chi.
    """

    kind: Kind
    mass: float
    charge: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            hint = suggestion(str(self.kind), get_args(Kind))
            raise ProcessError(
                f"dark matter: there is no kind {self.kind!r}{hint} (known: {', '.join(get_args(Kind))})"
            )
        check("dark matter", "mass", self.mass, LIGHTEST, HEAVIEST, "GeV")
        check("dark matter", "charge", self.charge, -1e6, 1e6)


@dataclass(frozen=True, slots=True)
class LMuLTau(Unstable):
    """V of mass m_v (GeV) and gauge coupling g; Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802, section II."""

    m_v: float
    g: float
    dark_matter: DarkMatter | None = None

    def __post_init__(self) -> None:
        check(self.name, "m_v", self.m_v, LIGHTEST, HEAVIEST, "GeV")
        check(self.name, "g", self.g, 0.0, LARGEST_COUPLING)
        if self.dark_matter is not None:
            check(self.name, "g q_chi", abs(self.g * self.dark_matter.charge), 0.0, LARGEST_COUPLING)

    @property
    def name(self) -> str:
        return "V of L_mu - L_tau"

    @property
    def mass(self) -> float:
        return self.m_v

    @property
    def alpha(self) -> float:
        """alpha_V = g^2/(4 pi)."""
        return self.g * self.g / (4.0 * math.pi)

    def widths(self) -> dict[str, float]:
        """Partial widths in GeV. That to electrons, through mixing with the photon, is of order 1e-6."""
        return self._widths_at(self.m_v)

    def _widths_at(self, m: float) -> dict[str, float]:
        """Partial widths of a V of virtual mass m."""
        alpha = self.alpha
        mixed = ALPHA_EM * abs(kinetic_mixing(self.g, m * m)) ** 2
        widths = {
            "nu_mu anti-nu_mu": width_to_neutrinos(alpha, m),
            "nu_tau anti-nu_tau": width_to_neutrinos(alpha, m),
            "e+ e-": width_to_leptons(mixed, m, M_E),
            "mu+ mu-": width_to_leptons(alpha, m, M_MU),
            "tau+ tau-": width_to_leptons(alpha, m, M_TAU),
        }
        chi = self.dark_matter
        if chi is not None:
            channel = "chi chi" if chi.kind == "majorana" else "chi anti-chi"
            widths[channel] = width_to_dark_matter(chi.kind, alpha * chi.charge**2, m, chi.mass)
        return widths

    def invisible_fraction(self) -> float:
        """Branching fraction to neutrinos and dark matter."""
        visible = ("e+ e-", "mu+ mu-", "tau+ tau-")
        return math.fsum(f for channel, f in self.branching_fractions().items() if channel not in visible)

    def delta_a_mu(self) -> float:
        """Contribution to the muon's anomalous magnetic moment."""
        return self.g * self.g * g_minus_2.vector(self.m_v)

    def annihilation_cross_section(self, s: float, resonant: bool = True) -> float:
        """sigma(chi chi -> V* -> neutrinos, muons, taus) in GeV^-2, averaged over spins, at s in GeV^2.

        The final currents are conserved, so that only J = 1 is exchanged and the cross-section is that of a resonance
        with the widths of a V of mass sqrt(s), twice it for identical particles. With `resonant` False the propagator
        is that at threshold, as in the expansion in the velocity that leads to y.
        """
        return self._cross_section(s, self._given_dark_matter(), self.total_width(), resonant)

    def _cross_section(self, s: float, chi: DarkMatter, total_width: float, resonant: bool) -> float:
        momentum2 = 0.25 * s - chi.mass**2
        if momentum2 <= 0.0:
            return 0.0
        m = math.sqrt(s)
        alpha = self.alpha
        dark = width_to_dark_matter(chi.kind, alpha * chi.charge**2, m, chi.mass)
        light = (
            2.0 * width_to_neutrinos(alpha, m) + width_to_leptons(alpha, m, M_MU) + width_to_leptons(alpha, m, M_TAU)
        )
        m2 = self.m_v**2
        propagator = (s - m2) ** 2 + m2 * total_width**2 if resonant else (4.0 * chi.mass**2 - m2) ** 2
        identical = 2.0 if chi.kind == "majorana" else 1.0
        spins = SPIN_STATES[chi.kind] ** 2
        return identical * 12.0 * math.pi * s * dark * light / (spins * momentum2 * propagator)

    def relic_density(self, resonant: bool = True) -> float:
        """Omega h^2 of dark matter that freezes out by annihilating through V; see `kaongen.models.freeze_out`.

        For 2 m_chi < m_V, where dark matter cannot annihilate to pairs of V at rest. The tail of the thermal
        distribution that makes V on shell counts, for couplings below 10^-2 even at m_V = 3 m_chi; with `resonant`
        False it is left out, as it is where the target is a line of constant y.
        """
        chi = self._given_dark_matter()
        if 2.0 * chi.mass >= self.m_v:
            raise ProcessError(
                f"{self.name}: freeze-out needs 2 m_chi below m_V, here {2.0 * chi.mass:g} and {self.m_v:g} GeV"
            )
        width = self.total_width()
        return freeze_out.abundance(
            lambda s: self._cross_section(s, chi, width, resonant),
            chi.mass,
            SPIN_STATES[chi.kind],
            chi.kind == "majorana",
            (self.m_v, width) if resonant else None,
        )

    def _given_dark_matter(self) -> DarkMatter:
        chi = self.dark_matter
        if chi is None or self.g == 0.0 or chi.charge == 0.0:
            raise ProcessError(f"{self.name}: annihilation needs dark matter with a charge, and g above 0")
        return chi


def thermal_coupling(
    m_v: float, dark_matter: DarkMatter, density: float = DARK_MATTER_DENSITY, resonant: bool = True
) -> float:
    """Gauge coupling g with which freeze-out leaves the density Omega h^2 of dark matter.

    The target of Krnjaic et al., figure 1 (right), and of Kahn, Krnjaic, Tran and Whitbeck, JHEP 09 (2018) 153: off the
    resonance g^2 g_chi^2 (m_chi/m_V)^4 depends on the mass of dark matter alone. `resonant` as for
    `LMuLTau.relic_density`. Raises a ProcessError where the coupling would not be perturbative.
    """
    check("dark matter", "density", density, 1e-6, 1e6)
    model = LMuLTau(m_v, min(1e-2, 1.0 / max(abs(dark_matter.charge), 1.0)), dark_matter)
    excess = math.log(model.relic_density(resonant) / density)
    # the density falls as g^-4 off the resonance and as g^-2 on it
    power = 4.0
    for _ in range(60):
        if abs(excess) < 1e-4:
            break
        step = excess / power
        model = replace(model, g=model.g * math.exp(step))
        before, excess = excess, math.log(model.relic_density(resonant) / density)
        power = min(max((before - excess) / step, 1.5), 4.5)
    return model.g
