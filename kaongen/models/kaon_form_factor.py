"""K+ -> pi+ and a light spin-0 particle X: the hadronic part, common to scalars and pseudoscalars."""

from __future__ import annotations

import math

from kaongen.models.constants import F_PLUS_0, LAMBDA_0
from kaongen.models.unstable import phase_space
from kaongen.particles import M_K, M_PI


def scalar_form_factor(q2: float) -> float:
    """f_0(q2) of K -> pi, q2 in GeV^2: f_+(0) (1 + lambda_0 q2/m_pi^2)."""
    return F_PLUS_0 * (1.0 + LAMBDA_0 * q2 / (M_PI * M_PI))


def current_divergence(m_x: float) -> float:
    """q_mu <pi+| sbar gamma^mu d |K+> = (m_K^2 - m_pi^2) f_0(m_x^2) in GeV^2, for a particle X of mass m_x."""
    return (M_K * M_K - M_PI * M_PI) * scalar_form_factor(m_x * m_x)


def two_body_width(amplitude: float, m_x: float) -> float:
    """Gamma(K+ -> pi+ X) in GeV for a constant amplitude in GeV; 0 from m_K - m_pi on."""
    return amplitude * amplitude * phase_space(M_K, M_PI, m_x) / (16.0 * math.pi * M_K)
