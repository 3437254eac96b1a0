"""Elementary functions against decimal arithmetic of 50 digits, and fused multiply-add against fractions."""

from decimal import Decimal, getcontext
from fractions import Fraction
from math import cos, isclose, log2, nextafter, pi, sin, ulp

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numba import njit

from kaongen.elementary import fma, log, sincos_turns

getcontext().prec = 50

PI = Decimal("3.14159265358979323846264338327950288419716939937510582")
EIGHTHS = [k / 8 for k in range(9)]
SMALLEST_NORMAL, LARGEST = np.finfo(float).tiny.item(), np.finfo(float).max.item()


@njit
def fused(a, b, c):
    return fma(a, b, c)


def exact_sine_and_cosine(turns):
    """Taylor series of sin(x) and cos(x) at x = 2 pi turns."""
    x = 2 * PI * Decimal(turns)
    term, sums = Decimal(1), [Decimal(0), Decimal(0)]
    for order in range(80):
        sums[order % 2] += (-1) ** (order // 2) * term
        term *= x / (order + 1)
    return sums[1], sums[0]


def test_the_judge_itself():
    for turns in (0.0, 0.1, 0.5, 0.77, 1.0):
        assert [float(v) for v in exact_sine_and_cosine(turns)] == pytest.approx(
            [sin(2 * pi * turns), cos(2 * pi * turns)], abs=1e-15
        )


@given(st.floats(0.0, 1.0))
@example(0.5**33)
@example(1 - 0.5**33)
@example(nextafter(0.125, 0))
@example(nextafter(0.125, 1))
@example(nextafter(0.875, 0))
@example(5e-324)
def test_sine_and_cosine_to_3e_16(turns):
    result = sincos_turns(turns)
    assert all(
        abs(Decimal(a) - b) < Decimal("3e-16") for a, b in zip(result, exact_sine_and_cosine(turns), strict=True)
    )


@pytest.mark.parametrize("turns", EIGHTHS)
def test_sine_and_cosine_at_eighths(turns):
    sine, cosine = sincos_turns(turns)
    if (8 * turns) % 2 == 0:
        assert (sine, cosine) == (round(sin(2 * pi * turns)), round(cos(2 * pi * turns)))
    else:
        assert abs(sine) == pytest.approx(0.5**0.5, abs=2e-16)
        assert abs(cosine) == pytest.approx(0.5**0.5, abs=2e-16)


def test_small_angles_keep_their_relative_precision():
    for turns in (1e-300, 1e-12, 1e-3, 0.1):
        assert isclose(sincos_turns(turns)[0], float(exact_sine_and_cosine(turns)[0]), rel_tol=4e-16)


def test_sine_and_cosine_everywhere():
    """A dense grid that the decimal series would be slow on; NumPy's own argument is off by 4e-16 here."""
    turns = (np.arange(100_000) + 0.5) / 100_000
    result = np.array([sincos_turns(t) for t in turns])
    assert np.abs(result[:, 0] - np.sin(2 * np.pi * turns)).max() < 8e-16
    assert np.abs(result[:, 1] - np.cos(2 * np.pi * turns)).max() < 8e-16
    assert np.abs((result**2).sum(axis=1) - 1).max() < 1e-15


def assert_logarithm(x):
    exact = Decimal(x).ln()
    error = abs(Decimal(log(x)) - exact)
    assert error <= max(Decimal("1e-16"), Decimal("1e-15") * abs(exact))


@given(st.floats(SMALLEST_NORMAL, LARGEST, allow_subnormal=False))
@example(SMALLEST_NORMAL)
@example(LARGEST)
@example(1e300)
def test_logarithm_of_any_size(x):
    assert_logarithm(x)


@given(st.floats(0.4, 2.5))
@example(nextafter(0.5**0.5, 0))
@example(0.5**0.5)
@example(nextafter(2**0.5, 0))
@example(2**0.5)
def test_logarithm_near_one(x):
    assert_logarithm(x)


@given(st.integers(0, 2**32 - 1))
@example(0)
@example(2**32 - 1)
def test_logarithm_of_the_uniforms(word):
    assert_logarithm((word + 0.5) * 2.0**-32)


def test_logarithm_next_to_one():
    assert log(1.0) == 0.0
    for distance in (2.0**-52, 2.0**-40, -(2.0**-53), -(2.0**-33)):
        assert isclose(log(1.0 + distance), float(Decimal(1.0 + distance).ln()), rel_tol=1e-15)


def test_logarithm_of_powers_of_two():
    for exponent in range(-1022, 1024):
        assert isclose(log(2.0**exponent), exponent * float(Decimal(2).ln()), rel_tol=3e-16)
        assert log2(2.0**exponent) == exponent


moderate = st.floats(1e-60, 1e60) | st.floats(-1e60, -1e-60)


def one_rounding(a, b, c):
    return float(Fraction(a) * Fraction(b) + Fraction(c))


@given(moderate, moderate, moderate)
def test_fused_multiply_add_rounds_once(a, b, c):
    assert fused(a, b, c) == one_rounding(a, b, c)


@given(st.floats(1.0, 2.0), st.floats(1.0, 2.0))
def test_fused_multiply_add_returns_the_rounding_error_of_a_product(a, b):
    """What a product followed by a sum loses altogether."""
    assert fused(a, b, -(a * b)) == one_rounding(a, b, -(a * b))


def test_fused_multiply_add_of_a_case_done_by_hand():
    a = 1 + 2.0**-30
    assert fused(a, a, -(1 + 2.0**-29)) == 2.0**-60
    assert ulp(1.0) > 2.0**-60
