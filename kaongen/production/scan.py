"""A range of values of one parameter, as cards write it."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kaongen.searches.base import stepped


class ScanRange(BaseModel):
    """Evenly spaced values of a parameter."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    first: float = Field(description="First value.")
    last: float = Field(description="Last value, included.")
    step: float = Field(gt=0.0, description="Distance between two.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"last = {self.last:g} lies before first = {self.first:g}")
        if (self.last - self.first) / self.step > 10_000:
            raise ValueError(f"step = {self.step:g} makes more than 10000 values")
        return self

    def values(self) -> tuple[float, ...]:
        """All of them."""
        return stepped(self.first, self.last, self.step)
