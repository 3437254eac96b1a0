"""K+ -> mu+ nu_mu X against explicit traces of the Feynman diagrams.

Daughters in the order nu_mu, X, mu+. The weak vertex is C ubar(nu) Pslash P_L v(mu) with P the kaon momentum,
and everything is in units of lambda_mu^2 = (C m_mu)^2 and of the coupling squared.
"""

from math import exp, log

import numpy as np
import pytest
from dirac import (
    GAMMA5,
    KAON,
    LEFT,
    METRIC,
    RIGHT,
    fractions,
    interference,
    invariants,
    lower,
    momenta,
    polarisations,
    propagator,
    sandwich,
    slash,
    squared,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kaongen.amplitudes import munu_x
from kaongen.particles import M_K, M_MU

K2, MU2 = M_K**2, M_MU**2
WEAK = slash(KAON) @ LEFT

# Nearer to the threshold s12 = m_X^2 of a light X the four-momenta, rather than the formulas, lose digits.
masses_of_x = st.floats(log(1e-3), log(0.38)).map(exp)


def vector_line(polarisation, nu, x, mu):
    """Emission from the muon plus emission from the neutrino, which have the same charge."""
    from_muon = WEAK @ propagator(-(mu + x), M_MU) @ slash(polarisation)
    from_neutrino = slash(polarisation) @ propagator(nu + x, 0.0) @ WEAK
    return (from_muon + from_neutrino) / M_MU


def vector_from_diagrams(s12, s23, m_x):
    nu, x, mu = momenta(s12, s23, (0.0, m_x, M_MU))
    lines = (vector_line(e.conj(), nu, x, mu) for e in polarisations(x, m_x))
    return sum(squared(nu, mu, M_MU, line) for line in lines)


def scalar_from_diagrams(s12, s23, m_x):
    nu, x, mu = momenta(s12, s23, (0.0, m_x, M_MU))
    return squared(nu, mu, M_MU, WEAK @ propagator(-(mu + x), M_MU)) / MU2


def printed_vector(s12, s23, m_x):
    """(A.7) of Krnjaic et al., without g^2 lambda^2; m12 and m23 there are the squared invariants."""
    v2, off_shell = m_x**2, s23 - MU2
    return (
        2
        + (s12 + 2 * MU2 - 2 * K2) / off_shell
        - (K2 - MU2) * (v2 + 2 * MU2) / off_shell**2
        + 2 * ((K2 - MU2) ** 2 + v2 * MU2) / (s12 * off_shell)
        - v2 * (K2 - MU2) / s12**2
        + (s23 + MU2 - 2 * K2) / s12
    )


def scalar_of_a8(s12, s23, m_x, last):
    """(A.8) of Krnjaic et al., without y^2 lambda^2, for a given last bracket."""
    off_shell = s23 - MU2
    bracket = K2 * (s23 + MU2) ** 2 - s23 * ((s23 + MU2) ** 2 + s12 * off_shell) + m_x**2 * last
    return bracket / (2 * MU2 * off_shell**2)


@settings(max_examples=60, deadline=None)
@given(m_x=masses_of_x, where=fractions(0.02))
def test_vector_agrees_with_diagrams(m_x, where):
    point = invariants((0.0, m_x, M_MU), *where, logarithmic=True)
    assert munu_x.vector(*point, m_x) == pytest.approx(vector_from_diagrams(*point, m_x), rel=1e-9, abs=0)


@settings(max_examples=60, deadline=None)
@given(m_x=masses_of_x, where=fractions(0.02))
def test_scalar_agrees_with_diagrams(m_x, where):
    point = invariants((0.0, m_x, M_MU), *where, logarithmic=True)
    assert munu_x.scalar(*point, m_x) == pytest.approx(scalar_from_diagrams(*point, m_x), rel=1e-9, abs=0)


@settings(max_examples=20, deadline=None)
@given(m_x=masses_of_x, where=fractions(0.02))
def test_vector_couples_to_a_conserved_current(m_x, where):
    """The kaon has no L_mu - L_tau charge, so the two emissions cancel for a longitudinal X, with any muon mass.

    The polarisation sum may therefore be read as -g alone.
    """
    nu, x, mu = momenta(*invariants((0.0, m_x, M_MU), *where), (0.0, m_x, M_MU))
    both = sandwich(nu, mu, M_MU, vector_line(x, nu, x, mu))
    one = sandwich(nu, mu, M_MU, slash(x) @ propagator(nu + x, 0.0) @ WEAK / M_MU)
    assert abs(both).max() < 1e-11 * abs(one).max()

    basis = np.eye(4)
    lines = [vector_line(e, nu, x, mu) for e in basis]
    without_longitudinal = -sum(
        METRIC[i, i] * interference(nu, mu, M_MU, lines[i], lines[i]).real for i in range(len(basis))
    )
    point = invariants((0.0, m_x, M_MU), *where)
    assert without_longitudinal == pytest.approx(vector_from_diagrams(*point, m_x), rel=1e-8, abs=0)


@settings(max_examples=20, deadline=None)
@given(m_x=masses_of_x, where=fractions(0.02))
def test_vector_does_not_depend_on_how_the_weak_vertex_is_written(m_x, where):
    """Pslash P_L and its on-shell value -m_mu P_R differ by contact terms, which cancel between the diagrams."""
    point = invariants((0.0, m_x, M_MU), *where)
    nu, x, mu = momenta(*point, (0.0, m_x, M_MU))
    total = 0.0
    for e in polarisations(x, m_x):
        pol = slash(e.conj())
        line = -RIGHT @ propagator(-(mu + x), M_MU) @ pol - pol @ propagator(nu + x, 0.0) @ RIGHT
        total += squared(nu, mu, M_MU, line)
    assert munu_x.vector(*point, m_x) == pytest.approx(total, rel=1e-8, abs=0)


def test_scalar_does_depend_on_how_the_weak_vertex_is_written():
    """For a Yukawa coupling the contact term -ubar P_R v/m_mu stays; (A.8) and kaongen have the derivative vertex."""
    point = invariants((0.0, 0.1, M_MU), 0.4, 0.5)
    nu, x, mu = momenta(*point, (0.0, 0.1, M_MU))
    derivative = WEAK @ propagator(-(mu + x), M_MU) / M_MU
    constant = -RIGHT @ propagator(-(mu + x), M_MU)
    contact = sandwich(nu, mu, M_MU, -RIGHT / M_MU)
    assert sandwich(nu, mu, M_MU, derivative - constant) == pytest.approx(contact, abs=1e-12)
    assert munu_x.scalar(*point, 0.1) != pytest.approx(squared(nu, mu, M_MU, constant), rel=0.1)


@settings(max_examples=20, deadline=None)
@given(m_x=masses_of_x, where=fractions(0.02))
def test_printed_formulas_of_the_paper(m_x, where):
    """(A.7) and the corrected (A.8) are half of the spin sum that goes with Gamma(K -> mu nu)."""
    s12, s23 = invariants((0.0, m_x, M_MU), *where, logarithmic=True)
    assert 2 * printed_vector(s12, s23, m_x) == pytest.approx(vector_from_diagrams(s12, s23, m_x), rel=1e-9, abs=0)
    corrected = scalar_of_a8(s12, s23, m_x, s23**2 - MU2 * K2)
    assert 2 * corrected == pytest.approx(scalar_from_diagrams(s12, s23, m_x), rel=1e-9, abs=0)


def test_the_last_term_of_a8_is_misprinted():
    m_x = 0.3
    ratios = []
    for across in (0.1, 0.5, 0.9):
        for along in (0.05, 0.5, 0.95):
            s12, s23 = invariants((0.0, m_x, M_MU), across, along)
            printed = scalar_of_a8(s12, s23, m_x, s23 - MU2 * K2)
            ratios.append(2 * printed / scalar_from_diagrams(s12, s23, m_x))
    assert min(ratios) > 10


@pytest.mark.parametrize("m_x", [1e-3, 1e-4])
def test_soft_vector_factorises(m_x):
    """A soft X sees two classical charges: |M|^2 -> |M(mu nu)|^2 * -(j.j), j = k/(k.l) - q/(q.l)."""
    soft_muon_recoil = np.array([0.0, 0.6, 0.0, 0.8])
    size = 3 * m_x
    x = np.array([np.sqrt(size**2 + m_x**2), *(size * soft_muon_recoil[1:])])
    recoil = KAON - x
    w2 = recoil @ lower(recoil)
    # q along any direction, on shell with (recoil - q)^2 = m_mu^2
    direction = np.array([1.0, 0.36, 0.48, 0.8])
    q = direction * (w2 - MU2) / (2 * (recoil @ lower(direction)))
    mu = recoil - q
    s12, s23 = (x + q) @ lower(x + q), (x + mu) @ lower(x + mu)
    current = mu / (mu @ lower(x)) - q / (q @ lower(x))
    expected = (K2 - MU2) * -(current @ lower(current))
    assert munu_x.vector(s12, s23, m_x) == pytest.approx(expected, rel=40 * m_x / M_MU)


def test_scalar_line_is_not_that_of_a_pseudoscalar():
    """phi mubar mu, not phi mubar i gamma5 mu: the two differ by the sign of m_mu in one place."""
    point = invariants((0.0, 0.05, M_MU), 0.5, 0.3)
    nu, x, mu = momenta(*point, (0.0, 0.05, M_MU))
    pseudoscalar = WEAK @ propagator(-(mu + x), M_MU) @ (1j * GAMMA5) / M_MU
    assert munu_x.scalar(*point, 0.05) != pytest.approx(squared(nu, mu, M_MU, pseudoscalar), rel=0.1)
