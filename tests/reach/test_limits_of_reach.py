"""Limits at one mass from samples that are made here: scaling with kaons and errors, windows, treatments."""

import math

import numpy as np
import pytest

from kaongen.analysis.mu_selection import MuonSelection
from kaongen.analysis.result import SampleSummary, Value
from kaongen.errors import CardError
from kaongen.particles import Measured
from kaongen.reach.backgrounds import Binning, backgrounds
from kaongen.reach.channels import ChannelModel, Count, Source
from kaongen.reach.limits import best_window, limits, one_bin, ordered, set_up
from kaongen.reach.project import prepare
from kaongen.reach.settings import Reach
from kaongen.reach.simulation import Reduced
from kaongen.statistics.binned import Background, BinnedModel
from kaongen.statistics.binned_limit import upper_limit
from kaongen.statistics.limit import UpperLimit

GENERATED = 1_000_000
WIDTH = 0.01


def summary(name):
    return SampleSummary(
        sample=name, process=name, decay=name, parameters={}, zone="volume", role="background", generated=GENERATED,
        selected=0, above_bound=0, branching_fraction=1.0, acceptance=Value(value=0.0), cutflow=[],
    )  # fmt: skip


def sample(name, x, weight, branching_fraction=1.0):
    return Reduced(summary(name), GENERATED, branching_fraction, np.atleast_2d(x), weight, np.zeros(0))


def channel(**changes):
    values = {
        "name": "mu", "configuration": "na62-2016-2018", "selection": MuonSelection, "columns": ("m2_miss",),
        "squared": False, "label": "x", "unit": "GeV", "ranges": ((0.0, 1.0),), "bin_width": 0.05, "margin": 0.0,
        "sources": (Source("flat", "flat", GENERATED),),
    }  # fmt: skip
    return ChannelModel(**{**values, **changes})


FLAT = sample("flat", (np.arange(400_000) + 0.5) / 400_000, np.full(400_000, 1e-4), 1e-2)
PEAK = sample("signal", 0.5 + WIDTH * np.random.default_rng(1).normal(size=100_000), np.full(100_000, 2.0))
BROAD = sample("signal", np.linspace(0.0, 1.0, 100_001) ** 0.5, np.full(100_001, 2.0))


def limit_of(n_kaons, signal=PEAK, is_peak=True, chosen=None, samples=None, **settings):
    """With the errors of the simulation, unless they are left out."""
    values = {"model": "x", "n_kaons": n_kaons, "method": "asymptotics", "signal_error": 0.0, "simulation_error": True}
    asked = Reach(**(values | settings))
    setup = set_up(0.5, signal, samples or {"flat": FLAT}, chosen or channel(), asked, is_peak)
    return limits([setup], asked)[0]


def test_without_background_the_limit_is_that_of_nothing_seen():
    found = limit_of(1e9, background="none")
    # all of the peak is in its bins, but for what lies beyond 8 standard deviations: nothing
    acceptance = PEAK.weight.sum() / GENERATED
    assert found.limit.expected == pytest.approx(math.log(10.0) / (1e9 * acceptance), rel=1e-9)
    assert set(found.limit.bands.values()) == {found.limit.expected}
    assert found.sensitivity == pytest.approx(1.0 / (1e9 * acceptance), rel=1e-9)
    assert found.counting is None
    assert limit_of(1e9, background="none", confidence_level=0.95).limit.expected == pytest.approx(
        math.log(20.0) / (1e9 * acceptance), rel=1e-9
    )


def test_limits_fall_with_kaons_as_they_must():
    def ratio(n, **settings):
        return limit_of(100.0 * n, **settings).limit.expected / limit_of(n, **settings).limit.expected

    assert ratio(1e9, background="none") == pytest.approx(1e-2, rel=1e-9)
    # ten thousands of background events: only the root of their number counts
    assert ratio(1e11, systematic=0.0, background="sideband") == pytest.approx(0.1, rel=0.03)
    # counting, with an error of each background that is much larger than that root: nothing is gained
    assert ratio(1e12, systematic=0.2, counting=True) == pytest.approx(1.0, rel=0.03)


def test_the_systematic_error_of_a_counting_experiment_sets_its_limit():
    found = limit_of(1e12, systematic=0.1, counting=True)
    # 90% CLs of a Gaussian measurement of zero: 1.645 standard deviations
    events = found.limit.expected / found.sensitivity
    kept = found.setup.model.signal[0]
    background = found.setup.model.background[0]
    assert events * kept == pytest.approx(1.645 * 0.1 * background, rel=0.02)


def test_shapes_tell_an_error_of_the_level_from_a_peak():
    free, known = limit_of(1e11, systematic=0.2), limit_of(1e11, systematic=0.0)
    assert known.limit.expected <= free.limit.expected < 1.5 * known.limit.expected
    band = limit_of(1e11, background="sideband")
    assert known.limit.expected < band.limit.expected < 2.0 * known.limit.expected


def test_a_peak_on_a_flat_background_has_the_limit_of_its_width():
    found = limit_of(1e11, systematic=0.0)
    density = 1e11 * 1e-2 * FLAT.weight.sum() / GENERATED
    # the information of a Gaussian on a flat background: sum s^2/b = 1/(2 sqrt(pi) width density)
    spread = math.sqrt(2.0 * math.sqrt(math.pi) * WIDTH * density)
    # the simulation's errors of the level are 2e-3, more than the root of so many events
    assert found.limit.expected / found.sensitivity > 1.645 * spread
    model = found.setup.model
    bare = BinnedModel(model.signal, (Background("flat", model.background),))
    assert upper_limit(bare).expected == pytest.approx(1.645 * spread, rel=0.03)


def test_errors_of_the_simulation_can_be_left_out():
    # 20 bins of 20000 simulated events, 0.7%, against 0.07% of the 2000000 in the data
    chosen = channel()
    rare = channel(sources=(Source("flat", "flat", GENERATED, rare=True),))
    for made, is_peak, signal in ((chosen, False, BROAD), (chosen, True, PEAK), (rare, False, BROAD)):
        weak = limit_of(1e14, chosen=made, is_peak=is_peak, signal=signal)
        bare = limit_of(1e14, chosen=made, is_peak=is_peak, signal=signal, simulation_error=False)
        assert bare.simulation == pytest.approx(weak.simulation, rel=1e-12)
        # the data around a peak correct its background; nothing corrects each bin of a broad one
        assert 1.0 < weak.simulation < 1.3 if is_peak else weak.simulation > 5.0
        assert weak.limit.expected / bare.limit.expected == pytest.approx(weak.simulation, rel=1e-6)
        # a hundred times the kaons: ten times the sensitivity, and none
        more = limit_of(1e16, chosen=made, is_peak=is_peak, signal=signal, simulation_error=False)
        assert more.limit.expected / bare.limit.expected == pytest.approx(0.1, rel=0.05)
    best = limit_of(1e16, chosen=chosen, is_peak=False, signal=BROAD).limit.expected
    assert best / limit_of(1e14, chosen=chosen, is_peak=False, signal=BROAD).limit.expected > 0.9


def test_the_best_window_is_found():
    rng = np.random.default_rng(2)
    b = rng.uniform(1.0, 30.0, 9)
    parts = (
        Background("one", 0.5 * b, rng.uniform(0.0, 2.0, 9), {"n": 0.1 * b}),
        Background("two", 0.5 * b, rng.uniform(0.0, 2.0, 9), {"n": 0.2 * b, "m": rng.normal(size=9)}),
    )
    model = BinnedModel(rng.uniform(0.0, 1.0, 9), parts)

    def merit(first, last):
        take = slice(first, last)
        errors = sum(np.square(p.errors[take]).sum() for p in parts)
        shifts = [0.3 * b[take].sum(), parts[1].variations["m"][take].sum()]
        return model.signal[take].sum() / math.sqrt(b[take].sum() + errors + sum(s * s for s in shifts))

    stretches = [(i, j) for i in range(9) for j in range(i + 1, 10)]
    assert best_window(model, True) == max(stretches, key=lambda s: merit(*s))
    assert best_window(model, False) == max(((i, 9) for i in range(9)), key=lambda s: merit(*s))
    one = one_bin(model, 2, 5)
    assert one.signal[0] / math.sqrt(
        one.background[0] + one.statistical_error[0] ** 2 + np.square(one.templates.variations).sum()
    ) == pytest.approx(merit(2, 5))


def test_quantiles_of_few_toys_are_put_in_order():
    limit = ordered(UpperLimit(None, 2.0, 2.1, 1.9, 3.0, 2.5, 0.9, "toys"))
    assert [limit.bands["-2"], limit.bands["-1"], limit.expected, limit.bands["+1"], limit.bands["+2"]] == [
        1.9, 2.0, 2.1, 2.5, 3.0,
    ]  # fmt: skip


COUNT = Measured(50.0, 10.0, "a paper")


def test_published_counts_scale_with_kaons_and_keep_their_errors():
    chosen = channel(published={"flat": (Count(0.5, math.inf, COUNT),)}, published_kaons=1e9)
    edges = np.linspace(0.0, 1.0, 21)
    asked = Reach(model="x", n_kaons=3e9, background="published", systematic=0.0)
    (made,) = backgrounds(chosen, {"flat": FLAT}, asked, [Binning(0, edges, 0.5, False)])
    assert made.events[10:].sum() == pytest.approx(150.0, rel=1e-3)
    assert made.events[:10].sum() == pytest.approx(150.0, rel=1e-3)
    (shift,) = made.variations.values()
    assert shift == pytest.approx(0.2 * made.events)
    # the simulated 400000 events have their statistical error
    assert np.square(made.errors).sum() == pytest.approx(300.0**2 / 400_000, rel=0.05)
    alone = backgrounds(chosen, {"flat": FLAT}, asked.model_copy(update={"background": "simulated"}),
                        [Binning(0, edges, 0.5, False)])  # fmt: skip
    assert alone[0].events.sum() == pytest.approx(3e9 * 1e-2 * FLAT.weight.sum() / GENERATED, rel=1e-9)


def test_a_line_that_cannot_be_simulated_is_flat():
    chosen = channel(
        ranges=((0.0, 0.4), (0.6, 1.0)),
        published={"upstream": (Count(0.0, 0.4, COUNT), Count(0.6, 1.0, Measured(20.0, 5.0, "a paper")))},
        published_kaons=1e9,
    )
    asked = Reach(model="x", n_kaons=1e9, systematic=0.0)
    binnings = [Binning(0, np.linspace(0.0, 0.4, 5), 0.5, False), Binning(1, np.linspace(0.6, 1.0, 5), 0.5, False)]
    made = {b.name: b for b in backgrounds(chosen, {"flat": FLAT}, asked, binnings)}
    assert made["upstream"].events == pytest.approx(np.array([12.5] * 4 + [5.0] * 4))
    # the errors of the two regions are independent of each other
    one, two = made["upstream"].variations.values()
    assert one == pytest.approx(np.array([2.5] * 4 + [0.0] * 4))
    assert two == pytest.approx(np.array([0.0] * 4 + [1.25] * 4))


def test_treatments_that_cannot_be_had():
    with pytest.raises(CardError, match="sideband needs a narrow signal"):
        prepare(Reach(model="lmu-ltau", background="sideband"))
    with pytest.raises(CardError, match="no numbers of munumumu are published for dimuon"):
        prepare(Reach(model="lmu-ltau-mumu", background="published"))


def test_a_mass_outside_of_what_is_looked_at_has_no_limit():
    away = sample("signal", np.full(100, 0.45), np.full(100, 1.0))
    asked = Reach(model="x", n_kaons=1e9)
    chosen = channel(ranges=((0.0, 0.4), (0.6, 1.0)))
    setup = set_up(0.5, away, {"flat": FLAT}, chosen, asked, True)
    assert limits([setup], asked)[0].limit is None


def test_few_events_get_toys_and_say_so():
    few, many = limit_of(1e4, method="auto", toys=1000), limit_of(1e11, method="auto")
    assert "toys" in few.limit.method
    assert not few.few_events
    assert "asymptotics" in many.limit.method
    assert limit_of(1e4, method="asymptotics").few_events


def test_of_two_pairs_that_nearest_to_the_mass_counts():
    two = Reduced(summary("s"), 4, 1.0, np.array([[0.3, 0.5, 0.8], [0.6, 0.9, 0.55]]), np.ones(3), np.zeros(0))
    assert two.nearest(0.5).tolist() == [0.6, 0.5, 0.55]
    assert two.nearest(0.9).tolist() == [0.6, 0.9, 0.8]
    assert two.template(np.array([0.0, 0.55, 1.0]), 0.5).probability == pytest.approx([0.25, 0.5])
