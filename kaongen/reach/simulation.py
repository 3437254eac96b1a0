"""The samples of a projection: made in memory one after the other, and reduced at once to what limits need."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.escape import time_per_mass
from kaongen.analysis.result import SampleSummary
from kaongen.analysis.summary import summarise
from kaongen.analysis.template import Template
from kaongen.configuration import Configuration
from kaongen.events.layout import Provenance
from kaongen.events.reader import Events
from kaongen.production.card import Card
from kaongen.production.engine import Progress, plan
from kaongen.production.memory import simulate
from kaongen.random import stream_key
from kaongen.reach.channels import ChannelModel
from kaongen.reach.models import Model

Floats = NDArray[np.float64]

SIGNAL_CANDIDATES = 200_000
_TIMES = 500
"""Quantiles that stand for the flight times of a sample."""
SIGNAL = "signal"


@dataclass(frozen=True)
class Reduced:
    """Selected events of a sample: what was measured, with its weight.

    values : (choices, events), inside of the channel's ranges. weight : (events,). times : (n,) proper times in ns
    that X takes from the vertex to the end of the detector, of equal weight; empty where that is not known.
    """

    summary: SampleSummary
    generated: int
    branching_fraction: float
    values: Floats
    weight: Floats
    times: Floats

    def nearest(self, target: float) -> Floats:
        """Of the choices of each event that nearest to a target: (events,)."""
        best: Floats = self.values[0]
        for other in self.values[1:]:
            best = np.where(np.abs(other - target) < np.abs(best - target), other, best)
        return best

    def template(self, edges: Floats, target: float) -> Template:
        """Probability per generated decay in bins, with its variance."""
        x = self.nearest(target)
        bins = np.searchsorted(edges, x, side="right") - 1
        inside = (bins >= 0) & (bins < len(edges) - 1)
        where, w = bins[inside], self.weight[inside]
        sums = np.bincount(where, w, minlength=len(edges) - 1)
        squares = np.bincount(where, w * w, minlength=len(edges) - 1)
        p = sums / self.generated
        return Template(edges, p, np.maximum(squares / self.generated - p * p, 0.0) / self.generated)


@dataclass(frozen=True)
class Samples:
    """All samples of a projection: backgrounds by the name of their source, signals by their mass in GeV."""

    provenance: Provenance
    backgrounds: dict[str, Reduced]
    signals: dict[float, Reduced]


def card_of(
    chosen: ChannelModel, model: Model, masses: Sequence[float], backgrounds: bool, seed: int = 1, scale: float = 1.0
) -> Card:
    """The card of a projection.

    Parameters
    ----------
    chosen, model
        What is looked for, and where.
    masses : sequence of float
        GeV.
    backgrounds : bool
        Whether they are simulated.
    seed : int
        Of all samples.
    scale : float
        Factor on the candidates of the channel.

    Raises
    ------
    CardError
        If a value cannot be used.
    """
    samples = [
        {
            "name": source.name, "process": source.process, "zone": source.zone, "role": "background",
            "candidates": source.candidates,
        }
        for source in (chosen.sources if backgrounds else ())
    ]  # fmt: skip
    given = dict(model.values)
    if model.coupling is not None and any(p.name == model.coupling.name for p in model.entry.parameters):
        given[model.coupling.name] = model.coupling.reference
    samples.append(
        {
            "name": SIGNAL, "process": model.process, "role": "signal", "candidates": SIGNAL_CANDIDATES,
            "parameters": given, "scan": {model.mass: list(masses)},
        }
    )  # fmt: skip
    run = {"name": "reach-" + re.sub(r"[^A-Za-z0-9.+-]+", "-", model.name).strip("-"), "seed": seed}
    card = Card.model_validate(
        {
            "run": run,
            "detector": {"configuration": chosen.configuration},
            "sample": samples,
            "analysis": {"name": "none"},
        }
    )
    return card.scaled(scale)


def make(
    card: Card,
    chosen: ChannelModel,
    model: Model,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Samples:
    """Simulate the samples of a card; only one is held in memory as a whole.

    Raises
    ------
    KaongenError
        If the card cannot be used.
    """
    configuration, provenance = card.configuration(), _provenance(card)
    selection = chosen.selection()
    backgrounds, signals = {}, {}
    for part in card.sample:
        sample = simulate(
            part,
            configuration,
            selection,
            stream_key(card.run.seed, part.name),
            vetoes=card.detector.vetoes,
            threads=threads,
            progress=progress,
        )
        if part.role == "signal":
            mass = part.parameters[model.mass]
            flight = mass if model.lifetime is not None else None
            signals[mass] = reduce(sample, part.role, chosen, configuration, flight)
        else:
            backgrounds[part.name] = reduce(sample, part.role, chosen, configuration, None)
    return Samples(provenance, backgrounds, signals)


def _provenance(card: Card) -> Provenance:
    # that of one sample: the branching fractions of all others, which take time, are not asked for twice
    first = card.model_copy(update={"sample": card.sample[:1]})
    return plan(first).provenance.model_copy(update={"card_sha256": card.sha256()})


def reduce(
    sample: Events, role: str, chosen: ChannelModel, configuration: Configuration, mass: float | None
) -> Reduced:
    """What limits need of a sample; with a mass (GeV), also the flight times of X."""
    kept, weights, times = [], [], []
    needs = ("vertex_z", "kaon_pz", f"{chosen.track}_pz") if mass is not None else ()
    for columns in sample.batches(*chosen.columns, "weight", *needs):
        values = np.array([columns[name] for name in chosen.columns], dtype=np.float64)
        inside = np.any([(values > low) & (values < high) for low, high in chosen.ranges], axis=0).any(axis=0)
        kept.append(values[:, inside])
        weights.append(columns["weight"][inside].astype(np.float64))
        if mass is not None:
            measured = {name: columns[name][inside] for name in needs}
            times.append(mass * time_per_mass(measured, chosen.track, configuration.number("muv3.z")))
    weight = np.concatenate(weights) if weights else np.zeros(0)
    return Reduced(
        summary=summarise(sample, role),
        generated=max(sample.tally.generated, 1),
        branching_fraction=sample.info.branching_fraction or 0.0,
        values=np.concatenate(kept, axis=1) if kept else np.zeros((len(chosen.columns), 0)),
        weight=weight,
        times=_quantiles(np.concatenate(times), weight) if times else np.zeros(0),
    )


def _quantiles(times: Floats, weight: Floats) -> Floats:
    if not len(times) or weight.sum() <= 0.0:
        return np.zeros(0)
    order = np.argsort(times)
    reached = np.cumsum(weight[order])
    middle = (np.arange(_TIMES) + 0.5) / _TIMES * reached[-1]
    return np.asarray(np.interp(middle, reached, times[order]), dtype=np.float64)
