"""What weighted events say: a probability with its error, and a width."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.result import Value

CENTRAL = 0.683
"""Share of the events within one resolution."""


def probability(total: float, total_square: float, generated: int) -> Value:
    """Mean weight of all generated decays, from the sums of the weights and of their squares over those selected."""
    mean, mean_square = total / generated, total_square / generated
    return Value(value=mean, error=math.sqrt(max(mean_square - mean * mean, 0.0) / generated))


def acceptance(weights: NDArray[np.float64], generated: int) -> Value:
    """Probability that a generated decay is among the selected ones that have these weights."""
    # columns are in candidate order whatever the shards, so a plain sum does not depend on them
    return probability(float(weights.sum()), float((weights * weights).sum()), generated)


def core_width(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Half the width that holds the central 68.3%: a resolution that is blind to the tails."""
    order = np.argsort(values)
    return central_half_width(values[order], np.cumsum(weights[order]))


def central_half_width(x: NDArray[np.float64], reached: NDArray[np.float64]) -> float:
    """The same of a distribution whose sum up to each x, rising, is `reached`."""
    at = 0.5 * np.array([1.0 - CENTRAL, 1.0 + CENTRAL]) * reached[-1]
    low, high = np.interp(at, reached, x)
    return float(high - low) / 2.0
