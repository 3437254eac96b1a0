"""Constants of the models that no particle's entry has: couplings, quark masses, mixing angles, cosmology.

Masses and lifetimes of known particles are those of the Particle Data Group as the `particle` package has them, as in
`kaongen.particles`. GeV, ns and m throughout.
"""

from __future__ import annotations

import math
from typing import Final

from kaongen.particles import G_F, HBAR, SPEED_OF_LIGHT, pdg_mass

HBAR_C: Final = HBAR * SPEED_OF_LIGHT
"""GeV m: the decay length at rest of a width of 1 GeV."""

HBAR_C_CM: Final = 1.973269804e-14
"""GeV cm, for cross-sections and densities."""

SPEED_OF_LIGHT_CM: Final = 2.99792458e10
"""cm/s, for cross-sections times velocities."""

VEV: Final = 1.0 / math.sqrt(math.sqrt(2.0) * G_F)
"""Vacuum expectation value of the Higgs field, 246.22 GeV."""

SIN2_THETA_W: Final = 0.23122
"""Weak mixing angle in the MS-bar scheme at the Z (PDG 2024); 0.2386 at rest changes no width here by 1%."""

V_UD: Final = 0.97367
"""Superallowed nuclear beta decays (PDG 2024)."""

V_TD: Final = 0.00858
V_TS: Final = 0.04111
"""Moduli of the CKM matrix's global fit (PDG 2024)."""

F_PI: Final = 0.1302
"""Decay constant of the charged pion in GeV, such that Gamma(pi -> l nu) has G_F^2 f^2/(8 pi) (FLAG 2021)."""

F_PLUS_0: Final = 0.9698
"""K -> pi vector form factor at zero momentum transfer, lattice with 2+1+1 flavours (FLAG 2021)."""

LAMBDA_0: Final = 0.0176
"""Slope of the scalar form factor in t/m_pi+^2, from K_mu3 (PDG 2026), as the catalogue's pi0 mu nu has it."""

M_TOP_MSBAR: Final = 162.8
"""m_t(m_t) in GeV: next-to-leading order makes the loops with top quarks nearly free of scale at this choice
(Buras and Venturini, arXiv:2109.11032). The pole mass, 172.6 GeV, would raise their rates by a quarter."""

M_TAU: Final = pdg_mass(15)
M_W: Final = pdg_mass(24)
M_H: Final = pdg_mass(25)
M_CHARM: Final = pdg_mass(4)
M_BOTTOM: Final = pdg_mass(5)
M_STRANGE: Final = pdg_mass(3)
M_DOWN: Final = pdg_mass(1)
"""Quark masses in the MS-bar scheme: strange and down at 2 GeV, charm and bottom at their own mass."""

M_RHO: Final = pdg_mass(113)
WIDTH_RHO: Final = 0.1474
"""Width of the neutral rho in GeV (PDG 2024, e+ e-)."""

PLANCK_MASS: Final = 1.220890e19
"""GeV, not reduced (CODATA 2022)."""

ENTROPY_TODAY: Final = 2891.2
"""Entropy density of photons and neutrinos today in cm^-3 (PDG 2024)."""

CRITICAL_DENSITY: Final = 1.053672e-5
"""rho_c / h^2 in GeV cm^-3 (PDG 2024)."""

DARK_MATTER_DENSITY: Final = 0.1200
"""Omega h^2 of cold dark matter, +- 0.0012 (Planck 2018, Astron. Astrophys. 641 (2020) A6)."""
