"""Where a falling function crosses zero: all limits are such a point."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.optimize import brentq

from kaongen.errors import StatisticsError


def falling_root(
    f: Callable[[float], float], guess: float, scale: float, least: float = 0.0, *, rtol: float = 1e-12
) -> float:
    """Root of a falling function that is not negative at `least`.

    Parameters
    ----------
    f : callable
        Best nearly linear, falling by about 1 over `scale`: then few calls are enough.
    guess, scale : float
        Where to look first, and how far to step; both positive.
    least : float
        Lower end of the range, taken as the root where f falls below zero at once.
    rtol : float
        Precision of the root as a fraction of itself.

    Returns
    -------
    float

    Raises
    ------
    StatisticsError
        If f stays positive up to 1e9 times the guess or the scale, or is not a number.
    """
    low = high = max(guess, least)
    end = 1e9 * max(guess, scale)
    value, step = f(high), 0.0
    if value == 0.0:
        return high
    above = value > 0.0
    while value != 0.0 and (value > 0.0) == above:
        if math.isnan(value) or high > end:
            raise StatisticsError(f"no limit up to {high:g}: the test statistic does not exclude larger signals")
        step = max(2.0 * step, 1.1 * min(abs(value), 8.0) * scale, 1e-6 * guess)
        if above:
            low, high = high, high + step
            value = f(high)
        else:
            low, high = max(low - step, least), low
            value = f(low)
            if low == least and value <= 0.0:
                return least
    return float(brentq(f, low, high, xtol=max(1e-3 * rtol * scale, 1e-300), rtol=max(rtol, 1e-15)))
