"""Photons, pairs and second charged particles through the vetoes: columns in, columns out, as in `blocks`."""

import numpy as np
from blocks import CONFIGURATION, DETECTOR, KEY, through

from kaongen.decays.workspace import PX, PY, PZ, E
from kaongen.detector import chanti, charged_veto, conversion, photon_veto
from kaongen.event_block import (
    ACCEPTANCE,
    EFFICIENCY,
    K_X,
    K_Y,
    K_Z,
    SURVIVAL,
    T_LKR_ENERGY,
    T_LKR_X,
    T_LKR_Y,
    T_PX,
    T_PY,
    T_PZ,
    T_X,
    T_Y,
    T_Z,
)
from kaongen.jit import BLOCK

FAR_AWAY = ((0.0, 0.0, 30.0), (0.0, 0.0, 110.0), (5.0, 5.0))
"""A candidate whose line meets everything that comes from the beam, and whose cluster nothing hits: momentum (GeV), a
point of its line and its place in the krypton (m)."""


def _columns(momentum, vertex, candidate, fate):
    px, py, pz = momentum
    energy = np.sqrt(np.square(px) + np.square(py) + np.square(pz))
    given = {(0, PX): px, (0, PY): py, (0, PZ): pz, (0, E): energy}
    given |= {("beam", row): column for row, column in zip((K_X, K_Y, K_Z), vertex, strict=True)}
    own_momentum, point, own = candidate
    rows = (T_PX, T_PY, T_PZ, T_X, T_Y, T_Z, T_LKR_X, T_LKR_Y)
    given |= {("track", row): value for row, value in zip(rows, (*own_momentum, *point, *own), strict=True)}
    return given | {("fate", row): value for row, value in zip((ACCEPTANCE, EFFICIENCY, SURVIVAL), fate, strict=True)}


def photon_stations(momentum, vertex):
    """Name of the system that each photon meets first; None for those that meet none."""
    d, (_, rows) = DETECTOR, photon_veto.scratch_rows(1)

    def stage(event, n):
        photon_veto.find_station(n, d.lav, d.photon_geometry, event.beam, event.momenta[0], rows)
        event.extra[:BLOCK] = rows[photon_veto.STATION * BLOCK : (photon_veto.STATION + 1) * BLOCK]

    found = through(stage, _columns(momentum, vertex, FAR_AWAY, (1, 1, 1)), [("extra", 0)])[0]
    return [photon_veto.SYSTEMS[int(number)] if number >= 0 else None for number in found]


def photon_survival(
    momentum, vertex, detector=DETECTOR, own=(5.0, 5.0), own_energy=0.6, survived=1.0, inside=1.0, efficiency=1.0
):
    """Probability that nothing is seen of each photon, none of which converts, and the energy of the candidate's own
    cluster in the LKr."""
    (together, rows), d = photon_veto.scratch_rows(1), detector

    def stage(event, n):
        photon, tables, geometry = event.momenta[0], d.photon_tables, d.photon_geometry
        photon_veto.find_station(n, d.lav, geometry, event.beam, photon, rows)
        photon_veto.miss(n, True, tables, geometry, photon, rows, event.track, event.fate, together)
        photon_veto.veto(n, rows, event.fate)

    given = _columns(momentum, vertex, (*FAR_AWAY[:2], own), (inside, efficiency, survived))
    given[("track", T_LKR_ENERGY)] = own_energy
    return through(stage, given, [("fate", SURVIVAL), ("track", T_LKR_ENERGY)])


def pair_survival(
    momentum, vertex, detector=DETECTOR, candidate=FAR_AWAY, others=1.0, slot=1, fate=(1.0, 1.0, 1.0), key=KEY
):
    """Probability that nothing is seen of each photon, which may convert.

    others : probability that other photons of the event are missed.
    """
    (together, rows), d = photon_veto.scratch_rows(1), detector

    def stage(event, n):
        photon, tables, geometry = event.momenta[0], d.photon_tables, d.photon_geometry
        photon_veto.find_station(n, d.lav, geometry, event.beam, photon, rows)
        photon_veto.miss(n, True, tables, geometry, photon, rows, event.track, event.fate, together)
        together[:] *= others
        conversion.choose(n, key, slot, together, event.index, photon, rows)
        conversion.veto(
            n, key, slot, d.thickness, d.blind, d.charged_response, d.charged_planes, d.chamber_z, d.hole_x, d.lav,
            tables, event.index, event.beam, photon, rows, event.track, event.fate,
        )  # fmt: skip

    return through(stage, _columns(momentum, vertex, candidate, fate), [("fate", SURVIVAL)])[0]


def charged_traces(kind, charge, momentum, vertex, detector=DETECTOR, candidate=FAR_AWAY, fate=(1.0, 1.0, 1.0)):
    """Probability that nothing but the CHANTI sees a second charged particle, and the energy that it adds to the
    candidate's cluster."""
    kinds = {"pion": charged_veto.PION, "muon": charged_veto.MUON, "electron": charged_veto.ELECTRON}
    d, number = detector, kinds[kind]

    def stage(event, n):
        charged_veto.veto(
            n, KEY, 1, number, charge, d.charged_response, d.charged_planes, d.chamber_z, d.hole_x, d.lav,
            d.photon_tables, event.index, event.beam, event.momenta[0], event.track, event.fate,
        )  # fmt: skip

    wanted = [("fate", SURVIVAL), ("track", T_LKR_ENERGY)]
    return through(stage, _columns(momentum, vertex, candidate, fate) | {("track", T_LKR_ENERGY): 0.0}, wanted)


def charged_survival(charge, momentum, vertex, detector=DETECTOR, inside=1.0, efficiency=1.0):
    """Of a pion."""
    return charged_traces("pion", charge, momentum, vertex, detector, fate=(inside, efficiency, 1.0))[0]


def chanti_survival(momentum, vertex):
    def stage(event, n):
        chanti.veto(n, DETECTOR.chanti_z, *DETECTOR.chanti_frame, event.beam, event.momenta[0], event.fate)

    return through(stage, _columns(momentum, vertex, FAR_AWAY, (1, 1, 1)), [("fate", SURVIVAL)])[0]


def flat_tables(**probabilities):
    """Changes of a configuration that make each system miss photons with a probability at any energy."""
    return {"photon_inefficiency.hard_factor": [1.0, 1.0, 1.0, 1.0]} | {
        f"photon_inefficiency.{name}": [[energy, p] for energy, _ in CONFIGURATION.array(f"photon_inefficiency.{name}")]
        for name, p in probabilities.items()
    }
