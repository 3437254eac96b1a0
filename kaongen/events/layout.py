"""What an event file and a manifest say: the layout version and the records that both are made of.

A *run directory* holds `manifest.json` and `shards/<sample>-<number>.h5`. A *sample* is the candidates 0..n-1 of one
process; a *shard* is the selected events of the candidates [first, stop) of one sample, in candidate order.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from kaongen.errors import EventFileError
from kaongen.events.columns import INDEX, WEIGHT, Column, FourMomentum, Table

__all__ = [
    "FORMAT", "INDEX", "LAYOUT_VERSION", "WEIGHT", "Column", "CutCount", "FourMomentum", "Manifest", "Provenance",
    "Record", "SampleInfo", "SamplePlan", "ShardHeader", "ShardRecord", "Table", "Tally", "shard_file",
]  # fmt: skip

LAYOUT_VERSION = 1
"""The layout that this version writes; older ones stay readable.

1: one 1-D dataset per column in `events`, four-momenta in `momenta`, the header as JSON in a root attribute.
"""

FORMAT = "kaongen events"
"""The root attribute `format` of every shard, by which a file is recognised."""

SAMPLE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$"  # it becomes part of a file name


class Record(BaseModel):
    """Unknown fields are refused, not dropped: a file that says more than we understand is not ours to rewrite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CutCount(Record):
    """What is left after one cut."""

    name: str = Field(description="Name of the cut.")
    events: int = Field(ge=0, description="Events that pass this cut and all before it.")
    sum_weights: float = Field(description="Sum of the weights of these events.")


class Tally(Record):
    """The counts that normalise a shard or a sample. `Tally()` is zero; tallies of disjoint ranges add."""

    candidates: int = Field(default=0, ge=0, description="Candidates proposed: the length of the index range.")
    generated: int = Field(default=0, ge=0, description="Decays generated: each candidate is one.")
    above_bound: int = Field(
        default=0, ge=0, description="Decays above the sampler's bound, kept with weight > 1 (goal: none)."
    )
    selected: int = Field(default=0, ge=0, description="Decays that passed the selection: rows in the file.")
    sum_weights: float = Field(default=0.0, description="Sum of the weights of the selected decays.")
    sum_weights_squared: float = Field(
        default=0.0, ge=0, description="Sum of the squared weights of the selected decays."
    )
    cutflow: tuple[CutCount, ...] = Field(
        default=(), description="What is left after each cut, in the order of the cuts."
    )

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            candidates=self.candidates + other.candidates,
            generated=self.generated + other.generated,
            above_bound=self.above_bound + other.above_bound,
            selected=self.selected + other.selected,
            sum_weights=self.sum_weights + other.sum_weights,
            sum_weights_squared=self.sum_weights_squared + other.sum_weights_squared,
            cutflow=_add_cutflows(self, other),
        )


def _add_cutflows(one: Tally, two: Tally) -> tuple[CutCount, ...]:
    # Only a tally of nothing may lack the cuts: otherwise the sum would count events that never met them.
    if one.candidates == 0 and not one.cutflow:
        return two.cutflow
    if two.candidates == 0 and not two.cutflow:
        return one.cutflow
    names, others = [c.name for c in one.cutflow], [c.name for c in two.cutflow]
    if names != others:
        raise EventFileError(f"cannot add tallies of different cuts: {', '.join(names)} and {', '.join(others)}")
    return tuple(
        CutCount(name=a.name, events=a.events + b.events, sum_weights=a.sum_weights + b.sum_weights)
        for a, b in zip(one.cutflow, two.cutflow, strict=True)
    )


class ComponentInfo(Record):
    """A decay and how often it happens."""

    process: str = Field(description="Name of the process in the catalogue.")
    decay: str = Field(description="Decay descriptor, such as `K+ -> mu+ nu_mu phi`.")
    parameters: dict[str, float] = Field(description="Parameters of the process, in GeV where they have a dimension.")
    branching_fraction: float | None = Field(
        default=None,
        ge=0,
        description="Branching fraction at these parameters, before any selection; null where unknown.",
    )
    branching_fraction_error: float | None = Field(
        default=None, ge=0, description="Uncertainty of the branching fraction."
    )


class SampleInfo(ComponentInfo):
    """Which decay a sample is made of, or which decays."""

    name: str = Field(pattern=SAMPLE_NAME, description="Name of the sample within its run.")
    zone: str = Field(
        default="volume", description="Where the parents decay; weights are per kaon decay in the volume."
    )
    components: tuple[ComponentInfo, ...] = Field(
        default=(),
        description="The decays of a mixture, in the order of the column `component`; empty for a single decay.",
    )

    def equivalent_kaons(self, generated: int) -> float | None:
        """How many K+ decays of all kinds would contain `generated` decays of this process, where the rate is known."""
        return generated / self.branching_fraction if self.branching_fraction else None


class Provenance(Record):
    """What a run must repeat to come out the same."""

    kaongen_version: str = Field(description="Version of kaongen that generated the events.")
    card_sha256: str = Field(description="SHA-256 of the run card.")
    seed: int = Field(ge=0, description="Seed of the random streams.")
    libraries: dict[str, str] = Field(description="Versions of the libraries that the numbers may depend on.")
    detector: str = Field(description="Name of the detector configuration.")


class _Range(Record):
    first: int = Field(ge=0, lt=2**64, description="First candidate of the range.")
    stop: int = Field(gt=0, lt=2**64, description="One past the last candidate of the range.")

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.stop <= self.first:
            raise ValueError(f"the candidate range [{self.first}, {self.stop}) is empty")
        return self


class ShardHeader(_Range):
    """What a shard says of itself: the JSON in its root attribute `header`."""

    layout_version: int = Field(default=LAYOUT_VERSION, ge=1, description="Layout of the file.")
    sample: SampleInfo = Field(description="The sample that the shard belongs to.")
    provenance: Provenance = Field(description="What generated the shard.")
    tally: Tally = Field(description="The counts of this shard.")


class ShardRecord(_Range):
    """What a manifest says of one shard."""

    file: str = Field(description="Path of the shard, relative to the run directory.")
    sample: str = Field(description="Name of its sample.")
    rows: int = Field(ge=0, description="Events in the shard.")
    size_bytes: int = Field(ge=0, description="Size of the file.")
    sha256: str = Field(description="SHA-256 over the columns (name, type, length, bytes), in order.")
    tally: Tally = Field(description="The counts of the shard.")

    @field_validator("file")
    @classmethod
    def _inside_the_run(cls, file: str) -> str:
        path = PurePosixPath(file)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError(f"shard file {file!r} is not inside the run directory")
        return file


class SamplePlan(Record):
    """A sample and how much of it was asked for."""

    info: SampleInfo = Field(description="The sample.")
    candidates: int = Field(ge=0, lt=2**64, description="Candidates requested; complete once 0..n-1 are covered.")


class Manifest(Record):
    """The table of contents of a run directory. A reader trusts only what it lists."""

    layout_version: int = Field(default=LAYOUT_VERSION, ge=1, description="Layout of the run directory and its shards.")
    provenance: Provenance = Field(description="What generated the run.")
    samples: tuple[SamplePlan, ...] = Field(description="The samples of the run.")
    shards: tuple[ShardRecord, ...] = Field(default=(), description="The shards that were written and verified.")
    complete: bool = Field(default=False, description="Whether the run came to its end.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        plans = {plan.info.name: plan for plan in self.samples}
        if len(plans) != len(self.samples):
            raise ValueError("two samples have the same name")
        if len({shard.file for shard in self.shards}) != len(self.shards):
            raise ValueError("a shard file is listed twice")
        for shard in self.shards:
            if shard.sample not in plans:
                raise ValueError(f"{shard.file} belongs to the sample {shard.sample!r}, which is not listed")
            if shard.stop > (requested := plans[shard.sample].candidates):
                raise ValueError(f"{shard.file} reaches beyond the {requested} candidates of its sample")
        return self


def shard_file(sample: str, number: int) -> str:
    """Where the shard number `number` of a sample lies, relative to the run directory."""
    return f"shards/{sample}-{number:05d}.h5"
