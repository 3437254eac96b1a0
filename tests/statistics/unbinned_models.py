"""Models that the tests of the unbinned likelihood share."""

import numpy as np

from kaongen.papers import na62_pix
from kaongen.statistics.unbinned import UnbinnedModel


def region_2(m_x=0.220, **changes):
    """NA62's region 2: 2.60 +- 0.41 background events, nearly flat; a resolution and sensitivity of the right size."""
    background = na62_pix.BACKGROUND_TOTAL[1]
    low, high = na62_pix.REGION_2
    numbers = {
        "low": low,
        "high": high,
        "background": background.value,
        "background_error": background.error,
        "background_shape": (1.0, 0.2, -0.3),
        "mean": m_x**2,
        "mean_error": 1e-4,
        "width": 1e-3,
        "width_error": 0.10,
        "sensitivity": 2.2e-11,
        "sensitivity_error": 0.10,
    }
    return UnbinnedModel(**{**numbers, **changes})


EXACT = {"background_error": 0.0, "mean_error": 0.0, "width_error": 0.0, "sensitivity_error": 0.0}
"""No nuisance parameter."""

OBSERVED = np.array(na62_pix.OBSERVED_MASSES) ** 2


def background_events(model, mean, rng):
    """Poisson many background events, from the inverse of the cumulative distribution on a fine grid."""
    grid = np.linspace(model.low, model.high, 4001)
    middle = 0.5 * (grid[1:] + grid[:-1])
    cumulative = np.concatenate(([0.0], np.cumsum(model.background_density(middle))))
    return np.interp(rng.uniform(size=rng.poisson(mean)), cumulative / cumulative[-1], grid)


def signal_events(model, mean, rng):
    """Poisson many signal events inside the interval."""
    x = rng.normal(model.mean, model.width, rng.poisson(mean / model.signal_inside()))
    return x[(x >= model.low) & (x <= model.high)]
