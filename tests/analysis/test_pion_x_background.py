"""Backgrounds of K+ -> pi+ X: normalised as published, described by polynomials that are nowhere negative."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pion_x_small import card, events
from scipy.integrate import quad

from kaongen.analysis.pion_x_background import background, expected, fit_polynomial
from kaongen.analysis.pion_x_regions import REGIONS
from kaongen.errors import EventFileError
from kaongen.papers import na62_pix as paper


def backgrounds():
    roles = card().roles()
    return [s for s in events().members if roles[s.info.name] == "background"]


@pytest.fixture(scope="module", params=REGIONS, ids=lambda region: region.name)
def described(request):
    return background(backgrounds(), request.param, 3)


def test_contributions_are_those_of_the_table(described):
    i = described.region.number - 1
    table = {
        "pinunu": (0.55, 1.61)[i],
        "upstream": (0.21, 0.68)[i],
        "other kaon decays": (0.26, 0.31)[i],
    }
    assert {name: values.sum() for name, values in described.parts.items()} == pytest.approx(table)
    assert described.region.background.value == (1.02, 2.60)[i]
    assert np.diff(described.edges) == pytest.approx(0.00067, rel=0.01)


def test_errors_of_the_table_add_up():
    assert REGIONS[0].background.error == pytest.approx(np.sqrt(0.13**2 + 0.15**2 + 0.13**2))
    assert REGIONS[1].background.error == pytest.approx(np.sqrt(0.21**2 + 0.28**2 + 0.22**2))


def test_polynomial_is_normalised_and_follows_the_sum(described):
    density = np.polynomial.Polynomial(described.polynomial)
    assert quad(density, 0.0, 1.0)[0] == pytest.approx(1.0)
    assert density(np.linspace(0.0, 1.0, 1001)).min() >= -1e-12
    assert described.fitted.sum() == pytest.approx(described.region.background.value)
    # in wide bins, so that each has events of every sample
    wide = np.arange(0, len(described.fitted), len(described.fitted) // 5)
    total = np.add.reduceat(sum(described.parts.values()), wide)
    variance = np.add.reduceat(sum(error**2 for error in described.errors.values()), wide)
    pull = (np.add.reduceat(described.fitted, wide) - total) / np.sqrt(variance)
    assert np.mean(pull**2) < 3.0


@settings(max_examples=50)
@given(st.lists(st.floats(0.0, 10.0), min_size=8, max_size=60).filter(lambda x: sum(x) > 0.1), st.integers(0, 6))
def test_no_contents_make_a_density_negative(contents, degree):
    edges = np.linspace(0.026, 0.068, len(contents) + 1)
    coefficients = fit_polynomial(edges, np.array(contents), degree)
    density = np.polynomial.Polynomial(coefficients)
    assert len(coefficients) == degree + 1
    assert density(np.linspace(0.0, 1.0, 201)).min() >= -1e-9
    assert density.integ()(1.0) == pytest.approx(1.0)


def test_a_polynomial_is_found_again():
    truth = np.polynomial.Polynomial([0.5, 1.5, -2.0, 0.7])
    edges = np.linspace(0.0, 0.01, 16)
    contents = np.diff(truth.integ()(edges / 0.01))
    assert fit_polynomial(edges, 7.0 * contents, 3) == pytest.approx(truth.coef / truth.integ()(1.0), abs=1e-9)


def test_shape_of_pinunu_is_that_of_its_decay_where_nothing_is_cut():
    """True missing masses follow lambda^(3/2) f+^2; the acceptance changes by a factor of two over region 2 at most."""
    described = background(backgrounds(), REGIONS[1], 3)
    m_k, m_pi = 0.493677, 0.139570

    def rate(q2):
        kallen = (m_k**2 - m_pi**2 - q2) ** 2 - 4.0 * m_pi**2 * q2
        t = q2 / m_pi**2
        return kallen**1.5 * (1.0 + 0.0259 * t + 0.00186 / 2.0 * t * t) ** 2

    edges, values = described.edges[6:-9], described.parts["pinunu"][6:-9]
    density = np.array([quad(rate, a, b)[0] for a, b in itertools.pairwise(edges)])
    acceptance = values / density
    acceptance /= acceptance.mean()
    smooth = np.polynomial.Polynomial.fit(np.arange(len(values)), acceptance, 2)(np.arange(len(values)))
    assert smooth.min() > 0.7
    assert smooth.max() < 1.4
    errors = described.errors["pinunu"][6:-9] / values
    assert np.mean(((acceptance - smooth) / errors) ** 2) < 1.8


def test_expected_events_scale_with_kaons_and_rate():
    sample = events()["pinunu"]
    one, two = (expected(sample, REGIONS[1], kaons) for kaons in (1e12, 2e12))
    assert two.value == pytest.approx(2.0 * one.value)
    assert two.error == pytest.approx(2.0 * one.error)
    columns = sample.columns()
    inside = columns["weight"][REGIONS[1].contains(columns)].sum() / sample.tally.generated
    assert one.value == pytest.approx(1e12 * sample.info.branching_fraction * inside)
    # acceptance of both regions for K+ -> pi+ nu nubar: 3.0% +- 0.3%
    both = sum(expected(sample, region, 1.0).value for region in REGIONS) / sample.info.branching_fraction
    assert both == pytest.approx(paper.ACCEPTANCE_PINUNU["2017"].value, abs=0.006)


def test_contributions_that_are_absent_are_refused():
    without = [s for s in backgrounds() if s.info.zone != "upstream"]
    with pytest.raises(EventFileError, match="no event of the background 'upstream' in region 1"):
        background(without, REGIONS[0], 3)
