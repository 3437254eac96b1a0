"""K+ -> mu+ nu X, X -> mu+ mu-: a resonance in pairs of opposite charge over the Standard Model's three muons.

Krnjaic, Marques-Tavares, Redigolo and Tobioka, Phys. Rev. Lett. 124 (2020) 041802, section IV.B and appendix C.B. At
each mass the pair closer to it is taken, and events within two resolutions of it are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kaongen.analysis.dimuon_limits import all_scans, resolutions, scan_masses
from kaongen.analysis.dimuon_numbers import numbers
from kaongen.analysis.dimuon_samples import continua, others, signals
from kaongen.analysis.dimuon_selection import ThreeMuonSelection
from kaongen.analysis.dimuon_windows import LEAD, LEAD_TRUE, OTHER, OTHER_TRUE, selected
from kaongen.analysis.figure import Density
from kaongen.analysis.record import Axis, Value
from kaongen.analysis.requirements import require, require_of_card
from kaongen.analysis.result import Result, Spectrum
from kaongen.analysis.summary import provenance_of, summarise
from kaongen.analysis.template import template
from kaongen.configuration import Configuration
from kaongen.decays.catalogue import find
from kaongen.errors import CardError, EventFileError, ProcessError
from kaongen.events.layout import SampleInfo
from kaongen.events.reader import Events, EventSet
from kaongen.production.card import Card, SamplePart
from kaongen.production.selection import Selection
from kaongen.searches.dimuon import Dimuon

COLUMNS = ("weight", LEAD, OTHER, LEAD_TRUE, OTHER_TRUE)

EDGES = np.linspace(0.200, 0.396, 50)
"""Of the masses in spectra and densities (GeV): a little more than from 2 m_mu to m_K - m_mu."""


def selection(settings: Dimuon, configuration: Configuration) -> Selection:
    """Three muons from one vertex."""
    return ThreeMuonSelection(
        momentum=(settings.momentum_min, settings.momentum_max),
        total_momentum=settings.total_momentum_max,
        eop_max=settings.eop_max,
        cda_max=settings.cda_max,
        volume=(settings.vertex_first, settings.vertex_last),
    )


def check(card: Card) -> None:
    """Refuse a card that this search could not be done with.

    Raises
    ------
    CardError
        If the detector looks for something else, the continuum is not there, a signal is none of the models, or masses
        are tested that no signal reaches.
    """
    configuration, roles = card.configuration(), card.roles()
    infos = [_declared(part) for part in card.sample]
    require_of_card(
        infos,
        roles,
        card.detector.configuration,
        configuration.candidate,
        search="dimuon",
        settings=card.analysis,
        candidate="three muons",
    )
    assert isinstance(card.analysis, Dimuon)
    try:
        _understand(infos, roles, card.analysis)
    except EventFileError as problem:
        raise CardError(str(problem)) from None


def analyse(events: EventSet[Any], roles: Mapping[str, str], settings: Dimuon, run: str) -> Result:
    """The whole search.

    Parameters
    ----------
    events
        A complete run of three-muon events.
    roles
        What each sample is for.
    settings
        Choices of the search.
    run
        Name of the run, for the result.

    Raises
    ------
    EventFileError
        If the events do not fit: see `check`.
    """
    require(events, roles, search="dimuon", settings=settings, candidate="three muons", columns=COLUMNS)
    infos = [member.info for member in events.members]
    _understand(infos, roles, settings)
    by_model, variants, rest = signals(infos, roles), continua(infos, roles), others(infos, roles)
    if empty := [m.info.name for m in events.members if m.tally.sum_weights <= 0.0]:
        raise EventFileError(f"dimuon: no event of the sample {empty[0]!r} was selected: it needs more candidates")
    simulated = resolutions(events, by_model)
    scans = all_scans(events, by_model, variants, rest, simulated, settings)
    chosen = [named[mass] for named in by_model.values() for mass in named if _is_drawn(mass, settings)]
    drawn = [*chosen, variants[0].sample]
    recorded = settings.n_kaons_recorded
    return Result(
        **provenance_of(events.provenance, settings, run),
        n_kaons=Value(value=settings.n_kaons),
        numbers=numbers(events, variants, simulated, scans, settings),
        samples=[summarise(m, roles[m.info.name], _expected(m, recorded)) for m in events.members],
        spectra=[_spectrum(events, drawn, column, title, settings) for column, title in _SPECTRA.items()],
        scans=scans,
        densities=[density(events[name]) for name in drawn],
    )


def _declared(part: SamplePart) -> SampleInfo:
    """What a sample will be, without its rate, which takes a while to compute."""
    try:
        process = find(part.process)
    except ProcessError:  # none of the catalogue: a mixture, which is refused where the run is planned
        return SampleInfo(name=part.name, process=part.process, decay="", parameters={})
    try:
        values = process.values(part.parameters)
    except ProcessError as problem:
        raise CardError(f"sample {part.name!r}: {problem}") from None
    return SampleInfo(name=part.name, process=process.name, decay=str(process.descriptor), parameters=dict(values))


def _understand(infos: Sequence[SampleInfo], roles: Mapping[str, str], settings: Dimuon) -> None:
    continua(infos, roles)
    for model, named in signals(infos, roles).items():
        masses, wanted = list(named), scan_masses(settings)
        if len(masses) < 2 or wanted[0] < masses[0] - 1e-9 or wanted[-1] > masses[-1] + 1e-9:
            raise EventFileError(
                f"dimuon tests masses of {1e3 * wanted[0]:.6g} to {1e3 * wanted[-1]:.6g} MeV (mass_first, mass_last), "
                f"and the {model} signal is simulated at {', '.join(f'{1e3 * m:.6g}' for m in masses)} MeV: these must "
                "be at least two, and reach as far"
            )


def _is_drawn(mass: float, settings: Dimuon) -> bool:
    return any(abs(mass - wanted) < 1e-6 for wanted in settings.figure_masses)


def _expected(sample: Events, kaons: float) -> dict[str, Value]:
    if sample.info.branching_fraction is None:
        return {}
    scale, a = kaons * sample.info.branching_fraction, selected(sample)
    return {f"selected, {kaons:g} kaon decays": Value(value=scale * a.value, error=scale * a.error)}


_SPECTRA = {
    LEAD: "mass of the negative and the leading positive muon",
    OTHER: "mass of the negative and the other muon",
}


def _spectrum(events: EventSet[Any], names: Sequence[str], column: str, title: str, settings: Dimuon) -> Spectrum:
    """Events per bin in the recorded kaon decays."""
    expected, errors, normalised = {}, {}, {}
    for name in names:
        filled = template(events[name], EDGES, column)
        scale = settings.n_kaons_recorded * (events[name].info.branching_fraction or 0.0)
        expected[name] = [float(v) for v in scale * filled.probability]
        errors[name] = [float(v) for v in scale * filled.error]
        normalised[name] = f"{settings.n_kaons_recorded:g} kaon decays"
    return Spectrum(
        name=column.replace("_", "-"),
        title=title,
        x=Axis(name=column, label="$m_{\\mu^+\\mu^-}$", unit="GeV"),
        edges=[float(e) for e in EDGES],
        expected=expected,
        errors=errors,
        normalisation=normalised,
    )


def density(sample: Events) -> Density:
    """Share of the selected events in bins of the masses of the leading pair (columns) and of the other one (rows)."""
    bins = (EDGES, EDGES)
    total = np.zeros((len(EDGES) - 1, len(EDGES) - 1))
    for columns in sample.batches(LEAD, OTHER, "weight"):
        total += np.histogram2d(columns[OTHER], columns[LEAD], bins=bins, weights=columns["weight"])[0]
    share = total / max(float(total.sum()), 1e-300)
    edges = [float(e) for e in EDGES]
    return Density(
        label=sample.info.name, x_edges=edges, y_edges=edges, values=[[float(v) for v in row] for row in share]
    )
