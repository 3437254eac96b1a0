"""Every process of the catalogue, and the natural mixture: how fast, how efficient, how long until the first decay."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
from measure import Case, Threads

from kaongen.decays import kept, process
from kaongen.decays.catalogue import processes
from kaongen.decays.mixture import natural
from kaongen.decays.process import ManyBody, Process, ThreeBody
from kaongen.decays.samplers import sampler
from kaongen.decays.sampling import CHUNK, sample
from kaongen.particles import M_MU
from kaongen.random import stream_key

GROUP = "catalogue"
MIXTURE = "natural mixture"
X_MASS = 0.1


def given(chosen: Process) -> dict[str, float]:
    """Values for the parameters that have no default: a mass of 0.1 GeV, or a little above the least."""
    return {p.name: max(X_MASS, p.minimum + 0.1 * M_MU) for p in chosen.parameters if p.default is None}


def unweighting(repeats: int) -> list[dict[str, float | str]]:
    """Of each process with an amplitude: decays per attempt, decays above their bound, and the time for its table.

    For three bodies also what fraction of the decays is accepted without evaluating |M|^2.
    """
    rows: list[dict[str, float | str]] = []
    for chosen in processes():
        if not isinstance(chosen.dynamics, (ThreeBody, ManyBody)):
            continue
        values = chosen.values(given(chosen))
        drawn = sample(chosen, 16 * CHUNK, values=given(chosen))
        row: dict[str, float | str] = {
            "process": chosen.name,
            "daughters": len(chosen.daughters),
            "efficiency": drawn.efficiency,
            "above_bound": len(drawn.above_bound) / len(drawn),
            "excess": sum(drawn.above_bound.values()) / len(drawn) - len(drawn.above_bound) / len(drawn),
            "table_ms": 1e3 * median(_seconds(chosen, values) for _ in range(min(repeats, 3))),
        }
        if isinstance(chosen.dynamics, ThreeBody):
            table = chosen.dalitz_table(values)
            row["squeeze"] = table.squeeze / table.efficiency
        rows.append(row)
    return rows


def _seconds(chosen: Process, values: dict[str, float]) -> float:
    """To build the table anew."""
    if isinstance(chosen.dynamics, ThreeBody):
        process._dalitz_table.cache_clear()
        begin = time.perf_counter()
        chosen.dalitz_table(values)
    else:
        space, parameters = chosen.cell_table(values).space, chosen.vector(values)
        begin = time.perf_counter()
        kept.build_cells(chosen.dynamics.amplitude, space, parameters)
    return time.perf_counter() - begin


def cases(threads: Threads, quick: bool) -> list[Case]:
    """Decays into float32 columns that are used again, one case per process; and the mixture into new memory."""
    chunks = 4 if quick else 32
    columns = np.zeros((30, chunks * CHUNK), dtype=np.float32)
    result = [
        Case(GROUP, p.name, _runner(p, threads, columns, chunks), threads.number, note=p.decay) for p in processes()
    ]
    mixture, n = natural(), 4 * chunks * CHUNK
    result.append(
        Case(
            GROUP,
            MIXTURE,
            lambda: len(mixture.sample(n, momentum=75.0, threads=threads.number)),
            threads.number,
            note="into new memory",
        )
    )
    return result


def _runner(chosen: Process, threads: Threads, columns: np.ndarray, chunks: int) -> Callable[[], int]:
    source = sampler(chosen, chosen.values(given(chosen)))
    key = stream_key(1, chosen.name)
    index = np.arange(chunks * CHUNK, dtype=np.uint64)

    def write(chunk: int) -> int:
        numbers = index[chunk * CHUNK : (chunk + 1) * CHUNK]
        source.write(key, numbers, columns, chunk * CHUNK, (1.0, 0.0))
        return len(numbers)

    return lambda: threads.total(write, range(chunks))
