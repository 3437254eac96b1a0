"""The expected limit at one mass: bins, a binned likelihood, and a counting experiment beside it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.record import Value
from kaongen.analysis.weighted import core_width
from kaongen.reach.backgrounds import SIMULATION, Binning, backgrounds
from kaongen.reach.channels import ChannelModel
from kaongen.reach.settings import Reach
from kaongen.reach.simulation import Reduced
from kaongen.statistics.asymptotics import FEW_EVENTS, AsymptoticsWarning
from kaongen.statistics.binned import Background, BinnedModel
from kaongen.statistics.binned_limit import sensitive_background, upper_limit, upper_limits
from kaongen.statistics.limit import UpperLimit

Floats = NDArray[np.float64]

HALF_WIDTH = 8.0
"""Of the region around a peak, in standard deviations of its width; bins are half of one wide."""
_BIN = 0.5
_LEAST_BINS = 4
NO_BACKGROUND = "no background: -ln(1 - CL) signal events"


@dataclass(frozen=True)
class Setup:
    """What is known of one mass before a limit is set.

    binnings : bins. signal : (bins,) probability to be selected and measured there. acceptance : of all bins. width :
    standard deviation of a peak in the measured quantity. model : in signal events; None without background or signal.
    share : the expected limit with the statistical errors of the simulation over that without; None without background
    that is simulated.
    """

    mass: float
    binnings: tuple[Binning, ...]
    signal: Floats
    acceptance: Value
    width: float | None
    model: BinnedModel | None
    share: float | None = None

    @property
    def background(self) -> float:
        """Expected events in all bins."""
        return 0.0 if self.model is None else float(self.model.background.sum())


@dataclass(frozen=True)
class MassLimit:
    """The limit at one mass, on the branching fraction to what is seen.

    limit : None where nothing of the signal is seen. counting : branching fraction for which signal over the root of
    the background's variance is 2 in the best window, as a check; None without background. window : its background
    events. sensitivity : branching fraction for one event. few_events : whether asymptotics were used with few events.
    simulation : by how much the simulation's statistical errors weaken the limit, as in `Setup`.
    """

    setup: Setup
    limit: UpperLimit | None
    sensitivity: float | None
    counting: float | None
    window: float | None
    few_events: bool
    simulation: float | None = None


def set_up(
    mass: float,
    signal: Reduced,
    samples: dict[str, Reduced],
    chosen: ChannelModel,
    settings: Reach,
    is_peak: bool,
) -> Setup:
    """Bins, signal and background at one mass (GeV)."""
    target = chosen.measured(mass)
    binnings, width = _peak(signal, chosen, target) if is_peak else (_broad(chosen, target), None)
    templates = [signal.template(b.edges, target) for b in binnings]
    p = np.concatenate([t.probability for t in templates]) if templates else np.zeros(0)
    error = math.sqrt(sum(float(t.variance.sum()) for t in templates))
    acceptance = Value(value=float(p.sum()), error=error)
    model = share = None
    if acceptance.value > 0.0 and settings.background != "none":
        relative = chosen.signal_error if settings.signal_error is None else settings.signal_error
        parts = backgrounds(chosen, samples, settings, binnings)
        simulated = BinnedModel(p / acceptance.value, parts, relative)
        exact = without_simulation_errors(simulated)
        model, other = (simulated, exact) if settings.simulation_error else (exact, simulated)
        if settings.counting:
            window = best_window(model, is_peak)
            model, other = one_bin(model, *window), one_bin(other, *window)
        if settings.background != "sideband":
            here, there = (_asymptotic(m, settings.confidence_level).expected for m in (model, other))
            share = here / there if settings.simulation_error else there / here
    return Setup(mass, tuple(binnings), p, acceptance, width, model, share)


def limits(
    setups: Sequence[Setup], settings: Reach, efficiency: float = 1.0, seed: int = 1, threads: int | None = None
) -> list[MassLimit]:
    """Limits at all masses.

    Parameters
    ----------
    setups
        One for each mass.
    settings
        Kaons, confidence level, method.
    efficiency : float
        Factor on the acceptance.
    seed, threads
        Of toys; no result depends on the threads.
    """
    kinds = [_method(setup, settings) for setup in setups]
    toys = [i for i, kind in enumerate(kinds) if kind == "toys"]
    chosen_models = [m for i in toys if (m := setups[i].model) is not None]
    # to tell the lower band from an exclusion
    number = max(settings.toys, math.ceil(100.0 / (1.0 - settings.confidence_level)))
    made = dict(
        zip(
            toys,
            upper_limits(
                chosen_models, None, settings.confidence_level, "toys", number, seed, threads
            ) if chosen_models else [],
            strict=True,
        )
    )  # fmt: skip
    result = []
    for i, (setup, kind) in enumerate(zip(setups, kinds, strict=True)):
        if kind == "none":
            n = -math.log1p(-settings.confidence_level)
            on_events: UpperLimit | None = UpperLimit(None, n, n, n, n, n, settings.confidence_level, NO_BACKGROUND)
        elif kind == "nothing":
            on_events = None
        elif kind == "toys":
            on_events = made[i]
        else:
            assert setup.model is not None
            on_events = _asymptotic(setup.model, settings.confidence_level)
        result.append(_mass_limit(setup, on_events, settings, efficiency, kind))
    return result


def _mass_limit(setup: Setup, on_events: UpperLimit | None, settings: Reach, efficiency: float, kind: str) -> MassLimit:
    accepted = efficiency * setup.acceptance.value
    if on_events is None:
        return MassLimit(setup, None, None, None, None, False)
    sensitivity = 1.0 / (settings.n_kaons * accepted)
    counting = window = None
    if setup.model is not None:
        first, last = best_window(setup.model, setup.width is not None)
        one = one_bin(setup.model, first, last)
        window = float(one.background[0])
        counting = 2.0 * _spread(one) / float(one.signal[0]) * sensitivity
    few = setup.model is not None and kind != "toys" and sensitive_background(setup.model) < FEW_EVENTS
    return MassLimit(setup, ordered(on_events).scaled(sensitivity), sensitivity, counting, window, few, setup.share)


def without_simulation_errors(model: BinnedModel) -> BinnedModel:
    """The same model as if infinitely many decays had been simulated."""
    parts = tuple(
        Background(
            b.name,
            b.events,
            np.zeros(model.bins),
            {name: shift for name, shift in b.variations.items() if not name.startswith(SIMULATION)},
        )
        for b in model.backgrounds
    )
    return replace(model, backgrounds=parts)


def ordered(limit: UpperLimit) -> UpperLimit:
    """The same with its quantiles in order, which those of few toys need not be."""
    low2, low1, median, high1, high2 = sorted([limit.expected, *limit.bands.values()])
    return replace(
        limit, minus_two_sigma=low2, minus_one_sigma=low1, expected=median, plus_one_sigma=high1, plus_two_sigma=high2
    )


def _method(setup: Setup, settings: Reach) -> str:
    if setup.acceptance.value <= 0.0:
        return "nothing"
    if setup.model is None:
        return "none"
    if settings.method == "auto":
        return "toys" if sensitive_background(setup.model) < FEW_EVENTS else "asymptotics"
    return settings.method


def _asymptotic(model: BinnedModel, confidence_level: float) -> UpperLimit:
    with warnings.catch_warnings():
        # that few events are expected is a column of the result
        warnings.simplefilter("ignore", AsymptoticsWarning)
        return upper_limit(model, None, confidence_level)


def one_bin(model: BinnedModel, first: int, last: int) -> BinnedModel:
    """A counting experiment: the bins from the first to before the last as one, the signal still per event of all."""
    take = slice(first, last)
    parts = [
        Background(
            b.name,
            np.array([b.events[take].sum()]),
            np.array([math.sqrt(float(np.square(b.errors[take]).sum()))]),
            {name: np.array([shift[take].sum()]) for name, shift in b.variations.items()},
        )
        for b in model.backgrounds
    ]
    return replace(model, signal=np.array([model.signal[take].sum()]), backgrounds=tuple(parts), edges=None)


def best_window(model: BinnedModel, is_peak: bool) -> tuple[int, int]:
    """Bins, first and one after the last, with the most signal over the root of the background's variance.

    Of a peak all stretches count, of a broad signal those that reach to the end.
    """
    signal, background, errors = (_running(x) for x in (model.signal, model.background, model.statistical_error**2))
    shifts = np.array([_running(row) for row in model.templates.variations]).reshape(-1, model.bins + 1)
    first, last = np.triu_indices(model.bins + 1, 1)
    if not is_peak:
        first, last = first[last == model.bins], last[last == model.bins]
    variance = background[last] - background[first] + errors[last] - errors[first]
    variance = variance + np.square(shifts[:, last] - shifts[:, first]).sum(axis=0)
    best = int(np.argmax((signal[last] - signal[first]) / np.sqrt(np.maximum(variance, 1.0))))
    return int(first[best]), int(last[best])


def _running(x: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(x)])


def _spread(one: BinnedModel) -> float:
    """Standard deviation of the background in the only bin, with its errors; at least one event."""
    shifts = one.templates.variations
    variance = float(one.background[0]) + float(one.statistical_error[0]) ** 2 + float(np.square(shifts).sum())
    return math.sqrt(max(variance, 1.0))


def _broad(chosen: ChannelModel, target: float) -> list[Binning]:
    return [
        Binning(i, np.linspace(low, high, max(round((high - low) / chosen.bin_width), 1) + 1), target, False)
        for i, (low, high) in enumerate(chosen.ranges)
    ]


def _peak(signal: Reduced, chosen: ChannelModel, target: float) -> tuple[list[Binning], float | None]:
    x = signal.nearest(target)
    if len(x) < 2 or signal.weight.sum() <= 0.0:
        return [], None
    width = core_width(x, signal.weight)
    if width <= 0.0:
        return [], None
    number = min(range(len(chosen.ranges)), key=lambda i: _distance(target, *chosen.ranges[i]))
    low, high = chosen.ranges[number]
    if _distance(target, low, high) > chosen.margin:
        return [], None
    first, last = max(target - HALF_WIDTH * width, low), min(target + HALF_WIDTH * width, high)
    if last <= first:
        return [], width
    bins = max(round((last - first) / (_BIN * width)), _LEAST_BINS)
    return [Binning(number, np.linspace(first, last, bins + 1), target, True)], width


def _distance(x: float, low: float, high: float) -> float:
    return max(low - x, x - high, 0.0)
