"""K+ -> pi0 pi0 pi+ against the parametrisation written in four-momenta, and against what NA48/2 saw at its cusp.

NA48/2, Phys. Lett. B 686 (2010) 101 (arXiv:1004.1005). Daughters in the order pi0, pi0, pi+.
"""

from math import isfinite

import numpy as np
import pytest
from dirac import dot, fractions
from hypothesis import given, settings
from hypothesis import strategies as st
from three_bodies import integral, momenta, point, s12_limits, s13

from kaongen.amplitudes import k3pi
from kaongen.particles import M_K, M_PI, M_PI0

MASSES = (M_PI0, M_PI0, M_PI)
NA48 = (0.6715, -0.0270, 0.0081, -0.1299, -0.0378, 0.4474)
"""g, h, k, a, b, q."""
NO_CUSP = (*NA48[:3], 0.0, 0.0, NA48[5])
THRESHOLD = 4 * M_PI**2

parameters = st.tuples(
    st.floats(-1, 1),
    st.floats(-0.2, 0.2),
    st.floats(-0.1, 0.1),
    st.floats(-0.3, 0.3),
    st.floats(-0.3, 0.3),
    st.floats(0.3, 1.0),
)


def amplitude(s12, s23, g, h, k, a, b, q):
    kaon, *pions = momenta(s12, s23, M_K, MASSES)
    s = [dot(kaon - p, kaon - p) for p in pions]
    centre = sum(s) / 3
    u = (s[2] - centre) / M_PI**2
    v = (s[1] - s[0]) / M_PI**2
    distance = u - (THRESHOLD - centre) / M_PI**2
    cusp = a * (-distance) ** q if distance < 0 else b * distance**q
    return 1 + g * u / 2 + h * u * u / 2 + k * v * v / 2 + cusp


@settings(max_examples=100, deadline=None)
@given(where=fractions(), values=parameters)
def test_amplitude_agrees_with_four_momenta(where, values):
    s12, s23 = point(M_K, MASSES, *where)
    # Next to the threshold, where the power's slope is infinite, the momenta have too few digits.
    if abs(s12 / THRESHOLD - 1) > 1e-5:
        expected = amplitude(s12, s23, *values)
        assert k3pi.neutral_squared(s12, s23, *values) == pytest.approx(expected**2, rel=1e-9, abs=1e-10)


@settings(max_examples=40, deadline=None)
@given(where=fractions(), values=parameters)
def test_symmetric_in_the_identical_pions(where, values):
    s12, s23 = point(M_K, MASSES, *where)
    other = s13(s12, s23, M_K, MASSES)
    expected = k3pi.neutral_squared(s12, other, *values)
    assert k3pi.neutral_squared(s12, s23, *values) == pytest.approx(expected, rel=1e-10, abs=1e-12)


@settings(max_examples=80, deadline=None)
@given(across=st.floats(0, 1), along=st.floats(0, 1))
def test_finite_and_never_negative(across, along):
    value = k3pi.neutral_squared(*point(M_K, MASSES, across, along), *NA48)
    assert isfinite(value)
    assert 0 < value < 3


def test_without_slopes_the_plot_is_flat():
    for where in ((0.001, 0.5), (0.5, 0.01), (0.999, 0.999)):
        assert k3pi.neutral_squared(*point(M_K, MASSES, *where), 0.0, 0.0, 0.0, 0.0, 0.0, 0.5) == 1


def test_one_at_the_centre_without_a_cusp():
    """s_0 is the mean of the three invariants of pions with their own masses."""
    centre = (M_K**2 + 2 * M_PI0**2 + M_PI**2) / 3
    assert k3pi.neutral_squared(centre, centre, *NO_CUSP) == pytest.approx(1, abs=1e-12)


def test_continuous_at_the_charged_pions_threshold():
    """And exactly at it the cusp is nothing."""
    _, high = s12_limits(M_K, MASSES)
    s23 = point(M_K, MASSES, (THRESHOLD - 4 * M_PI0**2) / (high - 4 * M_PI0**2), 0.5)[1]
    at, plain = (k3pi.neutral_squared(THRESHOLD, s23, *values) for values in (NA48, NO_CUSP))
    assert at == pytest.approx(plain, rel=1e-6)
    for side in (1 - 1e-12, 1 + 1e-12):
        assert k3pi.neutral_squared(THRESHOLD * side, s23, *NA48) == pytest.approx(at, rel=1e-4)


def test_cusp_is_steeper_below():
    """a and b are negative: a sharp maximum over the polynomial, steeper below, where rescattering interferes."""
    s23 = point(M_K, MASSES, 0.2, 0.5)[1]
    drops = [
        k3pi.neutral_squared(THRESHOLD * side, s23, *NA48) / k3pi.neutral_squared(THRESHOLD * side, s23, *NO_CUSP) - 1
        for side in (0.99, 1.01)
    ]
    assert drops[0] < 2 * drops[1] < 0


def test_deficit_below_the_threshold():
    """NA48/2 counted about 13% fewer events below the threshold than extrapolated (Phys. Lett. B 633 (2006) 173)."""
    below = (4 * M_PI0**2, THRESHOLD)
    with_cusp, without = (
        integral(lambda *s, v=values: k3pi.neutral_squared(*s, *v), M_K, MASSES, s12_range=below)
        for values in (NA48, (*NA48[:3], 0.0, *NA48[4:]))
    )
    assert 1 - with_cusp / without == pytest.approx(0.13, abs=0.03)


def test_mean_slope_is_the_polynomial_of_the_pdg():
    """Along u above the cusp |M|^2 is 1 + g u + h u^2 of the PDG (g = 0.626(7), h = 0.052(8)) up to a constant."""
    centre = (M_K**2 + 2 * M_PI0**2 + M_PI**2) / 3
    start = (THRESHOLD - centre) / M_PI**2
    u = np.linspace(start + 0.2, 1.2, 40)
    s12 = centre + u * M_PI**2
    s23 = (M_K**2 + 2 * M_PI0**2 + M_PI**2 - s12) / 2
    values = np.array([k3pi.neutral_squared(a, b, *NA48) for a, b in zip(s12, s23, strict=True)])
    fit = np.polynomial.polynomial.polyfit(u, values, 2)
    assert fit[1] / fit[0] == pytest.approx(0.626, abs=0.05)
