"""KTAG: the kaon is recognised by its Cherenkov light; a factor for every event."""

from __future__ import annotations

from kaongen.event_block import EFFICIENCY
from kaongen.jit import block_kernel, row


@block_kernel
def tag(n, probability, fate):
    """Multiply the efficiency by the probability that enough sectors see the kaon."""
    efficiency = row(fate, EFFICIENCY)
    for j in range(n):
        efficiency[j] *= probability
