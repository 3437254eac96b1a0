"""Other photon vetoes: what the published alternative model changes, and nothing else."""

import numpy as np
import pytest
from blocks import CONFIGURATION, produced
from veto_blocks import charged_traces, pair_survival, photon_stations

from kaongen.configuration import load
from kaongen.decays.catalogue import find
from kaongen.decays.mixture import alone
from kaongen.detector.na62 import NA62
from kaongen.detector.photon_veto import GRID_HIGH, GRID_LOW, GRID_POINTS
from kaongen.detector.systematics import ALTERNATIVE, DOWN, NOMINAL, UP, blind, shifted, variations
from kaongen.event_block import SURVIVAL
from kaongen.production.chain import build_chain

ENERGY = np.exp(np.linspace(GRID_LOW, GRID_HIGH, GRID_POINTS))
VARIATIONS = variations(CONFIGURATION)


def test_the_lead_glass_is_as_uncertain_as_published():
    """(0.30 +- 0.06)% from 0.3 to 3 GeV: NA62, Phys. Lett. B 816 (2021) 136259."""
    plateau = (ENERGY > 0.31) & (ENERGY < 2.9)
    tables = {name: NA62(configuration).photon_tables[0][plateau] for name, configuration in VARIATIONS.items()}
    assert tables[NOMINAL] == pytest.approx(np.full(plateau.sum(), 0.0030), rel=1e-9)
    # a relative error of 20% is one of the logarithm
    assert tables[UP] == pytest.approx(tables[NOMINAL] * np.exp(0.2), rel=1e-12)
    assert tables[DOWN] == pytest.approx(tables[NOMINAL] / np.exp(0.2), rel=1e-12)
    assert (tables[ALTERNATIVE] == tables[UP]).all()


def test_every_system_is_shifted_by_its_own_uncertainty():
    sigma = CONFIGURATION.array("photon_inefficiency.uncertainty")
    nominal, up = (NA62(VARIATIONS[name]).photon_tables for name in (NOMINAL, UP))
    ratio = np.log(up / nominal)[:, -1]
    assert ratio == pytest.approx(sigma, rel=1e-9)
    assert (up <= 1).all()
    assert ((up >= nominal) & (NA62(VARIATIONS[DOWN]).photon_tables <= nominal)).all()


def test_only_the_alternative_is_blind_to_pairs():
    assert {name: c.number("conversion.unseen") for name, c in VARIATIONS.items()} == {
        NOMINAL: 0.0, UP: 0.0, DOWN: 0.0, ALTERNATIVE: 1.0,
    }  # fmt: skip
    assert VARIATIONS[NOMINAL] is CONFIGURATION


def test_nothing_else_changes():
    for configuration in VARIATIONS.values():
        changed = {name for name, q in configuration.quantities.items() if q != CONFIGURATION.quantities[name]}
        assert changed <= {"photon_inefficiency.factor", "conversion.unseen"}


MOMENTUM = np.array([[0.08, 0.06, 20.0], [0.2, 0.1, 8.0], [0.0, -0.1, 5.0], [-0.05, 0.0, 30.0]]).T
"""Of particles into the krypton and into the lead glass (GeV)."""
FROM = (0.05, 0.0, 140.0)


def test_blind_detectors_see_no_photon_and_no_pair():
    for configuration in (CONFIGURATION, VARIATIONS[ALTERNATIVE], load("na62-2017-pinunu")):
        detector = NA62(blind(configuration))
        assert (detector.photon_tables == 1.0).all()
        assert detector.thickness == 0.0
        assert (pair_survival(MOMENTUM, FROM, detector) == 1.0).all()
    assert set(photon_stations(MOMENTUM, FROM)) >= {"lkr", "lav"}
    assert (pair_survival(MOMENTUM, FROM) < 0.01).all()


@pytest.mark.parametrize("kind", ["pion", "muon"])
def test_blind_detectors_see_particles_that_ionise_as_before(kind):
    """In the krypton as well: what they leave there is no photon's."""
    for configuration in (CONFIGURATION, load("na62-2017-pinunu")):
        seeing, not_seeing = NA62(configuration), NA62(blind(configuration))
        assert (not_seeing.charged_response == seeing.charged_response).all()
        for charge in (1.0, -1.0):
            found, expected = (charged_traces(kind, charge, MOMENTUM, FROM, d) for d in (not_seeing, seeing))
            assert np.array_equal(found, expected)
            assert expected[0].min() < 1e-3


def test_blind_detectors_change_nothing_of_the_candidate():
    """Kinematics and efficiencies of K+ -> mu+ nu and of K+ -> mu+ nu gamma, of which nothing else is seen; where a
    photon's energy joins the candidate's cluster, it still does."""
    configuration = blind(CONFIGURATION)
    for name in ("munu", "munug"):
        chain = build_chain([alone(find(name), {})], configuration)
        seeing, not_seeing = produced(name, 4096), produced(name, 4096, chain=chain)
        assert np.array_equal(seeing.reco, not_seeing.reco, equal_nan=True)
        assert np.array_equal(seeing.track, not_seeing.track, equal_nan=True)
        fates = [np.delete(events.fate, SURVIVAL, axis=0) for events in (seeing, not_seeing)]
        assert np.array_equal(*fates)
        assert (not_seeing.fate[SURVIVAL] >= seeing.fate[SURVIVAL]).all()
        if name == "munu":
            assert np.array_equal(seeing.weight, not_seeing.weight)
        else:
            assert not_seeing.weight.sum() > 3 * seeing.weight.sum()
            assert (not_seeing.fate[SURVIVAL] == 1.0).all()


def test_shifts_add_up():
    twice, both = shifted(shifted(CONFIGURATION, 0.7), -1.7), shifted(CONFIGURATION, -1.0)
    assert twice.array("photon_inefficiency.factor") == pytest.approx(both.array("photon_inefficiency.factor"))


def test_a_background_follows_the_vetoes():
    """Of the same events of K+ -> pi0 mu+ nu those without pairs that matter survive in order of the shifts."""
    sums = {}
    for name, configuration in VARIATIONS.items():
        chain = build_chain([alone(find("pi0munu"), {})], configuration)
        sums[name] = produced("pi0munu", 16 * 4096, chain=chain).weight.sum()
    assert sums[DOWN] < sums[NOMINAL] < sums[UP] < sums[ALTERNATIVE]
