"""Decays to many bodies: accepted points of phase space, and their momenta in the parent's rest frame."""

from __future__ import annotations

import math

import numpy as np
from numba import types

from kaongen.decays.hypercube import F8, I8, SPACE, U8, buffers, draws_needed, evaluate, place
from kaongen.decays.workspace import PX, PY, PZ, E
from kaongen.elementary import sincos_turns
from kaongen.jit import BLOCK, block_kernel, full_width, row
from kaongen.random import draw, uniform

TABLE = (*SPACE, I8, I8, U8, F8)
"""Types of a `CellTable`'s arrays, bits, shifts, alias and acceptance."""


@block_kernel(
    signature=types.UniTuple(types.int64, 2)(
        types.uint64, types.int64, types.uint64, types.uint64, U8, *TABLE, *(F8,) * 7, U8, I8, F8
    )
)
def settle(
    key, n, stream, first_draw, index,
    address, parent, masses, lower, upper, parameters, warps, bits, shifts, table, acceptance,
    coordinates, work, momenta, trial, density, chance, settled, cells, waiting, weight,
):  # fmt: skip
    """An unweighted point of phase space for each of n decays, by as many attempts as it takes.

    Attempt k of decay `index[j]` uses its own draws of the stream, from first_draw on. Fills `settled` with the
    daughters' momenta in the canonical orientation, and `weight`. Returns the number of attempts, and how many decays
    lay above their bound.
    """
    axes = 3 * masses.size - 7
    rows = 4 * masses.size
    for j in range(n):
        waiting[j] = j
    left = np.int64(n)
    attempts, above = np.int64(0), np.int64(0)
    while left > 0:
        attempts += left
        place(key, left, stream, first_draw, index, waiting, axes, bits, shifts, table, coordinates, chance, cells)
        evaluate(
            left, address, parent, masses, lower, upper, parameters, warps, coordinates, work, momenta, trial, density
        )
        for k in range(left):
            density[k] *= acceptance[cells[k]]
        for number in range(rows):
            tried, kept = row(momenta, number), row(settled, number)
            # also those that will be rejected: a later attempt overwrites them
            for k in range(left):
                kept[waiting[k]] = tried[k]
        rejected = np.int64(0)
        for k in range(left):
            j = waiting[k]
            weight[j] = max(density[k], 1.0)
            above += np.int64(density[k] > 1.0)
            waiting[rejected] = j
            # also what is not a number
            rejected += np.int64(not (density[k] > chance[k]))
        left = rejected
        first_draw += np.uint64(draws_needed(axes))
    return attempts, above


@block_kernel
def orientations(key, n, stream, number, index, angles):
    """Euler angles for each of n decays: cosine and sine of the polar angle, of the azimuth, and of the turn (6 rows).

    They are the direction of the system that recoils against the last particle, and its turn about it.
    """
    full_width()
    c, d, cos_a = row(angles, 0), row(angles, 1), row(angles, 2)
    sin_a, cos_t, sin_t = row(angles, 3), row(angles, 4), row(angles, 5)
    for j in range(n):
        word_0, word_1, word_2, _ = draw(key, index[j], stream, number)
        c[j] = 2.0 * uniform(word_0) - 1.0
        d[j] = math.sqrt(1.0 - c[j] * c[j])
        sin_a[j], cos_a[j] = sincos_turns(uniform(word_1))
        sin_t[j], cos_t[j] = sincos_turns(uniform(word_2))


@block_kernel
def turn(n, angles, momenta, particle, result):
    """Momenta of one particle, turned from the canonical orientation (rows PX, PY, PZ, E in GeV)."""
    full_width()
    c, d, cos_a = row(angles, 0), row(angles, 1), row(angles, 2)
    sin_a, cos_t, sin_t = row(angles, 3), row(angles, 4), row(angles, 5)
    x, y = row(momenta, 4 * particle), row(momenta, 4 * particle + 1)
    z, e = row(momenta, 4 * particle + 2), row(momenta, 4 * particle + 3)
    out_x, out_y, out_z, out_e = row(result, PX), row(result, PY), row(result, PZ), row(result, E)
    for j in range(n):
        turned_x = x[j] * cos_t[j] - y[j] * sin_t[j]
        turned_y = x[j] * sin_t[j] + y[j] * cos_t[j]
        swing = c[j] * turned_x + d[j] * z[j]
        out_x[j] = swing * cos_a[j] - turned_y * sin_a[j]
        out_y[j] = swing * sin_a[j] + turned_y * cos_a[j]
        out_z[j] = c[j] * z[j] - d[j] * turned_x
        out_e[j] = e[j]


@block_kernel
def exchange(key, n, stream, number, index, pairs, momenta):
    """Exchange the two particles of each of the pairs, (pairs, 2) int64, in half of the decays, chosen at random."""
    for k in range(pairs.shape[0]):
        bit = np.uint64(1 << k)
        for j in range(n):
            # the word that the orientation leaves
            _, _, _, word = draw(key, index[j], stream, number)
            if (word & bit) != 0:
                for component in range(4):
                    one, two = row(momenta, 4 * pairs[k, 0] + component), row(momenta, 4 * pairs[k, 1] + component)
                    one[j], two[j] = two[j], one[j]


class Room:
    """Rows that `settle` needs for decays to so many particles; each thread needs its own."""

    def __init__(self, particles: int) -> None:
        self.trial = buffers(particles)
        self.chance = np.zeros(BLOCK)
        self.settled = np.zeros(4 * particles * BLOCK)
        self.angles = np.zeros(6 * BLOCK)
        self.cells = np.zeros(BLOCK, dtype=np.uint64)
        self.waiting = np.zeros(BLOCK, dtype=np.int64)
