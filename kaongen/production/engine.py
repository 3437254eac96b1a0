"""The engine: samples become chunks of candidates, threads make them, shards keep what is selected.

A chunk is a fixed stretch of candidates, and its events depend on nothing else, so that a run comes to the same
content with any number of threads, and a killed one resumes by making the shards that its manifest does not list.
"""

from __future__ import annotations

import math
import os
import platform
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kaongen.decays.sampling import CHUNK
from kaongen.errors import EventFileError
from kaongen.events.columns import Table
from kaongen.events.durable import remove_stale_partials
from kaongen.events.layout import (
    CutCount,
    Manifest,
    Provenance,
    SamplePlan,
    ShardHeader,
    ShardRecord,
    Tally,
    shard_file,
)
from kaongen.events.manifest import MANIFEST, read_manifest, verified_shards, write_manifest
from kaongen.events.writer import write_shard
from kaongen.jit import BLOCK
from kaongen.production.card import Card
from kaongen.production.chain import Chain
from kaongen.production.selection import TABLES, Selection, gather
from kaongen.production.source import chain, info
from kaongen.random import stream_key

Progress = Callable[[str, int], None]
"""Called with the name of a sample and how many of its candidates were done since the last call."""

_PIECE = 4 * CHUNK
"""Candidates of a mixture that one thread takes at a time: rare decays come in small groups, which cost more."""

_LIBRARIES = ("numpy", "numba", "llvmlite", "h5py", "particle")


@dataclass(frozen=True)
class _Sample:
    plan: SamplePlan
    chain: Chain
    key: np.uint64


@dataclass(frozen=True)
class Chunk:
    """What one chunk of candidates left."""

    index: NDArray[np.uint64]
    weight: NDArray[np.float64]
    component: NDArray[np.uint8]
    measured: NDArray[np.float32]
    generated: int
    above: int
    counts: NDArray[np.int64]
    sums: NDArray[np.float64]


def plan(card: Card) -> Manifest:
    """What a card asks for, as a manifest without shards.

    Raises
    ------
    KaongenError
        If a process, a parameter or a number of the detector in the card cannot be used.
    """
    candidate = card.configuration().candidate
    samples = [SamplePlan(info=info(part, candidate), candidates=part.candidates) for part in card.sample]
    provenance = Provenance(
        kaongen_version=version("kaongen"),
        card_sha256=card.sha256(),
        seed=card.run.seed,
        libraries={name: version(name) for name in _LIBRARIES} | {"python": platform.python_version()},
        detector=card.detector.configuration,
    )
    return Manifest(provenance=provenance, samples=tuple(samples))


def produce(
    card: Card,
    selection: Selection,
    directory: Path,
    *,
    threads: int | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Manifest:
    """Generate all samples of a card into event files.

    Parameters
    ----------
    card
        What to generate.
    selection
        Which events to keep.
    directory
        The run directory; it must not hold a run unless `resume` is set.
    threads
        Number of threads; all processors by default.
    resume
        Keep the shards that an earlier, killed run of the same card listed and that are whole.
    progress
        Called as candidates are done.

    Returns
    -------
    Manifest
        The complete table of contents.

    Raises
    ------
    KaongenError
        If the card cannot be used, the directory holds another run, or a file cannot be written.
    """
    manifest = _started(card, directory, resume)
    configuration = card.configuration()
    table = TABLES[configuration.candidate]
    samples = []
    for part, planned in zip(card.sample, manifest.samples, strict=True):
        made = chain(part, configuration, card.detector.vetoes)
        samples.append(_Sample(planned, made, stream_key(card.run.seed, part.name)))
    have = {(record.sample, record.first) for record in manifest.shards}
    if progress:
        for record in manifest.shards:
            progress(record.sample, record.stop - record.first)
    compression: Literal["gzip"] | None = "gzip" if card.run.compression == "gzip" else None
    worker = Worker(selection, progress)
    for sample, number, first, stop, chunks in _made(samples, card.run.shard_candidates, have, worker, threads):
        counted = tally(chunks, stop - first, selection.cuts)
        header = ShardHeader(
            sample=sample.plan.info, provenance=manifest.provenance, first=first, stop=stop, tally=counted
        )
        path = directory / shard_file(sample.plan.info.name, number)
        record = write_shard(path, columns(chunks, table), table, header, compression)
        manifest = manifest.model_copy(update={"shards": _ordered(manifest, record)})
        write_manifest(directory, manifest)
    manifest = manifest.model_copy(update={"complete": True})
    write_manifest(directory, manifest)
    return manifest


def _started(card: Card, directory: Path, resume: bool) -> Manifest:
    """The manifest to go on from; it is on disk before anything else is."""
    wanted = plan(card)
    if not (directory / MANIFEST).exists():
        directory.mkdir(parents=True, exist_ok=True)
        write_manifest(directory, wanted)
        return wanted
    if not resume:
        raise EventFileError(f"{directory} holds a run already: resume it, overwrite it, or choose another directory")
    found = read_manifest(directory)
    if found.provenance != wanted.provenance or found.samples != wanted.samples:
        raise EventFileError(
            f"{directory} holds a run of another card, seed or version: only the same one can be resumed "
            f"(there: kaongen {found.provenance.kaongen_version}, seed {found.provenance.seed}, "
            f"card {found.provenance.card_sha256[:12]})"
        )
    remove_stale_partials(directory)
    return found.model_copy(update={"shards": tuple(verified_shards(directory, found, deep=True)), "complete": False})


def _ordered(manifest: Manifest, record: ShardRecord) -> tuple[ShardRecord, ...]:
    order = {planned.info.name: i for i, planned in enumerate(manifest.samples)}
    return tuple(sorted((*manifest.shards, record), key=lambda r: (order[r.sample], r.first)))


_Shard = tuple[_Sample, int, int, int, list[Chunk]]


def _made(
    samples: Sequence[_Sample], shard_candidates: int, have: set[tuple[str, int]], worker: Worker, threads: int | None
) -> Iterator[_Shard]:
    """Shards in order, each as its chunks; the next are made while one is written."""
    waiting: deque[tuple[_Sample, int, int, int, list[Future[Chunk]]]] = deque()
    pool = ThreadPoolExecutor(threads or os.cpu_count(), thread_name_prefix="kaongen")
    try:
        for sample in samples:
            total = sample.plan.candidates
            for number, first in enumerate(range(0, total, shard_candidates)):
                if (sample.plan.info.name, first) in have:
                    continue
                stop = min(first + shard_candidates, total)
                piece = _PIECE if len(sample.chain.lanes) > 1 else CHUNK
                ranges = [(start, min(piece, stop - start)) for start in range(first, stop, piece)]
                name = sample.plan.info.name
                futures = [pool.submit(worker.run, sample.chain, sample.key, *some, name) for some in ranges]
                waiting.append((sample, number, first, stop, futures))
                if len(waiting) > 2:
                    yield _finished(waiting.popleft())
        while waiting:
            yield _finished(waiting.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _finished(shard: tuple[_Sample, int, int, int, list[Future[Chunk]]]) -> _Shard:
    sample, number, first, stop, futures = shard
    return sample, number, first, stop, [future.result() for future in futures]


class Worker:
    """Makes chunks; each thread keeps the block that it used last."""

    def __init__(self, selection: Selection, progress: Progress | None) -> None:
        self._selection = selection
        self._progress = progress
        self._own = threading.local()

    def run(self, chain: Chain, key: np.uint64, first: int, n: int, name: str = "") -> Chunk:
        """The selected events of candidates first .. first + n - 1."""
        kind = (type(chain), chain.particles)
        if getattr(self._own, "kind", None) != kind:
            self._own.event = chain.block()
            self._own.kind = kind
        event = self._own.event
        cuts = len(self._selection.cuts)
        counts, sums = np.zeros(cuts, dtype=np.int64), np.zeros(cuts)
        counts[0] = sums[0] = n
        passed = np.empty(BLOCK, dtype=np.int64)
        index, weight = np.empty(n, dtype=np.uint64), np.empty(n)
        component = np.empty(n, dtype=np.uint8)
        measured = np.empty((len(chain.rows), n), dtype=np.float32)
        filled = above = 0
        for lane, numbers in chain.batches(key, first, n):
            event.take(numbers)
            left, exceeded = lane.run(key, len(numbers), event)
            above += exceeded
            if left:
                k = self._selection.apply(left, event, passed, counts[1:], sums[1:])
                index[filled : filled + k] = event.index[passed[:k]]
                weight[filled : filled + k] = event.weight[passed[:k]]
                component[filled : filled + k] = lane.component
                gather(k, passed, chain.rows, chain.measured(event), filled, measured)
                filled += k
        if self._progress:
            self._progress(name, n)
        # views: the columns of a shard are joined from them, and rows beyond were never touched
        chunk = Chunk(index[:filled], weight[:filled], component[:filled], measured[:, :filled], n, above, counts, sums)
        return chunk if len(chain.lanes) == 1 else _in_order(chunk)


def _in_order(chunk: Chunk) -> Chunk:
    """The events of several lanes by their numbers."""
    order = np.argsort(chunk.index)
    return replace(
        chunk,
        index=chunk.index[order],
        weight=chunk.weight[order],
        component=chunk.component[order],
        measured=chunk.measured[:, order],
    )


def run_in_threads(
    worker: Worker, pieces: Sequence[tuple[Chain, np.uint64, int, int, str]], threads: int | None
) -> list[Chunk]:
    """Chunks in memory, without files: (chain, key, first candidate, length, name for the progress) each."""
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return list(pool.map(lambda piece: worker.run(*piece), pieces))


def tally(chunks: Sequence[Chunk], candidates: int, cuts: Sequence[str]) -> Tally:
    """What normalises chunks that cover so many candidates."""
    weights = [chunk.weight for chunk in chunks]
    return Tally(
        candidates=candidates,
        generated=sum(chunk.generated for chunk in chunks),
        above_bound=sum(chunk.above for chunk in chunks),
        selected=sum(len(w) for w in weights),
        sum_weights=math.fsum(float(w.sum()) for w in weights),
        sum_weights_squared=math.fsum(float((w * w).sum()) for w in weights),
        cutflow=tuple(
            CutCount(
                name=name,
                events=sum(int(chunk.counts[i]) for chunk in chunks),
                sum_weights=math.fsum(float(chunk.sums[i]) for chunk in chunks),
            )
            for i, name in enumerate(cuts)
        ),
    )


def columns(chunks: Sequence[Chunk], table: Table) -> dict[str, NDArray[np.generic]]:
    """The columns of a table from consecutive chunks."""
    measured = np.concatenate([chunk.measured for chunk in chunks], axis=1)
    result: dict[str, NDArray[np.generic]] = {
        "index": np.concatenate([chunk.index for chunk in chunks]),
        "weight": np.concatenate([chunk.weight for chunk in chunks]),
        "component": np.concatenate([chunk.component for chunk in chunks]),
    }
    result.update(zip(table.names[3:], measured, strict=True))
    return result
