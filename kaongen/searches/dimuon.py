"""K+ -> mu+ nu X, X -> mu+ mu-: a resonance over the continuum of mu+ nu mu+ mu-."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from kaongen.searches.base import SearchSettings


class Dimuon(SearchSettings):
    """Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802, appendix C.B."""

    module: ClassVar[str] = "dimuon"
    name: Literal["dimuon"] = Field(description="The search.")
