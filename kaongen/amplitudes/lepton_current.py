"""The left-handed current of a massless neutrino and a charged antilepton, contracted with any other current."""

from __future__ import annotations

from kaongen.amplitudes.lorentz import dot
from kaongen.jit import scalar_kernel


@scalar_kernel
def combination(x, a, y, b):
    """x a + y b for numbers x, y and four-vectors a, b."""
    return x * a[0] + y * b[0], x * a[1] + y * b[1], x * a[2] + y * b[2], x * a[3] + y * b[3]


@scalar_kernel
def volume(a, b, c, d):
    """e_{mu nu rho sigma} a^mu b^nu c^rho d^sigma with e_{0123} = +1, by Laplace's expansion in two-row minors."""
    tx, ty, tz = a[3] * b[0] - a[0] * b[3], a[3] * b[1] - a[1] * b[3], a[3] * b[2] - a[2] * b[3]
    yz, zx, xy = a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
    electric = tx * (c[1] * d[2] - c[2] * d[1]) + ty * (c[2] * d[0] - c[0] * d[2]) + tz * (c[0] * d[1] - c[1] * d[0])
    magnetic = yz * (c[3] * d[0] - c[0] * d[3]) + zx * (c[3] * d[1] - c[1] * d[3]) + xy * (c[3] * d[2] - c[2] * d[3])
    return electric + magnetic


@scalar_kernel
def squared(p_l, p_nu, real, imaginary):
    """Sum over spins of |J_mu ubar(nu) gamma^mu (1 - gamma5) v(l)|^2 for the current J = real + i imaginary.

    Momenta in GeV; GeV^2 times the dimension of J squared. The trace is
    8 [2 Re(p_nu.J p_l.J*) - p_nu.p_l J.J* + 2 e(p_nu, p_l, real, imaginary)] with e_{0123} = +1; the mass of
    the lepton enters through its momentum alone, for the chirality projects it out.
    """
    along = dot(p_nu, real) * dot(p_l, real) + dot(p_nu, imaginary) * dot(p_l, imaginary)
    size = dot(real, real) + dot(imaginary, imaginary)
    return 8.0 * (2.0 * along - dot(p_nu, p_l) * size + 2.0 * volume(p_nu, p_l, real, imaginary))
