"""Numbers of the projection beside those of the letter."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kaongen.analysis.mu_projection_background import Background, kappa_min, position
from kaongen.analysis.record import Kind, Number, Value
from kaongen.analysis.template import template
from kaongen.events.reader import Events
from kaongen.papers import letter, na62_2015
from kaongen.particles import BR_K_MUNU
from kaongen.searches.mu_projection import MuProjection


def numbers(
    backgrounds: Sequence[Events], as_simulated: Background, of_2015: Background, settings: MuProjection
) -> list[Number]:
    """What the letter prints of the data of 2015 and of the background, with kaongen's counterparts.

    Parameters
    ----------
    backgrounds
        Samples; the first of K+ -> mu+ nu in the volume gives the acceptance.
    as_simulated, of_2015
        Background before and after it was normalised.
    settings
        Choices. What they change of the letter's has no published number beside it.
    """
    defaults = MuProjection(name="mu_projection")
    as_published = all(
        getattr(settings, key) == getattr(defaults, key)
        for key in ("kaons_2015", "events_first", "events_cut", "kaons", "first_bin", "cut_minimum")
    )
    ref = letter.REFERENCE
    found: list[Number] = []

    def add(
        name: str, value: Value | float, kind: Kind, published: float | None, error: float | None = None, by: str = ref
    ) -> None:
        obtained = value if isinstance(value, Value) else Value(value=value)
        found.append(
            Number(
                name=name, value=obtained.value, error=obtained.error or None, kind=kind,
                published=published if as_published else None, published_error=error if as_published else None,
                reference=by,
            )
        )  # fmt: skip

    per = f"per {settings.kaons_2015:g} kaons"
    peak = next((s for s in backgrounds if s.info.process == "munu" and s.info.zone == "volume"), None)
    if peak is not None:
        window = na62_2015.NORMALISATION_WINDOW.value
        a = template(peak, [-window, window]).total
        add("2015: acceptance of K+ -> mu+ nu", a, "prediction", na62_2015.ACCEPTANCE_LETTER)
        scale = settings.kaons_2015 * BR_K_MUNU.value
        events = Value(value=scale * a.value, error=scale * a.error)
        add(f"2015: K+ -> mu+ nu {per}", events, "prediction", na62_2015.TRIGGERS)
    border = position(as_simulated.edges, settings.cut_minimum)
    ranges = (
        (slice(None, border), f"{settings.first_bin:g} < m2_miss < {settings.cut_minimum:g} GeV^2"),
        (slice(border, None), f"m2_miss > {settings.cut_minimum:g} GeV^2"),
    )
    for (part, text), counted in zip(ranges, (settings.events_first - settings.events_cut, settings.events_cut),
                                     strict=True):  # fmt: skip
        value = math.fsum(as_simulated.total[part])
        error = math.sqrt(math.fsum(float((e[part] ** 2).sum()) for e in as_simulated.errors.values()))
        add(f"2015: events {per}, {text}, simulated", Value(value=value, error=error), "prediction", counted)
        add(f"2015: events {per}, {text}, normalised", math.fsum(of_2015.total[part]), "tuned", counted)
    cut = settings.cut_minimum
    add(f"2015: kappa_min = 1/sqrt(B), m2_miss > {cut:g} GeV^2", kappa_min(of_2015, cut), "prediction",
        letter.KAPPA_MIN_2015)  # fmt: skip
    growth = settings.kaons / settings.kaons_2015
    for suppression, events_known, kappa_known, by in (
        (letter.SUPPRESSION, letter.BACKGROUND, letter.KAPPA_MIN, ref),
        (letter.PREPRINT_SUPPRESSION, letter.PREPRINT_BACKGROUND, letter.PREPRINT_KAPPA_MIN, letter.PREPRINT),
    ):
        projected = of_2015.times(growth / suppression)
        text = f"{settings.kaons:g} kaons, background over {suppression:g}"
        add(f"{text}: events, m2_miss > {cut:g} GeV^2", projected.above(cut), "prediction", events_known, by=by)
        add(f"{text}: kappa_min", kappa_min(projected, cut), "prediction", kappa_known, by=by)
    return found
