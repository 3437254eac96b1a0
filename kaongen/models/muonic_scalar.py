"""The muon-philic scalar phi, y phi mubar mu, and vector-like leptons from which it can come.

Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802 (arXiv:1902.07715), section III and appendix B.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

from kaongen.models import g_minus_2
from kaongen.models.constants import M_H, VEV
from kaongen.models.unstable import LARGEST_COUPLING, LIGHTEST, Unstable, check, velocity
from kaongen.particles import ALPHA_EM, M_MU


def fermion_loop(x: float) -> complex:
    """Amplitude of a scalar's decay to photons through a fermion loop, x = m_phi^2/(4 m_f^2).

    2 (x + (x-1) arcsin^2 sqrt(x))/x^2, as in equation (6), and its continuation above threshold, where arcsin^2 sqrt(x)
    becomes -(1/4) (ln[(1 + r)/(1 - r)] - i pi)^2 with r = sqrt(1 - 1/x). 4/3 for a heavy fermion.
    """
    if x < 1e-3:
        # arcsin^2 sqrt(x) = x + x^2/3 + 8x^3/45 + 4x^4/35 + ...
        return 4.0 / 3.0 + x * (14.0 / 45.0 + x * (8.0 / 63.0 + x * 104.0 / 1575.0))
    if x <= 1.0:
        f: complex = math.asin(math.sqrt(x)) ** 2
    else:
        r = math.sqrt(1.0 - 1.0 / x)
        # (1 + r)/(1 - r), without the cancellation at large x
        f = -0.25 * (cmath.log((1.0 + r) ** 2 * x) - 1j * math.pi) ** 2
    return 2.0 * (x + (x - 1.0) * f) / (x * x)


@dataclass(frozen=True, slots=True)
class VectorLikeLeptons:
    """Heavy lepton singlets psi, psi^c that give phi its coupling to the muon: equation (B.2).

    heavy_mass : M in GeV.
    lambda_1, lambda_2 : couplings of phi to psi psi^c and to psi mu^c.
    y_psi : Yukawa coupling L H psi^c.
    """

    heavy_mass: float
    lambda_1: float
    lambda_2: float
    y_psi: float

    def __post_init__(self) -> None:
        check("vector-like leptons", "heavy_mass", self.heavy_mass, VEV, 1e9, "GeV")
        for name in ("lambda_1", "lambda_2", "y_psi"):
            check("vector-like leptons", name, getattr(self, name), -LARGEST_COUPLING, LARGEST_COUPLING)

    @property
    def yukawa(self) -> float:
        """y_phi = -lambda_2 y_psi v/(sqrt(2) M): equation (B.4)."""
        return -self.lambda_2 * self.y_psi * VEV / (math.sqrt(2.0) * self.heavy_mass)

    @property
    def photon_coupling(self) -> float:
        """Coefficient of phi F^2 in GeV^-1, lambda_1 alpha/(6 pi M): equation (B.3)."""
        return self.lambda_1 * ALPHA_EM / (6.0 * math.pi * self.heavy_mass)

    def higgs_mass_mixing(self) -> tuple[float, float]:
        """Estimates in GeV^2 of the mass term phi h from the loops with lambda_1 and with lambda_2.

        Equation (B.5) prints lambda_1 y_psi^2 M v/(16 pi^2) and lambda_2 y_psi^2 M v/(16 pi^2). The second breaks the
        symmetries of (B.2), under which only lambda_2 y_psi y_mu M is neutral: one y_psi is read as the muon's Yukawa
        coupling y_mu = sqrt(2) m_mu/v.
        """
        loop = self.heavy_mass * VEV / (16.0 * math.pi**2)
        y_mu = math.sqrt(2.0) * M_MU / VEV
        return self.lambda_1 * self.y_psi**2 * loop, self.lambda_2 * self.y_psi * y_mu * loop

    def higgs_mixing(self) -> float:
        """Size of the mixing angle of a light phi with the Higgs: the larger of the two estimates over m_h^2."""
        return max(abs(term) for term in self.higgs_mass_mixing()) / M_H**2

    def scalar(self, m_phi: float) -> MuonicScalar:
        """The scalar of mass m_phi (GeV) that these leptons give."""
        return MuonicScalar(m_phi, self.yukawa, self.photon_coupling)


@dataclass(frozen=True, slots=True)
class MuonicScalar(Unstable):
    """phi of mass m_phi (GeV) and Yukawa coupling y.

    photon_coupling : coefficient of phi F^2 in GeV^-1 from heavy charged particles, besides the muon's loop.
    """

    m_phi: float
    y: float
    photon_coupling: float = 0.0

    def __post_init__(self) -> None:
        check(self.name, "m_phi", self.m_phi, LIGHTEST, 10.0, "GeV")
        check(self.name, "y", self.y, -LARGEST_COUPLING, LARGEST_COUPLING)
        check(self.name, "photon_coupling", self.photon_coupling, -1.0, 1.0, "GeV^-1")

    @property
    def name(self) -> str:
        return "muon-philic scalar"

    @property
    def mass(self) -> float:
        return self.m_phi

    @property
    def alpha(self) -> float:
        """alpha_phi = y^2/(4 pi)."""
        return self.y * self.y / (4.0 * math.pi)

    def widths(self) -> dict[str, float]:
        """Partial widths in GeV: equations (5) and (6), the latter with the coupling phi F^2 added coherently."""
        beta = velocity(self.m_phi, M_MU)
        # phi F^2 with coefficient c is a heavy fermion's loop, (y/m) 4/3, with c = alpha y/(6 pi m)
        heavy = self.photon_coupling * 6.0 * math.pi / ALPHA_EM
        loop = self.y / M_MU * fermion_loop(self.m_phi**2 / (4.0 * M_MU**2)) + 4.0 / 3.0 * heavy
        return {
            "gamma gamma": ALPHA_EM**2 * self.m_phi**3 / (256.0 * math.pi**3) * abs(loop) ** 2,
            "mu+ mu-": 0.5 * self.alpha * self.m_phi * beta**3,
        }

    def delta_a_mu(self) -> float:
        """Contribution of the Yukawa coupling to the muon's anomalous magnetic moment."""
        return self.y * self.y * g_minus_2.scalar(self.m_phi)
