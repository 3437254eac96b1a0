"""Particle properties against the tables of the Review of Particle Physics 2026."""

import pytest

from kaongen import particles
from kaongen.decays.catalogue import processes
from kaongen.particles import SPECIES, Measured

PDG_MASSES = {
    "M_K": (493.677, 0.015),
    "M_PI": (139.57039, 0.00018),
    "M_PI0": (134.9768, 0.0005),
    "M_MU": (105.6583755, 0.0000023),
    "M_E": (0.51099895069, 0.00000000016),
}
"""MeV"""

PDG_LIFETIMES = {"TAU_K": (12.380, 0.020), "TAU_PI": (26.033, 0.005)}
"""ns"""

PDG_FRACTIONS = {
    "BR_K_MUNU": (0.6356, 0.0011),
    "BR_K_PI0MUNU": (0.03352, 0.00034),
    "BR_K_PIPIPI": (0.05583, 0.00024),
    "BR_PI0_GAMMAGAMMA": (0.98823, 0.00034),
}


@pytest.mark.parametrize("name", PDG_MASSES)
def test_masses(name):
    value, error = PDG_MASSES[name]
    assert getattr(particles, name) == pytest.approx(value / 1000, abs=0.5 * error / 1000)


@pytest.mark.parametrize("name", PDG_LIFETIMES)
def test_lifetimes(name):
    value, error = PDG_LIFETIMES[name]
    assert getattr(particles, name) == pytest.approx(value, abs=0.5 * error)


@pytest.mark.parametrize("name", PDG_FRACTIONS)
def test_branching_fractions(name):
    measured = getattr(particles, name)
    assert (measured.value, measured.error) == PDG_FRACTIONS[name]
    assert "2026" in measured.reference


def test_constants():
    assert particles.SPEED_OF_LIGHT == 0.299792458
    assert pytest.approx(137.035999177, abs=2.1e-8) == 1 / particles.ALPHA_EM


def test_a_scaled_measurement_keeps_its_relative_error():
    scaled = Measured(2.0, 0.5, "somewhere").scaled(-3.0)
    assert scaled == Measured(-6.0, 1.5, "somewhere")


def test_species_are_what_their_names_say():
    for name, species in SPECIES.items():
        assert species.name == name
        assert species.charge == {"+": 1, "-": -1}.get(name[-1], 0)
        assert species.mass is None or species.mass >= 0


def test_only_charged_particles_photons_and_pi0_leave_a_trace():
    assert {name for name, s in SPECIES.items() if s.visible} == {
        "K+",
        "mu+",
        "mu-",
        "e+",
        "e-",
        "pi+",
        "pi-",
        "pi0",
        "gamma",
    }


@pytest.mark.parametrize("process", processes(), ids=lambda p: p.name)
def test_every_decay_conserves_charge(process):
    assert process.decay.startswith("K+ -> ")
    assert sum(species.charge for species in process.species) == 1
