"""Figures of the detector's response: what they show is what NA62 publishes, and every configuration has them all."""

import io
import json
import math
from xml.etree import ElementTree

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from rich.console import Console
from scipy import stats

from kaongen.configuration import CONFIGURATIONS, load
from kaongen.report.response import SUBJECTS, Response, numbers_table, sections, summary_table

MUON, PION, OLD = "na62-2016-2018", "na62-2017-pinunu", "na62-2015"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def responses():
    return {name: Response(load(name)) for name in CONFIGURATIONS}


@pytest.fixture(scope="module")
def curves(responses):
    """All curves of all configurations, by configuration and name."""
    return {name: response.as_dict([])["curves"] for name, response in responses.items()}


def points(curve):
    return np.array(curve["x"]), np.array(curve["y"])


def average(curve, low, high):
    """Over flat x."""
    x, y = points(curve)
    fine = np.linspace(low, high, 2001)
    return np.interp(fine, x, y).mean()


def moments(curve):
    """Integral, mean and rms of a density in bins."""
    edges, y = points(curve)
    middle, content = 0.5 * (edges[1:] + edges[:-1]), y * np.diff(edges)
    total = content.sum()
    mean = (middle * content).sum() / total
    return total, mean, math.sqrt(((middle - mean) ** 2 * content).sum() / total)


@pytest.mark.parametrize(
    ("curve", "published", "relative"),
    [
        ("rich.identified_pion", 0.82, 2e-3),
        ("rich.identified_muon", 2.3e-3, 1e-2),
        ("calorimeters.identified_pion", 0.78, 2e-3),
        ("calorimeters.identified_muon", 6.3e-6, 1e-2),
    ],
)
def test_identification_has_the_published_averages(curves, curve, published, relative):
    """JHEP 03 (2021) 058: between 15 and 35 GeV."""
    assert average(curves[PION][curve], 15.0, 35.0) == pytest.approx(published, rel=relative)


def test_lead_glass_misses_what_is_published(curves):
    """0.30(6)% of photons of 0.3 to 3 GeV (Phys. Lett. B 816 (2021) 136259), and the band is that error."""
    curve = curves[MUON]["photons.lav"]
    x, y = points(curve)
    inside = (x > 0.31) & (x < 2.95)
    assert inside.sum() > 40
    assert y[inside] == pytest.approx(0.0030, rel=0.01)
    for end, sign in (("low", -1), ("high", 1)):
        assert np.array(curve[end])[inside] == pytest.approx(0.0030 * math.exp(sign * 0.20), rel=0.01)


def test_errors_of_the_spectrometer_are_the_published_ones(curves):
    """sigma_p/p = 0.30% (+) 0.005% p, and 60 and 20 microradians at 10 and 50 GeV."""
    p, error = points(curves[MUON]["straw.momentum_error"])
    assert error == pytest.approx(np.hypot(0.30, 0.005 * p), rel=1e-6)
    p, angle = points(curves[MUON]["straw.angle_error"])
    assert np.interp([10.0, 50.0], p, angle) == pytest.approx([60.0, 20.0], rel=0.02)


def test_the_krypton_has_the_published_resolution(curves):
    """4.8%/sqrt(E) (+) 11%/E (+) 0.9%."""
    energy, error = points(curves[MUON]["lkr.resolution"])
    expected = np.sqrt((4.8 / np.sqrt(energy)) ** 2 + (11.0 / energy) ** 2 + 0.9**2)
    assert error == pytest.approx(expected, rel=1e-6)


def test_electrons_have_their_momentum_in_the_krypton(curves):
    """E/p of 30 GeV: around 1, as wide as energy and no error of the momentum make it."""
    total, mean, width = moments(curves[MUON]["lkr.eop_electron"])
    expected = 0.01 * math.sqrt(4.8**2 / 30.0 + (11.0 / 30.0) ** 2 + 0.9**2)
    assert total == pytest.approx(1.0, abs=1e-3)
    assert mean == pytest.approx(1.0, abs=2e-3)
    assert width == pytest.approx(math.hypot(expected, 0.01 / math.sqrt(12.0)), rel=0.03)


@pytest.mark.parametrize(("name", "rate", "loss"), [(MUON, 0.4, 0.30), (PION, 0.45, 0.362), (OLD, 0.0075, 0.0075)])
def test_random_veto_at_the_rate_of_the_period(curves, name, rate, loss):
    x, y = points(curves[name]["data_taking.random_veto"])
    assert np.interp(rate, x, y) == pytest.approx(loss, rel=2e-3)


def test_what_is_recorded(curves):
    """Trigger 0.99, one of 400, 30% lost at random."""
    curve = curves[MUON]["data_taking.kept"]
    kept = dict(zip(curve["names"], curve["y"], strict=True))
    assert kept["all"] == pytest.approx(0.99 / 400 * 0.70, rel=1e-6)


def test_the_beam_is_that_of_the_paper(curves):
    """75 GeV with 1% rms, 0.11 mrad, and decays that follow the kaon's lifetime."""
    beam = curves[MUON]
    total, mean, width = moments(beam["beam.momentum"])
    assert (total, mean, width) == pytest.approx((1.0, 75.0, 0.75), abs=0.015)
    for name, middle in (("beam.slope_x", 1.2), ("beam.slope_y", 0.0)):
        _, mean, width = moments(beam[name])
        assert (mean, width) == pytest.approx((middle, 0.11), abs=2e-3)
    length = 75.0 / 0.493677 * 3.712
    edges, y = points(beam["beam.decay_z"])
    expected = np.exp(-(edges - 105.0) / length)
    assert y == pytest.approx((expected[:-1] - expected[1:]) / (1.0 - expected[-1]) / np.diff(edges), rel=0.12)


def test_decays_in_flight_follow_the_lifetimes(curves):
    """From the middle of the volume to the first chamber, and on to what absorbs them."""
    for name, per_gev, end in (("pion", 7.8045 / 0.13957, 241.093), ("muon", 658.638 / 0.105658, 246.8)):
        p, early = points(curves[MUON][f"flight.{name}_early"])
        whole = np.exp(-(end - 142.5) / (per_gev * p))
        before = np.exp(-(183.508 - 142.5) / (per_gev * p))
        assert early == pytest.approx(1.0 - before, rel=1e-4)
        assert points(curves[MUON][f"flight.{name}_late"])[1] == pytest.approx(before - whole, rel=1e-4)


def test_daughters_of_flying_pions_have_a_flat_spectrum(curves):
    """From (m_mu/m_pi)^2 to 1, but for the mass of the pion at 30 GeV."""
    edges, y = points(curves[MUON]["flight.daughter_of_pion"])
    low = (0.105658 / 0.13957) ** 2
    inside = (edges[:-1] > low + 0.01) & (edges[1:] <= 1.0)
    assert y[inside].mean() == pytest.approx(1.0 / (1.0 - low), rel=0.02)
    assert np.all(y[edges[1:] < low - 0.01] == 0.0)


def test_daughters_of_muons_have_the_momentum_of_theirs(curves):
    """7/20 of the muon's on average."""
    _, mean, _ = moments(curves[MUON]["flight.daughter_of_muon"])
    assert mean == pytest.approx(0.35, abs=0.01)


def test_the_gtk_finds_other_tracks_as_poisson_would(curves):
    """2016-2018: no cut on the discriminant. Of the others, 94% are found; a few leave the limits of a beam track."""
    rate, y = points(curves[MUON]["gtk.other_if_missing_by_rate"])
    expected = -np.expm1(-2.0 * 0.5 * 0.94 * rate)
    assert y == pytest.approx(expected, abs=0.015)
    assert y[-1] < expected[-1]


def test_the_gtk_has_the_published_shares_in_2017(curves):
    """JHEP 03 (2021) 058: 75% of kaons matched; 3.5% wrong where the own track is missing."""
    shares = {key: np.interp(0.45, *points(curves[PION][f"gtk.{key}_by_rate"])) for key in ("own", "other")}
    assert sum(shares.values()) == pytest.approx(0.75, abs=0.01)
    assert np.interp(0.45, *points(curves[PION]["gtk.other_if_missing_by_rate"])) == pytest.approx(0.035, abs=0.005)


def test_a_window_of_one_sigma_keeps_two_thirds(curves):
    """Of the own tracks, whose time is Gaussian: 0.1 ns and 0.07 ns together."""
    window, own = points(curves[MUON]["gtk.own_by_window"])
    sigma = math.hypot(0.1, 0.07)
    share = np.interp(sigma, window, own) / own[-1]
    assert share == pytest.approx(math.erf(1.0 / math.sqrt(2.0)), abs=0.02)


def test_large_deflections_of_muons_are_those_of_rutherford(curves):
    """Small momentum transfers: 4 pi alpha^2 Z(Z+1) N / q^2, for the chamber's seven elements by hand."""
    elements = load(MUON).array("straw.elements")
    strength = sum(g / a * z * (z + (a > 1.5)) for z, a, g in elements) * 6.02214e23
    t, y = points(curves[MUON]["scattering.muon_density"])
    soft = t < 4e-5
    expected = 4.0 * math.pi / 137.036**2 * strength * 0.389379e-27 / t[soft]
    # part of the collisions with single protons is in the nucleus still, and of those with gold a little suppressed
    assert np.all(np.abs(y[soft] / expected - 1.0) < 0.35)
    assert y[0] / y[soft][-1] == pytest.approx(t[soft][-1] / t[0], rel=0.25)


def test_pairs_of_photons_in_the_chambers(curves):
    """7/9 of 0.45% in each of two chambers, between the gap and the edge; nothing beyond a metre."""
    x, y = points(curves[MUON]["conversion.probability_300"])
    assert y[np.abs(x + 0.5) < 0.2] == pytest.approx(100.0 * 2.0 * 7.0 / 9.0 * 0.0045, rel=1e-3)
    assert np.all(y[np.abs(x) > 1.0] == 0.0)
    x, y = points(curves[MUON]["conversion.probability_0"])
    assert np.all(y[np.abs(x - 0.11) < 0.04] == 0.0)


def test_positrons_share_the_photons_energy_as_bethe_and_heitler_say(curves):
    """Complete screening: (9 - 12 x (1 - x))/7."""
    edges, y = points(curves[MUON]["conversion.positron_share"])
    x = 0.5 * (edges[1:] + edges[:-1])
    expected = (9.0 - 12.0 * x * (1.0 - x)) / 7.0
    chi2 = np.sum((y - expected) ** 2 / expected) * 20000 * (edges[1] - edges[0])
    assert stats.chi2.sf(chi2, len(y)) > 1e-6


def test_the_ring_of_a_pion(curves):
    """Threshold of 12.5 GeV; far above it 11.1 mrad."""
    p, angle = points(curves[PION]["rich.angle_pion"])
    assert 12.5 < p[0] < 13.5
    assert angle == pytest.approx(1e3 * np.sqrt(124e-6 - (0.13957 / p) ** 2), rel=1e-3)


def test_muons_reach_the_tiles(curves):
    """99.5% of 10 GeV or more; and accidental signals are those of 10 MHz over 6 ns, for the tiles that are asked."""
    p, y = points(curves[MUON]["muv3.signal_muon"])
    assert np.all((y[p >= 10.0] > 0.993) & (y[p >= 10.0] < 0.997))
    _, other = points(curves[MUON]["muv3.accidental"])
    assert np.all(np.diff(other[p >= 1.0]) <= 0.0)
    tiles = (math.pi * (4 * 0.53 / 50.0) ** 2 + 4 * (4 * 0.53 / 50.0) * 0.22 + 0.22**2) / 0.22**2
    assert np.interp(50.0, p, other) == pytest.approx(0.010 * 6.0 * tiles / 148.0, rel=0.01)


def test_the_alternative_vetoes_see_less(curves):
    """Everywhere at least as much is missed; most where pairs go straight into what does not see them."""
    for name in ("lav", "irc", "sac", "lkr"):
        nominal, other = (points(curves[MUON][f"photons.{name}_{kind}"])[1] for kind in ("nominal", "alternative"))
        assert np.all(other > nominal * 0.999)
        assert np.max(other / nominal) > 1.2


def test_the_axis_of_the_beam(curves):
    """At the second GTK station 60 mm low, at GTK3 back; 1.2 mrad behind the trim magnet; into the chambers' holes."""
    z, y = points(curves[MUON]["beam_line.axis_y"])
    assert y.min() == pytest.approx(-60.0, abs=1.0)
    assert np.interp(102.4, z, y) == pytest.approx(0.0, abs=0.5)
    z, x = points(curves[MUON]["beam_line.axis_x"])
    assert (np.interp(180.0, z, x) - np.interp(105.0, z, x)) / 75.0 == pytest.approx(1.2, abs=1e-3)
    for chamber, hole in ((183.508, 101.2), (194.066, 114.4), (204.459, 92.4), (218.885, 52.8)):
        assert np.interp(chamber, z, x) == pytest.approx(hole, abs=10.0)


def test_the_hole_of_a_chamber_is_a_star(curves):
    """Two squares of 127.6 mm, one turned by 45 degrees: in each, one of the two pairs of views is blind."""
    image = curves[MUON]["acceptance.hole_1"]
    x, y, z = np.array(image["x"]) - 101.2, np.array(image["y"]), np.array(image["z"])
    u, v = np.abs(x[None, :] + y[:, None]) / math.sqrt(2), np.abs(x[None, :] - y[:, None]) / math.sqrt(2)
    straight = (np.abs(x[None, :]) < 63.8) & (np.abs(y[:, None]) < 63.8)
    assert np.array_equal(z == 0.0, straight | (u < 63.8) & (v < 63.8))


def test_chanti_stands_around_the_beam(curves):
    """What goes along the beam meets none; at 0.1 rad from GTK3 two stations at least are met."""
    x, y = points(curves[MUON]["chanti.y_102.4"])
    assert np.all(y[np.abs(x) < 5.0] == 1.0)
    assert np.interp(100.0, x, y) <= 1.0001e-4


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_curves_are_finite_and_have_units(curves, name):
    """A unit, or a quantity that has none; probabilities are between 0 and 1."""
    dimensionless = (
        "probability",
        "efficiency",
        "share",
        "density",
        "E/p",
        "mean number",
        "E(e+)",
        "p(d",
        "measured p",
    )
    json.dumps(curves[name], allow_nan=False)
    assert len({c["figure"] for c in curves[name].values()}) == len(SUBJECTS)
    for key, curve in curves[name].items():
        y = np.array(curve["y"], dtype=float)
        assert len(curve["x"]) - len(y) in (0, 1) or "z" in curve, key
        assert len(y) > 0, key
        if "names" not in curve:
            for axis in ("x", "y"):
                assert curve[f"{axis}_unit"] or curve[f"{axis}_label"].startswith(dimensionless), (key, axis)
        if curve["y_label"].startswith("probability") and not curve["y_unit"] and "ln t" not in curve["y_label"]:
            assert y.min() >= 0.0, key
            assert y.max() <= 1.0 + 1e-9, key


def test_the_same_curves_everywhere(curves):
    """Programs find every name in every configuration."""
    names = {frozenset(c) for c in curves.values()}
    assert len(names) == 1


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_table_has_every_number_once(name):
    configuration = load(name)
    named = [quantity for group in sections(configuration).values() for quantity in group]
    assert sorted(named) == sorted(configuration.quantities)
    assert sorted(numbers_table(configuration).columns[0].cells) == sorted(configuration.quantities)


def test_the_summary_counts_every_number():
    configuration = load(MUON)
    text = io.StringIO()
    Console(file=text, width=200).print(summary_table(configuration))
    last = next(line for line in text.getvalue().splitlines() if line.startswith(("│ all", "│all")))
    counts = [int(part) for part in last.replace("│", " ").split()[1:]]
    assert sum(counts) == len(configuration.quantities)


def test_programs_get_every_number(responses):
    numbers = responses[PION].as_dict([])["numbers"]
    assert numbers["straw.kick"]["value"] == 0.270
    assert numbers["straw.kick"]["status"] == "input"
    assert set(numbers) == set(load(PION).quantities)


@pytest.mark.parametrize(
    "name", [MUON, pytest.param(PION, marks=pytest.mark.slow), pytest.param(OLD, marks=pytest.mark.slow)]
)
def test_files(responses, tmp_path, name):
    """A PNG and a valid SVG for each subject, one overview, the numbers; and nothing of the user's is touched."""
    before = dict(matplotlib.rcParams)
    plt.close("all")
    files = responses[name].save(tmp_path)
    assert {path.name for path in files} == {path.name for path in tmp_path.iterdir()}
    stems = {f"response-{subject.name}" for subject in responses[name].subjects}
    assert len(stems) == len(SUBJECTS)
    expected = {f"{stem}.{kind}" for stem in stems for kind in ("png", "svg")} | {"response.png", "numbers.txt"}
    assert {path.name for path in files} == expected
    for path in files:
        if path.suffix == ".png":
            assert path.read_bytes().startswith(PNG)
            assert matplotlib.image.imread(path).std() > 0.02, "something is drawn"
        elif path.suffix == ".svg":
            root = ElementTree.parse(path).getroot()
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) > 10
    assert plt.get_fignums() == []
    assert {key for key, value in before.items() if matplotlib.rcParams[key] != value} <= {"backend"}
