"""Poisson numbers: their distribution against scipy's, and their independence."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

from kaongen.jit import block_kernel
from kaongen.random import stream_key
from kaongen.statistics.poisson import log_factorial, poisson

KEY = stream_key(11, "poisson")


@block_kernel
def numbers(key, stream, mean, out):
    for i in range(out.size):
        out[i] = poisson(key, np.uint64(i), np.uint64(stream), mean)


@block_kernel
def log_factorials(k, out):
    for i in range(k.size):
        out[i] = log_factorial(k[i])


def draws(mean, size=200_000, stream=0):
    out = np.empty(size)
    numbers(KEY, stream, mean, out)
    return out


@pytest.mark.parametrize("mean", [0.03, 1.0, 7.3, 11.99, 12.0, 13.5, 60.0, 900.0])
def test_counts_follow_the_poisson_distribution(mean):
    """Pearson's chi-squared; 8 means, each with a false alarm of 1e-5."""
    n = draws(mean)
    assert (n >= 0).all()
    assert np.array_equal(n, np.floor(n))
    low, high = stats.poisson.ppf([1e-4, 1 - 1e-4], mean)
    edges = np.arange(low, high + 1)
    expected = n.size * np.diff(np.concatenate(([0.0], stats.poisson.cdf(edges, mean), [1.0])))
    observed = np.bincount(np.clip(n - low, 0, high - low + 1).astype(int), minlength=expected.size)
    keep = expected > 5
    chi2 = np.sum((observed[keep] - expected[keep]) ** 2 / expected[keep])
    assert stats.chi2.sf(chi2, keep.sum() - 1) > 1e-5


@pytest.mark.parametrize("mean", [1e5, 1e9, 1e11])
def test_large_counts_are_gaussian(mean):
    """Skewness of the Poisson distribution at 1e5 is 0.003, not seen in 2e5 numbers."""
    pull = (draws(mean) - mean) / math.sqrt(mean)
    assert stats.kstest(pull, "norm").pvalue > 1e-4


def test_no_mean_no_count():
    assert not draws(0.0, 100).any()
    assert not draws(-1.0, 100).any()


def test_streams_and_neighbours_are_independent():
    a, b = draws(20.0), draws(20.0, stream=1)
    for x, y in ((a, b), (a[:-1], a[1:])):
        assert abs(np.corrcoef(x, y)[0, 1]) < 5 / math.sqrt(a.size)
    assert np.array_equal(a[:1000], draws(20.0, 1000))


def test_log_factorial():
    k = np.concatenate((np.arange(200.0), [1e4, 1e7, 1e10]))
    out = np.empty_like(k)
    log_factorials(k, out)
    assert out == pytest.approx(gammaln(k + 1), rel=1e-13, abs=1e-11)
