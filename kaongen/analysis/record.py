"""What results are made of: records that refuse what they do not know, numbers with errors, named axes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["input", "tuned", "prediction"]


class Record(BaseModel):
    """Nothing unknown, nothing infinite, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Value(Record):
    """A number with its error."""

    value: float = Field(description="The number.")
    error: float = Field(default=0.0, ge=0.0, description="Its standard error; 0 where it has none.")


class Number(Record):
    """A number of the search beside the published one."""

    name: str = Field(description="What it is.")
    value: float = Field(description="As kaongen has it.")
    error: float | None = Field(default=None, description="Statistical error of the simulation.")
    kind: Kind = Field(
        description="input: taken from the paper; tuned: the model was adjusted to it; prediction: neither."
    )
    published: float | None = Field(default=None, description="As published.")
    published_error: float | None = Field(default=None, description="Its published error.")
    reference: str = Field(default="", description="Where it was published.")


class Axis(Record):
    """A quantity that something is plotted or tabulated against."""

    name: str = Field(description="For programs: letters, digits and underscores.")
    label: str = Field(description="For people, with mathematics between dollar signs.")
    unit: str = Field(default="", description="Unit; empty for a pure number.")
