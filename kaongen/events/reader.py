"""A run directory or a single shard, read as samples with columns.

No file stays open: each column is read where it is asked for, shard after shard in candidate order: nothing depends on
how a sample was cut into shards.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from kaongen.errors import EventFileError
from kaongen.events.columns import unknown
from kaongen.events.inspection import inspect, validate_events
from kaongen.events.layout import WEIGHT, Provenance, SampleInfo, Table, Tally
from kaongen.events.manifest import (
    CandidateRange,
    in_order,
    missing_ranges,
    overlap_problems,
    read_manifest,
    shard_problem,
    verified_shards,
)
from kaongen.events.shard import Array, columns_of, read_metadata

BATCH = 1 << 20
"""Events that are read at a time where a sample is not read whole."""

__all__ = ["EventSet", "Sample", "inspect", "open_events", "validate_events"]


class Events(Protocol):
    """Selected events of one sample, wherever they are: what a search reads."""

    @property
    def info(self) -> SampleInfo: ...
    @property
    def tally(self) -> Tally: ...
    @property
    def column_names(self) -> tuple[str, ...]: ...
    def columns(self, *names: str) -> dict[str, Array]: ...
    def batches(self, *names: str, rows: int = BATCH) -> Iterator[dict[str, Array]]: ...
    def __len__(self) -> int: ...


AnyEvents = TypeVar("AnyEvents", bound=Events, covariant=True)


@dataclass(frozen=True)
class Piece:
    """A shard as a sample needs it."""

    path: Path
    rows: int


@dataclass(frozen=True)
class Sample:
    """The selected events of one sample, as columns in candidate order."""

    info: SampleInfo
    tally: Tally
    pieces: tuple[Piece, ...]

    def __len__(self) -> int:
        return sum(piece.rows for piece in self.pieces)

    @property
    def table(self) -> Table:
        """The columns and four-momenta, as its first shard declares them; every column is read against this."""
        if not self.pieces:
            raise EventFileError(f"the sample {self.info.name!r} has no shards")
        return read_metadata(self.pieces[0].path).table

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns, in their order."""
        return self.table.names

    def unit(self, name: str) -> str:
        """The unit of a column; empty for a pure number."""
        return self.table[name].unit

    def column(self, name: str) -> Array:
        """One column."""
        return self.columns(name)[name]

    def columns(self, *names: str) -> dict[str, Array]:
        """Several columns, each shard being opened once; all of them if none is named."""
        table = self.table
        declared = [table[name] for name in names or table.names]
        joined = {column.name: np.empty(len(self), column.dtype) for column in declared}
        start = 0
        for piece in self.pieces:
            if read_metadata(piece.path).table != table:
                raise EventFileError(f"{piece.path} has other columns than {self.pieces[0].path}")
            with columns_of(piece.path) as read:
                for name, values in joined.items():
                    values[start : start + piece.rows] = read(name)
            start += piece.rows
        return joined

    def batches(self, *names: str, rows: int = BATCH) -> Iterator[dict[str, Array]]:
        """Several columns, a stretch of events at a time: for samples that are larger than memory.

        Where a stretch ends depends on the shards, so that sums over stretches agree to rounding only.
        """
        table = self.table
        declared = [table[name] for name in names or table.names]
        for piece in self.pieces:
            if read_metadata(piece.path).table != table:
                raise EventFileError(f"{piece.path} has other columns than {self.pieces[0].path}")
            with columns_of(piece.path) as read:
                for start in range(0, piece.rows, rows):
                    some = slice(start, min(start + rows, piece.rows))
                    yield {column.name: read(column.name, some) for column in declared}

    def momentum(self, name: str) -> Any:
        """A four-momentum as an array of `vector`, in double precision so that its mass survives the arithmetic."""
        import vector  # here, because it costs more than all else in this module

        momentum = self.table.momentum(name)
        read = self.columns(*momentum.column_names)
        fields = {axis: read[getattr(momentum, axis)].astype(np.float64) for axis in ("px", "py", "pz")}
        if momentum.energy is not None:
            fields["E"] = read[momentum.energy].astype(np.float64)
        else:
            fields["mass"] = np.full(len(self), momentum.mass_GeV, np.float64)
        return vector.array(fields)

    @property
    def sum_weights(self) -> float:
        """The sum of the weights, exactly rounded: the same to the last bit however the sample was cut into shards."""
        if WEIGHT not in self.column_names:
            return float(len(self))
        return math.fsum(chain.from_iterable(self._blocks_of_weights()))

    def _blocks_of_weights(self) -> Iterator[list[float]]:
        for piece in self.pieces:
            with columns_of(piece.path) as read:
                yield read(WEIGHT).tolist()

    @property
    def equivalent_kaons(self) -> float | None:
        """How many K+ decays of all kinds the generated ones stand for; None where the rate is unknown."""
        return self.info.equivalent_kaons(self.tally.generated)


@dataclass(frozen=True)
class EventSet(Generic[AnyEvents]):
    """What was opened: samples by name, where they came from, and what is not there."""

    provenance: Provenance
    members: tuple[AnyEvents, ...]
    missing: tuple[CandidateRange, ...] = ()

    @property
    def samples(self) -> tuple[str, ...]:
        """The names of the samples."""
        return tuple(sample.info.name for sample in self.members)

    def __iter__(self) -> Iterator[str]:
        return iter(self.samples)

    def __len__(self) -> int:
        return len(self.members)

    def __getitem__(self, name: str) -> AnyEvents:
        for sample in self.members:
            if sample.info.name == name:
                return sample
        raise EventFileError(f"there is no {unknown('sample', name, self.samples)}")


def open_events(path: str | os.PathLike[str], partial: bool = False) -> EventSet[Sample]:
    """Open a run directory or a single shard.

    Parameters
    ----------
    path : path
        A directory with a manifest, or a `.h5` file.
    partial : bool
        Accept a run of which a part is not there (not yet made, lost, or damaged): read the rest, and list the part in
        `EventSet.missing`. Otherwise such a run is refused.

    Raises
    ------
    EventFileError
        Saying what is missing or what is wrong with which file.
    """
    path = Path(path)
    return _open_run(path, partial) if path.is_dir() else _open_shard(path)


def _open_run(directory: Path, partial: bool) -> EventSet[Sample]:
    manifest = read_manifest(directory)
    if partial:
        shards = tuple(verified_shards(directory, manifest))
    else:
        shards = manifest.shards
        for record in shards:
            if problem := shard_problem(directory, manifest, record):
                raise EventFileError(problem)
    if overlaps := overlap_problems(manifest, shards):
        raise EventFileError(f"{directory}: {overlaps[0]}")
    missing = missing_ranges(manifest, shards)
    if missing and not partial:
        listed = ", ".join(str(gap) for gap in missing[:3]) + (" and more" if len(missing) > 3 else "")
        raise EventFileError(f"{directory} is not complete: it lacks {listed} (partial=True reads the rest)")
    members = []
    for plan in manifest.samples:
        records = in_order(shards, plan.info.name)
        pieces = tuple(Piece(directory / record.file, record.rows) for record in records)
        members.append(Sample(plan.info, sum((record.tally for record in records), Tally()), pieces))
    return EventSet(manifest.provenance, tuple(members), missing)


def _open_shard(path: Path) -> EventSet[Sample]:
    metadata = read_metadata(path)
    sample = Sample(metadata.header.sample, metadata.header.tally, (Piece(path, metadata.rows),))
    return EventSet(metadata.header.provenance, (sample,))
