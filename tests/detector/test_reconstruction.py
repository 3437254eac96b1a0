"""Vertex and closest approach against a minimiser, masses and angles against the vector package, and all of it against
the truth of simulated decays that are measured without errors."""

import numpy as np
import pytest
import vector
from blocks import EXACT, produced, reconstructed
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from kaongen.event_block import K_X, M2_TRUE, R_CDA, R_M2, R_VX, T_ELECTRON_Z

# Particle Data Group, Review of Particle Physics 2026 (GeV)
M_K, M_MU = 0.493677, 0.1056583755
KAON_Z, MUON_Z = 102.4, 183.508

slopes = st.tuples(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
kaons = st.tuples(st.floats(70.0, 80.0), st.tuples(st.floats(0.9e-3, 1.5e-3), st.floats(-0.3e-3, 0.3e-3)))
muons = st.tuples(st.floats(3.0, 70.0), slopes)
kaon_positions = st.tuples(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05))
muon_positions = st.tuples(st.floats(-0.9, 0.9), st.floats(-0.9, 0.9))


def momentum(p, slope):
    direction = np.array([*slope, 1.0])
    return p * direction / np.linalg.norm(direction)


def of_one(kaon, kaon_xy, muon, muon_xy):
    columns = (np.array(column)[:, np.newaxis] for column in (kaon, kaon_xy, muon, muon_xy))
    return reconstructed(*columns)


@settings(max_examples=100)
@given(kaons, kaon_positions, muons, muon_positions)
def test_closest_approach_is_the_least_distance_of_two_lines(kaon, kaon_xy, muon, muon_xy):
    """By least squares over the points of both lines."""
    a, b = (momentum(1.0, slope) for _, slope in (kaon, muon))
    angle = np.linalg.norm(np.cross(a, b))
    assume(angle > 1e-3)
    on_a, on_b = np.array([*kaon_xy, KAON_Z]), np.array([*muon_xy, MUON_Z])
    (along_a, along_b), *_ = np.linalg.lstsq(np.array([a, -b]).T, on_b - on_a)
    nearest_a, nearest_b = on_a + along_a * a, on_b + along_b * b
    found = of_one(kaon[0] * a, kaon_xy, muon[0] * b, muon_xy)
    assert found.cda[0] == pytest.approx(np.linalg.norm(nearest_a - nearest_b), rel=1e-9, abs=1e-10)
    # rounding in z grows as the lines become parallel
    assert found.vertex[:, 0] == pytest.approx((nearest_a + nearest_b) / 2, abs=1e-11 / angle**2)


@settings(max_examples=30)
@given(kaons, kaon_positions, muons, muon_positions)
def test_no_other_pair_of_points_is_closer(kaon, kaon_xy, muon, muon_xy):
    """A minimiser that knows only distances ends at the same one, or gives up farther away."""
    a, b = (momentum(1.0, slope) for _, slope in (kaon, muon))
    assume(np.linalg.norm(np.cross(a, b)) > 3e-3)
    on_a, on_b = np.array([*kaon_xy, KAON_Z]), np.array([*muon_xy, MUON_Z])
    # by the distance of a point of the kaon's line from the muon's line
    to_line = lambda s: np.linalg.norm(np.cross(on_a + s * a - on_b, b))  # noqa: E731
    best = minimize_scalar(to_line, bracket=(0.0, 100.0), tol=1e-12)
    found = of_one(kaon[0] * a, kaon_xy, muon[0] * b, muon_xy)
    assert found.cda[0] == pytest.approx(best.fun, rel=1e-6, abs=1e-7)


@given(kaons, kaon_positions, muons, st.floats(105.0, 180.0))
def test_lines_that_meet_have_their_vertex_there(kaon, kaon_xy, muon, z):
    a, b = momentum(*kaon), momentum(*muon)
    assume(np.linalg.norm(np.cross(a, b)) / (np.linalg.norm(a) * np.linalg.norm(b)) > 1e-3)
    meeting = np.array([*kaon_xy, KAON_Z]) + (z - KAON_Z) * a / a[2]
    found = of_one(a, kaon_xy, b, (meeting + (MUON_Z - z) * b / b[2])[:2])
    assert found.vertex[:, 0] == pytest.approx(meeting, abs=1e-7)
    assert found.cda[0] < 1e-9


@given(kaons, muons)
def test_missing_mass_is_that_of_the_four_vectors(kaon, muon):
    a, b = momentum(*kaon), momentum(*muon)
    missing = vector.obj(px=a[0], py=a[1], pz=a[2], mass=M_K) - vector.obj(px=b[0], py=b[1], pz=b[2], mass=M_MU)
    # the difference of squares of 75 GeV, in double precision
    assert of_one(a, (0, 0), b, (0.1, 0.1)).m2[0] == pytest.approx(missing.tau2, abs=1e-11)


@given(kaons, muons)
def test_the_angle_is_that_in_the_frame_of_the_kaon(kaon, muon):
    """vector boosts the muon; the axis is the kaon's flight."""
    a, b = momentum(*kaon), momentum(*muon)
    parent = vector.obj(px=a[0], py=a[1], pz=a[2], mass=M_K)
    rest = vector.obj(px=b[0], py=b[1], pz=b[2], mass=M_MU).boostCM_of_p4(parent)
    assume(rest.p > 0.01)
    expected = (rest.px * a[0] + rest.py * a[1] + rest.pz * a[2]) / (rest.p * np.linalg.norm(a))
    cosine = of_one(a, (0, 0), b, (0.1, 0.1)).cosine[0]
    assert cosine == pytest.approx(expected, abs=1e-7)
    assert abs(cosine) <= 1 + 1e-7


def test_parallel_lines_do_not_stop_a_block():
    """Whatever they give, the next event is right."""
    kaon = np.array([momentum(75.0, (1.2e-3, 0.0)), momentum(75.0, (1.2e-3, 0.0))]).T
    muon = np.array([momentum(20.0, (1.2e-3, 0.0)), momentum(20.0, (5e-3, 0.0))]).T
    at = np.zeros((2, 2))
    both = reconstructed(kaon, at, muon, at + 0.1)
    alone = reconstructed(kaon[:, 1:], at[:, 1:], muon[:, 1:], at[:, 1:] + 0.1)
    assert both.cda[1] == alone.cda[0]
    assert np.array_equal(both.vertex[:, 1], alone.vertex[:, 0])


def _frozen(part):
    return tuple(_frozen(one) for one in part) if isinstance(part, list) else part


EXACT_CHANGES = tuple((name, _frozen(value)) for name, value in EXACT.items())


@pytest.mark.parametrize(
    ("name", "values"),
    [("munu", ()), ("munug", ()), ("pi0munu", ()), ("munuV", (("m_X", 0.1),)), ("muN", (("m_N", 0.3),))],
    ids=lambda v: str(v),
)
def test_without_errors_the_truth_is_measured(name, values):
    """Missing mass, vertex and closest approach of every event whose muon lives, through the whole chain."""
    events = produced(name, 20_000, values, EXACT_CHANGES, vetoes="accept")
    forward = (events.momenta[muon_slot(name), 2] > 0.5) & lives(events)
    assert forward.mean() > 0.9
    # two differences of squares of 75 GeV, in double precision
    assert np.abs(events.m2_error[forward]).max() < 2e-11
    error = np.abs(events.reco[R_VX : R_VX + 3] - events.beam[K_X : K_X + 3]).max(axis=0)
    # rounding grows as the tracks become parallel
    kaon, muon = (slopes_of(events.beam[:3]), slopes_of(events.momenta[muon_slot(name)]))
    assert (error * ((kaon - muon) ** 2).sum(axis=0))[forward].max() < 1e-12
    assert events.reco[R_CDA][forward].max() < 1e-7


def lives(events):
    return np.isinf(events.track[T_ELECTRON_Z])


def muon_slot(name):
    return 1 if name == "pi0munu" else 0


def slopes_of(momentum):
    return momentum[:2] / momentum[2]


@pytest.mark.parametrize(
    ("name", "values", "mass2"), [("munu", (), 0.0), ("muN", (("m_N", 0.3),), 0.09)], ids=["munu", "muN"]
)
def test_the_missing_mass_of_two_bodies_is_the_mass_of_the_second(name, values, mass2):
    events = produced(name, 5_000, values, EXACT_CHANGES, vetoes="accept")
    assert lives(events).mean() > 0.99
    # differences of squares of 75 GeV, in double precision
    assert np.abs(events.reco[M2_TRUE] - mass2).max() < 2e-11
    assert np.abs(events.reco[R_M2] - mass2)[lives(events)].max() < 2e-11


@pytest.mark.parametrize("name", ["munug", "pi0munu", "pipipi"])
def test_the_true_missing_mass_is_that_of_the_other_daughters(name):
    """(P_K - P)^2 is the square of what recoils; four-momenta in the laboratory lose digits."""
    events = produced(name, 5_000)
    slot = muon_slot(name)
    others = sum(events.momenta[k] for k in range(3) if k != slot)
    recoil = others[3] ** 2 - (others[:3] ** 2).sum(axis=0)
    assert np.abs(recoil - events.reco[M2_TRUE]).max() < 1e-10
