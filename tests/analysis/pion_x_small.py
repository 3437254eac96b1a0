"""A small search for K+ -> pi+ X: card, events and result, made once."""

from functools import cache

from kaongen.analysis.registry import analyse, selection_of
from kaongen.production.card import Card
from kaongen.production.memory import simulate_card

MASSES = (0.0, 0.030, 0.060, 0.090, 0.112, 0.152, 0.170, 0.200, 0.230, 0.262)


def sample(process, candidates, role="background", **more):
    return {"process": process, "candidates": candidates, "role": role} | more


SAMPLES = (
    sample("piX", 60_000, "signal", scan={"m_X": MASSES}),
    sample("pinunu", 300_000),
    sample("pipi0", 800_000),
    sample("munu", 500_000),
    sample("pipienu", 30_000),
    sample("pipipi", 400_000),
    sample("pipi0", 3_000_000, name="pipi0-upstream", zone="upstream"),
)


def card(samples=SAMPLES, detector="na62-2017-pinunu", **settings):
    return Card.model_validate(
        {
            "run": {"name": "small", "seed": 3},
            "detector": {"configuration": detector},
            "sample": samples,
            "analysis": {"name": "pion_x", "mass_step": 0.028, "toys": 2000} | settings,
        }
    )


@cache
def events():
    made = card()
    return simulate_card(made, selection_of(made))


@cache
def result():
    """Masses 0, 28, ..., 84 and 154, 182, 210, 238 MeV."""
    made = card()
    return analyse(events(), made.roles(), made.analysis, "small")
