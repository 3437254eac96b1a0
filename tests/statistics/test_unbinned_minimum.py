"""The minimiser of the toys against iminuit, against closed forms, and against many starts of its own."""

import numpy as np
import pytest
from unbinned_models import EXACT, OBSERVED, background_events, region_2, signal_events

from kaongen.errors import StatisticsError
from kaongen.statistics.unbinned_data import observed_data
from kaongen.statistics.unbinned_fit import PARAMETERS, fit
from kaongen.statistics.unbinned_likelihood import FREE
from kaongen.statistics.unbinned_minimum import minimise


def random_experiment(rng):
    """A model with errors from none to large, and events of it."""
    background = rng.choice([0.5, 2.6, 20.0])
    width = rng.choice([1e-3, 3e-3])
    model = region_2(
        background=background,
        background_error=background * rng.choice([0.0, 0.16, 0.5]),
        mean=rng.choice([0.0245, 0.030, 0.0484, 0.069]),
        mean_error=width * rng.choice([0.0, 0.1, 0.3, 1.0]),
        width=width,
        width_error=rng.choice([0.0, 0.1, 0.3]),
        sensitivity_error=rng.choice([0.0, 0.1, 0.3]),
    )
    signal = rng.choice([0.0, 1.0, 4.0])
    return model, np.concatenate([background_events(model, background, rng), signal_events(model, signal, rng)])


@pytest.mark.parametrize("seed", range(60))
def test_fits_agree_with_iminuit(seed):
    rng = np.random.default_rng(seed)
    model, x = random_experiment(rng)
    data = observed_data(model, x)
    r = rng.choice([0.3, 2.3, 6.0])
    free, found = data.free()
    given, y = data.given(r)
    theirs = fit(model, x)
    assert 2 * free == pytest.approx(theirs.minimum, abs=1e-4)
    assert found == pytest.approx(theirs.values["branching_fraction"] / model.sensitivity, abs=0.02)
    theirs = fit(model, x, r * model.sensitivity)
    assert 2 * given == pytest.approx(theirs.minimum, abs=1e-4)
    ours = [y[0], model.sensitivity * (1 + model.sensitivity_error) ** y[1], model.mean + model.mean_error * y[2]]
    ours.append(model.width * (1 + model.width_error) ** y[3])
    assert ours == pytest.approx([theirs.values[name] for name in PARAMETERS[1:]], rel=0.02)


@pytest.mark.parametrize("seed", range(40))
def test_no_other_start_finds_less(seed):
    rng = np.random.default_rng(1000 + seed)
    model, x = random_experiment(rng)
    data = observed_data(model, x)
    for r, found in ((FREE, data.free()[0]), (1.7, data.given(1.7)[0])):
        for _ in range(30):
            signal = rng.uniform(0.01, 10.0) if r == FREE else rng.normal()
            y = np.array([model.background * rng.uniform(0.5, 2.0), signal, *rng.normal(0.0, 2.0, 2)])
            if model.background_error == 0.0:
                y[0] = model.background
            start = minimise(model.constants(), data.observed, data.events, x.size, r, y)
            assert start >= found - 1e-8


def test_without_signal_the_background_has_a_closed_form():
    model = region_2()
    tau = model.background / model.background_error**2
    _, y = observed_data(model, OBSERVED).given(0.0)
    assert y == pytest.approx([(tau * model.background + 2) / (tau + 1), 0.0, 0.0, 0.0], rel=1e-12)


@pytest.mark.parametrize("signal", [0.1, 2.0, 7.0])
def test_without_events_the_statistic_is_twice_the_signal(signal):
    model = region_2(**EXACT)
    assert observed_data(model, []).q_tilde(signal) == pytest.approx(2 * signal, rel=1e-12)


def test_without_background_counting_is_left():
    """q~ = 2 (s - n + n log(n / s)): where the events are plays no part."""
    model = region_2(background=0.0, **EXACT)
    for x in ([0.03], [0.0484, 0.0490, 0.061]):
        n = len(x)
        for s in (0.5, 3.5, 8.0):
            expected = 2 * (s - n + n * np.log(n / s)) if s > n else 0.0
            assert observed_data(model, x).q_tilde(s) == pytest.approx(expected, abs=1e-9)
    assert observed_data(model, [0.0484]).q_zero() == np.inf
    assert observed_data(model, []).q_zero() == 0.0


@pytest.mark.slow
def test_injected_signals_are_found_without_bias():
    """200 background and 40 signal events: mean and pull width of iminuit's branching fraction over 150 experiments."""
    rng = np.random.default_rng(4)
    truth, experiments = 40.0, 150
    model = region_2(background=200.0, background_error=20.0, sensitivity_error=0.0)
    found, pulls = [], []
    for _ in range(experiments):
        pull_m, pull_w = rng.normal(size=2)
        # what was measured fluctuates around the truth, as the events do
        count = rng.poisson(model.background / model.background_error**2 * model.background)
        tau = model.background / model.background_error**2
        measured = region_2(
            background=count / tau,
            background_error=np.sqrt(count) / tau,
            mean=model.mean + model.mean_error * pull_m,
            width=model.width * 1.1**pull_w,
            sensitivity_error=0.0,
        )
        x = np.concatenate([background_events(model, 200.0, rng), signal_events(model, truth, rng)])
        result = fit(measured, x)
        assert result.valid
        found.append(result.values["branching_fraction"] / model.sensitivity)
        pulls.append((found[-1] - truth) * model.sensitivity / result.errors["branching_fraction"])
        assert found[-1] == pytest.approx(observed_data(measured, x).free()[1], rel=1e-3)
    assert np.mean(found) == pytest.approx(truth, abs=3.5 * np.std(found) / np.sqrt(experiments))
    assert np.std(pulls) == pytest.approx(1.0, abs=3.5 / np.sqrt(2 * experiments))


def test_fixed_parameters_have_no_error():
    result = fit(region_2(sensitivity_error=0.0, mean_error=0.0), OBSERVED, 3e-11)
    assert result.valid
    assert result.values["branching_fraction"] == pytest.approx(3e-11)
    assert [name for name in PARAMETERS if result.errors[name] == 0.0] == ["branching_fraction", "sensitivity", "mean"]
    assert result.errors["background"] == pytest.approx(0.4, rel=0.1)  # of 0.41, which two events hardly improve
    assert result.errors["width"] == pytest.approx(1e-4, rel=0.1)


@pytest.mark.parametrize("parameter", [-1e-12, np.nan])
def test_a_negative_branching_fraction_is_refused(parameter):
    with pytest.raises(StatisticsError, match="parameter is"):
        fit(region_2(), OBSERVED, parameter)
