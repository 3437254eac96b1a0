"""NA62, search for K+ -> mu+ N, mu+ nu X and mu+ nu nu nubar, Phys. Lett. B 816 (2021) 136259 (arXiv:2101.12304)."""

from __future__ import annotations

from typing import Final

from kaongen.particles import Measured

REFERENCE: Final = "NA62, Phys. Lett. B 816 (2021) 136259"

N_NORMALISATION: Final = 2.19e9
"""Selected events with |m2_miss| < 0.01 GeV^2."""
DOWNSCALING: Final = 400
TRIGGER_EFFICIENCY: Final = 0.99
RANDOM_VETO_LOSS: Final = 0.30
"""Neither is in N_KAONS: they cancel between signal and normalisation."""
SPILLS: Final = 0.92e6
PROTONS_PER_SPILL: Final = (1.3e12, 2.2e12)
BEAM_RATE: Final = 0.5
KAON_DECAY_RATE: Final = 3.7e-3
"""Per ns, of beam particles at the start of the decay volume and of kaon decays in it, at the higher intensity."""
N_KAONS: Final = Measured(1.14e10, 0.02e10, REFERENCE)

ACCEPTANCE_MUNU: Final = Measured(0.302, 0.005, REFERENCE)
ACCEPTANCE_MUNUNUNU: Final = 0.277
ACCEPTANCE_MUNUNUNU_SIGNAL_REGION: Final = 0.103
RESOLUTION_M2_MISS: Final = 1.5e-3
"""At the K -> mu nu peak, GeV^2."""
RESOLUTION_DATA_SIMULATION: Final = 0.01
"""Agreement of the two, relative."""
LAV_INEFFICIENCY: Final = Measured(0.0030, 0.0006, REFERENCE)
"""Photons of 0.3-3 GeV."""

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
BACKGROUND_PHOTON_VETO: Final = {"munug": 333.0, "pi0munu": 178.0}
BACKGROUND_TAIL: Final = 780.0
"""Parts of the errors. The tail is also part of the 6224: data less simulation below -0.1 GeV^2, where nothing but
K+ -> mu+ nu (gamma) is."""
TAIL_DEFICIT: Final = 0.40
TAIL_DEFICIT_BELOW: Final = -0.05
"""The simulation has that much less than the data below it."""
TAIL_DATA: Final = BACKGROUND_TAIL / TAIL_DEFICIT
TAIL_SIMULATED: Final = BACKGROUND_TAIL * (1 / TAIL_DEFICIT - 1)
"""m2_miss < -0.1 GeV^2, if the deficit is there what it is below -0.05: 1950 and 1170, 8.9e-7 and 5.3e-7 of
N_NORMALISATION."""
BACKGROUND_TOTAL: Final = Measured(7549.0, 928.0, REFERENCE)
OBSERVED: Final = 6894
LIMIT_OBSERVED: Final = 1184.0
LIMIT_EXPECTED: Final = 1526.0
BR_LIMIT_MUNUNUNU: Final = 1.0e-6

HNL_MASSES: Final = ((0.200, 0.300, 0.001), (0.3005, 0.384, 0.0005))
"""First, last, step: 269 masses."""
HNL_SIDE_BANDS: Final = (0.188, 0.386)
HNL_WINDOW: Final = 1.5
HNL_SIDE_BAND: Final = 11.25
"""In units of the resolution of m_miss, which is therefore below (0.386 - 0.384)/1.5 = 1.3 MeV at the end."""
HNL_BACKGROUND_ERROR: Final = ((0.300, 0.02), (0.384, 0.10))
"""Relative: 1-2% up to the first mass, 10% at the second."""
HNL_ACCEPTANCE_LOSS_50_NS: Final = 0.01
HNL_ACCEPTANCE_FACTOR: Final = {5.0: 2.0, 1.0: 10.0}
"""Lifetime in ns: the acceptance is lower by up to that factor."""
MUNUX_MASSES: Final = (0.010, 0.370, 0.010)
"""First, last, step: 37 masses."""
MUNUX_LIMIT_ORDER: Final = (1e-5, 1e-7)
"""Orders of magnitude of the limits on BR(K+ -> mu+ nu X) at the lowest and the highest masses."""

HNL_LIMIT: Final[tuple[tuple[float, float], ...]] = (
    (0.1998, 2.75e-8), (0.2006, 4.69e-8), (0.2019, 3.61e-8), (0.2027, 3.54e-8), (0.2039, 2.39e-8),
    (0.2047, 3.31e-8), (0.2056, 3.22e-8), (0.2080, 4.69e-8), (0.2088, 4.00e-8), (0.2097, 3.05e-8),
    (0.2109, 2.72e-8), (0.2121, 2.91e-8), (0.2125, 2.28e-8), (0.2150, 1.75e-8), (0.2166, 2.83e-8),
    (0.2178, 3.34e-8), (0.2187, 2.62e-8), (0.2199, 2.83e-8), (0.2207, 2.75e-8), (0.2219, 3.44e-8),
    (0.2227, 2.80e-8), (0.2248, 2.46e-8), (0.2260, 2.85e-8), (0.2273, 2.32e-8), (0.2278, 1.95e-8),
    (0.2283, 1.68e-8), (0.2289, 1.44e-8), (0.2318, 1.28e-8), (0.2322, 1.05e-8), (0.2330, 8.22e-9),
    (0.2338, 6.88e-9), (0.2346, 5.87e-9), (0.2358, 6.15e-9), (0.2367, 7.34e-9), (0.2379, 7.55e-9),
    (0.2384, 9.76e-9), (0.2388, 1.15e-8), (0.2392, 1.41e-8), (0.2397, 1.71e-8), (0.2408, 2.80e-8),
    (0.2420, 3.22e-8), (0.2428, 2.65e-8), (0.2457, 2.09e-8), (0.2462, 1.72e-8), (0.2467, 1.41e-8),
    (0.2471, 1.14e-8), (0.2477, 8.37e-9), (0.2489, 9.19e-9), (0.2498, 7.69e-9), (0.2506, 8.29e-9),
    (0.2515, 5.97e-9), (0.2518, 5.10e-9), (0.2530, 5.65e-9), (0.2535, 7.91e-9), (0.2547, 8.22e-9),
    (0.2550, 9.66e-9), (0.2554, 1.18e-8), (0.2559, 1.49e-8), (0.2567, 2.30e-8), (0.2575, 2.80e-8),
    (0.2596, 2.15e-8), (0.2608, 2.08e-8), (0.2611, 1.52e-8), (0.2616, 1.00e-8), (0.2629, 1.05e-8),
    (0.2637, 8.14e-9), (0.2649, 8.53e-9), (0.2677, 5.62e-9), (0.2690, 8.06e-9), (0.2706, 1.13e-8),
    (0.2719, 1.16e-8), (0.2727, 1.47e-8), (0.2739, 1.30e-8), (0.2754, 7.91e-9), (0.2776, 7.04e-9),
    (0.2804, 8.41e-9), (0.2817, 1.02e-8), (0.2829, 1.10e-8), (0.2838, 1.06e-8), (0.2848, 1.28e-8),
    (0.2879, 8.83e-9), (0.2902, 9.85e-9), (0.2906, 7.54e-9), (0.2936, 1.21e-8), (0.2937, 1.60e-8),
    (0.2944, 1.40e-8), (0.2967, 6.84e-9), (0.2967, 8.97e-9), (0.2977, 4.35e-9), (0.2979, 5.04e-9),
    (0.3002, 1.01e-8), (0.3015, 8.95e-9), (0.3049, 8.48e-9), (0.3055, 6.43e-9), (0.3057, 7.54e-9),
    (0.3068, 9.44e-9), (0.3093, 5.62e-9), (0.3100, 8.74e-9), (0.3118, 7.12e-9), (0.3122, 9.90e-9),
    (0.3132, 6.34e-9), (0.3137, 8.50e-9), (0.3150, 1.65e-8), (0.3151, 1.32e-8), (0.3153, 1.53e-8),
    (0.3180, 1.14e-8), (0.3182, 9.95e-9), (0.3189, 8.65e-9), (0.3194, 6.70e-9), (0.3214, 4.00e-9),
    (0.3215, 4.56e-9), (0.3222, 5.55e-9), (0.3247, 8.37e-9), (0.3255, 1.08e-8), (0.3271, 8.45e-9),
    (0.3283, 5.68e-9), (0.3292, 1.16e-8), (0.3300, 8.94e-9), (0.3308, 1.23e-8), (0.3312, 1.07e-8),
    (0.3325, 1.04e-8), (0.3329, 5.81e-9), (0.3341, 6.88e-9), (0.3347, 5.97e-9), (0.3351, 4.47e-9),
    (0.3361, 5.12e-9), (0.3361, 8.85e-9), (0.3374, 5.29e-9), (0.3382, 7.34e-9), (0.3394, 1.08e-8),
    (0.3402, 1.15e-8), (0.3415, 1.01e-8), (0.3428, 4.49e-9), (0.3431, 4.69e-9), (0.3439, 7.41e-9),
    (0.3439, 4.77e-9), (0.3447, 7.77e-9), (0.3460, 4.60e-9), (0.3468, 1.63e-8), (0.3472, 1.35e-8),
    (0.3476, 1.31e-8), (0.3488, 4.15e-9), (0.3496, 3.38e-9), (0.3496, 4.23e-9), (0.3505, 3.51e-9),
    (0.3505, 9.45e-9), (0.3517, 8.29e-9), (0.3521, 1.57e-8), (0.3525, 1.14e-8), (0.3537, 1.24e-8),
    (0.3542, 7.07e-9), (0.3548, 4.78e-9), (0.3554, 3.25e-9), (0.3566, 8.29e-9), (0.3574, 1.29e-8),
    (0.3583, 8.65e-9), (0.3586, 6.57e-9), (0.3599, 5.87e-9), (0.3603, 7.48e-9), (0.3612, 6.06e-9),
    (0.3616, 5.35e-9), (0.3634, 1.41e-8), (0.3636, 9.99e-9), (0.3648, 7.06e-9), (0.3664, 5.12e-9),
    (0.3671, 4.86e-9), (0.3677, 1.03e-8), (0.3683, 6.93e-9), (0.3689, 1.29e-8), (0.3689, 7.21e-9),
    (0.3697, 7.01e-9), (0.3705, 8.06e-9), (0.3713, 1.32e-8), (0.3726, 8.77e-9), (0.3726, 6.50e-9),
    (0.3738, 9.11e-9), (0.3746, 1.00e-8), (0.3760, 4.95e-9), (0.3766, 9.23e-9), (0.3767, 1.21e-8),
    (0.3771, 1.63e-8), (0.3776, 1.14e-8), (0.3783, 6.56e-9), (0.3791, 1.80e-8), (0.3799, 1.23e-8),
    (0.3808, 1.82e-8), (0.3824, 9.45e-9),
)  # fmt: skip
"""Figure 5: mass, 90% CL upper limit on |U_mu4|^2. Digitised in Heavy-Neutrino-Limits
(github.com/mhostert/Heavy-Neutrino-Limits, MIT licence, M. Hostert), rounded; not each of the 269 masses."""
