"""Limits of binned models: truth from pyhf, analytic Poisson CLs, and repeated experiments."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq

from kaongen.errors import StatisticsError
from kaongen.statistics.asymptotics import AsymptoticsWarning
from kaongen.statistics.binned import Background, BinnedModel
from kaongen.statistics.binned_fit import Statistic, discovery, fit
from kaongen.statistics.binned_limit import cls, sensitive_background, upper_limit, upper_limits
from kaongen.statistics.binned_toys import Toys, _ratio, discovery_toys, truth_of
from kaongen.statistics.toy_scan import Point, estimate_cls, p_value, typical

few = settings(max_examples=25, deadline=None)


def model_of(bins, nuisances, *, level=40.0, statistical=0.0, signal_error=0.0, seed=1):
    rng = np.random.default_rng(seed)
    falling = level * np.exp(-np.arange(bins) / bins)
    variations = {f"n{j}": falling * rng.uniform(-0.15, 0.15, bins) for j in range(nuisances)}
    signal = np.exp(-0.5 * ((np.arange(bins) - 0.5 * bins) / (0.15 * bins + 0.3)) ** 2)
    return BinnedModel(signal, (Background("b", falling, statistical * falling, variations),), signal_error)


def counts_of(model, mu=0.0, seed=1):
    return np.random.default_rng(seed).poisson(model.expected(mu))


def single(background, error=0.0):
    return BinnedModel([1.0], (Background("b", [background], [error]),))


def everything(limit):
    return [limit.minus_two_sigma, limit.minus_one_sigma, limit.expected, limit.plus_one_sigma, limit.plus_two_sigma]


def poisson_cls_limit(n, background, level=0.9):
    """CLs of a counting experiment with known background, from the Poisson distribution."""
    allowed = (1 - level) * stats.poisson.cdf(n, background)
    return brentq(lambda s: stats.poisson.cdf(n, s + background) - allowed, 0.0, 10 * n + 30)


def histfactory(model, counts):
    """The model for pyhf, written here by hand: every error of ours as a linear and symmetric histosys."""
    b, t = model.backgrounds[0], model.templates

    def histosys(name, nominal, shift):
        data = {"hi_data": list(nominal + shift), "lo_data": list(nominal - shift)}
        return {"name": name, "type": "histosys", "data": data}

    signal = [{"name": "mu", "type": "normfactor", "data": None}]
    if model.signal_error:
        signal.append(histosys("s", t.signal, model.signal_error * t.signal))
    modifiers = [histosys(name, b.events, shift) for name, shift in b.variations.items()]
    for i in np.flatnonzero(b.errors):
        modifiers.append(histosys(f"bin{i}", b.events, np.where(np.arange(model.bins) == i, b.errors, 0.0)))
    samples = [
        {"name": "signal", "data": list(t.signal), "modifiers": signal},
        {"name": "b", "data": list(b.events), "modifiers": modifiers},
    ]
    return {
        "channels": [{"name": "c", "samples": samples}],
        "observations": [{"name": "c", "data": [float(n) for n in counts]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


@pytest.mark.parametrize(
    ("bins", "nuisances", "options"),
    [
        (1, 1, {}),
        (1, 0, {"statistical": 0.2, "level": 60.0}),
        (4, 2, {"signal_error": 0.15}),
        (6, 1, {"statistical": 0.1, "signal_error": 0.1, "seed": 4}),
        (30, 3, {"signal_error": 0.1, "level": 15.0}),
        (20, 2, {"level": 2000.0}),
    ],
)
@pytest.mark.parametrize("injected", [0.0, 0.8])
def test_cls_agrees_with_pyhf(bins, nuisances, options, injected):
    """Observed CLs to 1e-3 at half and at the whole limit, and the five expected ones at the expected limit."""
    import pyhf

    model = model_of(bins, nuisances, **options)
    expected = upper_limit(model).expected
    counts = counts_of(model, injected * expected, seed=bins)
    limit = upper_limit(model, counts)
    workspace = pyhf.Workspace(histfactory(model, counts))
    theirs = workspace.model()
    bounds = [(0.0, 1e4) if i == theirs.config.poi_index else b for i, b in enumerate(theirs.config.suggested_bounds())]

    def hypotest(mu):
        found, band = pyhf.infer.hypotest(
            mu, workspace.data(theirs), theirs, test_stat="qtilde", return_expected_set=True, par_bounds=bounds
        )
        return float(found), [float(value) for value in band]

    for mu in (0.5 * limit.observed, limit.observed):
        assert cls(model, counts, mu) == pytest.approx(hypotest(mu)[0], abs=1e-3)
    assert hypotest(limit.observed)[0] == pytest.approx(0.1, abs=1e-3)
    for i, mu in enumerate(everything(limit)[1:4]):
        assert hypotest(mu)[1][1 + i] == pytest.approx(0.1, abs=1e-3)


@pytest.mark.parametrize("n", [0, 1, 3, 7])
def test_toys_agree_with_analytic_cls_without_background(n):
    """n = 0 gives -log(0.1) = 2.303; a background of 1e-6 changes nothing."""
    limit = upper_limit(single(1e-6), [n], method="toys")
    assert limit.observed == pytest.approx(poisson_cls_limit(n, 1e-6), rel=0.03)
    if n == 0:
        assert limit.observed == pytest.approx(-math.log(0.1), rel=1e-6)
        assert everything(limit) == pytest.approx([-math.log(0.1)] * 5, rel=1e-6)


@pytest.mark.parametrize(("n", "background"), [(0, 3.2), (2, 3.2), (6, 3.2), (12, 3.2), (3, 9.0), (12, 9.0)])
def test_toys_agree_with_analytic_cls_for_known_background(n, background):
    """With 3.2 and 9 events, quantiles at -1, 0 and +1 standard deviations are 0.02 and more away from a step."""
    limit = upper_limit(single(background), [n], method="toys")
    assert limit.observed == pytest.approx(poisson_cls_limit(n, background), rel=0.03)
    quantiles = stats.poisson.ppf(stats.norm.cdf([-1, 0, 1]), background)
    expected = [poisson_cls_limit(int(k), background) for k in quantiles]
    assert everything(limit)[1:4] == pytest.approx(expected, rel=0.02)


def test_weights_of_toys_make_the_same_p_values_as_counting_them():
    """p(s+b) and 1 - p(b) of the mixture against the plain fractions of a hundred times as many toys."""
    model, mu = model_of(4, 2, level=6.0, statistical=0.2, signal_error=0.1), 7.0
    counts = counts_of(model)
    none, some = (truth_of(fit(model, counts, strength)) for strength in (0.0, mu))
    samples = [Toys(model, truth, 100_000, 1, "t").q_tilde(mu, none, [some]) for truth in (some, none)]
    (with_signal, ratio_with), (without, ratio_without) = ([a[:, 0] for a in sample] for sample in samples)
    for n in (-1, 0, 1):
        q = typical(without, n)
        plain = p_value(q, with_signal) / p_value(q, without)
        few = slice(0, 1000)
        point = Point(mu, q, with_signal[few], without[few], ratio_with[few], ratio_without[few])
        found, variance = estimate_cls(point, q)
        error = plain * math.hypot(math.sqrt(variance), 1 / math.sqrt(1e5 * p_value(q, with_signal)))
        assert found == pytest.approx(plain, abs=4 * error)
        assert math.sqrt(variance) < 0.5 / math.sqrt(1000 * p_value(q, with_signal))
        complete = Point(mu, q, with_signal, without, ratio_with, ratio_without)
        assert estimate_cls(complete, q)[0] == pytest.approx(plain, abs=4 * plain / math.sqrt(1e5 * plain))


def test_ratio_of_probabilities_of_a_toy():
    """From the Poisson and Gaussian densities of scipy; its mean over toys without signal is 1."""
    model, mu = model_of(3, 1, level=5.0, statistical=0.1, signal_error=0.1), 2.0
    none, some = (truth_of(fit(model, model.asimov(1.0), strength)) for strength in (0.0, mu))
    _, ratio = Toys(model, none, 20_000, 1, "t").q_tilde(mu, none, [some])
    weight = np.exp(ratio[:, 0])
    assert weight.mean() == pytest.approx(1.0, abs=5 * weight.std() / math.sqrt(weight.size))
    coefficients = _ratio(none, [some], model.templates.spread)
    rng = np.random.default_rng(3)
    n, centres, shifts = rng.poisson(5.0, 3), rng.normal(size=2), rng.normal(size=3)
    linear = coefficients.constant[0] + coefficients.mean[0] @ n + coefficients.centres[0] @ centres
    linear += coefficients.shifts[0] @ shifts

    def log_density(truth):
        return (
            stats.poisson.logpmf(n, truth.mean).sum()
            + stats.norm.logpdf(centres, truth.centres).sum()
            + stats.norm.logpdf(shifts, truth.shifts).sum()
        )

    assert linear == pytest.approx(log_density(some) - log_density(none), rel=1e-9)


def test_a_deficit_beyond_all_toys_still_has_a_limit():
    """2e-9 of all experiments without signal see no event of 20, and none of the toys: their lowest stand for it."""
    limit = upper_limit(single(20.0), [0], method="toys")
    assert -math.log(0.1) <= limit.observed < limit.minus_one_sigma  # the smallest limit possible is the former


def test_toys_agree_with_asymptotics_for_many_events():
    model = model_of(6, 2, level=3000.0, signal_error=0.05, statistical=0.01)
    counts = counts_of(model)
    toys = upper_limit(model, counts, method="toys", toys=4000)
    asymptotic = upper_limit(model, counts)
    assert toys.observed == pytest.approx(asymptotic.observed, rel=0.03)
    assert everything(toys)[1:] == pytest.approx(everything(asymptotic)[1:], rel=0.04)
    assert everything(toys)[0] == pytest.approx(everything(asymptotic)[0], rel=0.08)
    blind = upper_limit(model, method="toys", toys=4000, seed=2)
    assert blind.observed is None
    assert blind.expected == pytest.approx(upper_limit(model).expected, rel=0.03)


def test_toys_do_not_depend_on_threads_and_do_on_the_seed():
    model = model_of(5, 2, level=4.0)
    arguments = {"method": "toys", "toys": 1000}
    one = upper_limit(model, counts_of(model), threads=1, **arguments)
    assert upper_limit(model, counts_of(model), threads=3, **arguments) == one
    other = upper_limit(model, counts_of(model), seed=2, **arguments)
    assert other != one
    assert other.expected == pytest.approx(one.expected, rel=0.1)
    scan = upper_limits([model, model_of(3, 1)], threads=2, **arguments)
    assert scan == [upper_limit(m, threads=1, **arguments) for m in (model, model_of(3, 1))]


def test_toys_of_a_longer_run_begin_with_those_of_a_shorter():
    model = model_of(4, 1)
    truth = fit(model, model.asimov())
    short, long = (Toys(model, truth_of(truth), n, 5, "t").q0() for n in (300, 700))
    assert np.array_equal(short, long[:300])


def test_toys_are_distributed_as_experiments_drawn_another_way():
    """numpy's generator, and the backgrounds moved in place of the global observables: the same distribution of q.

    Not so the signal's normalisation, which does not only add: its global observable moves here as well.
    """
    model = model_of(5, 2, level=8.0, statistical=0.2, signal_error=0.2)
    t, rng, mu = model.templates, np.random.default_rng(6), 6.0
    truth = truth_of(fit(model, model.asimov(), 0.0))
    toys = Toys(model, truth, 4000, 1, "t").q_tilde(mu, truth, [truth])[0][:, 0]
    others = []
    while len(others) < 3000:
        nu = model.expected() + rng.normal(size=2) @ t.variations + rng.normal(size=5) * t.shift
        if (nu > 0).all():
            observed = model.observation(rng.poisson(nu))
            observed.centres[0] = rng.normal()
            others.append(Statistic(model, observed)(mu))
    assert stats.ks_2samp(toys[toys > 0], np.array(others)[np.array(others) > 0]).pvalue > 1e-3
    assert np.mean(toys == 0) == pytest.approx(np.mean(np.array(others) == 0), abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("level", "signal"), [(300.0, 8.0), (30.0, 6.0), (300.0, 2.0)])
def test_coverage(level, signal):
    """Of a Gaussian measurement of true value d, in errors, CLs excludes the truth where Phi(x - d) < 0.1 Phi(x).

    That is 10% of all experiments for a large signal, and fewer for a small one.
    """
    model, rng = model_of(8, 2, level=level, statistical=0.03, signal_error=0.0), np.random.default_rng(9)
    t = model.templates
    border = brentq(lambda x: stats.norm.cdf(x - signal) - 0.1 * stats.norm.cdf(x), -30, 30)
    probability = stats.norm.cdf(border - signal)
    true = signal * fit(model, model.asimov()).mu_error
    experiments, excluded = 1500, 0
    for _ in range(experiments):
        nu = model.expected(true) + rng.normal(size=2) @ t.variations + rng.normal(size=8) * t.shift
        excluded += cls(model, rng.poisson(nu), true) < 0.1
    error = math.sqrt(probability * (1 - probability) / experiments)
    assert excluded / experiments == pytest.approx(probability, abs=4 * error + 0.01)


@pytest.mark.slow
def test_limits_from_toys_cover_for_a_few_events():
    """Every count that an experiment may see, with its probability: at least 90%, as no exclusion is too often."""
    background = 1.5
    model = single(background)
    limits = np.array(
        [upper_limit(model, [n], method="toys").observed for n in range(12)]
    )  # fmt: skip
    assert (np.diff(limits) > -0.1).all()
    for true in (0.5, 2.0, 4.0, 6.0):
        covered = stats.poisson.pmf(np.arange(12), true + background)[limits * 1.03 >= true].sum()
        assert covered + stats.poisson.sf(11, true + background) >= 0.9


def test_discovery_in_toys_agrees_with_the_poisson_distribution():
    """q0 grows with n above the background, so that its p-value is that of n or more events."""
    found = discovery_toys(single(2.0), [6], toys=40_000)
    p = stats.poisson.sf(5, 2.0)
    assert found.p_value == pytest.approx(p, abs=4 * math.sqrt(p / 40_000))
    assert found.significance == pytest.approx(stats.norm.isf(found.p_value), rel=1e-9)
    assert found.q0 == discovery(single(2.0), [6]).q0
    assert discovery_toys(single(2.0), [1], toys=1000).p_value == 1.0


@few
@given(background=st.floats(15.0, 500.0), relative=st.floats(0.0, 0.2), n=st.integers(5, 500), more=st.floats(1.1, 3.0))
def test_limit_grows_with_the_count_and_the_expected_one_with_the_error(background, relative, n, more):
    error = relative * background
    limit = upper_limit(single(background, error), [n])
    assert upper_limit(single(background, error), [n + 1]).observed > limit.observed
    wider = upper_limit(single(background, error * more), None).expected
    assert wider >= upper_limit(single(background, error), None).expected * (1 - 1e-9)


@few
@given(seed=st.integers(0, 10**6), factor=st.floats(1e-9, 1e9))
def test_limit_scales_with_the_unit_of_the_parameter(seed, factor):
    model = model_of(7, 2, level=100.0, signal_error=0.1, seed=seed)
    scaled = BinnedModel(model.signal * factor, model.backgrounds, model.signal_error)
    counts = counts_of(model, seed=seed)
    limit = upper_limit(model, counts)
    assert upper_limit(scaled, counts).observed * factor == pytest.approx(limit.observed, rel=1e-6)
    assert upper_limit(scaled).plus_two_sigma * factor == pytest.approx(upper_limit(model).plus_two_sigma, rel=1e-6)


def test_bands_are_in_order_and_observed_follows_the_data():
    model = model_of(8, 2)
    none, much = upper_limit(model, counts_of(model)), upper_limit(model, counts_of(model, 30.0))
    assert everything(none) == sorted(everything(none))
    assert much.observed > none.plus_two_sigma
    assert cls(model, counts_of(model), none.observed) == pytest.approx(0.1, rel=1e-6)
    assert cls(model, counts_of(model), 0.0) == 1.0


def test_few_events_are_warned_of_and_many_are_not():
    with pytest.warns(AsymptoticsWarning, match=r'5 background events .* use method="toys"'):
        upper_limit(single(5.0), [4])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        upper_limit(single(20.0), [18])
        upper_limit(single(0.5), [0], method="toys", toys=1000)


def test_sensitive_background_is_that_of_the_bins_with_the_signal():
    """A background of a thousand events where no signal is, does not make the others many."""
    model = BinnedModel([5.0, 5.0, 0.001], (Background("b", [2.0, 3.0, 1000.0]),))
    assert sensitive_background(model) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("confidence_level is 1.0", {"confidence_level": 1.0}),
        ("method is 'guess'", {"method": "guess"}),
        ("toys is 499, but must be a whole number from 500 to 100000000", {"method": "toys", "toys": 499}),
        ("toys is 1000.5", {"method": "toys", "toys": 1000.5}),
        ("seed is -1", {"method": "toys", "seed": -1}),
        ("data has 3 bins", {"data": [1, 2, 3]}),
    ],
)
def test_impossible_arguments_are_refused(message, options):
    with pytest.raises(StatisticsError, match=message):
        upper_limit(single(20.0), **options)


def test_a_signal_too_uncertain_for_any_limit_is_refused():
    model = BinnedModel([1.0], (Background("b", [100.0]),), 0.5)
    with pytest.raises(StatisticsError, match="smaller error of the signal"):
        upper_limit(model, confidence_level=0.99)
    with pytest.raises(StatisticsError, match="2 sets of counts, but there are 1 models"):
        upper_limits([model], [[1], [2]])
