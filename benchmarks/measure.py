"""Timing: repeats that take turns, so that a busy or throttled machine disturbs all competitors alike."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import median, quantiles


@dataclass(frozen=True)
class Case:
    """Something to time.

    run : does the work and returns how many units (events, numbers, bytes) it made.
    threads : how many it uses.
    baseline : name of the case that its ratio refers to; empty for none.
    note : what a reader needs to know to compare it.
    """

    group: str
    name: str
    run: Callable[[], int]
    threads: int
    unit: str = "event"
    baseline: str = ""
    note: str = ""


@dataclass
class Timing:
    """The repeats of one case."""

    case: Case
    seconds: list[float] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)
    units: list[int] = field(default_factory=list)

    @property
    def each(self) -> list[float]:
        """Nanoseconds per unit in each repeat."""
        return [1e9 * s / n for s, n in zip(self.seconds, self.units, strict=True)]

    @property
    def median(self) -> float:
        return median(self.each)

    @property
    def best(self) -> float:
        return min(self.each)

    @property
    def processor(self) -> float:
        """Nanoseconds of processor time per unit, over all threads: what a busy machine disturbs least."""
        return median(1e9 * s / n for s, n in zip(self.processor_seconds, self.units, strict=True))

    @property
    def spread(self) -> float:
        """Distance between the quartiles as a fraction of the median."""
        if len(self.seconds) < 3:
            return float("nan")
        low, _, high = quantiles(self.each, n=4, method="inclusive")
        return (high - low) / self.median


def take_turns(
    cases: Sequence[Case], repeats: int, *, tell: Callable[[str], None] = lambda text: None, least_seconds: float = 0.05
) -> list[Timing]:
    """Time all cases `repeats` times: one round through all of them after the other, each starting at another case.

    A case that is done sooner than `least_seconds` runs several times per repeat. The first, untimed round compiles
    and warms up.
    """
    loops = []
    for case in cases:
        tell(f"warm up: {case.name}")
        case.run()
        begin = time.perf_counter()
        case.run()
        loops.append(max(1, int(least_seconds / (time.perf_counter() - begin))))
    timings = [Timing(case) for case in cases]
    for turn in range(repeats):
        tell(f"repeat {turn + 1} of {repeats}")
        for k in range(len(cases)):
            number = (turn + k) % len(cases)
            timing = timings[number]
            units = 0
            begin, processor = time.perf_counter(), time.process_time()
            for _ in range(loops[number]):
                units += timing.case.run()
            timing.seconds.append(time.perf_counter() - begin)
            timing.processor_seconds.append(time.process_time() - processor)
            timing.units.append(units)
    return timings


class Threads:
    """A pool that stays alive, so that no timing includes starting it."""

    def __init__(self, number: int | None = None) -> None:
        self.number = number or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self.number)

    def total(self, work: Callable[[int], int], items: Iterable[int]) -> int:
        """Sum of work(item) over all items; a free thread takes the next item."""
        return sum(self._pool.map(work, items))

    def each(self, work: Callable[[int], int]) -> int:
        """Sum of work(thread) with one call per thread."""
        return self.total(work, range(self.number))
