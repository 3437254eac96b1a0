"""Kernels that minimise the unbinned -log L: over everything, or over the nuisance parameters alone.

For a given shape of the line -log L is convex in background and signal, which is what makes Newton's method safe. The
shape is tied to its measurement and starts there; where an event far out in the tails may pull it into a second
minimum, a second start looks there.
"""

from __future__ import annotations

import math

import numpy as np

from kaongen.jit import block_kernel
from kaongen.statistics.unbinned import Constants, Floats
from kaongen.statistics.unbinned_likelihood import FREE, SQRT_2PI, line_norm, negative_log_likelihood

_ITERATIONS = 200
_PRECISION = 1e-11  # of -log L
_LARGE_PULL = 0.5  # of the shape towards an event, from which on there may be a second minimum


@block_kernel
def newton_step(gradient: Floats, hessian: Floats, step: Floats) -> float:
    """The step -H^-1 g, H made positive definite where it is not; returns -g step, at least 0."""
    factor = np.empty((4, 4))
    damping = 0.0
    for _ in range(60):
        good = True
        for i in range(4):
            for j in range(i + 1):
                total = hessian[i, j]
                if i == j:
                    total += damping * (abs(total) + 1e-3)
                for k in range(j):
                    total -= factor[i, k] * factor[j, k]
                if i == j:
                    if not total > 1e-9 * (abs(hessian[i, i]) + 1e-300):
                        good = False
                        break
                    factor[i, i] = math.sqrt(total)
                else:
                    factor[i, j] = total / factor[j, j]
            if not good:
                break
        if good:
            break
        damping = max(0.1, 3.0 * damping)
    for i in range(4):
        total = -gradient[i]
        for k in range(i):
            total -= factor[i, k] * step[k]
        step[i] = total / factor[i, i]
    for i in range(3, -1, -1):
        total = step[i]
        for k in range(i + 1, 4):
            total -= factor[k, i] * step[k]
        step[i] = total / factor[i, i]
    decrement: float = 0.0
    for k in range(4):
        decrement -= gradient[k] * step[k]
    return decrement


@block_kernel
def minimise(c: Constants, observed: Floats, data: Floats, n: int, r: float, y: Floats) -> float:
    """Least -log L near y, which is moved to the minimum: Newton's method, damped, inside b > 0 and nu > 0."""
    gradient, step, trial = np.empty(4), np.empty(4), np.empty(4)
    hessian = np.empty((4, 4))
    value: float = negative_log_likelihood(c, observed, data, n, r, y, gradient, hessian)
    for _ in range(_ITERATIONS):
        decrement = newton_step(gradient, hessian, step)
        if decrement < _PRECISION:
            break
        length = 1.0
        if step[0] < 0.0:
            length = min(length, -0.95 * y[0] / step[0])
        if r < 0.0 and step[1] < 0.0:
            length = min(length, -0.95 * y[1] / step[1])
        for k in range(2, 4):
            length = min(length, 3.0 / (abs(step[k]) + 1e-300))
        found = False
        for _ in range(40):
            for k in range(4):
                trial[k] = y[k] + length * step[k]
            at_trial = negative_log_likelihood(c, observed, data, n, r, trial, gradient, hessian)
            if at_trial <= value - 1e-4 * length * decrement + 1e-14 * abs(value):
                found = True
                break
            length *= 0.4
        if not found:
            break
        value = at_trial
        y[:] = trial
    return value


@block_kernel
def shape_towards_nearest(c: Constants, observed: Floats, data: Floats, n: int, y: Floats) -> float:
    """Set the pulls of position and width to those that the nearest event would like best; returns the largest move."""
    y[2], y[3] = observed[2], observed[3]
    mean, width = c.mean + c.mean_error * y[2], c.width * math.exp(c.log_width_error * y[3])
    nearest = math.inf
    for j in range(n):
        z = (data[0, j] - mean) / width
        if abs(z) < abs(nearest):
            nearest = z
    if abs(nearest) > 10.0:
        return 0.0
    e, k = c.mean_error / width, c.log_width_error
    y[2] += e * nearest / (1.0 + e * e)
    z2 = (nearest / (1.0 + e * e)) ** 2
    y[3] += k * (z2 - 1.0) / (1.0 + 2.0 * k * k * z2)
    moved: float = max(abs(y[2] - observed[2]), abs(y[3] - observed[3]))
    return moved


@block_kernel
def signal_shares(c: Constants, data: Floats, n: int, b: float, nu: float, y: Floats) -> tuple[float, float]:
    """Sum over events of the probability to be signal, and -d log L/d nu, at the shape in y."""
    mean, width = c.mean + c.mean_error * y[2], c.width * math.exp(c.log_width_error * y[3])
    norm = SQRT_2PI * width * line_norm(c, mean, width, np.empty(5))
    total, slope = 0.0, 1.0
    for j in range(n):
        z = (data[0, j] - mean) / width
        s = math.exp(-0.5 * z * z) / norm
        density = b * data[1, j] + nu * s
        if density > 0.0:
            total += data[2, j] * nu * s / density
            slope -= data[2, j] * s / density
        else:
            total += data[2, j]
            slope = -math.inf
    return total, slope


@block_kernel
def without_signal(c: Constants, observed: Floats, data: Floats, n: int, y: Floats) -> float:
    """Least -log L at BR = 0, in closed form: b = (auxiliary count + n)/(1 + tau)."""
    events = 0.0
    for j in range(n):
        events += data[2, j]
    b = (observed[0] + events) / (1.0 + c.tau) if c.tau > 0.0 else c.background
    y[0], y[1], y[2], y[3] = b, observed[1], observed[2], observed[3]
    value = b
    if c.tau > 0.0:
        value += c.tau * b
        if observed[0] > 0.0:
            value -= observed[0] * math.log(b)
    for j in range(n):
        density = b * data[1, j]
        if not density > 0.0:
            return math.inf
        value -= data[2, j] * math.log(density)
    return value


@block_kernel
def fit_free(c: Constants, observed: Floats, data: Floats, n: int, y: Floats) -> tuple[float, float, float]:
    """Least -log L over all parameters, nu >= 0: (value, nu, value without signal); y is the minimum.

    The sensitivity stays where it was measured: the branching fraction makes up for any other.
    """
    zero = without_signal(c, observed, data, n, y)
    best, nu, b = zero, 0.0, y[0]
    if n == 0:
        y[1] = 0.0
        return best, nu, zero
    trial = np.empty(4)
    best_y = y.copy()
    best_y[1] = 0.0
    for start in range(2):
        if start == 0:
            trial[2], trial[3] = observed[2], observed[3]
        else:
            moved = shape_towards_nearest(c, observed, data, n, trial)
            if moved == 0.0 or (nu > 0.0 and moved < _LARGE_PULL):
                break
        _, slope = signal_shares(c, data, n, b, 0.0, trial)
        if not slope < 0.0:
            continue
        share, _ = signal_shares(c, data, n, b, 1.0, trial)
        trial[0], trial[1] = max(b - (share / (1.0 + c.tau) if c.tau > 0.0 else 0.0), 0.1 * b), max(share, 1e-3)
        value = minimise(c, observed, data, n, FREE, trial)
        if value < best:
            best, nu = value, trial[1]
            best_y[:] = trial
    y[:] = best_y
    return best, nu, zero


@block_kernel
def fit_given(c: Constants, observed: Floats, data: Floats, n: int, r: float, y: Floats) -> float:
    """Least -log L over the nuisance parameters at a branching fraction r, in nominal sensitivities."""
    best: float = without_signal(c, observed, data, n, y)
    if r <= 0.0:
        return best
    b = y[0]
    best = math.inf
    trial, best_y = np.empty(4), y.copy()
    for start in range(2):
        if start == 0:
            trial[2], trial[3] = observed[2], observed[3]
        elif shape_towards_nearest(c, observed, data, n, trial) < _LARGE_PULL:
            break
        nu = r * math.exp(-c.log_sensitivity_error * observed[1])
        share, _ = signal_shares(c, data, n, b, nu, trial)
        trial[0] = max(b - (share / (1.0 + c.tau) if c.tau > 0.0 else 0.0), 0.1 * b)
        k = c.log_sensitivity_error
        trial[1] = observed[1] + k * (nu - share) / (1.0 + k * k * nu)
        value = minimise(c, observed, data, n, r, trial)
        if value < best:
            best = value
            best_y[:] = trial
    y[:] = best_y
    return best
