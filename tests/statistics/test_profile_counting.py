"""Profile CLs of counting experiments: published limits, closed forms, a general minimiser, the hybrid, and toys."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import poisson

from kaongen.errors import StatisticsError
from kaongen.statistics.asymptotics import AsymptoticsWarning
from kaongen.statistics.counting import CountingLimit, counting_limit
from kaongen.statistics.profile_counting import on_off_q_tilde, profile_counting_limit

PUBLISHED = (6894, 7549.0, 928.0)  # NA62, Phys. Lett. B 816 (2021) 136259: K+ -> mu+ nu nu nubar


def everything(limit):
    return [limit.minus_two_sigma, limit.minus_one_sigma, limit.expected, limit.plus_one_sigma, limit.plus_two_sigma]


def test_published_limits():
    """1184 observed and 1526 expected events: 0.2% and 0.5% away, as the hybrid."""
    limit = profile_counting_limit(*PUBLISHED)
    assert limit.observed == pytest.approx(1184, rel=3e-3)
    assert limit.expected == pytest.approx(1526, rel=6e-3)


@pytest.mark.parametrize("error", [0.0, 40.0, 300.0])
def test_gaussian_constraint_agrees_with_the_hybrid_for_many_events(error):
    """Averaged or profiled, a Gaussian background is the same Gaussian: apart from skewness."""
    profile, hybrid = (f(9800, 10_000.0, error) for f in (profile_counting_limit, counting_limit))
    assert profile.observed == pytest.approx(hybrid.observed, rel=0.01)
    assert everything(profile)[1:] == pytest.approx(everything(hybrid)[1:], rel=0.02)


@given(n=st.integers(0, 60), m=st.integers(0, 60), tau=st.floats(0.1, 10.0), s=st.floats(0.0, 60.0))
def test_closed_form_of_the_control_region_is_a_minimum(n, m, tau, s):
    """The profiled likelihood, minimised by a general minimiser over the background, and over the signal as well."""

    def nll(signal, b):
        return -poisson.logpmf(n, signal + b) - poisson.logpmf(m, tau * b)

    def profiled(signal):
        bounds = (1e-12, n + m / tau + 1.0)
        return minimize_scalar(lambda b: nll(signal, b), bounds=bounds, method="bounded", options={"xatol": 1e-9}).fun

    best = min(max(n - m / tau, 0.0), s)
    expected = 2.0 * (profiled(s) - profiled(best))
    assert float(on_off_q_tilde(s, n, m, tau)) == pytest.approx(max(expected, 0.0), abs=1e-4)


@pytest.mark.parametrize("constraint", ["gaussian", "poisson"])
def test_toys_agree_with_asymptotics_for_many_events(constraint):
    arguments = (1010, 1000.0, 40.0)
    toys = profile_counting_limit(*arguments, constraint=constraint, method="toys", toys=4000)
    asymptotic = profile_counting_limit(*arguments, constraint=constraint)
    assert toys.observed == pytest.approx(asymptotic.observed, rel=0.03)
    assert everything(toys)[1:] == pytest.approx(everything(asymptotic)[1:], rel=0.04)


@pytest.mark.parametrize("constraint", ["gaussian", "poisson"])
@pytest.mark.parametrize(("n", "error"), [(0, 0.0), (4, 0.0), (9, 0.0)])
def test_toys_without_background_error_agree_with_the_hybrid(constraint, n, error):
    """Both are exact where the background is known."""
    toys = profile_counting_limit(n, 4.0, error, constraint=constraint, method="toys")
    assert toys.observed == pytest.approx(counting_limit(n, 4.0, error).observed, rel=0.02)


def test_constraints_agree_where_the_control_region_is_large():
    gaussian = profile_counting_limit(105, 100.0, 3.0)
    control = profile_counting_limit(105, 100.0, 3.0, constraint="poisson")
    assert control.observed == pytest.approx(gaussian.observed, rel=5e-3)
    assert everything(control) == pytest.approx(everything(gaussian), rel=0.01)


@pytest.mark.slow
def test_coverage_of_toys_with_a_control_region():
    """n and m drawn by numpy with a known truth: excluded in at most 10%, and not never."""
    rng, tau, background, signal = np.random.default_rng(8), 2.0, 3.0, 7.0
    table = {}
    excluded = experiments = 0
    for n, m in zip(rng.poisson(signal + background, 400), rng.poisson(tau * background, 400), strict=True):
        if m == 0:
            continue
        if (n, m) not in table:
            b = m / tau
            limit = profile_counting_limit(
                int(n), b, math.sqrt(b / tau), constraint="poisson", method="toys", toys=1000, threads=1
            )
            table[n, m] = limit.observed
        experiments += 1
        excluded += table[n, m] < signal
    assert 0.01 < excluded / experiments < 0.1 + 3 * math.sqrt(0.09 / experiments)


def test_threads_and_seeds():
    arguments = {"constraint": "poisson", "method": "toys", "toys": 1000}
    one = profile_counting_limit(5, 4.0, 1.0, threads=1, **arguments)
    assert profile_counting_limit(5, 4.0, 1.0, threads=3, **arguments) == one
    assert profile_counting_limit(5, 4.0, 1.0, seed=2, **arguments) != one


def test_object_is_json_and_says_its_method():
    limit = profile_counting_limit(None, 20.0, 4.0, constraint="poisson")
    assert isinstance(limit, CountingLimit)
    content = limit.as_dict()
    assert json.loads(json.dumps(content)) == content
    assert content["observed"] is None
    assert content["method"] == "profile CLs, asymptotics, Poisson constraint"


def test_few_events_are_warned_of():
    with pytest.warns(AsymptoticsWarning, match='use method="toys"'):
        profile_counting_limit(2, 3.0, 1.0)


@pytest.mark.parametrize(
    ("message", "arguments", "options"),
    [
        ("n_observed is -1", (-1, 20.0, 1.0), {}),
        ("background is nan", (1, math.nan, 1.0), {}),
        ("background_error is -1", (1, 20.0, -1.0), {}),
        ("confidence_level is 90", (1, 20.0, 1.0, 90), {}),
        ("constraint is 'flat'", (1, 20.0, 1.0), {"constraint": "flat"}),
        ("method is 'hope'", (1, 20.0, 1.0), {"method": "hope"}),
        ("toys is 10", (1, 20.0, 1.0), {"method": "toys", "toys": 10}),
        ("control region without events", (1, 0.0, 1.0), {"constraint": "poisson", "method": "toys"}),
    ],
)
def test_impossible_arguments_are_refused(message, arguments, options):
    with pytest.raises(StatisticsError, match=message):
        profile_counting_limit(*arguments, **options)
