"""mu+ -> e+ nu_e anti-nu_mu, unpolarised."""

from __future__ import annotations

import math

from kaongen.jit import scalar_kernel
from kaongen.particles import G_F, M_E, M_MU

MU2 = M_MU * M_MU
E2 = M_E * M_E


@scalar_kernel
def squared(s12, s23):
    """Sum over all spins, the muon's included, of |M|^2 / G_F^2 = 128 (p_mu.p_nu_e)(p_e.p_antinu_mu) in GeV^4.

    Daughters e+, nu_e, anti-nu_mu; s12 = (p_e + p_nu_e)^2 and s23 = (p_nu_e + p_antinu_mu)^2 in GeV^2. The average over
    the muon's spin is half of it. Michel, Proc. Phys. Soc. A 63 (1950) 514; the V-A form in any textbook.
    """
    both = s12 + s23
    return 32.0 * max(both - E2, 0.0) * max(MU2 - both, 0.0)


def width() -> float:
    """Gamma(mu+ -> e+ nu_e anti-nu_mu) in GeV, without radiative corrections, which take 0.42% off.

    G_F^2 m_mu^5/(192 pi^3) (1 - 8x + 8x^3 - x^4 - 12 x^2 log x), x = (m_e/m_mu)^2 (PDG, electroweak review).
    """
    x = E2 / MU2
    phase_space = 1.0 - 8.0 * x + 8.0 * x**3 - x**4 - 12.0 * x**2 * math.log(x)
    return G_F**2 * M_MU**5 / (192.0 * math.pi**3) * phase_space
