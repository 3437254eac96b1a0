"""A second charged particle: what it leaves, by hand and against a slow ray tracer."""

import math
from itertools import pairwise

import numpy as np
import pytest
from blocks import CONFIGURATION, DETECTOR, SIGMAS, configured
from plain_geometry import LKR_Z, STRAW_Z, chamber, line, segment_behind, swept, unseen
from scipy import integrate, stats
from veto_blocks import FAR_AWAY, charged_survival, charged_traces, flat_tables

from kaongen.configuration import load
from kaongen.detector import charged_veto
from kaongen.detector.na62 import NA62

FACTORS = {"segment": 0.01, "behind": 0.8, "lkr": 0.03, "lav": 0.5, "irc": 0.6, "sac": 0.7}
"""Probabilities that can be told apart in a product."""
HITS, EVERYWHERE = 6.0, 100.0
SHOWERLESS = 0.3
TOLD_APART = configured(
    {
        "straw.inefficiency": FACTORS["segment"],
        "straw.inefficiency_behind": FACTORS["behind"],
        "straw.segment_distance": EVERYWHERE,
        "rich.ring_hits": HITS,
        "lkr.hadron_mip_fraction": SHOWERLESS,
        "lav.mip_inefficiency": FACTORS["lav"],
        "irc.mip_inefficiency": FACTORS["irc"],
        "sac.mip_inefficiency": FACTORS["sac"],
    }
    | flat_tables(lav=0.45, irc=0.55, lkr=FACTORS["lkr"], sac=0.65)
)
ELECTRON_FACTORS = {"lav": 0.45, "irc": 0.55, "lkr": FACTORS["lkr"], "sac": 0.65}
THRESHOLD = {"pion": 12.5, "muon": 9.5, "electron": 0.0}
M_PI, C_TAU_PI = 0.13957, 7.8045
KINDS = ("pion", "muon", "electron")


def detection(path):
    """Chance of a system to miss a particle; a pion flies `path` m to the krypton."""

    def missed(system, kind, p):
        if system == "rich":
            return stats.poisson.cdf(3, HITS * (1 - (THRESHOLD[kind] / p) ** 2)) if p > THRESHOLD[kind] else 1.0
        if kind == "electron":
            return ELECTRON_FACTORS[system]
        if system == "lkr" and kind == "pion":
            alive = math.exp(-path * M_PI / (C_TAU_PI * p))
            return FACTORS["lkr"] * (1 - alive * (1 - SHOWERLESS))
        return FACTORS[system]

    return missed


def expected_survival(kind, charge, momentum, vertex_mm):
    if momentum[2] <= 0:
        return 1.0
    at = [line(momentum, vertex_mm, z, charge) for z in STRAW_Z[:2]]
    ahead = vertex_mm[2] <= STRAW_Z[0]
    segment = ahead and all(chamber(k, *at[k]) for k in range(2))
    rest = unseen(kind, charge, momentum, vertex_mm, detection((LKR_Z - vertex_mm[2]) / 1000))
    rest *= FACTORS["behind"] if segment_behind(kind, charge, momentum, vertex_mm) else 1.0
    return rest * (FACTORS["segment"] if segment else 1.0)


VERTEX = (0.05, 0.0, 140.0)


def momentum(p, slope_x, slope_y):
    direction = np.array([slope_x, slope_y, 1.0])
    return p * direction / np.linalg.norm(direction)


@pytest.mark.parametrize(
    ("kind", "p", "slopes", "signals"),
    [
        ("muon", 30.0, (0.004, 0.004), ["segment", "behind", "rich", "lkr"]),
        ("muon", 9.0, (0.008, 0.004), ["segment", "behind", "lkr"]),  # no light below 9.5 GeV
        ("muon", 1.0, (0.3, 0.4), []),  # passes between the rings, out of the detector
        ("muon", 5.0, (0.0, -0.03), ["lav", "lav"]),  # the sixth and the seventh ring
        ("electron", 30.0, (0.004, 0.004), ["segment", "behind", "rich", "lkr"]),
        ("muon", 2.0, (0.001, 0.003), ["segment"]),  # the magnet bends it out of the last chamber
    ],
)
def test_by_hand(kind, p, slopes, signals):
    factors = FACTORS | {"rich": stats.poisson.cdf(3, HITS * (1 - (THRESHOLD[kind] / p) ** 2))}
    if kind == "electron":
        factors |= ELECTRON_FACTORS
    result = charged_traces(kind, 1.0, momentum(p, *slopes), VERTEX, TOLD_APART)[0, 0]
    assert result == pytest.approx(math.prod(factors[name] for name in signals), rel=1e-6)


@pytest.mark.parametrize(("p", "sees"), [(50.0, False), (30.0, False), (1e5, True)])
def test_the_dipole_sweeps_what_comes_through_the_hole_off_the_sac(p, sees):
    """Along the beam, which it bends by 13.2 mrad at 75 GeV (NA62, JHEP 03 (2021) 058, figure 1)."""
    start = (0.0, 0.0, 245.0)
    assert charged_survival(1.0, (0.0, 0.0, p), start, TOLD_APART)[0] == (FACTORS["sac"] if sees else 1.0)
    x, _ = swept((0.0, 0.0, p), 1000 * np.array(start), 1.0)
    assert (abs(x) < 100) == sees


def test_a_particle_that_goes_backwards_leaves_nothing():
    assert charged_survival(1.0, -momentum(10.0, 0.004, 0.004), VERTEX)[0] == 1.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("charge", [1.0, -1.0])
def test_random_particles_agree_with_a_slow_ray_tracer(kind, charge):
    """5000 particles, most from the beam, with angles from the smallest to those of the widest rings; some begin in the
    spectrometer, far off the axis."""
    n = 5000
    rng = np.random.default_rng(int(charge) + 5)
    z = rng.uniform(105.0, 180.0, n)
    vertex = np.array([1.2e-3 * (z - 101.8) + rng.uniform(-0.026, 0.026, n), rng.uniform(-0.012, 0.012, n), z])
    vertex[:, ::10] = rng.uniform([[-0.9], [-0.9], [180]], [[0.9], [0.9], [255]], (3, n // 10))
    angle, turn = 10 ** rng.uniform(-4, -1, n), rng.uniform(0, 2 * np.pi, n)
    p3 = 10 ** rng.uniform(-0.3, 1.8, n) * np.array(
        [np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)]
    )
    p3[2, ::50] *= -1
    expected = [expected_survival(kind, charge, p, 1000 * v) for p, v in zip(p3.T, vertex.T, strict=True)]
    found = charged_traces(kind, charge, p3, vertex, TOLD_APART)[0]
    assert found == pytest.approx(expected, rel=2e-4)  # constants of the pion's decay
    assert len(set(np.round(found, 9))) > (10 if kind == "electron" else 300)


def test_the_charge_decides_to_which_side_it_bends():
    """A soft particle near the edge of the krypton is bent out of it or stays."""
    p3 = momentum(8.0, -0.007, 0.0)
    detector = configured({"lav.mip_inefficiency": 1.0})
    away, towards = (charged_survival(charge, p3, VERTEX, detector)[0] for charge in (1.0, -1.0))
    assert away == CONFIGURATION.number("straw.inefficiency")
    assert towards < 0.1 * away


@pytest.mark.parametrize("lost", [{"inside": 0.0}, {"efficiency": 0.0}])
def test_nothing_is_asked_of_events_that_are_lost(lost):
    p3 = momentum(30.0, 0.004, 0.004)
    assert charged_survival(1.0, p3, VERTEX)[0] < 1e-3
    assert charged_survival(1.0, p3, VERTEX, **lost)[0] == 1.0


@pytest.mark.parametrize(
    ("start", "slopes", "crosses"),
    [
        (140.0, (0.004, 0.004), True),
        (200.0, (0.015, 0.015), True),  # from between the magnet and the third chamber
        (210.0, (0.02, 0.02), False),  # from behind the third
        (140.0, (0.0, 0.0), False),  # in the gap for the beam
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_segment_behind_the_magnet_vetoes_where_the_selection_says_so(kind, start, slopes, crosses):
    """It rejects events of the search for pi nu nubar (NA62, JHEP 03 (2021) 058, where there may be no other track),
    not of the search for a muon, whose vertex it does not make."""
    p3, vertex = momentum(75.0, *slopes), (1.2e-3 * (start - 101.8), 0.0, start)
    mu, pinunu = (load(name) for name in ("na62-2016-2018", "na62-2017-pinunu"))
    assert mu.number("straw.inefficiency_behind") == 1.0
    assert pinunu.number("straw.inefficiency_behind") == 0.01
    off = pinunu.with_values({"straw.inefficiency_behind": 1.0})
    found = {
        name: charged_traces(kind, 1.0, p3, vertex, NA62(configuration))[0, 0]
        for name, configuration in (("mu", mu), ("pinunu", pinunu), ("off", off))
    }
    assert found["pinunu"] == pytest.approx(found["off"] * (0.01 if crosses else 1.0), rel=1e-12)
    on = NA62(mu.with_values({"straw.inefficiency_behind": 0.01}))
    assert charged_traces(kind, 1.0, p3, vertex, on)[0, 0] == pytest.approx(
        found["mu"] * (0.01 if crosses else 1.0), rel=1e-12
    )


@pytest.mark.parametrize("offset", [0.01, 0.029, 0.031, 0.1])
def test_a_segment_must_make_a_vertex_with_the_candidate(offset):
    """Lines in two planes that are `offset` apart; the limit is 30 mm."""
    detector = configured(flat_tables(lkr=1.0))
    detector.charged_response[charged_veto.RICH_HITS] = 0.0
    p3 = momentum(30.0, 0.0, 0.005)
    candidate = ((0.15, 0.0, 30.0), (VERTEX[0] + offset, 0.0, 150.0), FAR_AWAY[2])
    # both planes contain the direction of the other line but for the slope in x of the candidate
    t = np.cross(p3, candidate[0])
    apart = abs(np.dot(np.array(VERTEX) - np.array(candidate[1]), t)) / np.linalg.norm(t)
    survival = charged_traces("muon", 1.0, p3, VERTEX, detector, candidate)[0, 0]
    assert survival == (CONFIGURATION.number("straw.inefficiency") if apart < 0.030 else 1.0)


def test_distances_of_lines_by_minimising_over_their_points():
    rng = np.random.default_rng(3)
    for _ in range(200):
        a, b = rng.uniform([-0.1, -0.1, 150], [0.1, 0.1, 151]), rng.uniform([-0.1, -0.1, 140], [0.1, 0.1, 141])
        da, db = np.array([*rng.uniform(-0.01, 0.01, 2), 1.0]), np.array([*rng.uniform(-0.01, 0.01, 2), 1.0])
        s, *_ = np.linalg.lstsq(np.column_stack([da, -db]), b - a, rcond=None)
        closest = np.linalg.norm(a + s[0] * da - b - s[1] * db)
        found = charged_veto.distance_of_lines(*a, da[0], da[1], *b, db[0], db[1])
        assert found == pytest.approx(closest, abs=1e-9)


def test_parallel_lines_are_as_far_apart_as_they_are():
    assert charged_veto.distance_of_lines(0.0, 0.0, 140.0, 0.001, 0.0, 0.13, 0.4, 240.0, 0.001, 0.0) == pytest.approx(
        math.hypot(0.03, 0.4), rel=1e-5
    )


@pytest.mark.parametrize("mean", [0.0, 0.5, 3.0, 14.0])
def test_at_most_three_hits(mean):
    """NA62, Phys. Lett. B 816 (2021) 136259 allows three in the RICH."""
    assert charged_veto.too_few_hits(mean) == pytest.approx(stats.poisson.cdf(3, mean), rel=1e-12)


def test_a_minimum_ionising_particle_is_seen_like_a_photon_of_its_deposit():
    """Mean of the table over Moyal's distribution, by quadrature."""
    points, most = CONFIGURATION.array("photon_inefficiency.lkr"), 0.56
    expected = missed_on_average(points, most, XI)
    assert charged_veto.missed_ionisation(points, most, XI) == pytest.approx(expected, rel=1e-3)
    assert DETECTOR.charged_response[charged_veto.LKR_MIP] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("most", "spread"), [(0.56, 0.001), (0.56, 0.1), (2.0, 0.1), (5.0, 0.3)])
def test_deposits_of_other_sizes(most, spread):
    points = CONFIGURATION.array("photon_inefficiency.lkr")
    expected = missed_on_average(points, most, spread)
    assert charged_veto.missed_ionisation(points, most, spread) == pytest.approx(expected, rel=2e-3)


def test_a_krypton_that_misses_a_share_of_any_energy_misses_that_of_particles():
    assert charged_veto.missed_ionisation(np.array([[0.01, 0.2], [100.0, 0.2]]), 0.56, XI) == pytest.approx(0.2)
    assert charged_veto.missed_ionisation(np.array([[0.01, 0.0], [100.0, 0.0]]), 0.56, XI) == 0.0


XI = 0.153537e-3 * 36 / 83.798 * 27 * 11.37
"""Landau's scale in GeV of 27 radiation lengths of krypton (PDG)."""


def missed_on_average(points, most, spread):
    """Over Moyal's distribution, in pieces between the points of the table."""

    def integrand(x):
        return stats.moyal.pdf(x) * math.exp(np.interp(math.log(most + spread * x), *np.log(points).T))

    edges = np.sort([-6.0, 0.0, 10.0, 80.0, *((points[:, 0] - most) / spread)])
    edges = edges[(edges >= -6.0) & (edges <= 80.0) & (most + spread * edges > 0)]
    return sum(integrate.quad(integrand, *ends, limit=200)[0] for ends in pairwise(edges))


def test_what_photons_do_does_not_move_minimum_ionising_particles():
    """A factor on the photons' inefficiency is one of photons."""
    twice = [2.0, 2.0, 2.0, 2.0]
    shifted = configured({"photon_inefficiency.factor": twice, "photon_inefficiency.hard_factor": twice})
    assert (shifted.charged_response == DETECTOR.charged_response).all()


def merging(kind, p=20.0, n=20_000):
    """A particle that falls into the candidate's cluster."""
    p3 = momentum(p, 0.004, 0.004)
    at = np.array(line(p3, 1000 * np.array(VERTEX), LKR_Z, 1.0)) / 1000
    candidate = (*FAR_AWAY[:2], (at[0] + 0.05, at[1]))
    columns = np.broadcast_to(p3[:, None], (3, n))
    return charged_traces(kind, 1.0, columns, VERTEX, TOLD_APART, candidate)


@pytest.mark.parametrize("kind", KINDS)
def test_a_particle_in_the_candidate_s_cluster_adds_to_it(kind):
    """It is then no cluster of its own, within 100 mm (NA62, JHEP 03 (2021) 058)."""
    survival, energy = merging(kind)
    rich = stats.poisson.cdf(3, HITS * (1 - (THRESHOLD[kind] / 20.0) ** 2))
    seen = FACTORS["segment"] * FACTORS["behind"] * rich
    assert survival == pytest.approx(np.full(survival.size, seen), rel=1e-9)
    if kind != "pion":
        assert energy == pytest.approx(np.full(energy.size, 20.0 if kind == "electron" else 0.56), rel=1e-9)
        return
    ionising = 1 - math.exp(-101.093 * M_PI / (C_TAU_PI * 20.0)) * (1 - SHOWERLESS)
    showers = energy[energy != 0.56]
    n = energy.size
    assert abs(1 - showers.size / n - ionising) < SIGMAS * math.sqrt(ionising * (1 - ionising) / n)
    assert stats.kstest(showers, "uniform", args=(0, 20.0)).pvalue > 1e-6


def test_kinds_of_particles():
    assert [charged_veto.kind_of(name) for name in ("mu+", "mu-", "e+", "e-", "pi+", "pi-", "K+")] == [
        *(charged_veto.MUON,) * 2, *(charged_veto.ELECTRON,) * 2, *(charged_veto.PION,) * 3
    ]  # fmt: skip
