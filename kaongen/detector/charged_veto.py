"""What a second charged particle leaves behind: a track segment, rings, showers and clusters that reject the event."""

from __future__ import annotations

import math

from kaongen.decays.workspace import PX, PY, PZ
from kaongen.detector.acceptance import in_octagon, in_ring, in_small_ring, in_straw_chamber
from kaongen.event_block import ACCEPTANCE, EFFICIENCY, K_X, K_Y, K_Z, SURVIVAL
from kaongen.jit import block_kernel, row

# layout of the `response` array: probabilities to leave no signal, and the threshold for light in the RICH (GeV)
STRAW, RICH, LKR, LAV, SMALL_ANGLE, RICH_THRESHOLD = range(6)

# layout of the `planes` array (m)
MAGNET_Z, KICK, GAP, RADIUS, RICH_Z, RICH_X, RICH_IN, RICH_OUT, LKR_Z, LKR_IN, LKR_OUT = range(11)
IRC_Z, IRC_X, IRC_IN, IRC_OUT, SAC_Z, SAC_HALF = range(11, 17)


@block_kernel
def veto(n, charge, response, planes, chamber_z, hole_x, lav, origin, momenta, fate):
    """Multiply the survival by the probability that this particle leaves no signal anywhere.

    Events whose candidate is lost already are left alone. A segment needs the first two chambers; behind the magnet,
    horizontal positions carry its kick. The particle's own decay is left out: its muon leaves much the same.
    """
    px, py, pz = row(momenta, PX), row(momenta, PY), row(momenta, PZ)
    x, y, z = row(origin, K_X), row(origin, K_Y), row(origin, K_Z)
    inside, efficiency, survival = row(fate, ACCEPTANCE), row(fate, EFFICIENCY), row(fate, SURVIVAL)
    for j in range(n):
        # nothing to veto where the candidate is not seen anyway
        if pz[j] <= 0.0 or inside[j] * efficiency[j] == 0.0:
            continue
        p = math.sqrt(px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j])
        sx, sy = px[j] / pz[j], py[j] / pz[j]
        # what begins behind the magnet is not bent
        bend = charge * planes[KICK] / p if z[j] < planes[MAGNET_Z] else 0.0
        missed = 1.0
        for k in range(lav.shape[1]):
            entered = False
            for face in range(2):
                at = lav[face, k]
                # stations behind the magnet see the bent track
                at_x = x[j] + sx * (at - z[j]) - max(at - planes[MAGNET_Z], 0.0) * bend
                entered |= in_ring(at_x, y[j] + sy * (at - z[j]), lav[2, k], lav[3, k])
            if entered and lav[0, k] > z[j]:
                missed *= response[LAV]
        segment = True
        for c in range(2):
            at_x, at_y = x[j] + sx * (chamber_z[c] - z[j]), y[j] + sy * (chamber_z[c] - z[j])
            segment &= z[j] < chamber_z[c] and in_straw_chamber(at_x, at_y, hole_x[c], planes[GAP], planes[RADIUS])
        if segment:
            missed *= response[STRAW]
        at = planes[RICH_Z]
        at_x, at_y = x[j] + sx * (at - z[j]) - (at - planes[MAGNET_Z]) * bend, y[j] + sy * (at - z[j])
        in_rich = z[j] < at and in_ring(at_x - planes[RICH_X], at_y, planes[RICH_IN], planes[RICH_OUT])
        if in_rich and p > response[RICH_THRESHOLD]:
            missed *= response[RICH]
        at = planes[LKR_Z]
        at_x, at_y = x[j] + sx * (at - z[j]) - (at - planes[MAGNET_Z]) * bend, y[j] + sy * (at - z[j])
        if z[j] < at and in_octagon(at_x, at_y, planes[LKR_IN], planes[LKR_OUT]):
            missed *= response[LKR]
        at = planes[IRC_Z]
        at_x, at_y = x[j] + sx * (at - z[j]) - (at - planes[MAGNET_Z]) * bend, y[j] + sy * (at - z[j])
        small = z[j] < at and in_small_ring(at_x, at_y, planes[IRC_X], planes[IRC_IN], planes[IRC_OUT])
        at = planes[SAC_Z]
        at_x, at_y = x[j] + sx * (at - z[j]) - (at - planes[MAGNET_Z]) * bend, y[j] + sy * (at - z[j])
        small |= (z[j] < at) & (abs(at_x) < planes[SAC_HALF]) & (abs(at_y) < planes[SAC_HALF])
        if small:
            missed *= response[SMALL_ANGLE]
        survival[j] *= missed
