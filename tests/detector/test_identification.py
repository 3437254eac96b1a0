"""KTAG, RICH, CHOD and MUV3: the factor that each gives to the efficiency of a candidate."""

import numpy as np
import pytest
from blocks import CONFIGURATION, identified

MUON, WHOLE = -1.0, np.inf
MIRROR, MUV3_Z = 236.873, 246.8
MOMENTA = np.linspace(3, 75, 300)


@pytest.mark.parametrize("part", ["ktag", "chod"])
@pytest.mark.parametrize("muon_z", [MUON, 200.0, WHOLE])
def test_tag_and_trigger_are_the_same_for_every_event(part, muon_z):
    assert (identified(part, MOMENTA, muon_z) == CONFIGURATION.number(f"{part}.efficiency")).all()


def test_the_minimum_bias_trigger_is_99_percent_efficient():
    """NA62, Phys. Lett. B 816 (2021) 136259."""
    assert identified("chod", [20.0], MUON)[0] == 0.99


MUON_FACTOR, PION_FACTOR = CONFIGURATION.number("rich.muon_efficiency"), CONFIGURATION.number("rich.pion_as_muon")


@pytest.mark.parametrize(
    ("p", "muon_z", "expected"),
    [
        (5.0, MUON, MUON_FACTOR),
        (29.99, MUON, MUON_FACTOR),
        (30.01, MUON, 1.0),
        (70.0, MUON, 1.0),
        (12.49, WHOLE, MUON_FACTOR),  # no light from a pion: as from a muon without enough
        (12.51, WHOLE, PION_FACTOR),
        (29.99, WHOLE, PION_FACTOR),
        (30.01, WHOLE, 1.0),  # the paper uses the RICH below 30 GeV only
        (20.0, MIRROR - 0.001, MUON_FACTOR),
        (20.0, MIRROR + 0.001, PION_FACTOR),
        (20.0, 150.0, MUON_FACTOR),
    ],
)
def test_rings(p, muon_z, expected):
    assert identified("rich", [p], muon_z)[0] == expected


@pytest.mark.parametrize(
    ("muon_z", "name"),
    [
        (MUON, "muv3.efficiency"),
        (150.0, "muv3.efficiency"),
        (MUV3_Z - 0.001, "muv3.efficiency"),
        (MUV3_Z + 0.001, "muv3.pion_punch_through"),
        (WHOLE, "muv3.pion_punch_through"),
    ],
)
def test_muons_reach_the_muon_detector_and_pions_rarely(muon_z, name):
    assert (identified("muv3", MOMENTA, muon_z) == CONFIGURATION.number(name)).all()
