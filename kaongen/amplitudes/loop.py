"""The one-loop two-point function of two equal masses, subtracted at s = 0."""

from __future__ import annotations

import math

from kaongen.elementary import fma, log
from kaongen.jit import scalar_kernel


@scalar_kernel
def arcsine_of_root(y):
    """Arc sine of sqrt(y) for y in [0, 1], to 1e-15."""
    # tan of the half, then of the quarter of the angle: at most tan(pi/8), where the series is short
    half = math.sqrt(y) / (1.0 + math.sqrt(1.0 - y))
    t = half / (1.0 + math.sqrt(1.0 + half * half))
    u = -t * t
    s = fma(u, fma(u, fma(u, fma(u, 1.0 / 41.0, 1.0 / 39.0), 1.0 / 37.0), 1.0 / 35.0), 1.0 / 33.0)
    s = fma(u, fma(u, fma(u, fma(u, s, 1.0 / 31.0), 1.0 / 29.0), 1.0 / 27.0), 1.0 / 25.0)
    s = fma(u, fma(u, fma(u, fma(u, s, 1.0 / 23.0), 1.0 / 21.0), 1.0 / 19.0), 1.0 / 17.0)
    s = fma(u, fma(u, fma(u, fma(u, s, 1.0 / 15.0), 1.0 / 13.0), 1.0 / 11.0), 1.0 / 9.0)
    s = fma(u, fma(u, fma(u, fma(u, s, 1.0 / 7.0), 1.0 / 5.0), 1.0 / 3.0), 1.0)
    return 4.0 * t * s


@scalar_kernel
def below_threshold(y):
    """16 pi^2 Jbar(s) at y = s/(4 m^2) in (0, 1], where it is real; dimensionless.

    2 - 2 sqrt((1 - y)/y) arcsin(sqrt(y)); Gasser and Leutwyler, Nucl. Phys. B 250 (1985) 465, appendix A.
    """
    return 2.0 - 2.0 * math.sqrt((1.0 - y) / y) * arcsine_of_root(y)


@scalar_kernel
def two_point(y):
    """16 pi^2 Jbar(s), real and imaginary part, at any y = s/(4 m^2) > 0; dimensionless.

    Above the threshold 2 + sigma log((1 - sigma)/(1 + sigma)) + i pi sigma with sigma = sqrt(1 - 1/y).
    """
    # Either branch is 2 at the threshold, so that each can be asked within its own range only.
    sigma = math.sqrt(1.0 - 1.0 / (y if y > 1.0 else 1.0))
    real = below_threshold(y if y < 1.0 else 1.0) - sigma * log((1.0 + sigma) / (1.0 - sigma))
    return real, math.pi * sigma
