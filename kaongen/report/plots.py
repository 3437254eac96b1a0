"""A result as plots: each spectrum and each scan as a figure."""

from __future__ import annotations

from pathlib import Path

from kaongen.analysis.result import Result
from kaongen.analysis.scan_figure import figures_of
from kaongen.report.figures import save_figure


def save_plots(result: Result, directory: Path) -> list[Path]:
    """Draw the spectra, stacked by sample, and the limits with their bands.

    Parameters
    ----------
    result
        Of any search.
    directory
        Where; it is made if it is not there, and files of the same names are replaced.

    Returns
    -------
    list of Path
        A PNG and an SVG for each figure, named as the spectrum or scan.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    return [path for figure in figures_of(result) for path in save_figure(figure, directory)]
