"""The Poisson distribution and its average: truth from exact sums of fractions, and from a dense trapezoid."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from kaongen.statistics.averaged_poisson import log_averaged_cdf, log_poisson_cdf, log_truncation_norm


def exact_log_cdf(n, mean):
    """log of exp(-mean) sum mean^k / k!, the sum in rational numbers."""
    term = total = Fraction(1)
    for k in range(1, n + 1):
        term = term * mean / k
        total += term
    digits = max(total.numerator.bit_length() - total.denominator.bit_length(), 0)
    return math.log(total / 2**digits) + digits * math.log(2.0) - mean


@pytest.mark.parametrize("n", [0, 1, 2, 17, 300, 999, 1001, 1500])
@pytest.mark.parametrize("standard_deviations", [-4, 0, 1, 6, 25, 29, 31, 100])
def test_log_cdf_is_the_exact_sum(n, standard_deviations):
    mean = max(round(n + 1 + standard_deviations * math.sqrt(n + 1)), 1)
    exact = exact_log_cdf(n, mean)
    assert float(log_poisson_cdf(n, mean)) == pytest.approx(exact, rel=1e-11, abs=3e-9)


def test_log_cdf_is_continuous_where_its_series_change():
    for n in (999.9999999, 1000.0000001, 1e6, 1e9):
        a = n + 1.0
        border = a + 30.0 * math.sqrt(a)
        below, above = log_poisson_cdf(n, [border * (1 - 1e-14), border * (1 + 1e-14)])
        assert below == pytest.approx(above, rel=1e-9)
    means = np.linspace(800.0, 1900.0, 50)
    assert log_poisson_cdf(1000.0 - 1e-9, means) == pytest.approx(
        log_poisson_cdf(1000.0 + 1e-9, means), rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize("n", [10**5, 10**7, 10**9])
@pytest.mark.parametrize("standard_deviations", [-6.0, -4.6, -1.0, 0.0, 2.0, 8.0, 20.0])
def test_log_cdf_of_a_large_count_is_the_area_of_a_gamma_density(n, standard_deviations):
    """Q(n + 1, x) is the integral of u^n exp(-u) / n! from x; its complement where that is the smaller one."""
    x = n + 1.0 + standard_deviations * math.sqrt(n + 1.0)
    side = 1.0 if standard_deviations >= 0.0 else -1.0
    v, step = np.linspace(0.0, side * 12.0 / math.sqrt(n), 100_001, retstep=True)
    v = v + (x - n) / n
    density = np.exp(n * (np.log1p(v) - v)) * math.sqrt(n / (2 * math.pi)) / math.exp(1 / (12 * n))
    area = np.trapezoid(density, dx=abs(step))
    expected = math.log(area) if side > 0 else math.log1p(-area)
    assert float(log_poisson_cdf(n, x)) == pytest.approx(expected, rel=1e-8, abs=1e-9)


def test_no_mean_leaves_no_doubt():
    assert log_poisson_cdf(5, [0.0])[0] == 0.0
    assert log_poisson_cdf(5000, [0.0])[0] == 0.0


@pytest.mark.parametrize(
    ("n", "signal", "background", "error"),
    [
        (0, 0.0, 3.0, 1.0),
        (0, 2.0, 0.0, 5.0),
        (4, 1.0, 0.5, 20.0),
        (7, 0.0, 30.0, 1e-3),
        (50, 10.0, 200.0, 60.0),
        (6894, 1184.0, 7549.0, 928.0),
        (90000, 0.0, 1e5, 2e4),
        (10**6, 3e3, 1.002e6, 500.0),
        (10**6, 0.0, 2e6, 1e6),
    ],
)
def test_average_agrees_with_a_dense_trapezoid(n, signal, background, error):
    low, high = max(0.0, background - 12 * error), background + 12 * error
    mean, step = np.linspace(low, high, 400_001, retstep=True)
    density = stats.norm.pdf(mean, background, error)
    expected = np.trapezoid(density * stats.poisson.cdf(n, signal + mean), dx=step)
    assert math.exp(log_averaged_cdf(n, signal, background, error)) == pytest.approx(expected, rel=3e-8)


def test_average_over_a_flat_background_has_a_closed_form():
    """db -> infinity: the integral of Q(n + 1, B) over B from 0 is n + 1, times the density of the Gaussian there."""
    for n in (0, 1, 20, 5000):
        assert log_averaged_cdf(n, 0.0, 0.0, 1e9) == pytest.approx(
            math.log(n + 1) - math.log(1e9 * math.sqrt(2 * math.pi)), rel=1e-9
        )


def test_certainty_is_the_norm_of_the_truncated_gaussian():
    for background, error in ((0.0, 1.0), (3.0, 10.0), (5.0, 0.1), (2.0, 0.0)):
        assert log_averaged_cdf(10**6, 0.0, background, error) == pytest.approx(
            log_truncation_norm(background, error), abs=1e-12
        )
