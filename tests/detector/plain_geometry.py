"""NA62 in plain Python: a slow ray tracer of single particles, from the published geometry.

It knows nothing of the configuration. Lengths in mm, z from the target.
NA62, JINST 12 (2017) P05025, and constants seen in public NA62 software.
"""

import math

STRAW_Z = (183508.0, 194066.0, 204459.0, 218885.0)
STRAW_HOLE_X = (101.2, 114.4, 92.4, 52.8)
STRAW_GAP = 63.8
STRAW_RADIUS = 1000.0
MAGNET_Z = 196995.0
KICK = 0.270  # GeV
LAV_FRONT = (
    *(121363.0, 128973.0, 136583.0, 144193.0, 151803.0, 165313.0),
    *(172823.0, 180333.0, 192709.0, 203102.0, 217528.0, 238313.0),
)
LAV_BACK = (
    *(121953.0, 129563.0, 137173.0, 144783.0, 152393.0, 165903.0),
    *(173413.0, 180923.0, 193179.0, 203572.0, 217998.0, 238783.0),
)
LAV_INNER = (536.5,) * 5 + (767.5,) * 3 + (980.0,) * 3 + (1070.0,)
LAV_OUTER = (906.5,) * 5 + (1137.5,) * 3 + (1350.0,) * 3 + (1440.0,)
RICH_Z, TILES_Z, SLABS_Z = 219445.0, 238131.5, 239009.0
RICH_MIRROR_Z = 236873.0
SWEEP_Z, SWEEP_KICK = 249000.0, 0.99  # dipole between MUV3 and SAC, GeV
IRC_Z, LKR_Z, MUV3_Z, SAC_Z = 239700.0, 241093.0, 246800.0, 260956.0
CHANTI_Z = (102427.0, 102485.0, 102600.0, 102830.0, 103290.0, 104210.0)


def chamber(number, x, y):
    """Seen in x or y, and in u or v, which are turned by 45 degrees about the hole."""
    dx = x - STRAW_HOLE_X[number]
    turned = complex(dx, y) * complex(math.cos(math.pi / 4), math.sin(math.pi / 4))
    straight = max(abs(dx), abs(y)) > STRAW_GAP
    diagonal = max(abs(turned.real), abs(turned.imag)) > STRAW_GAP
    return straight and diagonal and math.hypot(x, y) < STRAW_RADIUS


def rich(x, y):
    return 100 < math.hypot(x - 34, y) < 1100


def tiles(x, y):
    return 140 < math.hypot(x, y) < 1070


def slabs(x, y):
    return 130 < math.hypot(x, y) < 1100


def lkr(x, y):
    """Inside the eight sides of a regular octagon with an apothem of 1130 mm."""
    sides = [x * math.cos(k * math.pi / 4) + y * math.sin(k * math.pi / 4) for k in range(8)]
    return max(sides) < 1130 and math.hypot(x, y) > 150


def krypton(x, y):
    """Where there is any: 13248 cells of 19.738 mm, and a hole that ends behind the IRC."""
    sides = [x * math.cos(k * math.pi / 4) + y * math.sin(k * math.pi / 4) for k in range(8)]
    return max(sides) < 1253 and math.hypot(x, y) > 120


def muv3(x, y):
    return max(abs(x), abs(y)) < 1320 and math.hypot(x, y) > 103


def irc(x, y):
    return math.hypot(x, y) < 145 and math.hypot(x - 12, y) > 60


def sac(x, y):
    return max(abs(x), abs(y)) < 100


def lav_ring(number, x, y):
    return LAV_INNER[number] < math.hypot(x, y) < LAV_OUTER[number]


def chanti(z, x, y):
    """A square frame with a hole of 95 x 65 mm around the beam, which leaves x = 0 at 101.8 m with 1.2 mrad."""
    dx = x - 1.2e-3 * (z - 101800.0)
    return max(abs(dx), abs(y)) < 150 and not (abs(dx) <= 47.5 and abs(y) <= 32.5)


PLANES = (
    *((z, lambda x, y, number=number: chamber(number, x, y)) for number, z in enumerate(STRAW_Z)),
    *((RICH_Z, rich), (TILES_Z, tiles), (SLABS_Z, slabs), (LKR_Z, lkr), (MUV3_Z, muv3)),
)
"""z and aperture of what the candidate must cross, in the order of `blocks.accepted`."""


def line(momentum, vertex, z, charge=0.0):
    """x and y at z of a particle with a momentum in GeV; charged ones are bent in the middle of the magnet."""
    px, py, pz = momentum
    x, y, z0 = vertex
    x, y = x + px / pz * (z - z0), y + py / pz * (z - z0)
    if z > MAGNET_Z:
        x -= (z - MAGNET_Z) * charge * KICK / math.hypot(px, py, pz)
    return x, y


def first_station(momentum, vertex, slices=4, until=math.inf):
    """What a photon meets first, before a certain z; the rings of the LAV are followed in thin slices."""
    z0 = vertex[2]
    if momentum[2] <= 0:
        return None
    for number, (front, back) in enumerate(zip(LAV_FRONT, LAV_BACK, strict=True)):
        if z0 < front < until:
            for k in range(slices + 1):
                if lav_ring(number, *line(momentum, vertex, front + (back - front) * k / slices)):
                    return "lav"
    for z, name, hit in ((IRC_Z, "irc", irc), (LKR_Z, "lkr", krypton), (SAC_Z, "sac", sac)):
        if z0 < z < until and hit(*line(momentum, vertex, z)):
            return name
    return None


def segment_behind(kind, charge, momentum, vertex):
    """Whether a particle crosses the third and the fourth chamber; an electron that meets lead glass leaves a shower
    and nothing else."""
    z0 = vertex[2]
    if momentum[2] <= 0 or z0 > STRAW_Z[2]:
        return False
    bent = charge if z0 < MAGNET_Z else 0.0
    at = {z: line(momentum, vertex, z, bent) for z in (*STRAW_Z, *LAV_FRONT, *LAV_BACK)}
    rings = [
        front > z0 and (lav_ring(k, *at[front]) or lav_ring(k, *at[back]))
        for k, (front, back) in enumerate(zip(LAV_FRONT, LAV_BACK, strict=True))
    ]
    return all(chamber(c, *at[STRAW_Z[c]]) for c in (2, 3)) and not (kind == "electron" and any(rings))


def swept(momentum, vertex, charge):
    """x and y at the SAC, behind the dipole that keeps charged particles of the beam off it."""
    x, y = line(momentum, vertex, SAC_Z, charge if vertex[2] < MAGNET_Z else 0.0)
    if vertex[2] < SWEEP_Z:
        x -= (SAC_Z - SWEEP_Z) * charge * SWEEP_KICK / math.hypot(*momentum)
    return x, y


def views(number, x, y):
    """How many of the four views of a chamber have a straw there."""
    dx = x - STRAW_HOLE_X[number]
    turned = complex(dx, y) * complex(math.cos(math.pi / 4), math.sin(math.pi / 4))
    seen = sum(abs(coordinate) > STRAW_GAP for coordinate in (dx, y, turned.real, turned.imag))
    return seen if math.hypot(x, y) < STRAW_RADIUS else 0


def unseen(kind, charge, momentum, vertex, detection, blind=0.0):
    """Probability that a charged particle leaves no signal behind or beside the chambers.

    detection : of a kind "pion", "muon" or "electron" by a system, as a function of the momentum in GeV; systems are
    "lav", "irc", "lkr", "sac" and "rich". blind : share of those that LAV, IRC and SAC miss anyway.
    """
    p, z0 = math.hypot(*momentum), vertex[2]
    at = {z: line(momentum, vertex, z, charge) for z in (*LAV_FRONT, *LAV_BACK, RICH_Z, RICH_MIRROR_Z, IRC_Z, LKR_Z)}
    if z0 > MAGNET_Z:
        at = {z: line(momentum, vertex, z) for z in at}
    crossed = [
        "lav"
        for k, (front, back) in enumerate(zip(LAV_FRONT, LAV_BACK, strict=True))
        if front > z0 and (lav_ring(k, *at[front]) or lav_ring(k, *at[back]))
    ]
    if z0 < IRC_Z and irc(*at[IRC_Z]):
        crossed.append("irc")
    if z0 < LKR_Z and krypton(*at[LKR_Z]):
        crossed.append("lkr")
    x, y = swept(momentum, vertex, charge)
    if z0 < SAC_Z and sac(x, y):
        crossed.append("sac")
    light = z0 < RICH_Z and rich(*at[RICH_Z]) and math.hypot(*at[RICH_MIRROR_Z]) < 1100
    if kind == "electron":
        light &= crossed[:1] != ["lav"]
        crossed = crossed[:1]
    result = detection("rich", kind, p) if light else 1.0
    for system in crossed:
        chance = detection(system, kind, p)
        result *= chance if system == "lkr" else blind + (1 - blind) * chance
    return result
