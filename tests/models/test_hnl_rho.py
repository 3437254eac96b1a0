"""K+ -> mu+ N: the kinematic factor rho against a two-body trace and phase space, and against published values."""

import numpy as np
import pytest
from dirac import KAON, LEFT, bar, kallen, slash
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from kaongen.models import hnl
from kaongen.particles import M_K, M_MU


def width(m_n):
    """Gamma(K -> mu N) for the vertex ubar(N) Pslash P_L v(mu), with the massive spinor sum of N."""
    size = np.sqrt(kallen(M_K**2, M_MU**2, m_n**2)) / (2 * M_K)
    direction = np.array([0.6, 0.0, 0.8])
    heavy = np.array([np.hypot(size, m_n), *(size * direction)])
    muon = KAON - heavy
    vertex = slash(KAON) @ LEFT
    identity = np.eye(4)
    trace = np.trace((slash(heavy) + m_n * identity) @ vertex @ (slash(muon) - M_MU * identity) @ bar(vertex))
    return trace.real * size / (8 * np.pi * M_K**2)


@settings(max_examples=60, deadline=None)
@given(fraction=st.floats(0.0, 0.9999))
def test_rho_is_the_ratio_of_widths(fraction):
    m_n = fraction * (M_K - M_MU)
    assert hnl.rho(m_n) == pytest.approx(width(m_n) / width(0.0), rel=1e-9)


def test_published_values():
    """NA62, Phys. Lett. B 816 (2021) 136259, below equation (1)."""
    assert hnl.rho(0.0) == pytest.approx(1)
    assert hnl.rho(M_K - M_MU) == pytest.approx(0, abs=1e-6)
    top = minimize_scalar(lambda m: -hnl.rho(m), bounds=(0.1, 0.38), method="bounded", options={"xatol": 1e-6})
    assert top.x == pytest.approx(0.263, abs=5e-4)
    assert -top.fun == pytest.approx(4.13, abs=5e-3)
