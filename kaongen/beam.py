"""The beam: momentum, direction and position of a kaon or pion, and where it decays.

All samples are per kaon decay in the decay volume: a decay elsewhere, or of a pion, has the weight of its probability
over that one's, at the same momentum.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from kaongen.beam_line import BeamLine, follow_back
from kaongen.configuration import Configuration
from kaongen.decays.flight import boost_from
from kaongen.decays.workspace import PX, PY, PZ, E
from kaongen.elementary import exp, log
from kaongen.event_block import K_E, K_PX, K_PY, K_PZ, K_X, K_Y, K_Z, M2_TRUE, EventBlock
from kaongen.jit import block_kernel, full_width, row, scalar_kernel
from kaongen.particles import M_K, M_PI, SPEED_OF_LIGHT, TAU_K, TAU_PI
from kaongen.random import BEAM, VERTEX, draw, normal_pair, uniform

_FIRST = np.uint64(0)
DECAY_LENGTH_PER_GEV = SPEED_OF_LIGHT * TAU_K / M_K
"""Mean decay length in m of a kaon, for each GeV of momentum."""

PION_LENGTH_PER_GEV = SPEED_OF_LIGHT * TAU_PI / M_PI
"""The same of a charged pion."""

Parent = Literal["kaon", "pion"]

Zone = Literal["volume", "entrance", "upstream"]
"""Where the beam particle decays: in the decay volume; between the last station of GTK and the volume, so that it is
measured like any other; or between KTAG and that station, so that it has no track of its own."""

# layout of the `decay` array handed to kernels: ends of the zone (m), the particle's mass (GeV) and mean decay length
# for each GeV, how many of them there are for each kaon
ZONE_START, ZONE_END, MASS, PER_GEV, ABUNDANCE = range(5)

# layout of the `optics` array handed to kernels
P_MEAN, P_SPREAD, DIVERGENCE, HALF_X, HALF_Y, SLOPE, ORIGIN_Z, START_Z, END_Z = range(9)


@scalar_kernel
def beam_track(key, index, stream, number, optics):  # type: ignore[no-untyped-def]
    """One beam particle: momentum (GeV), slopes dx/dz and dy/dz, x and y (m) at the start of the decay volume.

    It takes the draws `number` and `number + 1` (uint64) of the stream.
    """
    word_0, word_1, word_2, word_3 = draw(key, index, stream, number)
    a, b = normal_pair(word_0, word_1)
    c, _ = normal_pair(word_2, word_3)
    word_0, word_1, _, _ = draw(key, index, stream, number + np.uint64(1))
    start = optics[START_Z]
    slope = optics[SLOPE]
    x = slope * (start - optics[ORIGIN_Z]) + optics[HALF_X] * (2.0 * uniform(word_0) - 1.0)
    y = optics[HALF_Y] * (2.0 * uniform(word_1) - 1.0)
    return (
        optics[P_MEAN] + optics[P_SPREAD] * a,
        slope + optics[DIVERGENCE] * b,
        optics[DIVERGENCE] * c,
        x,
        y,
    )


@block_kernel
def parent(key, n, optics, decay, index, beam):  # type: ignore[no-untyped-def]
    """A beam particle for each event, on a straight line, and its decay vertex: exponential, inside the zone."""
    full_width()
    px, py, pz, energy = row(beam, K_PX), row(beam, K_PY), row(beam, K_PZ), row(beam, K_E)
    vx, vy, vz = row(beam, K_X), row(beam, K_Y), row(beam, K_Z)
    mass, per_gev = decay[MASS], decay[PER_GEV]
    start, length = decay[ZONE_START], decay[ZONE_END] - decay[ZONE_START]
    before = start - optics[START_Z]
    for j in range(n):
        p, slope_x, slope_y, x, y = beam_track(key, index[j], BEAM, _FIRST, optics)
        word, _, _, _ = draw(key, index[j], VERTEX, _FIRST)
        mean = per_gev * p
        flown = -mean * log(1.0 - uniform(word) * (1.0 - exp(-length / mean)))
        z = p / math.sqrt(1.0 + slope_x * slope_x + slope_y * slope_y)
        depth = before + flown
        px[j], py[j], pz[j], energy[j] = slope_x * z, slope_y * z, z, math.sqrt(p * p + mass * mass)
        vx[j], vy[j], vz[j] = x + slope_x * depth, y + slope_y * depth, start + flown


@block_kernel
def per_kaon(n, optics, decay, beam, weight):  # type: ignore[no-untyped-def]
    """Multiply the weight by the probability of a decay in the zone over that of a kaon's in the volume."""
    px, py, pz = row(beam, K_PX), row(beam, K_PY), row(beam, K_PZ)
    before, length = decay[ZONE_START] - optics[START_Z], decay[ZONE_END] - decay[ZONE_START]
    volume = optics[END_Z] - optics[START_Z]
    for j in range(n):
        p = math.sqrt(px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j])
        mean, kaon = decay[PER_GEV] * p, DECAY_LENGTH_PER_GEV * p
        # the beam is known at the start of the volume: further upstream there was more of it
        zone = exp(-before / mean) * (1.0 - exp(-length / mean))
        weight[j] *= decay[ABUNDANCE] * zone / (1.0 - exp(-volume / kaon))


@block_kernel
def true_missing_mass(n, mass, beam, momenta, reco):  # type: ignore[no-untyped-def]
    """(P_K - P)^2 of a particle of this mass, both in the laboratory."""
    px, py, pz, e = row(momenta, PX), row(momenta, PY), row(momenta, PZ), row(momenta, E)
    kx, ky, kz, ke = row(beam, K_PX), row(beam, K_PY), row(beam, K_PZ), row(beam, K_E)
    m2 = row(reco, M2_TRUE)
    for j in range(n):
        product = ke[j] * e[j] - kx[j] * px[j] - ky[j] * py[j] - kz[j] * pz[j]
        m2[j] = M_K * M_K + mass * mass - 2.0 * product


class Beam:
    """The beam of a configuration.

    Parameters
    ----------
    configuration
        Numbers of a data-taking period.
    zone
        Where the parents decay.
    particle
        What decays: one that is no kaon is tagged only when KTAG sees a kaon at the same time.

    Attributes
    ----------
    own_track
        Whether GTK measures the parent.
    tagged
        Whether KTAG sees the parent.
    line
        The magnets through which daughters made in front of the last station of GTK go; None where there are none.
    """

    def __init__(self, configuration: Configuration, zone: Zone = "volume", particle: Parent = "kaon") -> None:
        number, array = configuration.number, configuration.array
        half, volume = array("beam.half_width"), array("beam.decay_volume")
        self.optics = np.array(
            [
                number("beam.momentum"),
                number("beam.momentum_spread"),
                number("beam.divergence"),
                *half,
                number("beam.axis_slope"),
                number("beam.axis_origin"),
                *volume,
            ]
        )
        self.zone, self.particle = zone, particle
        self.own_track = zone != "upstream"
        self.tagged = particle == "kaon"
        self.line = BeamLine(configuration) if zone == "upstream" else None
        last_station = number("gtk.z")
        # what no kaon tag is asked of may decay in front of KTAG as well
        first = number("beam_line.ktag_exit") if self.tagged else number("beam_line.straight_from")
        start, end = (float(z) for z in volume)
        ends = {"volume": (start, end), "entrance": (last_station, start), "upstream": (first, last_station)}[zone]
        pions, kaons = array("beam.composition")[:2]
        kind = (M_K, DECAY_LENGTH_PER_GEV, 1.0) if self.tagged else (M_PI, PION_LENGTH_PER_GEV, pions / kaons)
        self.decay = np.array([*ends, *kind])

    def send(self, key: np.uint64, n: int, event: EventBlock) -> None:
        """Give each decay of the block its parent and its vertex."""
        parent(key, n, self.optics, self.decay, event.index, event.beam)
        if self.line is not None:
            follow_back(n, self.line.elements, event.beam)
        if self.zone != "volume" or not self.tagged:
            per_kaon(n, self.optics, self.decay, event.beam, event.weight)

    def boost(self, n: int, event: EventBlock, daughters: int) -> None:
        """Carry the daughters to the laboratory."""
        for momenta in event.momenta[:daughters]:
            boost_from(n, self.decay[MASS], event.beam, momenta)
