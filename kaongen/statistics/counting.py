"""Upper limits on a signal in a counting experiment: CLs, with the background averaged over its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtri, ndtri_exp

from kaongen.errors import StatisticsError
from kaongen.statistics.averaged_poisson import log_averaged_cdf, log_truncation_norm

METHOD = "hybrid CLs, Gaussian background truncated at zero"
LARGEST_COUNT = 1e10  # logarithms of probabilities reach -1e10 there, and their rounding error 1e-6


@dataclass(frozen=True, slots=True)
class CountingLimit:
    """Observed and expected upper limits on the number of signal events.

    `expected` is the median limit of experiments without signal, the bands its quantiles at -2, -1, +1 and +2 standard
    deviations; `observed` and `n_observed` are None where nothing was observed yet. All in events.
    """

    observed: float | None
    expected: float
    minus_two_sigma: float
    minus_one_sigma: float
    plus_one_sigma: float
    plus_two_sigma: float
    n_observed: int | None
    background: float
    background_error: float
    confidence_level: float

    def as_dict(self) -> dict[str, object]:
        """The limit, its inputs and its method as an object that JSON can hold."""
        return {
            "observed": self.observed,
            "expected": self.expected,
            "bands": {
                "-2": self.minus_two_sigma,
                "-1": self.minus_one_sigma,
                "+1": self.plus_one_sigma,
                "+2": self.plus_two_sigma,
            },
            "n_observed": self.n_observed,
            "background": self.background,
            "background_error": self.background_error,
            "confidence_level": self.confidence_level,
            "method": METHOD,
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
    _check_confidence_level(confidence_level)
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
    n = None if n_observed is None else _checked_events(n_observed)
    _check_background(background, background_error)
    _check_confidence_level(confidence_level)
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
    )


def _log_cls(signal: float, n: int, background: float, background_error: float) -> float:
    return log_averaged_cdf(n, signal, background, background_error) - log_averaged_cdf(
        n, 0.0, background, background_error
    )


def _upper_limit(n: int, background: float, background_error: float, confidence_level: float) -> float:
    without_signal = log_averaged_cdf(n, 0.0, background, background_error)
    target = math.log1p(-confidence_level)

    def excess(signal: float) -> float:
        return log_averaged_cdf(n, signal, background, background_error) - without_signal - target

    least = -target  # log CLs falls at most as fast as s, so the limit is never below that of n = 0
    remaining = excess(least)
    if n == 0 or remaining <= 0.0:
        return least
    # log CLs is concave in s: the chord through its values at 0 and `least` meets the target beyond the limit.
    chord = least * least / (least - remaining) if remaining < least else math.inf
    guess = 1.1 * _gaussian_limit(n, background, background_error, target)
    low, high = least, max(min(chord, guess), least) * (1.0 + 1e-6)
    while excess(high) > 0.0:
        low, high = high, 2.0 * high
    return float(brentq(excess, low, high, xtol=max(1e-12 * least, 1e-300), rtol=1e-12))


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
    high = background + 1.0 + max(standard_deviations, 0.0) * math.hypot(math.sqrt(background), background_error)
    while excess(high) < 0.0:
        high *= 2.0
    n = math.ceil(float(brentq(excess, 0.0, high, xtol=0.01)))
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


def _check_confidence_level(confidence_level: float) -> None:
    if not 0.0 < confidence_level < 1.0:
        raise StatisticsError(f"confidence_level is {confidence_level}, but must lie between 0 and 1, both excluded")
