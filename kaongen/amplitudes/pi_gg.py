"""K+ -> pi+ gamma gamma at O(p^4) of chiral perturbation theory: loops, one counterterm, and the anomaly."""

from __future__ import annotations

import math

from kaongen.jit import scalar_kernel
from kaongen.kinematics import kallen
from kaongen.particles import ALPHA_EM, M_K, M_PI

M_ETA = 0.547862
"""Mass of the eta in GeV (PDG)."""

G_8 = 9.0e-6
"""Octet coupling |G_8| in GeV^-2, from K -> 2 pi at lowest order (Ecker, Pich and de Rafael)."""

K2 = M_K * M_K
R_PI = (M_PI / M_K) ** 2
R_ETA = (M_ETA / M_K) ** 2


@scalar_kernel
def loop(x):
    """Real and imaginary part of F(x) = 1 - 4/x arcsin^2(sqrt(x)/2), x the squared mass in units of the loop's.

    From x = 4 on it is 1 + (log((1 - beta)/(1 + beta)) + i pi)^2/x with beta = sqrt(1 - 4/x).
    """
    angle = math.asin(0.5 * math.sqrt(min(x, 4.0)))
    beta = math.sqrt(max(1.0 - 4.0 / x, 0.0))
    logarithm = math.log((1.0 - beta) / (1.0 + beta))
    below = 1.0 - 4.0 * angle * angle / x
    above = 1.0 + (logarithm * logarithm - math.pi * math.pi) / x
    # where the 1 cancels, the series
    small = -x * (1.0 / 12.0 + x * (1.0 / 90.0 + x * (1.0 / 560.0 + x / 3150.0)))
    real = small if x < 1e-3 else (below if x < 4.0 else above)
    imaginary = 2.0 * math.pi * logarithm / x if x > 4.0 else 0.0
    return real, imaginary


@scalar_kernel
def squared(s12, s23, c_hat):
    """Sum over photon polarisations of 2 |M|^2 / (G_8 m_K^2 alpha/(2 pi))^2: z^2 (|A|^2 + |C|^2), dimensionless.

    Daughters gamma, gamma, pi+; s12 = (k1 + k2)^2 = z m_K^2 in GeV^2. There is no dependence on s23 at this order.
    Ecker, Pich and de Rafael, Nucl. Phys. B 303 (1988) 665, in units of G_8 m_K^2 alpha/(2 pi):
    z A = (r_pi^2 - 1 - z) F(z/r_pi^2) + (1 - r_pi^2 - z) F(z) + c_hat z, with r_i = m_i/m_K, and
    C = 2 [1 - (z - (2 + r_pi^2)/3)/(z - r_eta^2)] of the pi0 and eta poles; the pi0 pole itself cancels, and belongs to
    K+ -> pi+ pi0.
    """
    z = s12 / K2
    pion_re, pion_im = loop(z / R_PI)
    kaon_re, _ = loop(z)
    pion_factor = R_PI - 1.0 - z
    real = pion_factor * pion_re + (1.0 - R_PI - z) * kaon_re + c_hat * z
    imaginary = pion_factor * pion_im
    anomaly = 2.0 * z * (1.0 - (z - (2.0 + R_PI) / 3.0) / (z - R_ETA))
    return real * real + imaginary * imaginary + anomaly * anomaly


def width(c_hat: float) -> float:
    """Gamma(K+ -> pi+ gamma gamma) in GeV at O(p^4), where NA48/2 and NA62 fit c_hat = 1.72 (PLB 732 (2014) 65).

    The larger sample of NA62 (arXiv:2311.01837) needs O(p^6), and its c_hat does not go with this formula.
    d2Gamma/dy dz = m_K/(2^9 pi^3) z^2 (|A|^2 + |C|^2) for 0 < y < lambda^{1/2}(1, z, r_pi^2)/2,
    y = |p_pi.(k1 - k2)|/m_K^2 (Ecker, Pich and de Rafael, Nucl. Phys. B 303 (1988) 665).
    """
    from scipy.integrate import quad

    def spectrum(z: float) -> float:
        return float(squared(z * K2, 0.0, c_hat) * 0.5 * math.sqrt(max(kallen(1.0, z, R_PI), 0.0)))

    area, _ = quad(spectrum, 0.0, (1.0 - M_PI / M_K) ** 2, points=[4.0 * R_PI], epsrel=1e-9, limit=200)
    scale = M_K / (512.0 * math.pi**3) * (G_8 * K2 * ALPHA_EM / (2.0 * math.pi)) ** 2
    return float(scale * area)
