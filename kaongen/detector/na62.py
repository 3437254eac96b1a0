"""NA62 as a sequence of stages over a block of events."""

from __future__ import annotations

from typing import Literal

import numpy as np

from kaongen.beam import Beam
from kaongen.configuration import Configuration
from kaongen.decays.final_state import FinalState
from kaongen.detector import (
    acceptance,
    chanti,
    charged_veto,
    chod,
    decision,
    gtk,
    ktag,
    lkr,
    muv3,
    photon_veto,
    reconstruction,
    rich,
    straw,
    tracking,
)
from kaongen.event_block import EventBlock

Vetoes = Literal["weight", "accept"]


class NA62:
    """The detector of a configuration.

    Parameters
    ----------
    configuration
        Numbers of a data-taking period.
    vetoes
        "weight": every probability goes into the event's weight, so that a rejection of 1e-8 is measured with a
        million events. "accept": each event is seen or not, as in the experiment.
    """

    def __init__(self, configuration: Configuration, vetoes: Vetoes = "weight") -> None:
        number, array = configuration.number, configuration.array

        def numbers(*names: str) -> np.ndarray:
            return np.array([number(name) for name in names])

        self.vetoes = vetoes
        self.optics = Beam(configuration).optics
        self.start_z = float(array("beam.decay_volume")[0])
        self.ktag_efficiency = number("ktag.efficiency")
        self.gtk = numbers(
            "gtk.z",
            "gtk.momentum_resolution",
            "gtk.angle_resolution",
            "gtk.position_resolution",
            "gtk.matching_efficiency",
            "gtk.wrong_track",
        )
        self.chamber_z = array("straw.z")
        self.hole_x = array("straw.hole_x")
        self.gap, self.radius = number("straw.gap"), number("straw.radius")
        self.magnet_z, self.kick = number("straw.magnet_z"), number("straw.kick")
        self.straw = numbers(
            "straw.momentum_constant",
            "straw.momentum_linear",
            "straw.angle_constant",
            "straw.angle_scattering",
            "straw.position_resolution",
        )
        tiles_z, slabs_z = array("chod.z")
        self.planes = np.array([number("rich.z"), tiles_z, slabs_z, number("lkr.z"), number("muv3.z")])
        self.rich_aperture = np.array([*array("rich.hole"), number("rich.radius")])
        self.tiles, self.slabs = array("chod.radii")
        self.lkr_aperture = numbers("lkr.hole", "lkr.apothem")
        self.muv3_aperture = numbers("muv3.hole", "muv3.half_side")
        self.rich = numbers(
            "rich.mirror_z", "rich.used_below", "rich.pion_threshold", "rich.muon_efficiency", "rich.pion_as_muon"
        )
        self.chod_efficiency = number("chod.efficiency")
        self.lkr = numbers(
            "lkr.z",
            "lkr.mip_energy",
            "lkr.mip_tail",
            "lkr.hadron_mip_fraction",
            "lkr.stochastic",
            "lkr.noise",
            "lkr.constant",
        )
        self.muv3_z = number("muv3.z")
        self.muv3_muon, self.muv3_pion = number("muv3.efficiency"), number("muv3.pion_punch_through")
        self.lav = np.array([array("lav.front"), array("lav.back"), array("lav.inner"), array("lav.outer")])
        self.photon_geometry = np.array(
            [
                number("irc.z"),
                number("irc.hole_x"),
                *array("irc.radii"),
                *numbers("lkr.z", "lkr.hole", "lkr.apothem", "sac.z", "sac.half_side", "lkr.merge_distance"),
            ]
        )
        self.photon_tables = np.array(
            [photon_veto.inefficiency_grid(array(f"photon_inefficiency.{name}")) for name in photon_veto.SYSTEMS]
        )
        self.charged_response = np.array(
            [
                number("straw.inefficiency"),
                number("rich.inefficiency"),
                number("lkr.mip_inefficiency"),
                number("lav.mip_inefficiency"),
                number("lav.mip_inefficiency"),
                number("rich.pion_threshold"),
            ]
        )
        self.charged_planes = np.array(
            [
                *numbers("straw.magnet_z", "straw.kick", "straw.gap", "straw.radius", "rich.z"),
                *array("rich.hole"),
                *numbers("rich.radius", "lkr.z", "lkr.hole", "lkr.apothem", "irc.z", "irc.hole_x"),
                *array("irc.radii"),
                *numbers("sac.z", "sac.half_side"),
            ]
        )
        self.chanti_z = array("chanti.z")
        self.chanti_frame = (
            number("chanti.half_side"),
            *array("chanti.hole"),
            number("beam.axis_slope"),
            number("beam.axis_origin"),
            number("chanti.inefficiency"),
        )

    def respond(self, key: np.uint64, n: int, event: EventBlock, final: FinalState, candidate: int) -> None:
        """Measure a block of events whose particles are in the laboratory.

        The slot `candidate` is taken for the muon. Of several particles that are alike, any could be: the weight
        counts them all.
        """
        self._track(key, n, event, final, candidate)
        tracking.cross_planes(n, self.chamber_z, self.magnet_z, self.kick, self.planes, event.track)
        acceptance.chambers(n, self.hole_x, self.gap, self.radius, event.track, event.fate)
        if event.origins[candidate] is not event.vertex:
            acceptance.begins_before(n, float(self.chamber_z[0]), event.track, event.fate)
        acceptance.behind(
            n,
            self.rich_aperture,
            self.tiles,
            self.slabs,
            self.lkr_aperture,
            self.muv3_aperture,
            event.track,
            event.fate,
        )
        ktag.tag(n, self.ktag_efficiency, event.fate)
        gtk.measure(n, key, self.gtk, self.start_z, self.optics, event.index, event.beam, event.reco, event.fate)
        straw.measure(n, key, self.straw, event.index, event.track, event.reco)
        reconstruction.reconstruct(n, self.gtk[gtk.Z], self.chamber_z[0], event.reco)
        rich.identify(n, self.rich, event.track, event.fate)
        chod.trigger(n, self.chod_efficiency, event.fate)
        muv3.signal(n, self.muv3_z, self.muv3_muon, self.muv3_pion, event.track, event.fate)
        lkr.deposit(n, key, self.lkr, event.index, event.track)
        for slot in final.photons():
            self._photon(n, event, slot)
        for slot in final.charged():
            self._charged(n, event, final, slot, slot == candidate)
        lkr.energy_over_momentum(n, key, self.lkr, event.index, event.track, event.reco)
        alike = final.alike(candidate)
        if self.vetoes == "weight":
            decision.weigh(n, float(alike), event.fate, event.weight)
        else:
            decision.decide(n, key, float(alike), event.index, event.fate, event.weight)

    def _track(self, key: np.uint64, n: int, event: EventBlock, final: FinalState, candidate: int) -> None:
        species, momenta, origin = final.species[candidate], event.momenta[candidate], event.origins[candidate]
        charge = float(species.charge)
        if species.name.startswith("mu"):
            tracking.muon(n, charge, origin, momenta, event.track, event.fate)
        else:
            first_z, last_z = float(self.chamber_z[0]), float(self.chamber_z[-1])
            forced = self.vetoes == "weight"
            tracking.pion(
                n, key, event.index, charge, self.muv3_z, first_z, last_z, forced,
                origin, momenta, event.track, event.fate,
            )  # fmt: skip

    def _photon(self, n: int, event: EventBlock, slot: int) -> None:
        momenta = event.momenta[slot]
        photon_veto.find_station(n, self.lav, self.photon_geometry, event.origins[slot], momenta, event.extra)
        photon_veto.veto(n, self.photon_tables, self.photon_geometry, momenta, event.extra, event.track, event.fate)

    def _charged(self, n: int, event: EventBlock, final: FinalState, slot: int, is_candidate: bool) -> None:
        momenta = event.momenta[slot]
        chanti.veto(n, self.chanti_z, *self.chanti_frame, event.origins[slot], momenta, event.fate)
        if not is_candidate:
            charged_veto.veto(
                n, float(final.species[slot].charge), self.charged_response, self.charged_planes, self.chamber_z,
                self.hole_x, self.lav, event.origins[slot], momenta, event.fate,
            )  # fmt: skip
