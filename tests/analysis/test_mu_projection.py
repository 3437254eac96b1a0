"""The projection from the data of 2015: normalisation, methods and refusals, without a detector."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kaongen.analysis import mu_projection, mu_projection_check
from kaongen.analysis import mu_projection_background as shapes
from kaongen.analysis.mu_projection_background import Background
from kaongen.analysis.mu_projection_limits import Projection, short
from kaongen.analysis.template import Template
from kaongen.errors import CardError, EventFileError
from kaongen.events.layout import SampleInfo, Tally
from kaongen.papers import letter, na62_2015
from kaongen.production.card import parse_card
from kaongen.production.memory import MemorySample
from kaongen.searches.mu_projection import MuProjection
from kaongen.statistics.binned_limit import upper_limit

SETTINGS = MuProjection(name="mu_projection")
FINE = shapes.fine_edges(SETTINGS)
BINS = len(FINE) - 1
middles = 0.5 * (FINE[1:] + FINE[:-1])
BORDER = int(np.searchsorted(FINE, SETTINGS.cut_minimum))

positive = st.lists(st.floats(1e-3, 1e3), min_size=BINS, max_size=BINS).map(np.array)


def background(tail=None, rest=None):
    """A steep tail of K+ -> mu+ nu over something that rises, unless given."""
    widths = np.diff(FINE) / 0.004
    tail = 2000.0 * np.exp(-(middles - 0.023) / 0.006) * widths if tail is None else tail
    rest = (1.0 + 300.0 * middles) * widths if rest is None else rest
    return Background(FINE, {"munu": tail, "halo": rest}, {"munu": 0.1 * tail, "halo": 0.2 * rest}, frozenset({"munu"}))


def signal(seed=1, total=0.25):
    """Some distribution of m2_miss, a quarter of it above the first bin."""
    shares = np.random.default_rng(seed).uniform(0.2, 1.0, BINS) * np.diff(FINE)
    return Template(FINE, total * shares / shares.sum(), np.zeros(BINS))


def projection(kaons=1e8, shape=None):
    normalised = shapes.normalise(shape or background(), SETTINGS, "regions")
    growth = 1.0 if kaons == 1e8 else kaons / 1e8 / SETTINGS.suppression
    return Projection(kaons, normalised.times(growth), shapes.bin_edges(SETTINGS), shapes.cuts(SETTINGS))


# the background


def test_bins_reach_the_end_of_phase_space_and_cuts_begin_at_the_least():
    edges, cuts = shapes.bin_edges(SETTINGS), shapes.cuts(SETTINGS)
    assert edges[0] == letter.FIRST_BIN
    assert edges[-2] < letter.M2_MAX < edges[-1] + 1e-12
    assert cuts[0] == letter.CUT_MINIMUM
    assert cuts[-1] < edges[-1]
    assert np.diff(edges) == pytest.approx(0.004)
    assert set(edges) | set(cuts) == set(FINE)


@given(positive, positive)
def test_each_region_has_its_count_and_its_shape(tail, rest):
    before = background(tail, rest)
    after = shapes.normalise(before, SETTINGS, "regions")
    assert math.fsum(after.total) == pytest.approx(5600.0, rel=1e-12)
    assert after.above(0.05) == pytest.approx(652.0, rel=1e-12)
    for region in (slice(None, BORDER), slice(BORDER, None)):
        ratios = after.events["munu"][region] / before.events["munu"][region]
        assert ratios == pytest.approx(ratios[0], rel=1e-9)
        assert after.errors["halo"][region] == pytest.approx(ratios[0] * before.errors["halo"][region], rel=1e-9)


def test_components_keep_both_shapes_and_meet_both_counts():
    before = background()
    after = shapes.normalise(before, SETTINGS, "components")
    assert math.fsum(after.total) == pytest.approx(5600.0, rel=1e-12)
    assert after.above(0.05) == pytest.approx(652.0, rel=1e-12)
    factors = {name: after.events[name] / before.events[name] for name in before.events}
    for ratios in factors.values():
        assert ratios == pytest.approx(ratios[0], rel=1e-12)
    # by Cramer's rule, apart from the sums above
    t1, t2 = before.events["munu"][:BORDER].sum(), before.events["munu"][BORDER:].sum()
    r1, r2 = before.events["halo"][:BORDER].sum(), before.events["halo"][BORDER:].sum()
    assert factors["munu"][0] == pytest.approx((4948.0 * r2 - 652.0 * r1) / (t1 * r2 - t2 * r1), rel=1e-9)
    assert factors["halo"][0] == pytest.approx((t1 * 652.0 - t2 * 4948.0) / (t1 * r2 - t2 * r1), rel=1e-9)


def test_components_that_need_a_negative_factor_are_refused():
    flat = np.ones(BINS)
    with pytest.raises(EventFileError, match=r'no positive factors.*normalisations = \["regions"\]'):
        shapes.normalise(background(tail=flat, rest=flat + 1e-3 * middles), SETTINGS, "components")
    with pytest.raises(EventFileError, match="no positive factors"):
        shapes.normalise(background(rest=0.0 * flat), SETTINGS, "components")


def test_a_comparison_that_the_simulation_is_too_small_for_is_left_out_with_a_warning():
    no_rest = background(rest=np.zeros(BINS))
    with pytest.warns(UserWarning, match="goes without the normalisation 'components': no positive factors"):
        found = mu_projection._normalised(no_rest, SETTINGS)
    assert list(found) == ["regions"]
    with pytest.raises(EventFileError, match="no positive factors"):
        mu_projection._normalised(no_rest, SETTINGS.model_copy(update={"normalisations": ("components", "regions")}))


def test_a_region_without_simulated_events_is_refused():
    nothing = np.where(np.arange(BINS) < BORDER, 1.0, 0.0)
    with pytest.raises(EventFileError, match=r"no event with m2_miss in 0.05 to 0.151 GeV\^2, where 652"):
        shapes.normalise(background(nothing, nothing), SETTINGS, "regions")


def test_simulated_events_are_counted_with_their_branching_fraction():
    m2 = np.array([0.022, 0.0231, 0.0505, 0.1499, 0.152])
    info = SampleInfo(name="a", process="munu", decay="K+ -> mu+ nu_mu", parameters={}, branching_fraction=0.5)
    sample = MemorySample(info, Tally(candidates=100, generated=100, selected=5), {"m2_miss": m2, "weight": 0 * m2 + 2})
    found = shapes.simulated([sample], 1e3, FINE)
    assert found.total.sum() == pytest.approx(1e3 * 0.5 * 3 * 2 / 100)
    assert found.above(0.05) == pytest.approx(1e3 * 0.5 * 2 * 2 / 100)
    assert found.tail == {"a"}
    unknown = MemorySample(info.model_copy(update={"branching_fraction": None}), sample.tally, sample.data)
    with pytest.raises(EventFileError, match="branching fraction of the background 'a'"):
        shapes.simulated([unknown], 1e3, FINE)


def test_kappa_min_is_that_of_the_letter_and_of_the_preprint():
    """(C.2): 652 events of 2015, and 1e5 times as many over 2 or 4."""
    of_2015 = shapes.normalise(background(), SETTINGS, "regions")
    assert shapes.kappa_min(of_2015, 0.05) == pytest.approx(652**-0.5, rel=1e-12)
    assert round(shapes.kappa_min(of_2015, 0.05), 2) == letter.KAPPA_MIN_2015
    for suppression, kappa, events in (
        (letter.SUPPRESSION, letter.KAPPA_MIN, letter.BACKGROUND),
        (letter.PREPRINT_SUPPRESSION, letter.PREPRINT_KAPPA_MIN, letter.PREPRINT_BACKGROUND),
    ):
        later = of_2015.times(letter.KAONS / 1e8 / suppression)
        assert round(shapes.kappa_min(later, 0.05), 5) == kappa
        # the letter cuts digits off rather than rounding: 3.26 and 1.63
        assert events <= later.above(0.05) < events + 0.1e7


# the methods


def by_hand(scale, template, which):
    """Lambda of equation (11), one bin after the other, from the logarithms of Poisson probabilities."""
    total = 0.0
    for low, high in pairwise(which.edges):
        inside = (middles > low) & (middles < high)
        s, b = scale * which.kaons * template.probability[inside].sum(), which.background.total[inside].sum()
        total += -2.0 * ((b * math.log(s + b) - s - b) - (b * math.log(b) - b))
    return total


@pytest.mark.parametrize("kaons", [1e8, 1e13])
def test_the_likelihood_ratio_is_4_at_the_limit(kaons):
    found = projection(kaons).likelihood(signal(), 4.0)
    # at 1e13 kaons the terms of the sum, of 1e9 each, cancel
    assert by_hand(found.branching, signal(), projection(kaons)) == pytest.approx(
        4.0, rel=1e-6 if kaons < 1e9 else 0.02
    )


@pytest.mark.parametrize("kappa", [0.0, 0.04, 0.5])
def test_the_best_cut_is_the_best_of_all(kappa):
    which, template = projection(), signal(3)
    found = which.cut_and_count(template, kappa, 2.0)
    every = {}
    for k in range(26):
        cut = 0.05 + 0.004 * k
        above = middles > cut
        b, s = which.background.total[above].sum(), which.kaons * template.probability[above].sum()
        if above.any() and b >= 1.0:
            every[round(cut, 6)] = 2.0 * math.sqrt(b + (kappa * b) ** 2) / s
    assert found.branching == pytest.approx(min(every.values()), rel=1e-12)
    assert found.cut == pytest.approx(min(every, key=every.get))
    assert found.cut >= 0.05
    assert found.background == pytest.approx(which.background.total[middles > found.cut].sum())


def test_a_larger_error_is_never_better_and_asks_for_a_harder_cut():
    found = [projection(1e13).cut_and_count(signal(), kappa, 2.0) for kappa in (0.0, 1.8e-4, 1e-3, 1e-2)]
    branching, cuts = [f.branching for f in found], [f.cut for f in found]
    assert branching == sorted(branching)
    assert cuts == sorted(cuts)


def test_signal_as_large_as_background():
    which = projection()
    found = which.equal(signal())
    s = found.branching * which.kaons * signal().probability[middles > found.cut].sum()
    assert s == pytest.approx(found.background)


def test_all_bins_say_more_than_one_cut():
    for kaons in (1e8, 1e13):
        which = projection(kaons)
        assert which.likelihood(signal(), 4.0).branching < which.cut_and_count(signal(), 0.0, 2.0).branching


def test_suppression_of_the_preprint_is_better_by_the_root_of_two():
    """With so many events only B counts, and as its root."""
    letters = projection(1e13)
    preprint = Projection(1e13, letters.background.times(0.5), letters.edges, letters.cuts)
    ratio = letters.likelihood(signal(), 4.0).branching / preprint.likelihood(signal(), 4.0).branching
    assert ratio == pytest.approx(math.sqrt(2.0), rel=1e-3)
    ratio = letters.cut_and_count(signal(), 0.0, 2.0).branching / preprint.cut_and_count(signal(), 0.0, 2.0).branching
    assert ratio == pytest.approx(math.sqrt(2.0), rel=1e-12)


def test_a_signal_below_all_bins_has_no_limit():
    nothing = Template(FINE, np.zeros(BINS), np.zeros(BINS))
    assert projection().likelihood(nothing, 4.0) is None
    assert projection().cut_and_count(nothing, 0.1, 2.0) is None


def limit(which, template, kappa, together):
    """At the confidence level of two standard deviations."""
    scale = which.likelihood(template, 4.0).branching
    return upper_limit(which.model(template, kappa, scale, together), None, math.erf(math.sqrt(2.0))).scaled(scale)


@pytest.mark.parametrize("kaons", [1e8, 1e13])
def test_without_errors_the_profile_likelihood_is_the_likelihood_ratio(kaons):
    """CLs of the median is two tails of a Gaussian: 95.45% where the statistic of the Asimov data is 4."""
    which = projection(kaons)
    assert limit(which, signal(), 0.0, True).expected == pytest.approx(
        which.likelihood(signal(), 4.0).branching, rel=2e-3
    )


def test_errors_of_single_bins_do_more_harm_than_a_common_one():
    which = projection(1e13)
    common = [limit(which, signal(), kappa, True).expected for kappa in (0.0, 1e-3, 1e-2)]
    single = [limit(which, signal(), kappa, False).expected for kappa in (0.0, 1e-3, 1e-2)]
    assert common == sorted(common)
    assert single == sorted(single)
    assert single[-1] > 3.0 * common[-1]
    # the other bins tell the common factor to 1/sqrt(B), so a larger prior error changes nothing more
    assert common[2] == pytest.approx(common[1], rel=0.02)


def test_in_one_bin_the_profile_likelihood_is_cut_and_count():
    """S = 2 sqrt(B + kappa^2 B^2), where all is Gaussian."""
    which, kappa = projection(1e13), 3e-3
    bin_7 = np.where(np.searchsorted(shapes.bin_edges(SETTINGS), middles) == 8, 0.1, 0.0)
    template = Template(FINE, bin_7, np.zeros(BINS))
    b = which.in_bins[7]
    expected = 2.0 * math.sqrt(b + (kappa * b) ** 2) / (which.kaons * bin_7.sum())
    assert limit(which, template, kappa, False).expected == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(("value", "name"), [(1e13, "1e13"), (1.8e-4, "18e-5"), (0.01, "1e-2"), (0.0, "0"), (5.0, "5")])
def test_short_names(value, name):
    assert short(value) == name


# the check with heavy neutrinos


def test_limits_on_heavy_neutrinos_follow_from_the_window():
    """Acceptance, resolution and background counted event by event."""
    mass, sigma, n = 0.3, 0.004, 20000
    m = np.random.default_rng(3).normal(mass, sigma, n)
    info = SampleInfo(name="muN-300", process="muN", decay="K+ -> mu+ N", parameters={"m_N": mass, "U2": 1e-8})
    sample = MemorySample(
        info, Tally(candidates=50000, generated=50000, selected=n), {"m2_miss": m**2, "weight": np.ones(n)}
    )
    assert mu_projection_check.mass_resolution(sample, mass) == pytest.approx(sigma, rel=0.02)
    flat = background(np.diff(FINE) * 1e4, np.diff(FINE) * 0.0)
    quieter = flat.times(0.25)
    numbers = mu_projection_check.heavy_neutrino_numbers([sample], {"a": flat, "b": quieter}, SETTINGS)
    a, b, *means = (number.value for number in numbers)
    # 3 sigma in m are 6 m sigma in m^2: 72 events, and 18
    acceptance = 0.4 * math.erf(1.5 / math.sqrt(2.0))
    kaons_times_rate = 1e8 * 0.6356 * 3.9
    for value, events in ((a, 72.0), (b, 18.0)):
        # 1.64 sqrt(B) and a little for few events and for the error of the background
        assert value * kaons_times_rate * acceptance == pytest.approx(1.64 * math.sqrt(events) + 1.5, rel=0.15)
    assert a > b
    assert means[0] == pytest.approx(numbers[0].value / numbers[0].published)


# settings and cards


def test_defaults_are_the_letters_choices():
    assert (SETTINGS.kaons, SETTINGS.suppression) == (letter.KAONS, letter.SUPPRESSION)
    assert (SETTINGS.first_bin, SETTINGS.cut_minimum) == (letter.FIRST_BIN, letter.CUT_MINIMUM)
    assert (SETTINGS.threshold, SETTINGS.n_sigma) == (letter.THRESHOLD, letter.N_SIGMA)
    assert SETTINGS.acceptance == na62_2015.ACCEPTANCE_LETTER


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cut_minimum": 0.01}, r"cut_minimum = 0.01 lies outside of the bins, 0.023 to 0.151"),
        ({"cut_minimum": 0.2}, "cut_minimum = 0.2 lies outside"),
        ({"events_cut": 5600.0}, "events_cut = 5600 must be fewer than events_first = 5600"),
        ({"kappas": (0.1, 0.1)}, "kappas = .* has an entry twice"),
        ({"normalisations": ()}, "at least 1"),
        ({"suppression": 0.0}, "greater than 0"),
        ({"kappas": (-0.1,)}, "greater than or equal to 0"),
    ],
)
def test_impossible_settings_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        MuProjection(name="mu_projection", **changes)


CARD = """
[run]
name = "x"
[detector]
configuration = "{detector}"
{samples}
[analysis]
name = "mu_projection"
"""


def sample_text(process, role, more=""):
    return f'[[sample]]\nprocess = "{process}"\nrole = "{role}"\ncandidates = 1000\n{more}\n'


@pytest.mark.parametrize(
    ("detector", "samples", "message"),
    [
        ("na62-2017-pinunu", [("munu", "background"), ("munuV", "signal")], "looks for a single muon"),
        ("na62-2015", [("munug", "background"), ("munuV", "signal")], "needs the process munu"),
        ("na62-2015", [("munu", "background")], 'needs a sample with role = "signal"'),
        ("na62-2015", [("munu", "normalisation"), ("munuV", "signal")], 'needs a sample with role = "background"'),
        ("na62-2015", [("munu", "background"), ("pinunu", "signal")], "cannot take 'pinunu' .* as a signal"),
    ],
)
def test_cards_that_do_not_fit_are_refused(detector, samples, message):
    text = "".join(sample_text(p, r, "parameters = { m_X = 0.1 }" if p == "munuV" else "") for p, r in samples)
    with pytest.raises(CardError, match=message):
        mu_projection.check(parse_card(CARD.format(detector=detector, samples=text), "x"))
