"""Elementary functions written so that a loop over a block vectorises, and gives the same bits everywhere.

A call into the system's mathematics library stops vectorisation and differs between systems; polynomials
do neither. Multiplication and addition are fused where the source says `fma` and nowhere else, so that the
result does not depend on what a compiler finds profitable. The square root is an IEEE operation and needs no
replacement.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from kaongen.jit import scalar_kernel


def _fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """a b + c of float64 with one rounding."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


fma: Any = intrinsic(_fma)


# Taylor coefficients of sin(2 pi x)/x and cos(2 pi x) in x^2: for |x| <= 1/8 the first term left out is below 1e-17.
_S0, _S1, _S2, _S3, _S4, _S5, _S6, _S7 = (
    (-1) ** k * (2 * math.pi) ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(8)
)
_C1, _C2, _C3, _C4, _C5, _C6, _C7, _C8 = (
    (-1) ** k * (2 * math.pi) ** (2 * k) / math.factorial(2 * k) for k in range(1, 9)
)


@scalar_kernel
def sincos_turns(turns):
    """Sine and cosine of ``2 pi turns`` for turns in [0, 1], to 3e-16 absolute."""
    quarter = np.int64(4.0 * turns + 0.5)
    x = turns - 0.25 * np.float64(quarter)
    z = x * x
    s = fma(z, fma(z, fma(z, fma(z, fma(z, fma(z, _S7, _S6), _S5), _S4), _S3), _S2), _S1)
    s = x * fma(z, s, _S0)
    c = fma(z, fma(z, fma(z, fma(z, fma(z, fma(z, _C8, _C7), _C6), _C5), _C4), _C3), _C2)
    c = fma(z, fma(z, c, _C1), 1.0)
    odd = (quarter & 1) != 0
    sine = c if odd else s
    cosine = s if odd else c
    if (quarter & 2) != 0:
        sine = -sine
    if ((quarter + 1) & 2) != 0:
        cosine = -cosine
    return sine, cosine


_LN2 = math.log(2.0)
_MANTISSA = np.int64((1 << 52) - 1)
_EXPONENT_SHIFT = np.int64(52)
_SQRT_HALF = np.int64(0x3FE6A09E667F3BCD)
_TO_ONE = np.int64(0x3FF0000000000000) - _SQRT_HALF


@scalar_kernel
def log(x):
    """Natural logarithm of a positive, normal float64, to 1e-15 relative or 1e-16 absolute."""
    # x = 2^k m with m in [sqrt(1/2), sqrt(2)); log m = 2 artanh((m - 1)/(m + 1)).
    bits = np.float64(x).view(np.int64) + _TO_ONE
    k = (bits >> _EXPONENT_SHIFT) - np.int64(1023)
    m = np.int64((bits & _MANTISSA) + _SQRT_HALF).view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    t = fma(z, fma(z, fma(z, 1.0 / 21.0, 1.0 / 19.0), 1.0 / 17.0), 1.0 / 15.0)
    t = fma(z, fma(z, fma(z, t, 1.0 / 13.0), 1.0 / 11.0), 1.0 / 9.0)
    t = fma(z, fma(z, fma(z, t, 1.0 / 7.0), 1.0 / 5.0), 1.0 / 3.0)
    return fma(np.float64(k), _LN2, 2.0 * fma(s * z, t, s))


_INV_LN2 = 1.0 / math.log(2.0)
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_E2, _E3, _E4, _E5, _E6, _E7, _E8, _E9, _E10, _E11, _E12 = (1.0 / math.factorial(k) for k in range(2, 13))


@scalar_kernel
def exp(x):
    """Exponential of a float64 between -700 and 700, to 1e-15 relative."""
    # exp x = 2^k exp r with |r| <= ln(2)/2
    scaled = x * _INV_LN2
    k = np.int64(scaled + (0.5 if scaled >= 0.0 else -0.5))
    r = fma(np.float64(-k), _LN2_HIGH, x)
    r = fma(np.float64(-k), _LN2_LOW, r)
    t = fma(r, fma(r, fma(r, fma(r, _E12, _E11), _E10), _E9), _E8)
    t = fma(r, fma(r, fma(r, fma(r, t, _E7), _E6), _E5), _E4)
    t = fma(r, fma(r, fma(r, fma(r, t, _E3), _E2), 1.0), 1.0)
    return t * np.int64((k + np.int64(1023)) << _EXPONENT_SHIFT).view(np.float64)
