"""Branching fractions: measured, or computed relative to the measured one of K+ -> mu+ nu_mu."""

from __future__ import annotations

import math
from collections.abc import Callable

from kaongen.decays.process import Process, Rate, Values
from kaongen.particles import BR_K_MUNU, M_K, M_MU, Measured

GAMMA_MUNU = M_K * (1.0 - (M_MU / M_K) ** 2) ** 2 / (16.0 * math.pi)
"""Width of K+ -> mu+ nu_mu in units of lambda_mu^2 (GeV), with Sum|M|^2 = lambda_mu^2 (m_K^2 - m_mu^2)."""

THREE_BODY_FLUX = 1.0 / (256.0 * math.pi**3 * M_K**3)
"""dGamma = THREE_BODY_FLUX Sum|M|^2 ds12 ds23 (PDG, Kinematics)."""


def measured(value: Measured) -> Callable[[Process, Values], Rate]:
    """A branching fraction that was measured."""
    return lambda process, values: Rate(value.value, value.error, value.reference)


def relative_to_munu(factor: Callable[[Values], float]) -> Callable[[Process, Values], Rate]:
    """BR(mu nu) Gamma/Gamma(mu nu), the amplitude in units of lambda_mu, times a factor (couplings squared).

    The decay constant and the CKM element cancel; the error is that of BR(mu nu) and of the integration.
    """

    def rate(process: Process, values: Values) -> Rate:
        table = process.table(values)
        scale = BR_K_MUNU.value * THREE_BODY_FLUX / GAMMA_MUNU * factor(values)
        value = table.integral * scale
        relative = math.hypot(BR_K_MUNU.error / BR_K_MUNU.value, table.integral_error / table.integral)
        return Rate(value, value * relative, f"computed, relative to BR(K+ -> mu+ nu_mu): {BR_K_MUNU.reference}")

    return rate


def formula(
    function: Callable[[Values], float], relative_error: float, source: str
) -> Callable[[Process, Values], Rate]:
    """A branching fraction in closed form."""

    def rate(process: Process, values: Values) -> Rate:
        value = function(values)
        return Rate(value, value * relative_error, source)

    return rate
