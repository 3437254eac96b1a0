"""Acceptance for decays of which every charged particle has to be seen."""

from __future__ import annotations

from kaongen.analysis.result import Value
from kaongen.analysis.weighted import probability
from kaongen.configuration import Configuration
from kaongen.decays.catalogue import find
from kaongen.decays.mixture import alone
from kaongen.decays.sampling import blocks
from kaongen.event_block import ACCEPTANCE, EFFICIENCY, T_P
from kaongen.jit import row
from kaongen.production.chain import build_chain
from kaongen.random import stream_key


def acceptance_of_all(name: str, configuration: Configuration, momentum: float, decays: int, seed: int = 1) -> Value:
    """Probability that all charged particles of a decay cross every detector, found by the spectrometer.

    Parameters
    ----------
    name
        Of a process whose decay products are all charged or neutrinos.
    configuration
        The detector.
    momentum
        Least momentum of each (GeV).
    decays
        How many are simulated.
    """
    chain = build_chain([alone(find(name), {})], configuration)
    lane = chain.lanes[0]
    key = stream_key(seed, name)
    event = chain.block()
    found = configuration.number("straw.efficiency")
    total = square = 0.0
    for first, n in blocks(decays, 0):
        event.number(first, n)
        lane.decay(key, n, event)
        weight = event.weight[:n].copy()
        for slot in lane.final.charged():
            # random numbers of its own: otherwise all decay and scatter at once, and the weights would not be theirs
            own = stream_key(seed, f"{name}, particle {slot}")
            for stage in chain.detector.propagation(lane.final, slot):
                stage.run(own, n, event)
            seen = row(event.fate, ACCEPTANCE)[:n] * row(event.fate, EFFICIENCY)[:n] * found
            weight *= seen * (row(event.track, T_P)[:n] > momentum)
        total += float(weight.sum())
        square += float((weight * weight).sum())
    return probability(total, square, decays)
