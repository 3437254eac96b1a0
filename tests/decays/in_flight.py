"""Final states driven by hand: parents of given momenta, their decays, and the frames in which these are looked at."""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from kaongen.decays.amplitude import amplitude
from kaongen.decays.final_state import FinalState
from kaongen.decays.process import Parameter, Process, ThreeBody
from kaongen.decays.rates import measured
from kaongen.decays.workspace import VERTEX_X, DecayBlock, vertex_rows
from kaongen.jit import BLOCK
from kaongen.particles import SPECIES, Measured
from kaongen.random import stream_key

KEY = stream_key(1, "tests/in_flight")
P_MIN = 1e-5
"""Of any chi-squared or Kolmogorov test of decays in flight and of mixtures, about 70 of them, with fixed seeds."""
SIGMAS = 5.0
"""Of any mean or correlation."""

# Particle Data Group, Review of Particle Physics 2024, in GeV
M_E, M_MU, M_PI, M_PI0, M_K = 0.51099895e-3, 0.1056583755, 0.13957039, 0.1349768, 0.493677


def by_hand(names, masses, *secondaries, daughters=1):
    """A final state put together by hand: the kaon's own daughters and what follows."""
    species = tuple(SPECIES[name] for name in names)
    return FinalState(species, tuple(masses), secondaries, 1.0, "by hand", daughters, False)


def of(name, *secondaries, masses):
    """The same of one parent, and of products whose names do not matter."""
    return by_hand([name] + ["gamma"] * (len(masses) - 1), masses, *secondaries)


@dataclass(frozen=True)
class Decayed:
    """momenta : (slots, 4, n), rows px, py, pz, e in GeV; starts : (slots, 3, n) in m; weight : (n,)."""

    momenta: np.ndarray
    starts: np.ndarray
    weight: np.ndarray
    above: int


def decayed(final, momenta, index=None, key=KEY, weight=1.0, vertex=(0.0, 0.0, 0.0)):
    """All particles of a final state whose first slots have the momenta (slots, 4, n), and begin at `vertex` in m."""
    n = momenta.shape[-1]
    index = np.arange(n, dtype=np.uint64) if index is None else index
    weight, vertex = np.broadcast_to(weight, n), np.broadcast_to(np.reshape(vertex, (3, -1)), (3, n))
    block = DecayBlock(len(final.species))
    block.vertex = vertex_rows()
    result = Decayed(np.empty((len(final.species), 4, n)), np.empty((len(final.species), 3, n)), np.empty(n), 0)
    above = 0
    for first in range(0, n, BLOCK):
        piece = slice(first, min(first + BLOCK, n))
        size = piece.stop - first
        block.vertex.reshape(-1, BLOCK)[VERTEX_X:, :size] = vertex[:, piece]
        block.take(index[piece])
        block.weight[:size] = weight[piece]
        for rows, given in zip(block.momenta, momenta, strict=False):
            rows.reshape(4, BLOCK)[:, :size] = given[:, piece]
        above += final.decay(key, size, block)
        for slot, (rows, start) in enumerate(zip(block.momenta, block.origins, strict=True)):
            result.momenta[slot, :, piece] = rows.reshape(4, BLOCK)[:, :size]
            result.starts[slot, :, piece] = start.reshape(-1, BLOCK)[VERTEX_X:, :size]
        result.weight[piece] = block.weight[:size]
    return replace(result, above=above)


def moving(mass, n, scale=10.0, seed=1):
    """Momenta (4, n) in all directions, most of them forward, of a few times `scale` GeV."""
    p = np.random.default_rng(seed).normal(scale=scale, size=(3, n)) + np.array([[0.0], [0.0], [2 * scale]])
    return np.array([*p, np.sqrt((p**2).sum(axis=0) + mass**2)])


def at_rest(mass, n):
    return np.array([*np.zeros((3, n)), np.full(n, mass)])


def product(p, q):
    """Minkowski product of (4, n) columns."""
    return p[3] * q[3] - (p[:3] * q[:3]).sum(axis=0)


def in_frame_of(parent, mass, p):
    """Momenta (4, n) in the rest frame of the parent, with axes parallel to those of the laboratory.

    A matrix for each decay, from the parent's velocity: the package boosts with momenta and the other way.
    """
    beta = parent[:3] / parent[3]
    gamma = parent[3] / mass
    n = p.shape[-1]
    matrix = np.zeros((n, 4, 4))
    beta2 = (beta**2).sum(axis=0)
    ratio = np.divide(gamma - 1, beta2, out=np.zeros(n), where=beta2 > 0)
    matrix[:, :3, :3] = np.eye(3) + ratio[:, None, None] * np.einsum("in,jn->nij", beta, beta)
    matrix[:, :3, 3] = matrix[:, 3, :3] = -(gamma * beta).T
    matrix[:, 3, 3] = gamma
    return np.einsum("nij,jn->in", matrix, p)


def chi_squared(counts, shares):
    """Probability of counts or worse, if the shares are right."""
    expected = counts.sum() * np.ravel(shares) / np.sum(shares)
    assert expected.min() > 10, "bins too fine for a chi-squared test"
    return stats.chisquare(np.ravel(counts), expected).pvalue


@amplitude
def spikes(s12, s23, p):
    """Too narrow for the cells: it lies above its bounds a few percent of the time."""
    product = math.sin(1000.0 * s12) * math.sin(1000.0 * s23)
    return 1.0 / (1.001 - product * product)


def spiky_process():
    """A decay of the kaon with that amplitude, whose daughter may decay."""
    return Process(
        name="spiky",
        decay="K+ -> e+ nu_e a",
        dynamics=ThreeBody(spikes),
        parameters=(
            Parameter("m_a", 0.0, 0.3, "mass of a", "GeV", 0.1),
            Parameter("tau_a", 0.0, 10.0, "mean life of a", "ns", 0.0),
        ),
        mass_of={"a": "m_a"},
        rate=measured(Measured(1e-3, 0.0, "invented")),
        reference="invented",
    )
