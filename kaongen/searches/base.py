"""What all searches have in common."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field


class SearchSettings(BaseModel):
    """Choices of a search; each search adds its own, and a `name` that tells them apart."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    module: ClassVar[str]
    """File of the analysis, in `kaongen.analysis`."""

    confidence_level: float = Field(default=0.9, gt=0.0, lt=1.0, description="Confidence level of the limits.")
