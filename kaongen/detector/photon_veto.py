"""LAV, LKr, IRC and SAC as photon vetoes: the probability that a photon leaves no signal in the first it meets.

Photons go straight in absolute coordinates: one emitted along the kaon's line misses the small-angle vetoes, which
stand on the beam that the spectrometer's magnet has bent. Straws, beam pipe and the frames of the counters stop none.
What becomes of one that turns into a pair before the magnet is `conversion`'s; behind it the pair flies on with it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kaongen.decays.workspace import PX, PY, PZ, E
from kaongen.detector.acceptance import in_octagon, in_small_ring
from kaongen.elementary import log
from kaongen.event_block import ACCEPTANCE, EFFICIENCY, K_X, K_Y, K_Z, SURVIVAL, T_LKR_ENERGY, T_LKR_X, T_LKR_Y
from kaongen.jit import BLOCK, block_kernel, full_width, row, scalar_kernel

NONE, LAV, IRC, LKR, SAC = range(-1, 4)
SYSTEMS = ("lav", "irc", "lkr", "sac")
"""The veto systems in the order of their tables."""

# Rows of a photon's own scratch: system met first, where it crosses the LKr and its slopes, the probability that it is
# not seen there, and, for `conversion`, the weight of its pair and a random number
STATION, AT_LKR_X, AT_LKR_Y, SLOPE_X, SLOPE_Y, MISSED, TRIED, WHERE = range(8)
SCRATCH_ROWS = 8

LEAST = 1e-9
"""What counts as a probability in a product whose size alone matters."""

# Tables are sampled on a common grid of ln E, so that a look-up needs no search.
GRID_POINTS = 512
GRID_LOW, GRID_HIGH = math.log(0.01), math.log(100.0)
_PER_STEP = (GRID_POINTS - 1) / (GRID_HIGH - GRID_LOW)

# layout of the `geometry` array (m)
IRC_Z, IRC_X, IRC_IN, IRC_OUT, LKR_Z, LKR_IN, LKR_OUT, SAC_Z, SAC_HALF, MERGE = range(10)


def inefficiency_grid(
    points: NDArray[np.float64], factor: float = 1.0, hard: float = 1.0, fade: ArrayLike = (1.0, 5.0)
) -> NDArray[np.float64]:
    """A table of (energy in GeV, inefficiency) on the common grid, interpolated in both logarithms.

    factor : on every inefficiency, which stays a probability. hard : a further one for hard photons; it sets in between
    the two energies of `fade` (GeV), so that thresholds stay where they are.
    """
    energy = np.linspace(GRID_LOW, GRID_HIGH, GRID_POINTS)
    with np.errstate(divide="ignore"):  # a probability of zero stays one
        logarithm = np.interp(energy, np.log(points[:, 0]), np.log(points[:, 1]))
    low, high = np.log(fade)
    logarithm += math.log(hard) * np.clip((energy - low) / (high - low), 0.0, 1.0)
    return np.minimum(factor * np.exp(logarithm), 1.0)


def scratch_rows(photons: int) -> list[NDArray[np.float64]]:
    """Room for every photon of an event, and, first, a row for what they have in common."""
    return [np.zeros(BLOCK), *(np.zeros(SCRATCH_ROWS * BLOCK) for _ in range(photons))]


@scalar_kernel
def inefficiency(tables, system, energy):
    """Probability that a shower of an energy (GeV) that begins in a system is not seen."""
    at = (log(max(energy, 0.01)) - GRID_LOW) * _PER_STEP
    return tables[system, min(np.int64(at + 0.5), GRID_POINTS - 1)]


@block_kernel
def find_station(n, lav, geometry, origin, momenta, scratch):
    """Which system a photon meets first, where it crosses the LKr and its slopes, into `scratch`.

    lav : (4, stations) front z, back z, inner and outer radius in m.
    """
    full_width()
    px, py, pz = row(momenta, PX), row(momenta, PY), row(momenta, PZ)
    x, y, z = row(origin, K_X), row(origin, K_Y), row(origin, K_Z)
    station, lkr_x, lkr_y = row(scratch, STATION), row(scratch, AT_LKR_X), row(scratch, AT_LKR_Y)
    slope_x, slope_y = row(scratch, SLOPE_X), row(scratch, SLOPE_Y)
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
def miss(n, first, tables, geometry, momenta, scratch, track, fate, together):
    """The probability that a photon is not seen in the system that it meets first; 1 if it meets none.

    tables : (4, GRID_POINTS) inefficiencies of `SYSTEMS`; together : (n,) their product for all photons, which starts
    with the `first`. A photon that falls into the candidate's own cluster in the LKr is not seen as another, but
    adds to its energy, which E/p sees. Nothing is added where the candidate is lost already.
    """
    _look_up(n, tables, momenta, scratch)
    energy, station, missed = row(momenta, E), row(scratch, STATION), row(scratch, MISSED)
    lkr_x, lkr_y = row(scratch, AT_LKR_X), row(scratch, AT_LKR_Y)
    own_x, own_y, own_energy = row(track, T_LKR_X), row(track, T_LKR_Y), row(track, T_LKR_ENERGY)
    inside, efficiency = row(fate, ACCEPTANCE), row(fate, EFFICIENCY)
    merge2 = geometry[MERGE] * geometry[MERGE]
    for j in range(n):
        dx, dy = lkr_x[j] - own_x[j], lkr_y[j] - own_y[j]
        if dx * dx + dy * dy < merge2 and station[j] == LKR:
            missed[j] = 1.0
            own_energy[j] += energy[j] if inside[j] * efficiency[j] > 0.0 else 0.0
        together[j] = (1.0 if first else together[j]) * max(missed[j], LEAST)


@block_kernel
def _look_up(n, tables, momenta, scratch):
    # a kernel of its own, because only then does LLVM vectorise it
    full_width()
    flat = tables.reshape(tables.size)
    energy, station, missed = row(momenta, E), row(scratch, STATION), row(scratch, MISSED)
    for j in range(n):
        at = min((log(max(energy[j], 0.01)) - GRID_LOW) * _PER_STEP + 0.5, GRID_POINTS - 1.0)
        system = max(station[j], 0.0)
        found = flat[np.int64(system * GRID_POINTS + at)]
        missed[j] = found if station[j] >= 0.0 else 1.0


@block_kernel
def veto(n, scratch, fate):
    """Multiply the survival by the probability that the photon is not seen, where pairs are left out."""
    full_width()
    missed, survival = row(scratch, MISSED), row(fate, SURVIVAL)
    for j in range(n):
        survival[j] *= missed[j]
