"""The search for K+ -> mu+ N as a whole: lines and backgrounds of known shape, and simulated ones.

Paper: NA62, Phys. Lett. B 816 (2021) 136259, section 5.
"""

import math

import numpy as np
import pytest
from heavy_neutrino_samples import line_sample
from pydantic import ValidationError
from scipy import stats

from kaongen.analysis.heavy_neutrino import masses
from kaongen.analysis.heavy_neutrino_data import Observed, global_p_value_of, local_significance
from kaongen.analysis.mu_invisible import analyse
from kaongen.errors import StatisticsError
from kaongen.events.layout import SampleInfo, Tally
from kaongen.events.reader import EventSet
from kaongen.papers import na62_mu as paper
from kaongen.production.card import Card
from kaongen.production.engine import plan
from kaongen.production.memory import MemorySample
from kaongen.searches.mu_invisible import MuInvisible
from kaongen.statistics.counting import counting_limit

N_KAONS = 1.14e10
BR_MUNU = 0.6356
FRACTION = 1e-6
"""Of the background."""


def rho(m):
    """Equation (1) of the paper."""
    x, y = (0.1056583755 / 0.493677) ** 2, (m / 0.493677) ** 2
    root = math.sqrt(1 + x**2 + y**2 - 2 * (x + y + x * y))
    return (x + y - (x - y) ** 2) * root / (x * (1 - x) ** 2)


def flat_sample(name, process, low, high, selected, generated, fraction, seed):
    mass = np.random.default_rng(seed).uniform(low, high, selected)
    data = {"m2_miss": (mass**2).astype(np.float32), "weight": np.ones(selected)}
    tally = Tally(candidates=generated, generated=generated, selected=selected, sum_weights=selected,
                  sum_weights_squared=selected)  # fmt: skip
    info = SampleInfo(name=name, process=process, decay=process, parameters={}, branching_fraction=fraction)
    return MemorySample(info, tally, data)


SIGMA = {0.2: 0.0026, 0.24: 0.0019, 0.28: 0.0014, 0.32: 0.001, 0.36: 0.0006}
GRID = {"heavy_neutrino_masses": ((0.2, 0.36, 0.02),)}


@pytest.fixture(scope="module")
def events():
    """A peak, a background of 30 000 events that is flat in the missing mass, and five lines; half is selected."""
    peak = flat_sample("munu", "munu", 0.0, 0.08, 30_000, 100_000, BR_MUNU, 1)
    background = flat_sample("munug", "munug", 0.18, 0.388, 100_000, 400_000, 30_000 * 4 / N_KAONS, 2)
    lines = [
        line_sample(m, sigma, selected=40_000, generated=80_000, seed=i, vertex=140.0, momentum=45.0)
        for i, (m, sigma) in enumerate(SIGMA.items())
    ]
    card = Card.model_validate({"run": {"name": "x"}, "sample": [{"process": "munu", "role": "normalisation",
                                                                  "candidates": 1}]})  # fmt: skip
    return EventSet(plan(card).provenance, (peak, background, *lines))


ROLES = {"munu": "normalisation", "munug": "background"} | {f"muN-{1e3 * m:g}": "signal" for m in SIGMA}


@pytest.fixture(scope="module")
def result(events):
    return analyse(events, ROLES, MuInvisible(**GRID), "x")


def column(scan, name):
    return next(c.values for c in scan.columns if c.name == name)


def test_there_are_269_masses():
    """1 MeV apart below 300 MeV and 0.5 MeV above."""
    found = masses(MuInvisible(), (0.2, 0.384))
    assert len(found) == 269
    assert (found[0], found[-1]) == (0.2, 0.384)
    assert np.diff(found)[:100] == pytest.approx(0.001)
    assert np.diff(found)[100:] == pytest.approx(0.0005)


def test_masses_are_those_that_were_simulated():
    assert masses(MuInvisible(), (0.25, 0.252)) == [0.25, 0.251, 0.252]
    assert masses(MuInvisible(), (0.05, 0.1)) == []


def test_limits_are_those_of_the_counting_experiment_in_the_window(result):
    """Background of the known density, limit on events, then by the acceptance to a fraction and a mixing."""
    events, branching, mixing = (result.scan(f"heavy-neutrino-{n}") for n in ("events", "branching", "mixing"))
    # events per GeV: of 400 000 decays a quarter is selected, and stands for 30 000 between 180 and 388 MeV
    density = 30_000 / 0.208
    for i, m in enumerate(events.points):
        sigma, background, error = (column(events, n)[i] for n in ("resolution", "background", "background_error"))
        if m in SIGMA:
            assert sigma == pytest.approx(SIGMA[m], rel=0.02)
            assert column(events, "acceptance")[i] == pytest.approx(0.5 * math.erf(1.5 / math.sqrt(2)), rel=0.01)
        assert background == pytest.approx(density * 3.0 * sigma, rel=0.08)
        limit = counting_limit(None, background, error, 0.9)
        acceptance = column(events, "acceptance")[i]
        assert events.expected[i] == pytest.approx(limit.expected)
        assert branching.expected[i] == pytest.approx(limit.expected / (N_KAONS * acceptance))
        assert column(branching, "single_event")[i] == pytest.approx(1 / (N_KAONS * acceptance))
        assert mixing.expected[i] == pytest.approx(limit.expected / (N_KAONS * acceptance * BR_MUNU * rho(m)), rel=1e-3)
        assert mixing.bands["+2"][i] / mixing.expected[i] == pytest.approx(limit.plus_two_sigma / limit.expected)
    assert events.points == pytest.approx(np.arange(0.2, 0.3601, 0.02))
    assert events.observed is None


def test_errors_of_the_background_add_in_quadrature(result):
    events = result.scan("heavy-neutrino-events")
    parts = (column(events, f"background_{n}") for n in ("statistical", "systematic", "error"))
    for statistical, systematic, error in zip(*parts, strict=True):
        assert error == pytest.approx(math.hypot(statistical, systematic))
        assert systematic > 0.0


def test_shorter_lifetimes_raise_the_limit(result):
    """By the probability to decay between 140 m and MUV3 at 246.8 m, with 45 GeV."""
    stable = result.scan("heavy-neutrino-mixing")
    for lifetime in (50, 5, 1):
        scan = result.scan(f"heavy-neutrino-mixing-{lifetime}ns")
        for i, m in enumerate(scan.points):
            if m in SIGMA:
                lasting = math.exp(-106.8 * m / (45.0 * 0.299792458 * lifetime))
                assert column(scan, "relative_acceptance")[i] == pytest.approx(lasting, rel=1e-4)
                assert scan.expected[i] == pytest.approx(stable.expected[i] / lasting, rel=1e-4)


def test_the_spectrum_has_the_expected_events(result):
    spectrum = result.spectrum("m-miss")
    assert len(spectrum.edges) == 199
    # a fluctuation of 95 000 simulated events
    assert sum(spectrum.expected["munug"]) == pytest.approx(30_000 * 0.198 / 0.208, rel=0.01)
    assert sum(spectrum.expected["munu"]) == 0.0


def counts(density, seed, peak=0.0, at=0.28, bins=1980):
    rng = np.random.default_rng(seed)
    edges = np.linspace(0.188, 0.386, bins + 1)
    drawn = rng.poisson(density * 0.198 / bins, bins)
    line = rng.normal(at, SIGMA.get(at, 0.001), round(peak))
    return tuple(int(n) for n in drawn + np.histogram(line, edges)[0])


def test_data_are_compared_with_their_own_side_bands(events):
    """The simulated background, wrong here by two, has no part in it."""
    settings = MuInvisible(heavy_neutrino_counts=counts(3e5, seed=8), **GRID)
    result = analyse(events, ROLES, settings, "x")
    scan = result.scan("heavy-neutrino-events")
    for i in range(len(scan.points)):
        sigma, expected, error = (column(scan, n)[i] for n in ("resolution", "background", "background_error"))
        n = column(scan, "observed_events")[i]
        assert expected == pytest.approx(3e5 * 3 * sigma, abs=4.5 * error)
        assert n == pytest.approx(expected, abs=4.5 * math.hypot(error, math.sqrt(expected)))
        assert scan.observed[i] == pytest.approx(counting_limit(int(n), expected, error, 0.9).observed)
        z = column(scan, "significance")[i]
        assert z == pytest.approx((n - expected) / math.hypot(error, math.sqrt(expected)), abs=0.15)
    numbers = {n.name: n.value for n in result.numbers}
    largest = numbers["K+ -> mu+ N, largest local significance, standard deviations"]
    assert largest == max(column(scan, "significance"))
    assert numbers["K+ -> mu+ N, largest local significance: global p-value"] >= 1.0 - stats.norm.cdf(largest)


def test_an_injected_line_is_found(events):
    """Of 400 events 87% lie in the window, over 570 of the background: 13 standard deviations, at the cap."""
    settings = MuInvisible(heavy_neutrino_counts=counts(1.44e5, seed=9, peak=400), **GRID)
    result = analyse(events, ROLES, settings, "x")
    scan = result.scan("heavy-neutrino-events")
    i = scan.points.index(0.28)
    excess = column(scan, "observed_events")[i] - column(scan, "background")[i]
    assert excess == pytest.approx(400 * 0.866, abs=4 * math.sqrt(600 + 400))
    assert column(scan, "significance")[i] == max(column(scan, "significance"))
    assert scan.observed[i] > 400 * 0.866
    numbers = {n.name: n.value for n in result.numbers}
    assert numbers["K+ -> mu+ N, largest local significance: m_N, GeV"] == 0.28
    assert numbers["K+ -> mu+ N, largest local significance: global p-value"] < 1e-6


def test_counts_of_windows_are_those_of_the_events():
    """In plain Python, with bins of 0.01 MeV that the window cuts at their edges."""
    mass = np.random.default_rng(1).uniform(0.188, 0.386, 20_000)
    edges = np.linspace(0.188, 0.386, 19_801)
    observed = Observed(0.188, 0.386, tuple(np.histogram(mass, edges)[0].tolist()))
    for low, high in ((0.25, 0.2537), (0.188, 0.19), (0.3855, 0.386)):
        n = sum(low < m < high for m in mass.tolist())
        assert abs(observed.events(low, high) - n) <= 3
    assert observed.events(0.188, 0.386) == 20_000
    assert observed.counts(np.array([0.25, 0.26, 0.27])).sum() == pytest.approx(observed.events(0.25, 0.27), abs=0.5)


@pytest.mark.parametrize(("n", "background"), [(12, 5.0), (3, 5.0), (120, 100.0), (700, 600.0)])
def test_local_significance_of_a_known_background_is_poisson(n, background):
    expected = stats.norm.isf(stats.poisson.sf(n - 1, background))
    assert local_significance(n, background, 0.0) == pytest.approx(expected, abs=1e-6)


def test_local_significance_with_an_uncertain_background():
    """The probability averaged over the background by drawing it."""
    drawn = np.random.default_rng(2).normal(100.0, 15.0, 400_000)
    p = stats.poisson.sf(134, drawn[drawn > 0.0]).mean()
    assert local_significance(135, 100.0, 15.0) == pytest.approx(stats.norm.isf(p), abs=0.02)
    assert local_significance(0, 5.0, 1.0) == -7.9
    assert local_significance(5000, 100.0, 1.0) == 7.9


def test_global_p_values_count_the_chances():
    """One rise through half a standard deviation; with more chances it is larger, never below the local one."""
    one, many = [0.0, 3.0, 0.0], [0.0, 1.0] * 20 + [3.0, 0.0]
    local = stats.norm.sf(3.0)
    assert local < global_p_value_of(one) < global_p_value_of(many) < 1.0
    # Gross and Vitells: local + <N> exp(-(q - c)/2), c = 0.25
    assert global_p_value_of(one) == pytest.approx(local + math.exp(-(9.0 - 0.25) / 2.0), rel=1e-6)
    assert global_p_value_of([-1.0, 0.2]) == 1.0


def test_no_lines_no_search(events):
    peak, background, *lines = events.members
    for members in ((peak, background), (peak, *lines[:1])):
        result = analyse(EventSet(events.provenance, members), ROLES, MuInvisible(**GRID), "x")
        assert not [s.name for s in result.scans if s.name.startswith("heavy")]
        assert [s.name for s in result.spectra] == ["m2-miss"]


def test_a_single_mass_is_a_scan_of_one(events):
    peak, background, *lines = events.members
    result = analyse(EventSet(events.provenance, (peak, background, lines[2])), ROLES, MuInvisible(), "x")
    assert result.scan("heavy-neutrino-mixing").points == [0.28]


def test_a_mass_without_room_for_side_bands_is_refused(events):
    settings = MuInvisible(heavy_neutrino_range=(0.1995, 0.386), **GRID)
    with pytest.raises(StatisticsError, match=r"m_N = 0\.2 GeV"):
        analyse(events, ROLES, settings, "x")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"heavy_neutrino_masses": ((0.3, 0.2, 0.001),)}, "0.3 to 0.2 in steps of 0.001 is no stretch"),
        ({"heavy_neutrino_range": (0.386, 0.188)}, "0.386 to 0.188 GeV is not a range"),
        ({"heavy_neutrino_side_band": 1.0}, "heavy_neutrino_side_band = 1 does not lie outside"),
        ({"heavy_neutrino_lifetimes": (50.0, 0.0)}, "must be above 0 ns"),
        ({"heavy_neutrino_counts": (1,) * 100}, "100 bins for 0.198 GeV, more than 0.25 MeV each"),
        ({"heavy_neutrino_counts": (-1,) * 1980}, "must not be negative"),
        ({"heavy_neutrino_windows": 1.5}, "Extra inputs"),
        ({"signal_region": 0.1001}, "multiple of 0.002"),
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong, said):
    with pytest.raises(ValidationError) as refusal:
        MuInvisible(**wrong)
    assert said in str(refusal.value)


def simulated_card():
    """A tenth of what the shipped card makes."""
    sizes = {"munu": 400_000, "munug": 800_000, "pipipi": 800_000}
    samples = [
        {"process": name, "role": "normalisation" if name == "munu" else "background", "candidates": n}
        for name, n in sizes.items()
    ]
    samples.append({"process": "munu", "name": "munu-upstream", "zone": "upstream", "role": "background",
                    "candidates": 4_000_000})  # fmt: skip
    samples.append({"process": "muN", "role": "signal", "candidates": 100_000,
                    "scan": {"m_N": {"first": 0.2, "last": 0.384, "step": 0.008}}})  # fmt: skip
    return Card.model_validate({"run": {"name": "hnl", "seed": 5}, "sample": samples})


@pytest.mark.slow
def test_expected_limits_are_the_published_ones_within_a_factor_of_1_5():
    """In slices of the mass: the observed limits fluctuate around the expected ones by two, their means do not."""
    from kaongen.analysis.registry import selection_of
    from kaongen.production.memory import simulate_card

    card = simulated_card()
    result = analyse(simulate_card(card, selection_of(card)), card.roles(), card.analysis, "hnl")
    scan = result.scan("heavy-neutrino-mixing")
    assert len(scan.points) == 269
    known = np.array(paper.HNL_LIMIT)
    ratio = np.log(known[:, 1] / np.interp(known[:, 0], scan.points, scan.expected))
    for low, high in ((0.2, 0.24), (0.24, 0.28), (0.28, 0.32), (0.32, 0.36), (0.36, 0.38)):
        inside = (known[:, 0] >= low) & (known[:, 0] < high)
        assert abs(ratio[inside].mean()) < math.log(1.5)
    # the paper's statements on single numbers
    assert min(scan.expected) == pytest.approx(1e-8, rel=0.5)
    short, shorter = (column(result.scan(f"heavy-neutrino-mixing-{t}ns"), "relative_acceptance") for t in (5, 1))
    assert 0.4 < min(short) < max(short) < 1.0
    assert 0.07 < min(shorter) < 0.15
    events = result.scan("heavy-neutrino-events")
    errors = np.array(column(events, "background_error")) / np.array(column(events, "background"))
    at = np.array(events.points)
    assert np.all(errors[(at > 0.205) & (at < 0.28)] < 0.03)
    assert 0.05 < errors[-1] < 0.3
