"""The catalogue once more: who is who in every amplitude, by name, in numbers and formulas that the catalogue lacks.

Daughters and parameters are called by their names, masses and couplings are the published ones. Squared amplitudes are
the kernels of kaongen.amplitudes, which tests/amplitudes judges. In GeV; momenta (..., 4) are (px, py, pz, E).
"""

import inspect
from collections import Counter
from dataclasses import dataclass

import numpy as np

from kaongen.amplitudes import (
    k3pi,
    kl3,
    kl3_gamma,
    kl4,
    lnu_gamma,
    lnu_ll,
    munu_v_mumu,
    munu_x,
    pi_4e,
    pi_gg,
    pi_ll,
    pipi0_gamma,
)
from kaongen.decays.catalogue import find
from kaongen.decays.samplers import PRIMARY, sampler
from kaongen.decays.workspace import DecayBlock
from kaongen.jit import BLOCK
from kaongen.random import stream_key

P_MIN = 1e-4
"""Of any chi-squared test, as in `phase_space`: seeds are fixed, and there are about 100 of these."""

K, PI, PI0, MU, E = 0.493677, 0.13957039, 0.1349768, 0.1056583755, 0.00051099895069
"""Masses of the charged kaon and pion, the neutral pion, muon and electron (PDG)."""

MASSES = {
    "mu+": MU,
    "mu-": MU,
    "e+": E,
    "e-": E,
    "pi+": PI,
    "pi-": PI,
    "pi0": PI0,
    "gamma": 0.0,
    "nu_e": 0.0,
    "nu_mu": 0.0,
    "nu": 0.0,
    "anti-nu": 0.0,
}

NEW = {"V": "m_X", "phi": "m_X", "X": "m_X", "N": "m_N", "S": "m_S", "a": "m_a"}
"""New particles, and the parameter that is their mass."""


def distinct(names):
    """Names, the second of two like particles with a 2: "mu+", "nu_mu", "mu+ 2", "mu-"."""
    seen = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return tuple(result)


def mass(name, values):
    kind = name.split()[0]
    return values[NEW[kind]] if kind in NEW else MASSES[kind]


def masses(names, values):
    return tuple(mass(name, values) for name in names)


@dataclass(frozen=True)
class Amplitude:
    """Which kernel, who its arguments are, and what its parameters are made of.

    roles : daughters in the kernel's order: 1, 2, 3 of s12 and s23, or the momenta's.
    parameters : function of the process's values that returns the others of the kernel's arguments by name.
    """

    kernel: object
    roles: tuple
    parameters: object = lambda v: {}

    def call(self, values, points):
        """|M|^2 at points: arrays of numbers, or of momenta (..., 4), one for each of the kernel's first arguments."""
        names = list(inspect.signature(self.kernel.py_func).parameters)
        given = self.parameters(values)
        assert sorted(given) == sorted(names[len(points) :])
        rest = [given[name] for name in names[len(points) :]]
        if len(points) > 2:
            rows = np.stack(points, axis=1).tolist()
            return np.array([self.kernel(*map(tuple, row), *rest) for row in rows])
        first, second = np.broadcast_arrays(*points)
        result = np.array([self.kernel(a, b, *rest) for a, b in zip(first.flat, second.flat, strict=True)])
        return result.reshape(first.shape)


def _same(*names):
    return lambda v: {name: v[name] for name in names}


def _kl3(m_pi, m_l):
    return lambda v: {
        "m_pi": m_pi,
        "m_l": m_l,
        "lambda_plus": v["lambda_plus"],
        "lambda_plus2": v["lambda_plus2"],
        "lambda_zero": v.get("lambda_zero", 0.0),
    }


def _form_factors(m_l):
    return lambda v: {"m_l": m_l, "f_v": v["F_V"], "f_v_slope": v["F_V_slope"], "f_a": v["F_A"]}


def _pair(m_l):
    return lambda v: {"m_l": m_l, "a": v["a"], "b": v["b"]}


def _slopes(m_l):
    return lambda v: {"m_l": m_l, "lambda_plus": v["lambda_plus"], "lambda_zero": v["lambda_zero"]}


def _leptons(**masses_of):
    return lambda v: {**masses_of, "contact": v["contact"], "structure": v["structure"]}


def _flat(s12, s23):
    return 1.0


class _Plain:
    py_func = staticmethod(_flat)

    def __call__(self, s12, s23):
        return 1.0


THREE_BODY = {
    "pipipi": Amplitude(k3pi.squared, ("pi+", "pi+ 2", "pi-"), _same("g", "h", "k")),
    "pipi0pi0": Amplitude(k3pi.neutral_squared, ("pi0", "pi0 2", "pi+"), _same("g", "h", "k", "a", "b", "q")),
    "pi0enu": Amplitude(kl3.squared, ("pi0", "e+", "nu_e"), _kl3(PI0, E)),
    "pi0munu": Amplitude(kl3.squared, ("pi0", "mu+", "nu_mu"), _kl3(PI0, MU)),
    "munug": Amplitude(lnu_gamma.squared, ("mu+", "nu_mu", "gamma"), _form_factors(MU)),
    "enug": Amplitude(lnu_gamma.squared, ("e+", "nu_e", "gamma"), _form_factors(E)),
    "pipi0g": Amplitude(
        pipi0_gamma.squared,
        ("pi+", "pi0", "gamma"),
        lambda v: {"x_e": v["X_E"], "x_m": v["X_M"], "cos_phase": v["cos_phase"]},
    ),
    "pinunu": Amplitude(kl3.squared, ("pi+", "anti-nu", "nu"), _kl3(PI, 0.0)),
    "piee": Amplitude(pi_ll.squared, ("e+", "e-", "pi+"), _pair(E)),
    "pimumu": Amplitude(pi_ll.squared, ("mu+", "mu-", "pi+"), _pair(MU)),
    "pigg": Amplitude(pi_gg.squared, ("gamma", "gamma 2", "pi+"), _same("c_hat")),
    "munuV": Amplitude(munu_x.vector, ("nu_mu", "V", "mu+"), lambda v: {"m_x": v["m_X"]}),
    "munuphi": Amplitude(munu_x.scalar, ("nu_mu", "phi", "mu+"), lambda v: {"m_x": v["m_X"]}),
    "piaa": Amplitude(_Plain(), ("a", "a 2", "pi+")),
}

_KE4 = ("f_s", "f_s1", "f_s2", "f_e", "f_p", "g_p", "g_p1", "h_p")

MANY_BODY = {
    "pi0enug": Amplitude(kl3_gamma.squared, ("pi0", "e+", "nu_e", "gamma"), _slopes(E)),
    "pi0munug": Amplitude(kl3_gamma.squared, ("pi0", "mu+", "nu_mu", "gamma"), _slopes(MU)),
    "pi0pi0enu": Amplitude(
        kl4.neutral_squared, ("pi0", "pi0 2", "e+", "nu_e"), lambda v: {"m_l": E, **_same(*"abcd")(v)}
    ),
    # times the pions' Coulomb attraction
    "pipienu": Amplitude(kl4.squared, ("pi+", "pi-", "e+", "nu_e"), lambda v: {"m_l": E, **_same(*_KE4)(v)}),
    "munuee": Amplitude(lnu_ll.different, ("mu+", "nu_mu", "e-", "e+"), _leptons(m_l=MU, m_pair=E)),
    "enumumu": Amplitude(lnu_ll.different, ("e+", "nu_e", "mu-", "mu+"), _leptons(m_l=E, m_pair=MU)),
    "enuee": Amplitude(lnu_ll.identical, ("e+", "nu_e", "e-", "e+ 2"), _leptons(m=E)),
    "munumumu": Amplitude(lnu_ll.identical, ("mu+", "nu_mu", "mu-", "mu+ 2"), _leptons(m=MU)),
    "pieeee": Amplitude(pi_4e.squared, ("pi+", "e+", "e+ 2", "e-", "e- 2"), _same("a", "b")),
    "munuV-mumu": Amplitude(munu_v_mumu.squared, ("mu+", "nu_mu", "mu+ 2", "mu-"), lambda v: {"m_v": v["m_X"]}),
}


def photon_cut(name, values):
    """Upper end of (P - k)^2 in GeV^2 for a photon of at least E_gamma_min in the kaon's rest frame; or infinity."""
    return K * (K - 2 * values["E_gamma_min"]) if "E_gamma_min" in values else np.inf


def label(value):
    """What a test with these values, or any other argument, is called."""
    if isinstance(value, dict):
        return ",".join(f"{k}={v:.4g}" for k, v in value.items()) or "defaults"
    return str(value)


# Decays at rest --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decays:
    """Decays of a kaon at rest in float64.

    p : momenta (n, 4) in GeV by name; attempts and above : how many it took, and how many lay above their bound.
    """

    p: dict
    weight: np.ndarray
    attempts: int
    above: int
    efficiency: float

    def squared(self, *names):
        return minkowski_square(sum(self.p[name] for name in names))


def minkowski_square(p):
    return p[..., 3] ** 2 - (p[..., :3] ** 2).sum(axis=-1)


def sampled(name, given, n, seed=1):
    """n decays of a process, block by block."""
    process = find(name)
    source = sampler(process, process.values(given))
    block = DecayBlock(source.particles)
    key = stream_key(seed, process.name)
    pieces, attempts, above = [], 0, 0
    weight = []
    for first in range(0, n, BLOCK):
        size = min(BLOCK, n - first)
        block.number(first, size)
        tried, exceeded = source.settle(key, size, PRIMARY, block, block.momenta)
        attempts += tried
        above += exceeded
        pieces.append(np.stack([p.reshape(4, BLOCK)[:, :size].T for p in block.momenta]))
        weight.append(block.weight[:size].copy())
    momenta = np.concatenate(pieces, axis=1)
    names = distinct(process.daughters)[: source.particles]
    return Decays(dict(zip(names, momenta, strict=True)), np.concatenate(weight), attempts, above, source.efficiency)
