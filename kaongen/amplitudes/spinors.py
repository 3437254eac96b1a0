"""Dirac spinors in light-cone components, and a vector current contracted with a lepton pair.

Chiral representation, gamma^mu = ((0, sigma^mu), (sigmabar^mu, 0)). A momentum p of mass m enters as its light-cone
components p- = E - p_z and p_T = p_x + i p_y; its two spin states, L above R and without the factor 1/sqrt(p-), are

    u1 = ((p-, -p_T), (m, 0)),    u2 = ((0, m), (p_T^*, p-)),

and v1, v2 are the same with R of the opposite sign. They are complete: sum of u ubar = p- (pslash + m). Whoever squares
an amplitude divides by p- once for each spinor in it. A four-vector current T is the matrix T.sigmabar, row by row.
"""

from __future__ import annotations

from kaongen.jit import scalar_kernel


@scalar_kernel
def light_cone(p, m):
    """p- (GeV) and p_T (GeV, complex) of a momentum (px, py, pz, E) of mass m."""
    along = p[2] if p[2] > 0.0 else -p[2]
    large = p[3] + along
    # never zero, so that a massless momentum along the axis keeps a direction; any other absorbs it
    across = p[0] + 1e-20
    # E - |p_z| would cancel down to this
    small = (across * across + p[1] * p[1] + m * m) / large
    return small if p[2] > 0.0 else large, complex(across, p[1])


@scalar_kernel
def scaled(r, z):
    """Real r times complex z; numba's own product makes r complex first."""
    return complex(r * z.real, r * z.imag)


@scalar_kernel
def norm(z):
    """|z|^2."""
    return z.real * z.real + z.imag * z.imag


@scalar_kernel
def antilepton(p, m):
    """The two spin states of v, as (L, R), of the light-cone components p and mass m."""
    zero = complex(0.0, 0.0)
    mass = complex(m, 0.0)
    minus = complex(p[0], 0.0)
    return ((minus, -p[1]), (-mass, zero)), ((zero, mass), (-p[1].conjugate(), -minus))


@scalar_kernel
def bra(p):
    """u^dagger of a massless left-handed particle of light-cone components p: a row of two."""
    return complex(p[0], 0.0), -p[1].conjugate()


@scalar_kernel
def bra_times(u, q):
    """The row u q.sigmabar, for a row u and a momentum q = (px, py, pz, E)."""
    q_t = complex(q[0], q[1])
    return scaled(q[3] + q[2], u[0]) + u[1] * q_t, u[0] * q_t.conjugate() + scaled(q[3] - q[2], u[1])


@scalar_kernel
def pair(t, minus, plus, m):
    """T_mu ubar(p_minus) gamma^mu v(p_plus) for the spins (1, 1), (1, 2), (2, 1), (2, 2) of minus and plus.

    `t` is the matrix T.sigmabar, `minus` and `plus` are light-cone components and m (GeV) is the mass of either.
    """
    t00, t01, t10, t11 = t
    u, u_t = minus
    b, b_t = plus
    u_c = u_t.conjugate()
    b_c = b_t.conjugate()
    flip = scaled(m * m, t11)
    both = u + b
    same_left = scaled(u, scaled(b, t00) - b_t * t01) - u_c * (scaled(b, t10) - b_t * t11) - flip
    same_right = flip - scaled(u, scaled(b, t00) - b_c * t10) + u_t * (scaled(b, t01) - b_c * t11)
    up_down = scaled(m, scaled(both, t01) - (u_c + b_c) * t11)
    down_up = scaled(m, scaled(both, t10) - (u_t + b_t) * t11)
    return same_left, up_down, down_up, same_right
