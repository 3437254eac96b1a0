"""`kaongen reproduce na62-mu`: its card, the numbers beside the published ones, and the figures as data."""

import math

import numpy as np
import pytest

from kaongen.analysis.record import Axis
from kaongen.analysis.registry import analyse, check, selection_of
from kaongen.analysis.result import Scan
from kaongen.papers import na62_mu as paper
from kaongen.production.card import Card, read_card
from kaongen.production.memory import simulate_card
from kaongen.reproduce.na62_mu import CARDS, compare, published_over_expected


def test_the_card_has_all_that_the_paper_searched_for():
    (name,) = CARDS
    card = read_card(name)
    check(card)
    masses = {
        process: [s.parameters[p] for s in card.sample if s.process == process]
        for process, p in (("muN", "m_N"), ("munuphi", "m_X"), ("munuV", "m_X"))
    }
    first, last, step = paper.MUNUX_MASSES
    assert masses["munuphi"] == masses["munuV"] == pytest.approx(np.arange(first, last + step / 2, step))
    assert len(masses["munuV"]) == 37
    # the ends of the scan, for nothing is extrapolated
    assert (min(masses["muN"]), max(masses["muN"])) == (0.2, 0.384)
    assert np.diff(masses["muN"]).max() < 0.0041
    upstream = {s.process for s in card.sample if s.zone == "upstream"}
    assert upstream == {"munu", "pi0munu", "pipipi"}


@pytest.fixture(scope="module")
def reproduced():
    def part(process, role, n=100_000, **more):
        return {"process": process, "role": role, "candidates": n} | more

    card = Card.model_validate({
        "run": {"name": "small", "seed": 4},
        "sample": [
            part("munu", "normalisation"), part("munug", "background", 400_000), part("pipipi", "background"),
            part("mununubarnu", "signal", 200_000),
            part("muN", "signal", scan={"m_N": {"first": 0.2, "last": 0.384, "step": 0.023}}),
            part("munuphi", "signal", scan={"m_X": [0.01, 0.2, 0.31]}),
            part("munuV", "signal", scan={"m_X": [0.01, 0.2, 0.31]}),
        ],
    })  # fmt: skip
    result = analyse(simulate_card(card, selection_of(card)), card.roles(), card.analysis, "small")
    return result, *compare({"na62-mu": result})


@pytest.fixture(scope="module")
def numbers(reproduced):
    named = {number.name: number for number in reproduced[1]}
    assert len(named) == len(reproduced[1])
    return named


def test_the_limit_on_three_neutrinos(numbers):
    """1.0e-6: from the published counts to 5% with the published acceptance, to 15% with the simulated one."""
    text = "limit on BR(K+ -> mu+ nu nu nubar)"
    for which, tolerance in (("published", 0.05), ("simulated", 0.15)):
        number = numbers[f"{text}, {which} acceptance"]
        assert number.value == pytest.approx(1.0e-6, rel=tolerance)
        assert number.published == 1.0e-6


def test_limits_on_mediators_have_the_published_orders(numbers):
    """10^-5 at low masses to 10^-7 at high ones, scalar below vector (figure 7 right)."""
    for kind in ("scalar", "vector"):
        for mass, order in ((10, -5), (310, -7)):
            value = numbers[f"limit on BR(K+ -> mu+ nu X), {kind}, {mass} MeV"].value
            assert abs(math.log10(value) - order) < 0.75
    assert numbers["limit on BR(K+ -> mu+ nu X), vector over scalar, largest"].value > 3.0
    assert numbers["limit on BR(K+ -> mu+ nu X), vector over scalar, smallest"].value > 0.9


def test_lifetimes_cost_acceptance_as_published(numbers):
    """A per cent or so at 50 ns; factors up to 2 and 10 at 5 and 1 ns."""
    text = "K+ -> mu+ N, acceptance for"
    assert 0.01 < numbers[f"{text} 50 ns, largest loss"].value < 0.06
    assert 1.3 < numbers[f"{text} 5 ns, largest factor"].value < 2.0
    assert 7.0 < numbers[f"{text} 1 ns, largest factor"].value < 13.0


def test_every_number_says_what_it_is(numbers):
    for number in numbers.values():
        assert math.isfinite(number.value), number.name
        assert number.kind in ("input", "tuned", "prediction")
        assert "136259" in number.reference


def scan_of(points, expected):
    axis = Axis(name="m_N", label="m")
    return Scan(name="s", title="", x=axis, y=axis, points=points, expected=expected)


def test_published_over_expected_limits():
    """At the published masses, the expected ones interpolated; none where nothing was expected."""
    masses, values = zip(*paper.HNL_LIMIT, strict=True)
    distinct = dict(zip(masses, values, strict=True))
    half = scan_of(list(distinct), [y / 2.0 for y in distinct.values()])
    ratio = published_over_expected(half, 0.25, 0.3)
    inside = [m for m in masses if 0.25 <= m < 0.3]
    assert len(ratio) == len(inside)
    alone = [masses.count(m) == 1 for m in inside]
    assert ratio[alone] == pytest.approx(2.0)
    assert len(published_over_expected(scan_of([0.3, 0.31], [1e-8, 1e-8]), 0.2, 0.25)) == 0
    partly = published_over_expected(scan_of([0.2, 0.21], [1e-8, None]), 0.19, 0.25)
    assert len(partly) == sum(m <= 0.2005 for m in masses) == 1


def test_figures_of_the_paper(reproduced):
    """2, 3, 4, 5 and 7, with earlier limits marked as published."""
    result, _, figures = reproduced
    named = {figure.name: figure for figure in figures}
    for number in ("2", "3-left", "3-right", "4-left", "4-right", "5", "7-left", "7-right"):
        assert f"na62-mu-figure-{number}" in named
    mixing = named["na62-mu-figure-5"]
    earlier = {curve.label for curve in mixing.curves if curve.published}
    assert {"E949", "KEK 1982", "NA62 2015", "NA62 2016-2018, observed"} <= earlier
    assert all(curve.reference for curve in mixing.curves if curve.published)
    expected = next(c for c in mixing.curves if c.label == "expected")
    assert expected.y == result.scan("heavy-neutrino-mixing").expected
    bands = [c for c in mixing.curves if c.style == "band"]
    assert len(bands) == 2
    for band in bands:
        assert all(low < y < high for low, y, high in zip(band.low, band.y, band.high, strict=True))
    spectrum = named["na62-mu-figure-2"]
    assert [h.label for h in spectrum.histograms if h.style == "stack"][-1] == "munu"
    for curve in named["na62-mu-figure-7-right"].curves:
        assert len(curve.x) == 3


def test_a_run_without_signals_has_no_figures_of_them():
    samples = [{"process": "munu", "role": "normalisation", "candidates": 30_000}]
    card = Card.model_validate({"run": {"name": "small"}, "sample": samples})
    result = analyse(simulate_card(card, selection_of(card)), card.roles(), card.analysis, "small")
    with pytest.raises(KeyError):
        result.scan("heavy-neutrino-mixing")
    numbers, figures = compare({"na62-mu": result})
    assert {figure.name for figure in figures} <= {"na62-mu-figure-2", "na62-mu-figure-7-left"}
    assert numbers
