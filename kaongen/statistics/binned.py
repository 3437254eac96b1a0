"""Templates in bins: a signal, backgrounds, and what is not known exactly about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kaongen.errors import StatisticsError

Floats = npt.NDArray[np.float64]

LARGEST_SIGNAL_ERROR = 0.5
_LEAST_RELATIVE_SHIFT = 3e-3  # of the Poisson error: 1e-5 of its variance
_LEAST_BACKGROUND = 1e-7


class Templates(NamedTuple):
    """What the kernels see of a model: arrays over bins; variations has one row per nuisance parameter.

    `spread` is 1 where a bin has a statistical error of its own, and 0 where `shift` is only the least one: its centre
    then stays at 0 in toys, so that equal counts give equal statistics.
    """

    signal: Floats
    background: Floats
    variations: Floats
    shift: Floats
    variance: Floats
    spread: Floats
    signal_error: float


class Observation(NamedTuple):
    """Counts and the global observables: where the constraint terms of the nuisance parameters are centred.

    `centres[0]` belongs to the signal's normalisation, the others to the named nuisance parameters; `shifts` to the
    statistical errors of the bins. All centres are 0 in the experiment itself, and fluctuate in its toys.
    """

    counts: Floats
    centres: Floats
    shifts: Floats


@dataclass(frozen=True, eq=False)
class Background:
    """Expected events of one background in bins, with their errors.

    events : shape (bins,), at least 0.
    errors : shape (bins,), statistical errors of the template, independent between bins, in events; none by default.
    variations : by the name of a nuisance parameter, shape (bins,): the shift in events for +1 standard deviation.
        Equal names are one parameter, fully correlated between backgrounds.
    """

    name: str
    events: Floats
    errors: Floats = field(default_factory=lambda: np.zeros(0))
    variations: Mapping[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        events = _array(f"events of the background {self.name!r}", self.events)
        errors = self.errors if np.size(self.errors) else np.zeros(events.size)
        object.__setattr__(self, "events", events)
        object.__setattr__(self, "errors", _array(f"errors of the background {self.name!r}", errors, events.size))
        object.__setattr__(
            self,
            "variations",
            {
                name: _array(f"variation {name!r} of the background {self.name!r}", shift, events.size, signed=True)
                for name, shift in self.variations.items()
            },
        )


@dataclass(frozen=True, eq=False)
class BinnedModel:
    """Expected events in bins for a signal of strength mu.

    nu_i = mu (1 + sigma_s theta_s) s_i + sum_k (b_ki + sum_j theta_j v_kji) + delta_i gamma_i, with unit Gaussian
    constraints on theta_s, theta_j and gamma_i, and delta_i the quadratic sum of the backgrounds' errors in the bin.

    signal : shape (bins,), events per unit of the parameter of interest mu, at least 0 and not all 0.
    backgrounds : templates of equal length.
    signal_error : sigma_s, relative error of the signal's normalisation, from 0 to 0.5.
    edges : shape (bins + 1,), edges of the bins, for plots; no use is made of them here.

    Notes
    -----
    For given mu the expectation is linear in all other parameters, so that the likelihood has one maximum. Every bin
    has at least a statistical error of 0.3% of its Poisson error, which keeps the expectation positive and changes a
    limit by less than 1e-5.

    Raises
    ------
    StatisticsError
        If a template is empty, has another length than the signal, or holds numbers that are negative or not finite.
    """

    signal: Floats
    backgrounds: tuple[Background, ...]
    signal_error: float = 0.0
    edges: Floats | None = None

    def __post_init__(self) -> None:
        signal = _array("signal", self.signal)
        if not np.any(signal > 0.0):
            raise StatisticsError("signal is 0 in every bin, but must be positive in at least one")
        object.__setattr__(self, "signal", signal)
        object.__setattr__(self, "backgrounds", tuple(self.backgrounds))
        if not self.backgrounds:
            raise StatisticsError("backgrounds is empty, but a model needs at least one, which may be 0 in every bin")
        names = [b.name for b in self.backgrounds]
        for b in self.backgrounds:
            if names.count(b.name) > 1:
                raise StatisticsError(f"two backgrounds are called {b.name!r}, but every one needs a name of its own")
            if b.events.size != signal.size:
                raise StatisticsError(
                    f"background {b.name!r} has {b.events.size} bins, but must have {signal.size} like the signal"
                )
        if not 0.0 <= self.signal_error <= LARGEST_SIGNAL_ERROR:
            raise StatisticsError(f"signal_error is {self.signal_error}, but must lie from 0 to {LARGEST_SIGNAL_ERROR}")
        if self.edges is not None:
            edges = np.asarray(self.edges, dtype=np.float64)
            if edges.shape != (signal.size + 1,) or not np.all(np.diff(edges) > 0.0):
                raise StatisticsError(f"edges must be {signal.size + 1} rising numbers, one more than there are bins")
            object.__setattr__(self, "edges", edges)

    @property
    def bins(self) -> int:
        """Number of bins."""
        return int(self.signal.size)

    @cached_property
    def nuisances(self) -> tuple[str, ...]:
        """Names of the nuisance parameters, in the order of their first appearance."""
        return tuple(dict.fromkeys(name for b in self.backgrounds for name in b.variations))

    @cached_property
    def background(self) -> Floats:
        """Expected background events, shape (bins,)."""
        return np.asarray(np.sum([b.events for b in self.backgrounds], axis=0), dtype=np.float64)

    @cached_property
    def statistical_error(self) -> Floats:
        """Statistical error of the background templates, shape (bins,), in events."""
        return np.asarray(np.sqrt(np.sum([np.square(b.errors) for b in self.backgrounds], axis=0)), dtype=np.float64)

    @cached_property
    def templates(self) -> Templates:
        """The model as arrays for the kernels."""
        variations = np.zeros((len(self.nuisances), self.bins))
        for b in self.backgrounds:
            for name, shift in b.variations.items():
                variations[self.nuisances.index(name)] += shift
        least = _LEAST_RELATIVE_SHIFT * np.sqrt(np.maximum(self.background, _LEAST_BACKGROUND))
        shift = np.maximum(self.statistical_error, least)
        spread = np.where(self.statistical_error > 0.0, 1.0, 0.0)
        return Templates(
            self.signal.copy(), self.background, variations, shift, shift * shift, spread, float(self.signal_error)
        )

    def expected(self, mu: float = 0.0) -> Floats:
        """Expected events at the nominal nuisance parameters, shape (bins,)."""
        return self.background + float(mu) * self.signal

    def asimov(self, mu: float = 0.0) -> Floats:
        """The Asimov data of signal strength mu: the expected events in place of counts, shape (bins,)."""
        if not mu >= 0.0:
            raise StatisticsError(f"mu is {mu}, but Asimov data need a signal strength of at least 0")
        return self.expected(mu)

    def observation(self, data: npt.ArrayLike) -> Observation:
        """Counts of the experiment itself, checked; whole or not, so that Asimov data pass."""
        counts = _array("data", data, self.bins)
        return Observation(counts.copy(), np.zeros(1 + len(self.nuisances)), np.zeros(self.bins))


def _array(name: str, values: npt.ArrayLike, size: int | None = None, *, signed: bool = False) -> Floats:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise StatisticsError(f"{name} must be a list of numbers, one per bin") from None
    if array.ndim != 1 or array.size == 0:
        raise StatisticsError(f"{name} has the shape {array.shape}, but must be one number per bin")
    if size is not None and array.size != size:
        raise StatisticsError(f"{name} has {array.size} bins, but must have {size}")
    wrong = ~np.isfinite(array) if signed else ~(np.isfinite(array) & (array >= 0.0))
    if wrong.any():
        i = int(np.argmax(wrong))
        allowed = "finite" if signed else "finite and at least 0"
        raise StatisticsError(f"{name} is {array[i]} in bin {i}, but must be {allowed}")
    array.flags.writeable = False
    return array
