"""Photons that become an electron and a positron in the first two chambers: the magnet bends the pair apart.

Each chamber has four views of straws, which leave a gap for the beam. The pair follows the photon's line up to the
magnet. It is unseen if both are; one from the first chamber leaves a track segment as well. The pairs of one photon
are represented by a single one, from one of the two chambers, with the total probability; where it hardly matters, that
is done for a few photons with a larger weight. Conversions elsewhere (third
and fourth chamber, RICH, hodoscopes) leave the energy on the photon's line and count as the photon; those in GTK3 and
CHANTI, before the decay volume, are left out.
"""

from __future__ import annotations

import numpy as np

from kaongen.decays.workspace import PZ, E
from kaongen.detector import charged_veto
from kaongen.detector.acceptance import in_ring
from kaongen.detector.charged_veto import ELECTRON, GAP, RADIUS
from kaongen.detector.photon_veto import LAV, LEAST, MISSED, SLOPE_X, SLOPE_Y, STATION, TRIED, WHERE
from kaongen.event_block import (
    ACCEPTANCE,
    EFFICIENCY,
    K_X,
    K_Y,
    K_Z,
    SURVIVAL,
    T_LKR_X,
    T_LKR_Y,
    T_PX,
    T_PY,
    T_PZ,
    T_X,
    T_Y,
    T_Z,
)
from kaongen.jit import block_kernel, full_width, row, scalar_kernel
from kaongen.random import SCATTERING, draw, uniform

_SQRT_HALF = 0.5**0.5
_PAIRS_PER_LENGTH = 7.0 / 9.0
"""Conversions of a hard photon per radiation length."""

# Which pairs are followed: below _SOFT (GeV), where a third is unseen, all if the other photons are missed with a
# probability of 1/_WORTH or more, fewer above, where a leg may go through the hole of the beam (_HOLE), and no more
# than a few if the photon itself is missed with _LOST.
_SOFT, _WORTH, _HOLE, _LOST, _LEAST_TRIED = 8.0, 10.0, 0.5, 0.1, 1.0 / 64.0


@scalar_kernel
def views_crossed(x, y, hole_x, gap, radius):
    """How many of the four views of a chamber have a straw at a point (m)."""
    dx = x - hole_x
    u, v = (dx + y) * _SQRT_HALF, (dx - y) * _SQRT_HALF
    views = 1.0 * (abs(dx) > gap) + 1.0 * (abs(y) > gap) + 1.0 * (abs(u) > gap) + 1.0 * (abs(v) > gap)
    return views if x * x + y * y < radius * radius else 0.0


@scalar_kernel
def positron_share(word_0, word_1, word_2, word_3):
    """The positron's share of the photon's energy: density (9/7) (1 - 4/3 x (1 - x)), completely screened.

    It is 6/7 of a flat one and 1/7 of 3 (1 - 2 x)^2, whose |1 - 2 x| is the largest of three uniform numbers.
    """
    a, b, c = uniform(word_1), uniform(word_2), uniform(word_3)
    choice = uniform(word_0)
    far = max(a, b, c)
    # what is left of the choice says on which side
    return a if choice < 6.0 / 7.0 else 0.5 * (1.0 + far) if choice < 6.5 / 7.0 else 0.5 * (1.0 - far)


@scalar_kernel
def share_tried(energy, missed, others):
    """Share of photons whose pair is followed: all that could matter, and a few of those that hardly do.

    missed : probability that the photon is not seen otherwise; others : the same of all other photons together. Pairs
    of hard photons are rarely unseen, and what a photon that is lost anyway becomes is of no consequence. Any choice
    gives the same means.
    """
    scaled = (_SOFT / energy) * (_SOFT / energy)
    unseen = min(max(scaled * scaled, _HOLE), 1.0)
    worth = _WORTH * others * unseen if missed < _LOST else 0.0
    return min(max(worth, _LEAST_TRIED), 1.0)


@block_kernel
def choose(n, key, slot, together, index, momenta, scratch):
    """Whose pair is followed: the weight of the pair (0 for those that are left out), and a random number."""
    full_width()
    energy, missed = row(momenta, E), row(scratch, MISSED)
    tried, where = row(scratch, TRIED), row(scratch, WHERE)
    number = np.uint64(16 + 2 * slot)
    for j in range(n):
        word_0, word_1, _, _ = draw(key, index[j], SCATTERING, number)
        others = together[j] / max(missed[j], LEAST)
        share = share_tried(max(energy[j], 1e-3), missed[j], others)
        tried[j] = 1.0 / share if uniform(word_0) < share else 0.0
        where[j] = uniform(word_1)


@block_kernel
def veto(
    n, key, slot, thickness, blind, response, planes, chamber_z, hole_x, lav, tables, index,
    origin, momenta, scratch, track, fate,
):  # fmt: skip
    """Multiply the survival by the probability that a photon is not seen, neither itself nor as a pair.

    slot : number of the photon in the event, for its random numbers; thickness : of a chamber in radiation lengths;
    blind : share of the pairs that LAV, IRC and SAC do not see. `scratch` holds the photon's slopes, the system that it
    meets first, and what `choose` has said. Events whose candidate is lost already are left alone.
    """
    pz, energy = row(momenta, PZ), row(momenta, E)
    x, y, z = row(origin, K_X), row(origin, K_Y), row(origin, K_Z)
    station, slope_x, slope_y = row(scratch, STATION), row(scratch, SLOPE_X), row(scratch, SLOPE_Y)
    missed, tried, where = row(scratch, MISSED), row(scratch, TRIED), row(scratch, WHERE)
    t_px, t_py, t_pz = row(track, T_PX), row(track, T_PY), row(track, T_PZ)
    t_x, t_y, t_z = row(track, T_X), row(track, T_Y), row(track, T_Z)
    own_x, own_y = row(track, T_LKR_X), row(track, T_LKR_Y)
    inside, efficiency, survival = row(fate, ACCEPTANCE), row(fate, EFFICIENCY), row(fate, SURVIVAL)
    per_view = _PAIRS_PER_LENGTH * thickness / 4.0
    number = np.uint64(17 + 2 * slot)
    for j in range(n):
        if inside[j] * efficiency[j] == 0.0:
            continue
        direct = missed[j]
        if tried[j] == 0.0 or pz[j] <= 0.0 or z[j] >= chamber_z[1]:
            survival[j] *= direct
            continue
        sx, sy = slope_x[j], slope_y[j]
        at_x, at_y = x[j] + sx * (chamber_z[0] - z[j]), y[j] + sy * (chamber_z[0] - z[j])
        first = views_crossed(at_x, at_y, hole_x[0], planes[GAP], planes[RADIUS]) if z[j] < chamber_z[0] else 0.0
        at_x, at_y = x[j] + sx * (chamber_z[1] - z[j]), y[j] + sy * (chamber_z[1] - z[j])
        second = views_crossed(at_x, at_y, hole_x[1], planes[GAP], planes[RADIUS])
        if station[j] == LAV and first + second > 0.0:
            for k in range(lav.shape[1]):
                stops = False
                for face in range(2):
                    step = lav[face, k] - z[j]
                    stops |= in_ring(x[j] + sx * step, y[j] + sy * step, lav[2, k], lav[3, k])
                if stops and lav[0, k] > z[j]:
                    first = 0.0 if lav[0, k] < chamber_z[0] else first
                    second = 0.0 if lav[0, k] < chamber_z[1] else second
        if first + second == 0.0:
            survival[j] *= direct
            continue
        share = positron_share(*draw(key, index[j], SCATTERING, number))
        start = chamber_z[0] if where[j] * (first + second) < first else chamber_z[1]
        at_x, at_y = x[j] + sx * (start - z[j]), y[j] + sy * (start - z[j])
        pair = charged_veto.segment(
            at_x, at_y, start, sx, sy, response, planes, chamber_z, hole_x,
            t_x[j], t_y[j], t_z[j], t_px[j] / t_pz[j], t_py[j] / t_pz[j],
        )  # fmt: skip
        for charge in (1.0, -1.0):
            p = energy[j] * (share if charge > 0.0 else 1.0 - share)
            unseen, _ = charged_veto.behind(
                ELECTRON, charge, p, at_x, at_y, start, sx, sy, blind, response, planes, chamber_z, hole_x, lav, tables,
                own_x[j], own_y[j],
            )  # fmt: skip
            pair *= unseen
        converts = min(per_view * (first + second) * tried[j], 1.0)
        survival[j] *= (1.0 - converts) * direct + converts * pair
