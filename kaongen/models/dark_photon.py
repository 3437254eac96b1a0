"""The dark photon A' that mixes with the photon by epsilon: its decays, and how mesons decay to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kaongen.models import g_minus_2
from kaongen.models.constants import M_RHO, WIDTH_RHO
from kaongen.models.unstable import LIGHTEST, Unstable, check, kallen, velocity
from kaongen.particles import ALPHA_EM, BR_PI0_GAMMAGAMMA, G_F, HBAR, M_E, M_K, M_MU, M_PI, M_PI0, TAU_K

HEAVIEST = 0.7
"""GeV: above it three pions through the omega, and omega-rho mixing, would matter."""

PI_LL_F0, PI_LL_DELTA = 0.531, 2.32
"""Form factor f_0 (1 + delta z) of K+ -> pi+ l+ l-, z = q^2/m_K^2, in units of G_F m_K^2, the pions' loop included:
linear fit of NA48/2, Phys. Lett. B 677 (2009) 246. It gives both leptons' measured rates within their errors."""


def width_to_leptons(epsilon: float, m: float, m_l: float) -> float:
    """Gamma(A' -> l+ l-) = alpha epsilon^2 m/3 (1 + 2 m_l^2/m^2) beta in GeV."""
    return ALPHA_EM * epsilon * epsilon * m / 3.0 * (1.0 + 2.0 * (m_l / m) ** 2) * velocity(m, m_l)


def pion_form_factor(s: float) -> complex:
    """Electromagnetic form factor of the pion at s in GeV^2, the rho alone.

    G. J. Gounaris and J. J. Sakurai, Phys. Rev. Lett. 21 (1968) 244. Below 0.7 GeV it is good to about 5%.
    """
    rho2 = M_RHO * M_RHO
    k = 0.5 * M_RHO * velocity(M_RHO, M_PI)
    h_rho = 2.0 * k / (math.pi * M_RHO) * math.log((M_RHO + 2.0 * k) / (2.0 * M_PI))
    slope = h_rho * (1.0 / (8.0 * k * k) - 1.0 / (2.0 * rho2)) + 1.0 / (2.0 * math.pi * rho2)

    def denominator(q2: float) -> complex:
        k2 = 0.25 * q2 - M_PI * M_PI
        dispersive = k2 * (_two_pion_loop(q2) - h_rho) - (q2 - rho2) * k * k * slope
        return rho2 - q2 + WIDTH_RHO * rho2 / k**3 * dispersive

    return denominator(0.0) / denominator(s)


def _two_pion_loop(s: float) -> complex:
    """h(s) - i k/sqrt(s) of Gounaris and Sakurai, with its continuation below threshold and to space-like s."""
    kappa2 = M_PI * M_PI - 0.25 * s
    if s == 0.0:
        return 1.0 / math.pi
    root = math.sqrt(abs(s))
    ratio = 2.0 * math.sqrt(abs(kappa2)) / root
    if s < 0.0:
        return ratio / math.pi * math.asinh(0.5 * root / M_PI)
    if kappa2 > 0.0:
        return ratio / math.pi * math.atan(1.0 / ratio)
    return ratio / math.pi * math.log((1.0 + ratio) * root / (2.0 * M_PI)) - 0.5j * ratio


def width_to_pions(epsilon: float, m: float) -> float:
    """Gamma(A' -> pi+ pi-) = alpha epsilon^2 m/12 beta^3 |F|^2 in GeV."""
    beta = velocity(m, M_PI)
    return ALPHA_EM * epsilon * epsilon * m / 12.0 * beta**3 * abs(pion_form_factor(m * m)) ** 2


@dataclass(frozen=True, slots=True)
class DarkPhoton(Unstable):
    """A' of mass m (GeV) and kinetic mixing epsilon, which decays to what the photon couples to."""

    m: float
    epsilon: float

    def __post_init__(self) -> None:
        check(self.name, "m", self.m, LIGHTEST, HEAVIEST, "GeV")
        check(self.name, "epsilon", self.epsilon, -1.0, 1.0)

    @property
    def name(self) -> str:
        return "dark photon"

    @property
    def mass(self) -> float:
        return self.m

    def widths(self) -> dict[str, float]:
        """Partial widths in GeV. Below twice the electron's mass nothing is open: three photons are left out."""
        return {
            "e+ e-": width_to_leptons(self.epsilon, self.m, M_E),
            "mu+ mu-": width_to_leptons(self.epsilon, self.m, M_MU),
            "pi+ pi-": width_to_pions(self.epsilon, self.m),
        }

    def pion_branching_fraction(self) -> float:
        """BR(pi0 -> gamma A') = 2 epsilon^2 (1 - m^2/m_pi0^2)^3 BR(pi0 -> gamma gamma); 0 from m_pi0 on.

        B. Batell, M. Pospelov and A. Ritz, Phys. Rev. D 80 (2009) 095024 (arXiv:0906.5614).
        """
        room = max(1.0 - (self.m / M_PI0) ** 2, 0.0)
        return 2.0 * self.epsilon**2 * room**3 * BR_PI0_GAMMAGAMMA.value

    def kaon_branching_fraction(self) -> float:
        """BR(K+ -> pi+ A'), from the form factor of K+ -> pi+ l+ l-; 0 from m_K - m_pi on.

        epsilon^2 alpha z m_K lambda^(3/2)(1, z, m_pi^2/m_K^2) |W|^2/(4 (4 pi)^4) over the kaon's width, with z =
        m^2/m_K^2 and W = G_F m_K^2 f_0 (1 + delta z): G. D'Ambrosio, G. Ecker, G. Isidori and J. Portoles, JHEP 08
        (1998) 004, with the photon's propagator and leptons taken off; M. Pospelov, Phys. Rev. D 80 (2009) 095002.
        """
        if self.m >= M_K - M_PI:
            return 0.0
        z = (self.m / M_K) ** 2
        w = G_F * M_K * M_K * PI_LL_F0 * (1.0 + PI_LL_DELTA * z)
        flux = math.sqrt(max(kallen(1.0, z, (M_PI / M_K) ** 2), 0.0)) ** 3
        width = self.epsilon**2 * ALPHA_EM * z * M_K * flux * w * w / (4.0 * (4.0 * math.pi) ** 4)
        return width * TAU_K / HBAR

    def delta_a_mu(self) -> float:
        """Contribution to the muon's anomalous magnetic moment."""
        return 4.0 * math.pi * ALPHA_EM * self.epsilon**2 * g_minus_2.vector(self.m)
