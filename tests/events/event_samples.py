"""Small runs to write, read and break."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from kaongen.events.layout import (
    Column,
    CutCount,
    FourMomentum,
    Manifest,
    Provenance,
    SampleInfo,
    SamplePlan,
    ShardHeader,
    Table,
    Tally,
    shard_file,
)
from kaongen.events.manifest import write_manifest
from kaongen.events.writer import write_shard

TABLE = Table(
    columns=(
        Column("index", "uint64", "", "number of the candidate"),
        Column("mu_px", "float32", "GeV", "muon momentum, x"),
        Column("mu_py", "float32", "GeV", "muon momentum, y"),
        Column("mu_pz", "float32", "GeV", "muon momentum, z"),
        Column("mu_E", "float32", "GeV", "muon energy"),
        Column("m2_miss", "float64", "GeV²", "missing mass squared"),
        Column("hits", "uint8", "", "chambers hit"),
        Column("tagged", "bool", "", "whether the kaon was tagged"),
        Column("weight", "float32", "", "weight"),
    ),
    momenta=(
        FourMomentum("mu+", "mu_px", "mu_py", "mu_pz", mass_GeV=0.1056583755),
        FourMomentum("mu_reco", "mu_px", "mu_py", "mu_pz", energy="mu_E"),
    ),
)
PROVENANCE = Provenance(
    kaongen_version="0.1.0", card_sha256="ab" * 32, seed=2**63 + 5, libraries={"numpy": "2"}, detector="na62-2018"
)


def info(name="munu", **changes):
    parameters = {"name": name, "process": "munuphi", "decay": "K+ -> mu+ nu_mu phi", "parameters": {"m_X": 0.1}}
    return SampleInfo(**(parameters | {"branching_fraction": 0.5} | changes))


def selected_events(candidates, seed=1, keep=0.7):
    """The columns that a run over all the candidates would give."""
    rng = np.random.default_rng(seed)
    index = np.flatnonzero(rng.random(candidates) < keep).astype(np.uint64)
    columns = {"index": index}
    for name in ("mu_px", "mu_py", "mu_pz", "mu_E", "m2_miss"):
        columns[name] = rng.normal(size=len(index))
    columns["hits"] = rng.integers(0, 4, len(index))
    columns["tagged"] = rng.random(len(index)) < 0.9
    columns["weight"] = rng.exponential(size=len(index))
    return columns


def slice_of(columns, first, stop):
    inside = (columns["index"] >= first) & (columns["index"] < stop)
    return {name: values[inside] for name, values in columns.items()}


def header(columns, first, stop, sample=None):
    rows, weights = len(columns["index"]), columns["weight"].astype(float)
    tally = Tally(
        candidates=stop - first,
        generated=stop - first,
        selected=rows,
        sum_weights=weights.sum(),
        sum_weights_squared=(weights**2).sum(),
        cutflow=(CutCount(name="fiducial", events=rows, sum_weights=weights.sum()),),
    )
    return ShardHeader(sample=sample or info(), provenance=PROVENANCE, first=first, stop=stop, tally=tally)


def write_run(directory, candidates=40, cuts=(0, 15, 40), seed=1, compression=None):
    """A run of one sample, cut into shards at the given candidates."""
    directory = Path(directory)
    columns = selected_events(candidates, seed)
    records = []
    for number, (first, stop) in enumerate(pairwise(cuts)):
        part = slice_of(columns, first, stop)
        path = directory / shard_file("munu", number)
        records.append(write_shard(path, part, TABLE, header(part, first, stop), compression))
    manifest = Manifest(
        provenance=PROVENANCE, samples=(SamplePlan(info=info(), candidates=candidates),), shards=records, complete=True
    )
    write_manifest(directory, manifest)
    return manifest


def write_one(directory, candidates=40, **changes):
    """A single shard, and where it is."""
    columns = selected_events(candidates)
    path = Path(directory) / "one.h5"
    write_shard(path, columns, TABLE, header(columns, 0, candidates), **changes)
    return path
