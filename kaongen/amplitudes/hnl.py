"""K+ -> mu+ N: a heavy neutral lepton that mixes with the muon neutrino."""

from __future__ import annotations

import math

from kaongen.kinematics import kallen
from kaongen.particles import M_K, M_MU


def rho(m_n: float) -> float:
    """Gamma(K+ -> mu+ N) / (|U_mu4|^2 Gamma(K+ -> mu+ nu)).

    m_n in GeV. Equation (1) of NA62, Phys. Lett. B 816 (2021) 136259; 1 at m_n = 0, 4.13 at 263 MeV, and 0
    from m_K - m_mu on.
    """
    if m_n >= M_K - M_MU:
        return 0.0
    x = (M_MU / M_K) ** 2
    y = (m_n / M_K) ** 2
    spin = x + y - (x - y) ** 2
    return float(spin * math.sqrt(max(kallen(1.0, x, y), 0.0)) / (x * (1.0 - x) ** 2))
