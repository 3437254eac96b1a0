"""Significance: p-values and standard deviations, one hypothesis and many."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from kaongen.errors import StatisticsError

Floats = NDArray[np.float64]


def z_from_p(p: ArrayLike, *, two_sided: bool = False) -> Floats:
    """Standard deviations of a Gaussian whose tail has probability p: the upper tail, or both.

    Parameters
    ----------
    p : array_like
        Probabilities in [0, 1].
    two_sided : bool
        One-sided by default: p = 0.5 is 0 standard deviations, and more is a negative number of them.

    Returns
    -------
    ndarray of float64
        Infinite for p = 0.

    Raises
    ------
    StatisticsError
        If a p-value is outside [0, 1].
    """
    tail = _probabilities("p", p) * (0.5 if two_sided else 1.0)
    return np.asarray(-ndtri(tail), dtype=np.float64)


def p_from_z(z: ArrayLike, *, two_sided: bool = False) -> Floats:
    """Probability of the upper tail of a Gaussian beyond z standard deviations, or of both beyond |z|."""
    z = np.asarray(z, dtype=np.float64)
    return np.asarray(2.0 * ndtr(-np.abs(z)) if two_sided else ndtr(-z), dtype=np.float64)


def upcrossings(q0_scan: ArrayLike, level: float) -> NDArray[np.int64]:
    """How often a scan rises through a level: the points below it whose next one is at or above it.

    Parameters
    ----------
    q0_scan : array_like of shape (..., n)
        q0 of neighbouring hypotheses along the last axis, dense enough that no rise and fall hides between two.
    level : float
        Above 0.

    Returns
    -------
    ndarray of int64
        Of the shape of q0_scan without its last axis.

    Raises
    ------
    StatisticsError
        If the scan has fewer than two points, or the level is not above 0.
    """
    q = np.asarray(q0_scan, dtype=np.float64)
    if q.ndim == 0 or q.shape[-1] < 2:
        raise StatisticsError(f"q0_scan has shape {q.shape}, but needs at least two hypotheses along its last axis")
    _check_level(level)
    return np.asarray(np.count_nonzero((q[..., :-1] < level) & (q[..., 1:] >= level), axis=-1), dtype=np.int64)


def global_p_value(q_max: ArrayLike, mean_upcrossings: float, level: float) -> Floats:
    """Probability that the largest q0 of a scan is at least q_max somewhere, without signal.

    Parameters
    ----------
    q_max : array_like
        Largest q0 of the scan, at least `level`: the formula extrapolates upwards.
    mean_upcrossings : float
        Mean number of `upcrossings` of a scan without signal through `level`.
    level : float
        Low, so that toys cross it often; above 0.

    Returns
    -------
    ndarray of float64
        At most 1: P(chi^2_1 > q)/2 + N(level) exp(-(q - level)/2), an upper bound which is close for small values.

    Raises
    ------
    StatisticsError
        If q_max is below the level, or a number is negative or not finite.

    References
    ----------
    E. Gross and O. Vitells, Eur. Phys. J. C 70 (2010) 525, equations (3) and (6), for one degree of freedom and a
    signal that cannot be negative.
    """
    q = np.asarray(q_max, dtype=np.float64)
    _check_level(level)
    if not (np.isfinite(mean_upcrossings) and mean_upcrossings >= 0.0):
        raise StatisticsError(f"mean_upcrossings is {mean_upcrossings}, but must be a finite number of at least 0")
    if not (q >= level).all():
        raise StatisticsError(f"q_max is {float(np.min(q))}, but must be at least the level {level}")
    return np.asarray(np.minimum(ndtr(-np.sqrt(q)) + mean_upcrossings * np.exp(-0.5 * (q - level)), 1.0))


def global_p_value_from_toys(q_max: ArrayLike, toy_maxima: ArrayLike) -> Floats:
    """(k + 1)/(n + 1), where k of the n toys without signal have a largest q0 of at least q_max.

    Parameters
    ----------
    q_max : array_like
        Largest q0 of the scan of the data.
    toy_maxima : array_like of shape (n,)
        Largest q0 of the same scan of each toy.

    Returns
    -------
    ndarray of float64
        Of the shape of q_max; never 0, and on average never too small.

    Raises
    ------
    StatisticsError
        If there is no toy.
    """
    maxima = np.sort(np.asarray(toy_maxima, dtype=np.float64))
    if maxima.ndim != 1 or maxima.size == 0:
        raise StatisticsError(f"toy_maxima has shape {maxima.shape}, but must be the maximum of each toy")
    above = maxima.size - np.searchsorted(maxima, np.asarray(q_max, dtype=np.float64), side="left")
    return np.asarray((above + 1.0) / (maxima.size + 1.0), dtype=np.float64)


def asimov_significance(signal: ArrayLike, background: ArrayLike, background_error: ArrayLike = 0.0) -> Floats:
    """Median significance of a discovery by counting, in standard deviations.

    Parameters
    ----------
    signal, background, background_error : array_like
        s at least 0, b above 0, and the standard deviation of b, at least 0, in events; they broadcast.

    Returns
    -------
    ndarray of float64
        sqrt(2 ((s + b) log(1 + s/b) - s) where the background is known, and else, with v the variance of b,
        sqrt(2 ((s + b) log((s + b)(b + v)/(b^2 + (s + b) v)) - b^2/v log(1 + v s/(b (b + v))))).

    Raises
    ------
    StatisticsError
        If a number is outside its range.

    References
    ----------
    Cowan, Cranmer, Gross and Vitells, Eur. Phys. J. C 71 (2011) 1554, equation (97); G. Cowan, "Discovery sensitivity
    for a counting experiment with background uncertainty" (2012), equation (20): the auxiliary measurement of the
    background is a Poisson count.
    """
    arrays = (np.asarray(x, dtype=np.float64) for x in (signal, background, background_error))
    s, b, error = np.broadcast_arrays(*arrays)
    _check_range("signal", s, s >= 0.0, "at least 0")
    _check_range("background", b, b > 0.0, "above 0")
    _check_range("background_error", error, error >= 0.0, "at least 0")
    n, v = s + b, error * error
    # (s + b)(b + v)/(b^2 + (s + b) v) = 1 + s b/(b^2 + (s + b) v)
    first = n * np.log1p(s * b / (b * b + n * v))
    ratio = v * s / (b * (b + v))
    # b^2/v log(1 + ratio), which is s b/(b + v) for a small ratio
    known = ratio < 1e-12
    second = np.where(known, s * b / (b + v), b * b / np.where(known, 1.0, v) * np.log1p(ratio))
    return np.asarray(np.sqrt(2.0 * np.maximum(first - second, 0.0)))


def _check_range(name: str, values: Floats, good: NDArray[np.bool_], allowed: str) -> None:
    bad = ~(good & np.isfinite(values))
    if bad.any():
        raise StatisticsError(f"{name} is {values[bad].ravel()[0]}, but must be finite and {allowed}")


def _probabilities(name: str, values: ArrayLike) -> Floats:
    result = np.asarray(values, dtype=np.float64)
    good = (result >= 0.0) & (result <= 1.0)
    if not good.all():
        raise StatisticsError(f"{name} is {result[~good].ravel()[0]}, but must be a probability between 0 and 1")
    return result


def _check_level(level: float) -> None:
    if not (np.isfinite(level) and level > 0.0):
        raise StatisticsError(f"level is {level}, but must be a finite number above 0")
