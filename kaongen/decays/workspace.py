"""The columns of one block of decays, allocated once per thread and used again for every block."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kaongen.jit import BLOCK

PX, PY, PZ, E = range(4)
"""Rows of a particle."""

MOMENTUM_ROWS = 4

VERTEX_X, VERTEX_Y, VERTEX_Z = 4, 5, 6
"""Rows of a vertex (m): where a beam has them too, so that a kernel takes either."""


def vertex_rows() -> NDArray[np.float64]:
    """Room for the vertices of a block, at the origin."""
    return np.zeros((VERTEX_Z + 1) * BLOCK)


_T = TypeVar("_T")


class DecayBlock:
    """A block of decays.

    index : (BLOCK,) uint64, number of each decay: its identity, from which all its random numbers follow.
    weight : (BLOCK,) float64, 1 except for a decay whose density was above its bound.
    point : (2 * BLOCK,) float64, the sampled point of phase space, whatever the sampler needs of it.
    words : (BLOCK,) uint64 and uniforms : (3 * BLOCK,) float64, random numbers of an attempt.
    momenta : one (4 * BLOCK,) float64 array per particle with rows PX, PY, PZ, E in GeV.
    vertex : the array whose vertex rows say where the decay happens, and origins : where each particle begins; those
        that begin together share one array.
    """

    def __init__(self, particles: int) -> None:
        self.index = np.zeros(BLOCK, dtype=np.uint64)
        self.weight = np.ones(BLOCK)
        self.point = np.zeros(2 * BLOCK)
        self.words = np.zeros(BLOCK, dtype=np.uint64)
        self.uniforms = np.zeros(3 * BLOCK)
        self.momenta = [np.zeros(MOMENTUM_ROWS * BLOCK) for _ in range(particles)]
        self.vertex = _ORIGIN
        self.origins = [self.vertex] * particles
        self._rooms: dict[object, object] = {}

    def number(self, first: int, n: int) -> None:
        """Let the first n decays of the block be numbers first .. first + n - 1, with everything at the vertex."""
        np.add(_COUNT[:n], np.uint64(first), out=self.index[:n])
        self.origins = [self.vertex] * len(self.momenta)

    def take(self, index: NDArray[np.uint64]) -> None:
        """Let the first decays of the block have these numbers, with everything at the vertex."""
        self.index[: len(index)] = index
        self.origins = [self.vertex] * len(self.momenta)

    def room(self, make: Callable[[int], _T], size: int) -> _T:
        """Further rows that only some samplers need, made when they are first asked for."""
        key = (make, size)
        if key not in self._rooms:
            self._rooms[key] = make(size)
        return self._rooms[key]  # type: ignore[return-value]


_ORIGIN = vertex_rows()
_COUNT = np.arange(BLOCK, dtype=np.uint64)
