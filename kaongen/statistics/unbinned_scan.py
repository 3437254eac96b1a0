"""CLs of the unbinned model against the branching fraction, by toys, and the limits that it sets.

Toys of all tested branching fractions form one sample; weights make it stand for each of them in turn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from kaongen.errors import StatisticsError
from kaongen.statistics.unbinned import Floats
from kaongen.statistics.unbinned_data import DataSet
from kaongen.statistics.unbinned_toys import exclusion

TIE = 1e-6
"""Test statistics closer than this are one value that rounding split."""

_STEP = 1.1  # from one tested branching fraction to the next
_REACH = 1.25  # how far around a limit tested branching fractions have a say in it
_FIRST_LOOK = 12  # branching fractions that find where the limits are
_DOUBLINGS = 40


@dataclass(frozen=True, slots=True)
class Scan:
    """Toys with the nuisance parameters that fit a data set best under each hypothesis.

    `bands` names quantiles of experiments without signal, in standard deviations; None stands for the data themselves.
    """

    data: DataSet
    name: str
    toys: int
    seed: int
    threads: int | None
    bands: tuple[float, ...] | None

    def limits(self, bracket: tuple[float, float], confidence_level: float) -> list[float]:
        """BR/SES where CLs = 1 - confidence_level, for the data or for each quantile.

        Raises
        ------
        StatisticsError
            If no branching fraction is excluded.
        """
        allowed = 1.0 - confidence_level
        rough = self._first_look(bracket, allowed)
        low, high = min(rough) / _REACH, max(rough) * _REACH
        r = np.geomspace(low, high, 1 + math.ceil(math.log(high / low) / math.log(_STEP)))
        curves = self.cls(r, self.toys, self.name)
        return [_crossing(r, curve, allowed, about) for curve, about in zip(curves.T, rough, strict=True)]

    def _first_look(self, bracket: tuple[float, float], allowed: float) -> list[float]:
        low, high = bracket
        for _ in range(_DOUBLINGS):
            r = np.geomspace(low, high, _FIRST_LOOK)
            curves = self.cls(r, max(self.toys // 20, 500), f"{self.name}, first look from {low} to {high}")
            if curves[-1].max() > allowed:
                high *= 2.0
            elif curves[0].min() < allowed:
                low *= 0.5
            else:
                return [_first_below(r, curve, allowed) for curve in curves.T]
        raise StatisticsError(
            f"no branching fraction up to {high:.3g} single-event sensitivities is excluded: "
            f"sensitivity_error = {self.data.model.sensitivity_error} or the line's own errors are too large"
        )

    def cls(self, r: Floats, toys: int, name: str) -> Floats:
        """CLs at each r: (r, quantiles), or (r, 1) for the data."""
        hypotheses = np.concatenate(([0.0], r))
        y = np.array([self.data.given(each)[1] for each in hypotheses])
        share = toys // (2 * r.size)
        numbers = [toys - share * r.size, *[share] * r.size]
        q, weight = exclusion(self.data.model, name, hypotheses, y, numbers, self.seed, self.threads)
        seen = [self.data.q_tilde(each) for each in r]
        return np.array(
            [
                _cls_of(q[:, k], weight[:, 0], weight[:, k + 1], seen[k] if self.bands is None else self.bands)
                for k in range(r.size)
            ]
        )


def _cls_of(q: Floats, background: Floats, with_signal: Floats, at: float | Sequence[float]) -> Floats:
    """CLs at a value of q, or at its quantiles without signal, from weighted toys; equal values count as above."""
    order = np.argsort(-q)
    falling = q[order]
    null, full = np.cumsum(background[order]), np.cumsum(with_signal[order])
    if isinstance(at, Sequence):
        # a limit above its quantile means a q below: what lies at or above q has the quantile's probability
        places = np.searchsorted(null, ndtr(np.asarray(at)) * null[-1])
        threshold = falling[np.minimum(places, q.size - 1)]
    else:
        threshold = np.array([at])
    last = np.searchsorted(-falling, TIE - threshold, side="right") - 1
    return np.where(last >= 0, full[last] / np.maximum(null[last], 1e-300), 0.0)


def _first_below(r: Floats, curve: Floats, allowed: float) -> float:
    """Where log CLs, linear between the points, first falls below what is allowed."""
    k = max(int(np.argmax(curve < allowed)), 1)
    before, after = (math.log(max(c, 1e-9)) for c in curve[k - 1 : k + 1])
    part = (before - math.log(allowed)) / (before - after) if before > after else 0.5
    return float(r[k - 1] + min(max(part, 0.0), 1.0) * (r[k] - r[k - 1]))


def _crossing(r: Floats, curve: Floats, allowed: float, about: float) -> float:
    """Where a parabola through log CLs of the points around `about` has the allowed value."""
    near = (r > about / _REACH / 1.001) & (r < about * _REACH * 1.001) & (curve > 0.0)
    if np.count_nonzero(near) < 3:
        return _first_below(r, curve, allowed)
    fit = np.polynomial.Polynomial.fit(r[near] / about - 1.0, np.log(curve[near] / allowed), 2)
    roots = fit.roots()
    roots = np.real(roots[np.abs(np.imag(roots)) < 1e-9])
    inside = roots[(np.abs(roots) <= 1.5 * (_REACH - 1.0)) & (fit.deriv()(roots) < 0.0)]
    return about * (1.0 + float(inside[0])) if inside.size else _first_below(r, curve, allowed)
