"""Significance: truth from scipy's Gaussian, from Rice's formula, brute force and a likelihood fitted here."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import minimize_scalar

from kaongen.errors import StatisticsError
from kaongen.statistics.significance import (
    asimov_significance,
    global_p_value,
    global_p_value_from_toys,
    p_from_z,
    upcrossings,
    z_from_p,
)


@pytest.mark.parametrize("z", [-2.0, 0.0, 1.0, 3.0, 5.0, 9.0, 30.0])
def test_p_values_are_tails_of_a_gaussian(z):
    assert float(p_from_z(z)) == pytest.approx(stats.norm.sf(z), rel=1e-12)
    assert float(p_from_z(z, two_sided=True)) == pytest.approx(stats.chi2.sf(z * z, 1), rel=1e-10)
    assert float(z_from_p(p_from_z(z))) == pytest.approx(z, abs=1e-9)
    if z >= 0.0:
        assert float(z_from_p(p_from_z(z, two_sided=True), two_sided=True)) == pytest.approx(z, abs=1e-9)


def test_five_sigma_and_the_ends():
    assert float(p_from_z(5.0)) == pytest.approx(2.866516e-7, rel=1e-6)
    assert float(p_from_z(5.0, two_sided=True)) == pytest.approx(5.733031e-7, rel=1e-6)
    assert np.isposinf(z_from_p(0.0))
    assert np.array_equal(z_from_p([0.5, 1.0]), [0.0, -np.inf])


@given(p=st.floats(1e-300, 1.0))
def test_two_sides_are_twice_one(p):
    assert float(z_from_p(p, two_sided=True)) == float(z_from_p(p / 2))


def test_upcrossings_are_counted_along_the_last_axis():
    assert upcrossings([0.0, 2.0, 2.0, 0.5, 1.0, 0.0, 3.0], 1.0) == 3
    assert upcrossings([2.0, 1.5, 0.0], 1.0) == 0  # a scan that begins above does not cross
    assert np.array_equal(upcrossings([[0.0, 1.0], [1.0, 0.0]], 0.5), [1, 0])


def smooth_gaussians(experiments, points, length, spacing, seed):
    """Stationary Gaussian processes of unit variance with correlation exp(-d^2 / 2 l^2): white noise, smeared."""
    rng = np.random.default_rng(seed)
    reach = int(6 * length / spacing)
    kernel = np.exp(-((np.arange(-reach, reach + 1) * spacing / length) ** 2))
    kernel /= np.sqrt(np.sum(kernel**2))
    noise = rng.normal(size=(experiments, points + 2 * reach))
    spectrum = np.fft.rfft(noise, axis=1) * np.fft.rfft(kernel, noise.shape[1])
    return np.fft.irfft(spectrum, noise.shape[1], axis=1)[:, 2 * reach :]


def test_mean_upcrossings_follow_rice():
    """Range / (2 pi l) exp(-u^2 / 2) for a process of correlation exp(-d^2 / 2 l^2)."""
    length, spacing, points = 1.0, 0.1, 400
    scan = np.maximum(smooth_gaussians(2000, points, length, spacing, 5), 0.0) ** 2
    for level in (0.5, 2.0):
        counts = upcrossings(scan, level)
        expected = (points - 1) * spacing / (2 * math.pi * length) * math.exp(-0.5 * level)
        assert counts.mean() == pytest.approx(expected, abs=4 * counts.std() / math.sqrt(2000) + 0.005 * expected)


def test_global_p_value_agrees_with_brute_force():
    """Upcrossings of a low level in 200 toys predict how often the maximum of 20000 others is large."""
    scans = np.maximum(smooth_gaussians(20_200, 300, 1.0, 0.1, 7), 0.0) ** 2
    few, many = scans[:200], scans[200:].max(axis=1)
    level = 0.5
    counts = upcrossings(few, level)
    for q in (9.0, 12.0, 16.0):
        share = np.mean(many >= q)
        predicted = float(global_p_value(q, counts.mean(), level))
        error = math.hypot(math.sqrt(share / many.size), predicted * counts.std() / math.sqrt(200) / counts.mean())
        # the formula is an upper bound, which overcounts where one scan has two maxima: up to p^2
        assert predicted == pytest.approx(share, abs=3.5 * error + share**2)
        assert float(global_p_value_from_toys(q, many)) == pytest.approx(share, abs=1e-4)


def test_global_p_value_of_one_hypothesis_is_the_local_one():
    assert float(global_p_value(9.0, 0.0, 0.5)) == pytest.approx(stats.norm.sf(3.0), rel=1e-12)
    assert float(global_p_value(1.0, 1e6, 0.5)) == 1.0


def test_global_p_value_from_toys_counts_ties_and_is_never_zero():
    maxima = [1.0, 2.0, 2.0, 5.0]
    assert np.allclose(global_p_value_from_toys([0.0, 2.0, 5.0, 6.0], maxima), [1.0, 0.8, 0.4, 0.2])


def profiled_significance(s, b, error):
    """sqrt(q0) of n = s + b and an auxiliary count m = tau b, the background fitted by scipy."""
    tau = b / error**2
    n, m = s + b, tau * b

    def minus_log(signal, background):
        return -stats_log_poisson(n, signal + background) - stats_log_poisson(m, tau * background)

    fitted = minimize_scalar(lambda x: minus_log(0.0, x), bounds=(b, n + b), method="bounded", options={"xatol": 1e-11})
    return math.sqrt(2.0 * (fitted.fun - minus_log(s, b)))


def stats_log_poisson(n, mean):
    return n * math.log(mean) - mean


@pytest.mark.parametrize(("s", "b", "error"), [(5.0, 2.0, 0.5), (1.0, 10.0, 5.0), (40.0, 100.0, 3.0), (3.0, 0.2, 0.2)])
def test_asimov_significance_with_background_error_is_that_of_the_fit(s, b, error):
    assert float(asimov_significance(s, b, error)) == pytest.approx(profiled_significance(s, b, error), rel=1e-5)


def test_asimov_significance_of_a_known_background():
    s, b = np.array([0.0, 1.0, 10.0]), 4.0
    q = 2 * (stats_difference(s + b, s + b) - stats_difference(s + b, b))
    assert asimov_significance(s, b) == pytest.approx(np.sqrt(q), rel=1e-12)
    assert asimov_significance(s, b, 1e-9) == pytest.approx(asimov_significance(s, b), rel=1e-6)
    assert float(asimov_significance(1.0, 1e8)) == pytest.approx(1e-4, rel=1e-6)  # s / sqrt(b)
    assert float(asimov_significance(1e3, 1e8, 1e5)) == pytest.approx(1e3 / math.sqrt(1e8 + 1e10), rel=1e-3)


def stats_difference(n, mean):
    return n * np.log(mean) - mean


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: z_from_p(1.5), "p is 1.5"),
        (lambda: z_from_p([0.1, math.nan]), "p is nan"),
        (lambda: upcrossings([1.0], 0.5), "two hypotheses"),
        (lambda: upcrossings([1.0, 2.0], 0.0), "level is 0.0"),
        (lambda: global_p_value(0.3, 1.0, 0.5), "q_max is 0.3"),
        (lambda: global_p_value(3.0, -1.0, 0.5), "mean_upcrossings is -1.0"),
        (lambda: global_p_value_from_toys(1.0, []), "toy_maxima"),
        (lambda: asimov_significance(-1.0, 1.0), "signal is -1.0"),
        (lambda: asimov_significance(1.0, 0.0), "background is 0.0"),
        (lambda: asimov_significance(1.0, [1.0, 2.0], [0.1, math.inf]), "background_error is inf"),
    ],
)
def test_impossible_numbers_are_named(call, words):
    with pytest.raises(StatisticsError, match=words.replace(".", r"\.")):
        call()
