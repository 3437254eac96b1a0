"""The manifest of a run directory: reading and writing it, and holding the shards on disk against it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json

from kaongen.errors import EventFileError
from kaongen.events.durable import write_durably
from kaongen.events.layout import LAYOUT_VERSION, Manifest, ShardRecord
from kaongen.events.shard import columns_digest, columns_of, first_complaint, newer_layout, read_metadata

MANIFEST = "manifest.json"


class CandidateRange(NamedTuple):
    """The candidates [first, stop) of one sample."""

    sample: str
    first: int
    stop: int

    def __str__(self) -> str:
        return f"{self.sample} [{self.first}, {self.stop})"


def read_manifest(directory: str | os.PathLike[str]) -> Manifest:
    """Read `manifest.json` of a run directory, and refuse one that is not ours, broken, or of a newer layout."""
    path = Path(directory) / MANIFEST
    try:
        data = from_json(path.read_bytes())
    except FileNotFoundError as error:
        missing = "is not a run directory: it has no manifest.json" if path.parent.is_dir() else "does not exist"
        raise EventFileError(f"{path.parent} {missing}") from error
    except OSError as error:
        raise EventFileError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise EventFileError(f"{path} is not valid JSON: {error}") from error
    version = data.get("layout_version") if isinstance(data, dict) else None
    # Before the rest: a newer layout would otherwise be reported as a list of unknown fields.
    if isinstance(version, int) and version > LAYOUT_VERSION:
        raise EventFileError(newer_layout(path, version))
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        raise EventFileError(f"{path} is not a manifest of kaongen: {first_complaint(error)}") from error


def write_manifest(directory: str | os.PathLike[str], manifest: Manifest) -> None:
    """Replace the manifest of a run directory as a whole."""
    write_durably(Path(directory) / MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())


def verified_shards(directory: str | os.PathLike[str], manifest: Manifest, deep: bool = False) -> list[ShardRecord]:
    """The listed shards that are there and are what the manifest says; with `deep`, down to each byte of a column."""
    return [record for record in manifest.shards if shard_problem(directory, manifest, record, deep) is None]


def shard_problem(
    directory: str | os.PathLike[str], manifest: Manifest, record: ShardRecord, deep: bool = False
) -> str | None:
    """What is wrong with a listed shard, in one sentence; None where nothing is."""
    path = Path(directory) / record.file
    try:
        size = path.stat().st_size
        if size != record.size_bytes:
            return f"{path} has {size} bytes, the manifest says {record.size_bytes}"
        metadata = read_metadata(path)
    except OSError as error:
        return f"cannot read {path}: {error.strerror or error}"
    except EventFileError as error:
        return str(error)
    header, plan = metadata.header, next(plan for plan in manifest.samples if plan.info.name == record.sample)
    # The libraries may differ, where a run was resumed after an upgrade; what decides the events may not.
    comparisons = {
        "sample": (header.sample, plan.info),
        "candidate range": ((header.first, header.stop), (record.first, record.stop)),
        "rows": (metadata.rows, record.rows),
        "tally": (header.tally, record.tally),
        "checksum": (metadata.sha256, record.sha256),
        "card": (header.provenance.card_sha256, manifest.provenance.card_sha256),
        "seed": (header.provenance.seed, manifest.provenance.seed),
    }
    for what, (in_file, in_manifest) in comparisons.items():
        if in_file != in_manifest:
            return f"{path} has another {what} than the manifest says"
    return checksum_problem(path) if deep else None


def checksum_problem(path: Path) -> str | None:
    """Whether the columns of a shard still have the checksum that it was written with."""
    try:
        metadata = read_metadata(path)
        with columns_of(path) as read:
            digest = columns_digest((column, read(column.name)) for column in metadata.table.columns)
    except EventFileError as error:
        return str(error)
    return None if digest == metadata.sha256 else f"{path} is damaged: its columns do not match their checksum"


def missing_ranges(manifest: Manifest, shards: Iterable[ShardRecord]) -> tuple[CandidateRange, ...]:
    """The candidates that the manifest asks for and none of `shards` covers."""
    shards, gaps = list(shards), []
    for plan in manifest.samples:
        covered = 0
        for shard in in_order(shards, plan.info.name):
            if shard.first > covered:
                gaps.append(CandidateRange(plan.info.name, covered, shard.first))
            covered = max(covered, shard.stop)
        if covered < plan.candidates:
            gaps.append(CandidateRange(plan.info.name, covered, plan.candidates))
    return tuple(gaps)


def overlap_problems(manifest: Manifest, shards: Iterable[ShardRecord]) -> list[str]:
    """The shards that hold candidates of one another, which would be counted twice."""
    shards = list(shards)
    return [
        f"{one.file} and {two.file} share {CandidateRange(one.sample, two.first, min(one.stop, two.stop))}"
        for plan in manifest.samples
        for one, two in pairwise(in_order(shards, plan.info.name))
        if two.first < one.stop
    ]


def in_order(shards: Iterable[ShardRecord], sample: str) -> list[ShardRecord]:
    """The shards of one sample by candidate range."""
    return sorted((shard for shard in shards if shard.sample == sample), key=lambda shard: (shard.first, shard.stop))
