"""Kinematics against the `vector` package, the PDG's listed momenta, and symmetries."""

from math import hypot, sqrt

import pytest
import vector
from hypothesis import given
from hypothesis import strategies as st

from kaongen.kinematics import boost, kallen, two_body_momentum
from kaongen.particles import M_E, M_K, M_MU, M_PI, M_PI0

components = st.floats(-100.0, 100.0).map(lambda p: round(p, 9))
"""GeV, and whole eV: nobody asks for products that underflow."""
momenta = st.tuples(components, components, components)
masses = st.floats(1e-3, 10.0)


def with_energy(p, m):
    return (*p, hypot(*p, m))


def invariant_mass_squared(p):
    return p[3] ** 2 - p[0] ** 2 - p[1] ** 2 - p[2] ** 2


@given(momenta, st.just(0.0) | masses, momenta, masses)
def test_boost_agrees_with_vector(p, m, frame_p, frame_m):
    body, frame = with_energy(p, m), with_energy(frame_p, frame_m)
    expected = vector.obj(**dict(zip(("px", "py", "pz", "E"), body, strict=True))).boost_p4(
        vector.obj(**dict(zip(("px", "py", "pz", "E"), frame, strict=True)))
    )
    # vector forms beta first, and near the speed of light 1 - beta^2 loses digits as gamma^2
    gamma = frame[3] / frame_m
    result = boost(*body, *frame, frame_m)
    assert result == pytest.approx(
        (expected.px, expected.py, expected.pz, expected.E), rel=0, abs=1e-15 * (10 + gamma**2) * body[3] * gamma
    )


@given(momenta, st.just(0.0) | masses, momenta, masses)
def test_boost_there_and_back(p, m, frame_p, frame_m):
    body = with_energy(p, m)
    frame = with_energy(frame_p, frame_m)
    there = boost(*body, *frame, frame_m)
    back = boost(*there, *(-q for q in frame[:3]), frame[3], frame_m)
    gamma = frame[3] / frame_m
    assert back == pytest.approx(body, rel=0, abs=1e-14 * gamma**2 * body[3])


@given(momenta, st.just(0.0) | masses, momenta, masses)
def test_boost_keeps_the_mass(p, m, frame_p, frame_m):
    body, frame = with_energy(p, m), with_energy(frame_p, frame_m)
    moved = boost(*body, *frame, frame_m)
    # a backward boost cancels: what counts is the energy that it could have given
    assert invariant_mass_squared(moved) == pytest.approx(m * m, rel=0, abs=1e-14 * (body[3] * frame[3] / frame_m) ** 2)


@given(momenta, masses)
def test_boost_of_a_body_at_rest_gives_the_frame(frame_p, frame_m):
    frame = with_energy(frame_p, frame_m)
    assert boost(0.0, 0.0, 0.0, frame_m, *frame, frame_m) == pytest.approx(frame, rel=1e-15)


def test_a_frame_at_rest_changes_nothing():
    assert boost(0.1, -0.2, 0.3, 0.5, 0.0, 0.0, 0.0, M_K, M_K) == pytest.approx((0.1, -0.2, 0.3, 0.5), rel=1e-15)


@pytest.mark.parametrize(
    ("m", "m1", "m2", "expected"),
    [
        (M_K, M_MU, 0.0, 0.236),
        (M_K, M_E, 0.0, 0.247),
        (M_K, M_PI, M_PI0, 0.205),
        (M_PI, M_MU, 0.0, 0.030),
        (M_PI, M_E, 0.0, 0.070),
        (M_PI0, 0.0, 0.0, 0.067),
    ],
)
def test_two_body_momenta_of_the_pdg_tables(m, m1, m2, expected):
    """The column p (MeV/c) of the Summary Tables, which is rounded to 1 MeV."""
    assert two_body_momentum(m, m1, m2) == pytest.approx(expected, abs=5.1e-4)


def test_muon_momentum_in_kaon_decay():
    """(m_K^2 - m_mu^2)/2m_K with m_K = 493.677 and m_mu = 105.6583755 MeV."""
    assert two_body_momentum(M_K, M_MU, 0.0) == pytest.approx(0.2355318235, abs=1e-10)


@given(masses, masses, st.floats(1e-6, 10.0))
def test_two_body_momentum_balances_the_energy(m1, m2, released):
    m = m1 + m2 + released
    p = two_body_momentum(m, m1, m2)
    assert hypot(p, m1) + hypot(p, m2) == pytest.approx(m, rel=1e-13)
    assert p == pytest.approx(two_body_momentum(m, m2, m1), rel=1e-14)


def test_two_body_momentum_keeps_its_precision_near_threshold():
    """p = sqrt(2 mu Q) to first order in the energy release Q, with the reduced mass mu."""
    released = 2.0**-40
    expected = sqrt(2 * 0.25 * 0.5 / 0.75 * released)
    assert two_body_momentum(0.75 + released, 0.25, 0.5) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("m1", "m2"), [(0.3, 0.2), (0.3, 0.201), (0.5, 0.0), (0.501, 0.0), (0.9, 0.1), (0.1, 0.9), (3.0, 2.0)]
)
def test_two_body_momentum_vanishes_at_and_below_threshold(m1, m2):
    assert two_body_momentum(0.5, m1, m2) == 0.0


@given(*[st.floats(0.0, 10.0)] * 3)
def test_kallen_is_symmetric(a, b, c):
    scale = 1e-14 * (1 + a + b + c) ** 2
    expanded = a * a + b * b + c * c - 2 * (a * b + b * c + c * a)
    for order in ((a, b, c), (b, c, a), (c, a, b), (b, a, c), (c, b, a), (a, c, b)):
        assert kallen(*order) == pytest.approx(expanded, rel=0, abs=scale)


def test_kallen_of_whole_numbers():
    assert kallen(1.0, 0.0, 0.0) == 1.0
    assert kallen(9.0, 1.0, 4.0) == 0.0
    assert kallen(2.0, 3.0, 5.0) == 4 + 9 + 25 - 2 * (6 + 15 + 10)


@given(masses, masses, st.floats(0.01, 10.0))
def test_kallen_is_the_square_of_the_two_body_momentum(m1, m2, released):
    m = m1 + m2 + released
    assert sqrt(kallen(m * m, m1 * m1, m2 * m2)) / (2 * m) == pytest.approx(two_body_momentum(m, m1, m2), rel=1e-9)
