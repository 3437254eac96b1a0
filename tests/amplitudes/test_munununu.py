"""K+ -> mu+ nu nu nubar: the muon spectrum of Gorbunov and Mitrofanov, JHEP 10 (2016) 039."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from kaongen.amplitudes import munununu
from kaongen.particles import M_K, M_MU

P_MAX = (M_K**2 - M_MU**2) / (2 * M_K)
COEFFICIENTS = (2.234e-22, 2.043e-22, 8.368e-26, -1.632e-26, 7.338e-29, -9.035e-32)
"""Of p, p^2, ... p^6 with p in MeV, for dBR/dp in 1/MeV."""


@settings(max_examples=50, deadline=None)
@given(fraction=st.floats(1e-3, 0.9))
def test_spectrum_is_the_published_polynomial(fraction):
    p = fraction * P_MAX
    mev = 1000 * p
    published = sum(c * mev**n for n, c in enumerate(COEFFICIENTS, start=1))
    assert munununu.momentum_spectrum(p) == pytest.approx(1000 * published, rel=1e-10, abs=0)


def test_total_branching_fraction():
    total, _ = quad(munununu.momentum_spectrum, 0, P_MAX)
    assert total == pytest.approx(1.634e-16, rel=1e-3, abs=0)
    assert total == pytest.approx(1.62e-16, rel=0.015, abs=0)


def test_spectrum_is_positive_and_vanishes_at_both_ends():
    """Three neutrinos at rest relative to each other have no phase space: the spectrum falls faster than linearly."""
    p = np.linspace(1e-3, 0.999, 200) * P_MAX
    spectrum = np.array([munununu.momentum_spectrum(float(x)) for x in p])
    assert spectrum.min() >= 0
    assert munununu.momentum_spectrum(0.0) == 0
    assert munununu.momentum_spectrum(P_MAX) < 0.02 * spectrum.max()
