"""Krnjaic, Marques-Tavares, Redigolo and Tobioka, Phys. Rev. Lett. 124 (2020) 041802 (arXiv:1902.07715): muonic forces.

The search for K+ -> mu+ nu X, X invisible; what the letter read from the data of 2015 is in `na62_2015`. The preprint
differs from the letter in one choice, the suppression. Squared masses in GeV^2.
"""

from __future__ import annotations

from typing import Final

from kaongen.papers import na62_2015

REFERENCE: Final = na62_2015.LETTER
PREPRINT: Final = "arXiv:1902.07715v1"

KAONS: Final = 1e13
"""Of the projection."""
SUPPRESSION: Final = 2.0
PREPRINT_SUPPRESSION: Final = 4.0
"""By which the background is expected to shrink with the beam spectrometer."""
BACKGROUND: Final = 3.2e7
PREPRINT_BACKGROUND: Final = 1.6e7
"""Events with m2_miss > 0.05 for 1e13 kaons."""
KAPPA_MIN_2015: Final = 4e-2
KAPPA_MIN: Final = 1.8e-4
PREPRINT_KAPPA_MIN: Final = 2.5e-4
"""(C.2): relative error of the background that is as large as its statistical one."""
SYSTEMATIC_GOAL: Final = 1e-2
"""Relative error of the background below which new parameter space is explored."""

FIRST_BIN: Final = 0.023
"""Bins below it do not change the likelihood ratio."""
THRESHOLD: Final = 4.0
"""Of the likelihood ratio (11), for two standard deviations."""
CUT_MINIMUM: Final = 0.05
N_SIGMA: Final = 2.0
"""Least cut on m2_miss, and S/sqrt(B + kappa^2 B^2) at the limit, of cut and count."""
M2_MAX: Final = 0.15
"""(m_K - m_mu)^2."""

DECAY_LENGTH: Final = 60.0
DECAY_LENGTH_ALPHA: Final = 3e-6
DECAY_LENGTH_MASS: Final = 0.050
DECAY_LENGTH_ENERGY: Final = 75.0
"""(7): in m, of the scalar with that alpha_phi, mass (GeV) and energy (GeV), through two photons."""
