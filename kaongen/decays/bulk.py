"""Whole chunks of decays in one compiled call, straight into float32 columns: where nothing else is wanted."""

from __future__ import annotations

import numpy as np
from numba import types

from kaongen.decays import three_body, two_body
from kaongen.decays.workspace import MOMENTUM_ROWS, PX, PY, PZ, E
from kaongen.jit import BLOCK, block_kernel, full_width, row


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
def back_to_back(key, first, n, steps, heights, alias, parent, m1, gamma, beta_gamma, columns, start):
    """Two-body decays of candidates first .. first + n - 1; returns how many were written."""
    point, weight, index = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, dtype=np.uint64)
    p1, p2 = np.empty(MOMENTUM_ROWS * BLOCK), np.empty(MOMENTUM_ROWS * BLOCK)
    written = start
    for offset in range(0, n, BLOCK):
        size = min(BLOCK, n - offset)
        two_body.propose(key, first + np.uint64(offset), size, steps, heights, alias, point, weight, index)
        two_body.momenta(key, size, parent, m1, point, index, p1, p2)
        store(size, p1, gamma, beta_gamma, columns, 0, written)
        store(size, p2, gamma, beta_gamma, columns, 3, written)
        written += size
    return written - start


_HEAD = (types.uint64, types.uint64, types.int64, *three_body.TABLE)


@block_kernel(signature=types.UniTuple(types.int64, 2)(*_HEAD))
def count_dalitz(key, first, n, address, geometry, parameters, edges_u, edges_v, alias, acceptance, floor):
    """How many of candidates first .. first + n - 1 are accepted, and how many of these lie above their bound."""
    words, uniforms = np.empty(BLOCK, dtype=np.uint64), np.empty(3 * BLOCK)
    point, weight, index = np.empty(2 * BLOCK), np.empty(BLOCK), np.empty(BLOCK, dtype=np.uint64)
    total = np.int64(0)
    exceeded = np.int64(0)
    for offset in range(0, n, BLOCK):
        kept, above = three_body.propose(
            key, first + np.uint64(offset), min(BLOCK, n - offset),
            address, geometry, parameters, edges_u, edges_v, alias, acceptance, floor,
            words, uniforms, point, weight, index,
        )  # fmt: skip
        total += kept
        exceeded += above
    return total, exceeded


@block_kernel(
    signature=types.int64(
        *_HEAD, *(types.int64,) * 3, types.float64, types.float64, types.Array(types.float32, 2, "C"), types.int64
    )
)
def dalitz(
    key, first, n, address, geometry, parameters, edges_u, edges_v, alias, acceptance, floor,
    one, two, three, gamma, beta_gamma, columns, start,
):  # fmt: skip
    """Three-body decays of candidates first .. first + n - 1; returns how many were written."""
    words, uniforms = np.empty(BLOCK, dtype=np.uint64), np.empty(3 * BLOCK)
    point, weight, index = np.empty(2 * BLOCK), np.empty(BLOCK), np.empty(BLOCK, dtype=np.uint64)
    p1, p2, p3 = np.empty(MOMENTUM_ROWS * BLOCK), np.empty(MOMENTUM_ROWS * BLOCK), np.empty(MOMENTUM_ROWS * BLOCK)
    written = start
    for offset in range(0, n, BLOCK):
        kept, _ = three_body.propose(
            key, first + np.uint64(offset), min(BLOCK, n - offset),
            address, geometry, parameters, edges_u, edges_v, alias, acceptance, floor,
            words, uniforms, point, weight, index,
        )  # fmt: skip
        three_body.momenta(key, kept, geometry, point, index, p1, p2, p3)
        store(kept, p1, gamma, beta_gamma, columns, 3 * one, written)
        store(kept, p2, gamma, beta_gamma, columns, 3 * two, written)
        store(kept, p3, gamma, beta_gamma, columns, 3 * three, written)
        written += kept
    return written - start
