"""STRAW: momentum, direction and position of the charged track, as they were before the magnet.

A track that is one particle from the first chamber to the last gets the published errors. One that decays in between
is measured in four points and fitted: mostly it is no track any more.
"""

from __future__ import annotations

import math

import numpy as np

from kaongen.event_block import (
    EFFICIENCY,
    R_PX,
    R_PY,
    R_PZ,
    R_X,
    R_Y,
    T_CHARGE,
    T_END_P,
    T_KINK_Z,
    T_P,
    T_PX,
    T_PY,
    T_PZ,
    T_X1,
    T_X2,
    T_X3,
    T_X4,
    T_Y1,
    T_Y2,
    T_Y3,
    T_Y4,
)
from kaongen.jit import block_kernel, full_width, row, scalar_kernel
from kaongen.random import STRAW, draw, normal_pair

_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH, _SIXTH = (np.uint64(number) for number in range(6))

# layout of the `response` array: sigma_p/p = constant (+) linear p; angle = constant (+) scattering/p; position (m);
# probability that a track is found; the largest chi-squared of one that decays between the chambers
P_CONSTANT, P_LINEAR, ANGLE_CONSTANT, ANGLE_SCATTERING, POSITION, FOUND, CHI2_CUT = range(7)


@scalar_kernel
def momentum_error(p, constant, linear):
    """sigma_p/p of a track of momentum p (GeV)."""
    return math.sqrt(constant * constant + linear * linear * p * p)


@scalar_kernel
def angle_error(p, constant, scattering):
    """Error of dx/dz and of dy/dz of a track of momentum p (GeV)."""
    inverse = 1.0 / p
    return math.sqrt(constant * constant + scattering * scattering * inverse * inverse)


@block_kernel
def measure(n, key, response, chambers, magnet_z, kick, index, track, reco, fate):
    """Momentum in GeV, and x and y in m at the first chamber; multiply the efficiency by that of a track.

    chambers : (4,) z of the chambers, and magnet_z, in m; kick in GeV.
    """
    _smear(n, key, response, index, track, reco, fate)
    _refit(n, key, response, chambers, magnet_z, kick, index, track, reco, fate)


@block_kernel
def _smear(n, key, response, index, track, reco, fate):
    """Gaussian errors of the published size."""
    full_width()
    p, px, py, pz = row(track, T_P), row(track, T_PX), row(track, T_PY), row(track, T_PZ)
    x, y = row(track, T_X1), row(track, T_Y1)
    out_px, out_py, out_pz = row(reco, R_PX), row(reco, R_PY), row(reco, R_PZ)
    out_x, out_y, efficiency = row(reco, R_X), row(reco, R_Y), row(fate, EFFICIENCY)
    constant, linear, position = response[P_CONSTANT], response[P_LINEAR], response[POSITION]
    floor, scattering, found = response[ANGLE_CONSTANT], response[ANGLE_SCATTERING], response[FOUND]
    for j in range(n):
        word_0, word_1, word_2, word_3 = draw(key, index[j], STRAW, _FIRST)
        a, b = normal_pair(word_0, word_1)
        c, d = normal_pair(word_2, word_3)
        word_0, word_1, _, _ = draw(key, index[j], STRAW, _SECOND)
        e, _ = normal_pair(word_0, word_1)
        angle = angle_error(p[j], floor, scattering)
        measured = p[j] * (1.0 + momentum_error(p[j], constant, linear) * a)
        sx = px[j] / pz[j] + angle * b
        sy = py[j] / pz[j] + angle * c
        z = measured / math.sqrt(1.0 + sx * sx + sy * sy)
        out_px[j], out_py[j], out_pz[j] = sx * z, sy * z, z
        out_x[j], out_y[j] = x[j] + position * d, y[j] + position * e
        efficiency[j] *= found


@block_kernel
def _refit(n, key, response, chambers, magnet_z, kick, index, track, reco, fate):
    """Tracks that decay between the first chamber and the last: four points with errors, and the fit to them.

    Each chamber turns the particle by a Gaussian angle in each plane, with the constant by which the published angle
    grows towards low momenta. That is the first chamber's share of the error; those of the second and the third make
    the constant term of the momentum's. Of the published angle's constant term the points make a part only; the rest
    is added to the fitted direction. The track is lost if it does not fit, or bends as the other charge.
    """
    charge, p, end_p, kink_z = row(track, T_CHARGE), row(track, T_P), row(track, T_END_P), row(track, T_KINK_Z)
    x1, x2, x3, x4 = row(track, T_X1), row(track, T_X2), row(track, T_X3), row(track, T_X4)
    y1, y2, y3, y4 = row(track, T_Y1), row(track, T_Y2), row(track, T_Y3), row(track, T_Y4)
    out_px, out_py, out_pz = row(reco, R_PX), row(reco, R_PY), row(reco, R_PZ)
    out_x, out_y, efficiency = row(reco, R_X), row(reco, R_Y), row(fate, EFFICIENCY)
    sigma, scattering, cut = response[POSITION], response[ANGLE_SCATTERING], response[CHI2_CUT]
    floor2 = response[ANGLE_CONSTANT] * response[ANGLE_CONSTANT]
    z1, z2, z3, z4 = chambers[0], chambers[1], chambers[2], chambers[3]
    for j in range(n):
        at = kink_z[j]
        if at >= z4:
            continue
        word_0, word_1, word_2, word_3 = draw(key, index[j], STRAW, _THIRD)
        ex1, ey1 = normal_pair(word_0, word_1)
        ex2, ey2 = normal_pair(word_2, word_3)
        word_0, word_1, word_2, word_3 = draw(key, index[j], STRAW, _FOURTH)
        ex3, ey3 = normal_pair(word_0, word_1)
        ex4, ey4 = normal_pair(word_2, word_3)
        word_0, word_1, word_2, word_3 = draw(key, index[j], STRAW, _FIFTH)
        tx1, ty1 = normal_pair(word_0, word_1)
        tx2, ty2 = normal_pair(word_2, word_3)
        word_0, word_1, word_2, word_3 = draw(key, index[j], STRAW, _SIXTH)
        tx3, ty3 = normal_pair(word_0, word_1)
        dx, dy = normal_pair(word_2, word_3)
        turn_1, turn_2 = scattering / p[j], scattering / (p[j] if at > z2 else end_p[j])
        turn_3 = scattering / (p[j] if at > z3 else end_p[j])
        px1, py1 = x1[j] + sigma * ex1, y1[j] + sigma * ey1
        px2 = x2[j] + sigma * ex2 + turn_1 * tx1 * (z2 - z1)
        py2 = y2[j] + sigma * ey2 + turn_1 * ty1 * (z2 - z1)
        px3 = x3[j] + sigma * ex3 + turn_1 * tx1 * (z3 - z1) + turn_2 * tx2 * (z3 - z2)
        py3 = y3[j] + sigma * ey3 + turn_1 * ty1 * (z3 - z1) + turn_2 * ty2 * (z3 - z2)
        px4 = x4[j] + sigma * ex4 + turn_1 * tx1 * (z4 - z1) + turn_2 * tx2 * (z4 - z2) + turn_3 * tx3 * (z4 - z3)
        py4 = y4[j] + sigma * ey4 + turn_1 * ty1 * (z4 - z1) + turn_2 * ty2 * (z4 - z2) + turn_3 * ty3 * (z4 - z3)
        # errors of the points as the fit sees them: from the momentum that they suggest
        roughly = abs((px2 - px1) / (z2 - z1) - (px4 - px3) / (z4 - z3))
        turn = scattering * roughly / kick
        # a detector without errors has no fit
        assumed = max(sigma, 1e-9)
        x, slope_x, bend, chi2_x, error2_x = fit_bent(px1, px2, px3, px4, z1, z2, z3, z4, magnet_z, assumed, turn)
        y, slope_y, chi2_y, error2_y = fit_straight(py1, py2, py3, py4, z1, z2, z3, z4, assumed, turn)
        if chi2_x + chi2_y > cut or bend * charge[j] <= 0.0:
            efficiency[j] = 0.0
        else:
            slope_x += math.sqrt(max(floor2 - error2_x, 0.0)) * dx
            slope_y += math.sqrt(max(floor2 - error2_y, 0.0)) * dy
            z = kick / (abs(bend) * math.sqrt(1.0 + slope_x * slope_x + slope_y * slope_y))
            out_px[j], out_py[j], out_pz[j] = slope_x * z, slope_y * z, z
            out_x[j], out_y[j] = x, y


@scalar_kernel
def fit_bent(x1, x2, x3, x4, z1, z2, z3, z4, magnet_z, sigma, turn):
    """Position and slope at the first chamber, bend towards negative x in the magnet, chi-squared, and the square of
    the slope's error (m, rad).

    Least squares with errors sigma of the points, and turn of the directions behind the second and third chamber,
    done by condition: two lines meet in the magnet if r = 0, and points move by covariance times gradient of r.
    """
    front, back = (magnet_z - z1) / (z2 - z1), (magnet_z - z3) / (z4 - z3)
    a1, a2, a3, a4 = 1.0 - front, front, back - 1.0, -back
    r = a1 * x1 + a2 * x2 + a3 * x3 + a4 * x4
    # how a turn in the second and in the third chamber moves r
    b2, b3 = a3 * (z3 - z2) + a4 * (z4 - z2), a4 * (z4 - z3)
    s2, t2 = sigma * sigma, turn * turn
    variance = s2 * (a1 * a1 + a2 * a2 + a3 * a3 + a4 * a4) + t2 * (b2 * b2 + b3 * b3)
    pull = r / variance
    f1, f2 = x1 - s2 * a1 * pull, x2 - s2 * a2 * pull
    f3 = x3 - (s2 * a3 + t2 * b2 * (z3 - z2)) * pull
    f4 = x4 - (s2 * a4 + t2 * (b2 * (z4 - z2) + b3 * (z4 - z3))) * pull
    slope = (f2 - f1) / (z2 - z1)
    # of the first two points, less what the condition knows of it
    change = s2 * (a2 - a1)
    error2 = (2.0 * s2 - change * change / variance) / ((z2 - z1) * (z2 - z1))
    return f1, slope, slope - (f4 - f3) / (z4 - z3), r * pull, error2


@scalar_kernel
def fit_straight(y1, y2, y3, y4, z1, z2, z3, z4, sigma, turn):
    """Position and slope at the first chamber, chi-squared, and the square of the slope's error (m, rad).

    Errors and method are those of `fit_bent`. The two conditions: the third and the fourth point lie on the line
    through the first two.
    """
    c, d = (z3 - z1) / (z2 - z1), (z4 - z1) / (z2 - z1)
    r, q = y3 - c * y2 - (1.0 - c) * y1, y4 - d * y2 - (1.0 - d) * y1
    s2, t2 = sigma * sigma, turn * turn
    l3, l4, l5 = z3 - z2, z4 - z2, z4 - z3
    rr = s2 * ((1.0 - c) * (1.0 - c) + c * c + 1.0) + t2 * l3 * l3
    qq = s2 * ((1.0 - d) * (1.0 - d) + d * d + 1.0) + t2 * (l4 * l4 + l5 * l5)
    rq = s2 * ((1.0 - c) * (1.0 - d) + c * d) + t2 * l3 * l4
    determinant = rr * qq - rq * rq
    u, v = (qq * r - rq * q) / determinant, (rr * q - rq * r) / determinant
    # what is behind the first two chambers moves only these conditions' own points
    f1, f2 = y1 + s2 * ((1.0 - c) * u + (1.0 - d) * v), y2 + s2 * (c * u + d * v)
    change_r, change_q = s2 * (1.0 - 2.0 * c), s2 * (1.0 - 2.0 * d)
    known = (qq * change_r * change_r - 2.0 * rq * change_r * change_q + rr * change_q * change_q) / determinant
    error2 = (2.0 * s2 - known) / ((z2 - z1) * (z2 - z1))
    return f1, (f2 - f1) / (z2 - z1), r * u + q * v, error2
