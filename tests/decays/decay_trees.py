"""Phase space as a tree of two-body decays, with points where the amplitude is large, by randomised quasi-Monte Carlo.

A kaon at rest goes to two bodies, each of which may be a system that goes to two in turn:

    dPhi_n = prod over systems ds/(2 pi)  prod over decays p/(4 pi m) dcos/2 dphi/(2 pi).

Squared masses and cosines are drawn as the poles of the amplitudes ask for. kaongen builds one particle after the other
onto a system instead, and knows of no pole. Everything in GeV; momenta (n, 4) are (px, py, pz, E).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from by_name import K, minkowski_square
from scipy.stats import qmc


@dataclass(frozen=True)
class Mass:
    """How the squared mass s of a system is drawn; not below `lowest` (GeV).

    pole : evenly in log |s - pole| rather than in s.
    shell : not at all; this mass (GeV) it has.
    soft : of the upper half of the range evenly in log(m^2 - s), m the mass of the parent: the sibling is soft.
    """

    lowest: float = 0.0
    pole: float | None = None
    soft: bool = False
    shell: float | None = None

    def draw(self, u, low, high, parent):
        """s, and ds/du."""
        if self.shell is not None:
            return np.full(len(u), self.shell**2), 2 * np.pi
        if not self.soft:
            return _log_even(u, low, high, self.pole)
        middle, upper = (low + high) / 2, u >= 0.5
        s, size = _log_even(
            np.where(upper, 2 * u - 1, 2 * u),
            np.where(upper, middle, low),
            np.where(upper, high, middle),
            np.where(upper, parent, self.pole or 0.0),
        )
        return s, 2 * size


def _log_even(u, low, high, pole):
    if pole is None:
        return low + u * (high - low), high - low
    log = np.log((high - pole) / (low - pole))
    return pole + (low - pole) * np.exp(u * log), (low - pole) * np.exp(u * log) * log


@dataclass(frozen=True)
class System:
    """Two bodies, each the name of a daughter or a System.

    cosine : how the cosine between the first body and the system's direction of flight is drawn, in its rest frame: a
        function of u, the system's momentum and mass, its sibling's momentum, energy and momentum of the first body; it
        returns the cosine and dcos/du/2.
    """

    one: object
    two: object
    mass: Mass = Mass()
    cosine: object = None

    def threshold(self, masses):
        return max(threshold(self.one, masses) + threshold(self.two, masses), self.mass.lowest)

    @property
    def names(self):
        return [name for body in (self.one, self.two) for name in (body.names if isinstance(body, System) else [body])]


def threshold(body, masses):
    return body.threshold(masses) if isinstance(body, System) else masses[body]


def even(u, momentum, m, sibling, energy, p):
    return 2 * u - 1, 1.0


def photon_energy(lowest):
    """The first body is a photon: evenly in the log of its energy in the kaon's frame, from the lowest on."""

    def cosine(u, momentum, m, sibling, energy, p):
        flight = np.linalg.norm(momentum[:, :3], axis=1)
        low = np.maximum(lowest, p / m * (momentum[:, 3] - flight))
        high = np.maximum(p / m * (momentum[:, 3] + flight), low)
        e = low * (high / low) ** u
        c = (e * m / p - momentum[:, 3]) / flight
        return np.clip(c, -1, 1), e * np.log(high / low) * m / (2 * p * flight)

    return cosine


def towards_sibling(u, momentum, m, sibling, energy, p):
    """Evenly in the log of 2 p_1.q + q^2, q the sibling's momentum: where the first body has radiated it."""
    low, slope = _radiation(momentum, m, sibling, energy, p)
    log = np.log1p(2 * slope / low)
    x = low * np.exp(u * log)
    return np.clip((x - low) / slope - 1, -1, 1), x * log / (2 * slope)


def towards_sibling_either(u, momentum, m, sibling, energy, p):
    """The same where either of two bodies of equal mass may have radiated the sibling."""
    low, slope = _radiation(momentum, m, sibling, energy, p)
    log = np.log1p(slope / low)
    side = np.where(u < 0.5, -1.0, 1.0)
    x = low * np.exp(np.where(u < 0.5, 2 * u, 2 - 2 * u) * log)
    return side * np.clip(1 - (x - low) / slope, 0, 1), x * log / slope


def _radiation(momentum, m, sibling, energy, p):
    """The least 2 p_1.q + q^2, at cosine -1, and its slope in the cosine."""
    sibling_energy = (momentum[:, 3] * sibling[:, 3] - (momentum[:, :3] * sibling[:, :3]).sum(axis=1)) / m
    q2 = np.maximum(minkowski_square(sibling), 0.0)
    slope = 2 * p * np.sqrt(np.maximum(sibling_energy**2 - q2, 0.0))
    # for light bodies the difference has no digits left; 2 p_1.q is not below twice the product of the masses
    least = 2 * np.sqrt(np.maximum(energy**2 - p**2, 0.0) * q2)
    return np.maximum(2 * energy * sibling_energy - slope, least) + q2, slope


def two_body_momentum(m, m1, m2):
    product = (m - m1 - m2) * (m + m1 + m2) * (m - m1 + m2) * (m + m1 - m2)
    return np.sqrt(np.maximum(product, 0.0)) / (2 * m)


def decays(tree, masses, u):
    """Momenta by name, and weights whose mean is the phase space in GeV^(2n-4), for points u (n, dimensions)."""
    columns = iter(u.T)
    n = len(u)
    kaon = np.zeros((n, 4))
    kaon[:, 3] = K
    result, weight = {}, np.ones(n)

    def mass_of(body, high, parent):
        nonlocal weight
        if not isinstance(body, System):
            return np.full(n, masses[body])
        low = threshold(body, masses)
        s, size = body.mass.draw(next(columns), low**2, np.maximum(high, low) ** 2, parent**2)
        weight = weight * np.where(high > low, size, 0.0) / (2 * np.pi)
        return np.sqrt(s)

    def expand(system, momentum, m, sibling, turned):
        nonlocal weight
        one = mass_of(system.one, m - threshold(system.two, masses), m)
        two = mass_of(system.two, m - one, m)
        p = two_body_momentum(m, one, two)
        weight = weight * p / (4 * np.pi * m)
        if sibling is None:
            # the root: a direction that hides nothing will do for all
            c, size, phi = np.full(n, 0.3), 1.0, np.full(n, 0.7)
        else:
            energy = np.sqrt(p**2 + one**2)
            with np.errstate(divide="ignore", invalid="ignore"):
                c, size = (system.cosine or even)(next(columns), momentum, m, sibling, energy, p)
            phi = 2 * np.pi * next(columns) if turned else np.zeros(n)
        weight = weight * size
        first = _along(momentum, m, p, one, c, phi)
        second = momentum - first
        bodies = ((system.one, first, one, second), (system.two, second, two, first))
        # a turn of all about the axis of the root is without effect: its first system needs none
        free = sibling is not None
        for body, q, mass, other in bodies:
            if isinstance(body, System):
                expand(body, q, mass, other, free)
                free = True
            else:
                result[body] = q

    expand(tree, kaon, np.full(n, K), None, False)
    return result, np.where(np.isfinite(weight), weight, 0.0)


def _along(momentum, m, p, mass, c, phi):
    """A body of momentum p in the rest frame of another, at a cosine to that one's flight."""
    size = np.linalg.norm(momentum[:, :3], axis=1)
    z = np.where(size[:, None] > 0, momentum[:, :3] / np.maximum(size, 1e-300)[:, None], [0.0, 0.0, 1.0])
    x = np.cross(z, [0.6, 0.0, 0.8])
    x /= np.linalg.norm(x, axis=1)[:, None]
    y = np.cross(z, x)
    s = np.sqrt(1 - c**2)
    energy = np.sqrt(p**2 + mass**2)
    along = (momentum[:, 3] * p * c + size * energy) / m
    across = p * s
    vector = along[:, None] * z + (across * np.cos(phi))[:, None] * x + (across * np.sin(phi))[:, None] * y
    return np.column_stack([vector, (momentum[:, 3] * energy + size * p * c) / m])


def dimensions(tree):
    return 3 * len(tree.names) - 7


@cache
def cube(dims, bits, seed):
    """2^bits points of a scrambled Sobol sequence, (2^bits, dims), inside the open cube."""
    u = qmc.Sobol(dims, scramble=True, seed=seed).random_base2(bits)
    return np.clip(u, 1e-12, 1 - 1e-12)


def integral(squared, tree, masses, bits=14, replicas=8):
    """Integral over phase space of a function of the momenta by name, and its error, from independent scrambles."""
    means = []
    for seed in range(replicas):
        p, weight = decays(tree, masses, cube(dimensions(tree), bits, seed))
        inside = weight > 0
        values = np.zeros(len(weight))
        values[inside] = squared({name: q[inside] for name, q in p.items()})
        means.append(np.mean(values * weight))
    return np.mean(means), np.std(means, ddof=1) / np.sqrt(replicas)
