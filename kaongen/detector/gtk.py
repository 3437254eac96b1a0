"""GTK: momentum, direction and position of the kaon, or of another beam particle that is taken for it."""

from __future__ import annotations

import math

import numpy as np

from kaongen.beam import beam_track
from kaongen.event_block import EFFICIENCY, K_PX, K_PY, K_PZ, K_X, K_Y, K_Z, R_KPX, R_KPY, R_KPZ, R_KX, R_KY
from kaongen.jit import block_kernel, full_width, row
from kaongen.random import GTK, PILEUP, draw, normal_pair, uniform

_FIRST, _SECOND = np.uint64(0), np.uint64(1)

# layout of the `response` array: z (m), resolutions (GeV, rad, m), matching efficiency, probability of a wrong track
Z, SIGMA_P, SIGMA_ANGLE, SIGMA_X, MATCHING, WRONG = range(6)


@block_kernel
def measure(n, key, response, start_z, optics, index, beam, reco, fate):
    """The kaon as measured at the last station: momentum in GeV, x and y in m there."""
    full_width()
    px, py, pz = row(beam, K_PX), row(beam, K_PY), row(beam, K_PZ)
    vx, vy, vz = row(beam, K_X), row(beam, K_Y), row(beam, K_Z)
    out_px, out_py, out_pz = row(reco, R_KPX), row(reco, R_KPY), row(reco, R_KPZ)
    out_x, out_y = row(reco, R_KX), row(reco, R_KY)
    efficiency = row(fate, EFFICIENCY)
    station, sigma_p, sigma_angle, sigma_x = response[Z], response[SIGMA_P], response[SIGMA_ANGLE], response[SIGMA_X]
    matching, wrong = response[MATCHING], response[WRONG]
    for j in range(n):
        other_p, other_sx, other_sy, other_x, other_y = beam_track(key, index[j], PILEUP, _FIRST, optics)
        word_0, word_1, word_2, word_3 = draw(key, index[j], GTK, _FIRST)
        a, b = normal_pair(word_0, word_1)
        c, d = normal_pair(word_2, word_3)
        word_0, word_1, word_2, _ = draw(key, index[j], GTK, _SECOND)
        e, _ = normal_pair(word_0, word_1)
        mistaken = uniform(word_2) < wrong
        p = math.sqrt(px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j])
        sx, sy = px[j] / pz[j], py[j] / pz[j]
        x, y = vx[j] - sx * (vz[j] - station), vy[j] - sy * (vz[j] - station)
        back = station - start_z
        p = (other_p if mistaken else p) + sigma_p * a
        x = (other_x + other_sx * back if mistaken else x) + sigma_x * d
        y = (other_y + other_sy * back if mistaken else y) + sigma_x * e
        sx = (other_sx if mistaken else sx) + sigma_angle * b
        sy = (other_sy if mistaken else sy) + sigma_angle * c
        z = p / math.sqrt(1.0 + sx * sx + sy * sy)
        out_px[j], out_py[j], out_pz[j] = sx * z, sy * z, z
        out_x[j], out_y[j] = x, y
        efficiency[j] *= matching
