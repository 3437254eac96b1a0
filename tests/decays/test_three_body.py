"""Three-body decays: conservation laws exactly, and distributions against |M|^2 integrated by other means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phase_space import P_MIN, ROLES, assert_attempts, equal_shares, label, numbered, plot_of, sampled
from scipy import stats

from kaongen.decays import three_body
from kaongen.decays.catalogue import find
from kaongen.decays.samplers import Draws, sampler
from kaongen.decays.workspace import DecayBlock
from kaongen.particles import M_K
from kaongen.random import ORIENTATION, PROPOSAL, stream_key

CASES = [
    ("munug", {"E_gamma_min": 0.01}),
    ("enug", {}),
    ("pi0munu", {}),
    ("pinunu", {}),
    ("pipipi", {}),
    ("pipi0pi0", {}),
    ("pipi0g", {}),
    ("piee", {}),
    ("pigg", {}),
    ("munuV", {"m_X": 0.01}),
    ("munuV", {"m_X": 0.2}),
    ("munuphi", {"m_X": 0.05}),
    ("munuphi", {"m_X": 0.38}),
]

N = 1_000_000

ABOVE = {"piee": 2e-5}
"""Most decays above their bound: one cell holds the threshold of the pair, six decades below the end of its mass
squared, and |M|^2 times phase space rises there more steeply than the cell's bounds can know."""


class Case:
    def __init__(self, name, values):
        self.process = find(name)
        self.values = values
        self.plot = plot_of(name, values)
        self.decays = sampled(self.process, values, N)
        self.masses = self.process.masses(self.process.values(values))
        # positions in the decay of the particles 1, 2, 3; of two that are alike the first is the first
        left = list(enumerate(self.process.daughters))
        self.order = []
        for role in ROLES[name]:
            found = next(daughter for daughter in left if daughter[1] == role)
            left.remove(found)
            self.order.append(found[0])

    @property
    def s12(self):
        return self.decays.recoil_squared(self.order[2])

    @property
    def s23(self):
        return self.decays.recoil_squared(self.order[0])


@pytest.fixture(scope="module", params=CASES, ids=label)
def case(request):
    return Case(*request.param)


def assert_conserved(decays, masses):
    """To 1e-12 of the kaon's mass, and mass shells to 1e-12 of its square."""
    total = decays.momenta.sum(axis=0)
    assert np.abs(total[:3]).max() < 1e-12 * M_K
    assert np.abs(total[3] - M_K).max() < 1e-12 * M_K
    for particle, mass in enumerate(masses):
        assert np.abs(decays.mass_squared(particle) - mass**2).max() < 1e-12 * M_K**2


def chi_squared(observed, shares):
    expected = shares * observed.sum()
    assert expected.min() > 20
    return stats.chisquare(observed, expected).pvalue


def test_energy_momentum_and_masses(case):
    assert_conserved(case.decays, case.masses)


@settings(max_examples=30)
@given(st.sampled_from(["munuV", "munuphi"]), st.floats(0.001, 0.3875), st.integers(0, 2**64))
def test_energy_momentum_and_masses_at_any_mass(name, m_x, seed):
    process = find(name)
    decays = sampled(process, {"m_X": m_x}, 2000, seed)
    assert_conserved(decays, process.masses(process.values({"m_X": m_x})))
    assert decays.above == 0


def test_dalitz_plot(case):
    """400 cells of s12 and of the place in the s23 interval, filled about equally along either."""
    plot, decays = case.plot, case.decays
    low, high = plot.s12_range
    fine = low * (high / low) ** (np.linspace(0, 1, 2001))
    edges_s12 = equal_shares(plot.marginal_s12(fine, nodes=4), fine, 20)
    fine = np.linspace(0, 1, 401)
    edges_w = equal_shares(plot.contents(edges_s12, fine, nodes=4).sum(axis=0), fine, 20)
    s12 = np.clip(case.s12, low, high)
    bottom, top = plot.s23_range(s12)
    w = np.clip((case.s23 - bottom) / np.maximum(top - bottom, 1e-15), 0, 1)
    observed, _, _ = np.histogram2d(s12, w, [edges_s12, edges_w])
    assert observed.sum() == decays.index.size
    assert chi_squared(observed.ravel(), plot.contents(edges_s12, edges_w).ravel()) > P_MIN


def test_marginal_s12(case):
    low, high = case.plot.s12_range
    fine = low * (high / low) ** np.linspace(0, 1, 2001)
    edges = equal_shares(case.plot.marginal_s12(fine, nodes=4), fine, 100)
    observed, _ = np.histogram(np.clip(case.s12, low, high), edges)
    assert chi_squared(observed, case.plot.marginal_s12(edges)) > P_MIN


def test_marginal_s23(case):
    _, m2, m3 = case.plot.masses
    low, high = (m2 + m3) ** 2, (M_K - case.plot.masses[0]) ** 2
    # clear of s23 = 0, where the limits of s12 meet, and of the corner that a cut makes
    low = max(low, 1e-9)
    fine = np.linspace(low, high, 1001)
    edges = equal_shares(case.plot.marginal_s23(fine, nodes=30), fine, 60)
    if np.isfinite(case.plot.cut):
        # where the cut begins and ends to matter
        corners = [corner for corner in case.plot.s23_range(case.plot.cut) if low < corner < high]
        edges = np.unique([*edges, *corners])
    observed, _ = np.histogram(np.clip(case.s23, low, high), edges)
    shares = case.plot.marginal_s23(edges)
    # a cut may leave nothing at one end
    assert observed[shares == 0].sum() == 0
    assert chi_squared(observed[shares > 0], shares[shares > 0]) > P_MIN


@pytest.mark.parametrize(("name", "first"), [("pipipi", 0), ("pipi0pi0", 1), ("pigg", 1)])
def test_identical_particles_are_alike(name, first):
    decays = sampled(find(name), {}, N)
    energies = decays.momenta[first : first + 2, 3]
    edges = np.quantile(energies[0], np.linspace(0, 1, 51))[1:-1]
    counts = [np.bincount(np.searchsorted(edges, energy), minlength=50) for energy in energies]
    assert stats.chi2_contingency(counts).pvalue > P_MIN


@pytest.mark.parametrize("daughter", range(3))
def test_each_daughter_flies_in_all_directions_alike(case, daughter):
    px, py, pz, _ = case.decays.momenta[daughter]
    cosine = pz / np.sqrt(px**2 + py**2 + pz**2)
    azimuth = np.arctan2(py, px)
    observed, _, _ = np.histogram2d(cosine, azimuth, [np.linspace(-1, 1, 21), np.linspace(-np.pi, np.pi, 21)])
    assert chi_squared(observed.ravel(), np.full(400, 1 / 400)) > P_MIN


def test_the_decay_plane_is_turned_at_random(case):
    """The normal of the plane, and the direction of a daughter within it, seen along that normal."""
    p1, _, p3 = (case.decays.momenta[k, :3] for k in case.order)
    normal = np.cross(p1.T, p3.T)
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    assert chi_squared(np.histogram(normal[:, 2], np.linspace(-1, 1, 51))[0], np.full(50, 0.02)) > P_MIN
    # the horizontal line in the plane, from which the angle is counted
    level = np.cross(np.array([0.0, 0.0, 1.0]), normal)
    level /= np.linalg.norm(level, axis=1)[:, None]
    angle = np.arctan2((np.cross(normal, level) * p3.T).sum(axis=1), (level * p3.T).sum(axis=1))
    assert chi_squared(np.histogram(angle, np.linspace(-np.pi, np.pi, 51))[0], np.full(50, 0.02)) > P_MIN


def test_orientation_does_not_depend_on_the_point_of_the_plot(case):
    px, py, pz, _ = case.decays.momenta[case.order[2]]
    directions = [pz / np.sqrt(px**2 + py**2 + pz**2), np.arctan2(py, px)]
    for invariant in (case.s12, case.s23):
        tenth = np.searchsorted(np.quantile(invariant, np.arange(1, 10) / 10), invariant)
        for direction in directions:
            other = np.searchsorted(np.quantile(direction, np.arange(1, 10) / 10), direction)
            table = np.bincount(10 * tenth + other, minlength=100).reshape(10, 10)
            assert stats.chi2_contingency(table).pvalue > P_MIN


def test_every_number_becomes_a_decay_by_as_many_attempts_as_predicted(case):
    """And what lies above its bound is counted and has a weight above one; there should be nothing."""
    decays = case.decays
    assert_attempts(decays.attempts, N, decays.efficiency)
    assert decays.above == (decays.weight > 1).sum() <= ABOVE.get(case.process.name, 0.0) * N
    assert decays.weight.min() == 1
    # no two are the same, and none was left out
    assert len(np.unique(decays.momenta[0, 0])) == N


RETRIED = 150_000


class Attempts:
    """Decays 0 to RETRIED - 1 and how many attempts each of them took."""

    def __init__(self, case):
        source = sampler(case.process, case.process.values(case.values))
        block = DecayBlock(source.particles)
        key = stream_key(1, case.process.name)
        self.key, self.source = key, source
        self.each = np.empty(RETRIED, dtype=int)
        for number in range(RETRIED):
            block.number(number, 1)
            self.each[number], _ = source.settle(key, 1, FIRST, block, block.momenta)


FIRST = Draws(PROPOSAL, np.uint64(0), ORIENTATION, np.uint64(0))
SECOND = Draws(PROPOSAL, np.uint64(1), ORIENTATION, np.uint64(0))


@pytest.fixture(scope="module")
def attempts(case):
    return Attempts(case)


def test_attempts_follow_a_geometric_law(case, attempts):
    """And those of a block are those of its decays."""
    p = case.decays.efficiency
    observed = np.bincount(np.minimum(attempts.each, 3), minlength=4)[1:]
    expected = RETRIED * np.array([p, p * (1 - p), (1 - p) ** 2])
    assert observed.sum() == RETRIED
    assert stats.chisquare(observed, expected * RETRIED / expected.sum()).pvalue > P_MIN
    numbers = np.arange(RETRIED, dtype=np.uint64)
    assert numbered(case.process, case.values, numbers).attempts == attempts.each.sum()


def test_what_is_rejected_goes_on_with_its_next_attempt(case, attempts):
    """Attempt k uses draw k: begun one attempt later, a decay that was rejected once is the same to the last bit."""
    rejected = np.flatnonzero(attempts.each > 1).astype(np.uint64)
    one = numbered(case.process, case.values, rejected)
    other = numbered(case.process, case.values, rejected, draws=SECOND)
    assert one.attempts == other.attempts + len(rejected)
    assert one.momenta.tobytes() == other.momenta.tobytes()
    # and one that was not rejected is another
    accepted = np.flatnonzero(attempts.each == 1)[:1000].astype(np.uint64)
    one, other = (numbered(case.process, case.values, accepted, draws=draws) for draws in (FIRST, SECOND))
    assert (one.momenta[:, 3] != other.momenta[:, 3]).all(axis=0).mean() > 0.99


def test_late_decays_are_distributed_like_early_ones(case, attempts):
    """The few that were rejected at first would not be missed among all: both energies, and a direction."""
    late = attempts.each > 1
    assert late.sum() > 500
    momenta = case.decays.momenta[:, :, :RETRIED]
    for values in (case.s12[:RETRIED], case.s23[:RETRIED], momenta[0, 2] / np.sqrt((momenta[0, :3] ** 2).sum(axis=0))):
        assert stats.ks_2samp(values[late], values[~late]).pvalue > P_MIN


def test_a_decay_does_not_know_its_neighbours(case):
    """Numbers in any order, repeated, far apart and in blocks of any size: each has its own momenta."""
    rng = np.random.default_rng(4)
    numbers = rng.integers(0, 50_000, 20_000).astype(np.uint64)
    for size in (4096, 1000, 37):
        found = numbered(case.process, case.values, numbers, size=size)
        assert found.momenta.tobytes() == np.ascontiguousarray(case.decays.momenta[:, :, numbers.astype(int)]).tobytes()
        assert found.weight.tobytes() == case.decays.weight[numbers.astype(int)].tobytes()


def test_one_compiled_kernel_serves_all_amplitudes():
    """A kernel specialised to somebody's amplitude would poison the cache of everybody else."""
    sampled(find("munug"), {}, 64)
    sampled(find("pipipi"), {}, 64)
    assert len(three_body.settle.signatures) == 1
