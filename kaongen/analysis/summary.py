"""What every search reports of its input: samples, cut flows, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kaongen.analysis.record import Value
from kaongen.analysis.result import CutFlowStep, SampleSummary
from kaongen.analysis.weighted import probability
from kaongen.events.layout import CutCount, Provenance
from kaongen.events.reader import Events
from kaongen.searches.base import SearchSettings


def summarise(sample: Events, role: str, yields: Mapping[str, Value] | None = None) -> SampleSummary:
    """A sample's acceptance and cut flow, with the events expected of it by region."""
    info, tally = sample.info, sample.tally
    return SampleSummary(
        sample=info.name,
        process=info.process,
        decay=info.decay,
        parameters=info.parameters,
        zone=info.zone,
        role=role,
        generated=tally.generated,
        selected=tally.selected,
        above_bound=tally.above_bound,
        branching_fraction=info.branching_fraction,
        acceptance=probability(tally.sum_weights, tally.sum_weights_squared, max(tally.generated, 1)),
        yields=dict(yields or {}),
        cutflow=_steps(tally.cutflow),
    )


def _steps(counts: tuple[CutCount, ...]) -> list[CutFlowStep]:
    steps: list[CutFlowStep] = []
    for count in counts:
        before = steps[-1].sum_weights if steps else 0.0
        efficiency = count.sum_weights / before if before > 0.0 else None
        steps.append(
            CutFlowStep(cut=count.name, events=count.events, sum_weights=count.sum_weights, efficiency=efficiency)
        )
    return steps


def provenance_of(provenance: Provenance, settings: SearchSettings, run: str) -> dict[str, Any]:
    """The fields of a result that say where it comes from and what was chosen."""
    chosen = settings.model_dump(mode="json")
    return {
        "analysis": chosen["name"],
        "run": run,
        "kaongen_version": provenance.kaongen_version,
        "card_sha256": provenance.card_sha256,
        "seed": provenance.seed,
        "detector": provenance.detector,
        "settings": chosen,
        "confidence_level": settings.confidence_level,
    }
