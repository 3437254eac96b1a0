"""An event made again from its number, looked at step by step.

An event is a function of the card and of its number alone: nothing has to be stored to see all of it. Other than in
production, an event whose candidate is outside the acceptance goes on to the end, so that one can see why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.mu_selection import MuonSelection
from kaongen.analysis.pi_selection import PionSelection
from kaongen.configuration import Candidate
from kaongen.detector.stage import Stage
from kaongen.detector.surroundings import BEGIN, Hit, Point, Surroundings
from kaongen.errors import EventFileError
from kaongen.event_block import (
    ACCEPTANCE,
    EFFICIENCY,
    K_DX,
    K_DY,
    K_E,
    K_PX,
    K_PY,
    K_PZ,
    K_X,
    K_Y,
    K_Z,
    M2_TRUE,
    R_CDA,
    R_EOP,
    R_KPX,
    R_KPY,
    R_KPZ,
    R_M2,
    R_PX,
    R_PY,
    R_PZ,
    R_VX,
    R_VY,
    R_VZ,
    SURVIVAL,
    T_ELECTRON_Z,
    T_MUON_Z,
    T_PX,
    T_PY,
    T_PZ,
    T_QX,
    T_QY,
    T_QZ,
    EventBlock,
)
from kaongen.events.shard import columns_of, read_metadata
from kaongen.jit import BLOCK
from kaongen.particles import M_E, M_K, M_MU, M_PI
from kaongen.production.chain import Lane
from kaongen.production.selection import MEASURED_ROWS, TABLES, Selection
from kaongen.production.source import chain, info
from kaongen.random import stream_key
from kaongen.replay.history import (
    History,
    Momentum,
    Origin,
    Particle,
    Reconstruction,
    Step,
    Stored,
)
from kaongen.replay.rows import BEAM, RECO, TRACK, changed
from kaongen.replay.target import Wanted

_SELECTIONS: dict[Candidate, Selection] = {"muon": MuonSelection(), "pion": PionSelection()}
_MASSES: dict[Candidate, float] = {"muon": M_MU, "pion": M_PI}

ACCEPTANCE_PLANES = (
    *(f"STRAW {k}" for k in range(1, 5)), "RICH", "CHOD tiles", "CHOD slabs", "LKr", "MUV3",
)  # fmt: skip
"""What the candidate has to be inside of."""


def replay(wanted: Wanted, selection: Selection | None = None) -> History:
    """Make one event again, and write down what happens to it.

    Parameters
    ----------
    wanted
        From `find_event`.
    selection
        The cuts; by default those on the one particle that the detector's configuration is for.

    Raises
    ------
    KaongenError
        If the sample cannot be made, or a file holds another event under this number.
    """
    card, part = wanted.card, wanted.sample
    configuration = card.configuration()
    if configuration.candidate == "three muons":
        raise EventFileError(
            f"{wanted.target}: the detector {card.detector.configuration!r} looks for three muons: only those with a "
            "single candidate can be followed through it"
        )
    selection = selection or _SELECTIONS[configuration.candidate]
    made = chain(part, configuration, card.detector.vetoes)
    key = stream_key(card.run.seed, part.name)
    lane = made.lane(key, wanted.index)
    event, truth, steps = _run(lane, key, wanted.index, made.block())
    around = Surroundings(configuration)
    station = configuration.number("gtk.z")
    sample = info(part)
    decay = sample.components[lane.component] if sample.components else sample
    cuts = tuple(selection.explain(event, 0))
    selected = all(cut.passed for cut in cuts)
    origin = Origin(
        target=wanted.target,
        sample=part.name,
        index=wanted.index,
        component=lane.component,
        process=decay.process,
        decay=decay.decay,
        parameters=decay.parameters,
        seed=card.run.seed,
        card_sha256=card.sha256(),
        kaongen_version=version("kaongen"),
        detector=card.detector.configuration,
        vetoes=card.detector.vetoes,
    )
    return History(
        origin=origin,
        kaon=_kaon(event, around, station),
        particles=tuple(_particles(lane, event, truth, around)),
        steps=tuple(steps),
        reconstruction=_reconstruction(event, _MASSES[configuration.candidate]),
        acceptance=_one(event.fate, ACCEPTANCE),
        efficiency=_one(event.fate, EFFICIENCY),
        survival=_one(event.fate, SURVIVAL),
        generated=truth.weight,
        weight=float(event.weight[0]),
        cuts=cuts,
        selected=selected,
        stored=_compared(wanted, TABLES[configuration.candidate].names, lane, event, selected),
    )


@dataclass(frozen=True)
class _Truth:
    """Momentum and origin of each slot, before the detector.

    weight : of the event as it was generated. track : rows of the candidate's, before it scatters in the first chamber,
    and deflection : what that adds to its slopes.
    """

    momenta: tuple[Momentum, ...]
    origins: tuple[Point, ...]
    weight: float
    track: NDArray[np.float64]
    deflection: tuple[float, float]


def _one(columns: NDArray[np.float64], number: int) -> float:
    """The first event's value of a row."""
    return float(columns[number * BLOCK])


def _four(columns: NDArray[np.float64], px: int, py: int, pz: int, e: int) -> Momentum:
    return Momentum(*(_one(columns, number) for number in (px, py, pz, e)))


def _point(columns: NDArray[np.float64], x: int, y: int, z: int) -> Point:
    return Point(*(_one(columns, number) for number in (x, y, z)))


def _run(lane: Lane, key: np.uint64, index: int, event: EventBlock) -> tuple[EventBlock, _Truth, list[Step]]:
    event.take(np.array([index], dtype=np.uint64))
    # whatever a stage does not write stays what no stage writes
    event.track[:] = np.nan
    event.reco[:] = np.nan
    event.fate[:] = 1.0
    lane.begin(key, 1, event)
    weight = float(event.weight[0])
    steps = [_step(stage, key, event) for stage in lane.upstream]
    lane.finish(key, 1, event)
    momenta = tuple(_four(momenta, 0, 1, 2, 3) for momenta in event.momenta)
    origins = tuple(_point(origin, K_X, K_Y, K_Z) for origin in event.origins)
    track, deflection = event.track, (0.0, 0.0)
    for stage in (*lane.propagation, *lane.response):
        scatters = stage.name == "scattering in STRAW 1"
        if scatters:
            track = event.track.copy()
        steps.append(_step(stage, key, event))
        if scatters:
            (x, y), (old_x, old_y) = _slopes(event.track), _slopes(track)
            deflection = (x - old_x, y - old_y)
    return event, _Truth(momenta, origins, weight, track, deflection), steps


def _slopes(track: NDArray[np.float64]) -> tuple[float, float]:
    return _one(track, T_PX) / _one(track, T_PZ), _one(track, T_PY) / _one(track, T_PZ)


def _step(stage: Stage, key: np.uint64, event: EventBlock) -> Step:
    """Run a stage, and see what it does."""
    columns = (event.track, event.reco, event.beam)
    before = [rows[::BLOCK].copy() for rows in columns]
    chances = [*event.fate[::BLOCK].tolist(), float(event.weight[0])]
    stage.run(key, 1, event)
    now = [*event.fate[::BLOCK].tolist(), float(event.weight[0])]
    acceptance, efficiency, survival, weight = (
        new / old if old > 0.0 else None for old, new in zip(chances, now, strict=True)
    )
    written = (
        quantity
        for names, old, rows in zip((TRACK, RECO, BEAM), before, columns, strict=True)
        for quantity in changed(names, old, rows[::BLOCK])
    )
    return Step(stage.name, stage.subject, acceptance, efficiency, survival, weight, tuple(written))


def _reconstruction(event: EventBlock, candidate_mass: float) -> Reconstruction:
    reco = event.reco

    def finite(number: int) -> float | None:
        value = _one(reco, number)
        return value if math.isfinite(value) else None

    def momentum(px: int, py: int, pz: int, mass: float) -> Momentum | None:
        x, y, z = (_one(reco, number) for number in (px, py, pz))
        e = math.sqrt(x * x + y * y + z * z + mass * mass)
        return Momentum(x, y, z, e) if math.isfinite(e) else None

    vertex = _point(reco, R_VX, R_VY, R_VZ)
    return Reconstruction(
        kaon=momentum(R_KPX, R_KPY, R_KPZ, M_K),
        candidate=momentum(R_PX, R_PY, R_PZ, candidate_mass),
        vertex=vertex if math.isfinite(vertex.x + vertex.y + vertex.z) else None,
        true_vertex=_point(event.beam, K_X, K_Y, K_Z),
        cda=finite(R_CDA),
        m2_miss=finite(R_M2),
        m2_miss_true=finite(M2_TRUE),
        eop=finite(R_EOP),
    )


def _particles(lane: Lane, event: EventBlock, truth: _Truth, around: Surroundings) -> Iterator[Particle]:
    """All slots, and what the candidate becomes in flight."""
    final = lane.final
    parents = {slot: s.parent for s in final.secondaries for slot in s.products}
    ends = {s.parent: truth.origins[s.products[0]] for s in final.secondaries}
    heirs = list(_heirs(lane, truth, around))
    made = lane.sampler.particles
    for slot, species in enumerate(final.species):
        if made <= slot < final.daughters:
            # part of a system that is not resolved, and stands in the last slot that is
            continue
        unresolved = made < final.daughters and slot == made - 1
        name = " ".join(s.name for s in final.species[slot : final.daughters]) if unresolved else species.name
        momentum, start = truth.momenta[slot], truth.origins[slot]
        mine = slot == lane.candidate
        until = heirs[0].z if mine and heirs else ends[slot].z if slot in ends else None
        route = around.route(
            species.name, species.charge, (momentum.px, momentum.py, momentum.pz), start,
            until=until, deflection=truth.deflection if mine else (0.0, 0.0), visible=species.visible,
            planes=_planes(around, mine, start.z, until),
        )  # fmt: skip
        yield Particle(
            slot, name, parents.get(slot), False, mine, species.charge, species.visible,
            momentum, start, route.end, route.path, route.hits,
        )  # fmt: skip
    number = len(final.species)
    charge = final.species[lane.candidate].charge
    for heir in heirs:
        q, start = heir.momentum, heir.start(around, charge)
        turned = heir.turned(around, charge)
        route = around.route(
            heir.name, charge, (q.px, q.py, q.pz), start, turned=turned, deflection=truth.deflection,
            planes=_planes(around, True, heir.z, None),
        )  # fmt: skip
        yield Particle(
            number, heir.name, lane.candidate, True, False, charge, True, q, start, route.end, route.path, route.hits
        )
        before = heir.parent
        rest = Momentum(before.px - q.px, before.py - q.py, before.pz - q.pz, before.e - q.e)
        route = around.route("nu", 0, (rest.px, rest.py, rest.pz), start, turned=turned, visible=False)
        name = "neutrino" if heir.name.startswith("mu") else "neutrinos"
        yield Particle(
            number + 1, name, lane.candidate, True, False, 0, False, rest, start, route.end, route.path, route.hits
        )


def _planes(around: Surroundings, candidate: bool, start: float, until: float | None) -> tuple[str, ...]:
    if not candidate:
        return ()
    fronts = {e.name: e.front for e in around.elements}
    return tuple(n for n in ACCEPTANCE_PLANES if start < fronts[n] and (until is None or fronts[n] < until))


def _kaon(event: EventBlock, around: Surroundings, station: float) -> Particle:
    """What decays, with the momentum that it has then; `station` is where it may have been deflected (z, m)."""
    momentum = _four(event.beam, K_PX, K_PY, K_PZ, K_E)
    vertex = _point(event.beam, K_X, K_Y, K_Z)
    gtk = next((e for e in around.elements if e.system == "GTK3"), None)

    deflection = (_one(event.beam, K_DX), _one(event.beam, K_DY))

    def at(z: float) -> Point:
        distance, before = (z - vertex.z) / momentum.pz, min(z - station, 0.0)
        x, y = vertex.x + momentum.px * distance, vertex.y + momentum.py * distance
        return Point(x - deflection[0] * before, y - deflection[1] * before, z)

    hits: tuple[Hit, ...] = ()
    if gtk is not None and vertex.z > gtk.front:
        there = at(gtk.front)
        hits = (Hit("GTK3", there.x, there.y, there.z, gtk.aperture.inside(there.x, there.y)),)
    start = at(min(BEGIN, vertex.z))
    mass2 = momentum.e * momentum.e - momentum.p * momentum.p
    name = "K+" if mass2 > 0.5 * (M_K * M_K + M_PI * M_PI) else "pi+"
    path = (start, at(station), vertex) if any(deflection) and start.z < station else (start, vertex)
    return Particle(None, name, None, False, False, 1, True, momentum, start, "decays", path, hits)


@dataclass(frozen=True)
class _Heir:
    """What the candidate becomes at z (m): its momentum without kick and deflection that its parent has had before.

    parent : the momentum of what decays, begins : where that does, and deflection : what the first chamber, at
    chamber_z (m), adds to the slopes.
    """

    name: str
    z: float
    momentum: Momentum
    parent: Momentum
    begins: Point
    deflection: tuple[float, float]
    chamber_z: float

    def turned(self, around: Surroundings, charge: int) -> float:
        """Bend of the parent (rad), where it decays behind the magnet."""
        behind = self.begins.z < around.magnet_z <= self.z
        return around.kick * charge / self.parent.p if behind else 0.0

    def start(self, around: Surroundings, charge: int) -> Point:
        distance = self.z - self.begins.z
        lever = max(self.z - around.magnet_z, 0.0)
        sx, sy = self.parent.px / self.parent.pz, self.parent.py / self.parent.pz
        behind = max(self.z - self.chamber_z, 0.0)
        x = self.begins.x + sx * distance + self.deflection[0] * behind - lever * self.turned(around, charge)
        return Point(x, self.begins.y + sy * distance + self.deflection[1] * behind, self.z)


def _heirs(lane: Lane, truth: _Truth, around: Surroundings) -> Iterator[_Heir]:
    """Decays in flight of the candidate, as the rows of its track tell them: to a muon, or to an electron."""
    species = lane.final.species[lane.candidate]
    parent, begins = truth.momenta[lane.candidate], truth.origins[lane.candidate]
    sign = "+" if species.charge > 0 else "-"
    for row, name, mass in ((T_MUON_Z, f"mu{sign}", M_MU), (T_ELECTRON_Z, f"e{sign}", M_E)):
        z = _one(truth.track, row)
        if not math.isfinite(z) or z < begins.z or species.name == name:
            continue
        # before the first chamber, the daughter has taken the track over
        columns = (T_PX, T_PY, T_PZ) if z < around.chamber_z else (T_QX, T_QY, T_QZ)
        px, py, pz = (_one(truth.track, number) for number in columns)
        momentum = Momentum(px, py, pz, math.sqrt(px * px + py * py + pz * pz + mass * mass))
        yield _Heir(name, z, momentum, parent, begins, truth.deflection, around.chamber_z)
        return


def _compared(wanted: Wanted, names: tuple[str, ...], lane: Lane, event: EventBlock, selected: bool) -> Stored | None:
    """What the file says of the event; refused where that is another one."""
    if wanted.shard is None:
        return "not there" if wanted.lost else None
    path = wanted.shard
    if (found_names := read_metadata(path).table.names) != names:
        raise EventFileError(f"{path} has other columns than this kaongen writes: {', '.join(found_names)}")
    with columns_of(path) as read:
        index = read("index")
        at = int(np.searchsorted(index, np.uint64(wanted.index)))
        found = at < len(index) and int(index[at]) == wanted.index
        stored = {name: read(name)[at] for name in names} if found else {}
    made: dict[str, np.generic] = {
        "index": event.index[0],
        "weight": event.weight[0],
        "component": np.uint8(lane.component),
    }
    made.update((n, np.float32(_one(event.reco, r))) for n, r in zip(names[3:], MEASURED_ROWS, strict=True))
    if found != selected:
        kept = ("kept", "does not keep it") if found else ("did not keep", "keeps it")
        raise EventFileError(
            f"{path}: its selection {kept[0]} candidate {wanted.index}, and made again the selection {kept[1]}: "
            "the file comes from another code"
        )
    for name, value in stored.items():
        if value.tobytes() != made[name].tobytes():
            raise EventFileError(
                f"{path}: candidate {wanted.index} has {name} = {value}, and made again {made[name]}: "
                "the file comes from another code, or is damaged (kaongen validate tells)"
            )
    return "identical" if found else "not selected"
