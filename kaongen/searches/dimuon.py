"""K+ -> mu+ nu X, X -> mu+ mu-: a resonance over the continuum of mu+ nu mu+ mu-."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from kaongen.searches.base import SearchSettings

_Part = Annotated[float, Field(ge=0.0, le=0.1)]


class Dimuon(SearchSettings):
    """Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802, section IV.B and appendix C.B."""

    module: ClassVar[str] = "dimuon"
    detector: ClassVar[str] = "na62-2016-2018-3mu"
    name: Literal["dimuon"] = Field(description="The search.")

    momentum_min: float = Field(default=5.0, ge=0.0, description="Least momentum of each muon, GeV.")
    momentum_max: float = Field(default=70.0, gt=0.0, description="Largest momentum of each muon, GeV.")
    total_momentum_max: float = Field(default=78.0, gt=0.0, description="Largest momentum of the three, GeV.")
    eop_max: float = Field(default=0.2, gt=0.0, description="Largest energy in the LKr over momentum of each muon.")
    cda_max: float = Field(default=0.007, gt=0.0, description="Largest distance of kaon and vertex, m.")
    vertex_first: float = Field(default=105.0, description="Where vertices begin, m from the target.")
    vertex_last: float = Field(default=180.0, description="Where vertices end, m from the target.")

    mass_first: float = Field(default=0.212, gt=0.2113, description="First mass that is tested, GeV.")
    mass_last: float = Field(default=0.384, lt=0.3881, description="Last mass that is tested, GeV.")
    mass_step: float = Field(default=0.004, gt=1e-4, description="Distance between two masses, GeV.")
    window: float = Field(
        default=2.0, ge=0.1, le=20.0, description="Half the width of a mass window, in mass resolutions."
    )
    muon_momentum: float = Field(
        default=20.0, gt=0.0, le=100.0, description="Momentum of the muons in the formula of the mass resolution, GeV."
    )
    momentum_resolution: tuple[_Part, _Part] = Field(
        default=(0.003, 5e-5),
        description="sigma_p/p: a constant in quadrature with a number times the momentum in GeV.",
    )

    n_kaons: float = Field(default=1e13, ge=1.0, le=1e18, description="Kaon decays that the limits are for.")
    assumed_acceptance: float = Field(
        default=0.05, gt=0.0, le=1.0, description="Acceptance for three muons where it is assumed, not simulated."
    )
    background_error: float = Field(
        default=0.0, ge=0.0, le=1.0, description="Relative error of the continuum in a window; 0 for statistics alone."
    )
    significance: float = Field(
        default=2.0, gt=0.0, le=100.0, description="S/sqrt(B) of the sensitivity beside the limits."
    )

    n_kaons_recorded: float = Field(
        default=1e11, ge=1.0, le=1e18, description="Kaon decays on tape, for a first observation of mu+ nu mu+ mu-."
    )
    other_background: float = Field(
        default=0.1, gt=0.0, le=1e3, description="Background of a first observation, in events for each expected one."
    )
    other_background_error: float = Field(default=0.5, ge=0.0, le=10.0, description="Its relative error.")
    figure_masses: tuple[float, ...] = Field(
        default=(0.216, 0.376), description="Masses of simulated signals whose pairs are drawn against each other, GeV."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for low, high in (
            ("momentum_min", "momentum_max"),
            ("vertex_first", "vertex_last"),
            ("mass_first", "mass_last"),
        ):
            if getattr(self, low) >= getattr(self, high):
                raise ValueError(f"{low} = {getattr(self, low):g} is not below {high} = {getattr(self, high):g}")
        constant, slope = self.momentum_resolution
        if (relative := math.hypot(constant, slope * self.muon_momentum)) < 1e-5:
            raise ValueError(
                f"momentum_resolution = {constant:g}, {slope:g} is {relative:g} at {self.muon_momentum:g} GeV: windows "
                "need 1e-5 and more"
            )
        return self
