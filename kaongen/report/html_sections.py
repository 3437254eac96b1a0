"""Sections of reports: numbers, limits, spectra, samples, detector, settings, provenance, runs."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from kaongen.analysis.figure import Figure
from kaongen.analysis.record import Number
from kaongen.analysis.result import Result, Scan
from kaongen.configuration import Configuration
from kaongen.events.layout import Provenance
from kaongen.production.card import Card
from kaongen.report import html_parts as parts
from kaongen.report.figures import drawing_as_svg, png_of, svg_of
from kaongen.report.html_parts import Section
from kaongen.report.mathematics import markup
from kaongen.report.response import STATUSES, glance, value_text
from kaongen.report.scan_sheets import overview_sheet, percent, scan_sheet
from kaongen.report.sheets import Sheet, cutflow_sheets, numbers_sheet, samples_sheet, yields_sheet

REPORT: Final = "report.html"

_LARGE: Final = 500_000
"""Characters of an SVG from which on a figure is shown as PNG."""
_VALUE_LENGTH: Final = 90
_CUTFLOW_COLUMNS: Final = 8
_KINDS: Final = (
    "input: taken from the publication; tuned: the model was adjusted to it; prediction: neither. Errors are those of "
    "the simulation."
)


class Images:
    """Figures as parts of a page, each with names of its own; from files where they are drawn already."""

    def __init__(self, drawn: Sequence[Path] = ()) -> None:
        self.files = {path.stem: path for path in drawn if path.suffix == ".svg"}
        self.count = 0

    def html(self, figure: Figure) -> str:
        file = self.files.get(figure.name)
        svg = svg_of(figure) if file is None else file.read_text(encoding="utf-8")
        if len(svg) > _LARGE:
            return parts.inline_png(png_of(figure), figure.title)
        return self.inline(svg, figure.title)

    def inline(self, svg: str, label: str) -> str:
        self.count += 1
        return parts.inline_svg(svg, f"f{self.count}", label)


def caption(figure: Figure) -> list[str]:
    """What is said below a figure, whose title stands in it."""
    return [f"compare {markup(figure.reference)}"] if figure.reference else []


def numbers_section(numbers: Sequence[Number]) -> Section:
    """Numbers beside the published ones, with what their kinds mean."""
    content = []
    if numbers:
        sheet = numbers_sheet("", numbers, references=any(n.reference for n in numbers))
        content = [parts.table(sheet, caption=False), parts.paragraph(_KINDS)]
    return Section("numbers", "Beside the published numbers", content)


def limits_section(result: Result, figures: Sequence[Figure], images: Images) -> Section:
    """Where each limit is strongest, figures, and all points in tables that fold."""
    content = []
    if scans := [scan for scan in result.scans if scan.points]:
        level = result.confidence_level
        content.append(parts.table(overview_sheet(f"Upper limits at {percent(level)} CL", scans)))
        if figures:
            content.append(parts.figures([parts.figure(images.html(f), caption(f)) for f in figures]))
        content += [_points(scan, level) for scan in scans]
    return Section("limits", "Limits", content)


def _points(scan: Scan, level: float) -> str:
    described = "<br>".join(f"<code>{html.escape(c.name)}</code>: {markup(c.description)}" for c in scan.columns)
    return parts.folded(
        f"{scan.title}: all {len(scan.points)} points",
        parts.table(scan_sheet(scan, max(len(scan.points), 2), level=level), caption=False),
        f'<p class="note">{described}</p>' if described else "",
    )


def spectra_section(result: Result, figures: Sequence[Figure], images: Images) -> Section:
    """Expected events: as figures, by region, and what signals are normalised to."""
    content = []
    if (yields := yields_sheet(result, every=True)) is not None:
        content.append(_few_or_folded(yields, "Expected events of every sample"))
    if figures:
        content.append(parts.figures([parts.figure(images.html(f), caption(f)) for f in figures]))
    return Section("spectra", "Spectra and expected events", content)


def samples_section(result: Result) -> Section:
    """Decays, acceptances, and the cut flow of samples beside each other."""
    some, every = samples_sheet(result), samples_sheet(result, every=True)
    content = [parts.table(some, caption=False)]
    if len(every.rows) > len(some.rows):
        content.append(parts.folded(f"All {len(every.rows)} samples", parts.table(every, caption=False)))
    content += [parts.table(sheet) for sheet in cutflow_sheets(result, _CUTFLOW_COLUMNS)]
    if counts := cutflow_sheets(result, _CUTFLOW_COLUMNS, events=True):
        content.append(parts.folded("Simulated events that are left", *map(parts.table, counts)))
    return Section("samples", "Samples and cut flow", content)


def _few_or_folded(sheet: Sheet, summary: str) -> str:
    if len(sheet.rows) <= 25:
        return parts.table(sheet)
    return parts.folded(summary, parts.table(sheet))


def detector_section(configuration: Configuration | None, images: Images) -> Section:
    """Some of the detector's response, and every number of it with its source."""
    content = []
    if configuration is not None:
        drawing = images.inline(drawing_as_svg(lambda: glance(configuration)), f"Response of {configuration.name}")
        content.append(parts.figures([parts.figure(drawing, [markup(configuration.description)])], wide=True))
        content.append(parts.folded("All numbers of the detector", parts.table(_quantities(configuration), False)))
    return Section("detector", "Detector", content)


def _quantities(configuration: Configuration) -> Sheet:
    counts = dict.fromkeys(STATUSES, 0)
    rows = []
    for name, quantity in configuration.quantities.items():
        counts[quantity.status] += 1
        value = value_text(quantity.value)
        short = value if len(value) <= _VALUE_LENGTH else f"{value[:_VALUE_LENGTH]} …"
        rows.append((name, short, quantity.unit, quantity.status, quantity.source))
    note = ", ".join(f"{count} {status}" for status, count in counts.items())
    return Sheet("", ("quantity", "value", "unit", "status", "source"), tuple(rows), texts=(2, 3, 4), note=note)


def settings_section(result: Result, card: Card | None) -> Section:
    """Choices of the search, and the card."""
    rows = tuple((name, json.dumps(value, ensure_ascii=False)) for name, value in result.settings.items())
    content = [parts.table(Sheet("Choices of the search", ("setting", "value"), rows, texts=(1,)))]
    if card is not None:
        text = json.dumps(card.model_dump(mode="json"), indent=2, ensure_ascii=False)
        content.append(parts.folded("The card, with every default", parts.preformatted(text)))
    return Section("settings", "Settings and card", content)


def provenance_section(result: Result, provenance: Provenance | None) -> Section:
    """What a run must repeat to come out the same."""
    rows = [
        ("run", result.run),
        ("version of kaongen", result.kaongen_version),
        ("SHA-256 of the card", result.card_sha256),
        ("seed", str(result.seed)),
        ("detector", result.detector),
        ("layout of the result", str(result.result_version)),
    ]
    if provenance is not None:
        rows += list(provenance.libraries.items())
    sheet = Sheet("", ("what", "value"), tuple(rows), texts=(1,))
    return Section("provenance", "Provenance", [parts.table(sheet, caption=False)])


def runs_section(results: Mapping[str, Result], directory: Path) -> Section:
    """The runs of a reproduction, with links to their reports."""
    rows = tuple(
        (
            name, result.analysis, result.detector, f"{sum(s.generated for s in result.samples):,}", str(result.seed),
            result.kaongen_version, result.card_sha256[:16],
        )
        for name, result in results.items()
    )  # fmt: skip
    content = []
    if rows:
        columns = ("card", "search", "detector", "decays", "seed", "version", "SHA-256 of the card")
        content.append(parts.table(Sheet("", columns, rows, texts=(1, 2)), caption=False))
    reports = [name for name in results if (directory / name / REPORT).exists()]
    if reports:
        links = ", ".join(parts.link(f"{name}/{REPORT}", name) for name in reports)
        content.append(f"<p>Reports of the runs: {links}</p>")
    return Section("runs", "Runs", content)
