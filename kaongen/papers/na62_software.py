"""Numbers that the analysis software of NA62 carries in public repositories: results of its full simulation.

Seen in danecross/PyNA62Analysis (na62fw of 2019) and in later copies of single analysers, all without a licence:
they are quoted here as facts. Lengths in m, times in ns, momenta and energies in GeV; acceptances are relative to
decays at 105-180 m, simulated with Geant4 without pile-up.
"""

from __future__ import annotations

from typing import Final

REFERENCE: Final = "NA62 software, public copies"

DECAYS: Final = (105.0, 180.0)

ACCEPTANCE_MUNU: Final = 0.4413
ACCEPTANCE_MUNU_GTK: Final = 0.3388
"""K+ -> mu+ nu, simulation v2.1.6 (also v2.2.2). Selection of the first: one positive track of 5-70 GeV with hits in
all four chambers (chi2 < 20) inside the four chambers and MUV3, a CHOD time; KTAG of five sectors within 2 ns; vertex
with the beam axis at 120-180 m, closest approach below 40 mm; no signal in LAV, IRC, SAC; signal in MUV3 within
1.5 ns of KTAG; E/p < 0.2; |m2_miss| < 0.02 GeV^2 with the mean beam momentum. No LKr nor CHANTI veto, no
RICH. The second asks instead of the last for a matching track in the GTK and |m2_miss| < 0.01 GeV^2 with it."""

ACCEPTANCE_PIPI0: Final = 0.1430
"""K+ -> pi+ pi0, simulation v1.0.1: one positive track of 5-70 GeV inside the four chambers, the CHOD tiles and the
LKr with a cluster, vertex with the beam axis at 105-180 m and within 30 mm, no MUV3 signal, E/p < 0.9; two photons
above 1 GeV in the LKr, 0.2 m apart, together 2-75 GeV, with a neutral vertex at 105-180 m; no LAV, IRC, SAC signal;
mass of the kaon 0.46-0.52 GeV, |m2_miss - m_pi0^2| < 0.015 GeV^2 with the mean beam momentum."""

ACCEPTANCE_PIPIPI: Final = 0.1540
ACCEPTANCE_PIPIPI_FOUR_CHAMBERS: Final = 0.1192
ACCEPTANCE_PIPIPI_OLD: Final = 0.1536
"""K+ -> pi+ pi+ pi-, simulation v1.1.3: one vertex of three tracks, charge 1, chi2 < 25, at 104-180 m, all inside the
four chambers and the CHOD tiles; total momentum within 3 GeV of 75, mass 0.490-0.497 GeV. No momentum cut, no
identification, no vetoes. The others are of one older simulation (v0.11.2), with hits of every track asked for in all
four chambers, and without: per track a share of 0.919."""

MEAN_PATH_KAON: Final = 563.857
MEAN_PATH_PION: Final = 4193.851
"""At 75 GeV."""
PROTONS_PER_KAON: Final = 1.1e12 / 45.0e6
"""Protons on target per kaon at the start of the decay volume (design, JINST 12 (2017) P05025, table 2)."""
BEAM_COMPOSITION: Final = {"pi+": 0.70, "p": 0.24, "K+": 0.06}
SPILL: Final = 3.0
"""Effective length of a spill in s."""

GTK_BEAM: Final = ((74.9, 0.9), (1.22e-3, 0.12e-3), (0.025e-3, 0.10e-3))
GTK_BEAM_CHI2: Final = 20.0
GTK_CHI2: Final = 50.0
"""Momentum, dx/dz, dy/dz (mean, width): a GTK track is one of the beam if the sum of squared pulls is below."""

CDA_KAON: Final = ((0.0702, 1.47e-3), (0.0229, 2.60e-3))
CDA_KAON_EXPONENTIAL: Final = (0.0145, 1e-3 / 0.319)
CDA_KAON_LINE: Final = (3.3e-5, -1.6e-6 * 1e3)
CDA_KAON_END: Final = 0.025
"""Closest approach of a pion (K+ -> pi+ pi+ pi-) to the GTK track of its kaon, entries per 0.25 mm: Gaussians about
zero (height, width), exponential (height, length) and line (constant, slope per m). Above 4 mm are 9.2%, above 7 mm
2.2%; the mean is 1.80 mm."""
CDA_PILE_UP: Final = ((1.629e-2, 0.0, 10.4e-3), (1.5e-3, 19.7e-3, 9.8e-3))
"""To another GTK track: Gaussians (height, centre, width). Below 4 mm are 26%, below 7 mm 44%."""
TIME_KAON: Final = ((2.4e-2, 0.13), (3.2e-3, 0.21))
"""GTK minus KTAG, entries per 0.01 ns: Gaussians (height, width). Beyond 0.5 ns are 0.3%."""
GTK_TRACKS_MAX: Final = 5
"""Beam tracks within 0.6 ns of KTAG in the analysis of pi+ nu nubar; with more the event is dropped."""

LKR_TIME: Final = (0.56, 1.53, -0.233)
"""sigma of a cluster's time in ns: a + b/E + c/sqrt(E)."""
LKR_WINDOWS: Final = ((1.0, 0.0, 5.0), (2.0, 5.0, 0.0), (15.0, 15.0, 0.0), (float("inf"), 70.0, 0.0))
"""Photon veto of pi+ nu nubar: below an energy, sigmas, ns; also 2.5 ns about 25 ns off for clusters above 10 GeV."""
LKR_TRACK_DISTANCE: Final = 0.10

KTAG_GOOD_BURST: Final = 0.97
STRAW_GOOD_BURST: Final = 0.90
"""Efficiency below which a burst is bad: what the detectors do is above."""
RICH_PION_MASS: Final = (0.118, 0.200)
RICH_LIKELIHOOD: Final = 0.05
"""Mass of the ring, and greatest likelihood of any other hypothesis over that of a pion (K+ -> pi+ pi0)."""
MULTIPLE_SCATTERING_MUV3: Final = 0.530
"""m GeV: sigma of x and of y at MUV3 times momentum."""
