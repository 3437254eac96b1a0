"""Compile ahead: a few candidates of every kind of sample of the shipped cards, and a few toys of every kind."""

from __future__ import annotations

from typing import get_args

import numpy as np

from kaongen.analysis.registry import selection_of
from kaongen.decays.catalogue import processes
from kaongen.decays.mixture import natural
from kaongen.decays.process import ManyBody
from kaongen.decays.sampling import sample
from kaongen.detector.na62 import Vetoes
from kaongen.production.card import Card, read_card, shipped_cards
from kaongen.production.engine import Worker
from kaongen.production.source import chain, components
from kaongen.statistics import binned, binned_limit, unbinned, unbinned_discovery, unbinned_limit


def warm_up() -> None:
    """Compile, or load from the cache, every kernel that the shipped cards and the limits use."""
    for name in shipped_cards():
        _warm_up_card(read_card(name))
    # with all that rare and many-body decays need
    natural().sample(10_000)
    for process in processes():
        if isinstance(process.dynamics, ManyBody) and all(p.default is not None for p in process.parameters):
            sample(process, 64)
    _warm_up_statistics()


def _warm_up_card(card: Card) -> None:
    worker = Worker(selection_of(card), None)
    # the values of a scan share their kernels
    for part in {(part.process, part.zone): part for part in card.sample}.values():
        for vetoes in get_args(Vetoes):
            worker.run(chain(part, card.configuration(), vetoes), np.uint64(0), 0, 64)
        for component in components(part):
            sample(component.process, 64, values=component.values)


def _warm_up_statistics() -> None:
    background = binned.Background("all", np.array([9.0, 8.0]), np.array([0.1, 0.1]), {"scale": np.array([0.9, 0.8])})
    counted = binned.BinnedModel(np.array([1.0, 0.5]), (background,))
    binned_limit.upper_limit(counted, method="toys", toys=1000)
    shape = unbinned.UnbinnedModel(
        low=0.0, high=1.0, background=2.0, background_error=0.4, background_shape=(1.0,), mean=0.5, mean_error=0.01,
        width=0.05, width_error=0.1, sensitivity=1.0, sensitivity_error=0.1,
    )  # fmt: skip
    unbinned_limit.upper_limit(shape, np.array([0.4]), toys=1000)
    unbinned_discovery.local_p_value(shape, np.array([0.4]), toys=1000)
