"""The Dalitz plot by other means: its limits from energies and momenta, integrals by quadrature, and decays by name.

Here |M|^2 is plain Python on NumPy arrays: the amplitudes' equations (which tests/amplitudes asks about), with
daughters and parameters put in by name. The samplers know neither of these.
"""

from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad

from kaongen.amplitudes import k3pi, kl3, munu_gamma, munu_x
from kaongen.decays.catalogue import find
from kaongen.decays.sampling import sampler
from kaongen.decays.workspace import DecayBlock
from kaongen.jit import BLOCK
from kaongen.particles import M_K, M_MU, M_PI0
from kaongen.random import stream_key

P_MIN = 1e-4
"""Of any chi-squared or Kolmogorov test under tests/decays. There are about 150, with fixed seeds: when the streams
change, one fails by chance in 1.5% of all cases."""

SQUARED = {
    "munug": lambda s12, s23, v: munu_gamma.squared.py_func(s12, s23, v["F_V"], v["F_A"]),
    "pi0munu": lambda s12, s23, v: kl3.squared.py_func(
        s12, s23, M_PI0, M_MU, v["lambda_plus"], v["lambda_plus2"], v["lambda_zero"]
    ),
    "pipipi": lambda s12, s23, v: k3pi.squared.py_func(s12, s23, v["g"], v["h"], v["k"]),
    "munuV": lambda s12, s23, v: munu_x.vector.py_func(s12, s23, v["m_X"]),
    "munuphi": lambda s12, s23, v: munu_x.scalar.py_func(s12, s23, v["m_X"]),
}

ROLES = {
    "munug": ("mu+", "nu_mu", "gamma"),
    "pi0munu": ("pi0", "mu+", "nu_mu"),
    "pipipi": ("pi+", "pi+", "pi-"),
    "munuV": ("nu_mu", "V", "mu+"),
    "munuphi": ("nu_mu", "phi", "mu+"),
}
"""Which daughters are 1, 2, 3 in s12 and s23 of the equations above."""

X_MASSES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.38)

THREE_BODY_CASES = [
    *(("munuV", {"m_X": m}) for m in X_MASSES),
    *(("munuphi", {"m_X": m}) for m in X_MASSES),
    *(("munug", {"E_gamma_min": e}) for e in (0.01, 0.05)),
    ("pi0munu", {}),
    ("pipipi", {}),
]


def label(case):
    name, values = case
    return "-".join([name, *map(str, values.values())])


@dataclass(frozen=True)
class Plot:
    """A Dalitz plot: |M|^2 as a function of (s12, s23) for masses 1, 2, 3, with an optional upper end of s12."""

    masses: tuple
    squared: object
    cut: float = np.inf

    @property
    def s12_range(self):
        m1, m2, m3 = self.masses
        return (m1 + m2) ** 2, min((M_K - m3) ** 2, self.cut)

    def s23_range(self, s12):
        return opposite_range(s12, self.masses)

    def s12_range_at(self, s23):
        low, high = opposite_range(s23, self.masses[::-1])
        return low, np.maximum(np.minimum(high, self.cut), low)

    def integral(self):
        """Nested adaptive quadrature, over log s12 outside and the share of the s23 interval inside."""

        def inner(t):
            s12 = np.exp(t)
            low, high = self.s23_range(s12)
            value, _ = quad(lambda w: self.squared(s12, low + w * (high - low)), 0, 1, epsabs=0, epsrel=1e-8)
            return s12 * (high - low) * value

        return quad(inner, *np.log(self.s12_range), epsabs=0, epsrel=1e-8, limit=200)[0]

    def marginal_s12(self, edges, nodes=40):
        """Share of the decays between edges of s12."""
        return self.contents(edges, np.array([0.0, 1.0]), nodes)[:, 0]

    def contents(self, edges_s12, edges_w, nodes=24):
        """Share of the decays in cells of s12 and of w, the position in the s23 interval; by Gauss-Legendre."""
        s12, weight_s12 = gauss_legendre(edges_s12, nodes, np.sin, np.cos)
        w, weight_w = gauss_legendre(edges_w, nodes)
        low, high = self.s23_range(s12[..., None, None])
        values = self.squared(s12[..., None, None], low + w * (high - low)) * (high - low)
        result = np.einsum("ai,bj,aibj->ab", weight_s12, weight_w, np.broadcast_to(values, s12.shape + w.shape))
        return result / result.sum()

    def marginal_s23(self, edges, nodes=60):
        """Share of the decays between edges of s23, over log s12 inside."""
        s23, weight_s23 = gauss_legendre(edges, nodes)
        low, high = self.s12_range_at(s23)
        x, weight = np.polynomial.legendre.leggauss(nodes)
        t = np.log(low)[..., None] + np.log(high / low)[..., None] * (x + 1) / 2
        inner = (np.exp(t) * self.squared(np.exp(t), s23[..., None]) * weight / 2).sum(axis=-1) * np.log(high / low)
        result = (weight_s23 * inner).sum(axis=-1)
        return result / result.sum()


def opposite_range(s, masses):
    """Range of (p2 + p3)^2 at s = (p1 + p2)^2, from the energies and momenta of 2 and 3 in the frame of 1 and 2."""
    m1, m2, m3 = masses
    root = np.sqrt(s)
    e2, e3 = (s - m1**2 + m2**2) / (2 * root), (M_K**2 - s - m3**2) / (2 * root)
    p2, p3 = np.sqrt(np.maximum(e2**2 - m2**2, 0)), np.sqrt(np.maximum(e3**2 - m3**2, 0))
    return (e2 + e3) ** 2 - (p2 + p3) ** 2, (e2 + e3) ** 2 - (p2 - p3) ** 2


def gauss_legendre(edges, nodes, shape=None, derivative=None):
    """Points and weights (bins, nodes); with a sine for shape, square-root ends of the range do no harm."""
    x, weight = np.polynomial.legendre.leggauss(nodes)
    low, high = np.asarray(edges[:-1])[:, None], np.asarray(edges[1:])[:, None]
    if shape is None:
        return low + (high - low) * (x + 1) / 2, (high - low) * weight / 2
    y, slope = shape(np.pi / 2 * x), np.pi / 2 * derivative(np.pi / 2 * x)
    return low + (high - low) * (y + 1) / 2, (high - low) * slope * weight / 2


def plot_of(name, given):
    process = find(name)
    values = process.values(given)
    mass = dict(zip(process.daughters, process.masses(values), strict=True))
    cut = M_K * (M_K - 2 * values["E_gamma_min"]) if name == "munug" else np.inf
    return Plot(tuple(mass[role] for role in ROLES[name]), lambda s12, s23: SQUARED[name](s12, s23, values), cut)


def equal_shares(shares, edges, bins):
    """Edges of `bins` bins of about equal content, from the shares between many fine edges."""
    reached = np.concatenate([[0.0], np.cumsum(shares)])
    inside = np.interp(np.arange(1, bins) / bins, reached / reached[-1], edges)
    return np.concatenate([[edges[0]], inside, [edges[-1]]])


@dataclass(frozen=True)
class Sampled:
    """Decays at rest in float64.

    momenta : (particles, 4, n), rows px, py, pz, e; weight, index : (n,); above : decays above their bound.
    """

    candidates: int
    above: int
    efficiency: float
    momenta: np.ndarray
    weight: np.ndarray
    index: np.ndarray

    def mass_squared(self, *particles):
        p = self.momenta[list(particles)].sum(axis=0)
        return p[3] ** 2 - (p[:3] ** 2).sum(axis=0)

    def recoil_squared(self, particle):
        """Invariant mass squared of the others, from this particle's energy: no cancellation for light pairs."""
        e, m2 = self.momenta[particle, 3], self.mass_squared(particle)
        return M_K**2 + m2 - 2 * M_K * e


def sampled(process, given, candidates, seed=1):
    """Decays of `candidates` candidates, block by block."""
    source = sampler(process, process.values(given))
    block = DecayBlock(source.particles)
    key = stream_key(seed, process.name)
    pieces, above = [], 0
    for first in range(0, candidates, BLOCK):
        n, over = source.fill(key, first, min(BLOCK, candidates - first), block)
        above += over
        momenta = np.stack([p.reshape(4, BLOCK)[:, :n] for p in block.momenta])
        pieces.append((momenta, block.weight[:n].copy(), block.index[:n].copy()))
    momenta, weight, index = zip(*pieces, strict=True)
    return Sampled(
        candidates,
        above,
        source.efficiency,
        np.concatenate(momenta, axis=2),
        np.concatenate(weight),
        np.concatenate(index),
    )
