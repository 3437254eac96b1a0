"""Densities from weighted events, as polynomials."""

import numpy as np
import pytest
from numpy.polynomial import legendre

from kaongen.reach.shapes import Smooth, flat, smooth, together

LOW, HIGH = 0.3, 0.9
COEFFICIENTS = np.array([1.0, 0.4, -0.3])


def draw(rng, n):
    """Events of the density 1 + 0.4 P_1 - 0.3 P_2, by rejection, with weights that say nothing about x."""
    t = rng.uniform(-1.0, 1.0, 4 * n)
    kept = t[rng.uniform(0.0, 2.0, t.size) < legendre.legval(t, COEFFICIENTS)]
    x = LOW + 0.5 * (kept + 1.0) * (HIGH - LOW)
    return x, rng.exponential(1.0, x.size)


def test_coefficients_are_unbiased_and_have_the_errors_they_state():
    rng = np.random.default_rng(3)
    made = [smooth(*draw(rng, 4000), LOW, HIGH, 2) for _ in range(300)]
    total = np.array([s.coefficients * (HIGH - LOW) for s in made])
    mean, spread = total.mean(axis=0), total.std(axis=0)
    # about half of 16000 proposals are kept, with a mean weight of 1
    truth = 8000.0 * COEFFICIENTS
    assert mean == pytest.approx(truth, abs=5.0 * spread.max() / np.sqrt(300))
    stated = np.sqrt(np.mean([np.diag(s.covariance) for s in made], axis=0)) * (HIGH - LOW)
    # the number of events is binomial here, Poisson in what is stated: only the norm notices
    assert stated[1:] == pytest.approx(spread[1:], rel=0.15)
    assert stated[0] == pytest.approx(np.sqrt(8000.0 * 2.0), rel=0.05)


def test_bins_hold_the_integral_of_the_density():
    shape = Smooth(LOW, HIGH, COEFFICIENTS, np.eye(3))
    edges = np.linspace(0.35, 0.8, 8)
    for low, high, events in zip(edges, edges[1:], shape.events(edges), strict=False):
        x = np.linspace(low, high, 2001)
        y = legendre.legval(2.0 * (x - LOW) / (HIGH - LOW) - 1.0, COEFFICIENTS)
        assert events == pytest.approx(np.trapezoid(y, x), rel=1e-6)


def test_the_norm_is_that_of_the_events():
    x, w = draw(np.random.default_rng(5), 3000)
    assert smooth(x, w, LOW, HIGH, 2).events(np.array([LOW, HIGH]))[0] == pytest.approx(w.sum(), rel=1e-12)


def test_variations_carry_the_covariance():
    rng = np.random.default_rng(7)
    root = rng.normal(size=(3, 3))
    shape = Smooth(LOW, HIGH, COEFFICIENTS, root @ root.T)
    edges = np.linspace(LOW, HIGH, 6)
    shifts = shape.variations(edges)
    integrals = shape.integrals(edges)
    assert shifts.T @ shifts == pytest.approx(integrals @ shape.covariance @ integrals.T, rel=1e-9)


@pytest.mark.parametrize(("n", "size"), [(0, 1), (20, 1), (200, 2), (2000, 3)])
def test_few_events_make_simple_shapes(n, size):
    x = np.linspace(LOW + 1e-3, HIGH - 1e-3, n)
    assert len(smooth(x, np.ones(n), LOW, HIGH, 2).coefficients) == size


def test_a_density_never_falls_to_nothing():
    # all events at one end: a line would be negative at the other
    x = np.full(1000, LOW + 0.02)
    shape = smooth(x, np.ones(1000), LOW, HIGH, 2)
    assert np.all(shape.events(np.linspace(LOW, HIGH, 30)) > 0.0)


def test_sums_and_multiples():
    one, other = Smooth(LOW, HIGH, COEFFICIENTS, np.eye(3)), flat(6.0, LOW, HIGH)
    both = together([one.scaled(2.0), other])
    edges = np.linspace(LOW, HIGH, 4)
    assert both.events(edges) == pytest.approx(2.0 * one.events(edges) + 2.0)
    assert both.covariance == pytest.approx(4.0 * np.eye(3))
