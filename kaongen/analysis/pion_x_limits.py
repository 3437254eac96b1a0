"""Limits on BR(K+ -> pi+ X): a line over the background of its region, one mass after the other."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.pion_x_background import Background
from kaongen.analysis.pion_x_regions import Region
from kaongen.analysis.pion_x_signal import SignalGrid
from kaongen.analysis.record import Value
from kaongen.searches.pion_x import PionX
from kaongen.statistics.asymptotics import AsymptoticsWarning
from kaongen.statistics.limit import UpperLimit
from kaongen.statistics.significance import global_p_value_from_toys
from kaongen.statistics.unbinned import UnbinnedModel
from kaongen.statistics.unbinned_discovery import local_p_value, scans_without_signal
from kaongen.statistics.unbinned_limit import upper_limit, window_limit


@dataclass(frozen=True)
class Hypothesis:
    """One mass (GeV) of X: its line as simulated (GeV^2), acceptance, single-event sensitivity, statistical model."""

    mass: float
    region: Region
    position: Value
    width: Value
    acceptance: Value
    sensitivity: float
    model: UnbinnedModel
    grid: SignalGrid


@dataclass(frozen=True)
class Significances:
    """Of each hypothesis the test statistic q0 and its p-value; global_p : of the largest q0 of all."""

    q0: list[float]
    local_p: list[float]
    global_p: float


def hypotheses(
    region: Region, masses: Sequence[float], grid: SignalGrid, background: Background, kaons: float, settings: PionX
) -> list[Hypothesis]:
    """The models of a region, for so many kaon decays, recorded and not vetoed at random."""
    found = []
    for mass in masses:
        position, width, acceptance = grid.at(mass)
        sensitivity = 1.0 / (kaons * acceptance.value)
        model = UnbinnedModel(
            low=region.low,
            high=region.high,
            background=region.background.value,
            background_error=region.background.error,
            background_shape=background.polynomial,
            mean=position.value,
            mean_error=position.error,
            width=settings.resolution_scale * width.value,
            width_error=settings.resolution_error,
            sensitivity=sensitivity,
            sensitivity_error=settings.sensitivity_error,
        )
        found.append(Hypothesis(mass, region, position, width, acceptance, sensitivity, model, grid))
    return found


def limits(tried: Sequence[Hypothesis], settings: PionX) -> dict[float, UpperLimit]:
    """Observed and expected limits on the branching fraction for a stable X, by mass in GeV."""
    with warnings.catch_warnings():
        # the settings say what asymptotic formulas are good for
        warnings.simplefilter("ignore", AsymptoticsWarning)
        return {
            h.mass: upper_limit(
                h.model,
                h.region.events(settings),
                settings.confidence_level,
                method=settings.method,
                toys=settings.toys,
                seed=settings.seed,
            )
            for h in tried
        }


def counting_limits(tried: Sequence[Hypothesis], settings: PionX) -> dict[float, UpperLimit | None]:
    """The same by counting within two standard deviations of each line; None where that leaves the region."""
    return {h.mass: _window(h, settings) for h in tried}


def _window(h: Hypothesis, settings: PionX) -> UpperLimit | None:
    model = h.model
    if model.mean + 2.0 * model.width <= model.low or model.mean - 2.0 * model.width >= model.high:
        return None
    return window_limit(model, h.region.events(settings), settings.confidence_level)


def with_lifetime(
    tried: Sequence[Hypothesis], stable: Mapping[float, UpperLimit], lifetime: float
) -> tuple[dict[float, UpperLimit | None], list[float]]:
    """Limits for an X that decays visibly with a lifetime (ns), and the share that escapes for each mass.

    The line stays as it is: the limits are those of a stable X over that share. Where fewer than one in 1e12 escapes
    there is none.
    """
    shares = [h.grid.escape(h.mass, lifetime) for h in tried]
    found = {
        h.mass: stable[h.mass].scaled(1.0 / share) if share > 1e-12 else None
        for h, share in zip(tried, shares, strict=True)
    }
    return found, shares


def significances(regions: Sequence[Sequence[Hypothesis]], settings: PionX) -> Significances:
    """How much the observed events look like a signal: at each mass, and anywhere.

    One set of toy experiments without signal serves all masses of a region; those of different regions are independent.
    """
    q0: list[float] = []
    local: list[float] = []
    toy_maxima = np.zeros(settings.toys)
    for number, tried in enumerate(regions):
        events = tried[0].region.events(settings)
        seen = np.array([local_p_value(h.model, events, method="asymptotics").q0 for h in tried])
        toys = scans_without_signal([h.model for h in tried], events, toys=settings.toys, seed=settings.seed + number)
        q0 += [float(q) for q in seen]
        local += [float(global_p_value_from_toys(_below_ties(q), toys[:, i])) for i, q in enumerate(seen)]
        toy_maxima = np.maximum(toy_maxima, toys.max(axis=1))
    return Significances(q0, local, float(global_p_value_from_toys(_below_ties(max(q0)), toy_maxima)))


def _below_ties(q: float) -> NDArray[np.float64]:
    # a toy with the same events has the same q0 but for rounding
    return np.asarray(max(q - 1e-6, 0.0))
