"""Vertex, closest approach, missing mass, and the angle that the vertex cut depends on."""

from __future__ import annotations

import math

from kaongen.event_block import (
    R_CDA,
    R_COS,
    R_KPX,
    R_KPY,
    R_KPZ,
    R_KX,
    R_KY,
    R_M2,
    R_M2_BEAM,
    R_PX,
    R_PY,
    R_PZ,
    R_VX,
    R_VY,
    R_VZ,
    R_X,
    R_Y,
)
from kaongen.jit import block_kernel, full_width, row
from kaongen.particles import M_K


@block_kernel
def reconstruct(n, kaon_z, track_z, mass, reco):
    """From a kaon line at `kaon_z` and a candidate's line at `track_z` (m), of this mass (GeV).

    The vertex is the middle of the shortest connection (m); the missing mass squared is (P_K - P)^2 in GeV^2; R_COS is
    the cosine of the angle between the kaon's flight in the laboratory and the candidate's in the kaon's rest frame.
    """
    full_width()
    kpx, kpy, kpz, kx, ky = row(reco, R_KPX), row(reco, R_KPY), row(reco, R_KPZ), row(reco, R_KX), row(reco, R_KY)
    px, py, pz, x, y = row(reco, R_PX), row(reco, R_PY), row(reco, R_PZ), row(reco, R_X), row(reco, R_Y)
    vx, vy, vz, cda = row(reco, R_VX), row(reco, R_VY), row(reco, R_VZ), row(reco, R_CDA)
    m2, cosine = row(reco, R_M2), row(reco, R_COS)
    k2, mass2 = M_K * M_K, mass * mass
    for j in range(n):
        ax, ay, bx, by = kpx[j] / kpz[j], kpy[j] / kpz[j], px[j] / pz[j], py[j] / pz[j]
        # both lines at z = kaon_z, and the z at which they are closest
        dx = x[j] - bx * (track_z - kaon_z) - kx[j]
        dy = y[j] - by * (track_z - kaon_z) - ky[j]
        # shortest connection of two lines in space, not at equal z
        aa, bb, ab = ax * ax + ay * ay + 1.0, bx * bx + by * by + 1.0, ax * bx + ay * by + 1.0
        ad, bd = ax * dx + ay * dy, bx * dx + by * dy
        # aa bb - ab^2, written so that nothing cancels for nearly parallel lines
        turn = ax * by - ay * bx
        determinant = (ax - bx) * (ax - bx) + (ay - by) * (ay - by) + turn * turn
        s = (ad * bb - bd * ab) / determinant
        t = (ad * ab - bd * aa) / determinant
        ex, ey, ez = dx + bx * t - ax * s, dy + by * t - ay * s, t - s
        vx[j] = kx[j] + ax * s + 0.5 * ex
        vy[j] = ky[j] + ay * s + 0.5 * ey
        vz[j] = kaon_z + s + 0.5 * ez
        cda[j] = math.sqrt(ex * ex + ey * ey + ez * ez)
        k_squared = kpx[j] * kpx[j] + kpy[j] * kpy[j] + kpz[j] * kpz[j]
        p_squared = px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j]
        k_energy, energy = math.sqrt(k_squared + k2), math.sqrt(p_squared + mass2)
        dot = kpx[j] * px[j] + kpy[j] * py[j] + kpz[j] * pz[j]
        product = k_energy * energy - dot
        m2[j] = k2 + mass2 - 2.0 * product
        # the candidate in the kaon's rest frame: energy from the invariant product, the part along the flight by boost
        k_momentum = math.sqrt(k_squared)
        along = (k_energy * dot / k_momentum - k_momentum * energy) / M_K
        total = math.sqrt(max(product * product / k2 - mass2, 1e-12))
        cosine[j] = along / total


@block_kernel
def with_beam_average(n, momentum, slope, mass, reco):
    """Missing mass squared (GeV^2) for a kaon of the beam's average momentum (GeV) and slope dx/dz."""
    full_width()
    px, py, pz, m2 = row(reco, R_PX), row(reco, R_PY), row(reco, R_PZ), row(reco, R_M2_BEAM)
    kz = momentum / math.sqrt(1.0 + slope * slope)
    kx, k_energy = slope * kz, math.sqrt(momentum * momentum + M_K * M_K)
    for j in range(n):
        energy = math.sqrt(px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j] + mass * mass)
        m2[j] = M_K * M_K + mass * mass - 2.0 * (k_energy * energy - kx * px[j] - kz * pz[j])
