"""The end of the chain: probabilities become the event's weight, or a yes or no."""

from __future__ import annotations

import numpy as np

from kaongen.event_block import ACCEPTANCE, EFFICIENCY, SURVIVAL
from kaongen.jit import block_kernel, full_width, row
from kaongen.random import DECISION, draw, uniform

_DRAW = np.uint64(0)


@block_kernel
def weigh(n, multiplicity, fate, weight):
    """Multiply the weight by the probability that the event is seen with nothing besides."""
    full_width()
    inside, efficiency, survival = row(fate, ACCEPTANCE), row(fate, EFFICIENCY), row(fate, SURVIVAL)
    for j in range(n):
        weight[j] *= multiplicity * inside[j] * efficiency[j] * survival[j]


@block_kernel
def decide(n, key, multiplicity, index, fate, weight):
    """Accept or reject: the weight becomes 0 or the multiplicity."""
    full_width()
    inside, efficiency, survival = row(fate, ACCEPTANCE), row(fate, EFFICIENCY), row(fate, SURVIVAL)
    for j in range(n):
        word, _, _, _ = draw(key, index[j], DECISION, _DRAW)
        seen = uniform(word) < inside[j] * efficiency[j] * survival[j]
        weight[j] = weight[j] * multiplicity if seen else 0.0
