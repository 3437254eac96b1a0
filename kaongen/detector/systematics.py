"""Other responses of the photon vetoes, from which a background's systematic uncertainty follows.

NA62, Phys. Lett. B 816 (2021) 136259, section 4: the alternative has inefficiencies higher by one standard deviation,
and LAV, IRC and SAC do not see photons that convert before the spectrometer's magnet. Systems vary together.
"""

from __future__ import annotations

import numpy as np

from kaongen.configuration import Configuration
from kaongen.detector.photon_veto import SYSTEMS

NOMINAL, UP, DOWN, ALTERNATIVE = "nominal", "photon vetoes +1 sigma", "photon vetoes -1 sigma", "alternative vetoes"

_BLINDING = 1e30
"""A factor that makes any inefficiency but zero certain."""


def shifted(configuration: Configuration, sigmas: float) -> Configuration:
    """The configuration with all photon inefficiencies shifted by so many standard deviations of their logarithm."""
    factor, sigma = (configuration.array(f"photon_inefficiency.{name}") for name in ("factor", "uncertainty"))
    return configuration.with_values({"photon_inefficiency.factor": (factor * np.exp(sigmas * sigma)).tolist()})


def variations(configuration: Configuration) -> dict[str, Configuration]:
    """The configuration itself, photon inefficiencies one standard deviation up and down, and the alternative model."""
    up = shifted(configuration, 1.0)
    return {
        NOMINAL: configuration,
        UP: up,
        DOWN: shifted(configuration, -1.0),
        ALTERNATIVE: up.with_values({"conversion.unseen": 1.0}),
    }


def blind(configuration: Configuration) -> Configuration:
    """The configuration with photon vetoes that see nothing: what a rejection is relative to.

    By the factors: what the krypton sees of particles that only ionise follows from the tables, and stays.
    """
    systems = len(SYSTEMS)
    return configuration.with_values(
        {
            "photon_inefficiency.factor": [_BLINDING] * systems,
            "photon_inefficiency.hard_factor": [1.0] * systems,
            # and no pairs, which other detectors could see
            "conversion.factor": 0.0,
        }
    )
