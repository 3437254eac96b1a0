"""CLs and significance from the asymptotic distributions of profile likelihood ratios.

G. Cowan, K. Cranmer, E. Gross and O. Vitells, Eur. Phys. J. C 71 (2011) 1554 ("CCGV" below).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.special import log_ndtr, ndtr, ndtri_exp

from kaongen.errors import StatisticsError
from kaongen.statistics.limit import UpperLimit
from kaongen.statistics.roots import falling_root

METHOD = "profile CLs, asymptotics"
FEW_EVENTS = 10.0
"""Background events below which the asymptotic distributions are not trusted; see `AsymptoticsWarning`."""

_BANDS = (0.0, -2.0, -1.0, 1.0, 2.0)


class AsymptoticsWarning(UserWarning):
    """An asymptotic limit was asked for where few background events are expected under the signal.

    Below about ten events the distribution of the test statistic is not the asymptotic one: with none, the median
    limit at 90% confidence is some 20% too strong.
    """


def few_events(background: float) -> str | None:
    """What to warn of where so few background events carry the sensitivity; None where they are enough."""
    if background >= FEW_EVENTS:
        return None
    return (
        f"{background:.3g} background events are expected in the bins that carry the sensitivity, fewer than "
        f'{FEW_EVENTS:g}: the asymptotic limit may be off by 5% and more; use method="toys"'
    )


def log_cls(q: float, q_asimov: float) -> float:
    """Logarithm of CLs for the one-sided statistic of `binned_fit.q_tilde`.

    Parameters
    ----------
    q : float
        Test statistic of the data, at least 0.
    q_asimov : float
        The same of the Asimov data without signal, at least 0.

    Returns
    -------
    float
        log [p(s+b) / (1 - p(b))], 0 where q = q_asimov = 0.

    References
    ----------
    CCGV, equations (65) and (66): above q_asimov the statistic is Gaussian in q, below in its root.
    """
    root_asimov = math.sqrt(q_asimov)
    if root_asimov == 0.0:
        return 0.0
    if q <= q_asimov:
        distance = math.sqrt(q)
        return float(log_ndtr(-distance) - log_ndtr(root_asimov - distance))
    half = 0.5 / root_asimov
    return float(log_ndtr(-(q + q_asimov) * half) - log_ndtr(-(q - q_asimov) * half))


def expected_root(standard_deviations: float, confidence_level: float) -> float:
    """The root of q_asimov at the limit of an experiment that fluctuates upwards by so many standard deviations.

    CLs = Phi(N - sqrt(q_A)) / Phi(N) = 1 - confidence_level (CCGV, section 4.3).
    """
    log_alpha = math.log1p(-confidence_level)
    return float(standard_deviations - ndtri_exp(log_alpha + log_ndtr(standard_deviations)))


def asymptotic_limit(
    q: Callable[[float], float] | None,
    q_asimov: Callable[[float], float],
    guess: float,
    confidence_level: float,
) -> UpperLimit:
    """Observed and expected limits from the statistics of the data and of the Asimov data.

    Parameters
    ----------
    q, q_asimov : callable
        Test statistics as a function of the parameter of interest; q is None without data.
    guess : float
        Standard deviation of the parameter without signal, about; it only sets where to look first.
    confidence_level : float
        Between 0 and 1, both excluded.

    Returns
    -------
    UpperLimit
        In units of the parameter of interest.

    Raises
    ------
    StatisticsError
        If the statistic does not grow enough to exclude any signal: the signal's own error is too large.
    """

    def solve(distance: float) -> float:
        return falling_root(lambda mu: distance - math.sqrt(max(q_asimov(mu), 0.0)), distance * guess, guess, rtol=1e-8)

    try:
        expected, minus2, minus1, plus1, plus2 = (solve(expected_root(n, confidence_level)) for n in _BANDS)
        observed = None
        if q is not None:
            target = float(ndtri_exp(math.log1p(-confidence_level)))
            data = q

            def excess(mu: float) -> float:
                value = log_cls(max(data(mu), 0.0), max(q_asimov(mu), 1e-300))
                return float(ndtri_exp(min(value, -1e-16))) - target

            observed = falling_root(excess, expected, guess, rtol=1e-8)
    except StatisticsError as problem:
        raise StatisticsError(
            f"{problem}; a limit at {confidence_level:.0%} CL needs a smaller error of the signal"
        ) from None
    return UpperLimit(observed, expected, minus2, minus1, plus1, plus2, confidence_level, METHOD)


def discovery_p_value(q0: float) -> float:
    """Local p-value of the background alone, 1 - Phi(sqrt(q0)) (CCGV, equation (52)); 1/2 at q0 = 0."""
    return float(ndtr(-math.sqrt(max(q0, 0.0))))
