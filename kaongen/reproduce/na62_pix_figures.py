"""The figures of NA62, JHEP 03 (2021) 058, as data, with earlier limits where they are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kaongen.analysis.figure import Curve, Figure, Histogram
from kaongen.analysis.pion_x_result import M2_MISS, MASS, RATE, scan_of_lifetime
from kaongen.analysis.record import Axis
from kaongen.analysis.result import Result, Scan
from kaongen.papers import limits
from kaongen.papers import na62_pix as paper
from kaongen.papers.limits import PublishedCurve

MASS_RANGE = (0.0, 0.26)
SIN2 = Axis(name="sin2_theta", label=r"$\sin^2\theta$")
G_Y = Axis(name="g_Y", label=r"$g_Y$")
LIFETIMES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0)
COLOURS = ("#7f0000", "#d7301f", "#fc8d59", "#c8a415", "#31a354", "#2b8cbe", "#253494", "#000000")

Numbers = Sequence[float | None]


def figures(result: Result) -> list[Figure]:
    """All of them."""
    return [
        *_signal(result.scan("stable")),
        *(_background(result, number) for number in (1, 2)),
        _limits(result.scan("stable"), result.scan("counting")),
        _lifetimes(result),
        _visible(result.scan("dark-scalar-visible"), "Dark scalar (BC4)", SIN2, 5, _earlier()),
        _invisible(result.scan("dark-scalar-invisible"), "Dark scalar (BC4)", SIN2, 5),
        _visible(result.scan("alp-visible"), "Axion-like particle (BC10)", G_Y, 6, []),
        _invisible(result.scan("alp-invisible"), "Axion-like particle (BC10)", G_Y, 6),
    ]


def _reference(number: int | str) -> str:
    return f"{paper.REFERENCE}, figure {number}"


def _curve(scan: Scan, values: Numbers | None, label: str, **options: object) -> Curve:
    """Against the mass, with a gap between the regions."""
    bounds = {name: _with_gap(scan, options.pop(name))[1] for name in ("low", "high") if name in options}  # type: ignore[arg-type]
    x, y = _with_gap(scan, values or [None] * len(scan.points))
    return Curve(label=label, x=x, y=y, **bounds, **options)  # type: ignore[arg-type]


def _with_gap(scan: Scan, values: Numbers) -> tuple[list[float], list[float | None]]:
    x, y = list(scan.points), list(values)
    cut = sum(m <= paper.MASSES_1[1] for m in x)
    if 0 < cut < len(x):
        x.insert(cut, 0.5 * (x[cut - 1] + x[cut]))
        y.insert(cut, None)
    return x, y


def _signal(stable: Scan) -> list[Figure]:
    made = []
    for name, title, axis, columns, log in (
        (
            "resolution",
            "Resolution of the squared missing mass",
            Axis(name="resolution", label=r"$\sigma(m^2_\mathrm{miss})$", unit="GeV^2"),
            (("resolution", "simulated"), ("resolution_corrected", "corrected by 4%")),
            False,
        ),
        ("acceptance", "Acceptance", Axis(name="acceptance", label="acceptance"), (("acceptance", "kaongen"),), False),
        (
            "sensitivity",
            "Single-event sensitivity",
            Axis(name="sensitivity", label=r"BR$_\mathrm{SES}$"),
            (("sensitivity", "kaongen"),),
            True,
        ),
    ):
        made.append(
            Figure(
                name=f"figure-2-{name}",
                title=f"{title} for K+ -> pi+ X",
                x=MASS,
                y=axis,
                log_y=log,
                x_range=MASS_RANGE,
                curves=[_curve(stable, stable.column(column), label) for column, label in columns],
                reference=_reference(2),
            )
        )
    return made


def _background(result: Result, number: int) -> Figure:
    parts, fitted = result.spectrum(f"region-{number}"), result.spectrum(f"polynomial-{number}")
    middle = [0.5 * (a + b) for a, b in zip(parts.edges, parts.edges[1:], strict=False)]
    return Figure(
        name=f"figure-3-region-{number}",
        title=f"Expected background in signal region {number}",
        x=M2_MISS,
        y=Axis(name="events", label=r"events / 0.00067 GeV$^2$"),
        histograms=[
            Histogram(label=name, edges=parts.edges, values=values, errors=parts.errors[name], style="stack")
            for name, values in parts.expected.items()
        ],
        curves=[Curve(label="polynomial", x=middle, y=list(fitted.expected["polynomial"]))],
        reference=_reference(3),
    )


def _bands(scan: Scan) -> list[Curve]:
    median = scan.expected
    return [
        _curve(scan, median, label, low=scan.bands[low], high=scan.bands[high], style="band", colour=colour)
        for label, low, high, colour in (("±2σ", "-2", "+2", "#ffe680"), ("±1σ", "-1", "+1", "#8fd18f"))
    ]


def _limits(stable: Scan, counting: Scan) -> Figure:
    low, high = paper.BEST_LIMIT_MASSES
    return Figure(
        name="figure-4-left",
        title="90% CL upper limits on BR(K+ -> pi+ X), X stable or invisible",
        x=MASS,
        y=RATE,
        log_y=True,
        x_range=MASS_RANGE,
        y_range=(1e-11, 1e-8),
        curves=[
            *_bands(stable),
            _curve(stable, stable.expected, "expected", style="dashed"),
            _curve(stable, stable.observed, "observed", colour="black"),
            _curve(counting, counting.expected, "expected, counting", style="dotted"),
            Curve(
                label="strongest limit",
                x=[low, high],
                y=[paper.BEST_LIMIT, paper.BEST_LIMIT],
                style="dotted",
                published=True,
                reference=paper.REFERENCE,
            ),
        ],
        reference=_reference("4 left"),
    )


def _lifetimes(result: Result) -> Figure:
    known = {scan.name: scan for scan in result.scans}
    earlier = limits.e949_pix()
    reference = limits.e949_pix_curves()[0].reference
    curves = []
    for lifetime, colour in zip(LIFETIMES, COLOURS, strict=True):
        if scan := known.get(scan_of_lifetime(lifetime)):
            curves.append(_curve(scan, scan.observed, f"{lifetime:g} ns", colour=colour))
        if lifetime in earlier:
            mass, rate = earlier[lifetime]
            curves.append(
                Curve(label=f"E787/E949, {lifetime:g} ns", x=list(mass), y=list(rate), style="dashed", colour=colour,
                      published=True, reference=reference)
            )  # fmt: skip
    return Figure(
        name="figure-4-right",
        title="90% CL upper limits on BR(K+ -> pi+ X), X decaying visibly",
        x=MASS,
        y=RATE,
        log_y=True,
        x_range=MASS_RANGE,
        y_range=(1e-11, 1e-7),
        curves=curves,
        reference=_reference("4 right"),
    )


def _visible(scan: Scan, particle: str, axis: Axis, number: int, earlier: list[Curve]) -> Figure:
    highest = scan.column("observed_high")
    top = _range(axis)
    clipped = _clip(highest, top)
    return Figure(
        name=f"figure-{number}-visible",
        title=f"{particle} that decays visibly: excluded at 90% CL",
        x=MASS,
        y=axis,
        log_y=True,
        x_range=MASS_RANGE,
        y_range=top,
        curves=[
            _curve(scan, scan.observed, "excluded", low=scan.observed, high=clipped, style="band", colour="#f4a6a6"),
            _curve(scan, scan.observed, "observed, lower end", colour="#c00000"),
            _curve(scan, clipped, "observed, upper end", colour="#c00000"),
            _curve(scan, scan.expected, "expected, lower end", style="dashed"),
            *earlier,
        ],
        reference=_reference(f"{number} left"),
    )


def _invisible(scan: Scan, particle: str, axis: Axis, number: int) -> Figure:
    return Figure(
        name=f"figure-{number}-invisible",
        title=f"{particle} that decays invisibly: 90% CL upper limits",
        x=MASS,
        y=axis,
        log_y=True,
        x_range=MASS_RANGE,
        y_range=_range(axis),
        curves=[
            *_bands(scan),
            _curve(scan, scan.expected, "expected", style="dashed"),
            _curve(scan, scan.observed, "observed", colour="black"),
        ],
        reference=_reference(f"{number} right"),
    )


def _range(axis: Axis) -> tuple[float, float]:
    return (1e-8, 1e-3) if axis is SIN2 else (1e-5, 1.0)


def _clip(values: Numbers, shown: tuple[float, float]) -> list[float | None]:
    return [None if v is None else min(v, shown[1]) for v in values]


def _earlier() -> list[Curve]:
    """sin^2(theta) that other publications exclude, and the lower edge of figure 5 itself."""
    known = limits.dark_scalar()
    published = Curve(
        label="NA62, figure 5",
        x=[mass for mass, _ in paper.BC4_LIMIT],
        y=[sine * sine if _inside(mass) else None for mass, sine in paper.BC4_LIMIT],
        style="points",
        published=True,
        reference=f"{_reference(5)}, digitised in FORESEE",
    )
    return [published, *(_outline(name, known[name], lambda s: s * s) for name in ("E949", "CHARM"))]


def _inside(mass: float) -> bool:
    return mass <= paper.MASSES_1[1] or mass >= paper.MASSES_2[0]


def _outline(name: str, curve: PublishedCurve, square: Callable[[float], float]) -> Curve:
    return Curve(
        label=name,
        x=[float(x) for x in curve.x],
        y=[square(float(y)) for y in curve.y],
        style="dashed",
        published=True,
        reference=curve.reference,
    )
