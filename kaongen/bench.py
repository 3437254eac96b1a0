"""A short measurement of this machine, without peers; `benchmarks/` has the long one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from kaongen.analysis.mu_selection import MuonSelection
from kaongen.configuration import load
from kaongen.decays.catalogue import find
from kaongen.decays.mixture import alone, natural
from kaongen.decays.sampling import CHUNK, sample
from kaongen.production.chain import build_chain
from kaongen.production.engine import Worker, run_in_threads

_PARAMETERS = {"munuphi": {"m_X": 0.1}, "munuV": {"m_X": 0.1}}


def bench(threads: int, repeats: int = 5) -> dict[str, float]:
    """Median nanoseconds per decay, by what was measured."""
    result = {}
    for name in ("munu", "munuphi", "munuV", "pi0munu", "munug", "pipipi", "munumumu"):
        process, values, n = find(name), _PARAMETERS.get(name, {}), 4_000_000

        def decays(process=process, values=values, n=n) -> int:  # type: ignore[no-untyped-def]
            return len(sample(process, n, values=values, momentum=75.0, threads=threads))

        result[f"{name}, into float32 columns"] = _median(decays, repeats)
    mixture = natural()

    def natural_decays() -> int:
        return len(mixture.sample(4_000_000, momentum=75.0, threads=threads))

    result["natural mixture, into float32 columns"] = _median(natural_decays, repeats)
    configuration = load("na62-2016-2018")
    for name in ("munu", "munug", "pi0munu", "pipipi", "munuphi"):
        chain = build_chain([alone(find(name), _PARAMETERS.get(name, {}))], configuration)

        def chunks(chain=chain) -> int:  # type: ignore[no-untyped-def]
            worker = Worker(MuonSelection(), None)
            pieces = [(chain, np.uint64(1), k * CHUNK, CHUNK, "") for k in range(16)]
            return sum(chunk.generated for chunk in run_in_threads(worker, pieces, threads))

        result[f"{name}, beam to selection"] = _median(chunks, repeats)
    return result


def _median(work: Callable[[], int], repeats: int) -> float:
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        n = work()
        times.append((time.perf_counter() - start) / n * 1e9)
    return statistics.median(times)
