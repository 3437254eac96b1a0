"""The heavy neutral lepton N that mixes with the neutrinos by |U_e4|^2, |U_mu4|^2 and |U_tau4|^2."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from kaongen.errors import ProcessError, suggestion
from kaongen.models.constants import F_PI, SIN2_THETA_W, V_UD
from kaongen.models.unstable import LIGHTEST, Unstable, check, kallen, phase_space
from kaongen.particles import BR_K_ENU, BR_K_MUNU, G_F, M_E, M_K, M_MU, M_PI, M_PI0, Measured

_NORMALISATION: Final[dict[str, tuple[float, Measured]]] = {"e": (M_E, BR_K_ENU), "mu": (M_MU, BR_K_MUNU)}


def rho(m_n: float, m_l: float = M_MU) -> float:
    """Gamma(K+ -> l+ N) / (|U_l4|^2 Gamma(K+ -> l+ nu)).

    m_n and the charged lepton's mass m_l in GeV. Equation (1) of NA62, Phys. Lett. B 816 (2021) 136259, for any lepton:
    1 at m_n = 0 and 0 from m_K - m_l on. 4.13 at 263 MeV for the muon; for the electron up to 1.3 10^5, the helicity
    suppression that N lifts.
    """
    if m_n >= M_K - m_l:
        return 0.0
    x = (m_l / M_K) ** 2
    y = (m_n / M_K) ** 2
    spin = x + y - (x - y) ** 2
    return spin * phase_space(M_K, m_l, m_n) / (x * (1.0 - x) ** 2)


def kaon_branching_fraction(flavour: str, m_n: float, u2: float) -> float:
    """BR(K+ -> l+ N) = BR(K+ -> l+ nu) rho_l(m_n) |U_l4|^2 for l = "e" or "mu", m_n in GeV."""
    if flavour not in _NORMALISATION:
        hint = suggestion(flavour, _NORMALISATION)
        raise ProcessError(f"heavy neutral lepton: K+ has no decay to {flavour!r}{hint} (known: e, mu)")
    check("heavy neutral lepton", "m_n", m_n, 0.0, M_K, "GeV")
    check("heavy neutral lepton", "u2", u2, 0.0, 1.0)
    m_l, measured = _NORMALISATION[flavour]
    return measured.value * rho(m_n, m_l) * u2


def _three_body_scale(m_n: float) -> float:
    """G_F^2 m^5/(192 pi^3) in GeV, the width of a muon of mass m."""
    return G_F * G_F * m_n**5 / (192.0 * math.pi**3)


def width_to_neutrinos(m_n: float) -> float:
    """Gamma(N -> nu nu nubar)/|U|^2 in GeV, of all flavours together: Bondarenko et al., equation (3.5)."""
    return _three_body_scale(m_n)


def width_to_pair(m_n: float, m_l: float, charged_current: bool) -> float:
    """Gamma(N -> nu_a l+ l-)/|U_a|^2 in GeV, by the Z alone or, for l of the flavour a, by the W as well.

    Bondarenko et al., equation (3.4) and table 3: C_1 and C_2 from g_L = -1/2 + sin^2(theta_W), to which the charged
    current adds 1, and g_R = sin^2(theta_W).
    """
    x = m_l / m_n
    if x >= 0.5:
        return 0.0
    left = SIN2_THETA_W - 0.5 + (1.0 if charged_current else 0.0)
    right = SIN2_THETA_W
    c_1, c_2 = left * left + right * right, left * right
    x2 = x * x
    root = math.sqrt(1.0 - 4.0 * x2)
    # ln[(1 - 3x^2 - (1 - x^2) root)/(x^2 (1 + root))] of the paper, multiplied out so that nothing cancels
    log = math.log(16.0 * x2 * x2 / (1.0 + root) ** 4)
    same = (1.0 - 14.0 * x2 - 2.0 * x2**2 - 12.0 * x2**3) * root + 12.0 * x2**2 * (x2**2 - 1.0) * log
    flip = x2 * (2.0 + 10.0 * x2 - 12.0 * x2**2) * root + 6.0 * x2**2 * (1.0 - 2.0 * x2 + 2.0 * x2**2) * log
    return _three_body_scale(m_n) * (c_1 * same + 4.0 * c_2 * flip)


def width_to_unlike_leptons(m_n: float, m_a: float, m_b: float) -> float:
    """Gamma(N -> l_a- l_b+ nu_b)/|U_a|^2 in GeV, by the W alone: Bondarenko et al., equations (3.1) and (3.2)."""
    if m_a + m_b >= m_n:
        return 0.0
    from scipy.integrate import quad

    a, b = (m_a / m_n) ** 2, (m_b / m_n) ** 2

    span = (1.0 - math.sqrt(b)) ** 2 - a

    def integrand(t: float) -> float:
        # s is the squared mass of the pair l_a- nu_b in units of N's, and its upper end a square root's zero
        s = a + span * (1.0 - t * t)
        return 2.0 * span * t * (s - a) ** 2 / s * (1.0 + b - s) * math.sqrt(max(kallen(1.0, s, b), 0.0))

    value, _ = quad(integrand, 0.0, 1.0, limit=200, epsabs=0.0, epsrel=1e-8)
    return _three_body_scale(m_n) * 12.0 * float(value)


def width_to_pi0(m_n: float) -> float:
    """Gamma(N -> pi0 nu)/|U|^2 in GeV: Bondarenko et al., equation (3.7)."""
    room = max(1.0 - (M_PI0 / m_n) ** 2, 0.0)
    return G_F**2 * F_PI**2 * m_n**3 / (32.0 * math.pi) * room * room


def width_to_pion(m_n: float, m_l: float) -> float:
    """Gamma(N -> pi+ l-)/|U_l|^2 in GeV: Bondarenko et al., equation (3.6)."""
    if m_n <= M_PI + m_l:
        return 0.0
    pion, lepton = (M_PI / m_n) ** 2, (m_l / m_n) ** 2
    spin = (1.0 - lepton) ** 2 - pion * (1.0 + lepton)
    return G_F**2 * F_PI**2 * V_UD**2 * m_n**3 / (16.0 * math.pi) * spin * phase_space(m_n, M_PI, m_l)


@dataclass(frozen=True, slots=True)
class HeavyNeutralLepton(Unstable):
    """N of mass m_n (GeV) and mixings u2_e, u2_mu, u2_tau, the squared moduli |U_l4|^2.

    majorana : whether N is its own antiparticle and decays to the conjugate of every channel as well, at twice the
        width; channels are named after the decays of the particle.

    For N lighter than the kaon, at tree level: decays to two pions, which open at 0.28 GeV by the tail of the rho, are
    left out (a per cent at 0.5 GeV), and those with a photon.

    K. Bondarenko, A. Boyarsky, D. Gorbunov and O. Ruchayskiy, JHEP 11 (2018) 032 (arXiv:1805.08567), section 3.
    """

    m_n: float
    u2_e: float = 0.0
    u2_mu: float = 0.0
    u2_tau: float = 0.0
    majorana: bool = False

    def __post_init__(self) -> None:
        check(self.name, "m_n", self.m_n, LIGHTEST, M_K, "GeV")
        for name in ("u2_e", "u2_mu", "u2_tau"):
            check(self.name, name, getattr(self, name), 0.0, 1.0)

    @property
    def name(self) -> str:
        return "heavy neutral lepton"

    @property
    def mass(self) -> float:
        return self.m_n

    @property
    def mixings(self) -> dict[str, float]:
        """|U_l4|^2 by flavour."""
        return {"e": self.u2_e, "mu": self.u2_mu, "tau": self.u2_tau}

    def widths(self) -> dict[str, float]:
        """Partial widths in GeV, neutrinos of all flavours together."""
        m, u2 = self.m_n, self.mixings
        total = sum(u2.values())
        widths = {"nu nu anti-nu": total * width_to_neutrinos(m), "pi0 nu": total * width_to_pi0(m)}
        for flavour, m_l in (("e", M_E), ("mu", M_MU)):
            own = u2[flavour]
            pair = own * width_to_pair(m, m_l, True) + (total - own) * width_to_pair(m, m_l, False)
            widths[f"nu {flavour}+ {flavour}-"] = pair
            widths[f"pi+ {flavour}-"] = own * width_to_pion(m, m_l)
        widths["e- mu+ nu_mu"] = self.u2_e * width_to_unlike_leptons(m, M_E, M_MU)
        widths["mu- e+ nu_e"] = self.u2_mu * width_to_unlike_leptons(m, M_MU, M_E)
        return {channel: (2.0 if self.majorana else 1.0) * width for channel, width in widths.items()}

    def invisible_fraction(self) -> float:
        """Branching fraction to three neutrinos."""
        return self.branching_fraction("nu nu anti-nu")

    def kaon_branching_fraction(self, flavour: str) -> float:
        """BR(K+ -> l+ N) for l = "e" or "mu"."""
        return kaon_branching_fraction(flavour, self.m_n, self.mixings.get(flavour, 0.0))
