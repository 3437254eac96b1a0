"""Whether the candidate is inside the spectrometer and everything behind it."""

from __future__ import annotations

from kaongen.event_block import (
    ACCEPTANCE,
    T_LKR_X,
    T_LKR_Y,
    T_MUV3_X,
    T_MUV3_Y,
    T_RICH_X,
    T_RICH_Y,
    T_SLAB_X,
    T_SLAB_Y,
    T_TILE_X,
    T_TILE_Y,
    T_X1,
    T_Z,
)
from kaongen.jit import block_kernel, full_width, row, scalar_kernel

_SQRT_HALF = 0.5**0.5
_SQRT_2 = 2.0**0.5


@scalar_kernel
def in_straw_chamber(x, y, hole_x, gap, radius):
    """Hits in at least one of the views x, y and one of u, v, each of which has a gap for the beam."""
    dx = x - hole_x
    u, v = (dx + y) * _SQRT_HALF, (dx - y) * _SQRT_HALF
    straight = (abs(dx) > gap) | (abs(y) > gap)
    diagonal = (abs(u) > gap) | (abs(v) > gap)
    return straight & diagonal & (x * x + y * y < radius * radius)


@scalar_kernel
def in_ring(x, y, inner, outer):
    r2 = x * x + y * y
    return (r2 > inner * inner) & (r2 < outer * outer)


@scalar_kernel
def in_small_ring(x, y, hole_x, inner, outer):
    """Inside a disc around the origin whose hole follows the bent beam."""
    dx = x - hole_x
    return (x * x + y * y < outer * outer) & (dx * dx + y * y > inner * inner)


@scalar_kernel
def in_octagon(x, y, hole, apothem):
    """Inside the krypton's regular octagon, and outside its hole."""
    ax, ay = abs(x), abs(y)
    return (ax < apothem) & (ay < apothem) & (ax + ay < _SQRT_2 * apothem) & (x * x + y * y > hole * hole)


@block_kernel
def chambers(n, hole_x, gap, radius, track, fate):
    """All four chambers are crossed; starts the row ACCEPTANCE (0 or 1)."""
    full_width()
    inside = row(fate, ACCEPTANCE)
    for j in range(n):
        inside[j] = 1.0
    for c in range(4):
        x, y = row(track, T_X1 + 2 * c), row(track, T_X1 + 2 * c + 1)
        centre = hole_x[c]
        for j in range(n):
            inside[j] = inside[j] if in_straw_chamber(x[j], y[j], centre, gap, radius) else 0.0


@block_kernel
def begins_before(n, z, track, fate):
    """The candidate begins before the first chamber, at z (m): one that comes from a decay in flight may not."""
    start, inside = row(track, T_Z), row(fate, ACCEPTANCE)
    for j in range(n):
        inside[j] = inside[j] if start[j] < z else 0.0


@block_kernel
def behind(n, rich, tiles, slabs, lkr, muv3, track, fate):
    """RICH, both hodoscopes, krypton and muon detector are crossed.

    rich : hole's x, inner and outer radius; tiles, slabs : inner and outer radius; lkr : hole, apothem; muv3 : hole,
    half side; all in m.
    """
    full_width()
    inside = row(fate, ACCEPTANCE)
    rx, ry = row(track, T_RICH_X), row(track, T_RICH_Y)
    tx, ty = row(track, T_TILE_X), row(track, T_TILE_Y)
    sx, sy = row(track, T_SLAB_X), row(track, T_SLAB_Y)
    lx, ly = row(track, T_LKR_X), row(track, T_LKR_Y)
    mx, my = row(track, T_MUV3_X), row(track, T_MUV3_Y)
    rich_x, rich_in, rich_out = rich[0], rich[1], rich[2]
    tile_in, tile_out, slab_in, slab_out = tiles[0], tiles[1], slabs[0], slabs[1]
    lkr_in, lkr_out, muv_in, muv_out = lkr[0], lkr[1], muv3[0], muv3[1]
    for j in range(n):
        ok = in_ring(rx[j] - rich_x, ry[j], rich_in, rich_out)
        ok &= in_ring(tx[j], ty[j], tile_in, tile_out) & in_ring(sx[j], sy[j], slab_in, slab_out)
        ok &= in_octagon(lx[j], ly[j], lkr_in, lkr_out)
        ok &= (abs(mx[j]) < muv_out) & (abs(my[j]) < muv_out) & (mx[j] * mx[j] + my[j] * my[j] > muv_in * muv_in)
        inside[j] = inside[j] if ok else 0.0
