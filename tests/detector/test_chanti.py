"""The counters behind GTK3: only decays in front of them, or particles that fly back, can touch them."""

import numpy as np
import pytest
from plain_geometry import CHANTI_Z, chanti, line
from veto_blocks import chanti_survival

from kaongen.configuration import load

INEFFICIENCY = load("na62-2016-2018").number("chanti.inefficiency")


def crossed(momentum, vertex):
    """How many stations a particle crosses in its direction; lengths in mm."""
    ahead = [z for z in CHANTI_Z if (z - vertex[2]) * momentum[2] > 0]
    return sum(chanti(z, *line(momentum, vertex, z)) for z in ahead)


def random_particles(low, high, n=10_000):
    rng = np.random.default_rng(4)
    z = rng.uniform(low, high, n)
    vertex = np.array([1.2e-3 * (z - 101.8) + rng.uniform(-0.026, 0.026, n), rng.uniform(-0.012, 0.012, n), z])
    angle, turn = 10 ** rng.uniform(-3, 0.1, n), rng.uniform(0, 2 * np.pi, n)
    momentum = 5 * np.array([np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)])
    return momentum, vertex


@pytest.mark.parametrize("direction", [1, -1])
def test_stations_agree_with_plain_python(direction):
    momentum, vertex = random_particles(102.0, 105.0)
    momentum *= direction
    counts = np.array([crossed(p, 1000 * v) for p, v in zip(momentum.T, vertex.T, strict=True)])
    assert chanti_survival(momentum, vertex) == pytest.approx(INEFFICIENCY**counts, rel=1e-12)
    assert len(set(counts)) > 3


def test_forward_particles_from_the_decay_volume_touch_none():
    assert (chanti_survival(*random_particles(105.0, 180.0)) == 1.0).all()


@pytest.mark.parametrize(
    ("x", "y", "hit"),
    [
        (0.0, 0.0, False),
        (47.4, 0.0, False),
        (47.6, 0.0, True),
        (0.0, 32.4, False),
        (0.0, -32.6, True),
        (47.4, -32.4, False),
        (149.9, -149.9, True),
        (150.1, 0.0, False),
        (0.0, -150.1, False),
    ],
)
def test_a_frame_of_300_mm_with_a_hole_of_95_by_65(x, y, hit):
    """At the last station, from 10 cm in front of it, in mm from the axis of the beam."""
    station = CHANTI_Z[-1] / 1000
    axis = 1.2e-3 * (station - 101.8)
    vertex = (axis, 0.0, station - 0.1)
    momentum = np.array([[x / 100], [y / 100], [1.0]])
    assert chanti_survival(momentum, vertex)[0] == pytest.approx(INEFFICIENCY if hit else 1.0, rel=1e-12)
