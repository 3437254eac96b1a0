"""The muon's anomalous magnetic moment: one-loop contributions of a light boson, and what is measured and predicted.

The comparison of experiment and Standard Model is dated input: every pair is kept by name, and the user picks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from kaongen.errors import ProcessError, suggestion
from kaongen.models.unstable import LIGHTEST, check
from kaongen.particles import M_MU, Measured

Boson = Literal["vector", "scalar"]


def _integral(integrand: Callable[[float], float], ratio: float) -> float:
    """Integral from 0 to 1 of an integrand with structure at z = m_l^2/m_X^2 and at 1 - z = m_X/m_l."""
    from scipy.integrate import quad

    r = ratio * ratio
    kinks = sorted({1.0 / (1.0 + r), 10.0 / (10.0 + r), 1.0 - min(ratio, 0.5), 1.0 - min(r, 0.25)})
    value, _ = quad(integrand, 0.0, 1.0, points=kinks, limit=400, epsabs=0.0, epsrel=1e-10)
    return float(value)


def vector(m_x: float, m_lepton: float = M_MU) -> float:
    """Delta a / g^2 of a vector of mass m_x (GeV) with coupling g X_mu lbar gamma^mu l.

    g^2/(8 pi^2) times the integral of 2 z (1-z)^2 / ((1-z)^2 + z m_x^2/m_l^2) over 0 < z < 1: 1/(8 pi^2) for a
    massless one, m_l^2/(12 pi^2 m_x^2) for a heavy one. J. P. Leveille, Nucl. Phys. B 137 (1978) 63;
    M. Pospelov, Phys. Rev. D 80 (2009) 095002 (arXiv:0811.1030), equation (6).
    """
    check("g - 2", "m_x", m_x, 0.0, 1e6, "GeV")
    check("g - 2", "m_lepton", m_lepton, LIGHTEST, 1e6, "GeV")
    ratio = m_x / m_lepton
    r = ratio * ratio
    if m_x == 0.0:
        return 1.0 / (8.0 * math.pi**2)

    def integrand(z: float) -> float:
        y = (1.0 - z) * (1.0 - z)
        return 2.0 * z * y / (y + z * r)

    return _integral(integrand, ratio) / (8.0 * math.pi**2)


def scalar(m_x: float, m_lepton: float = M_MU) -> float:
    """Delta a / y^2 of a scalar of mass m_x (GeV) with coupling y X lbar l.

    y^2/(8 pi^2) times the integral of (1-z)^2 (1+z) / ((1-z)^2 + z m_x^2/m_l^2) over 0 < z < 1: 3/(16 pi^2) for a
    massless one, m_l^2/(8 pi^2 m_x^2) (ln(m_x^2/m_l^2) - 7/6) for a heavy one.
    R. Jackiw and S. Weinberg, Phys. Rev. D 5 (1972) 2396; J. P. Leveille, Nucl. Phys. B 137 (1978) 63.
    """
    check("g - 2", "m_x", m_x, 0.0, 1e6, "GeV")
    check("g - 2", "m_lepton", m_lepton, LIGHTEST, 1e6, "GeV")
    ratio = m_x / m_lepton
    r = ratio * ratio
    if m_x == 0.0:
        return 3.0 / (16.0 * math.pi**2)

    def integrand(z: float) -> float:
        y = (1.0 - z) * (1.0 - z)
        return y * (1.0 + z) / (y + z * r)

    return _integral(integrand, ratio) / (8.0 * math.pi**2)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A measurement of a_mu beside a prediction of the Standard Model."""

    name: str
    measured: Measured
    predicted: Measured

    @property
    def difference(self) -> Measured:
        """Measured minus predicted, errors in quadrature."""
        return Measured(
            self.measured.value - self.predicted.value,
            math.hypot(self.measured.error, self.predicted.error),
            f"{self.measured.reference}; {self.predicted.reference}",
        )

    @property
    def significance(self) -> float:
        """Difference in standard deviations."""
        return self.difference.value / self.difference.error

    def band(self, sigmas: float = 2.0) -> tuple[float, float]:
        """Lower and upper end of the difference, `sigmas` standard deviations to either side."""
        check("g - 2", "sigmas", sigmas, 0.0, 100.0)
        d = self.difference
        return d.value - sigmas * d.error, d.value + sigmas * d.error


def _in_units(value: float, error: float, reference: str) -> Measured:
    return Measured(value * 1e-11, error * 1e-11, reference)


_BNL = _in_units(116592089, 63, "BNL E821, Phys. Rev. D 73 (2006) 072003, with the muon-proton moment ratio of 2010")
_WP20 = _in_units(116591810, 43, "Theory Initiative, Phys. Rept. 887 (2020) 1 (arXiv:2006.04822)")
_WP25 = _in_units(116592033, 62, "Theory Initiative, Phys. Rept. 1143 (2025) 1 (arXiv:2505.21476)")

COMPARISONS: Final[dict[str, Comparison]] = {
    c.name: c
    for c in (
        # the two predictions that Krnjaic et al. cite for "about 3.5 sigma"
        Comparison("2011-davier", _BNL, _in_units(116591802, 49, "Davier et al., EPJC 71 (2011) 1515")),
        Comparison("2011-hagiwara", _BNL, _in_units(116591828, 49, "Hagiwara et al., J. Phys. G 38 (2011) 085003")),
        Comparison(
            "2021",
            _in_units(116592061, 41, "BNL and Fermilab run 1, Phys. Rev. Lett. 126 (2021) 141801"),
            _WP20,
        ),
        Comparison(
            "2023",
            _in_units(116592059, 22, "BNL and Fermilab runs 1-3, Phys. Rev. Lett. 131 (2023) 161802"),
            _WP20,
        ),
        Comparison(
            "2025",
            _in_units(116592071.5, 14.5, "BNL and Fermilab runs 1-6, Phys. Rev. Lett. 135 (2025) 101802"),
            _WP25,
        ),
        Comparison("2026", _in_units(116592072, 15, "Particle Data Group, Review of Particle Physics 2026"), _WP25),
    )
}
"""What was known when: by the year of the measurement, and by the prediction where there were two."""


def find(name: str) -> Comparison:
    """The comparison of that name."""
    if name not in COMPARISONS:
        hint = suggestion(name, COMPARISONS)
        raise ProcessError(f"g - 2: there is no comparison {name!r}{hint} (known: {', '.join(COMPARISONS)})")
    return COMPARISONS[name]


def band(name: str, sigmas: float = 2.0) -> tuple[float, float]:
    """Lower and upper end of measured minus predicted in the comparison of that name."""
    return find(name).band(sigmas)


def coupling(boson: Boson, m_x: float, delta_a: float) -> float:
    """Coupling g (vector) or y (scalar) with which a boson of mass m_x (GeV) contributes delta_a >= 0."""
    loops: dict[str, Callable[[float], float]] = {"vector": vector, "scalar": scalar}
    if boson not in loops:
        hint = suggestion(boson, loops)
        raise ProcessError(f"g - 2: there is no boson {boson!r}{hint} (known: {', '.join(loops)})")
    check("g - 2", "delta_a", delta_a, 0.0, 1.0)
    return math.sqrt(delta_a / loops[boson](m_x))


def coupling_band(name: str, boson: Boson, m_x: float, sigmas: float = 2.0) -> tuple[float, float]:
    """Couplings that give the lower and upper end of a comparison's band; 0 where the lower end is negative.

    Where even the upper end is negative no coupling fits, and both are 0.
    """
    low, high = band(name, sigmas)
    return coupling(boson, m_x, max(low, 0.0)), coupling(boson, m_x, max(high, 0.0))
