"""Toy experiments of a binned model: CLs limits and significances without asymptotic assumptions.

Every toy has its own counts and its own global observables, drawn with the signal strength of the hypothesis and the
nuisance parameters that fit the data best under it (LHC Higgs Combination Group, ATL-PHYS-PUB-2011-11, section 2).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from kaongen.errors import StatisticsError
from kaongen.jit import block_kernel
from kaongen.random import draw, normal_pair, stream_key
from kaongen.statistics import binned_kernels as kernels
from kaongen.statistics.asymptotics import asymptotic_limit
from kaongen.statistics.binned import BinnedModel, Floats, Observation
from kaongen.statistics.binned_fit import Discovery, Fit, Statistic, discovery_from_p_value, fit_observation
from kaongen.statistics.limit import UpperLimit
from kaongen.statistics.poisson import poisson
from kaongen.statistics.toy_scan import Point, limits_from_toys, p_value

CHUNK = 256
"""Toys that one thread makes at a time."""
LARGEST_TOYS = 10**8


@block_kernel
def _draw_toy(key: Any, toy: Any, mean: Any, centres: Any, shifts: Any, out: Any) -> None:
    """Counts and global observables of one toy; streams are bins first, then pairs of global observables."""
    bins, p = mean.size, centres.size
    for i in range(bins):
        out.counts[i] = poisson(key, toy, np.uint64(i), mean[i])
    for i in range(0, bins + p, 2):
        a, b, _, _ = draw(key, toy, np.uint64(bins + i), np.uint64(0))
        first, second = normal_pair(a, b)
        for k, z in ((i, first), (i + 1, second)):
            if k < p:
                out.centres[k] = centres[k] + z
            elif k < p + bins:
                out.shifts[k - p] = shifts[k - p] + z


@block_kernel
def _toys_with_signal(
    templates: Any, mean: Any, centres: Any, shifts: Any, mu: float, key: Any, first: int,
    toy: Any, x: Any, work: Any, out: Any,
) -> None:  # fmt: skip
    """q_tilde at mu of the toys first, first + 1, ...: `out`, shape (toys,)."""
    for t in range(out.shape[0]):
        _draw_toy(key, np.uint64(first + t), mean, centres, shifts, toy)
        x[:] = centres
        value, slope = kernels.fit_fixed(templates, toy, mu, kernels.QUICK, x, work)
        out[t] = 0.0
        if not slope < 0.0:
            best, _ = kernels.fit_physical(templates, toy, kernels.QUICK, x, work)
            out[t] = 2.0 * (value - best)


@block_kernel
def _toys_without_signal(
    templates: Any, mean: Any, centres: Any, shifts: Any, mus: Any, key: Any, first: int,
    toy: Any, x: Any, work: Any, out: Any,
) -> None:  # fmt: skip
    """q0 of the toys first, first + 1, ..., then q_tilde at every mu of `mus`: `out`, shape (toys, 1 + mus)."""
    for t in range(out.shape[0]):
        _draw_toy(key, np.uint64(first + t), mean, centres, shifts, toy)
        x[:] = centres
        best, without = kernels.fit_physical(templates, toy, kernels.QUICK, x, work)
        out[t, 0] = 2.0 * (without - best)
        x[0] = toy.centres[0]
        for k in range(mus.size):
            value, slope = kernels.fit_fixed(templates, toy, mus[k], kernels.QUICK, x, work)
            out[t, 1 + k] = 0.0 if slope < 0.0 else 2.0 * (value - best)


class Toys:
    """Toys drawn from one fitted point: the toy number n is a function of seed, name and n alone."""

    def __init__(self, model: BinnedModel, truth: Fit, number: int, seed: int, name: str) -> None:
        self._model, self._number, self._key = model, number, stream_key(seed, name)
        self._centres = np.array([truth.signal_shift, *truth.nuisances.values()])
        self._truth = (truth.expected, self._centres, truth.statistical_shifts)

    def with_signal(self, mu: float, map_: Callable[..., Any] = map) -> Floats:
        """q_tilde at mu, shape (toys,), for toys that contain this signal. `map_` may run chunks in parallel."""
        out = np.empty(self._number)
        self._run(_toys_with_signal, float(mu), out, map_)
        return out

    def without_signal(self, mus: npt.ArrayLike, map_: Callable[..., Any] = map) -> tuple[Floats, Floats]:
        """q0, shape (toys,), and q_tilde at every mu, shape (toys, number of mus), for toys without signal."""
        strengths = np.asarray(mus, dtype=np.float64)
        out = np.empty((self._number, 1 + strengths.size))
        self._run(_toys_without_signal, strengths, out, map_)
        return out[:, 0], out[:, 1:]

    def _run(self, kernel: Any, mus: Any, out: Floats, map_: Callable[..., Any]) -> None:
        model, p = self._model, self._centres.size

        def chunk(first: int) -> None:
            toy = Observation(np.empty(model.bins), np.empty(p), np.empty(model.bins))
            part = out[first : first + CHUNK]
            work = kernels.work_for(model.bins, p)
            kernel(model.templates, *self._truth, mus, self._key, first, toy, np.empty(p), work, part)

        for _ in map_(chunk, range(0, self._number, CHUNK)):
            pass
        if np.isnan(out).any():
            raise StatisticsError(f"{int(np.isnan(out).sum())} of {out.size} fits of toys found no minimum")
        np.maximum(out, 0.0, out=out)


def toy_limit(
    model: BinnedModel,
    observed: Observation | None,
    confidence_level: float,
    toys: int,
    seed: int,
    threads: int | None,
) -> UpperLimit:
    """Upper limits from toys; see `binned_limit.upper_limit`."""
    data = model.observation(model.asimov()) if observed is None else observed
    background = fit_observation(model, data, 0.0)
    statistic = Statistic(model, data)
    asimov = Statistic(model, asimov_observation(background))
    guess = asymptotic_limit(None if observed is None else statistic, asimov, sigma_guess(model), confidence_level)
    guesses = [guess.minus_two_sigma, guess.plus_two_sigma] + ([] if guess.observed is None else [guess.observed])
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        map_ = map if threads == 1 else pool.map

        without_signal = Toys(model, background, toys, seed, "toys without signal")

        def evaluate(mus: Sequence[float]) -> list[Point]:
            _, without = without_signal.without_signal(mus, map_)
            points = []
            for k, mu in enumerate(mus):
                with_signal = Toys(model, fit_observation(model, data, mu), toys, seed, f"toys with mu={mu:.6g}")
                q = None if observed is None else statistic(mu)
                points.append(Point(mu, q, with_signal.with_signal(mu, map_), without[:, k]))
            return points

        return limits_from_toys(evaluate, guesses, confidence_level, f"profile CLs, {toys} toys")


def discovery_toys(
    model: BinnedModel, data: npt.ArrayLike, toys: int = 10_000, seed: int = 1, threads: int | None = None
) -> Discovery:
    """Local significance of an excess, its p-value counted in toys without signal.

    Parameters
    ----------
    model, data
        As in `binned_fit.fit`.
    toys : int
        Number of toys; a p-value p has a relative error of 1 / sqrt(toys p).
    seed : int
        Of the random numbers.
    threads : int, optional
        All processors by default; the result does not depend on it.

    Returns
    -------
    Discovery
        Significance infinite where no toy reached the data's q0.

    Raises
    ------
    StatisticsError
        If data do not match the model, or toys or seed are not usable.
    """
    check_toys(toys, seed)
    observed = model.observation(data)
    q0 = Statistic(model, observed).q0
    truth = fit_observation(model, observed, 0.0)
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        found, _ = Toys(model, truth, toys, seed, "toys without signal").without_signal([], pool.map)
    return discovery_from_p_value(q0, p_value(q0, found))


def asimov_observation(background: Fit) -> Observation:
    """Asimov data without signal, at the nuisance parameters that fit the data best."""
    centres = np.array([background.signal_shift, *background.nuisances.values()])
    return Observation(background.expected.copy(), centres, background.statistical_shifts.copy())


def sigma_guess(model: BinnedModel) -> float:
    """Error of mu without signal and without nuisance parameters, about: only where to look first."""
    t = model.templates
    return float(1.0 / np.sqrt(np.sum(t.signal**2 / (t.background + t.shift**2 + t.signal / t.signal.sum()))))


def check_toys(toys: int, seed: int, confidence_level: float = 0.9) -> None:
    """Refuse seeds that cannot be used, and numbers of toys that cannot tell the lower band from an exclusion."""
    least = math.ceil(100.0 / (1.0 - confidence_level) - 1e-6)
    if toys != int(toys) or not least <= toys <= LARGEST_TOYS:
        raise StatisticsError(f"toys is {toys}, but at {confidence_level:.0%} CL must be whole and at least {least}")
    if seed != int(seed) or seed < 0:
        raise StatisticsError(f"seed is {seed}, but must be a whole number of at least 0")
