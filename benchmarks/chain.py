"""The whole chain without files: decay, beam, detector, reconstruction, and a histogram of the missing mass."""

from __future__ import annotations

import numpy as np
from catalogue import given
from measure import Case, Threads, Timing
from numba import njit

from kaongen.configuration import load
from kaongen.decays.catalogue import find
from kaongen.decays.mixture import alone, natural
from kaongen.event_block import R_M2
from kaongen.jit import BLOCK, row
from kaongen.production.chain import Chain, build_chain
from kaongen.random import stream_key

GROUP = "whole chain"
PROCESSES = ("munu", "munug", "pi0munu", "pipipi", "munuphi")
NATURAL = "natural decays"
_CONFIGURATION = "na62-2016-2018"
_LOW, _HIGH, _BINS = -0.05, 0.15, 200
_PIECE = 64 * BLOCK
"""Decays of a mixture that are sorted by their kind at a time."""


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
    samples = {name: [alone(find(name), given(find(name)))] for name in PROCESSES}
    for name, components in (samples | {NATURAL: natural().components}).items():
        chain = build_chain(components, configuration)
        result.append(Case(GROUP, name, _runner(name, chain, threads, candidates), threads.number, "decay"))
    return result


def _runner(name: str, chain: Chain, threads: Threads, candidates: int):  # type: ignore[no-untyped-def]
    key = stream_key(1, name)
    room = [chain.block() for _ in range(threads.number)]
    histograms = np.zeros((threads.number, _BINS))

    def work(thread: int) -> int:
        event = room[thread]
        for first in range(0, candidates, _PIECE):
            for lane, numbers in chain.batches(key, thread * candidates + first, min(_PIECE, candidates - first)):
                event.take(numbers)
                left, _ = lane.run(key, len(numbers), event)
                _fill(left, row(event.reco, R_M2), event.weight, _LOW, _HIGH, histograms[thread])
        return candidates

    return lambda: threads.each(work)


def average(timings: list[Timing]) -> Timing:
    """A sample with as many decays of each process."""
    timings = [timing for timing in timings if timing.case.name != NATURAL]
    mean = Timing(Case(GROUP, "average", lambda: 0, timings[0].case.threads, "decay"))
    for turn in range(len(timings[0].seconds)):
        each = [timing.seconds[turn] / timing.units[turn] for timing in timings]
        cpu = [timing.processor_seconds[turn] / timing.units[turn] for timing in timings]
        mean.seconds.append(sum(each) / len(each))
        mean.processor_seconds.append(sum(cpu) / len(cpu))
        mean.units.append(1)
    return mean
