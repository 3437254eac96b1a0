"""Toy experiments of a binned model: CLs limits and significances without asymptotic assumptions.

Every toy has its own counts and its own global observables, drawn with the signal strength of the hypothesis and the
nuisance parameters that fit the data best under it (LHC Higgs Combination Group, ATL-PHYS-PUB-2011-11, section 2).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

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
LEAST_TOYS, LARGEST_TOYS = 500, 10**8


@block_kernel
def _draw_toy(key: Any, toy: Any, mean: Any, centres: Any, shifts: Any, spread: Any, out: Any) -> None:
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
                out.shifts[k - p] = spread[k - p] * (shifts[k - p] + z)


@block_kernel
def _toys(
    templates: Any, truth: Any, mus: Any, ratio: Any, key: Any, first: int, toy: Any, x: Any, start: Any, work: Any,
    q: Any, log_ratio: Any,
) -> None:  # fmt: skip
    """q_tilde and the logarithm of `ratio` at every mu of `mus`, of the toys first, first + 1, ...: (toys, mus).

    Without any mu, q0 of the toys: q has the shape (toys, 1).
    """
    for t in range(q.shape[0]):
        _draw_toy(key, np.uint64(first + t), truth.mean, truth.centres, truth.shifts, templates.spread, toy)
        x[:] = truth.centres
        if mus.size == 0:
            best, without = kernels.fit_physical(templates, toy, kernels.QUICK, x, work)
            q[t, 0] = max(2.0 * (without - best), 0.0)
        best = -1.0  # not known yet; a fit below 0 is impossible
        for k in range(mus.size):
            log_ratio[t, k] = (
                ratio.constant[k]
                + kernels.dot(ratio.mean[k], toy.counts)
                + kernels.dot(ratio.centres[k], toy.centres)
                + kernels.dot(ratio.shifts[k], toy.shifts)
            )
            value, slope = kernels.fit_fixed(templates, toy, mus[k], kernels.QUICK, x, work)
            q[t, k] = 0.0
            if not slope < 0.0:
                if best < 0.0:
                    start[:] = truth.centres
                    best, _ = kernels.fit_physical(templates, toy, kernels.QUICK, start, work)
                q[t, k] = max(2.0 * (value - best), 0.0) if value == value else value


class Truth(NamedTuple):
    """What toys are drawn from: the means of the counts, and the centres of the global observables."""

    mean: Floats
    centres: Floats
    shifts: Floats


class _Ratio(NamedTuple):
    """Coefficients of log [L(toy | signal) / L(toy | no signal)], linear in a toy: one row per signal strength."""

    mean: Floats
    centres: Floats
    shifts: Floats
    constant: Floats


def truth_of(fit: Fit) -> Truth:
    """A fitted point as what toys are drawn from."""
    centres = np.array([fit.signal_shift, *fit.nuisances.values()])
    return Truth(np.maximum(fit.expected, 1e-300), centres, fit.statistical_shifts.copy())


@dataclass(frozen=True, slots=True)
class Toys:
    """Toys drawn from one point: the toy number n is a function of seed, name and n alone.

    `map_` may make chunks of toys in parallel, as `ThreadPoolExecutor.map` does.
    """

    model: BinnedModel
    truth: Truth
    number: int
    seed: int
    name: str
    map_: Callable[..., Any] = map

    def q0(self) -> Floats:
        """The statistic for a discovery, shape (toys,)."""
        q, _ = self._run(np.empty(0), self.truth, [])
        return q[:, 0]

    def q_tilde(self, mus: npt.ArrayLike, without: Truth, signals: Sequence[Truth]) -> tuple[Floats, Floats]:
        """q_tilde at every mu, and log [L(toy | signal) / L(toy | without)] for its signal: both (toys, mus)."""
        return self._run(np.atleast_1d(np.asarray(mus, dtype=np.float64)), without, signals)

    def _run(self, mus: Floats, without: Truth, signals: Sequence[Truth]) -> tuple[Floats, Floats]:
        model, p, key = self.model, self.truth.centres.size, stream_key(self.seed, self.name)
        ratio = _ratio(without, signals, model.templates.spread)
        q, log_ratio = np.empty((self.number, max(mus.size, 1))), np.empty((self.number, mus.size))

        def chunk(first: int) -> None:
            toy = Observation(np.empty(model.bins), np.empty(p), np.zeros(model.bins))
            part = slice(first, first + CHUNK)
            work = kernels.work_for(model.bins, p)
            _toys(
                model.templates, self.truth, mus, ratio, key, first, toy, np.empty(p), np.empty(p), work,
                q[part], log_ratio[part],
            )  # fmt: skip

        for _ in self.map_(chunk, range(0, self.number, CHUNK)):
            pass
        if np.isnan(q).any():
            raise StatisticsError(f"{int(np.isnan(q).sum())} of {q.size} fits of toys found no minimum")
        return q, log_ratio


def _ratio(without: Truth, signals: Sequence[Truth], spread: Floats) -> _Ratio:
    bins, p = without.mean.size, without.centres.size
    k = len(signals)
    ratio = _Ratio(np.zeros((k, bins)), np.zeros((k, p)), np.zeros((k, bins)), np.zeros(k))
    for i, signal in enumerate(signals):
        ratio.mean[i] = np.log(signal.mean / without.mean)
        ratio.centres[i] = signal.centres - without.centres
        ratio.shifts[i] = spread * (signal.shifts - without.shifts)
        ratio.constant[i] = (
            np.sum(without.mean - signal.mean)
            + 0.5 * np.sum(without.centres**2 - signal.centres**2)
            + 0.5 * np.sum(spread * (without.shifts**2 - signal.shifts**2))
        )
    return ratio


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

        none = truth_of(background)
        without = Toys(model, none, toys, seed, "toys without signal", map_)

        def evaluate(mus: Sequence[float]) -> list[Point]:
            signals = [truth_of(fit_observation(model, data, mu)) for mu in mus]
            q, log_ratio = without.q_tilde(mus, none, signals)
            points = []
            for k, (mu, signal) in enumerate(zip(mus, signals, strict=True)):
                with_signal = Toys(model, signal, toys, seed, f"toys with mu={mu:.6g}", map_)
                q_signal, log_ratio_signal = with_signal.q_tilde(mu, none, [signal])
                points.append(
                    Point(
                        mu=mu,
                        observed=None if observed is None else statistic(mu),
                        with_signal=q_signal[:, 0],
                        without_signal=q[:, k],
                        log_ratio_with=log_ratio_signal[:, 0],
                        log_ratio_without=log_ratio[:, k],
                    )
                )
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
        With a p-value of at least 1 / (toys + 1).

    Raises
    ------
    StatisticsError
        If data do not match the model, or toys or seed are not usable.
    """
    check_toys(toys, seed)
    observed = model.observation(data)
    q0 = Statistic(model, observed).q0
    truth = truth_of(fit_observation(model, observed, 0.0))
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        found = Toys(model, truth, toys, seed, "toys without signal", pool.map).q0()
    # the data are one more experiment of the hypothesis: never zero
    return discovery_from_p_value(q0, (p_value(q0, found) * toys + 1.0) / (toys + 1.0))


def asimov_observation(background: Fit) -> Observation:
    """Asimov data without signal, at the nuisance parameters that fit the data best."""
    centres = np.array([background.signal_shift, *background.nuisances.values()])
    return Observation(background.expected.copy(), centres, background.statistical_shifts.copy())


def sigma_guess(model: BinnedModel) -> float:
    """Error of mu without signal and without nuisance parameters, about: only where to look first."""
    t = model.templates
    return float(1.0 / np.sqrt(np.sum(t.signal**2 / (t.background + t.shift**2 + t.signal / t.signal.sum()))))


def check_toys(toys: int, seed: int) -> None:
    """Refuse seeds and numbers of toys that cannot be used."""
    if toys != int(toys) or not LEAST_TOYS <= toys <= LARGEST_TOYS:
        raise StatisticsError(f"toys is {toys}, but must be a whole number from {LEAST_TOYS} to {LARGEST_TOYS}")
    if seed != int(seed) or seed < 0:
        raise StatisticsError(f"seed is {seed}, but must be a whole number of at least 0")
