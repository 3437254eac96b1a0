"""A line over a smooth background, one observable per event: the unbinned model of NA62's search for K+ -> pi+ X.

The likelihood is that of section 5 of NA62, JHEP 03 (2021) 058: n events x_j on an interval [low, high],

    L = exp(-n_tot) n_tot^n / n! prod_j [n_B/n_tot f_B(x_j) + n_S/n_tot f_S(x_j | mu, sigma)] prod_i C_i,

n_tot = n_B + n_S, n_S = BR / SES, f_B a known polynomial and f_S a Gaussian, both of unit integral on the interval.
The nuisance parameters are n_B (C a Poisson probability of the auxiliary count (n_B/dn_B)^2), the single-event
sensitivity SES and the width sigma (C log-normal), and the position mu (C Gaussian).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from kaongen.errors import StatisticsError

Floats = NDArray[np.float64]

LEAST_SIGNAL_INSIDE = 1e-4
"""Share of the Gaussian that must lie in the interval: a line further outside leaves nothing to search for."""


class Constants(NamedTuple):
    """What the kernels need to know of a model; see `UnbinnedModel.constants`."""

    low: float
    high: float
    tau: float  # auxiliary count per background event, 0 where the background is known exactly
    background: float
    mean: float
    mean_error: float
    width: float
    log_width_error: float
    log_sensitivity_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbinnedModel:
    """A Gaussian line over a polynomial background on an interval.

    Attributes
    ----------
    low, high : float
        Ends of the interval, in the units of the observable (GeV^2 for a squared missing mass).
    background, background_error : float
        Expected number of background events in the interval and its standard deviation, in events.
    background_shape : tuple of float
        Coefficients c_k of sum_k c_k t^k with t = (x - low)/(high - low), in any normalisation; at least 0 on the
        interval.
    mean, mean_error : float
        Position of the line and its standard deviation, in the units of the observable. It may lie outside.
    width, width_error : float
        Standard deviation of the line in those units, and its relative error.
    sensitivity, sensitivity_error : float
        Branching fraction for which one signal event is expected inside the interval, and its relative error.

    Raises
    ------
    StatisticsError
        If a number is not finite, negative where it must not be, or the background density is negative somewhere.

    Notes
    -----
    An error of 0 fixes its parameter. A relative error d of a log-normal constraint means that one standard deviation
    is a factor of 1 + d; its median is the estimate, so that its mean lies higher by about d^2 / 2.
    """

    low: float
    high: float
    background: float
    background_error: float
    background_shape: tuple[float, ...]
    mean: float
    mean_error: float
    width: float
    width_error: float
    sensitivity: float
    sensitivity_error: float

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self) if field.name != "background_shape"):
            value = getattr(self, name)
            if not math.isfinite(value):
                raise StatisticsError(f"{name} is {value}, but must be a finite number")
        if not self.high > self.low:
            raise StatisticsError(f"the interval [{self.low}, {self.high}] is empty: high must be above low")
        for name in ("background", "background_error", "mean_error", "width_error", "sensitivity_error"):
            if getattr(self, name) < 0.0:
                raise StatisticsError(f"{name} is {getattr(self, name)}, but must be at least 0")
        for name in ("width", "sensitivity"):
            if getattr(self, name) <= 0.0:
                raise StatisticsError(f"{name} is {getattr(self, name)}, but must be above 0")
        if self.background == 0.0 and self.background_error > 0.0:
            raise StatisticsError(
                f"background_error is {self.background_error} where background is 0: a Poisson auxiliary measurement "
                "that expects nothing has no error; give a small background or no error"
            )
        if not self.signal_inside() > LEAST_SIGNAL_INSIDE:
            raise StatisticsError(
                f"mean is {self.mean} and width {self.width}: only {self.signal_inside():.1g} of the line lies in "
                f"[{self.low}, {self.high}], but it must be more than {LEAST_SIGNAL_INSIDE:g}"
            )
        self._check_shape()

    def _check_shape(self) -> None:
        shape = np.asarray(self.background_shape, dtype=np.float64)
        if shape.ndim != 1 or shape.size == 0 or not np.isfinite(shape).all():
            raise StatisticsError(f"background_shape is {self.background_shape}, but must be finite coefficients")
        t, values = _extremes(shape)
        least = int(np.argmin(values))
        if values[least] < -1e-12 * np.abs(shape).sum() or not _integral(shape) > 0.0:
            raise StatisticsError(
                f"background_shape {self.background_shape} is {values[least]:.3g} at x = "
                f"{self.low + t[least] * (self.high - self.low):.6g}, but a density must not be negative anywhere"
            )

    def signal_inside(self, low: float | None = None, high: float | None = None) -> float:
        """Share of the nominal Gaussian in [low, high], by default in the whole interval."""
        a = ((self.low if low is None else low) - self.mean) / self.width
        b = ((self.high if high is None else high) - self.mean) / self.width
        return float(ndtr(-a) - ndtr(-b) if a > 0.0 else ndtr(b) - ndtr(a))

    def background_inside(self, low: float, high: float) -> float:
        """Share of the background in [low, high], which must lie in the interval."""
        cumulative = np.polynomial.Polynomial(self.background_shape).integ()
        a, b = ((x - self.low) / (self.high - self.low) for x in (low, high))
        return float((cumulative(b) - cumulative(a)) / _integral(np.asarray(self.background_shape)))

    def background_density(self, x: ArrayLike) -> Floats:
        """f_B at x, per unit of the observable; its integral over the interval is 1."""
        t = (np.asarray(x, dtype=np.float64) - self.low) / (self.high - self.low)
        density = np.polynomial.Polynomial(self.background_shape)(t) / _integral(np.asarray(self.background_shape))
        return np.asarray(np.maximum(density, 0.0) / (self.high - self.low), dtype=np.float64)

    def proposal(self) -> Floats:
        """Coefficients of the background in t divided by its maximum, for sampling by rejection."""
        shape = np.asarray(self.background_shape, dtype=np.float64)
        return np.asarray(shape / _extremes(shape)[1].max(), dtype=np.float64)

    def constants(self) -> Constants:
        """The model in numbers for the kernels."""
        known = self.background_error == 0.0
        return Constants(
            low=self.low,
            high=self.high,
            tau=0.0 if known else self.background / self.background_error**2,
            background=self.background,
            mean=self.mean,
            mean_error=self.mean_error,
            width=self.width,
            log_width_error=math.log1p(self.width_error),
            log_sensitivity_error=math.log1p(self.sensitivity_error),
        )

    def checked_events(self, events: ArrayLike) -> Floats:
        """Values of the observable as an array.

        Raises
        ------
        StatisticsError
            If they are not one finite number per event, each in the interval.
        """
        x = np.asarray(events, dtype=np.float64)
        if x.ndim != 1:
            raise StatisticsError(f"events have shape {x.shape}, but must be one number each")
        outside = ~((x >= self.low) & (x <= self.high))
        if outside.any():
            raise StatisticsError(
                f"event {int(np.argmax(outside))} is at {x[outside][0]}, but must lie in [{self.low}, {self.high}]"
            )
        return x


def _extremes(shape: Floats) -> tuple[Floats, Floats]:
    """Where on [0, 1] a polynomial can be extreme, ends included, and its values there."""
    polynomial = np.polynomial.Polynomial(shape)
    roots = polynomial.deriv().roots()
    real = np.real(roots[np.abs(np.imag(roots)) < 1e-6])
    t = np.concatenate(([0.0, 1.0], real[(real > 0.0) & (real < 1.0)]))
    return t, np.asarray(polynomial(t), dtype=np.float64)


def _integral(shape: Floats) -> float:
    return float(np.sum(shape / np.arange(1, shape.size + 1)))
