"""A run directory with events that are known, to export from."""

import numpy as np

from kaongen.events.layout import (
    Column,
    CutCount,
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
from kaongen.production.card import parse_card
from kaongen.production.directory import CARD_FILE

CARD = parse_card(
    """
[run]
name = "known"
[[sample]]
process = "munu"
role = "normalisation"
candidates = 4000
[[sample]]
process = "munug"
role = "background"
candidates = 6000
[[sample]]
process = "muN"
role = "signal"
candidates = 5000
scan = { m_N = [0.25, 0.3] }
[analysis]
name = "none"
""",
    "known.toml",
)
FRACTIONS = {"munu": 0.6356, "munug": 4.2e-3, "muN-250": 1e-3, "muN-300": None}
GENERATED = {part.name: part.candidates for part in CARD.sample}
ROLES = CARD.roles()
TABLE = Table(
    columns=(
        Column("index", "uint64", "", "number of the candidate"),
        Column("m2_miss", "float64", "GeV^2", "squared missing mass"),
        Column("weight", "float64", "", "weight"),
    ),
    momenta=(),
)


def events(name):
    """The columns of a sample: about half of its candidates."""
    rng = np.random.default_rng(sum(name.encode()))
    index = np.flatnonzero(rng.random(GENERATED[name]) < 0.5).astype(np.uint64)
    return {"index": index, "m2_miss": rng.normal(0.05, 0.04, len(index)), "weight": rng.exponential(0.3, len(index))}


def write_run(directory):
    """A complete run, with two shards for each sample."""
    provenance = Provenance(
        kaongen_version="0.1.0", card_sha256=CARD.sha256(), seed=7, libraries={}, detector="na62-2016-2018"
    )
    plans, records = [], []
    for part in CARD.sample:
        sample = SampleInfo(
            name=part.name, process=part.process, decay=f"K+ -> {part.process}", parameters=part.parameters,
            branching_fraction=FRACTIONS[part.name],
        )  # fmt: skip
        plans.append(SamplePlan(info=sample, candidates=part.candidates))
        whole, half = events(part.name), part.candidates // 2
        for number, (first, stop) in enumerate(((0, half), (half, part.candidates))):
            inside = (whole["index"] >= first) & (whole["index"] < stop)
            columns = {name: values[inside] for name, values in whole.items()}
            weights = columns["weight"]
            tally = Tally(
                candidates=stop - first,
                generated=stop - first,
                selected=len(weights),
                sum_weights=weights.sum(),
                sum_weights_squared=(weights**2).sum(),
                cutflow=(CutCount(name="selected", events=len(weights), sum_weights=weights.sum()),),
            )
            header = ShardHeader(sample=sample, provenance=provenance, first=first, stop=stop, tally=tally)
            records.append(write_shard(directory / shard_file(part.name, number), columns, TABLE, header))
    write_manifest(
        directory, Manifest(provenance=provenance, samples=tuple(plans), shards=tuple(records), complete=True)
    )
    (directory / CARD_FILE).write_text(CARD.model_dump_json())
    return directory
