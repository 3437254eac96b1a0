"""Poisson numbers from the counter-based streams: a count is a function of (key, toy, stream, mean)."""

from __future__ import annotations

import math

import numpy as np

from kaongen.elementary import log
from kaongen.jit import scalar_kernel
from kaongen.random import draw, uniform

_INVERSION_BELOW = 12.0
_INV32 = 2.0**-32
_LOG_FACTORIALS = np.array([math.lgamma(k + 1.0) for k in range(16)])
_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


@scalar_kernel
def log_factorial(k):  # type: ignore[no-untyped-def]
    """log k! for a whole k >= 0: a table below 16, then Stirling's series (the first term left out is below 1e-12)."""
    if k < 16.0:
        return _LOG_FACTORIALS[int(k)]
    inverse = 1.0 / k
    square = inverse * inverse
    series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)))
    return (k + 0.5) * log(k) - k + _HALF_LOG_TWO_PI + series


@scalar_kernel
def poisson(key, index, stream, mean):  # type: ignore[no-untyped-def]
    """A Poisson number as float64; key, index and stream as in `kaongen.random.draw`, mean from 0 to 1e12.

    Sequential inversion below a mean of 12; above, transformed rejection with squeeze (W. Hoermann, Insurance:
    Mathematics and Economics 12 (1993) 39, algorithm PTRS).
    """
    if not mean > 0.0:
        return 0.0
    if mean < _INVERSION_BELOW:
        a, b, _, _ = draw(key, index, stream, np.uint64(0))
        u = uniform(a) + (uniform(b) - 0.5) * _INV32
        k = 0.0
        term = np.exp(-mean)
        while u > term and k < 200.0:
            u -= term
            k += 1.0
            term *= mean / k
        return k
    log_mean = log(mean)
    b = 0.931 + 2.53 * np.sqrt(mean)
    a = -0.059 + 0.02483 * b
    v_r = 0.9277 - 3.6224 / (b - 2.0)
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    number = np.uint64(0)
    while True:
        w0, w1, _, _ = draw(key, index, stream, number)
        number += np.uint64(1)
        u, v = uniform(w0) - 0.5, uniform(w1)
        us = 0.5 - abs(u)
        k = np.floor((2.0 * a / us + b) * u + mean + 0.43)
        if us >= 0.07 and v <= v_r:
            return k
        if k < 0.0 or (us < 0.013 and v > us):
            continue
        if log(v * inverse_alpha / (a / (us * us) + b)) <= k * log_mean - mean - log_factorial(k):
            return k
