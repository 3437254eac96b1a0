"""Two-body decays, and decays to a muon and a system that is not resolved: back to back, isotropic."""

from __future__ import annotations

import math

import numpy as np

from kaongen.decays.alias import choose
from kaongen.decays.workspace import PX, PY, PZ, E
from kaongen.elementary import sincos_turns
from kaongen.jit import block_kernel, full_width, row
from kaongen.random import draw, uniform


@block_kernel
def settle(key, n, stream, first_draw, index, steps, heights, alias, point, weight):
    """A momentum (GeV) for each of n decays, in row 0 of `point`; the first attempt is always accepted.

    steps : (2,) first momentum and width of a step; heights : the spectrum at the ends of the steps, between which it
    is linear; alias : which step, by its content. A single momentum is one step of no width.
    """
    p = row(point, 0)
    low, width = steps[0], steps[1]
    for j in range(n):
        weight[j] = 1.0
        p[j] = low
    if width > 0.0:
        for j in range(n):
            word_0, word_1, _, _ = draw(key, index[j], stream, first_draw)
            step = choose(word_0, alias)
            u = uniform(word_1)
            f, g = heights[step], heights[step + np.uint64(1)]
            # inverse of the cumulative of a density that goes linearly from f to g
            inside = u * (f + g) / (f + math.sqrt(f * f + u * (g * g - f * f)))
            p[j] = low + (np.float64(np.int64(step)) + inside) * width


@block_kernel
def momenta(key, n, stream, number, index, parent, m1, point, p1, p2):
    """Momenta of particle 1, of mass m1, and of what recoils against it, in the parent's rest frame.

    Rows PX, PY, PZ, E in GeV. The second energy is what energy conservation leaves, whatever the recoil's mass.
    """
    full_width()
    momentum = row(point, 0)
    x1, y1, z1, e1 = row(p1, PX), row(p1, PY), row(p1, PZ), row(p1, E)
    x2, y2, z2, e2 = row(p2, PX), row(p2, PY), row(p2, PZ), row(p2, E)
    for j in range(n):
        word_0, word_1, _, _ = draw(key, index[j], stream, number)
        c = 2.0 * uniform(word_0) - 1.0
        sine, cosine = sincos_turns(uniform(word_1))
        p = momentum[j]
        across = p * math.sqrt(1.0 - c * c)
        energy = math.sqrt(p * p + m1 * m1)
        x1[j], y1[j], z1[j], e1[j] = across * cosine, across * sine, p * c, energy
        x2[j], y2[j], z2[j], e2[j] = -across * cosine, -across * sine, -p * c, parent - energy
