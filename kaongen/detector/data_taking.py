"""Data taking: what scales every event alike, and how many kaon decays a data set stands for.

A veto asks for nothing else in time, and other beam particles come independently: the probability to find one grows as
1 - exp(-rate tau), with tau from the loss that was measured at the average intensity.
"""

from __future__ import annotations

import math

from kaongen.configuration import Configuration


def veto_time(configuration: Configuration) -> float:
    """Time tau in ns during which any beam particle spoils an event."""
    return -math.log1p(-configuration.number("data_taking.random_veto")) / configuration.number("beam.rate")


def random_veto(rate: float, tau: float) -> float:
    """Share of events lost to others at a rate of beam particles (1/ns), for a veto time (ns)."""
    return -math.expm1(-rate * tau)


def recorded_share(configuration: Configuration) -> float:
    """Of the decays that the selection would accept: triggered, kept by the downscaling, not vetoed at random."""
    number = configuration.number
    kept = 1.0 - number("data_taking.random_veto")
    return number("data_taking.trigger_efficiency") / number("data_taking.downscaling") * kept


def kaon_decays(configuration: Configuration) -> float:
    """Number of kaons that decayed in the decay volume while the data were taken."""
    number = configuration.number
    share = number("beam.rate") / number("data_taking.full_rate")
    seconds = number("data_taking.spills") * number("data_taking.spill_duration")
    return seconds * share * number("data_taking.kaon_decay_rate")


def effective_kaons(configuration: Configuration) -> float:
    """Number of kaon decays that the data set corresponds to, not corrected for what `recorded_share` lists."""
    return kaon_decays(configuration) * recorded_share(configuration)
