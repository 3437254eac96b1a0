"""RICH: muons below 30 GeV must look like muons; pions that have not decayed yet do so rarely."""

from __future__ import annotations

from kaongen.event_block import EFFICIENCY, T_MUON_Z, T_P
from kaongen.jit import block_kernel, full_width, row

# layout of the `response` array: z of the mirror (m), where identification applies and the pion threshold (GeV),
# efficiency for muons, probability that a pion's ring is taken for a muon's
MIRROR_Z, USED_BELOW, PION_THRESHOLD, MUON, PION_AS_MUON = range(5)


@block_kernel
def identify(n, response, track, fate):
    """Multiply the efficiency by the probability to be identified as a muon.

    Below the pion's threshold there is no ring that could tell the two apart.
    """
    full_width()
    p, muon_z, efficiency = row(track, T_P), row(track, T_MUON_Z), row(fate, EFFICIENCY)
    mirror, limit, threshold = response[MIRROR_Z], response[USED_BELOW], response[PION_THRESHOLD]
    muon, pion = response[MUON], response[PION_AS_MUON]
    for j in range(n):
        ring = (muon_z[j] > mirror) & (p[j] > threshold)
        used = pion if ring else muon
        efficiency[j] *= used if p[j] < limit else 1.0
