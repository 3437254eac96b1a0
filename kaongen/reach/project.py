"""`kaongen reach`: from a model and a number of kaons to limits against mass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kaongen.analysis.record import Axis, Number, Value
from kaongen.analysis.result import Result, SampleSummary, Spectrum
from kaongen.analysis.summary import provenance_of
from kaongen.production.card import Card
from kaongen.production.engine import Progress
from kaongen.reach.backgrounds import check_treatment
from kaongen.reach.catalogue import find_model
from kaongen.reach.channels import ChannelModel, channel, default_masses
from kaongen.reach.limits import MassLimit, Setup, limits, set_up
from kaongen.reach.models import Model
from kaongen.reach.scans import branching_scan, coupling_scans, with_lifetime
from kaongen.reach.settings import Reach
from kaongen.reach.simulation import Samples, card_of, make

_SHOWN = 3
"""Signals in the spectrum."""


@dataclass(frozen=True)
class Projection:
    """A question, ready to be answered: what will be simulated, and where limits will be set."""

    settings: Reach
    model: Model
    channel: ChannelModel
    masses: tuple[float, ...]
    card: Card
    seed: int

    @property
    def candidates(self) -> int:
        """Decays that will be simulated."""
        return sum(part.candidates for part in self.card.sample)


def prepare(settings: Reach, *, seed: int = 1, scale: float = 1.0) -> Projection:
    """Check a question, without simulating anything.

    Parameters
    ----------
    settings
        Model, kaons, treatment of the background.
    seed : int
        Of the simulation and of toys.
    scale : float
        Factor on the simulated decays.

    Raises
    ------
    KaongenError
        If the model, a mass or a treatment cannot be had.
    """
    model = find_model(settings)
    chosen = channel(model.channel)
    masses = settings.masses or model.scan or default_masses(chosen, *model.masses)
    masses = tuple(dict.fromkeys(model.check_mass(mass) for mass in sorted(masses)))
    if not settings.masses:
        settings = settings.model_copy(update={"masses": masses})
    settings = settings.model_copy(update={"channel": model.channel})
    check_treatment(settings.background, model, chosen)
    card = card_of(chosen, model, masses, settings.background != "none", seed, scale)
    card.configuration()
    return Projection(settings, model, chosen, masses, card, seed)


def project(asked: Projection, *, threads: int | None = None, progress: Progress | None = None) -> Result:
    """Simulate and set limits.

    Parameters
    ----------
    asked
        From `prepare`.
    threads
        All processors by default; no result depends on it.
    progress
        Called as decays are done.

    Returns
    -------
    Result
        With the scans "branching-fraction" and, where the model has one, "coupling"; "coupling-upper-end" where new
        particles of large coupling decay before they leave the detector.

    Raises
    ------
    KaongenError
        If the question cannot be answered.
    """
    settings, model, chosen = asked.settings, asked.model, asked.channel
    samples = make(asked.card, chosen, model, threads=threads, progress=progress)
    setups = [
        set_up(mass, samples.signals[mass], samples.backgrounds, chosen, settings, model.is_peak)
        for mass in asked.masses
    ]
    efficiency = _efficiency(chosen, settings, samples)
    found = limits(setups, settings, efficiency, asked.seed, threads)
    spectrum = _spectrum(asked, samples, found)
    if model.lifetime is not None and model.coupling is None:
        found = [
            replace(f, limit=with_lifetime(f.limit, model, f.setup.mass, samples.signals[f.setup.mass])) for f in found
        ]
    scans = [branching_scan(model, found, settings), *coupling_scans(model, found, samples.signals, settings)]
    return Result(
        **provenance_of(samples.provenance, settings, asked.card.run.name),
        n_kaons=Value(value=settings.n_kaons),
        numbers=_numbers(asked, setups, found, efficiency),
        samples=_summaries(asked, samples),
        spectra=[spectrum],
        scans=scans,
    )


def _efficiency(chosen: ChannelModel, settings: Reach, samples: Samples) -> float:
    """Factor on the acceptance that brings a published single-event sensitivity about, where its background is used."""
    if chosen.normalisation is None or settings.background != "published":
        return 1.0
    process, ses = chosen.normalisation
    sample = samples.backgrounds[process]
    accepted = float(sample.weight.sum()) / sample.generated
    return 1.0 / (ses.value * chosen.published_kaons * accepted)


def _summaries(asked: Projection, samples: Samples) -> list[SampleSummary]:
    everything = [*samples.backgrounds.values(), *samples.signals.values()]
    result = []
    for sample in everything:
        expected = float(sample.weight.sum()) / sample.generated * asked.settings.n_kaons * sample.branching_fraction
        error = math.sqrt(float(np.square(sample.weight).sum())) / sample.generated
        error *= asked.settings.n_kaons * sample.branching_fraction
        yields = {"simulated, all bins": Value(value=expected, error=error)}
        is_signal = sample.summary.role == "signal"
        result.append(sample.summary if is_signal else sample.summary.model_copy(update={"yields": yields}))
    return result


def _numbers(asked: Projection, setups: Sequence[Setup], found: Sequence[MassLimit], efficiency: float) -> list[Number]:
    settings, chosen = asked.settings, asked.channel
    numbers = [
        Number(name=f"K+ decays; background {settings.background}", value=settings.n_kaons, kind="input",
               published=chosen.published_kaons or None, reference=chosen.published_reference),
        Number(name="relative error of each background", value=settings.systematic, kind="input"),
    ]  # fmt: skip
    if efficiency != 1.0:
        numbers.append(
            Number(name="factor on the acceptance from the published sensitivity", value=efficiency, kind="input",
                   reference=chosen.published_reference)
        )  # fmt: skip
    known = [f for f in found if f.limit is not None]
    if known:
        best = min(known, key=lambda f: f.limit.expected if f.limit else math.inf)
        assert best.limit is not None
        numbers += [
            Number(name="best expected limit on the branching fraction", value=best.limit.expected, kind="prediction"),
            Number(name=f"{asked.model.mass} of the best expected limit, GeV", value=best.setup.mass,
                   kind="prediction"),
        ]  # fmt: skip
        if best.simulation is not None:
            numbers.append(
                Number(name="best limit over that of a simulation without statistical error", value=best.simulation,
                       kind="prediction")
            )  # fmt: skip
    return numbers


def _spectrum(asked: Projection, samples: Samples, found: Sequence[MassLimit]) -> Spectrum:
    """Backgrounds by line, and a few signals at their expected limits, over all of the channel's ranges."""
    chosen, settings = asked.channel, asked.settings
    low, high = chosen.ranges[0][0], chosen.ranges[-1][1]
    edges = np.linspace(low, high, 65)
    expected: dict[str, list[float]] = {}
    errors: dict[str, list[float]] = {}
    about: dict[str, str] = {}
    for source in chosen.sources if samples.backgrounds else ():
        sample = samples.backgrounds[source.name]
        filled = sample.template(edges, chosen.measured(asked.masses[len(asked.masses) // 2]))
        scale = settings.n_kaons * sample.branching_fraction
        expected[source.name] = [float(v) for v in filled.probability * scale]
        errors[source.name] = [float(v) for v in filled.error * scale]
    known = [f for f in found if f.limit is not None]
    shown = min(_SHOWN, len(known))
    for place in range(shown):
        f = known[place * (len(known) - 1) // max(shown - 1, 1)]
        assert f.limit is not None
        sample = samples.signals[f.setup.mass]
        name = sample.summary.sample
        filled = sample.template(edges, chosen.measured(f.setup.mass))
        scale = settings.n_kaons * f.limit.expected
        expected[name] = [float(v) for v in filled.probability * scale]
        errors[name] = [float(v) for v in filled.error * scale]
        about[name] = f"BR = {f.limit.expected:.2g}"
    return Spectrum(
        name="measured",
        title=f"{settings.n_kaons:.3g} kaon decays: backgrounds as simulated, signals at their expected limits",
        x=Axis(name=chosen.columns[0], label=chosen.label, unit=chosen.unit),
        edges=[float(e) for e in edges],
        expected=expected,
        errors=errors,
        normalisation=about,
    )
