"""Decays of which all three charged particles are seen as muons.

Each of the three goes through the detector of a single muon with random numbers of its own, and the event's probability
is the product of theirs. What else a trigger asks, and tracks that confuse one another, are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kaongen.beam import Beam, Zone
from kaongen.configuration import Configuration
from kaongen.decays.final_state import FinalState, final_state
from kaongen.decays.mixture import Component, thresholds
from kaongen.decays.samplers import sampler
from kaongen.detector import decision, gtk
from kaongen.detector.na62 import NA62, Vetoes
from kaongen.detector.stage import Stage
from kaongen.errors import ProcessError
from kaongen.event_block import EventBlock
from kaongen.production.chain import Chain, Lane
from kaongen.production.selection import THREE_MUON_ROWS
from kaongen.production.three_muons_block import ThreeMuonBlock, all_of, combine, take_fastest, true_masses
from kaongen.random import stream_key

_OF_TRACK = ("STRAW", "RICH", "CHOD", "MUV3", "LKr", "E/p")
_OF_KAON = ("KTAG", "GTK")


@dataclass(frozen=True)
class Track:
    """What happens to one of the three: its slot, and the stages before and behind the acceptance."""

    slot: int
    propagation: tuple[Stage, ...]
    response: tuple[Stage, ...]


@dataclass(frozen=True)
class ThreeMuonLane(Lane):
    """A decay with three tracks: two positive ones and a negative one, in this order.

    planes : z where the kaon's and the tracks' positions are measured (m). vetoes : as for the detector. `propagation`
    is empty, and `response` holds what is measured of the kaon.
    """

    tracks: tuple[Track, Track, Track]
    planes: tuple[float, float]
    vetoes: Vetoes

    def run(self, key: np.uint64, n: int, event: EventBlock) -> tuple[int, int]:
        """Make and measure the events whose numbers the block holds, as `Lane.run` does."""
        assert isinstance(event, ThreeMuonBlock)
        above = self.decay(key, n, event)
        event.share_origins()
        keys = track_keys(key, tuple(track.slot for track in self.tracks))
        seen = tuple(zip(self.tracks, keys, event.seen, strict=True))
        for track, own, block in seen:
            for stage in track.propagation:
                stage.run(own, n, block)
        fates = [block.fate for block in event.seen]
        all_of(n, *fates, event.fate)
        left = event.compact(n, self.slots)
        if not left:
            return 0, above
        for track, own, block in seen:
            for stage in track.response:
                stage.run(own, left, block)
        all_of(left, *fates, event.fate)
        measured = [block.reco for block in event.seen]
        # the kaon is matched to the best known of the three
        take_fastest(left, *measured, event.reco)
        for stage in self.response:
            stage.run(key, left, event)
        if self.vetoes == "weight":
            decision.weigh(left, 1.0, event.fate, event.weight)
        else:
            decision.decide(left, key, 1.0, event.index, event.fate, event.weight)
        combine(left, *self.planes, *measured, event.reco, event.three)
        true_masses(left, *(event.momenta[track.slot] for track in self.tracks), event.three)
        return left, above


@dataclass(frozen=True)
class ThreeMuonChain(Chain):
    """The chain of a decay with three tracks."""

    @property
    def rows(self) -> NDArray[np.int64]:
        return THREE_MUON_ROWS

    def block(self) -> EventBlock:
        return ThreeMuonBlock(self.particles)

    def measured(self, event: EventBlock) -> NDArray[np.float64]:
        assert isinstance(event, ThreeMuonBlock)
        return event.three


@lru_cache(maxsize=256)
def track_keys(key: np.uint64, slots: tuple[int, ...]) -> tuple[np.uint64, ...]:
    """Keys of the random numbers of particles of one decay, for what happens to each by itself."""
    return tuple(stream_key(int(key), f"particle {slot}") for slot in slots)


def three_tracks(component: Component, zone: Zone) -> tuple[FinalState, tuple[int, int, int]]:
    """The decay of a sample, and the slots of its two positive particles and of the negative one.

    Raises
    ------
    ProcessError
        If kaons decay upstream, or the decay has other charged particles, or photons: their vetoes need a single
        candidate.
    """
    if zone != "volume":
        raise ProcessError(
            f"a detector that looks for three muons takes decays in the decay volume, not in zone {zone!r}"
        )
    final = final_state(component.process, component.process.values(component.values))
    charged = final.charged()
    positive = [slot for slot in charged if final.species[slot].charge > 0]
    negative = [slot for slot in charged if final.species[slot].charge < 0]
    if len(positive) != 2 or len(negative) != 1 or final.photons():
        raise ProcessError(
            "a detector that looks for three muons takes decays to two positive particles, a negative one and no "
            f"photon, which {final.descriptor} is not"
        )
    return final, (positive[0], positive[1], negative[0])


def build_three_muon_chain(
    component: Component, configuration: Configuration, vetoes: Vetoes = "weight", zone: Zone = "volume"
) -> ThreeMuonChain:
    """The chain of a decay of kaons to three charged particles.

    Raises
    ------
    ProcessError
        If parameters are missing or out of range, or the sample does not fit: see `three_tracks`.
    """
    final, slots = three_tracks(component, zone)
    process, values = component.process, component.values
    beam = Beam(configuration)
    detector = NA62(configuration, vetoes, beam)
    responses = [detector.response(final, slot, multiplicity=1) for slot in slots]
    tracks = tuple(
        Track(slot, detector.propagation(final, slot), tuple(stage for stage in response if stage.name in _OF_TRACK))
        for slot, response in zip(slots, responses, strict=True)
    )
    lane = ThreeMuonLane(
        component=0,
        final=final,
        candidate=slots[0],
        sampler=sampler(process, process.values(values)),
        beam=beam,
        upstream=detector.upstream(),
        propagation=(),
        response=tuple(stage for stage in responses[0] if stage.name in _OF_KAON),
        slots=slots,
        tracks=(tracks[0], tracks[1], tracks[2]),
        planes=(float(detector.gtk[gtk.Z]), float(detector.chamber_z[0])),
        vetoes=vetoes,
    )
    return ThreeMuonChain((lane,), thresholds([1.0]), detector)
