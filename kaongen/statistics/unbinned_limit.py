"""Upper limits on the branching fraction of the unbinned model: CLs with a profile likelihood ratio.

Fully frequentist, as in section 5 of NA62, JHEP 03 (2021) 058: toys are generated with the nuisance parameters that
fit the data best under the hypothesis that they stand for, and their global observables fluctuate.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from kaongen.errors import StatisticsError
from kaongen.statistics.asymptotics import FEW_EVENTS, AsymptoticsWarning, asymptotic_limit
from kaongen.statistics.counting import counting_limit
from kaongen.statistics.limit import UpperLimit, check_confidence_level
from kaongen.statistics.unbinned import UnbinnedModel
from kaongen.statistics.unbinned_data import DataSet, asimov_data, observed_data
from kaongen.statistics.unbinned_scan import Scan

Method = Literal["toys", "asymptotics"]

TOYS = 20_000
"""They leave an error of 1% on a limit."""
FEWEST_TOYS = 1000

_BANDS = (-2.0, -1.0, 0.0, 1.0, 2.0)
_WINDOW = 2.0  # standard deviations of the line


def upper_limit(
    model: UnbinnedModel,
    events: ArrayLike | None,
    confidence_level: float = 0.9,
    *,
    method: Method = "toys",
    toys: int = TOYS,
    seed: int = 1,
    threads: int | None = None,
) -> UpperLimit:
    """Observed and expected limits on the branching fraction, by CLs with the test statistic q~.

    Parameters
    ----------
    model : UnbinnedModel
    events : array_like of shape (n,), or None
        The observable of each event, in the interval; None for the expected limit alone.
    confidence_level : float
        Between 0 and 1, both excluded.
    method : "toys" or "asymptotics"
        The asymptotic formulas need of order ten background events under the line: with fewer comes a warning.
    toys : int
        All toys of the observed limit, and as many for the expected ones; at least 1000.
    seed : int
        Same seed, same limit, whatever the number of threads.
    threads : int or None
        All processors by default.

    Returns
    -------
    UpperLimit
        In branching fraction.

    Raises
    ------
    StatisticsError
        If an event is outside the interval, or a setting is not among the allowed.

    Notes
    -----
    CLs(BR) = P(q~ >= q~_obs | BR) / P(q~ >= q~_obs | 0). For expected limits the data are replaced by the quantiles of
    q~ without signal, and toys have the nuisance parameters that fit Asimov data without signal. The limit is where
    a parabola through log CLs of neighbouring branching fractions crosses 1 - confidence_level. A limit may be below
    2.30 sensitivities where these have an error: an experiment whose measured sensitivity was an upward fluctuation
    would have had a larger q~ with as few events, and so P(q~ >= q~_obs | BR) is less than that of no event.

    References
    ----------
    A. L. Read, J. Phys. G 28 (2002) 2693 (CLs); G. Cowan, K. Cranmer, E. Gross and O. Vitells, Eur. Phys. J. C 71
    (2011) 1554, equation (16) (q~).
    """
    check_settings(method, toys)
    check_confidence_level(confidence_level)
    data = None if events is None else observed_data(model, events)
    asimov = asimov_data(model)
    if method == "asymptotics":
        _warn_of_few_events(model)
        limit = _asymptotic(data, asimov, confidence_level)
        return replace(limit, method="unbinned profile CLs, asymptotics").scaled(model.sensitivity)
    guess = _asymptotic(data, asimov, confidence_level)
    bracket = (0.4 * guess.minus_two_sigma, 2.0 * max(guess.plus_two_sigma, guess.observed or 0.0))
    expected = Scan(asimov, "expected", toys, seed, threads, _BANDS).limits(bracket, confidence_level)
    observed = None
    if data is not None:
        observed = Scan(data, "observed", toys, seed, threads, None).limits(bracket, confidence_level)[0]
    return UpperLimit(
        observed=observed,
        expected=expected[2],
        minus_two_sigma=expected[0],
        minus_one_sigma=expected[1],
        plus_one_sigma=expected[3],
        plus_two_sigma=expected[4],
        confidence_level=float(confidence_level),
        method=f"unbinned profile CLs, {toys} toys",
    ).scaled(model.sensitivity)


def window_limit(
    model: UnbinnedModel, events: ArrayLike | None, confidence_level: float = 0.9, half_width: float = _WINDOW
) -> UpperLimit:
    """The cross-check by counting in a window around the line, with hybrid CLs; in branching fraction.

    Parameters
    ----------
    model, events, confidence_level
        As in `upper_limit`.
    half_width : float
        Of the window, in standard deviations of the line.

    Returns
    -------
    UpperLimit
        The errors of sensitivity, position and width have no part in it.

    Raises
    ------
    StatisticsError
        As in `upper_limit`, or if the window does not overlap the interval.
    """
    low, high = _window(model, half_width)
    x = None if events is None else model.checked_events(events)
    n = None if x is None else int(np.count_nonzero((x >= low) & (x <= high)))
    share = model.background_inside(low, high)
    limit = counting_limit(n, share * model.background, share * model.background_error, confidence_level)
    return limit.scaled(model.sensitivity * model.signal_inside() / model.signal_inside(low, high))


def check_settings(method: str, toys: int) -> None:
    """StatisticsError if there is no such method, or the toys are too few."""
    if method not in ("toys", "asymptotics"):
        raise StatisticsError(f"method is {method!r}, but must be 'toys' or 'asymptotics'")
    if method == "toys" and toys < FEWEST_TOYS:
        raise StatisticsError(f"toys is {toys}, but must be at least {FEWEST_TOYS}")


def _window(model: UnbinnedModel, half_width: float) -> tuple[float, float]:
    low = max(model.low, model.mean - half_width * model.width)
    high = min(model.high, model.mean + half_width * model.width)
    if not high > low:
        raise StatisticsError(
            f"the window of {half_width} standard deviations around {model.mean} has no part in "
            f"[{model.low}, {model.high}]"
        )
    return low, high


def _asymptotic(data: DataSet | None, asimov: DataSet, confidence_level: float) -> UpperLimit:
    """In nominal sensitivities."""
    guess = 1.0 / math.sqrt(asimov.q_tilde(1.0))
    return asymptotic_limit(None if data is None else data.q_tilde, asimov.q_tilde, guess, confidence_level)


def _warn_of_few_events(model: UnbinnedModel) -> None:
    low, high = _window(model, 2.0 * _WINDOW)
    under = model.background * model.background_inside(low, high)
    if under < FEW_EVENTS:
        warnings.warn(
            f"{under:.2g} background events are expected within 4 standard deviations of the line at {model.mean:.6g}: "
            "asymptotic limits are not valid below about ten; use method='toys'",
            AsymptoticsWarning,
            stacklevel=3,
        )
