"""LKr: the energy that the candidate leaves, with whatever photon falls into the same cluster.

A muon ionises, and rarely loses a large part of its energy at once: to a knock-on electron or in bremsstrahlung, whose
showers the krypton contains. Direct pairs take that much far less often (a few per cent of the two together above
E/p = 0.2) and are left out. A pion ionises only, or showers; an electron leaves everything.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kaongen.detector.identification import ELECTRON, MUON, PION, momentum_at, species_at
from kaongen.elementary import exp, log
from kaongen.event_block import (
    R_EOP,
    R_PX,
    R_PY,
    R_PZ,
    T_ELECTRON_Z,
    T_END_P,
    T_KINK_Z,
    T_LKR_ENERGY,
    T_MUON_Z,
    T_P,
)
from kaongen.jit import block_kernel, full_width, row, scalar_kernel
from kaongen.particles import M_E, M_MU
from kaongen.random import CALORIMETER, draw, normal_pair, uniform

_DRAW, _SECOND, _THIRD = np.uint64(0), np.uint64(1), np.uint64(2)

Array = NDArray[np.float64]

# Krypton (PDG): atomic number and mass, radiation length in g/cm^2.
_Z, _A, _RADIATION_LENGTH = 36.0, 83.798, 11.37

HARD: Final = 0.12
"""Energy (GeV) from which on a single loss is drawn by itself: six times the scale of the ionisation's spread. With
Moyal's distribution for everything softer that follows Landau's to 5% from there on."""

# Bremsstrahlung of a muon on a screened nucleus (Petrukhin and Shestakov 1968, as in the PDG's review): what stands
# before (4/3 - 4/3 v + v^2)/v, from the definition of the radiation length, and the logarithm, whose largest value is
# that of no momentum transfer.
_THIRD_ROOT = _Z ** (-1.0 / 3.0)
_COULOMB = 0.0784  # Davies, Bethe and Maximon
_ELECTRONS = math.log(1194.0 * _THIRD_ROOT**2) / _Z
_STRENGTH = (M_E / M_MU) ** 2 / (math.log(184.15 * _THIRD_ROOT) - _COULOMB + _ELECTRONS)
_UNSCREENED = 2.0 / 3.0 * 189.0 * M_MU / M_E * _THIRD_ROOT**2
_TRANSFER = 189.0 * math.sqrt(math.e) * _THIRD_ROOT / M_E * M_MU * M_MU / 2.0
_LARGEST = math.log(_UNSCREENED)

# layout of the `response` array: z (m), most probable deposit of a minimum-ionising particle and scale of its spread
# (GeV), radiation of a muon per logarithm of the energy, share of pions that do not shower, and
# sigma_E/E = stochastic/sqrt(E) (+) noise/E (+) constant
Z, MIP, SPREAD, RADIATION, HADRON_MIP, STOCHASTIC, NOISE, CONSTANT = range(8)


def ionisation_spread(depth: float) -> float:
    """Landau's scale xi in GeV of a particle of velocity 1, in so many radiation lengths of krypton."""
    return 0.5 * 0.307075e-3 * _Z / _A * depth * _RADIATION_LENGTH


def radiation(depth: float) -> float:
    """Upper bound of the losses of a muon to bremsstrahlung per unit of ln E, in so many radiation lengths."""
    return 4.0 / 3.0 * depth * _STRENGTH * _LARGEST


@scalar_kernel
def sigma_energy(energy, stochastic, noise, constant):
    """Resolution in GeV."""
    return math.sqrt(stochastic * stochastic * energy + noise * noise + constant * constant * energy * energy)


@scalar_kernel
def knock_on_share(lost, energy):
    """What the spin of the muon and kinematics leave of 1/T^2 for a knock-on electron of energy T = `lost` (GeV)."""
    most = energy / (1.0 + M_MU * M_MU / (2.0 * M_E * energy))
    share = 1.0 - lost / most + 0.5 * (lost / energy) * (lost / energy)
    return share if lost < most else 0.0


@scalar_kernel
def radiated_share(lost, energy):
    """What screening and kinematics leave of the bound `radiation` at a photon's energy `lost` (GeV)."""
    v = lost / energy
    if v >= 1.0:
        return 0.0
    screening = log(_UNSCREENED / (1.0 + _TRANSFER * v / (energy * (1.0 - v))))
    return (1.0 - v + 0.75 * v * v) * max(screening, 0.0) / _LARGEST


@scalar_kernel
def shower_share(u):
    """E/p of a pion that showers, from a uniform number: density 4 x (1 - x^2), with its peak at 0.58."""
    return math.sqrt(1.0 - math.sqrt(u))


@block_kernel
def deposit(n, key, response, index, track):
    """Energy left by the candidate (GeV)."""
    _ionise(n, key, response, index, track)
    _shower(n, key, response, index, track)


@block_kernel
def _ionise(n, key, response, index, track):
    # Moyal's distribution: minus the logarithm of the square of a normal variable. A negative energy marks those that
    # may leave more; they are few, and the rest is a loop that vectorises.
    full_width()
    p, end_p, kink_z = row(track, T_P), row(track, T_END_P), row(track, T_KINK_Z)
    muon_z, electron_z = row(track, T_MUON_Z), row(track, T_ELECTRON_Z)
    energy = row(track, T_LKR_ENERGY)
    z, mip, spread = response[Z], response[MIP], response[SPREAD]
    radiates, hadron_mip = response[RADIATION], response[HADRON_MIP]
    for j in range(n):
        word_0, word_1, word_2, _ = draw(key, index[j], CALORIMETER, _DRAW)
        a, _ = normal_pair(word_0, word_1)
        species = species_at(z, muon_z[j], electron_z[j])
        momentum = momentum_at(z, kink_z[j], p[j], end_p[j])
        ionisation = min(mip - spread * log(a * a), momentum)
        hard = spread / HARD + radiates * max(log(momentum / HARD), 0.0)
        likely = hard if species == MUON else (1.0 - hadron_mip if species == PION else 2.0)
        energy[j] = -ionisation if uniform(word_2) < likely else ionisation


@block_kernel
def _shower(n, key, response, index, track):
    p, end_p, kink_z = row(track, T_P), row(track, T_END_P), row(track, T_KINK_Z)
    muon_z, electron_z = row(track, T_MUON_Z), row(track, T_ELECTRON_Z)
    energy = row(track, T_LKR_ENERGY)
    z, spread, radiates = response[Z], response[SPREAD], response[RADIATION]
    for j in range(n):
        if energy[j] > 0.0:
            continue
        species = species_at(z, muon_z[j], electron_z[j])
        momentum = momentum_at(z, kink_z[j], p[j], end_p[j])
        word_0, word_1, word_2, _ = draw(key, index[j], CALORIMETER, _THIRD)
        u = uniform(word_1)
        if species == ELECTRON:
            energy[j] = momentum
        elif species == PION:
            energy[j] = momentum * shower_share(u)
        else:
            knocks, logarithm = spread / HARD, max(log(momentum / HARD), 0.0)
            if uniform(word_0) * (knocks + radiates * logarithm) < knocks:
                lost = HARD / u
                share = knock_on_share(lost, momentum)
            else:
                lost = HARD * exp(u * logarithm)
                share = radiated_share(lost, momentum)
            lost = lost if uniform(word_2) < share else 0.0
            energy[j] = min(lost - energy[j], momentum)


@block_kernel
def energy_over_momentum(n, key, response, index, track, reco):
    """E/p of the candidate's cluster, both as measured."""
    full_width()
    energy, eop = row(track, T_LKR_ENERGY), row(reco, R_EOP)
    px, py, pz = row(reco, R_PX), row(reco, R_PY), row(reco, R_PZ)
    stochastic, noise, constant = response[STOCHASTIC], response[NOISE], response[CONSTANT]
    for j in range(n):
        word_0, word_1, _, _ = draw(key, index[j], CALORIMETER, _SECOND)
        a, _ = normal_pair(word_0, word_1)
        p = math.sqrt(px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j])
        eop[j] = max(energy[j] + sigma_energy(energy[j], stochastic, noise, constant) * a, 0.0) / p
