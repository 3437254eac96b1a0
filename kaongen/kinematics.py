"""Relativistic kinematics of scalars in GeV: boosts, invariants, two-body momentum."""

from __future__ import annotations

import math

from kaongen.jit import scalar_kernel


@scalar_kernel
def kallen(a, b, c):
    """Triangle function a^2 + b^2 + c^2 - 2(ab + bc + ca)."""
    return (a - b - c) * (a - b - c) - 4.0 * b * c


@scalar_kernel
def two_body_momentum(m, m1, m2):
    """Momentum of either daughter in the rest frame of m -> m1 m2; 0 below threshold."""
    # factorised, so that nothing cancels near threshold
    product = max(m - m1 - m2, 0.0) * (m + m1 + m2) * (m - m1 + m2) * (m + m1 - m2)
    return math.sqrt(max(product, 0.0)) / (2.0 * m)


@scalar_kernel
def boost(px, py, pz, e, frame_px, frame_py, frame_pz, frame_e, frame_m):
    """Carry a momentum from the rest frame of a body to the frame in which the body has (frame_p, frame_e).

    Returns px, py, pz, e.
    """
    along = px * frame_px + py * frame_py + pz * frame_pz
    factor = (along / (frame_e + frame_m) + e) / frame_m
    return px + factor * frame_px, py + factor * frame_py, pz + factor * frame_pz, (e * frame_e + along) / frame_m
