"""Three-body decays: conservation laws exactly, and distributions against |M|^2 integrated by other means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phase_space import P_MIN, ROLES, equal_shares, label, plot_of, sampled
from scipy import stats

from kaongen.decays import three_body
from kaongen.decays.catalogue import find
from kaongen.particles import M_K

CASES = [
    ("munug", {"E_gamma_min": 0.01}),
    ("pi0munu", {}),
    ("pipipi", {}),
    ("munuV", {"m_X": 0.01}),
    ("munuV", {"m_X": 0.2}),
    ("munuphi", {"m_X": 0.05}),
    ("munuphi", {"m_X": 0.38}),
]

CANDIDATES = 1_000_000


class Case:
    def __init__(self, name, values):
        self.process = find(name)
        self.plot = plot_of(name, values)
        self.decays = sampled(self.process, values, CANDIDATES)
        self.masses = self.process.masses(self.process.values(values))
        # positions in the decay of the particles 1, 2, 3; the two pi+ are alike and stand first
        daughters = list(self.process.daughters)
        self.order = [0, 1, 2] if name == "pipipi" else [daughters.index(role) for role in ROLES[name]]

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
    observed, _ = np.histogram(np.clip(case.s23, low, high), edges)
    assert chi_squared(observed, case.plot.marginal_s23(edges)) > P_MIN


def test_identical_pions_are_alike():
    decays = sampled(find("pipipi"), {}, CANDIDATES)
    energies = decays.momenta[:2, 3]
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


def test_as_many_candidates_are_accepted_as_predicted(case):
    """Binomial within 5 standard deviations, and nothing above its bound."""
    decays = case.decays
    predicted = decays.efficiency
    error = np.sqrt(predicted * (1 - predicted) / CANDIDATES)
    assert decays.index.size / CANDIDATES == pytest.approx(predicted, abs=5 * error)
    assert decays.above == 0
    assert (decays.weight == 1).all()


def test_decays_keep_the_numbers_of_their_candidates(case):
    index = case.decays.index.astype(np.int64)
    assert (np.diff(index) > 0).all()
    assert index[0] >= 0
    assert index[-1] < CANDIDATES


def test_one_compiled_kernel_serves_all_amplitudes():
    """A kernel specialised to somebody's amplitude would poison the cache of everybody else."""
    sampled(find("munug"), {}, 64)
    sampled(find("pipipi"), {}, 64)
    assert len(three_body.propose.signatures) == 1
