"""Fits of a binned model, its test statistics, and the discovery of a signal."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from kaongen.errors import StatisticsError
from kaongen.statistics import binned_kernels as kernels
from kaongen.statistics.asymptotics import discovery_p_value
from kaongen.statistics.binned import BinnedModel, Floats, Observation


@dataclass(frozen=True, slots=True)
class Fit:
    """The point of largest likelihood.

    mu, mu_error : signal strength and its error from the curvature; the error is 0 where mu was given.
    signal_shift : theta_s, in standard deviations.
    nuisances : the named nuisance parameters, in standard deviations.
    statistical_shifts : gamma_i, shape (bins,), in standard deviations.
    expected : nu_i, shape (bins,), in events.
    minus_log_likelihood : relative to the saturated model.
    """

    mu: float
    mu_error: float
    signal_shift: float
    nuisances: dict[str, float]
    statistical_shifts: Floats
    expected: Floats
    minus_log_likelihood: float


@dataclass(frozen=True, slots=True)
class Discovery:
    """How unlikely the background alone is: the statistic q0, its local p-value, and that in standard deviations."""

    q0: float
    p_value: float
    significance: float


def fit(model: BinnedModel, data: npt.ArrayLike, mu: float | None = None) -> Fit:
    """Maximise the likelihood.

    Parameters
    ----------
    model : BinnedModel
    data : array_like, shape (bins,)
        Counts, or Asimov data.
    mu : float, optional
        Signal strength to keep, at least 0. Without it mu is free, and may come out negative: as an estimator it is
        then without bias.

    Returns
    -------
    Fit

    Raises
    ------
    StatisticsError
        If data do not match the model, mu is negative, or no maximum was found.
    """
    return fit_observation(model, model.observation(data), mu)


def fit_observation(model: BinnedModel, observed: Observation, mu: float | None = None) -> Fit:
    """As `fit`, for counts whose global observables are given as well."""
    templates = model.templates
    work = kernels.work_for(model.bins, observed.centres.size)
    x = observed.centres.copy()
    if mu is not None:
        _check_mu(mu)
        value, _ = kernels.fit_fixed(templates, observed, float(mu), kernels.EXACT, x, work)
        strength, error, shift = float(mu), 0.0, float(x[0])
    else:
        x[0] = 0.0
        value = kernels.fit_free(templates, observed, kernels.EXACT, x, work)
        shift = float(observed.centres[0])
        response = 1.0 + model.signal_error * shift
        strength = float(x[0]) / response
        error = math.hypot(_error(work), model.signal_error * strength) / response
    if math.isnan(value):
        raise StatisticsError("the fit found no maximum of the likelihood: the model's templates cannot describe data")
    shifts = observed.shifts - work.c * templates.shift
    return Fit(
        mu=strength,
        mu_error=error,
        signal_shift=shift,
        nuisances={name: float(x[1 + j]) for j, name in enumerate(model.nuisances)},
        statistical_shifts=shifts,
        expected=_expected(model, observed, strength * (1.0 + model.signal_error * shift), x[1:], shifts),
        minus_log_likelihood=float(value),
    )


def q_tilde(model: BinnedModel, data: npt.ArrayLike, mu: float) -> float:
    """The one-sided statistic for upper limits, -2 log [L(mu) / L(best mu in [0, mu])].

    Zero where the best mu is above mu: an excess is no evidence against a smaller signal. Where it is below 0 the
    likelihood at mu = 0 takes its place.

    Parameters
    ----------
    model, data
        As in `fit`.
    mu : float
        Signal strength tested, at least 0.

    Returns
    -------
    float
        At least 0.

    Raises
    ------
    StatisticsError
        As in `fit`.

    References
    ----------
    G. Cowan et al., Eur. Phys. J. C 71 (2011) 1554, equation (16).
    """
    _check_mu(mu)
    return Statistic(model, model.observation(data))(mu)


class Statistic:
    """q_tilde of one observation as a function of mu; what does not depend on mu is fitted once."""

    def __init__(self, model: BinnedModel, observed: Observation) -> None:
        self._templates, self._observed = model.templates, observed
        self._work = kernels.work_for(model.bins, observed.centres.size)
        self._x = observed.centres.copy()
        self._best, self._without = kernels.fit_physical(self._templates, observed, kernels.EXACT, self._x, self._work)
        if math.isnan(self._best):
            raise StatisticsError("the fit with a free signal found no maximum of the likelihood")
        self._x[0] = observed.centres[0]

    def __call__(self, mu: float) -> float:
        value, slope = kernels.fit_fixed(self._templates, self._observed, float(mu), kernels.EXACT, self._x, self._work)
        q = 2.0 * (value - self._best)
        if math.isnan(q):
            raise StatisticsError(f"the fit at mu = {mu:g} found no maximum of the likelihood")
        return 0.0 if slope < 0.0 else float(max(q, 0.0))

    @property
    def q0(self) -> float:
        """The statistic for a discovery, -2 log [L(0) / L(best mu)], 0 where the best mu is not above 0."""
        return float(max(2.0 * (self._without - self._best), 0.0))


def discovery(model: BinnedModel, data: npt.ArrayLike) -> Discovery:
    """Local significance of an excess from the asymptotic distribution of q0.

    `binned_toys.discovery_toys` gives the p-value without this assumption, for a few events.

    Parameters
    ----------
    model, data
        As in `fit`.

    Returns
    -------
    Discovery
        The p-value is 1/2, and the significance 0, where there is no excess.

    Raises
    ------
    StatisticsError
        As in `fit`.

    References
    ----------
    G. Cowan et al., Eur. Phys. J. C 71 (2011) 1554, equations (12), (52) and (53).
    """
    q0 = Statistic(model, model.observation(data)).q0
    return Discovery(q0, discovery_p_value(q0), math.sqrt(q0))


def discovery_from_p_value(q0: float, p_value: float) -> Discovery:
    """A discovery whose p-value was counted in toys."""
    return Discovery(q0, p_value, float(-ndtri(p_value)) if 0.0 < p_value < 1.0 else math.inf * (0.5 - p_value))


def _expected(model: BinnedModel, observed: Observation, signal: float, nuisances: Floats, shifts: Floats) -> Floats:
    t = model.templates
    expected = t.background + signal * t.signal + nuisances @ t.variations + t.shift * shifts
    return np.asarray(np.maximum(expected, 0.0), dtype=np.float64)


def _error(work: kernels.Work) -> float:
    """Error of parameter 0 after a free fit: the likelihood's curvature, the other parameters profiled."""
    matrix = (work.columns * work.root) @ work.columns.T
    matrix += np.diag([0.0] + [1.0] * (len(matrix) - 1))
    schur = matrix[0, 0]
    if len(matrix) > 1:
        schur -= matrix[0, 1:] @ np.linalg.solve(matrix[1:, 1:], matrix[1:, 0])
    return 1.0 / math.sqrt(schur) if schur > 0.0 else math.inf


def _check_mu(mu: float) -> None:
    if not (math.isfinite(mu) and mu >= 0.0):
        raise StatisticsError(f"mu is {mu}, but must be a finite number of at least 0")
