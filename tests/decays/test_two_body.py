"""Two-body decays, and the muon of K -> mu nu nu nubar: momenta, conservation laws, directions and the spectrum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phase_space import P_MIN, sampled
from scipy import stats
from scipy.integrate import quad

from kaongen.amplitudes import munununu
from kaongen.decays.catalogue import find
from kaongen.errors import ProcessError
from kaongen.particles import M_K, M_MU

END = (M_K**2 - M_MU**2) / (2 * M_K)
"""Of the muon's spectrum in K -> mu nu nu nubar: massless neutrinos flying together."""

CASES = [("munu", {}), ("muN", {"m_N": 0.263}), ("mununubarnu", {})]
N = 1_000_000


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case[0])
def decays(request):
    name, values = request.param
    return sampled(find(name), values, N)


def assert_conserved(decays):
    total = decays.momenta.sum(axis=0)
    assert np.abs(total[:3]).max() < 1e-15
    assert np.abs(total[3] - M_K).max() < 1e-15
    assert np.abs(decays.mass_squared(0) - M_MU**2).max() < 1e-12 * M_K**2


def test_every_attempt_is_a_decay_of_weight_one(decays):
    assert decays.efficiency == 1
    assert decays.attempts == N
    assert decays.above == 0
    assert (decays.weight == 1).all()
    # no two are the same
    assert len(np.unique(decays.momenta[0, :3], axis=1).T) == N


def test_energy_momentum_and_the_muon_mass(decays):
    assert_conserved(decays)


def test_directions_are_isotropic(decays):
    px, py, pz, _ = decays.momenta[0]
    cosine, azimuth = pz / np.sqrt(px**2 + py**2 + pz**2), np.arctan2(py, px)
    observed, _, _ = np.histogram2d(cosine, azimuth, [np.linspace(-1, 1, 21), np.linspace(-np.pi, np.pi, 21)])
    assert stats.chisquare(observed.ravel()).pvalue > P_MIN


def test_the_momentum_of_k_mu_nu_is_that_of_the_pdg_tables():
    """236 MeV/c, and (m_K^2 - m_mu^2)/2m_K with the masses of the tables."""
    decays = sampled(find("munu"), {}, 2000)
    momentum = np.sqrt((decays.momenta[:, :3] ** 2).sum(axis=1))
    assert momentum == pytest.approx(np.full((2, 2000), 0.2355318235), abs=1e-10)
    assert np.abs(decays.mass_squared(1)).max() < 1e-12 * M_K**2


@settings(max_examples=30)
@given(st.floats(0.0, 0.3875), st.integers(0, 2**64))
def test_the_recoil_has_the_mass_of_the_heavy_neutrino(m_n, seed):
    decays = sampled(find("muN"), {"m_N": m_n}, 1500, seed)
    assert_conserved(decays)
    assert np.abs(decays.mass_squared(1) - m_n**2).max() < 1e-12 * M_K**2
    assert decays.momenta[0, 3] == pytest.approx(np.full(1500, (M_K**2 + M_MU**2 - m_n**2) / (2 * M_K)), rel=1e-13)


def test_a_heavy_neutrino_without_mass_is_a_neutrino():
    assert find("muN").momentum({"m_N": 0.0}) == find("munu").momentum({})


def cumulative(p):
    """Integral of the published polynomial, term by term (MeV)."""
    coefficients = [2.234e-22, 2.043e-22, 8.368e-26, -1.632e-26, 7.338e-29, -9.035e-32]
    q = 1000 * np.asarray(p)
    return sum(c * q ** (k + 2) / (k + 2) for k, c in enumerate(coefficients))


def test_the_judge_itself():
    area, _ = quad(munununu.momentum_spectrum.py_func, 0, END)
    assert cumulative(END) == pytest.approx(area, rel=1e-9)
    assert area == pytest.approx(1.634e-16, rel=1e-3)


def test_the_muon_of_k_mu_three_nu_follows_its_spectrum():
    decays = sampled(find("mununubarnu"), {}, 1_000_000)
    momentum = np.sqrt((decays.momenta[0, :3] ** 2).sum(axis=0))
    assert momentum.max() <= END
    assert stats.kstest(momentum, lambda p: cumulative(p) / cumulative(END)).pvalue > P_MIN
    edges = np.linspace(0, END, 101)
    expected = np.diff(cumulative(edges)) / cumulative(END) * momentum.size
    observed, _ = np.histogram(momentum, edges)
    clear = expected > 20
    assert clear.sum() > 90
    rare = [observed[~clear].sum()], [expected[~clear].sum()]
    joined = [np.concatenate([values[clear], rest]) for values, rest in zip((observed, expected), rare, strict=True)]
    assert stats.chisquare(*joined).pvalue > P_MIN


def test_momentum_and_direction_are_independent():
    px, py, pz, _ = sampled(find("mununubarnu"), {}, 1_000_000).momenta[0]
    momentum = np.sqrt(px**2 + py**2 + pz**2)
    tenths = [
        np.searchsorted(np.quantile(values, np.arange(1, 10) / 10), values)
        for values in (momentum, pz / momentum, np.arctan2(py, px))
    ]
    for direction in tenths[1:]:
        table = np.bincount(10 * tenths[0] + direction, minlength=100).reshape(10, 10)
        assert stats.chi2_contingency(table).pvalue > P_MIN


def test_only_a_two_body_decay_has_one_momentum():
    for name, values in (("pipipi", {}), ("mununubarnu", {})):
        with pytest.raises(ProcessError):
            find(name).momentum(find(name).values(values))
