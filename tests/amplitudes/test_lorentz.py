"""Four-vectors as tuples against the metric tensor and exact arithmetic."""

from fractions import Fraction

import pytest
from dirac import METRIC, dot
from four_body_points import four_body
from hypothesis import given
from hypothesis import strategies as st

from kaongen.amplitudes import lorentz
from kaongen.particles import M_K, M_MU

components = st.floats(-4.0, 4.0)
vectors = st.tuples(components, components, components, components)
"""(px, py, pz, E); the tests' own vectors have the energy first."""


def energy_first(p):
    return [p[3], *p[:3]]


@given(a=vectors, b=vectors)
def test_scalar_product_is_that_of_the_metric(a, b):
    exact = [Fraction(x) * Fraction(y) for x, y in zip(energy_first(a), energy_first(b), strict=True)]
    signed = sum(int(METRIC[i, i]) * term for i, term in enumerate(exact))
    scale = float(sum(map(abs, exact)))
    # four roundings, of the products and of the sums
    assert abs(lorentz.dot(a, b) - float(signed)) <= 1e-15 * scale + 1e-300
    assert lorentz.dot(a, b) == lorentz.dot(b, a)


@given(a=vectors, b=vectors)
def test_sum_and_difference_are_by_component(a, b):
    assert lorentz.add(a, b) == tuple(x + y for x, y in zip(a, b, strict=True))
    assert lorentz.sub(a, b) == tuple(x - y for x, y in zip(a, b, strict=True))


def test_invariants_of_a_decay():
    for event in four_body(1, 20, (M_MU, 0.0, M_MU, M_MU)).events():
        p = [tuple(map(float, (*q[1:], q[0]))) for q in event]
        total = lorentz.add(lorentz.add(p[0], p[1]), lorentz.add(p[2], p[3]))
        assert lorentz.dot(total, total) == pytest.approx(M_K**2, rel=1e-14)
        assert lorentz.dot(p[0], p[2]) == pytest.approx(dot(event[0], event[2]), rel=1e-13)
        missing = lorentz.sub(total, p[3])
        assert lorentz.dot(missing, p[1]) == pytest.approx(dot(event[0] + event[1] + event[2], event[1]), rel=1e-13)
