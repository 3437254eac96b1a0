"""K+ -> mu+ + invisible and mu+ N in the data of 2016-2018."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from kaongen.searches.base import SearchSettings


class MuInvisible(SearchSettings):
    """NA62, Phys. Lett. B 816 (2021) 136259: its choices and counts are the defaults."""

    module: ClassVar[str] = "mu_invisible"
    name: Literal["mu_invisible"] = Field(default="mu_invisible", description="The search.")
    n_kaons: float = Field(default=1.14e10, gt=0.0, description="K+ decays in the volume that the data stand for.")
    signal_region: float = Field(
        default=0.1,
        gt=0.0,
        le=0.15,
        multiple_of=0.002,
        description="m2_miss above it, GeV^2, is the region that was counted in.",
    )
    observed: int | None = Field(
        default=6894, ge=0, description="Events in the signal region; null where nothing was observed yet."
    )
    background: float = Field(default=7549.0, gt=0.0, description="Events expected there without a signal.")
    background_error: float = Field(
        default=928.0, ge=0.0, description="Its uncertainty; relative, it is that of a simulated background as well."
    )
    cut_step: float = Field(
        default=0.02, ge=0.002, le=0.05, multiple_of=0.002,
        description="Spacing of the cuts on m2_miss among which the best is searched, GeV^2.",
    )  # fmt: skip
