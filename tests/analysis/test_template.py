"""Templates against histograms of numpy over all events at once."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaongen.analysis.template import Template, template
from kaongen.errors import EventFileError
from kaongen.events.layout import SampleInfo, Tally
from kaongen.production.memory import MemorySample

EDGES = np.linspace(-0.05, 0.15, 41)


def events(n=5000, generated=20000, seed=1, rows=None):
    rng = np.random.default_rng(seed)
    data = {
        "weight": rng.exponential(size=n),
        "m2_miss": rng.normal(0.05, 0.05, n).astype(np.float32),
        "muon_pz": rng.uniform(5.0, 70.0, n).astype(np.float32),
    }
    info = SampleInfo(name="munu", process="munu", decay="K+ -> mu+ nu_mu", parameters={})
    sample = MemorySample(info, Tally(candidates=generated, generated=generated, selected=n), data)
    if rows is None:
        return sample
    short = SimpleNamespace(info=info, tally=sample.tally)
    short.batches = lambda *names: sample.batches(*names, rows=rows)
    return short


def test_bins_are_sums_of_weights_over_decays():
    sample = events()
    made = template(sample, EDGES)
    x, w = sample.data["m2_miss"].astype(float), sample.data["weight"]
    assert made.probability == pytest.approx(np.histogram(x, EDGES, weights=w)[0] / 20000, rel=1e-12)
    inside = (x >= EDGES[0]) & (x < EDGES[-1])
    assert made.total.value == pytest.approx(w[inside].sum() / 20000, rel=1e-12)


def test_the_error_is_that_of_repeated_simulations():
    """A decay is selected with a probability of 0.25 and an exponential weight: mean square 2 times 0.25."""
    totals = []
    for seed in range(400):
        n = np.random.default_rng(10_000 + seed).binomial(2000, 0.25)
        totals.append(template(events(n, 2000, seed), [-10.0, 10.0]).total.value)
    stated = template(events(500, 2000), [-10.0, 10.0]).total.error
    expected = math.sqrt((2 * 0.25 - 0.25**2) / 2000)
    # 400 repeats tell a width to 3.5%, one sample states it to about 7%
    assert np.std(totals) == pytest.approx(expected, rel=0.12)
    assert stated == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize("rows", [1, 77, 5000])
def test_nothing_depends_on_the_stretches(rows):
    whole, parts = template(events(), EDGES), template(events(rows=rows), EDGES)
    assert parts.probability == pytest.approx(whole.probability, rel=1e-12)
    assert parts.variance == pytest.approx(whole.variance, rel=1e-12)


def test_a_function_of_columns_is_binned_and_weighted():
    sample = events()
    made = template(
        sample,
        [0.0, 10.0, 60.0, 100.0],
        value=lambda c: c["muon_pz"].astype(float) - 5.0,
        factor=lambda c: np.where(c["m2_miss"] > 0.05, 0.5, 0.0),
        needs=("muon_pz", "m2_miss"),
    )
    p, x, w = (sample.data[name].astype(float) for name in ("muon_pz", "m2_miss", "weight"))
    expected = np.histogram(p - 5.0, [0.0, 10.0, 60.0, 100.0], weights=np.where(x > np.float32(0.05), 0.5, 0.0) * w)[0]
    assert made.probability == pytest.approx(expected / 20000, rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=2, max_size=10, unique=True))
def test_wider_bins_hold_the_same(positions):
    fine = template(events(), EDGES)
    positions = sorted(positions)
    wide = fine.rebinned(EDGES[positions])
    for k in range(len(positions) - 1):
        part = slice(positions[k], positions[k + 1])
        assert wide.probability[k] == pytest.approx(fine.probability[part].sum(), rel=1e-12)
        assert wide.variance[k] == pytest.approx(fine.variance[part].sum(), rel=1e-12)


def test_above_an_edge():
    fine = Template(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3]), np.array([0.01, 0.03, 0.06]))
    assert fine.above(1.0).value == pytest.approx(0.5)
    assert fine.above(1.0).error == pytest.approx(0.3)
    with pytest.raises(ValueError, match=r"1\.5 is not an edge"):
        fine.above(1.5)
    with pytest.raises(ValueError, match=r"0\.5 is not an edge"):
        fine.rebinned([0.5, 3.0])


def test_a_sample_of_nothing_is_refused():
    with pytest.raises(EventFileError, match="'munu' has no generated decays"):
        template(events(0, 0), EDGES)
