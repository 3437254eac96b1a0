"""The candidate's way: straight lines, the kick, and pions that decay in flight, by hand and by the laws of decay."""

import numpy as np
import pytest
from blocks import KEY, P_MIN, SIGMAS, accepted, assert_fraction, crossings, kaons, muons, pions
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_geometry import IRC_Z, LKR_Z, MUV3_Z, SAC_Z, STRAW_Z
from scipy import stats

from kaongen.random import stream_key

# Particle Data Group, Review of Particle Physics 2026: GeV and ns
M_PI, M_MU, TAU_PI, SPEED_OF_LIGHT = 0.13957039, 0.1056583755, 26.033, 0.299792458
MAGNET_Z, KICK = 196.995, 0.270
PLANES = (183.508, 194.066, 204.459, 218.885, 219.445, 238.1315, 239.009, 241.093, 246.8)
FIRST, LAST, END = 183.508, 218.885, 246.8
N = 200_000


def size(momentum):
    return np.sqrt(np.square(momentum).sum(axis=0))


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


def test_a_muon_from_the_vertex_is_a_muon_from_the_start():
    momentum, vertex = kaons(5000)
    columns = muons(-1.0, momentum, vertex)
    charge, p, track, point, muon_z = columns[0], columns[1], columns[2:5], columns[5:8], columns[8]
    assert (charge == -1.0).all()
    assert np.abs(p / size(momentum) - 1).max() < 1e-14
    assert np.array_equal(track, momentum)
    assert np.array_equal(point, vertex)
    assert (muon_z < 0).all()
    assert (columns[9:] == 1.0).all(), "efficiency and survival start at 1"


def pion_sample(p, forced, z=130.0, n=N, key=KEY):
    """Pions of one momentum (or momenta) near the axis from one point."""
    pz = np.full(n, p) / np.sqrt(1 + 0.003**2)
    momentum = np.array([0.003 * pz, np.zeros(n), pz])
    vertex = np.array([np.full(n, 0.03), np.zeros(n), np.full(n, z)])
    return momentum, vertex, pions(forced, momentum, vertex, key)


def mean_length(p):
    """Along z, for the slope of `pion_sample`."""
    return p / M_PI * SPEED_OF_LIGHT * TAU_PI / np.sqrt(1 + 0.003**2)


def decayed_by(z, p, start=130.0):
    return -np.expm1(-(z - start) / mean_length(p))


@pytest.mark.parametrize("p", [5.0, 15.0, 35.0, 70.0])
def test_pions_decay_as_often_as_their_lifetime_says(p):
    """Before the first chamber, between the chambers, behind them, and not at all before the muon detector."""
    _, _, found = pion_sample(p, forced=False)
    expected = np.diff([0.0, *(decayed_by(z, p) for z in (FIRST, LAST, END)), 1.0])
    bounds = [130.0, FIRST, LAST, END, np.inf]
    for low, high, probability in zip(bounds[:-1], bounds[1:], expected, strict=True):
        assert_fraction((found.muon_z >= low) & ((found.muon_z < high) | (high == np.inf)), probability)


def test_a_pion_that_does_not_decay_is_never_a_muon():
    momentum, vertex, found = pion_sample(35.0, forced=False)
    whole = found.muon_z > END
    assert np.isinf(found.muon_z[whole]).all()
    assert np.array_equal(found.momentum[:, whole], momentum[:, whole])
    assert np.array_equal(found.point[:, whole], vertex[:, whole])
    assert (found.efficiency[whole] == 1.0).all()


@pytest.mark.parametrize("forced", [False, True])
def test_points_of_decay_are_exponential(forced):
    p = 15.0
    _, _, found = pion_sample(p, forced)
    quantile = decayed_by(found.muon_z[np.isfinite(found.muon_z)], p) / decayed_by(END, p)
    assert stats.kstest(quantile, "uniform").pvalue > P_MIN


@pytest.mark.parametrize("forced", [False, True])
def test_a_decay_between_the_chambers_breaks_the_track_and_no_other_does(forced):
    _, _, found = pion_sample(15.0, forced)
    broken = (found.muon_z >= FIRST) & (found.muon_z < LAST)
    assert broken.any()
    assert (found.efficiency[broken] == 0.0).all()
    assert (found.efficiency[~broken] > 0.0).all()
    if not forced:
        assert (found.efficiency[~broken] == 1.0).all()


@pytest.mark.parametrize("forced", [False, True])
def test_a_decay_behind_the_chambers_leaves_the_track_of_the_pion(forced):
    momentum, vertex, found = pion_sample(15.0, forced)
    behind = (found.muon_z >= LAST) & np.isfinite(found.muon_z)
    assert behind.any()
    assert np.array_equal(found.momentum[:, behind], momentum[:, behind])
    assert np.array_equal(found.point[:, behind], vertex[:, behind])


@pytest.mark.parametrize("p", [0.5, 15.0, 60.0])
def test_the_muon_of_an_early_decay_conserves_four_momentum(p):
    """The pion less the muon is a neutrino without mass, the muon starts on the pion's line, and its energy is flat
    between the limits of the two-body decay: isotropy in the pion's rest frame."""
    momentum, vertex, found = pion_sample(p, forced=True)
    early = found.muon_z < FIRST
    muon, pion, start = found.momentum[:, early], momentum[:, early], vertex[:, early]
    e_muon, e_pion = np.sqrt(size(muon) ** 2 + M_MU**2), np.sqrt(size(pion) ** 2 + M_PI**2)
    missing = (e_pion - e_muon) ** 2 - size(pion - muon) ** 2
    assert np.abs(missing).max() < 1e-12 * max(p, 1.0) ** 2
    assert np.abs(found.p[early] / size(muon) - 1).max() < 1e-14
    flown = found.muon_z[early] - start[2]
    assert (flown > 0).all()
    expected = start + flown * pion / pion[2]
    assert np.abs(found.point[:, early] - expected).max() < 1e-9
    rest_momentum, rest_energy = (M_PI**2 - M_MU**2) / (2 * M_PI), (M_PI**2 + M_MU**2) / (2 * M_PI)
    gamma, beta_gamma = np.hypot(p, M_PI) / M_PI, p / M_PI
    low, high = gamma * rest_energy - beta_gamma * rest_momentum, gamma * rest_energy + beta_gamma * rest_momentum
    assert e_muon.min() >= low * (1 - 1e-12)
    assert e_muon.max() <= high * (1 + 1e-12)
    assert stats.kstest(e_muon, "uniform", args=(low, high - low)).pvalue > P_MIN
    assert (
        stats.kstest(np.arctan2(muon[1], muon[0] - 0.003 * muon[2]), "uniform", args=(-np.pi, 2 * np.pi)).pvalue > P_MIN
    )


OBSERVABLES = {
    "one": lambda t: np.ones(t.p.size),
    "early": lambda t: (t.muon_z < FIRST).astype(float),
    "behind": lambda t: ((t.muon_z > LAST) & np.isfinite(t.muon_z)).astype(float),
    "whole": lambda t: np.isinf(t.muon_z).astype(float),
    "momentum": lambda t: t.p,
    "early momentum squared": lambda t: np.where(t.muon_z < FIRST, t.p**2, 0.0),
    "point": lambda t: t.point[2],
    "across": lambda t: np.abs(t.momentum[1]),
}


@pytest.mark.parametrize("p", [3.0, 15.0, 60.0])
def test_forced_decays_have_the_means_of_natural_ones(p):
    """Any observable, with the efficiency as the weight, from independent streams."""
    samples = [pion_sample(p, forced, key=stream_key(3, str(forced)))[2] for forced in (False, True)]
    for name, observable in OBSERVABLES.items():
        natural, forced = (t.efficiency * observable(t) for t in samples)
        error = np.sqrt((natural.var() + forced.var()) / N)
        assert abs(natural.mean() - forced.mean()) < SIGMAS * error + 1e-12, name
    assert np.isfinite(samples[1].muon_z).mean() > np.isfinite(samples[0].muon_z).mean() or p < 5


@pytest.mark.parametrize("p", [3.0, 15.0, 60.0])
def test_the_weights_of_forced_decays_are_those_of_the_law(p):
    """Each of the two classes has one weight; weighted, they are as frequent as in nature."""
    _, _, found = pion_sample(p, forced=True)
    whole, kept = np.isinf(found.muon_z), found.efficiency > 0
    for chosen, probability in ((whole, 1 - decayed_by(END, p)), (kept & ~whole, decayed_by(END, p))):
        weights = found.efficiency[chosen]
        assert np.ptp(weights) < 1e-12
        share = np.mean(whole) if chosen is whole else 1 - np.mean(whole)
        assert weights[0] * share == pytest.approx(probability, rel=0.01), "a share of 0.2 of 200000 is known to 0.5%"


def test_a_pion_does_not_depend_on_its_place_in_the_block():
    momentum, vertex, found = pion_sample(15.0, forced=True, n=5000)
    part = pions(True, momentum[:, :3333], vertex[:, :3333])
    assert np.array_equal(found.muon_z[:3333], part.muon_z)
    assert np.array_equal(found.momentum[:, :3333], part.momentum)


def test_a_pion_that_goes_backwards_is_finite():
    n = 5000
    momentum = np.array([np.full(n, 0.05), np.zeros(n), np.full(n, -0.02)])
    found = pions(True, momentum, np.array([np.zeros(n), np.zeros(n), np.full(n, 110.0)]))
    assert np.isfinite(found.momentum).all()
    assert np.isfinite(found.point).all()
    assert np.isfinite(found.efficiency).all()
    assert (found.efficiency >= 0).all()
