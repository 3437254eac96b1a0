"""Prompt decays of daughters in the laboratory: pi0 -> gamma gamma."""

from __future__ import annotations

import math

import numpy as np

from kaongen.decays.workspace import PX, PY, PZ, E
from kaongen.elementary import sincos_turns
from kaongen.jit import block_kernel, full_width, row
from kaongen.kinematics import boost
from kaongen.random import SECONDARY, draw, uniform


@block_kernel
def to_photons(key, n, number, mass, index, parent, first, second):
    """Isotropic decay to two photons of a parent with momentum rows `parent` (GeV).

    `number` tells several decays of one event apart (uint64).
    """
    full_width()
    px, py, pz, e = row(parent, PX), row(parent, PY), row(parent, PZ), row(parent, E)
    x1, y1, z1, e1 = row(first, PX), row(first, PY), row(first, PZ), row(first, E)
    x2, y2, z2, e2 = row(second, PX), row(second, PY), row(second, PZ), row(second, E)
    half = 0.5 * mass
    for j in range(n):
        word_0, word_1, _, _ = draw(key, index[j], SECONDARY, np.uint64(number))
        c = 2.0 * uniform(word_0) - 1.0
        d = math.sqrt(1.0 - c * c)
        sine, cosine = sincos_turns(uniform(word_1))
        qx, qy, qz, q = boost(half * d * cosine, half * d * sine, half * c, half, px[j], py[j], pz[j], e[j], mass)
        x1[j], y1[j], z1[j], e1[j] = qx, qy, qz, q
        x2[j], y2[j], z2[j], e2[j] = px[j] - qx, py[j] - qy, pz[j] - qz, e[j] - q
