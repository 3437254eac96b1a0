"""Templates to export: expected events in bins by sample, from event files or from the spectra of a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.record import Axis
from kaongen.analysis.result import Result, Spectrum
from kaongen.analysis.template import template
from kaongen.errors import EventFileError, suggestion
from kaongen.events.layout import SampleInfo
from kaongen.events.reader import Sample, open_events
from kaongen.production.directory import RESULT_FILE, read_run_card

Floats = NDArray[np.float64]
_MOST_KAONS = 1e20


@dataclass(frozen=True)
class SampleTemplate:
    """Expected events of one sample.

    values, variances : (bins,); the variance is that of the simulation. normalisation : what the values are for.
    """

    name: str
    role: str
    decay: str
    values: Floats
    variances: Floats
    normalisation: str


@dataclass(frozen=True)
class TemplateSet:
    """Templates of several samples in the same bins. name : of the files; edges : (bins + 1,), in the unit of x."""

    name: str
    title: str
    x: Axis
    edges: Floats
    samples: tuple[SampleTemplate, ...]
    about: Mapping[str, str]

    def __getitem__(self, name: str) -> SampleTemplate:
        for sample in self.samples:
            if sample.name == name:
                return sample
        names = [sample.name for sample in self.samples]
        raise EventFileError(f"there is no sample {name!r}{suggestion(name, names)} (there: {', '.join(names)})")


def of_run(
    directory: Path,
    column: str,
    edges: Sequence[float] | Floats,
    *,
    signal_branching_fraction: float,
    kaons: float | None = None,
    samples: Sequence[str] | None = None,
) -> TemplateSet:
    """Bin a column of the event files of a run, read in stretches.

    Parameters
    ----------
    directory
        Of a complete run.
    column
        What is binned, such as m2_miss.
    edges
        Of the bins, rising, in the unit of the column; what lies outside is left out.
    signal_branching_fraction
        That signals are normalised to; all other samples have that of their process.
    kaons
        Kaon decays in the volume that the events are for; those of the run's result by default.
    samples
        Which; all of them by default.

    Raises
    ------
    EventFileError
        If there is no complete run, sample or column, a branching fraction is unknown, or nothing says for how many
        kaons.
    """
    events = open_events(directory)
    roles = read_run_card(directory).roles()
    if not 0.0 < signal_branching_fraction <= 1.0:
        raise EventFileError(
            f"branching fraction of signals = {signal_branching_fraction}: it must be above 0 and at most 1"
        )
    if samples and (twice := [name for name in samples if list(samples).count(name) > 1]):
        raise EventFileError(f"the sample {twice[0]!r} is asked for twice")
    number = _kaons(directory, kaons)
    chosen = [events[name] for name in (samples or events.samples)]
    parts = tuple(
        _of_sample(sample, roles.get(sample.info.name, ""), column, edges, number, signal_branching_fraction)
        for sample in chosen
    )
    provenance = events.provenance
    return TemplateSet(
        name=column.replace("_", "-").lower(),
        title=f"{column} of selected events",
        x=Axis(name=column, label=column, unit=chosen[0].unit(column)),
        edges=np.asarray(edges, dtype=np.float64),
        samples=parts,
        about={
            "kaon decays": f"{number:.6g}",
            "kaongen": provenance.kaongen_version,
            "SHA-256 of the card": provenance.card_sha256,
            "seed": str(provenance.seed),
            "detector": provenance.detector,
        },
    )


def _kaons(directory: Path, kaons: float | None) -> float:
    if kaons is None:
        path = directory / RESULT_FILE
        kaons = read_result(directory).n_kaons.value if path.exists() else 0.0
        if kaons <= 0.0:
            raise EventFileError(f"{directory} does not say for how many kaon decays: give their number (--kaons)")
    if not 0.0 < kaons <= _MOST_KAONS:
        raise EventFileError(f"number of kaon decays = {kaons}: it must be above 0 and at most {_MOST_KAONS:g}")
    return float(kaons)


def read_result(directory: Path) -> Result:
    """The result of a run directory.

    Raises
    ------
    EventFileError
        If it is not there, or has another layout.
    """
    path = directory / RESULT_FILE
    try:
        return Result.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise EventFileError(f"cannot read the result of the run, {path}: {problem.strerror}") from None
    except ValueError:
        raise EventFileError(
            f"{path} is not a result as this version writes it: `kaongen analyse {directory}` makes one"
        ) from None


def _of_sample(
    sample: Sample, role: str, column: str, edges: Sequence[float] | Floats, kaons: float, of_signals: float
) -> SampleTemplate:
    fraction = of_signals if role == "signal" else _fraction(sample.info)
    filled = template(sample, edges, column)
    scale = kaons * fraction
    return SampleTemplate(
        name=sample.info.name,
        role=role,
        decay=sample.info.decay,
        values=filled.probability * scale,
        variances=filled.variance * scale**2,
        normalisation=f"events of {kaons:.6g} kaon decays at a branching fraction of {fraction:.6g}",
    )


def _fraction(info: SampleInfo) -> float:
    if info.branching_fraction is None:
        raise EventFileError(
            f"the branching fraction of the sample {info.name!r} ({info.decay}) is unknown: leave it out of the samples"
        )
    return info.branching_fraction


def of_spectrum(result: Result, spectrum: Spectrum) -> TemplateSet:
    """The templates of a spectrum as the search made it."""
    rows = {sample.sample: sample for sample in result.samples}
    samples = []
    for name, values in spectrum.expected.items():
        row = rows.get(name)
        errors = np.array(spectrum.errors.get(name, np.zeros(len(values))), dtype=np.float64)
        samples.append(
            SampleTemplate(
                name=name,
                role=row.role if row else "",
                decay=row.decay if row else "",
                values=np.array(values, dtype=np.float64),
                variances=errors**2,
                normalisation=spectrum.normalisation.get(name, f"events of {result.n_kaons.value:.6g} kaon decays"),
            )
        )
    about = {
        "search": result.analysis,
        "kaon decays": f"{result.n_kaons.value:.6g}",
        "kaongen": result.kaongen_version,
        "SHA-256 of the card": result.card_sha256,
        "seed": str(result.seed),
        "detector": result.detector,
    }
    edges = np.array(spectrum.edges, dtype=np.float64)
    return TemplateSet(spectrum.name, spectrum.title, spectrum.x, edges, tuple(samples), about)
