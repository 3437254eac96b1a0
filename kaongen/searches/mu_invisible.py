"""K+ -> mu+ + invisible and mu+ N in the data of 2016-2018."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from kaongen.searches.base import SearchSettings


class MuInvisible(SearchSettings):
    """NA62, Phys. Lett. B 816 (2021) 136259: its choices and counts are the defaults."""

    module: ClassVar[str] = "mu_invisible"
    detector: ClassVar[str] = "na62-2016-2018"
    name: Literal["mu_invisible"] = Field(default="mu_invisible", description="The search.")
    n_kaons: float = Field(
        default=1.14e10, ge=1.0, le=1e20, description="K+ decays in the volume that the data stand for."
    )
    signal_region: float = Field(
        default=0.1,
        gt=0.0,
        le=0.15,
        multiple_of=0.002,
        description="m2_miss above it, GeV^2, is the region that was counted in.",
    )
    observed: int | None = Field(
        default=6894, ge=0, le=10**10, description="Events in the signal region; null where nothing was observed yet."
    )
    background: float = Field(default=7549.0, gt=0.0, le=1e10, description="Events expected there without a signal.")
    background_error: float = Field(
        default=928.0, ge=0.0, le=1e10,
        description="Its uncertainty; relative, it is that of a simulated background as well.",
    )  # fmt: skip
    cut_step: float = Field(
        default=0.02, ge=0.002, le=0.05, multiple_of=0.002,
        description="Spacing of the cuts on m2_miss among which the best is searched, GeV^2.",
    )  # fmt: skip
    heavy_neutrino_masses: tuple[tuple[float, float, float], ...] = Field(
        default=((0.2, 0.3, 0.001), (0.3005, 0.384, 0.0005)), min_length=1,
        description="Masses of N that are tried: first, last and step of each stretch, GeV. Those outside of the "
        "simulated masses are left out.",
    )  # fmt: skip
    heavy_neutrino_window: float = Field(
        default=1.5, gt=0.0, le=5.0, description="Half width of the window around m_N, in resolutions."
    )
    heavy_neutrino_side_band: float = Field(
        default=11.25, gt=0.0, le=50.0, description="End of the side bands on either side, in resolutions."
    )
    heavy_neutrino_bin: float = Field(
        default=0.75, ge=0.01, le=5.0, description="Width of the bins of the side bands, in resolutions."
    )
    heavy_neutrino_range: tuple[float, float] = Field(
        default=(0.188, 0.386), description="Missing masses within which side bands lie, GeV."
    )
    heavy_neutrino_order: int = Field(
        default=2, ge=0, le=4,
        description="Order of the polynomial through the side bands; the next one gives the systematic error.",
    )  # fmt: skip
    heavy_neutrino_lifetimes: tuple[float, ...] = Field(
        default=(50.0, 5.0, 1.0), description="Mean lifetimes of N for which there are limits besides stable N, ns."
    )
    heavy_neutrino_counts: tuple[int, ...] | None = Field(
        default=None,
        description="Data: events in equal bins of the missing mass over heavy_neutrino_range, at most 0.25 MeV wide; "
        "null for the expected limits alone.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = self.heavy_neutrino_range
        if not 0.0 <= low < high <= 0.4:
            raise ValueError(f"heavy_neutrino_range: {low:g} to {high:g} GeV is not a range within 0 to 0.4 GeV")
        for first, last, step in self.heavy_neutrino_masses:
            if not (0.0 < first <= last and step > 0.0 and (last - first) / step < 1e5):
                raise ValueError(f"heavy_neutrino_masses: {first:g} to {last:g} in steps of {step:g} is no stretch")
            if first <= low or last >= high:
                raise ValueError(
                    f"heavy_neutrino_masses: {first:g} to {last:g} GeV do not lie within heavy_neutrino_range, "
                    f"{low:g} to {high:g} GeV"
                )
        if self.heavy_neutrino_side_band <= self.heavy_neutrino_window:
            raise ValueError(
                f"heavy_neutrino_side_band = {self.heavy_neutrino_side_band:g} does not lie outside of "
                f"heavy_neutrino_window = {self.heavy_neutrino_window:g}"
            )
        bands, order = self.heavy_neutrino_side_band - self.heavy_neutrino_window, self.heavy_neutrino_order
        if 2 * max(round(bands / self.heavy_neutrino_bin), 1) < order + 2:
            raise ValueError(
                f"heavy_neutrino_side_band = {self.heavy_neutrino_side_band:g} leaves fewer than {order + 2} bins of "
                f"{self.heavy_neutrino_bin:g} beside the window, which heavy_neutrino_order = {order} needs"
            )
        if any(lifetime <= 0.0 for lifetime in self.heavy_neutrino_lifetimes):
            raise ValueError("heavy_neutrino_lifetimes must be above 0 ns")
        counts = self.heavy_neutrino_counts
        if counts is not None:
            if any(n < 0 for n in counts):
                raise ValueError("heavy_neutrino_counts must not be negative")
            if len(counts) < (high - low) / 0.25e-3 - 1e-6:
                raise ValueError(
                    f"heavy_neutrino_counts has {len(counts)} bins for {high - low:g} GeV, more than 0.25 MeV each"
                )
        return self
