"""pi0 -> e+ e- gamma: the Dalitz decay, one of the two photons virtual."""

from __future__ import annotations

import math

from kaongen.jit import scalar_kernel
from kaongen.particles import ALPHA_EM, M_E, M_PI0

PARENT2 = M_PI0 * M_PI0
E2 = M_E * M_E


@scalar_kernel
def squared(s12, s23, slope):
    """Sum over spins of |M|^2 / (e g)^2 in GeV^2, where M(pi0 -> gamma gamma) = g eps(e1, k1, e2, k2).

    Daughters e+, e-, gamma; s12 = (p_e+ + p_e-)^2 = x m_pi0^2 and s23 = (p_e- + p_gamma)^2 in GeV^2. The form factor is
    1 + slope x. Kroll and Wada, Phys. Rev. 98 (1955) 1355:
    (m_pi0^2 - s12)^2 (1 + y^2 + 4 m_e^2/s12)/(2 s12) with y = 2 p_pi0.(p_e+ - p_e-)/(m_pi0^2 - s12).
    """
    form = 1.0 + slope * s12 / PARENT2
    gap = PARENT2 - s12
    across = PARENT2 + 2.0 * E2 - s12 - 2.0 * s23  # y times the gap
    return form * form * (gap * gap * (1.0 + 4.0 * E2 / s12) + across * across) / (2.0 * s12)


def ratio(slope: float) -> float:
    """Gamma(pi0 -> e+ e- gamma)/Gamma(pi0 -> gamma gamma) at tree level.

    2 alpha/(3 pi) times the integral of dx/x (1 - x)^3 (1 + r/(2x)) sqrt(1 - r/x) (1 + slope x)^2 from
    r = 4 m_e^2/m_pi0^2 to 1 (Kroll and Wada, Phys. Rev. 98 (1955) 1355).
    """
    from scipy.integrate import quad

    r = 4.0 * E2 / PARENT2

    def spectrum(u: float) -> float:
        x = math.exp(u)
        return (1.0 - x) ** 3 * (1.0 + 0.5 * r / x) * math.sqrt(max(1.0 - r / x, 0.0)) * (1.0 + slope * x) ** 2

    area, _ = quad(spectrum, math.log(r), 0.0, epsrel=1e-9, limit=200)
    return float(2.0 * ALPHA_EM / (3.0 * math.pi) * area)
