"""K+ -> mu+ nu_mu X: a light force carrier X radiated by the muon (and, for a vector, by the neutrino).

In the normalisation in which K+ -> mu+ nu_mu has Sum|M|^2 = lambda_mu^2 (m_K^2 - m_mu^2).
"""

from __future__ import annotations

from kaongen.jit import scalar_kernel
from kaongen.particles import M_K, M_MU

K2 = M_K * M_K
MU2 = M_MU * M_MU


@scalar_kernel
def vector(s12, s23, m_x):
    """Spin-summed |M|^2 / (lambda_mu g)^2 for a vector X of L_mu - L_tau.

    s12 = (p_X + p_nu)^2 and s23 = (p_X + p_mu)^2 in GeV^2, m_x in GeV; dimensionless.
    Twice the bracket of equation (A.7) of Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802, in which
    m12 and m23 stand for the squared invariants.
    """
    x2 = m_x * m_x
    off_muon = s23 - MU2
    gap = K2 - MU2
    bracket = (
        2.0
        + (s12 + 2.0 * MU2 - 2.0 * K2) / off_muon
        - gap * (x2 + 2.0 * MU2) / (off_muon * off_muon)
        + 2.0 * (gap * gap + x2 * MU2) / (s12 * off_muon)
        - x2 * gap / (s12 * s12)
        + (s23 + MU2 - 2.0 * K2) / s12
    )
    return 2.0 * bracket


@scalar_kernel
def scalar(s12, s23, m_x):
    """Spin-summed |M|^2 / (lambda_mu y)^2 for a scalar X with a Yukawa coupling to the muon.

    s12 = (p_X + p_nu)^2 and s23 = (p_X + p_mu)^2 in GeV^2, m_x in GeV; dimensionless.
    Twice equation (A.8) of Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802, with its last term read as
    m_X^2 (s23^2 - m_mu^2 m_K^2): the printed one has the wrong dimension and fails the trace.
    """
    off_muon = s23 - MU2
    sum_muon = s23 + MU2
    numerator = (
        K2 * sum_muon * sum_muon - s23 * (sum_muon * sum_muon + s12 * off_muon) + m_x * m_x * (s23 * s23 - MU2 * K2)
    )
    return numerator / (MU2 * off_muon * off_muon)
