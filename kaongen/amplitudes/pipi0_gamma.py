"""K+ -> pi+ pi0 gamma: inner bremsstrahlung, direct emission and the interference of the two."""

from __future__ import annotations

from kaongen.jit import scalar_kernel
from kaongen.particles import M_K, M_PI, M_PI0

K2 = M_K * M_K
PI2 = M_PI * M_PI
NEUTRAL2 = M_PI0 * M_PI0


@scalar_kernel
def squared(s12, s23, x_e, x_m, cos_phase):
    """Sum over photon polarisations of |M|^2 / (e |A|)^2 in GeV^-2, A the amplitude of K+ -> pi+ pi0.

    s12 = (p_pi+ + p_pi0)^2 and s23 = (p_pi0 + p_gamma)^2 in GeV^2. Bremsstrahlung is that of a constant A,
    -(p+/p+.k - P/P.k)^2 (Low, Phys. Rev. 110 (1958) 974); x_e and x_m (GeV^-4) are the electric and magnetic amplitudes
    of direct emission, and cos_phase = cos(delta_1^1 - delta_0^2). NA48/2, Eur. Phys. J. C 68 (2010) 75
    (arXiv:1004.0494): |M|^2 = IB [1 + 2 cos_phase m_pi^2 m_K^2 x_e W^2 + m_pi^4 m_K^4 (x_e^2 + x_m^2) W^4] with
    W^2 = (P.k)(p+.k)/(m_pi^2 m_K^2), x_e = -24 and x_m = 254.
    """
    kaon = 0.5 * (K2 - s12)  # P.k
    pion = 0.5 * (K2 + NEUTRAL2 - s12 - s23)  # p+.k
    together = 0.5 * (K2 + PI2 - s23)  # P.p+
    both = kaon * pion
    # m_pi^4 m_K^4 IB W^4: the squared momentum of the pion across the photon, zero along the edge of the Dalitz plot
    across = max(2.0 * together * both - PI2 * kaon * kaon - K2 * pion * pion, 0.0)
    emission = 1.0 + 2.0 * cos_phase * x_e * both + (x_e * x_e + x_m * x_m) * both * both
    return across / (both * both) * emission
