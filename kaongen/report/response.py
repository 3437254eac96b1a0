"""What a configuration assumes, at a glance: figures of the detector's response, and a table of its numbers.

Every curve comes from the functions and kernels that the simulation uses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from kaongen.configuration import Configuration
from kaongen.report import response_beam as beam
from kaongen.report import response_identification as identification
from kaongen.report import response_tracks as tracks
from kaongen.report import response_vetoes as vetoes
from kaongen.report.response_panels import Model, Panel, Subject, grid, in_style

SUBJECTS: Final[tuple[Callable[[Model], Subject], ...]] = (
    beam.beam,
    beam.line,
    beam.gtk_tracks,
    beam.scatters,
    identification.factors,
    tracks.spectrometer,
    tracks.chambers,
    tracks.decays,
    identification.rings,
    identification.krypton,
    identification.calorimeters,
    identification.muons,
    vetoes.inefficiencies,
    vetoes.pairs,
    vetoes.others,
    vetoes.guard,
    beam.runs,
)
"""In the order of the overview."""

GLANCE: Final = (
    beam.beam,
    tracks.spectrometer,
    tracks.chambers,
    identification.rings,
    identification.krypton,
    vetoes.inefficiencies,
)
"""Of which a report shows the first panel: quick to compute."""

OVERVIEW: Final = "response"
NUMBERS: Final = "numbers.txt"


@dataclass
class Response:
    """The figures of a configuration; curves are computed when they are first asked for."""

    configuration: Configuration

    @cached_property
    def subjects(self) -> tuple[Subject, ...]:
        model = Model(self.configuration)
        return tuple(make(model) for make in SUBJECTS)

    def save(self, directory: Path) -> list[Path]:
        """Draw everything as PNG and SVG, with one overview, and write the table of numbers; returns the files."""
        directory.mkdir(parents=True, exist_ok=True)
        return [*in_style(lambda: list(self._draw(directory))), self._write_numbers(directory / NUMBERS)]

    def _draw(self, directory: Path) -> Iterator[Path]:
        about = f"kaongen, detector {self.configuration.name}"
        overview = grid(self._overview(), 4, about, self.configuration.description)
        yield _save(overview, directory / f"{OVERVIEW}.png")
        for subject in self.subjects:
            note = about + (f"; {subject.note}" if subject.note else "")
            figure = grid(subject.panels, 2 if len(subject.panels) == 4 else 3, subject.title, note)
            for suffix in (".png", ".svg"):
                yield _save(figure, directory / f"{OVERVIEW}-{subject.name}{suffix}")

    def _overview(self) -> list[Panel]:
        return [replace(s.panels[0], title=s.title) for s in self.subjects]

    def _write_numbers(self, path: Path) -> Path:
        with path.open("w", encoding="utf-8") as file:
            Console(file=file, width=160).print(numbers_table(self.configuration))
        return path

    def as_dict(self, figures: list[Path]) -> dict[str, Any]:
        """For programs: the configuration's name, files, all curves and numbers."""
        curves: dict[str, dict[str, Any]] = {}
        for subject in self.subjects:
            curves |= subject.as_dict()
        return {
            "configuration": self.configuration.name,
            "figures": [str(file) for file in figures],
            "curves": curves,
            "numbers": {
                name: {"value": q.value, "unit": q.unit, "status": q.status, "source": q.source}
                for name, q in self.configuration.quantities.items()
            },
        }


def glance(configuration: Configuration) -> Any:
    """A drawing of six panels: kaons, spectrometer, geometry, RICH, krypton and photons."""
    model = Model(configuration)
    subjects = (make(model) for make in GLANCE)
    panels = [replace(subject.panels[0], title=subject.title) for subject in subjects]
    return grid(panels, 3, f"Response of {configuration.name}", configuration.description)


def _save(figure: Any, path: Path) -> Path:
    figure.savefig(path, dpi=90, metadata={"Date": None} if path.suffix == ".svg" else None)
    return path


def sections(configuration: Configuration) -> dict[str, list[str]]:
    """Names of all quantities by section, in the order of the file."""
    names = sorted(configuration.quantities, key=_section)
    return {section: list(group) for section, group in groupby(names, key=_section)}


def _section(name: str) -> str:
    return name.partition(".")[0]


def numbers_table(configuration: Configuration) -> Table:
    """All numbers of a configuration with unit, status and source."""
    table = Table(title=f"Numbers of {configuration.name}", title_justify="left", pad_edge=False)
    table.add_column("quantity", no_wrap=True)
    table.add_column("value", justify="right", overflow="fold", max_width=44)
    for column in ("unit", "status", "source"):
        table.add_column(column, overflow="fold")
    for section, names in sections(configuration).items():
        table.add_section()
        for name in names:
            q = configuration.quantities[name]
            table.add_row(f"{section}.{name.partition('.')[2]}", value_text(q.value), q.unit, q.status, q.source)
    return table


def value_text(value: Any) -> str:
    """A number, a list or a table as one reads it."""
    if isinstance(value, list):
        return "[" + ", ".join(value_text(part) for part in value) + "]"
    return f"{value:.6g}"


def summary_table(configuration: Configuration) -> Table:
    """How many numbers each section has, where they come from, and which were adjusted to something."""
    table = Table(title=f"Numbers of {configuration.name}", title_justify="left", pad_edge=False)
    table.add_column("section")
    for status in STATUSES:
        table.add_column(status, justify="right")
    table.add_column("tuned to", overflow="fold")
    total: Counter[str] = Counter()
    for section, names in sections(configuration).items():
        quantities = {name: configuration.quantities[name] for name in names}
        counts = Counter(q.status for q in quantities.values())
        total.update(counts)
        tuned = "; ".join(f"{n.partition('.')[2]}: {q.source}" for n, q in quantities.items() if q.status == "tuned")
        table.add_row(section, *(str(counts[status] or "") for status in STATUSES), tuned)
    table.add_section()
    table.add_row("all", *(str(total[status]) for status in STATUSES), "")
    return table


STATUSES: Final = ("input", "recalled", "tuned")
