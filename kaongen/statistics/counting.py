"""Upper limits on a signal in a counting experiment: CLs, with the background averaged over its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtri, ndtri_exp

from kaongen.errors import StatisticsError
from kaongen.statistics.averaged_poisson import log_averaged_cdf, log_truncation_norm
from kaongen.statistics.limit import UpperLimit, check_confidence_level
from kaongen.statistics.roots import falling_root

METHOD = "hybrid CLs, Gaussian background truncated at zero"
LARGEST_COUNT = 1e10  # logarithms of probabilities reach -1e10 there, and their rounding error 1e-6


@dataclass(frozen=True, slots=True)
class CountingLimit(UpperLimit):
    """Upper limits on the number of signal events, with what they follow from. All in events.

    `n_observed` is None where nothing was observed yet.
    """

    n_observed: int | None
    background: float
    background_error: float

    def as_dict(self) -> dict[str, object]:
        """The limit, its inputs and its method as an object that JSON can hold."""
        return {
            "observed": self.observed,
            "expected": self.expected,
            "bands": self.bands,
            "n_observed": self.n_observed,
            "background": self.background,
            "background_error": self.background_error,
            "confidence_level": self.confidence_level,
            "method": self.method,
        }


def cls(signal: float, n_observed: int, background: float, background_error: float) -> float:
    """CLs(s) = P(N <= n | s + b) / P(N <= n | b), both averaged over a Gaussian background truncated at zero.

    Parameters
    ----------
    signal : float
        s, mean number of signal events, finite and at least 0.
    n_observed : int
        n, number of events observed.
    background, background_error : float
        b and db, mean and standard deviation of the Gaussian before it is truncated, in events.

    Returns
    -------
    float
        Between 0 and 1, 1 at s = 0, falling with s.

    Raises
    ------
    StatisticsError
        If a number is negative, not finite or above 1e10, or n is not whole.

    References
    ----------
    A. L. Read, J. Phys. G 28 (2002) 2693 (CLs); R. D. Cousins and V. L. Highland, Nucl. Instrum. Meth. A 320 (1992) 331
    (the average over the background).
    """
    _check_count("signal", signal)
    n = _checked_events(n_observed)
    _check_background(background, background_error)
    return math.exp(min(_log_cls(signal, n, background, background_error), 0.0))


def upper_limit(n_observed: int, background: float, background_error: float, confidence_level: float = 0.9) -> float:
    """The signal s with CLs(s) = 1 - confidence_level, in events; larger signals are excluded.

    Parameters
    ----------
    n_observed, background, background_error
        As in `cls`.
    confidence_level : float
        Between 0 and 1, both excluded.

    Returns
    -------
    float
        At least -log(1 - confidence_level), which is the limit for n = 0 whatever the background.

    Raises
    ------
    StatisticsError
        If a number is negative, not finite or above 1e10, n is not whole, or the confidence level is not in (0, 1).
    """
    n = _checked_events(n_observed)
    _check_background(background, background_error)
    check_confidence_level(confidence_level)
    return _upper_limit(n, background, background_error, confidence_level)


def counting_limit(
    n_observed: int | None, background: float, background_error: float, confidence_level: float = 0.9
) -> CountingLimit:
    """Observed limit, median expected limit and its one and two standard deviation bands.

    Experiments without signal observe n with its prior predictive distribution: Poisson, averaged over the truncated
    Gaussian. The limit grows with n, so its quantiles are the limits at the quantiles of n.

    Parameters
    ----------
    n_observed : int or None
        Number of events observed; None for the expected limits alone.
    background, background_error, confidence_level
        As in `upper_limit`.

    Returns
    -------
    CountingLimit

    Raises
    ------
    StatisticsError
        As in `upper_limit`.
    """
    n = check_counting(n_observed, background, background_error, confidence_level)
    counts = [_background_quantile(float(k), background, background_error) for k in (-2, -1, 0, 1, 2)]
    low2, low1, median, high1, high2 = (
        _upper_limit(count, background, background_error, confidence_level) for count in counts
    )
    return CountingLimit(
        observed=None if n is None else _upper_limit(n, background, background_error, confidence_level),
        expected=median,
        minus_two_sigma=low2,
        minus_one_sigma=low1,
        plus_one_sigma=high1,
        plus_two_sigma=high2,
        n_observed=n,
        background=float(background),
        background_error=float(background_error),
        confidence_level=float(confidence_level),
        method=METHOD,
    )


def check_counting(
    n_observed: int | None, background: float, background_error: float, confidence_level: float
) -> int | None:
    """The number of events as an int, after all four were found possible; StatisticsError otherwise."""
    n = None if n_observed is None else _checked_events(n_observed)
    _check_background(background, background_error)
    check_confidence_level(confidence_level)
    return n


def _log_cls(signal: float, n: int, background: float, background_error: float) -> float:
    return log_averaged_cdf(n, signal, background, background_error) - log_averaged_cdf(
        n, 0.0, background, background_error
    )


def _upper_limit(n: int, background: float, background_error: float, confidence_level: float) -> float:
    without_signal = log_averaged_cdf(n, 0.0, background, background_error)
    target = math.log1p(-confidence_level)
    target_z = float(ndtri_exp(target))

    def log_cls(signal: float) -> float:
        return log_averaged_cdf(n, signal, background, background_error) - without_signal

    def excess(signal: float) -> float:
        """Distance from the limit in standard deviations: nearly linear in the signal."""
        return float(ndtri_exp(min(log_cls(signal), -1e-16))) - target_z

    least = -target  # log CLs falls at most as fast as s, so the limit is never below that of n = 0
    remaining = log_cls(least) - target
    if n == 0 or remaining <= 0.0:
        return least
    # log CLs is concave in s: the chord through its values at 0 and `least` meets the target beyond the limit.
    chord = least * least / (least - remaining) if remaining < least else math.inf
    guess = max(min(chord, _gaussian_limit(n, background, background_error, target)), least)
    sigma = max(math.hypot(math.sqrt(n), background_error), 1.0)
    return falling_root(excess, guess, sigma, least)


def _gaussian_limit(n: int, background: float, background_error: float, log_one_minus_cl: float) -> float:
    """The limit if N were Gaussian: only where to look for the root."""
    sigma = math.hypot(math.sqrt(max(background, n, 1.0)), background_error)
    z = (n - background) / sigma
    tail = log_one_minus_cl + float(log_ndtr(z))
    return sigma * (z - float(ndtri(math.exp(max(tail, -700.0)))))


def _background_quantile(standard_deviations: float, background: float, background_error: float) -> int:
    """The smallest n that background alone stays at or below with a probability of at least Phi(k)."""
    norm = log_truncation_norm(background, background_error)

    def excess(n: float) -> float:
        """Distance from the quantile in standard deviations: nearly linear in n, so that the root is soon found."""
        log_probability = log_averaged_cdf(n, 0.0, background, background_error) - norm
        return float(ndtri_exp(min(log_probability, -1e-16))) - standard_deviations

    if excess(0.0) >= 0.0:
        return 0
    # A quantile is wanted to 0.01 only, so a bracket close by does.
    sigma = max(math.hypot(math.sqrt(background), background_error), 0.5)
    low = high = max(background + standard_deviations * sigma, 0.0)
    value, step = excess(low), 0.0
    while True:
        step = max(2.0 * step, 1.1 * abs(value) * sigma, 0.01)
        if value < 0.0:
            low, high = high, high + step
            value = excess(high)
            if value >= 0.0:
                break
        else:
            low, high = max(low - step, 0.0), low
            value = excess(low)
            if value < 0.0:
                break
    root = float(brentq(excess, low, high, xtol=0.01))
    n = math.ceil(root)
    if 0.05 < n - root < 0.95:
        return n
    # The root of the interpolated distribution is known to 0.01 only: step to the integer that defines the quantile.
    while n > 0 and excess(n - 1) >= 0.0:
        n -= 1
    while excess(n) < 0.0:
        n += 1
    return n


def _check_count(name: str, value: float) -> None:
    if not 0.0 <= value <= LARGEST_COUNT:
        raise StatisticsError(f"{name} is {value}, but must be a finite number from 0 to {LARGEST_COUNT:g}")


def _checked_events(n_observed: int) -> int:
    _check_count("n_observed", n_observed)
    if n_observed != int(n_observed):
        raise StatisticsError(f"n_observed is {n_observed}, but must be a whole number of events")
    return int(n_observed)


def _check_background(background: float, background_error: float) -> None:
    _check_count("background", background)
    _check_count("background_error", background_error)
