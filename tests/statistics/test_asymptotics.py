"""Asymptotic CLs: truth from an experiment that is Gaussian, where everything has a closed form."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from kaongen.errors import StatisticsError
from kaongen.statistics.asymptotics import asymptotic_limit, discovery_p_value, few_events, log_cls
from kaongen.statistics.roots import falling_root

SIGMA = 1.7


def gaussian_q(best):
    """The statistic q_tilde of a measurement `best` of mu with the error SIGMA."""

    def q(mu):
        if best > mu:
            return 0.0
        chi2 = ((mu - best) / SIGMA) ** 2
        return chi2 - (best / SIGMA) ** 2 if best < 0 else chi2

    return q


@given(best=st.floats(-6.0, 8.0), mu=st.floats(0.01, 12.0))
def test_cls_of_a_gaussian_measurement(best, mu):
    """p-values are Gaussian integrals over the measurement, whether its statistic is a parabola or a straight line."""
    found = log_cls(gaussian_q(best)(mu), gaussian_q(0.0)(mu))
    measured = min(best, mu)  # above mu the statistic is 0 whatever the measurement
    assert found == pytest.approx(norm.logcdf((measured - mu) / SIGMA) - norm.logcdf(measured / SIGMA), abs=1e-9)


@given(best=st.floats(-3.0, 8.0), level=st.floats(0.5, 0.999))
def test_limits_of_a_gaussian_measurement(best, level):
    limit = asymptotic_limit(gaussian_q(best), gaussian_q(0.0), 1.0, level)
    alpha = 1.0 - level
    expected = [SIGMA * (n + norm.ppf(1 - alpha * norm.cdf(n))) for n in (-2, -1, 0, 1, 2)]
    found = [limit.minus_two_sigma, limit.minus_one_sigma, limit.expected, limit.plus_one_sigma, limit.plus_two_sigma]
    assert found == pytest.approx(expected, rel=1e-6)
    assert limit.observed == pytest.approx(best - SIGMA * norm.ppf(alpha * norm.cdf(best / SIGMA)), rel=1e-6)


def test_a_statistic_that_saturates_excludes_nothing():
    with pytest.raises(StatisticsError, match="smaller error of the signal"):
        asymptotic_limit(None, lambda mu: 1.0 - math.exp(-mu), 1.0, 0.9)


def test_p_value_of_a_discovery():
    assert discovery_p_value(0.0) == 0.5
    assert discovery_p_value(25.0) == pytest.approx(2.866516e-7, rel=1e-6)


def test_where_asymptotics_are_trusted():
    assert few_events(10.0) is None
    assert 'method="toys"' in few_events(9.9)


@given(root=st.floats(1e-6, 1e6), guess=st.floats(1e-3, 1e3), scale=st.floats(1e-2, 1e2))
def test_root_is_found_from_anywhere(root, guess, scale):
    assert falling_root(lambda x: np.tanh(math.log(root / max(x, 1e-300))), guess, scale) == pytest.approx(
        root, rel=1e-9
    )


def test_root_below_the_range_is_its_lower_end():
    assert falling_root(lambda x: 1.0 - x, 5.0, 1.0, least=2.0) == 2.0
