"""Figures of the vetoes: photons, pairs, further charged particles, CHANTI."""

from __future__ import annotations

import numpy as np

from kaongen.configuration import Configuration
from kaongen.decays.workspace import PX, PY, PZ, E, vertex_rows
from kaongen.detector import chanti, charged_veto, conversion, photon_veto, systematics
from kaongen.detector.na62 import NA62
from kaongen.detector.photon_veto import AT_LKR_X, AT_LKR_Y, MISSED, SLOPE_X, SLOPE_Y, STATION, SYSTEMS, TRIED, WHERE
from kaongen.event_block import (
    ACCEPTANCE,
    EFFICIENCY,
    K_X,
    K_Y,
    K_Z,
    SURVIVAL,
    T_LKR_X,
    T_LKR_Y,
    T_PX,
    T_PY,
    T_PZ,
    T_X,
    T_Y,
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
    Model,
    Panel,
    Subject,
    histogram,
    scan,
)

_NAMES = {"lav": "LAV", "irc": "IRC", "lkr": "LKr", "sac": "SAC"}
_START = 150.0
"""z (m) from which photons and particles come."""
_OWN = (-0.8, 0.3)
"""Where the candidate crosses the krypton (m)."""
_EACH = 1024


class _Particle:
    """Copies of a particle beside an accepted candidate."""

    def __init__(self) -> None:
        self.event, self.origin = EventBlock(1), vertex_rows()
        self.momenta = self.event.momenta[0]
        self.event.number(0, BLOCK)
        row(self.event.fate, ACCEPTANCE)[:], row(self.event.fate, EFFICIENCY)[:] = 1.0, 1.0

    def send(self, energy: Array | float, sx: Array | float, sy: Array | float, x: Array | float = 0.0) -> None:
        """Energies (GeV), slopes and x (m) at the start, where the candidate begins as well."""
        row(self.event.fate, SURVIVAL)[:] = 1.0
        begin, momentum, length = float(np.mean(x)), 20.0, 241.1 - _START
        own = (momentum * (_OWN[0] - begin) / length, momentum * _OWN[1] / length, momentum, begin, 0.0, _START, *_OWN)
        for place, value in zip((T_PX, T_PY, T_PZ, T_X, T_Y, T_Z, T_LKR_X, T_LKR_Y), own, strict=True):
            row(self.event.track, place)[:] = value
        along = energy / np.sqrt(1.0 + np.square(sx) + np.square(sy))
        for place, values in ((PX, sx * along), (PY, sy * along), (PZ, along), (E, energy)):
            filled = np.broadcast_to(values, np.broadcast_shapes(np.shape(values), (1,)))
            row(self.momenta, place)[: BLOCK if filled.size == 1 else filled.size] = filled
        row(self.origin, K_X)[: np.size(x) if np.size(x) > 1 else BLOCK] = x
        row(self.origin, K_Y)[:], row(self.origin, K_Z)[:] = 0.0, _START

    @property
    def survival(self) -> Array:
        return np.asarray(row(self.event.fate, SURVIVAL))


def inefficiencies(model: Model) -> Subject:
    """Photons that are not seen."""
    energies = np.geomspace(0.05, 75.0, 161)
    varied = {name: _detector(c) for name, c in systematics.variations(model.configuration).items()}
    tables = {name: detector.photon_tables for name, detector in varied.items()}
    curves = []
    for system, name in enumerate(SYSTEMS):
        nominal, up, down = (
            scan(lambda e, t=t, s=system: photon_veto.inefficiency(t, s, e), energies)
            for t in (tables[systematics.NOMINAL], tables[systematics.UP], tables[systematics.DOWN])
        )
        curves.append(Curve(name, _NAMES[name], energies, nominal, colour=system, band=(down, up)))
    few = np.geomspace(0.3, 60.0, 24)
    whole: list[Curve] = []
    for system, name in enumerate(SYSTEMS):
        for kind, dashes in ((systematics.NOMINAL, "-"), (systematics.ALTERNATIVE, "--")):
            y = np.array([_unseen(varied[kind], name, float(e)) for e in few])
            label = _NAMES[name] + ("" if kind == systematics.NOMINAL else ", alternative")
            key = f"{name}_{'nominal' if kind == systematics.NOMINAL else 'alternative'}"
            whole.append(Curve(key, label, few, y, colour=system, dashes=dashes))
    energy = Axis("E", "GeV", log=True)
    probability = Axis("probability not to be seen", log=True, low=1e-8, high=2.0)
    return Subject(
        "photons",
        "Photons that are not seen",
        (
            Panel("in a detector, ± one sigma", energy, probability, tuple(curves)),
            Panel(f"towards it, with pairs, from z = {_START:g} m", energy, probability, tuple(whole)),
        ),
        "alternative: + one sigma, and LAV, IRC and SAC see no pairs of photons converted before the magnet",
    )


def _detector(configuration: Configuration) -> NA62:
    return NA62(configuration, "accept")


def _slopes(detector: NA62, system: str) -> tuple[float, float]:
    """Of a photon that crosses two chambers and meets a detector first: the middle of the last LAV, of the krypton, of
    the IRC, and the hole of the latter."""
    lav, geometry = detector.lav[:, -1], detector.photon_geometry
    x, z = {
        "lav": (0.5 * (lav[2] + lav[3]) - 0.08, lav[0]),
        "irc": (-0.5 * (geometry[photon_veto.IRC_IN] + geometry[photon_veto.IRC_OUT]), geometry[photon_veto.IRC_Z]),
        "lkr": (0.5 * geometry[photon_veto.LKR_OUT], geometry[photon_veto.LKR_Z]),
        "sac": (0.0, geometry[photon_veto.SAC_Z]),
    }[system]
    return float(x) / (float(z) - _START), 0.0


def _unseen(detector: NA62, system: str, energy: float) -> float:
    """Probability that a photon of an energy (GeV) towards a detector is not seen, neither itself nor as a pair."""
    particle = _Particle()
    event, n = particle.event, _EACH
    particle.send(energy, *_slopes(detector, system))
    together, rows = photon_veto.scratch_rows(1)
    geometry, tables = detector.photon_geometry, detector.photon_tables
    photon_veto.find_station(n, detector.lav, geometry, particle.origin, particle.momenta, rows)
    assert np.all(row(rows, STATION)[:n] == SYSTEMS.index(system)), f"aimed at {system}"
    photon_veto.miss(n, True, tables, geometry, particle.momenta, rows, event.track, event.fate, together)
    conversion.choose(n, KEY, 0, together, event.index, particle.momenta, rows)
    # all pairs: no need to choose in a plot
    row(rows, TRIED)[:n] = 1.0
    conversion.veto(
        n, KEY, 0, detector.thickness, detector.blind, detector.charged_response, detector.charged_planes,
        detector.chamber_z, detector.hole_x, detector.lav, tables, event.index, particle.origin, particle.momenta,
        rows, event.track, event.fate,
    )  # fmt: skip
    return float(particle.survival[:n].mean())


def pairs(model: Model) -> Subject:
    """Photons that convert in the first two chambers."""
    x = np.linspace(-1.1, 1.1, 441)
    chances = [
        Curve(f"probability_{round(1e3 * y)}", f"y = {y:g} m", x, _converted(model, x, y), colour=i)
        for i, y in enumerate((0.0, 0.3))
    ]
    words = np.random.default_rng(1).integers(0, 2**32, (20000, 4), dtype=np.uint64)
    shares = np.array([conversion.positron_share(*four) for four in words])
    return Subject(
        "conversion",
        "Photons that become a pair",
        (
            Panel(
                "parallel photons in the first two chambers", Axis("x", "m"), Axis("probability", "%", low=0.0),
                tuple(chances),
            ),
            Panel(
                "share of the positron", Axis("E(e+) / E(γ)"), Axis("density", low=0.0),
                (histogram("positron_share", "", shares, np.linspace(0.0, 1.0, 41), colour=0),),
            ),
        ),
    )  # fmt: skip


def _converted(model: Model, x: Array, y: float) -> Array:
    """Probability (%) that photons parallel to z convert, at x and y (m)."""
    d, particle = model.detector, _Particle()
    particle.send(20.0, 0.0, 0.0, x)
    row(particle.origin, K_Y)[:] = y
    rows = photon_veto.scratch_rows(1)[1]
    for place, value in ((STATION, photon_veto.NONE), (SLOPE_X, 0.0), (SLOPE_Y, 0.0), (TRIED, 1.0), (WHERE, 0.5)):
        row(rows, place)[:] = value
    row(rows, AT_LKR_X)[: len(x)], row(rows, AT_LKR_Y)[:] = x, y
    # photons are always seen and pairs never: what survives has converted
    row(rows, MISSED)[:] = 0.0
    never = np.ones_like(d.charged_response)
    never[charged_veto.RICH_HITS] = 0.0
    event = particle.event
    conversion.veto(
        len(x), KEY, 0, d.thickness, 0.0, never, d.charged_planes, d.chamber_z, d.hole_x, d.lav,
        np.ones_like(d.photon_tables), event.index, particle.origin, particle.momenta, rows, event.track, event.fate,
    )  # fmt: skip
    return 1e2 * particle.survival[: len(x)]


_CHARGED = (
    (charged_veto.PION, "pion", "π"),
    (charged_veto.MUON, "muon", "µ"),
    (charged_veto.ELECTRON, "electron", "e"),
)


def others(model: Model) -> Subject:
    """A second charged particle that leaves no signal."""
    d, particle = model.detector, _Particle()
    turn = 2.0 * np.pi * (np.arange(_EACH) + 0.5) / _EACH
    axis, x = (
        model.number("beam.axis_slope"),
        model.number("beam.axis_slope") * (_START - model.number("beam.axis_origin")),
    )

    def unseen(kind: int, charge: float, p: float, angle: float) -> float:
        particle.send(p, axis + angle * np.cos(turn), angle * np.sin(turn), x)
        event = particle.event
        charged_veto.veto(
            _EACH, KEY, 1, kind, charge, d.charged_response, d.charged_planes, d.chamber_z, d.hole_x, d.lav,
            d.photon_tables, event.index, particle.origin, particle.momenta, event.track, event.fate,
        )  # fmt: skip
        return float(particle.survival[:_EACH].mean())

    momenta, angles = np.geomspace(0.5, 60.0, 32), np.geomspace(3e-4, 0.1, 41)
    by_momentum, by_angle = [], []
    for kind, name, symbol in _CHARGED:
        for charge, sign, dashes in ((1.0, "+", "-"), (-1.0, "-", "--")):
            label, colour = f"{symbol}$^{{{sign}}}$", SPECIES_COLOURS[name]
            suffix = f"{name}_{'plus' if charge > 0 else 'minus'}"
            y = np.array([unseen(kind, charge, float(p), 5e-3) for p in momenta])
            by_momentum.append(Curve(f"by_momentum_{suffix}", label, momenta, y, "line", colour, dashes))
            y = np.array([unseen(kind, charge, 5.0, float(at)) for at in angles])
            by_angle.append(Curve(f"by_angle_{suffix}", label, 1e3 * angles, y, "line", colour, dashes))
    probability = Axis("probability not to be seen", log=True, low=1e-8, high=2.0)
    return Subject(
        "charged",
        "A second charged particle that is not seen",
        (
            Panel("at 5 mrad to the beam", Axis("p", "GeV", log=True), probability, tuple(by_momentum)),
            Panel("at 5 GeV", Axis("angle to the beam", "mrad", log=True), probability, tuple(by_angle)),
        ),
        f"from the axis of the beam at z = {_START:g} m, averaged over azimuth, candidate of 20 GeV on one side",
    )


def guard(model: Model) -> Subject:
    """CHANTI."""
    d, particle = model.detector, _Particle()
    slopes = np.linspace(-0.25, 0.25, 1001)
    panels = []
    for plane in ("x", "y"):
        curves = []
        for i, z in enumerate((model.number("gtk.z"), 102.6, 103.5)):
            axis = model.number("beam.axis_slope")
            if plane == "x":
                particle.send(10.0, axis + slopes, 0.0)
            else:
                particle.send(10.0, axis, slopes)
            row(particle.origin, K_Z)[:] = z
            row(particle.origin, K_X)[:] = axis * (z - model.number("beam.axis_origin"))
            chanti.veto(
                len(slopes), d.chanti_z, *d.chanti_frame, particle.origin, particle.momenta, particle.event.fate
            )
            y = particle.survival[: len(slopes)].copy()
            curves.append(Curve(f"{plane}_{z:g}", f"from z = {z:g} m", 1e3 * slopes, y, colour=i))
        title = "horizontally" if plane == "x" else "vertically"
        probability = Axis("probability not to be seen", log=True, high=3.0)
        panels.append(Panel(title, Axis(f"d{plane}/dz to the beam", "mrad"), probability, tuple(curves)))
    return Subject("chanti", "CHANTI: charged particles from GTK3", tuple(panels))
