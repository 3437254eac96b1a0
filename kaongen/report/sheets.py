"""Samples, yields, cut flows and numbers of a result as rows of text: the same for terminals and pages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kaongen.analysis.record import Number, Value
from kaongen.analysis.result import Result, SampleSummary

NONE = "–"

_ALIKE = 4
"""Samples of one scan from which on they share a row."""


@dataclass(frozen=True)
class Sheet:
    """A table. The first column stands to the left, the others hold numbers, but for those in `texts`.

    Mathematics stands between dollar signs, everywhere.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: tuple[int, ...] = ()
    note: str = ""


def number(value: float | None, digits: int = 4) -> str:
    """A number as a person writes it: 0.302, 7549, 1.04e-06."""
    return NONE if value is None else f"{value:.{digits}g}"


def measured(value: Value | None) -> str:
    """A value with its error."""
    return NONE if value is None else measured_text(value.value, value.error)


def measured_text(value: float, error: float) -> str:
    """The same from two floats."""
    return number(value) if error <= 0.0 else f"{value:.4g} ± {error:.2g}"


@dataclass(frozen=True)
class SampleGroup:
    """A sample, or those of a scan: alike but for the values of their parameters."""

    members: tuple[SampleSummary, ...]

    @property
    def name(self) -> str:
        first, last = self.members[0].sample, self.members[-1].sample
        return first if len(self.members) == 1 else f"{first} … {last} ({len(self.members)})"

    @property
    def ends(self) -> tuple[SampleSummary, ...]:
        """The sample, or the first and last of the scan."""
        return self.members if len(self.members) == 1 else (self.members[0], self.members[-1])


def groups(samples: Iterable[SampleSummary], alike: int = _ALIKE) -> list[SampleGroup]:
    """Samples in their order, with at least `alike` of one scan together at the place of the first."""
    found: dict[tuple[object, ...], list[SampleSummary]] = {}
    for sample in samples:
        key = (sample.process, sample.role, sample.zone, *sorted(sample.parameters))
        found.setdefault(key, []).append(sample)
    result = []
    for members in found.values():
        if len(members) >= alike and members[0].parameters:
            result.append(SampleGroup(tuple(members)))
        else:
            result.extend(SampleGroup((member,)) for member in members)
    return result


def _span(values: Iterable[float], text: Callable[[float], str]) -> str:
    known = list(values)
    low, high = text(min(known)), text(max(known))
    return low if low == high else f"{low} … {high}"


def _count(value: float) -> str:
    return f"{value:,.0f}"


def samples_sheet(result: Result, every: bool = False) -> Sheet:
    """Role, decays, selected events and acceptance; the samples of a scan in one row unless `every` is set."""
    rows = []
    chosen = groups(result.samples, len(result.samples) + 1 if every else _ALIKE)
    zones = any(sample.zone != "volume" for sample in result.samples)
    above = any(sample.above_bound for sample in result.samples)
    for group in chosen:
        members, first = group.members, group.members[0]
        one = len(members) == 1
        row = [
            group.name,
            first.decay,
            first.role,
            *([first.zone] if zones else []),
            _span((m.generated for m in members), _count),
            _span((m.selected for m in members), _count),
            *([_span((m.above_bound for m in members), _count)] if above else []),
            measured(first.acceptance) if one else _span((m.acceptance.value for m in members), number),
        ]
        rows.append(tuple(row))
    columns = (
        "sample", "decay", "role", *(["zone"] if zones else []), "generated", "selected",
        *(["above bound"] if above else []), "acceptance",
    )  # fmt: skip
    return Sheet("Samples", columns, tuple(rows), texts=(1, 2, 3) if zones else (1, 2))


def yields_sheet(result: Result, every: bool = False) -> Sheet | None:
    """Expected events by region: a row for each sample (those of a scan as a range), and the sum of backgrounds."""
    yielding = [sample for sample in result.samples if sample.yields]
    regions = tuple(dict.fromkeys(region for sample in yielding for region in sample.yields))
    if not regions:
        return None
    rows = []
    for group in groups(yielding, len(yielding) + 1 if every else _ALIKE):
        row = [group.name, group.members[0].role]
        for region in regions:
            values = [m.yields[region] for m in group.members if region in m.yields]
            if not values:
                row.append("")
            else:
                row.append(measured(values[0]) if len(values) == 1 else _span((v.value for v in values), number))
        rows.append(tuple(row))
    if sum(sample.role == "background" for sample in yielding) > 1:
        rows.append(("sum of backgrounds", "", *(_sum_of_backgrounds(yielding, region) for region in regions)))
    title = "Expected events"
    if result.n_kaons.value > 0.0:
        title += f" of {measured(result.n_kaons)} kaon decays"
    note = "errors: statistics of the simulation"
    return Sheet(title, ("sample", "role", *regions), tuple(rows), texts=(1,), note=note)


def _sum_of_backgrounds(samples: Sequence[SampleSummary], region: str) -> str:
    values = [s.yields[region] for s in samples if s.role == "background" and region in s.yields]
    if not values:
        return ""
    return measured_text(math.fsum(v.value for v in values), math.hypot(*(v.error for v in values)))


def cutflow_sheets(result: Result, columns: int = 6, events: bool = False) -> list[Sheet]:
    """Efficiency of each cut after those before it, a column for each sample, first and last of a scan.

    Parameters
    ----------
    result
        Of any search.
    columns
        Samples beside each other; further ones go into further tables, as do those with other cuts.
    events
        The simulated events that are left, instead of efficiencies.
    """
    shown = [sample for group in groups(result.samples) for sample in group.ends if sample.cutflow]
    by_cuts: dict[tuple[str, ...], list[SampleSummary]] = {}
    for sample in shown:
        by_cuts.setdefault(tuple(step.cut for step in sample.cutflow), []).append(sample)
    sheets = []
    for cuts, samples in by_cuts.items():
        for start in range(0, len(samples), columns):
            sheets.append(_cutflow_sheet(cuts, samples[start : start + columns], events))
    return sheets


def _cutflow_sheet(cuts: tuple[str, ...], samples: Sequence[SampleSummary], events: bool) -> Sheet:
    names = ("cut", *(sample.sample for sample in samples))
    if events:
        counts = [(cut, *(_count(s.cutflow[i].events) for s in samples)) for i, cut in enumerate(cuts)]
        return Sheet("Cut flow: simulated events that are left", names, tuple(counts))
    rows = [(cut, *(number(_efficiency(s, i)) for s in samples)) for i, cut in enumerate(cuts)]
    # the first step counts what was generated
    if all(_efficiency(s, 0) == 1.0 for s in samples):
        rows = rows[1:]
    rows.append(("all", *(number(s.acceptance.value) for s in samples)))
    return Sheet("Cut flow: weighted efficiency of each cut after those before it", names, tuple(rows))


def _efficiency(sample: SampleSummary, i: int) -> float | None:
    step = sample.cutflow[i]
    if i == 0 and step.efficiency is None and sample.generated > 0:
        return step.sum_weights / sample.generated
    return step.efficiency


def numbers_sheet(title: str, numbers: Iterable[Number], references: bool = False) -> Sheet:
    """Numbers beside the published ones; an input has no ratio to itself."""
    rows = []
    for n in numbers:
        there = NONE if n.published is None else measured_text(n.published, n.published_error or 0.0)
        ratio = "" if not n.published or n.kind == "input" else f"{n.value / n.published:.3f}"
        row = (n.name, n.kind, measured_text(n.value, n.error or 0.0), there, ratio)
        rows.append((*row, n.reference) if references else row)
    columns = ("quantity", "kind", "kaongen", "published", "ratio", *(["reference"] if references else []))
    return Sheet(title, columns, tuple(rows), texts=(1, 5) if references else (1,))
