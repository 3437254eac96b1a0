"""K+ -> mu+ nu_mu gamma: inner bremsstrahlung, structure-dependent emission and their interference."""

from __future__ import annotations

from kaongen.jit import scalar_kernel
from kaongen.particles import M_K, M_MU

F_K = 0.1557
"""Decay constant in GeV, in the normalisation Gamma(K -> mu nu) = G_F^2 |V_us|^2 f_K^2 m_K m_mu^2 (1-r)^2 / (8 pi)."""

R = (M_MU / M_K) ** 2


@scalar_kernel
def squared(s12, s23, f_v, f_a):
    """Spin-summed |M|^2 / (e lambda_mu)^2 for the daughters mu+, nu_mu, gamma.

    s12 = (p_mu + p_nu)^2 = m_K^2 (1 - x) and s23 = (p_nu + p_gamma)^2 = m_K^2 (1 + r - y) in GeV^2, with
    x = 2E_gamma/m_K and y = 2E_mu/m_K; f_v and f_a are the vector and axial form factors in the convention
    of the PDG (0.095 and 0.042 at O(p^4)); dimensionless.
    Bijnens, Ecker and Gasser, Nucl. Phys. B 396 (1993) 81 (hep-ph/9209261), section 4.
    """
    k2 = M_K * M_K
    x = 1.0 - s12 / k2
    y = 1.0 + R - s23 / k2
    # The collinear denominator x + y - 1 - r = 2 p_mu.p_gamma / m_K^2, and its partner 2 p_nu.p_gamma / m_K^2.
    w = x + y - 1.0 - R
    n = 1.0 - y + R
    ib = n / (x * x * w) * (x * x + 2.0 * (1.0 - x) * (1.0 - R) - 2.0 * x * R * (1.0 - R) / w)
    sd_plus = w * ((x + y - 1.0) * (1.0 - x) - R)
    sd_minus = n * ((1.0 - x) * (1.0 - y) + R)
    int_plus = n / (x * w) * ((1.0 - x) * (1.0 - x - y) + R)
    int_minus = n / (x * w) * (x * x - (1.0 - x) * (1.0 - x - y) - R)
    plus = f_v + f_a
    minus = f_v - f_a
    ratio = M_K / F_K
    structure = ratio * ratio / (4.0 * R) * (plus * plus * sd_plus + minus * minus * sd_minus)
    interference = ratio * (plus * int_plus + minus * int_minus)
    return 2.0 * (ib + structure - interference)
