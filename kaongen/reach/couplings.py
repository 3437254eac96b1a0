"""From limits on branching fractions to couplings: powers, and regions closed by a new particle's decays."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

_STEPS = 400


@dataclass(frozen=True)
class Excluded:
    """Couplings from `low` to `high` are excluded; high is None where the region does not end."""

    low: float
    high: float | None


def survival(times: NDArray[np.float64], lifetime: float) -> float:
    """Probability that X outlives the detector.

    times : (n,), proper times in ns that X of accepted events takes to the end of the detector, of equal weight.
    lifetime : mean life at rest in ns.
    """
    if math.isinf(lifetime):
        return 1.0
    if lifetime <= 0.0:
        return 0.0
    return float(np.exp(-times / lifetime).mean())


def power_law(limit: float, rate: float, power: int) -> float:
    """The coupling at which rate * coupling**power is the limit."""
    return float((limit / rate) ** (1.0 / power))


def excluded(
    limit: float,
    rate: float,
    power: int,
    largest: float,
    seen: Callable[[float], float] | None = None,
) -> Excluded | None:
    """Couplings whose rate of events that are seen exceeds a limit on the branching fraction.

    Parameters
    ----------
    limit : float
        On the branching fraction of decays that are seen.
    rate : float
        Branching fraction per coupling**power.
    power : int
        2, or 1 for a squared mixing.
    largest : float
        Coupling up to which the model holds.
    seen : callable, optional
        Share of the decays that are seen at a coupling, between 0 and 1 and falling with it; 1 without it.

    Returns
    -------
    Excluded or None
        None where no coupling is excluded. `low` and `high` are good to 1e-9 of themselves; regions in several
        pieces are given from the lowest to the highest coupling.
    """
    if limit <= 0.0 or rate <= 0.0:
        return None
    least = power_law(limit, rate, power)
    if least > largest:
        return None
    if seen is None:
        return Excluded(least, None)

    def excess(log_coupling: float) -> float:
        share = seen(math.exp(log_coupling))
        return math.log(rate) + power * log_coupling + math.log(max(share, 1e-300)) - math.log(limit)

    grid = np.linspace(math.log(least), math.log(largest), _STEPS)
    above = np.array([excess(x) for x in grid]) >= 0.0
    if not above.any():
        peak = _largest(excess, grid)
        if excess(peak) < 0.0:
            return None
        grid = np.sort(np.append(grid, peak))
        above = np.array([excess(x) for x in grid]) >= 0.0
    first, last = int(np.argmax(above)), len(grid) - 1 - int(np.argmax(above[::-1]))
    low = math.exp(grid[0] if first == 0 else float(brentq(excess, grid[first - 1], grid[first], xtol=1e-12)))
    if last == len(grid) - 1:
        return Excluded(low, None)
    return Excluded(low, math.exp(float(brentq(excess, grid[last], grid[last + 1], xtol=1e-12))))


def _largest(excess: Callable[[float], float], grid: NDArray[np.float64]) -> float:
    """Where the excess is largest, between the points of a grid."""
    from scipy.optimize import minimize_scalar

    best = int(np.argmax([excess(x) for x in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    return float(minimize_scalar(lambda x: -excess(x), bounds=(low, high), method="bounded").x)
