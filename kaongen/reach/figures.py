"""Figures of a projection: its limits beside earlier ones, and what other measurements ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kaongen.analysis.figure import Curve, Figure
from kaongen.analysis.result import Result, Scan
from kaongen.analysis.scan_figure import figure_of
from kaongen.errors import ProcessError
from kaongen.models.g_minus_2 import coupling_band
from kaongen.models.lmu_ltau import thermal_coupling
from kaongen.papers import limits as earlier
from kaongen.papers import na62_mu, na62_pix
from kaongen.papers.limits import PublishedCurve
from kaongen.reach.catalogue import dark_matter_of, find_model
from kaongen.reach.models import Model
from kaongen.reach.settings import Reach

COMPARISONS = (("2021", "#c79fef"), ("2025", "#9fc5e8"))
"""Of the muon's g - 2 with its prediction: names, and colours."""
_RELIC_MASSES = 12


def figures(result: Result) -> list[Figure]:
    """The limits of a projection with what they compare with; for a result made by `project`.

    For models with a boson the 2 sigma bands of the muon's g - 2, with dark matter the coupling that leaves its
    abundance, and earlier limits that are known. A process that is not registered here gets its own limits alone.
    """
    model = _model(result)
    drawn = []
    for scan in result.scans:
        if scan.name == "coupling-upper-end":
            continue
        figure = figure_of(scan)
        more: list[Curve] = []
        if scan.name == "coupling":
            more += _upper_end(result)
            more += _beside(model, scan, result)
        drawn.append(
            figure.model_copy(update={"curves": [*figure.curves, *more], "y_range": _range(figure.curves, more)})
        )
    return drawn


def _range(own: Sequence[Curve], more: Sequence[Curve]) -> tuple[float, float] | None:
    """Of the limits themselves, with room for others: outlines of earlier ones reach up to anything."""
    ours = [*own, *(curve for curve in more if not curve.published)]
    values = [v for c in ours for part in (c.y, c.low or [], c.high or []) for v in part if v]
    return (0.1 * min(values), 10.0 * max(values)) if values else None


def _model(result: Result) -> Model | None:
    try:
        return find_model(Reach.model_validate(result.settings))
    except ProcessError:
        return None


def _upper_end(result: Result) -> list[Curve]:
    ends = [scan for scan in result.scans if scan.name == "coupling-upper-end"]
    return [
        Curve(label="expected, decays too soon above", x=scan.points, y=scan.expected or [], style="dotted",
              colour="black")
        for scan in ends
    ]  # fmt: skip


def _beside(model: Model | None, scan: Scan, result: Result) -> list[Curve]:
    if model is None:
        return []
    curves = []
    if model.boson is not None:
        for name, colour in COMPARISONS:
            bands = [coupling_band(name, model.boson, m) for m in scan.points]
            low, high = ([band[side] or None for band in bands] for side in (0, 1))
            curves.append(
                Curve(label=f"$(g-2)_\\mu$ {name}, 2σ" if any(low) else f"$(g-2)_\\mu$ {name}, 2σ, upper end",
                      x=scan.points, y=high, low=low if any(low) else None, high=high if any(low) else None,
                      style="band" if any(low) else "dotted", colour=colour)
            )  # fmt: skip
    settings = Reach.model_validate(result.settings)
    if model.name.startswith("lmu-ltau") and "chi_over_v" in settings.values:
        curves.append(_relic(scan.points, settings))
    return [*curves, *_EARLIER.get(model.name, _none)()]


def _relic(points: Sequence[float], settings: Reach) -> Curve:
    step = max(len(points) // _RELIC_MASSES, 1)
    masses = list(points[::step])
    values: list[float | None] = []
    for mass in masses:
        dark_matter = dark_matter_of(settings.values, mass)
        try:
            values.append(thermal_coupling(mass, dark_matter, resonant=False) if dark_matter else None)
        except ProcessError:
            values.append(None)
    return Curve(label="abundance of dark matter", x=masses, y=values, style="dashed", colour="#7f6000",
                 reference="kaongen.models.lmu_ltau.thermal_coupling")  # fmt: skip


def _none() -> list[Curve]:
    return []


def _heavy_neutrino() -> list[Curve]:
    curves = [_published(curve) for curve in earlier.heavy_neutrino().values()]
    x, y = zip(*na62_mu.HNL_LIMIT, strict=True)
    ours = Curve(label="NA62 2016-2018", x=list(x), y=list(y), style="line", published=True,
                 reference=na62_mu.REFERENCE)  # fmt: skip
    return [*curves, ours]


def _dark_scalar() -> list[Curve]:
    curves = [_published(curve, lambda sine: sine * sine) for curve in earlier.dark_scalar().values()]
    x, y = zip(*na62_pix.BC4_LIMIT, strict=True)
    # nothing is excluded between the two regions
    gap = 0.5 * (na62_pix.MASSES_1[1] + na62_pix.MASSES_2[0])
    points: list[tuple[float, float | None]] = [(m, v * v) for m, v in zip(x, y, strict=True)]
    points = sorted([*points, (gap, None)], key=lambda point: point[0])
    ours = Curve(label="NA62 2017, lower end", x=[m for m, _ in points], y=[v for _, v in points], published=True,
                 reference=na62_pix.REFERENCE)  # fmt: skip
    return [*curves, ours]


def _published(curve: PublishedCurve, change: Callable[[float], float] = float) -> Curve:
    return Curve(
        label=curve.name,
        x=[float(x) for x in curve.x],
        y=[change(float(y)) for y in curve.y],
        published=True,
        reference=curve.reference,
    )


_EARLIER: dict[str, Callable[[], list[Curve]]] = {
    "hnl": _heavy_neutrino,
    "muN": _heavy_neutrino,
    "dark-scalar": _dark_scalar,
    "piS": _dark_scalar,
}
