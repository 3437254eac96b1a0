"""The result of a search, as it is saved: the same form for all searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self, TypeVar

from pydantic import Field, model_validator

from kaongen.analysis.figure import Density
from kaongen.analysis.record import Axis, Kind, Number, Record, Value
from kaongen.statistics.limit import UpperLimit

__all__ = [
    "Axis", "Column", "CutFlowStep", "Kind", "Number", "Result", "SampleSummary", "Scan", "Spectrum", "Value",
]  # fmt: skip


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)

BANDS = ("-2", "-1", "+1", "+2")


class CutFlowStep(Record):
    """What is left after one cut."""

    cut: str = Field(description="Name of the cut.")
    events: int = Field(description="Events that pass this cut and all before it.")
    sum_weights: float = Field(description="Sum of their weights.")
    efficiency: float | None = Field(
        description="Share of the weights before this cut that pass it; null for the first, and where nothing was left."
    )


class SampleSummary(Record):
    """What became of one sample."""

    sample: str = Field(description="Name of the sample.")
    process: str = Field(description="Name of the process.")
    decay: str = Field(description="Decay descriptor.")
    parameters: dict[str, float] = Field(description="Parameters of the process.")
    zone: str = Field(description="Where the parents decay.")
    role: str = Field(description="normalisation, background or signal.")
    generated: int = Field(description="Decays generated.")
    selected: int = Field(description="Events in the event files.")
    above_bound: int = Field(description="Decays above the sampler's bound.")
    branching_fraction: float | None = Field(description="Of the decay as written, at these parameters.")
    acceptance: Value = Field(description="Probability to be selected.")
    yields: dict[str, Value] = Field(
        default_factory=dict, description="Expected events in the regions of the search, by the region's name."
    )
    cutflow: list[CutFlowStep] = Field(description="What is left after each cut.")


class Column(Record):
    """Numbers along a scan."""

    name: str = Field(description="For programs: letters, digits and underscores.")
    unit: str = Field(default="", description="Unit; empty for a pure number.")
    description: str = Field(description="What it is.")
    values: list[float | None] = Field(description="One for each point of the scan; null where there is none.")


class Scan(Record):
    """Upper limits against a mass, a lifetime or a cut."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="For programs and file names.")
    title: str = Field(description="What is limited, under which assumption.")
    x: Axis = Field(description="What is scanned.")
    y: Axis = Field(description="What is limited.")
    points: list[float] = Field(description="Values of x.")
    observed: list[float | None] | None = Field(default=None, description="From data, where counts were published.")
    expected: list[float | None] | None = Field(default=None, description="Median without a signal.")
    bands: dict[str, list[float | None]] = Field(
        default_factory=dict, description="Expected at -2, -1, +1 and +2 standard deviations."
    )
    columns: list[Column] = Field(default_factory=list, description="Acceptances, backgrounds, … at the same points.")
    method: str = Field(default="", description="Statistical method.")
    reference: str = Field(default="", description="The published figure or table that it is to be compared with.")

    @model_validator(mode="after")
    def _of_one_length(self) -> Self:
        parts = {"observed": self.observed, "expected": self.expected, **self.bands}
        parts.update({column.name: column.values for column in self.columns})
        for name, values in parts.items():
            if values is not None and len(values) != len(self.points):
                raise ValueError(f"scan {self.name!r}: {name} has {len(values)} values for {len(self.points)} points")
        return self

    @classmethod
    def of_limits(
        cls,
        name: str,
        title: str,
        x: Axis,
        y: Axis,
        limits: Mapping[float, UpperLimit | None],
        columns: Sequence[Column] = (),
        reference: str = "",
    ) -> Scan:
        """A scan from the limit at each point; None where nothing can be excluded."""
        found = list(limits.values())
        known = [limit for limit in found if limit is not None]
        return cls(
            name=name,
            title=title,
            x=x,
            y=y,
            points=list(limits),
            observed=_parts(found, "observed") if any(k.observed is not None for k in known) else None,
            expected=_parts(found, "expected"),
            bands={band: [None if limit is None else limit.bands[band] for limit in found] for band in BANDS},
            columns=list(columns),
            method=known[0].method if known else "",
            reference=reference,
        )

    def column(self, name: str) -> list[float | None]:
        """Values of the column of that name.

        Raises
        ------
        KeyError
            If there is none.
        """
        for found in self.columns:
            if found.name == name:
                return found.values
        raise KeyError(f"the scan {self.name!r} has no column {name!r}")


def _parts(limits: Sequence[UpperLimit | None], name: str) -> list[float | None]:
    return [None if limit is None else getattr(limit, name) for limit in limits]


class Spectrum(Record):
    """Expected events in bins of a measured quantity."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="For programs and file names.")
    title: str = Field(description="What it shows.")
    x: Axis = Field(description="The quantity.")
    edges: list[float] = Field(description="Bin edges.")
    expected: dict[str, list[float]] = Field(description="Events per bin by sample.")
    errors: dict[str, list[float]] = Field(description="Their statistical errors.")
    normalisation: dict[str, str] = Field(
        default_factory=dict, description="What the events of a sample are normalised to, by sample."
    )
    log: bool = Field(default=True, description="Best drawn with a logarithmic axis.")


class Result(Record):
    """A search's result."""

    result_version: int = Field(default=2, description="Version of this layout.")
    analysis: str = Field(description="Name of the search.")
    run: str = Field(description="Name of the run.")
    kaongen_version: str = Field(description="Version that generated the events.")
    card_sha256: str = Field(description="SHA-256 of the run card.")
    seed: int = Field(description="Seed of the run.")
    detector: str = Field(description="Detector configuration.")
    settings: dict[str, Any] = Field(description="Choices of the search.")
    confidence_level: float = Field(description="Of all limits.")
    n_kaons: Value = Field(description="Kaon decays that the expected events are for.")
    numbers: list[Number] = Field(description="Inputs, tuned numbers and predictions beside the published ones.")
    samples: list[SampleSummary] = Field(description="One per sample.")
    spectra: list[Spectrum] = Field(description="Expected events against measured quantities.")
    scans: list[Scan] = Field(description="Limits.")
    densities: list[Density] = Field(
        default_factory=list,
        description="Two measured quantities against each other, one for each sample that is drawn.",
    )

    def scan(self, name: str) -> Scan:
        """The scan of that name; KeyError with the names that there are."""
        return _named(self.scans, name)

    def spectrum(self, name: str) -> Spectrum:
        """The spectrum of that name; KeyError with the names that there are."""
        return _named(self.spectra, name)


def _named(things: Sequence[T], name: str) -> T:
    for thing in things:
        if thing.name == name:
            return thing
    raise KeyError(f"there is no {name!r} (there: {', '.join(thing.name for thing in things) or 'none'})")
