"""The candidate in flight: a pion may decay to a muon, and a muon to an electron, before the muon detector.

Only pi -> mu nu and mu -> e nu nubar: pi -> e nu is 1e-4 of the first. Muons decay as unpolarised ones. A particle
decays once: the muon of a pion lives on.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from kaongen.beam import PION_LENGTH_PER_GEV
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
    T_ELECTRON_Z,
    T_END_P,
    T_KINK_Z,
    T_MUON_Z,
    T_P,
    T_PX,
    T_PY,
    T_PZ,
    T_QX,
    T_QY,
    T_QZ,
    T_X,
    T_Y,
    T_Z,
)
from kaongen.jit import BLOCK, block_kernel, full_width, row, scalar_kernel
from kaongen.kinematics import boost
from kaongen.particles import M_MU, M_PI, SPEED_OF_LIGHT, TAU_MU
from kaongen.random import FLIGHT, draw, uniform

_FIRST, _SECOND, _THIRD = (np.uint64(number) for number in range(3))

PION, MUON, ELECTRON = range(3)
"""Kinds of candidates."""

KINDS: Final[dict[str, int]] = {"pi+": PION, "pi-": PION, "mu+": MUON, "mu-": MUON, "e+": ELECTRON, "e-": ELECTRON}
"""By the name of the species."""

MUON_LENGTH_PER_GEV: Final = SPEED_OF_LIGHT * TAU_MU / M_MU
"""Mean decay length in m of a muon, for each GeV of momentum."""

FORCED_PIONS: Final = (0.45, 0.35)
FORCED_MUONS: Final = (0.02, 0.01)
"""Shares of candidates that are made to decay before the first chamber, and between it and the muon detector; weights
undo the bias."""

_MUON_ENERGY = (M_PI * M_PI + M_MU * M_MU) / (2.0 * M_PI)
_MUON_MOMENTUM = (M_PI * M_PI - M_MU * M_MU) / (2.0 * M_PI)


@scalar_kernel
def michel(a, b, c, d, e):
    """Energy of the electron of an unpolarised muon at rest, over half the muon's mass, from five uniform numbers.

    Its density 2 x^2 (3 - 2x) is 2/3 that of the largest of three and 1/3 that of the second largest of four.
    """
    high, low = max(a, b), min(a, b)
    if e < 2.0 / 3.0:
        return max(high, c)
    return max(min(high, max(c, d)), low, min(c, d))


@scalar_kernel
def lengths_to(plane, z, pz, p, length):
    """Mean decay lengths from z to a plane, of which there are `length` metres for each GeV; at most 100."""
    # what goes backwards never gets there
    return min(max(plane - z, 0.0) / (length * max(pz, 1e-3 * p)), 100.0)


@scalar_kernel
def decay_point(u, v, to_first, to_end, share_early, share_late, forced):
    """How many mean decay lengths are flown, infinite without a decay before the end; and the weight of that.

    to_first, to_end : mean decay lengths to the two planes; u, v : uniform numbers. Of the three classes "before the
    first plane", "before the end" and "later", a forced decay takes one by its share.
    """
    before, whole = exp(-to_first), exp(-to_end)
    is_early = u < (share_early if forced else 1.0 - before)
    decays = u < (share_early + share_late if forced else 1.0 - whole)
    chance = 1.0 - before if is_early else (before - whole if decays else whole)
    share = share_early if is_early else (share_late if decays else 1.0 - share_early - share_late)
    flown = -log((1.0 if is_early else before) - v * chance)
    return flown if decays else np.inf, chance / share if forced else 1.0


@scalar_kernel
def daughter(u, v, momentum, energy, px, py, pz, p, mass):
    """Momentum of a daughter in the laboratory, isotropic in the rest frame of its parent, from two uniform numbers."""
    c = 2.0 * u - 1.0
    across = momentum * math.sqrt(1.0 - c * c)
    sine, cosine = sincos_turns(v)
    parent = math.sqrt(p * p + mass * mass)
    qx, qy, qz, _ = boost(across * cosine, across * sine, momentum * c, energy, px, py, pz, parent, mass)
    return qx, qy, qz, math.sqrt(qx * qx + qy * qy + qz * qz)


@block_kernel
def candidate(n, key, index, charge, kind, end_z, first_z, forced, origin, momenta, track, fate):
    """The candidate is a PION, MUON or ELECTRON, which may decay before `end_z` (m).

    A decay before the first chamber, at `first_z`, makes the track that of the daughter; one behind it is a kink.
    With `forced`, fixed shares decay and the efficiency carries the probability; without, decays happen as in nature.
    """
    _whole(n, charge, kind, origin, momenta, track, fate)
    if kind == PION:
        _decay_pions(n, key, index, end_z, first_z, forced, track, fate)
        _take_over(n, first_z, track)
    if kind == MUON:
        _decay_muons(n, key, index, end_z, first_z, forced, track, fate)
        _take_over(n, first_z, track)


@block_kernel
def _whole(n, charge, kind, origin, momenta, track, fate):
    """The track of a candidate that does not decay."""
    full_width()
    px, py, pz = row(momenta, PX), row(momenta, PY), row(momenta, PZ)
    x, y, z = row(origin, K_X), row(origin, K_Y), row(origin, K_Z)
    t_p, t_px, t_py, t_pz = row(track, T_P), row(track, T_PX), row(track, T_PY), row(track, T_PZ)
    t_x, t_y, t_z, t_end_p = row(track, T_X), row(track, T_Y), row(track, T_Z), row(track, T_END_P)
    for j in range(n):
        p = math.sqrt(px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j])
        t_p[j], t_end_p[j] = p, p
        t_px[j], t_py[j], t_pz[j] = px[j], py[j], pz[j]
        t_x[j], t_y[j], t_z[j] = x[j], y[j], z[j]
    # in the loop above, these keep LLVM from vectorising it
    row(track, T_CHARGE)[:n] = charge
    row(track, T_MUON_Z)[:n] = np.inf if kind == PION else FROM_START
    row(track, T_ELECTRON_Z)[:n] = FROM_START if kind == ELECTRON else np.inf
    row(track, T_KINK_Z)[:n] = np.inf
    for number in (T_QX, T_QY, T_QZ):
        row(track, number)[:n] = 0.0
    row(fate, EFFICIENCY)[:n] = 1.0
    row(fate, SURVIVAL)[:n] = 1.0


@block_kernel
def _decay_pions(n, key, index, end_z, first_z, forced, track, fate):
    """Where pions decay, for now as the z of a kink, and their muons."""
    full_width()
    p, px, py, pz = row(track, T_P), row(track, T_PX), row(track, T_PY), row(track, T_PZ)
    qx, qy, qz, end_p = row(track, T_QX), row(track, T_QY), row(track, T_QZ), row(track, T_END_P)
    z, kink_z, muon_z = row(track, T_Z), row(track, T_KINK_Z), row(track, T_MUON_Z)
    efficiency = row(fate, EFFICIENCY)
    share_early, share_late = FORCED_PIONS
    for j in range(n):
        word_0, word_1, word_2, word_3 = draw(key, index[j], FLIGHT, _FIRST)
        to_first = lengths_to(first_z, z[j], pz[j], p[j], PION_LENGTH_PER_GEV)
        to_end = lengths_to(end_z, z[j], pz[j], p[j], PION_LENGTH_PER_GEV)
        flown, efficiency[j] = decay_point(
            uniform(word_0), uniform(word_1), to_first, to_end, share_early, share_late, forced
        )
        decays = flown < np.inf
        at = z[j] + flown * PION_LENGTH_PER_GEV * pz[j] if decays else np.inf
        kink_z[j], muon_z[j] = at, at
        # without a branch, because a branch would keep the loop from vectorising
        qx[j], qy[j], qz[j], q = daughter(
            uniform(word_2), uniform(word_3), _MUON_MOMENTUM, _MUON_ENERGY, px[j], py[j], pz[j], p[j], M_PI
        )
        end_p[j] = q if decays else p[j]


@block_kernel
def _decay_muons(n, key, index, end_z, first_z, forced, track, fate):
    """Where muons decay, for now as the z of a kink, and their electrons."""
    full_width()
    p, px, py, pz = row(track, T_P), row(track, T_PX), row(track, T_PY), row(track, T_PZ)
    qx, qy, qz, end_p = row(track, T_QX), row(track, T_QY), row(track, T_QZ), row(track, T_END_P)
    z, kink_z, electron_z = row(track, T_Z), row(track, T_KINK_Z), row(track, T_ELECTRON_Z)
    efficiency = row(fate, EFFICIENCY)
    share_early, share_late = FORCED_MUONS
    decaying, whole_share = share_early + share_late, 1.0 - share_early - share_late
    # whether they decay, for all
    for j in range(n):
        word_0, _, _, _ = draw(key, index[j], FLIGHT, _FIRST)
        whole = exp(-lengths_to(end_z, z[j], pz[j], p[j], MUON_LENGTH_PER_GEV))
        efficiency[j] = whole / whole_share if forced else 1.0
        kink_z[j] = z[j] if uniform(word_0) < (decaying if forced else 1.0 - whole) else np.inf
    # a list of the few that do, for with a branch LLVM would do the rest for all
    few, decays = np.empty(BLOCK, np.int64), 0
    for j in range(n):
        few[decays] = j
        decays += kink_z[j] < np.inf
    for j in few[:decays]:
        word_0, word_1, word_2, word_3 = draw(key, index[j], FLIGHT, _FIRST)
        word_4, word_5, word_6, word_7 = draw(key, index[j], FLIGHT, _SECOND)
        word_8, _, _, _ = draw(key, index[j], FLIGHT, _THIRD)
        to_first = lengths_to(first_z, z[j], pz[j], p[j], MUON_LENGTH_PER_GEV)
        to_end = lengths_to(end_z, z[j], pz[j], p[j], MUON_LENGTH_PER_GEV)
        flown, efficiency[j] = decay_point(
            uniform(word_0), uniform(word_1), to_first, to_end, share_early, share_late, forced
        )
        kink_z[j] = z[j] + flown * MUON_LENGTH_PER_GEV * pz[j]
        electron_z[j] = kink_z[j]
        x_e = michel(uniform(word_4), uniform(word_5), uniform(word_6), uniform(word_7), uniform(word_8))
        # an electron without mass
        energy = 0.5 * M_MU * x_e
        qx[j], qy[j], qz[j], end_p[j] = daughter(
            uniform(word_2), uniform(word_3), energy, energy, px[j], py[j], pz[j], p[j], M_MU
        )


@block_kernel
def _take_over(n, first_z, track):
    """Daughters of decays before the first chamber become the candidate."""
    p, px, py, pz = row(track, T_P), row(track, T_PX), row(track, T_PY), row(track, T_PZ)
    qx, qy, qz, end_p = row(track, T_QX), row(track, T_QY), row(track, T_QZ), row(track, T_END_P)
    x, y, z, kink_z = row(track, T_X), row(track, T_Y), row(track, T_Z), row(track, T_KINK_Z)
    for j in range(n):
        at = kink_z[j]
        if at < first_z:
            x[j] += (at - z[j]) * px[j] / pz[j]
            y[j] += (at - z[j]) * py[j] / pz[j]
            z[j], kink_z[j] = at, np.inf
            p[j], px[j], py[j], pz[j] = end_p[j], qx[j], qy[j], qz[j]
