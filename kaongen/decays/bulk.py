"""Whole chunks of decays in one compiled call, straight into float32 columns: where nothing else is wanted."""

from __future__ import annotations

import numpy as np
from numba import types

from kaongen.decays import three_body, two_body
from kaongen.decays.workspace import MOMENTUM_ROWS, PX, PY, PZ, E
from kaongen.jit import BLOCK, block_kernel, full_width, row
from kaongen.random import ORIENTATION, PROPOSAL

_FIRST = np.uint64(0)


@block_kernel
def store(n, momenta, gamma, beta_gamma, columns, first_row, start):
    """Boost along z and write px, py, pz as float32 into three rows of `columns` from position `start`."""
    full_width()
    px, py, pz, e = row(momenta, PX), row(momenta, PY), row(momenta, PZ), row(momenta, E)
    out_x = columns[first_row, start : start + n]
    out_y = columns[first_row + 1, start : start + n]
    out_z = columns[first_row + 2, start : start + n]
    for j in range(n):
        out_x[j] = np.float32(px[j])
        out_y[j] = np.float32(py[j])
        out_z[j] = np.float32(gamma * pz[j] + beta_gamma * e[j])


@block_kernel
def move(n, momenta, gamma, beta_gamma):
    """Boost along z, in place."""
    full_width()
    pz, e = row(momenta, PZ), row(momenta, E)
    for j in range(n):
        along = gamma * pz[j] + beta_gamma * e[j]
        e[j] = gamma * e[j] + beta_gamma * pz[j]
        pz[j] = along


@block_kernel
def back_to_back(key, index, steps, heights, alias, parent, m1, gamma, beta_gamma, columns, start):
    """Write the two-body decays of these numbers from position `start`; returns attempts and decays above bounds."""
    point, weight = np.empty(BLOCK), np.empty(BLOCK)
    p1, p2 = np.empty(MOMENTUM_ROWS * BLOCK), np.empty(MOMENTUM_ROWS * BLOCK)
    for offset in range(0, index.size, BLOCK):
        numbers = index[offset : offset + BLOCK]
        n = numbers.size
        two_body.settle(key, n, PROPOSAL, _FIRST, numbers, steps, heights, alias, point, weight)
        two_body.momenta(key, n, ORIENTATION, _FIRST, numbers, parent, m1, point, p1, p2)
        store(n, p1, gamma, beta_gamma, columns, 0, start + offset)
        store(n, p2, gamma, beta_gamma, columns, 3, start + offset)
    return index.size, 0


@block_kernel(
    signature=types.UniTuple(types.int64, 2)(
        types.uint64, three_body.U8, *three_body.TABLE, *(types.int64,) * 3, types.float64, types.float64,
        types.Array(types.float32, 2, "C"), types.int64,
    )
)  # fmt: skip
def dalitz(
    key, index, address, geometry, parameters, edges_u, edges_v, alias, acceptance, floor,
    one, two, three, gamma, beta_gamma, columns, start,
):  # fmt: skip
    """Write the three-body decays of these numbers from position `start`; returns attempts and decays above bounds."""
    words, uniforms = np.empty(BLOCK, dtype=np.uint64), np.empty(3 * BLOCK)
    point, weight = np.empty(2 * BLOCK), np.empty(BLOCK)
    p1, p2, p3 = np.empty(MOMENTUM_ROWS * BLOCK), np.empty(MOMENTUM_ROWS * BLOCK), np.empty(MOMENTUM_ROWS * BLOCK)
    attempts, above = 0, 0
    for offset in range(0, index.size, BLOCK):
        numbers = index[offset : offset + BLOCK]
        n = numbers.size
        tried, exceeded = three_body.settle(
            key, n, PROPOSAL, _FIRST, numbers,
            address, geometry, parameters, edges_u, edges_v, alias, acceptance, floor, words, uniforms, point, weight,
        )  # fmt: skip
        three_body.momenta(key, n, ORIENTATION, _FIRST, numbers, geometry, point, p1, p2, p3)
        store(n, p1, gamma, beta_gamma, columns, 3 * one, start + offset)
        store(n, p2, gamma, beta_gamma, columns, 3 * two, start + offset)
        store(n, p3, gamma, beta_gamma, columns, 3 * three, start + offset)
        attempts += tried
        above += exceeded
    return attempts, above
