"""Figures as data: what is drawn, tabulated and published of curves, histograms and densities."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from kaongen.analysis.record import Axis, Record

Style = Literal["line", "dashed", "dotted", "points", "band", "region"]


class Curve(Record):
    """A line, points, or the space between two lines."""

    label: str = Field(description="In the legend.")
    x: list[float] = Field(description="Where.")
    y: list[float | None] = Field(description="Value; null leaves a gap.")
    low: list[float | None] | None = Field(default=None, description="Lower edge of a band, or of an error.")
    high: list[float | None] | None = Field(default=None, description="Upper edge of it.")
    style: Style = Field(default="line", description="band: between low and high; region: excluded above the line.")
    colour: str | None = Field(default=None, description="Of the figure's own choice where null.")
    published: bool = Field(default=False, description="Taken from a publication, not made by kaongen.")
    reference: str = Field(default="", description="Where it was published, or which equation it follows.")

    @model_validator(mode="after")
    def _of_one_length(self) -> Self:
        for name in ("y", "low", "high"):
            values = getattr(self, name)
            if values is not None and len(values) != len(self.x):
                raise ValueError(f"curve {self.label!r}: {name} has {len(values)} values for {len(self.x)} in x")
        return self


class Histogram(Record):
    """Contents of bins."""

    label: str = Field(description="In the legend.")
    edges: list[float] = Field(description="One more than bins, rising.")
    values: list[float] = Field(description="Content of each bin.")
    errors: list[float] | None = Field(default=None, description="Its standard error.")
    style: Literal["stack", "step", "points"] = Field(default="step", description="stack: upon each other.")
    published: bool = Field(default=False, description="Taken from a publication, not made by kaongen.")

    @model_validator(mode="after")
    def _of_one_length(self) -> Self:
        if len(self.values) != len(self.edges) - 1:
            raise ValueError(f"histogram {self.label!r}: {len(self.values)} values for {len(self.edges)} edges")
        return self


class Density(Record):
    """Contents of bins in two dimensions."""

    label: str = Field(description="Title of its panel.")
    x_edges: list[float] = Field(description="Edges in x.")
    y_edges: list[float] = Field(description="Edges in y.")
    values: list[list[float]] = Field(description="Content of the bins: rows in y of columns in x.")


class Figure(Record):
    """One figure, with all that is in it."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="Name of its files.")
    title: str = Field(description="What it shows.")
    x: Axis
    y: Axis
    log_x: bool = False
    log_y: bool = False
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    curves: list[Curve] = Field(default_factory=list)
    histograms: list[Histogram] = Field(default_factory=list)
    densities: list[Density] = Field(default_factory=list)
    reference: str = Field(default="", description="The figure of a paper that it is to be compared with.")
