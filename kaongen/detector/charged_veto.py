"""What a second charged particle leaves behind: a track segment, a ring, clusters and hits that reject the event.

A particle is followed along a straight line that the spectrometer's magnet bends once, and the dipole in front of the
SAC once more. Left out: hits in the CHOD, of which one particle makes no more than the two that are allowed besides the
candidate's; interactions in what stands before the krypton, which can only make more signals; MUV3, MUV0 and HASC, in
which the selection of a single muon allows anything.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from kaongen.beam import PION_LENGTH_PER_GEV
from kaongen.decays.workspace import PX, PY, PZ
from kaongen.detector import photon_veto
from kaongen.detector.acceptance import in_octagon, in_ring, in_small_ring, in_straw_chamber
from kaongen.elementary import exp
from kaongen.event_block import (
    ACCEPTANCE,
    EFFICIENCY,
    K_X,
    K_Y,
    K_Z,
    SURVIVAL,
    T_LKR_ENERGY,
    T_LKR_X,
    T_LKR_Y,
    T_PX,
    T_PY,
    T_PZ,
    T_X,
    T_Y,
    T_Z,
)
from kaongen.jit import block_kernel, row, scalar_kernel
from kaongen.random import SCATTERING, draw, uniform

PION, MUON, ELECTRON = range(3)
"""Kinds of particles: what is neither muon nor electron showers like a pion."""


# layout of the `response` array: probabilities to leave no segment and how far from the candidate's line it may pass
# (m), hits of a particle far above the RICH's threshold and the thresholds (GeV), probability of a minimum-ionising
# particle to leave no cluster in the LKr, share of pions that do not shower, what they deposit (GeV), and probabilities
# of a minimum-ionising particle to be missed by the others; probability to leave no segment behind the magnet that
# counts
SEGMENT, SEGMENT_DISTANCE, RICH_HITS, PION_THRESHOLD, MUON_THRESHOLD = range(5)
LKR_MIP, HADRON_MIP, MIP_ENERGY, LAV_MIP, IRC_MIP, SAC_MIP, BEHIND = range(5, 12)

# layout of the `planes` array (m, kicks in GeV)
MAGNET_Z, KICK, GAP, RADIUS, RICH_Z, RICH_X, RICH_IN, RICH_OUT, MIRROR_Z = range(9)
LKR_Z, LKR_IN, LKR_OUT, MERGE, IRC_Z, IRC_X, IRC_IN, IRC_OUT, SAC_Z, SAC_HALF, SWEEP_Z, SWEEP = range(9, 21)


def kind_of(name: str) -> int:
    """The kind of a particle of this name."""
    return MUON if name.startswith("mu") else ELECTRON if name.startswith("e") else PION


def missed_ionisation(points: NDArray[np.float64], most_probable: float, spread: float) -> float:
    """Probability that the LKr does not see a minimum-ionising particle: what it misses of photons of that energy.

    points : (energy in GeV, inefficiency) for photons; most_probable : deposit, and spread : Landau's scale, in GeV.
    The deposits follow Moyal's distribution, as those of the candidate do.
    """
    steps = 1000
    half = ndtri(0.5 + 0.5 * (np.arange(steps) + 0.5) / steps)
    energy = most_probable - spread * np.log(half * half)
    with np.errstate(divide="ignore"):
        return float(np.mean(np.exp(np.interp(np.log(energy), np.log(points[:, 0]), np.log(points[:, 1])))))


@scalar_kernel
def distance_of_lines(x, y, z, sx, sy, other_x, other_y, other_z, other_sx, other_sy):
    """Closest approach (m) of two lines, each through a point with slopes dx/dz and dy/dz."""
    dx, dy = x - other_x - sx * (z - other_z), y - other_y - sy * (z - other_z)
    # both now at other_z
    tx, ty = sx - other_sx, sy - other_sy
    cross = sx * other_sy - sy * other_sx
    between2 = tx * tx + ty * ty + cross * cross
    return abs(dx * ty - dy * tx) / math.sqrt(between2) if between2 > 0.0 else math.sqrt(dx * dx + dy * dy)


@scalar_kernel
def too_few_hits(mean):
    """Probability of at most three hits in the RICH, which are allowed besides the candidate's."""
    return exp(-mean) * (1.0 + mean * (1.0 + mean * (0.5 + mean / 6.0)))


@scalar_kernel
def segment(x, y, z, sx, sy, response, planes, chamber_z, hole_x, own_x, own_y, own_z, own_sx, own_sy):
    """Probability to leave no segment in the first two chambers that makes a vertex with the candidate."""
    crossed = True
    for c in range(2):
        at_x, at_y = x + sx * (chamber_z[c] - z), y + sy * (chamber_z[c] - z)
        crossed &= z <= chamber_z[c] and in_straw_chamber(at_x, at_y, hole_x[c], planes[GAP], planes[RADIUS])
    apart = distance_of_lines(x, y, z, sx, sy, own_x, own_y, own_z, own_sx, own_sy)
    return response[SEGMENT] if crossed and apart < response[SEGMENT_DISTANCE] else 1.0


@scalar_kernel
def behind(
    kind, charge, p, x, y, z, sx, sy, blind, response, planes, chamber_z, hole_x, lav, tables, own_x, own_y
):  # fmt: skip
    """Probability to leave no signal behind the first two chambers, and whether it hit the candidate's cluster.

    blind : share of particles that LAV, IRC and SAC do not see anyway. An electron showers in the first calorimeter it
    meets, and is seen like a photon; others go on.
    """
    magnet = planes[MAGNET_Z]
    # what begins behind the magnet is not bent
    bend = charge * planes[KICK] / p if z < magnet else 0.0
    missed, merged, stopped = 1.0, False, False
    # the distance from the axis is largest at the ends of each straight piece: most tracks need no search of rings, of
    # which the first is the narrowest
    narrow2 = lav[2, 0] * lav[2, 0]
    at = lav[1, lav.shape[1] - 1]
    end_x, end_y = x + sx * (at - z) - (at - magnet) * bend, y + sy * (at - z)
    in_x, in_y = x + sx * (magnet - z), y + sy * (magnet - z)
    close = (x * x + y * y < narrow2) & (end_x * end_x + end_y * end_y < narrow2)
    if not (close & ((z >= magnet) | (in_x * in_x + in_y * in_y < narrow2))):
        for k in range(lav.shape[1]):
            if lav[0, k] <= z or stopped:
                continue
            entered = False
            for face in range(2):
                at = lav[face, k]
                # stations behind the magnet see the bent track
                at_x = x + sx * (at - z) - max(at - magnet, 0.0) * bend
                entered |= in_ring(at_x, y + sy * (at - z), lav[2, k], lav[3, k])
            if entered:
                unseen = photon_veto.inefficiency(tables, photon_veto.LAV, p) if kind == ELECTRON else response[LAV_MIP]
                missed *= blind + (1.0 - blind) * unseen
                stopped = kind == ELECTRON
    if stopped:
        return missed, merged
    if response[BEHIND] < 1.0:
        crossed = True
        for c in range(2, 4):
            at = chamber_z[c]
            at_x, at_y = x + sx * (at - z) - (at - magnet) * bend, y + sy * (at - z)
            crossed &= z <= at and in_straw_chamber(at_x, at_y, hole_x[c], planes[GAP], planes[RADIUS])
        missed *= response[BEHIND] if crossed else 1.0
    at = planes[RICH_Z]
    at_x, at_y = x + sx * (at - z) - (at - magnet) * bend, y + sy * (at - z)
    if z < at and in_ring(at_x - planes[RICH_X], at_y, planes[RICH_IN], planes[RICH_OUT]):
        # light of one that leaves before the mirror goes elsewhere
        at = planes[MIRROR_Z]
        at_x, at_y = x + sx * (at - z) - (at - magnet) * bend, y + sy * (at - z)
        threshold = response[PION_THRESHOLD] if kind == PION else response[MUON_THRESHOLD] if kind == MUON else 0.0
        if p > threshold and at_x * at_x + at_y * at_y < planes[RICH_OUT] * planes[RICH_OUT]:
            missed *= too_few_hits(response[RICH_HITS] * (1.0 - threshold * threshold / (p * p)))
    at = planes[IRC_Z]
    at_x, at_y = x + sx * (at - z) - (at - magnet) * bend, y + sy * (at - z)
    if z < at and in_small_ring(at_x, at_y, planes[IRC_X], planes[IRC_IN], planes[IRC_OUT]):
        unseen = photon_veto.inefficiency(tables, photon_veto.IRC, p) if kind == ELECTRON else response[IRC_MIP]
        missed *= blind + (1.0 - blind) * unseen
        stopped = kind == ELECTRON
    at = planes[LKR_Z]
    at_x, at_y = x + sx * (at - z) - (at - magnet) * bend, y + sy * (at - z)
    if z < at and not stopped and in_octagon(at_x, at_y, planes[LKR_IN], planes[LKR_OUT]):
        dx, dy = at_x - own_x, at_y - own_y
        merged = dx * dx + dy * dy < planes[MERGE] * planes[MERGE]
        stopped = kind == ELECTRON
        if not merged:
            if kind == ELECTRON:
                missed *= photon_veto.inefficiency(tables, photon_veto.LKR, p)
            else:
                missed *= response[LKR_MIP] * (ionising(p, planes[LKR_Z] - z, response) if kind == PION else 1.0)
    at = planes[SAC_Z]
    swept = (at - planes[SWEEP_Z]) * charge * planes[SWEEP] / p if z < planes[SWEEP_Z] else 0.0
    at_x, at_y = x + sx * (at - z) - (at - magnet) * bend - swept, y + sy * (at - z)
    if z < at and not stopped and (abs(at_x) < planes[SAC_HALF]) & (abs(at_y) < planes[SAC_HALF]):
        unseen = photon_veto.inefficiency(tables, photon_veto.SAC, p) if kind == ELECTRON else response[SAC_MIP]
        missed *= blind + (1.0 - blind) * unseen
    return missed, merged


@scalar_kernel
def ionising(p, path, response):
    """Probability that a pion comes through the krypton without a shower, or as a muon after `path` (m)."""
    alive = exp(-min(path / (PION_LENGTH_PER_GEV * p), 100.0))
    return 1.0 - alive * (1.0 - response[HADRON_MIP])


@block_kernel
def veto(
    n, key, slot, kind, charge, response, planes, chamber_z, hole_x, lav, tables, index, origin, momenta, track, fate
):
    """Multiply the survival by the probability that this particle leaves no signal anywhere.

    slot : number of the particle in the event, for its random numbers. Events whose candidate is lost already are left
    alone. The particle's own decay is averaged in the krypton, where it matters, and left out elsewhere: its muon goes
    much the same way. One that falls into the candidate's cluster is not seen as another, but adds to its energy.
    """
    px, py, pz = row(momenta, PX), row(momenta, PY), row(momenta, PZ)
    x, y, z = row(origin, K_X), row(origin, K_Y), row(origin, K_Z)
    t_px, t_py, t_pz = row(track, T_PX), row(track, T_PY), row(track, T_PZ)
    t_x, t_y, t_z = row(track, T_X), row(track, T_Y), row(track, T_Z)
    own_x, own_y, own_energy = row(track, T_LKR_X), row(track, T_LKR_Y), row(track, T_LKR_ENERGY)
    inside, efficiency, survival = row(fate, ACCEPTANCE), row(fate, EFFICIENCY), row(fate, SURVIVAL)
    for j in range(n):
        # nothing to veto where the candidate is not seen anyway
        if pz[j] <= 0.0 or inside[j] * efficiency[j] == 0.0:
            continue
        p = math.sqrt(px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j])
        sx, sy = px[j] / pz[j], py[j] / pz[j]
        no_segment = segment(
            x[j], y[j], z[j], sx, sy, response, planes, chamber_z, hole_x,
            t_x[j], t_y[j], t_z[j], t_px[j] / t_pz[j], t_py[j] / t_pz[j],
        )  # fmt: skip
        missed, merged = behind(
            kind, charge, p, x[j], y[j], z[j], sx, sy, 0.0, response, planes, chamber_z, hole_x, lav, tables,
            own_x[j], own_y[j],
        )  # fmt: skip
        survival[j] *= no_segment * missed
        if merged:
            word_0, word_1, _, _ = draw(key, index[j], SCATTERING, np.uint64(16 + 2 * slot))
            path = planes[LKR_Z] - z[j]
            showers = kind == PION and uniform(word_0) > ionising(p, path, response)
            deposit = p * uniform(word_1) if showers else response[MIP_ENERGY]
            own_energy[j] += p if kind == ELECTRON else deposit
