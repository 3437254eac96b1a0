"""CHOD: the hodoscopes that trigger on one charged particle."""

from __future__ import annotations

from kaongen.event_block import EFFICIENCY
from kaongen.jit import block_kernel, row


@block_kernel
def trigger(n, probability, fate):
    """Multiply the efficiency by that of the minimum-bias trigger."""
    efficiency = row(fate, EFFICIENCY)
    for j in range(n):
        efficiency[j] *= probability
