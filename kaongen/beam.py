"""The kaon beam: momentum, direction, position, and where each kaon decays."""

from __future__ import annotations

import math

import numpy as np

from kaongen.configuration import Configuration
from kaongen.decays.workspace import PX, PY, PZ, E
from kaongen.elementary import exp, log
from kaongen.event_block import K_E, K_PX, K_PY, K_PZ, K_X, K_Y, K_Z, M2_TRUE, EventBlock
from kaongen.jit import block_kernel, full_width, row, scalar_kernel
from kaongen.kinematics import boost
from kaongen.particles import M_K, SPEED_OF_LIGHT, TAU_K
from kaongen.random import BEAM, VERTEX, draw, normal_pair, uniform

_FIRST = np.uint64(0)
DECAY_LENGTH_PER_GEV = SPEED_OF_LIGHT * TAU_K / M_K
"""Mean decay length in m of a kaon, for each GeV of momentum."""

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
def kaon(key, n, optics, index, beam):  # type: ignore[no-untyped-def]
    """A kaon for each event, and its decay vertex: exponential, inside the decay volume."""
    full_width()
    px, py, pz, energy = row(beam, K_PX), row(beam, K_PY), row(beam, K_PZ), row(beam, K_E)
    vx, vy, vz = row(beam, K_X), row(beam, K_Y), row(beam, K_Z)
    length = optics[END_Z] - optics[START_Z]
    for j in range(n):
        p, slope_x, slope_y, x, y = beam_track(key, index[j], BEAM, _FIRST, optics)
        word, _, _, _ = draw(key, index[j], VERTEX, _FIRST)
        mean = DECAY_LENGTH_PER_GEV * p
        depth = -mean * log(1.0 - uniform(word) * (1.0 - exp(-length / mean)))
        z = p / math.sqrt(1.0 + slope_x * slope_x + slope_y * slope_y)
        px[j], py[j], pz[j], energy[j] = slope_x * z, slope_y * z, z, math.sqrt(p * p + M_K * M_K)
        vx[j], vy[j], vz[j] = x + slope_x * depth, y + slope_y * depth, optics[START_Z] + depth


@block_kernel
def to_laboratory(n, beam, momenta):  # type: ignore[no-untyped-def]
    """Boost one daughter from the kaon's rest frame to the laboratory, in place."""
    full_width()
    px, py, pz, e = row(momenta, PX), row(momenta, PY), row(momenta, PZ), row(momenta, E)
    kx, ky, kz, ke = row(beam, K_PX), row(beam, K_PY), row(beam, K_PZ), row(beam, K_E)
    for j in range(n):
        px[j], py[j], pz[j], e[j] = boost(px[j], py[j], pz[j], e[j], kx[j], ky[j], kz[j], ke[j], M_K)


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
    """The kaon beam of a configuration."""

    def __init__(self, configuration: Configuration) -> None:
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

    def send(self, key: np.uint64, n: int, event: EventBlock, daughters: int) -> None:
        """Give each decay of the block its kaon and carry the daughters to the laboratory."""
        kaon(key, n, self.optics, event.index, event.beam)
        for momenta in event.momenta[:daughters]:
            to_laboratory(n, event.beam, momenta)
