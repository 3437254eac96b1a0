"""Three-body decays: points on the Dalitz plot, and momenta in the parent's rest frame."""

from __future__ import annotations

import math

import numpy as np
from numba import types

from kaongen.decays.alias import choose
from kaongen.decays.dalitz import (
    AXIS_BITS,
    CELLS,
    M_PARENT,
    MASS_1,
    MASS_2,
    MASS_3,
    S12_MAX,
    S12_MIN,
    density,
)
from kaongen.decays.workspace import PX, PY, PZ, E
from kaongen.elementary import sincos_turns
from kaongen.jit import block_kernel, full_width, row, scalar_kernel
from kaongen.kinematics import kallen
from kaongen.random import draw, uniform

_AXIS_SHIFT = np.uint64(AXIS_BITS)
_AXIS_MASK = np.uint64(CELLS - 1)
_ONE = np.uint64(1)


U8, F8 = types.Array(types.uint64, 1, "C"), types.Array(types.float64, 1, "C")
TABLE = (types.int64, F8, F8, F8, F8, U8, F8, F8)
"""Types of the amplitude's address, geometry, parameters, edges_u, edges_v, alias, acceptance, floor."""


@scalar_kernel
def _place(cell, inside_u, inside_v, edges_u, edges_v):
    """Point of the unit square at a place in a cell."""
    i_u = cell >> _AXIS_SHIFT
    i_v = cell & _AXIS_MASK
    u = edges_u[i_u] + inside_u * (edges_u[i_u + _ONE] - edges_u[i_u])
    v = edges_v[i_v] + inside_v * (edges_v[i_v + _ONE] - edges_v[i_v])
    return u, v


@block_kernel(
    signature=types.UniTuple(types.int64, 2)(
        types.uint64, types.int64, types.uint64, types.uint64, U8, *TABLE, U8, F8, F8, F8
    )
)
def settle(
    key,
    n,
    stream,
    first_draw,
    index,
    address,
    geometry,
    parameters,
    edges_u,
    edges_v,
    alias,
    acceptance,
    floor,
    words,
    uniforms,
    point,
    weight,
):
    """An unweighted point of the Dalitz plot for each of n decays, by as many attempts as it takes.

    Attempt k of decay `index[j]` uses draw first_draw + k of its stream. Fills rows s12 (GeV^2) and cos(theta) of
    `point`, and `weight`; cos(theta) is between particle 1 and the direction opposite to particle 3, in the rest frame
    of 1 and 2. Returns the number of attempts, and how many decays lay above their bound.
    """
    full_width()
    chance, inside_u, inside_v = row(uniforms, 0), row(uniforms, 1), row(uniforms, 2)
    for j in range(n):
        word_0, word_1, word_2, word_3 = draw(key, index[j], stream, first_draw)
        words[j] = word_0
        inside_u[j], inside_v[j], chance[j] = uniform(word_1), uniform(word_2), uniform(word_3)
    s12, cosine = row(point, 0), row(point, 1)
    low = geometry[S12_MIN]
    span = geometry[S12_MAX] - low
    above = np.int64(0)
    rejected = np.int64(0)
    # Table look-ups do not vectorise; without a branch that is hard to predict they overlap well.
    for j in range(n):
        cell = choose(words[j], alias)
        u, v = _place(cell, inside_u[j], inside_v[j], edges_u, edges_v)
        s12[j] = low + u * span
        cosine[j] = 1.0 - 2.0 * v
        weight[j] = 1.0
        if chance[j] > floor[cell]:
            probability = density(address, u, v, geometry, parameters) * acceptance[cell]
            if probability > 1.0:
                weight[j] = probability
                above += 1
            # the words up to here are used up: their places hold the positions of the rejected
            words[rejected] = np.uint64(j)
            # also what is not a number
            rejected += np.int64(not (probability > chance[j]))
    attempts = n
    for k in range(rejected):
        j = words[k]
        number = first_draw
        while True:
            attempts += 1
            number += _ONE
            word_0, word_1, word_2, word_3 = draw(key, index[j], stream, number)
            cell = choose(word_0, alias)
            u, v = _place(cell, uniform(word_1), uniform(word_2), edges_u, edges_v)
            probability = density(address, u, v, geometry, parameters) * acceptance[cell]
            if probability > uniform(word_3):
                break
        s12[j] = low + u * span
        cosine[j] = 1.0 - 2.0 * v
        weight[j] = max(probability, 1.0)
        above += np.int64(probability > 1.0)
    return attempts, above


@block_kernel
def momenta(key, n, stream, number, index, geometry, point, p1, p2, p3):
    """Momenta of the three daughters in the parent's rest frame, isotropically oriented (rows PX, PY, PZ, E, GeV)."""
    full_width()
    big = geometry[M_PARENT]
    m1, m2, m3 = geometry[MASS_1], geometry[MASS_2], geometry[MASS_3]
    half_inverse_mass = 0.5 / big
    s12, cosine = row(point, 0), row(point, 1)
    x1, y1, z1, e1 = row(p1, PX), row(p1, PY), row(p1, PZ), row(p1, E)
    x2, y2, z2, e2 = row(p2, PX), row(p2, PY), row(p2, PZ), row(p2, E)
    x3, y3, z3, e3 = row(p3, PX), row(p3, PY), row(p3, PZ), row(p3, E)
    for j in range(n):
        s = s12[j]
        inverse = 1.0 / math.sqrt(s)
        # q: momentum of 1 and 2 in their rest frame; p: momentum of that pair in the parent's
        q = math.sqrt(max(kallen(s, m1 * m1, m2 * m2), 0.0)) * (0.5 * inverse)
        p = math.sqrt(max(kallen(big * big, s, m3 * m3), 0.0)) * half_inverse_mass
        pair = (big * big + s - m3 * m3) * half_inverse_mass
        along = q * cosine[j]
        inner = (s + m1 * m1 - m2 * m2) * (0.5 * inverse)
        parallel = (pair * along + p * inner) * inverse
        across = q * math.sqrt(1.0 - cosine[j] * cosine[j])
        energy = (pair * inner + p * along) * inverse
        # Euler angles: the pair's direction (polar and azimuth), and the decay plane's turn about it.
        word_0, word_1, word_2, _ = draw(key, index[j], stream, number)
        c = 2.0 * uniform(word_0) - 1.0
        d = math.sqrt(1.0 - c * c)
        sin_a, cos_a = sincos_turns(uniform(word_1))
        sin_t, cos_t = sincos_turns(uniform(word_2))
        turned_x = across * cos_t
        turned_y = across * sin_t
        swing = c * turned_x + d * parallel
        px = swing * cos_a - turned_y * sin_a
        py = swing * sin_a + turned_y * cos_a
        pz = c * parallel - d * turned_x
        pair_x, pair_y, pair_z = p * d * cos_a, p * d * sin_a, p * c
        x1[j], y1[j], z1[j], e1[j] = px, py, pz, energy
        x2[j], y2[j], z2[j], e2[j] = pair_x - px, pair_y - py, pair_z - pz, pair - energy
        x3[j], y3[j], z3[j], e3[j] = -pair_x, -pair_y, -pair_z, big - pair
