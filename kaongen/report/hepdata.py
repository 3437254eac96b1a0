"""Tables in the YAML format of HEPData submissions: data files, and the `submission.yaml` that lists them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from kaongen.analysis.figure import Curve, Density, Figure
from kaongen.analysis.record import Axis
from kaongen.analysis.result import Scan, Spectrum
from kaongen.errors import EventFileError
from kaongen.report.mathematics import plain

HEPDATA: Final = "hepdata"
"""Directory of the tables, which can be submitted as it is."""
SUBMISSION: Final = "submission.yaml"

_MISSING: Final = "-"  # as HEPData writes it
_NAME_LENGTH: Final = 64
_LOCATION_LENGTH: Final = 256
_PHRASE_LENGTH: Final = 128


@dataclass(frozen=True)
class _Table:
    """One data file: `content` is what is in it, the rest how the submission presents it."""

    file: str
    name: str
    description: str
    location: str
    observable: str
    content: dict[str, Any]


def save_hepdata(what: Scan | Spectrum | Figure, directory: Path, about: Mapping[str, str]) -> list[Path]:
    """Write the tables of a scan, a spectrum or a figure, and list them in the submission.

    Parameters
    ----------
    what
        Its published curves are left out: a submission has what its authors obtained.
    directory
        Of the submission; tables of the same scan or figure that are listed there already are replaced.
    about
        Provenance, for the comment of the submission.

    Returns
    -------
    list of Path
        The data files and the submission; empty where there is nothing to write.

    Raises
    ------
    EventFileError
        If the `submission.yaml` that is there is not one.
    """
    tables = list(_tables(what))
    if not tables:
        return []
    directory.mkdir(parents=True, exist_ok=True)
    submission = directory / SUBMISSION
    others = [d for d in _listed(submission) if d["data_file"].removesuffix(".yaml").partition("_")[0] != what.name]
    files = []
    for table in tables:
        files.append(directory / table.file)
        files[-1].write_text(_yaml(table.content), encoding="utf-8")
    comment = "; ".join(("obtained with kaongen", *(f"{key}: {value}" for key, value in about.items())))
    documents = [{"comment": comment}, *others, *map(_listing, tables)]
    submission.write_text("".join("---\n" + _yaml(document) for document in documents), encoding="utf-8")
    return [*files, submission]


def clear_hepdata(directory: Path) -> None:
    """Remove a submission with the tables that it lists, so that none of an older result stays in it.

    Raises
    ------
    EventFileError
        If the `submission.yaml` that is there is not one.
    """
    for document in _listed(directory / SUBMISSION):
        (directory / Path(document["data_file"]).name).unlink(missing_ok=True)
    (directory / SUBMISSION).unlink(missing_ok=True)


def _yaml(content: Any) -> str:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(content, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120))


def _listed(submission: Path) -> list[dict[str, Any]]:
    """The tables that a submission lists already."""
    import yaml

    if not submission.exists():
        return []
    try:
        # read again for every table, which takes the fast loader where there is one
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        documents = list(yaml.load_all(submission.read_text(encoding="utf-8"), Loader=loader))
        tables = documents[1:]
        if all(isinstance(d, dict) and isinstance(d["data_file"], str) for d in tables):
            return tables
    except (yaml.YAMLError, UnicodeDecodeError, KeyError):
        pass
    raise EventFileError(f"{submission} does not list tables as a HEPData submission does: move it away")


def _listing(table: _Table) -> dict[str, Any]:
    return {
        "name": table.name,
        **({"location": table.location[:_LOCATION_LENGTH]} if table.location else {}),
        "description": table.description,
        "keywords": [
            {"name": "observables", "values": [table.observable[:_PHRASE_LENGTH]]},
            {"name": "phrases", "values": ["kaon decays", "fixed target"]},
        ],
        "data_file": table.file,
    }


def _tables(what: Scan | Spectrum | Figure) -> Iterator[_Table]:
    if isinstance(what, Scan):
        yield _of_scan(what)
    elif isinstance(what, Spectrum):
        yield _of_spectrum(what)
    else:
        yield from _of_figure(what)


def _header(axis: Axis) -> dict[str, str]:
    return {"name": axis.label, **({"units": axis.unit} if axis.unit else {})}


def _of_scan(scan: Scan) -> _Table:
    qualifiers = [{"name": "method", "value": scan.method}] if scan.method else []
    dependent = []
    for name, values in (("observed", scan.observed), ("expected", scan.expected)):
        if values is not None:
            bands = scan.bands if name == "expected" else {}
            pairs = [
                (label, bands[low], bands[high])
                for low, high, label in (("-1", "+1", "1 sigma"), ("-2", "+2", "2 sigma"))
                if low in bands and high in bands
            ]
            dependent.append(
                {
                    "header": _header(scan.y),
                    "qualifiers": [{"name": "limit", "value": name}, *qualifiers],
                    "values": _values(values, pairs),
                }
            )
    for column in scan.columns:
        header = _header(Axis(name=column.name, label=column.description, unit=column.unit))
        dependent.append({"header": header, "values": _values(column.values, [])})
    x = {"header": _header(scan.x), "values": [{"value": p} for p in scan.points]}
    content = {"independent_variables": [x], "dependent_variables": dependent}
    return _Table(
        f"{scan.name}.yaml", scan.name[:_NAME_LENGTH], scan.title, scan.reference, plain(scan.y.label), content
    )


def _of_spectrum(spectrum: Spectrum) -> _Table:
    dependent = []
    for sample, values in spectrum.expected.items():
        qualifiers = [{"name": "sample", "value": sample}]
        if normalised := spectrum.normalisation.get(sample):
            qualifiers.append({"name": "normalisation", "value": normalised})
        errors = spectrum.errors.get(sample)
        dependent.append(
            {
                "header": {"name": "events per bin"},
                "qualifiers": qualifiers,
                "values": _symmetric(values, errors),
            }
        )
    content = {"independent_variables": [_bins(spectrum.x, spectrum.edges)], "dependent_variables": dependent}
    return _Table(f"{spectrum.name}.yaml", spectrum.name[:_NAME_LENGTH], spectrum.title, "", "events", content)


def _bins(axis: Axis, edges: Sequence[float]) -> dict[str, Any]:
    return {"header": _header(axis), "values": [{"low": low, "high": high} for low, high in pairwise(edges)]}


def _symmetric(values: Sequence[float], errors: Sequence[float] | None) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = [{"value": value} for value in values]
    for entry, error in zip(result, errors or [], strict=False):
        if error > 0.0:  # an error of zero is refused
            entry["errors"] = [{"symerror": error, "label": "stat"}]
    return result


def _values(
    values: Sequence[float | None], bands: Sequence[tuple[str, Sequence[float | None], Sequence[float | None]]]
) -> list[dict[str, Any]]:
    result = []
    for i, value in enumerate(values):
        entry: dict[str, Any] = {"value": _MISSING if value is None else value}
        errors = []
        for label, lows, highs in bands:
            low, high = lows[i], highs[i]
            if value is not None and low is not None and high is not None and low < high:
                errors.append({"asymerror": {"minus": low - value, "plus": high - value}, "label": label})
        result.append(entry | ({"errors": errors} if errors else {}))
    return result


def _of_figure(figure: Figure) -> Iterator[_Table]:
    """A table for the curves that share their points, for the histograms that share their bins, for each density."""
    parts: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = []
    by_points: dict[tuple[float, ...], list[Curve]] = {}
    for curve in figure.curves:
        if not curve.published:
            by_points.setdefault(tuple(curve.x), []).append(curve)
    for points, curves in by_points.items():
        x = {"header": _header(figure.x), "values": [{"value": p} for p in points]}
        parts.append((curves[0].label, x, [d for curve in curves for d in _of_curve(curve, figure.y)]))
    by_edges: dict[tuple[float, ...], list[dict[str, Any]]] = {}
    labels: dict[tuple[float, ...], str] = {}
    for h in figure.histograms:
        if not h.published:
            labels.setdefault(tuple(h.edges), h.label)
            qualifiers = [{"name": "histogram", "value": h.label}]
            entry = {"header": _header(figure.y), "qualifiers": qualifiers, "values": _symmetric(h.values, h.errors)}
            by_edges.setdefault(tuple(h.edges), []).append(entry)
    for edges, dependent in by_edges.items():
        parts.append((labels[edges], _bins(figure.x, edges), dependent))
    tables = [(label, {"independent_variables": [x], "dependent_variables": y}) for label, x, y in parts]
    tables += [(density.label, _of_density(density, figure)) for density in figure.densities]
    for i, (label, content) in enumerate(tables):
        alone = len(tables) == 1
        file = f"{figure.name}.yaml" if alone else f"{figure.name}_{i + 1}-{_slug(label)}.yaml"
        name = figure.name if alone else f"{figure.name} {i + 1}: {plain(label)}"
        description = figure.title if alone else f"{figure.title}: {label}"
        yield _Table(
            file, name[:_NAME_LENGTH], description, figure.reference, plain(figure.y.label) or figure.y.name, content
        )


def _of_curve(curve: Curve, y: Axis) -> Iterator[dict[str, Any]]:
    """Its values with a band as asymmetric errors where there is a value inside, otherwise the two edges."""
    qualifiers = [{"name": "curve", "value": curve.label}]
    if curve.reference:
        qualifiers.append({"name": "reference", "value": curve.reference})
    low, high = curve.low, curve.high
    if low is None or high is None or _inside(curve.y, low, high):
        bands = [] if low is None or high is None else [("band", low, high)]
        yield {"header": _header(y), "qualifiers": qualifiers, "values": _values(curve.y, bands)}
        return
    for name, edge in (("lower", low), ("upper", high)):
        end = [*qualifiers, {"name": "edge", "value": name}]
        yield {"header": _header(y), "qualifiers": end, "values": _values(edge, [])}


def _inside(values: Sequence[float | None], lows: Sequence[float | None], highs: Sequence[float | None]) -> bool:
    for value, low, high in zip(values, lows, highs, strict=True):
        if low is not None and high is not None and (value is None or not low <= value <= high):
            return False
    return True


def _of_density(density: Density, figure: Figure) -> dict[str, Any]:
    cells: list[tuple[tuple[float, float], tuple[float, float], float]] = [
        (x, y, value)
        for y, line in zip(pairwise(density.y_edges), density.values, strict=True)
        for x, value in zip(pairwise(density.x_edges), line, strict=True)
    ]
    bins = (figure.x, [x for x, _, _ in cells]), (figure.y, [y for _, y, _ in cells])
    axes = [
        {"header": _header(axis), "values": [{"low": low, "high": high} for low, high in edges]} for axis, edges in bins
    ]
    content = {"header": {"name": density.label}, "values": [{"value": value} for _, _, value in cells]}
    return {"independent_variables": axes, "dependent_variables": [content]}


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", plain(label).lower()).strip("-")[:40] or "curve"
