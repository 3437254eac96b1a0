"""A second charged particle: the factors of what it crosses, by hand and against a slow ray tracer."""

import math

import numpy as np
import pytest
from blocks import charged_survival, configured
from plain_geometry import (
    IRC_Z,
    LAV_BACK,
    LAV_FRONT,
    LKR_Z,
    RICH_Z,
    SAC_Z,
    STRAW_Z,
    chamber,
    irc,
    lav_ring,
    line,
    lkr,
    rich,
    sac,
)

FACTORS = {"straw": 0.01, "rich": 0.02, "lkr": 0.03, "lav": 0.5, "small": 0.5}
"""Probabilities that can be told apart in a product; lead glass and small-angle systems share one number."""

DETECTOR = configured(
    {
        "straw.inefficiency": FACTORS["straw"],
        "rich.inefficiency": FACTORS["rich"],
        "lkr.mip_inefficiency": FACTORS["lkr"],
        "lav.mip_inefficiency": FACTORS["lav"],
    }
)
PION_THRESHOLD = 12.5


def traced(charge, momentum, vertex):
    """Names of what a particle crosses; lengths in mm. Rings of lead glass are entered at either face."""
    z0 = vertex[2]
    if momentum[2] <= 0:
        return []
    at = {
        z: line(momentum, vertex, z, charge) for z in (*LAV_FRONT, *LAV_BACK, *STRAW_Z[:2], RICH_Z, LKR_Z, IRC_Z, SAC_Z)
    }
    faces = enumerate(zip(LAV_FRONT, LAV_BACK, strict=True))
    crossed = ["lav" for k, pair in faces if pair[0] > z0 and any(lav_ring(k, *at[z]) for z in pair)]
    if all(chamber(k, *at[STRAW_Z[k]]) for k in range(2)):
        crossed.append("straw")
    if math.hypot(*momentum) > PION_THRESHOLD and rich(*at[RICH_Z]):
        crossed.append("rich")
    if lkr(*at[LKR_Z]):
        crossed.append("lkr")
    if irc(*at[IRC_Z]) or sac(*at[SAC_Z]):
        crossed.append("small")
    return crossed


def product(names):
    return math.prod(FACTORS[name] for name in names)


def survival(charge, momentum, vertex):
    return charged_survival(charge, momentum, vertex, DETECTOR)


VERTEX = (0.05, 0.0, 140.0)


def momentum(p, slope_x, slope_y):
    direction = np.array([slope_x, slope_y, 1.0])
    return p * direction / np.linalg.norm(direction)


@pytest.mark.parametrize(
    ("p", "slopes", "expected"),
    [
        (30.0, (0.004, 0.004), ["straw", "rich", "lkr"]),
        (10.0, (0.004, 0.004), ["straw", "lkr"]),  # no light below 12.5 GeV
        (1.0, (0.3, 0.4), []),  # passes between the rings, out of the detector
        (5.0, (0.0, -0.03), ["lav"]),
        (70.0, (0.0009, 0.0), ["small"]),  # down the hole of the chambers, onto the SAC
    ],
)
def test_by_hand(p, slopes, expected):
    """The expected products come from what the published geometry says that the particle crosses."""
    p3 = momentum(p, *slopes)
    crossed = traced(1.0, p3, 1000 * np.array(VERTEX))
    assert set(crossed) == set(expected)
    assert survival(1.0, p3, VERTEX)[0] == pytest.approx(product(crossed), rel=1e-12)


def test_a_particle_that_goes_backwards_leaves_nothing():
    assert survival(1.0, -momentum(10.0, 0.004, 0.004), VERTEX)[0] == 1.0


@pytest.mark.parametrize("charge", [1.0, -1.0])
def test_random_particles_agree_with_a_slow_ray_tracer(charge):
    """10000 particles from the beam, with angles from the smallest to those of the widest rings."""
    n = 10_000
    rng = np.random.default_rng(int(charge) + 5)
    z = rng.uniform(105.0, 180.0, n)
    vertex = np.array([1.2e-3 * (z - 101.8) + rng.uniform(-0.026, 0.026, n), rng.uniform(-0.012, 0.012, n), z])
    angle, turn = 10 ** rng.uniform(-4, -1, n), rng.uniform(0, 2 * np.pi, n)
    p3 = 10 ** rng.uniform(0.0, 1.8, n) * np.array(
        [np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)]
    )
    p3[2, ::50] *= -1
    crossed = [traced(charge, p, 1000 * v) for p, v in zip(p3.T, vertex.T, strict=True)]
    assert survival(charge, p3, vertex) == pytest.approx([product(names) for names in crossed], rel=1e-12)
    for name in FACTORS:
        assert sum(name in names for names in crossed) > 20, name


def test_the_charge_decides_to_which_side_it_bends():
    """A soft particle near the edge of the krypton is bent out of it or stays."""
    p3 = momentum(8.0, -0.007, 0.0)
    away, towards = survival(1.0, p3, VERTEX)[0], survival(-1.0, p3, VERTEX)[0]
    assert away > towards


@pytest.mark.parametrize("lost", [{"inside": 0.0}, {"efficiency": 0.0}])
def test_nothing_is_asked_of_events_that_are_lost(lost):
    p3 = momentum(30.0, 0.004, 0.004)
    assert survival(1.0, p3, VERTEX)[0] < 1e-4
    assert charged_survival(1.0, p3, VERTEX, DETECTOR, **lost)[0] == 1.0
