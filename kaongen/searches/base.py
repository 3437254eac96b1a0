"""What all searches have in common."""

from __future__ import annotations

import math
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field


def stepped(first: float, last: float, step: float) -> tuple[float, ...]:
    """Values from first to last in steps, each rounded to where the next digits are those of the arithmetic.

    `last` is among them if the steps lead there; step must be above 0.
    """
    count = math.floor((last - first) / step * (1.0 + 1e-9) + 1e-9) + 1
    return tuple(round(first + i * step, 12) for i in range(count))


class SearchSettings(BaseModel):
    """Choices of a search; each search adds its own, and a `name` that tells them apart."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    module: ClassVar[str]
    """File of the analysis, in `kaongen.analysis`."""
    detector: ClassVar[str] = ""
    """Configuration that the search is for; any where it is empty."""

    confidence_level: float = Field(default=0.9, gt=0.0, lt=1.0, description="Confidence level of the limits.")
    any_detector: bool = Field(
        default=False,
        description="Take events of another detector configuration than the search is for, if it looks for the same.",
    )
