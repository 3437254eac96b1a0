"""K+ -> pi+ pi- l+ nu and K+ -> pi0 pi0 l+ nu with the measured form factors and the pions' phase shifts.

M = (G_F V_us / sqrt(2)) ubar(nu) gamma_mu (1 - gamma5) v(l) (V^mu - A^mu) with

    A^mu = -(i/m_K) [F P^mu + G Q^mu + R L^mu],    V^mu = -(H/m_K^3) e^{mu nu rho sigma} L_nu P_rho Q_sigma,

P = p_+ + p_-, Q = p_+ - p_-, L = p_l + p_nu and e_{0123} = +1 (Bijnens, Colangelo, Ecker and Gasser,
hep-ph/9411311). R is left out: it enters with m_l^2 and has not been measured, so that the rates are right
for electrons only; for muons they lack it.
"""

from __future__ import annotations

import math
from typing import Final

from kaongen.amplitudes.lepton_current import combination
from kaongen.amplitudes.lepton_current import squared as current_squared
from kaongen.amplitudes.lorentz import add, dot, sub
from kaongen.elementary import exp
from kaongen.jit import scalar_kernel
from kaongen.particles import ALPHA_EM, G_F, M_K, M_PI, M_PI0

V_US: Final = 0.2252
"""The |V_us| with which NA48/2 turned the measured |V_us f| into the form factors below; they do not include it."""

WEAK_SQUARED: Final = 0.5 * (G_F * V_US) ** 2
"""(G_F V_us)^2/2 in GeV^-4: Gamma is WEAK_SQUARED/(2 m_K) times the integral of `squared` over phase space."""

FORM_FACTORS: Final = (5.712, 0.152, -0.073, 0.068, -0.048, 0.868, 0.089, -0.398)
"""f_s, and f_s'/f_s, f_s''/f_s, f_e'/f_s, f_p/f_s, g_p/f_s, g_p'/f_s, h_p/f_s: the order of `squared`.

NA48/2, Eur. Phys. J. C 70 (2010) 635 and Phys. Lett. B 715 (2012) 105; f_s is the average of the Particle Data
Group, the NA48/2 value being 5.705.
"""

NEUTRAL_FORM_FACTORS: Final = (0.149, -0.070, 0.113, -0.256)
"""a, b, c, d: the order of `neutral_squared`. NA48/2, JHEP 08 (2014) 159."""

NEUTRAL_NORMALISATION: Final = 6.079
"""F of pi0 pi0 l+ nu at q2 = S_e = 0: `neutral_squared` goes with its square. NA48/2, JHEP 08 (2014) 159."""

THRESHOLD: Final = 4.0 * M_PI * M_PI
"""S_pi of two charged pions at rest in GeV^2, the unit of S_pi and S_e."""


@scalar_kernel
def phase_difference(q2):
    """Cosine and sine of delta = delta_S(I=0) - delta_P(I=1) of pi pi scattering at q2 = S_pi/(4 m_pi^2) - 1.

    tan(delta_l) = sqrt(1 - 4/s) q2^l (A + B q2 + C q2^2 + D q2^3) (4 - s_l)/(s - s_l), s = 4 (1 + q2), is the
    solution of Roy's equations with a_0 = 0.220 and a_2 = -0.0444: equations (17.2) and (17.3) of Colangelo, Gasser
    and Leutwyler, Nucl. Phys. B 603 (2001) 125 (hep-ph/0103088). It is that of the limit of isospin symmetry.
    """
    velocity = math.sqrt(max(q2, 0.0) / (1.0 + q2))
    s = 4.0 + 4.0 * q2
    pole_s = (4.0 - 36.77) / (s - 36.77)
    pole_p = (4.0 - 30.72) / (s - 30.72)
    tan_s = velocity * pole_s * (0.220 + q2 * (0.268 + q2 * (-0.0139 - q2 * 0.00139)))
    tan_p = velocity * pole_p * q2 * (0.0379 + q2 * (1.40e-5 + q2 * (-6.73e-5 + q2 * 1.63e-8)))
    norm = 1.0 / math.sqrt((1.0 + tan_s * tan_s) * (1.0 + tan_p * tan_p))
    return norm * (1.0 + tan_s * tan_p), norm * (tan_s - tan_p)


@scalar_kernel
def coulomb(p_plus, p_minus):
    """The Gamow factor y/(1 - exp(-y)), y = 2 pi alpha/v, by which pi+ pi- of relative velocity v attract each other.

    `squared` does not contain it. With FORM_FACTORS, BR(K_e4) is 4.09e-5 without it and 4.23e-5 with it; measured are
    4.25e-5. It rises as 1/v towards the threshold of S_pi, where phase space falls as v.
    Momenta (px, py, pz, E) in GeV in any frame.
    """
    q = sub(p_plus, p_minus)
    excess = max(-dot(q, q), 0.0)
    beta2 = excess / (THRESHOLD + excess)
    velocity = 2.0 * math.sqrt(beta2) / (1.0 + beta2)
    y = 2.0 * math.pi * ALPHA_EM / max(velocity, 1e-4)
    return y / (1.0 - exp(-y))


@scalar_kernel
def squared(p_plus, p_minus, p_l, p_nu, m_l, f_s, f_s1, f_s2, f_e, f_p, g_p, g_p1, h_p):
    """Spin-summed |M|^2 of K+ -> pi+ pi- l+ nu in units of (G_F V_us)^2/2, in GeV^2.

    Momenta (px, py, pz, E) and m_l in GeV, in the rest frame of the kaon. f_s is absolute, the others are ratios to
    it as in FORM_FACTORS: with q2 = S_pi/(4 m_pi^2) - 1 and theta the angle of the pi+ in the rest frame of the
    pions against their direction of flight,

        F = f_s [(1 + f_s1 q2 + f_s2 q2^2 + f_e S_e/(4 m_pi^2)) exp(i delta_S) + f_p cos(theta) exp(i delta_P)],
        G = f_s (g_p + g_p1 q2) exp(i delta_P),    H = f_s h_p exp(i delta_P).

    NA48/2, Eur. Phys. J. C 70 (2010) 635.
    """
    p = add(p_plus, p_minus)
    q = sub(p_plus, p_minus)
    # 4 m_pi^2 - S_pi = Q^2, which needs no difference of large numbers at threshold
    excess = -dot(q, q)
    s_pi = THRESHOLD + excess
    s_e = m_l * m_l + 2.0 * dot(p_l, p_nu)
    q2 = excess / THRESHOLD
    velocity = math.sqrt(max(excess, 0.0) / s_pi)
    momentum = math.sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2])
    # Q.L = velocity m_K momentum cos(theta); at a boundary, where the right side vanishes, any cosine will do
    cosine = dot(q, add(p_l, p_nu)) / max(velocity * M_K * momentum, 1e-300)
    cosine = max(min(cosine, 1.0), -1.0)
    cos_delta, sin_delta = phase_difference(q2)
    s_wave = 1.0 + q2 * (f_s1 + f_s2 * q2) + f_e * s_e / THRESHOLD
    g = g_p + g_p1 * q2
    # e^{mu nu rho sigma} L_nu P_rho Q_sigma = m_K (P x Q, 0), as L can be replaced by the kaon's momentum
    h = h_p / M_K
    magnetic = p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0], 0.0
    real = combination(s_wave * cos_delta + f_p * cosine, p, g, q)
    imaginary = combination(s_wave * sin_delta, p, h, magnetic)
    scale = f_s / M_K
    return scale * scale * current_squared(p_l, p_nu, real, imaginary)


@scalar_kernel
def neutral_squared(p_1, p_2, p_l, p_nu, m_l, a, b, c, d):
    """Spin-summed |M|^2 of K+ -> pi0 pi0 l+ nu in units of (G_F V_us)^2/2, in GeV^2, for F = 1 at q2 = S_e = 0.

    Momenta (px, py, pz, E) and m_l in GeV, in the rest frame of the kaon; the 1/2 for identical pions is left to
    phase space. With q2 = S_pi/(4 m_pi+^2) - 1, G = H = 0 and

        F = 1 + a q2 + b q2^2 + c S_e/(4 m_pi+^2)               above the threshold of pi+ pi-,
        F = 1 + d sqrt|q2/(1 + q2)| + c S_e/(4 m_pi+^2)         below it.

    NA48/2, JHEP 08 (2014) 159.
    """
    p = add(p_1, p_2)
    q = sub(p_1, p_2)
    s_e = m_l * m_l + 2.0 * dot(p_l, p_nu)
    q2 = (4.0 * M_PI0 * M_PI0 - dot(q, q)) / THRESHOLD - 1.0
    above = q2 * (a + b * q2)
    below = d * math.sqrt(abs(q2) / (1.0 + q2))
    f = (1.0 + c * s_e / THRESHOLD + (above if q2 >= 0.0 else below)) / M_K
    # the current f P is real, which leaves of the trace 8 f^2 [2 p_nu.P p_l.P - p_nu.p_l P^2]
    return 8.0 * f * f * (2.0 * dot(p_nu, p) * dot(p_l, p) - dot(p_nu, p_l) * dot(p, p))
