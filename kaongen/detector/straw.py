"""STRAW: momentum, direction and position of the charged track, as they were before the magnet."""

from __future__ import annotations

import math

import numpy as np

from kaongen.event_block import R_PX, R_PY, R_PZ, R_X, R_Y, T_P, T_PX, T_PY, T_PZ, T_X1, T_Y1
from kaongen.jit import block_kernel, full_width, row
from kaongen.random import STRAW, draw, normal_pair

_FIRST, _SECOND = np.uint64(0), np.uint64(1)

# layout of the `response` array: sigma_p/p = constant (+) linear p; angle = constant (+) scattering/p; position (m)
P_CONSTANT, P_LINEAR, ANGLE_CONSTANT, ANGLE_SCATTERING, POSITION = range(5)


@block_kernel
def measure(n, key, response, index, track, reco):
    """Momentum in GeV, and x and y in m at the first chamber, with Gaussian errors."""
    full_width()
    p, px, py, pz = row(track, T_P), row(track, T_PX), row(track, T_PY), row(track, T_PZ)
    x, y = row(track, T_X1), row(track, T_Y1)
    out_px, out_py, out_pz = row(reco, R_PX), row(reco, R_PY), row(reco, R_PZ)
    out_x, out_y = row(reco, R_X), row(reco, R_Y)
    constant, linear = response[P_CONSTANT], response[P_LINEAR]
    floor, scattering, position = response[ANGLE_CONSTANT], response[ANGLE_SCATTERING], response[POSITION]
    for j in range(n):
        word_0, word_1, word_2, word_3 = draw(key, index[j], STRAW, _FIRST)
        a, b = normal_pair(word_0, word_1)
        c, d = normal_pair(word_2, word_3)
        word_0, word_1, _, _ = draw(key, index[j], STRAW, _SECOND)
        e, _ = normal_pair(word_0, word_1)
        inverse = 1.0 / p[j]
        spread = math.sqrt(constant * constant + linear * linear * p[j] * p[j])
        angle = math.sqrt(floor * floor + scattering * scattering * inverse * inverse)
        measured = p[j] * (1.0 + spread * a)
        sx = px[j] / pz[j] + angle * b
        sy = py[j] / pz[j] + angle * c
        z = measured / math.sqrt(1.0 + sx * sx + sy * sy)
        out_px[j], out_py[j], out_pz[j] = sx * z, sy * z, z
        out_x[j], out_y[j] = x[j] + position * d, y[j] + position * e
