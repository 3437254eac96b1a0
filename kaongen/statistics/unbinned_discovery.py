"""Local p-values of the unbinned model, and scans without signal for the global one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kaongen.errors import StatisticsError
from kaongen.statistics.asymptotics import discovery_p_value
from kaongen.statistics.significance import z_from_p
from kaongen.statistics.unbinned import Floats, UnbinnedModel
from kaongen.statistics.unbinned_data import asimov_data, observed_data
from kaongen.statistics.unbinned_limit import TOYS, Method, check_settings
from kaongen.statistics.unbinned_scan import TIE
from kaongen.statistics.unbinned_toys import discovery

_SHARED = ("low", "high", "background", "background_error", "background_shape")


@dataclass(frozen=True, slots=True)
class LocalSignificance:
    """How unlikely it is that background alone looks as much like this signal.

    `q0` is -2 log of the likelihood ratio, `p_value` the probability of at least q0 without signal, `significance` its
    one-sided number of Gaussian standard deviations, or 0 where that is negative.
    """

    q0: float
    p_value: float
    significance: float
    method: str


def local_p_value(
    model: UnbinnedModel,
    events: ArrayLike,
    *,
    method: Method = "toys",
    toys: int = TOYS,
    seed: int = 1,
    threads: int | None = None,
) -> LocalSignificance:
    """Probability that background alone gives at least the observed q0.

    Parameters
    ----------
    model, events, method, toys, seed, threads
        As in `unbinned_limit.upper_limit`.

    Returns
    -------
    LocalSignificance
        From toys the p-value is (k + 1)/(toys + 1), k toys at or above q0: never 0, and on average never too small.

    Raises
    ------
    StatisticsError
        As in `unbinned_limit.upper_limit`.

    References
    ----------
    Cowan, Cranmer, Gross and Vitells, Eur. Phys. J. C 71 (2011) 1554, equations (12) and (52).
    """
    check_settings(method, toys)
    data = observed_data(model, events)
    q0 = data.q_zero()
    if method == "asymptotics":
        p = discovery_p_value(q0)
    else:
        made = discovery([model], "local", data.given(0.0)[1], toys, seed, threads)[:, 0]
        p = (1.0 + float(np.count_nonzero(made >= q0 - TIE))) / (toys + 1.0)
    return LocalSignificance(q0=q0, p_value=p, significance=max(float(z_from_p(p)), 0.0), method=method)


def scans_without_signal(
    models: Sequence[UnbinnedModel],
    events: ArrayLike | None = None,
    *,
    toys: int = TOYS,
    seed: int = 1,
    threads: int | None = None,
) -> Floats:
    """q0 of many lines in experiments without signal: for the p-value of the largest, see `significance`.

    Parameters
    ----------
    models : sequence of UnbinnedModel
        Lines of one search, with the same interval and background.
    events : array_like of shape (n,), or None
        Data that the background is fitted to; None for its nominal number.
    toys, seed, threads
        As in `unbinned_limit.upper_limit`.

    Returns
    -------
    ndarray of shape (toys, models)
        Every toy is one experiment that looks for all lines; their pulls of position and width are common.

    Raises
    ------
    StatisticsError
        If there is no model, or interval or background of two differ.
    """
    check_settings("toys", toys)
    if not models:
        raise StatisticsError("models is empty, but a scan needs at least one line")
    for k, model in enumerate(models):
        for name in _SHARED:
            ours, first = getattr(model, name), getattr(models[0], name)
            if ours != first:
                raise StatisticsError(
                    f"models[{k}].{name} is {ours}, but that of models[0] is {first}: they must agree"
                )
    data = asimov_data(models[0]) if events is None else observed_data(models[0], events)
    return discovery(models, "scan", data.given(0.0)[1], toys, seed, threads)
