"""The decays of the Standard Model that make up all but a millionth of those of the K+."""

from __future__ import annotations

import math

from kaongen.amplitudes import k3pi, kl3, kl3_gamma, kl4, lnu_gamma, pipi0_gamma
from kaongen.decays.amplitude import amplitude, block_amplitude, momentum
from kaongen.decays.process import ManyBody, Parameter, Process, ThreeBody, TwoBody, Values
from kaongen.decays.rates import measured, relative_to, relative_to_munu, relative_to_pipi0
from kaongen.jit import full_width
from kaongen.particles import (
    ALPHA_EM,
    BR_K_ENU,
    BR_K_MUNU,
    BR_K_PI0ENU,
    BR_K_PI0MUNU,
    BR_K_PI0PI0ENU,
    BR_K_PIPI0,
    BR_K_PIPI0PI0,
    BR_K_PIPIENU,
    BR_K_PIPIPI,
    M_E,
    M_K,
    M_MU,
    M_PI0,
)

_PDG = "Particle Data Group, Review of Particle Physics 2026"
_E2 = 4.0 * math.pi * ALPHA_EM


@amplitude
def _munu_gamma(s12, s23, p):
    return lnu_gamma.squared(s12, s23, M_MU, p[1], p[2], p[3])


@amplitude
def _enu_gamma(s12, s23, p):
    return lnu_gamma.squared(s12, s23, M_E, p[1], p[2], p[3])


@amplitude
def _pi0munu(s12, s23, p):
    return kl3.squared(s12, s23, M_PI0, M_MU, p[0], p[1], p[2])


@amplitude
def _pi0enu(s12, s23, p):
    return kl3.squared(s12, s23, M_PI0, M_E, p[0], p[1], p[2])


@amplitude
def _pipipi(s12, s23, p):
    return k3pi.squared(s12, s23, p[0], p[1], p[2])


@amplitude
def _pipi0pi0(s12, s23, p):
    return k3pi.neutral_squared(s12, s23, p[0], p[1], p[2], p[3], p[4], p[5])


@amplitude
def _pipi0_gamma(s12, s23, p):
    return pipi0_gamma.squared(s12, s23, p[1], p[2], p[3])


@block_amplitude
def _pipienu(n, q, p, result):
    full_width()
    for j in range(n):
        plus, minus = momentum(q, 0, j), momentum(q, 1, j)
        squared = kl4.squared(
            plus, minus, momentum(q, 2, j), momentum(q, 3, j), M_E, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]
        )
        result[j] = squared * kl4.coulomb(plus, minus)
    return 0.0


@block_amplitude
def _pi0pi0enu(n, q, p, result):
    full_width()
    for j in range(n):
        result[j] = kl4.neutral_squared(
            momentum(q, 0, j), momentum(q, 1, j), momentum(q, 2, j), momentum(q, 3, j), M_E, p[0], p[1], p[2], p[3]
        )
    return 0.0


@block_amplitude
def _pi0enu_gamma(n, q, p, result):
    full_width()
    for j in range(n):
        pion, nu, lepton, photon = momentum(q, 0, j), momentum(q, 1, j), momentum(q, 2, j), momentum(q, 3, j)
        result[j] = kl3_gamma.squared(pion, lepton, nu, photon, M_E, p[1], p[2])
    return 0.0


@block_amplitude
def _pi0munu_gamma(n, q, p, result):
    full_width()
    for j in range(n):
        pion, nu, lepton, photon = momentum(q, 0, j), momentum(q, 1, j), momentum(q, 2, j), momentum(q, 3, j)
        result[j] = kl3_gamma.squared(pion, lepton, nu, photon, M_MU, p[1], p[2])
    return 0.0


def _photon_cut(values: Values) -> float:
    """(P - k)^2 at the least energy of the photon, in GeV^2."""
    return M_K * (M_K - 2.0 * values["E_gamma_min"])


def _photon_limit(values: Values) -> dict[int, tuple[float, float]]:
    """The same for a photon that comes last of four: the mass of the three others."""
    return {3: (0.0, math.sqrt(_photon_cut(values)))}


_PHOTON_LAST = (0, 2, 1, 3)
"""pi0, neutrino, lepton, photon: the lepton's angle to the photon, and so the collinear pole, is then a coordinate."""


def _photon(default: float, maximum: float = 0.2) -> Parameter:
    return Parameter("E_gamma_min", 0.001, maximum, "lowest photon energy in the kaon's rest frame", "GeV", default)


_KL3_SLOPES = (
    Parameter("lambda_plus", -0.2, 0.2, "linear slope of f+ in t/m_pi+^2", default=0.0259),
    Parameter("lambda_plus2", -0.1, 0.1, "quadratic slope of f+", default=0.00186),
    Parameter("lambda_zero", -0.2, 0.2, "linear slope of f0", default=0.0176),
)
_KL3_REFERENCE = f"{_PDG}, K_l3 form factors (K_e3 quadratic fit for f+, K_mu3 for f0)"

_LINEAR_SLOPES = (
    Parameter("lambda_plus", -0.2, 0.2, "slope of f+ in t/m_pi+^2, linear fit", default=0.02959),
    Parameter("lambda_zero", -0.2, 0.2, "slope of f0", default=0.0176),
)
_KL3_GAMMA_REFERENCE = (
    "Bijnens, Ecker, Gasser, Nucl. Phys. B 396 (1993) 81: inner bremsstrahlung by Low's theorem; structure-dependent "
    "emission, about 1% of the rate, is left out"
)


_WITHOUT_STRUCTURE = 0.05
"""Accuracy of that: NA62 (2023) measured rates of pi0 e+ nu gamma 4 to 5% below it."""


def _form_factors(vector: float, slope: float, axial: float) -> tuple[Parameter, ...]:
    return (
        Parameter("F_V", -1.0, 1.0, "vector form factor at x = 1", default=vector),
        Parameter("F_V_slope", -5.0, 5.0, "its relative slope in 1 - x, x = 2E_gamma/m_K", default=slope),
        Parameter("F_A", -1.0, 1.0, "axial form factor", default=axial),
    )


MUNU = Process(
    name="munu",
    decay="K+ -> mu+ nu_mu",
    dynamics=TwoBody(),
    rate=measured(BR_K_MUNU),
    reference=f"{_PDG}; the rate includes inner bremsstrahlung, the kinematics do not",
)

ENU = Process(
    name="enu",
    decay="K+ -> e+ nu_e",
    dynamics=TwoBody(),
    rate=measured(BR_K_ENU),
    reference=f"{_PDG}; the rate includes inner bremsstrahlung, the kinematics do not",
)

PIPI0 = Process(
    name="pipi0",
    decay="K+ -> pi+ pi0",
    dynamics=TwoBody(),
    rate=measured(BR_K_PIPI0),
    reference=f"{_PDG}; the rate includes inner bremsstrahlung, the kinematics do not",
)

PIPIPI = Process(
    name="pipipi",
    decay="K+ -> pi+ pi+ pi-",
    dynamics=ThreeBody(_pipipi),
    parameters=(
        Parameter("g", -1.0, 1.0, "linear Dalitz slope", default=-0.21134),
        Parameter("h", -0.2, 0.2, "quadratic Dalitz slope in u", default=0.0185),
        Parameter("k", -0.2, 0.2, "quadratic Dalitz slope in v", default=-0.00463),
    ),
    rate=measured(BR_K_PIPIPI),
    reference=f"{_PDG}, Dalitz plot parameters",
)

PIPI0PI0 = Process(
    name="pipi0pi0",
    decay="K+ -> pi+ pi0 pi0",
    dynamics=ThreeBody(_pipi0pi0, order=(1, 2, 0)),
    parameters=(
        Parameter("g", -1.0, 2.0, "linear Dalitz slope", default=0.6715),
        Parameter("h", -0.2, 0.2, "quadratic Dalitz slope in u", default=-0.0270),
        Parameter("k", -0.2, 0.2, "quadratic Dalitz slope in v", default=0.0081),
        Parameter("a", -1.0, 1.0, "size of the cusp below 2 pi+", default=-0.1299),
        Parameter("b", -1.0, 1.0, "size of the cusp above 2 pi+", default=-0.0378),
        Parameter("q", 0.1, 2.0, "power of the cusp", default=0.4474),
    ),
    rate=measured(BR_K_PIPI0PI0),
    reference="NA48/2, Phys. Lett. B 686 (2010) 101: empirical Dalitz plot with the cusp at 2 m_pi+",
)

PI0ENU = Process(
    name="pi0enu",
    decay="K+ -> pi0 e+ nu_e",
    dynamics=ThreeBody(_pi0enu),
    parameters=_KL3_SLOPES,
    rate=measured(BR_K_PI0ENU),
    reference=_KL3_REFERENCE,
)

PI0MUNU = Process(
    name="pi0munu",
    decay="K+ -> pi0 mu+ nu_mu",
    dynamics=ThreeBody(_pi0munu),
    parameters=_KL3_SLOPES,
    rate=measured(BR_K_PI0MUNU),
    reference=_KL3_REFERENCE,
)

MUNUG = Process(
    name="munug",
    decay="K+ -> mu+ nu_mu gamma",
    dynamics=ThreeBody(_munu_gamma, s12_max=_photon_cut),
    parameters=(_photon(0.01), *_form_factors(0.0945, 0.0, 0.0425)),
    rate=relative_to_munu(lambda v: _E2),
    reference="Bijnens, Ecker, Gasser, Nucl. Phys. B 396 (1993) 81: IB, SD+-, INT+-, form factors at O(p^4)",
)

ENUG = Process(
    name="enug",
    decay="K+ -> e+ nu_e gamma",
    dynamics=ThreeBody(_enu_gamma, s12_max=_photon_cut),
    parameters=(_photon(0.01), *_form_factors(0.0885, 0.38, 0.0365)),
    # KLOE measured the rate to 4.5%
    rate=relative_to_munu(lambda v: _E2 * (M_E / M_MU) ** 2, 0.045),
    reference="Bijnens, Ecker, Gasser, Nucl. Phys. B 396 (1993) 81; form factors: KLOE, EPJ C 64 (2009) 627",
)

PIPI0G = Process(
    name="pipi0g",
    decay="K+ -> pi+ pi0 gamma",
    dynamics=ThreeBody(_pipi0_gamma, s12_max=_photon_cut),
    parameters=(
        _photon(0.01, 0.17),
        Parameter("X_E", -1000.0, 1000.0, "electric direct emission", "GeV^-4", -24.0),
        Parameter("X_M", -1000.0, 1000.0, "magnetic direct emission", "GeV^-4", 254.0),
        Parameter(
            "cos_phase", -1.0, 1.0, "cosine of the phase between direct emission and bremsstrahlung", default=1.0
        ),
    ),
    rate=relative_to_pipi0(lambda v: _E2),
    reference="Low's theorem; direct emission of NA48/2, Eur. Phys. J. C 68 (2010) 75",
)

PI0ENUG = Process(
    name="pi0enug",
    decay="K+ -> pi0 e+ nu_e gamma",
    dynamics=ManyBody(_pi0enu_gamma, order=_PHOTON_LAST, limits=_photon_limit),
    parameters=(_photon(0.01), *_LINEAR_SLOPES),
    rate=relative_to(PI0ENU, BR_K_PI0ENU, lambda v: _E2, _WITHOUT_STRUCTURE),
    reference=_KL3_GAMMA_REFERENCE,
)

PI0MUNUG = Process(
    name="pi0munug",
    decay="K+ -> pi0 mu+ nu_mu gamma",
    dynamics=ManyBody(_pi0munu_gamma, order=_PHOTON_LAST, limits=_photon_limit),
    parameters=(_photon(0.01, 0.187), *_LINEAR_SLOPES),
    rate=relative_to(PI0MUNU, BR_K_PI0MUNU, lambda v: _E2, _WITHOUT_STRUCTURE),
    reference=_KL3_GAMMA_REFERENCE,
)

_KE4_NAMES = ("f_s", "f_s1", "f_s2", "f_e", "f_p", "g_p", "g_p1", "h_p")
_KE4_TEXTS = ("f_s", "f_s'/f_s", "f_s''/f_s", "f_e'/f_s", "f_p/f_s", "g_p/f_s", "g_p'/f_s", "h_p/f_s")

PIPIENU = Process(
    name="pipienu",
    decay="K+ -> pi+ pi- e+ nu_e",
    dynamics=ManyBody(_pipienu),
    parameters=tuple(
        Parameter(name, -10.0, 10.0, f"form factor {text}", default=value)
        for name, text, value in zip(_KE4_NAMES, _KE4_TEXTS, kl4.FORM_FACTORS, strict=True)
    ),
    rate=measured(BR_K_PIPIENU),
    reference="NA48/2, Phys. Lett. B 715 (2012) 105: partial waves; with the pions' Coulomb attraction",
)

PI0PI0ENU = Process(
    name="pi0pi0enu",
    decay="K+ -> pi0 pi0 e+ nu_e",
    dynamics=ManyBody(_pi0pi0enu),
    parameters=tuple(
        Parameter(name, -5.0, 5.0, f"form factor {name}", default=value)
        for name, value in zip("abcd", kl4.NEUTRAL_FORM_FACTORS, strict=True)
    ),
    rate=measured(BR_K_PI0PI0ENU),
    reference="NA48/2, JHEP 08 (2014) 159: form factor F with its cusp",
)

PROCESSES = (
    MUNU,
    PIPI0,
    PIPIPI,
    PI0ENU,
    PI0MUNU,
    PIPI0PI0,
    MUNUG,
    PIPI0G,
    PI0ENUG,
    PI0MUNUG,
    PIPIENU,
    PI0PI0ENU,
    ENU,
    ENUG,
)
