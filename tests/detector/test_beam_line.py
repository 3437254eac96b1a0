"""The beam line against the geometry table, the equation of motion, and Highland's formula.

Lengths in m, z from the target.
"""

from itertools import pairwise

import numpy as np
import pytest
from blocks import CONFIGURATION, DETECTOR, KEY, SIGMAS
from scipy.integrate import solve_ivp

from kaongen.beam_line import ABSORBED, BeamLine, carry, follow_back
from kaongen.detector import acceptance, chanti, charged_veto, flight, photon_veto, tracking
from kaongen.event_block import (
    ACCEPTANCE,
    EFFICIENCY,
    K_PX,
    K_PY,
    K_PZ,
    K_X,
    K_Y,
    K_Z,
    SURVIVAL,
    T_LKR_ENERGY,
    EventBlock,
)
from kaongen.jit import BLOCK

LINE = BeamLine(CONFIGURATION)
GTK2, GTK3 = 92.8, 102.4
M_MU, M_PI = 0.1056583755, 0.13957039
IN_FRONT, BEHIND = 100.255, 101.255
"""The final collimator."""


def carried(momentum, vertex, charge=1.0, penetrates=False, slot=0, line=LINE):
    """Momenta (3, n), energies and origins (3, n) of particles that went through the line."""
    px, py, pz = np.broadcast_arrays(*np.atleast_2d(np.asarray(momentum, dtype=float).T).T)
    mass, n = M_MU if penetrates else M_PI, px.size
    event = EventBlock(1)
    event.index[:n] = np.arange(n)
    rows = event.momenta[0].reshape(4, BLOCK)
    rows[:, :n] = px, py, pz, np.sqrt(px**2 + py**2 + pz**2 + mass**2)
    event.beam.reshape(-1, BLOCK)[K_X : K_Z + 1, :n] = np.broadcast_to(np.asarray(vertex, dtype=float).T, (n, 3)).T
    start = np.zeros(7 * BLOCK)
    carry(
        n, KEY, slot, charge, mass, penetrates, line.elements, line.iron, line.end, event.index, event.beam,
        event.momenta[0], start,
    )  # fmt: skip
    return rows[:3, :n].copy(), rows[3, :n].copy(), start.reshape(7, BLOCK)[K_X : K_Z + 1, :n].copy()


# The axis


@pytest.mark.parametrize(
    ("z", "x"),
    [
        (183.508, 98.0e-3),
        (194.066, 110.7e-3),
        (204.459, 96.3e-3),
        (218.885, 61.7e-3),
        (239.700, 11.7e-3),
        (241.093, 8.4e-3),
        (246.800, -5.3e-3),
    ],
)
def test_the_axis_crosses_the_planes_where_the_geometry_table_says(z, x):
    assert LINE.axis(z)[0] == pytest.approx(x, abs=0.06e-3)


def test_the_holes_of_the_chambers_are_around_the_axis():
    """Within 10 mm of the 64 mm that each view leaves open."""
    at, _ = LINE.axis(CONFIGURATION.array("straw.z"))
    assert np.abs(at - CONFIGURATION.array("straw.hole_x")).max() < 0.010


def test_the_beam_is_bent_around_the_sac():
    """Without the magnet behind MUV3 it would go through it, 39.3 mm from its middle (geometry table)."""
    z, half = CONFIGURATION.number("sac.z"), CONFIGURATION.number("sac.half_side")
    unswept = BeamLine(CONFIGURATION.with_values({"beam_line.sweep_kick": 0.0}))
    assert unswept.axis(z)[0] == pytest.approx(-39.3e-3, abs=0.06e-3)
    # with three standard deviations of the divergence and half the width of the beam
    assert abs(LINE.axis(z)[0]) - half > 0.026 + 3 * 0.11e-3 * (z - 105)


def test_the_second_station_is_60_mm_down():
    x, y = LINE.axis(GTK2)
    assert x == 0.0
    assert y == pytest.approx(-60e-3, abs=0.1e-3)


def test_the_axis_is_back_at_the_third_station_and_leaves_with_1200_microrad():
    (x3, x5), (y3, y5) = LINE.axis([GTK3, 105.0])
    assert (x5 - x3) / 2.6 == pytest.approx(1.2e-3, rel=1e-9)
    assert y3 == pytest.approx(0.0, abs=1e-12)
    assert y5 == pytest.approx(0.0, abs=1e-12)
    (x1, x2), _ = LINE.axis([200.0, 240.0])
    assert (x2 - x1) / 40.0 == pytest.approx(-2.4e-3, rel=1e-9)


# Fields


def moved(momentum, vertex, charge):
    """The equation of motion in the second pair of dipoles, where the field is along x, from the vertex to GTK3."""
    tesla, light = 1.6678, 0.299792458
    q = np.array(momentum, dtype=float)
    total = np.sqrt(q @ q)

    def field(z):
        if 93.36 < z < 95.86:
            return tesla
        return -tesla if 96.96 < z < 99.46 else 0.0

    def slope(z, state):
        _, _, px, py = state
        pz = np.sqrt(total**2 - px**2 - py**2)
        # dp/dt = q v x B and dz = v_z dt; the force of a field along x on v_z is along y
        return [px / pz, py / pz, 0.0, charge * light * field(z)]

    edges = [vertex[2], *(z for z in (93.36, 95.86, 96.96, 99.46) if z > vertex[2]), GTK3]
    state = [vertex[0], vertex[1], q[0], q[1]]
    for low, high in pairwise(edges):
        state = solve_ivp(slope, (low + 1e-9, high - 1e-9), state, rtol=1e-10, atol=1e-12).y[:, -1]
    return state


@pytest.mark.parametrize("charge", [1.0, -1.0])
@pytest.mark.parametrize("z", [92.9, 94.2, 96.4, 98.7, 99.6])
@pytest.mark.parametrize("p", [15.0, 35.0, 75.0])
def test_dipoles_bend_as_the_equation_of_motion_says(charge, z, p):
    """In wide-open magnets and without TRIM5; a quarter of a dipole is a thin lens here, hence 0.3 mm at 15 GeV."""
    changes = {"beam_line.magnet_gap": [5.0, 5.0], "beam_line.collimator_outer": [0.0, 0.0]}
    line = BeamLine(CONFIGURATION.with_values(changes | {"beam_line.trim_kick": 0.0}))
    momentum, vertex = np.array([0.004, -0.006, 1.0]) * p, np.array([0.002, -0.055, z])
    expected = moved(momentum, vertex, charge)
    got, _, start = carried(momentum, vertex, charge, line=line)
    assert start[2, 0] == GTK3
    assert got[:2, 0] == pytest.approx(expected[2:], abs=1e-6)
    assert start[:2, 0] == pytest.approx(expected[:2], abs=0.3e-3 * 15.0 / p)
    assert np.sqrt((got**2).sum()) == pytest.approx(np.sqrt(momentum @ momentum), rel=1e-12)


def test_a_beam_particle_followed_back_comes_forward_on_its_line():
    n = 2000
    rng = np.random.default_rng(1)
    z = rng.uniform(72.0, 102.3, n)
    p, slope_x, slope_y = rng.normal(75.0, 0.75, n), rng.normal(1.2e-3, 1e-4, n), rng.normal(0, 1e-4, n)
    x3, y3 = rng.uniform(-0.02, 0.02, n), rng.uniform(-0.01, 0.01, n)
    event = EventBlock(1)
    beam = event.beam.reshape(-1, BLOCK)
    along = p / np.sqrt(1 + slope_x**2 + slope_y**2)
    beam[[K_PX, K_PY, K_PZ], :n] = slope_x * along, slope_y * along, along
    beam[K_X : K_Z + 1, :n] = x3 + slope_x * (z - GTK3), y3 + slope_y * (z - GTK3), z
    follow_back(n, LINE.elements, event.beam)
    # half-way between the pairs it is 60 mm down, a dispersion of 0.8 mm for each percent of momentum
    between = (z > 89.2) & (z < 93.3)
    assert beam[K_Y, :n][between] == pytest.approx(y3[between] - 60e-3 * 75 / p[between], abs=5e-3)
    assert beam[K_Y, :n][z < 82.9] == pytest.approx(y3[z < 82.9], abs=20e-3)
    got, _, start = carried(beam[[K_PX, K_PY, K_PZ], :n], beam[K_X : K_Z + 1, :n], penetrates=True)
    assert got[0] / got[2] == pytest.approx(slope_x, abs=1e-7)
    assert got[1] / got[2] == pytest.approx(slope_y, abs=1e-7)
    assert start[0] == pytest.approx(x3, abs=20e-6)
    assert start[1] == pytest.approx(y3, abs=20e-6)


# Iron

BESIDE = (0.042, 0.0, 99.9)
"""In front of the collimator's iron, which begins at 33 mm and ends at 50."""


def straight(p):
    return np.array([0.0, 0.0, p])


def test_hadrons_stop_in_the_collimator_and_muons_lose_energy():
    pion, _, _ = carried(straight(30.0), BESIDE)
    assert pion[2, 0] == -ABSORBED
    muon, energy, start = carried(straight(30.0), BESIDE, penetrates=True)
    p = np.sqrt((muon**2).sum())
    assert p == pytest.approx(30.0 - 1.5, abs=0.01)  # 1 m of iron at 1.5 GeV/m
    assert energy[0] == pytest.approx(np.hypot(p, M_MU), rel=1e-12)
    assert start[2, 0] == GTK3


def test_muons_of_low_momentum_stop_in_the_collimator():
    """Of 1.2 m of iron and 1.7 x 1.8 m^2, as it is since 2018: beside a smaller one they can scatter out."""
    changes = {"beam_line.collimator": [100.21, 101.41], "beam_line.collimator_outer": [0.85, 0.90]}
    line = BeamLine(CONFIGURATION.with_values(changes))
    for p, passes in ((1.6, False), (1.9, False), (3.0, True)):
        muon, _, _ = carried(straight(p), (0.4, 0.0, 99.9), penetrates=True, line=line)
        assert (muon[2, 0] > 0) == passes


@pytest.mark.parametrize(
    ("x", "y", "passes"),
    [
        (0.0325, 0.0160, True),
        (0.0335, 0.0, False),
        (0.0, 0.0170, False),
        (0.049, 0.0, False),
        (0.051, 0.0, True),
        (0.0, -0.049, False),
        (0.0, -0.051, True),
    ],
)
def test_the_collimator_has_an_aperture_of_66_by_33_mm_and_ends_at_100(x, y, passes):
    for charge in (0.0, 1.0):
        momentum, _, _ = carried(straight(20.0), (x, y, 99.9), charge)
        assert (momentum[2, 0] > 0) == passes


def test_a_particle_may_enter_the_aperture_and_hit_its_wall():
    slope = 0.02
    inside = 0.033 - slope * (IN_FRONT - 99.9) - 0.005
    assert inside + slope * (BEHIND - 99.9) > 0.033
    momentum, _, _ = carried([20.0 * slope, 0.0, 20.0], (inside, 0.0, 99.9))
    assert momentum[2, 0] == -ABSORBED


def test_muons_scatter_in_iron_by_highlands_formula():
    """1 m of iron at 50 GeV, with what it does to the angle, the position and the correlation of the two.

    The loss of energy on the way makes up for 1.5%.
    """
    n, p, length, radiation_length = 4000, 50.0, 1.0, 0.01757
    momentum, _, start = carried(np.tile(straight(p), (n, 1)).T, np.tile(BESIDE, (n, 1)).T, 0.0, True)
    angle = 0.0136 / (p - 0.75) * np.sqrt(length / radiation_length) * (1 + 0.038 * np.log(length / radiation_length))
    # what neither charge nor momentum has: position at the collimator's back
    lever = GTK3 - BEHIND
    for axis in range(2):
        slope = momentum[axis] / momentum[2]
        shift = start[axis] - BESIDE[axis] - slope * lever
        for got, expected in (
            (slope.std(), angle),
            (shift.std(), angle * length / np.sqrt(3)),
            (np.corrcoef(slope, shift)[0, 1], np.sqrt(3) / 2),
        ):
            assert got == pytest.approx(expected, rel=SIGMAS / np.sqrt(2 * n) + 0.01)
        assert abs(slope.mean()) < SIGMAS * angle / np.sqrt(n)
    assert abs(np.corrcoef(momentum[0], momentum[1])[0, 1]) < SIGMAS / np.sqrt(n)


def test_particles_of_an_event_scatter_independently():
    n = 2000
    sample = np.tile(straight(50.0), (n, 1)).T, np.tile(BESIDE, (n, 1)).T, 1.0, True
    one, other = carried(*sample, slot=0)[0], carried(*sample, slot=3)[0]
    assert abs(np.corrcoef(one[0], other[0])[0, 1]) < SIGMAS / np.sqrt(n)


@pytest.mark.parametrize("charge", [1.0, -1.0])
def test_the_scraper_pushes_positive_muons_away_from_the_beam(charge):
    """3 m of 1.8 T add 1.62 GeV; the beam is 60 mm down there. Without loss, scattering and openings of dipoles."""
    changes = {"beam_line.iron_radiation_length": 1e9, "beam_line.iron_loss": 0.0, "beam_line.magnet_gap": [0.0, 0.0]}
    line = BeamLine(CONFIGURATION.with_values(changes))
    x, y = 0.15, -0.06 + 0.20
    momentum, _, _ = carried(straight(60.0), (x, y, 89.2), charge, True, line=line)
    kick = charge * 0.299792458 * 1.8 * 3.0
    # it moves radially, so that the direction stays the same
    assert momentum[0, 0] == pytest.approx(kick * 0.6 + charge * 0.090, rel=1e-4)
    assert momentum[1, 0] == pytest.approx(kick * 0.8, rel=1e-4)


def test_what_begins_behind_the_last_station_stays_as_it_is():
    momentum, energy, start = carried([0.1, 0.2, 20.0], (0.01, 0.02, 102.5))
    assert momentum[:, 0] == pytest.approx([0.1, 0.2, 20.0], rel=0, abs=0)
    assert start[:, 0] == pytest.approx([0.01, 0.02, 102.5], rel=0, abs=0)
    assert energy[0] == np.sqrt(0.01 + 0.04 + 400.0 + M_PI**2)


# What was absorbed


@pytest.fixture
def absorbed():
    """A block of pions that the collimator has absorbed, and of those that fly upstream."""
    event, n = EventBlock(1), 200
    vertices = np.array([np.linspace(0.034, 0.049, n), np.zeros(n), np.full(n, 95.9)])
    momenta = np.array([np.zeros(n), np.zeros(n), np.where(np.arange(n) % 3 == 0, -5.0, 40.0)])
    gone, energy, start = carried(momenta, vertices, 0.0)
    assert (gone[2] < 0).all()
    event.momenta[0].reshape(4, BLOCK)[:, :n] = [*gone, energy]
    event.beam.reshape(-1, BLOCK)[K_X : K_Z + 1, :n] = start
    fate = event.fate.reshape(-1, BLOCK)
    fate[ACCEPTANCE], fate[EFFICIENCY], fate[SURVIVAL] = 1.0, 1.0, 1.0
    return event, n


def test_no_veto_sees_what_was_absorbed(absorbed):
    event, n = absorbed
    detector, survival = DETECTOR, event.fate.reshape(-1, BLOCK)[SURVIVAL]
    chanti.veto(n, detector.chanti_z, *detector.chanti_frame, event.beam, event.momenta[0], event.fate)
    assert (survival[:n] == 1.0).all()
    for kind in (charged_veto.PION, charged_veto.MUON, charged_veto.ELECTRON):
        charged_veto.veto(
            n, KEY, 1, kind, 1.0, detector.charged_response, detector.charged_planes, detector.chamber_z,
            detector.hole_x, detector.lav, detector.photon_tables, event.index, event.beam, event.momenta[0],
            event.track, event.fate,
        )  # fmt: skip
        assert (survival[:n] == 1.0).all()
        assert (event.track.reshape(-1, BLOCK)[T_LKR_ENERGY, :n] == 0.0).all()
    rows = photon_veto.scratch_rows(1)[1].reshape(-1, BLOCK)
    photon_veto.find_station(n, detector.lav, detector.photon_geometry, event.beam, event.momenta[0], rows.reshape(-1))
    assert (rows[photon_veto.STATION, :n] == photon_veto.NONE).all()


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("kind", sorted(set(flight.KINDS.values())))
def test_what_was_absorbed_is_no_candidate(absorbed, kind, forced):
    """Nor is what it decays to, where it is as good as at rest."""
    event, n = absorbed
    detector = DETECTOR
    inside = event.fate.reshape(-1, BLOCK)[ACCEPTANCE]
    bending = (detector.chamber_z, detector.magnet_z, detector.kick, detector.planes)
    flight.candidate(
        n, KEY, event.index, 1.0, kind, detector.muv3_z, float(detector.chamber_z[0]), forced,
        event.beam, event.momenta[0], event.track, event.fate,
    )  # fmt: skip
    tracking.cross_planes(n, *bending, event.track)
    tracking.kinked(n, *bending, event.track)
    acceptance.chambers(n, detector.hole_x, detector.gap, detector.radius, event.track, event.fate)
    assert (inside[:n] == 0.0).all()
