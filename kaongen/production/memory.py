"""The samples of a card made in memory: what a search reads, without files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kaongen.configuration import Configuration
from kaongen.decays.sampling import CHUNK
from kaongen.detector.na62 import Vetoes
from kaongen.errors import EventFileError
from kaongen.events.columns import unknown
from kaongen.events.layout import SampleInfo, Tally
from kaongen.events.reader import BATCH, EventSet
from kaongen.production.card import Card, SamplePart
from kaongen.production.engine import Progress, Worker, columns, plan, run_in_threads, tally
from kaongen.production.selection import TABLES, Selection
from kaongen.production.source import chain, info
from kaongen.random import stream_key


@dataclass(frozen=True)
class MemorySample:
    """The selected events of one sample as arrays; reads like one of an event file."""

    info: SampleInfo
    tally: Tally
    data: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.data["weight"])

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns, in their order."""
        return tuple(self.data)

    def columns(self, *names: str) -> dict[str, NDArray[Any]]:
        """Several columns; all of them if none is named.

        Raises
        ------
        EventFileError
            If there is no such column.
        """
        for name in names:
            if name not in self.data:
                raise EventFileError(f"there is no {unknown('column', name, self.column_names)}")
        return {name: self.data[name] for name in names or self.data}

    def batches(self, *names: str, rows: int = BATCH) -> Iterator[dict[str, NDArray[Any]]]:
        """Several columns, a stretch of events at a time."""
        whole = self.columns(*names)
        for start in range(0, len(self), rows):
            yield {name: values[start : start + rows] for name, values in whole.items()}


def simulate(
    part: SamplePart,
    configuration: Configuration,
    selection: Selection,
    key: np.uint64,
    *,
    vetoes: Vetoes = "weight",
    threads: int | None = None,
    progress: Progress | None = None,
) -> MemorySample:
    """Make the selected events of one sample.

    Parameters
    ----------
    part, configuration, selection
        What decays, the detector, and which events to keep.
    key
        Of the random numbers; `stream_key` of a run's seed and the sample's name gives the events of its files.
    vetoes
        Whether probabilities go into weights, or are decided.
    threads
        All processors by default.
    progress
        Called with the sample's name as decays are done.

    Raises
    ------
    KaongenError
        If the process, its parameters or a number of the detector cannot be used.
    """
    made = chain(part, configuration, vetoes)
    total = part.candidates
    pieces = [(made, key, first, min(CHUNK, total - first), part.name) for first in range(0, total, CHUNK)]
    chunks = run_in_threads(Worker(selection, progress), pieces, threads)
    return MemorySample(
        info=info(part),
        tally=tally(chunks, total, selection.cuts),
        data=columns(chunks, TABLES[configuration.candidate]),
    )


def simulate_card(
    card: Card, selection: Selection, *, threads: int | None = None, progress: Progress | None = None
) -> EventSet[MemorySample]:
    """All samples of a card.

    Raises
    ------
    KaongenError
        If the card cannot be used.
    """
    configuration, provenance = card.configuration(), plan(card).provenance
    members = tuple(
        simulate(
            part,
            configuration,
            selection,
            stream_key(card.run.seed, part.name),
            vetoes=card.detector.vetoes,
            threads=threads,
            progress=progress,
        )
        for part in card.sample
    )
    return EventSet(provenance, members)
