"""Many-body phase space by other means: generators and volumes that share nothing with kaongen, and how to compare.

Momenta are (particles, 4, n) arrays with rows px, py, pz, E in GeV; weights are such that their mean estimates the
phase space dPhi_n = (2 pi)^4 delta^4(P - sum p) prod d^3p/((2 pi)^3 2E) in GeV^(2n - 4).
"""

from itertools import combinations, pairwise
from math import factorial, pi

import numpy as np
from phase_space import P_MIN
from scipy import stats
from scipy.integrate import quad

from kaongen.amplitudes.lorentz import add, dot
from kaongen.decays.amplitude import MOMENTA, momentum
from kaongen.decays.phase_space import rows, unfold, work_rows
from kaongen.jit import BLOCK, block_kernel

# Volumes ---------------------------------------------------------------------------------------------------------


def breakup(m, m1, m2):
    """Momentum of m -> m1 m2 in its rest frame (GeV)."""
    product = (m - m1 - m2) * (m + m1 + m2) * (m - m1 + m2) * (m + m1 - m2)
    return np.sqrt(np.maximum(product, 0.0)) / (2 * m)


def two_body(m, m1, m2):
    return breakup(m, m1, m2) / (4 * pi * m)


def sine_nodes(count):
    """Points and weights on (0, 1) for functions that go like powers, or square roots, at both ends."""
    x, weight = np.polynomial.legendre.leggauss(count)
    angle = pi * (x + 1) / 4
    return np.sin(angle) ** 2, pi / 4 * weight * np.sin(2 * angle)


def volume(parent, masses, nodes=24):
    """Phase space by integrals over one squared mass after the other, the last particle leaving first.

    Phi_n(M) = int ds/(2 pi) Phi_2(M; sqrt(s), m_n) Phi_(n-1)(sqrt(s)) (Byckling and Kajantie, Particle Kinematics).
    """
    *inner, last = masses
    parent = np.asarray(parent, dtype=float)
    if len(inner) == 1:
        return two_body(parent, *masses)
    u, weight = sine_nodes(nodes)
    outer = parent[..., None]
    low, high = sum(inner), outer - last
    s = low + (high - low) * u
    return ((high - low) * weight * s / pi * two_body(outer, s, last) * volume(s, inner, nodes)).sum(axis=-1)


def massless_volume(parent, particles):
    """In closed form (Kleiss, Stirling and Ellis, Comput. Phys. Commun. 40 (1986) 359)."""
    n = particles
    return (pi / 2) ** (n - 1) * parent ** (2 * n - 4) / (factorial(n - 1) * factorial(n - 2)) * (2 * pi) ** (4 - 3 * n)


# Generators ------------------------------------------------------------------------------------------------------


def isotropic(rng, n):
    cosine, azimuth = rng.uniform(-1, 1, n), rng.uniform(0, 2 * pi, n)
    sine = np.sqrt(1 - cosine**2)
    return np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine])


def boosted(p, frame, m):
    """Carry p from the rest frame of a body of mass m to the frame in which the body has the momentum `frame`."""
    along = (p[..., :3, :] * frame[:3]).sum(axis=-2)
    factor = (along / (frame[3] + m) + p[..., 3, :]) / m
    energy = (p[..., 3, :] * frame[3] + along) / m
    return np.concatenate([p[..., :3, :] + factor[..., None, :] * frame[:3], energy[..., None, :]], axis=-2)


def to_rest(p, frame):
    """Carry p to the rest frame of a body with the momentum `frame`."""
    # two massless particles that fly together have no rest frame
    m = np.sqrt(np.maximum(mass_squared(frame), 1e-20))
    return boosted(p, frame * np.array([-1, -1, -1, 1])[:, None], m)


def two_directions(rng, m, m1, m2):
    """Momenta of m -> m1 m2 in its rest frame, in all directions alike."""
    q = breakup(m, m1, m2)
    p = q * isotropic(rng, len(q))
    return np.stack([np.vstack([p, np.sqrt(q**2 + m1**2)]), np.vstack([-p, np.sqrt(q**2 + m2**2)])])


def massless_decays(rng, n, parent, particles):
    """Flat, of weight one: RAMBO (Kleiss, Stirling and Ellis, Comput. Phys. Commun. 40 (1986) 359)."""
    energy = -np.log(rng.random((particles, n)) * rng.random((particles, n)))
    q = energy[:, None] * np.stack([np.vstack([isotropic(rng, n), np.ones(n)]) for _ in range(particles)])
    total = q.sum(axis=0)
    m = np.sqrt(mass_squared(total))
    b, x, gamma = -total[:3] / m, parent / m, total[3] / m
    along = (b * q[:, :3]).sum(axis=1)
    p = q[:, :3] + b * (q[:, 3] + along / (1 + gamma))[:, None]
    return x * np.concatenate([p, (gamma * q[:, 3] + along)[:, None]], axis=1)


def decays(rng, n, parent, masses):
    """Momenta and weights of James' GENBOD (CERN 68-15; TGenPhaseSpace): the masses of systems from sorted numbers."""
    bodies = len(masses)
    free = parent - sum(masses)
    share = np.sort(rng.random((bodies - 2, n)), axis=0)
    systems = [np.full(n, masses[0])]
    systems += [sum(masses[: k + 2]) + share[k] * free for k in range(bodies - 2)]
    systems.append(np.full(n, parent))
    weight = np.full(n, free ** (bodies - 2) / factorial(bodies - 2) / pi ** (bodies - 2) / parent)
    p = np.stack([np.zeros(n), np.zeros(n), np.zeros(n), systems[0]])[None]
    for k in range(1, bodies):
        weight *= breakup(systems[k], systems[k - 1], masses[k]) / (4 * pi)
        system, single = two_directions(rng, systems[k], systems[k - 1], masses[k])
        inner = boosted(p, system, systems[k - 1]) if k > 1 else system[None]
        p = np.concatenate([inner, single[None]])
    return p, weight


def two_pairs(rng, n, parent, masses, pole=0.0, lowest=0.0):
    """Four bodies as two pairs, with the squared mass of the first pair drawn evenly in log(s - pole); s >= lowest."""
    m1, m2, m3, m4 = masses
    low, high = max((m1 + m2) ** 2, lowest) - pole, (parent - m3 - m4) ** 2 - pole
    s12 = pole + low * (high / low) ** rng.random(n)
    first = np.sqrt(s12)
    second = m3 + m4 + (parent - first - m3 - m4) * rng.random(n)
    weight = (s12 - pole) * np.log(high / low) / (2 * pi) * second * (parent - first - m3 - m4) / pi
    weight *= two_body(parent, first, second) * two_body(first, m1, m2) * two_body(second, m3, m4)
    pairs = two_directions(rng, np.full(n, parent), first, second)
    one = boosted(two_directions(rng, first, m1, m2), pairs[0], first)
    return np.concatenate([one, boosted(two_directions(rng, second, m3, m4), pairs[1], second)]), weight


def pairs_of_pairs(rng, n, parent, m, other):
    """Five bodies: + - + - of mass m, and another; their poles in the masses of both pairings of + and -.

    Each pairing is drawn for half of the points, the masses of its pairs evenly in log s; a point weighs what both
    pairings together say of it.
    """
    low, free = 2 * m, parent - other - 2 * m
    size = np.log((free / low) ** 2)
    first, second = (low * np.exp(size * rng.random(n) / 2) for _ in range(2))
    # masses that do not fit together count for nothing
    fits = first + second < parent - other
    first, second = np.where(fits, first, 1.5 * low), np.where(fits, second, 1.5 * low)
    both = first + second + (parent - other - first - second) * rng.random(n)
    system, last = two_directions(rng, np.full(n, parent), both, other)
    pairs = boosted(two_directions(rng, both, first, second), system, both)
    a, b = boosted(two_directions(rng, first, m, m), pairs[0], first)
    c, d = boosted(two_directions(rng, second, m, m), pairs[1], second)
    exchanged = rng.random(n) < 0.5
    p = np.stack([a, np.where(exchanged, d, b), c, np.where(exchanged, b, d), last])

    def density(first, second):
        """1/weight."""
        weight = first**2 * second**2 * (size / (2 * pi)) ** 2 * both * (parent - other - first - second) / pi
        weight *= two_body(first, m, m) * two_body(second, m, m)
        weight *= two_body(parent, both, other) * two_body(both, first, second)
        return np.where(weight > 0, 1 / np.where(weight > 0, weight, 1.0), 0.0)

    masses = [np.sqrt(mass_squared(x + y)) for x, y in ((p[0], p[1]), (p[2], p[3]), (p[0], p[3]), (p[2], p[1]))]
    return p, np.where(fits, 2 / (density(*masses[:2]) + density(*masses[2:])), 0.0)


def unfolded(space, coordinates):
    """Momenta and weights of kaongen's phase space at (dimensions, n) points of the hypercube."""
    axes, n = coordinates.shape
    particles = space.particles
    held, work = rows(axes), rows(work_rows(particles))
    block, weights = rows(4 * particles), rows(1)
    momenta, weight = np.empty((particles, 4, n)), np.empty(n)
    for first in range(0, n, BLOCK):
        size = min(BLOCK, n - first)
        held.reshape(axes, BLOCK)[:, :size] = coordinates[:, first : first + size]
        unfold(size, *space.arrays(), held, work, block, weights)
        momenta[:, :, first : first + size] = block.reshape(particles, 4, BLOCK)[:, :, :size]
        weight[first : first + size] = weights[:size]
    return momenta, weight * space.constant


# What is compared ------------------------------------------------------------------------------------------------


def mass_squared(p):
    return p[..., 3, :] ** 2 - (p[..., :3, :] ** 2).sum(axis=-2)


def pair_masses(p):
    """By the positions of the two, in GeV^2."""
    return {f"s{i}{j}": mass_squared(p[i] + p[j]) for i, j in combinations(range(len(p)), 2)}


def energies(p):
    return {f"E{i}": p[i, 3] for i in range(len(p))}


def pair_angles(p):
    """Of each pair in its rest frame: the cosine to its flight, and the azimuth about it, counted from another's."""
    result = {}
    for i, j in combinations(range(len(p)), 2):
        pair = p[i] + p[j]
        axis = pair[:3] / np.linalg.norm(pair[:3], axis=0)
        inside = to_rest(p[i], pair)[:3]
        along = (inside * axis).sum(axis=0)
        result[f"c{i}{j}"] = along / np.linalg.norm(inside, axis=0)
        if len(p) > 3:
            other = p[min(set(range(len(p))) - {i, j}), :3]
            across = np.cross(axis, other, axis=0)
            result[f"a{i}{j}"] = np.arctan2((inside * across).sum(axis=0), _part_across(inside, axis, other))
    return result


def _part_across(a, axis, b):
    """a.b without what either has along the axis."""
    return (a * b).sum(axis=0) - (a * axis).sum(axis=0) * (b * axis).sum(axis=0)


def observables(p):
    """Masses of all pairs, all energies, and the angles of all pairs."""
    return {**pair_masses(p), **energies(p), **pair_angles(p)}


def edges_of(values, weight, bins):
    """Ends of bins that hold about equal parts of the weight; the outermost are open."""
    order = np.argsort(values)
    reached = np.cumsum(weight[order])
    return values[order][np.searchsorted(reached, np.arange(1, bins) / bins * reached[-1])]


def share(cells, weight, bins):
    """Shares of the cells in the sum of weights, and their covariance."""
    content = np.bincount(cells, weight, bins)
    squares = np.bincount(cells, weight * weight, bins)
    total = content.sum()
    y = content / total
    cross = np.outer(y, squares)
    covariance = np.diag(squares) - cross - cross.T + squares.sum() * np.outer(y, y)
    return y, covariance / total**2, content**2 / np.maximum(squares, 1e-300)


def compatible(cells, weight, other_cells, other_weight, bins):
    """Probability that two weighted samples of one distribution differ by more, from chi-squared with covariances."""
    # what cells have too little for a normal distribution, in the second sample, goes together into cell 0
    enough = share(other_cells, other_weight, bins)[2] >= 50
    number = np.where(enough, np.cumsum(enough), 0)
    one, covariance, _ = share(number[cells], weight, bins + 1)
    two, other_covariance, _ = share(number[other_cells], other_weight, bins + 1)
    # shares add up to one, so that one cell says nothing new
    used = np.flatnonzero(one + two)[1:]
    assert len(used) > bins / 2
    apart = (one - two)[used]
    total = (covariance + other_covariance)[np.ix_(used, used)]
    return stats.chi2.sf(apart @ np.linalg.solve(total, apart), len(used))


def probabilities_of(p, weight, q, other_weight, bins=30, pilot=10_000, without=()):
    """One probability for each observable of two weighted samples, and for some pairs of observables.

    The first decays of p only set the bins.
    """
    one, two = observables(p), observables(q)

    def cells(name, count):
        edges = edges_of(one[name][:pilot], weight[:pilot], count)
        return np.searchsorted(edges, one[name][pilot:]), np.searchsorted(edges, two[name])

    def probability(first, second, count):
        return compatible(first, weight[pilot:], second, other_weight, count)

    result = {name: probability(*cells(name, bins), bins) for name in one if name not in without}
    for a, b in _joint(len(p)):
        if not {a, b} & set(without):
            first, second = (8 * x + y for x, y in zip(cells(a, 8), cells(b, 8), strict=True))
            result[a, b] = probability(first, second, 64)
    return result


def _joint(particles):
    """Both angles of a pair, and the masses of two pairs."""
    if particles > 3:
        yield from ((f"c{i}{j}", f"a{i}{j}") for i, j in combinations(range(particles), 2))
        yield from (("s01", "s23"), ("s02", "s13"), ("s12", "s03"))


def assert_likely(probabilities):
    """None is too small: together they fail by chance as often as any one test under tests/decays does."""
    worst = min(probabilities, key=probabilities.get)
    assert probabilities[worst] * len(probabilities) > P_MIN, (worst, probabilities[worst])


# Amplitudes of known integral ------------------------------------------------------------------------------------


@block_kernel(signature=MOMENTA)
def power_of_pair(n, p, parameters, result):
    """[(s - a)^2 + b^2]^c of the pair of particles i and j; parameters i, j, a, b, c."""
    first, second = int(parameters[0]), int(parameters[1])
    for j in range(n):
        pair = add(momentum(p, first, j), momentum(p, second, j))
        away = dot(pair, pair) - parameters[2]
        result[j] = (away * away + parameters[3] * parameters[3]) ** parameters[4]
    return 0.0


@block_kernel(signature=MOMENTA)
def step_of_pair(n, p, parameters, result):
    """1 where s of the pair i and j is above a, and something else below; parameters i, j, a, that."""
    first, second = int(parameters[0]), int(parameters[1])
    for j in range(n):
        pair = add(momentum(p, first, j), momentum(p, second, j))
        result[j] = 1.0 if dot(pair, pair) > parameters[2] else parameters[3]
    return 0.0


def integral_over_pair(parent, masses, pair, function, points=(), within=None):
    """Of a function of the squared mass of two particles over phase space, by quadrature in log s between the points.

    All of phase space, or where the squared mass is `within` a range:
    int ds/(2 pi) f(s) Phi_2(sqrt(s)) Phi_(n-1)(M; sqrt(s), ...), the pair being a particle of mass sqrt(s).
    """
    m1, m2 = (masses[i] for i in pair)
    others = [m for i, m in enumerate(masses) if i not in pair]

    def integrand(t):
        s = np.exp(t)
        m = np.sqrt(s)
        return s / (2 * pi) * function(s) * two_body(m, m1, m2) * float(volume(parent, (*others, m), nodes=16))

    low, high = within or ((m1 + m2) ** 2, (parent - sum(others)) ** 2)
    ends = np.log([low, *points, high])
    return sum(quad(integrand, *piece, epsabs=0, epsrel=1e-8, limit=200)[0] for piece in pairwise(ends))
