"""The beam against its published numbers, and the decay vertex against the exponential law.

Seeds are fixed. A mean or a spread fails beyond 5 standard deviations (6e-7 each, about 30) and a Kolmogorov test below
p = 1e-6 (6 of them): a change of streams fails here by chance once in 40000 times.
"""

import numpy as np
import pytest
import vector
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kaongen.beam import Beam, true_missing_mass
from kaongen.configuration import load
from kaongen.decays.sampling import blocks
from kaongen.event_block import BEAM_ROWS, K_E, K_PX, K_PY, K_PZ, K_X, K_Y, K_Z, M2_TRUE, EventBlock
from kaongen.jit import BLOCK
from kaongen.random import stream_key

KEY = stream_key(1, "tests/beam")
N = 200_000
SIGMAS = 5.0
P_MIN = 1e-6

# Particle Data Group, Review of Particle Physics 2026
M_K, TAU_K, SPEED_OF_LIGHT = 0.493677, 12.380, 0.299792458  # GeV, ns, m/ns
START, END = 105.0, 180.0


def kaons(index, key=KEY, changes=None):
    """Rows of the beam, (BEAM_ROWS, n), for the given event numbers in the given order."""
    beam = Beam(load("na62-2016-2018").with_values(changes or {}))
    event = EventBlock(1)
    result = np.empty((BEAM_ROWS, len(index)))
    for first, n in blocks(len(index)):
        event.index[:n] = index[first : first + n]
        beam.send(key, n, event)
        result[:, first : first + n] = event.beam.reshape(BEAM_ROWS, BLOCK)[:, :n]
    return result


class Kaons:
    def __init__(self, rows):
        px, py, pz, self.energy, self.x, self.y, self.z = rows[:7]
        self.p = np.sqrt(px**2 + py**2 + pz**2)
        self.slope_x, self.slope_y = px / pz, py / pz
        depth = self.z - START
        self.start_x, self.start_y = self.x - self.slope_x * depth, self.y - self.slope_y * depth


@pytest.fixture(scope="module")
def sample():
    return Kaons(kaons(np.arange(N, dtype=np.uint64)))


def assert_normal(values, mean, rms):
    pulls = (values - mean) / rms
    assert abs(pulls.mean()) < SIGMAS / np.sqrt(N)
    assert abs(pulls.std() - 1) < SIGMAS / np.sqrt(2 * N)
    assert stats.kstest(pulls, "norm").pvalue > P_MIN


def test_momentum_is_75_gev_with_one_percent(sample):
    """NA62, Phys. Lett. B 816 (2021) 136259."""
    assert_normal(sample.p, 75.0, 0.75)


def test_the_axis_has_a_slope_of_1200_microrad_and_the_beam_diverges_by_110(sample):
    assert_normal(sample.slope_x, 1.2e-3, 0.11e-3)
    assert_normal(sample.slope_y, 0.0, 0.11e-3)


def test_the_profile_is_a_rectangle_of_52_by_24_mm_around_the_axis(sample):
    """NA62, JHEP 03 (2021) 058, at the start of the volume; the axis has left x = 0 at 101.8 m."""
    centre = 1.2e-3 * (105.0 - 101.8)
    for values, middle, half in ((sample.start_x, centre, 0.026), (sample.start_y, 0.0, 0.012)):
        assert np.abs(values - middle).max() < half * (1 + 1e-9)
        assert stats.kstest(values, "uniform", args=(middle - half, 2 * half)).pvalue > P_MIN


def test_kaons_are_on_their_mass_shell(sample):
    assert np.abs(sample.energy / np.hypot(sample.p, M_K) - 1).max() < 1e-12


def test_decays_are_exponential_inside_the_volume(sample):
    """Each kaon's depth as a quantile of its own truncated exponential law."""
    depth = sample.z - START
    assert ((depth > 0) & (depth < END - START)).all()
    mean = sample.p / M_K * SPEED_OF_LIGHT * TAU_K
    quantile = np.expm1(-depth / mean) / np.expm1(-(END - START) / mean)
    assert stats.kstest(quantile, "uniform").pvalue > P_MIN


def test_the_slope_of_the_vertices_is_the_lifetime():
    """In a volume of 3 km, where the slope is not lost in the truncation: mean depth against the closed form."""
    changes = {"beam.decay_volume": [105.0, 3105.0], "beam.momentum_spread": 0.0}
    rows = kaons(np.arange(N, dtype=np.uint64), changes=changes)
    depth = rows[K_Z] - START
    mean, length = 75 / M_K * SPEED_OF_LIGHT * TAU_K, 3000.0
    assert mean == pytest.approx(563.8, abs=0.1)
    expected = mean - length / np.expm1(length / mean)
    assert abs(depth.mean() - expected) < SIGMAS * depth.std() / np.sqrt(N)


def test_no_coordinate_knows_of_another(sample):
    columns = [sample.p, sample.slope_x, sample.slope_y, sample.start_x, sample.start_y, sample.z]
    correlation = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(correlation).max() < SIGMAS / np.sqrt(N)


def test_a_kaon_does_not_depend_on_its_place_in_the_block():
    index = np.arange(10 * BLOCK, dtype=np.uint64)
    order = np.random.default_rng(1).permutation(len(index))
    straight = kaons(index)
    assert np.array_equal(kaons(index[order]), straight[:, order])
    for first, last in ((0, 1), (17, 18), (100, 100 + BLOCK // 2 + 3), (BLOCK - 1, 3 * BLOCK)):
        assert np.array_equal(kaons(index[first:last]), straight[:, first:last])


def test_neighbours_and_keys_are_independent():
    index = np.arange(N, dtype=np.uint64)
    one, other = kaons(index), kaons(index, key=stream_key(2, "tests/beam"))
    for a, b in ((one, other), (one[:, :-1], one[:, 1:])):
        for row in (K_PZ, K_X, K_Y, K_Z):
            assert abs(np.corrcoef(a[row], b[row])[0, 1]) < SIGMAS / np.sqrt(N)


def test_daughters_are_carried_to_the_laboratory():
    """Against the vector package, for whatever kaons the beam has, and as they are by then: some were deflected."""
    n = BLOCK
    event = EventBlock(2)
    event.index[:n] = np.arange(n)
    rng = np.random.default_rng(2)
    rest = []
    for rows, mass in zip(event.momenta, (0.1056583755, 0.0), strict=True):
        p = rng.normal(scale=0.1, size=(3, n))
        rows.reshape(4, BLOCK)[:, :n] = [*p, np.sqrt((p**2).sum(axis=0) + mass**2)]
        rest.append(rows.reshape(4, BLOCK).copy())
    parents, beam = Beam(load("na62-2016-2018")), event.beam.reshape(BEAM_ROWS, BLOCK)
    parents.send(KEY, n, event)
    for rows, before in zip(event.momenta, rest, strict=True):
        assert np.array_equal(rows.reshape(4, BLOCK), before)
    beam[K_PX, ::2], beam[K_PY, ::2] = beam[K_PY, ::2].copy(), -beam[K_PX, ::2]
    parents.boost(n, event, 2)
    kaon = vector.array({"px": beam[K_PX], "py": beam[K_PY], "pz": beam[K_PZ], "E": beam[K_E]})
    for (px, py, pz, e), rows in zip(rest, event.momenta, strict=True):
        expected = vector.array({"px": px, "py": py, "pz": pz, "E": e}).boost_p4(kaon)
        got = rows.reshape(4, BLOCK)
        for name, component in zip(("px", "py", "pz", "E"), got, strict=True):
            assert np.abs(component - expected[name]).max() < 1e-9


def test_daughters_beyond_the_number_asked_for_stay_where_they_are():
    event = EventBlock(2)
    for rows in event.momenta:
        rows[:] = 0.3
    beam = Beam(load("na62-2016-2018"))
    beam.send(KEY, BLOCK, event)
    beam.boost(BLOCK, event, 1)
    assert (event.momenta[1] == 0.3).all()
    assert not (event.momenta[0] == 0.3).any()


@given(
    st.floats(65.0, 85.0),
    st.tuples(st.floats(-2e-3, 2e-3), st.floats(-2e-3, 2e-3)),
    st.tuples(*[st.floats(-0.13, 0.13)] * 3),
    st.sampled_from([0.1056583755, 0.13957039]),
)
def test_the_true_missing_mass_is_that_of_the_rest_frame(p, slope, daughter, mass):
    """m_K^2 + m^2 - 2 m_K E there; the vector package carries both particles to the laboratory."""
    kaon = vector.obj(px=p * slope[0], py=p * slope[1], pz=p, mass=M_K)
    rest = vector.obj(px=daughter[0], py=daughter[1], pz=daughter[2], mass=mass)
    event = EventBlock(1)
    for rows, particle in ((event.beam, kaon), (event.momenta[0], rest.boost_p4(kaon))):
        for k, component in enumerate((particle.px, particle.py, particle.pz, particle.E)):
            rows[k * BLOCK] = component
    true_missing_mass(1, mass, event.beam, event.momenta[0], event.reco)
    # the difference of squares of 75 GeV, in double precision
    assert event.reco[M2_TRUE * BLOCK] == pytest.approx(M_K**2 + mass**2 - 2 * M_K * rest.E, abs=3e-11)
