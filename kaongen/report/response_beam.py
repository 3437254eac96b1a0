"""Figures of the beam and what measures it: beam line, profile, GTK, scattering, data taking."""

from __future__ import annotations

import numpy as np

from kaongen.beam import END_Z, START_Z, Beam
from kaongen.beam_line import BACK, FRONT, HALF_X, HALF_Y, MIDDLE_Y, OUTER_X, OUTER_Y, BeamLine
from kaongen.decays.catalogue import find
from kaongen.decays.mixture import alone
from kaongen.detector import data_taking, gtk, reconstruction, scattering
from kaongen.detector.na62 import NA62
from kaongen.event_block import (
    EFFICIENCY,
    K_PX,
    K_PY,
    K_PZ,
    K_X,
    K_Y,
    K_Z,
    R_CDA,
    R_DT,
    R_KPX,
    R_KPZ,
    R_TRACK,
    T_KINK_Z,
    T_Z,
    EventBlock,
)
from kaongen.jit import BLOCK, row
from kaongen.production.chain import build_chain
from kaongen.report.response_panels import (
    KEY,
    SPECIES_COLOURS,
    Array,
    Axis,
    Box,
    Curve,
    Map,
    Model,
    Panel,
    Subject,
    bars,
    histogram,
)

_BLOCKS = 12
"""Blocks of events behind the histograms of the beam and the GTK."""


def beam(model: Model) -> Subject:
    """What kaons there are, and where they decay."""
    event = EventBlock(0)
    parts: list[list[Array]] = []
    for first in range(_BLOCKS):
        event.number(first * BLOCK, BLOCK)
        model.beam.send(KEY, BLOCK, event)
        px, py, pz = (row(event.beam, k) for k in (K_PX, K_PY, K_PZ))
        back = row(event.beam, K_Z) - model.beam.optics[START_Z]
        x, y = row(event.beam, K_X) - px / pz * back, row(event.beam, K_Y) - py / pz * back
        momentum = np.sqrt(px**2 + py**2 + pz**2)
        parts.append([momentum, 1e3 * px / pz, 1e3 * py / pz, 1e3 * x, 1e3 * y, row(event.beam, K_Z).copy()])
    p, sx, sy, x, y, z = (np.concatenate(values) for values in zip(*parts, strict=True))
    start, end = model.beam.optics[START_Z], model.beam.optics[END_Z]
    cells, x_edges, y_edges = np.histogram2d(x, y, (np.linspace(-32, 40, 37), np.linspace(-20, 20, 21)))
    middle_x, middle_y = 0.5 * (x_edges[1:] + x_edges[:-1]), 0.5 * (y_edges[1:] + y_edges[:-1])
    density = cells.T / (len(x) * np.outer(np.diff(y_edges), np.diff(x_edges)))
    slopes = np.linspace(-0.6, 1.8, 97)
    return Subject(
        "beam",
        "Kaons of the beam",
        (
            Panel(
                "momentum", Axis("p", "GeV"), Axis("density", "1/GeV"),
                (histogram("momentum", "", p, np.linspace(71.0, 79.0, 81), colour=0),),
            ),
            Panel(
                "direction", Axis("slope", "mrad"), Axis("density", "1/mrad"),
                (histogram("slope_x", "dx/dz", sx, slopes), histogram("slope_y", "dy/dz", sy, slopes)),
            ),
            Panel(
                f"profile at z = {start:.0f} m", Axis("x", "mm"), Axis("y", "mm"),
                image=Map("profile", "density [1/mm²]", middle_x, middle_y, density),
            ),
            Panel(
                "where they decay", Axis("z", "m"), Axis("density", "1/m", low=0.0),
                (histogram("decay_z", "", z, np.linspace(start, end, 41), colour=0),),
            ),
        ),
    )  # fmt: skip


def line(model: Model) -> Subject:
    """The axis and what stands around it."""
    made = BeamLine(model.configuration)
    z = np.linspace(60.0, 262.0, 1011)
    x, y = made.axis(z)
    boxes: dict[str, list[Box]] = {"x": [], "y": []}
    for element in made.elements[made.elements[:, OUTER_X] > 0.0]:
        for plane, middle, half, outer in (
            ("x", 0.0, element[HALF_X], element[OUTER_X]),
            ("y", element[MIDDLE_Y], element[HALF_Y], element[OUTER_Y]),
        ):
            for low, high in ((-outer, -half), (half, outer)):
                ends = 1e3 * (middle + low), 1e3 * (middle + high)
                boxes[plane].append(Box(element[FRONT], element[BACK], *ends))
    number = model.number
    marks = ((number("beam_line.ktag_exit"), "end of KTAG"), (number("gtk.z"), "GTK3"))
    around = Axis("z", "m", low=60.0, high=110.0)

    def axis_curve(name: str, values: Array) -> tuple[Curve, ...]:
        return (Curve(name, "axis of the beam", z, 1e3 * values, colour=0),)

    whole = Axis("z", "m", low=60.0, high=262.0)
    return Subject(
        "beam_line",
        "Beam line",
        (
            Panel(
                "vertical, KTAG to GTK3", around, Axis("y", "mm", low=-250.0, high=250.0),
                axis_curve("axis_y", y), marks=marks, boxes=tuple(boxes["y"]),
            ),
            Panel(
                "horizontal, KTAG to GTK3", around, Axis("x", "mm", low=-120.0, high=120.0),
                axis_curve("axis_x_upstream", x), marks=marks, boxes=tuple(boxes["x"]),
            ),
            Panel(
                "horizontal, to the dump", whole, Axis("x", "mm"), axis_curve("axis_x", x),
                marks=((number("straw.magnet_z"), "magnet"), (number("beam_line.sweep_z"), "magnet before the SAC")),
            ),
        ),
        "grey: iron",
    )  # fmt: skip


class _Candidates:
    """Candidates of the commonest two-body decay, accepted and measured by the STRAW, that do not decay in flight."""

    def __init__(self, model: Model) -> None:
        name = "pipi0" if model.configuration.candidate == "pion" else "munu"
        chain = build_chain((alone(find(name), {}),), model.configuration, "accept")
        lane = chain.lanes[0]
        self.model, self.blocks = model, []
        for first in range(_BLOCKS):
            event = chain.block()
            event.number(first * BLOCK, BLOCK)
            lane.decay(KEY, BLOCK, event)
            for stage in lane.propagation:
                stage.run(KEY, BLOCK, event)
            n = event.compact(BLOCK, lane.slots)
            for stage in lane.response:
                stage.run(KEY, n, event)
                if stage.name == "STRAW":
                    break
            whole = (row(event.track, T_KINK_Z) == np.inf) & (row(event.track, T_Z) == row(event.beam, K_Z))
            self.blocks.append((n, event, np.flatnonzero(whole[:n])))

    def measure(self, changes: dict[int, float], average: bool = False) -> tuple[Array, Array, Array, Array]:
        """Which track is taken, its closest approach (m), time (ns) and momentum (GeV), with numbers of the response
        changed."""
        response = self.model.detector.gtk.copy()
        for place, value in changes.items():
            response[place] = value
        z, parts = float(self.model.detector.chamber_z[0]), []
        for n, event, good in self.blocks:
            row(event.fate, EFFICIENCY)[:n] = 1.0
            if average:
                gtk.average(n, gtk.beam_average(self.model.configuration), event.reco)
            else:
                optics = self.model.beam.optics
                gtk.measure(n, KEY, response, False, z, optics, event.index, event.beam, event.reco, event.fate)
            reconstruction.reconstruct(n, response[gtk.Z], z, self.model.detector.mass, event.reco)
            p = np.sqrt(sum(row(event.reco, k)[:n] ** 2 for k in range(R_KPX, R_KPZ + 1)))
            columns = (*(row(event.reco, k)[:n] for k in (R_TRACK, R_CDA, R_DT)), p)
            parts.append([np.array(values[good]) for values in columns])
        track, cda, time, p = (np.concatenate(values) for values in zip(*parts, strict=True))
        return track, cda, time, p


def gtk_tracks(model: Model) -> Subject:
    """The kaon's own track, and others."""
    found = _Candidates(model)
    number = model.number
    rates, windows, cuts = np.linspace(0.0, 1.0, 21), np.linspace(0.05, 1.5, 30), np.geomspace(0.03, 100.0, 36)

    def taken(place: int, values: Array, missing: bool = False) -> tuple[Array, Array]:
        changes = [{place: float(value)} | ({gtk.OWN_FOUND: 0.0} if missing else {}) for value in values]
        tracks = [found.measure(change)[0] for change in changes]
        own, other = ([np.mean(t == gtk.OWN) for t in tracks], [np.mean(t > gtk.OWN) for t in tracks])
        return np.array(own), np.array(other)

    own_rate, other_rate = taken(gtk.RATE, rates)
    _, missing_rate = taken(gtk.RATE, rates, missing=True)
    own_window, other_window = taken(gtk.WINDOW, windows)
    own_cut, _ = taken(gtk.CUT, cuts)
    _, missing_cut = taken(gtk.CUT, cuts, missing=True)
    free = {gtk.CUT: 1e9}
    track, cda, time, momentum = found.measure(free)
    others, other_cda, other_time, _ = found.measure(free | {gtk.OWN_FOUND: 0.0, gtk.RATE: 2.0})
    _, average_cda, _, _ = found.measure({}, average=True)
    own, wrong = track == gtk.OWN, others > gtk.OWN
    edges, times = np.linspace(0.0, 40.0, 81), np.linspace(-1.0, 1.0, 81)
    probability = Axis("probability", low=0.0, high=1.05)
    used = "" if number("gtk.used") else "not used in this configuration, which takes the beam's average: dashed"
    shares = {"own": "own track", "other": "another", "missing": "another, if its own is missing"}
    return Subject(
        "gtk",
        "GTK: which track is taken",
        (
            Panel(
                "track that is taken, against the rate of the beam", Axis("rate", "1/ns"), probability,
                (
                    Curve("own_by_rate", shares["own"], rates, own_rate, colour=0),
                    Curve("other_by_rate", shares["other"], rates, other_rate, colour=1),
                    Curve("other_if_missing_by_rate", shares["missing"], rates, missing_rate, colour=1, dashes="--"),
                ),
                marks=((number("beam.rate"), "this configuration"),),
            ),
            Panel(
                "against the time window", Axis("half-width of the window", "ns"), probability,
                (
                    Curve("own_by_window", shares["own"], windows, own_window, colour=0),
                    Curve("other_by_window", shares["other"], windows, other_window, colour=1),
                ),
                marks=((number("gtk.window"), "this configuration"),),
            ),
            Panel(
                "against the cut on the discriminant", Axis("largest discriminant", "σ²", log=True), probability,
                (
                    Curve("own_by_cut", shares["own"], cuts, own_cut, colour=0),
                    Curve("other_if_missing_by_cut", shares["missing"], cuts, missing_cut, colour=1, dashes="--"),
                ),
                marks=((number("gtk.discriminant_cut"), "this configuration"),)
                if number("gtk.discriminant_cut") < 100.0 else (),
            ),
            Panel(
                "closest approach to the candidate", Axis("CDA", "mm"), Axis("density", "1/mm", log=True),
                (
                    histogram("cda_own", "own track", 1e3 * cda[own], edges, colour=0),
                    histogram("cda_other", "best of others, at 2/ns", 1e3 * other_cda[wrong], edges, colour=1),
                    histogram("cda_average", "beam's average", 1e3 * average_cda, edges, colour=5, dashes="--"),
                ),
            ),
            Panel(
                "time from the kaon's tag", Axis("Δt", "ns"), Axis("density", "1/ns", log=True),
                (
                    histogram("time_own", "own track", time[own], times, colour=0),
                    histogram("time_other", "best of others, at 2/ns", other_time[wrong], times, colour=1),
                ),
            ),
            Panel(
                "measured momentum", Axis("p", "GeV"), Axis("density", "1/GeV"),
                (histogram("momentum", "own track", momentum[own], np.linspace(71, 79, 81), colour=0),),
            ),
        ),
        used,
    )  # fmt: skip


def scatters(model: Model) -> Subject:
    """Probability of a single collision that deflects by more than an angle."""
    detector, number = model.detector, model.number
    p_beam, p_track = number("beam.momentum"), 30.0
    cases = (
        ("kaon", f"K in GTK3, {p_beam:g} GeV", detector.gtk_material, p_beam, number("gtk.thickness")),
        ("muon", f"µ in STRAW 1, {p_track:g} GeV", detector.chamber_material[0], p_track, number("straw.thickness")),
        ("pion", f"π in STRAW 1, {p_track:g} GeV", detector.chamber_material[1], p_track, number("straw.thickness")),
    )
    above: list[Curve] = []
    density: list[Curve] = []
    for name, label, material, p, thickness in cases:
        step = np.linspace(0.0, material[scattering.LOG_RANGE], 401)
        t = material[scattering.LOWEST] * np.exp(step)
        values = np.array([scattering.t_density(at, material) for at in t])
        beyond = np.cumsum((0.5 * (values[1:] + values[:-1]) * step[1])[::-1])[::-1]
        angle, colour = 1e6 * np.sqrt(t) / p, SPECIES_COLOURS[name]
        above.append(Curve(name, label, angle[:-1], beyond, colour=colour))
        width = 1e6 * scattering.highland(p, thickness)
        small = np.geomspace(1.0, 6.0 * width, 60)
        if name != "pion":
            tail = np.exp(-0.5 * (small / width) ** 2)
            above.append(Curve(f"{name}_gaussian", "its Gaussian core", small, tail, colour=colour, dashes=":"))
        density.append(Curve(f"{name}_density", label, t, values, colour=colour))
    return Subject(
        "scattering",
        "Single collisions in thin material",
        (
            Panel(
                "deflected by more than an angle", Axis("angle", "µrad", log=True, low=5.0),
                Axis("probability", log=True, low=1e-8, high=2.0), tuple(above),
            ),
            Panel(
                "against momentum transfer", Axis("t = q²", "GeV²", log=True),
                Axis("probability per unit of ln t", log=True), tuple(density),
            ),
        ),
        "dotted: multiple scattering, which the resolutions contain",
    )  # fmt: skip


def runs(model: Model) -> Subject:
    """Random veto, trigger, downscaling, and KTAG by chance."""
    c, number = model.configuration, model.number
    tau, full = data_taking.veto_time(c), max(number("data_taking.full_rate"), number("beam.rate"))
    rates = np.linspace(0.0, 1.6 * full, 81)
    veto = np.array([data_taking.random_veto(float(rate), tau) for rate in rates])
    few = np.linspace(0.0, 1.6 * full, 9)
    chance = [_chance(model, rate) for rate in few]
    kept = {
        "trigger": number("data_taking.trigger_efficiency"),
        "downscaling": 1.0 / number("data_taking.downscaling"),
        "no random veto": 1.0 - data_taking.random_veto(number("beam.rate"), tau),
        "all": data_taking.recorded_share(c),
    }
    decays, effective = data_taking.kaon_decays(c), data_taking.effective_kaons(c)
    known = f"{decays:.3g} K+ decays, {effective:.3g} after these losses" if decays else "number of spills unknown"
    here = ((number("beam.rate"), "this configuration"),)
    return Subject(
        "data_taking",
        "Data taking",
        (
            Panel(
                "lost to others", Axis("rate of the beam", "1/ns"), Axis("probability", low=0.0),
                (
                    Curve("random_veto", f"random veto, τ = {tau:.2f} ns", rates, veto, colour=1),
                    Curve("tag_by_chance", "KTAG sees another kaon", few, np.array(chance), colour=0),
                ),
                marks=here,
            ),
            Panel(
                "share of accepted events that is recorded", Axis("loss"),
                Axis("share", log=True, low=1e-4, high=3.0), (bars("kept", kept),),
            ),
        ),
        known,
    )  # fmt: skip


def _chance(model: Model, rate: float) -> float:
    """Probability that KTAG sees a kaon with a beam particle that is none."""
    changed = model.configuration.with_values({"beam.rate": float(rate)})
    return NA62(changed, "accept", Beam(changed, particle="pion")).ktag_efficiency
