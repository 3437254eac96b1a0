"""What happened to one event, as records: truth, detector, reconstruction, cuts.

All lengths are in m with z from the target, momenta and energies in GeV. A field is None where there is nothing to say.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kaongen.detector.surroundings import Hit, Point
from kaongen.production.selection import CutOutcome


@dataclass(frozen=True)
class Origin:
    """Which event it is: enough to make it again.

    target : as it was asked for. index : number of the candidate, the column `index` of an event file. component :
    position of the decay in the sample's mixture.
    """

    target: str
    sample: str
    index: int
    component: int
    process: str
    decay: str
    parameters: dict[str, float]
    seed: int
    card_sha256: str
    kaongen_version: str
    detector: str
    vetoes: str


@dataclass(frozen=True)
class Momentum:
    """A four-momentum in the laboratory (GeV)."""

    px: float
    py: float
    pz: float
    e: float

    @property
    def p(self) -> float:
        """Its size (GeV)."""
        return math.sqrt(self.px * self.px + self.py * self.py + self.pz * self.pz)


@dataclass(frozen=True)
class Particle:
    """One particle of the true event.

    number : its own, by which others name it as parent, and which the stages of the detector call it; None for the
    kaon, whose daughters have no parent among the others. in_flight : whether it comes from a decay in flight of the
    candidate, which is a matter of the detector and not of the sample. candidate : whether the search takes it for its
    particle. path : corners of its way, in order. end : how that ends. hits : detectors on it.
    """

    number: int | None
    name: str
    parent: int | None
    in_flight: bool
    candidate: bool
    charge: int
    visible: bool
    momentum: Momentum
    begins: Point
    end: str
    path: tuple[Point, ...]
    hits: tuple[Hit, ...]

    @property
    def decays(self) -> bool:
        """Whether it decays on its way."""
        return self.end == "decays"


@dataclass(frozen=True)
class Quantity:
    """A number that a stage wrote: its name, and its unit."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True)
class Step:
    """One stage of the detector.

    acceptance, efficiency, survival : factors that it put on the three probabilities; None where one was zero before,
    so that the factor cannot be told. weight : the same of the event's weight, on which kaons that scatter before they
    decay put theirs, and the decision in the end the three probabilities and how many candidates there could be.
    written : what it measured, or found out about the candidate.
    """

    name: str
    subject: str
    acceptance: float | None
    efficiency: float | None
    survival: float | None
    weight: float | None
    written: tuple[Quantity, ...]


@dataclass(frozen=True)
class Reconstruction:
    """What is known of the event in the end, beside the truth of it (None: not a finite number)."""

    kaon: Momentum | None
    candidate: Momentum | None
    vertex: Point | None
    true_vertex: Point
    cda: float | None
    m2_miss: float | None
    m2_miss_true: float | None
    eop: float | None


Stored = Literal["identical", "not selected", "not there"]
"""What the event file says: the same to the last bit, that the selection did not keep it, or nothing."""


@dataclass(frozen=True)
class History:
    """The whole history of an event.

    kaon : what decays (a pion, where the sample is one of the beam's pions), and particles : all that come of it.
    acceptance, efficiency, survival : the three probabilities at the end. generated : the weight with which the decay
    was made, which is 1 unless it is another than that of a kaon in the decay volume, or lay above its bound; and
    weight : what all steps make of it.
    selected : whether it passes all cuts. stored : what the event file says of it, None where there is no file.
    """

    origin: Origin
    kaon: Particle
    particles: tuple[Particle, ...]
    steps: tuple[Step, ...]
    reconstruction: Reconstruction
    acceptance: float
    efficiency: float
    survival: float
    generated: float
    weight: float
    cuts: tuple[CutOutcome, ...]
    selected: bool
    stored: Stored | None

    @property
    def candidate(self) -> Particle:
        """What the search takes for its particle, as it left its vertex."""
        return next(p for p in self.particles if p.candidate)

    def missed(self) -> tuple[str, ...]:
        """Detectors that the candidate, whatever it decays to, should cross and does not."""
        return tuple(hit.detector for p in self.family() for hit in p.hits if not hit.inside)

    def family(self) -> tuple[Particle, ...]:
        """The candidate, and the charged particles that it becomes in flight."""
        return (self.candidate, *(p for p in self.particles if p.in_flight and p.charge))

    def tracked(self) -> Particle:
        """The one of the family that comes to the first chamber, whose momentum the spectrometer is to measure."""
        first = (p for p in self.family() if any(hit.detector == "STRAW 1" for hit in p.hits))
        return next(first, self.candidate)

    def verdict(self) -> str:
        """In a few words, what becomes of the event."""
        if self.selected:
            return "selected"
        if self.acceptance == 0.0:
            missed = self.missed()
            return "outside the acceptance" + (f" ({', '.join(missed)})" if missed else "")
        if self.weight <= 0.0:
            lost = [step.name for step in self.steps if 0.0 in (step.efficiency, step.survival)]
            return "not seen" + (f" ({', '.join(lost)})" if lost else "")
        return "rejected: " + ", ".join(cut.name for cut in self.cuts if not cut.passed)

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which knows no infinite numbers: they become null."""
        result = _plain(asdict(self))
        assert isinstance(result, dict)
        return result | {"verdict": self.verdict()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
