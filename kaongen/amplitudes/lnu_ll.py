"""K+ -> l+ nu l'+ l'-: a virtual photon makes the pair; inner bremsstrahlung and structure-dependent emission.

Bijnens, Ecker and Gasser, Nucl. Phys. B 396 (1993) 81 (hep-ph/9209261), section 5. With P the kaon, q the pair,
W = P - q, and relative to the coupling C of Sum|M(K -> l nu)|^2 = (C m_l)^2 (m_K^2 - m_l^2),

    M = C e^2/q^2 [L^mu - H^{mu nu} l_nu / F_K] ubar(l'-) gamma_mu v(l'+),    l_nu = ubar(nu) gamma_nu P_L v(l),
    L^mu = m_l ubar(nu) P_R [(2P - q)^mu/(2Pq - q^2) - (2p_l^mu + qslash gamma^mu)/(2p_l q + q^2)] v(l),
    H^{mu nu} = i V1 eps^{mu nu alpha beta} q_alpha P_beta - A1 (qW g^{mu nu} - W^mu q^nu)
                - A2 (q^2 g^{mu nu} - q^mu q^nu) - A4 (qW q^mu - q^2 W^mu) W^nu.

At O(p^4) V1 = -1/(8 pi^2 F), A1 = -4 (L9 + L10)/F, A2 = -2 F_K (F_V - 1)/q^2 and
A4 = 2 F_K/(m_K^2 - W^2) (F_V - 1)/q^2, with F_V the kaon's electromagnetic form factor at one loop; eps_{0123} = +1,
which is the sign with which V1 = A1 leaves a real photon of one helicity only, SD+ of `lnu_gamma`.
"""

from __future__ import annotations

import math
from typing import Final

from kaongen.amplitudes.loop import below_threshold, two_point
from kaongen.amplitudes.lorentz import add, dot
from kaongen.amplitudes.spinors import antilepton, bra, bra_times, light_cone, norm, pair, scaled
from kaongen.jit import scalar_kernel
from kaongen.particles import M_K, M_PI

F: Final = 0.0932
"""Pion decay constant in GeV (hep-ph/9209261, appendix A)."""
F_K: Final = 0.1136
"""Kaon decay constant in GeV in the same normalisation, f_K = sqrt(2) F_K; F_K/F = 1.22 (Leutwyler and Roos, 1984)."""
L9: Final = 6.9e-3
"""Low-energy constant at the scale `SCALE`, from the pion's charge radius (Bijnens, Ecker and Gasser, table 1)."""
L10: Final = -5.5e-3
"""Low-energy constant at the scale `SCALE`, from pi -> e nu gamma (the same table)."""
SCALE: Final = 0.770
"""Scale of the low-energy constants in GeV: the rho's mass as the paper has it."""

K2 = M_K * M_K
VECTOR = -1.0 / (8.0 * math.pi**2 * F) / F_K
AXIAL = -4.0 * (L9 + L10) / F / F_K
"""V1/F_K and A1/F_K in GeV^-2."""
LOOP = 1.0 / (16.0 * math.pi**2 * F * F)
# What the two loops, H_pipi + 2 H_KK, hold besides Jbar.
LINEAR = 3.0 * (2.0 / 3.0 * L9 / (F * F) + LOOP / 18.0) - LOOP / 12.0 * (
    2.0 * math.log(M_PI / SCALE) + 1.0 + 2.0 * (2.0 * math.log(M_K / SCALE) + 1.0)
)


@scalar_kernel
def form_factor_slope(q2):
    """(F_V - 1)/q^2 in GeV^-2, real and imaginary part, of the charged kaon at q^2 in GeV^2, 0 <= q^2 <= m_K^2."""
    # Jbar ~ q^2 loses its digits where nothing changes any more
    s = q2 if q2 > 1e-8 else 1e-8
    y_pi = s / (4.0 * M_PI * M_PI)
    y_k = s / (4.0 * K2)
    pion_re, pion_im = two_point(y_pi)
    kaon = below_threshold(y_k)
    pion = LOOP / 12.0 * (1.0 - 1.0 / y_pi)
    return LINEAR + pion * pion_re + LOOP / 6.0 * (1.0 - 1.0 / y_k) * kaon, pion * pion_im


@scalar_kernel
def form_factor(q2):
    """F_V - 1, real and imaginary part, of the charged kaon at q^2 in GeV^2, 0 <= q^2 <= m_K^2; dimensionless.

    F_V = 1 + H_pipi + 2 H_KK at one loop: Gasser and Leutwyler, Nucl. Phys. B 250 (1985) 517. Complex above 4 m_pi^2.
    """
    real, imaginary = form_factor_slope(q2)
    return q2 * real, q2 * imaginary


@scalar_kernel
def current_of_spin(spin, nu, rho, q, p_l, terms):
    """The current T^mu for one spin (left, right) of the antilepton, as the matrix T.sigmabar.

    Up to terms in q^mu, which the pair's conserved current ignores. `nu` is the row u(nu)^dagger, `rho` is `nu` times
    q.sigmabar.
    """
    from_kaon, from_lepton, on_current, sd_minus, sd_plus, trace = terms
    (a, b), (e, f) = spin
    c, d = nu
    scalar = c * e + d * f
    # l.sigmabar = 2 (d, -c)^T (b, -a); with Q = q.sigma, Q l.sigmabar = 2 (rho1, -rho0)^T (b, -a)
    w0 = on_current * b + scaled(sd_plus, scaled(q[3] - q[2], b) + complex(q[0], q[1]) * a)
    w1 = on_current * a + scaled(sd_plus, complex(q[0], -q[1]) * b + scaled(q[3] + q[2], a))
    x0 = scaled(sd_minus, rho[0])
    x1 = scaled(sd_minus, rho[1])
    y0 = scaled(from_lepton, e)
    y1 = scaled(from_lepton, f)
    z = scaled(from_lepton, scalar)
    diagonal = from_kaon * scalar - scaled(trace, rho[0] * a + rho[1] * b)
    return (
        diagonal + scaled(p_l[3] + p_l[2], z) + y0 * rho[0] + x1 * b + d * w0,
        complex(p_l[0], -p_l[1]) * z + y0 * rho[1] - x1 * a - d * w1,
        complex(p_l[0], p_l[1]) * z + y1 * rho[0] - x0 * b - c * w0,
        diagonal + scaled(p_l[3] - p_l[2], z) + y1 * rho[1] + x0 * a + c * w1,
    )


@scalar_kernel
def currents(nu, spins, p_l, q, m_l, q2, contact, structure):
    """L^mu - H^{mu nu} l_nu / F_K for the two spins of the antilepton, as matrices T.sigmabar."""
    slope_re, slope_im = form_factor_slope(q2)
    f_re = structure * q2 * slope_re
    f_im = structure * q2 * slope_im
    axial = structure * AXIAL
    vector = structure * VECTOR
    kaon = 2.0 * m_l * M_K / (2.0 * M_K * q[3] - q2)
    terms = (
        complex(kaon * (1.0 + f_re), kaon * f_im),
        -2.0 * m_l / (2.0 * dot(p_l, q) + q2),
        complex(2.0 * (1.0 - contact - axial * q2) - 4.0 * f_re, -4.0 * f_im),
        M_K * (axial - vector),
        M_K * (axial + vector),
        2.0 * M_K * axial,
    )
    rho = bra_times(nu, q)
    first, second = spins
    return current_of_spin(first, nu, rho, q, p_l, terms), current_of_spin(second, nu, rho, q, p_l, terms)


@scalar_kernel
def different(p_l, p_nu, p_minus, p_plus, m_l, m_pair, contact, structure):
    """Spin-summed |M|^2 / (C e^2)^2 where the pair is not of the flavour of l+; dimensionless.

    Momenta (px, py, pz, E) in GeV in the kaon's rest frame of l+, nu, l'- and l'+; masses in GeV. `contact` and
    `structure` are 1, or 0 to leave out the contact term of the inner bremsstrahlung or all of H.
    """
    q = add(p_minus, p_plus)
    q2 = 2.0 * (m_pair * m_pair + dot(p_minus, p_plus))
    nu = light_cone(p_nu, 0.0)
    lepton = light_cone(p_l, m_l)
    minus = light_cone(p_minus, m_pair)
    plus = light_cone(p_plus, m_pair)
    first, second = currents(bra(nu), antilepton(lepton, m_l), p_l, q, m_l, q2, contact, structure)
    a, b, c, d = pair(first, minus, plus, m_pair)
    e, f, g, h = pair(second, minus, plus, m_pair)
    total = norm(a) + norm(b) + norm(c) + norm(d) + norm(e) + norm(f) + norm(g) + norm(h)
    return total / (q2 * q2 * (nu[0] * lepton[0]) * (minus[0] * plus[0]))


@scalar_kernel
def identical(p_a, p_nu, p_minus, p_b, m, contact, structure):
    """Spin-summed |M|^2 / (C e^2)^2 where all leptons are of one flavour, antisymmetrised in the two l+; dimensionless.

    Momenta (px, py, pz, E) in GeV in the kaon's rest frame of l+, nu, l- and the other l+, m in GeV; `contact` and
    `structure` as in `different`. Without the factor 1/2 for two identical particles.
    """
    q_a = add(p_minus, p_b)
    q_b = add(p_minus, p_a)
    q2_a = 2.0 * (m * m + dot(p_minus, p_b))
    q2_b = 2.0 * (m * m + dot(p_minus, p_a))
    nu = light_cone(p_nu, 0.0)
    a = light_cone(p_a, m)
    b = light_cone(p_b, m)
    minus = light_cone(p_minus, m)
    a1, a2 = currents(bra(nu), antilepton(a, m), p_a, q_a, m, q2_a, contact, structure)
    b1, b2 = currents(bra(nu), antilepton(b, m), p_b, q_b, m, q2_b, contact, structure)
    # spins of (l-, pair's l+); the first index of a and b is the spin of the weak l+
    a111, a112, a121, a122 = pair(a1, minus, b, m)
    a211, a212, a221, a222 = pair(a2, minus, b, m)
    b111, b112, b121, b122 = pair(b1, minus, a, m)
    b211, b212, b221, b222 = pair(b2, minus, a, m)
    total = (
        norm(scaled(q2_b, a111) - scaled(q2_a, b111))
        + norm(scaled(q2_b, a112) - scaled(q2_a, b211))
        + norm(scaled(q2_b, a121) - scaled(q2_a, b121))
        + norm(scaled(q2_b, a122) - scaled(q2_a, b221))
        + norm(scaled(q2_b, a211) - scaled(q2_a, b112))
        + norm(scaled(q2_b, a212) - scaled(q2_a, b212))
        + norm(scaled(q2_b, a221) - scaled(q2_a, b122))
        + norm(scaled(q2_b, a222) - scaled(q2_a, b222))
    )
    scale = q2_a * q2_b
    return total / (scale * scale * (nu[0] * minus[0]) * (a[0] * b[0]))
