"""K+ -> pi0 l+ nu gamma: inner bremsstrahlung of kaon and lepton, and what gauge invariance adds to it.

With p, q and P the momenta of pion, photon and kaon, W = p_l + p_nu and t = (W + q)^2,

    M = e eps*^mu { V_{mu nu} ubar(nu) gamma^nu (1 - gamma5) v(l)
        + F_nu(t)/(2 p_l.q) ubar(nu) gamma^nu (1 - gamma5) (m_l - pslash_l - qslash) gamma_mu v(l) },

where F_nu(t) = 2 f+(t) p_nu + f2(t) (W + q)_nu, f2 = f+ + f-, is the hadronic current of `kl3` (Bijnens, Ecker and
Gasser, Nucl. Phys. B 396 (1993) 81, hep-ph/9209261). By Low's theorem, with D f = f(t) - f(W^2),

    V_{mu nu} = P_mu/(P.q) [2 f+(W^2) p_nu + f2(W^2) W_nu] + W_mu/(W.q) [2 D f+ p_nu + D f2 W_nu] + f2(t) g_{mu nu},

so that q^mu V_{mu nu} = F_nu(t) (cf. Kubis, Mueller, Gasser and Schmid, Eur. Phys. J. C 50 (2007) 557, hep-ph/0611366).
Left out are the structure-dependent terms, gauge invariant by themselves and of first order in q: the vector ones
(L_9, loops) and the axial ones (chiral anomaly). Without them the rates relative to K_e3 are 1.79e-2, 0.640e-2 and
0.554e-2 where the full calculation has 1.804(21)e-2, 0.640(8)e-2 and 0.559(6)e-2 (for E_gamma > 10 MeV and
theta > 10 degrees; 30 MeV and 20 degrees; 10 MeV and 0.6 < cos(theta) < 0.9).
"""

from __future__ import annotations

from kaongen.amplitudes.lepton_current import combination
from kaongen.amplitudes.lepton_current import squared as current_squared
from kaongen.amplitudes.lorentz import add, dot
from kaongen.jit import scalar_kernel
from kaongen.particles import M_K, M_PI, M_PI0

PI2 = M_PI * M_PI
DIFFERENCE = M_K * M_K - M_PI0 * M_PI0


@scalar_kernel
def lepton_photon(p_l, q, m_l):
    """p_l.q in GeV^2 for a massless q, without cancellation when the two are collinear.

    |p_l|^2 |q|^2 = (p_l.q)^2 + |p_l x q|^2 (three-vectors) turns the difference of energies and momenta into a sum.
    """
    x, y, z = p_l[1] * q[2] - p_l[2] * q[1], p_l[2] * q[0] - p_l[0] * q[2], p_l[0] * q[1] - p_l[1] * q[0]
    along = p_l[0] * q[0] + p_l[1] * q[1] + p_l[2] * q[2]
    energies = p_l[3] * q[3]
    mass = m_l * q[3]
    return (mass * mass + x * x + y * y + z * z) / (energies + along) if along > 0.0 else energies - along


@scalar_kernel
def transverse(n):
    """Two unit vectors that form a right-handed basis with the unit vector n; of three components each.

    Duff et al., J. Computer Graphics Techniques 6 (2017) 1: without a direction in which it fails.
    """
    sign = 1.0 if n[2] >= 0.0 else -1.0
    a = -1.0 / (sign + n[2])
    b = n[0] * n[1] * a
    first = 1.0 + sign * n[0] * n[0] * a, sign * b, -sign * n[0]
    second = b, sign + n[1] * n[1] * a, -n[1]
    return first, second


@scalar_kernel
def squared(p_pi, p_l, p_nu, p_gamma, m_l, lambda_plus, lambda_zero):
    """Sum over spins and polarisations of |M|^2 / e^2 in GeV^2, in the normalisation of `kl3.squared`.

    Momenta (px, py, pz, E) and m_l in GeV, in the rest frame of the kaon. f+ = 1 + lambda_plus t/m_pi+^2 and
    f0 = 1 + lambda_zero t/m_pi+^2, which makes f- constant.
    """
    lq = lepton_photon(p_l, p_gamma, m_l)
    w = add(p_l, p_nu)
    t = m_l * m_l + 2.0 * (dot(p_l, p_nu) + lq + dot(p_nu, p_gamma))
    slope = lambda_plus / PI2
    f_plus = 1.0 + slope * t
    f_minus = (lambda_zero - lambda_plus) / PI2 * DIFFERENCE
    f_2 = f_plus + f_minus
    hadron = combination(2.0 * f_plus, p_pi, f_2, add(w, p_gamma))
    derivative = combination(4.0 * slope, p_pi, 2.0 * slope, w)
    e = p_gamma[3]
    n = p_gamma[0] / e, p_gamma[1] / e, p_gamma[2] / e
    first, second = transverse(n)
    # In the gauge eps.P = 0 the kaon does not radiate, and in the lepton's line qslash eps_slash acts on one of
    # the two circular polarisations only: real and imaginary parts are those of first +- i second.
    hq = dot(hadron, p_gamma)
    x_1, y_1 = _currents(first, w, p_l, p_gamma, lq, hadron, hq, derivative, f_2)
    x_2, y_2 = _currents(second, w, p_l, p_gamma, lq, hadron, hq, derivative, f_2)
    minus_y_2 = -y_2[0], -y_2[1], -y_2[2], -y_2[3]
    return 0.5 * (current_squared(p_l, p_nu, x_1, x_2) + current_squared(p_l, p_nu, y_1, minus_y_2))


@scalar_kernel
def _currents(polarisation, w, p_l, q, lq, hadron, hq, derivative, f_2):
    """The current for a linear polarisation without and with the spin term of the lepton's line."""
    x, y, z = polarisation
    w_eps = -(w[0] * x + w[1] * y + w[2] * z)
    l_eps = -(p_l[0] * x + p_l[1] * y + p_l[2] * z)
    h_eps = -(hadron[0] * x + hadron[1] * y + hadron[2] * z)
    eps = x, y, z, 0.0
    low = combination(-l_eps / lq, hadron, f_2, eps)
    low = combination(1.0, low, w_eps, derivative)
    spin = combination(hq / lq, eps, -h_eps / lq, q)
    return low, combination(1.0, low, -1.0, spin)
