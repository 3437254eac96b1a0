"""Walker's alias table: a random choice among many cells with given probabilities, in one look-up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kaongen.jit import block_kernel, scalar_kernel

CELL_BITS = 16
CELLS = 1 << CELL_BITS
"""Cells of every table."""

_ONE_BITS = 32 - CELL_BITS
_ONE = 1 << _ONE_BITS
"""A cell's whole share: the bits of a 32-bit random word that are left to choose between a cell and its alias."""

SLACK = 2.0 / _ONE
"""The table gives each cell at least (1 - SLACK) of its probability."""

_SHIFT = np.uint64(_ONE_BITS)
_LOW = np.uint64(_ONE - 1)


@scalar_kernel
def choose(word, table):  # type: ignore[no-untyped-def]
    """A cell (uint64) from a 32-bit random word."""
    cell = word >> _SHIFT
    entry = table[cell]
    own = np.uint64((word & _LOW) < (entry & _LOW))
    other = entry >> _SHIFT
    # without a branch, which could not be predicted
    return other ^ (own * (other ^ cell))


@block_kernel
def _pair(share):  # type: ignore[no-untyped-def]
    """What each cell keeps of its share, and which gets the rest: those with too little take from those with more."""
    n = share.size
    own, other = np.full(n, _ONE, dtype=np.int64), np.arange(n)
    rest = share.copy()
    small, large = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    n_small = n_large = 0
    for cell in range(n):
        if share[cell] < _ONE:
            small[n_small] = cell
            n_small += 1
        elif share[cell] > _ONE:
            large[n_large] = cell
            n_large += 1
    while n_small > 0 and n_large > 0:
        n_small -= 1
        lesser, greater = small[n_small], large[n_large - 1]
        own[lesser], other[lesser] = rest[lesser], greater
        rest[greater] -= _ONE - rest[lesser]
        if rest[greater] <= _ONE:
            n_large -= 1
            if rest[greater] < _ONE:
                small[n_small] = greater
                n_small += 1
    return own, other


def alias_table(probability: NDArray[np.float64]) -> NDArray[np.uint64]:
    """The table for CELLS probabilities that add up to one.

    Returns
    -------
    (CELLS,) uint64
        The other cell in the high bits, the cell's own share in the low ones.
    """
    n = probability.size
    # Rounded up, so that no cell gets less than its due; the slack pays for it, and what is left goes to the largest.
    share = np.ceil(probability * (n * _ONE * (1.0 - SLACK))).astype(np.int64)
    share[int(np.argmax(share))] += n * _ONE - int(share.sum())
    own: NDArray[np.int64]
    other: NDArray[np.int64]
    own, other = _pair(share)
    # A cell that keeps all of its share is its own alias, so its share may be written as zero.
    return (other.astype(np.uint64) << _SHIFT) | (own % _ONE).astype(np.uint64)


def probabilities(table: NDArray[np.uint64]) -> NDArray[np.float64]:
    """The exact probability with which a table yields each cell; (CELLS,) float64."""
    own = (table & _LOW).astype(np.int64)
    share = own.copy()
    np.add.at(share, (table >> _SHIFT).astype(np.int64), _ONE - own)
    return share / (table.size * _ONE)


def proposals(bound: NDArray[np.float64]) -> tuple[NDArray[np.uint64], float, NDArray[np.float64]]:
    """How to choose cells in proportion to their bounds, and accept what is found there.

    Proposals follow the probabilities that the table has exactly, after rounding; each is at least 1 - SLACK of what
    the cell's bound asks for, so that the acceptance stays below one.

    Returns
    -------
    table, ceiling, acceptance
        Walker's table; the sum of the bounds that it stands for; for each cell what turns a content that is at most its
        bound into the probability to accept it, (CELLS,) float64.
    """
    total = bound.sum()
    table = alias_table(bound / total)
    ceiling = float(total / (1.0 - SLACK))
    given = ceiling * probabilities(table)
    occupied = given > 0.0
    return table, ceiling, np.where(occupied, 1.0 / np.where(occupied, given, 1.0), 0.0)
