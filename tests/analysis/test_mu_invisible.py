"""The search against its own event files, read with h5py and summed by hand, and against the published numbers.

Paper: NA62, Phys. Lett. B 816 (2021) 136259. What is written here as a number is printed there.
"""

import json
import math

import h5py
import numpy as np
import pytest

from kaongen.analysis.mu_invisible import analyse, check
from kaongen.analysis.mu_invisible_limits import published_cut
from kaongen.analysis.result import Result, Value
from kaongen.decays.catalogue import find
from kaongen.errors import CardError, EventFileError, KaongenError
from kaongen.events.layout import ComponentInfo
from kaongen.events.manifest import read_manifest
from kaongen.events.reader import EventSet, open_events
from kaongen.papers import na62_mu as paper
from kaongen.production.card import Card, DetectorPart
from kaongen.production.memory import MemorySample
from kaongen.run import analyse_again, run
from kaongen.searches.mu_invisible import MuInvisible
from kaongen.statistics.counting import counting_limit

CHUNK = 65536
BR_MUNU = 0.6356
N_KAONS = 1.14e10
CUTS = (0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14)


def sample(process, role, chunks=1, **more):
    return {"process": process, "role": role, "candidates": chunks * CHUNK} | more


NORMALISATION = sample("munu", "normalisation", 4)
BACKGROUNDS = [sample("munug", "background", 4), sample("pi0munu", "background", 2), sample("pipipi", "background", 3)]
UPSTREAM = [
    sample("munu", "background", name="munu-early", zone="upstream"),
    sample("pipipi", "background", name="pipipi-early", zone="upstream"),
]
SIGNALS = [
    sample("munuphi", "signal", name="phi", parameters={"m_X": 0.2}),
    sample("munuV", "signal", name="V", parameters={"m_X": 0.1, "g": 2e-3}),
    sample("mununubarnu", "signal", 2),
]


def card(*samples, level=0.9):
    data = {"run": {"name": "small", "seed": 3}, "sample": samples, "analysis": {"confidence_level": level}}
    return Card.model_validate(data)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    directory = tmp_path_factory.mktemp("search") / "run"
    return run(card(NORMALISATION, *BACKGROUNDS, *SIGNALS), directory)


@pytest.fixture(scope="module")
def result(outcome):
    return outcome.result


@pytest.fixture(scope="module")
def stored(outcome):
    """m2_miss, weight and candidate number of each sample, and its number of decays, without kaongen's reader."""
    manifest = json.loads((outcome.directory / "manifest.json").read_text())
    tables = {}
    for plan in manifest["samples"]:
        name = plan["info"]["name"]
        records = [shard for shard in manifest["shards"] if shard["sample"] == name]
        columns = {"m2_miss": [], "weight": [], "index": []}
        for record in records:
            with h5py.File(outcome.directory / record["file"]) as file:
                for column, parts in columns.items():
                    parts.append(file["events"][column][...])
        table = {column: np.concatenate(parts) for column, parts in columns.items()}
        table["generated"] = sum(record["tally"]["generated"] for record in records)
        table["candidates"] = plan["candidates"]
        table["branching_fraction"] = plan["info"]["branching_fraction"]
        tables[name] = table
    return tables


def acceptance(table, low=-math.inf, high=math.inf):
    inside = (table["m2_miss"].astype(float) > low) & (table["m2_miss"].astype(float) < high)
    return float(np.sum(table["weight"][inside], dtype=np.longdouble)) / table["generated"]


def numbers(result):
    return {number.name: number for number in result.numbers}


def column(scan, name):
    return next(c.values for c in scan.columns if c.name == name)


def rows_of(result, role):
    return {row.sample: row for row in result.samples if row.role == role}


def in_region(row):
    """Acceptance above 0.1 GeV^2, from the expected events: of a signal those at a branching fraction of 1e-4."""
    events = row.yields["m2_miss > 0.1 GeV^2"]
    scale = N_KAONS * (1e-4 if row.role == "signal" else row.branching_fraction)
    return Value(value=events.value / scale, error=events.error / scale)


def test_acceptances_are_sums_of_weights_over_decays(result, stored):
    assert [row.sample for row in result.samples] == list(stored)
    for row in result.samples:
        table = stored[row.sample]
        assert row.acceptance.value == pytest.approx(acceptance(table), rel=1e-12)
        assert in_region(row).value == pytest.approx(acceptance(table, 0.1), rel=1e-11)
        assert (row.generated, row.selected) == (table["generated"], len(table["weight"]))
        assert row.above_bound == 0


@pytest.mark.parametrize("low", [-math.inf, 0.1])
def test_errors_are_those_of_batches(result, stored, low):
    """The scatter of 64 stretches of candidates. Its own error is 9%: 40% are 4.5 standard deviations.

    Of what is heavy-tailed (a few large weights carry the sum) the scatter says less, and is not asked.
    """
    for row in result.samples:
        table = stored[row.sample]
        stated = (row.acceptance if low == -math.inf else in_region(row)).error
        inside = table["m2_miss"] > low
        weights = table["weight"][inside]
        if np.count_nonzero(inside) < 200 or weights.max() > 0.02 * weights.sum():
            continue
        batch = (table["index"][inside] * np.uint64(64)) // np.uint64(table["candidates"])
        sums = np.bincount(batch.astype(int), weights, minlength=64)
        scatter = sums.std(ddof=1) * 8.0 / table["generated"]
        assert stated == pytest.approx(scatter, rel=0.4), row.sample


def test_some_samples_were_asked_for_their_scatter(stored):
    heavy = [t["weight"].max() / t["weight"].sum() for t in stored.values()]
    assert sum(share < 0.02 for share in heavy) >= 5


def test_the_number_of_kaons_comes_from_the_peak(result, stored):
    """N_K = N_SM / (A_SM B), with |m2_miss| < 0.01 GeV^2 (section 3)."""
    a = acceptance(stored["munu"], -0.01, 0.01)
    assert numbers(result)["acceptance of K+ -> mu+ nu"].value == pytest.approx(a, rel=1e-12)
    kaons = numbers(result)["K+ decays from the K+ -> mu+ nu peak"]
    assert kaons.value == pytest.approx(2.19e9 / (a * BR_MUNU), rel=1e-4)
    assert kaons.error / kaons.value == pytest.approx(
        numbers(result)["acceptance of K+ -> mu+ nu"].error / a, rel=1e-12
    )


def test_what_was_tuned_agrees_with_what_it_was_tuned_to(result):
    """A_SM = 0.302 +- 0.005 and N_K = (1.14 +- 0.02) 10^10, within the published errors."""
    assert numbers(result)["acceptance of K+ -> mu+ nu"].value == pytest.approx(0.302, abs=0.005)
    assert numbers(result)["K+ decays from the K+ -> mu+ nu peak"].value == pytest.approx(1.14e10, abs=0.02e10)


def test_the_resolution_is_half_the_central_width(result, stored):
    table = stored["munu"]
    order = np.argsort(table["m2_miss"], kind="stable")
    share = np.cumsum(table["weight"][order]) / table["weight"].sum()
    low, high = (table["m2_miss"][order][np.searchsorted(share, q)] for q in (0.1585, 0.8415))
    assert numbers(result)["m2_miss resolution at the peak, GeV^2"].value == pytest.approx((high - low) / 2, rel=2e-3)


def test_published_numbers_are_those_of_the_paper(result):
    published = {
        "K+ decays in the data set": (1.14e10, 0.02e10),
        "normalisation events": (2.19e9, None),
        "observed, m2_miss > 0.1 GeV^2": (6894, None),
        "acceptance of K+ -> mu+ nu": (0.302, 0.005),
        "K+ decays from the K+ -> mu+ nu peak": (1.14e10, 0.02e10),
        "m2_miss resolution at the peak, GeV^2": (1.5e-3, None),
        "acceptance of K+ -> mu+ nu nu nubar": (0.277, None),
        "the same, m2_miss > 0.1 GeV^2": (0.103, None),
        "background munug, m2_miss > 0.1 GeV^2": (6224, math.sqrt(105**2 + 333**2 + 780**2)),
        "background pi0munu, m2_miss > 0.1 GeV^2": (1016, math.hypot(47, 178)),
        "background pipipi, m2_miss > 0.1 GeV^2": (309, 32),
        "observed limit on signal events": (1184, None),
        "expected limit on signal events": (1526, None),
    }
    said = {name: (number.published, number.published_error) for name, number in numbers(result).items()}
    assert said.keys() == published.keys()
    for name, (value, error) in published.items():
        assert said[name][0] == pytest.approx(value), name
        assert said[name][1] == (None if error is None else pytest.approx(error)), name
        assert "136259" in numbers(result)[name].reference


def test_the_table_of_backgrounds_adds_up_as_it_is_printed():
    """Table 1: 7549 +- 119 (stat) +- 920 (syst), photon vetoes correlated; the text says 7549 +- 928."""
    assert sum(b.value for b in paper.BACKGROUND.values()) == paper.BACKGROUND_TOTAL.value == 7549
    assert math.sqrt(105**2 + 47**2 + 32**2) == pytest.approx(119, abs=0.5)
    assert math.hypot(333 + 178, 780) == pytest.approx(920, rel=0.02)
    assert paper.BACKGROUND_TOTAL.error == 928 == pytest.approx(math.hypot(119, 920), rel=1e-3)
    assert (paper.OBSERVED, paper.LIMIT_OBSERVED, paper.LIMIT_EXPECTED) == (6894, 1184, 1526)
    assert (paper.BR_LIMIT_MUNUNUNU, paper.SIGNAL_REGION, paper.CUT_STEP) == (1.0e-6, 0.1, 0.02)
    assert (paper.N_NORMALISATION, paper.N_KAONS.value, paper.N_KAONS.error) == (2.19e9, 1.14e10, 0.02e10)


def test_kinds_say_what_each_number_is(result):
    """Read from the paper, adjusted to it, or neither: the matching efficiency was tuned to A_SM, and N_K follows."""
    kinds = {name: number.kind for name, number in numbers(result).items()}
    assert {name for name, kind in kinds.items() if kind == "input"} == {
        "K+ decays in the data set", "normalisation events", "observed, m2_miss > 0.1 GeV^2",
    }  # fmt: skip
    assert {name for name, kind in kinds.items() if kind == "tuned"} == {
        "acceptance of K+ -> mu+ nu", "K+ decays from the K+ -> mu+ nu peak",
    }  # fmt: skip
    for number in result.numbers:
        if number.kind == "input":
            assert number.value == number.published


def test_the_published_limits_are_found_again(result):
    """1184 observed and 1526 expected events at 90% CL: to 1%, with the background's uncertainty a Gaussian."""
    scan = result.scan("published-counts")
    assert scan.observed == [pytest.approx(1184, rel=0.01)]
    assert scan.expected == [pytest.approx(1526, rel=0.01)]
    bands = [scan.bands[name][0] for name in ("-2", "-1", "+1", "+2")]
    assert bands == sorted(bands)
    assert bands[1] < scan.expected[0] < bands[2]
    assert scan.points == [0.1]
    assert [column(scan, c)[0] for c in ("background", "background_error", "observed_events")] == [7549, 928, 6894]


def test_predictions_come_near_the_published_numbers(result):
    """Not tuned: acceptance for K+ -> mu+ nu nu nubar 0.277 and 0.103, and its limit of 1.0e-6, to 10%."""
    found = numbers(result)
    assert found["acceptance of K+ -> mu+ nu nu nubar"].value == pytest.approx(0.277, rel=0.1)
    assert found["the same, m2_miss > 0.1 GeV^2"].value == pytest.approx(0.103, rel=0.1)
    assert result.scan("mununubarnu").observed == [pytest.approx(1.0e-6, rel=0.1)]


def test_backgrounds_are_kaons_times_fractions_times_acceptances(result, stored):
    rows = rows_of(result, "background")
    assert [*rows] == ["munug", "pi0munu", "pipipi"]
    for name, row in rows.items():
        expected = N_KAONS * stored[name]["branching_fraction"] * acceptance(stored[name], 0.1)
        assert row.yields["m2_miss > 0.1 GeV^2"].value == pytest.approx(expected, rel=1e-12)


def test_numbers_of_backgrounds_are_lines_of_the_table(result, stored):
    """K+ -> mu+ nu is one line there, with a photon or without: the normalisation's events above the cut belong to it.

    So it does in the limits.
    """
    rows = {row.sample: row.yields["m2_miss > 0.1 GeV^2"] for row in result.samples}
    for line, samples in LINES.items():
        named = numbers(result)[f"background {line}, m2_miss > 0.1 GeV^2"]
        parts = [N_KAONS * stored[s]["branching_fraction"] * acceptance(stored[s], 0.1) for s in samples]
        assert named.value == pytest.approx(sum(parts), rel=1e-12)
        errors = [rows[s].error for s in samples]
        assert named.error == pytest.approx(math.hypot(*errors), rel=1e-12)
    extra = numbers(result)["background munug, m2_miss > 0.1 GeV^2"].value - rows["munug"].value
    assert 0.0 < extra < 0.1 * rows["munug"].value


LINES = {"munug": ["munu", "munug"], "pi0munu": ["pi0munu"], "pipipi": ["pipipi"]}


def test_samples_of_a_line_share_its_published_number(tmp_path):
    """Decays in and upstream of the volume are one line: beside none of the two is the number of both."""
    samples = [NORMALISATION, *BACKGROUNDS, *UPSTREAM]
    result = run(card(*(part | {"candidates": 2 * CHUNK} for part in samples)), tmp_path / "run").result
    rows = {row.sample: row.yields["m2_miss > 0.1 GeV^2"] for row in result.samples}
    backgrounds = ["munug", "pi0munu", "pipipi", "munu-early", "pipipi-early"]
    assert [*rows_of(result, "background")] == backgrounds
    for line, names in {
        "munug": ["munu", "munug", "munu-early"], "pi0munu": ["pi0munu"], "pipipi": ["pipipi", "pipipi-early"],
    }.items():  # fmt: skip
        named = numbers(result)[f"background {line}, m2_miss > 0.1 GeV^2"]
        assert named.value == pytest.approx(sum(rows[n].value for n in names), rel=1e-12)
        assert named.published == paper.BACKGROUND[line].value
    # what the experiment is limited by is all that is no signal
    scan = result.scan("events-above-cut")
    total = column(scan, "background")[scan.points.index(0.1)]
    assert total == pytest.approx(sum(rows[n].value for n in ["munu", *backgrounds]), rel=1e-12)
    assert "background munu, m2_miss > 0.1 GeV^2" not in numbers(result)


def test_a_background_that_contains_the_normalisation_is_not_counted_twice(outcome):
    """A mixture with K+ -> mu+ nu has its events above the cut already; one of decays upstream has others."""
    events, made = open_events(outcome.directory), card(NORMALISATION, *BACKGROUNDS, *SIGNALS)

    def background_with(**changes):
        changed = [
            MemorySample(m.info.model_copy(update=changes), m.tally, m.columns()) if m.info.name == "munug" else m
            for m in events.members
        ]
        result = analyse(EventSet(events.provenance, tuple(changed)), made.roles(), made.analysis, "x")
        scan = result.scan("events-above-cut")
        rows = {row.sample: row.yields["m2_miss > 0.1 GeV^2"].value for row in result.samples}
        return column(scan, "background")[scan.points.index(0.1)], sum(rows[b["process"]] for b in BACKGROUNDS), rows

    decays = ({"process": name, "decay": "", "parameters": {}} for name in ("munu", "munug"))
    mixture = tuple(ComponentInfo(**decay) for decay in decays)
    total, alone, _ = background_with(process="natural", components=mixture)
    assert total == pytest.approx(alone, rel=1e-12)
    total, alone, rows = background_with(process="natural", components=mixture, zone="upstream")
    assert rows["munu"] > 0.0
    assert total == pytest.approx(alone + rows["munu"], rel=1e-12)


def test_cuts_by_mass_are_those_of_the_paper():
    """0.1 GeV^2 up to 310 MeV, and m_X^2 rounded up to a multiple of 0.02 GeV^2 from 320 MeV on (section 6)."""
    settings = MuInvisible()
    found = {m: published_cut(settings, m / 1000) for m in range(10, 380, 10)}
    assert all(found[m] == 0.1 for m in range(10, 320, 10))
    assert {m: found[m] for m in range(320, 380, 10)} == {
        320: 0.12, 330: 0.12, 340: 0.12, 350: 0.14, 360: 0.14, 370: 0.14,
    }  # fmt: skip
    assert published_cut(settings, None) == 0.1
    assert published_cut(settings, math.sqrt(0.12)) == 0.12


def test_defaults_are_the_published_choices():
    settings = MuInvisible()
    assert settings.n_kaons == paper.N_KAONS.value
    assert (settings.observed, settings.background) == (paper.OBSERVED, paper.BACKGROUND_TOTAL.value)
    assert settings.background_error == paper.BACKGROUND_TOTAL.error
    assert (settings.signal_region, settings.cut_step) == (paper.SIGNAL_REGION, paper.CUT_STEP)
    assert settings.heavy_neutrino_masses == paper.HNL_MASSES
    assert settings.heavy_neutrino_range == paper.HNL_SIDE_BANDS
    assert settings.heavy_neutrino_window == paper.HNL_WINDOW
    assert settings.heavy_neutrino_side_band == paper.HNL_SIDE_BAND
    assert settings.heavy_neutrino_lifetimes == (50.0, *paper.HNL_ACCEPTANCE_FACTOR)


def test_signals_of_several_masses_are_a_scan(tmp_path):
    """In the order of the mass, each with the limits that it has alone."""
    masses = sample("munuphi", "signal", scan={"m_X": [0.34, 0.1, 0.2]}) | {"candidates": 20_000}
    again = sample("munuphi", "signal", name="again", parameters={"m_X": 0.2}) | {"candidates": 20_000}
    few = [part | {"candidates": 20_000} for part in (NORMALISATION, *BACKGROUNDS)]
    result = run(card(*few, masses, again), tmp_path / "run").result
    scan = result.scan("munuphi")
    assert scan.points == [0.1, 0.2, 0.34]
    assert column(scan, "m2_cut") == [0.1, 0.1, 0.12]
    # counts are published for 0.1 GeV^2 alone
    assert [value is None for value in scan.observed] == [False, False, True]
    assert all(value > 0.0 for value in scan.expected)
    assert result.scan("munuphi-2").points == [0.2]


def test_no_counts_no_observed_limit(outcome):
    settings = MuInvisible(observed=None)
    roles = card(NORMALISATION, *BACKGROUNDS, *SIGNALS).roles()
    result = analyse(open_events(outcome.directory), roles, settings, "x")
    assert all(scan.observed is None for scan in result.scans)
    assert "observed limit on signal events" not in numbers(result)
    assert result.scan("munuphi").expected == outcome.result.scan("munuphi").expected


def test_more_kaons_of_the_same_data_scale_the_limits(outcome):
    """Limits on branching fractions fall as 1/N_K where the counts stay, on couplings as its root."""
    roles = card(NORMALISATION, *BACKGROUNDS, *SIGNALS).roles()
    result = analyse(open_events(outcome.directory), roles, MuInvisible(n_kaons=4 * N_KAONS), "x")
    before = outcome.result
    for name, factor in (("munuphi", 4.0), ("munuphi-coupling", 2.0)):
        assert result.scan(name).observed[0] == pytest.approx(before.scan(name).observed[0] / factor)
    assert result.n_kaons.error == 0.0


def test_columns_that_are_missing_are_named(outcome):
    """What another program wrote without the missing mass."""
    bare = open_events(outcome.directory)
    lacking = [replace_columns(member) for member in bare.members]
    with pytest.raises(EventFileError, match=r"'munu' has no column 'm2_miss'"):
        analyse(EventSet(bare.provenance, tuple(lacking)), card(NORMALISATION, *BACKGROUNDS, *SIGNALS).roles(),
                MuInvisible(), "x")  # fmt: skip


def replace_columns(member):
    return MemorySample(member.info, member.tally, {"weight": member.columns("weight")["weight"]})


def test_a_normalisation_alone_is_no_line(tmp_path):
    small = card(NORMALISATION | {"candidates": 20_000}, BACKGROUNDS[2] | {"candidates": 20_000})
    named = numbers(run(small, tmp_path / "run").result)
    assert [name for name in named if name.startswith("background")] == ["background pipipi, m2_miss > 0.1 GeV^2"]


def test_a_detector_for_pions_is_refused(tmp_path):
    """Before its events are made, and where they are there."""
    wrong = card(NORMALISATION).model_copy(update={"detector": DetectorPart(configuration="na62-2017-pinunu")})
    for ask in (check, lambda card: run(card, tmp_path / "run")):
        with pytest.raises(CardError, match=r"mu_invisible looks for a single muon.*'na62-2017-pinunu'"):
            ask(wrong)
    assert not (tmp_path / "run").exists()
    check(card(NORMALISATION))
    other = card(NORMALISATION).model_copy(update={"detector": DetectorPart(configuration="na62-2015")})
    with pytest.raises(CardError, match=r"is for the detector 'na62-2016-2018', and this is 'na62-2015': any_detector"):
        check(other)
    check(other.model_copy(update={"analysis": MuInvisible(any_detector=True)}))


def test_limits_above_each_cut_are_those_of_the_counting_experiment(result, stored):
    """The background's relative error is the published 928/7549; the simulation's comes on top."""
    scan = result.scan("events-above-cut")
    assert scan.points == pytest.approx(CUTS[: len(scan.points)])
    assert scan.observed is None
    parts = [stored[name] for name in ("munu", *rows_of(result, "background"))]
    found = zip(scan.points, column(scan, "background"), column(scan, "background_error"), strict=True)
    for i, (cut, background, error) in enumerate(found):
        total = sum(N_KAONS * t["branching_fraction"] * acceptance(t, cut) for t in parts)
        assert background == pytest.approx(total, rel=1e-11)
        assert error > total * 928 / 7549
        limit = counting_limit(None, background, error, 0.9)
        assert scan.expected[i] == limit.expected
        assert {name: values[i] for name, values in scan.bands.items()} == {
            "-2": limit.minus_two_sigma, "-1": limit.minus_one_sigma,
            "+1": limit.plus_one_sigma, "+2": limit.plus_two_sigma,
        }  # fmt: skip


OF_SAMPLE = {"phi": "munuphi", "V": "munuv", "mununubarnu": "mununubarnu"}


def test_limits_on_fractions_are_limits_on_events_over_kaons_times_acceptance(result, stored):
    published = result.scan("published-counts")
    for sample_name, name in OF_SAMPLE.items():
        scan, a = result.scan(name), acceptance(stored[sample_name], 0.1)
        assert column(scan, "acceptance") == [pytest.approx(a, rel=1e-11)]
        assert column(scan, "m2_cut") == [0.1]
        assert scan.observed == [pytest.approx(published.observed[0] / (N_KAONS * a))]
        assert scan.expected == [pytest.approx(published.expected[0] / (N_KAONS * a))]
        for band, (value,) in scan.bands.items():
            assert value == pytest.approx(published.bands[band][0] / (N_KAONS * a))
    assert result.scan("munuphi").points == [0.2]
    assert result.scan("munuv").points == [0.1]


def test_the_best_cut_is_the_best(result, stored):
    above = result.scan("events-above-cut")
    for sample_name, name in OF_SAMPLE.items():
        reach = {
            cut: limit / (N_KAONS * a)
            for cut, limit in zip(above.points, above.expected, strict=True)
            if (a := acceptance(stored[sample_name], cut)) > 0.0
        }
        scan = result.scan(f"{name}-best-cut")
        assert column(scan, "m2_cut") == [min(reach, key=reach.get)]
        assert scan.expected == [pytest.approx(min(reach.values()), rel=1e-11)]
        assert scan.observed is None


def test_at_the_limit_on_the_coupling_the_rate_is_the_limit_on_the_fraction(result):
    names = [scan.name for scan in result.scans]
    assert [name for name in names if name.endswith("-coupling")] == ["munuphi-coupling", "munuv-coupling"]
    for name, process_name, coupling in (("munuphi", "munuphi", "y"), ("munuv", "munuV", "g")):
        fractions, couplings = result.scan(name), result.scan(f"{name}-coupling")
        process = find(process_name)
        assert couplings.y.name == coupling
        for of_fraction, of_coupling in [
            (fractions.observed[0], couplings.observed[0]),
            (fractions.expected[0], couplings.expected[0]),
            *((fractions.bands[k][0], couplings.bands[k][0]) for k in ("-2", "-1", "+1", "+2")),
        ]:
            values = process.values({"m_X": fractions.points[0], coupling: of_coupling})
            assert process.branching_fraction(values).value == pytest.approx(of_fraction, rel=1e-9)


def test_the_spectrum_adds_up(result, stored):
    """Bins of 0.002 GeV^2 from -0.06 to 0.16, filled by hand."""
    spectrum = result.spectrum("m2-miss")
    edges = np.array(spectrum.edges)
    assert edges[0] == pytest.approx(-0.06)
    assert edges[-1] == pytest.approx(0.16)
    assert np.diff(edges) == pytest.approx(0.002)
    for row in result.samples:
        table = stored[row.sample]
        fraction = 1e-4 if row.role == "signal" else table["branching_fraction"]
        scale = N_KAONS * fraction / table["generated"]
        bins = np.digitize(table["m2_miss"].astype(float), edges)
        filled, squares = (np.bincount(bins, table["weight"] ** k, minlength=112)[1:111] for k in (1, 2))
        # of all decays, most of which are worth nothing
        errors = np.sqrt(np.maximum(squares - filled**2 / table["generated"], 0.0))
        np.testing.assert_allclose(spectrum.expected[row.sample], filled * scale, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(spectrum.errors[row.sample], errors * scale, rtol=1e-6, atol=1e-9)
    for name, row in rows_of(result, "background").items():
        beyond = acceptance(stored[name], 0.16) * N_KAONS * stored[name]["branching_fraction"]
        above = np.array(spectrum.expected[name])[edges[:-1] > 0.0999].sum()
        assert above + beyond == pytest.approx(row.yields["m2_miss > 0.1 GeV^2"].value, rel=1e-9)


def test_the_result_says_where_it_comes_from(outcome):
    result, manifest = outcome.result, read_manifest(outcome.directory)
    assert (result.seed, result.run, result.detector) == (3, "small", "na62-2016-2018")
    assert result.card_sha256 == manifest.provenance.card_sha256
    assert result.kaongen_version == manifest.provenance.kaongen_version
    assert (result.n_kaons.value, result.n_kaons.error) == (1.14e10, 0.02e10)


def test_the_saved_result_is_the_result(outcome):
    assert Result.model_validate_json((outcome.directory / "result.json").read_text()) == outcome.result
    drawn = [path for path in outcome.plots if path.suffix == ".png"]
    assert drawn
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)


def test_the_analysis_done_again_is_the_same(outcome):
    before = (outcome.directory / "result.json").read_bytes()
    shards = {p: p.stat().st_mtime_ns for p in (outcome.directory / "shards").iterdir()}
    (outcome.directory / "result.json").unlink()
    assert analyse_again(outcome.directory).result == outcome.result
    assert (outcome.directory / "result.json").read_bytes() == before
    assert {p: p.stat().st_mtime_ns for p in shards} == shards


def test_another_confidence_level_has_no_published_limit(outcome):
    other = card(NORMALISATION, *BACKGROUNDS, *SIGNALS, level=0.95)
    result = analyse(open_events(outcome.directory), other.roles(), other.analysis, "other")
    assert result.scan("published-counts").observed[0] > outcome.result.scan("published-counts").observed[0]
    named = numbers(result)
    assert named["observed limit on signal events"].published is None
    assert named["expected limit on signal events"].published is None
    assert named["acceptance of K+ -> mu+ nu"].published == 0.302


def test_a_search_needs_its_normalisation(outcome):
    alone = card(NORMALISATION | {"role": "signal"}, *BACKGROUNDS, *SIGNALS)
    with pytest.raises(EventFileError, match='needs a sample with role = "normalisation"'):
        analyse(open_events(outcome.directory), alone.roles(), alone.analysis, "x")


def test_a_card_without_normalisation_is_refused_before_its_events_are_made(tmp_path):
    with pytest.raises(CardError, match="normalisation"):
        run(card(*SIGNALS), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "samples",
    [
        [NORMALISATION],
        [NORMALISATION, *SIGNALS],
        [NORMALISATION, *BACKGROUNDS],
        [NORMALISATION, SIGNALS[0] | {"parameters": {"m_X": 0.2, "y": 0.0}}],
        [NORMALISATION, sample("muN", "signal", parameters={"m_N": 0.05})],
    ],
    ids=["alone", "no background", "no signal", "no coupling", "below the cut"],
)
def test_any_set_of_samples_has_a_result(tmp_path, samples):
    small = [part | {"candidates": 20_000} for part in samples]
    result = run(card(*small), tmp_path / "run").result
    assert [row.sample for row in result.samples] == [s.get("name", s["process"]) for s in small]
    assert all(limit > 0.0 for scan in result.scans for limit in scan.observed or [])


@pytest.mark.parametrize(("candidates", "seed"), [(1, 1), (1, 4), (2, 1), (2, 6), (30, 3)])
def test_a_few_events_have_a_result_or_a_clear_refusal(tmp_path, candidates, seed):
    """Nothing selected, nothing generated: no number can be made of that, but no crash either."""
    few = card(NORMALISATION, *BACKGROUNDS, *SIGNALS).changed(candidates=candidates, seed=seed)
    refusal, found = "", []
    try:
        found = run(few, tmp_path / "run").result.numbers
    except KaongenError as problem:
        refusal = str(problem)
    assert found or "munu" in refusal
    assert all(math.isfinite(number.value) for number in found)


def test_events_of_another_card_are_not_analysed(tmp_path):
    made = run(card(NORMALISATION | {"candidates": 5000}), tmp_path / "run")
    path = made.directory / "card.json"
    path.write_text(path.read_text().replace('"seed": 3', '"seed": 4'))
    with pytest.raises(EventFileError, match=r"card\.json is not the card"):
        analyse_again(made.directory)
    path.write_text("{}")
    with pytest.raises(EventFileError, match=r"cannot read the card of the run, .*card\.json"):
        analyse_again(made.directory)
    path.unlink()
    with pytest.raises(EventFileError, match=r"cannot read the card of the run, .*card\.json"):
        analyse_again(made.directory)


def test_an_incomplete_run_is_not_analysed(tmp_path):
    made = run(card(NORMALISATION | {"candidates": 5000}), tmp_path / "run")
    next((made.directory / "shards").iterdir()).unlink()
    with pytest.raises(EventFileError, match="munu-00000"):
        analyse_again(made.directory)
    with pytest.raises(EventFileError, match="has no manifest"):
        analyse_again(tmp_path)
