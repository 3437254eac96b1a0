"""One decay of a daughter: known amplitudes against formulas by quadrature, all others isotropic or flat."""

import re
from functools import cache
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from in_flight import (
    M_E,
    M_MU,
    M_PI,
    M_PI0,
    P_MIN,
    SIGMAS,
    at_rest,
    by_hand,
    chi_squared,
    decayed,
    in_frame_of,
    moving,
    of,
    product,
)
from scipy import stats
from scipy.integrate import quad

from kaongen.decays.daughters import KNOWN, Secondary, known, sampler_of
from kaongen.errors import ProcessError
from kaongen.jit import BLOCK
from kaongen.particles import BR_PI0_EEGAMMA, BR_PI0_GAMMAGAMMA, BR_PI_MUNU, SPECIES
from kaongen.random import stream_key

N = 200_000
DALITZ = ("e+", "e-", "gamma")
MICHEL = ("e+", "nu_e", "anti-nu_mu")


@cache
def kept(*arguments):
    """A sampler, which some tests share."""
    return sampler_of(*arguments)


def one(parent, mass, products, masses):
    """A final state of the parent in slot 0 and its products."""
    slots = tuple(range(1, 1 + len(products)))
    return of(parent, Secondary(0, slots, mass, 0.0, kept(parent, mass, tuple(products), tuple(masses))),
              masses=(mass, *masses))  # fmt: skip


def made(parent, mass, products, masses, n=N, momentum=None):
    """The parent's momentum, and those of the products by name (or by position, for like ones), in the laboratory."""
    momentum = moving(mass, n) if momentum is None else momentum
    found = decayed(one(parent, mass, products, masses), momentum[np.newaxis])
    assert found.above <= 1e-4 * n, "too many weights for histograms without them"
    return found.momenta


def energies(parent, mass, particle):
    """In the parent's rest frame."""
    return product(parent, particle) / mass


def counted(values, edges):
    return np.histogram(values, edges)[0]


def shares(density, edges):
    return [quad(density, low, high, epsabs=0, epsrel=1e-10)[0] for low, high in pairwise(edges)]


# which decays are known


def test_the_known_decays_and_their_fractions():
    """Particle Data Group 2026; all muons are taken to decay so."""
    assert {decay: entry.branching_fraction.value for decay, entry in KNOWN.items()} == {
        ("pi0", "gamma", "gamma"): BR_PI0_GAMMAGAMMA.value,
        ("pi0", *DALITZ): BR_PI0_EEGAMMA.value,
        ("pi+", "mu+", "nu_mu"): BR_PI_MUNU.value,
        ("pi-", "mu-", "anti-nu_mu"): BR_PI_MUNU.value,
        ("mu+", *MICHEL): 1.0,
        ("mu-", "e-", "anti-nu_e", "nu_mu"): 1.0,
    }
    assert BR_PI0_GAMMAGAMMA.value == pytest.approx(0.98823, abs=1e-6)
    assert BR_PI0_EEGAMMA.value == pytest.approx(0.01174, abs=1e-6)
    assert BR_PI_MUNU.value == pytest.approx(0.999877, abs=1e-7)


@pytest.mark.parametrize("decay", list(KNOWN), ids=" ".join)
def test_known_in_any_order(decay):
    """Each particle of the amplitude is found at its place."""
    name, *products = decay
    assert sum(SPECIES[p].charge for p in products) == SPECIES[name].charge
    for order in permutations(products):
        entry, places = known(name, order)
        assert entry is KNOWN[decay]
        assert [order[place] for place in places] == products
        assert sorted(places) == list(range(len(products)))


@pytest.mark.parametrize(
    ("name", "products"),
    [
        ("pi0", ("e+", "e-")),
        ("pi0", ("gamma", "gamma", "gamma")),
        ("X", ("gamma", "gamma")),
        ("pi+", ("e+", "nu_e")),
        ("mu+", ("e+", "nu_e", "nu_mu")),
        ("pi-", ("mu+", "nu_mu")),
    ],
)
def test_all_others_are_not_known(name, products):
    assert known(name, products) == (None, tuple(range(len(products))))


# pi0 -> e+ e- gamma


def kroll_wada(x):
    """dGamma/dln x with x = m_ee^2/m_pi0^2; Kroll and Wada, Phys. Rev. 98 (1955) 1355; slope 0.0332 of PDG 2026."""
    r = 4 * (M_E / M_PI0) ** 2
    return (1 - x) ** 3 * (1 + r / (2 * x)) * np.sqrt(np.maximum(1 - r / x, 0.0)) * (1 + 0.0332 * x) ** 2


@pytest.mark.parametrize("products", list(permutations(DALITZ)), ids=" ".join)
def test_the_dalitz_decay_whatever_the_order(products):
    """The mass of the pair, and the angle y = 2(E+ - E-)/(m (1 - x)) within it: 1 + r/x + y^2 for |y| < sqrt(1 - r/x).

    In every order of the products: a wrong one would give the electron's mass to the photon.
    """
    masses = [0.0 if name == "gamma" else M_E for name in products]
    parent, *rest = made("pi0", M_PI0, products, masses)
    plus, minus, photon = (rest[products.index(name)] for name in DALITZ)
    r = 4 * (M_E / M_PI0) ** 2
    # from the photon's energy in the pi0's frame, which does not cancel
    x = 1 - 2 * energies(parent, M_PI0, photon) / M_PI0
    edges = np.linspace(np.log(r), 0.0, 41)
    expected = np.array(shares(lambda u: kroll_wada(np.exp(u)), edges))
    fine = expected * N / expected.sum() > 12
    inside = np.log(x)
    counts = counted(inside, edges)
    assert counts.sum() > N - 20  # the rest: rounding just below the threshold
    assert chi_squared(counts[fine], expected[fine]) > P_MIN
    y = 2 * (energies(parent, M_PI0, plus) - energies(parent, M_PI0, minus)) / (M_PI0 * (1 - x))
    reach = np.sqrt(np.maximum(1 - r / x, 0.0))
    ok = (x > 1.05 * r) & (x < 0.7)
    assert np.abs(y[ok] / reach[ok]).max() < 1 + 1e-6
    y, reach, ratio = y[ok], reach[ok], (r / x)[ok]
    cumulative = 0.5 + (y * (1 + ratio) + y**3 / 3) / (reach * (1 + ratio) + reach**3 / 3) / 2
    assert stats.kstest(cumulative, "uniform").pvalue > P_MIN
    # also where the pair is heavy, and y^2 counts most
    assert stats.kstest(cumulative[x[ok] > 0.05], "uniform").pvalue > P_MIN


def test_the_dalitz_decay_is_not_flat():
    """That the amplitude matters, by a hundred: flat decays have almost no light pairs."""
    masses = (M_E, M_E, 0.0)
    light = []
    for name in ("pi0", "X"):
        parent, *_, photon = made(name, M_PI0, DALITZ, masses, n=50_000)
        light.append((1 - 2 * energies(parent, M_PI0, photon) / M_PI0 < 0.01).sum())
    assert light[0] > 25 * light[1] > 0


# mu+ -> e+ nu_e anti-nu_mu


def michel(x):
    """dGamma/dx at x = E_e/W, W = (m_mu^2 + m_e^2)/(2 m_mu), for rho = 3/4 (PDG, muon decay parameters)."""
    least = M_E * 2 * M_MU / (M_MU**2 + M_E**2)
    return np.sqrt(np.maximum(x * x - least**2, 0.0)) * (x * (1 - x) + (4 * x * x - 3 * x - least**2) / 6)


def electron_neutrino(energy):
    """dGamma/dE of the nu_e: E^2 (s - m_e^2)^2/s with s the squared mass of the two others."""
    s = M_MU**2 - 2 * M_MU * energy
    return energy**2 * (s - M_E**2) ** 2 / s


@pytest.mark.parametrize("charge", ["+", "-"])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_muon_decays_as_michel_says(charge, order):
    """Spectra of the electron and of the electron neutrino, which tells it from the muon's."""
    names = MICHEL if charge == "+" else ("e-", "anti-nu_e", "nu_mu")
    products = [names[k] for k in order]
    parent, *rest = made(f"mu{charge}", M_MU, products, [M_E if n[0] == "e" else 0.0 for n in products], n=100_000)
    electron, first = (rest[products.index(name)] for name in names[:2])
    w = (M_MU**2 + M_E**2) / (2 * M_MU)
    edges = np.array([M_E / w, *np.linspace(0.05, 1, 39)])
    x = energies(parent, M_MU, electron) / w
    assert chi_squared(counted(x, [*edges[:-1], 1.01]), shares(michel, edges)) > P_MIN
    end = (M_MU**2 - M_E**2) / (2 * M_MU)
    edges = np.array([0.0, *np.linspace(0.05, 0.97, 30), 1.0]) * end
    found = energies(parent, M_MU, first)
    assert chi_squared(counted(found, [*edges[:-1], 1.01 * end]), shares(electron_neutrino, edges)) > P_MIN


# two bodies


TWO_BODIES = [
    ("pi0", M_PI0, ("gamma", "gamma"), (0.0, 0.0)),
    ("pi+", M_PI, ("mu+", "nu_mu"), (M_MU, 0.0)),
    ("pi-", M_PI, ("anti-nu_mu", "mu-"), (0.0, M_MU)),
    ("X", 0.3, ("mu+", "mu-"), (M_MU, M_MU)),
    ("N", 0.33, ("pi+", "mu-"), (M_PI, M_MU)),
    ("A'", 0.0011, ("e+", "e-"), (M_E, M_E)),
    ("S", 0.3, ("gamma", "a"), (0.0, 0.2)),
]


@pytest.mark.parametrize("case", TWO_BODIES, ids=lambda case: f"{case[0]} -> {' '.join(case[2])}")
@pytest.mark.parametrize("scale", [0.05, 10.0])
def test_two_bodies_are_isotropic_in_the_frame_of_the_parent(case, scale):
    """Fixed axes and the direction of flight; and the momentum is the one that there can be."""
    _, mass, _, (m1, m2) = case
    n = 50_000
    parent, first, second = made(*case, momentum=moving(mass, n, scale))
    inside = in_frame_of(parent, mass, first)
    p = np.sqrt((inside[:3] ** 2).sum(axis=0))
    expected = np.sqrt((mass**2 - (m1 + m2) ** 2) * (mass**2 - (m1 - m2) ** 2)) / (2 * mass)
    # a matrix with gamma^2 takes the momenta back
    rounding = 1e-14 * (parent[3].max() / mass) ** 2 * mass
    assert np.abs(p - expected).max() < rounding
    unit = inside[:3] / p
    flight = parent[:3] / np.sqrt((parent[:3] ** 2).sum(axis=0))
    for cosine in (*unit, (unit * flight).sum(axis=0)):
        assert stats.kstest(cosine, "uniform", args=(-1, 2)).pvalue > P_MIN
    azimuth = np.arctan2(inside[1], inside[0])
    assert stats.kstest(azimuth, "uniform", args=(-np.pi, 2 * np.pi)).pvalue > P_MIN
    assert np.abs(first + second - parent).max() < 1e-12 * parent[3].max()


def test_energies_of_photons_are_flat():
    """Between the kinematic limits (E -+ p)/2 of the moving pi0."""
    parent, *photons = made(*TWO_BODIES[0])
    p = np.sqrt((parent[:3] ** 2).sum(axis=0))
    for photon in photons:
        share = (photon[3] - (parent[3] - p) / 2) / p
        assert stats.kstest(share, "uniform").pvalue > P_MIN


# three bodies and more without an amplitude


@pytest.mark.parametrize(
    ("name", "products", "masses"),
    [
        ("X", ("mu+", "mu-", "gamma"), (M_MU, M_MU, 0.0)),
        ("X", ("gamma", "mu+", "mu-"), (0.0, M_MU, M_MU)),
        ("S", ("pi+", "e-", "nu_e"), (M_PI, M_E, 0.0)),
        ("pi0", ("gamma", "gamma", "gamma"), (0.0, 0.0, 0.0)),
    ],
)
def test_three_bodies_are_flat_on_the_dalitz_plot(name, products, masses):
    """Energies of any two of them in the parent's frame are uniform inside the plot: one by its cumulative, the other
    by its place between the limits that the first one leaves."""
    mass = M_PI0 if name == "pi0" else 0.3
    parent, *rest = made(name, mass, products, masses, n=100_000)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        mi, mj, mk = masses[i], masses[j], masses[k]

        def limits(e, mi=mi, mj=mj, mk=mk):
            """Of the energy of j, from the frame of j and k, which has the mass root."""
            root = np.sqrt(np.maximum(mass**2 + mi**2 - 2 * mass * e, max(mj + mk, 1e-9 * mass) ** 2))
            p = np.sqrt(np.maximum(e**2 - mi**2, 0.0))
            inner = (root**2 + mj**2 - mk**2) / (2 * root)
            q = np.sqrt(np.maximum(inner**2 - mj**2, 0.0))
            middle, half = (mass - e) / root * inner, p / root * q
            return middle - half, middle + half

        e_max = (mass**2 + mi**2 - (mj + mk) ** 2) / (2 * mass)
        e_i = np.clip(energies(parent, mass, rest[i]), mi, e_max)
        grid = mi + (e_max - mi) * (1 - np.cos(np.linspace(0, np.pi, 4001))) / 2
        width = np.subtract(*limits(grid)[::-1])
        cumulative = np.concatenate([[0.0], np.cumsum((width[1:] + width[:-1]) / 2 * np.diff(grid))])
        assert stats.kstest(np.interp(e_i, grid, cumulative / cumulative[-1]), "uniform").pvalue > P_MIN
        low, high = limits(e_i)
        share = (energies(parent, mass, rest[j]) - low) / np.maximum(high - low, 1e-12)
        wide = high - low > 1e-4 * mass
        assert stats.kstest(share[wide], "uniform").pvalue > P_MIN


def test_four_bodies_are_flat_in_phase_space():
    """Four photons: the masses of two pairs follow lambda^(1/2)(M^2, s, t)."""
    n = 100_000
    parent, *photons = made("X", 0.3, ("gamma",) * 4, (0.0,) * 4, n=n)
    s = 2 * product(photons[0], photons[2]) / 0.09
    t = 2 * product(photons[1], photons[3]) / 0.09
    edges = np.linspace(0, 1, 9)
    counts, _, _ = np.histogram2d(s, t, [edges, edges])
    # fine midpoints: the density is zero beyond sqrt(s) + sqrt(t) = 1
    mid = (np.arange(1600) + 0.5) / 1600
    a, b = mid[:, None], mid[None, :]
    density = np.sqrt(np.maximum((1 - a - b) ** 2 - 4 * a * b, 0.0)) * (np.sqrt(a) + np.sqrt(b) < 1)
    expected = density.reshape(8, 200, 8, 200).sum(axis=(1, 3))
    assert counts[expected == 0].sum() == 0
    fine = expected * n / expected.sum() > 15
    assert chi_squared(counts[fine], expected[fine]) > P_MIN
    direction = in_frame_of(parent, 0.3, photons[3])
    for component in direction[:3] / direction[3]:
        assert stats.kstest(component, "uniform", args=(-1, 2)).pvalue > P_MIN


# what every decay must fulfil


def assert_conserved(parent, products, masses, rounding=1e-12):
    """Sum of the momenta, and mass shells, to this much of the parent's energy."""
    energy = parent[3]
    assert (np.abs(np.sum(products, axis=0) - parent).max(axis=0) / energy).max() < rounding
    for p, mass in zip(products, masses, strict=True):
        assert (np.abs(product(p, p) - mass**2) / energy**2).max() < rounding
        assert (p[3] >= mass * (1 - rounding)).all()


@pytest.mark.parametrize("scale", [0.0, 0.01, 20.0])
@pytest.mark.parametrize("products", [2, 3, 4, 5])
def test_energy_and_momentum(products, scale):
    mass, masses = 0.4, (M_E, 0.0, M_MU, M_PI, 0.05)[:products]
    parent = moving(mass, 20_000, scale) if scale else at_rest(mass, 20_000)
    _, *rest = made("X", mass, ("gamma",) * products, masses, momentum=parent)
    assert_conserved(parent, rest, masses)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(1e-3, 0.45),
    st.lists(st.just(0.0) | st.floats(1e-3, 1.0), min_size=2, max_size=3),
    st.floats(0.0, 0.99999),
    st.floats(1e-3, 30.0),
)
def test_any_masses(mass, parts, share, scale):
    """Sums of masses up to 1e-5 below threshold."""
    total = sum(parts)
    masses = [mass * share * part / total if total else 0.0 for part in parts]
    parent = moving(mass, 500, scale)
    _, *rest = made("X", mass, ("gamma",) * len(masses), masses, momentum=parent)
    assert_conserved(parent, rest, masses)
    for p in rest:
        assert np.isfinite(p).all()


@pytest.mark.slow
@settings(max_examples=3, deadline=None)
@given(st.floats(0.01, 0.45), st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4), st.floats(0.0, 0.999))
def test_any_masses_of_four(mass, parts, share):
    total = sum(parts)
    masses = [mass * share * part / total if total else 0.0 for part in parts]
    parent = moving(mass, 200)
    _, *rest = made("X", mass, ("gamma",) * 4, masses, momentum=parent)
    assert_conserved(parent, rest, masses)


@settings(deadline=None)
@given(st.floats(1e-3, 0.45), st.lists(st.floats(0.0, 1.0), min_size=2, max_size=5), st.floats(1.0, 3.0))
def test_products_that_are_too_heavy(mass, parts, excess):
    """Also at threshold: nothing could be said of how they fly."""
    masses = [*parts, 1e-3]
    scale = mass * excess / sum(masses)
    masses = [m * scale * (1 + 1e-9) for m in masses]
    products = ["X"] * len(masses)
    with pytest.raises(ProcessError, match=re.escape(f"S of {mass:.6g} GeV cannot decay to {' '.join(products)}")):
        sampler_of("S", mass, tuple(products), tuple(masses))


def test_exactly_at_threshold():
    with pytest.raises(ProcessError, match=r"which weigh 0\.2 GeV"):
        sampler_of("X", 0.2, ("a", "a"), (0.1, 0.1))


# random numbers


PAIR = by_hand(
    ("pi0", "pi0", *["gamma"] * 4),
    (M_PI0, M_PI0, 0.0, 0.0, 0.0, 0.0),
    *(
        Secondary(slot, products, M_PI0, 0.0, kept("pi0", M_PI0, ("gamma", "gamma"), (0.0, 0.0)))
        for slot, products in ((0, (2, 3)), (1, (4, 5)))
    ),
    daughters=2,
)
"""Two pi0 -> gamma gamma."""


def test_two_decays_of_one_event_are_independent():
    """Two pi0 of the same momentum: photons of their own, without any correlation."""
    parent = moving(M_PI0, N)
    found = decayed(PAIR, np.array([parent, parent])).momenta
    assert not (found[2] == found[4]).any()
    inside = [in_frame_of(parent, M_PI0, found[slot])[:3] / (M_PI0 / 2) for slot in (2, 4)]
    columns = np.concatenate([*inside, inside[0] ** 2, inside[1] ** 2])
    correlation = np.corrcoef(columns)
    assert np.abs(correlation[:3, 3:6]).max() < SIGMAS / np.sqrt(N)
    assert np.abs(correlation[6:9, 9:12]).max() < SIGMAS / np.sqrt(N)
    assert stats.kstest((inside[0] * inside[1]).sum(axis=0), "uniform", args=(-1, 2)).pvalue > P_MIN


def test_neighbouring_events_are_independent():
    parent = moving(M_PI0, N)
    found = decayed(PAIR, np.array([parent, parent])).momenta
    for one_slot, other in ((2, 2), (2, 4), (4, 2)):
        a, b = (in_frame_of(parent, M_PI0, found[slot])[:3] for slot in (one_slot, other))
        assert np.abs(np.corrcoef([*a[:, 1:], *b[:, :-1]])[:3, 3:]).max() < SIGMAS / np.sqrt(N)


def test_three_body_decays_of_one_event_are_independent():
    """Attempts, too, are counted from different numbers."""
    sampler = sampler_of("pi0", M_PI0, DALITZ, (M_E, M_E, 0.0))
    final = by_hand(
        ("pi0", "pi0", *DALITZ, *DALITZ),
        (M_PI0, M_PI0, *(M_E, M_E, 0.0) * 2),
        Secondary(0, (2, 3, 4), M_PI0, 0.0, sampler),
        Secondary(1, (5, 6, 7), M_PI0, 0.0, sampler),
        daughters=2,
    )
    found = decayed(final, np.array([at_rest(M_PI0, N)] * 2)).momenta
    x = [1 - 2 * found[slot, 3] / M_PI0 for slot in (4, 7)]
    cosine = [found[slot, 2] / found[slot, 3] for slot in (4, 7)]
    y = [found[slot, 3] - found[slot + 1, 3] for slot in (2, 5)]
    columns = [np.log(x[0]), cosine[0], y[0], np.log(x[1]), cosine[1], y[1]]
    assert np.abs(np.corrcoef(columns) - np.eye(6)).max() < SIGMAS / np.sqrt(N)
    assert not (x[0] == x[1]).any()


CASES = {
    "two": ("X", 0.3, ("mu+", "mu-"), (M_MU, M_MU)),
    "Dalitz": ("pi0", M_PI0, DALITZ, (M_E, M_E, 0.0)),
    "four": ("X", 0.3, ("e+", "e-", "e+", "e-"), (M_E,) * 4),
}


@pytest.mark.parametrize("case", list(CASES))
def test_an_event_does_not_depend_on_its_block(case):
    _, mass, *_ = CASES[case]
    final = one(*CASES[case])
    n = 3 * BLOCK
    parent = moving(mass, n)[np.newaxis]
    index = np.arange(n, dtype=np.uint64) + np.uint64(2**33 + 7)
    order = np.random.default_rng(3).permutation(n)
    straight = decayed(final, parent, index).momenta
    assert np.array_equal(decayed(final, parent[..., order], index[order]).momenta, straight[..., order])
    for k in (0, 1, BLOCK, n - 1):
        alone = decayed(final, parent[..., k : k + 1], index[k : k + 1]).momenta
        assert np.array_equal(alone, straight[..., k : k + 1])


def test_keys_give_different_decays():
    final = one(*CASES["two"])
    parent = moving(0.3, 1000)[np.newaxis]
    a, b = (decayed(final, parent, key=stream_key(seed, "x")).momenta for seed in (1, 2))
    assert not (a[1] == b[1]).any()
    assert np.array_equal(a[0], b[0]), "the parent stays what it was"


# weights


class Weighing:
    """A sampler whose decays have weights that their numbers tell, and no momenta to speak of."""

    particles = 2
    efficiency = 1.0

    def __init__(self, every, weight):
        self._every, self._weight = every, weight

    def settle(self, key, n, draws, block, momenta):
        heavy = block.index[:n] % np.uint64(self._every) == 0
        block.weight[:n] = np.where(heavy, self._weight, 1.0)
        for rows in momenta:
            rows[:] = 0.0
        return n, int(heavy.sum())


def test_weights_multiply():
    """Those of the kaon's own decay, and of two secondary ones: no sampler may overwrite another's."""
    secondaries = (
        Secondary(0, (2, 3), 0.3, 0.0, Weighing(2, 1.5)),
        Secondary(1, (4, 5), 0.3, 1.0, Weighing(3, 1.25)),
    )
    final = of("X", *secondaries, masses=(0.3, 0.3, 0.0, 0.0, 0.0, 0.0))
    n = 2 * BLOCK + 60
    own = np.where(np.arange(n) % 5 == 0, 2.0, 1.0)
    parent = moving(0.3, n)
    found = decayed(final, np.array([parent, parent]), weight=own)
    k = np.arange(n)
    expected = own * np.where(k % 2 == 0, 1.5, 1.0) * np.where(k % 3 == 0, 1.25, 1.0)
    assert np.array_equal(found.weight, expected)
    assert found.above == (k % 2 == 0).sum() + (k % 3 == 0).sum()


@pytest.mark.parametrize(
    ("name", "mass", "products", "masses"),
    [("pi0", M_PI0, DALITZ, (M_E, M_E, 0.0)), ("mu+", M_MU, MICHEL, (M_E, 0.0, 0.0))],
)
def test_known_decays_have_hardly_any_weights(name, mass, products, masses):
    """Bounds hold but for a few in 100000, at the edge where a neutrino has its largest energy; those are counted."""
    found = decayed(one(name, mass, products, masses), at_rest(mass, 500_000)[np.newaxis])
    assert found.above == (found.weight > 1.0).sum() < 50
    assert (found.weight >= 1.0).all()
    assert found.weight.max() < 3.0
