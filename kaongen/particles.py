"""Masses, lifetimes and branching fractions: the one place they come from.

Masses and lifetimes are those of the Particle Data Group as the `particle` package has them. Branching
fractions, which it does not have, are the fits of the Review of Particle Physics 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from particle import Particle

SPEED_OF_LIGHT: Final = 0.299792458
"""m/ns"""

HBAR: Final = 6.582119569e-16
"""Reduced Planck constant in GeV ns (exact in the SI, CODATA 2022)."""

G_F: Final = 1.1663788e-5
"""Fermi constant in GeV^-2, from the muon's lifetime (PDG 2024)."""

ALPHA_EM: Final = 1 / 137.035999177
"""Fine-structure constant, CODATA 2022."""


def pdg_mass(pdg_id: int) -> float:
    """Mass in GeV of the particle with this PDG number."""
    value = Particle.from_pdgid(pdg_id).mass
    assert value is not None
    return float(value) / 1000


def _lifetime(pdg_id: int) -> float:
    value = Particle.from_pdgid(pdg_id).lifetime
    assert value is not None
    return float(value)


M_K: Final = pdg_mass(321)
M_PI: Final = pdg_mass(211)
M_PI0: Final = pdg_mass(111)
M_MU: Final = pdg_mass(13)
M_E: Final = pdg_mass(11)

TAU_K: Final = _lifetime(321)
"""Mean life of the charged kaon in ns."""
TAU_PI: Final = _lifetime(211)
"""Mean life of the charged pion in ns."""
TAU_MU: Final = _lifetime(13)
"""Mean life of the muon in ns."""


@dataclass(frozen=True, slots=True)
class Species:
    """What a final-state particle is to the detector.

    mass is in GeV and None where a parameter of the process sets it; charge in units of e;
    `visible` is False for what crosses NA62 without a trace.
    """

    name: str
    mass: float | None
    charge: int
    visible: bool


SPECIES: Final[dict[str, Species]] = {
    s.name: s
    for s in (
        Species("K+", M_K, 1, True),
        Species("mu+", M_MU, 1, True),
        Species("mu-", M_MU, -1, True),
        Species("e+", M_E, 1, True),
        Species("e-", M_E, -1, True),
        Species("pi+", M_PI, 1, True),
        Species("pi-", M_PI, -1, True),
        Species("pi0", M_PI0, 0, True),
        Species("gamma", 0.0, 0, True),
        Species("nu_e", 0.0, 0, False),
        Species("anti-nu_e", 0.0, 0, False),
        Species("nu_mu", 0.0, 0, False),
        Species("anti-nu_mu", 0.0, 0, False),
        Species("nu", 0.0, 0, False),  # of any flavour
        Species("anti-nu", 0.0, 0, False),
        Species("V", None, 0, False),  # vector of L_mu - L_tau
        Species("phi", None, 0, False),  # muon-philic scalar
        Species("X", None, 0, False),
        Species("N", None, 0, False),  # heavy neutral lepton
        Species("S", None, 0, False),  # dark scalar
        Species("a", None, 0, False),  # axion-like particle
        Species("A'", None, 0, False),  # dark photon
        Species("chi", None, 0, False),  # dark matter
        Species("anti-chi", None, 0, False),
    )
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with its standard error and where it was published."""

    value: float
    error: float
    reference: str

    def scaled(self, factor: float) -> Measured:
        return Measured(self.value * factor, self.error * abs(factor), self.reference)


_PDG = "Particle Data Group, Review of Particle Physics 2026"

BR_K_MUNU: Final = Measured(0.6356, 0.0011, _PDG)
BR_K_ENU: Final = Measured(1.582e-5, 0.007e-5, _PDG)
BR_K_PIPI0: Final = Measured(0.2067, 0.0008, _PDG)
BR_K_PIPIPI: Final = Measured(0.05583, 0.00024, _PDG)
BR_K_PIPI0PI0: Final = Measured(0.01760, 0.00023, _PDG)
BR_K_PI0ENU: Final = Measured(0.0507, 0.0004, _PDG)
BR_K_PI0MUNU: Final = Measured(0.03352, 0.00034, _PDG)
BR_K_PIPIENU: Final = Measured(4.247e-5, 0.024e-5, _PDG)
BR_K_PI0PI0ENU: Final = Measured(2.55e-5, 0.04e-5, _PDG)
BR_K_PIEE: Final = Measured(3.00e-7, 0.09e-7, _PDG)
BR_K_PIMUMU: Final = Measured(9.17e-8, 0.14e-8, _PDG)
BR_K_PIGAMMAGAMMA: Final = Measured(9.65e-7, 0.16e-7, _PDG)
BR_K_PINUNU: Final = Measured(8.60e-11, 0.42e-11, "Standard Model prediction quoted in the NA62 proceedings")
BR_PI0_GAMMAGAMMA: Final = Measured(0.98823, 0.00034, _PDG)
BR_PI0_EEGAMMA: Final = Measured(0.01174, 0.00035, _PDG)
BR_PI_MUNU: Final = Measured(0.9998770, 0.0000004, _PDG)
