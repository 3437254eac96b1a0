"""Many-body phase space as a table of cells: where to propose points, and what bounds the density there.

The density on the unit hypercube is |M|^2 times the weight of phase space. Each axis is first warped so that its
marginal varies as little as it can (the grids of VEGAS; Lepage, J. Comput. Phys. 27 (1978) 192): poles and resonances
need no declaration. The warped hypercube is then halved again and again, along the axis that gains most, into
2^16 equal cells. A cell is chosen in proportion to its bound with Walker's alias table.

A cell's bound comes from points sampled in it: the largest of them, or what a plane through them reaches in a corner,
with a margin for what both miss. It is not rigorous, so a decay above its bound is kept with a weight above one, and
counted.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from kaongen.decays import alias
from kaongen.decays.amplitude import call_momenta, momenta_address
from kaongen.decays.phase_space import PhaseSpace, unfold, work_rows
from kaongen.errors import ProcessError
from kaongen.jit import BLOCK, block_kernel, row, scalar_kernel

_PER_OCTAVE_BITS = 4
_OCTAVES = 24
BINS = 2 * _OCTAVES << _PER_OCTAVE_BITS
"""Intervals of each axis within which its warping is linear. They shrink geometrically towards both ends, where
densities go like powers: from 1/32 in the middle down to 2^-28."""

_POINTS = 64
"""Points sampled in each cell: a divisor of the block size."""

_ROUNDS, _ROUND_POINTS = 8, 1 << 16
"""Rounds of adapting the axes, and points for each axis in each."""

_SPLIT_POINTS = 1 << 20
"""Points by which it is decided how often each axis is halved."""

_MARGIN = 4.0
"""How far above the sampled points a bound lies, in units of the scatter of the points about a plane."""

F8, I8 = types.Array(types.float64, 1, "C"), types.Array(types.int64, 1, "C")
F82 = types.Array(types.float64, 2, "C")
SPACE = (types.int64, types.float64, F8, F8, F8, F8, F8)
"""Types of the amplitude's address, the parent's mass, the daughters' masses, the ends of the systems' masses, the
parameters and the warps of the axes."""


_LOWEST = np.int64(1023 - 1 - _OCTAVES) << np.int64(_PER_OCTAVE_BITS)
_BITS_SHIFT = np.int64(52 - _PER_OCTAVE_BITS)
_HALF_BINS = np.int64(BINS // 2)


@scalar_kernel
def interval(t):
    """Number of the interval in which a coordinate between 0 and 1 lies, from the bits of the distance to the end."""
    upper = t >= 0.5
    distance = 1.0 - t if upper else t
    step = max((np.float64(distance).view(np.int64) >> _BITS_SHIFT) - _LOWEST, 0)
    # one half is the end of the last interval of the lower side
    step = min(step, _HALF_BINS - 1)
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


def buffers(particles: int) -> tuple[NDArray[np.float64], ...]:
    """Coordinates, work, momenta, weight and density for `evaluate`."""
    # three more rows of coordinates, because random numbers come in fours
    counts = (3 * particles - 4, work_rows(particles) + 1, 4 * particles, 1, 1)
    return tuple(np.zeros(count * BLOCK) for count in counts)


@dataclass(frozen=True, slots=True)
class CellTable:
    """All that a many-body kernel needs to propose and accept points.

    amplitude : the compiled function, and address : of its machine code.
    warps : (axes * 2 * BINS,) float64: for each axis where each interval would start at 0, and then its slopes.
    bits, shifts : (axes,) int64, how often each axis is halved, and where its part of a cell's number begins.
    alias : (2^16,) uint64, Walker's table.
    acceptance : (2^16,) float64, times the density it is the probability to accept a point of the cell.
    integral, integral_error : of |M|^2 over phase space (unit of |M|^2 times GeV^(2n - 4)).
    efficiency : expected fraction of proposals that are accepted.
    """

    amplitude: Any
    address: int
    space: PhaseSpace
    parameters: NDArray[np.float64]
    warps: NDArray[np.float64]
    bits: NDArray[np.int64]
    shifts: NDArray[np.int64]
    alias: NDArray[np.uint64]
    acceptance: NDArray[np.float64]
    integral: float
    integral_error: float
    efficiency: float

    def arrays(self) -> tuple[Any, ...]:
        """As kernels take them, in the order of `SPACE`."""
        return (self.address, *self.space.arrays(), self.parameters, self.warps)


def build_cells(amplitude: Any, space: PhaseSpace, parameters: NDArray[np.float64]) -> CellTable:
    """Tabulate a squared amplitude over many-body phase space.

    Parameters
    ----------
    amplitude
        Compiled function of a block of momenta (`kaongen.decays.amplitude`).
    space
        The phase space, with any limits on the masses of systems.
    parameters
        (n,) float64, handed to the amplitude.

    Raises
    ------
    ProcessError
        If |M|^2 is negative, not finite, or zero everywhere.
    """
    axes = space.dimensions
    address = momenta_address(amplitude)

    def frame(warps: NDArray[np.float64]) -> tuple[Any, ...]:
        return (address, *space.arrays(), parameters, warps)

    edges = np.tile(KNOTS, (axes, 1))
    for number in range(_ROUNDS):
        edges = _adapted(edges, number, lambda points, e=edges: _densities(points, frame(_warps(e)), space.particles))
    warps = _warps(edges)
    points = _points(axes, _SPLIT_POINTS, _ROUNDS)
    bits = np.array(_split(points, _densities(points, frame(warps), space.particles), alias.CELL_BITS))
    shifts = np.concatenate([[0], np.cumsum(bits)[:-1]])
    inside = np.ascontiguousarray(_points(axes, _POINTS, _ROUNDS + 1))
    bound, mean, variance = np.empty(alias.CELLS), np.empty(alias.CELLS), np.empty(alias.CELLS)

    def explore(first: int) -> None:
        room = buffers(space.particles)
        _explore(first, _EXPLORED, *frame(warps), bits, shifts, inside, *room, bound, mean, variance)

    _in_threads(explore, range(0, alias.CELLS, _EXPLORED))
    total = bound.sum()
    table = alias.alias_table(bound / total)
    # as for the Dalitz plot: proposals follow what the table has exactly, so the acceptance stays below one
    ceiling = total / (1.0 - alias.SLACK)
    given = ceiling * alias.probabilities(table)
    occupied = given > 0.0
    scale = space.constant / alias.CELLS
    return CellTable(
        amplitude=amplitude,
        address=address,
        space=space,
        parameters=parameters,
        warps=warps,
        bits=bits,
        shifts=shifts,
        alias=table,
        acceptance=np.where(occupied, 1.0 / np.where(occupied, given, 1.0), 0.0),
        integral=float(mean.sum() * scale),
        integral_error=float(math.sqrt(variance.sum() / _POINTS) * scale),
        efficiency=float(mean.sum() / ceiling),
    )


_EXPLORED = 4096
"""Cells that one thread explores at a time."""


def _in_threads(work: Callable[[int], None], items: Sequence[int]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(work, items))


def _points(axes: int, n: int, number: int) -> NDArray[np.float64]:
    """n points spread evenly over the hypercube; (axes, n). They are the same in every process."""
    from scipy.stats.qmc import Sobol

    points = Sobol(axes, rng=np.random.default_rng(number)).random(n)
    # the last interval ends before 1
    return np.ascontiguousarray(np.minimum(points, 1.0 - 2.0**-53).T)


def _densities(points: NDArray[np.float64], frame: tuple[Any, ...], particles: int) -> NDArray[np.float64]:
    """Density at (axes, n) points of the warped hypercube."""
    axes, n = points.shape
    result = np.empty(n)

    def work(first: int) -> None:
        coordinates, *room, density = buffers(particles)
        size = min(BLOCK, n - first)
        for axis in range(axes):
            coordinates[axis * BLOCK : axis * BLOCK + size] = points[axis, first : first + size]
        evaluate(size, *frame, coordinates, *room, density)
        result[first : first + size] = density[:size]

    _in_threads(work, range(0, n, BLOCK))
    if not np.all(np.isfinite(result)) or result.min() < 0.0:
        bad = result[~(np.isfinite(result) & (result >= 0.0))][0]
        raise ProcessError(f"|M|^2 is {bad:.6g} (times the phase space): it must be finite and not negative everywhere")
    if not result.any():
        raise ProcessError("|M|^2 vanishes all over phase space: there is nothing to sample")
    return result


def _warps(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    slopes = np.diff(edges) / np.diff(KNOTS)
    return np.stack([edges[:, :-1] - slopes * KNOTS[:-1], slopes], axis=1).ravel()


def _adapted(
    edges: NDArray[np.float64],
    number: int,
    densities: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Edges, (axes, BINS + 1), between which each interval holds its share of the density."""
    result = edges.copy()
    width = np.diff(KNOTS)
    for axis in range(len(edges)):
        points = _points(len(edges), _ROUND_POINTS, number)
        # along this axis as many points in the short intervals as in the long ones
        scaled = points[axis] * BINS
        step = scaled.astype(np.int64)
        points[axis] = KNOTS[step] + (scaled - step) * width[step]
        density = densities(points)
        # the root mean square pays more for peaks along other axes than the mean does
        height = np.sqrt(np.bincount(step, weights=density * density, minlength=BINS))
        height = np.convolve(np.pad(height, 2, mode="edge"), [0.1, 0.2, 0.4, 0.2, 0.1], mode="valid")
        cost = width * (height / height.max() + 1e-6)
        reached = np.concatenate([[0.0], np.cumsum(cost)])
        result[axis] = np.interp(KNOTS, reached / reached[-1], edges[axis])
    return result


def _split(points: NDArray[np.float64], density: NDArray[np.float64], halvings: int) -> list[int]:
    """How often to halve each axis: one after the other, always the one along which the density changes most."""
    bits = np.zeros(len(points), dtype=np.int64)
    for _ in range(halvings):
        bits[int(np.argmax(_changes(points, density, bits)))] += 1
    return [int(b) for b in bits]


@block_kernel
def _changes(points, density, bits):
    """For each axis, how much the density changes across a cell along it, added up over the cells."""
    axes, n = points.shape
    cells = 1 << bits.sum()
    count, total = np.zeros(cells), np.zeros(cells)
    moment, spread = np.zeros((cells, axes)), np.zeros((cells, axes))
    cell = np.zeros(n, dtype=np.int64)
    for j in range(n):
        for axis in range(axes):
            cell[j] = (cell[j] << bits[axis]) | np.int64(points[axis, j] * (1 << bits[axis]))
        count[cell[j]] += 1.0
        total[cell[j]] += density[j]
    for j in range(n):
        c = cell[j]
        for axis in range(axes):
            scaled = points[axis, j] * (1 << bits[axis])
            away = scaled - np.floor(scaled) - 0.5
            moment[c, axis] += away * (density[j] - total[c] / count[c])
            spread[c, axis] += away * away
    result = np.zeros(axes)
    for c in range(cells):
        for axis in range(axes):
            if spread[c, axis] > 0.0:
                result[axis] += abs(moment[c, axis] / spread[c, axis])
    return result


@block_kernel(
    signature=types.void(types.int64, types.int64, *SPACE, I8, I8, F82, F8, F8, F8, F8, F8, F8, F8, F8),
)
def _explore(
    first, n, address, parent, masses, lower, upper, parameters, warps, bits, shifts, inside,
    coordinates, work, momenta, weight, density, bound, mean, variance,
):  # fmt: skip
    """Bound, mean and variance of the density in cells first .. first + n - 1, from the same points in each."""
    axes, size = inside.shape
    per_block = BLOCK // size
    for start in range(first, first + n, per_block):
        for axis in range(axes):
            x = row(coordinates, axis)
            length = 1.0 / np.float64(1 << bits[axis])
            for c in range(per_block):
                step = np.float64(((start + c) >> shifts[axis]) & ((1 << bits[axis]) - 1))
                for i in range(size):
                    x[c * size + i] = (step + inside[axis, i]) * length
        evaluate(
            BLOCK, address, parent, masses, lower, upper, parameters, warps, coordinates, work, momenta, weight, density
        )
        for c in range(per_block):
            values = density[c * size : (c + 1) * size]
            average, high = 0.0, 0.0
            for i in range(size):
                average += values[i] / size
                high = max(high, values[i])
            squares, explained, reach = 0.0, 0.0, 0.0
            for i in range(size):
                squares += (values[i] - average) ** 2
            for axis in range(axes):
                slope, spread = 0.0, 0.0
                for i in range(size):
                    away = inside[axis, i] - 0.5
                    slope += away * values[i]
                    spread += away * away
                slope /= spread
                reach += 0.5 * abs(slope)
                explained += slope * slope * spread
            scatter = math.sqrt(max(squares - explained, 0.0) / size)
            bound[start + c] = max(high, average + reach) + _MARGIN * scatter
            mean[start + c] = average
            variance[start + c] = squares / size
