"""Where the detectors of a configuration stand, and what a particle meets on its way: for people to look at.

The simulation has arrays and kernels of its own; here, a particle goes on until something absorbs it. Charged particles
are bent in the middle of the magnet. What the response does not ask for is a table at the top, and only drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from kaongen.configuration import Configuration
from kaongen.detector.acceptance import in_octagon, in_small_ring, in_straw_chamber

# Not part of the response, and therefore of no configuration. Half sizes of GTK, depths behind the front planes, MUV1
# and MUV2 (m): NA62, The beam and detector, JINST 12 (2017) P05025, and constants seen in public NA62 software.
GTK_HALF = (0.0304, 0.0135)
MAGNET_LENGTH, MAGNET_HALF_GAP, MAGNET_HALF_YOKE = 1.3, 1.2, 1.5
RICH_BACK, LKR_DEPTH, IRC_DEPTH, SAC_DEPTH, MUV_DEPTH = 237.326, 1.27, 0.3, 0.7, 0.7
MUV_Z, MUV_HOLE, MUV_HALF = (243.418, 244.435), 0.130, 1.100
WALL = (245.8, 246.6)

BEGIN, END = 100.0, 262.0
"""What is looked at, along z (m)."""
HALF_WIDTH = 1.55
"""And across (m): what is farther from the axis has left NA62."""

_STOPS = {
    "gamma": ("LAV", "IRC", "LKr", "SAC"),
    "e": ("LAV", "IRC", "LKr", "SAC"),
    "pi": ("LAV", "IRC", "MUV2", "wall", "SAC"),
    "K": ("LAV", "IRC", "MUV2", "wall", "SAC"),
    "mu": ("MUV3",),
}
"""What absorbs which particle: photons and electrons shower, hadrons end in the calorimeters or the iron."""

_NEUTRAL = ("LAV", "IRC", "LKr", "SAC")
"""What a photon is seen in."""

Interval = tuple[float, float]


class Aperture(Protocol):
    """Which part of a plane a detector covers."""

    def inside(self, x: float, y: float) -> bool:
        """Whether it covers the point (m)."""
        ...

    def side(self) -> tuple[Interval, ...]:
        """Where it reaches in y, next to its hole (m)."""
        ...

    def top(self) -> tuple[Interval, ...]:
        """Where it reaches in x, next to its hole (m)."""
        ...


@dataclass(frozen=True)
class Ring:
    """A disc with a round hole; centre and hole_x : x of the two (m)."""

    inner: float
    outer: float
    centre: float = 0.0
    hole_x: float = 0.0

    def inside(self, x: float, y: float) -> bool:
        dx = x - self.centre
        return bool(in_small_ring.py_func(dx, y, self.hole_x - self.centre, self.inner, self.outer))

    def side(self) -> tuple[Interval, ...]:
        return _around(0.0, self.inner, 0.0, self.outer)

    def top(self) -> tuple[Interval, ...]:
        return _around(self.hole_x, self.inner, self.centre, self.outer)


@dataclass(frozen=True)
class Square:
    """A square around the axis with a round hole; half : half of its side (m)."""

    hole: float
    half: float

    def inside(self, x: float, y: float) -> bool:
        return max(abs(x), abs(y)) < self.half and x * x + y * y > self.hole * self.hole

    def side(self) -> tuple[Interval, ...]:
        return _around(0.0, self.hole, 0.0, self.half)

    def top(self) -> tuple[Interval, ...]:
        return self.side()


@dataclass(frozen=True)
class Octagon(Square):
    """The krypton's regular octagon; half : its apothem."""

    def inside(self, x: float, y: float) -> bool:
        return bool(in_octagon.py_func(x, y, self.hole, self.half))


@dataclass(frozen=True)
class Chamber:
    """A chamber of straws with a gap for the beam in each view (m)."""

    hole_x: float
    gap: float
    radius: float

    def inside(self, x: float, y: float) -> bool:
        return bool(in_straw_chamber.py_func(x, y, self.hole_x, self.gap, self.radius))

    def side(self) -> tuple[Interval, ...]:
        return _around(0.0, self.gap, 0.0, self.radius)

    def top(self) -> tuple[Interval, ...]:
        return _around(self.hole_x, self.gap, 0.0, self.radius)


@dataclass(frozen=True)
class Frame:
    """A rectangle with a rectangular hole; halves of the sides and x of the centre (m). Without a hole, hole_x is 0."""

    half_x: float
    half_y: float
    hole_x: float = 0.0
    hole_y: float = 0.0
    centre: float = 0.0

    def inside(self, x: float, y: float) -> bool:
        dx, dy = abs(x - self.centre), abs(y)
        return dx < self.half_x and dy < self.half_y and (dx > self.hole_x or dy > self.hole_y or not self.hole_x)

    def side(self) -> tuple[Interval, ...]:
        return _around(0.0, self.hole_y, 0.0, self.half_y)

    def top(self) -> tuple[Interval, ...]:
        return _around(self.centre, self.hole_x, self.centre, self.half_x)


def _around(hole: float, inner: float, centre: float, outer: float) -> tuple[Interval, ...]:
    return ((centre - outer, hole - inner), (hole + inner, centre + outer))


@dataclass(frozen=True)
class Element:
    """One detector, or one station of one: its name, such as "LAV 3", and where it begins and ends in z (m)."""

    name: str
    front: float
    back: float
    aperture: Aperture

    @property
    def system(self) -> str:
        """What it belongs to, such as "LAV"."""
        return self.name.split()[0]


@dataclass(frozen=True)
class Point:
    """A place in the laboratory (m), z from the target."""

    x: float
    y: float
    z: float


@dataclass(frozen=True)
class Hit:
    """Where a particle crosses a detector.

    detector : its name. x, y, z in m. inside : whether that is inside its aperture; a miss is told of the candidate
    only, which has to be inside of all.
    """

    detector: str
    x: float
    y: float
    z: float
    inside: bool


@dataclass(frozen=True)
class Route:
    """A particle's way: corners of its path, the detectors on it, and how it ends."""

    path: tuple[Point, ...]
    hits: tuple[Hit, ...]
    end: str


class Surroundings:
    """The detectors of a configuration, and the axis of the beam."""

    def __init__(self, configuration: Configuration) -> None:
        number, array = configuration.number, configuration.array
        self.magnet_z, self.kick = number("straw.magnet_z"), number("straw.kick")
        self.chamber_z = float(array("straw.z")[0])
        self.beam_momentum = number("beam.momentum")
        self.axis_slope, self.axis_origin = number("beam.axis_slope"), number("beam.axis_origin")
        self.volume = tuple(float(z) for z in array("beam.decay_volume"))
        self.elements = tuple(sorted(self._elements(configuration), key=lambda e: e.front))

    def axis(self, z: float) -> float:
        """x of the beam's axis (m), behind the magnet bent by it."""
        bend = max(z - self.magnet_z, 0.0) * self.kick / self.beam_momentum
        return self.axis_slope * (z - self.axis_origin) - bend

    def _elements(self, configuration: Configuration) -> Iterator[Element]:
        number = configuration.number

        def numbers(name: str) -> list[float]:
            return [float(value) for value in configuration.array(name)]

        def thin(name: str, z: float, aperture: Aperture) -> Element:
            return Element(name, z, z, aperture)

        if number("gtk.used"):
            yield thin("GTK3", number("gtk.z"), Frame(*GTK_HALF))
        half, (hole_x, hole_y) = number("chanti.half_side"), numbers("chanti.hole")
        for k, z in enumerate(numbers("chanti.z"), 1):
            yield thin(f"CHANTI {k}", z, Frame(half, half, hole_x, hole_y, self.axis(z)))
        for k, (z, hole_x) in enumerate(zip(numbers("straw.z"), numbers("straw.hole_x"), strict=True), 1):
            yield thin(f"STRAW {k}", z, Chamber(hole_x, number("straw.gap"), number("straw.radius")))
        stations = (numbers(f"lav.{name}") for name in ("front", "back", "inner", "outer"))
        for k, (front, back, inner, outer) in enumerate(zip(*stations, strict=True), 1):
            yield Element(f"LAV {k}", front, back, Ring(inner, outer))
        hole_x, inner = numbers("rich.hole")
        yield Element("RICH", number("rich.z"), RICH_BACK, Ring(inner, number("rich.radius"), hole_x, hole_x))
        radii = configuration.array("chod.radii").tolist()
        for name, z, (inner, outer) in zip(("tiles", "slabs"), numbers("chod.z"), radii, strict=True):
            yield thin(f"CHOD {name}", z, Ring(inner, outer))
        z, (inner, outer) = number("irc.z"), numbers("irc.radii")
        yield Element("IRC", z, z + IRC_DEPTH, Ring(inner, outer, 0.0, number("irc.hole_x")))
        z = number("lkr.z")
        yield Element("LKr", z, z + LKR_DEPTH, Octagon(number("lkr.hole"), number("lkr.apothem")))
        for name, z in zip(("MUV1", "MUV2"), MUV_Z, strict=True):
            yield Element(name, z, z + MUV_DEPTH, Square(MUV_HOLE, MUV_HALF))
        muv3 = Square(number("muv3.hole"), number("muv3.half_side"))
        yield Element("wall", *WALL, muv3)
        yield thin("MUV3", number("muv3.z"), muv3)
        z, half = number("sac.z"), number("sac.half_side")
        yield Element("SAC", z, z + SAC_DEPTH, Frame(half, half))

    def route(
        self,
        name: str,
        charge: int,
        momentum: tuple[float, float, float],
        start: Point,
        *,
        until: float | None = None,
        turned: float = 0.0,
        deflection: tuple[float, float] = (0.0, 0.0),
        visible: bool = True,
        planes: Sequence[str] = (),
    ) -> Route:
        """Follow one particle.

        Parameters
        ----------
        name, charge
            What it is, such as "mu+"; the charge in units of e.
        momentum
            Where it begins (GeV).
        start
            Where that is.
        until
            z (m) where it decays; None if it does not.
        turned
            Bend that it has from its parent (rad), where it begins behind the magnet.
        deflection
            What scattering in the first chamber adds to the slopes, of itself or of its parent.
        visible
            Whether the detectors see it.
        planes
            Detectors of which also a miss is told, even behind the particle's end.
        """
        px, py, pz = momentum
        p = math.sqrt(px * px + py * py + pz * pz)
        if pz <= 0.0:
            return self._backwards(momentum, start, until)
        slope_x, slope_y = px / pz - turned, py / pz
        bend = self.kick * charge / p if start.z < self.magnet_z else 0.0

        def at(z: float) -> Point:
            lever, behind = max(z - self.magnet_z, 0.0), max(z - max(self.chamber_z, start.z), 0.0)
            x = start.x + slope_x * (z - start.z) + deflection[0] * behind - lever * bend
            return Point(x, start.y + slope_y * (z - start.z) + deflection[1] * behind, z)

        stop, end = (max(END, start.z), "leaves NA62") if until is None else (until, "decays")
        kind, last = name.rstrip("+-"), stop
        hits: list[Hit] = []
        goes_on = True
        for element in self.elements if visible else ():
            if element.front <= start.z or element.front >= stop or element.system == "GTK3":
                continue
            place = at(element.front)
            inside = element.aperture.inside(place.x, place.y)
            if not inside and element.system == "LAV":
                # through the inner wall of a station, between its two ends
                back = at(element.back)
                inside, place = element.aperture.inside(back.x, back.y), back
            asked = element.name in planes
            seen = (charge != 0 and element.system != "wall") or element.system in _NEUTRAL
            if (goes_on and seen and inside) or (asked and not inside):
                hits.append(Hit(element.name, place.x, place.y, place.z, inside))
            # what is known to decay later has not been absorbed before
            if goes_on and inside and until is None and element.system in _STOPS.get(kind, ()):
                last, goes_on = place.z, False
                end = "absorbed in the iron" if element.system == "wall" else f"ends in {element.name}"
        stop = stop if goes_on else last
        bends = ((self.chamber_z, any(deflection)), (self.magnet_z, bend))
        corners = [start, *(at(z) for z, much in bends if much and start.z < z < stop), at(stop)]
        path, left = _inside_of_the_hall(corners)
        return Route(path, tuple(hits), "leaves NA62" if left else end)

    def _backwards(self, momentum: tuple[float, float, float], start: Point, until: float | None) -> Route:
        px, py, pz = momentum
        z = BEGIN if until is None else until
        # what goes straight across goes far
        flight = (z - start.z) / min(pz, -1e-6 * math.hypot(px, py, pz))
        path, left = _inside_of_the_hall([start, Point(start.x + px * flight, start.y + py * flight, z)])
        return Route(path, (), "leaves NA62" if left or until is None else "decays")


def axis_path(surroundings: Surroundings) -> tuple[tuple[float, float], ...]:
    """Corners (z, x) of the beam's axis (m)."""
    return tuple((z, surroundings.axis(z)) for z in (BEGIN, surroundings.magnet_z, END))


def _inside_of_the_hall(corners: Sequence[Point]) -> tuple[tuple[Point, ...], bool]:
    """The path up to where it leaves what is looked at, and whether it does."""
    result = [corners[0]]
    for a, b in pairwise(corners):
        share = min(_share(a.x, b.x), _share(a.y, b.y))
        if share < 1.0:
            share = max(share, 0.0)
            cut = Point(a.x + share * (b.x - a.x), a.y + share * (b.y - a.y), a.z + share * (b.z - a.z))
            return (*result, cut), True
        result.append(b)
    return tuple(result), False


def _share(a: float, b: float) -> float:
    """Which part of the way from a to b lies within the half width."""
    if abs(b) <= HALF_WIDTH:
        return 1.0
    if a == b:  # it begins outside, and goes nowhere
        return 0.0
    return (math.copysign(HALF_WIDTH, b) - a) / (b - a)
