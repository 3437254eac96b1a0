"""The signals of the projection: m2_miss as simulated, and as the letter assumes it, true times one acceptance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.template import Template, template
from kaongen.decays.catalogue import find
from kaongen.decays.process import Process, ThreeBody, Values
from kaongen.errors import EventFileError, ProcessError
from kaongen.events.reader import Events
from kaongen.models.lmu_ltau import LMuLTau
from kaongen.particles import M_K

Floats = NDArray[np.float64]
Boson = Literal["vector", "scalar"]

BOSONS: Final[Mapping[str, tuple[Boson, str]]] = {"munuV": ("vector", "g"), "munuphi": ("scalar", "y")}
"""By process: what X is, and the parameter whose square the rate is proportional to."""

_M2_RULE = np.polynomial.legendre.leggauss(12)
_S23_RULE = np.polynomial.legendre.leggauss(32)
"""Nodes and weights, in a bin of m2_miss and over s23: good for 1e-4 at the end of phase space, better elsewhere."""


@dataclass(frozen=True, eq=False)
class Signal:
    """K+ -> mu+ nu X at one mass.

    mass : of X in GeV. unit_branching : branching fraction at coupling 1. invisible : share of the decays of X of
    L_mu - L_tau alone that are to neutrinos; 1 for a scalar, which is assumed to be invisible. simulated, assumed :
    probability of a decay to be selected in bins of m2_miss, from the simulation and from the true distribution.
    """

    boson: Boson
    mass: float
    unit_branching: float
    invisible: float
    simulated: Template
    assumed: Template


def read_signals(samples: Sequence[Events], edges: Floats, acceptance: float) -> list[Signal]:
    """The signals among the samples, by boson and mass.

    Parameters
    ----------
    samples
        Of K+ -> mu+ nu X.
    edges
        Of the bins of m2_miss (GeV^2).
    acceptance
        Assumed, of everything, in the second of the two distributions.

    Raises
    ------
    EventFileError
        If two samples have the same X and mass, or a rate is not known.
    """
    found: dict[tuple[str, float], Signal] = {}
    for sample in samples:
        signal = _read(sample, edges, acceptance)
        key = (signal.boson, signal.mass)
        if key in found:
            raise EventFileError(f"two samples have a {signal.boson} of {1e3 * signal.mass:g} MeV")
        found[key] = signal
    return [found[key] for key in sorted(found)]


def _read(sample: Events, edges: Floats, acceptance: float) -> Signal:
    info = sample.info
    boson, coupling = BOSONS[info.process]
    mass, value = info.parameters["m_X"], info.parameters[coupling]
    if not info.branching_fraction or value <= 0.0:
        raise EventFileError(f"the sample {info.name!r} has no branching fraction: {coupling} must be above 0")
    true = recoil_spectrum(find(info.process), info.parameters, edges)
    return Signal(
        boson=boson,
        mass=mass,
        unit_branching=info.branching_fraction / value**2,
        invisible=LMuLTau(mass, value).invisible_fraction() if boson == "vector" else 1.0,
        simulated=template(sample, edges),
        assumed=Template(edges, acceptance * true, np.zeros(len(true))),
    )


def recoil_spectrum(process: Process, values: Values, edges: Sequence[float] | Floats) -> Floats:
    """Share of the decays K+ -> mu+ a b in bins of the true m2_miss = (p_a + p_b)^2.

    Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802, equation (9), by Gauss-Legendre quadrature in m2_miss and, over
    the other invariant, in the logarithm of its distance from the muon's pole; over the width that the process has by
    its own integration.

    Parameters
    ----------
    process
        A three-body decay, whose amplitude counts the muon as the third particle.
    values
        Of its parameters.
    edges
        Of the bins, in GeV^2.

    Returns
    -------
    array of shape (bins,)
        At most 1 in total.

    Raises
    ------
    ProcessError
        If it is another decay.
    """
    dynamics = process.dynamics
    if not isinstance(dynamics, ThreeBody) or process.daughters[dynamics.order[2]] != "mu+":
        raise ProcessError(f"{process.name} is not a three-body decay whose amplitude has the muon third")
    given = process.values(values)
    m1, m2, m3 = (process.masses(given)[i] for i in dynamics.order)
    parameters = process.vector(given)
    nodes, weights = _M2_RULE
    bounds = np.clip(np.asarray(edges, dtype=np.float64), (m1 + m2) ** 2, (M_K - m3) ** 2)
    shares = np.zeros(len(bounds) - 1)
    for i, (low, high) in enumerate(pairwise(bounds)):
        if high > low:
            half = 0.5 * (high - low)
            points = low + half * (1.0 + nodes)
            shares[i] = half * math.fsum(
                w * _over_s23(dynamics.amplitude, s12, (m1, m2, m3), parameters)
                for w, s12 in zip(weights, points, strict=True)
            )
    width, _ = process.width(given)
    return shares / (256.0 * math.pi**3 * M_K**3 * width)


def _over_s23(amplitude: object, s12: float, masses: tuple[float, float, float], parameters: Floats) -> float:
    """Integral of |M|^2 over s23 at fixed s12."""
    m1, m2, m3 = masses
    m12 = math.sqrt(s12)
    # energies of 2 and 3 in the rest frame of 1 and 2: PDG, Kinematics, three-body decays
    e2, e3 = (s12 - m1 * m1 + m2 * m2) / (2.0 * m12), (M_K * M_K - s12 - m3 * m3) / (2.0 * m12)
    p2, p3 = (math.sqrt(max(e * e - m * m, 0.0)) for e, m in ((e2, m2), (e3, m3)))
    # distance from the pole of the muon, without cancellation for a light particle 2
    from_pole = m2 * m2 + 2.0 * e2 * e3
    span = 2.0 * p2 * p3
    if span <= 0.0:
        return 0.0
    bottom = (m2**4 + 4.0 * m2 * m2 * e2 * e3 + 4.0 * (e2 * e2 * m3 * m3 + m2 * m2 * p3 * p3)) / (from_pole + span)
    low, high = math.log(bottom), math.log(from_pole + span)
    nodes, weights = _S23_RULE
    distances = np.exp(low + 0.5 * (high - low) * (1.0 + nodes))
    return (
        0.5
        * (high - low)
        * math.fsum(
            w * d * amplitude(s12, m3 * m3 + d, parameters)  # type: ignore[operator]
            for w, d in zip(weights, distances, strict=True)
        )
    )
