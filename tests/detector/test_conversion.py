"""Photons that convert in the first chambers: against pairs followed one by one in plain Python."""

import math

import numpy as np
import pytest
from blocks import DETECTOR, SIGMAS, configured
from plain_geometry import STRAW_Z, chamber, first_station, line, segment_behind, unseen, views
from scipy import stats
from veto_blocks import FAR_AWAY, flat_tables, pair_survival, photon_survival

from kaongen.configuration import load
from kaongen.detector import charged_veto, conversion
from kaongen.detector.na62 import NA62

THICK = 0.0045
MISSES = {"lav": 0.02, "irc": 0.05, "lkr": 0.01, "sac": 0.1}
SEGMENT, BEHIND, HITS = 0.2, 0.3, 6.0
LEAKY = {"straw.inefficiency": SEGMENT, "straw.segment_distance": 100.0, "rich.ring_hits": HITS} | flat_tables(**MISSES)
N = 200_000


def missed(system, kind, p):
    return stats.poisson.cdf(3, HITS) if system == "rich" else MISSES[system]


def bethe_heitler(x):
    """Cumulative distribution for complete screening, (9/7) (1 - 4/3 x (1 - x))."""
    return 9 / 7 * (x - 2 / 3 * x**2 + 4 / 9 * x**3)


def expected(momentum, vertex, blind=0.0, behind=1.0):
    """Mean survival of a photon over many pairs."""
    start = 1000 * np.array(vertex)
    energy, direction = np.linalg.norm(momentum), np.array(momentum) / np.linalg.norm(momentum)
    first = first_station(momentum, start)
    direct = 1.0 if first is None else MISSES[first]
    converts, pairs = 0.0, 0.0
    shares = np.interp((np.arange(400) + 0.5) / 400, bethe_heitler(np.linspace(0, 1, 2001)), np.linspace(0, 1, 2001))
    for k in range(2):
        place = np.array([*line(momentum, start, STRAW_Z[k]), STRAW_Z[k]])
        chance = 7 / 9 * THICK * views(k, *place[:2]) / 4
        if start[2] > STRAW_Z[k] or first_station(momentum, start, until=STRAW_Z[k]) == "lav":
            continue
        segment = k == 0 and all(chamber(c, *line(momentum, start, STRAW_Z[c])) for c in range(2))
        means = [
            math.prod(
                unseen("electron", charge, part * energy * direction, place, missed, blind)
                * (behind if segment_behind("electron", charge, part * energy * direction, place) else 1.0)
                for charge, part in ((1.0, x), (-1.0, 1 - x))
            )
            for x in shares
        ]
        converts += chance
        pairs += chance * np.mean(means) * (SEGMENT if segment else 1.0)
    return direct, (1 - converts) * direct + pairs, converts


def aimed(target, start, energy):
    way = np.array(target) - np.array(start)
    return energy * way / np.linalg.norm(way)


PHOTONS = {
    "hard": (150.0, (0.4, 0.2, 241.093), 25.0),
    "middle": (150.0, (0.5, -0.3, 241.093), 8.0),
    "soft": (150.0, (-0.5, 0.3, 241.093), 3.0),
    "in the hole of the first": (150.0, (0.14, 0.04, 183.508), 10.0),
    "to a ring behind the first": (175.0, (0.9, 0.6, 192.8), 2.0),
    "to a ring behind the magnet": (140.0, (0.75, 0.85, 203.2), 4.0),
    "to a ring before the first": (150.0, (0.8, 0.3, 172.9), 4.0),
    "to nothing": (179.0, (2.5, 0.5, 204.0), 0.5),
}
"""z where they begin, a point of their line (m), energy (GeV)."""


def photon(name):
    """Momentum and vertex."""
    z, target, energy = PHOTONS[name]
    vertex = (0.06, 0.0, z)
    return aimed(target, vertex, energy), vertex


def survivals(name, changes=None, n=N, **options):
    momentum, vertex = photon(name)
    columns = np.broadcast_to(np.array(momentum)[:, None], (3, n))
    return pair_survival(columns, vertex, configured(LEAKY | (changes or {})), **options)


def assert_mean(values, mean):
    error = values.std() / np.sqrt(values.size)
    assert abs(values.mean() - mean) < SIGMAS * error + 1e-5 * mean, (values.mean(), error, mean)


@pytest.mark.parametrize("name", PHOTONS)
@pytest.mark.parametrize("blind", [0.0, 1.0])
def test_mean_survival_is_that_of_pairs_followed_one_by_one(name, blind):
    _, mean, _ = expected(*photon(name), blind)
    assert_mean(survivals(name, {"conversion.unseen": blind}), mean)


@pytest.mark.parametrize("name", ["hard", "middle", "soft", "in the hole of the first", "to a ring behind the first"])
def test_legs_that_leave_a_segment_behind_the_magnet(name):
    """A search that rejects those sees pairs in two ways more."""
    _, mean, _ = expected(*photon(name), behind=BEHIND)
    assert_mean(survivals(name, {"straw.inefficiency_behind": BEHIND}), mean)
    without = expected(*photon(name))[1]
    assert mean <= without
    if name in ("hard", "middle"):
        assert survivals(name).mean() > survivals(name, {"straw.inefficiency_behind": BEHIND}).mean()
        assert mean < without


def test_pairs_leave_segments_in_the_search_for_pinunu_only():
    """Of photons that nothing else sees one pair in 64 is followed: neither leg, one or both cross the last two
    chambers."""
    blind = flat_tables(lav=1.0, irc=1.0, lkr=1.0, sac=1.0) | {"straw.inefficiency": 1.0}
    momentum, vertex = photon("hard")
    columns = np.broadcast_to(np.array(momentum)[:, None], (3, 20_000))
    found = []
    for name in ("na62-2016-2018", "na62-2017-pinunu"):
        detector = NA62(load(name).with_values(blind))
        detector.charged_response[charged_veto.RICH_HITS] = 0.0
        found.append(pair_survival(columns, vertex, detector))
    mu, pinunu = found
    assert mu == pytest.approx(np.ones(mu.size), rel=1e-12)
    converts = 64 * expected(momentum, vertex)[2]
    neither, one, both = (np.isclose(pinunu, 1 - converts * (1 - 0.01**legs), rtol=1e-9, atol=0) for legs in range(3))
    assert (neither | one | both).all()
    assert one.sum() > 0
    assert both.sum() > 20


def test_the_photons_are_of_all_sorts():
    """Some are absorbed before the chambers, some pass a hole, and pairs matter for those that go on."""
    converts = {name: expected(*photon(name))[2] for name in PHOTONS}
    assert converts["soft"] == pytest.approx(7 / 9 * THICK * 2, rel=1e-9)
    assert 0 < converts["in the hole of the first"] < converts["hard"] < converts["soft"]
    assert converts["to a ring before the first"] == 0.0
    assert converts["to a ring behind the first"] > 0.0
    for name, system in [
        ("to a ring before the first", "lav"),
        ("to a ring behind the magnet", "lav"),
        ("hard", "lkr"),
    ]:
        momentum, vertex = photon(name)
        assert first_station(momentum, 1000 * np.array(vertex)) == system
    direct, mean, _ = expected(*photon("middle"))
    assert mean > 1.03 * direct


@pytest.mark.parametrize("others", [1.0, 1e-2, 1e-4, 1e-9])
def test_a_choice_of_pairs_leaves_the_mean(others):
    """Where other photons are seen for sure few pairs are followed, with larger weights."""
    _, mean, _ = expected(*photon("middle"))
    values = survivals("middle", others=others, n=2 * N)
    assert_mean(values, mean)
    alone = photon_survival(*photon("middle"), configured(LEAKY))[0, 0]
    assert np.mean(values != alone) == pytest.approx(min(max(10 * others, 1 / 64), 1), rel=0.05)


def test_probabilities_stay_probabilities():
    """For every share of photons that can be chosen, and a chamber ten times as thick."""
    for name in PHOTONS:
        for others in (1.0, 1e-9):
            values = survivals(name, {"straw.thickness": 0.045}, n=20_000, others=others)
            assert ((values >= 0) & (values <= 1)).all(), name


def test_the_factor_multiplies_the_thickness():
    assert DETECTOR.thickness == THICK
    assert configured({"conversion.factor": 1.5, "straw.thickness": 0.01}).thickness == pytest.approx(0.015, rel=1e-15)


def test_without_material_nothing_converts():
    """The survival is then that of the photon alone."""
    detector = configured(LEAKY | {"conversion.factor": 0.0})
    for name in PHOTONS:
        alone = photon_survival(*photon(name), detector)[0, 0]
        assert pair_survival(*photon(name), detector)[0] == pytest.approx(alone, rel=1e-12)


def test_behind_the_second_chamber_nothing_converts():
    momentum, vertex = np.array([0.01, 0.0, 5.0]), (0.5, 0.0, 194.1)
    assert pair_survival(momentum, vertex)[0] == photon_survival(momentum, vertex)[0, 0]


@pytest.mark.parametrize("fate", [(0.0, 1.0, 0.7), (1.0, 0.0, 0.7)])
def test_events_that_are_lost_are_left_alone(fate):
    assert pair_survival(*photon("middle"), fate=fate)[0] == 0.7


def test_slots_have_random_numbers_of_their_own():
    a, b = (survivals("middle", slot=slot, n=5000) for slot in (1, 2))
    assert abs(np.corrcoef(a, b)[0, 1]) < SIGMAS / np.sqrt(5000)


def test_the_positron_s_share_of_the_energy():
    """Bethe and Heitler, completely screened."""
    words = np.random.default_rng(1).integers(0, 2**32, (20_000, 4), dtype=np.uint64)
    shares = np.array([conversion.positron_share(*row) for row in words])
    assert stats.kstest(shares, bethe_heitler).pvalue > 1e-6
    assert stats.kstest(shares, "uniform").pvalue < 1e-6


@pytest.mark.parametrize("number", [0, 1])
def test_views_of_a_chamber(number):
    rng = np.random.default_rng(2)
    d = DETECTOR
    for x, y in np.concatenate([rng.uniform(-1.1, 1.1, (2000, 2)), rng.uniform(-0.2, 0.25, (2000, 2))]):
        found = conversion.views_crossed(x, y, d.hole_x[number], d.gap, d.radius)
        assert found == views(number, 1000 * x, 1000 * y)


def test_a_vertex_with_the_candidate_is_needed_for_a_segment():
    """Pairs of the first chamber beside a candidate from elsewhere leave none."""
    near, (_, vertex) = {"straw.segment_distance": 0.03}, photon("middle")
    means = [
        survivals("middle", near, candidate=((0.1, 0.1, 30.0), point, FAR_AWAY[2])).mean()
        for point in (vertex, (0.5, 0.5, 110.0))
    ]
    assert means[0] == survivals("middle").mean()
    assert means[1] > 1.02 * means[0]
