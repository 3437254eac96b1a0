"""K+ -> mu+ nu_mu V, V -> mu+ mu-: the vector of L_mu - L_tau on its mass shell, with its spin.

V couples with strength g to the muon and to the neutrino, which have the same charge. In the normalisation in which
K+ -> mu+ nu_mu has Sum|M|^2 = lambda_mu^2 (m_K^2 - m_mu^2), the current that emits V of momentum q is

    lambda_mu g ubar(nu) P_R [(2p^mu + qslash gamma^mu)/(2pq + m_V^2) - (2k^mu + gamma^mu qslash)/(2kq + m_V^2)] v(mu)

with p the muon and k the neutrino: the two emissions of Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802, appendix A,
of which the parts without a propagator cancel.
"""

from __future__ import annotations

from kaongen.amplitudes.lorentz import add, dot
from kaongen.amplitudes.spinors import antilepton, bra, bra_times, light_cone, norm, pair, scaled
from kaongen.jit import scalar_kernel
from kaongen.particles import M_MU


@scalar_kernel
def current_of_spin(spin, nu, rho, q, p_mu, p_nu, off_muon, off_neutrino):
    """One spin (left, right) of the muon: the current as a matrix T.sigmabar, in units of lambda_mu g.

    `nu` is the row u(nu)^dagger, `rho` is `nu` times q.sigmabar, `off_...` two over the propagators' denominators.
    """
    _, (e, f) = spin
    c, d = nu
    scalar = c * e + d * f
    x = off_muon * p_mu[0] - off_neutrino * p_nu[0]
    y = off_muon * p_mu[1] - off_neutrino * p_nu[1]
    z = off_muon * p_mu[2] - off_neutrino * p_nu[2]
    t = off_muon * p_mu[3] - off_neutrino * p_nu[3]
    g0 = scaled(off_muon, e)
    g1 = scaled(off_muon, f)
    h0 = scaled(off_neutrino, scaled(q[3] + q[2], f) - complex(q[0], q[1]) * e)
    h1 = scaled(off_neutrino, complex(q[0], -q[1]) * f - scaled(q[3] - q[2], e))
    return (
        scaled(t + z, scalar) + g0 * rho[0] - d * h0,
        complex(x, -y) * scalar + g0 * rho[1] - d * h1,
        complex(x, y) * scalar + g1 * rho[0] + c * h0,
        scaled(t - z, scalar) + g1 * rho[1] + c * h1,
    )


@scalar_kernel
def squared(p_mu, p_nu, p_plus, p_minus, m_v):
    """Sum over spins of |T^mu ubar(mu-) gamma_mu v(mu+)|^2 / (lambda_mu g^2)^2 in GeV^2, without V's propagator.

    Momenta (px, py, pz, E) in GeV in the kaon's rest frame; p_mu is the muon of the weak vertex, p_plus and p_minus
    come from V, (p_plus + p_minus)^2 = m_v^2. Only this assignment of the two mu+: V is narrow. Over the angles of
    the pair in V's rest frame it averages to munu_x.vector times (4/3)(m_V^2 + 2 m_mu^2).
    """
    q = add(p_plus, p_minus)
    v2 = m_v * m_v
    neutrino = light_cone(p_nu, 0.0)
    muon = light_cone(p_mu, M_MU)
    minus = light_cone(p_minus, M_MU)
    plus = light_cone(p_plus, M_MU)
    off_muon = 2.0 / (2.0 * dot(p_mu, q) + v2)
    off_neutrino = 2.0 / (2.0 * dot(p_nu, q) + v2)
    nu = bra(neutrino)
    rho = bra_times(nu, q)
    first, second = antilepton(muon, M_MU)
    a, b, c, d = pair(current_of_spin(first, nu, rho, q, p_mu, p_nu, off_muon, off_neutrino), minus, plus, M_MU)
    e, f, g, h = pair(current_of_spin(second, nu, rho, q, p_mu, p_nu, off_muon, off_neutrino), minus, plus, M_MU)
    total = norm(a) + norm(b) + norm(c) + norm(d) + norm(e) + norm(f) + norm(g) + norm(h)
    return total / ((neutrino[0] * muon[0]) * (minus[0] * plus[0]))
