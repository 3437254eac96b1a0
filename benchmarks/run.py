"""kaongen, what a user would take instead, and the machine's own limits, in one run.

    python benchmarks/run.py [--quick] [--json FILE] [--threads N]

Ratios are medians over repeats that take turns. Targets are printed beside what was measured, not enforced.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import catalogue
import chain
import machine
import peers
import samplers
from measure import Case, Threads, Timing, take_turns
from rich.console import Console
from rich.table import Table

TARGETS = {
    samplers.SAMPLE: (10.0, "at most 10 ns on two threads"),
    catalogue.MIXTURE: (25.0, "at most 25 ns on two threads"),
    "munumumu": (1000.0, "at least a million a second on two threads"),
    "average": (150.0, "at most 150 ns on two threads"),
    chain.NATURAL: (100.0, "at most 100 ns on two threads"),
}
RATIO_TARGETS = {"phasespace (TensorFlow)": (40.0, "ratio of at least 40")}
EFFICIENCY_TARGETS = {3: 0.95, 4: 0.2, 5: 0.2}
"""By the number of daughters; and of two decays to four leptons:"""
SPECIAL_EFFICIENCY_TARGETS = {"munumumu": 0.3, "munuee": 0.3}


def main() -> None:
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 150)
    threads = Threads(options.threads)
    about = machine.description()
    _describe(console, about, threads.number)
    with console.status("preparing") as status:
        efficiencies = catalogue.unweighting(options.repeats)
        groups = [
            machine.cases(threads, options.quick),
            # Contestants in one group, so that drift of the machine cancels in their ratios
            [
                *samplers.cases(threads, options.quick, options.directory),
                *peers.cases(threads, options.quick, console.print),
            ],
            catalogue.cases(threads, options.quick),
            chain.cases(threads, options.quick),
        ]
        timings: list[Timing] = []
        for cases in groups:
            timings += take_turns(cases, options.repeats, tell=status.update)
    timings.append(chain.average([t for t in timings if t.case.group == chain.GROUP]))
    _show_machine(console, timings)
    _show_timings(console, timings)
    _show_efficiencies(console, efficiencies)
    if options.json:
        record = _record(about | {"threads": threads.number, "quick": options.quick}, timings, efficiencies)
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="fewer events and repeats: does it run, and roughly how fast"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the machine and all timings to FILE")
    parser.add_argument("--threads", type=int, metavar="N", help="number of threads; all processors by default")
    parser.add_argument("--repeats", type=int, metavar="N", help="timed rounds; 11 by default, 3 with --quick")
    parser.add_argument(
        "--directory",
        type=Path,
        help="where shards are written and removed again; a temporary one by default",
    )
    options = parser.parse_args()
    options.repeats = options.repeats or (3 if options.quick else 11)
    return options


def _describe(console: Console, about: dict[str, Any], threads: int) -> None:
    versions = ", ".join(f"{name} {version}" for name, version in about["libraries"].items())
    console.print(f"{about['processor']}; {about['cores']} cores, {threads} threads, Python {about['python']}")
    console.print(f"{versions}; load {about['load_average'][0]:.1f}, huge pages {about['huge_pages']}", markup=False)


def _show_machine(console: Console, timings: list[Timing]) -> None:
    table = Table("limit of the machine", title="machine", title_justify="left")
    for heading in ("median", "best", "spread"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for timing in timings:
        case = timing.case
        if case.group != machine.GROUP:
            continue
        if case.unit == "event":
            numbers = [f"{value:.2f} ns/event" for value in (timing.median, timing.best)]
        else:
            unit = {"byte": "GB/s", "number": "10⁹ numbers/s"}[case.unit]
            numbers = [f"{1.0 / value:.2f} {unit}" for value in (timing.median, timing.best)]
        table.add_row(case.name, *numbers, _percent(timing.spread), case.note)
    console.print(table)


def _show_timings(console: Console, timings: list[Timing]) -> None:
    medians = {timing.case.name: timing.median for timing in timings}
    for group in (samplers.GROUP, peers.GROUP, catalogue.GROUP, chain.GROUP):
        table = Table(
            "",
            title=f"{group}, ns per event of wall time, and of processor time over all threads",
            title_justify="left",
        )
        for heading in ("threads", "median", "best", "spread", "processor", "ratio to kaongen"):
            table.add_column(heading, justify="right")
        table.add_column("target")
        table.add_column("")
        for timing in timings:
            case = timing.case
            if case.group != group:
                continue
            ratio = timing.median / medians[case.baseline] if case.baseline else None
            table.add_row(
                case.name,
                str(case.threads),
                f"{timing.median:.2f}",
                f"{timing.best:.2f}",
                _percent(timing.spread),
                f"{timing.processor:.2f}",
                "" if ratio is None else f"{ratio:.3g}",
                _target(case, timing.median, ratio),
                case.note,
            )
        console.print(table)


def _percent(fraction: float) -> str:
    return "" if math.isnan(fraction) else f"{fraction:.0%}"


def _target(case: Case, nanoseconds: float, ratio: float | None) -> str:
    if case.name in TARGETS:
        limit, text = TARGETS[case.name]
        return f"{text}: {_verdict(nanoseconds <= limit)}" if case.threads == 2 else text
    if case.name in RATIO_TARGETS and ratio is not None:
        limit, text = RATIO_TARGETS[case.name]
        return f"{text}: {_verdict(ratio >= limit)}"
    return ""


def _verdict(reached: bool) -> str:
    return "reached" if reached else "missed"


def _show_efficiencies(console: Console, rows: list[dict[str, float | str]]) -> None:
    table = Table("process", title="unweighting", title_justify="left")
    for heading in ("decays per attempt", "of these at once", "above bound", "excess weight", "table, ms"):
        table.add_column(heading, justify="right")
    table.add_column("target")
    for row in rows:
        name, efficiency = str(row["process"]), float(row["efficiency"])
        target = SPECIAL_EFFICIENCY_TARGETS.get(name, EFFICIENCY_TARGETS[int(row["daughters"])])
        table.add_row(
            name,
            f"{efficiency:.2%}",
            f"{float(row['squeeze']):.2%}" if "squeeze" in row else "",
            f"{float(row['above_bound']):.1e}",
            f"{float(row['excess']):.1e}",
            f"{float(row['table_ms']):.0f}",
            f"at least {target:.0%}: {_verdict(efficiency >= target)}",
        )
    console.print(table)


def _record(about: dict[str, Any], timings: list[Timing], efficiencies: list[dict[str, float | str]]) -> dict[str, Any]:
    return {
        "machine": about,
        "unweighting": efficiencies,
        "timings": [
            {
                "group": t.case.group,
                "name": t.case.name,
                "unit": t.case.unit,
                "threads": t.case.threads,
                "baseline": t.case.baseline,
                "note": t.case.note,
                "median_ns": t.median,
                "spread": None if math.isnan(t.spread) else t.spread,
                "seconds": t.seconds,
                "processor_seconds": t.processor_seconds,
                "units": t.units,
            }
            for t in timings
        ],
    }


if __name__ == "__main__":
    main()
