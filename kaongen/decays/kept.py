"""Tables of many-body phase space, kept beside the compiled code: built once for a version and a machine."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from kaongen.decays.alias import CELLS
from kaongen.decays.amplitude import is_builtin, momenta_address
from kaongen.decays.cells import CellTable, build_cells
from kaongen.decays.hypercube import BINS
from kaongen.decays.phase_space import PhaseSpace
from kaongen.jit import cache_directory

_ARRAYS = ("warps", "bits", "shifts", "alias", "acceptance")
_NUMBERS = ("integral", "integral_error", "efficiency")


def cell_table(amplitude: Any, space: PhaseSpace, parameters: NDArray[np.float64]) -> CellTable:
    """The table of an amplitude; that of a user's own is built each time, because its code may have changed."""
    body = amplitude.py_func
    if not is_builtin(body):
        return build_cells(amplitude, space, parameters)
    path = _path(f"{body.__module__}.{body.__qualname__}", space, parameters)
    try:
        with np.load(path) as stored:
            content: dict[str, Any] = {name: stored[name] for name in _ARRAYS}
            content |= {name: float(stored[name]) for name in _NUMBERS}
        _check(content, space.dimensions)
    except (OSError, TypeError, ValueError, KeyError, EOFError, BadZipFile):
        table = build_cells(amplitude, space, parameters)
        _keep(path, table)
        return table
    return CellTable(
        amplitude=amplitude, address=momenta_address(amplitude), space=space, parameters=parameters, **content
    )


def _check(content: dict[str, Any], axes: int) -> None:
    """Kernels read the arrays without looking.

    Raises
    ------
    ValueError
        If one has not the type or the shape of a table's.
    """
    for name, dtype, size in (
        ("warps", "f8", axes * 2 * BINS),
        ("bits", "i8", axes),
        ("shifts", "i8", axes),
        ("alias", "u8", CELLS),
        ("acceptance", "f8", CELLS),
    ):
        if content[name].dtype != np.dtype(dtype) or content[name].shape != (size,):
            raise ValueError(f"{name} is not that of a table")


def _path(name: str, space: PhaseSpace, parameters: NDArray[np.float64]) -> Path:
    digest = hashlib.blake2b(name.encode(), digest_size=12)
    for numbers in (space.parent, space.masses, space.lower, space.upper, parameters):
        digest.update(np.asarray(numbers, dtype=np.float64).tobytes() + b";")
    return cache_directory() / "tables" / f"{digest.hexdigest()}.npz"


def _keep(path: Path, table: CellTable) -> None:
    partial = path.with_name(f"{path.stem}-{os.getpid()}-{id(table)}.npz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(partial, **{name: getattr(table, name) for name in _ARRAYS + _NUMBERS})
        partial.replace(path)
    except OSError:
        # a table that cannot be kept is built again next time
        with suppress(OSError):
            partial.unlink()
