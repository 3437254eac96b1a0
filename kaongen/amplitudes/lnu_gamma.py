"""K+ -> l+ nu_l gamma: inner bremsstrahlung, structure-dependent emission and their interference."""

from __future__ import annotations

from kaongen.jit import scalar_kernel
from kaongen.particles import M_K

F_K = 0.1557
"""Decay constant in GeV, in the normalisation Gamma(K -> l nu) = G_F^2 |V_us|^2 f_K^2 m_K m_l^2 (1-r)^2 / (8 pi)."""

K2 = M_K * M_K
RATIO = M_K / F_K


@scalar_kernel
def squared(s12, s23, m_l, f_v, f_v_slope, f_a):
    """Spin-summed |M|^2 / (e lambda_l)^2 for the daughters l+, nu_l, gamma.

    s12 = (p_l + p_nu)^2 = m_K^2 (1 - x) and s23 = (p_nu + p_gamma)^2 = m_K^2 (1 + r - y) in GeV^2, with
    x = 2E_gamma/m_K, y = 2E_l/m_K and r = (m_l/m_K)^2; m_l in GeV. The vector form factor is
    f_v (1 + f_v_slope (1 - x)) and f_a the axial one, in the convention of the PDG; dimensionless. They are 0.0945 and
    0.0425 at O(p^4); KLOE (Eur. Phys. J. C 64 (2009) 627) uses 0.0885 with slope 0.38, and 0.0365.
    Bijnens, Ecker and Gasser, Nucl. Phys. B 396 (1993) 81 (hep-ph/9209261), section 4.

    With w = x + y - 1 - r = 2 p_l.p_gamma/m_K^2, n = 2 p_nu.p_gamma/m_K^2 and g = (1 - x) w - x r, which vanishes where
    the photon is collinear with the lepton, the densities are IB = n/w + 2 (1 - r) n g/(x w)^2, SD+ = w g,
    SD- = n ((1 - x) n + x r), INT+ = -n g/(x w) and INT- = n (x^2 + g)/(x w).
    """
    r = m_l * m_l / K2
    rest = s12 / K2
    x = 1.0 - rest
    n = s23 / K2
    # Along the edge w comes down to x r/(1 - x), 1e-6 x for an electron: rounding must not carry it below that.
    w = max((K2 - s12 - s23) / K2, x * r / rest)
    g = rest * w - x * r
    per_xw = 1.0 / (x * w)
    ib = n / w + 2.0 * (1.0 - r) * n * g * per_xw * per_xw
    sd_plus = w * g
    sd_minus = n * (rest * n + x * r)
    int_plus = -n * g * per_xw
    int_minus = n * (x * x + g) * per_xw
    vector = f_v * (1.0 + f_v_slope * rest)
    plus = vector + f_a
    minus = vector - f_a
    structure = RATIO * RATIO / (4.0 * r) * (plus * plus * sd_plus + minus * minus * sd_minus)
    interference = RATIO * (plus * int_plus + minus * int_minus)
    return 2.0 * max(ib + structure - interference, 0.0)
