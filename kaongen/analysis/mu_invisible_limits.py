"""Limits on K+ -> mu+ nu X and mu+ nu nu nubar from the events above a cut on m2_miss.

NA62, Phys. Lett. B 816 (2021) 136259, section 6.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kaongen.analysis.mu_invisible_samples import Reduced, Samples, background_above, cuts
from kaongen.analysis.record import Axis, Value
from kaongen.analysis.result import Column, Scan
from kaongen.papers import na62_mu as paper
from kaongen.searches.mu_invisible import MuInvisible
from kaongen.statistics.counting import counting_limit
from kaongen.statistics.limit import UpperLimit
from kaongen.statistics.sensitivity import branching_fraction_limit

COUPLINGS = {"munuV": "g", "munuphi": "y"}
"""The parameter whose square the rate is proportional to."""
_CUT_AXIS = Axis(name="m2_cut", label=r"Lower cut on $m^2_\mathrm{miss}$", unit="GeV^2")
_EVENTS_AXIS = Axis(name="signal_events", label="Upper limit on signal events")
_FRACTION_AXIS = Axis(name="branching_fraction", label="Upper limit on the branching fraction")


@dataclass(frozen=True)
class Cut:
    """The counting experiment above one cut (GeV^2) of the simulation: background, and limit on signal events."""

    low: float
    background: Value
    limit: UpperLimit


def published_limit(settings: MuInvisible) -> UpperLimit:
    """From the counts of the settings."""
    return counting_limit(settings.observed, settings.background, settings.background_error, settings.confidence_level)


def simulated_cuts(samples: Samples, settings: MuInvisible) -> list[Cut]:
    """Each cut above which there is background.

    The relative uncertainty of the background is that of the published one everywhere, and the simulation's on top.
    """
    found, relative = [], settings.background_error / settings.background
    for low in cuts(settings.cut_step):
        total = background_above(samples.expected, float(low))
        if total.value > 0.0:
            error = math.hypot(relative * total.value, total.error)
            limit = counting_limit(None, total.value, error, settings.confidence_level)
            found.append(Cut(float(low), Value(value=total.value, error=error), limit))
    return found


def scans(samples: Samples, settings: MuInvisible) -> list[Scan]:
    """Limits on events above each cut, and on the branching fraction and coupling of each signal."""
    published, above = published_limit(settings), simulated_cuts(samples, settings)
    found = [_published_scan(settings, published)]
    if above:
        found.append(_events_scan(above))
    names = {"heavy-neutrino"}
    for group in _groups([s for s in samples.signals if s.info.process != "muN"]):
        name = _distinct(_slug(group.name), names)
        names.add(name)
        found += _group_scans(group, name, settings, published, above)
    return found


def _published_scan(settings: MuInvisible, limit: UpperLimit) -> Scan:
    columns = [
        Column(name="background", description="Expected events", values=[settings.background]),
        Column(name="background_error", description="Its uncertainty", values=[settings.background_error]),
        Column(
            name="observed_events",
            description="Observed events",
            values=[None if settings.observed is None else float(settings.observed)],
        ),
    ]
    title = "Signal events above a cut, counts as published"
    limits = {settings.signal_region: limit}
    return Scan.of_limits("published-counts", title, _CUT_AXIS, _EVENTS_AXIS, limits, columns, paper.REFERENCE)


def _events_scan(above: Sequence[Cut]) -> Scan:
    columns = [
        Column(name="background", description="Simulated background", values=[c.background.value for c in above]),
        Column(name="background_error", description="Its uncertainty", values=[c.background.error for c in above]),
    ]
    return Scan.of_limits(
        "events-above-cut",
        "Signal events above a cut, simulated background",
        _CUT_AXIS,
        _EVENTS_AXIS,
        {c.low: c.limit for c in above},
        columns,
        f"{paper.REFERENCE}, figure 7 left",
    )


@dataclass(frozen=True)
class Group:
    """Signals that differ by a mass alone, rising in it (mass is the parameter's name); or a single one."""

    name: str
    mass: str | None
    members: tuple[Reduced, ...]

    @property
    def points(self) -> list[float]:
        return [s.info.parameters[self.mass] for s in self.members] if self.mass else []


def _groups(signals: Sequence[Reduced]) -> list[Group]:
    found: dict[tuple[object, ...], list[Reduced]] = {}
    masses = {s.info.name: _mass(s, signals) for s in signals}
    for s in signals:
        mass, coupling = masses[s.info.name], COUPLINGS.get(s.info.process)
        others = tuple(sorted((k, v) for k, v in s.info.parameters.items() if k not in (mass, coupling)))
        key: tuple[object, ...] = (s.info.process, s.info.zone, mass, others)
        if mass is None or any(m.info.parameters[mass] == s.info.parameters[mass] for m in found.get(key, [])):
            key = (*key, s.info.name)
        found.setdefault(key, []).append(s)
    return [_group(members, masses[members[0].info.name]) for members in found.values()]


def _group(members: Sequence[Reduced], mass: str | None) -> Group:
    first = members[0].info
    if mass is None:
        return Group(first.name, None, tuple(members))
    in_order = sorted(members, key=lambda s: s.info.parameters[mass])
    # a decay that is written out is no name
    return Group(first.process if first.process.isalnum() else first.name, mass, tuple(in_order))


def _mass(s: Reduced, signals: Sequence[Reduced]) -> str | None:
    """The mass that a signal is scanned in: the one that differs among samples of the process, or the first."""
    masses = [name for name in s.info.parameters if name.startswith("m_")]
    alike = [other.info.parameters for other in signals if other.info.process == s.info.process]
    varied = [name for name in masses if len({p.get(name) for p in alike}) > 1]
    return next(iter(varied or masses), None)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "signal"


def _distinct(name: str, taken: set[str]) -> str:
    return name if name not in taken else next(n for k in range(2, 10**6) if (n := f"{name}-{k}") not in taken)


def published_cut(settings: MuInvisible, mass: float | None) -> float:
    """The cut on m2_miss for a mass in GeV: the published region, or where m_X^2 lies above, the next of the steps.

    NA62, Phys. Lett. B 816 (2021) 136259, section 6: 0.1 GeV^2 up to 310 MeV; for 320 to 370 MeV m_X^2 rounded up to
    a multiple of 0.02 GeV^2.
    """
    square = 0.0 if mass is None else mass * mass
    if square <= settings.signal_region:
        return settings.signal_region
    return round(math.ceil(round(square / settings.cut_step, 9)) * settings.cut_step, 10)


@dataclass(frozen=True)
class _Point:
    """Limit on a branching fraction above one cut."""

    cut: float
    acceptance: Value
    limit: UpperLimit


def _at(s: Reduced, cut: float, limit: UpperLimit | None) -> _Point | None:
    a = s.acceptance(cut)
    if limit is None or a.value <= 0.0:
        return None
    return _Point(cut, a, limit.scaled(branching_fraction_limit(1.0, s.n_kaons, a.value)))


def _group_scans(
    group: Group, name: str, settings: MuInvisible, published: UpperLimit, above: Sequence[Cut]
) -> list[Scan]:
    simulated = {c.low: c.limit for c in above}
    counted, best = [], []
    for i, s in enumerate(group.members):
        cut = published_cut(settings, group.points[i] if group.mass else None)
        counted.append(_at(s, cut, published if cut == settings.signal_region else simulated.get(cut)))
        tried = [point for c in above if (point := _at(s, c.low, c.limit)) is not None]
        best.append(min(tried, key=lambda p: p.limit.expected, default=None))
    decay = group.members[0].info.decay
    found = [_fraction_scan(group, name, f"{decay}, cut as published", counted)]
    if any(best):
        title = f"{decay}, best cut on the simulated background"
        found.append(_fraction_scan(group, f"{name}-best-cut", title, best))
    coupling = COUPLINGS.get(group.members[0].info.process)
    if coupling and all(s.info.branching_fraction for s in group.members):
        found.append(_coupling_scan(group, name, coupling, counted))
    return found


def _x(group: Group, points: Sequence[_Point | None]) -> tuple[Axis, list[float]]:
    if group.mass:
        label = re.sub(r"^m_(.*)$", r"$m_{\1}$", group.mass)
        return Axis(name=group.mass, label=label, unit="GeV"), group.points
    return _CUT_AXIS, [p.cut if p else 0.0 for p in points]


def _fraction_scan(group: Group, name: str, title: str, points: Sequence[_Point | None]) -> Scan:
    x, values = _x(group, points)
    columns = [
        Column(
            name="m2_cut", unit="GeV^2", description="Cut on m2_miss", values=[p.cut if p else None for p in points]
        ),
        Column(
            name="acceptance",
            description="Probability to be selected above it",
            values=[p.acceptance.value if p else None for p in points],
        ),
        Column(
            name="acceptance_error",
            description="Its error from the simulation",
            values=[p.acceptance.error if p else None for p in points],
        ),
    ]
    limits = {value: p.limit if p else None for value, p in zip(values, points, strict=True)}
    reference = f"{paper.REFERENCE}, figure 7 right" if group.mass else paper.REFERENCE
    return Scan.of_limits(name, title, x, _FRACTION_AXIS, limits, columns, reference)


def _coupling_scan(group: Group, name: str, coupling: str, points: Sequence[_Point | None]) -> Scan:
    x, values = _x(group, points)
    limits: dict[float, UpperLimit | None] = {}
    for value, s, p in zip(values, group.members, points, strict=True):
        # the rate is proportional to the coupling squared
        per_unit = s.branching_fraction / s.info.parameters[coupling] ** 2
        limits[value] = p.limit.scaled(1.0 / per_unit, 0.5) if p else None
    y = Axis(name=coupling, label=f"Upper limit on ${coupling}$")
    return Scan.of_limits(f"{name}-coupling", f"{group.members[0].info.decay}, coupling {coupling}", x, y, limits)
