"""Apertures: points just inside and outside every edge, and an independent plain-Python geometry anywhere."""

import numpy as np
import pytest
from blocks import accepted
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_geometry import PLANES, STRAW_HOLE_X

SAFE = np.array([(300.0, 300.0)] * 9)
"""A point, in mm, that is inside every aperture."""
CHAMBER_1, CHAMBER_2, CHAMBER_3, CHAMBER_4, RICH, TILES, SLABS, LKR, MUV3 = range(9)
NAMES = ("chamber 1", "chamber 2", "chamber 3", "chamber 4", "RICH", "tiles", "slabs", "LKr", "MUV3")


def inside(plane, x, y):
    """A track that crosses one plane at (x, y) in mm, and all others at a safe point."""
    hits = SAFE.copy()
    hits[plane] = x, y
    return bool(accepted(hits[:, :, np.newaxis] / 1000)[0])


def test_the_safe_point_is_inside_everything():
    assert inside(RICH, *SAFE[RICH])
    assert all(aperture(*point) for (_, aperture), point in zip(PLANES, SAFE, strict=True))


def circle(plane, centre, radius, outward):
    """Points of a circle in several directions, and whether inside the aperture is outside the circle."""
    return [
        (plane, centre + (radius + step) * np.cos(angle), (radius + step) * np.sin(angle), (step > 0) == outward)
        for angle in np.linspace(0.05, 2 * np.pi, 7)
        for step in (-0.001, 0.001)
    ]


def octagon_edge(plane, apothem):
    """Just inside and outside the middle of each of the eight sides, and near the corners."""
    edges = []
    for k in range(8):
        for turn in (0.0, 0.9 * np.pi / 8, -0.9 * np.pi / 8):
            radius = apothem / np.cos(turn)
            angle = k * np.pi / 4 + turn
            edges += [
                (plane, (radius + step) * np.cos(angle), (radius + step) * np.sin(angle), step < 0)
                for step in (-0.001, 0.001)
            ]
    return edges


EDGES = [
    *circle(RICH, 34.0, 100.0, outward=True),
    *circle(RICH, 34.0, 1100.0, outward=False),
    *circle(TILES, 0.0, 140.0, outward=True),
    *circle(TILES, 0.0, 1070.0, outward=False),
    *circle(SLABS, 0.0, 130.0, outward=True),
    *circle(SLABS, 0.0, 1100.0, outward=False),
    *circle(LKR, 0.0, 150.0, outward=True),
    *octagon_edge(LKR, 1130.0),
    *circle(MUV3, 0.0, 103.0, outward=True),
    *((MUV3, sign * (1320.0 + step), 700.0, step < 0) for sign in (-1, 1) for step in (-0.001, 0.001)),
    *((MUV3, -700.0, sign * (1320.0 + step), step < 0) for sign in (-1, 1) for step in (-0.001, 0.001)),
    *(edge for chamber in range(4) for edge in circle(chamber, 0.0, 1000.0, outward=False)),
]


@pytest.mark.parametrize("plane", [*range(4), RICH, TILES, SLABS, LKR, MUV3], ids=NAMES)
def test_a_micrometre_from_every_edge(plane):
    for where, x, y, expected in EDGES:
        if where == plane:
            assert inside(plane, x, y) == expected, (NAMES[plane], x, y)


ROOT_2 = 2**0.5
GAP_RULE = [
    # dx, dy from the hole's centre in mm; each view has a gap of 63.8 mm to either side
    (0.0, 0.0, False),
    (70.0, 0.0, False),  # seen in x, but in neither u nor v: 70 / sqrt(2) = 49.5
    (0.0, 70.0, False),
    (63.8 * ROOT_2 - 0.01, 0.0, False),
    (63.8 * ROOT_2 + 0.01, 0.0, True),
    (0.0, -63.8 * ROOT_2 - 0.01, True),
    (-63.8 * ROOT_2 - 0.01, 0.0, True),
    (63.0, 63.0, False),  # seen in u, but in neither x nor y
    (-63.7, 63.7, False),
    (63.9, 63.9, True),
    (63.9, -63.9, True),
    (63.9, 26.3, False),
    (63.9, 26.4, True),  # u = 90.3 / sqrt(2) = 63.85
]


@pytest.mark.parametrize("chamber", range(4))
@pytest.mark.parametrize(("dx", "dy", "expected"), GAP_RULE)
def test_a_chamber_wants_one_of_x_and_y_and_one_of_u_and_v(chamber, dx, dy, expected):
    """The published rule; the gaps are around the hole of each chamber."""
    assert inside(chamber, STRAW_HOLE_X[chamber] + dx, dy) == expected


# points where edges are, as well as anywhere
coordinates = st.one_of(st.floats(-1500.0, 1500.0), st.floats(-250.0, 250.0))


@settings(max_examples=400)
@given(st.integers(0, 8), coordinates, coordinates)
def test_apertures_agree_with_plain_python(plane, x, y):
    assert inside(plane, x, y) == PLANES[plane][1](x, y)


def test_many_tracks_agree_with_plain_python():
    """All planes at once, 20000 tracks: a track is inside if it is inside everywhere."""
    rng = np.random.default_rng(1)
    centre = rng.uniform(-1000, 1000, size=(1, 2, 20_000)) * rng.uniform(size=(1, 1, 20_000))
    hits = centre + rng.normal(scale=60, size=(9, 2, 20_000))
    expected = [
        all(aperture(x, y) for (_, aperture), (x, y) in zip(PLANES, track, strict=True))
        for track in np.moveaxis(hits, 2, 0)
    ]
    found = accepted(hits / 1000)
    assert np.array_equal(found, np.array(expected, dtype=float))
    assert 0.2 < np.mean(expected) < 0.8


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_track_without_a_position_is_outside(bad):
    assert not any(inside(plane, bad, 300.0) for plane in range(9))
