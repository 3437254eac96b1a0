"""Other photon vetoes: what the published alternative model changes, and nothing else."""

import numpy as np
import pytest
from blocks import CONFIGURATION, chain_of, produced

from kaongen.detector.na62 import NA62
from kaongen.detector.photon_veto import GRID_HIGH, GRID_LOW, GRID_POINTS
from kaongen.detector.systematics import ALTERNATIVE, DOWN, NOMINAL, UP, shifted, variations
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


def test_shifts_add_up():
    twice, both = shifted(shifted(CONFIGURATION, 0.7), -1.7), shifted(CONFIGURATION, -1.0)
    assert twice.array("photon_inefficiency.factor") == pytest.approx(both.array("photon_inefficiency.factor"))


def test_a_background_follows_the_vetoes():
    """Of the same events of K+ -> pi0 mu+ nu those without pairs that matter survive in order of the shifts."""
    sums = {}
    for name, configuration in VARIATIONS.items():
        chain = build_chain(chain_of("pi0munu").process, {}, configuration)
        sums[name] = produced("pi0munu", 16 * 4096, chain=chain).weight.sum()
    assert sums[DOWN] < sums[NOMINAL] < sums[UP] < sums[ALTERNATIVE]
