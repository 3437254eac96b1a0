"""The judge is judged first: defining relations of the Dirac algebra and of the kinematics."""

import numpy as np
import pytest
from dirac import (
    GAMMA,
    GAMMA5,
    IDENTITY,
    LEFT,
    METRIC,
    RIGHT,
    dot,
    fractions,
    invariants,
    levi_civita,
    lower,
    momenta,
    polarisations,
    propagator,
    slash,
    squared,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kaongen.particles import M_E, M_K, M_MU, M_PI0

DECAYS = {"nu V mu": (0.0, 0.2, M_MU), "mu nu gamma": (M_MU, 0.0, 0.0), "pi0 e nu": (M_PI0, M_E, 0.0)}


def test_clifford_algebra():
    for mu in range(4):
        for nu in range(4):
            anticommutator = GAMMA[mu] @ GAMMA[nu] + GAMMA[nu] @ GAMMA[mu]
            assert np.allclose(anticommutator, 2 * METRIC[mu, nu] * IDENTITY, atol=1e-15)
        assert np.allclose(GAMMA5 @ GAMMA[mu] + GAMMA[mu] @ GAMMA5, 0, atol=1e-15)
    assert np.allclose(GAMMA5 @ GAMMA5, IDENTITY)
    assert np.allclose(LEFT @ LEFT, LEFT)
    assert np.allclose(LEFT @ RIGHT, 0)


def test_trace_of_gamma5_fixes_the_sign_of_levi_civita():
    traces = np.einsum("ab,mbc,ncd,rde,sea->mnrs", GAMMA5, *[GAMMA] * 4)
    assert np.allclose(traces, -4j * levi_civita(), atol=1e-14)


@settings(max_examples=20, deadline=None)
@given(where=fractions(), decay=st.sampled_from(sorted(DECAYS)))
def test_momenta_are_on_shell_and_have_the_invariants(where, decay):
    masses = DECAYS[decay]
    s12, s23 = invariants(masses, *where)
    p = momenta(s12, s23, masses)
    assert sum(p) == pytest.approx([M_K, 0, 0, 0], abs=1e-15)
    for one, m in zip(p, masses, strict=True):
        assert dot(one, one) == pytest.approx(m * m, abs=1e-14)
    assert dot(p[0] + p[1], p[0] + p[1]) == pytest.approx(s12, rel=1e-12)
    assert dot(p[1] + p[2], p[1] + p[2]) == pytest.approx(s23, rel=1e-12)


@pytest.mark.parametrize("m", [0.0, 0.05])
def test_polarisation_sum(m):
    p = np.array([np.sqrt(m * m + 0.09), 0.2, 0.1, -0.2])
    q = np.array([1.0, 0.3, -0.4, 0.2])
    vectors = polarisations(p, m)
    for e in vectors:
        assert abs(e @ lower(p)) < 1e-15
        assert np.vdot(e, lower(e)) == pytest.approx(-1)
    total = sum(np.outer(e, e.conj()) for e in vectors)
    if m:
        assert np.allclose(total, -METRIC + np.outer(p, p) / m**2, atol=1e-12)
    else:
        # For light-like p the sum is -g in the plane normal to p and to any other vector.
        plane = np.cross(p[1:], q[1:])
        assert plane @ total[1:, 1:] @ plane == pytest.approx(plane @ plane)
        assert np.trace(total).real == pytest.approx(2)


def test_propagator_inverts_the_dirac_operator():
    p = np.array([0.4, 0.1, -0.2, 0.15])
    assert np.allclose(propagator(p, M_MU) @ (slash(p) - M_MU * IDENTITY), IDENTITY)


def test_two_body_decay_gives_the_width_that_defines_lambda():
    """C ubar(q) Pslash P_L v(k) has sum |M|^2 = (C m_mu)^2 (m_K^2 - m_mu^2)."""
    q = (M_K**2 - M_MU**2) / (2 * M_K) * np.array([1.0, 0.6, 0.0, 0.8])
    kaon = np.array([M_K, 0, 0, 0])
    assert squared(q, kaon - q, M_MU, slash(kaon) @ LEFT) == pytest.approx(M_MU**2 * (M_K**2 - M_MU**2))
