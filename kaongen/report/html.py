"""Reports: one page each for a run and for the reproduction of a paper, which need nothing but themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kaongen.analysis.figure import Figure
from kaongen.analysis.record import Number
from kaongen.analysis.result import Result
from kaongen.analysis.scan_figure import figures_of
from kaongen.configuration import CONFIGURATIONS, Configuration, load
from kaongen.events.layout import Provenance
from kaongen.production.card import Card
from kaongen.report import html_parts as parts
from kaongen.report import html_sections as sections
from kaongen.report.html_parts import Section
from kaongen.report.html_sections import REPORT, Images
from kaongen.report.scan_sheets import percent
from kaongen.report.sheets import measured

__all__ = ["REPORT", "write_report", "write_reproduction"]


def write_report(
    result: Result,
    directory: Path,
    *,
    card: Card | None = None,
    provenance: Provenance | None = None,
    drawn: Sequence[Path] = (),
) -> Path:
    """Write `report.html` of a run: numbers, limits, spectra, samples, cut flow, detector, settings and provenance.

    Parameters
    ----------
    result
        Of any search.
    directory
        Where; it is made if it is not there.
    card
        Of the run; it is shown as it is, and says how the detector was changed.
    provenance
        Of the events; for the versions of the libraries.
    drawn
        Files of this result's figures, as `save_plots` returns them: what is among them is not drawn again.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    images = Images(drawn)
    figures = figures_of(result)
    spectra = {spectrum.name for spectrum in result.spectra}
    content = [
        sections.numbers_section(result.numbers),
        sections.limits_section(result, [f for f in figures if f.name not in spectra], images),
        sections.spectra_section(result, [f for f in figures if f.name in spectra], images),
        sections.samples_section(result),
        sections.detector_section(_configuration(result, card), images),
        sections.settings_section(result, card),
        sections.provenance_section(result, provenance),
    ]
    facts = {
        "search": result.analysis,
        "kaon decays": measured(result.n_kaons) if result.n_kaons.value > 0.0 else "not normalised",
        "decays simulated": f"{sum(sample.generated for sample in result.samples):,}",
        "confidence level": percent(result.confidence_level),
        "detector": result.detector,
        "seed": str(result.seed),
    }
    title = f"{result.run or result.analysis}: report of a run"
    return _write(directory, parts.page(title, facts, content, f"kaongen {result.kaongen_version}"))


def write_reproduction(
    name: str,
    numbers: Sequence[Number],
    figures: Sequence[Figure],
    results: Mapping[str, Result],
    directory: Path,
    *,
    drawn: Sequence[Path] = (),
) -> Path:
    """Write `report.html` of a paper's reproduction: its numbers and figures, and the runs behind them.

    Parameters
    ----------
    name
        Of the paper.
    numbers, figures
        Beside the published ones.
    results
        By the card that they come from; the report of a run is linked where it lies in the directory of that name.
    directory
        Where; it is made if it is not there.
    drawn
        Files of the figures, as `save_figure` and `save_curves` return them: SVG files among them are not drawn again,
        and CSV files are linked.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    images = Images(drawn)
    tables = {path.stem: path for path in drawn if path.suffix == ".csv"}
    shown = []
    for figure in figures:
        caption = sections.caption(figure)
        if figure.name in tables and tables[figure.name].is_relative_to(directory):
            caption.append(parts.link(tables[figure.name].relative_to(directory).as_posix(), "as CSV"))
        shown.append(parts.figure(images.html(figure), caption))
    compared = [n for n in numbers if n.published and n.kind == "prediction"]
    facts = {
        "numbers": str(len(numbers)),
        "predictions beside a published number": str(len(compared)),
        "figures": str(len(figures)),
        "decays simulated": f"{sum(s.generated for result in results.values() for s in result.samples):,}",
    }
    versions = sorted({result.kaongen_version for result in results.values()})
    content = [
        sections.numbers_section(numbers),
        Section("figures", "Figures", [parts.figures(shown)] if shown else []),
        sections.runs_section(results, directory),
    ]
    title = f"{name}: published and obtained"
    return _write(directory, parts.page(title, facts, content, f"kaongen {', '.join(versions)}"))


def _configuration(result: Result, card: Card | None) -> Configuration | None:
    """Of the detector, as the card changed it; None where a result names one that does not ship."""
    if card is not None:
        return card.configuration()
    return load(result.detector) if result.detector in CONFIGURATIONS else None


def _write(directory: Path, text: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / REPORT
    path.write_text(text, encoding="utf-8")
    return path
