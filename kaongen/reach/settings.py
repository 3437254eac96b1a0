"""What can be chosen of a projection."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from kaongen.searches.base import SearchSettings

Channel = Literal["mu", "dimuon", "pion"]
Decays = Literal["model", "visible", "invisible"]
Treatment = Literal["simulated", "published", "sideband", "none"]
Method = Literal["auto", "asymptotics", "toys"]


class Reach(SearchSettings):
    """Choices of a projection; all have an effect on its limits."""

    module: ClassVar[str] = "reach"
    name: Literal["reach"] = Field(default="reach", description="The search.")
    model: str = Field(description="A model, or a process of the catalogue with one unknown mass.")
    channel: Channel | None = Field(
        default=None, description="mu: one muon and nothing else; pion: one pion; dimuon: three muons. By the model."
    )
    decays: Decays = Field(
        default="model",
        description="Of the new particle: model, as its couplings make it; visible, which spoils the event where it "
        "happens before the end of the detector; invisible, or none at all.",
    )
    n_kaons: float = Field(
        default=1e13,
        gt=0.0,
        le=1e20,
        description="Kaon decays in the decay volume, times the share that trigger, downscaling and accidental "
        "activity leave.",
    )
    background: Treatment = Field(
        default="simulated",
        description="simulated: as simulated, scaled with the kaons; published: normalised to the published counts, "
        "with their errors; sideband: of free level and slope, for narrow peaks; none: no background.",
    )
    systematic: float = Field(
        default=0.01, ge=0.0, le=1.0, description="Relative error of each background, the same in all bins."
    )
    simulation_error: bool = Field(
        default=False,
        description="Whether the statistical errors of the simulated backgrounds count: with many kaons and few "
        "simulated decays they are all that matters, and a projection is for those who will simulate more.",
    )
    signal_error: float | None = Field(
        default=None,
        ge=0.0,
        le=0.5,
        description="Relative error of the acceptance; 0.1 for pions, 0 for muons if null.",
    )
    counting: bool = Field(
        default=False,
        description="One bin, chosen for the strongest expected limit, instead of all bins and the shapes.",
    )
    masses: tuple[float, ...] = Field(default=(), description="GeV; the model's own scan if empty.")
    coupling: str | None = Field(default=None, description="The process's parameter to limit; the model's own if null.")
    values: dict[str, float | str] = Field(default_factory=dict, description="Further parameters of the model.")
    method: Method = Field(
        default="auto", description="auto: toys where fewer than ten background events carry the sensitivity."
    )
    toys: int = Field(
        default=2000,
        ge=1000,
        le=1_000_000,
        description="Toy experiments at each signal strength; more where the confidence level asks for them.",
    )
