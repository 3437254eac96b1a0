"""A block of decays of which three charged particles are seen, and what is measured of the three together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kaongen.decays.workspace import PX, PY, PZ, E
from kaongen.event_block import (
    ACCEPTANCE,
    EFFICIENCY,
    FATE_ROWS,
    R_EOP,
    R_KPX,
    R_KPY,
    R_KPZ,
    R_KX,
    R_KY,
    R_PX,
    R_PY,
    R_PZ,
    R_TRACK,
    R_X,
    R_Y,
    SURVIVAL,
    TRACK_ROWS,
    EventBlock,
)
from kaongen.jit import BLOCK, block_kernel, full_width, row, scalar_kernel
from kaongen.particles import M_K, M_MU

# Rows of `three`. Momenta (GeV) of the kaon, of the positive muon with the larger energy in the kaon's rest frame, of
# the other positive one and of the negative one.
S_KAON, S_FIRST, S_SECOND, S_NEGATIVE = 0, 3, 6, 9
# The vertex, and the distance of the kaon's line from it (m); masses of the first and of the second positive muon with
# the negative one (GeV), missing mass squared (GeV^2); truth of the GTK track; largest E/p; true masses of the pairs.
S_VX, S_VY, S_VZ, S_CDA, S_LEAD, S_OTHER, S_M2, S_TRACK, S_EOP, S_LEAD_TRUE, S_OTHER_TRUE = range(12, 23)
# Least and largest momentum of the three, that of their sum (GeV), and whether the positive ones changed places.
S_P_LEAST, S_P_LARGEST, S_P_SUM, S_SWAPPED = range(23, 27)
THREE_ROWS = 27

_MU2 = M_MU * M_MU


class ThreeMuonBlock(EventBlock):
    """A block of events with three tracks.

    seen : for each of the three its own track, reconstruction and fate; all else they share. three :
        (THREE_ROWS * BLOCK,) float64, what is measured of all of them.
    """

    def __init__(self, particles: int) -> None:
        super().__init__(particles)
        self.three = np.zeros(THREE_ROWS * BLOCK)
        self.seen = [EventBlock(0) for _ in range(3)]
        for block in self.seen:
            block.index, block.weight, block.momenta = self.index, self.weight, self.momenta
            block.beam, block.vertex = self.beam, self.vertex

    def share_origins(self) -> None:
        """Let the three tracks begin where the particles of the decay do."""
        for block in self.seen:
            block.origins = self.origins

    def compact(self, n: int, slots: Sequence[int]) -> int:
        """As for one track, and the three tracks with it."""
        m = super().compact(n, slots)
        if m < n:
            for block in self.seen:
                _keep(m, self._kept, TRACK_ROWS, block.track)
                _keep(m, self._kept, FATE_ROWS, block.fate)
        return m


@block_kernel
def _keep(m, kept, rows, columns):  # type: ignore[no-untyped-def]
    """Move the events at m rising positions to the front."""
    for k in range(rows):
        offset = k * BLOCK
        for i in range(m):
            columns[offset + i] = columns[offset + kept[i]]


@block_kernel
def all_of(n, first, second, third, fate):  # type: ignore[no-untyped-def]
    """The fate of an event is that of its three tracks: probabilities multiply."""
    full_width()
    for number in (ACCEPTANCE, EFFICIENCY, SURVIVAL):
        a, b, c, product = row(first, number), row(second, number), row(third, number), row(fate, number)
        for j in range(n):
            product[j] = a[j] * b[j] * c[j]


@block_kernel
def take_fastest(n, first, second, third, reco):  # type: ignore[no-untyped-def]
    """Of the three tracks, momentum and position at the first chamber of that with the largest measured momentum."""
    for j in range(n):
        best, largest = first, -1.0
        for track in (first, second, third):
            px, py, pz = row(track, R_PX)[j], row(track, R_PY)[j], row(track, R_PZ)[j]
            p2 = px * px + py * py + pz * pz
            if p2 > largest:
                best, largest = track, p2
        for number in (R_PX, R_PY, R_PZ, R_X, R_Y):
            row(reco, number)[j] = row(best, number)[j]


@block_kernel
def combine(n, kaon_z, chamber_z, first, second, negative, reco, three):  # type: ignore[no-untyped-def]
    """What follows from the kaon in `reco` and from the reconstruction of two positive tracks and a negative one.

    kaon_z, chamber_z : z at which the positions of the kaon and of the tracks are measured (m).
    """
    _masses(n, first, second, negative, reco, three)
    _vertex(n, kaon_z, chamber_z, first, second, negative, reco, three)


@scalar_kernel
def momentum_of(reco, j):  # type: ignore[no-untyped-def]
    """Energy and momentum of a measured muon (GeV)."""
    px, py, pz = row(reco, R_PX)[j], row(reco, R_PY)[j], row(reco, R_PZ)[j]
    return math.sqrt(px * px + py * py + pz * pz + _MU2), px, py, pz


@scalar_kernel
def product(a, b):  # type: ignore[no-untyped-def]
    """Of two four-momenta (E, px, py, pz)."""
    return a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3]


@scalar_kernel
def put(three, number, j, a):  # type: ignore[no-untyped-def]
    """The momentum of (E, px, py, pz) into three rows."""
    row(three, number)[j], row(three, number + 1)[j], row(three, number + 2)[j] = a[1], a[2], a[3]


@block_kernel
def _masses(n, first, second, negative, reco, three):  # type: ignore[no-untyped-def]
    """Momenta in the order of the energies in the kaon's rest frame, and masses."""
    kx, ky, kz = row(reco, R_KPX), row(reco, R_KPY), row(reco, R_KPZ)
    for j in range(n):
        kaon = (math.sqrt(kx[j] * kx[j] + ky[j] * ky[j] + kz[j] * kz[j] + M_K * M_K), kx[j], ky[j], kz[j])
        a, b, c = momentum_of(first, j), momentum_of(second, j), momentum_of(negative, j)
        # energies in the rest frame, times the kaon's mass
        swapped = product(kaon, a) < product(kaon, b)
        if swapped:
            a, b = b, a
        put(three, S_KAON, j, kaon)
        put(three, S_FIRST, j, a)
        put(three, S_SECOND, j, b)
        put(three, S_NEGATIVE, j, c)
        row(three, S_LEAD)[j] = math.sqrt(max(2.0 * (_MU2 + product(a, c)), 0.0))
        row(three, S_OTHER)[j] = math.sqrt(max(2.0 * (_MU2 + product(b, c)), 0.0))
        total = (a[0] + b[0] + c[0], a[1] + b[1] + c[1], a[2] + b[2] + c[2], a[3] + b[3] + c[3])
        missing = (kaon[0] - total[0], kaon[1] - total[1], kaon[2] - total[2], kaon[3] - total[3])
        row(three, S_M2)[j] = product(missing, missing)
        row(three, S_P_LEAST)[j] = math.sqrt(min(a[0], b[0], c[0]) ** 2 - _MU2)
        row(three, S_P_LARGEST)[j] = math.sqrt(max(a[0], b[0], c[0]) ** 2 - _MU2)
        row(three, S_P_SUM)[j] = math.sqrt(total[1] * total[1] + total[2] * total[2] + total[3] * total[3])
        row(three, S_SWAPPED)[j] = 1.0 if swapped else 0.0
        row(three, S_TRACK)[j] = row(reco, R_TRACK)[j]
        row(three, S_EOP)[j] = max(row(first, R_EOP)[j], row(second, R_EOP)[j], row(negative, R_EOP)[j])


@block_kernel
def _vertex(n, kaon_z, chamber_z, first, second, negative, reco, three):  # type: ignore[no-untyped-def]
    """Where three lines are closest to one another: least sum of the squared distances from their mean at one z."""
    for j in range(n):
        x = y = slope_x = slope_y = 0.0
        for track in (first, second, negative):
            pz = row(track, R_PZ)[j]
            x += row(track, R_X)[j] / 3.0
            y += row(track, R_Y)[j] / 3.0
            slope_x += row(track, R_PX)[j] / pz / 3.0
            slope_y += row(track, R_PY)[j] / pz / 3.0
        spread = along = 0.0
        for track in (first, second, negative):
            pz = row(track, R_PZ)[j]
            sx, sy = row(track, R_PX)[j] / pz - slope_x, row(track, R_PY)[j] / pz - slope_y
            spread += sx * sx + sy * sy
            along += sx * (row(track, R_X)[j] - x) + sy * (row(track, R_Y)[j] - y)
        back = -along / max(spread, 1e-18)
        x, y, z = x + slope_x * back, y + slope_y * back, chamber_z + back
        row(three, S_VX)[j], row(three, S_VY)[j], row(three, S_VZ)[j] = x, y, z
        # distance of a point from a line
        kx, ky = row(reco, R_KPX)[j] / row(reco, R_KPZ)[j], row(reco, R_KPY)[j] / row(reco, R_KPZ)[j]
        dx, dy, dz = x - row(reco, R_KX)[j], y - row(reco, R_KY)[j], z - kaon_z
        at = (dx * kx + dy * ky + dz) / (kx * kx + ky * ky + 1.0)
        ex, ey, ez = dx - kx * at, dy - ky * at, dz - at
        row(three, S_CDA)[j] = math.sqrt(ex * ex + ey * ey + ez * ez)


@block_kernel
def true_masses(n, first, second, negative, three):  # type: ignore[no-untyped-def]
    """Masses of the same pairs as they were generated, from the momenta of the three particles: after `combine`."""
    for j in range(n):
        c = four_momentum(negative, j)
        a, b = four_momentum(first, j), four_momentum(second, j)
        if row(three, S_SWAPPED)[j] > 0.0:
            a, b = b, a
        row(three, S_LEAD_TRUE)[j] = math.sqrt(product(a, a) + product(c, c) + 2.0 * product(a, c))
        row(three, S_OTHER_TRUE)[j] = math.sqrt(product(b, b) + product(c, c) + 2.0 * product(b, c))


@scalar_kernel
def four_momentum(momenta, j):  # type: ignore[no-untyped-def]
    """(E, px, py, pz) of a particle (GeV)."""
    return row(momenta, E)[j], row(momenta, PX)[j], row(momenta, PY)[j], row(momenta, PZ)[j]
