"""Photons: which station they meet, by hand and against a slow ray tracer, and how often it misses them."""

from functools import cache

import numpy as np
import pytest
from blocks import CONFIGURATION, DETECTOR, configured
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_geometry import LAV_BACK, LAV_FRONT, LAV_INNER, LAV_OUTER, LKR_Z, SAC_Z, first_station, krypton
from veto_blocks import photon_stations, photon_survival

from kaongen.detector.photon_veto import GRID_HIGH, GRID_LOW, GRID_POINTS, inefficiency_grid

IRC_Z = 239.7


def aimed(target, start, energy=5.0):
    """Momentum of a photon that flies from start to target (m)."""
    way = np.array(target, dtype=float) - np.array(start, dtype=float)
    return energy * way / np.linalg.norm(way)


def station(target, start=(0.0, 0.0, 150.0)):
    return photon_stations(aimed(target, start), start)[0]


def seen_by(system, energy, **options):
    """Survival of a photon of a certain energy that meets the system."""
    targets = {
        "lav": (0.7, 0.0, 121.5),
        "lkr": (0.5, 0.0, 241.093),
        "irc": (0.0, 0.1, IRC_Z),
        "sac": (0.0, 0.05, 260.956),
    }
    start = {"lav": (0.0, 0.0, 118.0), "sac": (0.012, 0.0, 200.0)}.get(system, (0.0, 0.0, 200.0))
    momentum = aimed(targets[system], start, energy)
    assert photon_stations(momentum, start) == [system]
    return photon_survival(momentum, start, **options)[0, 0]


@pytest.mark.parametrize("number", range(12))
def test_each_ring_of_lead_glass_is_met(number):
    """From 3 m in front of it: near its edges and in the middle; not in the hole, not outside."""
    front, inner, outer = LAV_FRONT[number] / 1000, LAV_INNER[number] / 1000, LAV_OUTER[number] / 1000
    start = (0.0, 0.0, front - 3.0)
    for r, hit in ((inner + 0.001, True), ((inner + outer) / 2, True), (outer - 0.001, True), (outer + 0.001, False)):
        for angle in (0.3, 2.0, 4.0):
            found = station((r * np.cos(angle), r * np.sin(angle), front), start)
            assert (found == "lav") == hit, (r, angle)
    assert station((0.0, 0.0, front), start) != "lav"


@pytest.mark.parametrize("number", range(12))
def test_a_photon_that_enters_a_ring_from_inside_meets_it(number):
    """Inside the hole at the front, in the glass at the back."""
    front, back, inner = LAV_FRONT[number] / 1000, LAV_BACK[number] / 1000, LAV_INNER[number] / 1000
    start = (0.0, 0.0, front - 3.0)
    assert station((inner + 0.01, 0.0, back), start) == "lav"
    at_front = (inner + 0.01) * 3.0 / (3.0 + back - front)
    assert at_front < inner, "the case that is meant"


@pytest.mark.parametrize("number", range(12))
def test_a_ring_in_front_of_the_decay_sees_nothing(number):
    """Backwards through the ring, and forwards on a line that comes from it and passes outside the others."""
    back, middle = LAV_BACK[number] / 1000, (LAV_INNER[number] + LAV_OUTER[number]) / 2000
    start = (0.0, 0.0, back + 1.0)
    backwards = aimed((middle, 0.0, back), start)
    assert photon_stations(backwards, start) == [None]
    outside = (3.0, 0.0, back + 1.0)
    assert photon_stations(aimed((middle, 0.0, back), outside) * [-1, 1, -1], outside) == [None]


PARALLEL = 10.0
"""Distance in m from which photons come almost along z."""


@pytest.mark.parametrize(
    ("x", "y", "z", "expected"),
    [
        (0.5, 0.0, 241.093, "lkr"),
        (0.0, -0.4, 241.093, "lkr"),
        (0.1465, 0.0, 241.093, "lkr"),  # outside the IRC in front of it
        (0.13, 0.0, IRC_Z, "irc"),
        (0.0, 0.0605, IRC_Z, "irc"),
        (-0.0495, 0.0, IRC_Z, "irc"),  # the hole of 60 mm is displaced by 12 mm
        (-0.0475, 0.0, IRC_Z, "sac"),
        (0.0715, 0.0, IRC_Z, "sac"),
        (0.0725, 0.0, IRC_Z, "irc"),
        (0.0, 0.0, 260.956, "sac"),
        (0.147, 0.0, IRC_Z, "lkr"),  # there is krypton behind the outer edge of the IRC
    ],
)
def test_forward_systems(x, y, z, expected):
    """Photons parallel to z."""
    assert station((x, y, z), (x, y, z - PARALLEL)) == expected


def test_what_passes_through_the_hole_may_miss_the_last_one():
    """Through the IRC's hole at x = 60 mm and with a slope of 5 mrad, 166 mm off the axis at the SAC."""
    start = (0.06 - 0.005 * 39.7, 0.0, 200.0)
    assert station((0.06, 0.0, IRC_Z), start) is None


def test_the_krypton_has_the_area_of_its_cells():
    """13248 of them (NA62, Phys. Lett. B 816 (2021) 136259), 19.738 mm wide: to 1%, since the hole is not known."""
    step = 10
    grid = np.arange(-1300 + step / 2, 1300, step)
    area = step**2 * sum(krypton(x, y) for x in grid for y in grid)
    assert area == pytest.approx(13248 * 19.7383881**2, rel=0.01)
    assert CONFIGURATION.number("lkr.veto_apothem") == 1.253


@pytest.mark.parametrize(("y", "expected"), [(1.25, ["lkr"]), (1.256, [None]), (-1.25, ["lkr"])])
def test_photons_are_seen_beyond_where_tracks_are_accepted(y, expected):
    """From behind the last ring of lead glass."""
    assert photon_stations((0.0, 0.0, 5.0), (0.0, y, 240.0)) == expected


def test_no_gap_between_the_small_ring_and_the_krypton():
    """Photons from the whole volume, in steps of 0.1 mm across the edge."""
    for z in (105.0, 140.0, 180.0):
        for x in np.arange(0.140, 0.155, 0.0001):
            assert station((x, 0.0, IRC_Z), (0.0, 0.0, z)) in ("irc", "lkr")


def test_a_photon_along_the_undeflected_kaon_hits_the_krypton_just_outside_its_hole():
    """The magnet bends the beam and not the photon: x = 165.5, 167.2 and 191 mm at IRC, LKr and SAC (a computed fact of
    the published geometry). The first ends at 145 mm, the second begins behind it, the third ends at 100 mm."""
    slope = 1.2e-3
    x = [1000 * slope * (z - 101.8) for z in (IRC_Z, LKR_Z / 1000, SAC_Z / 1000)]
    assert x == pytest.approx([165.5, 167.2, 191.0], abs=0.06)
    for z in (110.0, 140.0, 179.0):
        start = (slope * (z - 101.8), 0.0, z)
        assert photon_stations(aimed((slope * (241.093 - 101.8), 0.0, 241.093), start), start) == ["lkr"]


def test_photons_towards_negative_x_of_the_same_angle_meet_the_irc():
    """The hole follows the bent beam: nothing is symmetric about the photon's line."""
    start = (0.0, 0.0, 150.0)
    assert station((-0.0495, 0.0, IRC_Z), start) == "irc"
    assert station((0.0495, 0.0, IRC_Z), start) == "sac"


def random_photons(n, seed):
    """From anywhere in the beam, with angles from the smallest to those of the widest rings."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(105.0, 180.0, n)
    vertex = np.array([1.2e-3 * (z - 101.8) + rng.uniform(-0.026, 0.026, n), rng.uniform(-0.012, 0.012, n), z])
    angle, turn = 10 ** rng.uniform(-4, -0.5, n), rng.uniform(0, 2 * np.pi, n)
    momentum = 10 ** rng.uniform(-1, 1.5, n) * np.array(
        [np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)]
    )
    momentum[2, ::50] *= -1
    return momentum, vertex


def test_stations_agree_with_a_slow_ray_tracer():
    """10000 photons with angles up to 0.3 rad; one in fifty goes backwards."""
    momentum, vertex = random_photons(10_000, 1)
    expected = [first_station(p, 1000 * v) for p, v in zip(momentum.T, vertex.T, strict=True)]
    found = photon_stations(momentum, vertex)
    assert found == expected
    assert all(found.count(name) > 100 for name in ("lav", "irc", "lkr", "sac", None))


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-10, 0.0), st.floats(105, 180))
def test_backward_photons_meet_nothing(px, py, pz, z):
    momentum, vertex = (np.array([px]), np.array([py]), np.array([pz])), (0.0, 0.0, z)
    assert photon_stations(momentum, vertex) == [None]
    assert photon_survival(momentum, vertex)[0, 0] == 1.0


HALF_STEP = 0.5 * np.log(1e4) / 511
"""The common grid has steps of 1.8% in energy, of which the nearest point is taken."""


def around(system, energy, hard=1.0):
    """Inefficiencies half a step above an energy and half a step below it: tables fall. `hard` holds from 5 GeV on,
    and nothing of it below 1 GeV."""
    points = np.log(CONFIGURATION.array(f"photon_inefficiency.{system}"))
    at = np.log(energy) + HALF_STEP * np.array([1.000001, -1.000001])
    share = np.clip(at / np.log(5.0), 0.0, 1.0)
    return np.exp(np.interp(at, *points.T)) * hard**share * [1 - 1e-9, 1 + 1e-9]


SYSTEMS = ("lav", "irc", "lkr", "sac")
HARD = {"lav": 1.0, "irc": 0.01, "lkr": 0.01, "sac": 0.01}
"""The tuned factor on photons above 5 GeV."""


@pytest.mark.parametrize("system", SYSTEMS)
def test_inefficiencies_at_the_points_of_the_table(system):
    """With the tuned factor, and without it within 4.6%, where a table is steepest (E^-5)."""
    plain = configured({"photon_inefficiency.hard_factor": [1.0, 1.0, 1.0, 1.0]})
    for energy, probability in CONFIGURATION.array(f"photon_inefficiency.{system}"):
        low, high = around(system, energy, HARD[system])
        assert low <= seen_by(system, energy) <= high
        assert seen_by(system, energy, detector=plain) == pytest.approx(probability, rel=0.047)


@settings(max_examples=100)
@given(st.sampled_from(SYSTEMS), st.floats(0.02, 90.0))
def test_inefficiencies_between_the_points_are_straight_in_both_logarithms(system, energy):
    low, high = around(system, energy, HARD[system])
    assert low <= seen_by(system, energy) <= high


@settings(max_examples=100)
@given(st.sampled_from(SYSTEMS), st.floats(0.02, 90.0), st.sampled_from([1e-3, 0.2, 1.0]))
def test_a_factor_on_hard_photons_sets_in_between_1_and_5_gev(system, energy, hard):
    detector = _with_hard_factor(system, hard)
    low, high = around(system, energy, hard)
    assert low <= seen_by(system, energy, detector=detector) <= high


@cache
def _with_hard_factor(system, hard):
    factors = [hard if name == system else 1.0 for name in SYSTEMS]
    return configured({"photon_inefficiency.hard_factor": factors})


GRID = np.exp(np.linspace(GRID_LOW, GRID_HIGH, GRID_POINTS))


@pytest.mark.parametrize("hard", [0.01, 0.5, 3.0])
@pytest.mark.parametrize("fade", [(1.0, 5.0), (2.0, 3.0)])
def test_the_factor_on_hard_photons(hard, fade):
    """None of it below both energies, all of it above them, and straight in both logarithms between."""
    points = CONFIGURATION.array("photon_inefficiency.lkr")
    ratio = inefficiency_grid(points, hard=hard, fade=fade) / inefficiency_grid(points)
    low, high = fade
    soft, full = low * (1 - 1e-12) > GRID, high * (1 + 1e-12) < GRID
    assert (ratio[soft] == 1.0).all()
    assert ratio[full] == pytest.approx(np.full(full.sum(), hard), rel=1e-12)
    between = ~soft & ~full
    assert between.sum() > 20
    slope = np.log(hard) / np.log(high / low)
    assert np.log(ratio[between]) == pytest.approx(slope * np.log(GRID[between] / low), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("factor", [1.0, 1e-3, 1e3])
def test_with_both_factors_it_stays_a_probability(factor):
    points = CONFIGURATION.array("photon_inefficiency.lkr")
    for hard in (1e-4, 1e6):
        table = inefficiency_grid(points, factor, hard)
        assert ((table > 0) & (table <= 1)).all()
        unbounded = factor * inefficiency_grid(points) * hard ** np.clip(np.log(GRID) / np.log(5.0), 0.0, 1.0)
        assert table == pytest.approx(np.minimum(unbounded, 1.0), rel=1e-9)
        # the threshold is where it was
        assert (table[GRID < 1.0] == inefficiency_grid(points, factor)[GRID < 1.0]).all()


def test_the_published_inefficiency_of_the_lead_glass():
    """0.30% from 0.3 to 3 GeV: NA62, Phys. Lett. B 816 (2021) 136259."""
    for energy in (0.31, 0.5, 1.0, 2.0, 2.9):
        assert seen_by("lav", energy) == pytest.approx(0.0030, rel=1e-9)


@pytest.mark.parametrize(("energy", "same_as"), [(1e-4, 0.04), (500.0, 99.0)])
def test_beyond_the_table_its_ends_hold(energy, same_as):
    for system in ("lav", "irc", "lkr", "sac"):
        assert seen_by(system, energy) == pytest.approx(seen_by(system, same_as), rel=1e-9)


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_perfect_detector_misses_no_photon():
    """Inefficiencies of zero are a natural question to ask of a card."""
    points = [[0.5, 0.0], [2.0, 0.0], [5.0, 0.0], [100.0, 0.0]]
    assert seen_by("sac", 7.0, detector=configured({"photon_inefficiency.sac": points})) == 0.0


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_step_to_zero_is_zero_behind_it_and_finite_before():
    points = [[0.5, 1.0], [2.0, 1e-2], [5.0, 0.0], [100.0, 0.0]]
    detector = configured({"photon_inefficiency.sac": points})
    assert seen_by("sac", 0.5, detector=detector) == pytest.approx(1.0, rel=0.05)
    for energy in (3.0, 7.0):
        assert 0.0 <= seen_by("sac", energy, detector=detector) <= 0.01


def at_krypton(x, y, energy=3.0):
    start = (0.0, 0.0, 150.0)
    return aimed((x, y, 241.093), start, energy), start


@pytest.mark.parametrize(
    ("distance", "merged"), [(0.0, True), (0.05, True), (0.0999, True), (0.1001, False), (0.5, False)]
)
def test_a_photon_in_the_candidate_s_cluster_adds_to_it(distance, merged):
    """Within 100 mm (NA62, JHEP 03 (2021) 058) it is not another cluster; its energy is then part of E/p."""
    photon, start = at_krypton(0.3 + distance * 0.6, 0.2 + distance * 0.8)
    survival, energy = photon_survival(photon, start, own=(0.3, 0.2), own_energy=0.6)[:, 0]
    if merged:
        assert (survival, energy) == (1.0, pytest.approx(3.6, rel=1e-12))
    else:
        assert survival < 0.01
        assert energy == 0.6


def test_only_the_krypton_merges():
    """A photon in another system whose line would cross the cluster stays a photon."""
    start = (0.0, 0.0, 200.0)
    photon = aimed((0.0, 0.1, IRC_Z), start, 20.0)
    at_lkr = 0.1 * 41.093 / 39.7
    survival, energy = photon_survival(photon, start, own=(0.0, at_lkr), own_energy=0.6)[:, 0]
    assert survival == pytest.approx(1e-3 * HARD["irc"], rel=1e-6)
    assert energy == 0.6


def test_a_photon_that_meets_nothing_survives():
    start = (0.0, 0.0, 180.0)
    photon = aimed((5.0, 0.0, 190.0), start)
    assert photon_stations(photon, start) == [None]
    assert photon_survival(photon, start)[0, 0] == 1.0


def test_survival_is_multiplied():
    """Photons of one event are independent; the kernel changes what it finds."""
    photon, start = at_krypton(0.5, 0.5)
    once = photon_survival(photon, start)[0, 0]
    half = photon_survival(photon, start, survived=0.5)[0, 0]
    assert half == pytest.approx(0.5 * once, rel=1e-15)


def test_nothing_is_asked_of_events_that_are_lost():
    """A candidate outside the acceptance has no cluster either."""
    photon, start = at_krypton(0.3, 0.2)
    for lost in ({"inside": 0.0}, {"efficiency": 0.0}):
        assert photon_survival(photon, start, own=(0.3, 0.2), **lost)[1, 0] == 0.6


def test_the_systems_are_those_of_the_configuration():
    assert len(DETECTOR.photon_tables) == 4
    assert (DETECTOR.photon_tables >= 0).all()
    assert (DETECTOR.photon_tables <= 1).all()


@pytest.mark.parametrize("factor", [0.5, 1.5, 1000.0])
def test_a_factor_on_the_inefficiency_of_one_system(factor):
    """Probabilities end at 1."""
    detector = configured({"photon_inefficiency.factor": [1.0, 1.0, factor, 1.0]})
    for energy in (0.5, 3.0, 20.0):
        nominal = seen_by("lkr", energy)
        assert seen_by("lkr", energy, detector=detector) == pytest.approx(min(1.0, factor * nominal), rel=1e-12)
        assert seen_by("lav", energy, detector=detector) == seen_by("lav", energy)
