"""The catalogue: every decay that kaongen knows, one entry each."""

from __future__ import annotations

import math

from kaongen.amplitudes import hnl, k3pi, kl3, munu_gamma, munu_x, munununu
from kaongen.decays.process import MuonSpectrum, Parameter, Process, ThreeBody, TwoBody, amplitude
from kaongen.decays.rates import formula, measured, relative_to_munu
from kaongen.errors import ProcessError, suggestion
from kaongen.particles import ALPHA_EM, BR_K_MUNU, BR_K_PI0MUNU, BR_K_PIPIPI, M_K, M_MU, M_PI0

_PDG = "Particle Data Group, Review of Particle Physics 2026"
_LETTER = "Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802"

_X_MASS = Parameter("m_X", 0.001, M_K - M_MU - 0.0005, "mass of X, below m_K - m_mu", "GeV")


@amplitude
def _vector(s12, s23, p):  # type: ignore[no-untyped-def]
    return munu_x.vector(s12, s23, p[0])


@amplitude
def _scalar(s12, s23, p):  # type: ignore[no-untyped-def]
    return munu_x.scalar(s12, s23, p[0])


@amplitude
def _munu_gamma(s12, s23, p):  # type: ignore[no-untyped-def]
    return munu_gamma.squared(s12, s23, p[1], p[2])


@amplitude
def _pi0munu(s12, s23, p):  # type: ignore[no-untyped-def]
    return kl3.squared(s12, s23, M_PI0, M_MU, p[0], p[1], p[2])


@amplitude
def _pipipi(s12, s23, p):  # type: ignore[no-untyped-def]
    return k3pi.squared(s12, s23, p[0], p[1], p[2])


MUNU = Process(
    name="munu",
    decay="K+ -> mu+ nu_mu",
    dynamics=TwoBody(),
    rate=measured(BR_K_MUNU),
    reference=f"{_PDG}; the rate includes inner bremsstrahlung, the kinematics do not",
)

MUNUG = Process(
    name="munug",
    decay="K+ -> mu+ nu_mu gamma",
    dynamics=ThreeBody(_munu_gamma, s12_max=lambda v: M_K * (M_K - 2.0 * v["E_gamma_min"])),
    parameters=(
        Parameter("E_gamma_min", 0.001, 0.2, "lowest photon energy in the kaon's rest frame", "GeV", default=0.01),
        Parameter("F_V", -1.0, 1.0, "vector form factor", default=0.0945),
        Parameter("F_A", -1.0, 1.0, "axial form factor", default=0.0425),
    ),
    rate=relative_to_munu(lambda v: 4.0 * math.pi * ALPHA_EM),
    reference="Bijnens, Ecker, Gasser, Nucl. Phys. B 396 (1993) 81: IB, SD+-, INT+-, form factors at O(p^4)",
)

PI0MUNU = Process(
    name="pi0munu",
    decay="K+ -> pi0 mu+ nu_mu",
    dynamics=ThreeBody(_pi0munu),
    parameters=(
        Parameter("lambda_plus", -0.2, 0.2, "linear slope of f+ in t/m_pi+^2", default=0.0259),
        Parameter("lambda_plus2", -0.1, 0.1, "quadratic slope of f+", default=0.00186),
        Parameter("lambda_zero", -0.2, 0.2, "linear slope of f0", default=0.0176),
    ),
    rate=measured(BR_K_PI0MUNU),
    reference=f"{_PDG}, K_l3 form factors (K_e3 quadratic fit for f+, K_mu3 for f0)",
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

MUNU_VECTOR = Process(
    name="munuV",
    decay="K+ -> mu+ nu_mu V",
    dynamics=ThreeBody(_vector, order=(1, 2, 0)),
    parameters=(_X_MASS, Parameter("g", 0.0, 4.0 * math.pi, "gauge coupling of L_mu - L_tau", default=1e-3)),
    mass_of={"V": "m_X"},
    rate=relative_to_munu(lambda v: v["g"] ** 2),
    reference=f"{_LETTER}, (A.7)",
)

MUNU_SCALAR = Process(
    name="munuphi",
    decay="K+ -> mu+ nu_mu phi",
    dynamics=ThreeBody(_scalar, order=(1, 2, 0)),
    parameters=(_X_MASS, Parameter("y", 0.0, 4.0 * math.pi, "Yukawa coupling to the muon", default=1e-3)),
    mass_of={"phi": "m_X"},
    rate=relative_to_munu(lambda v: v["y"] ** 2),
    reference=f"{_LETTER}, (A.8) corrected",
)

MU_HNL = Process(
    name="muN",
    decay="K+ -> mu+ N",
    dynamics=TwoBody(),
    parameters=(
        Parameter("m_N", 0.0, M_K - M_MU - 0.0005, "mass of N, below m_K - m_mu", "GeV"),
        Parameter("U2", 0.0, 1.0, "mixing |U_mu4|^2", default=1e-8),
    ),
    mass_of={"N": "m_N"},
    rate=formula(
        lambda v: BR_K_MUNU.value * hnl.rho(v["m_N"]) * v["U2"],
        BR_K_MUNU.error / BR_K_MUNU.value,
        f"BR(K+ -> mu+ nu_mu) rho(m_N) |U_mu4|^2; {BR_K_MUNU.reference}",
    ),
    reference="NA62, Phys. Lett. B 816 (2021) 136259, equation (1)",
)

MUNUNUNU = Process(
    name="mununubarnu",
    decay="K+ -> mu+ nu nu anti-nu",
    dynamics=MuonSpectrum(munununu.momentum_spectrum),
    rate=formula(lambda v: 1.634e-16, 0.01, "integral of the spectrum; the paper quotes 1.62e-16"),
    reference="Gorbunov and Mitrofanov, JHEP 10 (2016) 039 (arXiv:1605.08077)",
)

_CATALOGUE: dict[str, Process] = {
    process.name: process for process in (MUNU, MUNUG, PI0MUNU, PIPIPI, MUNU_VECTOR, MUNU_SCALAR, MU_HNL, MUNUNUNU)
}


def processes() -> tuple[Process, ...]:
    """All processes, in the order in which they were registered."""
    return tuple(_CATALOGUE.values())


def register(process: Process) -> Process:
    """Add one's own process; the same door that the built-in ones use.

    Raises
    ------
    ProcessError
        If the name is taken.
    """
    if process.name in _CATALOGUE:
        raise ProcessError(f"a process named {process.name!r} exists already ({_CATALOGUE[process.name].decay})")
    _CATALOGUE[process.name] = process
    return process


def find(name: str) -> Process:
    """The process of that name.

    Raises
    ------
    ProcessError
        If there is none; the message suggests the closest.
    """
    if name not in _CATALOGUE:
        hint = suggestion(name, _CATALOGUE)
        raise ProcessError(f"there is no process {name!r}{hint} (known: {', '.join(_CATALOGUE)})")
    return _CATALOGUE[name]
