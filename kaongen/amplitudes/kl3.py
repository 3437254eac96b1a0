"""K+ -> pi0 l+ nu: semileptonic decay with vector and scalar form factors."""

from __future__ import annotations

from kaongen.jit import scalar_kernel
from kaongen.particles import M_K, M_PI

K2 = M_K * M_K
PI2 = M_PI * M_PI
"""The slopes are defined in units of the charged pion's mass, whichever pion is emitted."""


@scalar_kernel
def squared(s12, s23, m_pi, m_l, lambda_plus, lambda_plus2, lambda_zero):
    """Spin-summed |M|^2 for M = [f+ (P+p)^mu + f- (P-p)^mu] ubar(nu) gamma_mu (1 - gamma5) v(l), f+(0) = 1.

    s12 = (p_pi + p_l)^2, s23 = (p_l + p_nu)^2 = t in GeV^2; result in GeV^4.
    f+ = 1 + lambda_plus t/m_pi+^2 + lambda_plus2/2 (t/m_pi+^2)^2, f0 = 1 + lambda_zero t/m_pi+^2 and
    f- = (f0 - f+)(m_K^2 - m_pi^2)/t: the Dalitz density of the PDG's note on K_l3 form factors.
    """
    t = s23
    pi2 = m_pi * m_pi
    l2 = m_l * m_l
    slope = t / PI2
    f_plus = 1.0 + slope * (lambda_plus + 0.5 * lambda_plus2 * slope)
    # (f0 - f+)(m_K^2 - m_pi^2)/t, without the division that t = 0 would not survive
    f_minus = (lambda_zero - lambda_plus - 0.5 * lambda_plus2 * slope) * (K2 - pi2) / PI2
    e_pi = (K2 + pi2 - t) / (2.0 * M_K)
    e_nu = (K2 - s12) / (2.0 * M_K)
    e_l = M_K - e_pi - e_nu
    recoil = (K2 + pi2 - l2) / (2.0 * M_K) - e_pi
    a = M_K * (2.0 * e_l * e_nu - M_K * recoil) + l2 * (0.25 * recoil - e_nu)
    b = l2 * (e_nu - 0.5 * recoil)
    c = 0.25 * l2 * recoil
    # at the rim of the Dalitz plot rounding may leave less than nothing
    return 32.0 * M_K * max(a * f_plus * f_plus + b * f_plus * f_minus + c * f_minus * f_minus, 0.0)
