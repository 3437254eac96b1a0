"""The candidate's way through the detector: which particle it is, and where it crosses every plane."""

from __future__ import annotations

import math

import numpy as np

from kaongen.decays.workspace import PX, PY, PZ
from kaongen.elementary import exp, log, sincos_turns
from kaongen.event_block import (
    EFFICIENCY,
    FROM_START,
    K_X,
    K_Y,
    K_Z,
    SURVIVAL,
    T_CHARGE,
    T_LKR_X,
    T_MUON_Z,
    T_P,
    T_PX,
    T_PY,
    T_PZ,
    T_RICH_X,
    T_X,
    T_X1,
    T_Y,
    T_Z,
)
from kaongen.jit import BLOCK, block_kernel, full_width, row
from kaongen.kinematics import boost
from kaongen.particles import M_MU, M_PI, SPEED_OF_LIGHT, TAU_PI
from kaongen.random import FLIGHT, draw, uniform

_DRAW = np.uint64(0)
PION_LENGTH_PER_GEV = SPEED_OF_LIGHT * TAU_PI / M_PI
"""Mean decay length in m of a charged pion, for each GeV of momentum."""

MUON_FROM_START = FROM_START

FORCED_DECAYS = 0.8
"""Share of pion candidates that are made to decay before the muon detector; weights undo the bias."""

_MUON_ENERGY = (M_PI * M_PI + M_MU * M_MU) / (2.0 * M_PI)
_MUON_MOMENTUM = (M_PI * M_PI - M_MU * M_MU) / (2.0 * M_PI)


@block_kernel
def muon(n, charge, origin, momenta, track, fate):
    """The candidate is a muon from the vertex."""
    full_width()
    px, py, pz = row(momenta, PX), row(momenta, PY), row(momenta, PZ)
    x, y, z = row(origin, K_X), row(origin, K_Y), row(origin, K_Z)
    t_charge, t_p, t_muon_z = row(track, T_CHARGE), row(track, T_P), row(track, T_MUON_Z)
    t_px, t_py, t_pz = row(track, T_PX), row(track, T_PY), row(track, T_PZ)
    t_x, t_y, t_z = row(track, T_X), row(track, T_Y), row(track, T_Z)
    efficiency, survival = row(fate, EFFICIENCY), row(fate, SURVIVAL)
    for j in range(n):
        t_charge[j], t_muon_z[j] = charge, MUON_FROM_START
        t_p[j] = math.sqrt(px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j])
        t_px[j], t_py[j], t_pz[j] = px[j], py[j], pz[j]
        t_x[j], t_y[j], t_z[j] = x[j], y[j], z[j]
        efficiency[j], survival[j] = 1.0, 1.0


@block_kernel
def pion(n, key, index, charge, end_z, first_z, last_z, forced, origin, momenta, track, fate):
    """The candidate is a pion, which may decay to a muon before `end_z`.

    A decay before the first chamber makes the track that of the muon; one behind the last leaves it that of the
    pion; one between the two breaks the track, which is then lost. With `forced`, a fixed share decays and
    the efficiency carries the probability; without, decays happen as in nature.
    """
    px, py, pz = row(momenta, PX), row(momenta, PY), row(momenta, PZ)
    x, y, z = row(origin, K_X), row(origin, K_Y), row(origin, K_Z)
    t_charge, t_p, t_muon_z = row(track, T_CHARGE), row(track, T_P), row(track, T_MUON_Z)
    t_px, t_py, t_pz = row(track, T_PX), row(track, T_PY), row(track, T_PZ)
    t_x, t_y, t_z = row(track, T_X), row(track, T_Y), row(track, T_Z)
    efficiency, survival = row(fate, EFFICIENCY), row(fate, SURVIVAL)
    for j in range(n):
        word_0, word_1, word_2, word_3 = draw(key, index[j], FLIGHT, _DRAW)
        p = math.sqrt(px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j])
        mean = PION_LENGTH_PER_GEV * p
        # path length to the end; a pion that goes backwards never gets there
        path = max(end_z - z[j], 0.0) * p / max(pz[j], 1e-3 * p)
        chance = 1.0 - exp(-min(path / mean, 100.0))
        decays = uniform(word_0) < (FORCED_DECAYS if forced else chance)
        share = (FORCED_DECAYS if decays else 1.0 - FORCED_DECAYS) if forced else 1.0
        likely = (chance if decays else 1.0 - chance) if forced else 1.0
        flown = -mean * log(1.0 - uniform(word_1) * chance)
        muon_z = z[j] + flown * pz[j] / p if decays else np.inf
        t_charge[j], t_muon_z[j], t_p[j] = charge, muon_z, p
        t_px[j], t_py[j], t_pz[j] = px[j], py[j], pz[j]
        t_x[j], t_y[j], t_z[j] = x[j], y[j], z[j]
        efficiency[j], survival[j] = likely / share, 1.0
        if muon_z < first_z:
            c = 2.0 * uniform(word_2) - 1.0
            across = _MUON_MOMENTUM * math.sqrt(1.0 - c * c)
            sine, cosine = sincos_turns(uniform(word_3))
            energy = math.sqrt(p * p + M_PI * M_PI)
            qx, qy, qz, _ = boost(
                across * cosine, across * sine, _MUON_MOMENTUM * c, _MUON_ENERGY, px[j], py[j], pz[j], energy, M_PI
            )
            t_p[j] = math.sqrt(qx * qx + qy * qy + qz * qz)
            t_px[j], t_py[j], t_pz[j] = qx, qy, qz
            t_x[j] = x[j] + (muon_z - z[j]) * px[j] / pz[j]
            t_y[j] = y[j] + (muon_z - z[j]) * py[j] / pz[j]
            t_z[j] = muon_z
        elif muon_z < last_z:
            efficiency[j] = 0.0


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


assert T_LKR_X == T_RICH_X + 6, "the planes behind the spectrometer follow one another in the block"
