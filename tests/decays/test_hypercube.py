"""The warped hypercube: knots and warps in plain numpy, the density by its definition, points where they belong."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbody import assert_likely, mass_squared, unfolded
from numba import types
from scipy import stats

from kaongen.decays.alias import CELL_BITS, CELLS, alias_table, probabilities
from kaongen.decays.amplitude import MOMENTA, momenta_address, momentum
from kaongen.decays.cells import _warps
from kaongen.decays.hypercube import BINS, KNOTS, buffers, draws_needed, evaluate, interval, place
from kaongen.decays.phase_space import phase_space
from kaongen.jit import BLOCK, block_kernel
from kaongen.particles import M_E, M_K, M_MU, M_PI

ENDS = [np.nextafter(0.0, 1.0), 2.0**-60, 2.0**-33, 0.5, np.nextafter(0.5, 0), 1 - 2.0**-33, np.nextafter(1.0, 0)]

inside_the_unit_interval = (
    st.floats(0, 1, exclude_min=True, exclude_max=True)
    | st.sampled_from(ENDS)
    | st.sampled_from(KNOTS[1:-1].tolist())
    | st.floats(1, 60).map(lambda octave: 2.0**-octave)
    | st.floats(1, 50).map(lambda octave: 1 - 2.0**-octave)
)

# Knots -----------------------------------------------------------------------------------------------------------


@given(inside_the_unit_interval)
def test_a_number_lies_in_its_interval(t):
    k = interval(t)
    assert 0 <= k < BINS
    assert KNOTS[k] <= t <= KNOTS[k + 1]


def test_every_interval_is_found():
    middle = (KNOTS[1:] + KNOTS[:-1]) / 2
    assert [interval(t) for t in middle] == list(range(BINS))
    assert [interval(t) for t in np.nextafter(KNOTS[:-1], 1)] == list(range(BINS))
    assert [interval(t) for t in np.nextafter(KNOTS[1:], 0)] == list(range(BINS))


def test_knots():
    """From 0 to 1, the same from either end, narrow there and wide in the middle."""
    width = np.diff(KNOTS)
    assert KNOTS.shape == (BINS + 1,)
    assert (KNOTS[0], KNOTS[BINS // 2], KNOTS[-1]) == (0.0, 0.5, 1.0)
    assert (width > 0).all()
    assert np.array_equal(KNOTS + KNOTS[::-1], np.ones(BINS + 1))
    assert width.max() == 1 / 64
    # but for the outermost, which reach down to the end
    assert width[1] == 2.0**-29
    assert width[0] == 17 * 2.0**-29


# Warps -----------------------------------------------------------------------------------------------------------


def edges(seed, decades):
    """Ends of the intervals of one axis: monotonic, with steps of lengths that differ by so many powers of ten."""
    reached = np.concatenate([[0.0], np.cumsum(10 ** np.random.default_rng(seed).uniform(-decades, 0, BINS))])
    return reached / reached[-1]


any_axis = given(seed=st.integers(0, 2**32), decades=st.floats(0, 12))


def intervals_of(t):
    return np.searchsorted(KNOTS, t, side="right") - 1


def warped(table, t):
    """By the table of one axis, as the kernel does it; and the slope."""
    k = intervals_of(t)
    return table[k] + table[k + BINS] * t, table[k + BINS]


def rounding(slope):
    """Of a number in (0, 1) times a slope, and something between 0 and 1."""
    return 2 * np.finfo(float).eps * (1 + slope)


@any_axis
def test_warps_are_linear_between_the_edges(seed, decades):
    ends = edges(seed, decades)
    t = np.concatenate([KNOTS[1:-1], np.nextafter(KNOTS[1:-1], 0), np.linspace(0.001, 0.999, 999)])
    x, slope = warped(_warps(ends[None]), t)
    assert (np.abs(x - np.interp(t, KNOTS, ends)) < rounding(slope)).all()
    wanted = (np.diff(ends) / np.diff(KNOTS))[intervals_of(t)]
    assert (np.abs(slope - wanted) <= 1e-12 * wanted).all()


@any_axis
def test_warps_are_continuous_and_monotonic(seed, decades):
    table = _warps(edges(seed, decades)[None])
    left, slope = warped(table, np.nextafter(KNOTS[1:-1], 0))
    right, other = warped(table, KNOTS[1:-1])
    assert (np.abs(right - left) < rounding(slope + other)).all()
    x, slope = warped(table, np.linspace(0.001, 0.999, 999))
    assert (np.diff(x) > -rounding(slope[1:] + slope[:-1])).all()


@any_axis
def test_warped_numbers_stay_in_the_hypercube(seed, decades):
    """Also the smallest and largest that are ever drawn: a cosine beyond 1 would have no sine."""
    table = _warps(edges(seed, decades)[None])
    for halvings in (0, 1, 5, CELL_BITS):
        half_a_step = 2.0 ** -(33 + halvings)
        x, _ = warped(table, np.array([half_a_step, 1 - half_a_step]))
        assert (x >= 0).all()
        assert (x <= 1).all()


# Density ---------------------------------------------------------------------------------------------------------


@block_kernel(signature=MOMENTA)
def asymmetric(n, p, parameters, result):
    """Different for every permutation of four particles, and for another parameter."""
    for j in range(n):
        a, b, c, d = momentum(p, 0, j), momentum(p, 1, j), momentum(p, 2, j), momentum(p, 3, j)
        result[j] = a[3] + parameters[0] * b[3] * c[2] + 7.0 * d[0] * d[0] + c[3] * c[3] * c[3] + b[1] * b[1]
    return 0.0


def asymmetric_by_hand(p, strength):
    a, b, c, d = p
    return a[3] + strength * b[3] * c[2] + 7.0 * d[0] ** 2 + c[3] ** 3 + b[1] ** 2


@block_kernel(signature=MOMENTA)
def undefined(n, p, parameters, result):
    for j in range(n):
        result[j] = np.nan
    return 0.0


def spread(points):
    """Into rows of a block."""
    coordinates, *room = buffers((len(points) + 7) // 3)
    coordinates.reshape(-1, BLOCK)[: len(points), : points.shape[1]] = points
    return coordinates, *room


@pytest.mark.parametrize("n", [1, 1000, BLOCK])
@pytest.mark.parametrize(("masses", "limits"), [((M_MU, 0.0, M_E, M_E), {}), ((M_PI, M_PI, M_E, 0.0), {2: (0.3, 0.3)})])
def test_density_is_amplitude_times_phase_space_times_jacobian(masses, limits, n):
    space = phase_space(M_K, masses, limits)
    rng = np.random.default_rng(1)
    edges_of_axes = np.sort(rng.random((5, BINS + 1)) ** 3)
    edges_of_axes[:, 0], edges_of_axes[:, -1] = 0.0, 1.0
    t = rng.random((5, n))
    coordinates, work, momenta, weight, density = spread(t)
    warps = _warps(edges_of_axes)
    arguments = space.arrays(), np.array([0.25]), warps, coordinates, work, momenta, weight, density
    evaluate(n, momenta_address(asymmetric), *arguments[0], *arguments[1:])

    k = intervals_of(t)
    slopes = np.take_along_axis(np.diff(edges_of_axes) / np.diff(KNOTS), k, axis=1)
    x = np.take_along_axis(edges_of_axes, k, axis=1) + slopes * (t - KNOTS[k])
    p, phase = unfolded(space, x)
    expected = asymmetric_by_hand(p, 0.25) * phase / space.constant * slopes.prod(axis=0)
    assert density[:n] == pytest.approx(expected, rel=1e-9)
    assert momenta.reshape(4, 4, BLOCK)[:, :, :n] == pytest.approx(p, abs=1e-12)
    assert mass_squared(momenta.reshape(4, 4, BLOCK)[0, :, :n]) == pytest.approx(np.full(n, masses[0] ** 2), abs=1e-12)


def test_where_there_is_no_phase_space_the_amplitude_may_be_anything():
    """At the upper end of its mass the first system leaves no momentum to the third particle."""
    space = phase_space(M_K, (0.1, 0.1, 0.1))
    flat = _warps(np.tile(KNOTS, (2, 1)))
    for u, expected in ((1.0, 0.0), (0.5, np.nan)):
        coordinates, work, momenta, weight, density = spread(np.array([[u], [0.5]]))
        arrays = (*space.arrays(), np.empty(0), flat)
        evaluate(1, momenta_address(undefined), *arrays, coordinates, work, momenta, weight, density)
        assert np.array_equal(density[0], expected, equal_nan=True)


# Points ----------------------------------------------------------------------------------------------------------

BITS = np.array([5, 0, 7, 3, 1])
SHIFTS = np.array([0, 5, 5, 12, 15])
KEY, STREAM, FIRST = np.uint64(0x1234_5678_9ABC), np.uint64(3), np.uint64(10)


def placed(index, table, *, bits=BITS, shifts=SHIFTS, key=KEY, stream=STREAM, first=FIRST, waiting=None):
    """Coordinates (axes, n), chances and cells of points with these numbers."""
    axes = len(bits)
    waiting = np.arange(len(index)) if waiting is None else waiting
    coordinates, chances, numbers = [], [], []
    for start in range(0, len(waiting), BLOCK):
        some = waiting[start : start + BLOCK]
        room = np.zeros((axes + 3) * BLOCK)
        chance, cells = np.zeros(BLOCK), np.zeros(BLOCK, dtype=np.uint64)
        place(key, len(some), stream, first, index, some, axes, bits, shifts, table, room, chance, cells)
        coordinates.append(room.reshape(-1, BLOCK)[:axes, : len(some)])
        chances.append(chance[: len(some)])
        numbers.append(cells[: len(some)])
    return np.concatenate(coordinates, axis=1), np.concatenate(chances), np.concatenate(numbers).astype(np.int64)


@pytest.fixture(scope="module")
def uneven():
    probability = np.random.default_rng(4).exponential(size=CELLS) ** 3
    return alias_table(probability / probability.sum())


@pytest.fixture(scope="module")
def points(uneven):
    return placed(np.arange(1_000_000, dtype=np.uint64), uneven)


def test_cells_are_chosen_as_the_table_says(points, uneven):
    _, _, cells = points
    # in groups, so that each has enough
    expected = np.add.reduceat(probabilities(uneven), np.arange(0, CELLS, 64)) * cells.size
    assert_likely({"cells": stats.chisquare(np.bincount(cells // 64, minlength=CELLS // 64), expected).pvalue})


def test_points_lie_in_their_cells(points):
    """A cell's number holds, for each axis, how far along it lies, in as many bits as the axis was halved."""
    coordinates, _, cells = points
    for axis, (bits, shift) in enumerate(zip(BITS.tolist(), SHIFTS.tolist(), strict=True)):
        assert np.array_equal(np.floor(coordinates[axis] * 2**bits).astype(int), (cells >> shift) % 2**bits)
    assert coordinates.min() > 0
    assert coordinates.max() < 1


def test_points_are_spread_evenly_in_their_cells(points):
    """Chances and places, one by one, in pairs and against the cell; and no two axes share a number."""
    coordinates, chance, cells = points
    numbers = {f"axis {axis}": coordinates[axis] * 2**bits % 1 for axis, bits in enumerate(BITS.tolist())}
    numbers["chance"] = chance
    likely = {name: stats.chisquare(np.histogram(values, 100, (0, 1))[0]).pvalue for name, values in numbers.items()}
    numbers["cell"] = np.searchsorted(np.quantile(cells, np.arange(1, 16) / 16), cells) / 16
    sixteenth = {name: (16 * values).astype(int) for name, values in numbers.items()}
    for one, other in combinations(sixteenth, 2):
        table = np.bincount(16 * sixteenth[one] + sixteenth[other], minlength=256).reshape(16, 16)
        likely[one, other] = stats.chi2_contingency(table).pvalue
    assert_likely(likely)


def correlations(uneven, index, **options):
    """Of everything that makes the first points with everything that makes others."""
    rows = []
    for numbers, other in ((np.arange(len(index), dtype=np.uint64), {}), (index, options)):
        coordinates, chance, cells = placed(numbers, uneven, **other)
        rows.append(np.vstack([coordinates * 2.0 ** BITS[:, None] % 1, chance, cells]))
    count = len(BITS) + 2
    return np.abs(np.corrcoef(*rows)[:count, count:]).max()


@pytest.mark.parametrize(
    "options",
    [{"first": FIRST + np.uint64(2)}, {"stream": STREAM + np.uint64(1)}, {"key": KEY + np.uint64(1)}],
    ids=["attempt", "stream", "key"],
)
def test_the_next_attempt_stream_and_key_are_independent(options, uneven):
    """Correlations within 5 standard deviations (0.01) of none."""
    assert correlations(uneven, np.arange(250_000, dtype=np.uint64), **options) < 5 / np.sqrt(250_000)


@pytest.mark.parametrize("shift", [1, 2, BLOCK])
def test_neighbours_are_independent(shift, uneven):
    assert correlations(uneven, np.arange(shift, 250_000 + shift, dtype=np.uint64)) < 5 / np.sqrt(250_000)


def test_attempts_that_share_a_draw_would_be_seen(uneven):
    """An attempt takes two draws here: one draw later there are the same words in other places."""
    assert correlations(uneven, np.arange(1000, dtype=np.uint64), first=FIRST + np.uint64(1)) > 0.99


@pytest.mark.parametrize("axes", range(2, 12))
def test_an_attempt_uses_the_draws_that_it_says(axes, uneven):
    """Two numbers and one for each axis: all different, and none of the next attempt's."""
    bits = np.zeros(axes, dtype=np.int64)
    index = np.arange(1000, dtype=np.uint64)
    needed = draws_needed(axes)
    assert 4 * needed >= 2 + axes > 4 * (needed - 1)
    columns = []
    for first in (FIRST, FIRST + np.uint64(needed)):
        coordinates, chance, _ = placed(index, uneven, bits=bits, shifts=bits, first=first)
        columns += [*coordinates, chance]
    # numbers in (0, 1) of 32 bits: some agree by chance, columns do not
    assert max(np.mean(a == b) for k, a in enumerate(columns) for b in columns[:k]) < 0.01


def test_points_depend_on_their_number_alone(uneven):
    index = np.arange(5000, dtype=np.uint64)
    whole = placed(index, uneven)
    some = np.random.default_rng(1).permutation(5000)[:700]
    for one, other in zip(whole, placed(index, uneven, waiting=some), strict=True):
        assert np.array_equal(one[..., some], other)
    for one, other in zip(whole, placed(index[some], uneven), strict=True):
        assert np.array_equal(one[..., some], other)


def test_large_numbers_are_as_good_as_small_ones(uneven):
    low, high = (placed(np.arange(100, dtype=np.uint64) + np.uint64(start), uneven)[0] for start in (0, 2**40))
    assert not np.isin(low, high).any()


def test_kernels_are_compiled_once():
    """For all amplitudes: a kernel specialised to somebody's would poison the cache of everybody else."""
    assert len(evaluate.signatures) == 1
    assert evaluate.signatures[0][0] == types.int64
