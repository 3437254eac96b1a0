"""Decays to particles that are not in the Standard Model."""

from __future__ import annotations

import math

from kaongen.amplitudes import munu_v_mumu, munu_x
from kaongen.decays.amplitude import amplitude, block_amplitude, flat_dalitz, momentum
from kaongen.decays.process import ManyBody, Parameter, Process, Rate, ThreeBody, TwoBody, Values
from kaongen.decays.rates import formula, relative_to_munu
from kaongen.jit import full_width
from kaongen.models import alp, dark_scalar, hnl
from kaongen.particles import BR_K_ENU, BR_K_MUNU, M_E, M_K, M_MU, M_PI, Measured

_LETTER = "Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802"
_MARGIN = 0.0005
"""How far a new mass must stay below threshold, in GeV."""


@amplitude
def _vector(s12, s23, p):
    return munu_x.vector(s12, s23, p[0])


@amplitude
def _scalar(s12, s23, p):
    return munu_x.scalar(s12, s23, p[0])


@block_amplitude
def _vector_to_muons(n, q, p, result):
    full_width()
    for j in range(n):
        plus, minus, muon, nu = momentum(q, 0, j), momentum(q, 1, j), momentum(q, 2, j), momentum(q, 3, j)
        result[j] = munu_v_mumu.squared(muon, nu, plus, minus, p[0])
    return 0.0


_X_MASS = Parameter("m_X", 0.001, M_K - M_MU - _MARGIN, "mass of X, below m_K - m_mu", "GeV")
_GAUGE = Parameter("g", 0.0, 4.0 * math.pi, "gauge coupling of L_mu - L_tau", default=1e-3)

MUNU_VECTOR = Process(
    name="munuV",
    decay="K+ -> mu+ nu_mu V",
    dynamics=ThreeBody(_vector, order=(1, 2, 0)),
    parameters=(_X_MASS, _GAUGE),
    mass_of={"V": "m_X"},
    rate=relative_to_munu(lambda v: v["g"] ** 2),
    reference=f"{_LETTER}, (A.7)",
)


def _as_munu_vector(process: Process, values: Values) -> Rate:
    return MUNU_VECTOR.branching_fraction(values)


MUNU_VECTOR_MUMU = Process(
    name="munuV-mumu",
    decay="K+ -> mu+ nu_mu mu+ mu-",
    chain="K+ -> mu+ nu_mu (V -> mu+ mu-)",
    dynamics=ManyBody(_vector_to_muons, order=(2, 3, 0, 1), limits=lambda v: {2: (v["m_X"], v["m_X"])}),
    parameters=(
        Parameter(
            "m_X", 2.0 * M_MU + 1e-5, M_K - M_MU - _MARGIN, "mass of V, above 2 m_mu and below m_K - m_mu", "GeV"
        ),
        _GAUGE,
    ),
    rate=_as_munu_vector,
    reference=f"{_LETTER}: V on its mass shell, with its polarisation; the rate is that of all decays of V",
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


def _lepton_hnl(flavour: str, m_l: float, measured: Measured) -> Process:
    return Process(
        name=f"{flavour}N",
        decay=f"K+ -> {flavour}+ N",
        dynamics=TwoBody(),
        parameters=(
            Parameter("m_N", 0.0, M_K - m_l - _MARGIN, f"mass of N, below m_K - m_{flavour}", "GeV"),
            Parameter("U2", 0.0, 1.0, f"mixing |U_{flavour}4|^2", default=1e-8),
        ),
        mass_of={"N": "m_N"},
        rate=formula(
            lambda v: hnl.kaon_branching_fraction(flavour, v["m_N"], v["U2"]),
            measured.error / measured.value,
            f"BR(K+ -> {flavour}+ nu) rho(m_N) |U_{flavour}4|^2; {measured.reference}",
        ),
        reference="NA62, Phys. Lett. B 816 (2021) 136259, equation (1)",
    )


MU_HNL = _lepton_hnl("mu", M_MU, BR_K_MUNU)
E_HNL = _lepton_hnl("e", M_E, BR_K_ENU)


def _pion_mass(name: str) -> Parameter:
    return Parameter(f"m_{name}", 0.0, M_K - M_PI - _MARGIN, f"mass of {name}, below m_K - m_pi", "GeV")


PI_X = Process(
    name="piX",
    decay="K+ -> pi+ X",
    dynamics=TwoBody(),
    parameters=(_pion_mass("X"), Parameter("BR", 0.0, 1.0, "branching fraction", default=1e-10)),
    mass_of={"X": "m_X"},
    rate=formula(lambda v: v["BR"], 0.0, "as given"),
    reference="two-body kinematics, the same for a scalar, a pseudoscalar and a vector",
)

PI_SCALAR = Process(
    name="piS",
    decay="K+ -> pi+ S",
    dynamics=TwoBody(),
    parameters=(
        Parameter("m_S", 0.001, M_K - M_PI - _MARGIN, "mass of S, below m_K - m_pi", "GeV"),
        Parameter("sin2_theta", 0.0, 1.0, "mixing with the Higgs boson, sin^2(theta)", default=1e-8),
    ),
    mass_of={"S": "m_S"},
    rate=formula(
        lambda v: dark_scalar.DarkScalar(v["m_S"], v["sin2_theta"]).kaon_branching_fraction(),
        dark_scalar.ACCURACY,
        "dark scalar, benchmark BC4 (kaongen.models.dark_scalar)",
    ),
    reference="Winkler, Phys. Rev. D 99 (2019) 015018 (arXiv:1809.01876)",
)

PI_ALP = Process(
    name="pia",
    decay="K+ -> pi+ a",
    dynamics=TwoBody(),
    parameters=(
        Parameter("m_a", 0.001, M_K - M_PI - _MARGIN, "mass of a, below m_K - m_pi", "GeV"),
        Parameter("g_Y", 0.0, 1.0, "Yukawa-like coupling to fermions", default=1e-4),
    ),
    mass_of={"a": "m_a"},
    rate=formula(
        lambda v: alp.AxionLikeParticle(v["m_a"], v["g_Y"]).kaon_branching_fraction(),
        0.5,
        "axion-like particle, benchmark BC10 (kaongen.models.alp)",
    ),
    reference="Dolan et al., JHEP 03 (2015) 171 (arXiv:1412.5174); benchmark BC10 of arXiv:1901.09966",
)

PI_AA = Process(
    name="piaa",
    decay="K+ -> pi+ a a",
    dynamics=ThreeBody(flat_dalitz, order=(1, 2, 0)),
    parameters=(
        Parameter("m_a", 0.0, (M_K - M_PI) / 2.0 - _MARGIN, "mass of a, below (m_K - m_pi)/2", "GeV"),
        Parameter("BR", 0.0, 1.0, "branching fraction", default=1e-10),
    ),
    mass_of={"a": "m_a"},
    rate=formula(lambda v: v["BR"], 0.0, "as given"),
    reference="NA62 (proceedings on feebly interacting particles): flat in phase space; a -> e+ e- by descriptor",
)

PROCESSES = (
    MUNU_VECTOR,
    MUNU_VECTOR_MUMU,
    MUNU_SCALAR,
    MU_HNL,
    E_HNL,
    PI_X,
    PI_SCALAR,
    PI_ALP,
    PI_AA,
)
