"""K+ -> 3 pi: polynomial expansions of the Dalitz plot, and the cusp of the neutral pions."""

from __future__ import annotations

from kaongen.jit import scalar_kernel
from kaongen.particles import M_K, M_PI, M_PI0

PI2 = M_PI * M_PI
S0 = M_K * M_K / 3.0 + PI2
SUM = M_K * M_K + 3.0 * PI2

NEUTRAL_SUM = M_K * M_K + PI2 + 2.0 * M_PI0 * M_PI0
NEUTRAL_S0 = NEUTRAL_SUM / 3.0
U_THRESHOLD = (4.0 * PI2 - NEUTRAL_S0) / PI2
"""u at which the two neutral pions can turn into two charged ones at rest."""


@scalar_kernel
def squared(s12, s23, g, h, k):
    """|M|^2 of K+ -> pi+ pi+ pi- relative to the centre of the Dalitz plot: 1 + g u + h u^2 + k v^2.

    s12 = (p1 + p2)^2 of the two like-charged pions and s23 = (p2 + p3)^2, in GeV^2; u = (s_3 - s_0)/m_pi^2,
    v = (s_2 - s_1)/m_pi^2 with s_i = (P - p_i)^2 (PDG, "Dalitz plot parameters for K -> 3 pi").
    """
    u = (s12 - S0) / PI2
    v = (SUM - s12 - 2.0 * s23) / PI2
    return 1.0 + g * u + h * u * u + k * v * v


@scalar_kernel
def neutral_squared(s12, s23, g, h, k, a, b, q):
    """|M|^2 of K+ -> pi0 pi0 pi+: (1 + g u/2 + h u^2/2 + k v^2/2 + cusp)^2.

    s12 = (p1 + p2)^2 of the two neutral pions and s23 = (p2 + p3)^2, in GeV^2; u = (s_3 - s_0)/m_pi+^2,
    v = (s_2 - s_1)/m_pi+^2 with s_i = (P - p_i)^2 and s_0 their mean. The cusp is a (u_t - u)^q below and b (u - u_t)^q
    above u_t, the threshold s_3 = 4 m_pi+^2. NA48/2, Phys. Lett. B 686 (2010) 101, measures g = 0.6715, h = -0.0270,
    k = 0.0081, a = -0.1299, b = -0.0378, q = 0.4474.
    """
    u = (s12 - NEUTRAL_S0) / PI2
    v = (NEUTRAL_SUM - s12 - 2.0 * s23) / PI2
    below = U_THRESHOLD - u
    cusp = (a if below > 0.0 else b) * abs(below) ** q
    amplitude = 1.0 + 0.5 * (g * u + h * u * u + k * v * v) + cusp
    return amplitude * amplitude
