"""Side bands of K+ -> mu+ N: polynomials through the data beside a window, against exact ones and toys."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from kaongen.analysis.heavy_neutrino_side_bands import bands, estimate
from kaongen.errors import StatisticsError

LIMITS = (0.188, 0.386)
PAPER = {"window": 1.5, "side": 11.25, "width": 0.75, "limits": LIMITS}


def polynomial(*coefficients, centre=0.3):
    """Counts of a density that is a polynomial in (m - centre)/10 MeV, per GeV, integrated exactly."""

    def counts(edges):
        x = (np.asarray(edges) - centre) / 0.01
        primitive = sum(0.01 * c * x ** (k + 1) / (k + 1) for k, c in enumerate(coefficients))
        return np.diff(primitive)

    return counts


def fixed(where, values):
    """Counts of bins that were drawn before: below and above, as the fit asks for them."""
    split = len(where.below) - 1
    kept = {len(where.below): values[:split], -1: values[split:]}

    def counts(edges):
        return kept[len(edges)] if edges[0] == where.below[0] else kept[-1]

    return counts


def test_bands_of_the_paper():
    """1.5 sigma on either side are the window, 13 bins of 0.75 sigma reach 11.25 sigma."""
    where = bands(0.3, 0.0012, **PAPER)
    assert where.window == (pytest.approx(0.3 - 0.0018), pytest.approx(0.3 + 0.0018))
    assert len(where.below) == len(where.above) == 14
    assert np.diff(where.below) == pytest.approx(0.75 * 0.0012)
    assert where.below[[0, -1]] == pytest.approx([0.3 - 11.25 * 0.0012, 0.3 - 0.0018])
    assert where.above[[0, -1]] == pytest.approx([0.3 + 0.0018, 0.3 + 11.25 * 0.0012])


@pytest.mark.parametrize(("m_n", "sigma"), [(0.2, 0.0026), (0.384, 0.0002), (0.383, 0.0008)])
def test_bands_end_at_the_limits(m_n, sigma):
    where = bands(m_n, sigma, **PAPER)
    assert where.below[0] == pytest.approx(max(LIMITS[0], m_n - 11.25 * sigma))
    assert where.above[-1] == pytest.approx(min(LIMITS[1], m_n + 11.25 * sigma))
    assert np.all(np.diff(where.below) > 0.0)
    assert np.all(np.diff(where.above) > 0.0)
    assert np.all(np.diff(where.below)[1:] == pytest.approx(0.75 * sigma))


@pytest.mark.parametrize("m_n", [0.189, 0.3858])
def test_a_window_beyond_the_limits_is_refused(m_n):
    with pytest.raises(StatisticsError, match=rf"m_N = {m_n:g} GeV, .* is not within 0\.188 to 0\.386 GeV"):
        bands(m_n, 0.001, **PAPER)


def test_too_few_bins_are_refused():
    where = bands(0.3, 0.001, window=1.5, side=2.25, width=0.75, limits=LIMITS)
    with pytest.raises(StatisticsError, match="has 2 bins of side bands, too few for a polynomial of order 3"):
        estimate(where, polynomial(1e5))


@pytest.mark.parametrize("coefficients", [(1e5,), (1e5, -3e4), (2e5, -4e4, 1e4)])
@pytest.mark.parametrize(("m_n", "sigma"), [(0.3, 0.0012), (0.2, 0.0026), (0.384, 0.0003)])
def test_exact_polynomials_come_back(coefficients, m_n, sigma):
    """Up to the second order the window holds their integral, and the third order nothing else."""
    where = bands(m_n, sigma, **PAPER)
    density = polynomial(*coefficients, centre=m_n)
    found = estimate(where, density)
    assert found.expected == pytest.approx(float(density(np.array(where.window))[0]), rel=1e-8)
    assert found.systematic < 1e-6 * found.expected
    assert found.error == pytest.approx(found.statistical)


def test_a_third_order_is_the_systematic():
    """Where the side bands are not symmetric; at least squares and maximum likelihood agree on exact numbers."""
    where = bands(0.2, 0.0026, **PAPER)
    density = polynomial(3e5, -5e4, 4e3, -1.5e3, centre=0.2)
    truth, found = float(density(np.array(where.window))[0]), estimate(where, density)
    assert abs(found.expected - truth) > 5.0
    assert found.systematic == pytest.approx(abs(found.expected - truth), rel=1e-6)
    assert estimate(where, density, order=3).expected == pytest.approx(truth, rel=1e-8)


@pytest.mark.parametrize(("m_n", "sigma", "level"), [(0.25, 0.0018, 3e5), (0.384, 0.0003, 4e4), (0.36, 0.0006, 1e5)])
def test_the_fit_is_the_maximum_of_the_likelihood(m_n, sigma, level):
    """Found once more by a minimiser that knows only the likelihood."""
    rng = np.random.default_rng(5)
    where = bands(m_n, sigma, **PAPER)
    density = polynomial(level, -0.2 * level, centre=m_n)
    drawn = rng.poisson(np.concatenate([density(where.below), density(where.above)])).astype(float)
    edges = [(e[i], e[i + 1]) for e in (where.below, where.above) for i in range(len(e) - 1)]

    def integral(c, low, high):
        x = [(edge - m_n) / sigma for edge in (low, high)]
        return sigma * sum(c[k] * (x[1] ** (k + 1) - x[0] ** (k + 1)) / (k + 1) for k in range(3))

    def minus_log(c):
        means = np.array([integral(c, *edge) for edge in edges])
        return 1e9 if means.min() <= 0 else float((means - drawn * np.log(means)).sum())

    start = [drawn.sum() / sum(b - a for a, b in edges), 0.0, 0.0]
    best = minimize(minus_log, start, method="Nelder-Mead",
                    options={"maxiter": 20000, "maxfev": 20000, "xatol": 1e-6 * start[0], "fatol": 1e-10})  # fmt: skip
    found = estimate(where, fixed(where, drawn))
    assert found.expected == pytest.approx(integral(best.x, *where.window), rel=2e-3, abs=0.02)


def toys(where, density, number, seed):
    rng = np.random.default_rng(seed)
    means = np.concatenate([density(where.below), density(where.above)])
    return [estimate(where, fixed(where, rng.poisson(means).astype(float))) for _ in range(number)]


@pytest.mark.parametrize(("m_n", "sigma", "level"), [(0.25, 0.0018, 3.3e5), (0.38, 0.0003, 5e4)])
def test_neither_biased_nor_too_sure(m_n, sigma, level):
    """Of 400 experiments the mean is the truth, the scatter the stated error, and 68% lie within it."""
    where = bands(m_n, sigma, **PAPER)
    density = polynomial(level, -0.3 * level * sigma / 0.0018, centre=m_n)
    truth = float(density(np.array(where.window))[0])
    found = toys(where, density, 400, seed=11)
    pulls = np.array([(e.expected - truth) / e.statistical for e in found])
    values = np.array([e.expected for e in found])
    # 3.5 standard errors each: of a mean, of a scatter (1/sqrt(800)), of a binomial share
    assert values.mean() == pytest.approx(truth, abs=3.5 * values.std() / 20.0)
    assert pulls.std() == pytest.approx(1.0, abs=3.5 / math.sqrt(800))
    assert np.mean(np.abs(pulls) < 1.0) == pytest.approx(0.683, abs=3.5 * math.sqrt(0.683 * 0.317 / 400))


def test_the_systematic_of_expectations_is_that_of_experiments():
    """The root mean square of the difference of two orders over experiments, near the edge where it matters."""
    where = bands(0.203, 0.0026, **PAPER)
    density = polynomial(4e5, -6e4, 5e3, -1e3, centre=0.203)
    found = toys(where, density, 500, seed=12)
    expected = estimate(where, density, asimov=True)
    rms = math.sqrt(np.mean([e.systematic**2 for e in found]))
    assert expected.systematic == pytest.approx(rms, rel=0.12)
    assert expected.systematic > estimate(where, density).systematic
    assert expected.statistical == pytest.approx(np.mean([e.statistical for e in found]), rel=0.01)


def test_a_peak_in_the_window_does_not_count_as_background():
    """The fit sees side bands alone: of 86.6% of a line in the window 13.4% lie there, and shift it by little."""
    where = bands(0.3, 0.0012, **PAPER)
    density = polynomial(1.7e5, -3e4)

    def with_peak(edges):
        z = (np.asarray(edges) - 0.3) / 0.0012
        below = np.array([0.5 * (1.0 + math.erf(x / math.sqrt(2.0))) for x in z])
        return density(edges) + 100.0 * np.diff(below)

    clean, peaked = estimate(where, density), estimate(where, with_peak)
    window = np.array(where.window)
    excess = float(with_peak(window)[0]) - peaked.expected
    assert float(with_peak(window)[0]) - clean.expected == pytest.approx(86.6, abs=0.1)
    # what leaks into the side bands takes from it less than a standard error of the background
    assert 0.0 < 86.6 - excess < clean.error
    assert excess == pytest.approx(86.6, rel=0.15)


def test_no_events_no_background():
    found = estimate(bands(0.3, 0.0012, **PAPER), lambda edges: np.zeros(len(edges) - 1))
    assert (found.expected, found.error) == (0.0, 0.0)


def test_few_events_never_make_a_negative_background():
    where = bands(0.384, 0.0002, **PAPER)
    rng = np.random.default_rng(3)
    bins = where.bins
    for _ in range(200):
        found = estimate(where, fixed(where, rng.poisson(0.3, bins).astype(float)))
        assert found.expected >= 0.0
        assert math.isfinite(found.error)
