"""What a selection says of each cut, against what its kernel lets pass."""

import numpy as np
import pytest

from kaongen.analysis.mu_selection import MuonSelection
from kaongen.analysis.pi_selection import REGION_1, REGION_2, PionSelection
from kaongen.event_block import (
    R_CDA,
    R_COS,
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
from kaongen.jit import BLOCK, row

SELECTIONS = {
    "muon": MuonSelection(),
    "pion": PionSelection(),
    "region 1": PionSelection(regions=REGION_1),
    "region 2": PionSelection(regions=REGION_2),
}
RANGES = {
    R_PX: (-0.1, 0.1),
    R_PY: (-0.5, 0.5),
    R_PZ: (2.0, 50.0),
    R_EOP: (0.0, 0.25),
    R_CDA: (0.0, 0.008),
    R_VX: (-0.05, 0.15),
    R_VY: (-0.05, 0.05),
    R_VZ: (103.0, 185.0),
    R_COS: (-1.0, 1.0),
    R_M2: (-0.01, 0.08),
    R_M2_BEAM: (-0.01, 0.08),
    R_M2_RICH: (-0.01, 0.08),
}


def block(seed):
    """Measured quantities around all cuts; some events exactly on a limit."""
    rng = np.random.default_rng(seed)
    event = EventBlock(1)
    for number, (low, high) in RANGES.items():
        row(event.reco, number)[:] = rng.uniform(low, high, BLOCK)
    # region 1 is narrow
    for number in (R_M2, R_M2_BEAM, R_M2_RICH):
        row(event.reco, number)[: BLOCK // 2] = rng.uniform(-0.002, 0.012, BLOCK // 2)
    row(event.reco, R_PX)[:50], row(event.reco, R_PY)[:50] = 0.0, 0.0
    row(event.reco, R_PZ)[:50] = np.resize([5.0, 15.0, 35.0, 70.0], 50)
    event.weight[:] = np.where(rng.random(BLOCK) < 0.2, 0.0, rng.random(BLOCK))
    return event


@pytest.mark.parametrize("name", SELECTIONS)
def test_the_cuts_are_those_of_the_kernel(name):
    """All events, and how many are left after each cut."""
    selection, event = SELECTIONS[name], block(seed=len(name))
    cuts = len(selection.cuts) - 1
    passed, counts, sums = np.empty(BLOCK, dtype=np.int64), np.zeros(cuts, dtype=np.int64), np.zeros(cuts)
    k = selection.apply(BLOCK, event, passed, counts, sums)
    said = [selection.explain(event, j) for j in range(BLOCK)]
    left = np.logical_and.accumulate([[cut.passed for cut in one] for one in said], axis=1)
    assert [cut.name for cut in said[0]] == list(selection.cuts[1:])
    assert list(passed[:k]) == list(np.flatnonzero(left[:, -1]))
    assert list(counts) == list(left.sum(axis=0))
    assert 0 < k < counts[0] < BLOCK


@pytest.mark.parametrize("name", SELECTIONS)
def test_what_passes_is_within_its_limit(name):
    """Where a cut is a range of one quantity, it passes exactly what lies in it."""
    selection, event = SELECTIONS[name], block(seed=99)
    for j in range(400):
        for cut in selection.explain(event, j):
            least, most = cut.limit
            inside = (least is None or cut.value >= least) and (most is None or cut.value <= most)
            if cut.name == "seen in all detectors":
                inside = cut.value > 0.0
            if cut.passed:
                assert inside
            elif cut.name != "missing masses":
                assert not inside
