"""Where the candidate crosses the chambers and the planes behind them: straight lines, and the kick of the magnet."""

from __future__ import annotations

import numpy as np

from kaongen.event_block import (
    T_CHARGE,
    T_END_P,
    T_KINK_Z,
    T_LKR_X,
    T_P,
    T_PX,
    T_PY,
    T_PZ,
    T_QX,
    T_QY,
    T_QZ,
    T_RICH_X,
    T_X,
    T_X1,
    T_Y,
    T_Z,
)
from kaongen.jit import BLOCK, block_kernel, full_width, row


@block_kernel
def cross_planes(n, chambers, magnet_z, kick, planes, track):
    """Straight lines, bent horizontally in the middle of the magnet.

    chambers : (4,) z of the chambers; planes : (5,) z of RICH, CHOD tiles and slabs, LKr, MUV3, in m. A track that
    goes backwards crosses everything far outside.
    """
    full_width()
    charge, p = row(track, T_CHARGE), row(track, T_P)
    px, py, pz = row(track, T_PX), row(track, T_PY), row(track, T_PZ)
    x, y, z = row(track, T_X), row(track, T_Y), row(track, T_Z)
    line = np.empty(5 * BLOCK)
    slope_x, slope_y, bend = row(line, 0), row(line, 1), row(line, 2)
    start_x, start_y = row(line, 3), row(line, 4)
    for j in range(n):
        inverse = 1.0 / pz[j]
        far = 1e3 if pz[j] < 1e-3 * p[j] else 0.0
        slope_x[j], slope_y[j], bend[j] = px[j] * inverse, py[j] * inverse, kick * charge[j] / p[j]
        # where the line would be at z = 0
        start_x[j], start_y[j] = x[j] - z[j] * slope_x[j] + far, y[j] - z[j] * slope_y[j] + far
    for c in range(4):
        at_x, at_y = row(track, T_X1 + 2 * c), row(track, T_X1 + 2 * c + 1)
        _cross(n, chambers[c], magnet_z, slope_x, slope_y, bend, start_x, start_y, at_x, at_y)
    for c in range(5):
        at_x, at_y = row(track, T_RICH_X + 2 * c), row(track, T_RICH_X + 2 * c + 1)
        _cross(n, planes[c], magnet_z, slope_x, slope_y, bend, start_x, start_y, at_x, at_y)


@block_kernel
def _cross(n, plane, magnet_z, slope_x, slope_y, bend, start_x, start_y, at_x, at_y):
    # a kernel of its own, because only then does LLVM vectorise it
    full_width()
    lever = max(plane - magnet_z, 0.0)
    for j in range(n):
        at_x[j] = start_x[j] + plane * slope_x[j] - lever * bend[j]
        at_y[j] = start_y[j] + plane * slope_y[j]


@block_kernel
def kinked(n, chambers, magnet_z, kick, planes, track):
    """Where a candidate decays behind the first chamber, what lies behind the decay is crossed by the daughter.

    It has the charge of its parent. Before the magnet it is bent as its own momentum asks; behind the magnet it
    goes on from the parent's line, and its direction is turned as the parent was. To be called after `cross_planes`.
    """
    kink_z, charge = row(track, T_KINK_Z), row(track, T_CHARGE)
    p, end_p = row(track, T_P), row(track, T_END_P)
    px, py, pz = row(track, T_PX), row(track, T_PY), row(track, T_PZ)
    qx, qy, qz = row(track, T_QX), row(track, T_QY), row(track, T_QZ)
    x, y, z = row(track, T_X), row(track, T_Y), row(track, T_Z)
    for j in range(n):
        at = kink_z[j]
        if at == np.inf:
            continue
        parent_bend = kick * charge[j] / p[j]
        begin_x = x[j] + (at - z[j]) * px[j] / pz[j] - max(at - magnet_z, 0.0) * parent_bend
        begin_y = y[j] + (at - z[j]) * py[j] / pz[j]
        slope_x, slope_y = qx[j] / qz[j], qy[j] / qz[j]
        # from here on the daughter's own line, and where it is bent
        bent_z, bend = magnet_z, kick * charge[j] / end_p[j]
        if at > magnet_z:
            slope_x, bend = slope_x - parent_bend, 0.0
        far = 1e3 if qz[j] < 1e-3 * end_p[j] else 0.0
        for c in range(9):
            plane = chambers[c] if c < 4 else planes[c - 4]
            if plane > at:
                first = T_X1 + 2 * c if c < 4 else T_RICH_X + 2 * (c - 4)
                row(track, first)[j] = begin_x + (plane - at) * slope_x - max(plane - bent_z, 0.0) * bend + far
                row(track, first + 1)[j] = begin_y + (plane - at) * slope_y + far


assert T_LKR_X == T_RICH_X + 6, "the planes behind the spectrometer follow one another in the block"
