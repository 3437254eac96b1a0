"""LKr, MUV1 and MUV2 together: how often their pattern of energies is taken for a pion's.

The classifier itself is not modelled. Its averages between 15 and 35 GeV are NA62's; towards higher momenta pions are
told a little better and muons, whose ionisation stays what it is, much better. Outside that range nothing changes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kaongen.detector.identification import AVERAGED, momentum_grid


def of_pions(pion: float, slope: float, muon: float, decline: float, electron: float) -> NDArray[np.float64]:
    """Table of the probability to be taken for a pion: rows for a pion, muon and electron.

    pion, muon : averages over flat momenta. slope : of the pion's (1/GeV). decline : momentum in which the muon's falls
    to 1/e (GeV). electron : at every momentum.
    """
    low, high = AVERAGED
    p = np.clip(momentum_grid(), low, high)
    pions = pion + slope * (p - 0.5 * (low + high))
    average = decline / (high - low) * -np.expm1(-(high - low) / decline)
    muons = muon / average * np.exp(-(p - low) / decline)
    return np.stack([np.clip(pions, 0.0, 1.0), muons, np.full_like(p, electron)])
