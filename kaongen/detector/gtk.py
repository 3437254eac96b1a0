"""GTK: momentum, direction, position and time of the kaon, among the other particles of the beam.

The kaon's own track may be missing, and tracks of other beam particles are there by chance. Among all that agree in
time with the kaon's tag, the one is taken for the kaon that agrees best in time and place with the candidate's track.
The resolution of 16 urad (NA62, JHEP 03 (2021) 058) is taken to contain Gaussian multiple scattering in the last
station: pixels of 0.087 mm rms at a distance of 9.6 m give 12.8 urad, 0.5% of a radiation length gives 10 urad.

Tracks put together from hits of two particles are left out. Hits of three stations must lie on a line in x within a
few tenths of a millimetre, of a beam of 60 mm, with a momentum in a window that holds a sixth of the combinations and
slopes in another: there should be about a hundred times fewer of them than true tracks of other particles.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kaongen.beam import DIVERGENCE, P_SPREAD, START_Z, beam_track
from kaongen.configuration import Configuration
from kaongen.elementary import exp, log
from kaongen.event_block import (
    EFFICIENCY,
    K_DX,
    K_DY,
    K_PX,
    K_PY,
    K_PZ,
    K_X,
    K_Y,
    K_Z,
    R_DT,
    R_KPX,
    R_KPY,
    R_KPZ,
    R_KX,
    R_KY,
    R_PX,
    R_PY,
    R_PZ,
    R_TRACK,
    R_X,
    R_Y,
)
from kaongen.jit import BLOCK, block_kernel, full_width, row, scalar_kernel
from kaongen.random import GTK, PILEUP, draw, normal_pair, uniform

_FIRST, _SECOND = np.uint64(0), np.uint64(1)
_DRAWS_PER_TRACK, _TIME = np.uint64(8), np.uint64(2)
_MOST = 100

# layout of the `response` array: z (m); resolutions (GeV, rad, m, and ns from the tag); spread of the closest approach
# of true pairs (m); half-width of the time window (ns); efficiency; largest discriminant; rate of the beam (1/ns);
# limits of momentum (GeV) and slopes; efficiency for the decayed particle's own track
Z, SIGMA_P, SIGMA_ANGLE, SIGMA_X, SIGMA_T, SIGMA_D, WINDOW, FOUND, CUT, RATE = range(10)
P_LOW, P_HIGH, SLOPE_X_LOW, SLOPE_X_HIGH, SLOPE_Y_LOW, SLOPE_Y_HIGH, OWN_FOUND = range(10, 17)

# layout of the `beam_average` array: momentum (GeV), slopes, x and y at the last station (m)
AVERAGE_P, AVERAGE_SLOPE_X, AVERAGE_SLOPE_Y, AVERAGE_X, AVERAGE_Y = range(5)

OWN, NO_TRACK = 0.0, -1.0
"""In R_TRACK: the kaon's own track, none at all; 1, 2, ... are those of other beam particles."""

FORCED_MISSING = 0.12
"""Share of events in which the kaon's own track is made to be missing; weights undo the bias."""


def response(configuration: Configuration, own_track: bool = True) -> NDArray[np.float64]:
    """Numbers of a configuration, in the layout above; without `own_track`, only other particles cross the stations."""
    number, array = configuration.number, configuration.array
    return np.array(
        [
            number("gtk.z"),
            number("gtk.momentum_resolution"),
            number("gtk.angle_resolution"),
            number("gtk.position_resolution"),
            math.hypot(number("gtk.time_resolution"), number("ktag.time_resolution")),
            number("gtk.approach_spread"),
            number("gtk.window"),
            number("gtk.efficiency"),
            number("gtk.discriminant_cut"),
            number("beam.rate"),
            *array("gtk.momentum_limits"),
            *array("gtk.slope_x_limits"),
            *array("gtk.slope_y_limits"),
            number("gtk.efficiency") if own_track else 0.0,
        ]
    )


def beam_average(configuration: Configuration) -> NDArray[np.float64]:
    """The middle of the beam at the last station, in the layout above."""
    number = configuration.number
    slope = number("beam.axis_slope")
    at = slope * (number("gtk.z") - number("beam.axis_origin"))
    return np.array([number("beam.momentum"), slope, 0.0, at, 0.0])


@scalar_kernel
def approach(dx, dy, ax, ay, bx, by):
    """Closest approach (m) of two lines with slopes a and b that are (dx, dy) apart at one z."""
    nx, ny, nz = ay - by, bx - ax, ax * by - ay * bx
    return abs(dx * nx + dy * ny) / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-30)


@block_kernel
def measure(n, key, response, forced, chamber_z, optics, index, beam, reco, fate):
    """The kaon as measured at the last station: momentum (GeV), x and y there (m), time from the tag (ns).

    It needs the candidate as measured at `chamber_z`. Without any track the efficiency becomes 0. With `forced`, a
    fixed share has no track of its own, but always one of another particle in time, and the efficiency carries the
    probability of both; without, tracks are lost and found as in nature.
    """
    scratch = np.empty(6 * BLOCK)
    _measure_own(n, key, response, index, beam, reco, scratch)
    _judge_own(n, response, forced, chamber_z, reco, fate, scratch)
    _compete(n, key, response, optics, index, reco, fate, scratch)


# rows of the scratch: the discriminant to beat, the time within which that is possible, a number that says how many
# tracks are in that time, the probability of none, and the candidate at the last station
_BEST, _HALF, _NUMBER, _NONE, _CANDIDATE_X, _CANDIDATE_Y = range(6)
# before the own track is judged: a number that says whether it is there
_EXISTS = _BEST


@block_kernel
def _measure_own(n, key, response, index, beam, reco, scratch):
    # a kernel of its own, because only then does LLVM vectorise it
    full_width()
    px, py, pz = row(beam, K_PX), row(beam, K_PY), row(beam, K_PZ)
    vx, vy, vz = row(beam, K_X), row(beam, K_Y), row(beam, K_Z)
    bent_x, bent_y = row(beam, K_DX), row(beam, K_DY)
    out_px, out_py, out_pz = row(reco, R_KPX), row(reco, R_KPY), row(reco, R_KPZ)
    out_x, out_y, time = row(reco, R_KX), row(reco, R_KY), row(reco, R_DT)
    exists, number = row(scratch, _EXISTS), row(scratch, _NUMBER)
    station, sigma_t = response[Z], response[SIGMA_T]
    sigma_p, sigma_angle, sigma_x = response[SIGMA_P], response[SIGMA_ANGLE], response[SIGMA_X]
    for j in range(n):
        word_0, word_1, word_2, word_3 = draw(key, index[j], GTK, _FIRST)
        a, b = normal_pair(word_0, word_1)
        c, d = normal_pair(word_2, word_3)
        word_0, word_1, word_2, word_3 = draw(key, index[j], GTK, _SECOND)
        e, f = normal_pair(word_0, word_1)
        exists[j], number[j] = uniform(word_2), uniform(word_3)
        p = math.sqrt(px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j]) + sigma_p * a
        sx, sy = px[j] / pz[j], py[j] / pz[j]
        out_x[j] = vx[j] - sx * (vz[j] - station) + sigma_x * d
        out_y[j] = vy[j] - sy * (vz[j] - station) + sigma_x * e
        sx, sy = sx - bent_x[j] + sigma_angle * b, sy - bent_y[j] + sigma_angle * c
        z = p / math.sqrt(1.0 + sx * sx + sy * sy)
        out_px[j], out_py[j], out_pz[j] = sx * z, sy * z, z
        time[j] = sigma_t * f


@block_kernel
def _judge_own(n, response, forced, chamber_z, reco, fate, scratch):
    full_width()
    px, py, pz = row(reco, R_KPX), row(reco, R_KPY), row(reco, R_KPZ)
    x, y, track, time = row(reco, R_KX), row(reco, R_KY), row(reco, R_TRACK), row(reco, R_DT)
    muon_px, muon_py, muon_pz = row(reco, R_PX), row(reco, R_PY), row(reco, R_PZ)
    muon_x, muon_y = row(reco, R_X), row(reco, R_Y)
    efficiency = row(fate, EFFICIENCY)
    best, half_time, number = row(scratch, _BEST), row(scratch, _HALF), row(scratch, _NUMBER)
    nothing, candidate_x, candidate_y = row(scratch, _NONE), row(scratch, _CANDIDATE_X), row(scratch, _CANDIDATE_Y)
    window, cut, reach = response[WINDOW], response[CUT], response[SIGMA_T]
    per_time, per_distance = 1.0 / response[SIGMA_T] ** 2, 1.0 / response[SIGMA_D] ** 2
    found, rate = response[OWN_FOUND], -2.0 * response[FOUND] * response[RATE]
    p2_low, p2_high = response[P_LOW] ** 2, response[P_HIGH] ** 2
    x_low, x_high = response[SLOPE_X_LOW], response[SLOPE_X_HIGH]
    y_low, y_high = response[SLOPE_Y_LOW], response[SLOPE_Y_HIGH]
    missing = FORCED_MISSING if forced and found < 1.0 else 1.0 - found
    if_found = found / (1.0 - missing) if forced else 1.0
    if_missing = (1.0 - found) / max(missing, 1e-12) if forced else 1.0
    never_alone = 1.0 if forced else 0.0
    lever = chamber_z - response[Z]
    for j in range(n):
        inverse, by_candidate = 1.0 / pz[j], 1.0 / muon_pz[j]
        sx, sy = px[j] * inverse, py[j] * inverse
        bx, by = muon_px[j] * by_candidate, muon_py[j] * by_candidate
        at_x, at_y = muon_x[j] - bx * lever, muon_y[j] - by * lever
        distance = approach(at_x - x[j], at_y - y[j], sx, sy, bx, by)
        discriminant = time[j] * time[j] * per_time + distance * distance * per_distance
        p2 = px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j]
        exists = best[j] >= missing
        usable = (p2 > p2_low) & (p2 < p2_high) & (sx > x_low) & (sx < x_high) & (sy > y_low) & (sy < y_high)
        own = exists & usable & (abs(time[j]) < window) & (discriminant < cut)
        to_beat = discriminant if own else cut
        half = min(window, reach * math.sqrt(to_beat))
        none = exp(rate * half)
        raised = 0.0 if exists else never_alone
        likely = (if_found if exists else if_missing) * (1.0 - raised * none)
        best[j], half_time[j], nothing[j] = to_beat, half, none
        number[j] = number[j] + raised * none * (1.0 - number[j])
        candidate_x[j], candidate_y[j] = at_x, at_y
        track[j] = OWN if own else NO_TRACK
        time[j] = time[j] if own else 0.0
        efficiency[j] *= likely


# rows of the other tracks: momentum, slopes, x and y at the last station, time as a share of the largest
_OTHER_P, _OTHER_SLOPE_X, _OTHER_SLOPE_Y, _OTHER_X, _OTHER_Y, _OTHER_TIME = range(6)


@block_kernel
def _compete(n, key, response, optics, index, reco, fate, scratch):
    track, efficiency = row(reco, R_TRACK), row(fate, EFFICIENCY)
    number, nothing = row(scratch, _NUMBER), row(scratch, _NONE)
    # the beam as it is seen: Gaussian spreads add in quadrature, and the pixels are nothing to the size of the beam
    seen = optics.copy()
    seen[P_SPREAD] = math.sqrt(optics[P_SPREAD] ** 2 + response[SIGMA_P] ** 2)
    seen[DIVERGENCE] = math.sqrt(optics[DIVERGENCE] ** 2 + response[SIGMA_ANGLE] ** 2)
    event, event_index, which = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    others = np.empty(6 * BLOCK)
    m = 0
    for j in range(n):
        if number[j] < nothing[j]:
            continue
        # inverse of the Poisson distribution
        mean = -log(nothing[j])
        term, below, k = nothing[j], nothing[j], 0
        while number[j] >= below and k < _MOST:
            k += 1
            term *= mean / k
            below += term
            event[m], event_index[m], which[m] = j, index[j], np.uint64(k)
            m += 1
            if m == BLOCK:
                _send_others(m, key, seen, response[Z], event_index, which, others)
                _choose(m, response, event, which, others, reco, scratch)
                m = 0
    _send_others(m, key, seen, response[Z], event_index, which, others)
    _choose(m, response, event, which, others, reco, scratch)
    for j in range(n):
        efficiency[j] = 0.0 if track[j] == NO_TRACK else efficiency[j]


@block_kernel
def _send_others(m, key, seen, station, index, which, others):
    full_width()
    p, sx, sy = row(others, _OTHER_P), row(others, _OTHER_SLOPE_X), row(others, _OTHER_SLOPE_Y)
    x, y, time = row(others, _OTHER_X), row(others, _OTHER_Y), row(others, _OTHER_TIME)
    back = station - seen[START_Z]
    for i in range(m):
        first = _DRAWS_PER_TRACK * which[i]
        p[i], slope_x, slope_y, at_x, at_y = beam_track(key, index[i], PILEUP, first, seen)
        sx[i], sy[i], x[i], y[i] = slope_x, slope_y, at_x + slope_x * back, at_y + slope_y * back
        word, _, _, _ = draw(key, index[i], PILEUP, first + _TIME)
        time[i] = 2.0 * uniform(word) - 1.0


@block_kernel
def _choose(m, response, event, which, others, reco, scratch):
    """Take other tracks for the kaon's where they agree better with the candidate."""
    muon_px, muon_py, muon_pz = row(reco, R_PX), row(reco, R_PY), row(reco, R_PZ)
    out_px, out_py, out_pz = row(reco, R_KPX), row(reco, R_KPY), row(reco, R_KPZ)
    out_x, out_y, track, time = row(reco, R_KX), row(reco, R_KY), row(reco, R_TRACK), row(reco, R_DT)
    best, half_time = row(scratch, _BEST), row(scratch, _HALF)
    candidate_x, candidate_y = row(scratch, _CANDIDATE_X), row(scratch, _CANDIDATE_Y)
    p, sx, sy = row(others, _OTHER_P), row(others, _OTHER_SLOPE_X), row(others, _OTHER_SLOPE_Y)
    x, y, share = row(others, _OTHER_X), row(others, _OTHER_Y), row(others, _OTHER_TIME)
    per_time, per_distance = 1.0 / response[SIGMA_T] ** 2, 1.0 / response[SIGMA_D] ** 2
    p_low, p_high = response[P_LOW], response[P_HIGH]
    x_low, x_high = response[SLOPE_X_LOW], response[SLOPE_X_HIGH]
    y_low, y_high = response[SLOPE_Y_LOW], response[SLOPE_Y_HIGH]
    for i in range(m):
        j = event[i]
        ax, ay, bx, by = sx[i], sy[i], muon_px[j] / muon_pz[j], muon_py[j] / muon_pz[j]
        dt = half_time[j] * share[i]
        distance = approach(candidate_x[j] - x[i], candidate_y[j] - y[i], ax, ay, bx, by)
        discriminant = dt * dt * per_time + distance * distance * per_distance
        usable = (p[i] > p_low) & (p[i] < p_high) & (ax > x_low) & (ax < x_high) & (ay > y_low) & (ay < y_high)
        if usable and discriminant < best[j]:
            best[j] = discriminant
            z = p[i] / math.sqrt(1.0 + ax * ax + ay * ay)
            out_px[j], out_py[j], out_pz[j] = ax * z, ay * z, z
            out_x[j], out_y[j], track[j], time[j] = x[i], y[i], float(which[i]), dt


@block_kernel
def average(n, beam_average, reco):
    """Without GTK: every kaon has the beam's average momentum and direction, and is on its axis."""
    full_width()
    px, py, pz = row(reco, R_KPX), row(reco, R_KPY), row(reco, R_KPZ)
    x, y, track, time = row(reco, R_KX), row(reco, R_KY), row(reco, R_TRACK), row(reco, R_DT)
    sx, sy = beam_average[AVERAGE_SLOPE_X], beam_average[AVERAGE_SLOPE_Y]
    p_z = beam_average[AVERAGE_P] / math.sqrt(1.0 + sx * sx + sy * sy)
    for j in range(n):
        px[j], py[j], pz[j] = sx * p_z, sy * p_z, p_z
        x[j], y[j] = beam_average[AVERAGE_X], beam_average[AVERAGE_Y]
        track[j], time[j] = OWN, 0.0
