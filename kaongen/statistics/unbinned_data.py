"""Data sets of the unbinned model, observed or Asimov, and their test statistics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kaongen.statistics.unbinned import Floats, UnbinnedModel
from kaongen.statistics.unbinned_minimum import fit_free, fit_given

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_AROUND = (-10.0, -7.0, -5.0, -3.5, -2.0, -1.0, 0.0, 1.0, 2.0, 3.5, 5.0, 7.0, 10.0)


@dataclass(frozen=True, slots=True)
class DataSet:
    """Events (rows x, f_B, weight) of a model, with its global observables at their nominal values."""

    model: UnbinnedModel
    events: Floats
    observed: Floats

    def given(self, r: float) -> tuple[float, Floats]:
        """Least -log L at BR/SES = r, and the nuisance parameters there; see `unbinned_likelihood` for their order."""
        y = np.empty(4)
        value = fit_given(self.model.constants(), self.observed, self.events, self.events.shape[1], r, y)
        return float(value), y

    def free(self) -> tuple[float, float]:
        """Least -log L over all parameters, and BR/SES >= 0 there."""
        value, nu, _ = fit_free(self.model.constants(), self.observed, self.events, self.events.shape[1], np.empty(4))
        return float(value), float(nu)

    def q_tilde(self, r: float) -> float:
        """q~: -2 log of the profile likelihood ratio, 0 where more signal than r was found."""
        least, found = self.free()
        return 0.0 if found >= r else max(2.0 * (self.given(r)[0] - least), 0.0)

    def q_zero(self) -> float:
        """q0: -2 log of the likelihood ratio of background alone to background with the best signal."""
        return max(2.0 * (self.given(0.0)[0] - self.free()[0]), 0.0)


def observed_data(model: UnbinnedModel, events: ArrayLike) -> DataSet:
    """Events as observed; StatisticsError if one is outside the interval."""
    x = model.checked_events(events)
    return DataSet(model, np.stack([x, model.background_density(x), np.ones_like(x)]), _nominal(model))


def asimov_data(model: UnbinnedModel, branching_fraction: float = 0.0) -> DataSet:
    """What is expected at a branching fraction: weighted events on the nodes of a quadrature of the interval."""
    around = [model.mean + k * model.width for k in _AROUND]
    edges = np.unique(np.clip([*np.linspace(model.low, model.high, 9), *around], model.low, model.high))
    half = 0.5 * np.diff(edges)[:, None]
    x = (edges[:-1, None] + half * (1.0 + _NODES)).ravel()
    density = model.background_density(x)
    expected = model.background * density
    if branching_fraction > 0.0:
        z = (x - model.mean) / model.width
        line = np.exp(-0.5 * z * z) / (np.sqrt(2.0 * np.pi) * model.width * model.signal_inside())
        expected = expected + branching_fraction / model.sensitivity * line
    weight = (half * _WEIGHTS).ravel() * expected
    return DataSet(model, np.stack([x, density, weight]), _nominal(model))


def _nominal(model: UnbinnedModel) -> Floats:
    return np.array([model.constants().tau * model.background, 0.0, 0.0, 0.0])
