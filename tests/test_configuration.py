"""The configuration: every number says what it is and where it comes from; geometry is that of the published table."""

import numpy as np
import pytest

from kaongen.configuration import CONFIGURATIONS, load
from kaongen.errors import CardError

NA62 = load("na62-2016-2018")
UNITS = {
    "", "m", "m GeV", "GeV", "GeV/m", "rad", "rad GeV", "1/GeV", "GeV^1/2", "GeV, probability", "T", "ns", "1/ns", "s",
    "1/s", "spills", "tiles", "hits", "factor", "relative", "radiation lengths", "standard deviations", "sigma^2",
    "chi-squared", "charge, mass number, g/cm^2", "mb, mb, 1/GeV^2", "events for each recorded",
}  # fmt: skip

PUBLISHED_MM = {
    # NA62, The beam and detector, JINST 12 (2017) P05025, and constants seen in public NA62 software
    "gtk.z": 102400,
    "straw.z": [183508, 194066, 204459, 218885],
    "straw.hole_x": [101.2, 114.4, 92.4, 52.8],
    "straw.gap": 63.8,
    "straw.radius": 1000,
    "straw.magnet_z": 196995,
    "rich.z": 219445,
    "rich.mirror_z": 236873,
    "rich.hole": [34, 100],
    "rich.radius": 1100,
    "chod.z": [238131.5, 239009],
    "chod.radii": [[140, 1070], [130, 1100]],
    "lkr.z": 241093,
    "lkr.hole": 150,
    "lkr.apothem": 1130,
    "muv3.z": 246800,
    "muv3.hole": 103,
    "muv3.half_side": 1320,
    "irc.z": 239700,
    "irc.radii": [60, 145],
    "irc.hole_x": 12,
    "sac.z": 260956,
    "sac.half_side": 100,
    "chanti.z": [102427, 102485, 102600, 102830, 103290, 104210],
    "chanti.half_side": 150,
    "chanti.hole": [95 / 2, 65 / 2],
    "lav.front": [121363, 128973, 136583, 144193, 151803, 165313, 172823, 180333, 192709, 203102, 217528, 238313],
    "lav.back": [121953, 129563, 137173, 144783, 152393, 165903, 173413, 180923, 193179, 203572, 217998, 238783],
    "lav.inner": [536.5] * 5 + [767.5] * 3 + [980.0] * 3 + [1070.0],
    "lav.outer": [906.5] * 5 + [1137.5] * 3 + [1350.0] * 3 + [1440.0],
    # NA62, Phys. Lett. B 816 (2021) 136259: 75 m from 2.6 m behind GTK3
    "beam.decay_volume": [102400 + 2600, 102400 + 2600 + 75000],
    # NA62, JHEP 03 (2021) 058: a beam of 52 x 24 mm; clusters within 100 mm belong to the track
    "beam.half_width": [52 / 2, 24 / 2],
    "lkr.merge_distance": 100,
}

PUBLISHED = {
    # NA62, Phys. Lett. B 816 (2021) 136259
    "beam.momentum": 75.0,
    "beam.momentum_spread": 0.75,
    "beam.divergence": 0.11e-3,
    "straw.kick": 0.270,
    "straw.momentum_constant": 0.30e-2,
    "straw.momentum_linear": 0.005e-2,
    "lkr.stochastic": 4.8e-2,
    "lkr.noise": 11e-2,
    "lkr.constant": 0.9e-2,
    "rich.muon_threshold": 9.5,
    "rich.used_below": 30.0,
    "data_taking.trigger_efficiency": 0.99,
    # NA62, JHEP 03 (2021) 058
    "gtk.momentum_resolution": 0.15,
    "gtk.angle_resolution": 16e-6,
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_number_says_what_it_is(name):
    configuration = load(name)
    assert configuration.name == name
    assert configuration.description
    for key, quantity in configuration.quantities.items():
        assert quantity.unit in UNITS, key
        assert quantity.source.strip(), key
        assert quantity.status in {"input", "recalled", "tuned"}, key
        assert np.isfinite(np.asarray(quantity.value, dtype=float)).all(), key


@pytest.mark.parametrize(("name", "millimetres"), PUBLISHED_MM.items())
def test_lengths_are_those_of_the_published_table(name, millimetres):
    assert NA62.quantities[name].unit == "m"
    assert NA62.array(name) * 1000 == pytest.approx(np.array(millimetres), rel=1e-12)


@pytest.mark.parametrize(("name", "value"), PUBLISHED.items())
def test_numbers_are_those_of_the_papers(name, value):
    assert NA62.number(name) == pytest.approx(value, rel=1e-12)
    assert NA62.quantities[name].status == "input"


def test_what_is_printed_nowhere_does_not_claim_to_be_an_input():
    """Efficiencies that the papers do not print, and the tables of inefficiencies outside 0.3-3 GeV in the LAV."""
    for name in ("ktag.efficiency", "gtk.efficiency", "lkr.mip_energy", "muv3.efficiency"):
        assert NA62.quantities[name].status != "input"
    for name in ("straw.efficiency", "photon_inefficiency.hard_factor"):
        assert NA62.quantities[name].status == "tuned"
    for system in ("lav", "lkr", "irc", "sac"):
        assert NA62.quantities[f"photon_inefficiency.{system}"].status == "recalled"


def test_the_rich_threshold_of_pions_is_that_of_muons_at_the_same_speed():
    assert NA62.number("rich.pion_threshold") == pytest.approx(9.5 * 139.57 / 105.66, abs=0.1)


def test_inefficiencies_are_probabilities_against_rising_energies():
    for system in ("lav", "lkr", "irc", "sac"):
        energy, probability = NA62.array(f"photon_inefficiency.{system}").T
        assert (np.diff(energy) > 0).all()
        assert ((probability > 0) & (probability <= 1)).all()
        assert (np.diff(probability) <= 0).all()


def test_a_changed_number_says_that_the_card_set_it():
    changed = NA62.with_values({"gtk.angle_resolution": 20e-6, "irc.radii": [0.07, 0.14]})
    assert changed.number("gtk.angle_resolution") == 20e-6
    assert changed.array("irc.radii").tolist() == [0.07, 0.14]
    assert changed.quantities["gtk.angle_resolution"].source == "set in the run card"
    assert changed.quantities["gtk.angle_resolution"].unit == "rad"
    assert changed.name == NA62.name
    others = set(NA62.quantities) - {"gtk.angle_resolution", "irc.radii"}
    assert all(changed.quantities[key] == NA62.quantities[key] for key in others)


def test_the_original_stays_as_it_was():
    NA62.with_values({"gtk.angle_resolution": 20e-6})
    assert NA62.number("gtk.angle_resolution") == 16e-6


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("gtk.angel_resolution", "gtk.angle_resolution"), ("starw.kick", "straw.kick"), ("lkr.apotem", "lkr.apothem")],
)
def test_an_unknown_name_is_refused_with_the_closest(wrong, meant):
    with pytest.raises(CardError, match=rf"{wrong}.*did you mean '{meant}'"):
        NA62.with_values({wrong: 1.0})


def test_nonsense_is_refused_without_a_suggestion():
    with pytest.raises(CardError) as refusal:
        NA62.with_values({"qqqqqq": 1.0})
    assert "did you mean" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("straw.kick", [0.27]),
        ("straw.z", 183.508),
        ("straw.z", [183.508, 194.066, 204.459]),
        ("chod.radii", [0.14, 1.07]),
        ("photon_inefficiency.sac", [[0.5, 1.0]]),
        ("straw.kick", float("nan")),
        ("straw.kick", float("inf")),
        ("irc.radii", [0.06, float("nan")]),
        ("straw.kick", None),
        ("straw.kick", "strong"),
        ("straw.kick", "75"),
        ("irc.radii", ["narrow", "wide"]),
        ("chod.radii", [[0.14, 1.07], [0.13]]),
    ],
)
def test_a_value_of_another_shape_or_no_number_is_refused(name, value):
    with pytest.raises(CardError, match=name):
        NA62.with_values({name: value})


def test_an_unknown_detector_is_refused_with_those_that_exist():
    with pytest.raises(CardError, match="na62-2016-2018"):
        load("na63")
