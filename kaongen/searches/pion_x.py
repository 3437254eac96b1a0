"""K+ -> pi+ X in the data of 2017."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from kaongen.searches.base import SearchSettings

Mass = Annotated[float, Field(ge=0.0, le=0.35)]


class PionX(SearchSettings):
    """NA62, JHEP 03 (2021) 058; the defaults are its choices."""

    module: ClassVar[str] = "pion_x"
    detector: ClassVar[str] = "na62-2017-pinunu"
    name: Literal["pion_x"] = Field(description="The search.")
    masses_1: tuple[Mass, Mass] = Field(
        default=(0.0, 0.110), description="Masses of X that are searched for in signal region 1: first and last, GeV."
    )
    masses_2: tuple[Mass, Mass] = Field(default=(0.154, 0.260), description="The same in signal region 2.")
    mass_step: float = Field(default=1.4e-3, ge=1e-4, le=0.05, description="Distance between two of them, GeV.")
    events: tuple[Annotated[float, Field(ge=0.0, le=0.27)], ...] = Field(
        default=(0.196, 0.252), description="Missing masses of the observed events, GeV; each must lie in a region."
    )
    sensitivity: Literal["pinunu", "kaons"] = Field(
        default="pinunu",
        description="What the single-event sensitivity is relative to: pinunu, the published one of K+ -> pi+ nu nubar "
        "in the same data; kaons, the number of kaon decays with the losses of data taking.",
    )
    sensitivity_error: float = Field(default=0.10, ge=0.0, le=1.0, description="Its relative error (log-normal).")
    resolution_scale: float = Field(
        default=1.04, ge=0.1, le=10.0, description="Factor on the simulated resolution of the squared missing mass."
    )
    resolution_error: float = Field(default=0.10, ge=0.0, le=1.0, description="Its relative error (log-normal).")
    degree: int = Field(default=3, ge=0, le=6, description="Of the polynomials that describe the background.")
    lifetimes: tuple[Annotated[float, Field(gt=0.0)], ...] = Field(
        default=(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0),
        description="Lifetimes of an X that decays visibly, ns, besides a stable one.",
    )
    method: Literal["toys", "asymptotics"] = Field(
        default="toys",
        description="How the distribution of the test statistic is found; asymptotic formulas are for ten background "
        "events under a line and more, and with the published background only a quick estimate.",
    )
    toys: int = Field(default=20_000, ge=1000, le=10_000_000, description="Toy experiments for each hypothesis.")
    seed: int = Field(default=1, ge=0, lt=2**63, description="Of the toys.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name in ("masses_1", "masses_2"):
            first, last = getattr(self, name)
            if last < first:
                raise ValueError(f"{name}: last = {last:g} lies before first = {first:g}")
        if len(set(self.lifetimes)) < len(self.lifetimes):
            raise ValueError("lifetimes: one of them is there twice")
        return self
