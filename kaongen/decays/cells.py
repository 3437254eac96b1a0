"""Many-body phase space as a table of cells: where to propose points, and what bounds the density there.

The density on the unit hypercube is |M|^2 times the weight of phase space. The axes are warped to follow it, the warped
hypercube is cut into cells (`hypercube`), and a cell is chosen in proportion to its bound.

A cell's bound comes from points sampled in it: the largest of them, or what a plane through them reaches in a corner,
with a margin for what both miss. Trials then raise the bounds of cells in which a point lies above. Bounds are not
rigorous, so a decay above its bound is kept with a weight above one, and counted.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, TypeVar

import numpy as np
from numba import types
from numpy.typing import NDArray

from kaongen.decays import alias
from kaongen.decays.amplitude import momenta_address
from kaongen.decays.hypercube import BINS, F8, I8, KNOTS, SPACE, U8, buffers, evaluate, place
from kaongen.decays.phase_space import PhaseSpace
from kaongen.errors import ProcessError
from kaongen.jit import BLOCK, block_kernel, row
from kaongen.random import PROPOSAL

_POINTS = 64
"""Points sampled in each cell: a divisor of the block size."""

_ROUNDS, _ROUND_POINTS = 8, 1 << 16
"""Rounds of adapting the axes, and points for each axis in each."""

_FEWEST_POINTS, _POINTS_PER_CELL, _SPLIT_POINTS = 1 << 17, 16, 1 << 20
"""Points by which it is decided along which axis to cut: at least, for each cell that there is, and at most."""

_MARGIN = 2.0
"""How far above the sampled points a bound lies, in units of the scatter of the points about a plane."""

_TRIALS, _TRIAL_POINTS, _RAISE = 3, 1 << 22, 1.3
"""Rounds of trials, points in each, and how far a bound is raised above the highest point that lay above it."""

_EXPLORED, _TRIED = 4096, 1 << 18
"""Cells that one thread explores at a time, and points that it tries."""

_KEY = np.uint64(0x6B616F6E)
"""Of the random numbers of the trials, which have nothing to do with those of any sample."""

_FLOOR = 1e-3
"""Least bound of a cell, in units of the mean of all."""

_LEAST_EFFICIENCY, _MOST_EXCESS = 0.02, 0.01
"""Where a table warns that its cells are too coarse."""

_T = TypeVar("_T")

Frame = tuple[Any, ...]
"""What `SPACE` lists, and for cells also how often each axis is halved and where its part of a cell's number begins."""


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

    def frame(warps: NDArray[np.float64]) -> Frame:
        return (address, *space.arrays(), parameters, warps)

    edges = np.tile(KNOTS, (axes, 1))
    for number in range(_ROUNDS):
        edges = _adapted(edges, number, partial(_densities, frame=frame(_warps(edges)), particles=space.particles))
    warps = _warps(edges)
    points = _points(axes, _SPLIT_POINTS, _ROUNDS)
    bits = np.array(_split(points, _densities(points, frame(warps), space.particles), alias.CELL_BITS))
    cells = (*frame(warps), bits, np.concatenate([[0], np.cumsum(bits)[:-1]]))
    bound, mean, error, excess = _tried(_explored(cells, space), cells, space)
    table, total, acceptance = alias.proposals(bound)
    ceiling = total / alias.CELLS
    if mean < _LEAST_EFFICIENCY * ceiling or excess > _MOST_EXCESS:
        warnings.warn(
            f"|M|^2 varies much within a cell of phase space: {mean / ceiling:.2g} decays per attempt, "
            f"{excess:.2g} of all weight above the bounds; a narrow peak must be in the mass of the first two, three, "
            "... daughters",
            stacklevel=2,
        )
    return CellTable(
        amplitude=amplitude,
        address=address,
        space=space,
        parameters=parameters,
        warps=warps,
        bits=bits,
        shifts=cells[-1],
        alias=table,
        acceptance=acceptance,
        integral=mean * space.constant,
        integral_error=error * space.constant,
        efficiency=mean / ceiling,
    )


def _explored(cells: Frame, space: PhaseSpace) -> NDArray[np.float64]:
    """Bounds of the density in all cells, from points in each."""
    inside = _lattice(space.dimensions, _POINTS)
    bound = np.empty(alias.CELLS)

    def explore(first: int) -> None:
        _explore(first, _EXPLORED, *cells, inside, *buffers(space.particles), bound)

    _in_threads(explore, range(0, alias.CELLS, _EXPLORED))
    # what the points did not find must not be lost
    return np.asarray(np.maximum(bound, _FLOOR * bound.mean()))


def _tried(
    bound: NDArray[np.float64], cells: Frame, space: PhaseSpace
) -> tuple[NDArray[np.float64], float, float, float]:
    """Bounds raised where points lie above them; the mean density with its error, and what share of it was above.

    The mean has no bias from the bounds.
    """
    means, variances = [], []
    for number in range(_TRIALS):
        table, total, acceptance = alias.proposals(bound)
        ceiling = total / alias.CELLS
        attempt = partial(_attempted, cells=cells, table=table, acceptance=acceptance, particles=space.particles)
        tried = _in_threads(attempt, range(number * _TRIAL_POINTS, (number + 1) * _TRIAL_POINTS, _TRIED))
        mean = math.fsum(total for total, _, _, _ in tried) / _TRIAL_POINTS
        means.append(mean * ceiling)
        square = math.fsum(squares for _, squares, _, _ in tried) / _TRIAL_POINTS
        variances.append((square - mean**2) * ceiling**2 / _TRIAL_POINTS)
        for _, _, found, excess in tried:
            np.maximum.at(bound, found, _RAISE * excess / acceptance[found])
    above = math.fsum(float((excess - 1.0).sum()) for _, _, _, excess in tried) / (mean * _TRIAL_POINTS)
    return bound, math.fsum(means) / _TRIALS, math.sqrt(math.fsum(variances)) / _TRIALS, above


def _attempted(
    first: int, cells: Frame, table: NDArray[np.uint64], acceptance: NDArray[np.float64], particles: int
) -> tuple[float, float, NDArray[np.int64], NDArray[np.float64]]:
    made: tuple[float, float, NDArray[np.int64], NDArray[np.float64]] = _attempt(
        first, _TRIED, *cells, table, acceptance, *buffers(particles)
    )
    return made


def _in_threads(work: Callable[[int], _T], items: Sequence[int]) -> list[_T]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))


def _points(axes: int, n: int, number: int) -> NDArray[np.float64]:
    """n points spread evenly over the hypercube, (axes, n): other ones for each number, the same in every process."""
    shift = np.random.default_rng(number).random((axes, 1))
    return (_lattice(axes, n) + shift) % 1.0


@lru_cache(maxsize=4)
def _lattice(axes: int, n: int) -> NDArray[np.float64]:
    from scipy.stats.qmc import Sobol

    return np.ascontiguousarray(Sobol(axes, rng=np.random.default_rng(axes)).random(n).T)


def _densities(points: NDArray[np.float64], frame: Frame, particles: int) -> NDArray[np.float64]:
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
    for done in range(halvings):
        n = min(max(_POINTS_PER_CELL << done, _FEWEST_POINTS), density.size)
        bits[int(np.argmax(_changes(points[:, :n], density[:n], bits)))] += 1
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
    signature=types.void(
        types.int64, types.int64, *SPACE, I8, I8, types.Array(types.float64, 2, "C"), F8, F8, F8, F8, F8, F8
    )
)
def _explore(
    first, n, address, parent, masses, lower, upper, parameters, warps, bits, shifts, inside,
    coordinates, work, momenta, weight, density, bound,
):  # fmt: skip
    """Bounds of cells first .. first + n - 1, from the same points in each."""
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


@block_kernel(
    signature=types.Tuple((types.float64, types.float64, I8, F8))(
        types.int64, types.int64, *SPACE, I8, I8, U8, F8, F8, F8, F8, F8, F8
    )
)
def _attempt(
    first, n, address, parent, masses, lower, upper, parameters, warps, bits, shifts, table, acceptance,
    coordinates, work, momenta, weight, density,
):  # fmt: skip
    """Probabilities to accept points first .. first + n - 1: their sum, that of their squares, and those above one.

    The latter as the numbers of the cells and the probabilities.
    """
    axes = 3 * masses.size - 7
    cells, chance = np.empty(BLOCK, dtype=np.uint64), np.empty(BLOCK)
    index, waiting = np.empty(BLOCK, dtype=np.uint64), np.arange(BLOCK)
    found, excess = np.empty(n, dtype=np.int64), np.empty(n)
    count = 0
    total, squares = 0.0, 0.0
    for start in range(first, first + n, BLOCK):
        for j in range(BLOCK):
            index[j] = np.uint64(start + j)
        place(
            _KEY, BLOCK, PROPOSAL, np.uint64(0), index, waiting, axes, bits, shifts, table, coordinates, chance, cells
        )
        evaluate(
            BLOCK, address, parent, masses, lower, upper, parameters, warps, coordinates, work, momenta, weight, density
        )
        for j in range(BLOCK):
            probability = density[j] * acceptance[cells[j]]
            total += probability
            squares += probability * probability
            if probability > 1.0:
                found[count], excess[count] = cells[j], probability
                count += 1
    return total, squares, found[:count].copy(), excess[:count].copy()
