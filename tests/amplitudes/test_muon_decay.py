"""mu+ -> e+ nu_e anti-nu_mu against traces of the current-current interaction, and against the muon's measured decay.

Daughters in the order e+, nu_e, anti-nu_mu. Interaction -(4 G_F/sqrt2) [vbar(mu) gamma^a P_L v(anti-nu_mu)]
[ubar(nu_e) gamma_a P_L v(e)], spins of the muon summed and not averaged.
"""

from math import isfinite, log, pi

import numpy as np
import pytest
from dirac import GAMMA, IDENTITY, LEFT, METRIC, dot, fractions, slash
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from three_bodies import integral, momenta, point, s13, s23_limits, width

from kaongen.amplitudes import muon_decay
from kaongen.particles import ALPHA_EM, M_E, M_MU

MASSES = (M_E, 0.0, 0.0)
G_F = 1.1663788e-5
"""GeV^-2 (PDG; MuLan, Phys. Rev. Lett. 106 (2011) 041803)."""
HBAR = 6.582119569e-25
"""GeV s."""
TAU_MU = 2.1969811e-6
"""s; PDG 2026: (2.1969811 +- 0.0000022)e-6."""


def from_traces(s12, s23):
    """Sum over all spins of |M|^2/G_F^2 from two traces, contracted over both Lorentz indices."""
    mu, e, nu_e, nu_mu = momenta(s12, s23, M_MU, MASSES)
    vertex = [gamma @ LEFT for gamma in GAMMA]
    hadron_like = np.empty((4, 4), dtype=complex)
    lepton_like = np.empty((4, 4), dtype=complex)
    for a in range(4):
        for b in range(4):
            # The conjugate of gamma^b P_L is gamma^b P_L again, with the spinors exchanged.
            hadron_like[a, b] = np.trace((slash(mu) - M_MU * IDENTITY) @ vertex[a] @ slash(nu_mu) @ vertex[b])
            lepton_like[a, b] = np.trace(slash(nu_e) @ vertex[a] @ (slash(e) - M_E * IDENTITY) @ vertex[b])
    contracted = np.einsum("ab,ac,bd,cd->", hadron_like, METRIC, METRIC, lepton_like)
    return 8 * contracted.real


def from_one_fierz_transform(s12, s23):
    """The same in the charge-retention order [vbar(mu) gamma^a P_L v(e)] [ubar(nu_e) gamma_a P_L v(anti-nu_mu)]."""
    mu, e, nu_e, nu_mu = momenta(s12, s23, M_MU, MASSES)
    vertex = [gamma @ LEFT for gamma in GAMMA]
    charged = np.array(
        [
            [np.trace((slash(mu) - M_MU * IDENTITY) @ a @ (slash(e) - M_E * IDENTITY) @ b) for b in vertex]
            for a in vertex
        ]
    )
    neutral = np.array([[np.trace(slash(nu_e) @ a @ slash(nu_mu) @ b) for b in vertex] for a in vertex])
    return 8 * np.einsum("ab,ac,bd,cd->", charged, METRIC, METRIC, neutral).real


@settings(max_examples=60, deadline=None)
@given(where=fractions())
def test_amplitude_agrees_with_traces(where):
    s12, s23 = point(M_MU, MASSES, *where)
    assert muon_decay.squared(s12, s23) == pytest.approx(from_traces(s12, s23), rel=1e-9, abs=0)
    assert muon_decay.squared(s12, s23) == pytest.approx(from_one_fierz_transform(s12, s23), rel=1e-9, abs=0)


@settings(max_examples=30, deadline=None)
@given(where=fractions())
def test_amplitude_is_one_product_of_invariants(where):
    """128 (p_mu.p_nu_e)(p_e.p_anti-nu_mu): the positron pairs with the muon's neutrino."""
    s12, s23 = point(M_MU, MASSES, *where)
    mu, e, nu_e, nu_mu = momenta(s12, s23, M_MU, MASSES)
    assert muon_decay.squared(s12, s23) == pytest.approx(128 * dot(mu, nu_e) * dot(e, nu_mu), rel=1e-10, abs=0)


@settings(max_examples=60, deadline=None)
@given(across=st.floats(0, 1), along=st.floats(0, 1))
def test_finite_and_never_negative(across, along):
    value = muon_decay.squared(*point(M_MU, MASSES, across, along))
    assert isfinite(value)
    assert value >= -1e-13 * M_MU**4


def test_width_is_the_textbook_formula():
    """G_F^2 m_mu^5/(192 pi^3) (1 - 8r + 8r^3 - r^4 - 12 r^2 log r), and the integral of the amplitude."""
    r = (M_E / M_MU) ** 2
    phase_space = 1 - 8 * r + 8 * r**3 - r**4 - 12 * r * r * log(r)
    expected = G_F**2 * M_MU**5 / (192 * pi**3) * phase_space
    assert muon_decay.width() == pytest.approx(expected, rel=1e-6)
    from_amplitude = G_F**2 / 2 * width(muon_decay.squared, M_MU, MASSES)
    assert muon_decay.width() == pytest.approx(from_amplitude, rel=1e-6)


def test_measured_lifetime():
    """2.1969811(22) us. One photon, (alpha/2pi)(25/4 - pi^2) = -0.42%, is all of the difference to 1e-4."""
    tree = HBAR / muon_decay.width()
    assert tree == pytest.approx(TAU_MU, rel=5e-3)
    one_loop = 1 + ALPHA_EM / (2 * pi) * (25 / 4 - pi**2)
    assert tree / one_loop == pytest.approx(TAU_MU, rel=1e-4)


def positron_spectrum(energy):
    """dGamma/dE of the positron in units of G_F^2: the amplitude at fixed s23 = m_mu^2 + m_e^2 - 2 m_mu E."""
    s23 = M_MU**2 + M_E**2 - 2 * M_MU * energy
    # Counted from the other end: the roles of s12 and s23 exchanged.
    low, high = s23_limits(s23, M_MU, MASSES[::-1])
    area, _ = quad(lambda s12: muon_decay.squared(s12, s23), low, high, epsrel=1e-10)
    return area / 2 * 2 * M_MU / (256 * pi**3 * M_MU**3)


@settings(max_examples=30, deadline=None)
@given(fraction=st.floats(0.01, 0.999))
def test_positron_spectrum_is_michel(fraction):
    """dGamma/dx = m_mu W^4 G_F^2/pi^3 sqrt(x^2 - x0^2) [x(1 - x) + (2/9) rho (4x^2 - 3x - x0^2)], rho = 3/4.

    x = E/W, W = (m_mu^2 + m_e^2)/(2 m_mu), x0 = m_e/W (PDG, "Muon decay parameters", summed over the directions and
    the spins of the positron; measured rho 0.74979(26)).
    """
    top = (M_MU**2 + M_E**2) / (2 * M_MU)
    x0 = M_E / top
    x = x0 + fraction * (1 - x0)
    rho = 0.75
    shape = x * (1 - x) + 2 / 9 * rho * (4 * x * x - 3 * x - x0 * x0)
    expected = M_MU * top**4 / pi**3 * np.sqrt(x * x - x0 * x0) * shape / top
    assert positron_spectrum(x * top) == pytest.approx(expected, rel=1e-7)


@settings(max_examples=10, deadline=None)
@given(x=st.floats(0.05, 0.9))
def test_neutrino_spectra(x):
    """12 x^2 (1 - x) for nu_e and 2 x^2 (3 - 2x) for anti-nu_mu with x = 2E/m_mu, up to terms of order r = 3e-5.

    (e.g. Gaisser, Cosmic Rays and Particle Physics, table 7.2.)
    """
    total = integral(muon_decay.squared, M_MU, MASSES)
    s = M_MU**2 * (1 - x)
    total_mass = M_MU**2 + M_E**2

    def at_nu_mu_energy(s23):
        return muon_decay.squared(s, s23)

    def at_nu_e_energy(s23):
        return muon_decay.squared(total_mass - s - s23, s23)

    # s is the mass squared of the positron and of the other neutrino; the order (e, nu, nu) serves both cases.
    low, high = s23_limits(s, M_MU, MASSES)
    of_nu_mu, _ = quad(at_nu_mu_energy, low, high)
    of_nu_e, _ = quad(at_nu_e_energy, low, high)
    assert of_nu_mu * M_MU**2 / total == pytest.approx(2 * x * x * (3 - 2 * x), rel=3e-3)
    assert of_nu_e * M_MU**2 / total == pytest.approx(12 * x * x * (1 - x), rel=3e-3)


def test_the_order_of_the_daughters():
    """The three invariants sum up as they must, and the amplitude vanishes with the momentum of nu_e."""
    s12, s23 = point(M_MU, MASSES, 0.4, 0.7)
    other = s13(s12, s23, M_MU, MASSES)
    mu, e, _, nu_mu = momenta(s12, s23, M_MU, MASSES)
    assert other == pytest.approx(dot(e + nu_mu, e + nu_mu), rel=1e-12)
    assert other == pytest.approx(dot(mu, mu) - 2 * M_MU * (M_MU - e[0] - nu_mu[0]), rel=1e-12)
    # nu_e at rest: s12 = m_e^2 and s23 = 0
    assert muon_decay.squared(M_E**2, 0.0) == pytest.approx(0, abs=1e-13 * M_MU**4)
