"""Windows in the mass of muon pairs: how wide they are, which pair counts, and how many events fall into them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from kaongen.analysis.record import Value
from kaongen.analysis.template import Columns, Floats, template
from kaongen.analysis.weighted import central_half_width, probability
from kaongen.errors import EventFileError
from kaongen.events.reader import Events

LEAD, OTHER, LEAD_TRUE, OTHER_TRUE = "m_mumu_lead", "m_mumu_other", "m_mumu_lead_true", "m_mumu_other_true"

_RESIDUALS = np.linspace(-0.02, 0.02, 16001)


def momentum_error(p: float, resolution: tuple[float, float]) -> float:
    """sigma_p/p of a muon of momentum p (GeV): a constant in quadrature with a number times p.

    Krnjaic et al., equation (C.4), whose second term lacks its percent sign: it is 0.005% p (NA62, Phys. Lett. B 816
    (2021) 136259).
    """
    constant, linear = resolution
    return math.hypot(constant, linear * p)


def mass_error(mass: float, p_plus: float, p_minus: float, resolution: tuple[float, float]) -> float:
    """Error of the mass of a muon pair (GeV), from those of the two momenta (GeV): Krnjaic et al., equation (C.3).

    delta m/m is half the quadratic sum of the two relative errors, as if the muons had no mass: near threshold the
    mass is known much better.
    """
    return 0.5 * mass * math.hypot(momentum_error(p_plus, resolution), momentum_error(p_minus, resolution))


def to_nearest(lead: Floats, other: Floats, mass: float) -> Floats:
    """Distance (GeV) of a test mass from that of the two pairs of each event that is closer to it."""
    return np.asarray(np.minimum(np.abs(lead - mass), np.abs(other - mass)))


@dataclass(frozen=True)
class Counted:
    """Probability of a generated decay to be selected with its nearest pair in each of several windows.

    probability, variance : (windows,), the variance is that of the simulation.
    """

    probability: Floats
    variance: Floats

    def value(self, i: int) -> Value:
        """That of one window."""
        return Value(value=float(self.probability[i]), error=math.sqrt(float(self.variance[i])))


def in_windows(sample: Events, masses: Sequence[float] | Floats, half_widths: Sequence[float] | Floats) -> Counted:
    """Events whose pair nearest to a test mass lies within half a width of it (both in GeV), for several test masses.

    Windows may overlap, and an event may count in two of them: of a decay to three muons there are two pairs.

    Raises
    ------
    EventFileError
        If the sample has no generated decay.
    """
    generated = sample.tally.generated
    if generated <= 0:
        raise EventFileError(f"the sample {sample.info.name!r} has no generated decays")
    windows = list(zip(masses, half_widths, strict=True))
    sums, squares = np.zeros(len(windows)), np.zeros(len(windows))
    for columns in sample.batches(LEAD, OTHER, "weight"):
        lead, other = columns[LEAD].astype(np.float64), columns[OTHER].astype(np.float64)
        weight = columns["weight"].astype(np.float64)
        for i, (mass, half) in enumerate(windows):
            inside = weight[to_nearest(lead, other, mass) <= half]
            sums[i] += inside.sum()
            squares[i] += (inside * inside).sum()
    mean = sums / generated
    return Counted(mean, np.maximum(squares / generated - mean * mean, 0.0) / generated)


def _lead_is_x(columns: Columns, mass: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(columns[LEAD_TRUE] - mass) <= np.abs(columns[OTHER_TRUE] - mass))


def resolution(sample: Events, mass: float) -> float:
    """Half the width (GeV) that holds the central 68.3% of measured less true mass of the pair that X decayed to.

    Raises
    ------
    EventFileError
        If no event was selected.
    """

    def residual(columns: Columns) -> Floats:
        lead = _lead_is_x(columns, mass)
        of_lead = columns[LEAD].astype(np.float64) - columns[LEAD_TRUE]
        return np.asarray(np.where(lead, of_lead, columns[OTHER].astype(np.float64) - columns[OTHER_TRUE]))

    filled = template(sample, _RESIDUALS, value=residual, needs=(LEAD, OTHER, LEAD_TRUE, OTHER_TRUE))
    reached = np.concatenate([[0.0], np.cumsum(filled.probability)])
    if reached[-1] <= 0.0:
        raise EventFileError(f"no event of the sample {sample.info.name!r} was selected: it needs more candidates")
    return central_half_width(_RESIDUALS, reached)


def lead_share(sample: Events, mass: float) -> float:
    """Share of the selected events in which X decayed to the leading of the two positive muons."""
    filled = template(
        sample, (-0.5, 0.5, 1.5), value=lambda c: _lead_is_x(c, mass).astype(float), needs=(LEAD_TRUE, OTHER_TRUE)
    )
    return float(filled.probability[1] / filled.total.value)


def selected(sample: Events) -> Value:
    """Probability of a generated decay to be selected."""
    tally = sample.tally
    return probability(tally.sum_weights, tally.sum_weights_squared, max(tally.generated, 1))


def between(masses: Sequence[float], values: Sequence[float] | Floats, wanted: Sequence[float] | Floats) -> Floats:
    """Values at masses between the simulated ones, from a monotonic cubic interpolation.

    Raises
    ------
    EventFileError
        If a mass lies outside of them.
    """
    x, at = np.asarray(masses, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    if x.size < 2:
        raise EventFileError(
            f"dimuon: a signal of one mass ({1e3 * x[0]:.6g} MeV) says nothing of others: two are needed"
        )
    outside = at[(at < x[0] - 1e-9) | (at > x[-1] + 1e-9)]
    if outside.size:
        raise EventFileError(
            f"dimuon: signals were simulated from {1e3 * x[0]:.6g} to {1e3 * x[-1]:.6g} MeV, and the mass "
            f"{1e3 * outside[0]:.6g} MeV lies outside: nothing is extrapolated"
        )
    return np.asarray(PchipInterpolator(x, np.asarray(values, dtype=np.float64))(np.clip(at, x[0], x[-1])))
