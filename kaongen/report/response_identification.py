"""Figures of what the candidate is taken for: RICH, LKr, calorimeters, MUV3, and factors that nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kaongen.analysis.mu_selection import MuonSelection
from kaongen.detector import chod, gtk, identification, ktag, lkr, muv3, rich, straw
from kaongen.detector.identification import ELECTRON, MASSES, MUON, PION
from kaongen.event_block import (
    EFFICIENCY,
    FROM_START,
    R_EOP,
    R_PX,
    R_PY,
    R_PZ,
    T_CHARGE,
    T_ELECTRON_Z,
    T_END_P,
    T_KINK_Z,
    T_LKR_ENERGY,
    T_MUON_Z,
    T_MUV3_X,
    T_MUV3_Y,
    T_P,
    T_PX,
    T_PY,
    T_PZ,
    EventBlock,
)
from kaongen.jit import BLOCK, row
from kaongen.report.response_panels import (
    KEY,
    SPECIES_COLOURS,
    Array,
    Axis,
    Curve,
    Model,
    Panel,
    Subject,
    bars,
    histogram,
    scan,
)

_KINDS = ((PION, "pion", "π"), (MUON, "muon", "µ"), (ELECTRON, "electron", "e"))


def candidate(event: EventBlock, kind: int, p: Array | float) -> None:
    """Let the candidates of a block be of one kind, with these momenta (GeV) along z, measured without error."""
    event.number(0, BLOCK)
    row(event.track, T_CHARGE)[:] = 1.0
    for place in (T_P, T_END_P, T_PZ):
        row(event.track, place)[: np.size(p) if np.ndim(p) else BLOCK] = p
    row(event.track, T_KINK_Z)[:] = np.inf
    row(event.track, T_MUON_Z)[:] = np.inf if kind == PION else FROM_START
    row(event.track, T_ELECTRON_Z)[:] = FROM_START if kind == ELECTRON else np.inf
    for place in (T_PX, T_PY):
        row(event.track, place)[:] = 0.0
    row(event.reco, R_PX)[:], row(event.reco, R_PY)[:] = 0.0, 0.0
    row(event.reco, R_PZ)[:] = row(event.track, T_P)
    row(event.fate, EFFICIENCY)[:] = 1.0


def _momenta() -> Array:
    return np.linspace(1.0, 75.0, 371)


def _by_momentum(kind: int, run: Callable[[int, EventBlock], Any]) -> Array:
    """Probability that a kernel gives candidates of one kind, at the momenta above."""
    event, p = EventBlock(0), _momenta()
    candidate(event, kind, p)
    run(len(p), event)
    return np.array(row(event.fate, EFFICIENCY)[: len(p)])


def _identified(z: float, used_below: float, table: Array) -> tuple[Curve, ...]:
    curves = []
    for kind, name, symbol in _KINDS:

        def run(n: int, event: EventBlock) -> None:
            identification.identify(n, z, used_below, table, event.track, event.fate)

        curves.append(
            Curve(f"identified_{name}", symbol, _momenta(), _by_momentum(kind, run), colour=kind_colour(name))
        )
    return tuple(curves)


def kind_colour(name: str) -> int:
    """The colour of a particle in all figures."""
    return SPECIES_COLOURS[name]


def rings(model: Model) -> Subject:
    """RICH."""
    detector, p = model.detector, np.linspace(5.0, 75.0, 281)
    made = rich.Rings(*detector.rich[rich.REFRACTIVITY : rich.HITS + 1])
    angles, light = [], []
    for mass, (_, name, symbol) in zip(MASSES, _KINDS, strict=True):
        lit = made.light(mass, p) > 0.5
        angle, error = 1e3 * made.angle(mass, p), 1e3 * made.error(mass, p)
        band = (angle - error)[lit], (angle + error)[lit]
        angles.append(Curve(f"angle_{name}", symbol, p[lit], angle[lit], colour=kind_colour(name), band=band))
        light.append(Curve(f"hits_{name}", symbol, p, made.light(mass, p), colour=kind_colour(name)))
    table = _identified(detector.rich[rich.MIRROR_Z], detector.rich_used_below, detector.rich_table)
    hypothesis = "pion" if model.configuration.candidate == "pion" else "muon"
    momentum = Axis("p", "GeV")
    return Subject(
        "rich",
        "RICH",
        (
            Panel(f"taken for a {hypothesis}", momentum, Axis("probability", log=True, low=1e-4, high=2.0), table),
            Panel("angle of the ring, with its error", momentum, Axis("angle", "mrad"), tuple(angles)),
            Panel("light", momentum, Axis("mean number of hits"), tuple(light)),
        ),
    )


def _energies(model: Model, kind: int, p: float, blocks: int) -> Array:
    """E/p of candidates of one kind and momentum (GeV)."""
    event, parts = EventBlock(0), []
    candidate(event, kind, p)
    for first in range(blocks):
        event.number(first * BLOCK, BLOCK)
        row(event.track, T_LKR_ENERGY)[:] = 0.0
        lkr.deposit(BLOCK, KEY, model.detector.lkr, event.index, event.track)
        lkr.energy_over_momentum(BLOCK, KEY, model.detector.lkr, event.index, event.track, event.reco)
        parts.append(row(event.reco, R_EOP).copy())
    return np.concatenate(parts)


def krypton(model: Model) -> Subject:
    """LKr."""
    energies, resolution = np.geomspace(0.3, 75.0, 121), model.detector.lkr[lkr.STOCHASTIC : lkr.CONSTANT + 1]
    error = 1e2 * scan(lkr.sigma_energy, energies, *resolution) / energies
    edges, cut = np.linspace(0.0, 1.3, 131), float(MuonSelection().eop_max)
    few = np.array([5.0, 7.5, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 75.0])
    shapes, below = [], []
    for kind, name, symbol in _KINDS:
        shapes.append(
            histogram(f"eop_{name}", symbol, _energies(model, kind, 30.0, 24), edges, colour=kind_colour(name))
        )
        above = np.array([np.mean(_energies(model, kind, float(p), 12) >= cut) for p in few])
        below.append(Curve(f"above_cut_{name}", symbol, few, above, colour=kind_colour(name)))
    return Subject(
        "lkr",
        "LKr",
        (
            Panel(
                "E/p at 30 GeV", Axis("E/p"), Axis("density", log=True, low=1e-4, high=300.0), tuple(shapes),
                marks=((cut, "muon selection"),),
            ),
            Panel(
                "resolution", Axis("E", "GeV", log=True), Axis("σ(E)/E", "%", log=True),
                (Curve("resolution", "", energies, error, colour=0),),
            ),
            Panel(
                f"E/p above {cut:g}", Axis("p", "GeV"), Axis("probability", log=True, low=1e-4, high=2.0),
                tuple(below),
            ),
        ),
    )  # fmt: skip


def calorimeters(model: Model) -> Subject:
    """LKr, MUV1 and MUV2 together; where they are not asked, E/p alone."""
    momentum = Axis("p", "GeV")
    if model.configuration.candidate == "pion":
        z = model.detector.lkr[lkr.Z]
        curves = _identified(z, np.inf, model.detector.calorimeters)
        title, note = "taken for a pion", "all three together"
    else:
        few, cut, found = np.linspace(5.0, 75.0, 15), float(MuonSelection().eop_max), []
        for kind, name, symbol in _KINDS:
            y = np.array([np.mean(_energies(model, kind, float(p), 12) < cut) for p in few])
            found.append(Curve(f"identified_{name}", symbol, few, y, colour=kind_colour(name)))
        curves, title, note = tuple(found), f"E/p below {cut:g}", "LKr alone"
    return Subject(
        "calorimeters",
        "Identification by calorimeters",
        (Panel(title, momentum, Axis("probability", log=True, high=2.0), curves),),
        note,
    )


def muons(model: Model) -> Subject:
    """MUV3."""
    detector = model.detector
    far = 0.5 * (model.number("muv3.hole") + model.number("muv3.half_side"))

    def signal(n: int, event: EventBlock) -> None:
        row(event.track, T_MUV3_X)[:], row(event.track, T_MUV3_Y)[:] = far, 0.0
        muv3.signal(n, detector.muv3, detector.muv3_table, True, event.track, event.fate)

    curves = [
        Curve(f"signal_{name}", symbol, _momenta(), _by_momentum(kind, signal), colour=kind_colour(name))
        for kind, name, symbol in _KINDS
    ]
    other = scan(lambda p: identification.look_up(detector.muv3_table[muv3.OTHER], p), _momenta())
    curves.append(Curve("accidental", "another particle", _momenta(), other, colour=5, dashes=":"))
    x = np.linspace(0.0, 1.6, 321)
    places = []
    for i, p in enumerate((5.0, 10.0, 20.0, 50.0)):
        event = EventBlock(0)
        candidate(event, MUON, p)
        row(event.track, T_MUV3_X)[: len(x)], row(event.track, T_MUV3_Y)[:] = x, 0.0
        muv3.signal(len(x), detector.muv3, detector.muv3_table, True, event.track, event.fate)
        y = row(event.fate, EFFICIENCY)[: len(x)].copy()
        places.append(Curve(f"signal_by_place_{p:g}", f"µ of {p:g} GeV", x, y, colour=i))
    edges = ((model.number("muv3.hole"), ""), (model.number("muv3.half_side"), "edges"))
    probability = Axis("probability of a signal", log=True, low=1e-4, high=2.0)
    return Subject(
        "muv3",
        "MUV3",
        (
            Panel(f"signal, at x = {far:.1f} m", Axis("p", "GeV"), probability, tuple(curves)),
            Panel(
                "towards the edges", Axis("x where the track points", "m"),
                Axis("probability of a signal", low=0.0, high=1.05), tuple(places), marks=edges,
            ),
        ),
        "curves of particles contain signals of others",
    )  # fmt: skip


def factors(model: Model) -> Subject:
    """What multiplies every event alike."""
    detector, event = model.detector, EventBlock(0)

    def of(run: Callable[[], Any]) -> float:
        candidate(event, MUON, 30.0)
        run()
        return float(row(event.fate, EFFICIENCY)[0])

    bending = detector.chamber_z, detector.magnet_z, detector.kick
    values = {
        "KTAG": of(lambda: ktag.tag(1, detector.ktag_efficiency, event.fate)),
        "STRAW": of(
            lambda: straw.measure(1, KEY, detector.straw, *bending, event.index, event.track, event.reco, event.fate)
        ),
        "CHOD": of(lambda: chod.see(1, detector.chod_efficiency, event.fate)),
        "GTK": detector.gtk[gtk.OWN_FOUND] if detector.beam_average is None else 1.0,
    }
    return Subject(
        "factors",
        "Efficiencies that do not depend on the event",
        (Panel("seen", Axis("detector"), Axis("efficiency", low=0.0, high=1.15), (bars("efficiency", values),)),),
    )  # fmt: skip
