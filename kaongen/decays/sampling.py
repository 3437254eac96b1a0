"""Samplers: a process at given parameter values, ready to fill blocks; and bulk sampling into columns."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kaongen.decays import bulk, many_body, three_body, two_body
from kaongen.decays.alias import CELLS, alias_table
from kaongen.decays.cells import CellTable
from kaongen.decays.dalitz import DalitzTable
from kaongen.decays.process import ManyBody, MuonSpectrum, Process, ThreeBody, Values
from kaongen.decays.workspace import DecayBlock
from kaongen.errors import ProcessError, suggestion
from kaongen.jit import BLOCK
from kaongen.kinematics import two_body_momentum
from kaongen.particles import M_K
from kaongen.random import ORIENTATION, PROPOSAL, stream_key

CHUNK = 65536
"""Decays that one thread takes at a time: long enough to hide the call, short enough to balance threads."""

_FIRST = np.uint64(0)


@dataclass(frozen=True, slots=True)
class Draws:
    """Which random numbers a decay uses: stream and first draw of its attempts, stream and draw of its orientation.

    The attempts of one decay go on counting from the first draw, so nothing else may follow in their stream.
    """

    attempts: np.uint64
    first: np.uint64
    orientation: np.uint64
    turn: np.uint64


PRIMARY = Draws(PROPOSAL, _FIRST, ORIENTATION, _FIRST)


class Sampler(Protocol):
    """Makes decays in the rest frame of the parent, each by as many attempts as it takes.

    `efficiency` is the expected number of decays per attempt.
    """

    efficiency: float
    particles: int

    def settle(
        self, key: np.uint64, n: int, draws: Draws, block: DecayBlock, momenta: Sequence[NDArray[np.float64]]
    ) -> tuple[int, int]:
        """Fill `momenta` of the daughters, and `block.weight`, for the n decays whose numbers `block.index` holds.

        Returns the number of attempts, and how many decays lay above their bound.
        """
        ...

    def write(
        self, key: np.uint64, index: NDArray[np.uint64], columns: NDArray[np.float32], start: int, boost: Boost
    ) -> tuple[int, int]:
        """Write the decays of these numbers into float32 columns from position `start`; returns as `settle` does."""
        ...


Boost = tuple[float, float]
"""gamma and beta gamma of the parent, along z."""


class BackToBack:
    """Two-body decays, or a muon and what recoils against it with a spectrum of momenta."""

    particles = 2
    efficiency = 1.0

    def __init__(self, parent: float, low: float, width: float, heights: NDArray[np.float64], mass: float) -> None:
        content = heights[1:] + heights[:-1]
        self._spectrum = np.array([low, width]), heights, alias_table(content / content.sum())
        self._parent, self._mass = parent, mass

    @classmethod
    def at(cls, momentum: float, mass: float, parent: float = M_K) -> BackToBack:
        """Of one momentum only (GeV)."""
        return cls(parent, momentum, 0.0, np.ones(CELLS + 1), mass)

    @classmethod
    def of(cls, spectrum: MuonSpectrum, mass: float) -> BackToBack:
        """With momenta up to the end that a massless recoil allows."""
        end = float(two_body_momentum(M_K, mass, 0.0))
        return cls(M_K, 0.0, end / CELLS, spectrum.heights(end, CELLS), mass)

    def settle(
        self, key: np.uint64, n: int, draws: Draws, block: DecayBlock, momenta: Sequence[NDArray[np.float64]]
    ) -> tuple[int, int]:
        point, index = block.point, block.index
        two_body.settle(key, n, draws.attempts, draws.first, index, *self._spectrum, point, block.weight)
        two_body.momenta(key, n, draws.orientation, draws.turn, index, self._parent, self._mass, point, *momenta)
        return n, 0

    def write(
        self, key: np.uint64, index: NDArray[np.uint64], columns: NDArray[np.float32], start: int, boost: Boost
    ) -> tuple[int, int]:
        made: tuple[int, int] = bulk.back_to_back(
            key, index, *self._spectrum, self._parent, self._mass, *boost, columns, start
        )
        return made


class Dalitz:
    """Three-body decays, unweighted against |M|^2."""

    particles = 3

    def __init__(self, table: DalitzTable, order: Sequence[int]) -> None:
        self.table = table
        self.order = tuple(order)
        self.efficiency = table.efficiency
        self._arrays = (
            table.address,
            table.geometry,
            table.parameters,
            table.edges_u,
            table.edges_v,
            table.alias,
            table.acceptance,
            table.floor,
        )

    def settle(
        self, key: np.uint64, n: int, draws: Draws, block: DecayBlock, momenta: Sequence[NDArray[np.float64]]
    ) -> tuple[int, int]:
        made: tuple[int, int] = three_body.settle(
            key, n, draws.attempts, draws.first, block.index, *self._arrays,
            block.words, block.uniforms, block.point, block.weight,
        )  # fmt: skip
        ordered = (momenta[i] for i in self.order)
        geometry = self.table.geometry
        three_body.momenta(key, n, draws.orientation, draws.turn, block.index, geometry, block.point, *ordered)
        return made

    def write(
        self, key: np.uint64, index: NDArray[np.uint64], columns: NDArray[np.float32], start: int, boost: Boost
    ) -> tuple[int, int]:
        made: tuple[int, int] = bulk.dalitz(key, index, *self._arrays, *self.order, *boost, columns, start)
        return made


class Cells:
    """Decays to many bodies, unweighted against |M|^2."""

    def __init__(self, table: CellTable, order: Sequence[int], exchange: Sequence[tuple[int, int]] = ()) -> None:
        self.table = table
        self._exchange = np.array(exchange, dtype=np.int64).reshape(-1, 2)
        self.order = tuple(order)
        self.particles = table.space.particles
        self.efficiency = table.efficiency
        self._arrays = (*table.arrays(), table.bits, table.shifts, table.alias, table.acceptance)

    def settle(
        self, key: np.uint64, n: int, draws: Draws, block: DecayBlock, momenta: Sequence[NDArray[np.float64]]
    ) -> tuple[int, int]:
        room = block.room(many_body.Room, self.particles)
        made: tuple[int, int] = many_body.settle(
            key, n, draws.attempts, draws.first, block.index, *self._arrays,
            *room.trial, room.chance, room.settled, room.cells, room.waiting, block.weight,
        )  # fmt: skip
        if self._exchange.size:
            many_body.exchange(key, n, draws.orientation, draws.turn, block.index, self._exchange, room.settled)
        many_body.orientations(key, n, draws.orientation, draws.turn, block.index, room.angles)
        for number, daughter in enumerate(self.order):
            many_body.turn(n, room.angles, room.settled, number, momenta[daughter])
        return made

    def write(
        self, key: np.uint64, index: NDArray[np.uint64], columns: NDArray[np.float32], start: int, boost: Boost
    ) -> tuple[int, int]:
        block = DecayBlock(self.particles)
        attempts = above = 0
        for offset in range(0, len(index), BLOCK):
            n = min(BLOCK, len(index) - offset)
            block.index[:n] = index[offset : offset + n]
            tried, exceeded = self.settle(key, n, PRIMARY, block, block.momenta)
            for particle, momenta in enumerate(block.momenta):
                bulk.store(n, momenta, *boost, columns, 3 * particle, start + offset)
            attempts += tried
            above += exceeded
        return attempts, above


def sampler(process: Process, values: Values) -> Sampler:
    """The sampler of a process at the given parameter values (all of them, as `Process.values` returns them)."""
    dynamics = process.dynamics
    if isinstance(dynamics, ThreeBody):
        return Dalitz(process.dalitz_table(values), process.order)
    if isinstance(dynamics, ManyBody):
        return Cells(process.cell_table(values), process.order, dynamics.exchange)
    mass = process.masses(values)[0]
    if isinstance(dynamics, MuonSpectrum):
        return BackToBack.of(dynamics, mass)
    return BackToBack.at(process.momentum(values), mass)


@dataclass(frozen=True)
class Decays:
    """Sampled decays of one process.

    efficiency : decays per attempt.
    above_bound : how many decays lay above the sampler's bound; they should have had weights above 1, which a plain
        sample cannot express (the events of a run have them).
    columns : (3 * daughters, n) float32, rows px, py, pz of each daughter in the order of the decay, in GeV.
    """

    process: Process
    masses: tuple[float, ...]
    seed: int
    efficiency: float
    above_bound: int
    columns: NDArray[np.float32]

    def __len__(self) -> int:
        return int(self.columns.shape[1])

    def momentum(self, daughter: int | str) -> Any:
        """Four-momenta of a daughter, by position or by name, as a `vector` array in GeV.

        Raises
        ------
        ProcessError
            If there is no such daughter, or it is part of a system that is sampled as one.
        """
        import vector

        number = self._number(daughter)
        px, py, pz = (self.columns[3 * number + k].astype(np.float64) for k in range(3))
        return vector.array({"px": px, "py": py, "pz": pz, "mass": np.full(len(px), self.masses[number])})

    def _number(self, daughter: int | str) -> int:
        name, names, decay = self.process.name, self.process.daughters, self.process.decay
        if isinstance(daughter, str):
            if daughter not in names:
                raise ProcessError(f"{name} has no daughter {daughter!r}{suggestion(daughter, names)} ({decay})")
            daughter = names.index(daughter)
        if not 0 <= daughter < len(names):
            raise ProcessError(f"{name} has no daughter number {daughter} ({decay})")
        if daughter > 0 and isinstance(self.process.dynamics, MuonSpectrum):
            raise ProcessError(f"{name}: {' '.join(names[1:])} are sampled as one system, without momenta of their own")
        return daughter


def sample(
    process: Process,
    n: int,
    *,
    values: Values | None = None,
    seed: int = 1,
    momentum: float = 0.0,
    threads: int | None = None,
) -> Decays:
    """Sample n unweighted decays.

    Parameters
    ----------
    process
        An entry of the catalogue, or one's own.
    n
        How many decays.
    values
        Values of the process's parameters, where they have no default.
    seed
        Same seed, same decays, whatever the number of threads.
    momentum
        Of the kaon along z, in GeV; 0 for decays at rest.
    threads
        Number of threads; all processors by default.

    Returns
    -------
    Decays

    Raises
    ------
    ProcessError
        If a parameter is missing or out of range, or n or the momentum is not a possible one.
    """
    if n < 0:
        raise ProcessError(f"{process.name}: n = {n} decays: it must be 0 or more")
    if not (math.isfinite(momentum) and momentum >= 0.0):
        raise ProcessError(f"{process.name}: momentum = {momentum} GeV: it must be finite and not negative")
    checked = process.values(values or {})
    source = sampler(process, checked)
    key = stream_key(seed, process.name)
    boost = (math.hypot(momentum, M_K) / M_K, momentum / M_K)
    columns = np.empty((3 * source.particles, n), dtype=np.float32)

    def write(first: int) -> tuple[int, int]:
        index = np.arange(first, min(first + CHUNK, n), dtype=np.uint64)
        return source.write(key, index, columns, first, boost)

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        made = list(pool.map(write, range(0, n, CHUNK)))
    attempts = sum(tried for tried, _ in made)
    return Decays(
        process=process,
        masses=process.masses(checked),
        seed=seed,
        efficiency=n / attempts if n else source.efficiency,
        above_bound=sum(above for _, above in made),
        columns=columns,
    )


def blocks(n: int, first: int = 0) -> Iterator[tuple[int, int]]:
    """Split candidates first .. first + n - 1 into (first, length) pieces of at most a block."""
    for start in range(first, first + n, BLOCK):
        yield start, min(BLOCK, first + n - start)
