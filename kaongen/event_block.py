"""The columns of a block of events as it goes through beam, detector and reconstruction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaongen.decays.workspace import VERTEX_X, VERTEX_Y, VERTEX_Z, DecayBlock
from kaongen.jit import BLOCK, block_kernel, row

# Rows of `beam`: the kaon's momentum (GeV) and the vertex where it decays (m).
K_PX, K_PY, K_PZ, K_E = range(4)
K_X, K_Y, K_Z = VERTEX_X, VERTEX_Y, VERTEX_Z
# What scattering in the last station of the GTK added to the slopes of the kaon: the GTK measured it before that.
K_DX, K_DY = 7, 8
BEAM_ROWS = 9

# Rows of `track`: the candidate as it enters the spectrometer: charge, momentum (GeV), a point of its line (m), and
# the z from which it is a muon and an electron (m): FROM_START if it was one from the start, infinite for never.
T_CHARGE, T_P, T_PX, T_PY, T_PZ, T_X, T_Y, T_Z, T_MUON_Z, T_ELECTRON_Z = range(10)
# A decay behind the first chamber: its z (m, infinite if there is none) and the momentum from there on (GeV, without
# the kick of the magnet); and the momentum with which it comes to the RICH and beyond, which is T_P otherwise.
T_KINK_Z, T_QX, T_QY, T_QZ, T_END_P = range(10, 15)
# Where it crosses the four chambers and what lies behind them (m).
T_X1, T_Y1, T_X2, T_Y2, T_X3, T_Y3, T_X4, T_Y4 = range(15, 23)
T_RICH_X, T_RICH_Y, T_TILE_X, T_TILE_Y, T_SLAB_X, T_SLAB_Y, T_LKR_X, T_LKR_Y, T_MUV3_X, T_MUV3_Y = range(23, 33)
T_LKR_ENERGY = 33
TRACK_ROWS = 34

FROM_START = -1.0
"""In T_MUON_Z and T_ELECTRON_Z: it was one from the vertex on."""

# Rows of `reco`: what is measured. Kaon and candidate momenta (GeV), positions of the kaon at GTK3 and of the candidate
# at the first chamber (m), the vertex and the closest approach of the two (m), missing mass squared (GeV^2), E/p.
R_KPX, R_KPY, R_KPZ, R_KX, R_KY, R_PX, R_PY, R_PZ, R_X, R_Y, R_VX, R_VY, R_VZ, R_CDA, R_M2, R_EOP, R_COS = range(17)
# Truth of the missing mass; which GTK track was taken (0 the kaon's own, 1, 2, ... one of the pile-up) and its time
# from that of KTAG (ns); the missing mass squared with the beam's average instead of GTK, and with the RICH's momentum.
M2_TRUE, R_TRACK, R_DT, R_M2_BEAM, R_M2_RICH = range(17, 22)
RECO_ROWS = 22

# Rows of `fate`: whether the candidate is inside every acceptance (0 or 1), the probability that everything which
# should give a signal did, and the probability that nothing else gave one.
ACCEPTANCE, EFFICIENCY, SURVIVAL = range(3)
FATE_ROWS = 3


_MOMENTUM = np.arange(4)
_PLACE = np.array([K_X, K_Y, K_Z])
_BEAM = np.array([r for r in range(BEAM_ROWS) if r != K_E])
# what is read behind the acceptance; the charge is the same for all
_TRACK = np.array([*range(T_P, T_KINK_Z + 1), *range(T_END_P, T_RICH_X), *range(T_LKR_X, T_LKR_ENERGY)])
_TRUE = np.array([M2_TRUE])
_FATE = np.arange(FATE_ROWS)


class EventBlock(DecayBlock):
    """A block of decays with room for beam, track, reconstruction and fate.

    extra : (8 * BLOCK,) float64, scratch rows for stages that need them.
    """

    def __init__(self, particles: int) -> None:
        super().__init__(particles)
        self.beam = np.zeros(BEAM_ROWS * BLOCK)
        self.track = np.zeros(TRACK_ROWS * BLOCK)
        self.reco = np.zeros(RECO_ROWS * BLOCK)
        self.fate = np.zeros(FATE_ROWS * BLOCK)
        self.vertex = self.beam
        self.extra = np.zeros(8 * BLOCK)
        self._kept = np.zeros(BLOCK, dtype=np.int64)

    def compact(self, n: int, slots: Sequence[int]) -> int:
        """Move the events that can still be accepted to the front, and forget the others.

        Most decays miss a detector: what follows the acceptance works on those that do not.

        Parameters
        ----------
        n
            Events in the block.
        slots
            Particles that are looked at afterwards; the momenta of others are left where they are.

        Returns
        -------
        int
            How many are left.
        """
        m = int(_positions(n, self.fate, self._kept))
        if m == n:
            return m
        places = {id(self.origins[slot]): self.origins[slot] for slot in slots}
        places.pop(id(self.beam), None)
        _move(m, self._kept, _BEAM, self.beam)
        _move(m, self._kept, _TRACK, self.track)
        _move(m, self._kept, _TRUE, self.reco)
        _move(m, self._kept, _FATE, self.fate)
        for momenta in (self.momenta[slot] for slot in slots):
            _move(m, self._kept, _MOMENTUM, momenta)
        for origin in places.values():
            _move(m, self._kept, _PLACE, origin)
        _move(m, self._kept, _MOMENTUM[:1], self.weight)
        self.index[:m] = self.index[self._kept[:m]]
        return m


@block_kernel
def _positions(n, fate, kept):  # type: ignore[no-untyped-def]
    inside, efficiency = row(fate, ACCEPTANCE), row(fate, EFFICIENCY)
    m = 0
    for j in range(n):
        kept[m] = j
        m += 1 if inside[j] * efficiency[j] > 0.0 else 0
    return m


@block_kernel
def _move(m, kept, rows, columns):  # type: ignore[no-untyped-def]
    """Column by column to the front, in place: no position is later than where it is read from."""
    for k in range(rows.size):
        offset = rows[k] * BLOCK
        for i in range(m):
            columns[offset + i] = columns[offset + kept[i]]
