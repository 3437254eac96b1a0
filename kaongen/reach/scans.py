"""Limits at masses as scans: on the branching fraction, and on the coupling with the end of a closed region."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from kaongen.analysis.record import Axis
from kaongen.analysis.result import BANDS, Column, Scan
from kaongen.models.g_minus_2 import coupling_band
from kaongen.reach.couplings import Excluded, excluded, survival
from kaongen.reach.limits import MassLimit
from kaongen.reach.models import Coupling, Model
from kaongen.reach.settings import Reach
from kaongen.reach.simulation import Reduced
from kaongen.statistics.limit import UpperLimit

COMPARISON = "2025"
"""Measurement and prediction of the muon's g - 2 that the columns are for."""

Quantiles = dict[str, Excluded | None]
"""Excluded couplings for the median limit ("0") and for each band."""


def mass_axis(model: Model) -> Axis:
    """Mass of the model's new particle."""
    return Axis(name=model.mass, label=f"$m_{{{model.particle}}}$", unit="GeV")


def branching_scan(model: Model, found: Sequence[MassLimit], settings: Reach) -> Scan:
    """Limits on the branching fraction, with acceptances, sensitivities and backgrounds."""
    return Scan.of_limits(
        "branching-fraction",
        f"{model.title}: branching fraction to what is seen, {_kaons(settings)}",
        mass_axis(model),
        Axis(name="branching_fraction", label=f"BR({model.title})" if model.process == model.name else "BR"),
        {f.setup.mass: f.limit for f in found},
        _columns(found),
    )


def coupling_scans(
    model: Model, found: Sequence[MassLimit], signals: dict[float, Reduced], settings: Reach
) -> list[Scan]:
    """Limits on the coupling; where new particles that decay too soon are missed, also the other end of the region."""
    c = model.coupling
    if c is None:
        return []
    regions = [_regions(model, c, f, signals) for f in found]
    columns = _coupling_columns(model, found, regions, signals)
    title = f"{model.title}: {c.name}, {_kaons(settings)}"
    axis = Axis(name=c.name, label=c.symbol)
    method = next((f.limit.method for f in found if f.limit), "")
    scans = [_scan("coupling", title, model, axis, found, regions, lambda e: e.low, columns, method)]
    if any(e is not None and e.high is not None for r in regions for e in r.values()):
        ends = [{name: e if e and e.high is not None else None for name, e in r.items()} for r in regions]
        scans.append(
            _scan("coupling-upper-end", f"{title}: where {model.particle} decays too soon", model, axis, found, ends,
                  lambda e: e.high, [], method)
        )  # fmt: skip
    return scans


def _regions(model: Model, c: Coupling, found: MassLimit, signals: dict[float, Reduced]) -> Quantiles:
    mass = found.setup.mass
    if found.limit is None:
        return dict.fromkeys(("0", *BANDS))
    fraction = model.fraction(mass)
    rate = rate_of(c, signals[mass]) * fraction
    limits = {"0": found.limit.expected, **found.limit.bands}
    seen = seen_share(model, mass, signals[mass])
    return {name: excluded(limit, rate, c.power, c.largest, seen) for name, limit in limits.items()}


def rate_of(c: Coupling, signal: Reduced) -> float:
    """Branching fraction per power of the coupling, from that of the sample, which was made at the reference."""
    return signal.branching_fraction / float(c.reference**c.power)


def seen_share(model: Model, mass: float, signal: Reduced) -> Callable[[float], float] | None:
    """Share of the accepted decays that stay accepted with the new particle's decays, against the coupling."""
    if model.lifetime is None:
        return None
    c = model.coupling
    reference = c.reference if c else 1.0
    lifetime = model.lifetime(mass, reference)
    free = model.unspoilt(mass) if model.unspoilt else 0.0

    def share(coupling: float) -> float:
        # the width is proportional to the same power as the rate
        scale = (reference / coupling) ** c.power if c else 1.0
        return free + (1.0 - free) * survival(signal.times, lifetime * scale)

    return share


def with_lifetime(limit: UpperLimit | None, model: Model, mass: float, signal: Reduced) -> UpperLimit | None:
    """The limit for a lifetime that does not depend on a coupling: only those that outlive the detector are seen."""
    share = seen_share(model, mass, signal)
    if limit is None or share is None:
        return limit
    seen = share(1.0)
    return limit.scaled(1.0 / seen) if seen > 0.0 else None


def _scan(
    name: str, title: str, model: Model, axis: Axis, found: Sequence[MassLimit], regions: Sequence[Quantiles],
    end: Callable[[Excluded], float | None], columns: list[Column], method: str,
) -> Scan:  # fmt: skip
    def values(quantile: str) -> list[float | None]:
        return [None if (e := r[quantile]) is None else end(e) for r in regions]

    return Scan(
        name=name,
        title=title,
        x=mass_axis(model),
        y=axis,
        points=[f.setup.mass for f in found],
        expected=values("0"),
        bands={band: values(band) for band in BANDS},
        columns=columns,
        method=method,
    )


def _columns(found: Sequence[MassLimit]) -> list[Column]:
    def column(name: str, unit: str, text: str, values: list[float | None]) -> Column:
        return Column(name=name, unit=unit, description=text, values=values)

    setups = [f.setup for f in found]
    return [
        column("acceptance", "", "probability to be selected, in the bins", [s.acceptance.value for s in setups]),
        column("acceptance_error", "", "its error by the simulation", [s.acceptance.error for s in setups]),
        column("single_event_sensitivity", "", "branching fraction for one event", [f.sensitivity for f in found]),
        column("width", "", "standard deviation of the measured quantity, for peaks", [s.width for s in setups]),
        column("background", "events", "background in all bins", [s.background for s in setups]),
        column("window_background", "events", "background in the best single window", [f.window for f in found]),
        column(
            "two_sigma_counting",
            "",
            "branching fraction for which signal over the root of the background's variance is 2 in that window",
            [f.counting for f in found],
        ),
        column(
            "simulation_share",
            "",
            "limit over that without the statistical errors of the simulation",
            [f.simulation for f in found],
        ),
        column("few_events", "", "1 where asymptotics were used with few events", [float(f.few_events) for f in found]),
    ]


def _coupling_columns(
    model: Model, found: Sequence[MassLimit], regions: Sequence[Quantiles], signals: dict[float, Reduced]
) -> list[Column]:
    c, masses = model.coupling, [f.setup.mass for f in found]
    columns = [
        Column(name="rate", description="branching fraction of the decay per power of the coupling",
               values=[rate_of(c, signals[m]) if c else None for m in masses]),
        Column(name="fraction", description="share of the new particle's decays that the search can see",
               values=[model.fraction(m) for m in masses]),
    ]  # fmt: skip
    lifetime = model.lifetime or model.own_lifetime
    if lifetime is not None:
        lows = [r["0"] for r in regions]
        columns.append(
            Column(name="lifetime", unit="ns", description="of the new particle at the expected limit",
                   values=[_finite(lifetime(m, e.low)) if e else None for m, e in zip(masses, lows, strict=True)])
        )  # fmt: skip
    if model.boson is not None:
        bands = [coupling_band(COMPARISON, model.boson, m) for m in masses]
        for name, side in (("g_minus_2_low", 0), ("g_minus_2_high", 1)):
            columns.append(
                Column(name=name, description=f"coupling at an end of the 2 sigma band of g - 2, {COMPARISON}",
                       values=[band[side] for band in bands])
            )  # fmt: skip
    return columns


def _finite(x: float) -> float | None:
    return x if math.isfinite(x) else None


def _kaons(settings: Reach) -> str:
    return f"{settings.n_kaons:.3g} kaon decays, {settings.confidence_level:.0%} CL"
