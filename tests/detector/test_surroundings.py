"""Where detectors stand, and how a particle's way ends, against the drawings of NA62 and straight lines."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaongen.configuration import load
from kaongen.detector.surroundings import Point, Surroundings

AROUND = Surroundings(load("na62-2016-2018"))
STATIONS = {e.name: e for e in AROUND.elements}


def test_every_detector_is_there_once():
    expected = {"GTK3", "RICH", "CHOD tiles", "CHOD slabs", "IRC", "LKr", "MUV1", "MUV2", "wall", "MUV3", "SAC"}
    expected |= {f"LAV {k}" for k in range(1, 13)} | {f"STRAW {k}" for k in range(1, 5)}
    expected |= {f"CHANTI {k}" for k in range(1, 7)}
    assert len(STATIONS) == len(AROUND.elements)
    assert set(STATIONS) == expected
    assert [e.front for e in AROUND.elements] == sorted(e.front for e in AROUND.elements)
    assert all(e.back >= e.front for e in AROUND.elements)


def test_without_a_beam_spectrometer():
    assert "GTK3" not in {e.name for e in Surroundings(load("na62-2015")).elements}


@pytest.mark.parametrize(
    ("z", "x"),
    [(101.8, 0.0), (196.995, 0.114234), (260.956, 0.114234 + (1.2e-3 - 0.270 / 75.0) * (260.956 - 196.995))],
)
def test_the_axis_is_bent_by_the_magnet(z, x):
    """1.2 mrad before it, 3.6 mrad less behind: it crosses the axis of the hall before the SAC."""
    assert AROUND.axis(z) == pytest.approx(x, abs=1e-9)


def test_the_beam_goes_through_all_holes():
    """Nothing stands in its way but the GTK and the SAC, which it crosses."""
    for e in AROUND.elements:
        assert e.aperture.inside(AROUND.axis(e.front), 0.0) == (e.name in ("GTK3", "SAC")), e.name


@pytest.mark.parametrize("name", STATIONS)
def test_what_is_drawn_is_what_is_inside(name):
    """Along the lines x = centre of the hole and y = 0, which the two views show."""
    aperture = STATIONS[name].aperture
    hole = getattr(aperture, "hole_x", 0.0) if name.split()[0] in ("STRAW", "RICH", "IRC") else 0.0
    centre = getattr(aperture, "centre", 0.0) if name.startswith("CHANTI") else hole
    for low, high in aperture.side():
        if name.startswith("STRAW"):
            # the other pair of views reaches further in
            low, high = math.copysign(max(abs(low), 0.0), low), math.copysign(abs(high), high)
        for share in (0.15, 0.5, 0.97):
            y = low + share * (high - low)
            if abs(y) > 0.12 or not name.startswith("STRAW"):
                assert aperture.inside(centre, y), y
    outermost = max(high for _, high in aperture.side())
    assert not aperture.inside(centre, outermost + 1e-3)
    for low, high in aperture.top():
        x = 0.5 * (low + high)
        assert aperture.inside(x, 0.0)
    assert not aperture.inside(max(high for _, high in aperture.top()) + 1e-3, 0.0)


def aimed(station, radius):
    """Momentum (GeV) of what flies from the axis, from behind the stations before it, to a radius at its front."""
    e = STATIONS[station]
    start = {"LAV 3": 131.0, "LAV 12": 220.0}.get(station, 110.0)
    return (0.0, 20.0 * radius / (e.front - start), 20.0), Point(0.0, 0.0, start)


@pytest.mark.parametrize(
    ("name", "charge", "station", "radius", "end"),
    [
        ("gamma", 0, "LAV 1", 0.7, "ends in LAV 1"),
        ("gamma", 0, "LAV 12", 1.2, "ends in LAV 12"),
        ("gamma", 0, "LKr", 0.6, "ends in LKr"),
        ("gamma", 0, "IRC", 0.1, "ends in IRC"),
        ("gamma", 0, "SAC", 0.05, "ends in SAC"),
        ("e+", 1, "LKr", 0.6, "ends in LKr"),
        ("pi+", 1, "LKr", 0.6, "ends in MUV2"),
        ("pi-", -1, "LAV 3", 0.8, "ends in LAV 3"),
        ("mu+", 1, "LKr", 0.6, "ends in MUV3"),
        ("mu-", -1, "LAV 3", 0.8, "leaves NA62"),
        ("gamma", 0, "LAV 1", 1.3, "leaves NA62"),
    ],
)
def test_how_a_particle_ends(name, charge, station, radius, end):
    momentum, start = aimed(station, radius)
    route = AROUND.route(name, charge, momentum, start)
    assert route.end == end
    if end.startswith("ends in"):
        assert route.hits[-1].detector == end.removeprefix("ends in ")
        assert route.path[-1].z == pytest.approx(STATIONS[route.hits[-1].detector].front, abs=0.6)
    # photons are seen by photon detectors only
    if not charge:
        assert {hit.detector.split()[0] for hit in route.hits} <= {"LAV", "LKr", "IRC", "SAC"}


def test_a_photon_through_the_inner_wall_of_a_station():
    """Inside the ring at its front, in the glass at its back."""
    momentum, start = aimed("LAV 1", 0.53)
    assert AROUND.route("gamma", 0, momentum, start).hits[0].detector == "LAV 1"


def test_what_nobody_sees_hits_nothing():
    momentum, start = aimed("LKr", 0.6)
    route = AROUND.route("nu_mu", 0, momentum, start, visible=False)
    assert route.hits == ()
    assert route.path[-1].z == 262.0


def test_what_decays_has_not_been_absorbed():
    momentum, start = aimed("LAV 1", 0.7)
    route = AROUND.route("pi+", 1, momentum, start, until=125.0)
    assert (route.end, route.path[-1].z) == ("decays", 125.0)


@given(
    charge=st.sampled_from((-1, 1)),
    slope=st.tuples(st.floats(-0.004, 0.004), st.floats(-0.004, 0.004)),
    p=st.floats(5.0, 75.0),
    z=st.floats(105.0, 180.0),
)
def test_lines_and_one_kick(charge, slope, p, z):
    """Hits lie on a straight line before the magnet, and behind it on one that is turned by 0.270 GeV / p."""
    pz = p / math.sqrt(1.0 + slope[0] ** 2 + slope[1] ** 2)
    start = Point(0.01, -0.01, z)
    route = AROUND.route("mu+" if charge > 0 else "mu-", charge, (slope[0] * pz, slope[1] * pz, pz), start)
    for hit in route.hits:
        lever = max(hit.z - 196.995, 0.0) * 0.270 / p
        assert hit.x == pytest.approx(0.01 + slope[0] * (hit.z - z) - charge * lever, abs=1e-9)
        assert hit.y == pytest.approx(-0.01 + slope[1] * (hit.z - z), abs=1e-9)
        assert hit.inside


def test_backwards_and_across():
    back = AROUND.route("pi+", 1, (0.01, 0.0, -0.2), Point(0.0, 0.0, 110.0))
    assert back.end == "leaves NA62"
    assert back.path[-1].z == 100.0
    across = AROUND.route("pi+", 1, (0.2, 0.0, 0.0), Point(0.0, 0.0, 110.0))
    assert across.path[-1].x == pytest.approx(1.55)
    assert across.path[-1].z == pytest.approx(110.0, abs=1e-3)
