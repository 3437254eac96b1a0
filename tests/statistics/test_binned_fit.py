"""Fits of binned models: truth from a general minimiser with every parameter explicit, closed forms, and toys."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import xlogy
from scipy.stats import kstest, norm

from kaongen.errors import StatisticsError
from kaongen.statistics.binned import Background, BinnedModel
from kaongen.statistics.binned_fit import discovery, fit, q_tilde

few = settings(max_examples=40, deadline=None)


def random_model(seed, bins, nuisances, signal_error=0.1, level=30.0):
    """A falling and a flat background that share one nuisance parameter, and a bump."""
    rng = np.random.default_rng(seed)
    falling = level * np.exp(-np.arange(bins) / bins) * rng.uniform(0.8, 1.2, bins)
    flat = np.full(bins, 0.3 * level)
    names = [f"n{j}" for j in range(nuisances)]
    first = {name: 0.15 * falling * rng.uniform(-1, 1, bins) for name in names}
    second = {name: 0.1 * flat * rng.uniform(-1, 1) for name in names[:1]}
    signal = np.exp(-0.5 * ((np.arange(bins) - 0.4 * bins) / max(0.1 * bins, 0.5)) ** 2)
    backgrounds = Background("falling", falling, 0.05 * falling, first), Background("flat", flat, 0.1 * flat, second)
    return BinnedModel(signal, backgrounds, signal_error)


def minus_log_likelihood(model, data, parameters, mu=None):
    """Every parameter explicit: mu unless given, theta_s, theta_j, gamma_i."""
    free = list(parameters)
    strength = free.pop(0) if mu is None else mu
    theta_s, rest = free[0], np.array(free[1:])
    thetas, gammas = rest[: len(model.nuisances)], rest[len(model.nuisances) :]
    nu = strength * (1 + model.signal_error * theta_s) * model.signal
    for b in model.backgrounds:
        nu = nu + b.events + sum(thetas[model.nuisances.index(k)] * v for k, v in b.variations.items())
    nu = nu + gammas * np.sqrt(sum(b.errors**2 for b in model.backgrounds))
    if (nu <= 0).any():
        return 1e6 + 1e6 * float(np.sum(np.maximum(-nu, 0)))
    return float(np.sum(nu - data - xlogy(data, nu) + xlogy(data, data)) + 0.5 * np.sum(np.square(free)))


def by_scipy(model, data, mu=None):
    start = np.zeros((mu is None) + 1 + len(model.nuisances) + model.bins)
    return minimize(lambda p: minus_log_likelihood(model, data, p, mu), start, method="BFGS", options={"gtol": 1e-5})


@pytest.mark.parametrize(("seed", "bins", "nuisances"), [(1, 1, 1), (2, 5, 0), (3, 8, 2), (4, 12, 3)])
@pytest.mark.parametrize("mu", [None, 0.0, 7.0])
def test_minimum_agrees_with_a_general_minimiser(seed, bins, nuisances, mu):
    model = random_model(seed, bins, nuisances)
    data = np.random.default_rng(seed).poisson(model.expected(4.0))
    found, truth = fit(model, data, mu), by_scipy(model, data, mu)
    assert found.minus_log_likelihood == pytest.approx(truth.fun, abs=2e-4)  # least statistical error, see BinnedModel
    assert found.minus_log_likelihood <= truth.fun + 1e-7
    p = list(truth.x)
    if mu is None:
        assert found.mu == pytest.approx(p.pop(0), abs=2e-3 * found.mu_error)
        assert found.mu_error == pytest.approx(math.sqrt(truth.hess_inv[0, 0]), rel=0.05)
    assert found.signal_shift == pytest.approx(p[0], abs=2e-3)
    assert list(found.nuisances.values()) == pytest.approx(p[1 : 1 + nuisances], abs=2e-3)
    assert found.statistical_shifts == pytest.approx(np.array(p[1 + nuisances :]), abs=5e-3)


@few
@given(seed=st.integers(0, 10**6), bins=st.integers(1, 40), nuisances=st.integers(0, 4),
       level=st.sampled_from([0.01, 1.0, 100.0, 1e6, 1e9]), mu=st.floats(0, 5))  # fmt: skip
def test_fit_is_stationary_and_keeps_the_expectation_positive(seed, bins, nuisances, level, mu):
    """The gradient in every parameter, from the formulas of the model and not from the code, vanishes."""
    model = random_model(seed, bins, nuisances, level=level)
    sigma = math.sqrt(level) + 0.1 * level
    data = np.random.default_rng(seed).poisson(model.expected(mu * sigma))
    result = fit(model, data, mu * sigma)
    t = model.templates
    theta = np.array(list(result.nuisances.values()))
    nu = result.mu * (1 + model.signal_error * result.signal_shift) * t.signal + t.background + theta @ t.variations
    nu = nu + t.shift * result.statistical_shifts
    assert result.expected == pytest.approx(np.maximum(nu, 0), rel=1e-9, abs=1e-9)
    used = nu > 1e-9 * t.background
    slope = np.where(used, 1 - data / np.where(used, nu, 1.0), -result.statistical_shifts / t.shift)
    scale = 1.0 + sigma
    assert slope * t.shift + result.statistical_shifts == pytest.approx(0, abs=1e-6 * scale)
    assert t.variations @ slope + theta == pytest.approx(0, abs=1e-6 * scale)
    assert result.mu * model.signal_error * t.signal @ slope + result.signal_shift == pytest.approx(0, abs=1e-6 * scale)


def test_empty_and_impossible_bins_do_not_break_the_fit():
    """Shifts larger than the content of a bin, no background in another, events far from any expectation."""
    variation = {"a": np.array([-0.9, 5.0, 0.0, 30.0])}
    background = Background("b", [0.1, 4.0, 0.0, 40.0], [0, 0, 0, 0], variation)
    model = BinnedModel([0.5, 1.0, 1.0, 0.0], (background,), 0.2)
    for data in ([0, 0, 0, 0], [0, 30, 0, 300], [3, 0, 2, 0], [0, 4, 0, 120]):
        for mu in (0.0, 1.0, 20.0, None):
            result = fit(model, data, mu)
            assert math.isfinite(result.minus_log_likelihood)
            assert (result.expected >= 0).all()
            here = minus_log_likelihood(model, np.array(data, float), [0.0, 0.0, 0, 0, 0, 0], mu or 1.0)
            assert result.minus_log_likelihood <= here + 1e-3


def test_one_bin_in_closed_form():
    """Known background: the best mu is (n - b) / s, its error sqrt(n) / s, and q_tilde a difference of deviances."""
    model = BinnedModel([2.0], (Background("b", [50.0]),))
    result = fit(model, [70])
    assert (result.mu, result.mu_error) == pytest.approx((10.0, math.sqrt(70) / 2), rel=1e-4)
    for mu, n, best in ((15.0, 70, 70.0), (15.0, 40, 50.0), (4.0, 70, None)):
        nu = 50 + 2 * mu
        q = 0.0 if best is None else 2 * ((nu - n * math.log(nu)) - (best - n * math.log(best)))
        assert q_tilde(model, [n], mu) == pytest.approx(q, rel=1e-4, abs=1e-9)


def test_background_known_to_a_gaussian_error_in_closed_form():
    """mu has the error sqrt(n + db^2), and the profiled background solves its quadratic equation."""
    n, b, error, s = 130.0, 100.0, 15.0, 12.0
    model = BinnedModel([1.0], (Background("b", [b], [error]),))
    assert fit(model, [n]).mu_error == pytest.approx(math.hypot(math.sqrt(n), error), rel=1e-3)
    nu = fit(model, [n], s).expected[0]
    assert (nu - n) / nu + (nu - s - b) / error**2 == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("mu", [0.0, 3.0, 40.0])
def test_asimov_data_return_what_was_put_in(mu):
    model = random_model(5, 10, 3)
    result = fit(model, model.asimov(mu))
    assert result.mu == pytest.approx(mu, abs=1e-6)
    assert result.minus_log_likelihood == pytest.approx(0.0, abs=1e-10)
    assert list(result.nuisances.values()) == pytest.approx([0, 0, 0], abs=1e-7)
    assert q_tilde(model, model.asimov(mu), mu) == pytest.approx(0.0, abs=1e-10)


def test_statistic_of_asimov_data_is_the_squared_distance_in_errors():
    """CCGV, equation (32): q = mu^2 / sigma^2 in the Gaussian limit."""
    model = random_model(6, 10, 2, signal_error=0.0, level=1e6)
    sigma = fit(model, model.asimov()).mu_error
    for distance in (0.5, 1.0, 3.0):
        assert q_tilde(model, model.asimov(), distance * sigma) == pytest.approx(distance**2, rel=5e-3)


@pytest.mark.parametrize("level", [1e-3, 1.0, 1e4, 1e8, 1e10])
def test_free_fit_finds_its_minimum_at_any_count(level):
    """No step of mu or of a nuisance parameter leads lower, and the statistic at the best mu vanishes."""
    model = random_model(11, 20, 3, level=level)
    data = np.random.default_rng(1).poisson(model.expected(2 * math.sqrt(level)))
    result = fit(model, data)
    for step in (-0.1, 0.1):
        if result.mu + step * result.mu_error >= 0.0:
            other = fit(model, data, result.mu + step * result.mu_error)
            assert other.minus_log_likelihood == pytest.approx(result.minus_log_likelihood + 0.005, rel=0.0, abs=0.003)
    if result.mu >= 0.0:
        assert q_tilde(model, data, result.mu) == pytest.approx(0.0, abs=1e-5)


def test_shared_names_are_one_parameter_and_other_names_are_not():
    """Two backgrounds that move together have the summed variance of a sum; apart, of a quadratic sum."""
    one, two = np.array([1000.0]), np.array([500.0])
    together = BinnedModel([1.0], (Background("a", one, [0], {"x": [60.0]}), Background("b", two, [0], {"x": [40.0]})))
    apart = BinnedModel([1.0], (Background("a", one, [0], {"x": [60.0]}), Background("b", two, [0], {"y": [40.0]})))
    assert fit(together, [1500]).mu_error == pytest.approx(math.sqrt(1500 + 100**2), rel=1e-3)
    assert fit(apart, [1500]).mu_error == pytest.approx(math.sqrt(1500 + 60**2 + 40**2), rel=1e-3)
    assert together.nuisances == ("x",)
    assert apart.nuisances == ("x", "y")


def test_injected_signals_are_recovered_without_bias():
    """600 experiments whose background follows its own nuisance parameters: mean of mu, and width of the pull."""
    model, rng, injected = random_model(7, 12, 2, signal_error=0.0, level=200.0), np.random.default_rng(2), 30.0
    t = model.templates
    pulls = []
    for _ in range(600):
        nu = model.expected(injected) + rng.normal(size=2) @ t.variations + rng.normal(size=12) * t.shift
        result = fit(model, rng.poisson(nu))
        pulls.append((result.mu - injected) / result.mu_error)
    assert np.mean(pulls) == pytest.approx(0.0, abs=4 / math.sqrt(600))
    assert np.std(pulls) == pytest.approx(1.0, abs=4 / math.sqrt(1200))


def test_p_values_are_uniform_without_signal():
    """Half of the experiments have no excess and p = 1/2; the others' are uniform below."""
    model, rng = random_model(8, 10, 2, level=300.0), np.random.default_rng(4)
    t = model.templates
    p = []
    for _ in range(1500):
        nu = model.expected() + rng.normal(size=2) @ t.variations + rng.normal(size=10) * t.shift
        p.append(discovery(model, rng.poisson(nu)).p_value)
    p = np.array(p)
    assert np.mean(p == 0.5) == pytest.approx(0.5, abs=0.06)
    assert kstest(2 * p[p < 0.5], "uniform").pvalue > 1e-3


@given(s=st.floats(0.1, 50), b=st.floats(1.0, 1000.0))
@few
def test_discovery_of_asimov_data_in_one_bin(s, b):
    """Z^2 = 2 [(s + b) log(1 + s / b) - s] (CCGV, equation (97))."""
    result = discovery(BinnedModel([1.0], (Background("b", [b]),)), [s + b])
    expected = math.sqrt(2 * ((s + b) * math.log1p(s / b) - s))
    assert result.significance == pytest.approx(expected, rel=1e-4)
    assert result.p_value == pytest.approx(norm.sf(result.significance), rel=1e-9)


def test_a_deficit_is_no_discovery():
    result = discovery(random_model(9, 6, 1), np.zeros(6))
    assert (result.q0, result.p_value, result.significance) == (0.0, 0.5, 0.0)


@pytest.mark.parametrize(
    ("message", "make"),
    [
        ("signal is 0 in every bin", lambda: BinnedModel([0.0], (Background("b", [1.0]),))),
        ("signal is -1.0 in bin 1", lambda: BinnedModel([0.0, -1.0], (Background("b", [1.0, 1.0]),))),
        ("signal has the shape", lambda: BinnedModel([[1.0]], (Background("b", [1.0]),))),
        ("'b' has 1 bins, but must have 2", lambda: BinnedModel([0.0, 1.0], (Background("b", [1.0]),))),
        ("events of the background 'b' is nan in bin 0", lambda: Background("b", [math.nan])),
        ("errors of the background 'b' has 2 bins, but must have 1", lambda: Background("b", [1.0], [1.0, 1.0])),
        ("variation 'x' of the background 'b' is inf", lambda: Background("b", [1.0], [0.0], {"x": [math.inf]})),
        ("must be a list of numbers", lambda: Background("b", ["many"])),
        ("backgrounds is empty", lambda: BinnedModel([1.0], ())),
        ("two backgrounds are called 'b'", lambda: BinnedModel([1.0], (Background("b", [1.0]),) * 2)),
        ("signal_error is 0.7", lambda: BinnedModel([1.0], (Background("b", [1.0]),), 0.7)),
        ("edges must be 2 rising", lambda: BinnedModel([1.0], (Background("b", [1.0]),), 0.1, [1.0, 0.0])),
    ],
)  # fmt: skip
def test_impossible_models_are_refused(message, make):
    with pytest.raises(StatisticsError, match=message):
        make()


@pytest.mark.parametrize(
    ("message", "data", "mu"),
    [("data has 2 bins, but must have 1", [1, 2], 0.0), ("data is -1.0 in bin 0", [-1], 0.0), ("mu is -1", [1], -1.0),
     ("data is nan", [math.nan], None), ("mu is nan", [1], math.nan)],
)  # fmt: skip
def test_impossible_data_are_refused(message, data, mu):
    with pytest.raises(StatisticsError, match=message):
        fit(BinnedModel([1.0], (Background("b", [1.0]),)), data, mu)
