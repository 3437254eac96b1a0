"""The axion-like particle a with couplings like the Higgs's, i g_Y m_f/v a fbar gamma5 f: BC10 of arXiv:1901.09966."""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

from kaongen.models.constants import M_BOTTOM, M_CHARM, M_TAU, M_TOP_MSBAR, V_TD, V_TS, VEV
from kaongen.models.kaon_form_factor import current_divergence, two_body_width
from kaongen.models.unstable import LARGEST_COUPLING, LIGHTEST, Unstable, check, velocity
from kaongen.particles import ALPHA_EM, HBAR, M_E, M_K, M_MU, M_PI, TAU_K

CUTOFF = 1000.0
"""Scale in GeV at which the couplings are of this form and flavour-diagonal, 1 TeV by convention of BC10."""

ACCURACY = 0.3
"""Relative accuracy of the rate of K -> pi a: the top's Yukawa coupling is not run to the cutoff."""

_CHARGED = (
    (M_E, 1.0),
    (M_MU, 1.0),
    (M_TAU, 1.0),
    (M_CHARM, 4.0 / 3.0),
    (M_BOTTOM, 1.0 / 3.0),
    (M_TOP_MSBAR, 4.0 / 3.0),
)
"""Mass, and colours times squared charge, of the fermions whose loops can be computed."""


def flavour_change(g_y: float, cutoff: float = CUTOFF, m_top: float = M_TOP_MSBAR) -> float:
    """|g_sd| in GeV^-1 of g_sd d_mu a dbar_L gamma^mu s_L, from the logarithm of the loop with a top quark.

    g_Y m_t^2 |V_td V_ts| ln(Lambda^2/m_t^2)/(16 pi^2 v^3), in which m_t^2/v^2 is half of the top's Yukawa coupling
    squared. M. Bauer et al., JHEP 04 (2021) 063 (arXiv:2012.12272), equation (18), at leading logarithm with
    c_tt/f = g_Y/v; tests/models/test_model_alp.py does the loop.

    With 1/(v^2) = pi alpha/(m_W^2 sin^2(theta_W)) it reads alpha g_Y m_t^2/(16 pi m_W^2 sin^2(theta_W) v) times the
    logarithm: the form with 4 pi in place of 16 pi that is sometimes quoted overstates it by 4.
    """
    check("axion-like particle", "cutoff", cutoff, m_top, 1e19, "GeV")
    log = 2.0 * math.log(cutoff / m_top)
    return abs(g_y) * m_top * m_top * V_TD * V_TS * log / (16.0 * math.pi**2 * VEV**3)


def photon_loop(m_a: float, m_f: float) -> complex:
    """B_1 of a loop of a fermion of mass m_f coupled to the derivative of a: 1 for a light, 0 for a heavy one.

    1 - t f^2, t = 4 m_f^2/m_a^2, f = arcsin(t^(-1/2)) or pi/2 + i/2 ln[(1 + (1-t)^(1/2))/(1 - (1-t)^(1/2))]: M. Bauer,
    M. Neubert and A. Thamm, JHEP 12 (2017) 044 (arXiv:1708.00443), equations (12) and (13).
    """
    t = 4.0 * m_f * m_f / (m_a * m_a)
    if t > 1e3:
        # -1/(3t) - 8/(45 t^2) - ...: nothing to cancel
        return -(1.0 + (8.0 / 15.0 + 12.0 / 35.0 / t) / t) / (3.0 * t)
    if t >= 1.0:
        f: complex = math.asin(1.0 / math.sqrt(t))
    else:
        root = math.sqrt(1.0 - t)
        f = 0.5 * math.pi + 0.5j * cmath.log((1.0 + root) ** 2 / t)
    return 1.0 - t * f * f


@dataclass(frozen=True, slots=True)
class AxionLikeParticle(Unstable):
    """a of mass m_a (GeV) and coupling g_y, with its flavour change generated below `cutoff` (GeV).

    Light enough for K+ -> pi+ a. Mixing with the neutral pion is left out: close to 0.135 GeV it would dominate.
    """

    m_a: float
    g_y: float
    cutoff: float = CUTOFF

    def __post_init__(self) -> None:
        check(self.name, "m_a", self.m_a, LIGHTEST, M_K - M_PI, "GeV")
        check(self.name, "g_y", self.g_y, -LARGEST_COUPLING, LARGEST_COUPLING)
        check(self.name, "cutoff", self.cutoff, M_TOP_MSBAR, 1e19, "GeV")

    @property
    def name(self) -> str:
        return "axion-like particle"

    @property
    def mass(self) -> float:
        return self.m_a

    def widths(self) -> dict[str, float]:
        """Partial widths in GeV: two pions are forbidden by parity, and three do not fit.

        Leptons g_Y^2 m_l^2 m_a beta/(8 pi v^2). Photons alpha^2 g_Y^2 m_a^3/(64 pi^3 v^2) |sum B_1|^2 over leptons and
        heavy quarks; light quarks of equal couplings only make the eta', which is far.
        """
        photons = sum(weight * photon_loop(self.m_a, m) for m, weight in _CHARGED)
        g2 = self.g_y * self.g_y
        scale = g2 * self.m_a / (8.0 * math.pi * VEV * VEV)
        return {
            "e+ e-": scale * M_E * M_E * velocity(self.m_a, M_E),
            "mu+ mu-": scale * M_MU * M_MU * velocity(self.m_a, M_MU),
            "gamma gamma": ALPHA_EM**2 * g2 * self.m_a**3 / (64.0 * math.pi**3 * VEV * VEV) * abs(photons) ** 2,
        }

    def kaon_branching_fraction(self) -> float:
        """BR(K+ -> pi+ a), from the charged kaon's lifetime.

        Gamma = m_K^3 |g_sd|^2 f_0^2 lambda^(1/2)(1, ...) (1 - m_pi^2/m_K^2)^2/(64 pi), with f_0 at m_a^2: E. Izaguirre,
        T. Lin and B. Shuve, Phys. Rev. Lett. 118 (2017) 111802 (arXiv:1611.09355).
        """
        amplitude = 0.5 * flavour_change(self.g_y, self.cutoff) * current_divergence(self.m_a)
        return two_body_width(amplitude, self.m_a) * TAU_K / HBAR
