"""The abundance that thermal freeze-out leaves: relativistic thermal averages and the Boltzmann equation.

The equation is solved to better than 1%. The plasma is that of an ideal gas in one equilibrium, which holds between
neutrino decoupling and the QCD transition: freeze-out at temperatures from 1 to 100 MeV, which is dark matter from
about 20 MeV to 2 GeV. Lighter dark matter that annihilates to neutrinos alone would need their temperature's history.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from kaongen.models.constants import CRITICAL_DENSITY, ENTROPY_TODAY, PLANCK_MASS
from kaongen.particles import M_E, M_MU, M_PI, M_PI0

_PLASMA = ((4.0, M_E, 1.0), (4.0, M_MU, 1.0), (2.0, M_PI, -1.0), (1.0, M_PI0, -1.0))
"""Degrees of freedom, mass and the sign in the distribution of what photons keep in equilibrium."""

_CUT = 60.0
"""Boltzmann factors beyond exp(-60) are left out."""

_START, _FROZEN = 8.0, 400.0
"""Mass over temperature at which the abundance is still that of equilibrium, and at which creation has ended."""
_KNOTS, _STEPS = 48, 4000
"""Where averages are computed, and steps of the integration between them, both even in the logarithm."""


@lru_cache(maxsize=4096)
def degrees_of_freedom(temperature: float) -> tuple[float, float]:
    """Effective degrees of freedom of energy and of entropy at a temperature in GeV.

    An ideal gas of photons, electrons, muons and pions, and neutrinos with an entropy of their own below a few MeV.
    """
    from scipy.integrate import quad

    energy = entropy = 2.0
    for g, mass, sign in _PLASMA:
        x = mass / temperature
        if x > _CUT:
            continue

        def density(u: float, x: float = x, sign: float = sign) -> float:
            e = math.hypot(u, x)
            return u * u * e / (math.exp(e) + sign)

        def pressure(u: float, x: float = x, sign: float = sign) -> float:
            e = math.hypot(u, x)
            return u**4 / (3.0 * e * (math.exp(e) + sign))

        rho = g * 15.0 / math.pi**4 * quad(density, 0.0, _CUT + x)[0]
        p = g * 15.0 / math.pi**4 * quad(pressure, 0.0, _CUT + x)[0]
        energy += rho
        entropy += 0.75 * (rho + p)
        if mass == M_E:
            electrons = 0.75 * (rho + p)
    if M_E / temperature > _CUT:
        electrons = 0.0
    # neutrinos keep their entropy while electrons hand theirs to the photons
    ratio = ((2.0 + electrons) / 5.5) ** (1.0 / 3.0)
    return energy + 5.25 * ratio**4, entropy + 5.25 * ratio**3


def thermal_average(
    cross_section: Callable[[float], float], mass: float, x: float, resonance: tuple[float, float] | None = None
) -> float:
    """<sigma v> in GeV^-2 at the temperature mass/x.

    Parameters
    ----------
    cross_section : callable
        sigma in GeV^-2 of s in GeV^2, averaged over the spins of the two annihilating particles of `mass`.
    mass : float
        GeV.
    x : float
        Mass over temperature.
    resonance : tuple of float, optional
        Mass and width in GeV of a Breit-Wigner pole of the cross-section, however narrow.

    References
    ----------
    P. Gondolo and G. Gelmini, Nucl. Phys. B 360 (1991) 145, equation (3.8).
    """
    from scipy.integrate import quad
    from scipy.special import k1e, kve

    temperature = mass / x
    bottom, top = 2.0 * mass, (2.0 * mass + _CUT * temperature)

    def weighted(s: float) -> float:
        root = math.sqrt(s)
        w = (root - bottom) / temperature
        return cross_section(s) * (s - bottom * bottom) * root * float(k1e(root / temperature)) * math.exp(-w)

    def over_root(t: float) -> float:
        # sqrt(s) = 2m + T t^2: smooth at threshold
        root = bottom + temperature * t * t
        return weighted(root * root) * 4.0 * root * temperature * t

    def between(low: float, high: float) -> float:
        ends = [math.sqrt(max(root - bottom, 0.0) / temperature) for root in (low, high)]
        return float(quad(over_root, *ends, limit=200, epsabs=0.0, epsrel=1e-6)[0])

    if resonance is None or not bottom < resonance[0] < top:
        total = between(bottom, top)
    else:
        window = 0.2 * min(resonance[0] - bottom, resonance[0])
        low, high = resonance[0] - window, resonance[0] + window
        total = between(bottom, low) + _across_pole(weighted, low * low, high * high, *resonance)
        if high < top:
            total += between(high, top)
    return total / (8.0 * mass**4 * temperature * float(kve(2, x)) ** 2)


def _across_pole(weighted: Callable[[float], float], low: float, high: float, mass: float, width: float) -> float:
    """Integral over s from low to high of a function with the factor 1/((s - m^2)^2 + m^2 w^2).

    What multiplies the factor is expanded about the pole to first order, which integrates to an arctangent and a
    logarithm; the remainder is smooth.
    """
    import numpy as np

    centre, scale = mass * mass, mass * width

    def pole(s: float) -> float:
        return (s - centre) ** 2 + scale * scale

    def numerator(s: float) -> float:
        return weighted(s) * pole(s)

    step = 1e-4 * (high - low)
    value = numerator(centre)
    slope = (numerator(centre + step) - numerator(centre - step)) / (2.0 * step)
    total = value * (math.atan((high - centre) / scale) - math.atan((low - centre) / scale)) / scale
    total += 0.5 * slope * math.log(pole(high) / pole(low))
    nodes, weights = np.polynomial.legendre.leggauss(24)
    for a, b in ((low, centre), (centre, high)):
        for node, weight in zip(nodes, weights, strict=True):
            s = a + 0.5 * (b - a) * (float(node) + 1.0)
            rest = numerator(s) - value - slope * (s - centre)
            total += 0.5 * (b - a) * float(weight) * rest / pole(s)
    return float(total)


def equilibrium_yield(mass: float, x: float, spin_states: float) -> float:
    """Number over entropy density of a species in equilibrium at the temperature mass/x, Boltzmann statistics."""
    from scipy.special import kve

    entropy = degrees_of_freedom(mass / x)[1]
    return 45.0 * spin_states * x * x * float(kve(2, x)) * math.exp(-x) / (4.0 * math.pi**4 * entropy)


def abundance(
    cross_section: Callable[[float], float],
    mass: float,
    spin_states: float,
    self_conjugate: bool,
    resonance: tuple[float, float] | None = None,
) -> float:
    """Omega h^2 today of a species that freezes out by annihilation.

    Parameters
    ----------
    cross_section, mass, resonance
        As for `thermal_average`; for a species with an antiparticle, between the two.
    spin_states : float
        Of the particle; the antiparticle's come on top.
    self_conjugate : bool
        Whether the species is its own antiparticle.

    Notes
    -----
    dY/dx = -sqrt(pi/45) M_Pl m sqrt(g_*) <sigma v> (Y^2 - Y_eq^2)/x^2, where sqrt(g_*) is g_s/sqrt(g) times
    1 + 1/3 dln(g_s)/dln(T): P. Gondolo and G. Gelmini, Nucl. Phys. B 360 (1991) 145, section 2. By implicit steps from
    equilibrium at x = 8 to x = 400, after which nothing is created any more: for densities near today's or below.
    """
    import numpy as np

    states = spin_states if self_conjugate else 2.0 * spin_states
    # a particle meets an antiparticle half of the time
    scale = math.sqrt(math.pi / 45.0) * PLANCK_MASS * mass * (1.0 if self_conjugate else 0.5)

    log_x = np.linspace(math.log(_START), math.log(_FROZEN), _KNOTS)
    plasma = np.array([degrees_of_freedom(mass / x) for x in np.exp(log_x)])
    running = plasma[:, 1] / np.sqrt(plasma[:, 0]) * (1.0 - np.gradient(np.log(plasma[:, 1]), log_x) / 3.0)
    averages = np.array([thermal_average(cross_section, mass, x, resonance) for x in np.exp(log_x)])
    equilibria = np.array([equilibrium_yield(mass, x, states) for x in np.exp(log_x)])

    fine = np.linspace(log_x[0], log_x[-1], _STEPS + 1)
    step = float(fine[1] - fine[0])
    # per step in ln x; logarithms of both are nearly straight lines
    rates = scale * step * np.exp(np.interp(fine, log_x, np.log(running * averages)) - fine)
    levels = np.exp(np.interp(fine, log_x, np.log(equilibria) + np.exp(log_x)) - np.exp(fine))
    y = float(levels[0])
    for rate, level in zip(rates[1:].tolist(), levels[1:].tolist(), strict=True):
        y = 2.0 * (y + rate * level * level) / (1.0 + math.sqrt(1.0 + 4.0 * rate * (y + rate * level * level)))

    nodes, weights = np.polynomial.legendre.leggauss(8)
    inverse = 1.0 / y
    for node, weight in zip(nodes, weights, strict=True):
        u = 0.5 * (float(node) + 1.0) / _FROZEN
        energy, entropy = degrees_of_freedom(mass * u)
        average = thermal_average(cross_section, mass, 1.0 / u, resonance)
        inverse += scale * 0.5 * float(weight) / _FROZEN * entropy / math.sqrt(energy) * average
    return mass * ENTROPY_TODAY / CRITICAL_DENSITY / inverse
