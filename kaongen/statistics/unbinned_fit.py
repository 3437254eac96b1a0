"""Fits of the unbinned model with iminuit: best values with errors, for one data set at a time.

Written apart from the kernels that fit toys, in the plain form of the likelihood, so that each checks the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from kaongen.errors import StatisticsError
from kaongen.statistics.unbinned import Floats, UnbinnedModel

PARAMETERS = ("branching_fraction", "background", "sensitivity", "mean", "width")


@dataclass(frozen=True, slots=True)
class Fit:
    """The minimum of -2 log L.

    `values` and `errors` are those of `PARAMETERS`, in the units of the model; an error of 0 marks a fixed parameter.
    `minimum` is -2 log L there, up to terms that depend on the data alone; `valid` says whether iminuit trusts it.
    """

    values: dict[str, float]
    errors: dict[str, float]
    minimum: float
    valid: bool


def fit(model: UnbinnedModel, events: ArrayLike, parameter: float | None = None) -> Fit:
    """Maximise the likelihood over all parameters, or over the nuisance parameters at a given branching fraction.

    Parameters
    ----------
    model : UnbinnedModel
    events : array_like of shape (n,)
        The observable of each event, in the interval.
    parameter : float or None
        Branching fraction, at least 0; None leaves it free, at least 0.

    Returns
    -------
    Fit
        Errors are parabolic; with few events only `values` and `minimum` mean much.

    Raises
    ------
    StatisticsError
        If an event is outside the interval or the branching fraction is negative or not finite.
    """
    from iminuit import Minuit

    x = model.checked_events(events)
    if parameter is not None and not (math.isfinite(parameter) and parameter >= 0.0):
        raise StatisticsError(f"parameter is {parameter}, but a branching fraction must be finite and at least 0")
    density = model.background_density(x)
    auxiliary = model.constants().tau * model.background

    def objective(r: float, b: float, pull_s: float, pull_m: float, pull_w: float) -> float:
        # Minuit may try a width for which the line is nowhere in the interval
        with np.errstate(all="ignore"):
            _, background, sensitivity, mean, width = _physical(model, r, b, pull_s, pull_m, pull_w)
            signal = r * model.sensitivity / sensitivity
            logarithms = np.log(background * density + signal * _line(model, x, mean, width))
        result = 2.0 * (signal + background - float(np.sum(logarithms))) + pull_s**2 + pull_m**2 + pull_w**2
        if auxiliary > 0.0:
            result += 2.0 * (auxiliary * b - auxiliary * math.log(background))
        return result

    start = (1.0 if parameter is None else parameter / model.sensitivity, 1.0, 0.0, 0.0, 0.0)
    found = []
    for signal in (start[0], 0.0, 0.5 * x.size) if parameter is None else start[:1]:
        minuit = Minuit(objective, signal, *start[1:], name=("r", "b", "pull_s", "pull_m", "pull_w"))
        minuit.errordef = Minuit.LEAST_SQUARES
        minuit.strategy = 2
        minuit.tol = 1e-3
        minuit.limits["r"] = (0.0, None)
        minuit.limits["b"] = (1e-9, None)
        minuit.fixed["r"] = parameter is not None
        for name, known in _known(model).items():
            minuit.fixed[name] = known
        minuit.migrad()
        found.append(minuit)
    minuit = min(found, key=lambda each: float(each.fval))
    values = _physical(model, *minuit.values)
    scales = (
        model.sensitivity,
        model.background,
        values[2] * math.log1p(model.sensitivity_error),
        model.mean_error,
        values[4] * math.log1p(model.width_error),
    )
    errors = [
        0.0 if fixed else scale * float(error)
        for fixed, scale, error in zip(minuit.fixed, scales, minuit.errors, strict=True)
    ]
    return Fit(
        values=dict(zip(PARAMETERS, values, strict=True)),
        errors=dict(zip(PARAMETERS, errors, strict=True)),
        minimum=float(minuit.fval),
        valid=bool(minuit.valid),
    )


def _physical(
    model: UnbinnedModel, r: float, b: float, pull_s: float, pull_m: float, pull_w: float
) -> tuple[float, float, float, float, float]:
    """The parameters in the units of the model, from those of the fit: all of order one, background included."""
    return (
        r * model.sensitivity,
        b * model.background,
        model.sensitivity * (1.0 + model.sensitivity_error) ** pull_s,
        model.mean + model.mean_error * pull_m,
        model.width * (1.0 + model.width_error) ** pull_w,
    )


def _known(model: UnbinnedModel) -> dict[str, bool]:
    """Which parameters of the fit have no error."""
    return {
        "b": model.background_error == 0.0,
        "pull_s": model.sensitivity_error == 0.0,
        "pull_m": model.mean_error == 0.0,
        "pull_w": model.width_error == 0.0,
    }


def _line(model: UnbinnedModel, x: Floats, mean: float, width: float) -> Floats:
    a, b = (model.low - mean) / width, (model.high - mean) / width
    inside = ndtr(-a) - ndtr(-b) if a > 0.0 else ndtr(b) - ndtr(a)
    z = (x - mean) / width
    return np.asarray(np.exp(-0.5 * z * z) / (math.sqrt(2.0 * math.pi) * width * max(inside, 1e-300)), dtype=np.float64)
