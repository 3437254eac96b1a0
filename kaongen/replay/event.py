"""An event made again from its number, looked at step by step.

An event is a function of the card and of its number alone: nothing has to be stored to see all of it. Other than in
production, an event whose candidate is outside the acceptance goes on to the end, so that one can see why.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import kaongen.event_block as event_block
from kaongen.analysis.mu_selection import MuonSelection
from kaongen.analysis.pi_selection import PionSelection
from kaongen.configuration import Candidate
from kaongen.detector.stage import Stage
from kaongen.detector.surroundings import BEGIN, Hit, Point, Surroundings
from kaongen.errors import CardError, EventFileError, KaongenError, suggestion
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
from kaongen.events.layout import Provenance
from kaongen.events.manifest import MANIFEST, read_manifest, shard_problem
from kaongen.events.shard import columns_of, read_metadata
from kaongen.jit import BLOCK
from kaongen.particles import M_E, M_K, M_MU, M_PI
from kaongen.production.card import Card, SamplePart, read_card, shipped_cards
from kaongen.production.chain import Lane
from kaongen.production.directory import CARD_FILE, read_run_card
from kaongen.production.selection import MEASURED_ROWS, TABLES, Selection
from kaongen.production.source import chain, info
from kaongen.random import stream_key
from kaongen.replay.history import (
    History,
    Momentum,
    Origin,
    Particle,
    Quantity,
    Reconstruction,
    Step,
    Stored,
)

_FORMS = "FILE.h5:EVENT, RUN/SAMPLE:EVENT or CARD/SAMPLE:EVENT"
_EXAMPLE = "na62-muon/munug:1234"

_SELECTIONS: dict[Candidate, Selection] = {"muon": MuonSelection(), "pion": PionSelection()}
_MASSES: dict[Candidate, float] = {"muon": M_MU, "pion": M_PI}

ACCEPTANCE_PLANES = (
    *(f"STRAW {k}" for k in range(1, 5)), "RICH", "CHOD tiles", "CHOD slabs", "LKr", "MUV3",
)  # fmt: skip
"""What the candidate has to be inside of."""


@dataclass(frozen=True)
class Wanted:
    """An event that is asked for: of which sample of which card, and the file that holds it, if there is one.

    shard : where the event is if the selection kept it. lost : whether there is a run, but no shard of it yet.
    """

    target: str
    card: Card
    sample: SamplePart
    index: int
    shard: Path | None = None
    lost: bool = False


def find_event(target: str) -> Wanted:
    """What `FILE.h5:EVENT`, `RUN/SAMPLE:EVENT` or `CARD/SAMPLE:EVENT` means.

    EVENT is the number of a candidate, as in the column `index` of an event file; the sample may be left out where
    there is only one. RUN is a run directory, CARD a card (.toml) or the name of one that ships with the package.

    Raises
    ------
    KaongenError
        If there is no such file, card, sample or candidate, or this version did not make the file.
    """
    place, colon, number = target.rpartition(":")
    if not colon or not place or not re.fullmatch("[0-9]{1,20}", number):
        raise KaongenError(
            f"{target!r} does not name an event: it must be {_FORMS}, with the number of a candidate, as {_EXAMPLE}"
        )
    index = int(number)
    if place.endswith(".h5"):
        return _in_shard(target, Path(place), index)
    for holder, sample in _splittings(place):
        if (Path(holder) / MANIFEST).is_file():
            return _in_run(target, Path(holder), sample, index)
        if holder.endswith(".toml") or holder in shipped_cards():
            card = read_card(holder)
            part = _sample(card, sample, holder)
            _check_index(index, part, holder)
            return Wanted(target, card, part, index)
    if Path(place).is_dir():
        read_manifest(place)  # says what is missing
    raise KaongenError(
        f"there is no run directory or card {place!r}{suggestion(place.partition('/')[0], shipped_cards())} "
        f"(it must be {_FORMS}; cards that ship: {', '.join(shipped_cards())})"
    )


def _splittings(place: str) -> Iterator[tuple[str, str | None]]:
    """What may be a file, with or without a sample behind it."""
    yield place, None
    holder, slash, sample = place.rpartition("/")
    if slash and holder and sample:
        yield holder, sample


def _sample(card: Card, name: str | None, origin: str) -> SamplePart:
    names = [part.name for part in card.sample]
    if name is None:
        if len(names) > 1:
            raise CardError(f"{origin} has several samples: say which, as {origin}/{names[0]}:0 ({', '.join(names)})")
        return card.sample[0]
    if name not in names:
        raise CardError(f"{origin} has no sample {name!r}{suggestion(name, names)} (known: {', '.join(names)})")
    return next(part for part in card.sample if part.name == name)


def _check_index(index: int, part: SamplePart, origin: str) -> None:
    if index >= part.candidates:
        raise KaongenError(
            f"{origin}: the sample {part.name!r} has {part.candidates} candidates: "
            f"the event must be 0 to {part.candidates - 1}, not {index}"
        )


def _check_made_here(provenance: Provenance, origin: Path) -> None:
    here = version("kaongen")
    if provenance.kaongen_version != here:
        raise EventFileError(
            f"{origin} was made by kaongen {provenance.kaongen_version}: only that version makes its events again "
            f"(this is {here})"
        )


def _in_run(target: str, directory: Path, sample: str | None, index: int) -> Wanted:
    manifest = read_manifest(directory)
    _check_made_here(manifest.provenance, directory)
    card = read_run_card(directory)
    if card.sha256() != manifest.provenance.card_sha256:
        raise EventFileError(f"{directory / CARD_FILE} is not the card that the events were made from")
    part = _sample(card, sample, str(directory))
    _check_index(index, part, str(directory))
    for record in manifest.shards:
        if record.sample == part.name and record.first <= index < record.stop:
            if problem := shard_problem(directory, manifest, record):
                raise EventFileError(problem)
            return Wanted(target, card, part, index, shard=directory / record.file)
    return Wanted(target, card, part, index, lost=True)


def _in_shard(target: str, path: Path, index: int) -> Wanted:
    header = read_metadata(path).header
    _check_made_here(header.provenance, path)
    card = _card_of(path, header.provenance)
    part = _sample(card, header.sample.name, str(path))
    if not header.first <= index < header.stop:
        raise EventFileError(
            f"{path} holds candidates {header.first} to {header.stop - 1}: the event must be one of them, not {index}"
        )
    return Wanted(target, card, part, index, shard=path)


def _card_of(path: Path, provenance: Provenance) -> Card:
    """A file knows its card by the checksum alone: it lies in the run directory, or ships with the package."""
    directory = path.absolute().parent.parent
    if (directory / CARD_FILE).is_file():
        card = read_run_card(directory)
        if card.sha256() == provenance.card_sha256:
            return card
        raise EventFileError(f"{directory / CARD_FILE} is not the card that {path} was made from")
    for name in shipped_cards():
        card = read_card(name).changed(seed=provenance.seed)
        if card.sha256() == provenance.card_sha256:
            return card
    raise EventFileError(
        f"{path} does not hold the card that it was made from, only its checksum {provenance.card_sha256[:12]}: "
        f"put the {CARD_FILE} of its run into {directory}"
    )


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
        for names, old, rows in zip((_TRACK, _RECO, _BEAM), before, columns, strict=True)
        for quantity in _changed(names, old, rows[::BLOCK])
    )
    return Step(stage.name, stage.subject, acceptance, efficiency, survival, weight, tuple(written))


def _plane(name: str) -> dict[str, tuple[str, str]]:
    return {f"T_{name.upper()}_{axis}": (f"{name} {axis.lower()}", "m") for axis in "XY"}


_ROWS: dict[str, tuple[str, str]] = {
    "T_CHARGE": ("charge", ""),
    "T_P": ("p", "GeV"),
    "T_PX": ("px", "GeV"),
    "T_PY": ("py", "GeV"),
    "T_PZ": ("pz", "GeV"),
    "T_X": ("x", "m"),
    "T_Y": ("y", "m"),
    "T_Z": ("z", "m"),
    "T_MUON_Z": ("muon from z", "m"),
    "T_ELECTRON_Z": ("electron from z", "m"),
    "T_KINK_Z": ("kink z", "m"),
    "T_QX": ("px behind the kink", "GeV"),
    "T_QY": ("py behind the kink", "GeV"),
    "T_QZ": ("pz behind the kink", "GeV"),
    "T_END_P": ("p at the RICH", "GeV"),
    **{f"T_{axis}{k}": (f"STRAW {k} {axis.lower()}", "m") for k in range(1, 5) for axis in "XY"},
    **_plane("RICH"),
    **_plane("tile"),
    **_plane("slab"),
    **_plane("LKr"),
    **_plane("MUV3"),
    "T_LKR_ENERGY": ("LKr energy", "GeV"),
    "R_KPX": ("kaon px", "GeV"),
    "R_KPY": ("kaon py", "GeV"),
    "R_KPZ": ("kaon pz", "GeV"),
    "R_KX": ("kaon x", "m"),
    "R_KY": ("kaon y", "m"),
    "R_PX": ("px", "GeV"),
    "R_PY": ("py", "GeV"),
    "R_PZ": ("pz", "GeV"),
    "R_X": ("x", "m"),
    "R_Y": ("y", "m"),
    "R_VX": ("vertex x", "m"),
    "R_VY": ("vertex y", "m"),
    "R_VZ": ("vertex z", "m"),
    "R_CDA": ("closest approach", "m"),
    "R_M2": ("m2_miss", "GeV²"),
    "R_EOP": ("E/p", ""),
    "R_COS": ("cosine", ""),
    "M2_TRUE": ("m2_miss true", "GeV²"),
    "R_TRACK": ("GTK track", ""),
    "R_DT": ("time from KTAG", "ns"),
    "R_M2_BEAM": ("m2_miss beam", "GeV²"),
    "R_M2_RICH": ("m2_miss RICH", "GeV²"),
    "K_PX": ("true kaon px", "GeV"),
    "K_PY": ("true kaon py", "GeV"),
    "K_PZ": ("true kaon pz", "GeV"),
    "K_E": ("true kaon energy", "GeV"),
    "K_X": ("true vertex x", "m"),
    "K_Y": ("true vertex y", "m"),
    "K_Z": ("true vertex z", "m"),
    "K_DX": ("kaon deflected in x", "rad"),
    "K_DY": ("kaon deflected in y", "rad"),
}
"""What people call the rows of track, reconstruction and beam, and their units."""


def _names(prefixes: tuple[str, ...], rows: int) -> list[tuple[str, str]]:
    """Name and unit of each row; one that is new here keeps the name of its constant."""
    result = [("", "")] * rows
    for constant, number in vars(event_block).items():
        if constant.startswith(prefixes) and isinstance(number, int):
            result[number] = _ROWS.get(constant, (constant, ""))
    return result


_TRACK = _names(("T_",), event_block.TRACK_ROWS)
_RECO = _names(("R_", "M2_"), event_block.RECO_ROWS)
_BEAM = _names(("K_",), event_block.BEAM_ROWS)


def _changed(
    names: list[tuple[str, str]], before: NDArray[np.float64], after: NDArray[np.float64]
) -> Iterator[Quantity]:
    for (name, unit), old, new in zip(names, before, after, strict=True):
        if old.tobytes() != new.tobytes():
            yield Quantity(name, float(new), unit)


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
