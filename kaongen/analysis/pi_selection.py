"""The selection of a single pion of NA62, JHEP 03 (2021) 058, section 3, as far as the model carries it.

Vetoes, identification and matching are in the weight; what is left are cuts on measured quantities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kaongen.event_block import (
    R_CDA,
    R_M2,
    R_M2_BEAM,
    R_M2_RICH,
    R_PX,
    R_PY,
    R_PZ,
    R_VX,
    R_VY,
    R_VZ,
    EventBlock,
)
from kaongen.jit import block_kernel, row
from kaongen.papers import na62_pix as paper

# layout of the `limits` array
P_MIN, P_MAX, CDA_MAX, Z_START, Z_END, BOX_Z, BOX_X, BOX_Y = range(8)
# columns of a row of the `regions` array
PR_MIN, PR_MAX, M2_MIN, M2_MAX, RICH_MIN, RICH_MAX, BEAM_MIN, BEAM_MAX = range(8)


@block_kernel
def _select(n, limits, regions, weight, reco, passed, counts, sums):  # type: ignore[no-untyped-def]
    px, py, pz = row(reco, R_PX), row(reco, R_PY), row(reco, R_PZ)
    x, y, z, cda = row(reco, R_VX), row(reco, R_VY), row(reco, R_VZ), row(reco, R_CDA)
    m2, m2_beam, m2_rich = row(reco, R_M2), row(reco, R_M2_BEAM), row(reco, R_M2_RICH)
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
        if cda[j] >= limits[CDA_MAX]:
            continue
        counts[2] += 1
        sums[2] += w
        if z[j] < limits[Z_START] or z[j] > limits[Z_END]:
            continue
        counts[3] += 1
        sums[3] += w
        # back along the track to the final collimator
        back = limits[BOX_Z] - z[j]
        at_x, at_y = x[j] + px[j] / pz[j] * back, y[j] + py[j] / pz[j] * back
        if abs(at_x) < limits[BOX_X] and abs(at_y) < limits[BOX_Y]:
            continue
        counts[4] += 1
        sums[4] += w
        inside = regions.shape[0] == 0
        for r in range(regions.shape[0]):
            limit = regions[r]
            inside |= (
                (limit[PR_MIN] * limit[PR_MIN] <= p2 < limit[PR_MAX] * limit[PR_MAX])
                & (limit[M2_MIN] < m2[j] < limit[M2_MAX])
                & (limit[BEAM_MIN] < m2_beam[j] < limit[BEAM_MAX])
                & (limit[RICH_MIN] < m2_rich[j] < limit[RICH_MAX])
            )
        if not inside:
            continue
        counts[5] += 1
        sums[5] += w
        passed[k] = j
        k += 1
    return k


@dataclass(frozen=True)
class PionSelection:
    """One positive pion and nothing else.

    momentum (GeV), closest approach (m), volume (m); box : z of the final collimator and the half sizes in x and y (m)
    inside which a track must not point; regions : for each, the limits of the momentum (GeV), of the missing mass squared
    (GeV^2), of that with the RICH's momentum, and of that with the beam's average; without any, all masses pass.
    """

    momentum: tuple[float, float] = (15.0, 35.0)
    cda_max: float = 0.004
    volume: tuple[float, float] = (105.0, 165.0)
    box: tuple[float, float, float] = (101.8, 0.1, 0.5)
    regions: tuple[tuple[float, ...], ...] = ()

    cuts = ("generated", "seen in all detectors", "momentum", "closest approach", "vertex", "box", "signal regions")

    def apply(
        self, n: int, event: EventBlock, passed: NDArray[np.int64], counts: NDArray[np.int64], sums: NDArray[np.float64]
    ) -> int:
        limits = np.array([*self.momentum, self.cda_max, *self.volume, *self.box])
        regions = np.array(self.regions, dtype=np.float64).reshape(-1, 8)
        return int(_select(n, limits, regions, event.weight, event.reco, passed, counts, sums))


REGION_1 = tuple(
    (*momentum, *paper.REGION_1, *rich, *beam)
    for momentum, rich, beam in zip(paper.MOMENTUM_BINS, paper.REGION_1_RICH, paper.REGION_1_BEAM, strict=True)
)
REGION_2 = ((*paper.PION_MOMENTUM, *paper.REGION_2, *paper.REGION_2_RICH, *paper.REGION_2_BEAM),)
"""The signal regions, as rows of `PionSelection.regions`."""
