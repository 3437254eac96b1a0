"""MUV3: the tiles behind the iron, asked for a signal (muon) or for none (pion), near where the track points.

A muon must not stop in what stands before, scatters there, and may leave the detector; a pion's shower may reach it;
and another particle may hit a tile near by in time. The scattering at the plane goes as 1/p, and so does the radius of
the search.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from kaongen.detector.identification import ELECTRON, MUON, look_up, momentum_at, momentum_grid, species_at
from kaongen.event_block import (
    EFFICIENCY,
    T_ELECTRON_Z,
    T_END_P,
    T_KINK_Z,
    T_MUON_Z,
    T_MUV3_X,
    T_MUV3_Y,
    T_P,
)
from kaongen.jit import block_kernel, row, scalar_kernel

Array = NDArray[np.float64]

# layout of the `response` array: z, hole, half side (m) and scattering of a muon at the plane (m GeV)
Z, HOLE, HALF_SIDE, SCATTERING = range(4)

# rows of the tables: a signal of a muon that stays inside, of a pion, of another particle; the normal distribution
OWN_MUON, OWN_PION, OTHER, NORMAL = range(4)

# the normal distribution on the grid of the tables, from -6 to 6 standard deviations
_NORMAL_STEP = 12.0 / 1023.0
_FAR = 5.0
"""Standard deviations from an edge beyond which nothing leaves the detector."""


def reach(p: Array, needed: float, straggling: float) -> Array:
    """Probability of a muon to come through to the tiles: needed momentum and its straggling in GeV."""
    return np.asarray(ndtr((p - needed) / straggling))


def search_radius(p: Array, scattering: float, deviations: float) -> Array:
    """Of signals around the track's point (m): so many standard deviations of the scattering, capped at 1 GeV."""
    return deviations * scattering / np.maximum(p, 1.0)


def matched(deviations: float) -> float:
    """Probability that a scattered muon stays inside the radius of the search."""
    return -math.expm1(-0.5 * deviations * deviations)


def tiles_touched(radius: Array, side: float) -> Array:
    """Mean number of square tiles that a disc at any point touches (both in m): Steiner's formula for a lattice."""
    return (math.pi * radius**2 + 4.0 * radius * side + side**2) / side**2


def tables(muon: Array, pion: Array, other: Array) -> Array:
    """Rows on the grid of the momentum: probabilities of the three kinds of signal, and the normal distribution."""
    return np.stack([muon, pion, other, ndtr(_NORMAL_STEP * np.arange(len(muon)) - 6.0)])


def signals(
    efficiency: float, needed: float, straggling: float, scattering: float, deviations: float,
    punch_through: Array, rate: float, window: float, tiles: float, side: float,
) -> Array:  # fmt: skip
    """The tables of a configuration.

    efficiency : of the tiles. needed, straggling : as in `reach`. scattering, deviations : as in `search_radius`.
    punch_through : (points, 2) momentum (GeV) and probability of a pion. rate : of all tiles (1/ns). window : half
    width in time (ns). tiles : their number. side : of a tile (m).
    """
    p = momentum_grid()
    muon = efficiency * matched(deviations) * reach(p, needed, straggling)
    pion = np.interp(p, punch_through[:, 0], punch_through[:, 1])
    share = np.minimum(tiles_touched(search_radius(p, scattering, deviations), side) / tiles, 1.0)
    return tables(muon, pion, -np.expm1(-rate * 2.0 * window * share))


@scalar_kernel
def _normal(column, x):
    at = min(max((x + 6.0) / _NORMAL_STEP, 0.0), 1022.999)
    below = np.int64(at)
    return column[below] + (at - np.float64(below)) * (column[below + 1] - column[below])


@scalar_kernel
def _within(column, x, half, sigma):
    return _normal(column, (half - x) / sigma) - _normal(column, (-half - x) / sigma)


@scalar_kernel
def stays(column, x, y, hole, half_side, sigma):
    """Probability that a particle that points to x, y and scatters by sigma (m) hits the tiles.

    So that everything factorises, the round hole is taken for a rectangle of its area that reaches as far along the
    radius: exact if the scattering is either much smaller or much larger than the hole.
    """
    far, radius = _FAR * sigma, math.sqrt(x * x + y * y)
    if abs(x) + far < half_side and abs(y) + far < half_side and radius > hole + far:
        return 1.0
    outer = _within(column, x, half_side, sigma) * _within(column, y, half_side, sigma)
    inner = _within(column, radius, hole, sigma) * _within(column, 0.0, 0.25 * math.pi * hole, sigma)
    return max(outer - inner, 0.0)


@block_kernel
def signal(n, response, table, wanted, track, fate):
    """Multiply the efficiency by the probability of a signal if it is wanted (a bool), of none otherwise."""
    p, end_p, kink_z = row(track, T_P), row(track, T_END_P), row(track, T_KINK_Z)
    muon_z, electron_z = row(track, T_MUON_Z), row(track, T_ELECTRON_Z)
    x, y, efficiency = row(track, T_MUV3_X), row(track, T_MUV3_Y), row(fate, EFFICIENCY)
    z, hole, half_side, scattering = response[Z], response[HOLE], response[HALF_SIDE], response[SCATTERING]
    for j in range(n):
        species = species_at(z, muon_z[j], electron_z[j])
        momentum = momentum_at(z, kink_z[j], p[j], end_p[j])
        missed = 1.0 - look_up(table[OTHER], momentum)
        if species == MUON:
            sigma = scattering / momentum
            missed *= 1.0 - look_up(table[OWN_MUON], momentum) * stays(
                table[NORMAL], x[j], y[j], hole, half_side, sigma
            )
        elif species != ELECTRON:
            missed *= 1.0 - look_up(table[OWN_PION], momentum)
        efficiency[j] *= 1.0 - missed if wanted else missed
