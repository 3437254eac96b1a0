"""From test statistics of toy experiments on a grid of signal strengths to CLs limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr, ndtri

from kaongen.errors import StatisticsError
from kaongen.statistics.limit import UpperLimit

Floats = npt.NDArray[np.float64]

STANDARD_DEVIATIONS = (0.0, -2.0, -1.0, 1.0, 2.0)
_TIE = 1e-7  # of a statistic: two toys with the same counts differ by rounding
_LEAST_BEYOND = 10.0
_GRID_STEP = 1.2
_MOST_POINTS = 80


@dataclass(frozen=True, slots=True)
class Point:
    """The statistic at one signal strength: of the data (None without), of toys with that signal, and of toys without.

    with_signal, without_signal : shape (toys,), at least 0, as many of both.
    log_ratio_with, log_ratio_without : log [L(toy | signal) / L(toy | no signal)] of the same toys.
    """

    mu: float
    observed: float | None
    with_signal: Floats
    without_signal: Floats
    log_ratio_with: Floats
    log_ratio_without: Floats


@dataclass(slots=True)
class _Curve:
    """CLs against mu for one observation, real or typical."""

    mu: list[float] = field(default_factory=list)
    cls: list[float] = field(default_factory=list)
    variance: list[float] = field(default_factory=list)


def p_value(q: float, toys: Floats) -> float:
    """Fraction of toys with a statistic of at least q; ties count."""
    return float(np.count_nonzero(toys >= _lower(q))) / toys.size


def _lower(q: float) -> float:
    """What still counts as equal to q."""
    return q - _TIE * (1.0 + q)


def typical(toys: Floats, standard_deviations: float) -> float:
    """The statistic of the experiment whose limit is this quantile: a larger statistic gives a lower limit."""
    ordered = np.sort(toys)[::-1]
    return float(ordered[max(math.ceil(float(ndtr(standard_deviations)) * ordered.size - 1e-9), 1) - 1])


def limits_from_toys(
    evaluate: Callable[[Sequence[float]], Sequence[Point]],
    guesses: Sequence[float],
    confidence_level: float,
    method: str,
) -> UpperLimit:
    """Observed and expected CLs limits, from toys made where they are needed.

    Parameters
    ----------
    evaluate : callable
        Makes the toys of given signal strengths, in rising order.
    guesses : sequence of float
        Limits to expect, about: the grid of signal strengths, in steps of 20%, covers them first and is continued until
        every limit lies within.
    confidence_level : float
        Between 0 and 1, both excluded.
    method : str
        What the limit says of itself.

    Returns
    -------
    UpperLimit

    Raises
    ------
    StatisticsError
        If no signal up to many times the guesses is excluded.

    Notes
    -----
    CLs has a statistical error at each point. A parabola in log CLs against mu, fitted around the limit with these
    errors, averages it.
    """
    low, high = 0.8 * min(guesses), 1.25 * max(guesses)
    count = max(5, math.ceil(math.log(high / low) / math.log(_GRID_STEP)) + 1)
    points = evaluate([float(mu) for mu in np.geomspace(low, high, count)])
    blind = points[0].observed is None
    curves = [_Curve() for _ in range(len(STANDARD_DEVIATIONS) + (not blind))]
    for point in points:
        _add(point, curves)
    alpha = 1.0 - confidence_level
    while (more := _outside(curves, alpha)) is not None:
        if len(curves[0].mu) >= _MOST_POINTS:
            raise StatisticsError(
                f"no limit at {confidence_level:.0%} CL from mu = {min(curves[0].mu):g} to {max(curves[0].mu):g}: "
                "the error of the signal or the number of toys does not allow one"
            )
        for point in evaluate(more):
            _add(point, curves)
    limits = [_crossing(curve, alpha) for curve in curves]
    observed = None if blind else limits[5]
    expected, low2, low1, high1, high2 = limits[:5]
    return UpperLimit(observed, expected, low2, low1, high1, high2, confidence_level, method)


def estimate_cls(point: Point, q: float) -> tuple[float, float]:
    """CLs of an observed statistic, and the relative variance of this estimate.

    Both kinds of toys count for both p-values, as one sample from the mixture of the two hypotheses: with L the
    probability of a toy, its weight is 2 L(s+b) / [L(s+b) + L(b)] in p(s+b) and 2 L(b) / [L(s+b) + L(b)] in 1 - p(b),
    never above 2 (the balance heuristic of E. Veach and L. J. Guibas, SIGGRAPH 1995, 419). The toys that pass are the
    same in both, so that much of the fluctuation cancels in CLs: all of it where L(s+b) / L(b) is constant, as for no
    observed event.
    """
    # Beyond nearly all toys nothing can be counted: the most extreme ones stand for anything further.
    furthest = typical(point.without_signal, float(ndtri(_LEAST_BEYOND / point.without_signal.size)))
    border = _lower(min(q, furthest))
    samples = [
        (point.with_signal, point.log_ratio_with),
        (point.without_signal, point.log_ratio_without),
    ]
    passing = [statistics >= border for statistics, _ in samples]
    signal = [np.where(ok, 2.0 * expit(ratio), 0.0) for ok, (_, ratio) in zip(passing, samples, strict=True)]
    background = [np.where(ok, 2.0 * expit(-ratio), 0.0) for ok, (_, ratio) in zip(passing, samples, strict=True)]
    toys = point.with_signal.size + point.without_signal.size
    p_signal = sum(float(w.sum()) for w in signal) / toys
    p_background = sum(float(w.sum()) for w in background) / toys
    cls = p_signal / p_background
    # of the ratio of two sums, stratum by stratum
    spread = sum(float(w.size * np.var(w - cls * v)) for w, v in zip(signal, background, strict=True)) / toys**2
    return max(cls, 1e-300), spread / max(p_signal, 1e-300) ** 2


def _add(point: Point, curves: Sequence[_Curve]) -> None:
    statistics = [typical(point.without_signal, n) for n in STANDARD_DEVIATIONS]
    if point.observed is not None:
        statistics.append(point.observed)
    for curve, q in zip(curves, statistics, strict=True):
        cls, variance = estimate_cls(point, q)
        curve.mu.append(point.mu)
        curve.cls.append(cls)
        curve.variance.append(variance + 1e-3 / point.with_signal.size)


def _outside(curves: Sequence[_Curve], alpha: float) -> list[float] | None:
    """Signal strengths to add where a limit is not enclosed by two points on either side; None where all are."""
    mu = np.array(curves[0].mu)
    order = np.argsort(mu)
    excluded = np.array([np.array(curve.cls)[order] < alpha for curve in curves])
    if not excluded[:, -2:].all():
        return [float(mu.max() * _GRID_STEP**k) for k in (1, 2, 3)]
    if excluded[:, :2].any() and not _floor(curves, order):
        return [float(mu.min() / _GRID_STEP**k) for k in (3, 2, 1)]
    return None


def _floor(curves: Sequence[_Curve], order: npt.NDArray[np.intp]) -> bool:
    return bool(curves[0].mu[order[0]] < 1e-6 * curves[0].mu[order[-1]])


def _crossing(curve: _Curve, alpha: float) -> float:
    """Where CLs falls through alpha."""
    order = np.argsort(curve.mu)
    mu = np.array(curve.mu)[order]
    y = np.log(np.array(curve.cls)[order] / alpha)
    weight = 1.0 / np.sqrt(np.array(curve.variance)[order])
    # The middle of the first and the last change of sign: noise may make several.
    above, below = int(np.flatnonzero(y >= 0.0)[-1]), int(np.flatnonzero(y < 0.0)[0])
    near = np.abs(y) < 1.6
    near[max(min(above, below) - 1, 0) : max(above, below) + 2] = True
    if np.count_nonzero(near) >= 4:
        centre, width = float(mu[near].mean()), float(np.ptp(mu[near]))
        a, b, c = np.polyfit((mu[near] - centre) / width, y[near], 2, w=weight[near])
        discriminant = b * b - 4.0 * a * c
        if discriminant > 0.0:
            # of the two roots the one where the parabola falls
            root = 2.0 * c / (-b + math.sqrt(discriminant)) if b < 0.0 else (-b - math.sqrt(discriminant)) / (2.0 * a)
            found = centre + width * root
            if mu[near].min() <= found <= mu[near].max():
                return float(found)
    i = min(above, mu.size - 2)
    return float(mu[i] + (mu[i + 1] - mu[i]) * y[i] / (y[i] - y[i + 1]))
