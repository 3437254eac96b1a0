"""The minimum of a binned likelihood: Newton's method, with the statistical shift of each bin in closed form.

For given mu the expectation is linear in the nuisance parameters, and for free mu in mu' = mu (1 + sigma_s theta_s) and
the others, with theta_s at its centre. So -log L is convex in both, and one kernel serves both: the parameter 0 is
theta_s with its constraint, or mu' without one.

In a bin with count n, expectation m before its statistical shift, and shift delta of centre g, the likelihood is
largest at nu = m + delta gamma with nu^2 - c nu - n delta^2 = 0, c = m + delta g - delta^2. With t = n / nu the first
derivative in m is 1 - t, the second t / sqrt(c^2 + 4 n delta^2), and gamma - g = -(1 - t) delta.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kaongen.elementary import log
from kaongen.jit import block_kernel, scalar_kernel

Floats = npt.NDArray[np.float64]

EXACT = 1e-22
"""Where Newton's method stops, in its decrement (the squared distance from the minimum in standard deviations): for
the parameters themselves, as far as rounding allows."""
QUICK = 1e-7
"""The same where the minimum alone is wanted: what is left is subtracted, up to 1e-9."""

_MOST_STEPS = 200


class Work(NamedTuple):
    """Buffers of one thread: the state of every bin, and of Newton's step."""

    base: Floats
    c: Floats
    root: Floats
    ratio: Floats
    term: Floats
    columns: Floats
    gradient: Floats
    matrix: Floats
    step: Floats
    trial: Floats


def work_for(bins: int, parameters: int) -> Work:
    """Buffers for so many bins and parameters, parameter 0 included."""
    b, p = bins, parameters
    return Work(
        np.zeros(b), np.zeros(b), np.zeros(b), np.zeros(b), np.zeros(b), np.zeros((p, b)),
        np.zeros(p), np.zeros((p, p)), np.zeros(p), np.zeros(p),
    )  # fmt: skip


@scalar_kernel
def dot(a, b):  # type: ignore[no-untyped-def]
    """Sum of products in four parts, which the processor adds side by side."""
    s0 = s1 = s2 = s3 = 0.0
    whole = a.size - a.size % 4
    for i in range(0, whole, 4):
        s0 += a[i] * b[i]
        s1 += a[i + 1] * b[i + 1]
        s2 += a[i + 2] * b[i + 2]
        s3 += a[i + 3] * b[i + 3]
    for i in range(whole, a.size):
        s0 += a[i] * b[i]
    return (s0 + s1) + (s2 + s3)


@block_kernel
def _bins(templates: Any, observed: Any, x: Any, work: Any) -> Any:
    """-log L of the bins at x, each with its best statistical shift, less that of the saturated model.

    Leaves c, the root of its discriminant, and the ratio of count and expectation in `work`. Loops write one array
    each: so they vectorise.
    """
    c, root, ratio, term, counts, variance = (
        work.c, work.root, work.ratio, work.term, observed.counts, templates.variance
    )  # fmt: skip
    c[:] = work.base
    for j in range(x.size):
        column, weight = work.columns[j], x[j]
        if weight != 0.0:
            for i in range(c.size):
                c[i] += weight * column[i]
    for i in range(c.size):
        root[i] = np.sqrt(c[i] * c[i] + 4.0 * counts[i] * variance[i]) + 1e-300
    for i in range(c.size):
        half = 0.5 * (abs(c[i]) + root[i])
        numerator = counts[i] if c[i] > 0.0 else half
        ratio[i] = numerator / (half if c[i] > 0.0 else variance[i])
    for i in range(c.size):
        half = 0.5 * (abs(c[i]) + root[i])
        nu = half if c[i] > 0.0 else counts[i] * variance[i] / half
        s = 1.0 - ratio[i]
        # nu - n + n log(n / nu) = nu (s + (1 - s) log(1 - s)): its series keeps what cancels for a thousand million
        series = 1.0 / 20.0 + s * (1.0 / 30.0 + s * (1.0 / 42.0 + s * (1.0 / 56.0 + s / 72.0)))
        small = nu * s * s * (0.5 + s * (1.0 / 6.0 + s * (1.0 / 12.0 + s * series)))
        # without counts the ratio may be 0, whose logarithm here is a number
        large = nu - counts[i] + counts[i] * log(ratio[i])
        term[i] = (small if abs(s) < 0.03 else large) + 0.5 * s * s * variance[i]
    total = 0.0
    for i in range(c.size):
        total += term[i]
    return total


@block_kernel
def _minimise(templates: Any, observed: Any, offset: float, weight: float, precision: float, x: Any, work: Any) -> Any:
    """Bring x to the minimum of -log L; the minimum, NaN where it was not found.

    weight is 1 if parameter 0 has a unit Gaussian constraint, and 0 if it has none.
    """
    p, centres = x.size, observed.centres
    gradient, matrix, step, trial = work.gradient, work.matrix, work.step, work.trial
    rounding = curvature = 0.0
    for i in range(work.base.size):
        signal = offset * templates.signal[i]
        work.base[i] = (
            templates.background[i] + signal + templates.shift[i] * observed.shifts[i] - templates.variance[i]
        )
        rounding += 1e-16 * (observed.counts[i] + signal)
        curvature += templates.signal[i] ** 2 / (templates.background[i] + templates.variance[i] + 1.0)
    penalty = 0.5 * weight * (x[0] - centres[0]) ** 2
    for j in range(1, p):
        penalty += 0.5 * (x[j] - centres[j]) ** 2
    value = _bins(templates, observed, x, work) + penalty
    for _ in range(_MOST_STEPS):
        _derivatives(x, centres, weight, work)
        if weight == 0.0:  # without events the likelihood is a straight line in mu
            matrix[0, 0] = max(matrix[0, 0], 1e-3 * curvature)
        decrement = _newton_step(matrix, gradient, step)
        if not decrement >= 0.0:
            return np.nan
        if decrement < precision + rounding:
            return value - 0.5 * decrement
        fraction = 1.0
        while True:
            penalty = 0.0
            for j in range(p):
                trial[j] = x[j] + fraction * step[j]
                constraint = weight if j == 0 else 1.0
                penalty += 0.5 * constraint * (trial[j] - centres[j]) ** 2
            new = _bins(templates, observed, trial, work) + penalty
            if new <= value - 1e-4 * fraction * decrement + rounding + 1e-14 * abs(value):
                break
            fraction *= 0.5
            if fraction < 1e-17:  # nothing lower can be told apart
                return value if decrement < 1e-6 + 100.0 * rounding else np.nan
        x[:] = trial
        value = new
    return np.nan


@block_kernel
def _derivatives(x: Any, centres: Any, weight: float, work: Any) -> None:
    """Gradient and matrix of second derivatives of -log L at x, where `_bins` was last."""
    p = x.size
    first, second, weighted = work.c, work.root, work.term
    for i in range(first.size):
        second[i] = work.ratio[i] / second[i]
    for i in range(first.size):
        first[i] = 1.0 - work.ratio[i]
    for j in range(p):
        column = work.columns[j]
        constraint = weight if j == 0 else 1.0
        work.gradient[j] = dot(first, column) + constraint * (x[j] - centres[j])
        for i in range(first.size):
            weighted[i] = second[i] * column[i]
        for k in range(j + 1):
            work.matrix[j, k] = dot(weighted, work.columns[k])
        work.matrix[j, j] += constraint


@block_kernel
def _newton_step(matrix: Any, gradient: Any, step: Any) -> Any:
    """Solve matrix step = -gradient by Cholesky's decomposition, in place; gradient matrix^-1 gradient."""
    p = gradient.size
    for j in range(p):
        for k in range(j + 1):
            total = matrix[j, k]
            for i in range(k):
                total -= matrix[j, i] * matrix[k, i]
            matrix[j, k] = np.sqrt(total) if j == k else total / matrix[k, k]
    for j in range(p):
        total = gradient[j]
        for i in range(j):
            total -= matrix[j, i] * step[i]
        step[j] = total / matrix[j, j]
    decrement = 0.0
    for j in range(p):
        decrement += step[j] * step[j]
    for j in range(p - 1, -1, -1):
        total = step[j]
        for i in range(j + 1, p):
            total -= matrix[i, j] * step[i]
        step[j] = total / matrix[j, j]
    for j in range(p):
        step[j] = -step[j]
    return decrement


@block_kernel
def fit_fixed(templates: Any, observed: Any, mu: float, precision: float, x: Any, work: Any) -> Any:
    """Minimum of -log L at a given mu, and a multiple of its slope in mu: below 0 if the best mu is larger.

    x holds theta_s and the nuisance parameters: where to start, and then the minimum.
    """
    scale = mu * templates.signal_error
    for i in range(templates.signal.size):
        work.columns[0, i] = scale * templates.signal[i]
    for j in range(1, x.size):
        work.columns[j] = templates.variations[j - 1]
    if scale == 0.0:
        x[0] = observed.centres[0]
    value = _minimise(templates, observed, mu, 1.0, precision, x, work)
    return value, dot(work.c, templates.signal)


@block_kernel
def fit_free(templates: Any, observed: Any, precision: float, x: Any, work: Any) -> Any:
    """Minimum of -log L in mu' = mu (1 + sigma_s theta_s) and the nuisance parameters; mu' may come out negative.

    x holds mu' and the nuisance parameters: where to start, and then the minimum.
    """
    work.columns[0] = templates.signal
    for j in range(1, x.size):
        work.columns[j] = templates.variations[j - 1]
    return _minimise(templates, observed, 0.0, 0.0, precision, x, work)


@block_kernel
def fit_physical(templates: Any, observed: Any, precision: float, x: Any, work: Any) -> Any:
    """Minimum of -log L over mu >= 0, and that at mu = 0; x ends at the nuisance parameters of the former."""
    without, slope = fit_fixed(templates, observed, 0.0, precision, x, work)
    if not slope < 0.0:
        return without, without
    x[0] = 0.0
    return min(fit_free(templates, observed, precision, x, work), without), without
