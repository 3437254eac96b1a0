"""Samplers: a process at given parameter values, ready to fill blocks; and bulk sampling into columns."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kaongen.decays import bulk, three_body, two_body
from kaongen.decays.alias import CELLS, alias_table
from kaongen.decays.dalitz import DalitzTable
from kaongen.decays.process import MuonSpectrum, Process, ThreeBody, Values
from kaongen.decays.workspace import DecayBlock
from kaongen.errors import ProcessError, suggestion
from kaongen.jit import BLOCK
from kaongen.kinematics import two_body_momentum
from kaongen.particles import M_K
from kaongen.random import stream_key

CHUNK = 65536
"""Candidates that one thread takes at a time: long enough to hide the call, short enough to balance threads."""


class Sampler(Protocol):
    """Makes decays of kaons at rest. `efficiency` is the expected fraction of candidates that are accepted."""

    efficiency: float
    particles: int

    def fill(self, key: np.uint64, first: int, n: int, block: DecayBlock) -> tuple[int, int]:
        """Decays from candidates first .. first + n - 1: how many were accepted, and how many above their bound."""
        ...

    def count(self, key: np.uint64, first: int, n: int) -> tuple[int, int]:
        """The same numbers, without the decays."""
        ...

    def write(
        self, key: np.uint64, first: int, n: int, columns: NDArray[np.float32], start: int, boost: tuple[float, float]
    ) -> int:
        """Write momenta into columns from position `start`, boosted along z by (gamma, beta gamma); how many."""
        ...


class BackToBack:
    """Two-body decays, or a muon and what recoils against it with a spectrum of momenta."""

    particles = 2
    efficiency = 1.0

    def __init__(self, low: float, width: float, heights: NDArray[np.float64], mass: float) -> None:
        content = heights[1:] + heights[:-1]
        self._spectrum = np.array([low, width]), heights, alias_table(content / content.sum())
        self._mass = mass

    @classmethod
    def at(cls, momentum: float, mass: float) -> BackToBack:
        """Of one momentum only (GeV)."""
        return cls(momentum, 0.0, np.ones(CELLS + 1), mass)

    @classmethod
    def of(cls, spectrum: MuonSpectrum, mass: float) -> BackToBack:
        """With momenta up to the end that a massless recoil allows."""
        end = float(two_body_momentum(M_K, mass, 0.0))
        return cls(0.0, end / CELLS, spectrum.heights(end, CELLS), mass)

    def fill(self, key: np.uint64, first: int, n: int, block: DecayBlock) -> tuple[int, int]:
        two_body.propose(key, np.uint64(first), n, *self._spectrum, block.point, block.weight, block.index)
        two_body.momenta(key, n, M_K, self._mass, block.point, block.index, block.momenta[0], block.momenta[1])
        return n, 0

    def count(self, key: np.uint64, first: int, n: int) -> tuple[int, int]:
        return n, 0

    def write(
        self, key: np.uint64, first: int, n: int, columns: NDArray[np.float32], start: int, boost: tuple[float, float]
    ) -> int:
        return int(
            bulk.back_to_back(key, np.uint64(first), n, *self._spectrum, M_K, self._mass, *boost, columns, start)
        )


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

    def fill(self, key: np.uint64, first: int, n: int, block: DecayBlock) -> tuple[int, int]:
        kept, above = three_body.propose(
            key, np.uint64(first), n, *self._arrays, block.words, block.uniforms, block.point, block.weight, block.index
        )
        p1, p2, p3 = (block.momenta[i] for i in self.order)
        three_body.momenta(key, kept, self.table.geometry, block.point, block.index, p1, p2, p3)
        return kept, above

    def count(self, key: np.uint64, first: int, n: int) -> tuple[int, int]:
        kept, above = bulk.count_dalitz(key, np.uint64(first), n, *self._arrays)
        return int(kept), int(above)

    def write(
        self, key: np.uint64, first: int, n: int, columns: NDArray[np.float32], start: int, boost: tuple[float, float]
    ) -> int:
        return int(bulk.dalitz(key, np.uint64(first), n, *self._arrays, *self.order, *boost, columns, start))


def sampler(process: Process, values: Values) -> Sampler:
    """The sampler of a process at the given parameter values (all of them, as `Process.values` returns them)."""
    dynamics = process.dynamics
    if isinstance(dynamics, ThreeBody):
        return Dalitz(process.table(values), dynamics.order)
    mass = process.masses(values)[0]
    if isinstance(dynamics, MuonSpectrum):
        return BackToBack.of(dynamics, mass)
    return BackToBack.at(process.momentum(values), mass)


@dataclass(frozen=True)
class Decays:
    """Sampled decays of one process.

    efficiency : fraction of the candidates that were accepted.
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
    # Counting first costs a few nanoseconds and lets every thread write where its decays belong.
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        counts: list[tuple[int, int]] = []
        while (found := sum(kept for kept, _ in counts)) < n:
            more = int((n - found) / (source.efficiency * CHUNK)) + 1
            firsts = [k * CHUNK for k in range(len(counts), len(counts) + more)]
            counts += pool.map(lambda first: source.count(key, first, CHUNK), firsts)
        starts = [0, *accumulate(kept for kept, _ in counts)]
        chunks = next(k for k, start in enumerate(starts) if start >= n)
        columns = np.empty((3 * source.particles, starts[chunks]), dtype=np.float32)
        list(pool.map(lambda k: source.write(key, k * CHUNK, CHUNK, columns, starts[k], boost), range(chunks)))
    return Decays(
        process=process,
        masses=process.masses(checked),
        seed=seed,
        efficiency=starts[chunks] / (chunks * CHUNK) if chunks else source.efficiency,
        above_bound=sum(above for _, above in counts[:chunks]),
        columns=columns[:, :n],
    )


def blocks(n: int, first: int = 0) -> Iterator[tuple[int, int]]:
    """Split candidates first .. first + n - 1 into (first, length) pieces of at most a block."""
    for start in range(first, first + n, BLOCK):
        yield start, min(BLOCK, first + n - start)
