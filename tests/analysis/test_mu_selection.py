"""The selection of a single muon against the cuts of the paper, written out in numpy."""

import numpy as np
import pytest

from kaongen.analysis.mu_selection import MuonSelection
from kaongen.event_block import R_CDA, R_COS, R_EOP, R_PX, R_PY, R_PZ, R_VZ, EventBlock
from kaongen.jit import BLOCK, row


def block(n, seed):
    """Measured quantities around all cuts."""
    rng = np.random.default_rng(seed)
    event = EventBlock(2)
    ranges = {
        R_PX: (-1, 1),
        R_PY: (-1, 1),
        R_PZ: (0, 90),
        R_EOP: (0, 0.3),
        R_CDA: (0, 0.01),
        R_VZ: (100, 190),
        R_COS: (-1, 1),
    }
    for number, (low, high) in ranges.items():
        row(event.reco, number)[:n] = rng.uniform(low, high, n)
    event.weight[:n] = np.where(rng.random(n) < 0.3, 0.0, rng.random(n))
    return event


def reference(n, event):
    """Which events are left after each cut of NA62, Phys. Lett. B 816 (2021) 136259, section 2.

    5 < p < 70 GeV, E/p < 0.2, d < 7 mm, a vertex in the 75 m behind 105 m, 8 to 35 m from their start.
    """
    px, py, pz, eop, cda, z, cosine = (
        row(event.reco, k)[:n] for k in (R_PX, R_PY, R_PZ, R_EOP, R_CDA, R_VZ, R_COS)
    )  # fmt: skip
    p = np.sqrt(px**2 + py**2 + pz**2)
    cuts = [
        event.weight[:n] > 0.0,
        (p >= 5.0) & (p <= 70.0),
        eop < 0.2,
        cda < 0.007,
        (z - 105.0 >= np.interp(cosine, [-1.0, 1.0], [8.0, 35.0])) & (z <= 180.0),
    ]
    return np.logical_and.accumulate(cuts)


@pytest.mark.parametrize("n", [0, 1, 7, BLOCK])
def test_cuts_are_those_of_the_paper(n):
    event, selection = block(n, seed=n), MuonSelection()
    passed, counts, sums = np.full(BLOCK, -1), np.zeros(5, dtype=np.int64), np.zeros(5)
    k = selection.apply(n, event, passed, counts, sums)
    left = reference(n, event)
    assert list(passed[:k]) == list(np.flatnonzero(left[-1]))
    assert list(counts) == [np.count_nonzero(cut) for cut in left]
    # the first counts what was generated, which a block no longer holds
    assert len(selection.cuts) == 1 + len(counts)
    assert sums == pytest.approx([event.weight[:n][cut].sum() for cut in left], rel=1e-12)


def test_counts_are_added_to_what_was_there():
    event, selection = block(100, seed=3), MuonSelection()
    passed, counts, sums = np.empty(BLOCK, dtype=np.int64), np.zeros(5, dtype=np.int64), np.zeros(5)
    selection.apply(100, event, passed, counts, sums)
    once = counts.copy(), sums.copy()
    selection.apply(100, event, passed, counts, sums)
    assert list(counts) == list(2 * once[0])
    assert sums == pytest.approx(2 * once[1], rel=1e-12)


def test_a_selection_of_one_s_own_numbers():
    event = block(BLOCK, seed=4)
    passed, counts, sums = np.empty(BLOCK, dtype=np.int64), np.zeros(5, dtype=np.int64), np.zeros(5)
    wide = MuonSelection(momentum=(0.0, 1e3), eop_max=10.0, cda_max=1.0, volume=(0.0, 1e3), vertex_distance=(0.0, 0.0))
    assert wide.apply(BLOCK, event, passed, counts, sums) == np.count_nonzero(event.weight[:BLOCK] > 0.0)
