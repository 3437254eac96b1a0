"""K+ -> pi+ pi+ pi- against the definition of the slopes, in terms of energies instead of invariants."""

import numpy as np
import pytest
from dirac import fractions, invariants, momenta
from hypothesis import given, settings
from hypothesis import strategies as st

from kaongen.amplitudes import k3pi
from kaongen.particles import M_K, M_PI

MASSES = (M_PI, M_PI, M_PI)
PDG = (-0.21134, 0.0185, -0.00463)

slopes = st.tuples(st.floats(-0.5, 0.5), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))


def from_energies(s12, s23, g, h, k):
    """u = 2 m_K (m_K/3 - E_odd)/m_pi^2, v = 2 m_K (E_1 - E_2)/m_pi^2; daughters pi+, pi+, pi-."""
    e1, e2, e_odd = (p[0] for p in momenta(s12, s23, MASSES))
    u = 2 * M_K * (M_K / 3 - e_odd) / M_PI**2
    v = 2 * M_K * (e1 - e2) / M_PI**2
    return 1 + g * u + h * u * u + k * v * v


@settings(max_examples=60, deadline=None)
@given(where=fractions(), slope=slopes)
def test_amplitude_agrees_with_energies(where, slope):
    point = invariants(MASSES, *where)
    assert k3pi.squared(*point, *slope) == pytest.approx(from_energies(*point, *slope), rel=1e-11, abs=1e-11)


@settings(max_examples=30, deadline=None)
@given(where=fractions(), slope=slopes)
def test_symmetric_in_the_identical_pions(where, slope):
    s12, s23 = invariants(MASSES, *where)
    s13 = M_K**2 + 3 * M_PI**2 - s12 - s23
    assert k3pi.squared(s12, s23, *slope) == pytest.approx(k3pi.squared(s12, s13, *slope), rel=1e-11, abs=1e-11)


@settings(max_examples=30, deadline=None)
@given(where=fractions())
def test_positive_and_near_one_with_measured_slopes(where):
    assert 0.6 < k3pi.squared(*invariants(MASSES, *where), *PDG) < 1.4


def test_one_at_the_centre():
    s0 = (M_K**2 + 3 * M_PI**2) / 3
    assert k3pi.squared(s0, s0, *PDG) == pytest.approx(1, abs=1e-12)


def test_slow_negative_pions_are_disfavoured():
    """g < 0: the like-sign pair prefers small masses, which leaves the odd pion fast."""
    slow, fast = (invariants(MASSES, across, 0.5) for across in (0.95, 0.05))
    assert k3pi.squared(*fast, *PDG) > k3pi.squared(*slow, *PDG)
    assert np.argmax([momenta(*point, MASSES)[2][0] for point in (slow, fast)]) == 1
