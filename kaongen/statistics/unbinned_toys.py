"""Toy experiments of the unbinned model, and the test statistics of each; a toy is a function of (seed, name, number).

Global observables fluctuate with the events: the auxiliary count is Poisson with mean tau b, the measured pulls are
Gaussian around the true ones.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from scipy.special import logsumexp

from kaongen.jit import block_kernel
from kaongen.random import draw, normal_pair, stream_key, uniform
from kaongen.statistics.poisson import poisson
from kaongen.statistics.unbinned import Constants, Floats, UnbinnedModel
from kaongen.statistics.unbinned_likelihood import negative_log_likelihood
from kaongen.statistics.unbinned_minimum import fit_free, fit_given

Piece = TypeVar("Piece")

_COUNT_B, _COUNT_S, _COUNT_AUXILIARY, _OBSERVED, _BACKGROUND, _SIGNAL = (np.uint64(number) for number in range(6))
_CHUNK = 256  # toys that a thread takes at a time
_SPREAD = 12.0  # standard deviations above the mean for which there is room in memory
_ATTEMPTS = 8
_SQRT_HALF = math.sqrt(0.5)


@block_kernel
def line_position(
    low: float, high: float, mean: float, width: float, key: np.uint64, toy: np.uint64, first: int
) -> float:
    """A Gaussian position inside [low, high]; random numbers of the signal's stream from `first` on."""
    for k in range(_ATTEMPTS):
        a, b, _, _ = draw(key, toy, _SIGNAL, np.uint64(first + k))
        one, other = normal_pair(a, b)
        x: float = mean + width * one
        if low <= x <= high:
            return x
        x = mean + width * other
        if low <= x <= high:
            return x
    # The interval holds little of the line: invert its cumulative distribution, on the side where that is small.
    a, _, _, _ = draw(key, toy, _SIGNAL, np.uint64(first + _ATTEMPTS))
    u = uniform(a)
    side = -1.0 if low > mean else 1.0
    c_low = math.erfc(-side * (low - mean) / width * _SQRT_HALF)
    c_high = math.erfc(-side * (high - mean) / width * _SQRT_HALF)
    target = c_low + u * (c_high - c_low)
    left, right = low, high
    for _ in range(60):
        x = 0.5 * (left + right)
        if side * (math.erfc(-side * (x - mean) / width * _SQRT_HALF) - target) < 0.0:
            left = x
        else:
            right = x
    return 0.5 * (left + right)


@block_kernel
def add_background(
    c: Constants, proposal: Floats, n: int, key: np.uint64, toy: np.uint64, b: float, data: Floats
) -> int:
    """Append background events to the n of a data set; returns how many there are now."""
    made = int(poisson(key, toy, _COUNT_B, b))
    number = 0
    for _ in range(min(made, data.shape[1] - n)):
        accepted = False
        while not accepted:
            word_a, word_b, _, _ = draw(key, toy, _BACKGROUND, np.uint64(number))
            number += 1
            t = uniform(word_a)
            height = 0.0
            for k in range(proposal.size - 1, -1, -1):
                height = height * t + proposal[k]
            accepted = uniform(word_b) < height
        data[0, n] = c.low + t * (c.high - c.low)
        n += 1
    return n


@block_kernel
def add_signal(c: Constants, n: int, key: np.uint64, toy: np.uint64, nu: float, y: Floats, data: Floats) -> int:
    """Append signal events with the pulls of position and width in y."""
    made = int(poisson(key, toy, _COUNT_S, nu))
    mean, width = c.mean + c.mean_error * y[2], c.width * math.exp(c.log_width_error * y[3])
    for k in range(min(made, data.shape[1] - n)):
        data[0, n] = line_position(c.low, c.high, mean, width, key, toy, k * (_ATTEMPTS + 1))
        n += 1
    return n


@block_kernel
def densities(c: Constants, proposal: Floats, area: float, n: int, data: Floats) -> None:
    """Second row of a data set: f_B; third: weights of 1."""
    for j in range(n):
        t = (data[0, j] - c.low) / (c.high - c.low)
        height = 0.0
        for k in range(proposal.size - 1, -1, -1):
            height = height * t + proposal[k]
        data[1, j] = max(height, 0.0) / area
        data[2, j] = 1.0


@block_kernel
def observe(c: Constants, key: np.uint64, toy: np.uint64, y: Floats, observed: Floats) -> None:
    """Fluctuated global observables."""
    observed[0] = poisson(key, toy, _COUNT_AUXILIARY, c.tau * y[0])
    word_a, word_b, word_c, word_d = draw(key, toy, _OBSERVED, np.uint64(0))
    one, other = normal_pair(word_a, word_b)
    observed[1], observed[2] = y[1] + one, y[2] + other
    one, _ = normal_pair(word_c, word_d)
    observed[3] = y[3] + one


@block_kernel
def exclusion_toys(
    c: Constants,
    proposal: Floats,
    area: float,
    key: np.uint64,
    first: int,
    truth: int,
    r: Floats,
    y: Floats,
    q: Floats,
    log_l: Floats,
) -> None:
    """Toys first, first + 1, ... of hypothesis `truth`: q~ of every other, and log L of all.

    r (hypotheses,) has branching fractions with 0 first, y (hypotheses, 4) their parameters; q (toys, hypotheses - 1)
    and log_l (toys, hypotheses), up to terms that depend on the toy alone, are written.
    """
    nu = r[truth] * math.exp(-c.log_sensitivity_error * y[truth, 1])
    total = nu + y[truth, 0]
    data = np.empty((3, int(total + _SPREAD * math.sqrt(total + 4.0)) + 1))
    observed, place, gradient, hessian = np.empty(4), np.empty(4), np.empty(4), np.empty((4, 4))
    for i in range(q.shape[0]):
        toy = np.uint64(first + i)
        n = add_background(c, proposal, 0, key, toy, y[truth, 0], data)
        n = add_signal(c, n, key, toy, nu, y[truth], data)
        densities(c, proposal, area, n, data)
        observe(c, key, toy, y[truth], observed)
        free, nu_hat, _ = fit_free(c, observed, data, n, place)
        r_hat = nu_hat * math.exp(c.log_sensitivity_error * observed[1])
        for k in range(r.size):
            log_l[i, k] = -negative_log_likelihood(c, observed, data, n, r[k], y[k], gradient, hessian)
            if k > 0:
                q[i, k - 1] = 0.0
                if r_hat < r[k]:
                    q[i, k - 1] = max(2.0 * (fit_given(c, observed, data, n, r[k], place) - free), 0.0)


@block_kernel
def discovery_toys(
    lines: Floats, proposal: Floats, area: float, key: np.uint64, first: int, y: Floats, q: Floats
) -> None:
    """q0 of every line, a row of `lines` each, for background-only toys: one experiment looks for all of them."""
    data = np.empty((3, int(y[0] + _SPREAD * math.sqrt(y[0] + 4.0)) + 1))
    observed, place = np.empty(4), np.empty(4)
    for i in range(q.shape[0]):
        toy = np.uint64(first + i)
        for k in range(q.shape[1]):
            row = lines[k]
            c = Constants(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8])
            if k == 0:
                n = add_background(c, proposal, 0, key, toy, y[0], data)
                densities(c, proposal, area, n, data)
                observe(c, key, toy, y, observed)
            free, _, zero = fit_free(c, observed, data, n, place)
            q[i, k] = max(2.0 * (zero - free), 0.0)


def exclusion(
    model: UnbinnedModel,
    name: str,
    r: Floats,
    y: Floats,
    toys: Sequence[int],
    seed: int,
    threads: int | None,
) -> tuple[Floats, Floats]:
    """Toys of several hypotheses in one sample: q~ of each branching fraction, and the weight as each hypothesis.

    Parameters
    ----------
    model, name
        What is simulated; toys of different names are independent.
    r, y
        Branching fractions in nominal sensitivities (hypotheses,), the first 0, and their parameters (hypotheses, 4).
    toys
        How many are generated of each hypothesis.

    Returns
    -------
    q, weight : ndarray
        (toys, hypotheses - 1) and (toys, hypotheses). The mean of weight k over all toys is 1 on average, and that of
        weight k times a function of the toy estimates its mean under hypothesis k.

    References
    ----------
    E. Veach and L. J. Guibas, SIGGRAPH '95, 419: the balance heuristic. No weight exceeds the inverse of the share of
    its own hypothesis, and rare outcomes of one hypothesis are common ones of another.
    """
    c, proposal, area, _ = _prepared(model, name, seed)
    total = sum(toys)
    q, log_l = np.empty((total, r.size - 1)), np.empty((total, r.size))
    ends = np.cumsum(toys)

    def fill(piece: tuple[int, int]) -> None:
        truth, first = piece
        place = int(ends[truth]) - toys[truth] + first
        last = min(place + _CHUNK, int(ends[truth]))
        key = stream_key(seed, f"unbinned toys, {name}, {truth}")
        exclusion_toys(c, proposal, area, key, first, truth, r, y, q[place:last], log_l[place:last])

    _in_threads(fill, [(k, first) for k, number in enumerate(toys) for first in range(0, number, _CHUNK)], threads)
    mixture = logsumexp(log_l, b=np.asarray(toys) / total, axis=1, keepdims=True)
    return q, np.exp(log_l - mixture)


def discovery(
    models: Sequence[UnbinnedModel], name: str, y: Floats, toys: int, seed: int, threads: int | None
) -> Floats:
    """q0 of models of the same events, for toys without signal: (toys, models)."""
    _, proposal, area, key = _prepared(models[0], name, seed)
    lines = np.array([model.constants() for model in models], dtype=np.float64)
    q = np.empty((toys, len(models)))

    def fill(first: int) -> None:
        discovery_toys(lines, proposal, area, key, first, y, q[first : first + _CHUNK])

    _in_threads(fill, range(0, toys, _CHUNK), threads)
    return q


def _prepared(model: UnbinnedModel, name: str, seed: int) -> tuple[Constants, Floats, float, np.uint64]:
    proposal = model.proposal()
    area = float(np.sum(proposal / np.arange(1, proposal.size + 1))) * (model.high - model.low)
    return model.constants(), proposal, area, stream_key(seed, f"unbinned toys, {name}")


def _in_threads(fill: Callable[[Piece], None], pieces: Iterable[Piece], threads: int | None) -> None:
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        list(pool.map(fill, pieces))
