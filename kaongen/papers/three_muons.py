"""K+ -> mu+ nu mu+ mu-: what is known of it, and what Krnjaic et al. assume of its search.

Krnjaic, Marques-Tavares, Redigolo and Tobioka, Phys. Rev. Lett. 124 (2020) 041802 (arXiv:1902.07715), section IV.B and
appendix C.B. Masses in GeV.
"""

from __future__ import annotations

from typing import Final

from kaongen.papers import na62_2015

LETTER: Final = na62_2015.LETTER
BEG: Final = "Bijnens, Ecker and Gasser, Nucl. Phys. B 396 (1993) 81"

BRANCHING_FRACTION: Final = 1.3e-8
"""In the Standard Model, as the letter quotes it."""
BRANCHING_FRACTION_BEG: Final = 1.35e-8
"""At order p^4."""
BRANCHING_FRACTION_BREMSSTRAHLUNG: Final = 3.79e-9
"""Of inner bremsstrahlung alone, in the same paper."""
LIMIT_E787: Final = 4.1e-7
"""At 90% CL, without a candidate: E787, Phys. Rev. Lett. 63 (1989) 2177."""
CONFIDENCE_E787: Final = 0.9

N_KAONS_RECORDED: Final = 1e11
EVENTS_RECORDED: Final = 100
"""At least, with N_KAONS_RECORDED and the di-muon trigger."""
N_KAONS: Final = 1e13
"""Of the projection."""
ACCEPTANCE: Final = 0.05
"""Assumed, for signal and background."""

MUON_MOMENTUM: Final = 20.0
"""GeV, at which the resolution is taken."""
MOMENTUM_RESOLUTION: Final = (0.003, 5e-5)
"""sigma_p/p is the first in quadrature with the second times p in GeV (NA62). Equation (C.4) prints 0.005 p without a
percent sign: 10% at 20 GeV."""
WINDOW: Final = 2.0
"""Half the width of a mass window, in resolutions."""
SIGNIFICANCE: Final = 2.0
"""S/sqrt(B) of the sensitivity."""
LEADING_ABOVE: Final = 0.300
OTHER_BELOW: Final = 0.260
"""The pair with the leading muon is typically X above the first mass, and that with the other muon below the second."""
FIGURE_6_MASSES: Final = (0.216, 0.376)
