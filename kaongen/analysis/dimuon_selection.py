"""The selection of three muons of K+ -> mu+ nu mu+ mu-.

No search has been published: the cuts are those on a single muon of NA62, Phys. Lett. B 816 (2021) 136259, for each of
the three, and a common vertex with the kaon. Identification and matching are in the weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kaongen.errors import EventFileError
from kaongen.event_block import EventBlock
from kaongen.jit import BLOCK, block_kernel, row
from kaongen.production.selection import CutOutcome
from kaongen.production.three_muons_block import (
    S_CDA,
    S_EOP,
    S_P_LARGEST,
    S_P_LEAST,
    S_P_SUM,
    S_VZ,
    ThreeMuonBlock,
)

# layout of the `limits` array
P_MIN, P_MAX, SUM_MAX, EOP_MAX, CDA_MAX, Z_START, Z_END = range(7)


@block_kernel
def _select(n, limits, weight, three, passed, counts, sums):  # type: ignore[no-untyped-def]
    least, largest, total = row(three, S_P_LEAST), row(three, S_P_LARGEST), row(three, S_P_SUM)
    eop, cda, z = row(three, S_EOP), row(three, S_CDA), row(three, S_VZ)
    k = 0
    for j in range(n):
        w = weight[j]
        if w <= 0.0:
            continue
        counts[0] += 1
        sums[0] += w
        if least[j] < limits[P_MIN] or largest[j] > limits[P_MAX]:
            continue
        counts[1] += 1
        sums[1] += w
        if total[j] > limits[SUM_MAX]:
            continue
        counts[2] += 1
        sums[2] += w
        if eop[j] >= limits[EOP_MAX]:
            continue
        counts[3] += 1
        sums[3] += w
        if cda[j] >= limits[CDA_MAX]:
            continue
        counts[4] += 1
        sums[4] += w
        if z[j] < limits[Z_START] or z[j] > limits[Z_END]:
            continue
        counts[5] += 1
        sums[5] += w
        passed[k] = j
        k += 1
    return k


@dataclass(frozen=True)
class ThreeMuonSelection:
    """Two positive muons and a negative one from one vertex on the kaon's track.

    momentum : of each (GeV). total_momentum : largest of their sum (GeV). eop_max : largest E/p. cda_max : largest
    distance of the kaon's track from the vertex (m). volume : z of the vertex (m).
    """

    momentum: tuple[float, float] = (5.0, 70.0)
    total_momentum: float = 78.0
    eop_max: float = 0.2
    cda_max: float = 0.007
    volume: tuple[float, float] = (105.0, 180.0)

    cuts = (
        "generated",
        "three seen in all detectors",
        "momentum",
        "total momentum",
        "E/p",
        "closest approach",
        "vertex",
    )

    def apply(
        self, n: int, event: EventBlock, passed: NDArray[np.int64], counts: NDArray[np.int64], sums: NDArray[np.float64]
    ) -> int:
        limits = np.array([*self.momentum, self.total_momentum, self.eop_max, self.cda_max, *self.volume])
        return int(_select(n, limits, event.weight, _three(event), passed, counts, sums))

    def explain(self, event: EventBlock, j: int) -> list[CutOutcome]:
        """The cuts on event j of a block, each by itself: also those behind one that it fails."""
        measured = [float(x) for x in _three(event)[j::BLOCK]]
        low, high = self.momentum
        first, last = self.volume
        least, largest, total = measured[S_P_LEAST], measured[S_P_LARGEST], measured[S_P_SUM]
        weight, eop, cda, z = float(event.weight[j]), measured[S_EOP], measured[S_CDA], measured[S_VZ]
        _, seen, momentum, summed, energy, closest, vertex = self.cuts
        return [
            CutOutcome(seen, weight, "", (0.0, None), weight > 0.0),
            CutOutcome(momentum, least, "GeV", self.momentum, low <= least and largest <= high),
            CutOutcome(summed, total, "GeV", (None, self.total_momentum), total <= self.total_momentum),
            CutOutcome(energy, eop, "", (None, self.eop_max), eop < self.eop_max),
            CutOutcome(closest, cda, "m", (None, self.cda_max), cda < self.cda_max),
            CutOutcome(vertex, z, "m", self.volume, first <= z <= last),
        ]


def _three(event: EventBlock) -> NDArray[np.float64]:
    if not isinstance(event, ThreeMuonBlock):
        raise EventFileError("three muons are selected from events of a detector that looks for three muons")
    return event.three
