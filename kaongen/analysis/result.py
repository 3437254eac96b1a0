"""The result of the search for K+ -> mu+ + invisible, as it is saved."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["input", "tuned", "prediction"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Value(_Record):
    """A number with its error."""

    value: float = Field(description="The number.")
    error: float = Field(default=0.0, ge=0.0, description="Its standard error; 0 where it has none.")


class Number(_Record):
    """A number of the search beside the published one."""

    name: str = Field(description="What it is.")
    value: float = Field(description="As kaongen has it.")
    error: float | None = Field(default=None, description="Statistical error of the simulation.")
    kind: Kind = Field(
        description="input: taken from the paper; tuned: the model was adjusted to it; prediction: neither."
    )
    published: float | None = Field(default=None, description="As published.")
    published_error: float | None = Field(default=None, description="Its published error.")
    reference: str = Field(default="", description="Where it was published.")


class Acceptance(_Record):
    """How often a decay is selected."""

    sample: str = Field(description="Name of the sample.")
    decay: str = Field(description="Decay descriptor.")
    role: str = Field(description="normalisation, background or signal.")
    generated: int = Field(description="Decays generated in the decay volume.")
    selected: int = Field(description="Events in the event files.")
    above_bound: int = Field(description="Decays above the sampler's bound.")
    acceptance: Value = Field(description="Probability to be selected.")
    signal_region: Value = Field(description="Probability to be selected with m2_miss above the published cut.")
    branching_fraction: float | None = Field(description="Of the decay as written, at the card's parameters.")


class Background(_Record):
    """Expected events of one background above the published cut."""

    sample: str = Field(description="Name of the sample.")
    expected: Value = Field(description="N_K times branching fraction times acceptance, with the simulation's error.")
    published: float | None = Field(default=None, description="Published estimate.")
    published_error: float | None = Field(default=None, description="Its published error.")


class Limit(_Record):
    """Upper limits on a number of events or a branching fraction."""

    observed: float | None = Field(description="Observed, where the number of events was published.")
    expected: float = Field(description="Median without a signal.")
    bands: dict[str, float] = Field(description="Expected at -2, -1, +1 and +2 standard deviations.")


class CutLimit(_Record):
    """Background and limit above one cut."""

    m2_cut: float = Field(description="Lower cut on m2_miss in GeV^2.")
    background: Value = Field(description="Simulated background, with the published relative uncertainty.")
    limit: Limit = Field(description="On the number of signal events.")


class SignalLimit(_Record):
    """What the search excludes of one signal."""

    sample: str = Field(description="Name of the sample.")
    decay: str = Field(description="Decay descriptor.")
    parameters: dict[str, float] = Field(description="Parameters of the process.")
    m2_cut: float = Field(description="Cut of the published counts, in GeV^2.")
    acceptance: Value = Field(description="Acceptance above that cut.")
    branching_fraction: Limit = Field(description="Limit from the published counts and background.")
    best_m2_cut: float | None = Field(
        description="Cut with the strongest expected limit on the simulated background; null without a background."
    )
    best_expected: float | None = Field(description="That limit on the branching fraction.")
    coupling: str | None = Field(default=None, description="Name of the coupling that scales the rate.")
    coupling_limit: Limit | None = Field(default=None, description="Limit on it.")


class Spectrum(_Record):
    """Expected events in bins of m2_miss."""

    edges: list[float] = Field(description="Bin edges in GeV^2.")
    expected: dict[str, list[float]] = Field(
        description="Events per bin by sample; signals at branching fraction 1e-4."
    )
    errors: dict[str, list[float]] = Field(description="Their statistical errors.")


class Result(_Record):
    """The search's result."""

    result_version: int = Field(default=1, description="Version of this layout.")
    analysis: str = Field(description="Name of the search.")
    run: str = Field(description="Name of the run.")
    kaongen_version: str = Field(description="Version that generated the events.")
    card_sha256: str = Field(description="SHA-256 of the run card.")
    seed: int = Field(description="Seed of the run.")
    detector: str = Field(description="Detector configuration.")
    confidence_level: float = Field(description="Of all limits.")
    n_kaons: Value = Field(description="Published number of kaon decays that the yields are for.")
    numbers: list[Number] = Field(description="Inputs, tuned numbers and predictions beside the published ones.")
    acceptances: list[Acceptance] = Field(description="One per sample.")
    backgrounds: list[Background] = Field(description="Above the published cut.")
    published_limit: Limit = Field(description="On signal events, from the published counts.")
    cuts: list[CutLimit] = Field(description="Expected limits on the simulated background against the cut.")
    signals: list[SignalLimit] = Field(description="One per signal.")
    spectrum: Spectrum = Field(description="The stacked spectrum.")
