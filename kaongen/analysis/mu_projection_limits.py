"""Limits of the projection: likelihood ratio, cut and count, and profile likelihood, as scans over the mass of X."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.mu_projection_background import Background, position
from kaongen.analysis.mu_projection_signal import Boson, Signal
from kaongen.analysis.record import Axis
from kaongen.analysis.result import Column, Scan
from kaongen.analysis.template import Template
from kaongen.papers import letter
from kaongen.statistics import binned
from kaongen.statistics.binned import BinnedModel
from kaongen.statistics.binned_limit import upper_limits
from kaongen.statistics.likelihood_ratio import cut_and_count_limit, likelihood_ratio_limit
from kaongen.statistics.limit import UpperLimit

Floats = NDArray[np.float64]
Acceptance = Literal["simulated", "assumed"]

LEAST_BACKGROUND = 1.0
"""Events above a cut that is considered: S/sqrt(B) says nothing where there are none."""

_SYMBOLS: dict[Boson, tuple[str, str]] = {"vector": ("V", "g_V"), "scalar": (r"\phi", r"y_\phi")}


@dataclass(frozen=True, eq=False)
class Reach:
    """A limit on the branching fraction at one mass; cut (GeV^2) and background above it of cut and count."""

    branching: float
    cut: float | None = None
    background: float | None = None


@dataclass(frozen=True, eq=False)
class Projection:
    """A number of kaon decays, and the background expected of them.

    background : in fine bins. edges : of the bins of the likelihood ratio; cuts : of cut and count (GeV^2).
    """

    kaons: float
    background: Background
    edges: Floats
    cuts: Floats

    @cached_property
    def in_bins(self) -> Floats:
        """Background in the bins of the likelihood ratio."""
        return self.background.rebinned(self.edges).total

    @property
    def label(self) -> str:
        """In names of scans: "1e13"."""
        return short(self.kaons)

    def likelihood(self, signal: Template, threshold: float) -> Reach | None:
        """Branching fraction at which the likelihood ratio (11) reaches a threshold, data equal to background."""
        shape = self.kaons * signal.rebinned(self.edges).probability
        events = math.fsum(shape)
        if events <= 0.0:
            return None
        return Reach(likelihood_ratio_limit(shape / events, self.in_bins, threshold) / events)

    def cut_and_count(self, signal: Template, kappa: float, n_sigma: float) -> Reach | None:
        """Branching fraction at which S/sqrt(B + kappa^2 B^2) reaches n_sigma above the best of the cuts."""
        return self._best_cut(signal, lambda background: cut_and_count_limit(background, kappa, n_sigma))

    def equal(self, signal: Template) -> Reach | None:
        """Branching fraction at which there is as much signal as background above the best of the cuts."""
        return self._best_cut(signal, lambda background: background)

    def _best_cut(self, signal: Template, limit: Callable[[float], float]) -> Reach | None:
        found = []
        for cut in self.cuts:
            first = position(self.background.edges, cut)
            efficiency, background = math.fsum(signal.probability[first:]), self.background.above(cut)
            if efficiency > 0.0 and background >= LEAST_BACKGROUND:
                found.append(Reach(limit(background) / (self.kaons * efficiency), float(cut), background))
        return min(found, key=lambda reach: reach.branching, default=None)

    def model(self, signal: Template, kappa: float, scale: float, together: bool) -> BinnedModel:
        """The bins of the likelihood ratio with the background known to kappa; the signal in units of a branching
        fraction `scale`, best one near the limit.

        together : whether all bins are off by the same factor, which the bins with little signal then determine, or
        each by one of its own.
        """
        events, error = self.in_bins, kappa * self.in_bins
        background = (
            binned.Background("background", events, variations={"normalisation": error})
            if together
            else binned.Background("background", events, errors=error)
        )
        return BinnedModel(scale * self.kaons * signal.rebinned(self.edges).probability, (background,))


def short(value: float) -> str:
    """A number in names: 0.01 as 1e-2, 1.8e-4 as 18e-5."""
    _, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    mantissa = "".join(map(str, digits))
    return f"{mantissa}e{exponent}" if exponent else mantissa


@dataclass(frozen=True, eq=False)
class Signals:
    """The signals of one boson, and which of their distributions of m2_miss is used."""

    boson: Boson
    signals: Sequence[Signal]
    acceptance: Acceptance

    @property
    def suffix(self) -> str:
        return "" if self.acceptance == "simulated" else "-assumed"

    def templates(self) -> list[Template]:
        """One for each mass."""
        return [s.simulated if self.acceptance == "simulated" else s.assumed for s in self.signals]

    def coupling(self, branching: float | None, signal: Signal, alone: bool = True) -> float | None:
        """From the limit on the branching fraction to that on the coupling.

        alone : X of L_mu - L_tau without dark matter, of which only the decays to neutrinos are invisible.
        """
        if branching is None:
            return None
        return math.sqrt(branching / (signal.unit_branching * (signal.invisible if alone else 1.0)))

    def scan(self, name: str, title: str, reach: Sequence[Reach | None], reference: str) -> Scan:
        """Of sensitivities without bands."""
        found = [None if r is None else r.branching for r in reach]
        columns = self._columns(found)
        if any(r is not None and r.cut is not None for r in reach):
            for column, unit, text in (
                ("cut", "GeV^2", "least m2_miss, chosen for the best limit"),
                ("background", "events", "above the cut"),
            ):
                values = [None if r is None else getattr(r, column) for r in reach]
                columns.append(Column(name=column, unit=unit, description=text, values=values))
        return Scan(
            name=f"{self.boson}-{name}{self.suffix}",
            title=f"{title}, {self.acceptance} acceptance",
            x=self._mass_axis,
            y=self._branching_axis,
            points=[s.mass for s in self.signals],
            expected=found,
            columns=columns,
            method=title,
            reference=reference,
        )

    def scan_of_limits(self, name: str, title: str, limits: Sequence[UpperLimit | None]) -> Scan:
        """Of limits with bands."""
        return Scan.of_limits(
            f"{self.boson}-{name}{self.suffix}",
            f"{title}, {self.acceptance} acceptance",
            self._mass_axis,
            self._branching_axis,
            {s.mass: limit for s, limit in zip(self.signals, limits, strict=True)},
            self._columns([None if limit is None else limit.expected for limit in limits]),
        )

    def _columns(self, found: Sequence[float | None]) -> list[Column]:
        symbol = "g" if self.boson == "vector" else "y"
        pairs = list(zip(found, self.signals, strict=True))
        columns = [
            Column(
                name="coupling",
                description=f"limit on {symbol} where X decays as it does without dark matter"
                if self.boson == "vector"
                else f"limit on {symbol}",
                values=[self.coupling(value, signal) for value, signal in pairs],
            )
        ]
        if self.boson == "vector":
            values = [self.coupling(value, signal, alone=False) for value, signal in pairs]
            text = f"limit on {symbol} where all decays of X are to dark matter"
            columns.append(Column(name="coupling_dark_matter", description=text, values=values))
        else:
            alpha = [None if c is None else c * c / (4.0 * math.pi) for c in columns[0].values]
            columns.append(Column(name="alpha", description="the same as alpha = y^2/(4 pi)", values=alpha))
        return columns

    @property
    def _mass_axis(self) -> Axis:
        return Axis(name="m_X", label=f"$m_{{{_SYMBOLS[self.boson][0]}}}$", unit="GeV")

    @property
    def _branching_axis(self) -> Axis:
        symbol = _SYMBOLS[self.boson][0]
        return Axis(name="branching_fraction", label=rf"$B(K^+ \to \mu^+ \nu {symbol},\ {symbol} \to$ invisible$)$")


def scans(
    signals: Signals, projection: Projection, *, kappas: Mapping[str, float], threshold: float, n_sigma: float
) -> list[Scan]:
    """The letter's two methods: likelihood ratio, and cut and count for relative errors of the background by name."""
    label = projection.label
    templates = signals.templates()
    made = [
        signals.scan(
            f"likelihood-{label}",
            f"likelihood ratio, {label} kaons",
            [projection.likelihood(t, threshold) for t in templates],
            f"{letter.REFERENCE}, figures 1, 2 and 5 (right)",
        )
    ]
    for name, kappa in kappas.items():
        reach = [projection.cut_and_count(t, kappa, n_sigma) for t in templates]
        title = f"cut and count, background known to {kappa:.3g}, {label} kaons"
        made.append(signals.scan(f"cut-{label}-{name}", title, reach, f"{letter.REFERENCE}, figure 5 (right)"))
    return made


def equal_scan(signals: Signals, projection: Projection) -> Scan:
    """Where there is as much signal as background."""
    label = projection.label
    reach = [projection.equal(t) for t in signals.templates()]
    title = f"as much signal as background, {label} kaons"
    return signals.scan(f"equal-{label}", title, reach, f"{letter.REFERENCE}, figure 5 (right)")


def profile_scans(
    signals: Signals, projection: Projection, *, kappas: Mapping[str, float], threshold: float, level: float
) -> list[Scan]:
    """Profile likelihood in the bins of the likelihood ratio, with expected bands.

    Twice for each error of the background: as one of the normalisation, and ("bins-") as one of each bin by itself.
    """
    templates = signals.templates()
    near = [projection.likelihood(t, threshold) for t in templates]
    seen = {i: reach.branching for i, reach in enumerate(near) if reach is not None}
    made = []
    for name, kappa in kappas.items():
        for prefix, together, text in (("", True, "in all bins together"), ("bins-", False, "in each bin")):
            models = [projection.model(templates[i], kappa, scale, together) for i, scale in seen.items()]
            found = dict(zip(seen, upper_limits(models, None, level), strict=True))
            limits = [found[i].scaled(seen[i]) if i in seen else None for i in range(len(templates))]
            title = f"profile likelihood, background known to {kappa:.3g} {text}, {projection.label} kaons"
            made.append(signals.scan_of_limits(f"profile-{projection.label}-{prefix}{name}", title, limits))
    return made
