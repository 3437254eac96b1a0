"""K+ -> pi+ X in the data of 2017."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from kaongen.searches.base import SearchSettings


class PionX(SearchSettings):
    """NA62, JHEP 03 (2021) 058."""

    module: ClassVar[str] = "pion_x"
    name: Literal["pion_x"] = Field(description="The search.")
