"""NA62, search for K+ -> mu+ N, mu+ nu X and mu+ nu nu nubar, Phys. Lett. B 816 (2021) 136259 (arXiv:2101.12304)."""

from __future__ import annotations

from typing import Final

from kaongen.particles import Measured

REFERENCE: Final = "NA62, Phys. Lett. B 816 (2021) 136259"

N_NORMALISATION: Final = 2.19e9
"""Selected events with |m2_miss| < 0.01 GeV^2."""
N_KAONS: Final = Measured(1.14e10, 0.02e10, REFERENCE)

ACCEPTANCE_MUNU: Final = Measured(0.302, 0.005, REFERENCE)
ACCEPTANCE_MUNUNUNU: Final = 0.277
ACCEPTANCE_MUNUNUNU_SIGNAL_REGION: Final = 0.103
RESOLUTION_M2_MISS: Final = 1.5e-3
"""At the K -> mu nu peak, GeV^2."""

NORMALISATION_WINDOW: Final = 0.01
"""|m2_miss| below it, GeV^2."""
SIGNAL_REGION: Final = 0.1
"""m2_miss above it, GeV^2, for m_X up to 310 MeV and for mu nu nu nubar."""
CUT_STEP: Final = 0.02
"""Spacing of the m2_miss cuts among which the best was searched, GeV^2."""

BACKGROUND: Final[dict[str, Measured]] = {
    "munug": Measured(6224.0, (105.0**2 + 333.0**2 + 780.0**2) ** 0.5, REFERENCE),
    "pi0munu": Measured(1016.0, (47.0**2 + 178.0**2) ** 0.5, REFERENCE),
    "pipipi": Measured(309.0, 32.0, REFERENCE),
}
"""Table 1: m2_miss > 0.1 GeV^2."""
BACKGROUND_TOTAL: Final = Measured(7549.0, 928.0, REFERENCE)
OBSERVED: Final = 6894
LIMIT_OBSERVED: Final = 1184.0
LIMIT_EXPECTED: Final = 1526.0
BR_LIMIT_MUNUNUNU: Final = 1.0e-6
