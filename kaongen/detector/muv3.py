"""MUV3: the muon detector behind the iron."""

from __future__ import annotations

from kaongen.event_block import EFFICIENCY, T_MUON_Z
from kaongen.jit import block_kernel, full_width, row


@block_kernel
def signal(n, z, muon, pion, track, fate):
    """Multiply the efficiency by the probability of a signal: of a muon, or of a pion that has not decayed before z."""
    full_width()
    muon_z, efficiency = row(track, T_MUON_Z), row(fate, EFFICIENCY)
    for j in range(n):
        efficiency[j] *= pion if muon_z[j] > z else muon
