"""NA62 in 2015, without its beam spectrometer: Phys. Lett. B 778 (2018) 137 (arXiv:1712.00297), K+ -> l+ N.

Also what Krnjaic, Marques-Tavares, Redigolo and Tobioka, Phys. Rev. Lett. 124 (2020) 041802 (arXiv:1902.07715),
read from its figures. A reference that ends in "recalled" is from memory. Masses in GeV, squared masses in GeV^2.
"""

from __future__ import annotations

from typing import Final

from kaongen.particles import Measured

REFERENCE: Final = "NA62, Phys. Lett. B 778 (2018) 137"
LETTER: Final = "Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802"

# As the letter has it

TRIGGERS: Final = 2.4e7
"""Events with a single muon, nearly all of them K+ -> mu+ nu."""
N_KAONS_LETTER: Final = 1e8
ACCEPTANCE_LETTER: Final = 0.35
BR_MUNU_LETTER: Final = 0.63
EVENTS_ABOVE: Final[dict[float, int]] = {0.023: 5600, 0.05: 652}
"""Data with m2_miss above it (5.6e3 is all that is printed of the first)."""
BIN_WIDTH: Final = 4e-3
MUNUGAMMA_DOMINATES_BELOW: Final = 0.1
"""m2_miss above it is muon halo and K+ -> pi+ pi+ pi-, rather than the tail of K+ -> mu+ nu (gamma)."""

# The measurement

N_KAONS: Final = Measured(1.06e8, 0.12e8, f"{REFERENCE}, recalled")
N_KAONS_POSITRON: Final = Measured(3.01e8, 0.11e8, f"{REFERENCE}, recalled")
"""Decays in the fiducial volume, for the muon and for the positron selection."""
ACCEPTANCE_MUNU: Final = Measured(
    TRIGGERS / (0.6356 * 1.06e8), TRIGGERS / (0.6356 * 1.06e8) * 0.12 / 1.06, f"{LETTER} and {REFERENCE}, recalled"
)
"""From TRIGGERS, N_KAONS and BR(K+ -> mu+ nu)."""
MASS_RANGE: Final = (0.250, 0.373)
"""Search for K+ -> mu+ N (positron: 0.170 to 0.448)."""
LIMIT_RANGE: Final = (1e-7, 1e-6)
"""Of the limits on |U_mu4|^2; digitised in the data of limits."""
RESOLUTION_OVER_2016_2018: Final = 3.0
"""Of the missing mass of K+ -> mu+ N, over that with the GTK (NA62, Phys. Lett. B 816 (2021) 136259)."""
RESOLUTION_M2_MISS: Final = Measured(4.9e-3, 0.4e-3, f"{REFERENCE}, recalled")
"""At the K+ -> mu+ nu peak. Three times 1.5e-3 is 4.5e-3."""
NORMALISATION_WINDOW: Final = Measured(0.014, 0.001, f"{REFERENCE}, recalled")
"""|m2_miss| below it."""
CDA_MAX: Final = Measured(0.025, 0.010, f"{REFERENCE}, recalled")
"""m, of the track to the beam axis; 0.040 in the public K+ -> mu+ nu selection for low intensity."""
INTENSITY: Final = Measured(0.01, 0.005, f"{REFERENCE}, recalled")
"""Of the nominal 750 MHz; minimum-bias trigger, no loss by accidental activity worth a correction."""

KINEMATIC_TAILS_PIPI0: Final = Measured(2.16e-3, 0.21e-3, "J. Fu, thesis, University of British Columbia (2016)")
PI0_INEFFICIENCY: Final = 7e-7
"""K+ -> pi+ pi0 of the minimum-bias data of 2015 left by the cuts on m2_miss, and 90% CL upper limit on the
inefficiency for pi0 -> gamma gamma, from the same thesis; both preliminary."""
