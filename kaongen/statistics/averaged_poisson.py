"""The Poisson cumulative distribution, alone and averaged over a background known to a Gaussian error; no sampling.

Everything is a logarithm, because CLs divides two probabilities that may both be far below the smallest double.
The rounding error of a returned logarithm L is about 1e-16 |L|, and never matters where the probability is one that
an experiment could meet.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc, gammaln, log_ndtr

Floats = npt.NDArray[np.float64]

_ASYMPTOTIC_FROM = 1000.0  # from here on two terms of Temme's series suffice, and cost no iteration
_TAIL_FROM = 30.0  # standard deviations above n, where the continued fraction has long converged
_TAIL_DEPTH = 10
_C0 = (-1 / 3, 1 / 12, -2 / 135, 1 / 864, 1 / 2835, -139 / 777600)  # DLMF 8.12.12, in powers of eta
_C1 = (-1 / 540, -1 / 288, 1 / 378, -77 / 77760)
_DROP = 45.0  # the integrand is followed down to exp(-45) of its maximum
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def log_poisson_cdf(n: float, mean: npt.ArrayLike) -> Floats:
    """Logarithm of P(N <= n) for a Poisson variable: log Q(n + 1, mean), Q the regularised upper incomplete gamma.

    Parameters
    ----------
    n : float
        Count, at least 0. A real n interpolates smoothly between the integers.
    mean : array_like
        Poisson means, at least 0, of any shape.

    Returns
    -------
    ndarray of float64
        The shape of `mean`, never above 0 except by rounding. Good to 1e-10 near the mean, to 3e-9 in the far tail.

    References
    ----------
    Below n = 1000 the incomplete gamma function of scipy; above, Temme's uniform expansion (DLMF 8.12.7) with c_0
    and c_1; in the far upper tail the continued fraction DLMF 8.9.2. scipy alone underflows in that tail and sums
    too few terms of its series at n ~ 1e9, 5 standard deviations below.
    """
    x = np.asarray(mean, dtype=np.float64)
    a = n + 1.0
    tail = x > a + _TAIL_FROM * math.sqrt(a)
    if not tail.any():
        return _bulk(a, x)
    inside = np.where(tail, a, x)
    beyond = np.where(tail, x, a + _TAIL_FROM * math.sqrt(a))
    return np.where(tail, _upper_tail(a, beyond), _bulk(a, inside))


def log_averaged_cdf(n: float, signal: float, background: float, background_error: float) -> float:
    """Logarithm of P(N <= n), N Poisson with mean signal + B, averaged over B Gaussian and truncated at zero.

    The truncated Gaussian is left without its norm, so that the result may exceed 0:
    exp(result) = integral from 0 to infinity of exp(-(B - b)^2 / 2 db^2) Q(n + 1, s + B) dB / (db sqrt(2 pi)).
    `log_truncation_norm` is the logarithm of what it must be divided by; CLs does not need it.

    Parameters
    ----------
    n : float
        Count, at least 0.
    signal, background, background_error : float
        s, b and db in events, at least 0; db = 0 is the plain Poisson distribution.

    Returns
    -------
    float
        Good to 1e-8 wherever the probability is above exp(-1e7).

    Notes
    -----
    Gauss-Legendre panels in t = (B - b) / db. The logarithm of the integrand is concave, because that of Q(n + 1, x)
    is, with a slope in x between -1 and 0. So there is one maximum, at -db <= t <= 0, and at a distance d from it the
    integrand has lost at least d^2 / 2: which bounds the range. It may be far narrower than the Gaussian, and have an
    edge of width sqrt(n) where s + B passes n, so the panels grow geometrically from the one and surround the other.
    """
    if background_error == 0.0:
        return float(log_poisson_cdf(n, signal + background))

    def log_integrand(t: Floats) -> Floats:
        mean = signal + np.maximum(background + background_error * t, 0.0)
        return log_poisson_cdf(n, mean) - 0.5 * t * t

    lowest = -background / background_error
    # Where the peak of a Gaussian in place of the Poisson distribution is bounded by: only where to look first.
    excess = max(signal + background - n, 0.0)
    guess = -excess * background_error / (n + 1.0 + background_error * background_error)
    peak, scale = _peak(log_integrand, max(guess, lowest), max(lowest, -background_error - 1.0), 1.0)
    reach = math.sqrt(2.0 * _DROP)
    low, high = max(lowest, peak - reach), peak + reach
    edge, width = n + 1.0 - signal - background, math.sqrt(n + 1.0)
    edges = _panels(low, high, peak, scale, tuple((edge + k * width) / background_error for k in (-6, -3, 0, 3, 6)))
    half = 0.5 * np.diff(edges)[:, None]
    t = edges[:-1, None] + half * (1.0 + _NODES)
    logarithms = log_integrand(t)
    largest = float(logarithms.max())
    return largest + math.log(float(np.sum(half * _WEIGHTS * np.exp(logarithms - largest)) / math.sqrt(2.0 * math.pi)))


def log_truncation_norm(background: float, background_error: float) -> float:
    """Logarithm of the part of a Gaussian of mean b and standard deviation db that lies above zero."""
    return 0.0 if background_error == 0.0 else float(log_ndtr(background / background_error))


def _bulk(a: float, x: Floats) -> Floats:
    """log Q(a, x) up to 30 standard deviations above a."""
    if a <= _ASYMPTOTIC_FROM:
        return np.asarray(np.log(gammaincc(a, x)), dtype=np.float64)
    mu = (x - a) / a
    with np.errstate(divide="ignore"):  # at x = 0 eta is -infinity, and the result 0 as it should be
        eta = np.copysign(np.sqrt(2.0 * np.maximum(mu - np.log1p(mu), 0.0)), mu)
    z = eta * math.sqrt(a)
    # c_0 and c_1 are differences of poles that cancel at eta = 0: there, their Taylor series.
    close = np.abs(eta) < 0.03
    e, m = np.where(close, 1.0, eta), np.where(close, 1.0, mu)
    near = np.where(close, eta, 0.0)
    p, q = 1.0 / e, 1.0 / m
    c0 = np.where(close, _horner(near, _C0), q - p)
    c1 = np.where(close, _horner(near, _C1), p * p * p - q * (q * (q + 1.0) + 1.0 / 12.0))
    leading = log_ndtr(-z)
    ratio = (c0 + c1 / a) / math.sqrt(2.0 * math.pi * a) * np.exp(-0.5 * z * z - leading)
    return np.asarray(leading + np.log1p(ratio), dtype=np.float64)


def _horner(x: Floats, coefficients: tuple[float, ...]) -> Floats:
    result = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        result = result * x + coefficient
    return result


def _upper_tail(a: float, x: Floats) -> Floats:
    """log Q(a, x) from 30 standard deviations above a: the Poisson probability of n = a - 1 times x / fraction."""
    n = a - 1.0
    fraction = x + 2.0 * _TAIL_DEPTH + 1.0 - a
    for j in range(_TAIL_DEPTH, 0, -1):
        fraction = x + 2.0 * j - 1.0 - a - j * (j - a) / fraction
    if n <= _ASYMPTOTIC_FROM:
        log_probability = n * np.log(x) - x - gammaln(a)
    else:  # Stirling's series, so that terms of order n log n never have to cancel
        u = (x - n) / n
        log_probability = n * (np.log1p(u) - u) - 0.5 * math.log(2.0 * math.pi * n) - 1.0 / (12.0 * n)
    return np.asarray(log_probability + np.log(x / fraction), dtype=np.float64)


def _peak(f: Callable[[Floats], Floats], guess: float, left: float, right: float) -> tuple[float, float]:
    """Where the concave f is largest in [left, right], and a step over which it loses less than 1 on either side."""
    reach = 2.0
    low, high = max(left, guess - reach), min(right, guess + reach)
    while True:
        grid = np.linspace(low, high, 33)
        values = f(grid)
        i = int(np.argmax(values))
        at_low, at_high = i == 0 and low > left, i == 32 and high < right
        if at_low or at_high:  # the peak lies outside
            reach *= 4.0
            low, high = (
                (max(left, low - reach), float(grid[1])) if at_low else (float(grid[31]), min(right, high + reach))
            )
            continue
        before, after = max(i - 1, 0), min(i + 1, 32)
        if values[i] - min(values[before], values[after]) < 1.0:
            return float(grid[i]), max((high - low) / 32.0, 1e-18)
        low, high = left, right = float(grid[before]), float(grid[after])


def _panels(low: float, high: float, peak: float, scale: float, around: tuple[float, ...]) -> Floats:
    """Sorted panel edges in [low, high]: steps doubling from 4 `scale` on both sides of `peak`, and at `around`."""
    steps = 4.0 * scale * 2.0 ** np.arange(max(1, math.ceil(math.log2((high - low) / scale))))
    return np.unique(np.clip(np.concatenate(([low, peak, high], peak - steps, peak + steps, around)), low, high))
