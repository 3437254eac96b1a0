"""NA62, search for K+ -> pi+ X in the data of 2017, JHEP 03 (2021) 058 (arXiv:2011.11329), and K+ -> pi+ nu nubar.

The selection and the normalisation are those of the measurement of K+ -> pi+ nu nubar with the same data,
JHEP 11 (2020) 042 (arXiv:2007.08218); 2016 is Phys. Lett. B 791 (2019) 156 (arXiv:1811.08508), 2018 is
JHEP 06 (2021) 093 (arXiv:2103.15389). A reference that ends in "recalled" is from memory: no check may rest on
such a number alone. Masses in GeV, squared masses in GeV^2, momenta in GeV.
"""

from __future__ import annotations

from typing import Final

from kaongen.particles import Measured

REFERENCE: Final = "NA62, JHEP 03 (2021) 058"
REFERENCE_2016: Final = "NA62, Phys. Lett. B 791 (2019) 156"
REFERENCE_2017: Final = "NA62, JHEP 11 (2020) 042"
REFERENCE_2018: Final = "NA62, JHEP 06 (2021) 093"
REFERENCE_PI0: Final = "NA62, JHEP 02 (2021) 201"
REFERENCE_TAILS: Final = "NA62 software, analysis of kinematic tails of 2019"

# Signal regions

PION_MOMENTUM: Final = (15.0, 35.0)
DECAY_VOLUME: Final = (105.0, 165.0)
"""m from the target: 60 m."""
REGION_1: Final = (0.0, 0.010)
REGION_2: Final = (0.026, 0.068)
"""Reconstructed m2_miss."""
MASSES_1: Final = (0.0, 0.110)
MASSES_2: Final = (0.154, 0.260)
"""m_X that were tried."""
MASS_STEP: Final = 1.4e-3

MOMENTUM_BINS: Final = ((15.0, 20.0), (20.0, 25.0), (25.0, 35.0))
REGION_1_RICH: Final = ((0.0, 0.010), (0.0, 0.020), (-0.005, 0.020))
REGION_1_BEAM: Final = ((-0.005, 0.0135), (-0.005, 0.0135), (0.0, 0.0135))
REGION_2_RICH: Final = (0.020, 0.070)
REGION_2_BEAM: Final = (0.024, 0.068)
"""What the alternative squared missing masses must satisfy in addition (from REFERENCE_TAILS; this paper only says
that they exist): RICH has the momentum of the ring under the pion's mass, along the direction of the track; BEAM the
mean momentum and direction of the beam for those of the GTK. In region 1 one interval for each of MOMENTUM_BINS."""
CONTROL_REGIONS: Final = {"pipi0, lower": (0.010, 0.015), "pipi0, upper": (0.021, 0.026)}
NORMALISATION_WINDOW: Final = (0.015, 0.021)
"""m2_miss of the selected K+ -> pi+ pi0; the muon's region ends 3 sigma above its line, control up to zero."""

# Resolution and acceptance of pi+ X (figure 2 is not tabulated)

RESOLUTION_DATA_OVER_SIMULATION: Final = 1.04
RESOLUTION_UNCERTAINTY: Final = 0.10
"""Of sigma(m2_miss) and of the single-event sensitivity, relative."""
RESOLUTION_LEAST_AT_260: Final = 0.260**2 - (0.260 - MASS_STEP) ** 2
"""The interval of m2 between neighbouring masses is always smaller than sigma(m2_miss); here it is widest."""
RESOLUTION_NOMINAL: Final = 1.0e-3
"""sigma(m2_miss) in terms of which the regions were drawn (REFERENCE_TAILS)."""
ACCEPTANCE_AT_BOUNDARY: Final = 0.5
"""Of that inside: half of a line at a boundary of a region is lost; so is half of m_X = 0."""
ACCEPTANCE_LIFETIME_PLATEAU: Final = 10.0
"""ns: above it the acceptance does not depend on the lifetime."""
VISIBLE_DECAY_DETECTION: Final = 0.999

# Standard Model K+ -> pi+ nu nubar and the backgrounds, table 1

BR_PINUNU: Final = Measured(8.4e-11, 1.0e-11, "Buras et al., JHEP 11 (2015) 033")
EXPECTED_1: Final = Measured(0.55, 0.07, REFERENCE)
EXPECTED_2: Final = Measured(1.61, 0.11, REFERENCE)
"""With the systematic error."""
EXPECTED_EXTERNAL: Final = (0.13, 0.22)
"""External errors of both: of the branching fraction."""
REGION_RATIO: Final = Measured(1.61 / 0.55, 1.61 / 0.55 * ((0.07 / 0.55) ** 2 + (0.11 / 1.61) ** 2) ** 0.5, REFERENCE)
"""Acceptance of region 2 over that of region 1 for K+ -> pi+ nu nubar; errors taken as independent."""
SES: Final = Measured(0.389e-10, 0.024e-10, REFERENCE_2017)
"""Branching fraction of K+ -> pi+ nu nubar that gives one event in the two regions together."""

UPSTREAM: Final = (
    Measured(0.21, (0.12**2 + 0.12**2) ** 0.5, REFERENCE),
    Measured(0.68, (0.21**2 + 0.26**2) ** 0.5, REFERENCE),
)
OTHER_KAON_DECAYS: Final = (
    Measured(0.26, (0.04**2 + 0.05**2) ** 0.5, REFERENCE),
    Measured(0.31, (0.04**2 + 0.06**2) ** 0.5, REFERENCE),
)
BACKGROUND_TOTAL: Final = (
    Measured(1.02, (0.13**2 + 0.15**2 + 0.13**2) ** 0.5, REFERENCE),
    Measured(2.60, (0.21**2 + 0.28**2 + 0.22**2) ** 0.5, REFERENCE),
)
"""Region 1, region 2, pi+ nu nubar included."""
OBSERVED: Final = (0, 2)
OBSERVED_MASSES: Final = (0.196, 0.252)
BEST_LIMIT: Final = 5e-11
BEST_LIMIT_MASSES: Final = (0.160, 0.250)
"""90% CL upper limit on BR(K+ -> pi+ X), for lifetimes above 5 ns."""

BACKGROUND_KAON_DECAYS: Final[dict[str, Measured]] = {
    "pipi0": Measured(0.29, 0.04, f"{REFERENCE_2017}, recalled"),
    "munu": Measured(0.15, 0.04, f"{REFERENCE_2017}, recalled"),
    "pipienu": Measured(0.12, 0.08, f"{REFERENCE_2017}, recalled"),
    "pipipi": Measured(0.008, 0.008, f"{REFERENCE_2017}, recalled"),
    "pigammagamma": Measured(0.005, 0.005, f"{REFERENCE_2017}, recalled"),
}
"""Both regions; their sum agrees with OTHER_KAON_DECAYS."""
TAILS_PIPI0: Final = Measured(1e-3, 0.3e-3, f"{REFERENCE_2016}, recalled")
TAILS_MUNU: Final = Measured(3e-4, 1e-4, f"{REFERENCE_2016}, recalled")
"""Share of K+ -> pi+ pi0 and of K+ -> mu+ nu (as a pion) in the two signal regions, before vetoes, identification."""

# Performance for momenta of 15-35 GeV

PION_EFFICIENCY_RICH: Final = 0.82
PION_EFFICIENCY_CALORIMETERS: Final = 0.78
MUON_AS_PION_RICH: Final = 2.3e-3
MUON_AS_PION_CALORIMETERS: Final = 6.3e-6
PI0_INEFFICIENCY: Final = 1.3e-8
"""Neither photon of pi0 -> gamma gamma seen, including what the multiplicity vetoes catch."""
MATCHING_EFFICIENCY: Final = 0.75
WRONG_MATCH_WITH_KAON: Final = 0.013
WRONG_MATCH_WITHOUT_KAON: Final = 0.035
"""Association with a track of pile-up where the kaon's own track was, or was not, reconstructed."""

PI0_INEFFICIENCY_25_40: Final = Measured(2.8e-9, 4.0e-9, f"{REFERENCE_PI0}, recalled (+5.9 -2.1)")
PI0_TAGGED: Final = 4e9
PI0_OBSERVED: Final = 12
PI0_BR_INVISIBLE: Final = 4.4e-9
"""pi0 -> invisible with pions of 25-40 GeV: what single-photon inefficiencies predict, tagged pi0, events (10
expected), 90% CL limit; all recalled."""

# Normalisation by year: SES = 1/(N_K A(pinunu) random_veto trigger), N_K = 400 N(pipi0)/(A(pipi0) BR(pipi0))

DOWNSCALING: Final = 400
N_KAONS_2016: Final = Measured(1.21e11, 0.02e11, f"{REFERENCE_2016}, error recalled")
SES_2016: Final = Measured(3.15e-10, 0.24e-10, f"{REFERENCE_2016}, error recalled")
EXPECTED_2016: Final = Measured(0.267, 0.038, f"{REFERENCE_2016}, error recalled")
N_KAONS_2017: Final = Measured(1.5e12, 0.2e12, f"{REFERENCE_2017}, recalled")
N_PIPI0: Final[dict[str, float]] = {"2017": 68e6, "2018 S1": 3.14e7, "2018 S2": 11.6e7}
"""Recalled; 2018 S1 with the old final collimator, S2 with the new."""
ACCEPTANCE_PIPI0: Final[dict[str, Measured]] = {
    "2016": Measured(0.099, 0.003, f"{REFERENCE_2016}, recalled"),
    "2017": Measured(0.087, 0.009, f"{REFERENCE_2017}, recalled"),
    "2018 S1": Measured(0.0762, 0.0077, f"{REFERENCE_2018}, recalled"),
    "2018 S2": Measured(0.1177, 0.0118, f"{REFERENCE_2018}, recalled"),
}
"""Of the normalisation: the pion's selection without the vetoes of photons and of multiplicity."""
ACCEPTANCE_PINUNU: Final[dict[str, Measured]] = {
    "2016": Measured(0.040, 0.001, f"{REFERENCE_2016}, recalled"),
    "2017": Measured(0.030, 0.003, f"{REFERENCE_2017}, recalled"),
    "2018 S1": Measured(0.0395, 0.0040, f"{REFERENCE_2018}, recalled"),
    "2018 S2": Measured(0.0637, 0.0064, f"{REFERENCE_2018}, recalled"),
}
"""In the two signal regions, without losses by accidental activity and by the trigger."""
RANDOM_VETO: Final[dict[str, Measured]] = {
    "2016": Measured(0.76, 0.04, f"{REFERENCE_2016}, recalled"),
    "2017": Measured(0.638, 0.014, f"{REFERENCE_2017}, recalled"),
    "2018 S1": Measured(0.66, 0.01, f"{REFERENCE_2018}, recalled"),
    "2018 S2": Measured(0.66, 0.01, f"{REFERENCE_2018}, recalled"),
}
"""Share of events without accidental activity in the vetoes."""
TRIGGER: Final[dict[str, Measured]] = {
    "2016": Measured(0.87, 0.02, f"{REFERENCE_2016}, recalled"),
    "2017": Measured(0.87, 0.03, f"{REFERENCE_2017}, recalled"),
    "2018 S1": Measured(0.89, 0.05, f"{REFERENCE_2018}, recalled"),
    "2018 S2": Measured(0.89, 0.05, f"{REFERENCE_2018}, recalled"),
}
SES_2018: Final[dict[str, Measured]] = {
    "2018 S1": Measured(0.54e-10, 0.04e-10, f"{REFERENCE_2018}, recalled"),
    "2018 S2": Measured(0.14e-10, 0.01e-10, f"{REFERENCE_2018}, recalled"),
}
BEAM_RATE: Final[dict[str, float]] = {"2016": 0.300, "2017": 0.450, "2018 S1": 0.500, "2018 S2": 0.500}
"""Mean rate of beam particles at GTK3 per ns: 0.5 for 2.2e12 protons per spill and 1.3e12 in the beginning (Phys.
Lett. B 816 (2021) 136259), 0.45 from arXiv:2009.07581. With RANDOM_VETO = exp(-rate * dead time) the dead time is
0.8 to 1.0 ns in every year."""

BC4_LIMIT: Final[tuple[tuple[float, float], ...]] = (
    (0.03096, 3.011e-4), (0.03774, 2.679e-4), (0.04600, 2.467e-4), (0.05652, 2.320e-4), (0.06799, 2.227e-4),
    (0.08028, 2.080e-4), (0.08993, 2.110e-4), (0.09890, 2.615e-4), (0.10564, 3.988e-4), (0.10904, 6.427e-4),
    (0.15779, 5.376e-4), (0.16244, 2.768e-4), (0.16503, 2.266e-4), (0.17034, 2.057e-4), (0.18052, 1.946e-4),
    (0.18831, 2.043e-4), (0.19540, 2.412e-4), (0.20383, 2.058e-4), (0.21888, 2.237e-4), (0.24070, 2.715e-4),
    (0.24714, 3.119e-4),
)  # fmt: skip
"""Lower boundary of figure 5 (left): mass of a dark scalar, sin(theta); 90% CL. Digitised in FORESEE
(github.com/KlingFelix/FORESEE, MIT licence, F. Kling and S. Trojanowski), rounded."""
