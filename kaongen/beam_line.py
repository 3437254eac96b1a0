"""The beam line from KTAG to the dump: magnets, scraper and final collimator, in absolute coordinates.

Every element deflects as a uniform field along its length would. Iron is around its rectangular aperture, up to its
outer size; there is no field in the iron of a dipole, and that of the scraper goes around the beam. Between elements,
everything goes straight: there is no quadrupole behind KTAG.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kaongen.configuration import Configuration
from kaongen.decays.workspace import PX, PY, PZ, E
from kaongen.elementary import log
from kaongen.event_block import K_PX, K_PY, K_PZ, K_X, K_Y, K_Z
from kaongen.jit import block_kernel, row, scalar_kernel
from kaongen.particles import SPEED_OF_LIGHT
from kaongen.random import HALO, draw, normal_pair

# columns of an element of the line: where it begins and ends (m), momentum that it adds for the charge +1 (GeV), middle
# and half sizes of its aperture and half sizes of its iron (m), momentum that the field in the iron adds away from the
# middle (GeV)
FRONT, BACK, KICK_X, KICK_Y, MIDDLE_Y, HALF_X, HALF_Y, OUTER_X, OUTER_Y, OUTWARD = range(10)
ELEMENT_COLUMNS = 10

SLICES = 4
"""Parts of an element, in the middle of each of which a particle is either in its aperture or in its iron."""

_SLOT_DRAWS = np.uint64(64)
"""Draws that each particle of an event has for its way through the line."""

_MUON_STOPS = 0.2
"""Momentum in GeV below which a muon stays in the iron."""

ABSORBED = 1e-9
"""Size of the momentum (GeV) that is left to what was absorbed; it points upstream."""


class BeamLine:
    """Magnets and iron of a configuration.

    elements : (n, ELEMENT_COLUMNS) those between KTAG and the last station of GTK, in the order of z.
    iron : loss of a muon in GeV/m and radiation length in m.
    end : z (m) of the plane to which particles made further upstream are carried.
    """

    def __init__(self, configuration: Configuration) -> None:
        number, array = configuration.number, configuration.array
        gap, yoke = array("beam_line.magnet_gap"), array("beam_line.magnet_yoke")
        scraper_in, scraper_out = array("beam_line.scraper_radii")
        momentum = number("beam.momentum")
        tesla = SPEED_OF_LIGHT * number("beam_line.magnet_field")
        rows = []
        for name, sign in (("first_pair", -1.0), ("second_pair", 1.0)):
            for front, back in array(f"beam_line.{name}"):
                rows.append([front, back, 0.0, sign * tesla * (back - front), 0.0, *gap, *yoke, 0.0])
                sign = -sign
        front, back = array("beam_line.scraper")
        outward = SPEED_OF_LIGHT * number("beam_line.scraper_field") * (back - front)
        rows.append([front, back, 0.0, 0.0, 0.0, scraper_in, scraper_in, scraper_out, scraper_out, outward])
        front, back = array("beam_line.collimator")
        aperture, outer = array("beam_line.collimator_aperture"), array("beam_line.collimator_outer")
        rows.append([front, back, 0.0, 0.0, 0.0, *aperture, *outer, 0.0])
        trim_z = number("beam_line.trim_z")
        rows.append([trim_z, trim_z, number("beam_line.trim_kick"), 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0])
        self.elements = np.array(sorted(rows))
        self.momentum = momentum
        self.iron = np.array([number("beam_line.iron_loss"), number("beam_line.iron_radiation_length")])
        self.end = number("gtk.z")
        spectrometer = number("straw.magnet_z"), -number("straw.kick")
        downstream = spectrometer, (number("beam_line.sweep_z"), number("beam_line.sweep_kick"))
        self._downstream = np.array([[z, z, k] + [0.0] * (ELEMENT_COLUMNS - 3) for z, k in downstream])
        # apertures stand around the beam of the nominal momentum
        middles = 0.5 * (self.elements[:, FRONT] + self.elements[:, BACK])
        self.elements[:, MIDDLE_Y] = np.where(self.elements[:, OUTER_X] > 0.0, self.axis(middles)[1], 0.0)

    def axis(self, z: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """x and y (m) of a particle of the nominal momentum that enters along the axis, at z (m) behind KTAG."""
        at = np.asarray(z, dtype=np.float64)
        x, y = np.zeros(at.shape), np.zeros(at.shape)
        for element in (*self.elements, *self._downstream):
            inside = np.clip(at, element[FRONT], element[BACK]) - element[FRONT]
            length = element[BACK] - element[FRONT]
            share = inside / length if length > 0.0 else (at > element[FRONT]).astype(float)
            lever = share * (at - element[FRONT] - 0.5 * inside) / self.momentum
            x += element[KICK_X] * lever
            y += element[KICK_Y] * lever
        return x, y


@block_kernel
def follow_back(n, elements, beam):  # type: ignore[no-untyped-def]
    """Put the elements behind the vertex into the way of a beam particle that was followed back on a straight line.

    In place: its vertex (m) at the same z, and its momentum there; it has the charge +1.
    """
    px, py, pz = row(beam, K_PX), row(beam, K_PY), row(beam, K_PZ)
    x, y, z = row(beam, K_X), row(beam, K_Y), row(beam, K_Z)
    for j in range(n):
        p2 = px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j]
        qx, qy, qz = px[j], py[j], pz[j]
        at = z[j]
        for k in range(elements.shape[0] - 1, -1, -1):
            front, back = elements[k, FRONT], elements[k, BACK]
            if z[j] >= back:
                continue
            begin = max(z[j], front)
            share = (back - begin) / (back - front) if back > front else 1.0
            # the part that it crossed bends in its middle
            middle = 0.5 * (begin + back)
            x[j] += qx / qz * (middle - at)
            y[j] += qy / qz * (middle - at)
            at = middle
            qx -= share * elements[k, KICK_X]
            qy -= share * elements[k, KICK_Y]
            qz = math.sqrt(p2 - qx * qx - qy * qy)
        x[j] += qx / qz * (z[j] - at)
        y[j] += qy / qz * (z[j] - at)
        px[j], py[j], pz[j] = qx, qy, qz


@scalar_kernel
def in_iron(x, y, element):  # type: ignore[no-untyped-def]
    """Beside the aperture of an element, and not outside all of it."""
    dx, dy = abs(x), abs(y - element[MIDDLE_Y])
    outside = (dx > element[HALF_X]) | (dy > element[HALF_Y])
    return outside & (dx < element[OUTER_X]) & (dy < element[OUTER_Y])


@block_kernel
def carry(  # type: ignore[no-untyped-def]
    n, key, slot, charge, mass, penetrates, elements, iron, end, index, origin, momenta, start
):
    """Carry a particle that begins in front of the plane `end` (m) to it, through the line.

    Its momentum changes in place; where it then begins goes into `start`. In iron, a muon (`penetrates`) loses energy
    and scatters; anything else is absorbed. What is absorbed, or flies backwards, is left at `end` with a momentum
    that is next to nothing and points upstream: it meets no detector. What begins behind `end` stays as it is.
    """
    px, py, pz, energy = row(momenta, PX), row(momenta, PY), row(momenta, PZ), row(momenta, E)
    from_x, from_y, from_z = row(origin, K_X), row(origin, K_Y), row(origin, K_Z)
    to_x, to_y, to_z = row(start, K_X), row(start, K_Y), row(start, K_Z)
    loss, radiation_length = iron[0], iron[1]
    for j in range(n):
        x, y, z = from_x[j], from_y[j], from_z[j]
        to_x[j], to_y[j], to_z[j] = x, y, z
        if z >= end:
            continue
        qx, qy, qz = px[j], py[j], pz[j]
        alive = qz > 0.0
        for k in range(elements.shape[0]):
            element = elements[k]
            front, back = element[FRONT], element[BACK]
            if not alive or back <= z:
                continue
            thickness = (back - front) / SLICES
            for part in range(SLICES if back > front else 1):
                begin, stop = max(front + part * thickness, z), front + (part + 1) * thickness
                if begin > stop or not alive:
                    continue
                length = stop - begin
                middle = 0.5 * (begin + stop)
                at_x, at_y = x + qx / qz * (middle - z), y + qy / qz * (middle - z)
                share = length / (back - front) if back > front else 1.0
                if in_iron(at_x, at_y, element):
                    if not penetrates:
                        alive = False
                        continue
                    p = math.sqrt(qx * qx + qy * qy + qz * qz)
                    slower = p - loss * length * p / qz
                    if slower < _MUON_STOPS:
                        alive = False
                        continue
                    # Highland; its logarithm is that of the whole element
                    scale = 0.0136 / p * (1.0 + 0.038 * log((back - front) / radiation_length))
                    angle = scale * math.sqrt(length / radiation_length)
                    number = np.uint64(slot) * _SLOT_DRAWS + np.uint64(SLICES * k + part)
                    word_0, word_1, word_2, word_3 = draw(key, index[j], HALO, number)
                    turn_x, turn_y = normal_pair(word_0, word_1)
                    along_x, along_y = normal_pair(word_2, word_3)
                    # a kink in the middle leaves out the part of the displacement that knows nothing of the angle
                    shift = angle * length / math.sqrt(12.0)
                    off_y = at_y - element[MIDDLE_Y]
                    radius = math.sqrt(at_x * at_x + off_y * off_y)
                    outward = charge * element[OUTWARD] * share
                    slope_x, slope_y = qx / qz + angle * turn_x, qy / qz + angle * turn_y
                    total = slower / math.sqrt(1.0 + slope_x * slope_x + slope_y * slope_y)
                    qx = slope_x * total + outward * at_x / max(radius, 1e-6)
                    qy = slope_y * total + outward * (at_y - element[MIDDLE_Y]) / max(radius, 1e-6)
                    left = slower * slower - qx * qx - qy * qy
                    x, y, z = at_x + shift * along_x, at_y + shift * along_y, middle
                elif charge != 0.0 and (element[KICK_X] != 0.0 or element[KICK_Y] != 0.0):
                    total2 = qx * qx + qy * qy + qz * qz
                    qx += charge * element[KICK_X] * share
                    qy += charge * element[KICK_Y] * share
                    left = total2 - qx * qx - qy * qy
                    x, y, z = at_x, at_y, middle
                else:
                    continue
                if left <= 0.0:
                    # bent round
                    alive = False
                    continue
                qz = math.sqrt(left)
        to_z[j] = end
        if alive:
            to_x[j], to_y[j] = x + qx / qz * (end - z), y + qy / qz * (end - z)
            px[j], py[j], pz[j] = qx, qy, qz
            energy[j] = math.sqrt(qx * qx + qy * qy + qz * qz + mass * mass)
        else:
            px[j], py[j], pz[j], energy[j] = 0.0, 0.0, -ABSORBED, math.sqrt(mass * mass + ABSORBED * ABSORBED)
