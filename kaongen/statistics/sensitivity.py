"""From numbers of events to branching fractions: the single-event sensitivity."""

from __future__ import annotations

import math

from kaongen.errors import StatisticsError


def single_event_sensitivity(n_kaons: float, acceptance: float) -> float:
    """The branching fraction for which one signal event is expected, 1 / (N_K A).

    Parameters
    ----------
    n_kaons : float
        N_K, effective number of K+ decays in the fiducial volume, finite and above 0.
    acceptance : float
        A, probability that a signal decay is selected, above 0 and at most 1.

    Returns
    -------
    float
        Dimensionless.

    Raises
    ------
    StatisticsError
        If a number is outside its range.
    """
    if not (math.isfinite(n_kaons) and n_kaons > 0.0):
        raise StatisticsError(f"n_kaons is {n_kaons}, but must be a finite number above 0")
    if not 0.0 < acceptance <= 1.0:
        raise StatisticsError(f"acceptance is {acceptance}, but must be above 0 and at most 1")
    return 1.0 / n_kaons / acceptance


def branching_fraction_limit(n_signal: float, n_kaons: float, acceptance: float) -> float:
    """The limit on the branching fraction that follows from one on the number of signal events, n_signal / (N_K A).

    Parameters
    ----------
    n_signal : float
        Upper limit on the number of signal events, finite and at least 0.
    n_kaons, acceptance
        As in `single_event_sensitivity`.

    Returns
    -------
    float
        Dimensionless; above 1 where the experiment excludes nothing.

    Raises
    ------
    StatisticsError
        If a number is outside its range.
    """
    if not (math.isfinite(n_signal) and n_signal >= 0.0):
        raise StatisticsError(f"n_signal is {n_signal}, but must be a finite number of at least 0")
    return n_signal * single_event_sensitivity(n_kaons, acceptance)
