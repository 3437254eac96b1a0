"""The background of K+ -> pi+ X: shapes from simulation, normalisation from the paper, a polynomial for the sum."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray
from scipy.optimize import nnls

from kaongen.analysis.pion_x_regions import NEEDS, REGIONS, Columns, Region, outside_box
from kaongen.analysis.record import Value
from kaongen.analysis.template import template
from kaongen.errors import EventFileError
from kaongen.events.reader import Events
from kaongen.papers import na62_pix as paper

Floats = NDArray[np.float64]

BIN = 2.0e-3 / 3.0
"""GeV^2: width of the bins of the paper's figure 3."""

OTHER = {"pipi0": "pipi0", "munu": "munu", "pipienu": "pipienu", "pipipi": "pipipi", "pigg": "pigammagamma"}
"""Processes that make up the other kaon decays, and what the paper's table calls them."""


@dataclass(frozen=True)
class Background:
    """Expected background of one region.

    edges : of bins in m2_miss, GeV^2; parts : events per bin by contribution, normalised as published; errors : those
    of the simulation; polynomial : coefficients c_k of sum c_k t^k, t from 0 to 1 across the region, of unit integral.
    """

    region: Region
    edges: Floats
    parts: Mapping[str, Floats]
    errors: Mapping[str, Floats]
    polynomial: tuple[float, ...]

    @property
    def fitted(self) -> Floats:
        """Events per bin by the polynomial, for the published total."""
        t = (self.edges - self.region.low) / (self.region.high - self.region.low)
        return np.asarray(self.region.background.value * np.diff(Polynomial(self.polynomial).integ()(t)))


def background(samples: Sequence[Events], region: Region, degree: int) -> Background:
    """The background of a region, from samples of backgrounds.

    Vetoes make the weights of kaon decays differ by orders of magnitude, so that few events would decide about a shape.
    Vetoes hardly know of m2_miss: shapes of all but K+ -> pi+ nu nubar are those of the selected events, unweighted;
    the kaon decays are added in the proportions of the published K+ -> pi+ nu nubar analysis. Pions from upstream
    point into the opening of the collimator, but for those that scatter: their shape is that of those that do.

    Parameters
    ----------
    samples
        Backgrounds; other processes than those of `OTHER`, pinunu and decays upstream have no part in the shapes.
    degree
        Of the polynomial.

    Raises
    ------
    EventFileError
        If a contribution has no event in the region.
    """
    edges = _edges(region)
    volume = [s for s in samples if s.info.zone == "volume"]
    contributions = {
        "pinunu": (
            _shape([s for s in volume if s.info.process == "pinunu"], edges, region, weighted=True),
            region.pinunu,
        ),
        "upstream": (_upstream([s for s in samples if s.info.zone == "upstream"], edges, region), region.upstream),
        "other kaon decays": (_other(volume, edges, region), region.other),
    }
    parts, errors = {}, {}
    for name, ((values, variance), expected) in contributions.items():
        total = math.fsum(values)
        if total <= 0.0:
            raise EventFileError(
                f"pion_x finds no event of the background {name!r} in {region.name}: its samples need more candidates"
            )
        parts[name] = values / total * expected.value
        errors[name] = np.sqrt(variance) / total * expected.value
    return Background(
        region, edges, parts, errors, fit_polynomial(edges, sum(parts.values(), np.zeros(len(edges) - 1)), degree)
    )


def expected(sample: Events, region: Region, kaons: float) -> Value:
    """Events of a sample in a region by simulation alone, in so many kaon decays, recorded and not vetoed at random."""
    inside = template(sample, (region.low, region.high), factor=region.contains, needs=NEEDS).total
    scale = kaons * (sample.info.branching_fraction or 0.0)
    return Value(value=scale * inside.value, error=scale * inside.error)


def fit_polynomial(edges: Floats, contents: Floats, degree: int) -> tuple[float, ...]:
    """Least-squares polynomial through bin contents: coefficients in t (0 to 1 across the bins), of unit integral.

    As a sum of Bernstein polynomials with coefficients of at least 0 it is nowhere negative.
    """
    t = (edges - edges[0]) / (edges[-1] - edges[0])
    basis = [_bernstein(i, degree) for i in range(degree + 1)]
    in_bins = np.stack([np.diff(b.integ()(t)) for b in basis], axis=1)
    weights, _ = nnls(in_bins, contents)
    total: Polynomial = sum((w * b for w, b in zip(weights, basis, strict=True)), Polynomial([0.0]))
    coefficients = np.zeros(degree + 1)
    coefficients[: len(total.coef)] = np.asarray(total.coef, dtype=np.float64)
    return tuple(float(c) for c in coefficients / float(total.integ()(1.0)))


def _edges(region: Region) -> Floats:
    return np.linspace(region.low, region.high, round((region.high - region.low) / BIN) + 1)


def _bernstein(i: int, degree: int) -> Polynomial:
    return math.comb(degree, i) * Polynomial([0.0, 1.0]) ** i * Polynomial([1.0, -1.0]) ** (degree - i)


def _shape(
    samples: Sequence[Events], edges: Floats, region: Region, *, weighted: bool = False, in_box: bool = False
) -> tuple[Floats, Floats]:
    """Selected decays per generated one in bins, summed over samples, and the variance."""

    def factor(columns: Columns) -> Floats:
        chosen = region.within(columns) & (outside_box(columns) != in_box)
        return np.where(chosen, 1.0 if weighted else 1.0 / columns["weight"], 0.0)

    totals = np.zeros((2, len(edges) - 1))
    for sample in samples:
        found = template(sample, edges, factor=factor, needs=NEEDS)
        totals += found.probability, found.variance
    return totals[0], totals[1]


def _upstream(samples: Sequence[Events], edges: Floats, region: Region) -> tuple[Floats, Floats]:
    totals = np.zeros((2, len(edges) - 1))
    for sample in samples:
        rate = sample.info.branching_fraction or 0.0
        values, variance = _shape([sample], edges, region, in_box=True)
        totals += rate * values, rate * rate * variance
    return totals[0], totals[1]


def _other(samples: Sequence[Events], edges: Floats, region: Region) -> tuple[Floats, Floats]:
    """Each decay in its published proportion; how it divides among the regions is simulated."""
    totals = np.zeros((2, len(edges) - 1))
    for process, name in OTHER.items():
        of_process = [s for s in samples if s.info.process == process]
        values, variance = _shape(of_process, edges, region)
        everywhere = sum(_shape(of_process, _edges(each), each)[0].sum() for each in REGIONS)
        if everywhere > 0.0:
            scale = paper.BACKGROUND_KAON_DECAYS[name].value / everywhere
            totals += scale * values, scale * scale * variance
    return totals[0], totals[1]
