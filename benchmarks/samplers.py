"""kaongen's three-body sampler: how much is generating, how much is storing."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from threading import Lock

import numpy as np
from catalogue import given
from measure import Case, Threads

from kaongen.decays.catalogue import find
from kaongen.decays.process import Process
from kaongen.decays.samplers import PRIMARY, sampler
from kaongen.decays.sampling import CHUNK, blocks, sample
from kaongen.decays.workspace import PX, DecayBlock
from kaongen.events.layout import Column, FourMomentum, Provenance, SampleInfo, ShardHeader, Table, Tally, shard_file
from kaongen.events.writer import write_shard
from kaongen.jit import BLOCK
from kaongen.random import stream_key

GROUP = "decays"
PROCESS = "munuphi"
SAMPLE = "kaongen sample() of K -> mu nu phi"
SAMPLE_PI0MUNU = "kaongen sample() of K -> pi0 mu nu"


def cases(threads: Threads, quick: bool, directory: Path | None = None) -> list[Case]:
    """From candidates that are only counted to decays in a file."""
    process = find(PROCESS)
    values = process.values(given(process))
    source = sampler(process, values)
    key = stream_key(1, PROCESS)
    chunks = 16 if quick else 64
    events = chunks * CHUNK
    columns = np.zeros((9, chunks * CHUNK), dtype=np.float32)
    room = [DecayBlock(3) for _ in range(threads.number)]

    index = np.arange(chunks * CHUNK, dtype=np.uint64)

    def write(chunk: int) -> int:
        numbers = index[chunk * CHUNK : (chunk + 1) * CHUNK]
        source.write(key, numbers, columns, chunk * CHUNK, (1.0, 0.0))
        return len(numbers)

    def in_blocks(thread: int) -> int:
        share = chunks // threads.number * CHUNK
        block = room[thread]
        for first, n in blocks(share, thread * share):
            block.number(first, n)
            source.settle(key, n, PRIMARY, block, block.momenta)
        return share

    def sampled(name: str) -> int:
        chosen = find(name)
        return len(sample(chosen, events, values=given(chosen), threads=threads.number))

    shards = _Shards(process, threads, quick, directory)
    n = threads.number
    return [
        Case(GROUP, "blocks in cache, float64", lambda: threads.each(in_blocks), n, baseline=SAMPLE, note="not stored"),
        Case(GROUP, "float32 columns, reused memory", lambda: threads.total(write, range(chunks)), n, baseline=SAMPLE),
        Case(GROUP, SAMPLE, lambda: sampled(PROCESS), n, baseline=SAMPLE, note="float32 columns in new memory"),
        Case(GROUP, SAMPLE_PI0MUNU, lambda: sampled("pi0munu"), n, baseline=SAMPLE),
        Case(
            GROUP, "HDF5 shards", shards.write, n, baseline=SAMPLE, note="9 momenta and index; synced and verified"
        ),
    ]  # fmt: skip


class _Shards:
    """One shard per thread: generated side by side, written one after the other with kaongen's own writer."""

    def __init__(self, process: Process, threads: Threads, quick: bool, directory: Path | None) -> None:
        self.process = process
        self.threads = threads
        self.directory = directory
        self.candidates = (1 << 18) if quick else (1 << 20)
        self.values = process.values(given(process))
        self.sampler = sampler(process, self.values)
        self.key = stream_key(1, process.name)
        momenta = [
            f"{daughter}_{axis}".replace("+", "") for daughter in process.daughters for axis in ("px", "py", "pz")
        ]
        self.table = Table(
            columns=(
                Column("index", "uint64", "", "number of the candidate"),
                *(Column(name, "float32", "GeV", "momentum in the kaon's rest frame") for name in momenta),
            ),
            momenta=tuple(
                FourMomentum(daughter, *momenta[3 * k : 3 * k + 3], mass_GeV=mass)
                for k, (daughter, mass) in enumerate(zip(process.daughters, process.masses(self.values), strict=True))
            ),
        )
        self.index = np.zeros((threads.number, self.candidates), dtype=np.uint64)
        self.columns = np.zeros((threads.number, 9, self.candidates), dtype=np.float32)
        self.room = [DecayBlock(3) for _ in range(threads.number)]
        self.turn = Lock()

    def write(self) -> int:
        run = Path(tempfile.mkdtemp(prefix="kaongen-benchmark-", dir=self.directory))
        try:
            return self.threads.each(lambda thread: self._shard(run, thread))
        finally:
            shutil.rmtree(run)

    def _shard(self, run: Path, thread: int) -> int:
        block, index, columns = self.room[thread], self.index[thread], self.columns[thread]
        first = thread * self.candidates
        rows = 0
        for start, n in blocks(self.candidates, first):
            block.number(start, n)
            self.sampler.settle(self.key, n, PRIMARY, block, block.momenta)
            index[rows : rows + n] = block.index[:n]
            for number, momenta in enumerate(block.momenta):
                components = momenta.reshape(-1, BLOCK)[PX : PX + 3, :n]
                columns[3 * number : 3 * number + 3, rows : rows + n] = components
            rows += n
        names = self.table.names
        stored = {names[0]: index[:rows]} | {name: columns[k, :rows] for k, name in enumerate(names[1:])}
        path, header = run / shard_file(self.process.name, thread), self._header(first, rows)
        with self.turn:
            write_shard(path, stored, self.table, header)
        return rows

    def _header(self, first: int, rows: int) -> ShardHeader:
        process = self.process
        return ShardHeader(
            first=first,
            stop=first + self.candidates,
            sample=SampleInfo(
                name=process.name, process=process.name, decay=process.decay, parameters=dict(self.values)
            ),
            provenance=Provenance(
                kaongen_version="benchmark", card_sha256="0" * 64, seed=1, libraries={}, detector="none"
            ),
            tally=Tally(candidates=self.candidates, generated=rows, selected=rows, sum_weights=rows),
        )  # fmt: skip
