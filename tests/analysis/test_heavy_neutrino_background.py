"""The smooth description of a simulated background, against shapes that it can hold exactly and against toys."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from kaongen.analysis.heavy_neutrino_background import smooth, terms

LOW, HIGH, BINS = 0.188, 0.386, 198
EDGES = np.linspace(LOW, HIGH, BINS + 1)
CENTRES = 0.5 * (EDGES[:-1] + EDGES[1:])


def muon_momentum_squared(m):
    """In the kaon frame, from energies: E = (M^2 + mu^2 - m^2)/2M."""
    kaon, muon = 0.493677, 0.1056583755
    energy = (kaon**2 + muon**2 - m * m) / (2.0 * kaon)
    return energy**2 - muon**2


def shape(m):
    """Events per GeV that fall and end as phase space does."""
    return 1e6 * math.exp(-12.0 * (m - LOW)) * muon_momentum_squared(m) / muon_momentum_squared(0.0)


def contents(weight=1.0, seed=None):
    means = np.array([quad(shape, a, b)[0] for a, b in pairwise(EDGES)])
    if seed is None:
        return means, weight * means
    drawn = np.random.default_rng(seed).poisson(means / weight)
    return drawn * weight, drawn * weight**2


def test_what_it_can_hold_comes_back():
    """An exponential on phase space, from bins of 1 MeV; bins of the search by quadrature."""
    found = smooth(LOW, HIGH, [contents()])
    assert found.density(CENTRES) == pytest.approx([shape(m) for m in CENTRES], rel=2e-4)
    edges = np.linspace(0.2987, 0.3011, 5)
    expected = [quad(shape, a, b)[0] for a, b in pairwise(edges)]
    assert found.counts(edges) == pytest.approx(expected, rel=2e-4)


def test_the_total_is_the_simulated_one():
    for seed, weight in ((1, 1.0), (2, 50.0), (3, 3000.0)):
        counts, variances = contents(weight, seed)
        found = smooth(LOW, HIGH, [(counts, variances), (2 * counts, 4 * variances)])
        total = quad(lambda m, found=found: float(found.density(np.array([m]))[0]), LOW, HIGH)[0]
        assert total == pytest.approx(3 * counts.sum(), rel=1e-3)


def test_nothing_beyond_the_range_and_the_end():
    found = smooth(LOW, 0.395, [contents()])
    assert found.counts(np.array([0.1, 0.15, LOW])) == pytest.approx([0.0, 0.0])
    assert found.density(np.array([0.3881, 0.39])) == pytest.approx([0.0, 0.0])


def test_terms_grow_with_the_effective_number_of_events():
    """(sum w)^2 / sum w^2, which a few large weights spoil."""
    for effective, expected in ((5, 1), (20, 2), (100, 3), (500, 4), (5000, 6)):
        counts = np.full(BINS, 7.0)
        assert terms(counts, counts * counts.sum() / effective) == expected
    lonely = np.zeros(BINS)
    lonely[5] = 1e6
    assert terms(lonely, lonely) == 1


def test_the_error_is_the_scatter_of_simulations():
    """Of 150 simulations with events of weight 50, at three masses; four terms each."""
    at = np.array([0.2, 0.28, 0.36])
    found = [smooth(LOW, HIGH, [contents(100.0, seed)]) for seed in range(150)]
    assert {len(f.parts[0]) for f in found} == {4}
    densities = np.array([f.density(at) for f in found])
    errors = np.array([f.error(at) for f in found])
    # a scatter of 150 is known to 1/sqrt(300): three of that
    assert errors.mean(axis=0) == pytest.approx(densities.std(axis=0), rel=0.18)
    truth = np.array([shape(m) for m in at])
    assert np.all(np.abs(densities.mean(axis=0) - truth) < 3.5 * densities.std(axis=0) / math.sqrt(150))


def test_backgrounds_without_events_are_left_out():
    nothing = (np.zeros(BINS), np.zeros(BINS))
    found = smooth(LOW, HIGH, [nothing, contents()])
    assert len(found.parts) == 1
    empty = smooth(LOW, HIGH, [nothing])
    assert empty.density(CENTRES) == pytest.approx(0.0)
    assert empty.counts(EDGES) == pytest.approx(0.0)
    assert empty.error(CENTRES) == pytest.approx(0.0)


@pytest.mark.parametrize("bins", [[3], [0, 197], [100, 101, 102]])
def test_a_few_events_have_a_description(bins):
    counts = np.zeros(BINS)
    counts[bins] = 75.0
    found = smooth(LOW, HIGH, [(counts, 75.0 * counts)])
    values = found.counts(EDGES)
    assert np.all(np.isfinite(values))
    assert values.sum() == pytest.approx(counts.sum(), rel=1e-2)
