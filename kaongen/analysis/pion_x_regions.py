"""The signal regions of K+ -> pi+ X, from the columns of event files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.pi_selection import (
    BEAM_MAX,
    BEAM_MIN,
    M2_MAX,
    M2_MIN,
    PR_MAX,
    PR_MIN,
    REGION_1,
    REGION_2,
    RICH_MAX,
    RICH_MIN,
    PionSelection,
)
from kaongen.papers import na62_pix as paper
from kaongen.particles import Measured
from kaongen.searches.base import stepped
from kaongen.searches.pion_x import PionX

Columns = Mapping[str, NDArray[Any]]
Mask = NDArray[np.bool_]

TRACK = ("pion_px", "pion_py", "pion_pz", "vertex_x", "vertex_y", "vertex_z")
NEEDS = (*TRACK, "m2_miss", "m2_miss_beam", "m2_miss_rich")
"""Columns that the regions are made of."""


@dataclass(frozen=True)
class Region:
    """A signal region.

    low, high : of m2_miss, GeV^2; rows : limits of all missing masses, as in `PionSelection.regions`; background :
    expected events, all contributions; pinunu, upstream, other : the contributions.
    """

    number: int
    low: float
    high: float
    rows: tuple[tuple[float, ...], ...]
    background: Measured
    pinunu: Measured
    upstream: Measured
    other: Measured

    @property
    def name(self) -> str:
        """For tables."""
        return f"region {self.number}"

    def contains(self, columns: Columns) -> Mask:
        """Which events are in the region: not in the box of the collimator, and within all limits."""
        return outside_box(columns) & self.within(columns)

    def within(self, columns: Columns) -> Mask:
        """Which events have the momentum and the missing masses of the region, wherever the track points."""
        px, py, pz = (columns[name].astype(np.float64) for name in TRACK[:3])
        p2 = px * px + py * py + pz * pz
        inside = np.zeros(len(p2), dtype=np.bool_)
        for row in self.rows:
            inside |= (
                (p2 >= row[PR_MIN] ** 2)
                & (p2 < row[PR_MAX] ** 2)
                & _between(columns["m2_miss"], row[M2_MIN], row[M2_MAX])
                & _between(columns["m2_miss_beam"], row[BEAM_MIN], row[BEAM_MAX])
                & _between(columns["m2_miss_rich"], row[RICH_MIN], row[RICH_MAX])
            )
        return inside

    def masses(self, settings: PionX) -> list[float]:
        """The hypotheses that are tried in this region, GeV."""
        ends = settings.masses_1 if self.number == 1 else settings.masses_2
        return list(stepped(*ends, settings.mass_step))

    def events(self, settings: PionX) -> NDArray[np.float64]:
        """Squared missing masses of the observed events in this region, GeV^2."""
        m2 = np.array(settings.events, dtype=np.float64) ** 2
        return np.asarray(m2[_between(m2, self.low, self.high)])


REGIONS = (
    Region(
        1, *paper.REGION_1, REGION_1, paper.BACKGROUND_TOTAL[0], paper.EXPECTED_1,
        paper.UPSTREAM[0], paper.OTHER_KAON_DECAYS[0],
    ),
    Region(
        2, *paper.REGION_2, REGION_2, paper.BACKGROUND_TOTAL[1], paper.EXPECTED_2,
        paper.UPSTREAM[1], paper.OTHER_KAON_DECAYS[1],
    ),
)  # fmt: skip
"""With the published backgrounds."""


def outside_box(columns: Columns) -> Mask:
    """Which tracks do not point into the opening of the final collimator."""
    box_z, box_x, box_y = PionSelection().box
    px, py, pz, x, y, z = (columns[name].astype(np.float64) for name in TRACK)
    back = box_z - z
    return np.asarray((np.abs(x + px / pz * back) >= box_x) | (np.abs(y + py / pz * back) >= box_y))


def _between(values: NDArray[Any], low: float, high: float) -> Mask:
    return np.asarray((values > low) & (values < high))
