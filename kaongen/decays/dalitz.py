"""The Dalitz plot as a table of cells: where to propose points, and between which bounds the density lies.

The plot is the unit square (u, v): s12 = s12_min + u (s12_max - s12_min), and s23 goes from its lower to its
upper limit at that s12 as v goes from 0 to 1. The density on the square is |M|^2 times the length of the
s23 interval. Cell edges follow the density's marginals (as in VEGAS), so that poles need no declaration; a cell
is chosen in proportion to its upper bound with Walker's alias table, and a point below the cell's lower bound
is accepted without evaluating |M|^2.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from kaongen.decays import alias
from kaongen.decays.amplitude import call_dalitz, dalitz_address
from kaongen.errors import ProcessError
from kaongen.jit import block_kernel, scalar_kernel
from kaongen.kinematics import kallen

AXIS_BITS = alias.CELL_BITS // 2
CELLS = 1 << AXIS_BITS
"""Cells along each axis; both bounds of all cells fit in a core's second-level cache."""

_SUB = 4
"""Intervals into which a cell is divided to find its bounds."""

_SIMPSON = tuple(w / 12.0 for w in (1.0, 4.0, 2.0, 4.0, 1.0))
"""Weights of the points across a cell for its mean."""

_COARSE = 0.02
"""Relative uncertainty of the integral above which the table warns that the cells are too coarse for the amplitude."""

# layout of the `geometry` array handed to kernels
M_PARENT, MASS_1, MASS_2, MASS_3, S12_MIN, S12_MAX = range(6)


@scalar_kernel
def s23_limits(s12, geometry):  # type: ignore[no-untyped-def]
    """Lowest s23 and the length of its interval at s12 (PDG, Kinematics, three-body decays)."""
    big = geometry[M_PARENT]
    m1, m2, m3 = geometry[MASS_1], geometry[MASS_2], geometry[MASS_3]
    root = math.sqrt(s12)
    e2 = (s12 - m1 * m1 + m2 * m2) / (2.0 * root)
    e3 = (big * big - s12 - m3 * m3) / (2.0 * root)
    q2 = kallen(s12, m1 * m1, m2 * m2) / (4.0 * s12)
    p2 = kallen(big * big, s12, m3 * m3) / (4.0 * s12)
    product = math.sqrt(max(q2, 0.0)) * math.sqrt(max(p2, 0.0))
    return m2 * m2 + m3 * m3 + 2.0 * (e2 * e3 - product), 4.0 * product


@scalar_kernel
def density(address, u, v, geometry, parameters):  # type: ignore[no-untyped-def]
    """|M|^2 times the length of the s23 interval, at a point of the unit square."""
    s12 = geometry[S12_MIN] + u * (geometry[S12_MAX] - geometry[S12_MIN])
    low, length = s23_limits(s12, geometry)
    if length <= 0.0:
        return 0.0
    return call_dalitz(address, s12, low + v * length, parameters) * length


_GRID = types.Array(types.float64, 1, "C")


@block_kernel(signature=types.Array(types.float64, 2, "C")(types.int64, _GRID, _GRID, _GRID, _GRID))
def _density_on(address, u, v, geometry, parameters):  # type: ignore[no-untyped-def]
    result = np.empty((u.size, v.size))
    for i in range(u.size):
        for j in range(v.size):
            result[i, j] = density(address, u[i], v[j], geometry, parameters)
    return result


@dataclass(frozen=True, slots=True)
class DalitzTable:
    """All that a three-body kernel needs to propose and accept points.

    amplitude : the compiled function, and address : of its machine code.
    edges_u, edges_v : (CELLS + 1,) float64, boundaries of the cells.
    alias : (CELLS**2,) uint64, Walker's table: the other cell in the high bits, the cell's own share in the low ones.
    acceptance : (CELLS**2,) float64, times the density it is the probability to accept a point of the cell.
    floor : (CELLS**2,) float64, the least that this probability can be in the cell.
    integral, integral_error : the integral of |M|^2 over the Dalitz plot (GeV^4 times the unit of |M|^2).
    efficiency : expected fraction of proposals that are accepted; squeeze : fraction accepted at once.
    """

    amplitude: Any
    address: int
    geometry: NDArray[np.float64]
    parameters: NDArray[np.float64]
    edges_u: NDArray[np.float64]
    edges_v: NDArray[np.float64]
    alias: NDArray[np.uint64]
    acceptance: NDArray[np.float64]
    floor: NDArray[np.float64]
    integral: float
    integral_error: float
    efficiency: float
    squeeze: float


def build_table(
    amplitude: Any,
    masses: tuple[float, float, float],
    parameters: NDArray[np.float64],
    *,
    parent: float,
    s12_max: float | None = None,
) -> DalitzTable:
    """Tabulate a squared amplitude over the Dalitz plot.

    Parameters
    ----------
    amplitude
        Compiled function of (s12, s23, parameters) that returns |M|^2 >= 0 in any unit.
    masses
        Of the daughters 1, 2, 3 in GeV.
    parameters
        (n,) float64, handed to the amplitude.
    parent
        Mass of the decaying particle in GeV.
    s12_max
        Upper end of s12 in GeV^2 where a cut replaces the kinematic limit.

    Raises
    ------
    ProcessError
        Below threshold, or if |M|^2 is negative, not finite, or zero everywhere.
    """
    m1, m2, m3 = masses
    # two massless daughters: s12 = 0 itself is a point without phase space
    low, high = max((m1 + m2) ** 2, 1e-12 * parent**2), (parent - m3) ** 2
    if m1 + m2 + m3 >= parent:
        raise ProcessError(
            f"the daughters' masses add up to {m1 + m2 + m3:.6g} GeV: they must be below {parent:.6g} GeV"
        )
    if s12_max is not None:
        high = min(high, s12_max)
        if high <= low:
            raise ProcessError(
                f"the cut leaves no phase space: s12 up to {high:.6g} GeV^2, allowed from {low:.6g} GeV^2"
            )
    geometry = np.array([parent, m1, m2, m3, low, high])
    address = dalitz_address(amplitude)

    def evaluate(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
        values: NDArray[np.float64] = _density_on(address, u, v, geometry, parameters)
        if not np.all(np.isfinite(values)) or values.min() < 0.0:
            i, j = np.argwhere(~(np.isfinite(values) & (values >= 0.0)))[0]
            s12 = low + u[i] * (high - low)
            raise ProcessError(
                f"|M|^2 is {values[i, j]:.6g} (times the phase space) at s12 = {s12:.6g} GeV^2: "
                "it must be finite and not negative all over the Dalitz plot"
            )
        return values

    edges_u, edges_v = _adapted_edges(evaluate)
    if not edges_u.size:
        raise ProcessError("|M|^2 vanishes all over the Dalitz plot: there is nothing to sample")
    values = evaluate(_subdivided(edges_u), _subdivided(edges_v))
    area = np.outer(np.diff(edges_u), np.diff(edges_v))
    least, most, mean = _cell_bounds(values)
    upper, lower, content = most * area, least * area, mean * area
    # The distance to the mean of the corners, added up without cancellation, is an error estimate, and a generous one.
    corners = values[::_SUB, ::_SUB]
    coarse = 0.25 * (corners[1:, 1:] + corners[1:, :-1] + corners[:-1, 1:] + corners[:-1, :-1])
    uncertainty = np.abs((coarse - mean) * area).sum()
    table, ceiling, per_cell = alias.proposals(upper.ravel())
    span = high - low
    if uncertainty > _COARSE * content.sum():
        warnings.warn(
            "|M|^2 varies much within a cell of the Dalitz plot: its integral is known only to "
            f"{uncertainty / content.sum():.1%}; decays may lie above their bound, and then have weights above 1",
            stacklevel=2,
        )
    return DalitzTable(
        amplitude=amplitude,
        address=address,
        geometry=geometry,
        parameters=parameters,
        edges_u=edges_u,
        edges_v=edges_v,
        alias=table,
        acceptance=area.ravel() * per_cell,
        floor=lower.ravel() * per_cell,
        integral=float(content.sum() * span),
        integral_error=float(uncertainty * span),
        efficiency=float(content.sum() / ceiling),
        squeeze=float(lower.sum() / ceiling),
    )


def _subdivided(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    steps = np.arange(_SUB) / _SUB
    fine = (edges[:-1, None] + np.diff(edges)[:, None] * steps).ravel()
    return np.append(fine, edges[-1])


def _adapted_edges(
    evaluate: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges along u and v such that every strip varies by about as much as any other; empty if there is no content."""
    # half of them close to the ends, where poles are: equal steps alone would never meet a narrow one
    steps = np.linspace(0.0, 0.5, CELLS // 4, endpoint=False)[1:]
    close = np.geomspace(1e-8, steps[0], CELLS // 4, endpoint=False)
    lower = np.concatenate([[0.0], close, steps])
    edges_u = np.concatenate([lower, [0.5], 1.0 - lower[::-1]])
    edges_v = edges_u.copy()
    for _ in range(8):
        middle_u = 0.5 * (edges_u[1:] + edges_u[:-1])
        middle_v = 0.5 * (edges_v[1:] + edges_v[:-1])
        content = evaluate(middle_u, middle_v) * np.outer(np.diff(edges_u), np.diff(edges_v))
        if not content.any():
            return np.empty(0), np.empty(0)
        edges_u = _balanced(edges_u, _strip_cost(content, 0))
        edges_v = _balanced(edges_v, _strip_cost(content, 1))
    return edges_u, edges_v


def _strip_cost(content: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    # A cell wastes in proportion to its content and to how much the density changes across it. The weights were
    # found by trial on the built-in amplitudes; the last term leaves no part of the plot with huge cells.
    strips = np.moveaxis(content, axis, 0)
    change = np.abs(np.gradient(strips, axis=0)).sum(axis=1)
    weight = strips.sum(axis=1)
    return np.asarray(change / max(change.sum(), 1e-300) + 4.0 * weight / weight.sum() + 0.5 / len(weight))


def _balanced(edges: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.float64]:
    damped = cost**0.4
    reached = np.concatenate([[0.0], np.cumsum(damped)])
    result = np.interp(np.linspace(0.0, reached[-1], CELLS + 1), reached, edges)
    result[0], result[-1] = 0.0, 1.0
    return np.asarray(result)


@block_kernel
def _cell_bounds(values):  # type: ignore[no-untyped-def]
    """Least, most and mean density of every cell.

    Between sampled points a smooth function leaves the range of its samples by at most 1/8 of its second
    difference in each direction; the bounds are widened by twice that. The mean is by Simpson's rule.
    """
    n = CELLS * _SUB
    least, most, mean = np.empty((CELLS, CELLS)), np.empty((CELLS, CELLS)), np.empty((CELLS, CELLS))
    for cell_i in range(CELLS):
        for cell_j in range(CELLS):
            low, high, bent, total = np.inf, 0.0, 0.0, 0.0
            for k in range(_SUB + 1):
                for m in range(_SUB + 1):
                    i, j = cell_i * _SUB + k, cell_j * _SUB + m
                    value = values[i, j]
                    low, high = min(low, value), max(high, value)
                    total += _SIMPSON[k] * _SIMPSON[m] * value
                    # at the rim of the plot the second difference of the next point inside
                    a, b = min(max(i, 1), n - 1), min(max(j, 1), n - 1)
                    bend_u = abs(values[a + 1, j] - 2.0 * values[a, j] + values[a - 1, j])
                    bend_v = abs(values[i, b + 1] - 2.0 * values[i, b] + values[i, b - 1])
                    bent = max(bent, bend_u + bend_v)
            least[cell_i, cell_j] = max(low - 0.25 * bent, 0.0)
            most[cell_i, cell_j] = high + 0.25 * bent
            mean[cell_i, cell_j] = total
    return least, most, mean
