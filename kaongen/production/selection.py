"""What a selection is: cuts on the measured quantities of a block, and the columns of what passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kaongen.configuration import Candidate
from kaongen.event_block import (
    M2_TRUE,
    R_CDA,
    R_EOP,
    R_KPX,
    R_KPY,
    R_KPZ,
    R_M2,
    R_M2_BEAM,
    R_M2_RICH,
    R_PX,
    R_PY,
    R_PZ,
    R_TRACK,
    R_VX,
    R_VY,
    R_VZ,
    EventBlock,
)
from kaongen.events.columns import Column, FourMomentum, Table
from kaongen.jit import BLOCK, block_kernel
from kaongen.particles import M_K, M_MU, M_PI
from kaongen.production.three_muons_block import (
    S_CDA,
    S_EOP,
    S_FIRST,
    S_KAON,
    S_LEAD,
    S_LEAD_TRUE,
    S_M2,
    S_OTHER,
    S_OTHER_TRUE,
    S_TRACK,
    S_VX,
    S_VY,
    S_VZ,
)


@dataclass(frozen=True)
class CutOutcome:
    """What one cut says to one event.

    name : of the cut. value : what is cut on, in `unit`. limit : the range that passes, None where it is open.
    """

    name: str
    value: float
    unit: str
    limit: tuple[float | None, float | None]
    passed: bool


class Selection(Protocol):
    """Cuts of a search."""

    @property
    def cuts(self) -> Sequence[str]:
        """Names of the cuts, in the order in which they are applied; the first counts what was generated."""
        ...

    def apply(
        self, n: int, event: EventBlock, passed: NDArray[np.int64], counts: NDArray[np.int64], sums: NDArray[np.float64]
    ) -> int:
        """Positions of the events that pass all cuts go into `passed`; returns how many.

        The block holds what is left of the generated decays at the end of the chain. counts and sums, one element for
        each cut but the first, are increased by the events and weights that are left after it.
        """
        ...

    def explain(self, event: EventBlock, j: int) -> list[CutOutcome]:
        """What each cut but the first says to event j of a block, whatever those before it say."""
        ...


def _measured(track: str) -> tuple[tuple[int, str, str, str], ...]:
    """Rows of the reconstruction, and the float32 columns that they become."""
    return (
        (R_KPX, "kaon_px", "GeV", "momentum of the kaon measured by GTK, x"),
        (R_KPY, "kaon_py", "GeV", "momentum of the kaon measured by GTK, y"),
        (R_KPZ, "kaon_pz", "GeV", "momentum of the kaon measured by GTK, z"),
        (R_PX, f"{track}_px", "GeV", f"momentum of the {track} candidate measured by STRAW, x"),
        (R_PY, f"{track}_py", "GeV", f"momentum of the {track} candidate measured by STRAW, y"),
        (R_PZ, f"{track}_pz", "GeV", f"momentum of the {track} candidate measured by STRAW, z"),
        (R_VX, "vertex_x", "m", "reconstructed vertex, x"),
        (R_VY, "vertex_y", "m", "reconstructed vertex, y"),
        (R_VZ, "vertex_z", "m", "reconstructed vertex, z from the target"),
        (R_CDA, "cda", "m", f"closest approach of kaon and {track} candidate"),
        (R_M2, "m2_miss", "GeV^2", f"missing mass squared (P_K - P)^2 of the {track} candidate"),
        (R_M2_BEAM, "m2_miss_beam", "GeV^2", "missing mass squared with the beam's average momentum for the kaon's"),
        (R_M2_RICH, "m2_miss_rich", "GeV^2", "missing mass squared with the momentum that the RICH gives a pion"),
        (
            R_TRACK,
            "gtk_track",
            "",
            "truth of the GTK track taken for the kaon's: 0 its own, 1, 2, ... another particle's",
        ),
        (R_EOP, "eop", "", "energy in the LKr over momentum"),
        (M2_TRUE, "m2_miss_true", "GeV^2", "missing mass squared of the generated decay"),
    )


_ORDERED = {
    1: "the positive muon with the larger energy in the rest frame of the measured kaon",
    2: "the other positive muon",
    3: "the negative muon",
}

_THREE_MUONS = (
    *((S_KAON + i, f"kaon_p{x}", "GeV", f"momentum of the kaon measured by GTK, {x}") for i, x in enumerate("xyz")),
    *(
        (S_FIRST + 3 * (number - 1) + i, f"muon{number}_p{x}", "GeV", f"momentum measured by STRAW of {text}, {x}")
        for number, text in _ORDERED.items()
        for i, x in enumerate("xyz")
    ),
    (S_VX, "vertex_x", "m", "point closest to the three tracks, x"),
    (S_VY, "vertex_y", "m", "point closest to the three tracks, y"),
    (S_VZ, "vertex_z", "m", "point closest to the three tracks, z from the target"),
    (S_CDA, "cda", "m", "distance of the kaon's track from that point"),
    (S_LEAD, "m_mumu_lead", "GeV", "mass of muon1 and muon3"),
    (S_OTHER, "m_mumu_other", "GeV", "mass of muon2 and muon3"),
    (S_M2, "m2_miss", "GeV^2", "missing mass squared of the kaon and the three muons"),
    (S_TRACK, "gtk_track", "", "truth of the GTK track taken for the kaon's: 0 its own, 1, 2, ... another particle's"),
    (S_EOP, "eop", "", "largest energy in the LKr over momentum of the three"),
    (S_LEAD_TRUE, "m_mumu_lead_true", "GeV", "mass of the pair of muon1 and muon3 as it was generated"),
    (S_OTHER_TRUE, "m_mumu_other_true", "GeV", "mass of the pair of muon2 and muon3 as it was generated"),
)
"""What is stored of three muons. Masses are computed before the momenta are rounded to float32."""


_IDENTITY = (
    Column("index", "uint64", "", "candidate number: the event's identity, from which it can be made again"),
    Column("weight", "float64", "", "probability to be seen, times the bound's excess where there was one"),
    Column("component", "uint8", "", "which decay of the sample's mixture it is; 0 in a sample of one decay"),
)


def _table(rows: Sequence[tuple[int, str, str, str]], masses: Mapping[str, float]) -> Table:
    return Table(
        columns=(*_IDENTITY, *(Column(name, "float32", unit, text) for _, name, unit, text in rows)),
        momenta=tuple(
            FourMomentum(name, f"{name}_px", f"{name}_py", f"{name}_pz", mass_GeV=mass) for name, mass in masses.items()
        ),
    )


TABLES: dict[Candidate, Table] = {
    "muon": _table(_measured("muon"), {"kaon": M_K, "muon": M_MU}),
    "pion": _table(_measured("pion"), {"kaon": M_K, "pion": M_PI}),
    "three muons": _table(_THREE_MUONS, {"kaon": M_K, "muon1": M_MU, "muon2": M_MU, "muon3": M_MU}),
}
"""Columns of an event file, for each candidate that a selection looks for. Truth beyond the missing mass, and the
masses of pairs, is not stored: the index makes it again."""

MEASURED_ROWS = np.array([number for number, _, _, _ in _measured("muon")])
THREE_MUON_ROWS = np.array([number for number, _, _, _ in _THREE_MUONS])
"""Rows of the reconstruction behind the float32 columns, in their order: of a single track and of three."""


@block_kernel
def gather(k, passed, rows, source, start, columns):  # type: ignore[no-untyped-def]
    """Copy the rows of a block at the passed positions into float32 columns from `start`."""
    for c in range(rows.size):
        offset = rows[c] * BLOCK
        for i in range(k):
            columns[c, start + i] = np.float32(source[offset + passed[i]])
