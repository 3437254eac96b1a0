"""Toys: their distributions against scipy's, their weights against toys without weights."""

import numpy as np
import pytest
from scipy import stats
from unbinned_models import OBSERVED, region_2

from kaongen.random import stream_key
from kaongen.statistics.unbinned_data import observed_data
from kaongen.statistics.unbinned_discovery import scans_without_signal
from kaongen.statistics.unbinned_toys import add_background, add_signal, exclusion, observe

TOYS = 4000
KEY = stream_key(3, "toys of a test")


def positions(model, background, signal, y=(0.0, 0.0, 0.0, 0.0)):
    """Events of many toys, and how many each had."""
    data, counts, found = np.empty((3, 200)), [], []
    for toy in range(TOYS):
        if signal:
            n = add_signal(model.constants(), 0, KEY, np.uint64(toy), signal, np.asarray(y), data)
        else:
            n = add_background(model.constants(), model.proposal(), 0, KEY, np.uint64(toy), background, data)
        counts.append(n)
        found.append(data[0, :n].copy())
    return np.concatenate(found), np.array(counts)


def is_poisson(counts, mean):
    """Mean and variance of a Poisson number within 4 standard errors."""
    error = np.sqrt(mean / counts.size)
    return abs(counts.mean() - mean) < 4 * error and abs(counts.var() / mean - 1) < 4 * np.sqrt(
        (2 + 1 / mean) / counts.size
    )


@pytest.mark.parametrize("shape", [(1.0, 0.2, -0.3), (0.0, 0.0, 1.0)])
def test_background_events_follow_the_polynomial(shape):
    model = region_2(background_shape=shape)
    x, counts = positions(model, 3.0, 0.0)
    assert is_poisson(counts, 3.0)
    cumulative = np.vectorize(lambda t: model.background_inside(model.low, t))
    assert stats.kstest(x, cumulative).pvalue > 1e-3


@pytest.mark.parametrize("mean", [0.0484, 0.0262, 0.0237, 0.0225, 0.0713])
def test_signal_events_follow_the_truncated_gaussian(mean):
    """In the interval, at its ends and up to 3.5 standard deviations outside, where sampling inverts the tail."""
    model = region_2(mean=mean)
    y = (0.0, 0.0, 0.5, -1.0)
    x, counts = positions(model, 0.0, 2.0, y)
    centre, width = mean + 0.5 * model.mean_error, model.width / 1.1
    line = stats.truncnorm((model.low - centre) / width, (model.high - centre) / width, centre, width)
    assert is_poisson(counts, 2.0)
    assert stats.kstest(x, line.cdf).pvalue > 1e-3


def test_global_observables_fluctuate():
    model = region_2()
    c, y = model.constants(), np.array([2.2, 0.4, -1.0, 2.0])
    seen = np.empty((TOYS, 4))
    for toy in range(TOYS):
        observe(c, KEY, np.uint64(toy), y, seen[toy])
    assert is_poisson(seen[:, 0], c.tau * 2.2)
    for k in (1, 2, 3):
        assert stats.kstest(seen[:, k], stats.norm(y[k]).cdf).pvalue > 1e-3
    assert np.abs(np.corrcoef(seen.T) - np.eye(4)).max() < 4 / np.sqrt(TOYS)


def test_weights_turn_toys_of_one_hypothesis_into_those_of_another():
    """P(q~ >= observed) from a weighted mixture, against the share among plain toys of each hypothesis."""
    model = region_2(m_x=0.196)
    data = observed_data(model, OBSERVED)
    r = np.array([0.0, 1.5, 2.5, 4.0, 6.0])
    y = np.array([data.given(each)[1] for each in r])
    q, weight = exclusion(model, "mixture", r, y, [8000, 2000, 2000, 2000, 2000], 1, None)
    assert weight.mean(axis=0) == pytest.approx(np.ones(5), abs=0.05)
    assert (weight <= 16000 / np.array([8000, 2000, 2000, 2000, 2000]) + 1e-9).all()
    for k in range(1, 5):
        threshold = data.q_tilde(r[k])
        for hypothesis in (0, k):
            numbers = [0] * 5
            numbers[hypothesis] = 20_000
            plain, one = exclusion(model, "plain", r, y, numbers, 1, None)
            share = np.mean(plain[:, k - 1] >= threshold)
            weighted = weight[:, hypothesis] * (q[:, k - 1] >= threshold)
            error = np.hypot(np.sqrt(share / 20_000), weighted.std() / np.sqrt(16_000))
            assert weighted.mean() == pytest.approx(share, abs=4 * error)
            assert np.allclose(one[:, hypothesis], 1.0)


def test_toys_do_not_depend_on_threads_nor_on_how_many_follow():
    model = region_2()
    r, y = np.array([0.0, 2.0]), np.array([[2.6, 0.0, 0.0, 0.0], [2.4, 0.2, 0.0, 0.0]])
    q, weight = exclusion(model, "threads", r, y, [700, 500], 9, 1)
    again, weight_again = exclusion(model, "threads", r, y, [700, 500], 9, 3)
    assert np.array_equal(q, again)
    assert np.array_equal(weight, weight_again)
    more, _ = exclusion(model, "threads", r, y, [900, 500], 9, 2)
    assert np.array_equal(more[:700], q[:700])
    other, _ = exclusion(model, "threads", r, y, [700, 500], 10, 2)
    assert not np.array_equal(other, q)


def test_one_toy_looks_for_all_lines():
    """Lines of a scan see the same events: equal lines agree, neighbours correlate, distant ones do not."""
    masses = [0.200, 0.200, 0.2005, 0.240]
    q = scans_without_signal([region_2(m, background=20.0) for m in masses], toys=2000, seed=2)
    assert q.shape == (2000, 4)
    assert np.array_equal(q[:, 0], q[:, 1])
    assert np.corrcoef(q[:, 0], q[:, 2])[0, 1] > 0.9
    assert abs(np.corrcoef(q[:, 0], q[:, 3])[0, 1]) < 0.1
