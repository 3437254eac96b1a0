"""K+ -> pi+ e+ e- e+ e- away from the pi0: one virtual photon that makes both pairs, and two photons, one for each.

The strong part is the transition K+ -> pi+ gamma* of `pi_ll`, w(k^2) [k^2 (P + p)^mu - (m_K^2 - m_pi^2) k^mu] with
w = -G_F (a + b k^2/m_K^2)/(4 pi)^2 (D'Ambrosio, Ecker, Isidori and Portoles, JHEP 08 (1998) 004). Leptonic currents
are conserved: only w k^2 (P + p) counts, and its k^2 cancels the photon's propagator. The other pair is radiated by an
electron (one photon), or by the kaon or the pion (two photons); with the latter comes the contact term
-2 w k^2 g^{mu nu} that gauge invariance fixes (Low). Under exchange of electrons and positrons the one-photon amplitude
is odd and the two-photon amplitude even: they interfere at a point of phase space, and not in the rate.

With a = -0.531 and b = -1.232 the branching fraction is 6.44e-11 (one photon alone: 6.00e-11), and 5.26e-11 where the
four leptons have more than 150 MeV; T. Husek, Phys. Rev. D 106 (2022) L071301 (arXiv:2207.02234), has (7.2 +- 0.7)e-11
outside the pi0 and (6.0 +- 0.6)e-11 above 150 MeV. The meson loops of K+ -> pi+ gamma gamma (`with_loops`, with
c_hat = 1.72) raise them to 11.2e-11 and 10.0e-11. The decay through an on-shell pi0 is in none of these.

All momenta are tuples (px, py, pz, E) in GeV in the kaon's rest frame.
"""

from __future__ import annotations

import math

from kaongen.amplitudes.lepton_current import combination
from kaongen.amplitudes.lorentz import add, dot
from kaongen.amplitudes.pi_gg import G_8
from kaongen.elementary import fma
from kaongen.jit import scalar_kernel
from kaongen.particles import ALPHA_EM, G_F, M_E, M_K, M_PI

K2 = M_K * M_K
E2 = M_E * M_E
R_PI = (M_PI / M_K) ** 2


def unit_squared() -> float:
    """(alpha^2 G_F)^2 in GeV^-4; the width is this times the integral of `squared` over phase space, / (4 * 2 m_K).

    alpha^2 G_F is e^4 G_F/(4 pi)^2: the four couplings to photons, and the normalisation of a and b. The 4 is for the
    two pairs of equal leptons.
    """
    return (ALPHA_EM * ALPHA_EM * G_F) ** 2


@scalar_kernel
def _dot3(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@scalar_kernel
def _cross(a, b):
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@scalar_kernel
def _potential(leptons, x, p_pi, y, k, time):
    """leptons + x p_pi + (0, time) + (y k, 0)."""
    return (
        leptons[0] + x * p_pi[0] + y * k[0],
        leptons[1] + x * p_pi[1] + y * k[1],
        leptons[2] + x * p_pi[2] + y * k[2],
        leptons[3] + x * p_pi[3] + time,
    )


@scalar_kernel
def _currents(u, v):
    """Re j, Im j, Re t, Im t of ubar gamma^mu v and t = -i ubar gamma^0 Sigma v, u up and v up, then u up and v down.

    Spins along z in each particle's rest frame, spinors (E + m -+ p.sigma) xi, of which a factor
    -1/sqrt((E_u + m)(E_v + m)) of the pair is left out. Reversal of both spins (space and time inversion together)
    turns the first into -j*, -t*, and the second into j*, t*.
    """
    a, b = u[3] + M_E, v[3] + M_E
    n = a * b - _dot3(u, v)
    px, py, pz = a * v[0] + b * u[0], a * v[1] + b * u[1], a * v[2] + b * u[2]
    mx, my, mz = a * v[0] - b * u[0], a * v[1] - b * u[1], a * v[2] - b * u[2]
    xy, yz, zx = u[0] * v[1] + u[1] * v[0], u[1] * v[2] + u[2] * v[1], u[2] * v[0] + u[0] * v[2]
    cx, cy, cz = _cross(v, u)
    same = (zx, yz, n + 2.0 * u[2] * v[2], pz), (cx, cy, cz, 0.0), (my, -mx, 0.0), (-px, -py, -pz)
    opposite = (
        (n + 2.0 * u[0] * v[0], xy, zx, px),
        (-xy, -n - 2.0 * u[1] * v[1], -yz, -py),
        (0.0, mz, -my),
        (mz, 0.0, -mx),
    )
    return same, opposite


@scalar_kernel
def _dressed(current, k, strength, potential):
    """A current, with the magnetic field strength j x k of its photon and its product with a potential."""
    real, imaginary, spin_real, spin_imaginary = current
    q = strength * k[0], strength * k[1], strength * k[2]
    field = _cross(real, q), _cross(imaginary, q)
    return real, imaginary, spin_real, spin_imaginary, field, dot(potential, real), dot(potential, imaginary)


@scalar_kernel
def _join(x, y, contact):
    """contact j_x.j_y + t_x.b_y + b_x.t_y + j_x^0 v_y + v_x j_y^0, and the same with the conjugate of y."""
    jx, kx, sx, tx, (bx, cx), ux, vx = x
    jy, ky, sy, ty, (by, cy), uy, vy = y
    rr = contact * _dot3(jx, jy) + _dot3(sx, by) + _dot3(bx, sy) + jx[3] * uy + ux * jy[3]
    ii = contact * _dot3(kx, ky) + _dot3(tx, cy) + _dot3(cx, ty) + kx[3] * vy + vx * ky[3]
    ri = contact * _dot3(jx, ky) + _dot3(sx, cy) + _dot3(bx, ty) + jx[3] * vy + ux * ky[3]
    ir = contact * _dot3(kx, jy) + _dot3(tx, by) + _dot3(cx, sy) + kx[3] * uy + vx * jy[3]
    return rr - ii, ri + ir, rr + ii, ir - ri


@scalar_kernel
def _pairing(e_x, p_x, e_y, p_y, p_pi, form, form_x, form_y):
    """Amplitudes in which the electrons e pair with the positrons p in currents x and y, at all spins with e_x up.

    form, form_x, form_y are a + b k^2/m_K^2 of all leptons, and of the pairs (0 without the two-photon topology).
    Of P + p = 2 P - q the current sees 2 P, so that only its time component is needed: with 1/D_e and 1/D_p the
    propagators of e_x and p_x that radiate y, it is by charge, electric and magnetic field j_x^0 (2 e_x.j_y/D_e -
    2 p_x.j_y/D_p) - (1/D_e - 1/D_p) (k_y^0 j_y - j_y^0 k_y).j_x + (1/D_e + 1/D_p) t_x.(j_y x k_y).
    """
    k_x, k_y = add(e_x, p_x), add(e_y, p_y)
    s_x, s_y = 2.0 * (E2 + dot(e_x, p_x)), 2.0 * (E2 + dot(e_y, p_y))
    # propagators of the electron or positron of one pair that radiates the other pair
    d_ex, d_px = 1.0 / (s_y + 2.0 * dot(e_x, k_y)), 1.0 / (s_y + 2.0 * dot(p_x, k_y))
    d_ey, d_py = 1.0 / (s_x + 2.0 * dot(e_y, k_x)), 1.0 / (s_x + 2.0 * dot(p_y, k_x))
    g_x, g_y = 2.0 * M_K * form / s_x, 2.0 * M_K * form / s_y
    charge_x, charge_y = g_y * (d_ex - d_px), g_x * (d_ey - d_py)
    # propagators of the kaon and the pion that radiate a pair
    kaon_x, kaon_y = 1.0 / (s_x - 2.0 * M_K * k_x[3]), 1.0 / (s_y - 2.0 * M_K * k_y[3])
    pion_x, pion_y = 1.0 / (s_x + 2.0 * dot(p_pi, k_x)), 1.0 / (s_y + 2.0 * dot(p_pi, k_y))
    r_x, r_y = form_x / s_y, form_y / s_x
    meson_x = -4.0 * M_K * (r_x * kaon_y + r_y * pion_x)
    meson_y = -4.0 * M_K * (r_y * kaon_x + r_x * pion_y)
    seagull = r_x + r_y
    by_leptons = combination(2.0 * g_x * d_ey, e_y, -2.0 * g_x * d_py, p_y)
    potential_x = _potential(by_leptons, meson_x, p_pi, -charge_x, k_y, seagull)
    by_leptons = combination(2.0 * g_y * d_ex, e_x, -2.0 * g_y * d_px, p_x)
    potential_y = _potential(by_leptons, meson_y, p_pi, -charge_y, k_x, seagull)
    same, opposite = _currents(e_x, p_x)
    x_same = _dressed(same, k_x, g_x * (d_ey + d_py), potential_x)
    x_opposite = _dressed(opposite, k_x, g_x * (d_ey + d_py), potential_x)
    same, opposite = _currents(e_y, p_y)
    y_same = _dressed(same, k_y, g_y * (d_ex + d_px), potential_y)
    y_opposite = _dressed(opposite, k_y, g_y * (d_ex + d_px), potential_y)
    contact = -charge_x * k_y[3] - charge_y * k_x[3] - 2.0 * seagull
    return (
        _join(x_same, y_same, contact),
        _join(x_same, y_opposite, contact),
        _join(x_opposite, y_same, contact),
        _join(x_opposite, y_opposite, contact),
    )


# Taylor coefficients of arcsin(sqrt(v))/sqrt(v)
_ARCSINE = tuple(math.comb(2 * n, n) / (4**n * (2 * n + 1)) for n in range(15))


@scalar_kernel
def _arcsine(u):
    """arcsin(sqrt(u))/sqrt(u), and its continuation arsinh(sqrt(-u))/sqrt(-u), for |u| below 0.65, to 1e-14."""
    cosine = math.sqrt(1.0 - u)
    v = u / (2.0 + 2.0 * cosine)  # of half the angle
    c = _ARCSINE
    t = fma(v, fma(v, fma(v, fma(v, fma(v, c[14], c[13]), c[12]), c[11]), c[10]), c[9])
    t = fma(v, fma(v, fma(v, fma(v, fma(v, t, c[8]), c[7]), c[6]), c[5]), c[4])
    return math.sqrt(2.0 / (1.0 + cosine)) * fma(v, fma(v, fma(v, fma(v, t, c[3]), c[2]), c[1]), c[0])


@scalar_kernel
def loop(x):
    """F(x) of `pi_gg.loop`, its real and imaginary part, in operations that vectorise; 0 < x < 6.5."""
    u = 0.25 * x
    beyond = u - 1.0
    low = u < 0.5
    root = math.sqrt(abs(beyond))
    ratio = _arcsine(u if low else -beyond)
    angle = math.sqrt(u) * ratio if low else 0.5 * math.pi - (0.0 if beyond > 0.0 else root * ratio)
    growth = root * ratio if beyond > 0.0 else 0.0
    return 1.0 - (angle * angle - growth * growth) / u, -2.0 * angle * growth / u


@scalar_kernel
def _join_loops(x, y, weight, other):
    """weight j_x.j_y - other (k_y.j_x)(k_x.j_y), and the same with the conjugate of y."""
    jx, kx, gx, hx = x
    jy, ky, gy, hy = y
    rr, ii = weight * dot(jx, jy) - other * gx * gy, weight * dot(kx, ky) - other * hx * hy
    ri, ir = weight * dot(jx, ky) - other * gx * hy, weight * dot(kx, jy) - other * hx * gy
    return rr - ii, ri + ir, rr + ii, ir - ri


@scalar_kernel
def _loop_pairing(e_x, p_x, e_y, p_y):
    """[k_x.k_y j_x.j_y - k_y.j_x k_x.j_y]/(k_x^2 k_y^2): F^{mu nu} F_{mu nu}; the spins are those of `_pairing`."""
    k_x, k_y = add(e_x, p_x), add(e_y, p_y)
    other = 0.25 / ((E2 + dot(e_x, p_x)) * (E2 + dot(e_y, p_y)))
    weight = other * dot(k_x, k_y)
    same, opposite = _currents(e_x, p_x)
    x_same = same[0], same[1], dot(k_y, same[0]), dot(k_y, same[1])
    x_opposite = opposite[0], opposite[1], dot(k_y, opposite[0]), dot(k_y, opposite[1])
    same, opposite = _currents(e_y, p_y)
    y_same = same[0], same[1], dot(k_x, same[0]), dot(k_x, same[1])
    y_opposite = opposite[0], opposite[1], dot(k_x, opposite[0]), dot(k_x, opposite[1])
    return (
        _join_loops(x_same, y_same, weight, other),
        _join_loops(x_same, y_opposite, weight, other),
        _join_loops(x_opposite, y_same, weight, other),
        _join_loops(x_opposite, y_opposite, weight, other),
    )


@scalar_kernel
def _plus(x, c, y):
    """x + c y, for the amplitudes of `_pairing`."""
    return (
        combination(1.0, x[0], c, y[0]),
        combination(1.0, x[1], c, y[1]),
        combination(1.0, x[2], c, y[2]),
        combination(1.0, x[3], c, y[3]),
    )


@scalar_kernel
def _norm(re, im):
    return re * re + im * im


@scalar_kernel
def _spin_sum(first, second):
    """Sum over all spins of |first - second|^2: a pairing, and the one with the positrons exchanged."""
    a, b, c, d = first
    p, q, r, s = second
    up = _norm(a[0] - p[0], a[1] - p[1]) + _norm(b[0] - r[0], b[1] - r[1])
    up += _norm(c[0] - q[0], c[1] - q[1]) + _norm(d[0] - s[0], d[1] - s[1])
    # the spin of the second electron down
    down = _norm(b[2] - q[2], b[3] - q[3]) + _norm(a[2] + s[2], a[3] + s[3])
    down += _norm(d[2] + p[2], d[3] + p[3]) + _norm(c[2] - r[2], c[3] - r[3])
    # and as much again with all spins reversed
    return 2.0 * (up + down)


@scalar_kernel
def _normalisation(p_a, p_b, p_c, p_d):
    """What `_currents` leaves out, squared."""
    return 1.0 / ((p_a[3] + M_E) * (p_b[3] + M_E) * (p_c[3] + M_E) * (p_d[3] + M_E))


@scalar_kernel
def _pairings(p_pi, p_a, p_b, p_c, p_d, a, b, two):
    """Both pairings, with one photon and two times the amplitude for two photons."""
    q = add(add(p_a, p_b), add(p_c, p_d))
    base, slope, total = two * a, two * b / K2, a + b / K2 * dot(q, q)
    f_ac, f_bd = base + 2.0 * slope * (E2 + dot(p_a, p_c)), base + 2.0 * slope * (E2 + dot(p_b, p_d))
    f_bc, f_ad = base + 2.0 * slope * (E2 + dot(p_b, p_c)), base + 2.0 * slope * (E2 + dot(p_a, p_d))
    first = _pairing(p_c, p_a, p_d, p_b, p_pi, total, f_ac, f_bd)
    second = _pairing(p_c, p_b, p_d, p_a, p_pi, total, f_bc, f_ad)
    return first, second


@scalar_kernel
def squared(p_pi, p_a, p_b, p_c, p_d, a, b):
    """Sum over spins of |M|^2/(alpha^2 G_F)^2 for positrons p_a, p_b and electrons p_c, p_d; dimensionless.

    One photon, and two photons by radiation of the mesons. a and b belong to a form factor without pion loop, as in
    `pi_ll`: -0.531 and -1.232 in NA48/2 (f_0 and f_0 delta, Phys. Lett. B 677 (2009) 246). Those of fits with the loop
    (-0.584, -0.700) give 0.92 of the rate of K+ -> pi+ e+ e- without it, and here 5.75e-11.
    """
    first, second = _pairings(p_pi, p_a, p_b, p_c, p_d, a, b, 1.0)
    return _spin_sum(first, second) * _normalisation(p_a, p_b, p_c, p_d)


@scalar_kernel
def one_photon(p_pi, p_a, p_b, p_c, p_d, a, b):
    """`squared` of the one-photon topology alone."""
    first, second = _pairings(p_pi, p_a, p_b, p_c, p_d, a, b, 0.0)
    return _spin_sum(first, second) * _normalisation(p_a, p_b, p_c, p_d)


@scalar_kernel
def with_loops(p_pi, p_a, p_b, p_c, p_d, a, b, c_hat):
    """`squared` with the meson loops of K+ -> pi+ gamma gamma as well, which dominate that decay.

    A(z) F^{mu nu} F_{mu nu} of Ecker, Pich and de Rafael, Nucl. Phys. B 303 (1988) 665, at O(p^4) (`pi_gg`), for real
    photons; gauge invariant for virtual ones too, whose masses A neglects. The sign relative to a and b is that of
    unitarity: the cuts of both amplitudes in two pions have the same K+ -> pi+ pi+ pi- in them, which makes a and b
    negative where G_8 is positive. The poles of pi0 and eta are left out.
    """
    q = add(add(p_a, p_b), add(p_c, p_d))
    z = dot(q, q) / K2
    pion, absorptive = loop(z / R_PI)
    kaon, _ = loop(z)
    slope = (R_PI - 1.0 - z) / z
    scale = -2.0 * G_8 / G_F
    dispersive = scale * (slope * pion + (1.0 - R_PI - z) / z * kaon + c_hat)
    absorptive *= scale * slope
    first, second = _pairings(p_pi, p_a, p_b, p_c, p_d, a, b, 1.0)
    loops, exchanged = _loop_pairing(p_c, p_a, p_d, p_b), _loop_pairing(p_c, p_b, p_d, p_a)
    total = _spin_sum(_plus(first, dispersive, loops), _plus(second, dispersive, exchanged))
    total += absorptive * absorptive * _spin_sum(loops, exchanged)
    return total * _normalisation(p_a, p_b, p_c, p_d)
