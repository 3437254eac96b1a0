"""What K+ -> mu+ nu X, X invisible, could be seen of with a dedicated trigger: a projection from the data of 2015."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from kaongen.searches.base import SearchSettings


class MuProjection(SearchSettings):
    """Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802."""

    module: ClassVar[str] = "mu_projection"
    name: Literal["mu_projection"] = Field(description="The search.")
