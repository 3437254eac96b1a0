"""Line, acceptance and escape of X: against drawn numbers, held-out samples, formulas of flight and thrown decays."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pion_x_small import card, events

from kaongen.analysis.pi_selection import PionSelection
from kaongen.analysis.pion_x import selection
from kaongen.analysis.pion_x_regions import REGIONS, outside_box
from kaongen.analysis.pion_x_signal import SignalGrid, check_masses, fit_gaussian, masses_by_region, read_line
from kaongen.analysis.template import Template
from kaongen.configuration import load
from kaongen.errors import EventFileError
from kaongen.events.layout import SampleInfo, Tally
from kaongen.models.dark_scalar import DarkScalar
from kaongen.particles import HBAR
from kaongen.production.card import SamplePart
from kaongen.production.memory import MemorySample, simulate
from kaongen.random import stream_key

MUV3 = load("na62-2017-pinunu").number("muv3.z")
REGION_2 = REGIONS[1]


def line(mass, region=REGION_2):
    return read_line(events()[f"piX-{1e3 * mass:g}"], mass, region, MUV3)


def grid():
    return SignalGrid([line(mass) for mass in (0.152, 0.170, 0.200, 0.230, 0.262)])


@given(st.floats(0.0, 0.07), st.floats(0.5e-3, 2e-3), st.integers(0, 100))
def test_gaussian_core_is_found_above_tails(mean, sigma, seed):
    rng = np.random.default_rng(seed)
    n = 40_000
    values = np.concatenate([rng.normal(mean, sigma, n), rng.uniform(mean - 0.01, mean + 0.01, n // 200)])
    edges = np.linspace(-0.02, 0.09, 22_001)
    counts = np.histogram(values, edges)[0].astype(float)
    position, width = fit_gaussian(Template(edges, counts / n, counts / n**2))
    assert abs(position.value - mean) < 5.0 * position.error
    assert width.value == pytest.approx(sigma, rel=0.04)
    # of n Gaussian numbers of which only those within 2 sigma are used
    assert 1.0 < position.error / (sigma / math.sqrt(n)) < 1.5


def test_lines_are_where_the_mass_is_and_narrow_with_it():
    lines = [line(mass) for mass in (0.170, 0.200, 0.230)]
    for each in lines:
        assert abs(each.position.value - each.mass**2) < 0.05 * each.width.value
        assert 0.7e-3 < each.width.value < 1.1e-3
    assert lines[0].width.value > lines[1].width.value > lines[2].width.value


def test_acceptance_is_that_of_the_selection_with_the_region():
    part = next(p for p in card().sample if p.name == "piX-200")
    key = stream_key(card().run.seed, part.name)
    made = simulate(part, load("na62-2017-pinunu"), PionSelection(regions=REGION_2.rows), key)
    expected = made.tally.sum_weights / made.tally.generated
    assert line(0.200).acceptance.value == pytest.approx(expected, rel=1e-3)


def test_between_simulated_masses():
    """A mass that the grid does not have, from its neighbours."""
    part = SamplePart(process="piX", role="signal", candidates=200_000, parameters={"m_X": 0.215})
    configuration = load("na62-2017-pinunu")
    sample = simulate(part, configuration, selection(card().analysis, configuration), stream_key(9, "held out"))
    true = read_line(sample, 0.215, REGION_2, MUV3)
    position, width, acceptance = grid().at(0.215)
    assert abs(position.value - true.position.value) < 4.0 * math.hypot(position.error, true.position.error)
    assert abs(width.value - true.width.value) < 4.0 * math.hypot(width.error, true.width.error) + 0.01 * width.value
    assert acceptance.value == pytest.approx(true.acceptance.value, rel=0.03)
    for lifetime in (0.2, 1.0, 10.0):
        assert grid().escape(0.215, lifetime) == pytest.approx(true.escape(0.215, lifetime), rel=0.03)


def test_at_simulated_masses_it_is_what_was_simulated():
    for each in grid().lines:
        _, width, acceptance = grid().at(each.mass)
        assert width.value == pytest.approx(each.width.value)
        assert acceptance.value == pytest.approx(each.acceptance.value)
        assert grid().escape(each.mass, 1.0) == pytest.approx(each.escape(each.mass, 1.0))


def identical_events(momentum, vertices):
    """Events in the middle of region 2 whose missing momentum is along z, with given vertices."""
    n = len(vertices)
    columns = {
        "weight": 1.0, "kaon_px": 0.0, "kaon_py": 0.0, "kaon_pz": momentum + 25.0,
        "pion_px": 0.0, "pion_py": 0.0, "pion_pz": 25.0, "vertex_x": 0.3, "vertex_y": 0.0, "vertex_z": vertices,
        "m2_miss": 0.04, "m2_miss_beam": 0.04,
        "m2_miss_rich": 0.04,
    }  # fmt: skip
    data = {name: np.broadcast_to(values, n).astype(np.float64) for name, values in columns.items()}
    spread = np.linspace(-1e-3, 1e-3, n)
    data["m2_miss"] = 0.04 + spread
    info = SampleInfo(name="one", process="piX", decay="K+ -> pi+ X", parameters={"m_X": 0.2})
    return MemorySample(info, Tally(candidates=n, generated=n, selected=n), data)


@pytest.mark.parametrize("lifetime", [0.1, 1.0, 30.0])
def test_escape_of_one_momentum_is_the_law_of_decay(lifetime):
    """Against `Unstable.escape_probability`, which knows energies and boosts."""
    mass, momentum, z = 0.2, 48.0, 120.0
    found = read_line(identical_events(momentum, np.full(400, z)), mass, REGION_2, MUV3)
    scalar = DarkScalar(mass, 1e-8)
    # a dark scalar that lives as long
    scalar = DarkScalar(mass, 1e-8 * scalar.lifetime() / lifetime)
    assert scalar.lifetime() == pytest.approx(lifetime)
    assert scalar.total_width() == pytest.approx(HBAR / lifetime)
    expected = scalar.escape_probability(math.hypot(momentum, mass), MUV3 - z)
    assert found.escape(mass, lifetime) == pytest.approx(expected, rel=0.02 if lifetime < 1.0 else 2e-3)


def test_escape_from_a_uniform_volume_is_the_integral():
    mass, momentum, lifetime = 0.2, 48.0, 0.5
    found = read_line(identical_events(momentum, np.linspace(105.0, 165.0, 20_001)), mass, REGION_2, MUV3)
    length = momentum / mass * 0.299792458 * lifetime
    expected = length / 60.0 * (math.exp(-(MUV3 - 165.0) / length) - math.exp(-(MUV3 - 105.0) / length))
    assert found.escape(mass, lifetime) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("lifetime", [0.3, 2.0])
def test_escape_agrees_with_decays_that_are_thrown(lifetime):
    """Each X lives for an exponential proper time, flies along its momentum, and is beyond MUV3 or not."""
    rng = np.random.default_rng(4)
    columns = events()["piX-200"].columns()
    columns = {name: values[REGION_2.contains(columns)].astype(np.float64) for name, values in columns.items()}
    p = np.stack([columns[f"kaon_p{axis}"] - columns[f"pion_p{axis}"] for axis in "xyz"])
    momentum = np.sqrt((p**2).sum(axis=0))
    gamma = np.hypot(momentum, 0.2) / 0.2
    beta = momentum / np.hypot(momentum, 0.2)
    weight = columns["weight"]
    share, error = [], []
    for _ in range(50):
        time = gamma * rng.exponential(lifetime, len(momentum))
        z = columns["vertex_z"] + beta * 0.299792458 * time * p[2] / momentum
        share.append((weight * (z > MUV3)).sum() / weight.sum())
    mean, error = np.mean(share), np.std(share) / math.sqrt(50)
    assert abs(line(0.200).escape(0.2, lifetime) - mean) < 4.0 * error + 1e-3 * mean


def test_limits_of_lifetime():
    each = grid()
    assert each.escape(0.2, math.inf) == 1.0
    assert each.escape(0.2, 1e9) == pytest.approx(1.0, abs=1e-6)
    shares = [each.escape(0.2, lifetime) for lifetime in (0.01, 0.1, 1.0, 10.0, 100.0)]
    assert shares == sorted(shares)
    assert shares[0] < 1e-20
    assert shares[-1] > 0.98


def test_half_of_a_line_at_the_edge_of_a_region():
    """Without the other missing masses, so that only the edge takes part."""
    columns = events()["piX-0"].columns("m2_miss", "weight")
    inside = columns["weight"][columns["m2_miss"] > 0.0].sum() / columns["weight"].sum()
    assert inside == pytest.approx(0.5, abs=0.03)


def test_masses_are_not_extrapolated():
    assert masses_by_region([0.2, 0.0, 0.11, 0.16]) == ([0.0, 0.11], [0.16, 0.2])
    check_masses([0.15, 0.27], [0.154, 0.26], REGION_2)
    for simulated in ([0.156, 0.27], [0.15, 0.25], [0.2], []):
        with pytest.raises(EventFileError, match="does not extrapolate"):
            check_masses(simulated, [0.154, 0.26], REGION_2)


def test_a_sample_without_events_in_its_region_is_refused():
    with pytest.raises(EventFileError, match=r"none of 400 decays of the sample 'one' is in region 1"):
        read_line(identical_events(48.0, np.full(400, 120.0)), 0.2, REGIONS[0], MUV3)


def test_box_takes_no_part_in_the_selection_but_in_the_acceptance():
    columns = events()["piX-200"].columns()
    assert 0.3 < outside_box(columns).mean() < 0.9
