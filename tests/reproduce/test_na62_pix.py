"""NA62's search for K+ -> pi+ X beside kaongen: numbers, ratios and figures, from a small search."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "analysis"))

from pion_x_small import result

from kaongen.papers import limits
from kaongen.papers import na62_pix as paper
from kaongen.reproduce.na62_pix import CARDS, compare


@pytest.fixture(scope="module")
def made():
    return compare({CARDS[0]: result()})


def test_numbers_follow_from_the_scans(made):
    numbers = {n.name: n for n in made[0]}
    stable = result().scan("stable")
    least = numbers["strongest limit on BR(K+ -> pi+ X), 160-250 MeV, stable"]
    assert least.value == min(stable.observed[5:])
    assert least.published == 5e-11
    assert numbers["background, region 1"].value == pytest.approx(1.02)
    assert numbers["background, region 2"].value == pytest.approx(2.60)
    assert numbers["background, region 2"].kind == "input"
    ratio = numbers["K+ -> pi+ nu nubar, region 2 over region 1"]
    assert abs(ratio.value - ratio.published) < 2.0 * math.hypot(ratio.error, ratio.published_error)


def test_limits_of_the_dark_scalar_are_those_of_the_figure(made):
    for number in (1, 2):
        name = f"limit on sin(theta) of a dark scalar over the published, region {number}: median"
        median = next(n for n in made[0] if n.name == name)
        assert median.published == 1.0
        assert median.value == pytest.approx(1.0, abs=0.15)


def test_region_2_is_an_order_of_magnitude_better_than_e949(made):
    ratios = {n.name: n.value for n in made[0] if n.name.startswith("limit over that of E949")}
    at = result().scan("lifetime-10ns")
    masses, known = limits.e949_pix()[10.0]
    i = at.points.index(pytest.approx(0.21))
    assert at.observed[i] / np.exp(np.interp(0.21, masses, np.log(known))) < 0.3
    assert 0.05 < ratios["limit over that of E949, 230 MeV, 10 ns"] < 0.2


def test_figures_are_those_of_the_paper(made):
    figures = {f.name: f for f in made[1]}
    assert {int(name.split("-")[1]) for name in figures} == {2, 3, 4, 5, 6}
    for figure in figures.values():
        assert figure.curves
        assert paper.REFERENCE in figure.reference
    right = figures["figure-4-right"]
    assert sum(c.published for c in right.curves) == 7
    assert sum(not c.published for c in right.curves) == 8
    visible = figures["figure-5-visible"]
    assert {c.label for c in visible.curves if c.published} == {"NA62, figure 5", "E949", "CHARM"}
    stacked = np.sum([h.values for h in figures["figure-3-region-2"].histograms], axis=0)
    assert stacked.sum() == pytest.approx(2.60)


def test_curves_leave_a_gap_between_the_regions(made):
    observed = next(c for f in made[1] if f.name == "figure-4-left" for c in f.curves if c.label == "observed")
    gap = [x for x, y in zip(observed.x, observed.y, strict=True) if y is None]
    assert len(gap) == 1
    assert 0.084 < gap[0] < 0.154
    assert observed.x == sorted(observed.x)
