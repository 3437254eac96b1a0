"""Counting experiments with the profile likelihood: the background constrained by a Gaussian or by a control region."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from kaongen.errors import StatisticsError
from kaongen.jit import block_kernel
from kaongen.random import stream_key
from kaongen.statistics.asymptotics import AsymptoticsWarning, asymptotic_limit, few_events
from kaongen.statistics.binned import Background, BinnedModel
from kaongen.statistics.binned_limit import Method, upper_limit
from kaongen.statistics.binned_toys import CHUNK, check_toys
from kaongen.statistics.counting import CountingLimit, check_counting
from kaongen.statistics.limit import UpperLimit
from kaongen.statistics.poisson import poisson
from kaongen.statistics.toy_scan import Point, limits_from_toys

Floats = npt.NDArray[np.float64]
Constraint = Literal["gaussian", "poisson"]


def profile_counting_limit(
    n_observed: int | None,
    background: float,
    background_error: float,
    confidence_level: float = 0.9,
    constraint: Constraint = "gaussian",
    method: Method = "asymptotics",
    toys: int = 2000,
    seed: int = 1,
    threads: int | None = None,
) -> CountingLimit:
    """Profile CLs upper limit on the number of signal events, with its expectation and bands.

    Parameters
    ----------
    n_observed : int or None
        Number of events observed; None for the expected limits alone.
    background, background_error : float
        b and db in events.
    confidence_level : float
        Between 0 and 1, both excluded.
    constraint : "gaussian" or "poisson"
        What is known of the background: b measured with a Gaussian error db, or a control region with
        m = (b / db)^2 events, Poisson with mean tau times the background, tau = b / db^2.
    method, toys, seed, threads
        As in `binned_limit.upper_limit`.

    Returns
    -------
    CountingLimit

    Raises
    ------
    StatisticsError
        If a number is negative, not finite or above 1e10, n is not whole, or db > 0 = b with a Poisson constraint.

    Warns
    -----
    AsymptoticsWarning
        With method="asymptotics", for fewer than ten background events.
    """
    n = check_counting(n_observed, background, background_error, confidence_level)
    if constraint not in ("gaussian", "poisson"):
        raise StatisticsError(f"constraint is {constraint!r}, but must be 'gaussian' or 'poisson'")
    if method not in ("asymptotics", "toys"):
        raise StatisticsError(f"method is {method!r}, but must be 'asymptotics' or 'toys'")
    if method == "toys":
        check_toys(toys, seed)
    elif problem := few_events(background):
        warnings.warn(problem, AsymptoticsWarning, stacklevel=2)
    if constraint == "gaussian" or background_error == 0.0:
        model = BinnedModel(
            np.ones(1), (Background("background", np.array([background]), np.array([background_error])),)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AsymptoticsWarning)  # given above
            data = None if n is None else [n]
            limit = upper_limit(model, data, confidence_level, method, toys, seed, threads)
    elif background == 0.0:
        raise StatisticsError(
            f"background is 0 with background_error {background_error}: a control region without events has no error; "
            "a Gaussian constraint can be used"
        )
    else:
        limit = _on_off_limit(n, background, background_error, confidence_level, method, toys, seed, threads)
    return CountingLimit(
        observed=limit.observed,
        expected=limit.expected,
        minus_two_sigma=limit.minus_two_sigma,
        minus_one_sigma=limit.minus_one_sigma,
        plus_one_sigma=limit.plus_one_sigma,
        plus_two_sigma=limit.plus_two_sigma,
        confidence_level=float(confidence_level),
        method=f"{limit.method}, {constraint.capitalize()} constraint",
        n_observed=n,
        background=float(background),
        background_error=float(background_error),
    )


def on_off_q_tilde(signal: float, n: npt.ArrayLike, control: npt.ArrayLike, tau: float) -> Floats:
    """q_tilde for n ~ Poisson(s + b) and a control region m ~ Poisson(tau b), in closed form.

    Parameters
    ----------
    signal : float
        s tested, in events.
    n, control : array_like
        Counts in the signal and the control region, of equal shape.
    tau : float
        Ratio of background in the control and the signal region, above 0.

    Returns
    -------
    ndarray
        -2 log [L(s) / L(best s in [0, s])], the shape of `n`.

    References
    ----------
    W. A. Rolke, A. M. Lopez and J. Conrad, Nucl. Instrum. Meth. A 551 (2005) 493, section 3.
    """
    n, m = np.asarray(n, dtype=np.float64), np.asarray(control, dtype=np.float64)

    def deviance(s: float) -> Floats:
        b = _profiled(s, n, m, tau)
        return _deviance(n, s + b) + _deviance(m, tau * b)

    free = n - m / tau  # the best s, with a deviance of zero
    best = np.where(free > 0.0, 0.0, deviance(0.0))
    return np.where(free >= signal, 0.0, np.maximum(deviance(signal) - best, 0.0))


def _profiled(s: float, n: Floats, m: Floats, tau: float) -> Floats:
    """The background that is best for a given signal: the positive root of its quadratic equation."""
    a = 1.0 + tau
    half = 0.5 * (a * s - n - m)
    root = np.sqrt(half * half + a * m * s)
    with np.errstate(divide="ignore", invalid="ignore"):
        small = np.where(half + root > 0.0, m * s / (half + root), 0.0)
    return np.where(half > 0.0, small, (root - half) / a)


def _deviance(n: Floats, mean: Floats) -> Floats:
    """-2 log of the Poisson probability, relative to that of mean n."""
    safe = np.maximum(mean, 1e-300)
    return np.asarray(2.0 * (mean - n - xlogy(n, safe) + xlogy(n, n)), dtype=np.float64)


def _on_off_limit(
    n: int | None,
    background: float,
    background_error: float,
    confidence_level: float,
    method: Method,
    toys: int,
    seed: int,
    threads: int | None,
) -> UpperLimit:
    tau = background / background_error**2
    control = background * tau
    without = background if n is None else float(_profiled(0.0, np.array(float(n)), np.array(control), tau))
    counts = background if n is None else float(n)

    def q_of(on: float, off: float, s: float) -> float:
        return float(on_off_q_tilde(s, on, off, tau))

    data = None if n is None else partial(q_of, counts, control)
    guess = math.sqrt(background + background_error**2 + 1.0)
    limit = asymptotic_limit(data, partial(q_of, without, tau * without), guess, confidence_level)
    if method == "asymptotics":
        return limit
    guesses = [limit.minus_two_sigma, limit.plus_two_sigma] + ([] if limit.observed is None else [limit.observed])
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        map_ = map if threads == 1 else pool.map

        def draw(name: str, s: float, b: float) -> Floats:
            return _draw(stream_key(seed, name), toys, s + b, tau * b, map_)

        def log_ratio(s: float, b: float, counts: Floats) -> Floats:
            on, off = counts
            difference = without - s - b + tau * (without - b)
            return np.asarray(on * math.log((s + b) / without) + off * math.log(b / without) + difference)

        background_toys = draw("counting toys without signal", 0.0, without)

        def evaluate(signals: Sequence[float]) -> list[Point]:
            points = []
            for s in signals:
                b = float(_profiled(s, np.array(counts), np.array(control), tau))
                signal_toys = draw(f"counting toys with s={s:.6g}", s, b)
                points.append(
                    Point(
                        mu=s,
                        observed=None if data is None else data(s),
                        with_signal=on_off_q_tilde(s, signal_toys[0], signal_toys[1], tau),
                        without_signal=on_off_q_tilde(s, background_toys[0], background_toys[1], tau),
                        log_ratio_with=log_ratio(s, b, signal_toys),
                        log_ratio_without=log_ratio(s, b, background_toys),
                    )
                )
            return points

        return limits_from_toys(evaluate, guesses, confidence_level, f"profile CLs, {toys} toys")


def _draw(key: np.uint64, toys: int, on: float, off: float, map_: Callable[..., Any]) -> Floats:
    """Counts in the signal and the control region, shape (2, toys)."""
    out = np.empty((2, toys))

    def chunk(first: int) -> None:
        _draw_chunk(key, first, on, off, out[:, first : first + CHUNK])

    for _ in map_(chunk, range(0, toys, CHUNK)):
        pass
    return out


@block_kernel
def _draw_chunk(key: Any, first: int, on: float, off: float, out: Any) -> None:
    for t in range(out.shape[1]):
        out[0, t] = poisson(key, np.uint64(first + t), np.uint64(0), on)
        out[1, t] = poisson(key, np.uint64(first + t), np.uint64(1), off)
