"""Progress of long work: a bar on a terminal, a line per interval elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Any, Self, TextIO

_INTERVAL_S = 10.0


class Progress:
    """Counts candidates over all samples; call it with a sample's name and how many more are done.

    total : candidates in all samples.
    quiet : say nothing.
    """

    def __init__(self, total: int, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._total = total
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._lock = threading.Lock()
        self._done = 0
        self._started = self._spoken = self._last = time.monotonic()
        self._bar: Any = None
        if not quiet and self._stream.isatty():
            self._bar = self._make_bar()

    def _make_bar(self) -> Any:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        bar = Progress(
            TextColumn("{task.description:<16}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%  {task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(file=self._stream),
        )
        self._task = bar.add_task("starting", total=self._total, rate="")
        return bar

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        elif not self._quiet:
            print(f"{self._total:,} candidates to go; a line every {_INTERVAL_S:.0f} s", file=self._stream, flush=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif not self._quiet and kind is None:
            self._say("done", self._last)

    def __call__(self, sample: str, candidates: int) -> None:
        with self._lock:
            self._done += candidates
            made = self._done == self._total
            # samples are rounded up to whole chunks
            self._total = max(self._total, self._done)
            now = self._last = time.monotonic()
            if self._bar is not None:
                rate, text = self._rate(now), "evaluating" if made else sample
                self._bar.update(self._task, total=self._total, completed=self._done, description=text, rate=rate)
            elif not self._quiet and made:
                print("all candidates made; evaluating them", file=self._stream, flush=True)
            elif not self._quiet and now - self._spoken > _INTERVAL_S:
                self._say(sample, now)

    def _rate(self, now: float) -> str:
        return f"{self._done / max(now - self._started, 1e-9) / 1e6:.1f} M/s"

    def _say(self, sample: str, now: float) -> None:
        self._spoken = now
        elapsed = now - self._started
        left = elapsed * (self._total - self._done) / max(self._done, 1)
        share = self._done / max(self._total, 1)
        print(
            f"{sample}: {share:.0%} of {self._total:,} candidates, {self._rate(now)}, {left:.0f} s left",
            file=self._stream,
        )
