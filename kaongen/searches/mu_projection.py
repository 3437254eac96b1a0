"""What K+ -> mu+ nu X, X invisible, could be seen of with a dedicated trigger: a projection from the data of 2015."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from kaongen.searches.base import SearchSettings

Normalisation = Literal["regions", "components"]
Kappas = tuple[Annotated[float, Field(ge=0.0, le=10.0)], ...]


class MuProjection(SearchSettings):
    """Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802, section IV.A and appendix C.A."""

    module: ClassVar[str] = "mu_projection"
    detector: ClassVar[str] = "na62-2015"
    name: Literal["mu_projection"] = Field(description="The search.")
    confidence_level: float = Field(
        default=0.9545,
        gt=0.0,
        lt=1.0,
        description="Confidence level of the profile-likelihood limits: two standard deviations, as in the letter.",
    )
    cda_max: float = Field(default=0.025, gt=0.0, description="Largest distance of the track to the beam axis, in m.")

    kaons_2015: float = Field(default=1e8, ge=1.0, le=1e20, description="Kaon decays that the counts of 2015 are for.")
    events_first: float = Field(default=5600.0, gt=0.0, le=1e10, description="Events of 2015 above `first_bin`.")
    events_cut: float = Field(default=652.0, gt=0.0, le=1e10, description="Events of 2015 above `cut_minimum`.")
    normalisations: tuple[Normalisation, ...] = Field(
        default=("regions", "components"),
        min_length=1,
        description="How simulated background is brought to the two counts: regions, one factor below `cut_minimum` "
        "and one above; components, one factor for K+ -> mu+ nu measured badly and one for the rest. The first is "
        "used for all limits, the others for the likelihood ratio besides.",
    )
    kaons: float = Field(default=1e13, ge=1.0, le=1e20, description="Kaon decays of the projection.")
    suppression: float = Field(
        default=2.0, gt=0.0, le=1e6,
        description="Background of 2015 over that of the projection, per kaon: 4 in the preprint.",
    )  # fmt: skip

    first_bin: float = Field(
        default=0.023, ge=-0.1, le=0.15, description="Where the first bin of m2_miss begins, in GeV^2."
    )
    bin_width: float = Field(default=4e-3, ge=1e-4, le=0.1, description="Width of the bins of m2_miss, in GeV^2.")
    bins: int = Field(default=32, ge=2, le=1000, description="Number of bins: to the end of phase space.")
    threshold: float = Field(default=4.0, gt=0.0, le=100.0, description="Likelihood ratio (11) at the limit.")

    cut_minimum: float = Field(
        default=0.05, description="Least cut on m2_miss of cut and count, in GeV^2; further ones are a bin apart."
    )
    n_sigma: float = Field(default=2.0, gt=0.0, le=100.0, description="S/sqrt(B + kappa^2 B^2) at the limit.")
    kappas_2015: Kappas = Field(
        default=(0.1, 0.2, 0.5),
        description="Relative errors of the background of 2015, besides 1/sqrt(B) above `cut_minimum`.",
    )
    kappas: Kappas = Field(default=(1e-3, 3e-3, 1e-2), description="The same for the projection.")
    acceptance: float = Field(
        default=0.35, gt=0.0, le=1.0, description="Assumed acceptance, beside the simulated one: the letter's."
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        last = self.first_bin + self.bins * self.bin_width
        if not self.first_bin < self.cut_minimum < last:
            raise ValueError(
                f"cut_minimum = {self.cut_minimum:g} lies outside of the bins, {self.first_bin:g} to {last:g} GeV^2"
            )
        if self.events_cut >= self.events_first:
            raise ValueError(
                f"events_cut = {self.events_cut:g} must be fewer than events_first = {self.events_first:g}, "
                "among which they are"
            )
        for name in ("normalisations", "kappas_2015", "kappas"):
            chosen = getattr(self, name)
            if len(set(chosen)) < len(chosen):
                raise ValueError(f"{name} = {list(chosen)} has an entry twice")
        return self
