"""n-body phase space: from the unit hypercube to momenta in the parent's rest frame, with their exact weight.

The first k particles form a system of mass S_k: S_n is the parent's mass, S_1 the first particle's. A decay is a chain
S_k -> S_(k-1) + particle k, and its phase space is

    Phi_n = 1/M  prod_(k=2..n) q_k/(4 pi)  prod_(k=2..n-1) dS_k/pi  <angles>

with q_k the momentum in the rest frame of S_k, averaged over the directions of each two-body decay (PDG, Kinematics;
dPhi_n = (2 pi)^4 delta^4(P - sum p) prod d^3p/((2 pi)^3 2E)). By isotropy the direction of the last particle, and the
turn of everything about it, are left to an overall orientation, which leaves 3n - 7 coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kaongen.elementary import sincos_turns
from kaongen.errors import ProcessError
from kaongen.jit import BLOCK, block_kernel, full_width, row
from kaongen.kinematics import two_body_momentum


@dataclass(frozen=True, slots=True)
class PhaseSpace:
    """The phase space of some daughters, with the masses of the systems that their first k form.

    masses : of the daughters in GeV, in the order of the chain.
    lower, upper : (n + 1,) float64, range of S_k in GeV at position k; only k = 2 .. n - 1 are free.
    """

    parent: float
    masses: tuple[float, ...]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    @property
    def particles(self) -> int:
        return len(self.masses)

    @property
    def dimensions(self) -> int:
        return 3 * self.particles - 7

    @property
    def constant(self) -> float:
        """What multiplies the mean of `unfold`'s weight over the hypercube to give phase space.

        In GeV^(2n - 4), and less by one for each system whose mass is fixed: its dS/pi is left out.
        """
        free = sum(1 for k in range(2, self.particles) if self.upper[k] > self.lower[k])
        return 1.0 / (self.parent * (4.0 * math.pi) ** (self.particles - 1) * math.pi**free)

    def arrays(self) -> tuple[float, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Parent, masses, lower and upper, as kernels take them."""
        return self.parent, np.array(self.masses), self.lower, self.upper


def phase_space(
    parent: float, masses: Sequence[float], limits: Mapping[int, tuple[float, float]] | None = None
) -> PhaseSpace:
    """Phase space of a decay.

    Parameters
    ----------
    parent
        Mass of the decaying particle in GeV.
    masses
        Of the daughters in GeV, three or more, in the order in which they are chained.
    limits
        For a number k of daughters, the range in GeV within which the mass of the first k must lie; equal ends fix it:
        the system is then on its mass shell, and 1/(2 m^2 Gamma), dS/pi with its propagator, left to the caller.

    Raises
    ------
    ProcessError
        Below threshold, or where limits leave no phase space.
    """
    n = len(masses)
    if sum(masses) >= parent:
        raise ProcessError(
            f"the daughters' masses add up to {sum(masses):.6g} GeV: they must be below {parent:.6g} GeV"
        )
    lower, upper = np.zeros(n + 1), np.zeros(n + 1)
    lower[1] = upper[1] = masses[0]
    lower[n] = upper[n] = parent
    given = dict(limits or {})
    if unknown := [k for k in given if not 2 <= k < n]:
        raise ProcessError(f"limits on the mass of the first {unknown[0]} of {n} daughters: only 2 to {n - 1} are free")
    for k in range(2, n):
        lower[k] = max(lower[k - 1] + masses[k - 1], given.get(k, (0.0, parent))[0])
    for k in range(n - 1, 1, -1):
        upper[k] = min(upper[k + 1] - masses[k], given.get(k, (0.0, parent))[1])
        if upper[k] < lower[k] or lower[k] + masses[k] >= upper[k + 1]:
            raise ProcessError(
                f"the limits leave no phase space: the mass of the first {k} daughters would lie between "
                f"{lower[k]:.6g} and {upper[k]:.6g} GeV"
            )
    return PhaseSpace(parent, tuple(masses), lower, upper)


def work_rows(particles: int) -> int:
    """Rows that `unfold` needs for its own: the masses of the systems."""
    return particles + 1


@block_kernel
def unfold(n, parent, masses, lower, upper, coordinates, work, momenta, weight):
    """Momenta of n events from their coordinates.

    coordinates : rows of the unit hypercube: first the masses S_(n-1) .. S_2, then the cosines of the angles in the
        systems S_2 .. S_(n-1), then the azimuths in S_2 .. S_(n-2).
    momenta : rows px, py, pz, E of each particle in turn in GeV; the last one goes along -z, and the system it leaves
        turns in the x-z plane.
    weight : set to the product of the momenta q_k and of the lengths of the free mass ranges.
    """
    full_width()
    bodies = masses.size
    top = row(work, bodies)
    for j in range(n):
        top[j] = parent
        weight[j] = 1.0
    axis = 0
    for k in range(bodies - 1, 1, -1):
        outer, inner, u = row(work, k + 1), row(work, k), row(coordinates, axis)
        low, high, next_mass = lower[k], upper[k], masses[k]
        if high > low:
            for j in range(n):
                length = min(high, outer[j] - next_mass) - low
                inner[j] = low + u[j] * length
                # a system above may be too light for the least that this one must have
                weight[j] *= max(length, 0.0)
        else:
            for j in range(n):
                inner[j] = low
        axis += 1
    one, two = masses[0], masses[1]
    x, y, z, e = row(momenta, 0), row(momenta, 1), row(momenta, 2), row(momenta, 3)
    x2, y2, z2, e2 = row(momenta, 4), row(momenta, 5), row(momenta, 6), row(momenta, 7)
    pair, u = row(work, 2), row(coordinates, axis)
    axis += 1
    if bodies > 3:
        turn = row(coordinates, 2 * (bodies - 2))
        for j in range(n):
            sine, cosine = sincos_turns(turn[j])
            x[j], y[j] = cosine, sine
    else:
        for j in range(n):
            x[j], y[j] = 1.0, 0.0
    for j in range(n):
        q = two_body_momentum(pair[j], one, two)
        weight[j] *= q
        c = 2.0 * u[j] - 1.0
        across = q * math.sqrt(1.0 - c * c)
        px, py, pz = across * x[j], across * y[j], q * c
        x[j], y[j], z[j], e[j] = px, py, pz, math.sqrt(q * q + one * one)
        x2[j], y2[j], z2[j], e2[j] = -px, -py, -pz, math.sqrt(q * q + two * two)
    for k in range(3, bodies + 1):
        _join(n, k, bodies, masses[k - 1], row(work, k - 1), row(work, k), row(coordinates, axis), momenta, weight)
        if k < bodies - 1:
            _turn(n, k, row(coordinates, 2 * (bodies - 2) + k - 2), momenta)
        axis += 1


@block_kernel
def _join(n, k, bodies, mass, inner, outer, u, momenta, weight):
    """Boost the first k - 1 particles along z into the rest frame of the first k, add particle k, tilt them all."""
    full_width()
    tilted = k < bodies
    x, y = row(momenta, 4 * (k - 1)), row(momenta, 4 * (k - 1) + 1)
    z, e = row(momenta, 4 * (k - 1) + 2), row(momenta, 4 * (k - 1) + 3)
    for j in range(n):
        q = two_body_momentum(outer[j], inner[j], mass)
        weight[j] *= q
        x[j], y[j], z[j], e[j] = 0.0, 0.0, -q, math.sqrt(q * q + mass * mass)
    for i in range(k - 1):
        px, pz, energy = row(momenta, 4 * i), row(momenta, 4 * i + 2), row(momenta, 4 * i + 3)
        for j in range(n):
            q = -z[j]
            inverse = 1.0 / inner[j]
            whole = math.sqrt(q * q + inner[j] * inner[j])
            along = (whole * pz[j] + q * energy[j]) * inverse
            energy[j] = (whole * energy[j] + q * pz[j]) * inverse
            pz[j] = along
    if tilted:
        for i in range(k):
            px, pz = row(momenta, 4 * i), row(momenta, 4 * i + 2)
            for j in range(n):
                c = 2.0 * u[j] - 1.0
                s = math.sqrt(1.0 - c * c)
                swung = c * px[j] + s * pz[j]
                pz[j] = c * pz[j] - s * px[j]
                px[j] = swung


@block_kernel
def _turn(n, k, u, momenta):
    """Turn the first k particles about z."""
    full_width()
    for i in range(k):
        px, py = row(momenta, 4 * i), row(momenta, 4 * i + 1)
        for j in range(n):
            s, c = sincos_turns(u[j])
            turned = c * px[j] - s * py[j]
            py[j] = s * px[j] + c * py[j]
            px[j] = turned


def rows(count: int) -> NDArray[np.float64]:
    """Room for `count` rows of a block."""
    return np.zeros(count * BLOCK)
