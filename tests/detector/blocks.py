"""Blocks of events made by hand: the only place under tests/detector that knows the arguments of the kernels.

Every function takes and returns plain columns of any length, in the units of `kaongen.event_block`: GeV and m.
"""

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from kaongen.beam import Beam
from kaongen.configuration import load
from kaongen.decays.catalogue import find
from kaongen.decays.mixture import alone
from kaongen.decays.sampling import blocks
from kaongen.detector import (
    acceptance,
    decision,
    lkr,
    reconstruction,
    straw,
    tracking,
)
from kaongen.detector.na62 import NA62
from kaongen.event_block import (
    ACCEPTANCE,
    EFFICIENCY,
    K_PX,
    K_PY,
    K_PZ,
    K_X,
    K_Y,
    K_Z,
    M2_TRUE,
    R_CDA,
    R_COS,
    R_EOP,
    R_KPX,
    R_KPY,
    R_KPZ,
    R_KX,
    R_KY,
    R_M2,
    R_PX,
    R_PY,
    R_PZ,
    R_VX,
    R_VY,
    R_VZ,
    R_X,
    R_Y,
    SURVIVAL,
    T_CHARGE,
    T_KINK_Z,
    T_LKR_ENERGY,
    T_P,
    T_PX,
    T_PY,
    T_PZ,
    T_RICH_X,
    T_X,
    T_X1,
    T_Y,
    T_Y1,
    T_Z,
    EventBlock,
)
from kaongen.jit import BLOCK
from kaongen.particles import M_MU
from kaongen.production.chain import build_chain
from kaongen.random import stream_key

CONFIGURATION = load("na62-2016-2018")
DETECTOR = NA62(CONFIGURATION)
KEY = stream_key(1, "tests/detector")

P_MIN = 1e-6
"""Of any chi-squared or Kolmogorov test under tests/detector, about 60 of them, with fixed seeds."""
SIGMAS = 5.0
"""Of any mean, spread or count: 6e-7 each, about 150 of them. When the streams change, one test of these
two kinds fails by chance once in 5000 times."""

EXACT = {
    "gtk.momentum_resolution": 0.0,
    "gtk.angle_resolution": 0.0,
    "gtk.position_resolution": 0.0,
    "gtk.efficiency": 1.0,
    "beam.rate": 1e-9,
    "gtk.elements": [[14, 28.09, 0.0]],
    "straw.elements": [[z, a, 0.0] for z, a, _ in CONFIGURATION.array("straw.elements").tolist()],
    "straw.momentum_constant": 0.0,
    "straw.momentum_linear": 0.0,
    "straw.angle_constant": 0.0,
    "straw.angle_scattering": 0.0,
    "straw.position_resolution": 0.0,
    "lkr.stochastic": 0.0,
    "lkr.noise": 0.0,
    "lkr.constant": 0.0,
}
"""Changes of a configuration that measures everything without error."""


def configured(changes=None):
    return NA62(CONFIGURATION.with_values(changes or {}))


def assert_standard_normal(pulls):
    """Shape, mean and spread."""
    n = pulls.size
    assert abs(pulls.mean()) < SIGMAS / np.sqrt(n)
    assert abs(pulls.std() - 1.0) < SIGMAS / np.sqrt(2 * n)
    assert stats.kstest(pulls, "norm").pvalue > P_MIN


def assert_uncorrelated(columns):
    correlation = np.corrcoef(columns)
    assert np.abs(correlation - np.eye(len(columns))).max() < SIGMAS / np.sqrt(columns[0].size)


def assert_fraction(successes, probability):
    """Within the binomial error."""
    n = np.size(successes)
    assert abs(np.mean(successes) - probability) < SIGMAS * np.sqrt(probability * (1 - probability) / n)


def through(stage, given, wanted, index=None):
    """Columns through a stage, a block at a time.

    given : {(area, row): column or number}; wanted : the (area, row) to return. An area is "beam", "track", "reco",
    "fate", "weight" or the number of a particle. A stage is called as stage(event, n).
    """
    n = max(np.size(column) for column in given.values())
    columns = {where: np.broadcast_to(np.asarray(column, dtype=float), (n,)) for where, column in given.items()}
    index = np.arange(n, dtype=np.uint64) if index is None else index
    event = EventBlock(1 + max((area for area, _ in [*given, *wanted] if isinstance(area, int)), default=0))
    result = np.empty((len(wanted), n))
    for first, size in blocks(n):
        piece = slice(first, first + size)
        event.index[:size] = index[piece]
        for where, column in columns.items():
            _rows(event, where)[:size] = column[piece]
        stage(event, size)
        for number, where in enumerate(wanted):
            result[number, piece] = _rows(event, where)[:size]
    return result


def _rows(event, where):
    area, number = where
    rows = event.momenta[area] if isinstance(area, int) else getattr(event, area)
    return rows[number * BLOCK : (number + 1) * BLOCK]


def kaons(n, changes=None, first=0, key=KEY):
    """Momenta (3, n) and vertices (3, n) of the beam."""
    beam = Beam(CONFIGURATION.with_values(changes or {}))
    wanted = [("beam", row) for row in (K_PX, K_PY, K_PZ, K_X, K_Y, K_Z)]
    index = np.arange(first, first + n, dtype=np.uint64)
    columns = through(lambda event, size: beam.send(key, size, event), {("weight", 0): np.ones(n)}, wanted, index)
    return columns[:3], columns[3:]


def crossings(charge, momentum, point, planes=None):
    """x and y, (9, 2, n), at the four chambers and the five planes behind them, or five planes of one's own (m)."""
    px, py, pz = momentum
    rows = (T_PX, T_PY, T_PZ, T_X, T_Y, T_Z)
    given = {("track", row): column for row, column in zip(rows, (px, py, pz, *point), strict=True)}
    given[("track", T_CHARGE)] = charge
    given[("track", T_P)] = np.sqrt(np.square(px) + np.square(py) + np.square(pz))
    planes = DETECTOR.planes if planes is None else np.array(planes)
    wanted = [("track", row) for row in (*range(T_X1, T_X1 + 8), *range(T_RICH_X, T_RICH_X + 10))]

    def stage(event, n):
        tracking.cross_planes(n, DETECTOR.chamber_z, DETECTOR.magnet_z, DETECTOR.kick, planes, event.track)

    columns = through(stage, given, wanted)
    return columns.reshape(9, 2, -1)


def accepted(hits):
    """0 or 1, from x and y (9, 2, n) in m at the four chambers, RICH, CHOD tiles and slabs, LKr, MUV3."""
    rows = (*range(T_X1, T_X1 + 8), *range(T_RICH_X, T_RICH_X + 10))
    given = {("track", row): column for row, column in zip(rows, hits.reshape(18, -1), strict=True)}
    d = DETECTOR

    def stage(event, n):
        acceptance.chambers(n, d.hole_x, d.gap, d.radius, event.track, event.fate)
        apertures = (d.rich_aperture, d.tiles, d.slabs, d.lkr_aperture, d.muv3_aperture)
        acceptance.behind(n, *apertures, event.track, event.fate)

    return through(stage, given, [("fate", ACCEPTANCE)])[0]


def begun(start, z, inside=1.0):
    """Acceptance of candidates that begin at start (m) if they must begin before z."""
    given = {("track", T_Z): start, ("fate", ACCEPTANCE): inside}
    return through(lambda event, n: acceptance.begins_before(n, z, event.track, event.fate), given, [("fate", 0)])[0]


def measured_tracks(momentum, x, y, detector=DETECTOR, key=KEY):
    """Momentum (3, n), and x and y (2, n), as the spectrometer measures whole tracks at the first chamber."""
    px, py, pz = momentum
    size = np.sqrt(np.square(px) + np.square(py) + np.square(pz))
    rows = (T_P, T_PX, T_PY, T_PZ, T_X1, T_Y1)
    given = {("track", row): column for row, column in zip(rows, (size, px, py, pz, x, y), strict=True)}
    given[("track", T_KINK_Z)] = np.inf
    wanted = [("reco", row) for row in (R_PX, R_PY, R_PZ, R_X, R_Y)]

    def stage(event, n):
        bending = (detector.chamber_z, detector.magnet_z, detector.kick)
        straw.measure(n, key, detector.straw, *bending, event.index, event.track, event.reco, event.fate)

    columns = through(stage, given, wanted)
    return columns[:3], columns[3:]


def energy_over_momentum(energy, p, detector=DETECTOR, key=KEY):
    """Measured E/p of clusters of a true energy and tracks of a measured momentum."""

    def stage(event, n):
        lkr.energy_over_momentum(n, key, detector.lkr, event.index, event.track, event.reco)

    given = {("track", T_LKR_ENERGY): energy, ("reco", R_PX): 0.0, ("reco", R_PY): 0.0, ("reco", R_PZ): p}
    return through(stage, given, [("reco", R_EOP)])[0]


@dataclass(frozen=True)
class Reconstructed:
    vertex: np.ndarray
    cda: np.ndarray
    m2: np.ndarray
    cosine: np.ndarray


def reconstructed(kaon, kaon_xy, muon, muon_xy, kaon_z=102.4, muon_z=183.508):
    """From momenta (3, n) and positions (2, n) at the two planes."""
    rows = (R_KPX, R_KPY, R_KPZ, R_KX, R_KY, R_PX, R_PY, R_PZ, R_X, R_Y)
    columns = (*kaon, *kaon_xy, *muon, *muon_xy)
    given = {("reco", row): column for row, column in zip(rows, columns, strict=True)}
    wanted = [("reco", row) for row in (R_VX, R_VY, R_VZ, R_CDA, R_M2, R_COS)]
    result = through(lambda event, n: reconstruction.reconstruct(n, kaon_z, muon_z, M_MU, event.reco), given, wanted)
    return Reconstructed(result[:3], result[3], result[4], result[5])


def decided(inside, efficiency, survival, weight, multiplicity, accept, key=KEY):
    """Weights after the decision."""

    def stage(event, n):
        if accept:
            decision.decide(n, key, multiplicity, event.index, event.fate, event.weight)
        else:
            decision.weigh(n, multiplicity, event.fate, event.weight)

    given = {("fate", ACCEPTANCE): inside, ("fate", EFFICIENCY): efficiency, ("fate", SURVIVAL): survival}
    given[("weight", 0)] = weight
    return through(stage, given, [("weight", 0)])[0]


@dataclass(frozen=True)
class Events:
    """What comes out of a chain: rows of each area as (rows, n), momenta as (particles, 4, n)."""

    index: np.ndarray
    weight: np.ndarray
    beam: np.ndarray
    track: np.ndarray
    reco: np.ndarray
    fate: np.ndarray
    momenta: np.ndarray
    above: int

    def __len__(self):
        return len(self.weight)

    @property
    def m2_error(self):
        return self.reco[R_M2] - self.reco[M2_TRUE]

    def digest(self):
        """Of all bits of the identity, the weight and what is measured."""
        result = hashlib.sha256(self.index.tobytes())
        for columns in (self.weight, self.reco):
            result.update(np.ascontiguousarray(columns).tobytes())
        return result.hexdigest()


@cache
def chain_of(name, values=(), changes=(), vetoes="weight"):
    configuration = CONFIGURATION.with_values({key: _thawed(value) for key, value in changes})
    return build_chain([alone(find(name), dict(values))], configuration, vetoes)


def _thawed(value):
    return [_thawed(part) for part in value] if isinstance(value, tuple) else value


def produced(name, candidates, values=(), changes=(), vetoes="weight", first=0, key=KEY, chain=None, compact=False):
    """Events of a chain; values and changes as tuples of pairs. Those outside the acceptance too, unless compacted."""
    chain = chain or chain_of(name, values, changes, vetoes)
    event = chain.block()
    areas = ("beam", "track", "reco", "fate")
    parts = {area: [] for area in ("index", "weight", "momenta", *areas)}
    above = 0
    for lane, numbers in chain.batches(key, first, candidates):
        n = len(numbers)
        event.take(numbers)
        if compact:
            n, over = lane.run(key, n, event)
        else:
            over = lane.decay(key, n, event)
            for stage in (*lane.propagation, *lane.response):
                stage.run(key, n, event)
        above += over
        parts["index"].append(event.index[:n].copy())
        parts["weight"].append(event.weight[:n].copy())
        parts["momenta"].append(np.stack([rows.reshape(-1, BLOCK)[:, :n] for rows in event.momenta]))
        for area in areas:
            parts[area].append(getattr(event, area).reshape(-1, BLOCK)[:, :n].copy())
    return Events(**{area: np.concatenate(found, axis=-1) for area, found in parts.items()}, above=above)
