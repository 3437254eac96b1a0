"""Four-vectors of scalars as tuples (px, py, pz, E) in GeV; metric (+, -, -, -)."""

from __future__ import annotations

from kaongen.jit import scalar_kernel


@scalar_kernel
def dot(a, b):
    """a.b in GeV^2."""
    return a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2]


@scalar_kernel
def add(a, b):
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]


@scalar_kernel
def sub(a, b):
    return a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]
