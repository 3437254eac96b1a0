"""LKr: the energy that the candidate leaves, with whatever photon falls into the same cluster."""

from __future__ import annotations

import math

import numpy as np

from kaongen.elementary import log
from kaongen.event_block import R_EOP, R_PX, R_PY, R_PZ, T_LKR_ENERGY, T_MUON_Z, T_P
from kaongen.jit import block_kernel, full_width, row
from kaongen.random import CALORIMETER, draw, normal_pair, uniform

_DRAW = np.uint64(0)
_SECOND = np.uint64(1)

# layout of the `response` array: z (m), deposit of a minimum-ionising particle and mean of its tail (GeV), share of
# pions that do not shower, and sigma_E/E = stochastic/sqrt(E) (+) noise/E (+) constant
Z, MIP, TAIL, HADRON_MIP, STOCHASTIC, NOISE, CONSTANT = range(7)


@block_kernel
def deposit(n, key, response, index, track):
    """Energy left by the candidate (GeV): a minimum-ionising particle's, or up to all of it for a pion's shower."""
    full_width()
    p, muon_z, energy = row(track, T_P), row(track, T_MUON_Z), row(track, T_LKR_ENERGY)
    z, mip, tail, hadron_mip = response[Z], response[MIP], response[TAIL], response[HADRON_MIP]
    for j in range(n):
        word_0, word_1, word_2, _ = draw(key, index[j], CALORIMETER, _DRAW)
        ionisation = mip - tail * log(uniform(word_0))
        showers = (muon_z[j] > z) & (uniform(word_1) > hadron_mip)
        energy[j] = p[j] * uniform(word_2) if showers else ionisation


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
        e = energy[j]
        sigma = math.sqrt(stochastic * stochastic * e + noise * noise + constant * constant * e * e)
        p = math.sqrt(px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j])
        eop[j] = max(e + sigma * a, 0.0) / p
