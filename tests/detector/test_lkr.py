"""The krypton calorimeter: the published resolution, and what muons and pions leave in it."""

import numpy as np
import pytest
from blocks import (
    EXACT,
    P_MIN,
    SIGMAS,
    assert_fraction,
    assert_standard_normal,
    configured,
    deposits,
    energy_over_momentum,
)
from scipy import stats

N = 100_000
LKR_Z = 241.093
MUON, WHOLE = -1.0, np.inf


@pytest.mark.parametrize("energy", [1.0, 5.0, 20.0, 50.0])
def test_the_resolution_is_the_published_one(energy):
    """sigma/E = 4.8%/sqrt(E) (+) 11%/E (+) 0.9%, NA62, Phys. Lett. B 816 (2021) 136259."""
    relative = np.sqrt(0.048**2 / energy + 0.11**2 / energy**2 + 0.009**2)
    measured = energy_over_momentum(np.full(N, energy), 40.0) * 40.0
    assert_standard_normal((measured / energy - 1) / relative)


def test_energies_are_never_negative():
    """The noise of 110 MeV is more than a deposit of 100 MeV; what falls below zero is zero."""
    ratio = energy_over_momentum(np.full(N, 0.1), 10.0)
    assert (ratio >= 0).all()
    assert_fraction(ratio == 0, stats.norm.cdf(-0.1 / np.sqrt(0.048**2 * 0.1 + 0.11**2 + (0.009 * 0.1) ** 2)))


def test_the_ratio_is_to_the_measured_momentum():
    p = np.linspace(5, 70, N)
    assert np.abs(energy_over_momentum(np.full(N, 8.0), p, configured(EXACT)) * p - 8.0).max() < 1e-12


def test_a_muon_ionises_whatever_its_momentum():
    """0.56 GeV, and an exponential tail of 0.10 GeV."""
    energy = deposits(np.linspace(5, 70, N), MUON)
    assert energy.min() >= 0.56
    assert stats.kstest(energy - 0.56, "expon", args=(0, 0.10)).pvalue > P_MIN
    assert abs(np.corrcoef(energy, np.linspace(5, 70, N))[0, 1]) < SIGMAS / np.sqrt(N)


def test_a_pion_showers_in_seven_of_ten_cases():
    """Up to all of its momentum, evenly; the others ionise."""
    p = 35.0
    changes = {"lkr.mip_energy": 100.0}  # to tell the two apart
    energy = deposits(np.full(N, p), WHOLE, configured(changes))
    showers = energy < 100.0
    assert_fraction(showers, 0.70)
    assert stats.kstest(energy[showers] / p, "uniform").pvalue > P_MIN
    assert stats.kstest(energy[~showers] - 100.0, "expon", args=(0, 0.10)).pvalue > P_MIN


@pytest.mark.parametrize(("muon_z", "is_muon"), [(150.0, True), (LKR_Z - 0.001, True), (LKR_Z + 0.001, False)])
def test_a_pion_that_decayed_before_it_is_a_muon(muon_z, is_muon):
    energy = deposits(np.full(20_000, 35.0), muon_z, configured({"lkr.mip_energy": 100.0}))
    assert (energy >= 100.0).all() == is_muon


def test_deposit_and_resolution_are_independent():
    energy = deposits(np.full(N, 30.0), MUON)
    error = energy_over_momentum(energy, 1.0) - energy
    assert abs(np.corrcoef(energy, error)[0, 1]) < SIGMAS / np.sqrt(N)
