"""K+ -> mu+ nu X, X invisible, with all of NA62's kaons: a projection from the data of 2015.

Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802, section IV.A and appendix C.A. The counts of 2015 are theirs; the
shape of the background, the acceptance and the resolution are simulated.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from kaongen.analysis import mu_projection_background as shapes
from kaongen.analysis.mu_projection_background import Background, kappa_min
from kaongen.analysis.mu_projection_check import PROCESS as CROSS_CHECK
from kaongen.analysis.mu_projection_check import heavy_neutrino_numbers
from kaongen.analysis.mu_projection_limits import (
    Projection,
    Signals,
    equal_scan,
    profile_scans,
    scans,
    short,
)
from kaongen.analysis.mu_projection_numbers import numbers
from kaongen.analysis.mu_projection_signal import BOSONS, Boson, Signal, read_signals
from kaongen.analysis.mu_selection import MuonSelection
from kaongen.analysis.record import Axis, Value
from kaongen.analysis.requirements import require, require_of_card
from kaongen.analysis.result import Result, Scan, Spectrum
from kaongen.analysis.summary import provenance_of, summarise
from kaongen.configuration import Configuration
from kaongen.errors import CardError, EventFileError
from kaongen.events.reader import EventSet
from kaongen.production.card import Card
from kaongen.production.source import info
from kaongen.searches.mu_projection import MuProjection

M2_AXIS = Axis(name="m2_miss", label=r"$m^2_{\mathrm{miss}}$", unit="GeV^2")
SIGNAL_BRANCHING_FRACTION = 1e-4
"""At which signals are drawn."""


def selection(settings: MuProjection, configuration: Configuration) -> MuonSelection:
    """A single muon, near the beam axis where there is no beam spectrometer."""
    return MuonSelection(cda_max=settings.cda_max)


def check(card: Card) -> None:
    """Refuse a card that the projection cannot be done with.

    Raises
    ------
    CardError
        If the detector looks for something else than a muon, background or signal are absent, or a signal is another
        decay than K+ -> mu+ nu X.
    """
    samples = [info(part) for part in card.sample]
    configuration = card.configuration()
    require_of_card(
        samples, card.roles(), card.detector.configuration, configuration.candidate, search="mu_projection",
        settings=card.analysis, candidate="muon", processes=("munu",), needed_roles=("background", "signal"),
    )  # fmt: skip
    try:
        _refuse_other_signals({s.name: s.process for s in samples}, card.roles())
    except EventFileError as problem:
        raise CardError(str(problem)) from None


def analyse(events: EventSet[Any], roles: Mapping[str, str], settings: MuProjection, run: str) -> Result:
    """The projection.

    Parameters
    ----------
    events
        Of a complete run with the detector of 2015.
    roles
        Of each sample: background or signal; what is for normalisation counts as background.
    settings
        Choices.
    run
        Name of the run.

    Raises
    ------
    EventFileError
        If samples, columns or shards are missing, or the background cannot be normalised by the first method.

    Warns
    -----
    UserWarning
        If a method that is only for comparison is left out, because the simulation is too small for it.
    """
    require(
        events, roles, search="mu_projection", settings=settings, candidate="muon", columns=("m2_miss", "weight"),
        processes=("munu",), needed_roles=("background", "signal"),
    )  # fmt: skip
    _refuse_other_signals({s.info.name: s.info.process for s in events.members}, roles)
    edges = shapes.fine_edges(settings)
    backgrounds = [s for s in events.members if roles[s.info.name] != "signal"]
    neutrinos = [s for s in events.members if s.info.process == CROSS_CHECK]
    signals = read_signals([s for s in events.members if s.info.process in BOSONS], edges, settings.acceptance)
    as_simulated = shapes.simulated(backgrounds, settings.kaons_2015, edges)
    normalised = _normalised(as_simulated, settings)
    of_2015 = normalised[settings.normalisations[0]]
    return Result(
        **provenance_of(events.provenance, settings, run),
        n_kaons=Value(value=settings.kaons),
        numbers=[
            *numbers(backgrounds, as_simulated, of_2015, settings),
            *heavy_neutrino_numbers(neutrinos, normalised, settings),
        ],
        samples=[_summary(sample, roles, of_2015, settings) for sample in events.members],
        spectra=_spectra(as_simulated, normalised, signals, settings),
        scans=_scans(signals, normalised, settings),
    )


def _normalised(as_simulated: Background, settings: MuProjection) -> dict[str, Background]:
    """By method; one that is only for comparison is left out, with a warning, where the simulation is too small."""
    first, *others = settings.normalisations
    found: dict[str, Background] = {first: shapes.normalise(as_simulated, settings, first)}
    for method in others:
        try:
            found[method] = shapes.normalise(as_simulated, settings, method)
        except EventFileError as problem:
            warnings.warn(f"mu_projection goes without the normalisation {method!r}: {problem}", stacklevel=3)
    return found


def _refuse_other_signals(processes: Mapping[str, str], roles: Mapping[str, str]) -> None:
    allowed = (*BOSONS, CROSS_CHECK)
    for name, process in processes.items():
        if roles.get(name) == "signal" and process not in allowed:
            raise EventFileError(
                f"mu_projection cannot take {process!r} (sample {name!r}) as a signal (allowed: {', '.join(allowed)})"
            )


def _summary(sample: Any, roles: Mapping[str, str], of_2015: Background, settings: MuProjection) -> Any:
    name, yields = sample.info.name, {}
    if name in of_2015.events:
        border = shapes.position(of_2015.edges, settings.cut_minimum)
        for region, part in (("below_cut", slice(None, border)), ("above_cut", slice(border, None))):
            values, errors = of_2015.events[name][part], of_2015.errors[name][part]
            yields[region] = Value(value=float(values.sum()), error=float(np.sqrt((errors**2).sum())))
    return summarise(sample, roles[name], yields)


def _spectra(
    as_simulated: Background, normalised: Mapping[str, Background], signals: list[Signal], settings: MuProjection
) -> list[Spectrum]:
    edges = shapes.bin_edges(settings)
    kaons = f"{short(settings.kaons_2015)} kaons"
    made = [_spectrum("background-simulated", "Background of 2015 as simulated", as_simulated.rebinned(edges), kaons)]
    for method, background in normalised.items():
        title = f"Background of 2015 normalised to the counts by {method}"
        made.append(_spectrum(f"background-{method}", title, background.rebinned(edges), "events counted in 2015"))
    for boson in get_args(Boson):
        chosen = [s for s in signals if s.boson == boson]
        scale = settings.kaons_2015 * SIGNAL_BRANCHING_FRACTION
        for name in ("simulated", "assumed"):
            filled = {f"{1e3 * s.mass:g}": getattr(s, name).rebinned(edges) for s in chosen}
            made.append(
                Spectrum(
                    name=f"{boson}-{name}",
                    title=f"K+ -> mu+ nu X, X a {boson}, {name} acceptance, by mass in MeV",
                    x=M2_AXIS,
                    edges=edges.tolist(),
                    expected={k: (scale * t.probability).tolist() for k, t in filled.items()},
                    errors={k: (scale * t.error).tolist() for k, t in filled.items()},
                    normalisation=dict.fromkeys(filled, f"branching fraction {SIGNAL_BRANCHING_FRACTION:g} of {kaons}"),
                )
            )
    return made


def _spectrum(name: str, title: str, background: Background, normalisation: str) -> Spectrum:
    return Spectrum(
        name=name,
        title=title,
        x=M2_AXIS,
        edges=background.edges.tolist(),
        expected={k: v.tolist() for k, v in background.events.items()},
        errors={k: v.tolist() for k, v in background.errors.items()},
        normalisation=dict.fromkeys(background.events, normalisation),
    )


def _scans(signals: list[Signal], normalised: Mapping[str, Background], settings: MuProjection) -> list[Scan]:
    edges, cuts = shapes.bin_edges(settings), shapes.cuts(settings)
    growth = settings.kaons / settings.kaons_2015 / settings.suppression

    def projections(background: Background) -> tuple[Projection, Projection]:
        return (
            Projection(settings.kaons_2015, background, edges, cuts),
            Projection(settings.kaons, background.times(growth), edges, cuts),
        )

    first = settings.normalisations[0]
    made: list[Scan] = []
    for boson in get_args(Boson):
        chosen = [s for s in signals if s.boson == boson]
        if not chosen:
            continue
        simulated = Signals(boson, chosen, "simulated")
        for projection, listed in zip(
            projections(normalised[first]), (settings.kappas_2015, settings.kappas), strict=True
        ):
            kappas = {"kappa-min": kappa_min(projection.background, settings.cut_minimum)}
            kappas.update({f"kappa-{short(kappa)}": kappa for kappa in listed})
            for which in (simulated, Signals(boson, chosen, "assumed")):
                made += scans(which, projection, kappas=kappas, threshold=settings.threshold, n_sigma=settings.n_sigma)
                if projection.kaons == settings.kaons_2015:
                    made.append(equal_scan(which, projection))
            made += profile_scans(
                simulated, projection, kappas=kappas, threshold=settings.threshold, level=settings.confidence_level
            )
        for method, background in normalised.items():
            for projection in projections(background) if method != first else ():
                made.append(_other_shape(simulated, projection, method, settings))
    return made


def _other_shape(signals: Signals, projection: Projection, method: str, settings: MuProjection) -> Scan:
    reach = [projection.likelihood(t, settings.threshold) for t in signals.templates()]
    title = f"likelihood ratio, background normalised by {method}, {projection.label} kaons"
    return signals.scan(f"likelihood-{projection.label}-{method}", title, reach, "")
