"""The letter's likelihood ratio and cut and count: closed forms, and scipy's Poisson distribution."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import lambertw
from scipy.stats import poisson

from kaongen.errors import StatisticsError
from kaongen.statistics.likelihood_ratio import cut_and_count_limit, likelihood_ratio, likelihood_ratio_limit


@given(background=st.floats(0.1, 1e12), threshold=st.floats(0.1, 30.0))
def test_one_bin_in_closed_form(background, threshold):
    """S - B log(1 + S / B) = threshold / 2: with u = S / B, 1 + u = -W_{-1}(-exp(-1 - threshold / 2B))."""
    limit = likelihood_ratio_limit([1.0], [background], threshold)
    a = threshold / (2 * background)
    if a > 1e-6:
        expected = background * (-lambertw(-math.exp(-1 - a), -1).real - 1)
        assert limit == pytest.approx(expected, rel=1e-5)
    else:  # u - log(1 + u) = u^2 / 2 - u^3 / 3 + ...
        u = math.sqrt(2 * a)
        assert limit == pytest.approx(background * u * (1 + u / 3), rel=1e-5)


def test_no_background_leaves_a_straight_line():
    assert likelihood_ratio_limit([0.25, 0.25], [0.0, 0.0]) == pytest.approx(4.0)
    assert likelihood_ratio_limit([0.5, 0.5], [1e18, 0.0]) == pytest.approx(4.0, rel=1e-6)


@given(st.data())
def test_ratio_is_that_of_poisson_probabilities(data):
    bins = data.draw(st.integers(1, 5))
    numbers = lambda low, high: np.array([data.draw(st.floats(low, high)) for _ in range(bins)])  # noqa: E731
    shape, background = numbers(0.01, 1.0), numbers(0.1, 50.0)
    counts = np.array([data.draw(st.integers(0, 60)) for _ in range(bins)])
    signal = data.draw(st.floats(0.0, 50.0))
    direct = -2 * np.sum(poisson.logpmf(counts, signal * shape + background) - poisson.logpmf(counts, background))
    assert likelihood_ratio(signal, shape, background, counts) == pytest.approx(direct, rel=1e-9, abs=1e-8)
    limit = likelihood_ratio_limit(shape, background, data=counts)
    assert likelihood_ratio(limit, shape, background, counts) == pytest.approx(4.0, abs=1e-6)
    assert likelihood_ratio(1.01 * limit, shape, background, counts) > 4.0


def test_an_excess_allows_a_larger_signal():
    weak, usual, strong = (likelihood_ratio_limit([1.0], [100.0], data=[n]) for n in (150.0, 100.0, 50.0))
    assert strong < usual < weak
    assert usual == likelihood_ratio_limit([1.0], [100.0])


def test_many_events_are_gaussian():
    """Lambda = S^2 sum eps^2 / B."""
    shape, background = np.array([0.2, 0.5, 0.3]), np.array([1e9, 2e8, 5e7])
    limit = likelihood_ratio_limit(shape, background)
    assert limit == pytest.approx(2 / math.sqrt(np.sum(shape**2 / background)), rel=1e-3)


def test_an_empty_bin_of_the_signal_changes_nothing():
    assert likelihood_ratio_limit([1.0, 0.0], [50.0, 7.0]) == pytest.approx(likelihood_ratio_limit([1.0], [50.0]))


@pytest.mark.parametrize("kappa", [0.0, 1.8e-4, 0.04, 1.0])
def test_cut_and_count_solves_its_equation(kappa):
    for background in (0.0, 652.0, 1.6e7):
        signal = cut_and_count_limit(background, kappa)
        assert signal == pytest.approx(2 * math.sqrt(background + (kappa * background) ** 2), rel=1e-12)


@pytest.mark.parametrize(("background", "published"), [(652, 4e-2), (3.2e7, 1.8e-4)])
def test_published_systematic_errors_match_the_statistical_ones(background, published):
    """The letter, (C.2): kappa_min = 1 / sqrt(B). There the limit is sqrt(2) times that without systematic error."""
    kappa = background**-0.5
    assert kappa == pytest.approx(published, rel=0.03)
    assert cut_and_count_limit(background, kappa) == pytest.approx(math.sqrt(2) * cut_and_count_limit(background))


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("signal_shape is 0 in every bin", lambda: likelihood_ratio_limit([0.0], [1.0])),
        ("signal_shape has bins that are negative", lambda: likelihood_ratio_limit([-1.0], [1.0])),
        (r"background has the shape \(2,\), but must be 1 numbers", lambda: likelihood_ratio_limit([1.0], [1.0, 2.0])),
        ("background has bins that are negative or not finite", lambda: likelihood_ratio_limit([1.0], [math.nan])),
        ("data has events in a bin where background is 0", lambda: likelihood_ratio_limit([1.0], [0.0], data=[1])),
        ("threshold is 0.0", lambda: likelihood_ratio_limit([1.0], [1.0], 0.0)),
        ("signal is -1", lambda: likelihood_ratio(-1, [1.0], [1.0])),
        ("background is -1", lambda: cut_and_count_limit(-1)),
        ("kappa is inf", lambda: cut_and_count_limit(1, math.inf)),
        ("n_sigma is 0", lambda: cut_and_count_limit(1, 0, 0)),
    ],
)
def test_impossible_numbers_are_refused_by_name(message, call):
    with pytest.raises(StatisticsError, match=message):
        call()
