"""The limits on K+ -> mu+ nu X, X -> mu+ mu-, against the mass of X."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kaongen.analysis.dimuon_samples import MODELS, Continuum, Model
from kaongen.analysis.dimuon_windows import Counted, between, in_windows, lead_share, mass_error, resolution, selected
from kaongen.analysis.record import Axis
from kaongen.analysis.result import Column, Scan
from kaongen.analysis.template import Floats
from kaongen.errors import EventFileError
from kaongen.events.reader import EventSet
from kaongen.papers import three_muons as paper
from kaongen.searches.base import stepped
from kaongen.searches.dimuon import Dimuon
from kaongen.statistics.counting import counting_limit
from kaongen.statistics.limit import UpperLimit


@dataclass(frozen=True)
class Set:
    """One way to come to limits.

    suffix : of the scans' names. simulated : whether the acceptance is; measured : whether windows are as wide as the
    simulated resolution says.
    """

    suffix: str
    simulated: bool
    measured: bool
    continuum: Continuum

    @property
    def title(self) -> str:
        """What was assumed."""
        acceptance = "simulated acceptance" if self.simulated else "assumed acceptance"
        return f"{acceptance}{', windows of the simulated resolution' if self.measured else ''}, {self.continuum.title}"


def sets(continua: Sequence[Continuum]) -> tuple[Set, ...]:
    """All ways: the letter's own first, which is that of every normalisation of the continuum."""
    nominal = continua[0]
    return (
        *(Set(f"-{c.name}" if c.name else "", False, False, c) for c in continua),
        Set("-simulated", True, False, nominal),
        Set("-simulated-resolution", True, True, nominal),
    )


@dataclass(frozen=True)
class Windows:
    """Half widths (GeV) of the windows at the test masses, and what falls into them.

    signal : by model, probability of a decay at each test mass. share : the same of the selected decays alone.
    """

    half: Floats
    signal: dict[str, Floats]
    share: dict[str, Floats]


@dataclass(frozen=True)
class Resolution:
    """Simulated mass resolution (GeV) and share of leading muons at the simulated masses, of one model."""

    masses: tuple[float, ...]
    error: tuple[float, ...]
    lead: tuple[float, ...]


def scan_masses(settings: Dimuon) -> Floats:
    """Masses that are tested (GeV)."""
    return np.array(stepped(settings.mass_first, settings.mass_last, settings.mass_step))


def formula(settings: Dimuon, masses: Floats) -> Floats:
    """Mass resolution (GeV) of the letter."""
    p = settings.muon_momentum
    return np.array([mass_error(float(mass), p, p, settings.momentum_resolution) for mass in masses])


def resolutions(events: EventSet[Any], signals: Mapping[str, Mapping[float, str]]) -> dict[str, Resolution]:
    """Simulated resolutions by model."""
    return {
        model: Resolution(
            masses=tuple(named),
            error=tuple(resolution(events[name], mass) for mass, name in named.items()),
            lead=tuple(lead_share(events[name], mass) for mass, name in named.items()),
        )
        for model, named in signals.items()
    }


def windows(
    events: EventSet[Any],
    signals: Mapping[str, Mapping[float, str]],
    simulated: Mapping[str, Resolution],
    settings: Dimuon,
    measured: bool,
) -> Windows:
    """Windows and signals in them; between the simulated masses all is interpolated.

    Raises
    ------
    EventFileError
        If a test mass lies outside of the simulated ones, or no signal was selected.
    """
    masses = scan_masses(settings)
    # of the first model: the resolution is that of the detector
    first = next(iter(simulated.values()))
    half = settings.window * (between(first.masses, first.error, masses) if measured else formula(settings, masses))
    signal, share = {}, {}
    for model, named in signals.items():
        grid, inside, part = list(named), [], []
        for mass, name in named.items():
            at = np.array([mass])
            width = settings.window * (between(first.masses, first.error, at) if measured else formula(settings, at))
            found = in_windows(events[name], at, width).value(0).value
            inside.append(found)
            part.append(found / selected(events[name]).value)
        signal[model], share[model] = between(grid, inside, masses), between(grid, part, masses)
    return Windows(half, signal, share)


@dataclass(frozen=True)
class Expected:
    """Background in the windows (events, with the error of the simulation), and the limits on events that it allows."""

    events: Floats
    error: Floats
    limits: list[UpperLimit]


def background(
    events: EventSet[Any], way: Set, others: Sequence[str], found: Mapping[str, Counted], settings: Dimuon
) -> Expected:
    """Continuum, and other backgrounds, in the windows.

    found : of each background's sample.
    """
    rates = {way.continuum.sample: way.continuum.branching_fraction}
    rates |= {name: events[name].info.branching_fraction or 0.0 for name in others}
    b, variance = np.zeros(len(scan_masses(settings))), np.zeros(len(scan_masses(settings)))
    for name, rate in rates.items():
        scale = settings.n_kaons * rate
        if not way.simulated:
            scale *= settings.assumed_acceptance / selected(events[name]).value
        b += scale * found[name].probability
        variance += scale**2 * found[name].variance
    error = np.sqrt(variance)
    level, relative = settings.confidence_level, settings.background_error
    limits = [counting_limit(None, x, math.hypot(e, relative * x), level) for x, e in zip(b, error, strict=True)]
    return Expected(b, error, list(limits))


def scans(
    way: Set,
    found: Windows,
    expected: Expected,
    rates: Mapping[str, Floats],
    simulated: Mapping[str, Resolution],
    settings: Dimuon,
) -> list[Scan]:
    """Limits on branching fractions and couplings, for each model."""
    masses = scan_masses(settings)
    made: list[Scan] = []
    for model in (m for m in MODELS if m.name in found.signal):
        accepted = found.signal[model.name] if way.simulated else settings.assumed_acceptance * found.share[model.name]
        if not np.all(accepted > 0.0):
            mass = masses[np.flatnonzero(accepted <= 0.0)[0]]
            raise EventFileError(
                f"dimuon: no simulated {model.name} of {1e3 * mass:g} MeV lies in its window (window, "
                "momentum_resolution): it needs a wider one, or more candidates"
            )
        per_event = 1.0 / (settings.n_kaons * accepted)
        unit = rates[model.name]
        columns = _columns(found, expected, accepted, simulated[model.name], settings)
        sensitivity = settings.significance * np.sqrt(expected.events) * per_event
        product = f"BR(K+ -> mu+ nu {_X[model.name]}) BR({_X[model.name]} -> mu+ mu-)"
        made += [
            Scan.of_limits(
                f"{model.name}-{kind}{way.suffix}",
                f"{title}: {way.title}",
                Axis(name="m_X", label=f"$m_{_TEX[model.name]}$", unit="GeV"),
                axis,
                {
                    float(m): limit.scaled(float(factor), power)
                    for m, limit, factor in zip(masses, expected.limits, factors, strict=True)
                },
                [*columns, _sensitivity(settings, reach)],
                reference=f"{paper.LETTER}, figure {1 if model.name == 'vector' else 2}",
            )
            for kind, title, axis, factors, power, reach in (
                ("branching", f"limit on {product}", _branching(model), per_event, 1.0, sensitivity),
                (
                    "coupling", f"limit on the coupling of {_X[model.name]}", _coupling(model), per_event / unit, 0.5,
                    np.sqrt(sensitivity / unit),
                ),
            )
        ]  # fmt: skip
    return made


_X = {"vector": "V", "scalar": "phi"}
_TEX = {"vector": "V", "scalar": "\\phi"}


def _branching(model: Model) -> Axis:
    x = _TEX[model.name]
    label = f"$\\mathrm{{BR}}(K^+\\to\\mu^+\\nu {x})\\,\\mathrm{{BR}}({x}\\to\\mu^+\\mu^-)$"
    return Axis(name="branching_fraction", label=label)


def _coupling(model: Model) -> Axis:
    return Axis(name=model.coupling, label=f"${model.symbol}$")


def _sensitivity(settings: Dimuon, values: Floats) -> Column:
    return Column(
        name="sensitivity",
        description=f"where S/sqrt(B) = {settings.significance:g}; without a meaning where B is below a few events",
        values=[float(v) for v in values],
    )


def _columns(
    found: Windows, expected: Expected, accepted: Floats, simulated: Resolution, settings: Dimuon
) -> list[Column]:
    masses = scan_masses(settings)

    def column(name: str, description: str, values: Floats, unit: str = "") -> Column:
        return Column(name=name, unit=unit, description=description, values=[float(v) for v in values])

    lead = between(simulated.masses, simulated.lead, masses)
    return [
        column("acceptance", "signal decays selected, and in the window", accepted),
        column("background", "events in the window", expected.events),
        column("background_error", "its error from the simulation", expected.error),
        column("half_width", "half the width of the window", found.half, "GeV"),
        column("resolution", "simulated mass resolution", between(simulated.masses, simulated.error, masses), "GeV"),
        column("lead_share", "signals whose pair has the leading muon", lead),
    ]


def all_scans(
    events: EventSet[Any],
    signals: Mapping[str, Mapping[float, str]],
    continua: Sequence[Continuum],
    others: Sequence[str],
    simulated: Mapping[str, Resolution],
    settings: Dimuon,
) -> list[Scan]:
    """Every way of coming to limits, for every model.

    Raises
    ------
    EventFileError
        If a test mass lies outside of the simulated ones.
    """
    if not signals:
        return []
    masses = scan_masses(settings)
    rates = {m.name: np.array([m.rate(float(x)) for x in masses]) for m in MODELS if m.name in signals}
    by_width = {measured: windows(events, signals, simulated, settings, measured) for measured in (False, True)}
    names = (*dict.fromkeys(c.sample for c in continua), *others)
    counted = {
        measured: {name: in_windows(events[name], masses, found.half) for name in names}
        for measured, found in by_width.items()
    }
    made: list[Scan] = []
    for way in sets(continua):
        expected = background(events, way, others, counted[way.measured], settings)
        made += scans(way, by_width[way.measured], expected, rates, simulated, settings)
    return made
