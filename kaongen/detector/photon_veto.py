"""LAV, LKr, IRC and SAC as photon vetoes: the probability that a photon leaves no signal in the first it meets.

Photons go straight in absolute coordinates: one emitted along the kaon's line misses the small-angle vetoes, which
stand on the beam that the spectrometer's magnet has bent.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kaongen.decays.workspace import PX, PY, PZ, E
from kaongen.detector.acceptance import in_octagon, in_small_ring
from kaongen.elementary import log
from kaongen.event_block import ACCEPTANCE, K_X, K_Y, K_Z, SURVIVAL, T_LKR_ENERGY, T_LKR_X, T_LKR_Y
from kaongen.jit import block_kernel, full_width, row

NONE, LAV, IRC, LKR, SAC = range(-1, 4)
SYSTEMS = ("lav", "irc", "lkr", "sac")
"""The veto systems in the order of their tables."""

# Tables are sampled on a common grid of ln E, so that a look-up needs no search.
GRID_POINTS = 512
GRID_LOW, GRID_HIGH = math.log(0.01), math.log(100.0)
_PER_STEP = (GRID_POINTS - 1) / (GRID_HIGH - GRID_LOW)

# layout of the `geometry` array (m)
IRC_Z, IRC_X, IRC_IN, IRC_OUT, LKR_Z, LKR_IN, LKR_OUT, SAC_Z, SAC_HALF, MERGE = range(10)


def inefficiency_grid(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A table of (energy in GeV, inefficiency) on the common grid, interpolated in both logarithms."""
    energy = np.exp(np.linspace(GRID_LOW, GRID_HIGH, GRID_POINTS))
    with np.errstate(divide="ignore"):  # a probability of zero stays one
        return np.exp(np.interp(np.log(energy), np.log(points[:, 0]), np.log(points[:, 1])))


@block_kernel
def find_station(n, lav, geometry, origin, momenta, scratch):
    """Which system a photon meets first, into row 0 of `scratch`; where it crosses the LKr, into rows 1 and 2.

    lav : (4, stations) front z, back z, inner and outer radius in m.
    """
    full_width()
    px, py, pz = row(momenta, PX), row(momenta, PY), row(momenta, PZ)
    x, y, z = row(origin, K_X), row(origin, K_Y), row(origin, K_Z)
    station, lkr_x, lkr_y = row(scratch, 0), row(scratch, 1), row(scratch, 2)
    slope_x, slope_y = row(scratch, 3), row(scratch, 4)
    irc_z, irc_x, irc_in, irc_out = geometry[IRC_Z], geometry[IRC_X], geometry[IRC_IN], geometry[IRC_OUT]
    lkr_z, lkr_in, lkr_out = geometry[LKR_Z], geometry[LKR_IN], geometry[LKR_OUT]
    sac_z, sac_half = geometry[SAC_Z], geometry[SAC_HALF]
    # from the last that can be met to the first: the first overwrites
    for j in range(n):
        inverse = 1.0 / max(pz[j], 1e-9)
        sx, sy = px[j] * inverse, py[j] * inverse
        slope_x[j], slope_y[j] = sx, sy
        at_x, at_y = x[j] + sx * (sac_z - z[j]), y[j] + sy * (sac_z - z[j])
        found = SAC if (abs(at_x) < sac_half) & (abs(at_y) < sac_half) & (z[j] < sac_z) else NONE
        lkr_x[j], lkr_y[j] = x[j] + sx * (lkr_z - z[j]), y[j] + sy * (lkr_z - z[j])
        found = LKR if in_octagon(lkr_x[j], lkr_y[j], lkr_in, lkr_out) & (z[j] < lkr_z) else found
        at_x, at_y = x[j] + sx * (irc_z - z[j]), y[j] + sy * (irc_z - z[j])
        station[j] = IRC if in_small_ring(at_x, at_y, irc_x, irc_in, irc_out) & (z[j] < irc_z) else found
    _enter_lav(n, lav, x, y, z, slope_x, slope_y, station)
    for j in range(n):
        station[j] = station[j] if pz[j] > 0.0 else NONE


@block_kernel
def _enter_lav(n, lav, x, y, z, slope_x, slope_y, station):
    # a kernel of its own, because only then does LLVM vectorise it
    full_width()
    for k in range(lav.shape[1]):
        front, back = lav[0, k], lav[1, k]
        inner2, outer2 = lav[2, k] * lav[2, k], lav[3, k] * lav[3, k]
        for j in range(n):
            front_x, front_y = x[j] + slope_x[j] * (front - z[j]), y[j] + slope_y[j] * (front - z[j])
            back_x, back_y = x[j] + slope_x[j] * (back - z[j]), y[j] + slope_y[j] * (back - z[j])
            front_r2 = front_x * front_x + front_y * front_y
            back_r2 = back_x * back_x + back_y * back_y
            entered = (front_r2 > inner2) & (front_r2 < outer2) | (back_r2 > inner2) & (back_r2 < outer2)
            station[j] = LAV if entered & (z[j] < front) else station[j]


@block_kernel
def veto(n, tables, geometry, momenta, scratch, track, fate):
    """Multiply the survival by the probability that the photon is not seen.

    tables : (4, GRID_POINTS) inefficiencies of `SYSTEMS`. Events whose candidate is outside the acceptance are left
    alone. A photon that falls into the candidate's own cluster in
    the LKr is not seen as another, but adds to its energy, which E/p sees.
    """
    energy, station = row(momenta, E), row(scratch, 0)
    lkr_x, lkr_y = row(scratch, 1), row(scratch, 2)
    own_x, own_y, own_energy = row(track, T_LKR_X), row(track, T_LKR_Y), row(track, T_LKR_ENERGY)
    inside, survival = row(fate, ACCEPTANCE), row(fate, SURVIVAL)
    merge2 = geometry[MERGE] * geometry[MERGE]
    for j in range(n):
        system = np.int64(station[j])
        if system >= 0 and inside[j] > 0.0:
            dx, dy = lkr_x[j] - own_x[j], lkr_y[j] - own_y[j]
            if system == LKR and dx * dx + dy * dy < merge2:
                own_energy[j] += energy[j]
            else:
                at = (log(max(energy[j], 0.01)) - GRID_LOW) * _PER_STEP
                survival[j] *= tables[system, min(np.int64(at + 0.5), GRID_POINTS - 1)]
