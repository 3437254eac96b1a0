"""What the candidate is at a plane, and tables of the probability to be identified, against its momentum.

RICH and calorimeters differ in how their tables come about; the kernel that reads them is one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kaongen.event_block import EFFICIENCY, T_ELECTRON_Z, T_END_P, T_KINK_Z, T_MUON_Z, T_P
from kaongen.jit import block_kernel, full_width, row, scalar_kernel
from kaongen.particles import M_E, M_MU, M_PI

PION, MUON, ELECTRON = range(3)
"""What the candidate is, and the rows of a table."""
MASSES = (M_PI, M_MU, M_E)

# Tables are sampled on a common grid of the momentum, so that a look-up needs no search.
GRID_POINTS = 1024
GRID_STEP = 0.1
"""Of the momentum, in GeV; beyond the end of the grid the last value holds."""

AVERAGED = (15.0, 35.0)
"""Momenta in GeV over which NA62 states averages of the identification of pions."""


def momentum_grid() -> NDArray[np.float64]:
    return GRID_STEP * np.arange(GRID_POINTS, dtype=np.float64)


@scalar_kernel
def species_at(z, muon_z, electron_z):  # type: ignore[no-untyped-def]
    """PION, MUON or ELECTRON at z (m), from the z of the decays that made it so."""
    return ELECTRON if electron_z < z else (MUON if muon_z < z else PION)


@scalar_kernel
def momentum_at(z, kink_z, p, end_p):  # type: ignore[no-untyped-def]
    """Momentum at z (m): `p` before the decay at `kink_z` (m), `end_p` behind it."""
    return end_p if kink_z < z else p


@scalar_kernel
def look_up(column, p):  # type: ignore[no-untyped-def]
    """Value of one row of a table at momentum p (GeV), interpolated."""
    at = min(p * (1.0 / GRID_STEP), GRID_POINTS - 1.001)
    below = np.int64(at)
    part = at - np.float64(below)
    return column[below] + part * (column[below + 1] - column[below])


@block_kernel
def identify(n, z, used_below, table, track, fate):  # type: ignore[no-untyped-def]
    """Multiply the efficiency by the probability to be taken for what the search looks for.

    z : of the detector (m). used_below : momentum from which on it is not asked (GeV). table : (3, GRID_POINTS), for a
    pion, muon and electron.
    """
    full_width()
    p, end_p, kink_z = row(track, T_P), row(track, T_END_P), row(track, T_KINK_Z)
    muon_z, electron_z = row(track, T_MUON_Z), row(track, T_ELECTRON_Z)
    efficiency = row(fate, EFFICIENCY)
    flat = table.reshape(-1)
    for j in range(n):
        species = species_at(z, muon_z[j], electron_z[j])
        momentum = momentum_at(z, kink_z[j], p[j], end_p[j])
        at = min(momentum * (1.0 / GRID_STEP), GRID_POINTS - 1.001)
        below = np.int64(at)
        part = at - np.float64(below)
        below += species * GRID_POINTS
        likely = flat[below] + part * (flat[below + 1] - flat[below])
        efficiency[j] *= likely if momentum < used_below else 1.0
