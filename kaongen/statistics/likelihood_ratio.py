"""The reach of a search before it has data: the letter's likelihood ratio, and cut and count.

G. Krnjaic, G. Marques-Tavares, D. Redigolo and K. Tobioka, Phys. Rev. Lett. 124 (2020) 041802 ("the letter").
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from kaongen.errors import StatisticsError
from kaongen.statistics.roots import falling_root

Floats = npt.NDArray[np.float64]


def likelihood_ratio(
    signal: float, signal_shape: npt.ArrayLike, background: npt.ArrayLike, data: npt.ArrayLike | None = None
) -> float:
    """Lambda(S) = sum over bins of -2 log [L_i(S) / L_i(0)], L_i Poisson with mean S eps_i + B_i (the letter, (11)).

    Parameters
    ----------
    signal : float
        S, at least 0, in units in which `signal_shape` holds the events of one.
    signal_shape : array_like, shape (bins,)
        eps_i, at least 0; it need not sum to 1.
    background : array_like, shape (bins,)
        B_i, at least 0.
    data : array_like, shape (bins,), optional
        D_i; the background itself by default.

    Returns
    -------
    float
        0 at S = 0. Without data it grows from there; with data it may first fall to the best S.

    Raises
    ------
    StatisticsError
        If an array is not one finite number of at least 0 per bin, or a bin has data but no background.
    """
    if not (math.isfinite(signal) and signal >= 0.0):
        raise StatisticsError(f"signal is {signal}, but must be a finite number of at least 0")
    return _ratio(signal, *_checked(signal_shape, background, data))


def likelihood_ratio_limit(
    signal_shape: npt.ArrayLike,
    background: npt.ArrayLike,
    threshold: float = 4.0,
    data: npt.ArrayLike | None = None,
) -> float:
    """The signal S with Lambda(S) = threshold: larger ones are excluded.

    Parameters
    ----------
    signal_shape, background, data
        As in `likelihood_ratio`.
    threshold : float
        Above 0; the letter's 4 stands for two standard deviations.

    Returns
    -------
    float
        S, in units in which `signal_shape` holds the events of one; threshold / (2 sum eps) without background.

    Raises
    ------
    StatisticsError
        As in `likelihood_ratio`, or if the threshold is not positive.
    """
    if not (math.isfinite(threshold) and threshold > 0.0):
        raise StatisticsError(f"threshold is {threshold}, but must be a finite number above 0")
    shape, expected, counts = _checked(signal_shape, background, data)
    total = float(shape.sum())
    information = float(np.sum(shape**2 / np.maximum(expected, 1e-12 * total)))
    sigma = max(1.0 / math.sqrt(information), 0.5 / total)
    least = _best(shape, expected, counts, sigma)

    def excess(s: float) -> float:
        """Nearly linear in s where Lambda is a parabola."""
        ratio = _ratio(s, shape, expected, counts) - bottom
        return depth - math.sqrt(max(ratio, 0.0))

    bottom = _ratio(least, shape, expected, counts)
    depth = math.sqrt(threshold - bottom)
    return falling_root(excess, least + depth * sigma, sigma, least)


def cut_and_count_limit(background: float, kappa: float = 0.0, n_sigma: float = 2.0) -> float:
    """The signal with S / sqrt(B + kappa^2 B^2) = n_sigma: a background of relative systematic error kappa.

    Parameters
    ----------
    background : float
        B in events, finite and at least 0.
    kappa : float
        Finite and at least 0.
    n_sigma : float
        Above 0.

    Returns
    -------
    float
        In events; 0 without background, where the formula has no meaning.

    Raises
    ------
    StatisticsError
        If a number is outside its range.

    References
    ----------
    The letter, appendix C, text before (C.1).
    """
    for name, value in (("background", background), ("kappa", kappa)):
        if not (math.isfinite(value) and value >= 0.0):
            raise StatisticsError(f"{name} is {value}, but must be a finite number of at least 0")
    if not (math.isfinite(n_sigma) and n_sigma > 0.0):
        raise StatisticsError(f"n_sigma is {n_sigma}, but must be a finite number above 0")
    return n_sigma * math.hypot(math.sqrt(background), kappa * background)


def _ratio(s: float, shape: Floats, background: Floats, data: Floats) -> float:
    added = s * shape
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(data > 0.0, added / background, 0.0)
    return float(2.0 * np.sum(added - np.where(data > 0.0, data * np.log1p(relative), 0.0)))


def _best(shape: Floats, background: Floats, data: Floats, sigma: float) -> float:
    """Where Lambda is smallest: 0 where its slope there is not negative."""

    def descent(s: float) -> float:
        used = (data > 0.0) & (shape > 0.0)
        pull = np.sum(shape[used] * data[used] / (background[used] + s * shape[used]))
        return float(pull / shape.sum()) - 1.0

    if descent(0.0) <= 1e-12:
        return 0.0
    return falling_root(lambda s: math.log1p(descent(s)), sigma, sigma + float(data.sum()) / float(shape.sum()))


def _checked(
    signal_shape: npt.ArrayLike, background: npt.ArrayLike, data: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    arrays: list[Floats] = []
    given = (("signal_shape", signal_shape), ("background", background), ("data", background if data is None else data))
    for name, values in given:
        array = np.atleast_1d(np.asarray(values, dtype=np.float64))
        if array.ndim != 1 or (arrays and array.shape != arrays[0].shape):
            bins = "one number per bin" if not arrays else f"{arrays[0].size} numbers like signal_shape"
            raise StatisticsError(f"{name} has the shape {array.shape}, but must be {bins}")
        if not np.all(np.isfinite(array) & (array >= 0.0)):
            raise StatisticsError(f"{name} has bins that are negative or not finite, but must be at least 0 everywhere")
        arrays.append(array)
    shape, expected, counts = arrays
    if not np.any(shape > 0.0):
        raise StatisticsError("signal_shape is 0 in every bin, but must be positive in at least one")
    if np.any((counts > 0.0) & (expected == 0.0)):
        raise StatisticsError("data has events in a bin where background is 0: the likelihood without signal vanishes")
    return shape, expected, counts
