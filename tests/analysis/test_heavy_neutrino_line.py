"""The line of K+ -> mu+ N: widths and acceptances of samples whose truth is known in closed form."""

import math

import numpy as np
import pytest
from heavy_neutrino_samples import line_sample

from kaongen.analysis.heavy_neutrino_line import Line, Lines, line_of, missing_mass, survival
from kaongen.errors import EventFileError

GAUSSIAN_WINDOW = math.erf(1.5 / math.sqrt(2.0))
SPEED = 0.299792458


def test_the_missing_mass_of_a_negative_square_is_negative():
    assert missing_mass({"m2_miss": np.array([0.09, -0.01, 0.0])}) == pytest.approx([0.3, -0.1, 0.0])


@pytest.mark.parametrize(("m_n", "sigma"), [(0.2, 0.0026), (0.3, 0.0012), (0.384, 0.0002)])
def test_a_gaussian_line_comes_back(m_n, sigma):
    """200 000 of a million decays, each with weight 0.7: the window holds erf(1.5/sqrt 2) of them."""
    sample = line_sample(m_n, sigma, selected=200_000, generated=1_000_000, weight=0.7, seed=1)
    line = line_of(sample, m_n, 1.5, (), 246.8)
    assert line.resolution == pytest.approx(sigma, rel=0.01)
    # 3.5 standard errors, and what the window's own width adds
    error = 0.7 * math.sqrt(0.2 * GAUSSIAN_WINDOW * 1e-6)
    assert line.acceptance == pytest.approx(0.2 * 0.7 * GAUSSIAN_WINDOW, abs=4 * error)
    assert line.acceptance_error == pytest.approx(
        math.sqrt((0.49 * 0.2 * GAUSSIAN_WINDOW - line.acceptance**2) / 1e6), rel=0.01
    )


def test_the_window_against_counting_in_plain_python():
    sample = line_sample(0.3, 0.0012, selected=5000, generated=20_000, weight=0.5, seed=2)
    line = line_of(sample, 0.3, 1.5, (), 246.8)
    columns = sample.columns("m2_miss", "weight")
    total = 0.0
    for square, weight in zip(columns["m2_miss"].tolist(), columns["weight"].tolist(), strict=True):
        if abs(math.sqrt(square) - 0.3) < 1.5 * line.resolution:
            total += weight
    # events in the two bins of 0.02 MeV that the window cuts are shared out
    assert line.acceptance == pytest.approx(total / 20_000, rel=0.01)


def test_lifetimes_of_neutrinos_of_one_momentum():
    """50 GeV from a vertex at 140 m: exp(-L m/(p c tau)), whatever the line's width."""
    sample = line_sample(0.3, 0.0012, selected=5000, generated=20_000, seed=3, vertex=140.0, momentum=50.0)
    line = line_of(sample, 0.3, 1.5, (50.0, 5.0, 1.0), 246.8)
    for lifetime, factor in zip((50.0, 5.0, 1.0), line.lasting, strict=True):
        assert factor == pytest.approx(math.exp(-106.8 * 0.3 / (50.0 * SPEED * lifetime)), rel=1e-5)


def test_survival_behind_the_end_and_at_rest():
    columns = {
        "vertex_z": np.array([250.0, 140.0]),
        "kaon_pz": np.array([75.0, 75.0]),
        "muon_pz": np.array([30.0, 76.0]),
    }
    found = survival(columns, 0.3, 50.0, 246.8)
    assert found[0] == 1.0
    assert 0.0 <= found[1] < 1e-3


def test_too_few_events_have_no_resolution():
    sample = line_sample(0.3, 0.0012, selected=5, generated=1000, seed=4)
    with pytest.raises(EventFileError, match=r"'muN-300' has too few events for a resolution"):
        line_of(sample, 0.3, 1.5, (), 246.8)


def lines(*masses):
    """Resolution and acceptance as the simulation has them, roughly: falling with the mass."""
    return Lines(
        [Line(m, 0.0026 * math.exp(-(m - 0.2) / 0.12), 0.26 * (1.0 - (m / 0.4) ** 6), 0.001, (0.9,)) for m in masses]
    )


def test_simulated_masses_are_returned_as_they_are():
    grid = lines(0.3, 0.2, 0.25)
    for line in grid.lines:
        found = grid.at(line.m_n)
        assert found.resolution == pytest.approx(line.resolution, rel=1e-12)
        assert found.acceptance == pytest.approx(line.acceptance, rel=1e-12)
        assert found.lasting == pytest.approx(line.lasting)
    assert grid.range == (0.2, 0.3)


def test_between_simulated_masses():
    """Every second of the masses of a grid, from the others: to a per mille."""
    masses = np.arange(0.2, 0.3841, 0.004)
    grid, every = lines(*masses[::2]), lines(*masses)
    for line in every.lines[:-1]:
        found = grid.at(line.m_n)
        assert found.resolution == pytest.approx(line.resolution, rel=1e-3)
        assert found.acceptance == pytest.approx(line.acceptance, rel=3e-3)


@pytest.mark.parametrize("mass", [0.199, 0.3001, 0.0])
def test_nothing_is_extrapolated(mass):
    with pytest.raises(EventFileError, match=rf"m_N = {mass:g} GeV lies outside of the simulated masses, 0\.2 to 0\.3"):
        lines(0.2, 0.3).at(mass)


def test_a_single_mass_is_known_there_alone():
    grid = lines(0.25)
    assert grid.at(0.25).acceptance == grid.lines[0].acceptance
    with pytest.raises(EventFileError, match="not extrapolated"):
        grid.at(0.251)
