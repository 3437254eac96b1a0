"""A check of the background of 2015: the limits on |U_mu4|^2 that it leads to, beside those that were published."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.mu_projection_background import Background
from kaongen.analysis.record import Number
from kaongen.analysis.template import template
from kaongen.analysis.weighted import central_half_width
from kaongen.errors import EventFileError
from kaongen.events.reader import Events
from kaongen.models import hnl
from kaongen.papers import limits
from kaongen.searches.mu_projection import MuProjection
from kaongen.statistics.counting import counting_limit

PROCESS = "muN"
HALF_WINDOW = 1.5
"""In units of the mass resolution, as in 2016-2018."""
BACKGROUND_ERROR = 0.05
"""Relative, of the background in a window: between those of 2016-2018 at 300 and 384 MeV."""
LEVEL = 0.9
RANGE = 0.03
"""GeV^2 on either side of the peak in m2_miss: six times its width there for K+ -> mu+ nu."""


def heavy_neutrino_numbers(
    samples: Sequence[Events], backgrounds: Mapping[str, Background], settings: MuProjection
) -> list[Number]:
    """Expected limits on |U_mu4|^2 of the data of 2015, for each way to normalise the background.

    The published ones fluctuate with the data by a factor of two: the expected ones must run through them, so that the
    geometric mean of the ratio, the last number, is near 1.

    Parameters
    ----------
    samples
        Of K+ -> mu+ N.
    backgrounds
        By the name of the normalisation, for the kaons of the settings.
    settings
        Number of kaons.

    Raises
    ------
    EventFileError
        If a sample has no selected event.
    """
    published = limits.heavy_neutrino()["NA62 2015"]
    found: list[Number] = []
    ratios: dict[str, list[float]] = {method: [] for method in backgrounds}
    for sample in samples:
        mass = sample.info.parameters["m_N"]
        sigma = mass_resolution(sample, mass)
        window = np.array([(mass - HALF_WINDOW * sigma) ** 2, (mass + HALF_WINDOW * sigma) ** 2])
        acceptance = float(template(sample, window).probability[0])
        for method, background in backgrounds.items():
            events = _within(background, window)
            limit = counting_limit(None, events, BACKGROUND_ERROR * events, LEVEL).expected
            value = limit / (settings.kaons_2015 * acceptance * hnl.kaon_branching_fraction("mu", mass, 1.0))
            known = published.at(mass)
            if known is not None:
                ratios[method].append(math.log(value / known))
            found.append(
                Number(
                    name=f"2015: limit on |U_mu4|^2 at {1e3 * mass:g} MeV, background normalised by {method}",
                    value=value,
                    kind="prediction",
                    published=known,
                    reference=f"{published.reference}, observed; {published.source}",
                )
            )
    found += [
        Number(
            name=f"2015: limit on |U_mu4|^2 over the published one, geometric mean, background normalised by {method}",
            value=math.exp(math.fsum(logs) / len(logs)),
            kind="prediction",
            reference=f"{published.reference}, observed",
        )
        for method, logs in ratios.items()
        if logs
    ]
    return found


def mass_resolution(sample: Events, mass: float) -> float:
    """Half the width in GeV that holds the central 68% of the missing mass, from that of its square.

    Raises
    ------
    EventFileError
        If the sample has no selected event.
    """
    edges = mass**2 + np.linspace(-RANGE, RANGE, 2001)
    filled = template(sample, edges)
    if filled.total.value <= 0.0:
        raise EventFileError(f"the sample {sample.info.name!r} has no event with m2_miss near {mass**2:g} GeV^2")
    below = np.concatenate([[0.0], np.cumsum(filled.probability)])
    return central_half_width(edges, below) / (2.0 * mass)


def _within(background: Background, window: NDArray[np.float64]) -> float:
    """Events in a window that cuts through bins."""
    below = np.concatenate([[0.0], np.cumsum(background.total)])
    low, high = np.interp(window, background.edges, below)
    return float(high - low)
