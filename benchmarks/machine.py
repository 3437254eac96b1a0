"""What the machine itself can do: the limits that no event generator gets past."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from measure import Case, Threads
from numba import njit

from kaongen.jit import BLOCK, full_width, row
from kaongen.random import PROPOSAL, draw, stream_key, uniform

GROUP = "machine"
COLUMNS = 9
"""Stored numbers of a three-body decay: px, py, pz of three daughters."""

_LIBRARIES = (
    "kaongen",
    "numpy",
    "numba",
    "llvmlite",
    "h5py",
    "phasespace",
    "tensorflow",
    "tensorflow-cpu",
    "pythia8mc",
)


def description() -> dict[str, Any]:
    """Processor, system and versions of the libraries, for the record."""
    versions = {}
    for library in _LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "huge_pages": _first_line("/sys/kernel/mm/transparent_hugepage/enabled"),
        "kaongen_block": BLOCK,
        "libraries": versions,
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return platform.processor()
    fields = dict(
        line.replace("\t", "").split(": ", 1)
        for line in path.read_text(encoding="utf-8").split("\n\n")[0].splitlines()
        if ": " in line
    )
    vectors = [name for name in ("avx2", "avx512f") if name in fields.get("flags", "").split()]
    name = fields.get("model name", platform.processor())
    return (
        f"{name}, family {fields.get('cpu family', '?')} model {fields.get('model', '?')}, {' '.join(vectors)}".strip()
    )


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return "unknown"


@njit(error_model="numpy", nogil=True)
def _philox(key, first, blocks, numbers):  # type: ignore[no-untyped-def]
    full_width()
    a, b, c, d = row(numbers, 0), row(numbers, 1), row(numbers, 2), row(numbers, 3)
    for block in range(blocks):
        start = first + np.uint64(block * BLOCK)
        for j in range(BLOCK):
            w, x, y, z = draw(key, start + np.uint64(j), PROPOSAL, np.uint64(0))
            a[j], b[j], c[j], d[j] = uniform(w), uniform(x), uniform(y), uniform(z)


def cases(threads: Threads, quick: bool) -> list[Case]:
    """Copying memory, touching new memory, and drawing random numbers."""
    length = (1 << 24) if quick else (1 << 26)
    source, target = np.ones(length, dtype=np.float32), np.zeros(length, dtype=np.float32)
    edges = np.linspace(0, length, threads.number + 1).astype(np.int64)
    key = stream_key(1, "benchmark")
    numbers = [np.zeros(4 * BLOCK) for _ in range(threads.number)]
    blocks = 2000
    events = length // 16

    def copy(thread: int) -> int:
        piece = slice(edges[thread], edges[thread + 1])
        target[piece] = source[piece]
        return 8 * int(edges[thread + 1] - edges[thread])

    def touch() -> int:
        columns = np.empty((threads.number, events // threads.number * COLUMNS), dtype=np.float32)

        def fill(thread: int) -> int:
            columns[thread] = 1.0
            return columns.shape[1] // COLUMNS

        return threads.each(fill)

    def philox(thread: int) -> int:
        _philox(key, np.uint64(thread * blocks * BLOCK), blocks, numbers[thread])
        return 4 * BLOCK * blocks

    return [
        Case(GROUP, "copy memory", lambda: threads.each(copy), threads.number, "byte", note="read and written"),
        Case(
            GROUP, "fill newly allocated columns", touch, threads.number, note="9 float32 per event, nothing computed"
        ),
        Case(GROUP, "Philox4x32-10 uniforms", lambda: threads.each(philox), threads.number, "number", note="in cache"),
    ]
