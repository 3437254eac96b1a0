"""Looking at event files without using them: what is in there, and whether anything is wrong with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from kaongen.errors import EventFileError
from kaongen.events.columns import INDEX
from kaongen.events.layout import Column, FourMomentum, Provenance, Record, SampleInfo, ShardHeader, Tally
from kaongen.events.manifest import (
    CandidateRange,
    checksum_problem,
    in_order,
    missing_ranges,
    overlap_problems,
    read_manifest,
    shard_problem,
    verified_shards,
)
from kaongen.events.shard import ShardMetadata, columns_of, read_metadata


class SampleSummary(Record):
    """One sample as `inspect` shows it."""

    info: SampleInfo = Field(description="The sample.")
    rows: int = Field(ge=0, description="Events that are there.")
    shards: int = Field(ge=0, description="Shards that hold them.")
    tally: Tally = Field(description="The counts of these shards together.")
    equivalent_kaons: float | None = Field(description="K+ decays that they stand for; null where unknown.")
    columns: tuple[Column, ...] = Field(description="The columns, in order.")
    momenta: tuple[FourMomentum, ...] = Field(description="Which columns form four-momenta.")


class Gap(Record):
    """A range of candidates that was requested and is not there."""

    sample: str = Field(description="Name of the sample.")
    first: int = Field(ge=0, description="First missing candidate.")
    stop: int = Field(ge=0, description="One past the last missing candidate.")


class Summary(Record):
    """What is in a run directory or a shard."""

    kind: Literal["run", "shard"] = Field(description="A run directory or a single shard.")
    layout_version: int = Field(description="Layout of the files.")
    provenance: Provenance = Field(description="What generated the events.")
    samples: tuple[SampleSummary, ...] = Field(description="The samples.")
    missing: tuple[Gap, ...] = Field(description="Requested candidates that no intact shard covers.")
    complete: bool = Field(description="Whether all that was requested is there.")


class ShardSummary(Summary):
    """A shard: its columns, and the header that is stored in it."""

    kind: Literal["shard"] = Field(default="shard", description="A single shard.")
    header: ShardHeader = Field(description="The JSON in the root attribute `header`.")
    sha256: str = Field(description="SHA-256 over the columns (name, type, length, bytes), in order.")


def inspect(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Summarise a run directory or a shard as a dictionary that goes straight into JSON; reads no columns."""
    path = Path(path)
    summary = _inspect_run(path) if path.is_dir() else _inspect_shard(path)
    return summary.model_dump(mode="json")


def validate_events(path: str | os.PathLike[str], deep: bool = True) -> list[str]:
    """Everything that is wrong with a run directory or a shard, one sentence each; empty where all is well.

    With `deep`, every column is read: checksums, finite values, and candidate numbers that increase within their range.
    """
    path = Path(path)
    try:
        return _run_problems(path, deep) if path.is_dir() else _shard_problems(path, deep)
    except EventFileError as error:
        return [str(error)]


def _inspect_shard(path: Path) -> ShardSummary:
    metadata = read_metadata(path)
    header = metadata.header
    return ShardSummary(
        layout_version=header.layout_version,
        provenance=header.provenance,
        samples=(_summary(header.sample, metadata.rows, 1, header.tally, metadata),),
        missing=(),
        complete=True,
        header=header,
        sha256=metadata.sha256,
    )


def _inspect_run(directory: Path) -> Summary:
    manifest = read_manifest(directory)
    intact = verified_shards(directory, manifest)
    gaps = missing_ranges(manifest, intact)
    samples = []
    for plan in manifest.samples:
        shards = in_order(intact, plan.info.name)
        tally = sum((shard.tally for shard in shards), Tally())
        metadata = read_metadata(directory / shards[0].file) if shards else None
        samples.append(_summary(plan.info, sum(shard.rows for shard in shards), len(shards), tally, metadata))
    return Summary(
        kind="run",
        layout_version=manifest.layout_version,
        provenance=manifest.provenance,
        samples=tuple(samples),
        missing=tuple(Gap(**gap._asdict()) for gap in gaps),
        complete=manifest.complete and not gaps,
    )


def _summary(info: SampleInfo, rows: int, shards: int, tally: Tally, metadata: ShardMetadata | None) -> SampleSummary:
    return SampleSummary(
        info=info,
        rows=rows,
        shards=shards,
        tally=tally,
        equivalent_kaons=info.equivalent_kaons(tally.generated),
        columns=metadata.table.columns if metadata else (),
        momenta=metadata.table.momenta if metadata else (),
    )


def _run_problems(directory: Path, deep: bool) -> list[str]:
    manifest = read_manifest(directory)
    problems = []
    for record in manifest.shards:
        problem = shard_problem(directory, manifest, record)
        problems += [problem] if problem else _shard_problems(directory / record.file, deep)
    problems += overlap_problems(manifest, manifest.shards)
    gaps: tuple[CandidateRange, ...] = missing_ranges(manifest, manifest.shards)
    problems += [f"{directory}: the candidates {gap} are in no listed shard" for gap in gaps]
    if not manifest.complete and not gaps:
        problems.append(f"{directory}: nothing is missing, but the manifest does not say that the run came to its end")
    return problems


def _shard_problems(path: Path, deep: bool) -> list[str]:
    metadata = read_metadata(path)
    header, tally = metadata.header, metadata.header.tally
    problems = []
    if tally.selected != metadata.rows:
        problems.append(f"{path} has {metadata.rows} rows, its tally counts {tally.selected} selected events")
    if tally.candidates != header.stop - header.first:
        expected = header.stop - header.first
        problems.append(f"{path} covers {expected} candidates, its tally counts {tally.candidates}")
    if deep:
        try:
            problems += _content_problems(path, metadata)
        except EventFileError as error:
            problems.append(str(error))
    return problems


def _content_problems(path: Path, metadata: ShardMetadata) -> list[str]:
    if damaged := checksum_problem(path):
        return [damaged]  # anything else would be said about numbers that nobody wrote
    problems = []
    with columns_of(path) as read:
        for column in metadata.table.columns:
            if column.stored.kind == "f" and (wrong := np.count_nonzero(~np.isfinite(read(column.name)))):
                problems.append(f"{path}: {wrong} values of the column {column.name!r} are not finite")
        index = read(INDEX)
    if not (index[1:] > index[:-1]).all():
        problems.append(f"{path}: the column {INDEX!r} does not increase")
    first, stop = metadata.header.first, metadata.header.stop
    if len(index) and (int(index.min()) < first or int(index.max()) >= stop):
        problems.append(f"{path}: the column {INDEX!r} leaves the range [{first}, {stop})")
    return problems
