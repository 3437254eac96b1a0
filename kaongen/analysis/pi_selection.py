"""The selection of a single pion of NA62, JHEP 03 (2021) 058, section 3, as far as the model carries it.

Vetoes, identification and matching are in the weight; what is left are cuts on measured quantities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kaongen.event_block import (
    R_CDA,
    R_EOP,
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
from kaongen.jit import BLOCK, block_kernel, row
from kaongen.papers import na62_pix as paper
from kaongen.production.selection import CutOutcome

# layout of the `limits` array
P_MIN, P_MAX, EOP_MAX, CDA_MAX, Z_START, Z_END, BOX_Z, BOX_X, BOX_Y = range(9)
# columns of a row of the `regions` array
PR_MIN, PR_MAX, M2_MIN, M2_MAX, RICH_MIN, RICH_MAX, BEAM_MIN, BEAM_MAX = range(8)


@block_kernel
def _select(n, limits, regions, weight, reco, passed, counts, sums):  # type: ignore[no-untyped-def]
    px, py, pz = row(reco, R_PX), row(reco, R_PY), row(reco, R_PZ)
    x, y, z = row(reco, R_VX), row(reco, R_VY), row(reco, R_VZ)
    eop, cda = row(reco, R_EOP), row(reco, R_CDA)
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
        if eop[j] >= limits[EOP_MAX]:
            continue
        counts[2] += 1
        sums[2] += w
        if cda[j] >= limits[CDA_MAX]:
            continue
        counts[3] += 1
        sums[3] += w
        if z[j] < limits[Z_START] or z[j] > limits[Z_END]:
            continue
        counts[4] += 1
        sums[4] += w
        # back along the track to the final collimator
        back = limits[BOX_Z] - z[j]
        at_x, at_y = x[j] + px[j] / pz[j] * back, y[j] + py[j] / pz[j] * back
        if abs(at_x) < limits[BOX_X] and abs(at_y) < limits[BOX_Y]:
            continue
        counts[5] += 1
        sums[5] += w
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
        counts[6] += 1
        sums[6] += w
        passed[k] = j
        k += 1
    return k


@dataclass(frozen=True)
class PionSelection:
    """One positive pion and nothing else.

    momentum (GeV), E/p (above it is more than a pion leaves, which the paper's classifier rejects), closest approach
    (m), volume (m); box : z of the final collimator and the half sizes in x and y (m) inside which a track must not
    point, but may where they are 0; regions : for each, limits of the momentum (GeV), of the missing mass squared
    (GeV^2), of that with the RICH's momentum, and of that with the beam's average; without any, all masses pass.
    """

    momentum: tuple[float, float] = (15.0, 35.0)
    eop_max: float = 0.95
    cda_max: float = 0.004
    volume: tuple[float, float] = (105.0, 165.0)
    box: tuple[float, float, float] = (101.8, 0.1, 0.5)
    regions: tuple[tuple[float, ...], ...] = ()

    cuts = (
        "generated",
        "seen in all detectors",
        "momentum",
        "E/p",
        "closest approach",
        "vertex",
        "box",
        "missing masses",
    )

    def apply(
        self, n: int, event: EventBlock, passed: NDArray[np.int64], counts: NDArray[np.int64], sums: NDArray[np.float64]
    ) -> int:
        limits = np.array([*self.momentum, self.eop_max, self.cda_max, *self.volume, *self.box])
        regions = np.array(self.regions, dtype=np.float64).reshape(-1, 8)
        return int(_select(n, limits, regions, event.weight, event.reco, passed, counts, sums))

    def explain(self, event: EventBlock, j: int) -> list[CutOutcome]:
        """The cuts on event j of a block, each by itself: also those behind one that it fails.

        box : how far off the axis the track is at the collimator, in half sizes of the box (in m where it has none).
        missing masses : the one with all momenta measured; the others have limits of their own.
        """
        measured = [float(x) for x in event.reco[j::BLOCK]]
        px, py, pz = (measured[number] for number in (R_PX, R_PY, R_PZ))
        p2, m2 = px * px + py * py + pz * pz, measured[R_M2]
        low, high = self.momentum
        weight, cda, z = float(event.weight[j]), measured[R_CDA], measured[R_VZ]
        box_z, box_x, box_y = self.box
        back = box_z - z
        off_x, off_y = abs(measured[R_VX] + px / pz * back), abs(measured[R_VY] + py / pz * back)
        masses = (m2, measured[R_M2_BEAM], measured[R_M2_RICH])
        inside = not self.regions or any(_in_region(region, p2, *masses) for region in self.regions)
        limit = (min(r[M2_MIN] for r in self.regions), max(r[M2_MAX] for r in self.regions)) if self.regions else _ANY
        _, seen, momentum, energy, closest, vertex, box, regions = self.cuts
        return [
            CutOutcome(seen, weight, "", (0.0, None), weight > 0.0),
            CutOutcome(momentum, math.sqrt(p2), "GeV", self.momentum, low * low <= p2 <= high * high),
            CutOutcome(energy, measured[R_EOP], "", (None, self.eop_max), measured[R_EOP] < self.eop_max),
            CutOutcome(closest, cda, "m", (None, self.cda_max), cda < self.cda_max),
            CutOutcome(vertex, z, "m", self.volume, self.volume[0] <= z <= self.volume[1]),
            CutOutcome(box, max(off_x / box_x, off_y / box_y), "", (1.0, None), off_x >= box_x or off_y >= box_y)
            if box_x > 0.0 and box_y > 0.0
            else CutOutcome(box, max(off_x, off_y), "m", _ANY, True),
            CutOutcome(regions, m2, "GeV²", limit, inside),
        ]


_ANY = (None, None)


def _in_region(region: tuple[float, ...], p2: float, m2: float, m2_beam: float, m2_rich: float) -> bool:
    return (
        region[PR_MIN] * region[PR_MIN] <= p2 < region[PR_MAX] * region[PR_MAX]
        and region[M2_MIN] < m2 < region[M2_MAX]
        and region[BEAM_MIN] < m2_beam < region[BEAM_MAX]
        and region[RICH_MIN] < m2_rich < region[RICH_MAX]
    )


REGION_1 = tuple(
    (*momentum, *paper.REGION_1, *rich, *beam)
    for momentum, rich, beam in zip(paper.MOMENTUM_BINS, paper.REGION_1_RICH, paper.REGION_1_BEAM, strict=True)
)
REGION_2 = ((*paper.PION_MOMENTUM, *paper.REGION_2, *paper.REGION_2_RICH, *paper.REGION_2_BEAM),)
"""The signal regions, as rows of `PionSelection.regions`."""
