"""The random points are judged before they judge: volumes of phase space in closed form and by quadrature."""

from math import factorial

import numpy as np
import pytest
from four_body_points import FLAT, PairMass, four_body, integral, mirrored, momentum_in_pair, turned
from scipy.integrate import dblquad

from kaongen.particles import M_E, M_K, M_MU, M_PI

MASSES = {
    "massless": (0.0, 0.0, 0.0, 0.0),
    "mu nu mu mu": (M_MU, 0.0, M_MU, M_MU),
    "pi pi e nu": (M_PI, M_PI, M_E, 0.0),
}


def volume_by_quadrature(masses):
    """Of four-body phase space, in the chain 1 (2 (3 4)), which the random points do not use."""
    m1, m2, m3, m4 = masses

    def two_body(m, a, b):
        return momentum_in_pair(m, a, b) / (4 * np.pi * m)

    value, _ = dblquad(
        lambda m34, m234: (
            m34 * m234 / np.pi**2 * two_body(M_K, m1, m234) * two_body(m234, m2, m34) * two_body(m34, m3, m4)
        ),
        m2 + m3 + m4,
        M_K - m1,
        m3 + m4,
        lambda m234: m234 - m2,
        epsrel=1e-7,
    )
    return value


@pytest.mark.parametrize("masses", MASSES.values(), ids=MASSES)
def test_points_are_on_shell_and_conserve_momentum(masses):
    points = four_body(1, 500, masses)
    assert np.allclose(points.momenta.sum(axis=0), [M_K, 0, 0, 0], atol=1e-14)
    for particle, m in enumerate(masses):
        assert np.allclose(points.mass_squared(particle), m * m, atol=1e-15)


@pytest.mark.parametrize("masses", MASSES.values(), ids=MASSES)
@pytest.mark.parametrize("first", [FLAT, PairMass(pole=-0.001)], ids=["flat", "logarithmic"])
def test_mean_weight_is_the_volume_of_phase_space(masses, first):
    points = four_body(2, 40_000, masses, first)
    volume, error = integral(1.0, points)
    expected = volume_by_quadrature(masses)
    assert error < 0.01 * expected
    assert abs(volume - expected) < 4 * error


def test_volume_of_massless_phase_space_is_known():
    """Phi_n = (2 pi)^(4 - 3 n) (pi/2)^(n - 1) s^(n - 2)/((n - 1)! (n - 2)!): Comput. Phys. Commun. 40 (1986) 359."""
    expected = (2 * np.pi) ** -8 * (np.pi / 2) ** 3 * M_K**4 / (factorial(3) * factorial(2))
    assert volume_by_quadrature(MASSES["massless"]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("power", [1, 2, -0.5])
def test_flat_phase_space_does_not_know_how_it_was_paired(power):
    points = four_body(3, 40_000, MASSES["massless"])
    difference = points.mass_squared(0, 1) ** power - points.mass_squared(0, 2) ** power
    value, error = integral(difference, points)
    scale, _ = integral(points.mass_squared(0, 1) ** power, points)
    assert error < 0.03 * scale
    assert abs(value) < 4 * error


def test_lowest_mass_of_a_pair():
    points = four_body(4, 20_000, MASSES["mu nu mu mu"], second=PairMass(lowest=0.09, pole=0.0))
    assert points.mass_squared(2, 3).min() > 0.09 - 1e-15
    every = four_body(5, 40_000, MASSES["mu nu mu mu"])
    value, error = integral(1.0, points)
    cut, cut_error = integral(every.mass_squared(2, 3) > 0.09, every)
    assert abs(value - cut) < 4 * np.hypot(error, cut_error)


def test_turned_decays_are_the_same_decays():
    points = four_body(6, 50, MASSES["pi pi e nu"])
    for particle in range(4):
        for axis in ((0, 0, 1), (0, 0, -1), (0, -1, 0)):
            other = turned(points, particle, axis)
            along = other.momenta[particle, :, 1:] @ axis
            assert np.array_equal(other.momenta[particle, :, 1:], along[:, None] * np.array(axis, dtype=float))
            for i in range(4):
                for j in range(4):
                    assert np.allclose(other.mass_squared(i, j), points.mass_squared(i, j), atol=1e-15)
            triple = [np.linalg.det(p.momenta[:3, :, 1:].transpose(1, 0, 2)) for p in (points, other, mirrored(points))]
            assert np.allclose(triple[1], triple[0], atol=1e-16)
            assert np.allclose(triple[2], -triple[0], atol=1e-18)
