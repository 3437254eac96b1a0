"""Samplers: a process at given parameter values, ready to make decays of given numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kaongen.decays import bulk, many_body, three_body, two_body
from kaongen.decays.alias import CELLS, alias_table
from kaongen.decays.cells import CellTable
from kaongen.decays.dalitz import DalitzTable
from kaongen.decays.process import ManyBody, MuonSpectrum, Process, ThreeBody, Values
from kaongen.decays.workspace import DecayBlock
from kaongen.jit import BLOCK
from kaongen.kinematics import two_body_momentum
from kaongen.particles import M_K
from kaongen.random import ORIENTATION, PROPOSAL

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
            block.take(index[offset : offset + n])
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
