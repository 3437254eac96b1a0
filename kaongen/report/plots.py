"""Results as plots."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from kaongen.analysis.result import Result

_COLOURS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip


def _axes() -> tuple[Any, Any]:
    # without pyplot: its figures, backend and style belong to the user's session
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7.5))
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


def save_plots(result: Result, directory: Path) -> list[Path]:
    """Draw the spectrum and the limits against the cut as PNG; returns the files."""
    import mplhep
    from matplotlib import rc_context

    directory.mkdir(parents=True, exist_ok=True)
    with rc_context(mplhep.style.ROOT):
        return [_spectrum(result, directory / "m2_miss.png"), _cuts(result, directory / "limits.png")]


def _spectrum(result: Result, path: Path) -> Path:
    import mplhep

    figure, axes = _axes()
    edges = np.array(result.spectrum.edges)
    roles = {row.sample: row.role for row in result.acceptances}
    stacked = sorted(
        (s for s in result.spectrum.expected if roles[s] != "signal"), key=lambda s: sum(result.spectrum.expected[s])
    )
    mplhep.histplot(
        [np.array(result.spectrum.expected[s]) for s in stacked],
        bins=edges, ax=axes, stack=True, histtype="fill", label=stacked,
        color=list(islice(cycle(_COLOURS), len(stacked))),
    )  # fmt: skip
    for i, s in enumerate(s for s in result.spectrum.expected if roles[s] == "signal"):
        mplhep.histplot(
            np.array(result.spectrum.expected[s]), bins=edges, ax=axes, histtype="step", linewidth=2,
            linestyle=("-", "--", ":", "-.")[i % 4], color="black", label=f"{s}, BR = 10$^{{-4}}$",
        )  # fmt: skip
    axes.axvline(0.1, color="grey", linestyle="--", linewidth=1)
    axes.set_yscale("log")
    axes.set_ylim(1.0, None)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_xlabel(r"$m^2_\mathrm{miss}$ [GeV$^2$]")
    axes.set_ylabel(f"Events / {edges[1] - edges[0]:.3f} GeV$^2$")
    axes.legend(fontsize=14, title=f"kaongen, {result.n_kaons.value:.3g} K$^+$ decays", title_fontsize=14)
    figure.savefig(path, dpi=120, bbox_inches="tight")
    return path


def _cuts(result: Result, path: Path) -> Path:
    figure, axes = _axes()
    x = np.array([c.m2_cut for c in result.cuts])

    def band(name: str) -> Any:
        return np.array([c.limit.bands[name] for c in result.cuts])

    axes.fill_between(x, band("-2"), band("+2"), color="#ffdd55", label=r"expected $\pm 2\sigma$")
    axes.fill_between(x, band("-1"), band("+1"), color="#66bb66", label=r"expected $\pm 1\sigma$")
    axes.plot(x, [c.limit.expected for c in result.cuts], "k--", label="expected")
    axes.plot(x, [c.background.value for c in result.cuts], color="#5790fc", label="background")
    published = result.published_limit
    if published.observed is not None:
        axes.plot([0.1], [published.observed], "ko", label="observed (published counts)")
    axes.plot([0.1], [published.expected], "k^", markerfacecolor="none", label="expected (published background)")
    axes.set_yscale("log")
    axes.set_xlabel(r"lower cut on $m^2_\mathrm{miss}$ [GeV$^2$]")
    axes.set_ylabel(f"Signal events, {result.confidence_level:.0%} CL")
    axes.legend(fontsize=14)
    figure.savefig(path, dpi=120, bbox_inches="tight")
    return path
