"""K+ -> mu+ N: limits on the mixing |U_mu4|^2 of a heavy neutral lepton against its mass.

NA62, Phys. Lett. B 816 (2021) 136259, section 5. Lines are simulated; the background is a polynomial through side bands
of the data or, where there are none, of the simulated background.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kaongen.analysis.heavy_neutrino_background import BIN, Smooth, smooth
from kaongen.analysis.heavy_neutrino_data import Observed
from kaongen.analysis.heavy_neutrino_line import Line, Lines, line_of, missing_mass
from kaongen.analysis.heavy_neutrino_side_bands import Estimate, bands, estimate
from kaongen.analysis.mu_invisible_samples import Reduced, Samples
from kaongen.analysis.template import Floats, template
from kaongen.models.hnl import rho
from kaongen.particles import BR_K_MUNU
from kaongen.searches.base import stepped
from kaongen.searches.mu_invisible import MuInvisible
from kaongen.statistics.counting import counting_limit
from kaongen.statistics.limit import UpperLimit
from kaongen.statistics.sensitivity import single_event_sensitivity

PROCESS = "muN"
MASS = "m_N"
_AROUND = 0.01  # GeV: masses beside the scanned ones steady the interpolation at its ends
_LEAST_MIXING = 1e-12
"""rho of a mass at the end of the spectrum, below which no limit on the mixing is quoted."""


@dataclass(frozen=True)
class Point:
    """All that is known at one mass.

    line : resolution and acceptance. background : from the side bands. expected : of the simulated background in the
    window, None without one. density, density_error : the simulated background per GeV at m_N. observed : events in
    the window, None without data. limit : on signal events. sensitivity : branching fraction of one event.
    """

    line: Line
    background: Estimate
    expected: float | None
    density: float
    density_error: float
    observed: int | None
    limit: UpperLimit
    sensitivity: float

    @property
    def m_n(self) -> float:
        return self.line.m_n

    @property
    def mixing_sensitivity(self) -> float | None:
        """|U_mu4|^2 of one event."""
        per_mixing = BR_K_MUNU.value * rho(self.m_n)
        return self.sensitivity / per_mixing if per_mixing > _LEAST_MIXING else None


@dataclass(frozen=True)
class Search:
    """All masses, what was simulated, and the histograms that the background is smoothed from."""

    points: tuple[Point, ...]
    lines: Lines
    lifetimes: tuple[float, ...]
    edges: tuple[float, ...]
    contents: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]]
    smooth: Smooth


def masses(settings: MuInvisible, simulated: tuple[float, float]) -> list[float]:
    """Masses of the settings that lie within those that were simulated, GeV."""
    found = {m for stretch in settings.heavy_neutrino_masses for m in stepped(*stretch)}
    return sorted(m for m in found if simulated[0] - 1e-9 <= m <= simulated[1] + 1e-9)


def search(samples: Samples, settings: MuInvisible, end: float) -> Search | None:
    """Do the search; None without samples of K+ -> mu+ N, or without a background.

    Parameters
    ----------
    samples, settings
        Of the run.
    end
        z (m) up to which decays of N would be seen.

    Raises
    ------
    EventFileError
        If a sample of K+ -> mu+ N has too few events for a resolution.
    StatisticsError
        If a mass has no room for side bands, or the counts of the data do not fit the range.
    """
    simulated = _simulated(samples, settings)
    observed = Observed.of(settings)
    low, high = settings.heavy_neutrino_range
    edges = np.linspace(low, high, round((high - low) / BIN) + 1)
    contents = {s.info.name: _contents(s, edges) for s in samples.expected}
    background = smooth(low, high, list(contents.values()))
    if not simulated or (observed is None and not background.parts):
        return None
    window, lifetimes = settings.heavy_neutrino_window, settings.heavy_neutrino_lifetimes
    lines = Lines([line_of(s.events, s.info.parameters[MASS], window, lifetimes, end) for s in simulated])
    points = [_point(lines.at(m), settings, background, observed) for m in masses(settings, lines.range)]
    if not points:
        return None
    listed = {name: (tuple(map(float, n)), tuple(map(float, v))) for name, (n, v) in contents.items()}
    return Search(tuple(points), lines, lifetimes, tuple(map(float, edges)), listed, background)


def _simulated(samples: Samples, settings: MuInvisible) -> list[Reduced]:
    """One sample of K+ -> mu+ N for each mass in and around those of the settings."""
    first = min(first for first, _, _ in settings.heavy_neutrino_masses) - _AROUND
    last = max(last for _, last, _ in settings.heavy_neutrino_masses) + _AROUND
    found: dict[float, Reduced] = {}
    for s in samples.signals:
        if s.info.process == PROCESS and first <= s.info.parameters[MASS] <= last:
            found.setdefault(s.info.parameters[MASS], s)
    return list(found.values())


def _contents(s: Reduced, edges: Floats) -> tuple[Floats, Floats]:
    found = template(s.events, edges, value=missing_mass, needs=("m2_miss",))
    scale = s.n_kaons * s.branching_fraction
    return found.probability * scale, found.variance * scale**2


def _point(line: Line, settings: MuInvisible, background: Smooth, observed: Observed | None) -> Point:
    where = bands(
        line.m_n,
        line.resolution,
        window=settings.heavy_neutrino_window,
        side=settings.heavy_neutrino_side_band,
        width=settings.heavy_neutrino_bin,
        limits=settings.heavy_neutrino_range,
    )
    order, at = settings.heavy_neutrino_order, np.array([line.m_n])
    if observed is None:
        found = estimate(where, background.counts, order, asimov=True)
    else:
        found = estimate(where, observed.counts, order)
    n = None if observed is None else observed.events(*where.window)
    return Point(
        line=line,
        background=found,
        expected=float(background.counts(np.array(where.window))[0]) if background.parts else None,
        density=float(background.density(at)[0]),
        density_error=float(background.error(at)[0]),
        observed=n,
        limit=counting_limit(n, found.expected, found.error, settings.confidence_level),
        sensitivity=single_event_sensitivity(settings.n_kaons, line.acceptance),
    )
