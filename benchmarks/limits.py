"""A scan of limits with bands: kaongen, a plain loop over pyhf, and one over scipy.optimize.minimize.

    python benchmarks/limits.py [--quick] [--json FILE] [--threads N] [--repeats N]

The scan has a template of 32 bins per mass, 1.5 bins wide and moving through a falling background with two nuisance
parameters and a 10% error of the signal. All find the same observed limit, median and bands; the slow ones are given
every so many masses, and times are per mass. Ratios are medians over repeats that take turns.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import machine
import numpy as np
from measure import Case, Threads, Timing, take_turns
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.optimize import brentq, minimize
from scipy.special import xlogy
from scipy.stats import norm

from kaongen.statistics.asymptotics import expected_root
from kaongen.statistics.binned import Background, BinnedModel
from kaongen.statistics.binned_limit import upper_limit, upper_limits
from kaongen.statistics.counting import counting_limit
from kaongen.statistics.limit import UpperLimit

Floats = NDArray[np.float64]

MASSES, BINS, LEVEL = 100, 32, 0.9
ASYMPTOTICS, TOYS = "kaongen, asymptotics", "kaongen, 2000 toys"
TARGET_MASSES, TARGET_SECONDS = 300, 120.0


def models() -> tuple[list[BinnedModel], list[Floats]]:
    """One model per mass, and the same counts for all."""
    bins = np.arange(BINS)
    falling = 200.0 * np.exp(-bins / 10.0) + 8.0
    variations = {"scale": 0.05 * falling, "slope": 0.1 * falling * np.linspace(-1.0, 1.0, BINS)}
    background = Background("background", falling, np.zeros(BINS), variations)
    counts = np.random.default_rng(4).poisson(falling).astype(np.float64)
    scan = [
        BinnedModel(np.exp(-0.5 * ((bins - position) / 1.5) ** 2), (background,), 0.1)
        for position in np.linspace(3.0, BINS - 4.0, MASSES)
    ]
    return scan, [counts] * MASSES


# pyhf


def pyhf_limit(model: BinnedModel, counts: Floats) -> UpperLimit:
    """The documented way: a model from a specification, and its upper limit by root finding on hypotest."""
    import pyhf

    b = model.backgrounds[0]

    def histosys(name: str, nominal: Floats, shift: Floats) -> dict[str, object]:
        data = {"hi_data": (nominal + shift).tolist(), "lo_data": (nominal - shift).tolist()}
        return {"name": name, "type": "histosys", "data": data}

    signal = [{"name": "mu", "type": "normfactor", "data": None}, histosys("s", model.signal, 0.1 * model.signal)]
    background = [histosys(name, b.events, np.asarray(shift)) for name, shift in b.variations.items()]
    samples = [
        {"name": "signal", "data": model.signal.tolist(), "modifiers": signal},
        {"name": "background", "data": b.events.tolist(), "modifiers": background},
    ]
    theirs = pyhf.Model({"channels": [{"name": "c", "samples": samples}]}, poi_name="mu")
    bounds = [
        (0.0, 500.0) if i == theirs.config.poi_index else x for i, x in enumerate(theirs.config.suggested_bounds())
    ]
    data = [*counts, *theirs.config.auxdata]
    observed, band = pyhf.infer.intervals.upper_limits.toms748_scan(
        data, theirs, 1.0, 40.0, level=1.0 - LEVEL, rtol=1e-3, par_bounds=bounds
    )
    low2, low1, median, high1, high2 = (float(x) for x in band)
    return UpperLimit(float(observed), median, low2, low1, high1, high2, LEVEL, "pyhf")


# scipy


def scipy_limit(model: BinnedModel, counts: Floats) -> UpperLimit:
    """What one writes by hand: -log L in numpy, minimize for every fit, brentq on CLs."""
    b = model.backgrounds[0]
    shifts = np.array([np.asarray(shift) for shift in b.variations.values()])
    zeros = np.zeros(1 + len(shifts))

    def nll(mu: float, theta: Floats, n: Floats, centres: Floats) -> float:
        nu = np.maximum(mu * (1 + 0.1 * theta[0]) * model.signal + b.events + theta[1:] @ shifts, 1e-9)
        return float(np.sum(nu - xlogy(n, nu)) + 0.5 * np.sum((theta - centres) ** 2))

    def fit(mu: float | None, n: Floats, centres: Floats) -> tuple[float, Floats]:
        if mu is None:
            start = np.concatenate(([1.0], zeros))
            free = minimize(lambda p: nll(p[0], p[1:], n, centres), start, method="L-BFGS-B",
                            bounds=[(0.0, None)] + [(None, None)] * zeros.size)  # fmt: skip
            return float(free.fun), free.x
        fixed = minimize(lambda p: nll(mu, p, n, centres), zeros, method="L-BFGS-B")
        return float(fixed.fun), np.concatenate(([mu], fixed.x))

    def statistic(n: Floats, centres: Floats) -> Callable[[float], float]:
        best, x = fit(None, n, centres)
        known: dict[float, float] = {}

        def q(mu: float) -> float:
            if mu not in known:
                known[mu] = 0.0 if x[0] > mu else max(2.0 * (fit(mu, n, centres)[0] - best), 0.0)
            return known[mu]

        return q

    nuisances = fit(0.0, counts, zeros)[1][1:]
    asimov = statistic(b.events + nuisances[1:] @ shifts, nuisances)
    data = statistic(counts, zeros)

    def excess(mu: float) -> float:
        root, distance = np.sqrt(max(asimov(mu), 1e-12)), np.sqrt(data(mu))
        shift = distance if distance <= root else (data(mu) + root**2) / (2 * root)
        return float(norm.logsf(shift) - norm.logsf(shift - root) - np.log(1 - LEVEL))

    expected = [
        float(brentq(lambda mu, n=n: np.sqrt(asimov(mu)) - expected_root(n, LEVEL), 1e-3, 200.0, rtol=1e-3))
        for n in (0, -2, -1, 1, 2)
    ]
    return UpperLimit(float(brentq(excess, 0.3, 200.0, rtol=1e-3)), *expected, LEVEL, "scipy")  # type: ignore[call-arg]


def cases(threads: Threads, quick: bool) -> list[Case]:
    """The scan by all that are installed."""
    scan, counts = models()
    every = 50 if quick else 20
    few = list(zip(scan[::every], counts[::every], strict=True))
    result = [
        Case("limits", ASYMPTOTICS, lambda: len(upper_limits(scan, counts, LEVEL)), 1, "mass"),
        Case("limits", TOYS, _toys(scan[::every], counts[::every], threads.number), threads.number, "mass"),
        Case("limits", "kaongen, hybrid counting", lambda: _counting(few), 1, "mass", note="one bin for all 32"),
        Case("limits", "scipy, asymptotics", lambda: _loop(scipy_limit, few), 1, "mass", ASYMPTOTICS),
    ]
    try:
        import pyhf

        note = f"pyhf {pyhf.__version__}, numpy backend"
        result.append(
            Case("limits", "pyhf, asymptotics", lambda: _loop(pyhf_limit, few[:2]), 1, "mass", ASYMPTOTICS, note)
        )
    except ImportError:
        pass
    return result


def _toys(scan: list[BinnedModel], counts: list[Floats], threads: int) -> Callable[[], int]:
    return lambda: len(upper_limits(scan, counts, LEVEL, method="toys", toys=2000, threads=threads))


def _loop(limit: Callable[[BinnedModel, Floats], UpperLimit], pairs: list[tuple[BinnedModel, Floats]]) -> int:
    return len([limit(model, counts) for model, counts in pairs])


def _counting(pairs: list[tuple[BinnedModel, Floats]]) -> int:
    for model, counts in pairs:
        total = float(model.background.sum())
        counting_limit(int(counts.sum()), total, 0.05 * total, LEVEL)
    return len(pairs)


def agreement() -> float:
    """Largest relative difference of the others' limits from kaongen's at one mass: do they compute the same?"""
    scan, counts = models()
    ours = upper_limit(scan[40], counts[40], LEVEL)
    others = [scipy_limit(scan[40], counts[40])]
    with contextlib.suppress(ImportError):
        others.append(pyhf_limit(scan[40], counts[40]))
    return max(
        abs(a / b - 1.0)
        for other in others
        for a, b in zip((other.observed, *other.bands.values()), (ours.observed, *ours.bands.values()), strict=True)
        if a is not None and b is not None
    )


def show(console: Console, timings: list[Timing]) -> None:
    """Times per mass and per scan, and ratios."""
    medians = {t.case.name: t.median for t in timings}
    table = Table("scan with bands", title=f"{BINS} bins, 3 nuisance parameters", title_justify="left")
    headings = ("threads", "ms per mass", "spread", "processor, ms", f"{TARGET_MASSES} masses, s", "ratio to kaongen")
    for heading in headings:
        table.add_column(heading, justify="right")
    table.add_column("")
    for t in timings:
        ratio = f"{t.median / medians[t.case.baseline]:.3g}" if t.case.baseline else ""
        seconds = f"{TARGET_MASSES * t.median * 1e-9:.3g}"
        times = f"{t.median * 1e-6:.3g}", f"{t.spread:.0%}", f"{t.processor * 1e-6:.3g}"
        table.add_row(t.case.name, str(t.case.threads), *times, seconds, ratio, t.case.note)
    console.print(table)
    reached = TARGET_MASSES * medians[TOYS] * 1e-9 <= TARGET_SECONDS
    console.print(
        f"target: {TARGET_MASSES} masses with toys in {TARGET_SECONDS:g} s on two threads: "
        + ("reached" if reached else "missed")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer masses and repeats")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the machine and all timings to FILE")
    parser.add_argument("--threads", type=int, metavar="N", help="number of threads; all processors by default")
    parser.add_argument("--repeats", type=int, metavar="N", help="timed rounds; 7 by default, 3 with --quick")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 150)
    threads = Threads(options.threads)
    console.print(f"largest difference between the limits: {agreement():.1%}")
    timings = take_turns(cases(threads, options.quick), options.repeats or (3 if options.quick else 7))
    show(console, timings)
    if options.json:
        rows = [
            {"name": t.case.name, "unit": t.case.unit, "threads": t.case.threads, "baseline": t.case.baseline,
             "median_ns": t.median, "seconds": t.seconds, "units": t.units}
            for t in timings
        ]  # fmt: skip
        options.json.write_text(json.dumps({"machine": machine.description(), "timings": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
