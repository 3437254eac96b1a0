"""Kernels of the unbinned likelihood: its value with derivatives.

Everything is -log L up to terms that depend on the data alone. The four coordinates y are the background b in events;
the signal, either as its number of events nu or, where the branching fraction is given, as the pull of the
single-event sensitivity; the pull of the position; the pull of the logarithm of the width. A branching fraction is
counted in nominal sensitivities, r = BR/SES, so that nu = r exp(-k theta) with k = log(1 + d) of the sensitivity.

A data set is an array of three rows (x, f_B(x), weight) and its global observables: the auxiliary count and the
measured pulls of sensitivity, position and width. Weights other than 1 are for Asimov data.
"""

from __future__ import annotations

import math

import numpy as np

from kaongen.jit import block_kernel
from kaongen.statistics.unbinned import Constants, Floats

FREE = -1.0
"""In place of a branching fraction: the signal is a parameter of its own, at least 0."""

SQRT_2PI = math.sqrt(2.0 * math.pi)
_SQRT_HALF = math.sqrt(0.5)
_FAR = 9.0  # standard deviations beyond which the interval cuts nothing off, to 1e-18


@block_kernel
def line_norm(c: Constants, mean: float, width: float, d: Floats) -> float:
    """Share of a Gaussian in the interval; d receives the derivatives of its logarithm.

    d: by position, by log width; second ones by position, by both, by log width.
    """
    a, b = (c.low - mean) / width, (c.high - mean) / width
    d[:] = 0.0
    if a < -_FAR and b > _FAR:
        return 1.0
    if a > 0.0:
        share = 0.5 * (math.erfc(a * _SQRT_HALF) - math.erfc(b * _SQRT_HALF))
    else:
        share = 0.5 * (math.erfc(-b * _SQRT_HALF) - math.erfc(-a * _SQRT_HALF))
    share = max(share, 1e-300)
    p, q = math.exp(-0.5 * a * a) / (SQRT_2PI * share), math.exp(-0.5 * b * b) / (SQRT_2PI * share)
    first, second = q - p, b * q - a * p
    d[0], d[1] = -first / width, -second
    d[2] = -second / (width * width) - d[0] * d[0]
    d[3] = (first - b * b * q + a * a * p) / width - d[0] * d[1]
    d[4] = second - b * b * b * q + a * a * a * p - d[1] * d[1]
    return share


@block_kernel
def negative_log_likelihood(
    c: Constants, observed: Floats, data: Floats, n: int, r: float, y: Floats, gradient: Floats, hessian: Floats
) -> float:
    """-log L at y, with gradient (4,) and hessian (4, 4) written.

    observed: auxiliary count, pulls of sensitivity, position, width; r: the branching fraction, or FREE.
    """
    b = y[0]
    if r < 0.0:
        nu, nu1, nu2, pull = y[1], 1.0, 0.0, 0.0
    else:
        nu = r * math.exp(-c.log_sensitivity_error * y[1])
        nu1, nu2 = -c.log_sensitivity_error * nu, c.log_sensitivity_error**2 * nu
        pull = y[1] - observed[1]
    pull_m, pull_w = y[2] - observed[2], y[3] - observed[3]
    mean, width = c.mean + c.mean_error * y[2], c.width * math.exp(c.log_width_error * y[3])
    d = np.empty(5)
    log_norm = math.log(SQRT_2PI * width * line_norm(c, mean, width, d))
    em, ew = c.mean_error, c.log_width_error

    f: float = nu + b + 0.5 * (pull * pull + pull_m * pull_m + pull_w * pull_w)
    gb, gs, gm, gw = 1.0, 1.0, 0.0, 0.0
    hbb, hbs, hbm, hbw, hss, hsm, hsw, hmm, hmw, hww = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(n):
        weight = data[2, j]
        z = (data[0, j] - mean) / width
        log_s = -0.5 * z * z - log_norm
        s = math.exp(log_s)
        floor = b * data[1, j]
        density = floor + nu * s
        if density > 0.0:
            f -= weight * math.log(density)
            per_b, per_s = data[1, j] / density, s / density
        else:
            f -= weight * (math.log(nu) + log_s)
            per_b, per_s = 0.0, 1.0 / nu
        share = nu * per_s
        lm = em * (z / width - d[0])
        lw = ew * (z * z - 1.0 - d[1])
        gb -= weight * per_b
        gs -= weight * per_s
        gm -= weight * share * lm
        gw -= weight * share * lw
        hbb += weight * per_b * per_b
        hbs += weight * per_b * per_s
        hss += weight * per_s * per_s
        hbm += weight * per_b * share * lm
        hbw += weight * per_b * share * lw
        rest = 1.0 - share
        hsm -= weight * per_s * rest * lm
        hsw -= weight * per_s * rest * lw
        hmm -= weight * share * (em * em * (-1.0 / (width * width) - d[2]) + rest * lm * lm)
        hmw -= weight * share * (em * ew * (-2.0 * z / width - d[3]) + rest * lm * lw)
        hww -= weight * share * (ew * ew * (-2.0 * z * z - d[4]) + rest * lw * lw)
    if c.tau > 0.0:
        f += c.tau * b
        gb += c.tau
        if observed[0] > 0.0:
            f -= observed[0] * math.log(b)
            gb -= observed[0] / b
            hbb += observed[0] / (b * b)
    else:
        gb, hbb, hbs, hbm, hbw = 0.0, 1.0, 0.0, 0.0, 0.0

    gradient[0], gradient[1], gradient[2], gradient[3] = gb, gs * nu1 + pull, gm + pull_m, gw + pull_w
    hessian[0, 0] = hbb
    hessian[0, 1] = hessian[1, 0] = hbs * nu1
    hessian[0, 2] = hessian[2, 0] = hbm
    hessian[0, 3] = hessian[3, 0] = hbw
    hessian[1, 1] = hss * nu1 * nu1 + gs * nu2 + (0.0 if r < 0.0 else 1.0)
    hessian[1, 2] = hessian[2, 1] = hsm * nu1
    hessian[1, 3] = hessian[3, 1] = hsw * nu1
    hessian[2, 2] = hmm + 1.0
    hessian[2, 3] = hessian[3, 2] = hmw
    hessian[3, 3] = hww + 1.0
    return f
