"""How long what was not seen takes to leave the detector, from what was measured beside it."""

from __future__ import annotations

import numpy as np

from kaongen.analysis.template import Columns, Floats
from kaongen.particles import SPEED_OF_LIGHT

_LEAST_MOMENTUM = 1e-3
"""GeV: resolution and wrong tracks can leave a particle no momentum; it is then at rest."""


def time_per_mass(columns: Columns, track: str, end: float) -> Floats:
    """Proper time until z = `end` of a particle made at the measured vertex with P_K - P_track, over its mass.

    The path l takes the proper time l m/(p c), and l/p is the same along z.

    Parameters
    ----------
    columns
        vertex_z (m), kaon_pz and the track's pz (GeV), each of shape (n,).
    track
        muon or pion, as in the names of columns.
    end
        z of a plane in m.

    Returns
    -------
    array of shape (n,)
        In ns/GeV; 0 behind the plane.
    """
    p_z = columns["kaon_pz"].astype(np.float64) - columns[f"{track}_pz"].astype(np.float64)
    distance = np.maximum(end - columns["vertex_z"].astype(np.float64), 0.0)
    return np.asarray(distance / (np.maximum(p_z, _LEAST_MOMENTUM) * SPEED_OF_LIGHT))
