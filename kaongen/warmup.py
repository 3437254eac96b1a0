"""Compile ahead: a few candidates of every sample of the shipped cards, through the whole chain."""

from __future__ import annotations

from typing import get_args

import numpy as np

from kaongen.analysis.mu_selection import MuonSelection
from kaongen.decays.catalogue import processes
from kaongen.decays.mixture import natural
from kaongen.decays.process import ManyBody
from kaongen.decays.sampling import sample
from kaongen.detector.na62 import Vetoes
from kaongen.production.card import read_card, shipped_cards
from kaongen.production.engine import Worker
from kaongen.production.source import chain, components


def warm_up() -> None:
    """Compile, or load from the cache, every kernel that the shipped cards use."""
    for name in shipped_cards():
        card = read_card(name)
        worker = Worker(MuonSelection(), None)
        for part in card.sample:
            for vetoes in get_args(Vetoes):
                worker.run(chain(part, card.configuration(), vetoes), np.uint64(0), 0, 64)
            for component in components(part):
                sample(component.process, 64, values=component.values)
    # with all that rare and many-body decays need
    natural().sample(10_000)
    for process in processes():
        if isinstance(process.dynamics, ManyBody) and all(p.default is not None for p in process.parameters):
            sample(process, 64)
