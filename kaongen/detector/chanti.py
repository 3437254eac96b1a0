"""CHANTI: the counters around the beam behind GTK3, against charged particles made upstream of them."""

from __future__ import annotations

from kaongen.decays.workspace import PX, PY, PZ
from kaongen.event_block import K_X, K_Y, K_Z, SURVIVAL
from kaongen.jit import block_kernel, row


@block_kernel
def veto(n, stations, half_side, hole_x, hole_y, axis_slope, axis_origin, inefficiency, origin, momenta, fate):
    """Multiply the survival by the inefficiency of each station that a charged daughter crosses (m).

    The stations are square frames around the beam axis. What flies forward from behind the last one touches none.
    """
    px, py, pz = row(momenta, PX), row(momenta, PY), row(momenta, PZ)
    x, y, z = row(origin, K_X), row(origin, K_Y), row(origin, K_Z)
    survival = row(fate, SURVIVAL)
    last = stations[stations.size - 1]
    for j in range(n):
        if z[j] > last and pz[j] > 0.0:
            continue
        for k in range(stations.size):
            forward = (stations[k] > z[j]) == (pz[j] > 0.0)
            distance = stations[k] - z[j]
            at_x = abs(x[j] + px[j] / pz[j] * distance - axis_slope * (stations[k] - axis_origin))
            at_y = abs(y[j] + py[j] / pz[j] * distance)
            outside = (at_x > hole_x) | (at_y > hole_y)
            if forward and outside and at_x < half_side and at_y < half_side:
                survival[j] *= inefficiency
