"""Curves as files: CSV for programs and spreadsheets, and YAML tables as HEPData takes them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

from kaongen.analysis.figure import Curve, Density, Figure, Histogram
from kaongen.analysis.result import Result, Scan, Spectrum
from kaongen.report.hepdata import HEPDATA, clear_hepdata, save_hepdata
from kaongen.report.mathematics import plain, with_unit

__all__ = ["HEPDATA", "provenance_lines", "save_curves", "save_result_curves"]

Cell = float | int | str | None

BAND_NAMES = {
    "-2": "expected_minus_2_sigma",
    "-1": "expected_minus_1_sigma",
    "+1": "expected_plus_1_sigma",
    "+2": "expected_plus_2_sigma",
}
"""Columns of a scan's CSV."""


def save_curves(what: Scan | Spectrum | Figure, directory: Path, about: Mapping[str, str] | None = None) -> list[Path]:
    """Write what is drawn as numbers.

    Parameters
    ----------
    what
        A scan or a spectrum gives a CSV with one line per point or bin; a figure one with one line per point of each
        curve, which says to which it belongs.
    directory
        Where; it is made if it is not there. The YAML tables go into its directory `hepdata`, whose `submission.yaml`
        lists those of all calls.
    about
        Where the numbers come from: seed, card, versions, for the head of the CSV and the submission; the installed
        version of kaongen by default.

    Returns
    -------
    list of Path
        The CSV, and the YAML files. The latter have what kaongen obtained: curves that others have published are in the
        CSV only, with a column that says so.

    Raises
    ------
    EventFileError
        If there is a `submission.yaml` in the way that is not one.
    OSError
        If a file cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    given = {"made by": f"kaongen {version('kaongen')}"} if about is None else about
    path = directory / f"{what.name}.csv"
    path.write_text(_csv(what, given), encoding="utf-8")
    return [path, *save_hepdata(what, directory / HEPDATA, given)]


def save_result_curves(result: Result, directory: Path) -> list[Path]:
    """All scans and spectra of a result; HEPData tables of an older one are removed.

    Raises
    ------
    EventFileError
        If there is a `submission.yaml` in the way that is not one.
    OSError
        If a file cannot be written.
    """
    about = provenance_lines(result)
    clear_hepdata(directory / HEPDATA)
    files: dict[Path, None] = {}
    parts: tuple[Scan | Spectrum, ...] = (*result.spectra, *result.scans)
    for part in parts:
        files |= dict.fromkeys(save_curves(part, directory, about))
    return list(files)


def provenance_lines(result: Result) -> dict[str, str]:
    """What a reader needs to make a result again."""
    return {
        "made by": f"kaongen {result.kaongen_version}",
        "search": result.analysis,
        "run": result.run,
        "detector": result.detector,
        "seed": str(result.seed),
        "SHA-256 of the card": result.card_sha256,
        "confidence level": f"{result.confidence_level:g}",
    }


def _csv(what: Scan | Spectrum | Figure, about: Mapping[str, str]) -> str:
    if isinstance(what, Scan):
        head, columns, rows = _of_scan(what)
    elif isinstance(what, Spectrum):
        head, columns, rows = _of_spectrum(what)
    else:
        head, columns, rows = _of_figure(what)
    text = io.StringIO()
    for line in (what.title, *head, *(f"{key}: {value}" for key, value in about.items())):
        text.write("# " + " ".join(plain(line).split()) + "\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue()


def _of_scan(scan: Scan) -> tuple[list[str], list[str], Iterator[Sequence[Cell]]]:
    columns: dict[str, Sequence[Cell]] = {scan.x.name: scan.points}
    head = [f"{scan.x.name}: {with_unit(scan.x.label, scan.x.unit)}"]
    head.append(f"limits on: {with_unit(scan.y.label, scan.y.unit)}")
    for name, values in (("observed", scan.observed), ("expected", scan.expected)):
        if values is not None:
            columns[name] = values
    columns |= {name: scan.bands[band] for band, name in BAND_NAMES.items() if band in scan.bands}
    for column in scan.columns:
        columns[column.name] = column.values
        head.append(f"{column.name}: {with_unit(column.description, column.unit)}")
    head += [f"method: {scan.method}"] if scan.method else []
    head += [f"compare: {scan.reference}"] if scan.reference else []
    return head, list(columns), zip(*columns.values(), strict=True)


def _of_spectrum(spectrum: Spectrum) -> tuple[list[str], list[str], Iterator[Sequence[Cell]]]:
    x = spectrum.x.name
    columns: dict[str, Sequence[Cell]] = {f"{x}_low": spectrum.edges[:-1], f"{x}_high": spectrum.edges[1:]}
    head = [f"{x}: {with_unit(spectrum.x.label, spectrum.x.unit)}", "contents: expected events per bin"]
    for sample, values in spectrum.expected.items():
        columns[sample] = values
        if sample in spectrum.errors:
            columns[f"{sample}_error"] = spectrum.errors[sample]
        if normalised := spectrum.normalisation.get(sample):
            head.append(f"{sample}: {normalised}")
    return head, list(columns), zip(*columns.values(), strict=True)


def _of_figure(figure: Figure) -> tuple[list[str], list[str], Iterator[Sequence[Cell]]]:
    columns = ["series", "kind", "published", "x_low", "x", "x_high", "y_low", "y", "y_high"]
    head = [f"{n}: {with_unit(axis.label, axis.unit)}" for n, axis in (("x", figure.x), ("y", figure.y))]
    head.append("y_low, y_high: edges of a band, or of one standard deviation")
    head += [f"compare: {figure.reference}"] if figure.reference else []
    head += [f"{c.label}: {c.reference}" for c in figure.curves if c.reference]
    if figure.densities:
        columns.append("content")
        head.append("content: of the bin in x and y, whose edges are given")
    return head, columns, _rows_of_figure(figure, len(columns))


def _rows_of_figure(figure: Figure, width: int) -> Iterator[Sequence[Cell]]:
    for curve in figure.curves:
        yield from (row + [None] * (width - 9) for row in _rows_of_curve(curve))
    for histogram in figure.histograms:
        yield from (row + [None] * (width - 9) for row in _rows_of_histogram(histogram))
    for density in figure.densities:
        yield from _rows_of_density(density)


def _rows_of_curve(curve: Curve) -> Iterator[list[Cell]]:
    gaps: list[float | None] = [None] * len(curve.x)
    for x, y, low, high in zip(curve.x, curve.y, curve.low or gaps, curve.high or gaps, strict=True):
        yield [plain(curve.label), curve.style, int(curve.published), None, x, None, low, y, high]


def _rows_of_histogram(histogram: Histogram) -> Iterator[list[Cell]]:
    errors: Sequence[float | None] = histogram.errors or [None] * len(histogram.values)
    bins = zip(pairwise(histogram.edges), histogram.values, errors, strict=True)
    for (low, high), value, error in bins:
        ends: list[Cell] = [None, None] if error is None else [value - error, value + error]
        middle = 0.5 * (low + high)
        yield [
            plain(histogram.label), "histogram", int(histogram.published), low, middle, high, ends[0], value, ends[1],
        ]  # fmt: skip


def _rows_of_density(density: Density) -> Iterator[list[Cell]]:
    for (y_low, y_high), line in zip(pairwise(density.y_edges), density.values, strict=True):
        for (x_low, x_high), value in zip(pairwise(density.x_edges), line, strict=True):
            middle = 0.5 * (x_low + x_high), 0.5 * (y_low + y_high)
            yield [plain(density.label), "density", 0, x_low, middle[0], x_high, y_low, middle[1], y_high, value]
