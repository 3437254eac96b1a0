"""Events of K+ -> mu+ N with a line of known shape, as a search reads them."""

import numpy as np

from kaongen.events.layout import SampleInfo, Tally
from kaongen.production.memory import MemorySample


def line_sample(m_n, sigma, *, selected, generated, weight=1.0, seed=1, vertex=140.0, momentum=45.0):
    """A Gaussian of the missing mass; the neutrino has one momentum (GeV), and all decays are at one place (m)."""
    rng = np.random.default_rng(seed)
    mass = rng.normal(m_n, sigma, selected)
    weights = np.full(selected, weight)
    data = {
        "m2_miss": (mass * mass).astype(np.float32),
        "weight": weights,
        "vertex_z": np.full(selected, vertex, np.float32),
        "kaon_pz": np.full(selected, 75.0, np.float32),
        "muon_pz": np.full(selected, 75.0 - momentum, np.float32),
    }
    tally = Tally(
        candidates=generated,
        generated=generated,
        selected=selected,
        sum_weights=float(weights.sum()),
        sum_weights_squared=float((weights**2).sum()),
    )
    info = SampleInfo(
        name=f"muN-{1e3 * m_n:g}", process="muN", decay="K+ -> mu+ N", parameters={"m_N": m_n, "U2": 1e-8}
    )
    return MemorySample(info, tally, data)
