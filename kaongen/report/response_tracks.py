"""Figures of the candidate as a track: errors of the STRAW, its acceptance, decays in flight and kinks."""

from __future__ import annotations

import numpy as np

from kaongen.beam import PION_LENGTH_PER_GEV
from kaongen.decays.workspace import PX, PY, PZ, vertex_rows
from kaongen.detector import acceptance, flight, straw, tracking
from kaongen.detector.flight import MUON, PION
from kaongen.event_block import (
    EFFICIENCY,
    K_X,
    K_Y,
    K_Z,
    R_PX,
    R_PY,
    R_PZ,
    T_END_P,
    T_KINK_Z,
    T_P,
    T_Z,
    EventBlock,
)
from kaongen.jit import BLOCK, row
from kaongen.report.response_panels import (
    KEY,
    SPECIES_COLOURS,
    Array,
    Axis,
    Curve,
    Map,
    Model,
    Panel,
    Subject,
    histogram,
    scan,
)

_SLOPE = 5e-3
"""Of candidates to the beam's axis (rad), where one is needed."""

_NAMES = {PION: "pion", MUON: "muon"}


def momenta() -> Array:
    """Where smooth curves are evaluated (GeV)."""
    return np.linspace(3.0, 75.0, 145)


def spectrometer(model: Model) -> Subject:
    """Errors of momentum and angle, and what becomes of tracks with a kink."""
    detector, p = model.detector, momenta()
    constant, linear, floor, scattering = detector.straw[: straw.ANGLE_SCATTERING + 1]
    error = 1e2 * scan(straw.momentum_error, p, constant, linear)
    angle = 1e6 * scan(straw.angle_error, p, floor, scattering)
    few = np.array([5.0, 7.5, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 45.0, 60.0, 75.0])
    kinked, gone = [], []
    for kind, blocks in ((PION, 8), (MUON, 48)):
        share, ratio = zip(*(_kinks(model, kind, float(at), blocks) for at in few), strict=True)
        name = _NAMES[kind]
        colour, decay = SPECIES_COLOURS[name], "π → µ" if kind == PION else "µ → e"
        kinked.append(Curve(f"kinked_{name}", decay, few, np.array(share), colour=colour))
        edges = np.linspace(0.0, 1.5, 61)
        gone.append(histogram(f"kinked_momentum_{name}", decay, ratio[6], edges, colour=colour))
    found = np.array([_found(model, float(at)) for at in few])
    momentum = Axis("p", "GeV")
    return Subject(
        "straw",
        "STRAW: errors, and tracks with a kink",
        (
            Panel(
                "error of the momentum", momentum, Axis("σ(p)/p", "%", low=0.0),
                (Curve("momentum_error", "", p, error, colour=0),),
            ),
            Panel(
                "error of the direction", momentum, Axis("σ(dx/dz)", "µrad", log=True),
                (Curve("angle_error", "", p, angle, colour=0),),
            ),
            Panel(
                "track found", momentum, Axis("probability", low=0.0, high=1.05),
                (Curve("found", "without a kink", few, found, colour=5),
                 *kinked),
            ),
            Panel(
                "measured momentum with a kink, 30 GeV", Axis("measured p / p before the decay"),
                Axis("density", log=True), tuple(gone),
            ),
        ),
        "kink: a decay between the first and the last chamber; share of these that is a track, over that of others",
    )  # fmt: skip


def _start(event: EventBlock, origin: Array, p: float, z: float, first: int, model: Model) -> None:
    """Candidates of one momentum (GeV) around the beam's axis, from it at z (m)."""
    event.number(first * BLOCK, BLOCK)
    turn = 2.0 * np.pi * (np.arange(BLOCK) + 0.5) / BLOCK
    axis = model.number("beam.axis_slope")
    sx, sy = axis + _SLOPE * np.cos(turn), _SLOPE * np.sin(turn)
    along = p / np.sqrt(1.0 + sx**2 + sy**2)
    for place, values in ((PX, sx * along), (PY, sy * along), (PZ, along)):
        row(event.momenta[0], place)[:] = values
    for place, value in ((K_X, axis * (z - model.number("beam.axis_origin"))), (K_Y, 0.0), (K_Z, z)):
        row(origin, place)[:] = value


def _fly(model: Model, kind: int, p: float, first: int, event: EventBlock, origin: Array) -> None:
    detector = model.detector
    _start(event, origin, p, 150.0, first, model)
    end = float(model.number("lkr.z")) if kind == PION else detector.muv3_z
    first_z = float(detector.chamber_z[0])
    flight.candidate(
        BLOCK, KEY, event.index, 1.0, kind, end, first_z, True, origin, event.momenta[0], event.track, event.fate
    )


def _measure(model: Model, event: EventBlock) -> None:
    d = model.detector
    bending = d.chamber_z, d.magnet_z, d.kick
    tracking.cross_planes(BLOCK, *bending, d.planes, event.track)
    tracking.kinked(BLOCK, *bending, d.planes, event.track)
    straw.measure(BLOCK, KEY, d.straw, *bending, event.index, event.track, event.reco, event.fate)


def _kinks(model: Model, kind: int, p: float, blocks: int) -> tuple[float, Array]:
    """Share of tracks with a kink in the spectrometer that is found, over that of others; and their measured momenta
    over that before the decay."""
    d, event, origin = model.detector, EventBlock(1), vertex_rows()
    before = after = 0.0
    ratios = []
    for first in range(blocks):
        _fly(model, kind, p, first, event, origin)
        at = row(event.track, T_KINK_Z)
        here = (at > d.chamber_z[0]) & (at < d.chamber_z[3])
        efficiency = row(event.fate, EFFICIENCY)
        before += float(efficiency[here].sum())
        _measure(model, event)
        after += float(efficiency[here].sum())
        measured = np.sqrt(sum(row(event.reco, k) ** 2 for k in (R_PX, R_PY, R_PZ)))
        ratios.append((measured / p)[here & (efficiency > 0.0)])
    return after / before / d.straw[straw.FOUND], np.concatenate(ratios)


def _found(model: Model, p: float) -> float:
    """Probability of a track for a particle that does not decay."""
    event, origin = EventBlock(1), vertex_rows()
    _fly(model, MUON, p, 0, event, origin)
    whole = row(event.track, T_KINK_Z) == np.inf
    before = row(event.fate, EFFICIENCY).copy()
    _measure(model, event)
    return float(np.mean((row(event.fate, EFFICIENCY) / before)[whole]))


def chambers(model: Model) -> Subject:
    """Where the chambers see a track."""
    d = model.detector
    panels = []
    for k, (z, hole) in enumerate(zip(d.chamber_z, d.hole_x, strict=True), 1):
        x, y = np.linspace(-1.05, 1.05, 141), np.linspace(-1.05, 1.05, 141)
        if k == 1:
            seen = _map(x, y, float(hole), d.gap, d.radius)
            image = Map("chamber_1", "seen", 1e3 * x, 1e3 * y, seen)
            panels.append(Panel(f"chamber 1, z = {z:.1f} m", Axis("x", "mm"), Axis("y", "mm"), image=image))
        x, y = hole + np.linspace(-0.16, 0.16, 81), np.linspace(-0.16, 0.16, 81)
        image = Map(f"hole_{k}", "seen", 1e3 * x, 1e3 * y, _map(x, y, float(hole), d.gap, d.radius))
        axis = model.number("beam.axis_slope") * (z - model.number("beam.axis_origin"))
        axis -= max(z - d.magnet_z, 0.0) * d.kick / d.beam_momentum
        marks = ((1e3 * axis, "axis of the beam"),)
        panels.append(Panel(f"around the beam, chamber {k}", Axis("x", "mm"), Axis("y", "mm"), (), image, marks))
    return Subject("acceptance", "STRAW: acceptance of the chambers", tuple(panels))


def _map(x: Array, y: Array, hole: float, gap: float, radius: float) -> Array:
    inside = acceptance.in_straw_chamber
    return np.array([[float(inside(float(a), float(b), hole, gap, radius)) for a in x] for b in y])


def decays(model: Model) -> Subject:
    """Decays of the candidate in flight."""
    number, p = model.number, momenta()
    start, end = model.array("beam.decay_volume")
    middle, first = 0.5 * (start + end), float(model.detector.chamber_z[0])
    curves = []
    for kind, length, end_z, shares in (
        (PION, PION_LENGTH_PER_GEV, number("lkr.z"), flight.FORCED_PIONS),
        (MUON, flight.MUON_LENGTH_PER_GEV, model.detector.muv3_z, flight.FORCED_MUONS),
    ):
        early, late = np.zeros(len(p)), np.zeros(len(p))
        for i, at in enumerate(p):
            to_first, to_end = (flight.lengths_to(plane, middle, at, at, length) for plane in (first, end_z))
            for u, share, into in ((0.0, shares[0], early), (shares[0], shares[1], late)):
                _, weight = flight.decay_point(u, 0.5, to_first, to_end, *shares, True)
                into[i] = weight * share
        name = _NAMES[kind]
        symbol, colour = ("π", 0) if kind == PION else ("µ", 1)
        detector = "LKr" if kind == PION else "MUV3"
        curves.append(Curve(f"{name}_early", f"{symbol}, before STRAW 1", p, early, colour=colour))
        curves.append(Curve(f"{name}_late", f"{symbol}, STRAW 1 to {detector}", p, late, colour=colour, dashes="--"))
    return Subject(
        "flight",
        "Decays of the candidate in flight",
        (
            Panel(
                f"probability, from z = {middle:.1f} m", Axis("p", "GeV"), Axis("probability", log=True), tuple(curves)
            ),
            Panel(
                "momentum of the daughter, parent of 30 GeV", Axis("p(daughter) / p(parent)"), Axis("density"),
                (_daughters(model, PION), _daughters(model, MUON)),
            ),
        ),
    )  # fmt: skip


def _daughters(model: Model, kind: int) -> Curve:
    event, origin, values, weights = EventBlock(1), vertex_rows(), [], []
    for first in range(8 if kind == PION else 96):
        _fly(model, kind, 30.0, first, event, origin)
        at, start = row(event.track, T_KINK_Z), row(event.track, T_Z)
        ratio = np.where(at < np.inf, row(event.track, T_END_P), row(event.track, T_P)) / 30.0
        decayed = (at < np.inf) | (start > 150.0)
        values.append(ratio[decayed])
        weights.append(row(event.fate, EFFICIENCY)[decayed].copy())
    weight = np.concatenate(weights)
    label = "π → µν" if kind == PION else "µ → eνν"
    name = f"daughter_of_{_NAMES[kind]}"
    return histogram(
        name, label, np.concatenate(values), np.linspace(0.0, 1.02, 52), weight / weight.mean(), colour=kind
    )
