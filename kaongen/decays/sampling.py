"""Samplers: a process at given parameter values, ready to fill blocks; and bulk sampling into columns."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kaongen.decays import bulk, three_body, two_body
from kaongen.decays.dalitz import DalitzTable
from kaongen.decays.process import MuonSpectrum, Process, ThreeBody, Values
from kaongen.decays.workspace import DecayBlock
from kaongen.jit import BLOCK
from kaongen.kinematics import two_body_momentum
from kaongen.particles import M_K
from kaongen.random import stream_key


class Sampler(Protocol):
    """Fills a block with decays at rest. `efficiency` is the expected fraction of candidates that are accepted."""

    efficiency: float
    particles: int

    def fill(self, key: np.uint64, first: int, n: int, block: DecayBlock) -> tuple[int, int]:
        """Decays from candidates first .. first + n - 1: how many were accepted, and how many above their bound."""
        ...

    def bulk(
        self, key: np.uint64, first: int, n: int, columns: Any, start: int, gamma: float, beta_gamma: float
    ) -> int:
        """Write momenta into columns from row `start`; returns the number of decays. With no columns, only count."""
        ...


class BackToBack:
    """Two-body decays, or a muon and what recoils against it with a spectrum of momenta."""

    particles = 2
    efficiency = 1.0

    def __init__(self, quantiles: NDArray[np.float64], mass: float) -> None:
        self.quantiles = quantiles
        self.mass = mass

    def fill(self, key: np.uint64, first: int, n: int, block: DecayBlock) -> tuple[int, int]:
        if self.quantiles.size == 1:
            two_body.propose(np.uint64(first), n, self.quantiles[0], block.point, block.weight, block.index)
        else:
            two_body.propose_from_spectrum(
                key, np.uint64(first), n, self.quantiles, block.point, block.weight, block.index
            )
        two_body.momenta(key, n, M_K, self.mass, block.point, block.index, block.momenta[0], block.momenta[1])
        return n, 0

    def bulk(
        self, key: np.uint64, first: int, n: int, columns: Any, start: int, gamma: float, beta_gamma: float
    ) -> int:
        if not len(columns):
            return n
        return int(
            bulk.back_to_back(
                key, np.uint64(first), n, self.quantiles, M_K, self.mass, gamma, beta_gamma, columns, start
            )
        )


class Dalitz:
    """Three-body decays, unweighted against |M|^2."""

    particles = 3

    def __init__(self, table: DalitzTable, order: Sequence[int]) -> None:
        self.table = table
        self.order = tuple(order)
        self.efficiency = table.efficiency
        self._arrays = (
            table.amplitude,
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

    def bulk(
        self, key: np.uint64, first: int, n: int, columns: Any, start: int, gamma: float, beta_gamma: float
    ) -> int:
        if not len(columns):
            return int(bulk.count_dalitz(key, np.uint64(first), n, *self._arrays))
        one, two, three = self.order
        return int(
            bulk.dalitz(key, np.uint64(first), n, *self._arrays, one, two, three, gamma, beta_gamma, columns, start)
        )


def sampler(process: Process, values: Values) -> Sampler:
    """The sampler of a process at the given parameter values (all of them, as `Process.values` returns them)."""
    dynamics = process.dynamics
    if isinstance(dynamics, ThreeBody):
        return Dalitz(process.table(values), dynamics.order)
    mass = process.masses(values)[0]
    if isinstance(dynamics, MuonSpectrum):
        return BackToBack(dynamics.quantiles(float(two_body_momentum(M_K, mass, 0.0))), mass)
    return BackToBack(np.array([process.momentum(values)]), mass)


@dataclass(frozen=True)
class Decays:
    """Sampled decays of one process.

    candidates : how many were tried; n / candidates is the unweighting efficiency.
    columns : (3 * daughters, n) float32, rows px, py, pz of each daughter in the order of the decay, in GeV.
    """

    process: Process
    masses: tuple[float, ...]
    seed: int
    candidates: int
    columns: NDArray[np.float32]

    def __len__(self) -> int:
        return int(self.columns.shape[1])

    def momentum(self, daughter: int | str) -> Any:
        """Four-momenta of a daughter, by position or by name, as a `vector` array in GeV."""
        import vector

        number = self.process.daughters.index(daughter) if isinstance(daughter, str) else daughter
        px, py, pz = (self.columns[3 * number + k].astype(np.float64) for k in range(3))
        return vector.array({"px": px, "py": py, "pz": pz, "mass": np.full(len(px), self.masses[number])})


_CHUNK = 64 * BLOCK
"""Candidates per call of a compiled kernel: long enough to hide the call, short enough to balance threads."""


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
        If a parameter is missing or out of range.
    """
    checked = process.values(values or {})
    source = sampler(process, checked)
    key = stream_key(seed, process.name)
    gamma, beta_gamma = float(np.hypot(momentum, M_K) / M_K), momentum / M_K
    none = np.empty((0, 0), dtype=np.float32)

    def count(first: int) -> int:
        return source.bulk(key, first, _CHUNK, none, 0, gamma, beta_gamma)

    # Counting first costs a few nanoseconds and lets every thread write where its decays belong.
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        firsts, starts = _enough(n, lambda batch: pool.map(count, batch), source.efficiency)
        columns = np.empty((3 * source.particles, starts[-1]), dtype=np.float32)

        def write(chunk: int) -> int:
            return source.bulk(key, firsts[chunk], _CHUNK, columns, starts[chunk], gamma, beta_gamma)

        list(pool.map(write, range(len(firsts))))
    return Decays(process, process.masses(checked), seed, len(firsts) * _CHUNK, columns[:, :n])


def _enough(n: int, counts: Any, efficiency: float) -> tuple[list[int], list[int]]:
    """First candidates of the chunks that hold n decays, and where each chunk's decays start in the columns."""
    firsts: list[int] = []
    accepted: list[int] = []
    while sum(accepted) < n or not firsts:
        missing = max(n - sum(accepted), 1)
        more = int(missing / (efficiency * _CHUNK)) + 1
        batch = [(len(firsts) + k) * _CHUNK for k in range(more)]
        accepted += counts(batch)
        firsts += batch
    starts = [0, *accumulate(accepted)]
    last = next(k for k, start in enumerate(starts) if start >= n) if n else 1
    return firsts[:last], starts[: last + 1]


def blocks(n: int, first: int = 0) -> Iterator[tuple[int, int]]:
    """Split candidates first .. first + n - 1 into (first, length) pieces of at most a block."""
    for start in range(first, first + n, BLOCK):
        yield start, min(BLOCK, first + n - start)
