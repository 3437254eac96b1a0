"""The dark scalar S that mixes with the Higgs by an angle theta: benchmark BC4 of arXiv:1901.09966."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kaongen.models.constants import M_DOWN, M_STRANGE, M_TOP_MSBAR, V_TD, V_TS, VEV
from kaongen.models.kaon_form_factor import current_divergence, two_body_width
from kaongen.models.unstable import LIGHTEST, Unstable, check, velocity
from kaongen.particles import G_F, HBAR, M_E, M_K, M_MU, M_PI, TAU_K

ACCURACY = 0.2
"""Relative accuracy of the rate of K -> pi S: QCD corrections to the loop, here by the choice of the top's mass."""


def flavour_change(m_top: float = M_TOP_MSBAR) -> float:
    """xi = 3 sqrt(2) G_F m_t^2 |V_ts V_td|/(16 pi^2), such that S couples as sin(theta) xi m_s/v S dbar_L s_R.

    M. W. Winkler, Phys. Rev. D 99 (2019) 015018 (arXiv:1809.01876), appendix A.
    """
    return 3.0 * math.sqrt(2.0) * G_F * m_top * m_top * V_TS * V_TD / (16.0 * math.pi**2)


def width_to_leptons(sin2_theta: float, m_s: float, m_l: float) -> float:
    """Gamma(S -> l+ l-) = sin^2(theta) m_l^2 m_S beta^3/(8 pi v^2) in GeV."""
    return sin2_theta * m_l * m_l * m_s / (8.0 * math.pi * VEV * VEV) * velocity(m_s, m_l) ** 3


def width_to_pions_leading(sin2_theta: float, m_s: float) -> float:
    """Gamma(S -> pi+ pi- and pi0 pi0) in GeV at leading order of chiral perturbation theory.

    3 G_F sin^2(theta) beta/(16 sqrt(2) pi m_S) (2 m_S^2/9 + 11 m_pi^2/9)^2: M. B. Voloshin, Sov. J. Nucl. Phys. 44
    (1986) 478; Winkler, equations (15) and (21).
    """
    form_factor = 2.0 / 9.0 * m_s * m_s + 11.0 / 9.0 * M_PI * M_PI
    scale = 3.0 * G_F / (16.0 * math.sqrt(2.0) * math.pi * m_s)
    return sin2_theta * scale * velocity(m_s, M_PI) * form_factor * form_factor


def rescattering(m_s: float) -> float:
    """Width to pions over its leading order: the pions' strong interaction, from threshold to 0.36 GeV.

    A quadratic in m_S^2 - 4 m_pi^2 fitted to the dispersive width of Winkler, figure 4, digitised with a scatter of
    3%; other evaluations are up to a third higher. Already at threshold it is 2: leading order is no estimate.
    """
    d = m_s * m_s - 4.0 * M_PI * M_PI
    return 2.02 + d * (35.8 - 267.0 * d)


@dataclass(frozen=True, slots=True)
class DarkScalar(Unstable):
    """S of mass m_s (GeV) and mixing sin2_theta = sin^2(theta).

    Light enough for K+ -> pi+ S. Its decay to photons is left out: it is 1% of that to electrons at 0.2 GeV and less
    than that beside muons.
    """

    m_s: float
    sin2_theta: float

    def __post_init__(self) -> None:
        check(self.name, "m_s", self.m_s, LIGHTEST, M_K - M_PI, "GeV")
        check(self.name, "sin2_theta", self.sin2_theta, 0.0, 1.0)

    @property
    def name(self) -> str:
        return "dark scalar"

    @property
    def mass(self) -> float:
        return self.m_s

    def widths(self) -> dict[str, float]:
        """Partial widths in GeV; pions with their mass equal, two thirds of them charged."""
        pions = 0.0
        if self.m_s > 2.0 * M_PI:
            pions = rescattering(self.m_s) * width_to_pions_leading(self.sin2_theta, self.m_s)
        return {
            "e+ e-": width_to_leptons(self.sin2_theta, self.m_s, M_E),
            "mu+ mu-": width_to_leptons(self.sin2_theta, self.m_s, M_MU),
            "pi+ pi-": 2.0 / 3.0 * pions,
            "pi0 pi0": 1.0 / 3.0 * pions,
        }

    def kaon_branching_fraction(self) -> float:
        """BR(K+ -> pi+ S), from the charged kaon's lifetime; good to about 20%.

        Gamma = sin^2(theta) xi^2 (m_K^2 - m_pi^2)^2 f_0^2 lambda^(1/2)(1, ...)/(64 pi v^2 m_K) (m_s/(m_s - m_d))^2:
        Winkler, appendix A, with f_0 at m_S^2.
        """
        quark_masses = M_STRANGE / (M_STRANGE - M_DOWN)
        amplitude = 0.5 * flavour_change() / VEV * quark_masses * current_divergence(self.m_s)
        return self.sin2_theta * two_body_width(amplitude, self.m_s) * TAU_K / HBAR
