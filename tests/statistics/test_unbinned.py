"""The unbinned model: densities against quadrature, the likelihood against densities of scipy."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import gammaln
from unbinned_models import EXACT, OBSERVED, region_2

from kaongen.errors import StatisticsError
from kaongen.statistics.unbinned_data import asimov_data, observed_data
from kaongen.statistics.unbinned_likelihood import FREE, line_norm, negative_log_likelihood


def value(model, events, observed, r, y):
    """-log L, gradient, hessian by the kernel."""
    gradient, hessian = np.empty(4), np.empty((4, 4))
    measured, at = np.asarray(observed, float), np.asarray(y, float)
    n = events.shape[1]
    f = negative_log_likelihood(model.constants(), measured, events, n, r, at, gradient, hessian)
    return f, gradient, hessian


def plain(model, x, observed, r, y):
    """-log L of the paper's formula, every factor a density of scipy."""
    background, pull_s, pull_m, pull_w = y
    sensitivity = model.sensitivity * (1 + model.sensitivity_error) ** pull_s
    mean, width = model.mean + model.mean_error * pull_m, model.width * (1 + model.width_error) ** pull_w
    signal = r * model.sensitivity / sensitivity
    line = stats.truncnorm((model.low - mean) / width, (model.high - mean) / width, mean, width)
    total = signal + background
    density = background / total * model.background_density(x) + signal / total * line.pdf(x)
    count, measured_s, measured_m, measured_w = observed
    tau = model.background / model.background_error**2
    log_s, log_w = math.log(1 + model.sensitivity_error), math.log(1 + model.width_error)
    return -(
        stats.poisson.logpmf(x.size, total)
        + np.sum(np.log(density))
        + count * math.log(tau * background)
        - tau * background
        - gammaln(count + 1)
        + stats.lognorm.logpdf(model.sensitivity * math.exp(log_s * measured_s), log_s, scale=sensitivity)
        + stats.norm.logpdf(model.mean + model.mean_error * measured_m, mean, model.mean_error)
        + stats.lognorm.logpdf(model.width * math.exp(log_w * measured_w), log_w, scale=width)
    )


@pytest.mark.parametrize("m_x", [0.155, 0.162, 0.220, 0.2605])
def test_likelihood_is_that_of_the_paper(m_x):
    """Up to a constant, which two points of parameter space have in common."""
    rng = np.random.default_rng(1)
    model = region_2(m_x)
    x = np.concatenate([OBSERVED, np.clip(model.mean + np.array([0.0, 1.2e-3, -0.7e-3]), model.low, model.high)])
    events = observed_data(model, x).events
    observed = [38.0, 0.4, -0.3, 1.1]
    first = [2.6, 0.0, 0.0, 0.0]
    reference = value(model, events, observed, 1.0, first)[0] - plain(model, x, observed, 1.0, first)
    for _ in range(20):
        y, r = [rng.uniform(0.5, 6.0), *rng.normal(0.0, 1.5, 3)], rng.uniform(0.1, 9.0)
        difference = value(model, events, observed, r, y)[0] - plain(model, x, observed, r, y)
        assert difference == pytest.approx(reference, abs=1e-9)


@pytest.mark.parametrize("r", [FREE, 2.5])
@pytest.mark.parametrize("changes", [{}, {"mean_error": 8e-4, "width_error": 0.4}, {"background_error": 0.0}])
@pytest.mark.parametrize("m_x", [0.157, 0.220, 0.2605])
def test_derivatives_are_those_of_differences(m_x, changes, r):
    model = region_2(m_x, **changes)
    x = np.concatenate([OBSERVED, np.clip(model.mean + np.array([0.0, 2e-3, -1e-3]), model.low, model.high)])
    events = observed_data(model, x).events
    observed, y, step = [40.0, 0.1, -0.2, 0.3], np.array([2.2, 0.9, 0.4, -0.6]), 1e-5
    _, gradient, hessian = value(model, events, observed, r, y)
    first = 1 if model.background_error == 0.0 else 0  # a known background is no parameter
    assert np.array_equal(hessian, hessian.T)
    for k in range(first, 4):
        ahead, behind = y.copy(), y.copy()
        ahead[k] += step
        behind[k] -= step
        up, down = value(model, events, observed, r, ahead), value(model, events, observed, r, behind)
        assert gradient[k] == pytest.approx((up[0] - down[0]) / (2 * step), rel=1e-6, abs=1e-7)
        assert hessian[k, first:] == pytest.approx((up[1] - down[1])[first:] / (2 * step), rel=1e-5, abs=1e-6)


def test_a_line_outside_the_interval_keeps_its_norm():
    """The share inside is a tail: the kernel's against scipy's, on either side, down to 1e-30."""
    model = region_2()
    for distance in (0.0, 1.0, 3.0, 8.0, 11.0):
        for mean in (model.low - distance * 1e-3, model.high + distance * 1e-3):
            share = line_norm(model.constants(), mean, 1e-3, np.empty(5))
            assert share == pytest.approx(stats.norm.sf(distance), rel=1e-10)


@pytest.mark.parametrize("shape", [(1.0,), (3.0, -2.0), (1.0, 0.2, -0.3), (0.0, 0.0, 7.0), (0.25, -1.0, 1.0)])
def test_background_density_is_a_density(shape):
    model = region_2(background_shape=shape)

    def density(x):
        return float(model.background_density(x))

    assert quad(density, model.low, model.high)[0] == pytest.approx(1.0, rel=1e-9)
    assert model.background_inside(0.03, 0.05) == pytest.approx(quad(density, 0.03, 0.05)[0], rel=1e-9)
    top = np.max(np.polynomial.Polynomial(model.proposal())(np.linspace(0.0, 1.0, 1001)))
    assert top == pytest.approx(1.0, abs=1e-5)


def test_signal_inside_is_an_integral():
    for m_x in (0.157, 0.2, 0.2605):
        model = region_2(m_x)
        line = stats.norm(model.mean, model.width)
        assert model.signal_inside() == pytest.approx(line.cdf(model.high) - line.cdf(model.low), rel=1e-9)
        assert model.signal_inside(0.03, 0.05) == pytest.approx(line.cdf(0.05) - line.cdf(0.03), abs=1e-14)


@pytest.mark.parametrize("signal", [0.0, 3.0])
def test_asimov_data_hold_what_is_expected(signal):
    model = region_2(0.160)
    x, density, weight = asimov_data(model, signal * model.sensitivity).events
    assert weight.sum() == pytest.approx(model.background + signal, rel=1e-9)
    assert np.array_equal(density, model.background_density(x))
    line = stats.truncnorm((model.low - model.mean) / model.width, (model.high - model.mean) / model.width)
    mean_x = quad(lambda t: t * float(model.background_density(t)), model.low, model.high)[0] * model.background
    mean_x += signal * (model.mean + model.width * line.mean())
    assert weight @ x == pytest.approx(mean_x, rel=1e-9)


def test_asimov_data_are_fitted_by_what_made_them():
    model = region_2(background=40.0, background_error=3.0)
    free, found = asimov_data(model, 7.0 * model.sensitivity).free()
    assert found == pytest.approx(7.0, rel=1e-5)
    assert asimov_data(model, 7.0 * model.sensitivity).given(7.0)[0] == pytest.approx(free, abs=1e-9)
    assert asimov_data(model).q_zero() == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"low": math.nan}, "low is nan"),
        ({"low": 0.07}, "interval"),
        ({"background": -1.0}, "background is -1.0"),
        ({"background_error": math.inf}, "background_error is inf"),
        ({"background": 0.0}, "background_error is 0.4"),
        ({"background_shape": ()}, "background_shape"),
        ({"background_shape": (1.0, math.nan)}, "background_shape"),
        ({"background_shape": (1.0, -4.0, 3.9)}, "-0.025.* at x = 0.0475"),
        ({"background_shape": (0.0, 0.0)}, "background_shape"),
        ({"width": 0.0}, "width is 0.0"),
        ({"width_error": -0.1}, "width_error is -0.1"),
        ({"sensitivity": -1e-11}, "sensitivity is -1e-11"),
        ({"mean": 0.02}, "mean is 0.02 and width 0.001"),
    ],
)
def test_an_impossible_model_is_refused(changes, words):
    with pytest.raises(StatisticsError, match=words):
        region_2(**changes)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([[0.03]], "shape"),
        ([0.03, 0.0681], "event 1 is at 0.0681"),
        ([math.nan], "event 0 is at nan"),
    ],
)
def test_events_outside_are_refused(events, words):
    with pytest.raises(StatisticsError, match=words):
        region_2().checked_events(events)


def test_a_model_without_errors_is_possible():
    assert region_2(background=0.0, **EXACT).constants().tau == 0.0
