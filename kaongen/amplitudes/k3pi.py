"""K+ -> pi+ pi+ pi-: polynomial expansion of the Dalitz plot."""

from __future__ import annotations

from kaongen.jit import scalar_kernel
from kaongen.particles import M_K, M_PI

PI2 = M_PI * M_PI
S0 = M_K * M_K / 3.0 + PI2
SUM = M_K * M_K + 3.0 * PI2


@scalar_kernel
def squared(s12, s23, g, h, k):
    """|M|^2 relative to the centre of the Dalitz plot: 1 + g u + h u^2 + k v^2.

    s12 = (p1 + p2)^2 of the two like-charged pions and s23 = (p2 + p3)^2, in GeV^2; u = (s_3 - s_0)/m_pi^2,
    v = (s_2 - s_1)/m_pi^2 with s_i = (P - p_i)^2 (PDG, "Dalitz plot parameters for K -> 3 pi").
    """
    u = (s12 - S0) / PI2
    v = (SUM - s12 - 2.0 * s23) / PI2
    return 1.0 + g * u + h * u * u + k * v * v
