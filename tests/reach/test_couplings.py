"""From branching fractions to couplings and back, and regions that a new particle's decays close."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from kaongen.decays.catalogue import find
from kaongen.models.dark_scalar import DarkScalar
from kaongen.reach.catalogue import ENTRIES, find_model
from kaongen.reach.couplings import excluded, power_law, survival
from kaongen.reach.settings import Reach

MASSES = {"lmu-ltau": 0.12, "lmu-ltau-mumu": 0.29, "muonic-scalar": 0.2, "muonic-scalar-mumu": 0.3, "hnl": 0.3,
          "dark-scalar": 0.19, "alp": 0.21}  # fmt: skip


@pytest.mark.parametrize("name", ENTRIES)
def test_couplings_and_branching_fractions_are_inverse_to_each_other(name):
    model, mass = find_model(Reach(model=name)), MASSES[name]
    c = model.coupling
    for coupling in (0.3 * c.reference, c.reference, 7.0 * c.reference):
        given = model.branching_fraction(mass, coupling)
        process = find(model.rate_of or model.process)
        parameters = process.values({model.mass: mass, c.name: coupling})
        assert given == pytest.approx(process.branching_fraction(parameters).value, rel=1e-6)
        assert model.coupling_of(mass, given) == pytest.approx(coupling, rel=1e-12)
        assert power_law(given, model.rate(mass), c.power) == pytest.approx(coupling, rel=1e-12)


def test_survival_is_the_mean_over_flight_times():
    # times spread evenly from 0 to T: (tau/T)(1 - exp(-T/tau))
    edge, lifetime = 20.0, 7.0
    times = (np.arange(4000) + 0.5) / 4000 * edge
    expected = quad(lambda t: math.exp(-t / lifetime) / edge, 0.0, edge)[0]
    assert survival(times, lifetime) == pytest.approx(expected, rel=1e-6)
    assert survival(times, math.inf) == 1.0
    assert survival(times, 0.0) == 0.0


@given(
    limit=st.floats(1e-14, 1e-7), rate=st.floats(1e-6, 10.0), power=st.sampled_from((1, 2)), scale=st.floats(1e-9, 1.0)
)
def test_the_ends_of_a_region_lie_on_the_limit(limit, rate, power, scale):
    def seen(coupling):
        return math.exp(-((coupling / scale) ** power))

    def events(coupling):
        return rate * coupling**power * seen(coupling)

    region = excluded(limit, rate, power, 1.0, seen)
    # x exp(-x) has its maximum 1/e at x = 1, beyond the largest coupling or not
    peak = min(scale, 1.0)
    if region is None:
        assert events(peak) <= limit * (1.0 + 1e-6)
        return
    assert events(peak) >= limit * (1.0 - 1e-6)
    assert events(region.low) == pytest.approx(limit, rel=1e-6)
    assert events(0.9 * region.low) < limit
    if region.high is None:
        assert events(1.0) >= limit * (1.0 - 1e-6)
    else:
        assert region.low <= region.high
        assert events(region.high) == pytest.approx(limit, rel=1e-6)


def test_a_narrow_region_between_the_points_of_a_search_is_found():
    # the maximum just above the limit
    def seen(coupling):
        return math.exp(-coupling / 1e-7)

    peak = 1e-3 * 1e-7 / math.e
    region = excluded(peak * (1.0 - 1e-9), 1e-3, 1, 1.0, seen)
    assert region is not None
    assert region.low == pytest.approx(1e-7, rel=1e-3)
    assert region.high == pytest.approx(1e-7, rel=1e-3)
    assert excluded(peak * (1.0 + 1e-9), 1e-3, 1, 1.0, seen) is None


def test_without_decays_there_is_no_upper_end_and_no_coupling_beyond_the_model():
    region = excluded(1e-8, 1e-2, 2, 1.0)
    assert region.low == pytest.approx(1e-3, rel=1e-12)
    assert region.high is None
    assert excluded(1.0, 1e-3, 2, 1.0) is None


def test_the_dark_scalar_is_excluded_between_two_mixings():
    mass, limit = 0.24, 5e-11
    times = np.linspace(2.0, 6.0, 101)
    model = find_model(Reach(model="dark-scalar"))

    def seen(sin2):
        return survival(times, DarkScalar(mass, sin2).lifetime())

    region = excluded(limit, model.rate(mass), 1, 1.0, seen)
    for end in (region.low, region.high):
        scalar = DarkScalar(mass, end)
        rate = scalar.kaon_branching_fraction() * np.exp(-times / scalar.lifetime()).mean()
        assert rate == pytest.approx(limit, rel=1e-6)
    inside = DarkScalar(mass, math.sqrt(region.low * region.high))
    assert inside.kaon_branching_fraction() * seen(inside.sin2_theta) > 2.0 * limit
    # the other end is where the scalar lives as long as its flight, to a few lifetimes
    assert 0.01 < DarkScalar(mass, region.high).lifetime() / times.mean() < 1.0
