"""The warped hypercube: points of many-body phase space as the sampler draws them, and the density there.

Each axis of the hypercube is warped so that the density's marginal varies as little as it can (the grids of VEGAS;
Lepage, J. Comput. Phys. 27 (1978) 192): poles and resonances in the mass of a system need no declaration, down to a
width of 1% of it. Halved again and again along its
axes, the warped hypercube falls into 2^16 equal cells, of which Walker's alias table picks one.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from kaongen.decays.alias import choose
from kaongen.decays.amplitude import call_momenta
from kaongen.decays.phase_space import unfold, work_rows
from kaongen.jit import BLOCK, block_kernel, full_width, row, scalar_kernel
from kaongen.random import draw, uniform

_PER_OCTAVE_BITS = 4
_OCTAVES = 24
BINS = 2 * _OCTAVES << _PER_OCTAVE_BITS
"""Intervals of each axis within which its warping is linear. They shrink geometrically towards both ends, where
densities go like powers: from 1/32 in the middle down to 2^-28."""

F8, I8, U8 = (types.Array(t, 1, "C") for t in (types.float64, types.int64, types.uint64))
SPACE = (types.int64, types.float64, F8, F8, F8, F8, F8)
"""Types of the amplitude's address, the parent's mass, the daughters' masses, the ends of the systems' masses, the
parameters and the warps of the axes."""


_LOWEST = np.int64(1023 - 1 - _OCTAVES) << np.int64(_PER_OCTAVE_BITS)
_BITS_SHIFT = np.int64(52 - _PER_OCTAVE_BITS)
_LAST_LOWER = np.int64(BINS // 2 - 1)


@scalar_kernel
def interval(t):
    """Number of the interval in which a coordinate between 0 and 1 lies, from the bits of the distance to the end."""
    upper = t >= 0.5
    distance = 1.0 - t if upper else t
    step = max((np.float64(distance).view(np.int64) >> _BITS_SHIFT) - _LOWEST, np.int64(0))
    # one half is the end of the last interval of the lower side
    step = min(step, _LAST_LOWER)
    return BINS - 1 - step if upper else step


def _knots() -> NDArray[np.float64]:
    """Ends of the intervals: (BINS + 1,)."""
    steps = 1 << _PER_OCTAVE_BITS
    octaves = 2.0 ** np.arange(-1 - _OCTAVES, -1)
    lower = np.outer(octaves, 1.0 + np.arange(steps) / steps).ravel()
    lower[0] = 0.0
    return np.concatenate([lower, [0.5], 1.0 - lower[::-1]])


KNOTS = _knots()


@block_kernel(signature=types.void(types.int64, *SPACE, F8, F8, F8, F8, F8))
def evaluate(n, address, parent, masses, lower, upper, parameters, warps, coordinates, work, momenta, weight, density):
    """Density at n points of the warped hypercube, whose `coordinates` are carried to those of phase space.

    Leaves the daughters' momenta in `momenta`, in their canonical orientation.
    """
    axes = 3 * masses.size - 7
    jacobian = row(work, masses.size + 1)
    for j in range(n):
        jacobian[j] = 1.0
    for axis in range(axes):
        x = row(coordinates, axis)
        first = 2 * BINS * axis
        for j in range(n):
            entry = first + interval(x[j])
            slope = warps[entry + BINS]
            x[j] = warps[entry] + slope * x[j]
            jacobian[j] *= slope
    unfold(n, parent, masses, lower, upper, coordinates, work, momenta, weight)
    call_momenta(address, n, momenta, parameters, density)
    for j in range(n):
        scale = weight[j] * jacobian[j]
        # where a system is too heavy for the one above it there is no phase space, and |M|^2 may be anything
        density[j] = density[j] * scale if scale > 0.0 else 0.0


@scalar_kernel
def draws_needed(axes):
    """Draws for one attempt: two numbers for the choice of the cell and the chance, and one for each axis."""
    return (axes + 5) // 4


@block_kernel
def place(key, n, stream, first_draw, index, waiting, axes, bits, shifts, table, coordinates, chance, cells):
    """Random points of the warped hypercube, in cells chosen by their bounds, and a number in (0, 1) each."""
    full_width()
    for j in range(n):
        word_0, word_1, word_2, word_3 = draw(key, index[waiting[j]], stream, first_draw)
        cells[j], chance[j] = word_0, uniform(word_1)
        coordinates[j], row(coordinates, 1)[j] = uniform(word_2), uniform(word_3)
    for number in range(1, draws_needed(axes)):
        axis = 4 * number - 2
        x, y = row(coordinates, axis), row(coordinates, axis + 1)
        z, t = row(coordinates, axis + 2), row(coordinates, axis + 3)
        for j in range(n):
            word_0, word_1, word_2, word_3 = draw(key, index[waiting[j]], stream, first_draw + np.uint64(number))
            x[j], y[j], z[j], t[j] = uniform(word_0), uniform(word_1), uniform(word_2), uniform(word_3)
    for j in range(n):
        cells[j] = choose(cells[j], table)
    for axis in range(axes):
        x = row(coordinates, axis)
        mask = np.int64((1 << bits[axis]) - 1)
        shift = shifts[axis]
        length = 1.0 / np.float64(1 << bits[axis])
        for j in range(n):
            x[j] = (np.float64((np.int64(cells[j]) >> shift) & mask) + x[j]) * length


def buffers(particles: int) -> tuple[NDArray[np.float64], ...]:
    """Coordinates, work, momenta, weight and density for `evaluate`."""
    # three more rows of coordinates, because random numbers come in fours
    counts = (3 * particles - 4, work_rows(particles) + 1, 4 * particles, 1, 1)
    return tuple(np.zeros(count * BLOCK) for count in counts)
