"""Rare decays of the Standard Model, most of them measured at NA62."""

from __future__ import annotations

import math

from kaongen.amplitudes import kl3, lnu_ll, munununu, pi_4e, pi_gg, pi_ll
from kaongen.amplitudes.lorentz import dot
from kaongen.decays.amplitude import amplitude, block_amplitude, momentum
from kaongen.decays.process import ManyBody, MuonSpectrum, Parameter, Process, ThreeBody, Values
from kaongen.decays.rates import absolute, formula, measured, relative_to_munu
from kaongen.jit import full_width, scalar_kernel
from kaongen.particles import ALPHA_EM, BR_K_PIGAMMAGAMMA, BR_K_PINUNU, G_F, M_E, M_K, M_MU, M_PI

_BEG = (
    "Bijnens, Ecker, Gasser, Nucl. Phys. B 396 (1993) 81: inner bremsstrahlung and structure at O(p^4), "
    "kaon form factor at one loop"
)


@amplitude
def _pinunu(s12, s23, p):
    return kl3.squared(s12, s23, M_PI, 0.0, p[0], p[1], 0.0)


@amplitude
def _piee(s12, s23, p):
    return pi_ll.squared(s12, s23, M_E, p[0], p[1])


@amplitude
def _pimumu(s12, s23, p):
    return pi_ll.squared(s12, s23, M_MU, p[0], p[1])


@amplitude
def _pigg(s12, s23, p):
    return pi_gg.squared(s12, s23, p[0])


# The pair comes first, so that its mass is a coordinate of phase space. Of two like leptons either may belong to it: by
# symmetry it is enough to sample the share of |M|^2 that goes with the first one's pole, and to exchange the two.


@scalar_kernel
def _share(first, second):
    """Twice the share of the pole of the first pair, from the squared masses of the two; the shares add up to two."""
    return 2.0 * second * second / (first * first + second * second)


@block_amplitude
def _munumumu(n, q, p, result):
    full_width()
    for j in range(n):
        b, minus, a, nu = momentum(q, 0, j), momentum(q, 1, j), momentum(q, 2, j), momentum(q, 3, j)
        share = _share(M_MU * M_MU + dot(b, minus), M_MU * M_MU + dot(a, minus))
        result[j] = share * lnu_ll.identical(a, nu, minus, b, M_MU, p[0], p[1])
    return 0.0


@block_amplitude
def _enuee(n, q, p, result):
    full_width()
    for j in range(n):
        b, minus, a, nu = momentum(q, 0, j), momentum(q, 1, j), momentum(q, 2, j), momentum(q, 3, j)
        first, second = M_E * M_E + dot(b, minus), M_E * M_E + dot(a, minus)
        squared = _share(first, second) * lnu_ll.identical(a, nu, minus, b, M_E, p[1], p[2])
        # phase space cuts on the first pair, and this on the second
        result[j] = squared if 2.0 * second > p[0] * p[0] else 0.0
    return 0.0


@block_amplitude
def _munuee(n, q, p, result):
    full_width()
    for j in range(n):
        plus, minus, muon, nu = momentum(q, 0, j), momentum(q, 1, j), momentum(q, 2, j), momentum(q, 3, j)
        result[j] = lnu_ll.different(muon, nu, minus, plus, M_MU, M_E, p[1], p[2])
    return 0.0


@block_amplitude
def _enumumu(n, q, p, result):
    full_width()
    for j in range(n):
        plus, minus, positron, nu = momentum(q, 0, j), momentum(q, 1, j), momentum(q, 2, j), momentum(q, 3, j)
        result[j] = lnu_ll.different(positron, nu, minus, plus, M_E, M_MU, p[0], p[1])
    return 0.0


@block_amplitude
def _pieeee(n, q, p, result):
    full_width()
    for j in range(n):
        a, c, b, d = momentum(q, 0, j), momentum(q, 1, j), momentum(q, 2, j), momentum(q, 3, j)
        ac, ad = 1.0 / (M_E * M_E + dot(a, c)), 1.0 / (M_E * M_E + dot(a, d))
        bc, bd = 1.0 / (M_E * M_E + dot(b, c)), 1.0 / (M_E * M_E + dot(b, d))
        share = 4.0 * ac * ac / (ac * ac + ad * ad + bc * bc + bd * bd)
        result[j] = share * pi_4e.squared(momentum(q, 4, j), a, b, c, d, p[0], p[1])
    return 0.0


_PAIR_FIRST = (2, 3, 0, 1)

_TERMS = (
    Parameter("contact", 0.0, 1.0, "1: with the contact term of gauge invariance, 0: without", default=1.0),
    Parameter("structure", 0.0, 1.0, "1: with structure-dependent emission, 0: bremsstrahlung alone", default=1.0),
)


def _m_ee(maximum: float) -> Parameter:
    return Parameter("m_ee_min", 2.0 * M_E, maximum, "lowest mass of an e+ e- pair", "GeV", default=0.14)


_FOUR_LEPTONS = relative_to_munu(lambda v: (4.0 * math.pi * ALPHA_EM / M_MU) ** 2, 0.1)
"""The amplitudes are in units of C e^2, and lambda_mu is C m_mu. What O(p^4) leaves out is 10%: so far are the rates of
two e+ e- modes from the measured ones (E865)."""


def _pair_mass(values: Values) -> dict[int, tuple[float, float]]:
    return {2: (values["m_ee_min"], M_K)}


PINUNU = Process(
    name="pinunu",
    decay="K+ -> pi+ nu anti-nu",
    dynamics=ThreeBody(_pinunu),
    parameters=(
        Parameter("lambda_plus", -0.2, 0.2, "linear slope of f+ in t/m_pi+^2", default=0.0259),
        Parameter("lambda_plus2", -0.1, 0.1, "quadratic slope of f+", default=0.00186),
    ),
    rate=measured(BR_K_PINUNU),
    reference="dGamma/dq^2 ~ lambda^(3/2) f+^2 with the K_e3 form factor; all flavours of neutrinos together",
)

PIEE = Process(
    name="piee",
    decay="K+ -> pi+ e+ e-",
    dynamics=ThreeBody(_piee, order=(1, 2, 0)),
    parameters=(
        Parameter("a", -5.0, 5.0, "form factor at z = 0", default=0.531),
        Parameter("b", -5.0, 5.0, "slope of the form factor in z = m_ll^2/m_K^2", default=1.232),
    ),
    rate=absolute(
        lambda v: (ALPHA_EM * G_F / (4.0 * math.pi)) ** 2,
        0.04,
        "computed from the form factor, with the error of its measurement",
    ),
    reference="form factor a + b z: linear fit of NA48/2, Phys. Lett. B 677 (2009) 246, without the pion loop",
)

PIMUMU = Process(
    name="pimumu",
    decay="K+ -> pi+ mu+ mu-",
    dynamics=ThreeBody(_pimumu, order=(1, 2, 0)),
    parameters=PIEE.parameters,
    rate=PIEE.rate,
    reference=f"{PIEE.reference} (of the electrons)",
)

PIGG = Process(
    name="pigg",
    decay="K+ -> pi+ gamma gamma",
    dynamics=ThreeBody(_pigg, order=(1, 2, 0)),
    parameters=(Parameter("c_hat", -10.0, 10.0, "the parameter of O(p^4)", default=1.72),),
    rate=measured(BR_K_PIGAMMAGAMMA),
    reference="Ecker, Pich, de Rafael, Nucl. Phys. B 303 (1988) 665, O(p^4), without the pi0's pole; NA48/2 for c_hat",
)

MUNUNUNU = Process(
    name="mununubarnu",
    decay="K+ -> mu+ nu nu anti-nu",
    dynamics=MuonSpectrum(munununu.momentum_spectrum),
    rate=formula(lambda v: 1.634e-16, 0.01, "integral of the spectrum; the paper quotes 1.62e-16"),
    reference="Gorbunov and Mitrofanov, JHEP 10 (2016) 039 (arXiv:1605.08077)",
)

MUNUMUMU = Process(
    name="munumumu",
    decay="K+ -> mu+ nu_mu mu+ mu-",
    dynamics=ManyBody(_munumumu, order=_PAIR_FIRST, exchange=((0, 2),)),
    parameters=_TERMS,
    rate=_FOUR_LEPTONS,
    reference=f"{_BEG}; antisymmetrised",
)

MUNUEE = Process(
    name="munuee",
    decay="K+ -> mu+ nu_mu e+ e-",
    dynamics=ManyBody(_munuee, order=_PAIR_FIRST, limits=_pair_mass),
    parameters=(_m_ee(0.35), *_TERMS),
    rate=_FOUR_LEPTONS,
    reference=_BEG,
)

ENUMUMU = Process(
    name="enumumu",
    decay="K+ -> e+ nu_e mu+ mu-",
    dynamics=ManyBody(_enumumu, order=_PAIR_FIRST),
    parameters=_TERMS,
    rate=_FOUR_LEPTONS,
    reference=_BEG,
)

ENUEE = Process(
    name="enuee",
    decay="K+ -> e+ nu_e e+ e-",
    dynamics=ManyBody(_enuee, order=_PAIR_FIRST, limits=_pair_mass, exchange=((0, 2),)),
    parameters=(_m_ee(0.34), *_TERMS),
    rate=_FOUR_LEPTONS,
    reference=f"{_BEG}; antisymmetrised, both pairs above the lowest mass",
)

PIEEEE = Process(
    name="pieeee",
    decay="K+ -> pi+ e+ e- e+ e-",
    dynamics=ManyBody(_pieeee, order=(1, 2, 3, 4, 0), exchange=((0, 2), (1, 3))),
    parameters=(
        Parameter("a", -5.0, 5.0, "form factor at z = 0", default=-0.531),
        Parameter("b", -5.0, 5.0, "slope of the form factor in z", default=-1.232),
    ),
    rate=absolute(
        lambda v: pi_4e.unit_squared(), 0.1, "computed from the form factor of K+ -> pi+ l+ l-; without meson loops"
    ),
    reference="one and two virtual photons by Low's theorem; Husek, Phys. Rev. D 106 (2022) L071301, has 7.2(7)e-11",
)

PROCESSES = (PIGG, PIEE, PIMUMU, MUNUEE, ENUEE, MUNUMUMU, ENUMUMU, PINUNU, PIEEEE, MUNUNUNU)
