"""RICH: how often a ring is taken for that of the hypothesis, and the momentum that it measures.

A ring's angle follows from mass and momentum, theta^2 = 2(n-1) - m^2/p^2, and so does its light, which is proportional
to theta^2: the number of hits is Poissonian, and the error of the angle goes with one over its root. On top of the
Gaussian overlap comes a floor of rings gone wrong (overlaps, scattered tracks, hits of others).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, ndtr

from kaongen.detector.identification import (
    AVERAGED,
    ELECTRON,
    MASSES,
    MUON,
    momentum_at,
    momentum_grid,
    species_at,
)
from kaongen.errors import CardError
from kaongen.event_block import (
    R_KPX,
    R_KPY,
    R_KPZ,
    R_M2,
    R_M2_RICH,
    R_PX,
    R_PY,
    R_PZ,
    T_ELECTRON_Z,
    T_END_P,
    T_KINK_Z,
    T_MUON_Z,
    T_P,
)
from kaongen.jit import block_kernel, full_width, row
from kaongen.particles import M_E, M_K, M_MU, M_PI
from kaongen.random import STRAW, draw, normal_pair

_RING = np.uint64(8)
"""Of the spectrometer's stream: 0 to 7 are the track's."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rings:
    """What the rings of the neon radiator are like.

    Parameters
    ----------
    refractivity
        n - 1.
    resolution
        Error of the angle of a ring of full light (rad).
    hits
        Mean number of hits of a ring of full light, that of a particle of velocity 1.
    """

    refractivity: float
    resolution: float
    hits: float

    def threshold(self, mass: float) -> float:
        """Momentum from which on a particle of this mass (GeV) gives light, in GeV."""
        return mass / math.sqrt(2.0 * self.refractivity)

    def light(self, mass: float, p: Array) -> Array:
        """Mean number of hits at momentum p (GeV)."""
        return self.hits * self.angle(mass, p) ** 2 / (2.0 * self.refractivity)

    def angle(self, mass: float, p: Array) -> Array:
        """Of the Cherenkov light (rad); 0 below the threshold."""
        squared = 2.0 * self.refractivity - np.square(mass / np.maximum(p, 1e-3))
        return np.sqrt(np.maximum(squared, 0.0))

    def error(self, mass: float, p: Array) -> Array:
        """Of the ring's angle (rad)."""
        return self.resolution * np.sqrt(self.hits / np.maximum(self.light(mass, p), 1e-3))

    def found(self, mass: float, p: Array, hits: float) -> Array:
        """Probability of at least so many hits."""
        return np.asarray(gammainc(hits, self.light(mass, p)))

    def between(self, mass: float, p: Array, low: Array, high: Array) -> Array:
        """Probability that the ring's angle is measured between two (rad)."""
        angle, error = self.angle(mass, p), self.error(mass, p)
        return np.where(high > low, ndtr((high - angle) / error) - ndtr((low - angle) / error), 0.0)


@dataclass(frozen=True)
class PionCut:
    """What a ring must be like for a pion.

    Parameters
    ----------
    hits
        Least number.
    low, high
        Window of the mass that ring and track give together (GeV).
    likelihood
        Largest ratio of the likelihood of a muon to that of a pion.
    """

    hits: float
    low: float
    high: float
    likelihood: float

    def window(self, rings: Rings, p: Array) -> tuple[Array, Array]:
        """Smallest and largest angle (rad) at momentum p (GeV). The track's error is negligible beside the ring's."""
        pion, muon, error = rings.angle(M_PI, p), rings.angle(M_MU, p), rings.error(M_PI, p)
        apart = np.maximum(muon - pion, 1e-9)
        likely = 0.5 * (pion + muon) + math.log(self.likelihood) * error**2 / apart
        slow = rings.angle(self.high, p)
        return np.where(slow > 0.0, slow, -np.inf), np.minimum(likely, rings.angle(self.low, p))

    def passes(self, rings: Rings, mass: float, p: Array) -> Array:
        """Probability of a particle of this mass, if no ring goes wrong."""
        return rings.found(mass, p, self.hits) * rings.between(mass, p, *self.window(rings, p))


@dataclass(frozen=True)
class MuonCut:
    """What a ring must be like for a muon: nearer to its angle than to those of positron and pion.

    Where a muon would give too few hits for a ring, none is asked for: there, it is enough not to look like a positron.

    Parameters
    ----------
    hits
        Least number.
    """

    hits: float

    def window(self, rings: Rings, p: Array) -> tuple[Array, Array]:
        """Smallest and largest angle (rad) at momentum p (GeV)."""
        muon, pion = rings.angle(M_MU, p), rings.angle(M_PI, p)
        return np.where(pion > 0.0, 0.5 * (muon + pion), -np.inf), 0.5 * (muon + rings.angle(M_E, p))

    def passes(self, rings: Rings, mass: float, p: Array) -> Array:
        """Probability of a particle of this mass to have a ring like this, if none goes wrong."""
        return rings.found(mass, p, self.hits) * rings.between(mass, p, *self.window(rings, p))

    def passes_dark(self, rings: Rings, mass: float, p: Array) -> Array:
        """Probability to have no ring where none is asked for."""
        return (1.0 - rings.found(mass, p, self.hits)) * (rings.light(M_MU, p) < self.hits)


def of_pions(rings: Rings, cut: PionCut, pion_average: float, muon_average: float) -> Array:
    """Table of the probability to be taken for a pion: rows for a pion, muon and electron.

    The averages over flat momenta are those of NA62; they fix the efficiency for good rings, and the floor of rings
    gone wrong, which is the same for every particle that is not a pion.
    """
    p = np.linspace(*AVERAGED, 4001)
    efficiency = pion_average / cut.passes(rings, M_PI, p).mean()
    overlap = efficiency * cut.passes(rings, M_MU, p).mean()
    floor = (muon_average - overlap) / rings.found(M_MU, p, cut.hits).mean()
    if efficiency > 1.0 or floor < 0.0:
        raise CardError(
            f"rich: rings of this resolution identify {pion_average / efficiency:.3g} of pions at most, and "
            f"{overlap:.2g} of muons as pions at least, which is not what rich.pion_efficiency = {pion_average} and "
            f"rich.muon_as_pion = {muon_average} ask for"
        )
    p = momentum_grid()
    pion, *others = (efficiency * cut.passes(rings, mass, p) for mass in MASSES)
    wrong = (floor * rings.found(mass, p, cut.hits) for mass in MASSES[1:])
    return np.stack([pion, *(good + bad for good, bad in zip(others, wrong, strict=True))])


def of_muons(rings: Rings, cut: MuonCut, efficiency: float, floor: float) -> Array:
    """Table of the probability to be taken for a muon: rows for a pion, muon and electron.

    efficiency : for good rings. floor : of pions and electrons whose ring goes wrong.
    """
    p = momentum_grid()
    rows = []
    for mass in MASSES:
        wrong = 0.0 if mass == M_MU else floor * rings.found(mass, p, cut.hits)
        ring = np.minimum(efficiency * cut.passes(rings, mass, p) + wrong, 1.0)
        rows.append(ring + cut.passes_dark(rings, mass, p))
    return np.stack(rows)


# layout of the `response` array: z of the mirror (m), n - 1, error of the angle of a ring of full light (rad), its mean
# number of hits, and how many make a ring
MIRROR_Z, REFRACTIVITY, RESOLUTION, HITS, LEAST_HITS = range(5)
_HIGHEST = 100.0  # GeV: of a ring as wide as those of light particles, or wider


@block_kernel
def measure(n, key, response, index, track, reco):
    """Missing mass squared (GeV^2) of the kaon and a pion with the track's direction and the momentum of the ring.

    Without a ring it is the spectrometer's.
    """
    full_width()
    p, end_p, kink_z = row(track, T_P), row(track, T_END_P), row(track, T_KINK_Z)
    muon_z, electron_z = row(track, T_MUON_Z), row(track, T_ELECTRON_Z)
    kx, ky, kz = row(reco, R_KPX), row(reco, R_KPY), row(reco, R_KPZ)
    px, py, pz = row(reco, R_PX), row(reco, R_PY), row(reco, R_PZ)
    m2, m2_rich = row(reco, R_M2), row(reco, R_M2_RICH)
    mirror, largest = response[MIRROR_Z], 2.0 * response[REFRACTIVITY]
    resolution, least = response[RESOLUTION], response[LEAST_HITS] / response[HITS]
    k2, pi2 = M_K * M_K, M_PI * M_PI
    for j in range(n):
        word_0, word_1, _, _ = draw(key, index[j], STRAW, _RING)
        a, _ = normal_pair(word_0, word_1)
        species = species_at(mirror, muon_z[j], electron_z[j])
        mass = M_E if species == ELECTRON else (M_MU if species == MUON else M_PI)
        momentum = momentum_at(mirror, kink_z[j], p[j], end_p[j])
        squared = largest - mass * mass / (momentum * momentum)
        share = squared / largest
        # any number does where there is no ring
        share_or_1 = share if share > least else 1.0
        angle = math.sqrt(share_or_1 * largest) + resolution / math.sqrt(share_or_1) * a
        angle = max(angle, 0.0)
        measured2 = pi2 / max(largest - angle * angle, pi2 / (_HIGHEST * _HIGHEST))
        dot = kx[j] * px[j] + ky[j] * py[j] + kz[j] * pz[j]
        track2 = px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j]
        kaon_energy = math.sqrt(kx[j] * kx[j] + ky[j] * ky[j] + kz[j] * kz[j] + k2)
        energy = math.sqrt(measured2 + pi2)
        missing = k2 + pi2 - 2.0 * (kaon_energy * energy - dot * math.sqrt(measured2 / track2))
        m2_rich[j] = missing if share > least else m2[j]
