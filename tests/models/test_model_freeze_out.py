"""Freeze-out: limits of thermal averages by hand, detailed balance at a pole, the Boltzmann equation integrated."""

import math

import numpy as np
import pytest
from relative import approx
from scipy.integrate import solve_ivp
from scipy.special import kve

from kaongen.models import freeze_out
from kaongen.models.constants import (
    CRITICAL_DENSITY,
    ENTROPY_TODAY,
    HBAR_C_CM,
    PLANCK_MASS,
    SPEED_OF_LIGHT_CM,
)
from kaongen.models.lmu_ltau import SPIN_STATES, DarkMatter, LMuLTau


def test_degrees_of_freedom():
    """10.75 between the electron's and the muon's mass; 3.363 and 3.909 after electrons are gone; 17.25 with all."""
    assert freeze_out.degrees_of_freedom(0.008) == approx((10.75, 10.75), rel=2e-3)
    assert freeze_out.degrees_of_freedom(1e-6) == approx((3.363, 3.909), rel=1e-3)
    assert freeze_out.degrees_of_freedom(5.0) == approx((17.25, 17.25), rel=2e-3)


def wave(mass, s_wave, p_wave):
    """A cross-section whose sigma v is s_wave + p_wave v^2 in the centre of mass."""

    def cross_section(s):
        v = 2 * math.sqrt(max(1 - 4 * mass**2 / s, 1e-30))
        return (s_wave + p_wave * v * v) / v

    return cross_section


def test_cold_averages():
    """<a + b v^2> = a + 6 b/x, with corrections of order 1/x."""
    m, x = 0.1, 2000.0
    assert freeze_out.thermal_average(wave(m, 1e-9, 0.0), m, x) == approx(1e-9, rel=2e-3)
    assert freeze_out.thermal_average(wave(m, 0.0, 1e-9), m, x) == approx(6e-9 / x, rel=3e-3)


def density(states, m, temperature):
    return states * m * m * temperature / (2 * math.pi**2) * kve(2, m / temperature) * math.exp(-m / temperature)


@pytest.mark.parametrize(("kind", "g"), [("dirac", 1e-3), ("majorana", 1e-4), ("majorana", 1e-6), ("scalar", 1e-3)])
def test_a_narrow_pole_obeys_detailed_balance(kind, g):
    """chi chi -> V -> f f per volume is what decays of an equilibrium of V to chi chi would be, times BR(f f)."""
    m_v, m, x = 0.1, 0.04, 20.0
    model = LMuLTau(m_v, g, DarkMatter(kind, m))
    temperature, total = m / x, model.total_width()
    average = freeze_out.thermal_average(model.annihilation_cross_section, m, x, (m_v, total))
    dark = sum(width for channel, width in model.widths().items() if "chi" in channel)
    dilated = kve(1, m_v / temperature) / kve(2, m_v / temperature)
    rate = density(3, m_v, temperature) * dark * (1 - dark / total) * dilated
    pairs = density(SPIN_STATES[kind], m, temperature) ** 2 / (2 if kind == "majorana" else 1)
    assert average == approx(rate / pairs, rel=1e-3)


def test_a_wide_pole_agrees_with_plain_quadrature():
    m, x = 0.04, 15.0
    model = LMuLTau(0.1, 1.0, DarkMatter("dirac", m))
    split = freeze_out.thermal_average(model.annihilation_cross_section, m, x, (0.1, model.total_width()))
    plain = freeze_out.thermal_average(model.annihilation_cross_section, m, x)
    assert split == approx(plain, rel=1e-3)


def boltzmann(cross_section, mass, states, dilution):
    """Omega h^2 from dY/dx = -sqrt(pi/45) M_Pl m sqrt(g)/x^2 <sigma v> (Y^2 - Y_eq^2), stiff, in ln Y."""
    grid = np.geomspace(5.0, 3000.0, 400)
    averages = np.array([dilution * freeze_out.thermal_average(cross_section, mass, x) for x in grid])
    dofs = np.array([freeze_out.degrees_of_freedom(mass / x) for x in grid])
    equilibrium = 45 * states * grid**2 * kve(2, grid) * np.exp(-grid) / (4 * np.pi**4 * dofs[:, 1])
    log_equilibrium = np.log(np.maximum(equilibrium, 1e-300))
    running = dofs[:, 1] / np.sqrt(dofs[:, 0]) * (1 - np.gradient(np.log(dofs[:, 1]), np.log(grid)) / 3)
    factor = math.sqrt(math.pi / 45) * PLANCK_MASS * mass * running * averages

    def slope(log_x, log_y):
        x = math.exp(log_x)
        f = np.interp(log_x, np.log(grid), factor)
        log_eq = np.interp(log_x, np.log(grid), log_equilibrium)
        return -f / x * (np.exp(log_y) - np.exp(np.minimum(2 * log_eq - log_y, 50)))

    solution = solve_ivp(slope, np.log([grid[0], grid[-1]]), [log_equilibrium[0]], method="Radau", rtol=1e-6, atol=1e-8)
    assert solution.success
    return mass * ENTROPY_TODAY / CRITICAL_DENSITY * math.exp(solution.y[0, -1])


@pytest.mark.slow
@pytest.mark.parametrize("mass", [0.03, 0.3])
@pytest.mark.parametrize(("s_wave", "p_wave"), [(4e-9, 0.0), (0.0, 3e-8)])
@pytest.mark.parametrize("self_conjugate", [True, False])
def test_abundance_is_that_of_the_boltzmann_equation(mass, s_wave, p_wave, self_conjugate):
    cross_section = wave(mass, s_wave, p_wave)
    found = freeze_out.abundance(cross_section, mass, 2, self_conjugate)
    states, dilution = (2, 1.0) if self_conjugate else (4, 0.5)
    assert found == approx(boltzmann(cross_section, mass, states, dilution), rel=0.01)


def test_the_cross_section_of_a_thermal_relic():
    """5.2 10^-26 cm^3/s at 0.3 GeV for Omega h^2 = 0.11: Steigman, Dasgupta and Beacom, PRD 86 (2012) 023506."""
    s_wave = 5.2e-26 / (HBAR_C_CM**2 * SPEED_OF_LIGHT_CM)
    assert freeze_out.abundance(wave(0.3, s_wave, 0.0), 0.3, 2, True) == approx(0.11, rel=0.05)


def test_more_annihilation_leaves_less():
    m = 0.1
    found = [freeze_out.abundance(wave(m, a, 0.0), m, 2, True) for a in (1e-9, 2e-9, 4e-9)]
    assert found == sorted(found, reverse=True)
    # and an antiparticle doubles it, up to a logarithm
    assert freeze_out.abundance(wave(m, 2e-9, 0.0), m, 2, False) == approx(2 * found[1], rel=0.05)
