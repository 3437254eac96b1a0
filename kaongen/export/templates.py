"""From a run directory to templates in the formats that fits read."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kaongen.errors import EventFileError, suggestion
from kaongen.events.durable import write_durably
from kaongen.export.collection import TemplateSet, of_run, of_spectrum, read_result
from kaongen.export.writers import FORMATS, Format, described, encoded, file_name

SIGNAL_BRANCHING_FRACTION: Final = 1e-6
"""That signals are normalised to unless another is given."""
INDEX: Final = "templates.json"

_MOST_BINS: Final = 100_000


@dataclass(frozen=True)
class Exported:
    """What was written: the templates, and their files with the index that describes them."""

    templates: tuple[TemplateSet, ...]
    files: tuple[Path, ...]

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {"files": [str(file) for file in self.files], "templates": [described(t) for t in self.templates]}


def export_templates(
    run: Path,
    directory: Path,
    formats: Sequence[str] = ("hist",),
    *,
    column: str | None = None,
    edges: Sequence[float] | NDArray[np.float64] | None = None,
    signal: str | None = None,
    samples: Sequence[str] | None = None,
    signal_branching_fraction: float | None = None,
    kaons: float | None = None,
) -> Exported:
    """Write templates of a run: a column of its event files in bins, or the spectra of its search.

    Parameters
    ----------
    run
        Directory of a complete run.
    directory
        Where to write; it is made if it is not there. Files of the same names are replaced.
    formats
        Of hist, root, pyhf and npz.
    column, edges
        What to bin, and the edges of the bins in its unit; without them, the spectra of the run's result.
    signal
        Sample that is the signal of a pyhf workspace; its parameter of interest is 1 at the branching fraction below.
    samples
        Which samples of the event files; all by default.
    signal_branching_fraction
        That all signals are normalised to, 1e-6 by default; other samples have that of their process.
    kaons
        Kaon decays that the events are for; those of the run's result by default.

    Returns
    -------
    Exported
        With the files; `templates.json` describes the others: units, samples, roles, normalisation, provenance.

    Raises
    ------
    EventFileError
        If the run, a sample or a column is not there, a format is unknown or its library not installed, the bins do
        not rise, or a file cannot be written.
    """
    wanted = list(dict.fromkeys(_format(name) for name in formats))
    if signal is not None and "pyhf" not in wanted:
        raise EventFileError(f"the signal {signal!r} is for a pyhf workspace, which is not among the formats")
    if (column is None) != (edges is None):
        raise EventFileError("a column and bins belong together: give both, or neither for the spectra of the result")
    if column is None or edges is None:
        options = {"samples": samples, "kaons": kaons, "branching fraction": signal_branching_fraction}
        if given := [option for option, value in options.items() if value is not None]:
            raise EventFileError(f"the spectra of the result have their {given[0]} already: give a column and bins")
        sets = _of_spectra(run)
    else:
        fraction = SIGNAL_BRANCHING_FRACTION if signal_branching_fraction is None else signal_branching_fraction
        sets = [
            of_run(
                run, column, _checked(edges), signal_branching_fraction=fraction, kaons=kaons, samples=samples
            )
        ]  # fmt: skip
    try:
        contents = {
            directory / file_name(templates, form): encoded(templates, form, signal)
            for templates in sets
            for form in wanted
        }
        directory.mkdir(parents=True, exist_ok=True)
        for path, content in contents.items():
            write_durably(path, content)
    except OSError as problem:
        raise EventFileError(f"cannot write templates to {directory}: {problem.strerror or problem}") from None
    done = Exported(tuple(sets), (*contents, directory / INDEX))
    index = {"files": [file.name for file in contents], "templates": [described(t) for t in sets]}
    write_durably(directory / INDEX, json.dumps(index, indent=1, ensure_ascii=False).encode())
    return done


def _of_spectra(run: Path) -> list[TemplateSet]:
    result = read_result(run)
    sets = [of_spectrum(result, spectrum) for spectrum in result.spectra]
    if not sets:
        raise EventFileError(f"the result in {run} has no spectra: give a column and bins (--column, --bins)")
    return sets


def _format(name: str) -> Format:
    for known in FORMATS:
        if name == known:
            return known
    raise EventFileError(f"there is no format {name!r}{suggestion(name, FORMATS)} (there are {', '.join(FORMATS)})")


def _checked(edges: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    bounds = np.asarray(edges, dtype=np.float64)
    if bounds.ndim != 1 or bounds.size < 2 or not np.isfinite(bounds).all() or not (np.diff(bounds) > 0.0).all():
        raise EventFileError("the edges of the bins must be at least two finite numbers that rise")
    return bounds


def parse_bins(text: str) -> NDArray[np.float64]:
    """Edges of bins from LOW:HIGH:N, such as 0:0.14:35.

    Raises
    ------
    EventFileError
        If it is something else.
    """
    parts = text.split(":")
    try:
        low, high, number = float(parts[0]), float(parts[1]), int(parts[2])
    except (ValueError, IndexError):
        number, low, high = 0, math.nan, math.nan
    if len(parts) != 3 or not 1 <= number <= _MOST_BINS or not low < high or not math.isfinite(high - low):
        raise EventFileError(
            f"--bins {text!r}: it must be LOW:HIGH:N with LOW below HIGH and N whole bins, at most "
            f"{_MOST_BINS}, such as 0:0.14:35"
        )
    return np.linspace(low, high, number + 1)
