"""Data of the search for K+ -> mu+ N: counts of the missing mass, and how far they are from no signal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kaongen.analysis.template import Floats
from kaongen.searches.mu_invisible import MuInvisible
from kaongen.statistics.averaged_poisson import log_averaged_cdf, log_truncation_norm
from kaongen.statistics.significance import global_p_value, upcrossings, z_from_p

_LARGEST = 7.9  # of more, the probability is the rounding error of one near 1
_LEVEL = 0.25


@dataclass(frozen=True)
class Observed:
    """Counts in equal bins of the missing mass from low to high (GeV)."""

    low: float
    high: float
    spectrum: tuple[int, ...]

    @classmethod
    def of(cls, settings: MuInvisible) -> Observed | None:
        """Those of the settings, if there are any."""
        if settings.heavy_neutrino_counts is None:
            return None
        return cls(*settings.heavy_neutrino_range, settings.heavy_neutrino_counts)

    def counts(self, edges: Floats) -> Floats:
        """Events in other bins, spread evenly within the bins that are cut."""
        own = np.linspace(self.low, self.high, len(self.spectrum) + 1)
        reached = np.concatenate(([0.0], np.cumsum(self.spectrum)))
        return np.diff(np.interp(edges, own, reached))

    def events(self, low: float, high: float) -> int:
        """Events in a window, to the nearest whole number."""
        return round(float(self.counts(np.array([low, high]))[0]))


def local_significance(n: int, background: float, error: float) -> float:
    """Standard deviations by which n exceeds a background known to a Gaussian error.

    One-sided: the Gaussian quantile of the probability of n events or more, averaged over the background as in the
    limits. Negative for a deficit, and at most 7.9 for an excess.
    """
    if n == 0:
        return -_LARGEST
    log_below = log_averaged_cdf(n - 1, 0.0, background, error) - log_truncation_norm(background, error)
    at_least = -math.expm1(min(log_below, 0.0))
    return float(np.clip(z_from_p(max(at_least, 1e-15)), -_LARGEST, _LARGEST))


def global_p_value_of(significances: Sequence[float]) -> float:
    """Probability of a local significance as large as the largest of a scan anywhere in it, without a signal.

    E. Gross and O. Vitells, Eur. Phys. J. C 70 (2010) 525, with the upcrossings through half a standard deviation of
    the scan itself: those of a small signal among many masses are noise.
    """
    z = np.maximum(np.asarray(significances, dtype=np.float64), 0.0)
    largest = float((z * z).max())
    if largest <= _LEVEL:
        return 1.0
    return float(global_p_value(largest, float(upcrossings(z * z, _LEVEL)), _LEVEL))
