"""The selection of a single muon of NA62, Phys. Lett. B 816 (2021) 136259, section 2, as far as the model carries it.

Vetoes, identification and matching are in the weight; what is left are cuts on measured quantities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kaongen.event_block import R_CDA, R_COS, R_EOP, R_PX, R_PY, R_PZ, R_VZ, EventBlock
from kaongen.jit import BLOCK, block_kernel, row
from kaongen.production.selection import CutOutcome

# layout of the `limits` array
P_MIN, P_MAX, EOP_MAX, CDA_MAX, Z_START, Z_END, NEAR, FAR = range(8)


@block_kernel
def _select(n, limits, weight, reco, passed, counts, sums):  # type: ignore[no-untyped-def]
    px, py, pz = row(reco, R_PX), row(reco, R_PY), row(reco, R_PZ)
    eop, cda, z, cosine = row(reco, R_EOP), row(reco, R_CDA), row(reco, R_VZ), row(reco, R_COS)
    low2, high2 = limits[P_MIN] * limits[P_MIN], limits[P_MAX] * limits[P_MAX]
    k = 0
    for j in range(n):
        w = weight[j]
        if w <= 0.0:
            continue
        counts[0] += 1
        sums[0] += w
        p2 = px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j]
        if p2 < low2 or p2 > high2:
            continue
        counts[1] += 1
        sums[1] += w
        if eop[j] >= limits[EOP_MAX]:
            continue
        counts[2] += 1
        sums[2] += w
        if cda[j] >= limits[CDA_MAX]:
            continue
        counts[3] += 1
        sums[3] += w
        # the closer the muon is to the kaon's direction, the farther from the start the vertex must be
        least = limits[NEAR] + (limits[FAR] - limits[NEAR]) * 0.5 * (1.0 + cosine[j])
        if z[j] < limits[Z_START] + least or z[j] > limits[Z_END]:
            continue
        counts[4] += 1
        sums[4] += w
        passed[k] = j
        k += 1
    return k


@dataclass(frozen=True)
class MuonSelection:
    """One positive muon and nothing else.

    momentum (GeV), E/p, closest approach (m), volume (m) and the least distances of the vertex from its start (m),
    for muons against and along the kaon's direction in its rest frame: the paper gives 8 to 35 m; that it is
    linear in the cosine is assumed here.
    """

    momentum: tuple[float, float] = (5.0, 70.0)
    eop_max: float = 0.2
    cda_max: float = 0.007
    volume: tuple[float, float] = (105.0, 180.0)
    vertex_distance: tuple[float, float] = (8.0, 35.0)

    cuts = ("generated", "seen in all detectors", "momentum", "E/p", "closest approach", "vertex")

    def apply(
        self, n: int, event: EventBlock, passed: NDArray[np.int64], counts: NDArray[np.int64], sums: NDArray[np.float64]
    ) -> int:
        limits = np.array([*self.momentum, self.eop_max, self.cda_max, *self.volume, *self.vertex_distance])
        return int(_select(n, limits, event.weight, event.reco, passed, counts, sums))

    def explain(self, event: EventBlock, j: int) -> list[CutOutcome]:
        """The cuts on event j of a block, each by itself: also those behind one that it fails."""
        measured = [float(x) for x in event.reco[j::BLOCK]]
        p2 = sum(measured[number] * measured[number] for number in (R_PX, R_PY, R_PZ))
        low, high = self.momentum
        near, far = self.vertex_distance
        first = self.volume[0] + (near + (far - near) * 0.5 * (1.0 + measured[R_COS]))
        last = self.volume[1]
        weight, eop, cda, z = float(event.weight[j]), measured[R_EOP], measured[R_CDA], measured[R_VZ]
        _, seen, momentum, energy, closest, vertex = self.cuts
        return [
            CutOutcome(seen, weight, "", (0.0, None), weight > 0.0),
            CutOutcome(momentum, math.sqrt(p2), "GeV", self.momentum, low * low <= p2 <= high * high),
            CutOutcome(energy, eop, "", (None, self.eop_max), eop < self.eop_max),
            CutOutcome(closest, cda, "m", (None, self.cda_max), cda < self.cda_max),
            CutOutcome(vertex, z, "m", (first, last), first <= z <= last),
        ]
