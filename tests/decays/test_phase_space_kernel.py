"""Phase space from the hypercube: conservation laws, volumes by quadrature, and distributions of other generators."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbody import (
    assert_likely,
    breakup,
    decays,
    mass_squared,
    massless_decays,
    massless_volume,
    probabilities_of,
    sine_nodes,
    to_rest,
    two_body,
    unfolded,
    volume,
)
from scipy.integrate import quad
from scipy.special import k1

from kaongen.decays.phase_space import phase_space
from kaongen.errors import ProcessError
from kaongen.particles import M_E, M_K, M_MU, M_PI

FINAL_STATES = {
    "pi pi pi": (M_PI, M_PI, M_PI),
    "pi e e": (M_PI, M_E, M_E),
    "mu nu mu mu": (M_MU, 0.0, M_MU, M_MU),
    "pi pi e nu": (M_PI, M_PI, M_E, 0.0),
    "pi e e e e": (M_PI, M_E, M_E, M_E, M_E),
    "five": (0.02, 0.1, 0.0, 0.08, 0.05),
    "six": (0.03, 0.1, 0.05, 0.0, 0.02, 0.06),
}

every_final_state = pytest.mark.parametrize("masses", FINAL_STATES.values(), ids=FINAL_STATES)

relative_masses = st.just(0.0) | st.floats(1e-6, 1.0)


@st.composite
def spaces(draw):
    """3 to 6 bodies, massless or not, that leave from 1e-9 of the parent's mass to all of it to their motion."""
    n = draw(st.integers(3, 6))
    shares = np.array(draw(st.lists(relative_masses, min_size=n, max_size=n)))
    parent = draw(st.sampled_from([1e-3, M_K, 7.0]))
    if not shares.any():
        return phase_space(parent, shares)
    left = draw(st.floats(1e-9, 1.0, exclude_max=True))
    return phase_space(parent, shares / shares.sum() * parent * (1 - left))


def random_points(space, n, seed=1):
    return np.random.default_rng(seed).random((space.dimensions, n))


def hypercube(space, nodes):
    """Points that integrate over the free masses, and their weights; the angles are anything."""
    free = [k for k in range(space.particles - 1, 1, -1) if space.upper[k] > space.lower[k]]
    u, weight = sine_nodes(nodes)
    count = nodes ** len(free)
    points = random_points(space, count)
    for axis, grid in zip((space.particles - 1 - k for k in free), np.meshgrid(*[u] * len(free)), strict=True):
        points[axis] = grid.ravel()
    return points, np.prod(np.meshgrid(*[weight] * len(free)), axis=0).ravel()


def volume_of(space, nodes=24):
    """Of kaongen's phase space, by quadrature over its mass coordinates."""
    points, quadrature = hypercube(space, nodes)
    return unfolded(space, points)[1] @ quadrature


def systems(p):
    """Masses of the first k particles, for k = 1 .. n."""
    return np.sqrt(np.maximum(mass_squared(np.cumsum(p, axis=0)), 0.0))


# The judge is judged ---------------------------------------------------------------------------------------------


@every_final_state
@pytest.mark.parametrize("alpha", [1.0, 5.0, 25.0])
def test_volumes_by_recursion_obey_the_laplace_transform(masses, alpha):
    """int d^4P exp(-alpha E) of phase space is a product of one-particle integrals, m K_1(alpha m)/(4 pi^2 alpha)."""

    def transform(m):
        return np.where(m > 0, m * k1(alpha * np.maximum(m, 1e-300)), 1 / alpha) / (4 * np.pi**2 * alpha)

    def spectrum(y):
        s = sum(masses) + y**2
        return 2 * y * s / np.pi * volume(s, masses, nodes=12) * transform(s)

    # up to where exp(-alpha s) is gone, in pieces
    ends = np.linspace(0, np.sqrt(60 / alpha), 13)
    value = sum(quad(spectrum, *piece, epsabs=0, epsrel=1e-9)[0] for piece in pairwise(ends))
    assert value == pytest.approx(np.prod(transform(np.array(masses))), rel=1e-6)


@every_final_state
def test_volumes_by_recursion_do_not_depend_on_the_order(masses):
    assert volume(M_K, masses[::-1]) == pytest.approx(volume(M_K, masses), rel=1e-8)


# Momenta ---------------------------------------------------------------------------------------------------------


@given(spaces(), st.integers(0, 2**32))
def test_energy_momentum_and_mass_shells(space, seed):
    points = random_points(space, 300, seed)
    # the ends of the hypercube as well, as close as a random number comes
    points[:, :100] = np.where(points[:, :100] < 0.5, 2.0**-40, 1 - 2.0**-40)
    p, weight = unfolded(space, points)
    assert weight[100:].min() > 0
    assert not (weight < 0).any()
    # a system of two massless particles that has no mass at all has no momenta either, and counts for nothing
    p = p[..., weight > 0]
    total = p.sum(axis=0)
    assert np.abs(total[:3]).max() < 1e-12 * space.parent
    assert np.abs(total[3] - space.parent).max() < 1e-12 * space.parent
    assert np.abs(mass_squared(p) - np.array(space.masses)[:, None] ** 2).max() < 1e-12 * space.parent**2
    assert (p[:, 3] - np.array(space.masses)[:, None]).min() > -1e-15 * space.parent


@given(spaces(), st.integers(0, 2**32))
def test_what_each_coordinate_does(space, seed):
    """Masses from the top, each where its share of its range says; then cosines in the frames of the systems."""
    n = space.particles
    points = random_points(space, 50, seed)
    p, weight = unfolded(space, points)
    free = space.parent - sum(space.masses)
    outer = np.full(50, space.parent)
    weight /= space.constant
    shells = {n: outer}
    for axis, k in enumerate(range(n - 1, 1, -1)):
        low, high = sum(space.masses[:k]), outer - space.masses[k]
        shells[k] = low + points[axis] * (high - low)
        weight /= (high - low) * breakup(outer, shells[k], space.masses[k])
        outer = shells[k]
    # the weight holds just these, and nothing of the angles
    assert weight == pytest.approx(breakup(outer, *space.masses[:2]), rel=1e-6)
    found = systems(p)
    for k in range(2, n):
        assert np.abs(found[k - 1] ** 2 - shells[k] ** 2).max() < 1e-12 * space.parent**2
    if free < 1e-3 * space.parent:
        return
    frame = p
    for k in range(n - 1, 1, -1):
        system = frame[:k].sum(axis=0)
        frame = to_rest(frame[:k], system)
        inner = frame[: k - 1].sum(axis=0)[:3]
        cosine = (inner * system[:3]).sum(axis=0) / np.linalg.norm(inner, axis=0) / np.linalg.norm(system[:3], axis=0)
        slow = shells[k] < 1e-3 * space.parent
        assert cosine[~slow] == pytest.approx(2 * points[n - 4 + k][~slow] - 1, abs=1e-6)


@every_final_state
def test_canonical_orientation(masses):
    """The last one flies along -z, and the one before to the left of it, in the x-z plane."""
    space = phase_space(M_K, masses)
    p, _ = unfolded(space, random_points(space, 1000))
    assert np.array_equal(p[-1, :2], np.zeros((2, 1000)))
    assert (p[-1, 2] < 0).all()
    assert np.abs(p[-2, 1]).max() == 0
    assert (p[-2, 0] < 0).all()


# Volumes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("particles", [3, 4, 5, 6])
def test_volume_of_massless_particles(particles):
    assert volume_of(phase_space(M_K, [0.0] * particles)) == pytest.approx(massless_volume(M_K, particles), rel=1e-12)


@every_final_state
def test_volume(masses):
    nodes = 24 if len(masses) < 6 else 16
    assert volume_of(phase_space(M_K, masses), nodes) == pytest.approx(volume(M_K, masses[::-1]), rel=1e-6)


def test_volume_of_three_bodies_from_the_dalitz_plot():
    """int ds12 ds23/(128 pi^3 M^2), the range of s23 from energies and momenta in the rest frame of 1 and 2."""
    m1, m2, m3 = 0.1, 0.05, 0.14

    def width(s12):
        root = np.sqrt(s12)
        p2, p3 = breakup(root, m1, m2), breakup(M_K, root, m3) * M_K / root
        return 4 * p2 * p3

    area, _ = quad(width, (m1 + m2) ** 2, (M_K - m3) ** 2, epsabs=0, epsrel=1e-10)
    assert volume_of(phase_space(M_K, (m1, m2, m3))) == pytest.approx(area / (128 * np.pi**3 * M_K**2), rel=1e-9)


@pytest.mark.parametrize("left", [1e-3, 1e-6, 1e-9])
def test_volume_near_threshold(left):
    """The mean of the weights, because square roots of differences of masses are all that there is."""
    masses = np.array(FINAL_STATES["mu nu mu mu"]) + 0.1
    masses *= M_K * (1 - left) / masses.sum()
    assert volume_of(phase_space(M_K, masses)) == pytest.approx(volume(M_K, masses), rel=1e-6)


# Limits ----------------------------------------------------------------------------------------------------------


@every_final_state
def test_ranges_add_up(masses):
    whole, nodes = volume(M_K, masses), 24 if len(masses) < 6 else 16
    for k in range(2, len(masses)):
        low, high = sum(masses[:k]), M_K - sum(masses[k:])
        cut = low + 0.4 * (high - low)
        parts = [volume_of(phase_space(M_K, masses, {k: piece}), nodes) for piece in ((0.0, cut), (cut, M_K))]
        assert sum(parts) == pytest.approx(whole, rel=2e-5)
        assert min(parts) > 0.001 * whole


@every_final_state
def test_masses_stay_in_their_ranges(masses):
    k = len(masses) - 1
    low, high = sum(masses[:k]), M_K - masses[-1]
    limits = {k: (low + 0.3 * (high - low), low + 0.7 * (high - low))}
    if k > 2:
        first = sum(masses[:2])
        limits[2] = (first + 0.1 * (high - low), first + 0.2 * (high - low))
    space = phase_space(M_K, masses, limits)
    p, weight = unfolded(space, random_points(space, 2000))
    for number, (least, most) in limits.items():
        mass = systems(p)[number - 1]
        assert least - 1e-12 < mass.min() < least + 0.02 * (most - least)
        assert most - 0.05 * (most - least) < mass.max() < most + 1e-12
    assert weight.min() > 0


def test_limits_of_two_systems_at_once():
    """Against an integral over both masses of four bodies, whose ranges cut into each other."""
    masses = FINAL_STATES["pi pi e nu"]
    limits = {2: (0.3, 0.38), 3: (0.32, 0.4)}

    def inner(s3):
        def integrand(s2):
            return s2 / np.pi * two_body(s3, s2, M_E) * two_body(s2, M_PI, M_PI)

        value, _ = quad(integrand, 0.3, min(0.38, s3 - M_E), epsabs=0, epsrel=1e-9)
        return s3 / np.pi * two_body(M_K, s3, 0.0) * value

    expected, _ = quad(inner, 0.32, 0.4, points=[0.38 + M_E], epsabs=0, epsrel=1e-9)
    assert volume_of(phase_space(M_K, masses, limits), 60) == pytest.approx(expected, rel=1e-5)


@every_final_state
def test_a_system_on_its_mass_shell(masses):
    """What is left of phase space, times dS/pi: the system's own and that of a decay to it and the others."""
    for k in range(2, len(masses)):
        low, high = sum(masses[:k]), M_K - sum(masses[k:])
        shell = low + 0.4 * (high - low)
        space = phase_space(M_K, masses, {k: (shell, shell)})
        p, _ = unfolded(space, random_points(space, 200))
        assert systems(p)[k - 1] == pytest.approx(np.full(200, shell), rel=1e-12)
        rest = volume(M_K, (shell, *masses[k:]))
        expected = shell * volume(shell, masses[:k]) * rest
        assert volume_of(space) == pytest.approx(expected, rel=1e-6)


def test_all_systems_on_their_mass_shells():
    """Nothing but momenta is left: the weight is the same everywhere."""
    space = phase_space(M_K, (M_MU, 0.0, M_MU, 0.0), {2: (0.2, 0.2), 3: (0.4, 0.4)})
    _, weight = unfolded(space, random_points(space, 100))
    expected = 0.2 * 0.4 * two_body(M_K, 0.4, 0.0) * two_body(0.4, 0.2, M_MU) * two_body(0.2, M_MU, 0.0)
    assert weight == pytest.approx(np.full(100, expected), rel=1e-12)


# Distributions ---------------------------------------------------------------------------------------------------


def assert_distributed(masses, p, weight, seed=3):
    """All pair masses, energies and angles."""
    space = phase_space(M_K, masses)
    ours, ours_weight = unfolded(space, random_points(space, 160_000, seed))
    assert_likely(probabilities_of(ours, ours_weight, p, weight, bins=20))


@pytest.mark.parametrize("particles", [3, 4, pytest.param(5, marks=pytest.mark.slow)])
def test_massless_particles_are_distributed_as_in_rambo(particles):
    p = massless_decays(np.random.default_rng(particles), 150_000, M_K, particles)
    assert_distributed([0.0] * particles, p, np.ones(150_000))


@pytest.mark.parametrize(
    "name", ["pi pi pi", "mu nu mu mu", "pi pi e nu", "five", pytest.param("six", marks=pytest.mark.slow)]
)
def test_massive_particles_are_distributed_as_in_genbod(name):
    masses = FINAL_STATES[name]
    assert_distributed(masses, *decays(np.random.default_rng(7), 150_000, M_K, masses))


# What a user gets wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("masses", "limits", "message"),
    [
        ((0.2, 0.2, 0.1), {}, r"the daughters' masses add up to 0\.5 GeV: they must be below 0\.493677 GeV"),
        ((M_K, 0.0, 0.0), {}, "the daughters' masses add up to"),
        ((0.1, 0.1, 0.0), {1: (0.1, 0.1)}, "limits on the mass of the first 1 of 3 daughters: only 2 to 2 are free"),
        ((0.1, 0.1, 0.0, 0.0), {4: (0.1, 0.5)}, "limits on the mass of the first 4 of 4 daughters: only 2 to 3"),
        ((0.1, 0.1, 0.0), {2: (0.0, 0.15)}, "the limits leave no phase space: the mass of the first 2 daughters"),
        ((0.1, 0.1, 0.0), {2: (0.5, 0.6)}, "the limits leave no phase space: the mass of the first 2 daughters"),
        ((0.1, 0.1, 0.0), {2: (M_K, M_K)}, "the limits leave no phase space"),
        ((0.1, 0.1, 0.0), {2: (0.4, 0.3)}, r"would lie between 0\.4 and 0\.3 GeV"),
        ((0.1, 0.1, 0.0, 0.0), {2: (0.4, 0.4), 3: (0.3, 0.35)}, "the limits leave no phase space"),
        ((0.1, 0.1, 0.05, 0.0), {2: (0.3, 0.3), 3: (0.35, 0.35)}, "the limits leave no phase space"),
    ],
)
def test_impossible_phase_space(masses, limits, message):
    with pytest.raises(ProcessError, match=message):
        phase_space(M_K, masses, limits)


def test_limits_beyond_what_is_possible_change_nothing():
    plain, limited = (
        phase_space(M_K, (0.1, 0.1, 0.05, 0.0), limits) for limits in ({}, {2: (0.0, 1.0), 3: (0.1, M_K)})
    )
    assert np.array_equal(plain.lower, limited.lower)
    assert np.array_equal(plain.upper, limited.upper)
    assert plain.dimensions == 5
    assert plain.particles == 4
