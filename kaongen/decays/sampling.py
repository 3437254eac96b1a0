"""Samples of decays: as many as one likes, in threads, as float32 columns."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kaongen.decays import bulk
from kaongen.decays.final_state import FinalState, final_state
from kaongen.decays.process import MuonSpectrum, Process, Values
from kaongen.decays.samplers import PRIMARY, Boost, Sampler, sampler
from kaongen.decays.workspace import VERTEX_X, DecayBlock
from kaongen.errors import ProcessError, suggestion
from kaongen.jit import BLOCK
from kaongen.particles import M_K
from kaongen.random import stream_key

CHUNK = 65536
"""Decays that one thread takes at a time: long enough to hide the call, short enough to balance threads."""


@dataclass(frozen=True)
class Decays:
    """Sampled decays of one process.

    names, masses : of the particles: the kaon's daughters in the order of the decay, then what they decay to.
    efficiency : decays per attempt.
    above_bound : numbers and weights of the decays that lay above the sampler's bound; all others have weight 1.
    columns : (3 * particles, n) float32, rows px, py, pz of each particle in GeV.
    index : (n,) uint64, number of each decay.
    vertices : for each particle that begins away from where the kaon decays, (3, n) float32, x, y, z from there in m.
    """

    process: Process
    names: tuple[str, ...]
    masses: tuple[float, ...]
    seed: int
    efficiency: float
    above_bound: dict[int, float]
    columns: NDArray[np.float32]
    index: NDArray[np.uint64]
    vertices: dict[int, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.columns.shape[1])

    @property
    def weight(self) -> NDArray[np.float64]:
        """(n,) float64: 1 but for the decays above the sampler's bound."""
        result = np.ones(len(self))
        for number, weight in self.above_bound.items():
            result[np.searchsorted(self.index, np.uint64(number))] = weight
        return result

    def momentum(self, particle: int | str) -> Any:
        """Four-momenta of a particle, by position or by name, as a `vector` array in GeV.

        Raises
        ------
        ProcessError
            If there is no such particle, or it is part of a system that is sampled as one.
        """
        import vector

        number = self._number(particle)
        px, py, pz = (self.columns[3 * number + k].astype(np.float64) for k in range(3))
        return vector.array({"px": px, "py": py, "pz": pz, "mass": np.full(len(px), self.masses[number])})

    def vertex(self, particle: int | str) -> NDArray[np.float32]:
        """Where a particle begins, seen from where the kaon decays: (3, n) float32, x, y, z in m.

        Raises
        ------
        ProcessError
            If there is no such particle.
        """
        number = self._number(particle)
        return self.vertices.get(number, np.zeros((3, len(self)), dtype=np.float32))

    def _number(self, particle: int | str) -> int:
        name, decay = self.process.name, self.process.decay
        if isinstance(particle, str):
            if particle not in self.names:
                raise ProcessError(f"{name} has no daughter {particle!r}{suggestion(particle, self.names)} ({decay})")
            particle = self.names.index(particle)
        if not 0 <= particle < len(self.names):
            raise ProcessError(f"{name} has no daughter number {particle} ({decay})")
        if particle > 0 and isinstance(self.process.dynamics, MuonSpectrum):
            system = " ".join(self.names[1:])
            raise ProcessError(f"{name}: {system} are sampled as one system, without momenta of their own")
        return particle


def kaon_boost(momentum: float, what: str) -> Boost:
    """gamma and beta gamma of a kaon of this momentum (GeV) along z; `what` begins the message of an error."""
    if not (math.isfinite(momentum) and momentum >= 0.0):
        raise ProcessError(f"{what}: momentum = {momentum} GeV: it must be finite and not negative")
    return math.hypot(momentum, M_K) / M_K, momentum / M_K


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
        An entry of the catalogue, a descriptor that was looked up with `find`, or one's own.
    n
        How many decays.
    values
        Values of the process's parameters, where they have no default.
    seed
        Same seed, same decays, whatever the number of threads; more decays begin with the fewer.
    momentum
        Of the kaon along z, in GeV; 0 for decays at rest.
    threads
        Number of threads; all processors by default.

    Returns
    -------
    Decays
        Daughters decay only where the process's descriptor says so.

    Raises
    ------
    ProcessError
        If a parameter is missing or out of range, or n or the momentum is not a possible one.
    """
    if n < 0:
        raise ProcessError(f"{process.name}: n = {n} decays: it must be 0 or more")
    boost = kaon_boost(momentum, process.name)
    checked = process.values(values or {})
    source, key = sampler(process, checked), stream_key(seed, process.name)
    final = final_state(process, checked, at_once=False)
    particles = len(final.species) if final.secondaries else source.particles
    columns = np.empty((3 * particles, n), dtype=np.float32)
    vertices = {slot: np.empty((3, n), dtype=np.float32) for slot in final.displaced()}
    index = np.arange(n, dtype=np.uint64)

    def write(first: int) -> tuple[int, int]:
        numbers = index[first : first + CHUNK]
        if final.secondaries:
            return _write_all(source, final, key, numbers, columns, vertices, boost)
        return source.write(key, numbers, columns, first, boost)

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        made = list(pool.map(write, range(0, n, CHUNK)))
    exceeded = [k for k, (_, above) in enumerate(made) if above]
    attempts = sum(tried for tried, _ in made)
    return Decays(
        process=process,
        names=tuple(s.name for s in final.species),
        masses=final.masses,
        seed=seed,
        efficiency=n / attempts if n else source.efficiency,
        above_bound={
            number: weight
            for k in exceeded
            for number, weight in weights_above(source, final, key, index[k * CHUNK : (k + 1) * CHUNK]).items()
        },
        columns=columns,
        index=index,
        vertices=vertices,
    )


def _blocks_of(
    source: Sampler, final: FinalState, key: np.uint64, index: NDArray[np.uint64], boost: Boost
) -> Iterator[tuple[int, int, DecayBlock, int, int]]:
    """The decays of these numbers with all that follows, a block at a time.

    Yields where a block begins, how many decays it has, the block, attempts, and decays above their bound.
    """
    block = DecayBlock(len(final.species))
    for start in range(0, len(index), BLOCK):
        n = min(BLOCK, len(index) - start)
        block.take(index[start : start + n])
        attempts, above = source.settle(key, n, PRIMARY, block, block.momenta[: source.particles])
        for momenta in block.momenta[: source.particles]:
            bulk.move(n, momenta, *boost)
        above += final.decay(key, n, block)
        yield start, n, block, attempts, above


def _write_all(
    source: Sampler,
    final: FinalState,
    key: np.uint64,
    index: NDArray[np.uint64],
    columns: NDArray[np.float32],
    vertices: dict[int, NDArray[np.float32]],
    boost: Boost,
) -> tuple[int, int]:
    """Write decays whose daughters decay; returns attempts and decays above their bound."""
    attempts = above = 0
    first = int(index[0])
    for start, n, block, tried, exceeded in _blocks_of(source, final, key, index, boost):
        at = slice(first + start, first + start + n)
        for particle, momenta in enumerate(block.momenta):
            columns[3 * particle : 3 * particle + 3, at] = momenta.reshape(-1, BLOCK)[:3, :n]
        for slot, vertex in vertices.items():
            vertex[:, at] = block.origins[slot].reshape(-1, BLOCK)[VERTEX_X : VERTEX_X + 3, :n]
        attempts += tried
        above += exceeded
    return attempts, above


def weights_above(source: Sampler, final: FinalState, key: np.uint64, index: NDArray[np.uint64]) -> dict[int, float]:
    """Weights, by number, of those decays among these that lie above their bound."""
    result: dict[int, float] = {}
    for _, n, block, _, above in _blocks_of(source, final, key, index, (1.0, 0.0)):
        if above:
            heavy = np.flatnonzero(block.weight[:n] > 1.0)
            result.update(zip(block.index[heavy].tolist(), block.weight[heavy].tolist(), strict=True))
    return result


def blocks(n: int, first: int = 0) -> Iterator[tuple[int, int]]:
    """Split decays first .. first + n - 1 into (first, length) pieces of at most a block."""
    for start in range(first, first + n, BLOCK):
        yield start, min(BLOCK, first + n - start)
