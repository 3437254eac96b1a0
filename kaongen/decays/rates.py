"""Branching fractions: measured, or computed relative to the measured one of K+ -> mu+ nu_mu."""

from __future__ import annotations

import math
from collections.abc import Callable

from kaongen.decays.process import Process, Rate, Values
from kaongen.kinematics import two_body_momentum
from kaongen.particles import BR_K_MUNU, BR_K_PIPI0, HBAR, M_K, M_MU, M_PI, M_PI0, TAU_K, Measured

GAMMA_MUNU = M_K * (1.0 - (M_MU / M_K) ** 2) ** 2 / (16.0 * math.pi)
"""Width of K+ -> mu+ nu_mu in units of lambda_mu^2 (GeV), with Sum|M|^2 = lambda_mu^2 (m_K^2 - m_mu^2)."""


def measured(value: Measured) -> Callable[[Process, Values], Rate]:
    """A branching fraction that was measured."""
    return lambda process, values: Rate(value.value, value.error, value.reference)


def relative_to_munu(factor: Callable[[Values], float], accuracy: float = 0.0) -> Callable[[Process, Values], Rate]:
    """BR(mu nu) Gamma/Gamma(mu nu), the amplitude in units of lambda_mu, times a factor (couplings squared).

    The decay constant and the CKM element cancel; the error is that of BR(mu nu), of the integration, and the relative
    `accuracy` of the amplitude.
    """
    return _relative(BR_K_MUNU, lambda: GAMMA_MUNU, factor, accuracy, "K+ -> mu+ nu_mu")


def relative_to_pipi0(factor: Callable[[Values], float], accuracy: float = 0.0) -> Callable[[Process, Values], Rate]:
    """BR(pi+ pi0) Gamma/Gamma(pi+ pi0), the amplitude in units of that of K+ -> pi+ pi0, times a factor."""
    width = float(two_body_momentum(M_K, M_PI, M_PI0)) / (8.0 * math.pi * M_K**2)
    return _relative(BR_K_PIPI0, lambda: width, factor, accuracy, "K+ -> pi+ pi0")


def relative_to(
    reference: Process, rate: Measured, factor: Callable[[Values], float], accuracy: float = 0.0
) -> Callable[[Process, Values], Rate]:
    """BR Gamma/Gamma of another process whose amplitude has the same unit, times a factor."""
    return _relative(rate, lambda: reference.width(reference.values({}))[0], factor, accuracy, reference.decay)


def _relative(
    rate: Measured, width: Callable[[], float], factor: Callable[[Values], float], accuracy: float, name: str
) -> Callable[[Process, Values], Rate]:
    def computed(process: Process, values: Values) -> Rate:
        value, error = process.width(values)
        scale = rate.value / width() * factor(values)
        relative = math.hypot(rate.error / rate.value, error / value, accuracy)
        return Rate(value * scale, value * scale * relative, f"computed, relative to BR({name}): {rate.reference}")

    return computed


def absolute(
    factor: Callable[[Values], float], relative_error: float, source: str
) -> Callable[[Process, Values], Rate]:
    """tau_K Gamma/hbar, the amplitude in units whose square is `factor`; the error is that of its constants."""

    def computed(process: Process, values: Values) -> Rate:
        value, error = process.width(values)
        fraction = value * factor(values) * TAU_K / HBAR
        return Rate(fraction, fraction * math.hypot(relative_error, error / value), source)

    return computed


def formula(
    function: Callable[[Values], float], relative_error: float, source: str
) -> Callable[[Process, Values], Rate]:
    """A branching fraction in closed form."""

    def rate(process: Process, values: Values) -> Rate:
        value = function(values)
        return Rate(value, value * relative_error, source)

    return rate
