"""The signal regions from columns: against plain Python, and against the selection's own kernel."""

import numpy as np
import pytest
from pion_x_small import card, events

from kaongen.analysis.pi_selection import PionSelection
from kaongen.analysis.pion_x import selection
from kaongen.analysis.pion_x_regions import NEEDS, REGIONS, outside_box
from kaongen.configuration import load
from kaongen.papers import na62_pix as paper
from kaongen.production.memory import simulate
from kaongen.random import stream_key
from kaongen.searches.pion_x import PionX

SETTINGS = PionX(name="pion_x")


def random_columns(seed=1, n=20_000):
    rng = np.random.default_rng(seed)
    ranges = {
        "pion_px": (-0.1, 0.4), "pion_py": (-0.3, 0.3), "pion_pz": (13.0, 37.0),
        "vertex_x": (-0.05, 0.2), "vertex_y": (-0.05, 0.05), "vertex_z": (105.0, 165.0),
        "m2_miss": (-0.005, 0.075), "m2_miss_beam": (-0.01, 0.075), "m2_miss_rich": (-0.01, 0.08),
    }  # fmt: skip
    return {name: rng.uniform(*ranges[name], n) for name in NEEDS}


def inside(number, event):
    """The paper's cuts on one event, as one would read them out."""
    p = (event["pion_px"] ** 2 + event["pion_py"] ** 2 + event["pion_pz"] ** 2) ** 0.5
    if not 15.0 <= p < 35.0:
        return False
    m2, beam, rich = event["m2_miss"], event["m2_miss_beam"], event["m2_miss_rich"]
    if number == 2:
        return 0.026 < m2 < 0.068 and 0.024 < beam < 0.068 and 0.020 < rich < 0.070
    rich_limits = (0.0, 0.010) if p < 20.0 else (0.0, 0.020) if p < 25.0 else (-0.005, 0.020)
    beam_limits = (0.0 if p >= 25.0 else -0.005, 0.0135)
    return 0.0 < m2 < 0.010 and beam_limits[0] < beam < beam_limits[1] and rich_limits[0] < rich < rich_limits[1]


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.name)
def test_regions_are_those_of_the_paper(region):
    columns = random_columns()
    found = region.within(columns)
    expected = [inside(region.number, {name: columns[name][i] for name in NEEDS}) for i in range(len(found))]
    assert found.tolist() == expected
    assert 50 < found.sum() < len(found) / 2
    assert np.array_equal(region.contains(columns), found & outside_box(columns))


def test_the_box_is_where_tracks_come_through_the_collimator():
    columns = random_columns()
    for i in range(500):
        x, y, z = (columns[f"vertex_{axis}"][i] for axis in "xyz")
        px, py, pz = (columns[f"pion_p{axis}"][i] for axis in "xyz")
        steps = (101.8 - z) / pz
        assert outside_box(columns)[i] == (not (abs(x + steps * px) < 0.1 and abs(y + steps * py) < 0.5))
    assert 0.05 < outside_box(columns).mean() < 0.95


def test_defaults_are_the_published_choices():
    assert (SETTINGS.masses_1, SETTINGS.masses_2) == (paper.MASSES_1, paper.MASSES_2)
    assert (SETTINGS.mass_step, SETTINGS.events) == (paper.MASS_STEP, paper.OBSERVED_MASSES)
    assert SETTINGS.resolution_scale == paper.RESOLUTION_DATA_OVER_SIMULATION
    assert SETTINGS.resolution_error == SETTINGS.sensitivity_error == paper.RESOLUTION_UNCERTAINTY


def test_hypotheses_and_events_of_the_paper():
    first, second = (region.masses(SETTINGS) for region in REGIONS)
    assert (len(first), len(second)) == (79, 76)
    assert first[0] == 0.0
    assert first[-1] == pytest.approx(0.1092)
    assert second[0] == 0.154
    assert second[-1] == pytest.approx(0.259)
    # the paper: the distance in m^2 is always smaller than the resolution
    assert np.diff(np.square(second)).max() < paper.RESOLUTION_LEAST_AT_260
    assert tuple(len(region.events(SETTINGS)) for region in REGIONS) == paper.OBSERVED
    assert REGIONS[1].events(SETTINGS) == pytest.approx([0.196**2, 0.252**2])


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.name)
def test_nothing_that_the_selection_drops_was_in_a_region(region):
    """Events of K+ -> pi+ nu nubar in a region, by the selection's kernel and by the analysis after its wide one."""
    made = card()
    part = next(part for part in made.sample if part.process == "pinunu")
    configuration = load("na62-2017-pinunu")
    key = stream_key(made.run.seed, part.name)
    narrow = simulate(part, configuration, PionSelection(regions=region.rows), key).columns("index")["index"]
    columns = events()["pinunu"].columns()
    found = columns["index"][region.contains(columns)]
    # columns are rounded to float32: an event in ten thousand may change sides
    assert len(np.setxor1d(narrow, found)) <= 1e-3 * len(narrow)
    assert len(narrow) > 3000


def test_the_selection_keeps_both_sides_of_the_neutral_pion():
    chosen = selection(SETTINGS, load("na62-2017-pinunu"))
    columns = events()["pipi0"].columns()
    m2 = columns["m2_miss"]
    assert len(m2) > 1000
    assert not np.any((m2 > 0.015 + 1e-6) & (m2 < 0.021 - 1e-6))
    assert m2.min() >= -0.010 - 1e-6
    assert m2.max() <= 0.080 + 1e-6
    assert not outside_box(columns).all()
    assert chosen.cuts[-1] == "missing masses"
