"""Histograms of selected events, read in stretches, as probabilities per generated decay."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.record import Value
from kaongen.errors import EventFileError
from kaongen.events.reader import Events

Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Template:
    """Probability of a generated decay to be selected and measured in each bin.

    edges : (bins + 1,). probability, variance : (bins,), the variance is that of the simulation; what lies outside of
    the edges is left out.
    """

    edges: Floats
    probability: Floats
    variance: Floats

    @property
    def error(self) -> Floats:
        """Standard error of the simulation in each bin."""
        return np.sqrt(self.variance)

    @property
    def total(self) -> Value:
        """Of all bins."""
        return Value(value=math.fsum(self.probability), error=math.sqrt(math.fsum(self.variance)))

    def above(self, edge: float) -> Value:
        """Probability above an edge of the bins.

        Raises
        ------
        ValueError
            If no bin begins there.
        """
        first = self._position(edge)
        return Value(value=math.fsum(self.probability[first:]), error=math.sqrt(math.fsum(self.variance[first:])))

    def _position(self, edge: float) -> int:
        found = int(np.argmin(np.abs(self.edges - edge)))
        if abs(self.edges[found] - edge) > 1e-9 * max(1.0, abs(edge)):
            raise ValueError(f"{edge} is not an edge of the bins")
        return found

    def rebinned(self, edges: Sequence[float] | Floats) -> Template:
        """The same in wider bins, each edge of which is one of the old.

        Raises
        ------
        ValueError
            If an edge is not.
        """
        positions = [self._position(float(edge)) for edge in edges]
        sums = [np.add.reduceat(a, positions[:-1])[: len(positions) - 1] for a in (self.probability, self.variance)]
        last = positions[-1]
        for total, values in zip(sums, (self.probability, self.variance), strict=True):
            total[-1] = values[positions[-2] : last].sum()
        return Template(np.asarray(edges, dtype=np.float64), sums[0], sums[1])


def template(
    sample: Events,
    edges: Sequence[float] | Floats,
    column: str = "m2_miss",
    *,
    value: Callable[[Columns], NDArray[Any]] | None = None,
    factor: Callable[[Columns], NDArray[Any]] | None = None,
    needs: Sequence[str] = (),
) -> Template:
    """Fill a template.

    Parameters
    ----------
    sample
        The events; read in stretches.
    edges
        Of the bins, rising.
    column
        What is binned.
    value
        Instead of a column: a function of the columns in `needs`.
    factor
        On the weight of each event, such as the probability that X escapes: a function of the columns in `needs`.
    needs
        Further columns.

    Raises
    ------
    EventFileError
        If there is no such column, or the sample has no generated decay.
    """
    bounds = np.asarray(edges, dtype=np.float64)
    generated = sample.tally.generated
    if generated <= 0:
        raise EventFileError(f"the sample {sample.info.name!r} has no generated decays")
    names = dict.fromkeys((*(() if value else (column,)), "weight", *needs))
    sums, squares = np.zeros(len(bounds) - 1), np.zeros(len(bounds) - 1)
    for columns in sample.batches(*names):
        x = np.asarray(value(columns) if value else columns[column], dtype=np.float64)
        weight = columns["weight"].astype(np.float64)
        if factor is not None:
            weight = weight * factor(columns)
        bins = np.searchsorted(bounds, x, side="right") - 1
        inside = (bins >= 0) & (bins < len(sums))
        sums += np.bincount(bins[inside], weight[inside], minlength=len(sums))
        squares += np.bincount(bins[inside], weight[inside] ** 2, minlength=len(sums))
    probability = sums / generated
    # of a sum over all generated decays, of which most are worth nothing
    variance = np.maximum(squares / generated - probability**2, 0.0) / generated
    return Template(bounds, probability, variance)
