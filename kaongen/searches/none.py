"""No search: the events are all that is wanted."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from kaongen.searches.base import SearchSettings


class NoSearch(SearchSettings):
    """Events and nothing else."""

    module: ClassVar[str] = "none"
    name: Literal["none"] = Field(description="No search.")
