"""Limits and p-values of the unbinned model: closed forms, exact sums, coverage, and the published search."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq
from unbinned_models import EXACT, OBSERVED, background_events, region_2, signal_events

from kaongen.errors import StatisticsError
from kaongen.papers import na62_pix
from kaongen.statistics.asymptotics import AsymptoticsWarning
from kaongen.statistics.counting import counting_limit
from kaongen.statistics.unbinned_data import observed_data
from kaongen.statistics.unbinned_discovery import local_p_value, scans_without_signal
from kaongen.statistics.unbinned_limit import upper_limit, window_limit
from kaongen.statistics.unbinned_scan import Scan

few = settings(max_examples=5, deadline=None)


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("m_x", [0.157, 0.220])
def test_without_background_the_limit_of_no_event_is_exact(level, m_x):
    """CLs = exp(-s): 2.303 and 2.996 sensitivities, which is the median and all bands too."""
    model = region_2(m_x, background=0.0, **EXACT)
    limit = upper_limit(model, [], level, toys=4000)
    for value in (limit.observed, limit.expected, *limit.bands.values()):
        assert value == pytest.approx(-math.log(1 - level) * model.sensitivity, rel=2e-3)


def exact_counting_limit(n, background, error, level):
    """Profile CLs for a count and a Poisson auxiliary count, by sums over both.

    Everything in closed form: the conditional background solves a quadratic equation, and p-values are sums of Poisson
    probabilities over all outcomes whose q~ is at least that observed.
    """
    tau = background / error**2
    auxiliary = tau * background

    def profiled(s, counts, measured):
        a = 1 + tau
        p = counts + measured - a * s
        return (p + np.sqrt(p * p + 4 * a * s * measured)) / (2 * a)

    def minus_log(s, b, counts, measured):
        return (1 + tau) * b + s - counts * np.log(np.maximum(s + b, 1e-300)) - measured * np.log(np.maximum(b, 1e-300))

    def q_tilde(s, counts, measured):
        given = minus_log(s, profiled(s, counts, measured), counts, measured)
        best = counts - measured / tau
        b_best = np.where(best > 0, measured / tau, (counts + measured) / (1 + tau))
        free = minus_log(np.maximum(best, 0.0), b_best, counts, measured)
        return np.where(best >= s, 0.0, 2 * (given - free))

    k, m = np.meshgrid(np.arange(80.0), np.arange(int(auxiliary + 12 * math.sqrt(auxiliary) + 20)), indexing="ij")

    def p_value(s, truth, threshold):
        b = profiled(truth, n, auxiliary)
        probability = stats.poisson.pmf(k, truth + b) * stats.poisson.pmf(m, tau * b)
        return np.sum(probability[q_tilde(s, k, m) >= threshold - 1e-9])

    def cls(s):
        threshold = q_tilde(s, np.float64(n), np.float64(auxiliary))
        return p_value(s, s, threshold) / p_value(s, 0.0, threshold)

    grid = np.linspace(0.5, 3.0 * (n + 4), 60)
    first = next(i for i, s in enumerate(grid) if cls(s) < 1 - level)
    return brentq(lambda s: cls(s) - (1 - level), grid[first - 1], grid[first], xtol=1e-4)


@pytest.mark.parametrize(("n", "background", "error"), [(0, 2.6, 0.41), (2, 2.6, 0.41), (5, 3.0, 1.0), (3, 8.0, 2.0)])
def test_a_flat_line_over_a_flat_background_is_counting(n, background, error):
    """A Gaussian 40 intervals wide: where events are says nothing, and the exact sums above must come out."""
    changes = {**EXACT, "background_error": error}
    model = region_2(background=background, background_shape=(1.0,), mean=0.047, width=40 * 0.042, **changes)
    limit = upper_limit(model, np.linspace(0.03, 0.06, n), toys=10_000)
    assert limit.observed / model.sensitivity == pytest.approx(
        exact_counting_limit(n, background, error, 0.9), rel=0.02
    )


@pytest.mark.slow
def test_toys_and_asymptotics_meet_at_many_events():
    model = region_2(background=600.0, background_error=30.0, width=3e-3, background_shape=(1.0, -0.5))
    x = background_events(model, 600.0, np.random.default_rng(8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asymptotic = upper_limit(model, x, method="asymptotics")
    toys = upper_limit(model, x, toys=3000)
    assert toys.observed == pytest.approx(asymptotic.observed, rel=0.04)
    assert toys.expected == pytest.approx(asymptotic.expected, rel=0.04)
    for name, value in toys.bands.items():
        assert value == pytest.approx(asymptotic.bands[name], rel=0.08)


def test_published_limit():
    """The strongest limits, 5e-11, at 160 to 250 MeV away from the events; no event nearby at 160 and 220 MeV.

    The published number is rounded to 10%, and the sensitivity of figure 2 (right) is read off: 2.2e-11.
    """
    for m_x in (0.160, 0.220):
        limit = upper_limit(region_2(m_x), OBSERVED, toys=8000)
        assert limit.observed == pytest.approx(na62_pix.BEST_LIMIT, rel=0.1)
        window = window_limit(region_2(m_x), OBSERVED)
        assert window.expected == pytest.approx(limit.expected, rel=0.15)  # "a comparable expected sensitivity"
    for m_x in na62_pix.OBSERVED_MASSES:
        limit = upper_limit(region_2(m_x), OBSERVED, toys=8000)
        assert limit.plus_one_sigma < limit.observed < limit.plus_two_sigma
        assert local_p_value(region_2(m_x), OBSERVED).significance < 2.0


def test_expected_bands_are_the_spread_of_limits():
    """One event under the line, not too likely: the quantiles of limits of experiments with 0 and 1 events there."""
    model = region_2(background=2.6, **EXACT)
    limit = upper_limit(model, None)
    assert limit.observed is None
    none, one = (upper_limit(model, x).observed for x in ([0.030, 0.060], [0.030, model.mean]))
    assert limit.minus_one_sigma == pytest.approx(none, rel=0.02)  # P(no event near the line) = 0.8
    assert limit.expected == pytest.approx(none, rel=0.03)
    assert none < limit.plus_one_sigma < limit.plus_two_sigma < one * 1.2


@pytest.mark.slow
@pytest.mark.parametrize("truth", [1.5, 4.0])
def test_limits_cover(truth):
    """At least 90% of limits are above a true branching fraction, the measured quantities fluctuating with the data."""
    rng = np.random.default_rng(11)
    model, experiments, above = region_2(background=4.0, background_error=1.0), 150, 0
    tau = 4.0
    for number in range(experiments):
        pull_s, pull_m, pull_w = rng.normal(size=3)
        count = max(rng.poisson(tau * 4.0), 1)
        measured = region_2(
            background=count / tau,
            background_error=math.sqrt(count) / tau,
            sensitivity=model.sensitivity * 1.1**pull_s,
            mean=model.mean + model.mean_error * pull_m,
            width=model.width * 1.1**pull_w,
        )
        x = np.concatenate([background_events(model, 4.0, rng), signal_events(model, truth, rng)])
        cls = observed_cls(measured, x, truth * model.sensitivity, seed=number)
        above += cls > 0.1
    assert above >= stats.binom.ppf(1e-3, experiments, 0.9)


def observed_cls(model, x, branching_fraction, seed):
    """CLs at one branching fraction: a limit lies above it where this is more than 1 - CL."""
    scan = Scan(observed_data(model, x), "coverage", 3000, seed, None, None)
    return float(scan.cls(np.array([branching_fraction / model.sensitivity]), 3000, "coverage")[0, 0])


def test_the_limit_is_where_cls_is_a_tenth():
    model = region_2(0.196)
    limit = upper_limit(model, OBSERVED)
    assert observed_cls(model, OBSERVED, limit.observed, seed=77) == pytest.approx(0.1, rel=0.1)


@pytest.mark.slow
def test_p_values_are_uniform_without_signal():
    """From experiments made here: P(p <= a) = a up to the p-value of q0 = 0, and never more than a."""
    rng = np.random.default_rng(21)
    model, experiments = region_2(background=30.0, background_error=4.0, width=2e-3), 400
    tau = 30.0 / 16.0
    q0 = []
    for _ in range(experiments):
        pull_m, pull_w = rng.normal(size=2)
        count = rng.poisson(tau * 30.0)
        measured = region_2(
            background=count / tau,
            background_error=math.sqrt(count) / tau,
            mean=model.mean + model.mean_error * pull_m,
            width=2e-3 * 1.1**pull_w,
        )
        q0.append(observed_data(measured, background_events(model, 30.0, rng)).q_zero())
    null = np.sort(scans_without_signal([model], toys=20_000)[:, 0])
    p = 1 - np.searchsorted(null, np.array(q0) - 1e-6) / null.size
    possible = np.mean(null > 1e-6)
    assert 0.3 < possible < 0.6  # the rest has no excess at all, and p = 1
    assert stats.kstest(p[p < possible] / possible, "uniform").pvalue > 1e-3
    assert np.mean(p < possible) == pytest.approx(possible, abs=4 * math.sqrt(0.25 / experiments))
    for level in (0.02, 0.1, 0.3):
        assert np.mean(p <= level) <= level + 3.5 * math.sqrt(level / experiments)


def test_local_p_value_of_an_excess():
    """Asymptotic and toys agree at many events; three events on one spot over little background are significant."""
    model = region_2(background=300.0, background_error=20.0, width=2e-3)
    rng = np.random.default_rng(2)
    x = np.concatenate([background_events(model, 300.0, rng), rng.normal(model.mean, model.width, 20)])
    asymptotic, toys = (local_p_value(model, x, method=method) for method in ("asymptotics", "toys"))
    assert asymptotic.q0 == toys.q0
    assert asymptotic.significance == pytest.approx(math.sqrt(asymptotic.q0), rel=1e-9)
    assert toys.significance > 1.0
    assert toys.significance == pytest.approx(asymptotic.significance, abs=0.15)
    lucky = local_p_value(region_2(), [0.0484, 0.0486, 0.0481])
    assert lucky.significance > 3.0
    none = local_p_value(region_2(), [])
    assert (none.q0, none.p_value, none.significance) == (0.0, 1.0, 0.0)


def test_limits_do_not_depend_on_threads():
    model = region_2(0.196)
    assert upper_limit(model, OBSERVED, toys=2000, threads=1) == upper_limit(model, OBSERVED, toys=2000, threads=3)


@pytest.mark.slow
def test_seeds_agree_within_the_stated_error():
    model = region_2(0.252)
    limits = np.array([upper_limit(model, OBSERVED, seed=seed).observed for seed in range(6)])
    assert 0.0 < limits.std() / limits.mean() < 0.02


@few
@given(scale=st.floats(0.1, 1e6), shift=st.floats(-10.0, 10.0), sensitivity=st.floats(1e-13, 1e-3))
def test_units_do_not_matter(scale, shift, sensitivity):
    """A linear change of the observable, and another sensitivity: the same limit in events."""
    model = region_2(0.196)
    changed = region_2(
        low=scale * model.low + shift,
        high=scale * model.high + shift,
        mean=scale * model.mean + shift,
        mean_error=scale * model.mean_error,
        width=scale * model.width,
        sensitivity=sensitivity,
    )
    first = upper_limit(model, OBSERVED, toys=2000)
    second = upper_limit(changed, scale * OBSERVED + shift, toys=2000)
    assert second.observed / sensitivity == pytest.approx(first.observed / model.sensitivity, rel=1e-2)
    assert second.expected / sensitivity == pytest.approx(first.expected / model.sensitivity, rel=1e-2)


@few
@given(events=st.lists(st.floats(0.026, 0.068), max_size=5))
def test_an_event_on_the_line_weakens_the_limit(events):
    model = region_2()
    without = upper_limit(model, events, toys=2000)
    with_one = upper_limit(model, [*events, model.mean], toys=2000)
    assert with_one.observed > without.observed
    assert with_one.expected == without.expected


def test_the_window_counts():
    """No nuisance of the line, a flat background: the counting limit over the share of a Gaussian in 2 sigma."""
    model = region_2(background_shape=(1.0,))
    share = 4e-3 / 0.042
    expected = counting_limit(1, 2.6 * share, model.background_error * share).scaled(
        model.sensitivity / math.erf(math.sqrt(2.0))
    )
    found = window_limit(model, [0.0300, 0.0480])
    assert found.observed == pytest.approx(expected.observed, rel=1e-9)
    assert found.expected == pytest.approx(expected.expected, rel=1e-9)
    assert window_limit(model, None).observed is None


def test_few_events_are_warned_of():
    with pytest.warns(AsymptoticsWarning, match="method='toys'"):
        upper_limit(region_2(), OBSERVED, method="asymptotics")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: upper_limit(region_2(), [0.07]), "event 0 is at 0.07"),
        (lambda: upper_limit(region_2(), [], 1.0), "confidence_level is 1.0"),
        (lambda: upper_limit(region_2(), [], toys=10), "toys is 10"),
        (lambda: upper_limit(region_2(), [], method="bayes"), "method is 'bayes'"),
        (lambda: local_p_value(region_2(), [], toys=999), "toys is 999"),
        (lambda: window_limit(region_2(0.1545), []), "window of 2.0"),
        (lambda: scans_without_signal([]), "models is empty"),
        (lambda: scans_without_signal([region_2(), region_2(high=0.07)]), r"models\[1\].high is 0.07"),
    ],
)
def test_impossible_requests_are_refused(call, words):
    with pytest.raises(StatisticsError, match=words):
        call()
