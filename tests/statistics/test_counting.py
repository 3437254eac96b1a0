"""Counting limits: truth from closed forms, a published limit, and integrals and toys made here another way."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq

from kaongen.errors import StatisticsError
from kaongen.statistics.counting import CountingLimit, cls, counting_limit, upper_limit

PUBLISHED = (6894, 7549.0, 928.0)  # NA62, Phys. Lett. B 816 (2021) 136259: K+ -> mu+ nu nu nubar

counts = st.integers(0, 3000)
backgrounds = st.floats(0.0, 3000.0)
errors = st.one_of(st.just(0.0), st.floats(1e-3, 1000.0))
levels = st.floats(0.5, 0.999)
few = settings(max_examples=40, deadline=None)


def trapezoid_limit(n, background, error, level):
    """CLs from scipy's Poisson distribution on a dense grid of backgrounds."""
    low, high = max(0.0, background - 10 * error), background + 10 * error
    mean = np.linspace(low, high, 20_001)
    weight = stats.norm.pdf(mean, background, error)
    weight[[0, -1]] *= 0.5

    def averaged(signal):
        return float(weight @ stats.poisson.cdf(n, signal + mean))

    without = averaged(0.0)
    return brentq(lambda s: averaged(s) / without - (1 - level), 0.0, 10 * (n + 10 + error), xtol=1e-9, rtol=1e-12)


def gaussian_limit(n, background, error, level):
    """The closed form when N is Gaussian with standard deviation sqrt(b + db^2)."""
    sigma = math.hypot(math.sqrt(background), error)
    z = (n - background) / sigma
    return sigma * (z - stats.norm.ppf((1 - level) * stats.norm.cdf(z)))


def test_published_limits():
    """1184 observed and 1526 expected events; the paper says "CLs" and no more about the background.

    Averaged over a Gaussian they are 1186.1 and 1533.7, by quadrature here and by trapezoid in the next test; the
    published numbers differ by 0.2% and 0.5%. The limit itself moves by 1 event within the rounding of 7549 +- 928.
    """
    limit = counting_limit(*PUBLISHED)
    assert limit.observed == pytest.approx(1184, rel=3e-3)
    assert limit.expected == pytest.approx(1526, rel=6e-3)


@pytest.mark.parametrize(
    ("n", "background", "error", "level"),
    [
        (*PUBLISHED, 0.9),
        (1, 0.0, 2.0, 0.9),
        (5, 3.0, 1.0, 0.95),
        (3, 3.0, 10.0, 0.9),
        (10, 50.0, 20.0, 0.9),
        (12, 4.0, 0.01, 0.99),
        (0, 20.0, 9.0, 0.9),
        (1500, 1000.0, 300.0, 0.5),
    ],
)
def test_limit_agrees_with_a_dense_trapezoid(n, background, error, level):
    assert upper_limit(n, background, error, level) == pytest.approx(
        trapezoid_limit(n, background, error, level), rel=1e-6
    )


@pytest.mark.parametrize(("n", "background"), [(0, 0.0), (1, 0.0), (3, 7.5), (40, 20.0), (100, 160.0), (5000, 5000.0)])
@pytest.mark.parametrize("level", [0.68, 0.9, 0.999])
def test_limit_without_background_error_is_classical(n, background, level):
    allowed = (1 - level) * stats.poisson.cdf(n, background)
    expected = brentq(lambda s: stats.poisson.cdf(n, s + background) - allowed, 0.0, 20 * (n + 10), xtol=1e-11)
    assert upper_limit(n, background, 0.0, level) == pytest.approx(expected, rel=1e-8)


def test_one_event_over_an_unknown_background_has_a_closed_form():
    """db -> infinity from b = 0: CLs = exp(-s) (1 + s / 2) for n = 1."""
    expected = brentq(lambda s: math.exp(-s) * (1 + s / 2) - 0.1, 0.0, 9.0, xtol=1e-13)
    assert upper_limit(1, 0.0, 1e9) == pytest.approx(expected, rel=1e-8)
    assert upper_limit(1, 0.0, 1e4) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("error", [0.0, 1e3, 1e5, 3e7, 1e8])
@pytest.mark.parametrize("pull", [-2.0, -0.7, 0.0, 1.0, 3.0])
def test_limit_of_a_thousand_million_events_is_gaussian(error, pull):
    background = 1e9
    n = round(background + pull * math.hypot(math.sqrt(background), error))
    assert upper_limit(n, background, error) == pytest.approx(gaussian_limit(n, background, error, 0.9), rel=1e-4)


def test_limit_survives_an_observation_that_background_excludes():
    """n << b, db = 0: log CLs -> -s (1 - n / b), as the probability of n alone matters; P(N <= n) ~ exp(-1e8)."""
    n, background = 10**8, 4e8
    assert upper_limit(n, background, 0.0) == pytest.approx(math.log(10) / (1 - n / background), rel=1e-6)


def test_expected_limits_agree_with_toys():
    """n drawn from the prior predictive distribution; bands and median within the error of 4000 toys."""
    rng = np.random.default_rng(3)
    background, error, toys = 60.0, 40.0, 4000
    b = rng.normal(background, error, 2 * toys)
    n = rng.poisson(b[b > 0][:toys])
    limit = counting_limit(None, background, error)
    table = {k: upper_limit(int(k), background, error) for k in np.unique(n)}
    limits = np.sort([table[k] for k in n])
    for sigma, value in (
        (-2, limit.minus_two_sigma),
        (-1, limit.minus_one_sigma),
        (0, limit.expected),
        (1, limit.plus_one_sigma),
        (2, limit.plus_two_sigma),
    ):
        p = stats.norm.cdf(sigma)
        spread = 4 * math.sqrt(p * (1 - p) / toys)
        below, above = np.quantile(limits, [max(p - spread, 0.0), min(p + spread, 1.0)])
        assert below <= value <= above


@pytest.mark.parametrize("background", [0.0, 0.3, 4.2, 250.0, 1e6])
def test_expected_limits_without_background_error_are_those_of_poisson_quantiles(background):
    limit = counting_limit(None, background, 0.0)
    found = [limit.minus_two_sigma, limit.minus_one_sigma, limit.expected, limit.plus_one_sigma, limit.plus_two_sigma]
    for sigma, value in zip((-2, -1, 0, 1, 2), found, strict=True):
        n = int(stats.poisson.ppf(stats.norm.cdf(sigma), background)) if background else 0
        assert value == upper_limit(n, background, 0.0)


@few
@given(background=backgrounds, error=errors, level=levels)
def test_limit_of_no_event_does_not_depend_on_the_background(background, error, level):
    assert upper_limit(0, background, error, level) == pytest.approx(-math.log(1 - level), rel=1e-12)
    assert cls(1.5, 0, background, error) == pytest.approx(math.exp(-1.5), rel=1e-9)


@few
@given(n=counts, background=backgrounds, error=errors, level=levels)
def test_limit_solves_cls_and_grows_with_count_and_level(n, background, error, level):
    limit = upper_limit(n, background, error, level)
    assert cls(limit, n, background, error) == pytest.approx(1 - level, rel=1e-7)
    assert limit >= upper_limit(0, background, error, level)
    assert upper_limit(n + 1, background, error, level) >= limit * (1 - 1e-9)
    assert upper_limit(n, background, error, level + 5e-4) > limit


@few
@given(n=counts, background=backgrounds, error=errors, signal=st.floats(0.0, 1e4))
def test_cls_falls_from_one(n, background, error, signal):
    assert cls(0.0, n, background, error) == 1.0
    assert 0.0 <= cls(signal + 1.0, n, background, error) <= cls(signal, n, background, error) <= 1.0


def test_limit_is_the_same_for_every_tiny_background_error():
    exact = upper_limit(7, 3.0, 0.0)
    for error in (1e-300, 1e-12, 1e-6):
        assert upper_limit(7, 3.0, error) == pytest.approx(exact, rel=1e-9)


def test_object_is_json_with_the_promised_keys():
    limit = counting_limit(np.int64(3), np.float64(2.0), 1, 0.95)
    assert isinstance(limit, CountingLimit)
    content = limit.as_dict()
    assert json.loads(json.dumps(content)) == content
    assert list(content) == [
        "observed",
        "expected",
        "bands",
        "n_observed",
        "background",
        "background_error",
        "confidence_level",
        "method",
    ]
    bands = content["bands"]
    assert list(bands) == ["-2", "-1", "+1", "+2"]
    assert bands["-2"] <= bands["-1"] <= content["expected"] <= bands["+1"] <= bands["+2"]
    assert content["observed"] == upper_limit(3, 2.0, 1.0, 0.95)
    assert content["n_observed"] == 3
    assert content["method"] == "hybrid CLs, Gaussian background truncated at zero"


def test_without_an_observation_only_the_expected_limit_is_given():
    blind, seen = counting_limit(None, 5.0, 2.0), counting_limit(4, 5.0, 2.0)
    assert blind.observed is None
    assert blind.n_observed is None
    assert blind.expected == seen.expected


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("n_observed", (-1, 1.0, 0.0, 0.9)),
        ("n_observed", (2.5, 1.0, 0.0, 0.9)),
        ("n_observed", (math.nan, 1.0, 0.0, 0.9)),
        ("n_observed", (math.inf, 1.0, 0.0, 0.9)),
        ("background", (1, -1.0, 0.0, 0.9)),
        ("background", (1, math.nan, 0.0, 0.9)),
        ("background", (1, 1e11, 0.0, 0.9)),
        ("background_error", (1, 1.0, -0.1, 0.9)),
        ("background_error", (1, 1.0, math.inf, 0.9)),
        ("confidence_level", (1, 1.0, 0.0, 0.0)),
        ("confidence_level", (1, 1.0, 0.0, 1.0)),
        ("confidence_level", (1, 1.0, 0.0, 90)),
        ("confidence_level", (1, 1.0, 0.0, math.nan)),
    ],
)
def test_impossible_numbers_are_refused_by_name(name, arguments):
    for limit in (upper_limit, counting_limit):
        with pytest.raises(StatisticsError, match=rf"^{name} is .* must "):
            limit(*arguments)
    if name != "confidence_level":
        with pytest.raises(StatisticsError, match=rf"^{name} is .* must "):
            cls(1.0, *arguments[:3])


@pytest.mark.parametrize("signal", [-1.0, math.nan, math.inf])
def test_impossible_signal_is_refused(signal):
    with pytest.raises(StatisticsError, match=r"^signal is .* must "):
        cls(signal, 1, 1.0, 0.0)
