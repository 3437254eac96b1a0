"""Decays in flight of the candidate: by the laws of decay, and by conservation of four-momentum."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from blocks import KEY, P_MIN, SIGMAS, assert_fraction, through
from scipy import stats

from kaongen.decays.workspace import PX, PY, PZ
from kaongen.detector import flight
from kaongen.event_block import (
    EFFICIENCY,
    K_X,
    K_Y,
    K_Z,
    SURVIVAL,
    T_CHARGE,
    T_ELECTRON_Z,
    T_END_P,
    T_KINK_Z,
    T_MUON_Z,
    T_P,
    T_PX,
    T_PY,
    T_PZ,
    T_QX,
    T_QY,
    T_QZ,
    T_X,
    T_Y,
    T_Z,
)
from kaongen.random import stream_key

# Particle Data Group, Review of Particle Physics 2026: GeV and ns
M_PI, M_MU, TAU_PI, TAU_MU, SPEED_OF_LIGHT = 0.13957039, 0.1056583755, 26.033, 2196.9811, 0.299792458
FIRST, END = 183.508, 246.8
N = 200_000
PION, MUON, ELECTRON = flight.PION, flight.MUON, flight.ELECTRON
MASS = {PION: M_PI, MUON: M_MU}
LENGTH_PER_GEV = {PION: SPEED_OF_LIGHT * TAU_PI / M_PI, MUON: SPEED_OF_LIGHT * TAU_MU / M_MU}
START, SLOPE = 130.0, 0.003

MANY = [(PION, 3.0), (PION, 15.0), (PION, 60.0), (MUON, 0.3), (MUON, 2.0)]
"""Kinds and momenta of which enough decay by themselves."""


@dataclass(frozen=True)
class Tracks:
    """What becomes of candidates: the columns of the track, momenta as (3, n)."""

    charge: np.ndarray
    p: np.ndarray
    momentum: np.ndarray
    point: np.ndarray
    muon_z: np.ndarray
    electron_z: np.ndarray
    kink_z: np.ndarray
    daughter: np.ndarray
    end_p: np.ndarray
    efficiency: np.ndarray
    survival: np.ndarray

    def decay_z(self, kind):
        """Where it decayed; infinite if it did not."""
        return self.muon_z if kind == PION else self.electron_z


def tracks(kind, forced, momentum, vertex, key=KEY, charge=1.0):
    rows = (T_CHARGE, T_P, T_PX, T_PY, T_PZ, T_X, T_Y, T_Z, T_MUON_Z, T_ELECTRON_Z, T_KINK_Z, T_QX, T_QY, T_QZ, T_END_P)
    given = {(0, row): column for row, column in zip((PX, PY, PZ), momentum, strict=True)}
    given |= {("beam", row): column for row, column in zip((K_X, K_Y, K_Z), vertex, strict=True)}
    wanted = [*(("track", row) for row in rows), ("fate", EFFICIENCY), ("fate", SURVIVAL)]

    def stage(event, n):
        flight.candidate(
            n, key, event.index, charge, kind, END, FIRST, forced,
            event.beam, event.momenta[0], event.track, event.fate,
        )  # fmt: skip

    c = through(stage, given, wanted)
    return Tracks(c[0], c[1], c[2:5], c[5:8], c[8], c[9], c[10], c[11:14], c[14], c[15], c[16])


def size(momentum):
    return np.sqrt(np.square(momentum).sum(axis=0))


def sample(kind, p, forced, z=START, n=N, key=KEY):
    """Candidates of one momentum near the axis from one point."""
    pz = np.full(n, p) / np.sqrt(1 + SLOPE**2)
    momentum = np.array([SLOPE * pz, np.zeros(n), pz])
    vertex = np.array([np.full(n, 0.03), np.zeros(n), np.full(n, z)])
    return momentum, vertex, tracks(kind, forced, momentum, vertex, key)


def decayed_by(z, kind, p):
    """By the law of exponential decay, along the slope of `sample`."""
    return -np.expm1(-(z - START) * np.sqrt(1 + SLOPE**2) / (p * LENGTH_PER_GEV[kind]))


@pytest.mark.parametrize(
    ("kind", "muon_z", "electron_z"), [(PION, np.inf, np.inf), (MUON, -1, np.inf), (ELECTRON, -1, -1)]
)
def test_a_candidate_that_does_not_decay_flies_on(kind, muon_z, electron_z):
    rng = np.random.default_rng(2)
    momentum = rng.normal([[0.0], [0.0], [30.0]], [[0.1], [0.1], [5.0]], size=(3, N))
    vertex = rng.normal([[0.1], [0.0], [150.0]], [[0.02], [0.02], [10.0]], size=(3, N))
    found = tracks(kind, False, momentum, vertex, charge=-1.0)
    whole = (found.muon_z == muon_z) & (found.electron_z == electron_z)
    assert whole.mean() > (0.8 if kind == PION else 0.998)
    assert (found.charge == -1.0).all()
    assert np.array_equal(found.momentum[:, whole], momentum[:, whole])
    assert np.array_equal(found.point[:, whole], vertex[:, whole])
    assert np.abs(found.p[whole] / size(momentum[:, whole]) - 1).max() < 1e-14
    assert np.array_equal(found.end_p[whole], found.p[whole])
    assert np.isinf(found.kink_z[whole]).all()
    assert (found.efficiency == 1.0).all(), "nothing is lost and nothing forced"
    assert (found.survival == 1.0).all()


def test_an_electron_does_not_decay_even_if_asked_to():
    _, _, found = sample(ELECTRON, 5.0, forced=True)
    assert (found.electron_z == -1).all()
    assert (found.muon_z == -1).all()
    assert np.isinf(found.kink_z).all()
    assert (found.efficiency == 1.0).all()


@pytest.mark.parametrize(("kind", "p"), MANY)
def test_they_decay_as_often_as_their_lifetime_says(kind, p):
    """Before the first chamber, behind it in two parts, and not at all before the muon detector."""
    _, _, found = sample(kind, p, forced=False)
    bounds = [START, FIRST, 218.885, END, np.inf]
    at = found.decay_z(kind)
    for low, high in pairwise(bounds):
        inside = (at >= low) & ((at < high) | (high == np.inf))
        expected = (decayed_by(high, kind, p) if high < np.inf else 1.0) - decayed_by(low, kind, p)
        assert_fraction(inside, expected)
    assert (found.efficiency == 1.0).all()


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize(("kind", "p"), MANY)
def test_points_of_decay_are_exponential(kind, p, forced):
    """In each of the two classes; forced, the two have their own shares."""
    _, _, found = sample(kind, p, forced)
    at = found.decay_z(kind)
    for low, high in ((START, FIRST), (FIRST, END)):
        chosen = at[(at >= low) & (at < high)]
        assert chosen.size > 100
        before, after = decayed_by(low, kind, p), decayed_by(high, kind, p)
        quantile = (decayed_by(chosen, kind, p) - before) / (after - before)
        assert stats.kstest(quantile, "uniform").pvalue > P_MIN


@pytest.mark.parametrize(("kind", "p"), [*MANY, (MUON, 40.0)])
def test_the_weights_of_forced_decays_are_those_of_the_law(kind, p):
    """Each of the three classes has one weight; weighted, they are as frequent as in nature."""
    _, _, found = sample(kind, p, forced=True)
    at = found.decay_z(kind)
    early, late = at < FIRST, (at >= FIRST) & np.isfinite(at)
    first, end = decayed_by(FIRST, kind, p), decayed_by(END, kind, p)
    for chosen, probability in ((early, first), (late, end - first), (np.isinf(at), 1 - end)):
        weights = found.efficiency[chosen]
        assert np.ptp(weights) < 1e-9 * weights[0]
        share = chosen.mean()
        assert weights[0] * share == pytest.approx(probability, rel=SIGMAS * np.sqrt((1 - share) / share / N))
    assert early.sum() > late.sum() > 0


OBSERVABLES = {
    "one": lambda t, at: np.ones(t.p.size),
    "early": lambda t, at: (at < FIRST).astype(float),
    "behind": lambda t, at: ((at > 218.885) & np.isfinite(at)).astype(float),
    "whole": lambda t, at: np.isinf(at).astype(float),
    "momentum": lambda t, at: t.p,
    "early momentum squared": lambda t, at: np.where(at < FIRST, t.p**2, 0.0),
    "momentum at the end": lambda t, at: t.end_p,
    "point": lambda t, at: t.point[2],
    "kink": lambda t, at: np.where(np.isfinite(t.kink_z), t.kink_z, 0.0),
    "across": lambda t, at: np.abs(t.momentum[1]),
}


@pytest.mark.parametrize(("kind", "p"), MANY)
def test_forced_decays_have_the_means_of_natural_ones(kind, p):
    """Any observable, with the efficiency as the weight, from independent streams."""
    samples = [sample(kind, p, forced, key=stream_key(3, str(forced)))[2] for forced in (False, True)]
    for name, observable in OBSERVABLES.items():
        natural, forced = (t.efficiency * observable(t, t.decay_z(kind)) for t in samples)
        error = np.sqrt((natural.var() + forced.var()) / N)
        assert abs(natural.mean() - forced.mean()) < SIGMAS * error + 1e-12, name


@pytest.mark.parametrize("kind", [PION, MUON])
def test_forced_decays_from_anywhere_have_the_probability_one(kind):
    """Also where one of the classes is impossible: behind the first chamber, behind the end, and backwards."""
    n = 20_000
    for z, pz in ((200.0, 5.0), (260.0, 5.0), (110.0, -0.02)):
        momentum = np.array([np.full(n, 0.01), np.zeros(n), np.full(n, pz)])
        found = tracks(kind, True, momentum, np.array([np.zeros(n), np.zeros(n), np.full(n, z)]))
        assert np.isfinite(found.efficiency).all()
        assert np.isfinite(found.momentum).all()
        assert np.isfinite(found.point).all()
        assert abs(found.efficiency.mean() - 1) < SIGMAS * found.efficiency.std() / np.sqrt(n) + 1e-12
        if z > END:
            possible = found.efficiency > 0
            assert np.isinf(found.decay_z(kind)[possible]).all()


@pytest.mark.parametrize("kind", [PION, MUON])
def test_the_rows_say_what_happened(kind):
    rng = np.random.default_rng(3)
    momentum = rng.normal([[0.0], [0.0], [4.0]], [[0.05], [0.05], [0.5]], size=(3, N))
    vertex = np.array([np.full(N, 0.03), np.full(N, -0.01), np.full(N, START)])
    found = tracks(kind, True, momentum, vertex)
    at = found.decay_z(kind)
    early, late = at < FIRST, (at >= FIRST) & np.isfinite(at)
    other = found.electron_z if kind == PION else found.muon_z
    assert (other == (np.inf if kind == PION else -1.0)).all(), "it decays once"
    # before the first chamber: the daughter, from a point on the line of its parent
    assert np.isinf(found.kink_z[early]).all()
    flown = at[early] - START
    assert (flown > 0).all()
    expected = vertex[:, early] + flown * momentum[:, early] / momentum[2, early]
    assert np.abs(found.point[:, early] - expected).max() < 1e-9
    assert (found.p[early] != size(momentum[:, early])).all()
    assert np.abs(found.p[early] / size(found.momentum[:, early]) - 1).max() < 1e-14
    assert np.array_equal(found.end_p[early], found.p[early])
    # behind it: the parent, and a kink
    assert np.array_equal(found.kink_z[late], at[late])
    assert np.array_equal(found.momentum[:, late], momentum[:, late])
    assert np.array_equal(found.point[:, late], vertex[:, late])
    assert np.abs(found.p[late] / size(momentum[:, late]) - 1).max() < 1e-14
    assert np.abs(found.end_p[late] / size(found.daughter[:, late]) - 1).max() < 1e-14


def parents_and_daughters(kind, p, late):
    """Momenta of candidates that decay, and of what they decay to."""
    momentum, _, found = sample(kind, p, forced=True, n=3 * N if kind == MUON else N)
    at = found.decay_z(kind)
    chosen = np.isfinite(at) & ((at >= FIRST) == late)
    daughters = found.daughter if late else found.momentum
    return momentum[:, chosen], daughters[:, chosen]


def around(parent, daughter):
    """Azimuth of the daughter around a parent in the x-z plane."""
    return np.arctan2(daughter[1], daughter[0] - parent[0] / parent[2] * daughter[2])


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("p", [0.5, 15.0, 60.0])
def test_the_muon_of_a_pion_conserves_four_momentum(p, late):
    """The pion less the muon is a neutrino without mass; muon and neutrino have the pion's mass; and the energy is
    flat between the limits of the two-body decay, which is isotropy in the pion's rest frame."""
    pion, muon = parents_and_daughters(PION, p, late)
    e_muon, e_pion = np.sqrt(size(muon) ** 2 + M_MU**2), np.sqrt(size(pion) ** 2 + M_PI**2)
    neutrino = pion - muon
    assert np.abs((e_pion - e_muon) ** 2 - size(neutrino) ** 2).max() < 1e-12 * max(p, 1.0) ** 2
    mass = np.sqrt((e_muon + size(neutrino)) ** 2 - size(pion) ** 2)
    assert np.abs(mass - M_PI).max() < 1e-10 * max(p, 1.0) ** 2
    rest_momentum, rest_energy = (M_PI**2 - M_MU**2) / (2 * M_PI), (M_PI**2 + M_MU**2) / (2 * M_PI)
    gamma, beta_gamma = np.hypot(p, M_PI) / M_PI, p / M_PI
    low, high = gamma * rest_energy - beta_gamma * rest_momentum, gamma * rest_energy + beta_gamma * rest_momentum
    assert e_muon.min() >= low * (1 - 1e-12)
    assert e_muon.max() <= high * (1 + 1e-12)
    assert stats.kstest(e_muon, "uniform", args=(low, high - low)).pvalue > P_MIN
    assert stats.kstest(around(pion, muon), "uniform", args=(-np.pi, 2 * np.pi)).pvalue > P_MIN


def test_order_statistics_make_the_spectrum_of_michel():
    """Against the integral of 2 x^2 (3 - 2x)."""
    x = np.array([flight.michel(*five) for five in np.random.default_rng(4).random((N, 5))])
    assert stats.kstest(2 * x**3 - x**4, "uniform").pvalue > P_MIN
    assert abs(x.mean() - 0.7) < SIGMAS * x.std() / np.sqrt(N)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("p", [0.3, 5.0, 40.0])
def test_electrons_of_muons_have_the_spectrum_of_michel(p, late):
    """x^2 (3 - 2x) of the energy in the muon's rest frame, found by the invariant product; isotropic there."""
    muon, electron = parents_and_daughters(MUON, p, late)
    energy = np.sqrt(size(muon) ** 2 + M_MU**2)
    in_rest = (energy * size(electron) - (muon * electron).sum(axis=0)) / M_MU
    x = 2 * in_rest / M_MU
    assert x.max() < 1 + 1e-6
    edges = np.linspace(0, 1, 26)
    expected = np.diff(2 * edges**3 - edges**4) * x.size
    edges[0], edges[-1] = -1e-9, 1 + 1e-6
    # the first bins have too few
    full = expected > 5
    assert full.sum() >= 20
    counts = np.histogram(x, edges)[0]
    chi2 = ((counts[full] - expected[full]) ** 2 / expected[full]).sum()
    assert stats.chi2.sf(chi2, full.sum()) > P_MIN
    cosine = (size(electron) / in_rest - energy / M_MU) / (size(muon) / M_MU)
    assert stats.kstest(cosine, "uniform", args=(-1, 2)).pvalue > P_MIN
    assert stats.kstest(around(muon, electron), "uniform", args=(-np.pi, 2 * np.pi)).pvalue > P_MIN
    assert abs(np.corrcoef(x, cosine)[0, 1]) < SIGMAS / np.sqrt(x.size)


@pytest.mark.parametrize(("kind", "p"), [(PION, 15.0), (MUON, 2.0)])
def test_a_candidate_does_not_depend_on_its_place_in_the_block(kind, p):
    momentum, vertex, found = sample(kind, p, forced=True, n=9000)
    part = tracks(kind, True, momentum[:, :3333], vertex[:, :3333])
    assert np.array_equal(found.decay_z(kind)[:3333], part.decay_z(kind))
    assert np.array_equal(found.momentum[:, :3333], part.momentum)
    assert np.array_equal(found.end_p[:3333], part.end_p)
    assert np.array_equal(found.efficiency[:3333], part.efficiency)


def test_where_and_whither_are_independent():
    """Place, energy and azimuth of decays come from random numbers of their own."""
    momentum, _, found = sample(PION, 15.0, forced=True)
    late = np.isfinite(found.kink_z)
    columns = [found.kink_z[late], found.end_p[late], np.cos(around(momentum[:, late], found.daughter[:, late]))]
    correlation = np.corrcoef(columns)
    assert np.abs(correlation - np.eye(3)).max() < SIGMAS / np.sqrt(late.sum())


def test_each_charged_species_that_can_be_a_candidate_has_its_kind():
    assert {name: MASS.get(kind) for name, kind in flight.KINDS.items()} == {
        "pi+": M_PI, "pi-": M_PI, "mu+": M_MU, "mu-": M_MU, "e+": None, "e-": None,
    }  # fmt: skip
