"""The candidate's way: straight lines, the kick, and decays in flight, by hand."""

import numpy as np
import pytest
from blocks import DETECTOR, accepted, crossings, through
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plain_geometry import IRC_Z, LKR_Z, MUV3_Z, SAC_Z, STRAW_Z

from kaongen.detector import tracking
from kaongen.event_block import (
    T_CHARGE,
    T_END_P,
    T_KINK_Z,
    T_P,
    T_PX,
    T_PY,
    T_PZ,
    T_QX,
    T_QY,
    T_QZ,
    T_RICH_X,
    T_X,
    T_X1,
    T_Y,
    T_Z,
)

MAGNET_Z, KICK = 196.995, 0.270
PLANES = (183.508, 194.066, 204.459, 218.885, 219.445, 238.1315, 239.009, 241.093, 246.8)


def test_the_beam_is_where_the_published_table_has_it():
    """x in mm of a particle of 75 GeV on the axis: 1.2 mrad from 101.8 m, and -3.6 mrad more from the magnet on."""
    pz = 75 / np.sqrt(1 + 1.2e-3**2)
    momentum = (1.2e-3 * pz, 0.0, pz)
    own = [z / 1000 for z in (IRC_Z, LKR_Z, MUV3_Z, SAC_Z, STRAW_Z[3])]
    x = 1000 * crossings(1.0, momentum, (0.0, 0.0, 101.8), planes=own)[:, 0, 0]
    assert x == pytest.approx([98.0, 110.7, 96.3, 61.7, 11.7, 8.4, -5.3, -39.3, 61.7], abs=0.1)


@settings(max_examples=60)
@given(
    charge=st.sampled_from([-1.0, 1.0]),
    p=st.floats(3.0, 75.0),
    slopes=st.tuples(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02)),
    point=st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.floats(105.0, 183.0)),
)
def test_a_straight_line_and_a_kick(charge, p, slopes, point):
    """Positive charges bend towards negative x, by the kick over p and the way behind the magnet's middle."""
    pz = p / np.sqrt(1 + slopes[0] ** 2 + slopes[1] ** 2)
    hits = crossings(charge, (slopes[0] * pz, slopes[1] * pz, pz), point)[:, :, 0]
    for z, (x, y) in zip(PLANES, hits, strict=True):
        bent = charge * KICK / p * (z - MAGNET_Z) if z > MAGNET_Z else 0.0
        assert x == pytest.approx(point[0] + slopes[0] * (z - point[2]) - bent, abs=1e-12)
        assert y == pytest.approx(point[1] + slopes[1] * (z - point[2]), abs=1e-12)


def test_opposite_charges_are_mirrored_and_neutral_ones_go_straight():
    momentum, point = (0.05, -0.02, 10.0), (0.1, 0.02, 150.0)
    plus, minus, straight = (crossings(charge, momentum, point) for charge in (1.0, -1.0, 0.0))
    assert np.abs(plus + minus - 2 * straight).max() < 1e-12
    assert (plus[2:, 0] < straight[2:, 0]).all()
    assert np.array_equal(plus[:2], straight[:2])
    assert np.array_equal(plus[:, 1], straight[:, 1])


@given(
    st.floats(-0.2, 0.2),
    st.floats(-0.2, 0.2),
    st.floats(-5.0, -1e-6),
    st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.floats(105.0, 180.0)),
)
def test_a_track_that_goes_backwards_is_outside(px, py, pz, point):
    hits = crossings(1.0, (np.array([px]), np.array([py]), np.array([pz])), point)
    assert accepted(hits)[0] == 0.0


def size(momentum):
    return np.sqrt(np.square(momentum).sum(axis=0))


def crossings_with_kinks(charge, momentum, point, kink_z, daughter):
    """x and y, (9, 2, n), of candidates that decay at kink_z to a daughter of this momentum before any kick."""
    columns = {T_CHARGE: charge, T_KINK_Z: kink_z, T_P: size(momentum), T_END_P: size(daughter)}
    columns |= dict(zip((T_PX, T_PY, T_PZ, T_X, T_Y, T_Z), (*momentum, *point), strict=True))
    columns |= dict(zip((T_QX, T_QY, T_QZ), daughter, strict=True))
    wanted = [("track", row) for row in (*range(T_X1, T_X1 + 8), *range(T_RICH_X, T_RICH_X + 10))]

    def stage(event, n):
        d = DETECTOR
        tracking.cross_planes(n, d.chamber_z, d.magnet_z, d.kick, d.planes, event.track)
        tracking.kinked(n, d.chamber_z, d.magnet_z, d.kick, d.planes, event.track)

    return through(stage, {("track", row): column for row, column in columns.items()}, wanted).reshape(9, 2, -1)


def stepped(charge, momentum, point, kink_z, daughter):
    """From plane to plane: at the magnet, the slope changes by the kick over the momentum; at the decay, by the
    difference of the directions of daughter and parent."""
    (x, y, z), hits = point, []
    p, slope_x, slope_y = size(momentum), momentum[0] / momentum[2], momentum[1] / momentum[2]
    steps = [*((plane, "plane") for plane in PLANES), (MAGNET_Z, "magnet"), (kink_z, "decay")]
    for at, what in sorted(steps):
        x, y, z = x + slope_x * (at - z), y + slope_y * (at - z), at
        if what == "plane":
            hits.append((x, y))
        elif what == "magnet":
            slope_x -= charge * KICK / p
        else:
            slope_x += daughter[0] / daughter[2] - momentum[0] / momentum[2]
            slope_y += daughter[1] / daughter[2] - momentum[1] / momentum[2]
            p = size(daughter)
    return np.array(hits)


slopes = st.tuples(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))


@settings(max_examples=200)
@given(
    charge=st.sampled_from([-1.0, 1.0]),
    p=st.floats(3.0, 75.0),
    slope=slopes,
    point=st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.floats(105.0, 183.0)),
    kink_z=st.floats(PLANES[0] + 1e-6, PLANES[-1]),
    fraction=st.floats(0.05, 1.0),
    turn=slopes,
)
@example(1.0, 20.0, (0.01, 0.0), (0.0, 0.0, 150.0), 190.0, 0.5, (0.001, 0.002))
@example(1.0, 20.0, (0.01, 0.0), (0.0, 0.0, 150.0), 200.0, 0.5, (0.001, 0.002))
@example(-1.0, 20.0, (0.01, 0.0), (0.0, 0.0, 150.0), 230.0, 0.5, (0.001, 0.002))
def test_a_decay_behind_the_first_chamber_by_steps(charge, p, slope, point, kink_z, fraction, turn):
    momentum = p * np.array([*slope, 1.0]) / size([*slope, 1.0])
    daughter = fraction * p * np.array([slope[0] + turn[0], slope[1] + turn[1], 1.0])
    hits = crossings_with_kinks(charge, momentum, point, kink_z, daughter)[:, :, 0]
    assert np.abs(hits - stepped(charge, momentum, point, kink_z, daughter)).max() < 1e-11


def test_what_lies_before_the_decay_is_crossed_by_the_parent():
    rng = np.random.default_rng(5)
    n = 10_000
    momentum = rng.normal([[0.1], [0.0], [30.0]], [[0.1], [0.1], [5.0]], size=(3, n))
    point = rng.normal([[0.1], [0.0], [150.0]], [[0.02], [0.02], [10.0]], size=(3, n))
    daughter = 0.7 * momentum + rng.normal(0, 0.03, (3, n))
    kink_z = np.where(rng.random(n) < 0.5, rng.uniform(PLANES[0], PLANES[-1], n), np.inf)
    with_kinks = crossings_with_kinks(1.0, momentum, point, kink_z, daughter)
    without = crossings(1.0, momentum, point)
    before = np.array(PLANES)[:, np.newaxis] < kink_z
    same = (with_kinks == without).all(axis=1)
    assert np.array_equal(same, before)


@pytest.mark.parametrize("pz", [-0.05, 0.0, 1e-6])
def test_a_daughter_that_goes_backwards_is_outside(pz):
    momentum, point = np.array([0.3, 0.0, 30.0]), (0.0, 0.1, 150.0)
    assert accepted(crossings_with_kinks(1.0, momentum, point, np.inf, momentum))[0] == 1.0
    assert accepted(crossings_with_kinks(1.0, momentum, point, 190.0, np.array([0.01, 0.01, pz])))[0] == 0.0
