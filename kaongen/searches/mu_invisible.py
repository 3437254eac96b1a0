"""K+ -> mu+ + invisible and mu+ N in the data of 2016-2018."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from kaongen.searches.base import SearchSettings


class MuInvisible(SearchSettings):
    """NA62, Phys. Lett. B 816 (2021) 136259."""

    module: ClassVar[str] = "mu_invisible"
    name: Literal["mu_invisible"] = Field(default="mu_invisible", description="The search.")
