"""The Dalitz plot by other means: its limits from energies and momenta, integrals by quadrature, and decays by name.

Here |M|^2 is a function of NumPy arrays: the amplitudes' equations (which tests/amplitudes asks about), with
daughters and parameters put in by name. The samplers know neither of these.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import vectorize
from scipy.integrate import quad
from scipy.special import expit, logit

from kaongen.amplitudes import k3pi, kl3, lnu_gamma, munu_x, pi_gg, pi_ll, pipi0_gamma
from kaongen.decays.catalogue import find
from kaongen.decays.samplers import PRIMARY, sampler
from kaongen.decays.workspace import DecayBlock
from kaongen.jit import BLOCK
from kaongen.particles import M_E, M_K, M_MU, M_PI, M_PI0
from kaongen.random import stream_key

P_MIN = 1e-4
"""Of any chi-squared or Kolmogorov test under tests/decays. There are about 300, with fixed seeds: when the streams
change, one fails by chance in 3% of all cases."""


@vectorize
def one(s12, s23):
    return 1.0


LNU_GAMMA = vectorize(lnu_gamma.squared.py_func)
KL3 = vectorize(kl3.squared.py_func)
K3PI = vectorize(k3pi.squared.py_func)
K3PI_NEUTRAL = vectorize(k3pi.neutral_squared.py_func)
PIPI0_GAMMA = vectorize(pipi0_gamma.squared.py_func)
PI_LL = vectorize(pi_ll.squared.py_func)
PI_GG = vectorize(pi_gg.squared.py_func)
VECTOR = vectorize(munu_x.vector.py_func)
SCALAR = vectorize(munu_x.scalar.py_func)

SQUARED = {
    "munug": lambda s12, s23, v: LNU_GAMMA(s12, s23, M_MU, v["F_V"], v["F_V_slope"], v["F_A"]),
    "enug": lambda s12, s23, v: LNU_GAMMA(s12, s23, M_E, v["F_V"], v["F_V_slope"], v["F_A"]),
    "pi0munu": lambda s12, s23, v: KL3(s12, s23, M_PI0, M_MU, v["lambda_plus"], v["lambda_plus2"], v["lambda_zero"]),
    "pi0enu": lambda s12, s23, v: KL3(s12, s23, M_PI0, M_E, v["lambda_plus"], v["lambda_plus2"], v["lambda_zero"]),
    "pinunu": lambda s12, s23, v: KL3(s12, s23, M_PI, 0.0, v["lambda_plus"], v["lambda_plus2"], 0.0),
    "pipipi": lambda s12, s23, v: K3PI(s12, s23, v["g"], v["h"], v["k"]),
    "pipi0pi0": lambda s12, s23, v: K3PI_NEUTRAL(s12, s23, v["g"], v["h"], v["k"], v["a"], v["b"], v["q"]),
    "pipi0g": lambda s12, s23, v: PIPI0_GAMMA(s12, s23, v["X_E"], v["X_M"], v["cos_phase"]),
    "piee": lambda s12, s23, v: PI_LL(s12, s23, M_E, v["a"], v["b"]),
    "pimumu": lambda s12, s23, v: PI_LL(s12, s23, M_MU, v["a"], v["b"]),
    "pigg": lambda s12, s23, v: PI_GG(s12, s23, v["c_hat"]),
    "munuV": lambda s12, s23, v: VECTOR(s12, s23, v["m_X"]),
    "munuphi": lambda s12, s23, v: SCALAR(s12, s23, v["m_X"]),
    "piaa": lambda s12, s23, v: one(s12, s23),
}

ROLES = {
    "munug": ("mu+", "nu_mu", "gamma"),
    "enug": ("e+", "nu_e", "gamma"),
    "pi0munu": ("pi0", "mu+", "nu_mu"),
    "pi0enu": ("pi0", "e+", "nu_e"),
    "pinunu": ("pi+", "nu", "anti-nu"),
    "pipipi": ("pi+", "pi+", "pi-"),
    "pipi0pi0": ("pi0", "pi0", "pi+"),
    "pipi0g": ("pi+", "pi0", "gamma"),
    "piee": ("e+", "e-", "pi+"),
    "pimumu": ("mu+", "mu-", "pi+"),
    "pigg": ("gamma", "gamma", "pi+"),
    "munuV": ("nu_mu", "V", "mu+"),
    "munuphi": ("nu_mu", "phi", "mu+"),
    "piaa": ("a", "a", "pi+"),
}
"""Which daughters are 1, 2, 3 in s12 and s23 of the equations above."""

X_MASSES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.38)

THREE_BODY_CASES = [
    *(("munuV", {"m_X": m}) for m in X_MASSES),
    *(("munuphi", {"m_X": m}) for m in X_MASSES),
    *(("munug", {"E_gamma_min": e}) for e in (0.01, 0.05)),
    ("enug", {}),
    ("pipi0g", {}),
    *((name, {}) for name in ("pi0munu", "pi0enu", "pinunu", "pipipi", "pipi0pi0", "piee", "pimumu", "pigg")),
    ("piaa", {"m_a": 0.1}),
]


def label(case):
    name, values = case
    return "-".join([name, *map(str, values.values())])


@dataclass(frozen=True)
class Plot:
    """A Dalitz plot: |M|^2 as a function of (s12, s23) for masses 1, 2, 3.

    cut : optional upper end of s12; kinks : values of s12 at which |M|^2 is not smooth.
    """

    masses: tuple
    squared: object
    cut: float = np.inf
    kinks: tuple = ()

    @property
    def s12_range(self):
        m1, m2, m3 = self.masses
        # two massless particles: log s12 must start somewhere
        return max((m1 + m2) ** 2, 1e-12 * M_K**2), min((M_K - m3) ** 2, self.cut)

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
        return self.contents(edges, PIECES, nodes).sum(axis=1)

    def contents(self, edges_s12, edges_w, nodes=24):
        """Share of the decays in cells of s12 and of w, the position in the s23 interval; by Gauss-Legendre."""
        s12, weight_s12 = gauss_legendre(edges_s12, nodes, np.sin, np.cos)
        w, weight_w = shares_of_an_interval(edges_w)
        low, high = self.s23_range(s12[..., None, None])
        values = self.squared(s12[..., None, None], low + w * (high - low)) * (high - low)
        result = np.einsum("ai,bj,aibj->ab", weight_s12, weight_w, np.broadcast_to(values, s12.shape + w.shape))
        return result / result.sum()

    def marginal_s23(self, edges, nodes=60):
        """Share of the decays between edges of s23, over log s12 inside."""
        s23, weight_s23 = gauss_legendre(edges, nodes)
        low, high = (np.maximum(limit, 1e-12 * M_K**2) for limit in self.s12_range_at(s23))
        x, weight = (values.ravel() for values in shares_of_an_interval(PIECES))
        ends = [low, *(np.clip(kink, low, high) for kink in self.kinks), high]
        inner = 0.0
        for start, stop in pairwise(ends):
            length = np.log(stop / start)
            s12 = start[..., None] * np.exp(length[..., None] * x)
            inner += (s12 * self.squared(s12, s23[..., None]) * weight).sum(axis=-1) * length
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


PIECES = np.array([0.0, 0.05, 0.5, 0.95, 1.0])
"""Of an interval, for the quadrature over it."""


def shares_of_an_interval(edges):
    """Points and weights (bins, nodes) for functions of a share that may have a pole just beyond either end."""
    y, weight = gauss_legendre(logit(np.clip(edges, 1e-12, 1 - 1e-12)), 40)
    share = expit(y)
    return share, weight * share * (1 - share)


def plot_of(name, given):
    process = find(name)
    values = process.values(given)
    mass = dict(zip(process.daughters, process.masses(values), strict=True))
    cut = M_K * (M_K - 2 * values["E_gamma_min"]) if "E_gamma_min" in values else np.inf
    masses = tuple(mass[role] for role in ROLES[name])
    kinks = (4 * M_PI**2,) if name in ("pipi0pi0", "pigg") else ()
    return Plot(masses, lambda s12, s23: SQUARED[name](s12, s23, values), cut, kinks)


def equal_shares(shares, edges, bins):
    """Edges of `bins` bins of about equal content, from the shares between many fine edges."""
    reached = np.concatenate([[0.0], np.cumsum(shares)])
    inside = np.interp(np.arange(1, bins) / bins, reached / reached[-1], edges)
    return np.concatenate([[edges[0]], inside, [edges[-1]]])


@dataclass(frozen=True)
class Sampled:
    """Decays at rest in float64.

    attempts : how many they took; above : decays above their bound; efficiency : predicted decays per attempt.
    momenta : (particles, 4, n), rows px, py, pz, e; weight, index : (n,).
    """

    attempts: int
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


def sampled(process, given, n, seed=1):
    """Decays 0 to n - 1, block by block."""
    return numbered(process, given, np.arange(n, dtype=np.uint64), seed)


def numbered(process, given, numbers, seed=1, draws=PRIMARY, size=BLOCK):
    """Decays of these numbers in this order, `size` at a time."""
    source = sampler(process, process.values(given))
    block = DecayBlock(source.particles)
    key = stream_key(seed, process.name)
    n = len(numbers)
    momenta, weight = np.empty((source.particles, 4, n)), np.empty(n)
    attempts = above = 0
    for first in range(0, n, size):
        piece = slice(first, min(first + size, n))
        length = piece.stop - piece.start
        block.take(numbers[piece])
        tried, over = source.settle(key, length, draws, block, block.momenta)
        attempts += tried
        above += over
        for particle, rows in enumerate(block.momenta):
            momenta[particle, :, piece] = rows.reshape(4, BLOCK)[:, :length]
        weight[piece] = block.weight[:length]
        assert np.array_equal(block.index[:length], numbers[piece])
    return Sampled(attempts, above, source.efficiency, momenta, weight, numbers)


def assert_attempts(attempts, n, efficiency, error=0.0):
    """As many attempts for n decays as predicted: within 5 standard deviations, and the error of the prediction."""
    spread = np.sqrt(n * (1 - efficiency)) / efficiency
    assert abs(attempts - n / efficiency) <= 5 * spread + error * n / efficiency
