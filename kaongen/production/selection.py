"""What a selection is: cuts on the measured quantities of a block, and the columns of what passes."""

from __future__ import annotations

from collections.abc import Sequence
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


def _table(track: Candidate, mass: float) -> Table:
    return Table(
        columns=(
            Column("index", "uint64", "", "candidate number: the event's identity, from which it can be made again"),
            Column("weight", "float64", "", "probability to be seen, times the bound's excess where there was one"),
            Column("component", "uint8", "", "which decay of the sample's mixture it is; 0 in a sample of one decay"),
            *(Column(name, "float32", unit, text) for _, name, unit, text in _measured(track)),
        ),
        momenta=(
            FourMomentum("kaon", "kaon_px", "kaon_py", "kaon_pz", mass_GeV=M_K),
            FourMomentum(track, f"{track}_px", f"{track}_py", f"{track}_pz", mass_GeV=mass),
        ),
    )


TABLES: dict[Candidate, Table] = {"muon": _table("muon", M_MU), "pion": _table("pion", M_PI)}
"""Columns of an event file, for each candidate that a selection looks for. Truth beyond the missing mass is not
stored: the index makes it again."""

MEASURED_ROWS = np.array([number for number, _, _, _ in _measured("muon")])
"""Rows of the reconstruction behind the float32 columns, in their order."""


@block_kernel
def gather(k, passed, rows, source, start, columns):  # type: ignore[no-untyped-def]
    """Copy the rows of a block at the passed positions into float32 columns from `start`."""
    for c in range(rows.size):
        offset = rows[c] * BLOCK
        for i in range(k):
            columns[c, start + i] = np.float32(source[offset + passed[i]])
