"""Upper limits of binned models: profile CLs from asymptotics or toys, for one model or a scan of many."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import numpy.typing as npt

from kaongen.errors import StatisticsError
from kaongen.statistics.asymptotics import AsymptoticsWarning, asymptotic_limit, few_events, log_cls
from kaongen.statistics.binned import BinnedModel, Observation
from kaongen.statistics.binned_fit import Statistic, fit_observation, q_tilde
from kaongen.statistics.binned_toys import asimov_observation, check_toys, sigma_guess, toy_limit
from kaongen.statistics.limit import UpperLimit, check_confidence_level

Method = Literal["asymptotics", "toys"]


def upper_limit(
    model: BinnedModel,
    data: npt.ArrayLike | None = None,
    confidence_level: float = 0.9,
    method: Method = "asymptotics",
    toys: int = 2000,
    seed: int = 1,
    threads: int | None = None,
) -> UpperLimit:
    """Upper limit on the signal strength: profile CLs with the one-sided statistic q_tilde.

    Parameters
    ----------
    model : BinnedModel
    data : array_like, shape (bins,), optional
        Counts observed. Without them the limit is expected alone, from the nominal background; with them, expected
        limits are those of the background that fits them best without signal.
    confidence_level : float
        Between 0 and 1, both excluded.
    method : "asymptotics" or "toys"
        Asymptotics take a millisecond, and warn where few events are expected; toys take some 0.2 s of one core.
    toys : int
        For method="toys", number of toys at each signal strength, with and without signal; 2000 give the expected
        limit to about 1%.
    seed : int
        Of the toys.
    threads : int, optional
        For the toys; all processors by default. No result depends on it.

    Returns
    -------
    UpperLimit
        In units of the parameter of interest.

    Raises
    ------
    StatisticsError
        If data do not match the model, an argument is outside its range, or no signal can be excluded.

    Warns
    -----
    AsymptoticsWarning
        If the bins that carry the sensitivity hold fewer than ten expected background events.

    References
    ----------
    A. L. Read, J. Phys. G 28 (2002) 2693 (CLs); G. Cowan et al., Eur. Phys. J. C 71 (2011) 1554 (statistic, asymptotic
    distributions, Asimov data).
    """
    check_confidence_level(confidence_level)
    observed = None if data is None else model.observation(data)
    if method == "toys":
        check_toys(toys, seed)
        return toy_limit(model, observed, confidence_level, int(toys), int(seed), threads)
    if method != "asymptotics":
        raise StatisticsError(f"method is {method!r}, but must be 'asymptotics' or 'toys'")
    if problem := few_events(sensitive_background(model)):
        warnings.warn(problem, AsymptoticsWarning, stacklevel=2)
    return _asymptotic(model, observed, confidence_level)


def upper_limits(
    models: Sequence[BinnedModel],
    data: Sequence[npt.ArrayLike] | None = None,
    confidence_level: float = 0.9,
    method: Method = "asymptotics",
    toys: int = 2000,
    seed: int = 1,
    threads: int | None = None,
) -> list[UpperLimit]:
    """Upper limits of a scan, such as one model per mass, in parallel.

    Parameters
    ----------
    models : sequence of BinnedModel
    data : sequence of array_like, optional
        One set of counts per model.
    confidence_level, method, toys, seed, threads
        As in `upper_limit`; the toys of one model are those of `upper_limit` with the same seed.

    Returns
    -------
    list of UpperLimit
        In the order of the models.

    Raises
    ------
    StatisticsError
        As in `upper_limit`, or if there are not as many sets of counts as models.
    """
    if data is not None and len(data) != len(models):
        raise StatisticsError(f"data has {len(data)} sets of counts, but there are {len(models)} models")
    observed = [None] * len(models) if data is None else list(data)

    def one(model: BinnedModel, counts: npt.ArrayLike | None) -> UpperLimit:
        return upper_limit(model, counts, confidence_level, method, toys, seed, threads=1)

    if method != "toys":  # a matter of milliseconds, most of them in Python
        return [one(*pair) for pair in zip(models, observed, strict=True)]
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return list(pool.map(one, models, observed))


def cls(model: BinnedModel, data: npt.ArrayLike, mu: float) -> float:
    """Asymptotic CLs = p(s+b) / (1 - p(b)) of a signal strength mu >= 0, with the statistic q_tilde.

    Parameters
    ----------
    model, data
        As in `upper_limit`.
    mu : float
        Signal strength tested; excluded at 90% confidence where CLs is below 0.1.

    Returns
    -------
    float
        1 at mu = 0.

    Raises
    ------
    StatisticsError
        As in `binned_fit.fit`.
    """
    observed = model.observation(data)
    asimov = asimov_observation(fit_observation(model, observed, 0.0))
    return math.exp(log_cls(q_tilde(model, data, mu), Statistic(model, asimov)(mu)))


def sensitive_background(model: BinnedModel) -> float:
    """Expected background events in the bins that carry the sensitivity: averaged over bins with the weight s^2 / b."""
    b = np.maximum(model.background, 1e-9)
    information = model.signal**2 / (b + 1.0 / b.size)
    order = np.argsort(-model.signal / (b + 1.0 / b.size))
    carried = np.cumsum(information[order])
    last = int(np.searchsorted(carried, 0.8 * carried[-1])) + 1
    return float(model.background[order[:last]].sum())


def _asymptotic(model: BinnedModel, observed: Observation | None, confidence_level: float) -> UpperLimit:
    data = model.observation(model.asimov()) if observed is None else observed
    asimov = data if observed is None else asimov_observation(fit_observation(model, data, 0.0))
    statistic = None if observed is None else Statistic(model, data)
    return asymptotic_limit(statistic, Statistic(model, asimov), sigma_guess(model), confidence_level)
