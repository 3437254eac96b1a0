"""How each final state is looked for: detector, selection, measured mass, backgrounds and published counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from kaongen.analysis.dimuon_selection import ThreeMuonSelection
from kaongen.analysis.mu_selection import MuonSelection
from kaongen.analysis.pi_selection import REGION_1, REGION_2, PionSelection
from kaongen.beam import Zone
from kaongen.errors import ProcessError, suggestion
from kaongen.papers import na62_mu, na62_pix
from kaongen.particles import Measured
from kaongen.production.selection import Selection
from kaongen.reach import settings as names


@dataclass(frozen=True)
class Source:
    """A sample of background.

    line : of the published table that it belongs to. rare : whether few, heavy events survive, so that only a smooth
    shape can be taken from them.
    """

    process: str
    line: str
    candidates: int
    zone: Zone = "volume"
    rare: bool = False

    @property
    def name(self) -> str:
        """Of the sample."""
        return self.process if self.zone == "volume" else f"{self.process}-{self.zone}"


@dataclass(frozen=True)
class Count:
    """A published number of background events between two measured masses (in the channel's quantity)."""

    low: float
    high: float
    events: Measured


@dataclass(frozen=True)
class ChannelModel:
    """A search as far as a projection needs it.

    columns : what is measured; of several, that counts which is nearest to the mass looked for. squared : whether that
    is a squared mass. label, unit : its name. ranges : where it is looked at, in that unit. margin : how far outside of
    them the middle of a line may be. bin_width : of broad signals' bins. published : counts by line, for
    `published_kaons`; a line without a source is taken from them with any treatment, and is flat. normalisation : a
    process and its published single-event sensitivity, to which published backgrounds belong. signal_error : relative
    error of the acceptance.
    """

    name: names.Channel
    configuration: str
    selection: Callable[[], Selection]
    columns: tuple[str, ...]
    squared: bool
    label: str
    unit: str
    ranges: tuple[tuple[float, float], ...]
    bin_width: float
    margin: float
    sources: tuple[Source, ...]
    track: str = ""
    published: Mapping[str, tuple[Count, ...]] = field(default_factory=dict)
    published_kaons: float = 0.0
    published_reference: str = ""
    normalisation: tuple[str, Measured] | None = None
    signal_error: float = 0.0

    @property
    def lines(self) -> tuple[str, ...]:
        """Of backgrounds, each once."""
        return tuple(dict.fromkeys([*(s.line for s in self.sources), *self.published]))

    def measured(self, mass: float) -> float:
        """The measured quantity of a particle of a mass in GeV."""
        return mass * mass if self.squared else mass


_MUON = ChannelModel(
    name="mu",
    configuration="na62-2016-2018",
    selection=MuonSelection,
    columns=("m2_miss",),
    squared=True,
    label=r"$m^2_\mathrm{miss}$",
    unit="GeV^2",
    ranges=((0.023, 0.151),),
    bin_width=0.004,
    margin=0.0,
    sources=(
        Source("munu", "munug", 24_000_000),
        Source("munug", "munug", 24_000_000),
        Source("pi0munu", "pi0munu", 12_000_000),
        Source("pipipi", "pipipi", 16_000_000),
        Source("munu", "munug", 32_000_000, "upstream", rare=True),
        Source("pi0munu", "pi0munu", 16_000_000, "upstream", rare=True),
        Source("pipipi", "pipipi", 4_000_000, "upstream", rare=True),
    ),
    track="muon",
    published={line: (Count(na62_mu.SIGNAL_REGION, math.inf, events),) for line, events in na62_mu.BACKGROUND.items()},
    published_kaons=na62_mu.N_KAONS.value,
    published_reference=na62_mu.REFERENCE,
)

_PION_KAONS = na62_pix.N_KAONS_2017.value * na62_pix.RANDOM_VETO["2017"].value * na62_pix.TRIGGER["2017"].value


def _by_region(*counts: Measured) -> tuple[Count, ...]:
    regions = (na62_pix.REGION_1, na62_pix.REGION_2)
    return tuple(Count(low, high, events) for (low, high), events in zip(regions, counts, strict=True))


_PION = ChannelModel(
    name="pion",
    configuration="na62-2017-pinunu",
    selection=lambda: PionSelection(regions=(*REGION_1, *REGION_2)),
    columns=("m2_miss",),
    squared=True,
    label=r"$m^2_\mathrm{miss}$",
    unit="GeV^2",
    ranges=(na62_pix.REGION_1, na62_pix.REGION_2),
    bin_width=0.002,
    margin=0.0025,
    sources=(
        Source("pinunu", "pinunu", 1_000_000),
        Source("pipi0", "other kaon decays", 24_000_000, rare=True),
        Source("munu", "other kaon decays", 8_000_000, rare=True),
        Source("pipipi", "other kaon decays", 16_000_000, rare=True),
        Source("pipienu", "other kaon decays", 12_000_000, rare=True),
    ),
    track="pion",
    published={
        "pinunu": _by_region(
            *(
                Measured(known.value, math.hypot(known.error, external), known.reference)
                for known, external in zip(
                    (na62_pix.EXPECTED_1, na62_pix.EXPECTED_2), na62_pix.EXPECTED_EXTERNAL, strict=True
                )
            )
        ),
        "other kaon decays": _by_region(*na62_pix.OTHER_KAON_DECAYS),
        "upstream": _by_region(*na62_pix.UPSTREAM),
    },
    published_kaons=_PION_KAONS,
    published_reference=na62_pix.REFERENCE,
    normalisation=("pinunu", na62_pix.SES),
    signal_error=na62_pix.RESOLUTION_UNCERTAINTY,
)

_DIMUON = ChannelModel(
    name="dimuon",
    configuration="na62-2016-2018-3mu",
    selection=ThreeMuonSelection,
    columns=("m_mumu_lead", "m_mumu_other"),
    squared=False,
    label=r"$m_{\mu\mu}$",
    unit="GeV",
    ranges=((0.2114, 0.388),),
    bin_width=0.004,
    margin=0.0,
    sources=(Source("munumumu", "munumumu", 4_000_000),),
)

CHANNELS: dict[names.Channel, ChannelModel] = {c.name: c for c in (_MUON, _PION, _DIMUON)}


def channel(name: names.Channel) -> ChannelModel:
    """The channel of that name."""
    if name not in CHANNELS:
        raise ProcessError(f"there is no channel {name!r}{suggestion(name, CHANNELS)} (known: {', '.join(CHANNELS)})")
    return CHANNELS[name]


def default_masses(chosen: ChannelModel, low: float, high: float) -> tuple[float, ...]:
    """Masses of a scan between two masses in GeV: over all of the channel's ranges, and the gaps between them."""
    if not chosen.squared:
        return tuple(round(float(m), 6) for m in np.arange(0.214, 0.3861, 0.004) if low <= m <= high)
    step = 0.004 if chosen.name == "pion" else 0.01
    first, last = chosen.ranges[0][0], chosen.ranges[-1][1]
    masses = np.round(np.arange(step, 0.4, step), 6)
    return tuple(float(m) for m in masses if low <= m <= high and first <= m * m <= last)
