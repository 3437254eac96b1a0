"""Sampled Dalitz plots of every three-body process against their amplitudes, with daughters by name; efficiencies."""

from functools import cache

import numpy as np
import pytest
from by_name import P_MIN, THREE_BODY, K, label, minkowski_square, sampled
from plots_by_name import Plot
from scipy import stats

from kaongen.decays.catalogue import find

N = 200_000

POINTS = {
    "pipipi": [{}, {"g": 0.3, "h": 0.1, "k": -0.1}],
    "pipi0pi0": [{}, {"g": -0.7, "a": 0.5, "b": -0.9, "q": 0.3}],
    "pi0enu": [{}],
    "pi0munu": [{}, {"lambda_plus": 0.15, "lambda_plus2": -0.05, "lambda_zero": -0.1}],
    "pinunu": [{}, {"lambda_plus": -0.05, "lambda_plus2": 0.1}],
    "piee": [{}, {"a": 0.0, "b": 1.0}],
    "pimumu": [{}],
    "pigg": [{}, {"c_hat": -3.0}],
    "munug": [{}, {"E_gamma_min": 0.001}, {"E_gamma_min": 0.05, "F_V": 0.6, "F_V_slope": -1.0, "F_A": -0.3}],
    "enug": [
        {},
        {"E_gamma_min": 0.001},
        {"E_gamma_min": 0.1},
        {"E_gamma_min": 0.1, "F_V": 0.3, "F_V_slope": -1.5, "F_A": -0.2},
    ],
    "pipi0g": [{}, {"E_gamma_min": 0.001}, {"E_gamma_min": 0.05, "X_E": -500.0, "X_M": 700.0, "cos_phase": -0.5}],
    "munuV": [{"m_X": m} for m in (0.001, 0.02, 0.1, 0.25, 0.38)],
    "munuphi": [{"m_X": m} for m in (0.001, 0.1, 0.38)],
    "piaa": [{"m_a": m} for m in (0.0, 0.05, 0.17)],
}

CASES = [(name, given) for name in THREE_BODY for given in POINTS[name]]


every_case = pytest.mark.parametrize(("name", "given"), CASES, ids=label)


class Case:
    """Sampled decays as a point (s12, s23) each, and the plot they should fill."""

    def __init__(self, name, given):
        self.plot = Plot(name, find(name).values(given))
        self.decays = sampled(name, given, N)
        one, _, three = (self.decays.p[role] for role in self.plot.amplitude.roles)
        # from the energy of the third: for light pairs their own mass is a difference
        self.s12, self.s23 = recoil_squared(three), recoil_squared(one)


def recoil_squared(p):
    return K**2 + minkowski_square(p) - 2 * K * p[:, 3]


@cache
def case_at(name, given):
    return Case(name, dict(given))


@pytest.fixture
def case(name, given):
    return case_at(name, tuple(given.items()))


def fine_edges(low, high, n, logarithmic):
    """Many edges: dense at both ends, where poles and phase space want them."""
    x = np.linspace(-np.log(1e9), np.log(1e9), n + 1)
    share = 1 / (1 + np.exp(-x))
    share[0], share[-1] = 0.0, 1.0
    share = np.union1d(share, np.linspace(0, 1, n + 1))
    if logarithmic and low > 0:
        # and all over in the logarithm
        return np.union1d(low * (high / low) ** share, low + share * (high - low))
    return low + share * (high - low)


def equal_shares(contents, edges, bins):
    """Edges of some of the fine bins, such that the content is about equal."""
    reached = np.concatenate([[0.0], np.cumsum(contents)])
    at = np.searchsorted(reached / reached[-1], np.arange(1, bins) / bins)
    return np.union1d(edges[at], [edges[0], edges[-1]])


def chi_squared(observed, expected):
    """p-value; what is expected is normalised."""
    assert observed.sum() == N
    expected = expected * N / expected.sum()
    assert expected.min() > 4
    return stats.chisquare(observed, expected).pvalue


@every_case
def test_mass_of_the_first_two(case):
    low, high = case.plot.s12_range
    fine = fine_edges(low, high, 150, True)
    edges = equal_shares(case.plot.marginal_s12(fine, 2), fine, 50)
    observed, _ = np.histogram(np.clip(case.s12, low, high), edges)
    assert chi_squared(observed, case.plot.marginal_s12(edges)) > P_MIN


@every_case
def test_mass_of_the_last_two(case):
    low, high = case.plot.s23_range
    # where the limits of s12 meet there is nothing to integrate
    fine = fine_edges(max(low, 1e-12), high, 150, True)
    edges = equal_shares(case.plot.marginal_s23(fine, 2), fine, 50)
    observed, _ = np.histogram(np.clip(case.s23, edges[0], edges[-1]), edges)
    assert chi_squared(observed, case.plot.marginal_s23(edges)) > P_MIN


@every_case
def test_dalitz_plot(case):
    low, high = case.plot.s12_range
    fine = fine_edges(low, high, 150, True)
    edges_s12 = equal_shares(case.plot.marginal_s12(fine, 2), fine, 14)
    fine = fine_edges(0.0, 1.0, 150, False)
    edges_w = equal_shares(case.plot.contents(edges_s12, fine, 2, 5).sum(axis=0), fine, 14)
    s12 = np.clip(case.s12, low, high)
    bottom, top = case.plot.s23_at(s12)
    w = np.clip((case.s23 - bottom) / np.maximum(top - bottom, 1e-15), 0, 1)
    observed, _, _ = np.histogram2d(s12, w, [edges_s12, edges_w])
    expected = case.plot.contents(edges_s12, edges_w)
    assert chi_squared(observed.ravel(), expected.ravel()) > P_MIN


SPIKES = ("enug", "piee")
"""At the rim of their plots, a millionth of its width wide, |M|^2 rises by more than a cell shows."""


@every_case
def test_efficiency(case):
    """At least 95%, as many attempts as predicted within 5 standard deviations, and nothing above its bound.

    Where that cannot be, what lies above is less than a ten thousandth of all.
    """
    decays = case.decays
    assert decays.efficiency > 0.95
    error = np.sqrt(decays.efficiency * (1 - decays.efficiency) / decays.attempts)
    assert N / decays.attempts == pytest.approx(decays.efficiency, abs=5 * error)
    assert decays.above == np.count_nonzero(decays.weight > 1)
    assert (decays.weight - 1).sum() <= (1e-4 * N if case.plot.name in SPIKES else 0)
