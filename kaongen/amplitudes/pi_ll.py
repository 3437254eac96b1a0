"""K+ -> pi+ l+ l-: one virtual photon, with a form factor linear in the squared mass of the lepton pair."""

from __future__ import annotations

import math

from kaongen.jit import scalar_kernel
from kaongen.kinematics import kallen
from kaongen.particles import ALPHA_EM, G_F, M_K, M_PI

K2 = M_K * M_K
PI2 = M_PI * M_PI


@scalar_kernel
def squared(s12, s23, m_l, a, b):
    """Spin-summed |M|^2 for M = (a + b z) (P + p_pi)^mu ubar(l-) gamma_mu v(l+), z = s12/m_K^2.

    Daughters l+, l-, pi+; s12 = (p_l+ + p_l-)^2 and s23 = (p_l- + p_pi)^2 in GeV^2, m_l in GeV; result in GeV^4.
    D'Ambrosio, Ecker, Isidori and Portoles, JHEP 08 (1998) 004; the physical amplitude has alpha G_F/(4 pi) in front.
    """
    form = a + b * s12 / K2
    # lambda(m_K^2, m_pi^2, s12), in factors that do not cancel at its end
    triangle = ((M_K - M_PI) * (M_K - M_PI) - s12) * ((M_K + M_PI) * (M_K + M_PI) - s12)
    across = 2.0 * s23 + s12 - K2 - PI2 - 2.0 * m_l * m_l  # 2P.(p_l+ - p_l-)
    return 2.0 * form * form * max(triangle - across * across, 0.0)


def width(m_l: float, a: float, b: float) -> float:
    """Gamma(K+ -> pi+ l+ l-) in GeV, for W(z) = G_F m_K^2 (a + b z) and m_l in GeV.

    D'Ambrosio, Ecker, Isidori and Portoles, JHEP 08 (1998) 004: dGamma/dz = alpha^2 m_K/(12 pi (4 pi)^4)
    lambda^{3/2}(1, z, r_pi^2) sqrt(1 - 4 r_l^2/z) (1 + 2 r_l^2/z) |W|^2 with r_i = m_i/m_K, in which their loop term
    W^{pi pi} is left out: a and b have to come from a fit that leaves it out as well. NA48/2 fits such a linear form,
    f_0 (1 + delta z), with |f_0| = 0.531 and delta = 2.32 for electrons (Phys. Lett. B 677 (2009) 246).
    """
    from scipy.integrate import quad

    pion = PI2 / K2
    lepton = m_l * m_l / K2

    def spectrum(z: float) -> float:
        triangle = max(kallen(1.0, z, pion), 0.0)
        form = a + b * z
        return float(triangle**1.5 * math.sqrt(max(1.0 - 4.0 * lepton / z, 0.0)) * (1.0 + 2.0 * lepton / z) * form**2)

    # in log z: for electrons the spectrum starts six decades below its end
    low, high = math.log(4.0 * lepton), 2.0 * math.log(1.0 - math.sqrt(pion))
    area, _ = quad(lambda u: math.exp(u) * spectrum(math.exp(u)), low, high, epsrel=1e-9, limit=200)
    scale = ALPHA_EM**2 * M_K / (12.0 * math.pi * (4.0 * math.pi) ** 4)
    return float(scale * (G_F * K2) ** 2 * area)
