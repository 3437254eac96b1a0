"""The whole chain without files: decay, beam, detector, reconstruction, and a histogram of the missing mass."""

from __future__ import annotations

import numpy as np
from catalogue import given
from measure import Case, Threads, Timing
from numba import njit

from kaongen.configuration import load
from kaongen.decays.catalogue import find
from kaongen.decays.sampling import blocks
from kaongen.event_block import R_M2
from kaongen.jit import BLOCK, row
from kaongen.production.chain import Chain, build_chain
from kaongen.random import stream_key

GROUP = "whole chain"
PROCESSES = ("munu", "munug", "pi0munu", "pipipi", "munuphi")
_CONFIGURATION = "na62-2016-2018"
_LOW, _HIGH, _BINS = -0.05, 0.15, 200


@njit(error_model="numpy", nogil=True)
def _fill(n, values, weights, low, high, histogram):  # type: ignore[no-untyped-def]
    scale = histogram.size / (high - low)
    for j in range(n):
        if low <= values[j] < high:
            histogram[int((values[j] - low) * scale)] += weights[j]


def cases(threads: Threads, quick: bool) -> list[Case]:
    """One case per process: candidates through the chain, block by block in threads."""
    configuration = load(_CONFIGURATION)
    candidates = (64 if quick else 256) * BLOCK
    result = []
    for name in PROCESSES:
        process = find(name)
        chain = build_chain(process, given(process), configuration)
        result.append(Case(GROUP, name, _runner(chain, threads, candidates), threads.number, "decay"))
    return result


def _runner(chain: Chain, threads: Threads, candidates: int):  # type: ignore[no-untyped-def]
    key = stream_key(1, chain.process.name)
    room = [chain.block() for _ in range(threads.number)]
    histograms = np.zeros((threads.number, _BINS))

    def work(thread: int) -> int:
        event = room[thread]
        generated = 0
        for first, n in blocks(candidates, thread * candidates):
            made, _ = chain.run(key, first, n, event)
            _fill(made, row(event.reco, R_M2), event.weight, _LOW, _HIGH, histograms[thread])
            generated += made
        return generated

    return lambda: threads.each(work)


def average(timings: list[Timing]) -> Timing:
    """A sample with as many decays of each process."""
    mean = Timing(Case(GROUP, "average", lambda: 0, timings[0].case.threads, "decay"))
    for turn in range(len(timings[0].seconds)):
        each = [timing.seconds[turn] / timing.units[turn] for timing in timings]
        cpu = [timing.processor_seconds[turn] / timing.units[turn] for timing in timings]
        mean.seconds.append(sum(each) / len(each))
        mean.processor_seconds.append(sum(cpu) / len(cpu))
        mean.units.append(1)
    return mean
