"""A result with everything in it that reports and tables show: scanned signals, backgrounds, gaps, mathematics."""

import math

from kaongen.analysis.record import Axis, Number, Value
from kaongen.analysis.result import Column, CutFlowStep, Result, SampleSummary, Scan, Spectrum

CUTS = {"generated": 1.0, "seen in all detectors": 0.5, "momentum": 0.9, "vertex": 0.4}
MASSES = [round(0.2 + 0.004 * i, 6) for i in range(47)]
EXPECTED = [1e-8 * (1.0 + 600.0 * (m - 0.28) ** 2) for m in MASSES]
BANDS = {"-2": 0.5, "-1": 0.7, "+1": 1.4, "+2": 2.0}
EDGES = [0.0, 0.004, 0.008, 0.012]


def sample(name, process, role, acceptance, parameters=None, zone="volume", yields=None, generated=65536):
    left, steps = 1.0, []
    for cut, efficiency in CUTS.items():
        left *= efficiency
        steps.append(
            CutFlowStep(
                cut=cut, events=round(generated * left), sum_weights=generated * left,
                efficiency=efficiency if steps else None,
            )
        )  # fmt: skip
    return SampleSummary(
        sample=name, process=process, decay=f"K+ -> {process}", parameters=parameters or {}, zone=zone, role=role,
        generated=generated, selected=steps[-1].events, above_bound=0, branching_fraction=0.1,
        acceptance=Value(value=acceptance, error=0.01 * acceptance), yields=yields or {}, cutflow=steps,
    )  # fmt: skip


def scan(name="u-mu4", title=r"Limits on $|U_{\mu 4}|^2$ & <friends>"):
    return Scan(
        name=name,
        title=title,
        x=Axis(name="m_N", label="$m_N$", unit="GeV"),
        y=Axis(name="u2", label=r"$|U_{\mu 4}|^2$"),
        points=MASSES,
        observed=[None if i % 9 == 4 else 1.1 * e for i, e in enumerate(EXPECTED)],
        expected=EXPECTED,
        bands={band: [factor * e for e in EXPECTED] for band, factor in BANDS.items()},
        columns=[
            Column(name="acceptance", description="probability to be selected", values=[0.3 - m / 3 for m in MASSES]),
            Column(name="width", unit="GeV", description="of the peak", values=[None, *MASSES[1:]]),
        ],
        method="hybrid CLs",
        reference="figure 5 of the paper",
    )  # fmt: skip


def result(signals=300, scans=2):
    region = "$m^2_\\mathrm{miss}$ > 0.1"
    yields = [{region: Value(value=4470.0, error=30.0)}, {region: Value(value=3079.0, error=40.0)}]
    masses = [round(0.2 + 0.0005 * i, 6) for i in range(signals)]
    return Result(
        analysis="mu_invisible",
        run="small",
        kaongen_version="0.1.0",
        card_sha256="ab" * 32,
        seed=3,
        detector="na62-2016-2018",
        settings={"name": "mu_invisible", "confidence_level": 0.9, "comment": "<b>bold</b>"},
        confidence_level=0.9,
        n_kaons=Value(value=1.14e10, error=0.02e10),
        numbers=[
            Number(name="normalisation events", value=2.19e9, kind="input", published=2.19e9),
            Number(
                name="A of K+ -> mu+ nu", value=0.30217, error=0.00075, kind="tuned", published=0.302,
                published_error=0.005, reference="section 4",
            ),
            Number(name=r"expected limit on $|U_{\mu 4}|^2$", value=1533.7, kind="prediction", published=1526.0),
            Number(name="<script>alert(1)</script>", value=7.0, kind="prediction"),
        ],
        samples=[
            sample("munu", "munu", "normalisation", 0.302),
            sample("munug", "munug", "background", 8e-3, {"F_V": 0.09}, yields=yields[0]),
            sample("pipipi", "pipipi", "background", 1e-8, {"g": -0.2}, zone="upstream", yields=yields[1]),
            *(
                sample(f"muN-{1e3 * m:g}", "muN", "signal", 0.3 - 0.2 * (m - 0.2), {"m_N": m}) for m in masses
            ),
        ],
        spectra=[
            Spectrum(
                name="m2-miss",
                title="Squared missing mass",
                x=Axis(name="m2_miss", label=r"$m^2_\mathrm{miss}$", unit="GeV$^2$"),
                edges=EDGES,
                expected={"munu": [1e6, 1e3, 1.0], "munug": [10.0, 20.0, 30.0]}
                | {f"muN-{1e3 * m:g}": [math.exp(-i), 2.0, 0.0] for i, m in enumerate(masses)},
                errors={"munug": [1.0, 2.0, 3.0]},
                normalisation={"muN-200": "BR = $10^{-6}$"},
            )
        ],
        scans=[scan(*(() if i == 0 else (f"scan-{i}",))) for i in range(scans)],
    )  # fmt: skip
