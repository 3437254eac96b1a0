"""The columns of one block of decays, allocated once per thread and used again for every block."""

from __future__ import annotations

import numpy as np

from kaongen.jit import BLOCK

PX, PY, PZ, E = range(4)
"""Rows of a particle."""

MOMENTUM_ROWS = 4


class DecayBlock:
    """A block of accepted decays.

    index : (BLOCK,) uint64, candidate number of each decay: its identity.
    weight : (BLOCK,) float64, 1 except for a decay whose density was above its bound.
    point : (2 * BLOCK,) float64, the sampled point of phase space, whatever the sampler needs of it.
    words : (BLOCK,) uint64 and uniforms : (3 * BLOCK,) float64, random numbers of a proposal.
    momenta : one (4 * BLOCK,) float64 array per particle with rows PX, PY, PZ, E in GeV.
    """

    def __init__(self, particles: int) -> None:
        self.index = np.zeros(BLOCK, dtype=np.uint64)
        self.weight = np.ones(BLOCK)
        self.point = np.zeros(2 * BLOCK)
        self.words = np.zeros(BLOCK, dtype=np.uint64)
        self.uniforms = np.zeros(3 * BLOCK)
        self.momenta = [np.zeros(MOMENTUM_ROWS * BLOCK) for _ in range(particles)]
