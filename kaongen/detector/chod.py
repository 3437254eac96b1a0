"""CHOD: both hodoscopes see the candidate."""

from __future__ import annotations

from kaongen.event_block import EFFICIENCY
from kaongen.jit import block_kernel, row


@block_kernel
def see(n, probability, fate):
    """Multiply the efficiency by that of a match of the track in tiles and slabs."""
    efficiency = row(fate, EFFICIENCY)
    for j in range(n):
        efficiency[j] *= probability
