"""Random four-body decays of a kaon at rest: flat phase space with weights, from nothing but two-body decays.

The kaon goes to the pairs (1 2) and (3 4), and each pair decays isotropically in its own frame, so that

    dPhi_4 = ds12/(2 pi) ds34/(2 pi) dPhi_2(m_K; s12, s34) dPhi_2(s12; 1, 2) dPhi_2(s34; 3, 4),  Phi_2 = p/(4 pi m).

Momenta are (E, px, py, pz) in GeV, as in `dirac`; the kernels of kaongen want (px, py, pz, E), see `evaluate`.
"""

from dataclasses import dataclass

import numpy as np

from kaongen.particles import M_K


@dataclass(frozen=True)
class Points:
    """momenta : (4, n, 4) in GeV; weight : (n,), its mean estimates the volume of phase space in GeV^4."""

    momenta: np.ndarray
    weight: np.ndarray

    def __len__(self):
        return len(self.weight)

    def select(self, keep):
        return Points(self.momenta[:, keep], self.weight[keep])

    def mass_squared(self, *particles):
        return minkowski(*2 * [self.momenta[list(particles)].sum(axis=0)])

    def events(self):
        """The four momenta of each point in turn."""
        return self.momenta.transpose(1, 0, 2)

    def reordered(self, *order):
        return Points(self.momenta[list(order)], self.weight)


@dataclass(frozen=True)
class PairMass:
    """How the squared mass s of a pair is drawn: evenly, or with a `pole` evenly in log(s - pole); s >= `lowest`."""

    lowest: float = 0.0
    pole: float | None = None

    def draw(self, rng, threshold, highest):
        """s and ds/d(random number)."""
        low = np.maximum(threshold, self.lowest)
        u = rng.random(np.shape(highest))
        if self.pole is None:
            return low + u * (highest - low), highest - low
        ratio = np.log((highest - self.pole) / (low - self.pole))
        s = self.pole + (low - self.pole) * np.exp(u * ratio)
        return s, (s - self.pole) * ratio


FLAT = PairMass()


def minkowski(a, b):
    return a[..., 0] * b[..., 0] - (a[..., 1:] * b[..., 1:]).sum(axis=-1)


def momentum_in_pair(m, m1, m2):
    product = (m - m1 - m2) * (m + m1 + m2) * (m - m1 + m2) * (m + m1 - m2)
    return np.sqrt(np.maximum(product, 0.0)) / (2 * m)


def isotropic(rng, n):
    cosine = rng.uniform(-1, 1, n)
    angle = rng.uniform(0, 2 * np.pi, n)
    sine = np.sqrt(1 - cosine**2)
    return np.stack([sine * np.cos(angle), sine * np.sin(angle), cosine], axis=-1)


def boosted(p, frame, m):
    """Carry p from the rest frame of a body of mass m to the frame in which the body has momentum `frame`."""
    along = (p[..., 1:] * frame[..., 1:]).sum(axis=-1)
    energy = (p[..., 0] * frame[..., 0] + along) / m
    factor = (along / (frame[..., 0] + m) + p[..., 0]) / m
    return np.concatenate([energy[..., None], p[..., 1:] + factor[..., None] * frame[..., 1:]], axis=-1)


def back_to_back(direction, p, m1, m2):
    momentum = p[..., None] * direction
    return (
        np.concatenate([np.sqrt(p**2 + m1**2)[..., None], momentum], axis=-1),
        np.concatenate([np.sqrt(p**2 + m2**2)[..., None], -momentum], axis=-1),
    )


def four_body(seed, n, masses, first=FLAT, second=FLAT):
    """n points of K -> 1 2 3 4; `first` and `second` say how the squared masses of (1 2) and (3 4) are drawn."""
    rng = np.random.default_rng(seed)
    m1, m2, m3, m4 = masses
    s12, size12 = first.draw(rng, (m1 + m2) ** 2, np.full(n, (M_K - max(m3 + m4, np.sqrt(second.lowest))) ** 2))
    s34, size34 = second.draw(rng, (m3 + m4) ** 2, (M_K - np.sqrt(s12)) ** 2)
    r12, r34 = np.sqrt(s12), np.sqrt(s34)
    p, p12, p34 = momentum_in_pair(M_K, r12, r34), momentum_in_pair(r12, m1, m2), momentum_in_pair(r34, m3, m4)
    both = back_to_back(isotropic(rng, n), p, r12, r34)
    pieces = []
    for frame, r, inside, (a, b) in ((both[0], r12, p12, (m1, m2)), (both[1], r34, p34, (m3, m4))):
        pieces += [boosted(q, frame, r) for q in back_to_back(isotropic(rng, n), inside, a, b)]
    weight = size12 * size34 / (2 * np.pi) ** 2 * p * p12 * p34 / ((4 * np.pi) ** 3 * M_K * r12 * r34)
    return Points(np.stack(pieces), weight)


def turned(points, particle, axis):
    """The same decays, each turned so that one particle flies along an axis, exactly if the axis has two zeros.

    Energies stay, so a massless particle can end with |p| one rounding above its energy.
    """
    axis = np.asarray(axis, dtype=float)
    axis /= np.linalg.norm(axis)
    p = points.momenta[particle, :, 1:]
    size = np.linalg.norm(p, axis=-1, keepdims=True)
    # half a turn about the direction midway between p and the axis
    midway = p / size + axis
    midway /= np.linalg.norm(midway, axis=-1, keepdims=True)
    momenta = points.momenta.copy()
    old = momenta[..., 1:]
    momenta[..., 1:] = 2 * (old * midway).sum(axis=-1, keepdims=True) * midway - old
    momenta[particle, :, 1:] = size * axis
    return Points(momenta, points.weight)


AXES = [(0, 0, 1), (0, 0, -1), (1, 0, 0), (0, -1, 0), (1e-3, 0, 1), (0, 1e-5, 1), (-1e-8, 1e-9, 1), (1e-6, 0, -1)]
"""Directions, and near directions, that a choice of spinors or polarisation vectors may not be able to stand."""


def mirrored(points):
    momenta = points.momenta.copy()
    momenta[..., 1:] *= -1
    return Points(momenta, points.weight)


def evaluate(kernel, points, *parameters):
    """kernel(p1, p2, p3, p4, *parameters) at each point."""
    rows = np.roll(points.events(), -1, axis=-1).tolist()
    return np.array([kernel(*map(tuple, row), *parameters) for row in rows])


def integral(values, points):
    """Integral of values over phase space, and its standard error."""
    terms = values * points.weight
    return terms.mean(), terms.std() / np.sqrt(len(terms))


SIX_DIRECTIONS = np.concatenate([np.eye(3), -np.eye(3)])
"""Their mean is the exact average over the sphere of a polynomial up to the third degree."""


def decays_in_six_directions(frame, m, m1, m2):
    """m -> m1 m2 along the six directions of the body's rest frame: two arrays (6, 4)."""
    p = np.full(6, momentum_in_pair(m, m1, m2))
    frames = np.broadcast_to(frame, (6, 4))
    return tuple(boosted(q, frames, m) for q in back_to_back(SIX_DIRECTIONS, p, m1, m2))
