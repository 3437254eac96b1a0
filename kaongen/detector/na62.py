"""NA62 as a sequence of stages over a block of events."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from kaongen.beam import Beam
from kaongen.configuration import Candidate, Configuration
from kaongen.decays.final_state import FinalState
from kaongen.detector import (
    acceptance,
    calorimeters,
    chanti,
    charged_veto,
    chod,
    conversion,
    decision,
    flight,
    gtk,
    identification,
    ktag,
    lkr,
    muv3,
    photon_veto,
    reconstruction,
    rich,
    scattering,
    straw,
    tracking,
)
from kaongen.detector.stage import Run, Stage
from kaongen.event_block import EventBlock
from kaongen.particles import M_MU, M_PI

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
    beam
        What decays, and where; kaons in the decay volume by default.
    """

    def __init__(self, configuration: Configuration, vetoes: Vetoes = "weight", beam: Beam | None = None) -> None:
        number, array = configuration.number, configuration.array

        def numbers(*names: str) -> np.ndarray:
            return np.array([number(name) for name in names])

        self.vetoes = vetoes
        self.mass = M_PI if configuration.candidate == "pion" else M_MU
        self.beam_momentum, self.beam_slope = number("beam.momentum"), number("beam.axis_slope")
        beam = beam or Beam(configuration)
        self.optics, self.own_track, self.behind_chanti = beam.optics, beam.own_track, beam.zone == "volume"
        by_chance = -math.expm1(-2.0 * number("ktag.window") * number("beam.rate") * array("beam.composition")[1])
        self.ktag_efficiency = number("ktag.efficiency") if beam.tagged else by_chance
        self.gtk = gtk.response(configuration, beam.own_track)
        self.beam_average = None if number("gtk.used") else gtk.beam_average(configuration)
        self.gtk_material = scattering.in_gtk(configuration)
        self.chamber_material = scattering.in_first_chamber(configuration)
        self.forced = vetoes == "weight"
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
            "straw.efficiency",
            "straw.chi2_cut",
        )
        tiles_z, slabs_z = array("chod.z")
        self.planes = np.array([number("rich.z"), tiles_z, slabs_z, number("lkr.z"), number("muv3.z")])
        self.rich_aperture = np.array([*array("rich.hole"), number("rich.radius")])
        self.tiles, self.slabs = array("chod.radii")
        self.lkr_aperture = numbers("lkr.hole", "lkr.apothem")
        self.muv3_aperture = numbers("muv3.hole", "muv3.half_side")
        self.rich = numbers(
            "rich.mirror_z", "rich.refractivity", "rich.ring_resolution", "rich.ring_hits", "rich.pion_ring_hits"
        )
        rings = rich.Rings(*self.rich[rich.REFRACTIVITY : rich.HITS + 1])
        if configuration.candidate == "pion":
            low, high = (float(mass) for mass in array("rich.pion_mass_window"))
            ring = rich.PionCut(number("rich.pion_ring_hits"), low, high, number("rich.pion_likelihood"))
            self.rich_table = rich.of_pions(rings, ring, *numbers("rich.pion_efficiency", "rich.muon_as_pion"))
            self.rich_used_below = np.inf
            self.calorimeters = calorimeters.of_pions(
                *numbers(
                    "calorimeters.pion_efficiency",
                    "calorimeters.pion_slope",
                    "calorimeters.muon_as_pion",
                    "calorimeters.muon_decline",
                    "calorimeters.electron_as_pion",
                )
            )
        else:
            muon_ring = rich.MuonCut(number("rich.muon_ring_hits"))
            self.rich_table = rich.of_muons(rings, muon_ring, *numbers("rich.muon_efficiency", "rich.other_as_muon"))
            self.rich_used_below = number("rich.used_below")
        # of three muons each is looked for as a single one
        self.candidate: Candidate = "pion" if configuration.candidate == "pion" else "muon"
        self.chod_efficiency = number("chod.efficiency")
        depth = number("lkr.depth")
        self.lkr = np.array(
            [
                *numbers("lkr.z", "lkr.mip_energy"),
                lkr.ionisation_spread(depth),
                lkr.radiation(depth),
                *numbers("lkr.hadron_mip_fraction", "lkr.stochastic", "lkr.noise", "lkr.constant"),
            ]
        )
        self.muv3_z = number("muv3.z")
        self.muv3 = numbers("muv3.z", "muv3.hole", "muv3.half_side", "muv3.scattering")
        self.muv3_table = muv3.signals(
            efficiency=number("muv3.efficiency"),
            needed=number("muv3.needed_momentum"),
            straggling=number("muv3.straggling"),
            scattering=number("muv3.scattering"),
            deviations=number("muv3.search_deviations"),
            punch_through=array("muv3.pion_punch_through"),
            rate=number("muv3.rate"),
            window=number("muv3.window"),
            tiles=number("muv3.tiles"),
            side=number("muv3.tile_side"),
        )
        self.lav = np.array([array("lav.front"), array("lav.back"), array("lav.inner"), array("lav.outer")])
        self.photon_geometry = np.array(
            [
                number("irc.z"),
                number("irc.hole_x"),
                *array("irc.radii"),
                *numbers("lkr.z", "lkr.veto_hole", "lkr.veto_apothem", "sac.z", "sac.half_side", "lkr.merge_distance"),
            ]
        )
        fade = array("photon_inefficiency.hard_range")
        factors = zip(array("photon_inefficiency.factor"), array("photon_inefficiency.hard_factor"), strict=True)
        self.photon_tables = np.array(
            [
                photon_veto.inefficiency_grid(array(f"photon_inefficiency.{name}"), factor, hard, fade)
                for name, (factor, hard) in zip(photon_veto.SYSTEMS, factors, strict=True)
            ]
        )
        self.thickness = number("conversion.factor") * number("straw.thickness")
        self.blind = number("conversion.unseen")
        self.charged_response = np.array(
            [
                *numbers("straw.inefficiency", "straw.segment_distance"),
                *numbers("rich.ring_hits", "rich.pion_threshold", "rich.muon_threshold"),
                charged_veto.missed_ionisation(
                    array("photon_inefficiency.lkr"),
                    number("lkr.mip_energy"),
                    lkr.ionisation_spread(depth),
                ),
                *numbers("lkr.hadron_mip_fraction", "lkr.mip_energy"),
                *numbers("lav.mip_inefficiency", "irc.mip_inefficiency", "sac.mip_inefficiency"),
                number("straw.inefficiency_behind"),
            ]
        )
        self.charged_planes = np.array(
            [
                *numbers("straw.magnet_z", "straw.kick", "straw.gap", "straw.radius", "rich.z"),
                *array("rich.hole"),
                *numbers("rich.radius", "rich.mirror_z"),
                *numbers("lkr.z", "lkr.veto_hole", "lkr.veto_apothem", "lkr.merge_distance"),
                *numbers("irc.z", "irc.hole_x"),
                *array("irc.radii"),
                # the magnet's kick is towards negative x for positive charge
                *(
                    number("sac.z"),
                    number("sac.half_side"),
                    number("beam_line.sweep_z"),
                    -number("beam_line.sweep_kick"),
                ),
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

    def upstream(self) -> tuple[Stage, ...]:
        """What happens to the kaon before it decays."""

        def scatter(key: np.uint64, n: int, event: EventBlock) -> None:
            scattering.kaon(n, key, self.gtk_material, self.forced, event.index, event.beam, event.weight)

        return (Stage("scattering in GTK3", "kaon", scatter),)

    def propagation(self, final: FinalState, candidate: int) -> tuple[Stage, ...]:
        """Where the candidate goes, and whether it is inside every acceptance."""
        subject = _subject(final, candidate)

        def chambers(key: np.uint64, n: int, event: EventBlock) -> None:
            acceptance.chambers(n, self.hole_x, self.gap, self.radius, event.track, event.fate)
            if event.origins[candidate] is not event.vertex:
                acceptance.begins_before(n, float(self.chamber_z[0]), event.track, event.fate)

        def scatter(key: np.uint64, n: int, event: EventBlock) -> None:
            scattering.candidate(n, key, self.chamber_material, self.forced, event.index, event.track, event.fate)

        def planes(key: np.uint64, n: int, event: EventBlock) -> None:
            tracking.cross_planes(n, self.chamber_z, self.magnet_z, self.kick, self.planes, event.track)
            tracking.kinked(n, self.chamber_z, self.magnet_z, self.kick, self.planes, event.track)

        def behind(key: np.uint64, n: int, event: EventBlock) -> None:
            apertures = (self.rich_aperture, self.tiles, self.slabs, self.lkr_aperture, self.muv3_aperture)
            acceptance.behind(n, *apertures, event.track, event.fate)

        return (
            Stage("flight", subject, self._flight(final, candidate)),
            Stage("scattering in STRAW 1", subject, scatter),
            Stage("trajectory", subject, planes),
            Stage("STRAW acceptance", subject, chambers),
            Stage("downstream acceptance", subject, behind),
        )

    def response(self, final: FinalState, candidate: int, multiplicity: int) -> tuple[Stage, ...]:
        """What is measured of the candidate, whether it is identified, and what else is seen.

        multiplicity : how many particles the candidate stands for; the weight counts them all.
        """
        subject = _subject(final, candidate)
        others = [slot for slot in final.charged() if slot != candidate]

        def ktag_tag(key: np.uint64, n: int, event: EventBlock) -> None:
            ktag.tag(n, self.ktag_efficiency, event.fate)

        def gtk_measure(key: np.uint64, n: int, event: EventBlock) -> None:
            if self.beam_average is not None:
                gtk.average(n, self.beam_average, event.reco)
                return
            gtk.measure(
                n, key, self.gtk, self.forced and self.own_track, float(self.chamber_z[0]), self.optics,
                event.index, event.beam, event.reco, event.fate,
            )  # fmt: skip

        def straw_measure(key: np.uint64, n: int, event: EventBlock) -> None:
            bending = (self.chamber_z, self.magnet_z, self.kick)
            straw.measure(n, key, self.straw, *bending, event.index, event.track, event.reco, event.fate)

        def vertex(key: np.uint64, n: int, event: EventBlock) -> None:
            reconstruction.reconstruct(n, self.gtk[gtk.Z], self.chamber_z[0], self.mass, event.reco)
            reconstruction.with_beam_average(n, self.beam_momentum, self.beam_slope, self.mass, event.reco)

        def rich_identify(key: np.uint64, n: int, event: EventBlock) -> None:
            rich.measure(n, key, self.rich, event.index, event.track, event.reco)
            z = self.rich[rich.MIRROR_Z]
            identification.identify(n, z, self.rich_used_below, self.rich_table, event.track, event.fate)

        def chod_trigger(key: np.uint64, n: int, event: EventBlock) -> None:
            chod.see(n, self.chod_efficiency, event.fate)

        def muv3_signal(key: np.uint64, n: int, event: EventBlock) -> None:
            muv3.signal(n, self.muv3, self.muv3_table, self.candidate == "muon", event.track, event.fate)

        def lkr_deposit(key: np.uint64, n: int, event: EventBlock) -> None:
            lkr.deposit(n, key, self.lkr, event.index, event.track)

        def calorimeters_identify(key: np.uint64, n: int, event: EventBlock) -> None:
            z = self.lkr[lkr.Z]
            identification.identify(n, z, np.inf, self.calorimeters, event.track, event.fate)

        def lkr_measure(key: np.uint64, n: int, event: EventBlock) -> None:
            lkr.energy_over_momentum(n, key, self.lkr, event.index, event.track, event.reco)

        def decide(key: np.uint64, n: int, event: EventBlock) -> None:
            if self.vetoes == "weight":
                decision.weigh(n, float(multiplicity), event.fate, event.weight)
            else:
                decision.decide(n, key, float(multiplicity), event.index, event.fate, event.weight)

        return (
            Stage("KTAG", "kaon", ktag_tag),
            *([] if self.behind_chanti else [self._chanti(final, candidate)]),
            Stage("STRAW", subject, straw_measure),
            Stage("GTK", "kaon", gtk_measure),
            Stage("vertex", subject, vertex),
            Stage("RICH", subject, rich_identify),
            Stage("CHOD", subject, chod_trigger),
            Stage("MUV3", subject, muv3_signal),
            Stage("LKr", subject, lkr_deposit),
            *([Stage("calorimeters", subject, calorimeters_identify)] if self.candidate == "pion" else []),
            *self._photons(final),
            *(self._chanti(final, slot) for slot in others),
            *(self._charged(final, slot) for slot in others),
            Stage("E/p", subject, lkr_measure),
            Stage("decision", subject, decide),
        )

    def _flight(self, final: FinalState, candidate: int) -> Run:
        charge, kind = float(final.species[candidate].charge), flight.KINDS[final.species[candidate].name]
        # pions that reach the krypton interact before they decay
        end_z = float(self.lkr[lkr.Z]) if kind == flight.PION else self.muv3_z
        first_z = float(self.chamber_z[0])
        # a decay makes a pion look like a muon, which is rare only where muons are looked for
        forced = self.forced and self.candidate == "muon"

        def run(key: np.uint64, n: int, event: EventBlock) -> None:
            flight.candidate(
                n, key, event.index, charge, kind, end_z, first_z, forced,
                event.origins[candidate], event.momenta[candidate], event.track, event.fate,
            )  # fmt: skip

        return run

    def _photons(self, final: FinalState) -> tuple[Stage, ...]:
        """Where photons go, and then whether each is seen: how much work that is worth depends on the others."""
        slots = final.photons()

        def paths(key: np.uint64, n: int, event: EventBlock) -> None:
            together, *scratch = event.room(photon_veto.scratch_rows, len(slots))
            for slot, rows in zip(slots, scratch, strict=True):
                momenta = event.momenta[slot]
                photon_veto.find_station(n, self.lav, self.photon_geometry, event.origins[slot], momenta, rows)
                photon_veto.miss(
                    n, slot == slots[0], self.photon_tables, self.photon_geometry, momenta, rows,
                    event.track, event.fate, together,
                )  # fmt: skip

        if not slots:
            return ()
        return (Stage("photon paths", "photons", paths), *(self._photon(final, slot) for slot in slots))

    def _photon(self, final: FinalState, slot: int) -> Stage:
        slots = final.photons()
        place = slots.index(slot)

        def run(key: np.uint64, n: int, event: EventBlock) -> None:
            together, *scratch = event.room(photon_veto.scratch_rows, len(slots))
            rows, momenta, origin = scratch[place], event.momenta[slot], event.origins[slot]
            conversion.choose(n, key, slot, together, event.index, momenta, rows)
            conversion.veto(
                n, key, slot, self.thickness, self.blind, self.charged_response, self.charged_planes, self.chamber_z,
                self.hole_x, self.lav, self.photon_tables, event.index, origin, momenta, rows, event.track, event.fate,
            )  # fmt: skip

        return Stage("photon veto", _subject(final, slot), run)

    def _chanti(self, final: FinalState, slot: int) -> Stage:
        def run(key: np.uint64, n: int, event: EventBlock) -> None:
            momenta, origin = event.momenta[slot], event.origins[slot]
            chanti.veto(n, self.chanti_z, *self.chanti_frame, origin, momenta, event.fate)

        return Stage("CHANTI", _subject(final, slot), run)

    def _charged(self, final: FinalState, slot: int) -> Stage:
        species = final.species[slot]
        kind, charge = charged_veto.kind_of(species.name), float(species.charge)

        def run(key: np.uint64, n: int, event: EventBlock) -> None:
            momenta, origin = event.momenta[slot], event.origins[slot]
            charged_veto.veto(
                n, key, slot, kind, charge, self.charged_response, self.charged_planes, self.chamber_z,
                self.hole_x, self.lav, self.photon_tables, event.index, origin, momenta, event.track, event.fate,
            )  # fmt: skip

        return Stage("charged veto", _subject(final, slot), run)


def _subject(final: FinalState, slot: int) -> str:
    return f"{final.species[slot].name} {slot}"
