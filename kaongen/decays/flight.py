"""Daughters that decay in flight: from their rest frame to the laboratory, and how far they get."""

from __future__ import annotations

from kaongen.decays.workspace import PX, PY, PZ, VERTEX_X, VERTEX_Y, VERTEX_Z, E
from kaongen.elementary import log
from kaongen.jit import block_kernel, full_width, row
from kaongen.kinematics import boost
from kaongen.random import SECONDARY, draw, uniform


@block_kernel
def boost_from(n, mass, parent, momenta):
    """Carry momenta, in place, from the rest frame of a parent of this mass to the frame of `parent` (GeV)."""
    full_width()
    px, py, pz, e = row(momenta, PX), row(momenta, PY), row(momenta, PZ), row(momenta, E)
    qx, qy, qz, qe = row(parent, PX), row(parent, PY), row(parent, PZ), row(parent, E)
    for j in range(n):
        px[j], py[j], pz[j], e[j] = boost(px[j], py[j], pz[j], e[j], qx[j], qy[j], qz[j], qe[j], mass)


@block_kernel
def fly(key, n, number, index, length_per_momentum, parent, start, end):
    """Vertices (m) at the ends of exponential flights along the parents' momenta.

    length_per_momentum : mean flight over momentum, c tau/m in m/GeV.
    """
    full_width()
    px, py, pz = row(parent, PX), row(parent, PY), row(parent, PZ)
    x, y, z = row(start, VERTEX_X), row(start, VERTEX_Y), row(start, VERTEX_Z)
    to_x, to_y, to_z = row(end, VERTEX_X), row(end, VERTEX_Y), row(end, VERTEX_Z)
    for j in range(n):
        word_0, word_1, _, _ = draw(key, index[j], SECONDARY, number)
        # two words: 32 bits alone would end the flights at 22 mean lives, in steps
        share = uniform(word_0) + (uniform(word_1) - 0.5) * 2.0**-32
        far = -log(share) * length_per_momentum
        to_x[j], to_y[j], to_z[j] = x[j] + far * px[j], y[j] + far * py[j], z[j] + far * pz[j]
