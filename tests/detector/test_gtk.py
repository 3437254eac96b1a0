"""The beam spectrometer: pulls against the published resolutions, pile-up against Poisson, wrong associations."""

import math

import numpy as np
import pytest
from blocks import (
    KEY,
    P_MIN,
    SIGMAS,
    assert_fraction,
    assert_standard_normal,
    assert_uncorrelated,
    kaons,
    measured_tracks,
    through,
)
from scipy import stats

from kaongen.beam import Beam
from kaongen.configuration import load
from kaongen.detector import gtk
from kaongen.event_block import (
    EFFICIENCY,
    K_DX,
    K_DY,
    K_PX,
    K_PY,
    K_PZ,
    K_X,
    K_Y,
    K_Z,
    R_DT,
    R_KPX,
    R_KPY,
    R_KPZ,
    R_KX,
    R_KY,
    R_PX,
    R_PY,
    R_PZ,
    R_TRACK,
    R_X,
    R_Y,
)
from kaongen.particles import M_K, M_PI, M_PI0

N = 100_000
GTK3, CHAMBER = 102.4, 183.508
SIGMA_T = math.hypot(0.100, 0.070)
CONFIGURATION = load("na62-2016-2018")
OPTICS = Beam(CONFIGURATION).optics
WIDE = (0.0, 1e3, -1.0, 1.0, -1.0, 1.0)
LIMITS = (72.7, 77.2, 0.9e-3, 1.6e-3, -0.3e-3, 0.4e-3)


def response(found=1.0, rate=0.0, window=1e3, cut=1e9, limits=WIDE, exact=False, spread=1.5e-3, own=None):
    """`found` is the efficiency for all tracks, except for the kaon's own where that one is given."""
    errors = (0.0, 0.0, 0.0) if exact else (0.15, 16e-6, 0.09e-3)
    own = found if own is None else own
    return np.array([GTK3, *errors, SIGMA_T, spread, window, found, cut, rate, *limits, own])


class Measured:
    """What the station says of kaons with this momentum and vertex, and of a candidate's measured line."""

    def __init__(self, kaon, candidate, numbers, forced=False, bent=(0.0, 0.0), key=KEY):
        momentum, vertex = kaon
        given = {("fate", EFFICIENCY): 1.0, ("beam", K_DX): bent[0], ("beam", K_DY): bent[1]}
        given |= {("beam", r): c for r, c in zip((K_PX, K_PY, K_PZ, K_X, K_Y, K_Z), (*momentum, *vertex), strict=True)}
        line = (*candidate[0], *candidate[1])
        given |= {("reco", r): c for r, c in zip((R_PX, R_PY, R_PZ, R_X, R_Y), line, strict=True)}
        rows = (R_KPX, R_KPY, R_KPZ, R_KX, R_KY, R_TRACK, R_DT)
        wanted = [*(("reco", r) for r in rows), ("fate", EFFICIENCY)]

        def stage(event, n):
            gtk.measure(n, key, numbers, forced, CHAMBER, OPTICS, event.index, event.beam, event.reco, event.fate)

        columns = through(stage, given, wanted)
        self.momentum, self.position = columns[:3], columns[3:5]
        self.track, self.time, self.efficiency = columns[5:]
        self.distance = distance(self.momentum, self.position, *candidate)


def coordinates(momentum):
    px, py, pz = momentum
    return np.array([np.sqrt(px**2 + py**2 + pz**2), px / pz, py / pz])


def distance(kaon, kaon_xy, momentum, xy):
    """Closest approach of two lines, from the parameters at which they are closest."""
    a, b = kaon / kaon[2], np.asarray(momentum) / momentum[2]
    start = np.array([xy[0] - kaon_xy[0], xy[1] - kaon_xy[1], np.full_like(kaon_xy[0], CHAMBER - GTK3)])
    aa, bb, ab = (a * a).sum(0), (b * b).sum(0), (a * b).sum(0)
    sa, sb = (start * a).sum(0), (start * b).sum(0)
    s = (sa * bb - sb * ab) / (aa * bb - ab * ab)
    t = (sa * ab - sb * aa) / (aa * bb - ab * ab)
    return np.linalg.norm(start + t * b - s * a, axis=0)


def two_body(n, first=0, low=15.0, high=35.0, seed=7):
    """Kaons, and pions of K+ -> pi+ pi0 from them as the spectrometer measures them, with this range of momenta (GeV)
    inside the first chamber."""
    momentum, vertex = kaons(n, first=first)
    rng = np.random.default_rng(seed)
    star = math.sqrt((M_K**2 - (M_PI + M_PI0) ** 2) * (M_K**2 - (M_PI - M_PI0) ** 2)) / (2 * M_K)
    cosine, phi = rng.uniform(-1, 1, n), rng.uniform(0, 2 * np.pi, n)
    sine = np.sqrt(1 - cosine**2)
    energy_star, p = math.hypot(star, M_PI), np.linalg.norm(momentum, axis=0)
    gamma, beta_gamma = np.hypot(p, M_K) / M_K, p / M_K
    along = gamma * star * cosine + beta_gamma * energy_star
    direction = momentum / p
    e1 = np.cross(direction.T, [0.0, 1.0, 0.0]).T
    e1 /= np.linalg.norm(e1, axis=0)
    e2 = np.cross(direction.T, e1.T).T
    pion = along * direction + star * sine * (np.cos(phi) * e1 + np.sin(phi) * e2)
    at = vertex[:2] + pion[:2] / pion[2] * (CHAMBER - vertex[2])
    size, radius = np.linalg.norm(pion, axis=0), np.hypot(at[0] - 0.1012, at[1])
    seen = (size > low) & (size < high) & (radius > 0.0638) & (np.hypot(*at) < 1.0) & (vertex[2] < 165.0)
    measured, xy = measured_tracks(pion[:, seen], *at[:, seen])
    return (momentum[:, seen], vertex[:, seen]), (measured, xy)


@pytest.fixture(scope="module")
def events():
    return two_body(8 * N)


@pytest.fixture(scope="module")
def truth(events):
    """Coordinates and position of the kaon at the last station."""
    (momentum, vertex), _ = events
    true = coordinates(momentum)
    return true, vertex[:2] - true[1:] * (vertex[2] - GTK3)


def test_pulls_are_standard_normal(events, truth):
    """0.15 GeV, 16 urad, and 100 and 70 ps of GTK and KTAG (NA62, JHEP 03 (2021) 058); pixels of 300 um: 0.09 mm."""
    measured = Measured(*events, response())
    sigma = np.array([[0.15], [16e-6], [16e-6]])
    pulls = [
        *((coordinates(measured.momentum) - truth[0]) / sigma),
        *((measured.position - truth[1]) / 0.09e-3),
        measured.time / math.hypot(0.100, 0.070),
    ]
    for pull in pulls:
        assert_standard_normal(pull)
    assert_uncorrelated(pulls)
    assert (measured.track == 0).all()
    assert (measured.efficiency == 1).all()


def test_errors_know_nothing_of_the_kaon(events, truth):
    measured = Measured(*events, response())
    n = measured.track.size
    for error in coordinates(measured.momentum) - truth[0]:
        for value in (*truth[0], *events[0][1]):
            assert abs(np.corrcoef(error, value)[0, 1]) < SIGMAS / np.sqrt(n)


def test_without_errors_the_kaon_is_measured_as_it_is(events, truth):
    measured = Measured(*events, response(exact=True))
    assert np.abs(measured.momentum - events[0][0]).max() < 1e-12 * 75
    assert np.abs(measured.position - truth[1]).max() < 1e-12


def test_what_the_station_did_to_the_kaon_is_not_measured(events, truth):
    """The direction is that before the deflection, the point is the one where it happened."""
    measured = Measured(*events, response(exact=True), bent=(1e-3, -2e-3))
    expected = truth[0] - np.array([[0.0], [1e-3], [-2e-3]])
    assert np.abs(coordinates(measured.momentum) - expected).max() < 1e-12
    assert np.abs(measured.position - truth[1]).max() < 1e-12


def test_the_scale_of_the_closest_approach_is_that_of_true_pairs(events):
    """The configured scale: the distance of true pairs, signed, has this rms for 15-35 GeV."""
    measured = Measured(*events, gtk.response(CONFIGURATION.with_values({"beam.rate": 0.0})))
    own = measured.track == 0
    rms = np.sqrt(np.mean(measured.distance[own] ** 2))
    assert rms == pytest.approx(CONFIGURATION.number("gtk.approach_spread"), rel=0.15)


def test_closest_approach_of_random_lines():
    rng = np.random.default_rng(3)
    for _ in range(200):
        dx, dy, ax, ay, bx, by = rng.normal(size=6)
        a, b = np.array([ax, ay, 1.0]), np.array([bx, by, 1.0])
        s, t = np.linalg.lstsq(np.array([a, -b]).T, np.array([dx, dy, 0.0]), rcond=None)[0]
        expected = np.linalg.norm(np.array([dx, dy, 0.0]) - s * a + t * b)
        assert gtk.approach(dx, dy, ax, ay, bx, by) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_lost_track_is_a_lost_event(events):
    measured = Measured(*events, response(found=0.7))
    assert_fraction(measured.track == 0, 0.7)
    assert ((measured.efficiency == 1) == (measured.track == 0)).all()
    assert ((measured.efficiency == 0) == (measured.track == -1)).all()
    assert np.isfinite(measured.momentum).all()


def test_a_decay_upstream_has_the_tracks_of_others_only(events):
    """As many as else, by the configuration's own numbers; nothing is left where there is none."""
    quiet = CONFIGURATION.with_values({"gtk.discriminant_cut": 1e9})
    own, others = (gtk.response(quiet, own_track=way) for way in (True, False))
    assert own[gtk.OWN_FOUND] == own[gtk.FOUND] == CONFIGURATION.number("gtk.efficiency")
    assert others[gtk.OWN_FOUND] == 0.0
    assert np.array_equal(np.delete(own, gtk.OWN_FOUND), np.delete(others, gtk.OWN_FOUND))
    others[gtk.P_LOW : gtk.SLOPE_Y_HIGH + 1] = WIDE
    measured = Measured(*events, others)
    assert not (measured.track == 0).any()
    mean = CONFIGURATION.number("gtk.efficiency") * CONFIGURATION.number("beam.rate") * 2 * others[gtk.WINDOW]
    assert_fraction(measured.track == -1, np.exp(-mean))
    assert ((measured.efficiency == 0) == (measured.track == -1)).all()


def test_limits_of_the_kaon(events):
    """Momentum and slopes are cut as measured: the beam's and the resolution's spreads add in quadrature."""
    measured = Measured(*events, response(limits=LIMITS))
    found = coordinates(measured.momentum)
    inside = np.all([(low < c) & (c < high) for c, low, high in zip(found, LIMITS[::2], LIMITS[1::2], strict=True)], 0)
    assert ((measured.track == 0) == inside).all()
    p, angle = stats.norm(75.0, math.hypot(0.75, 0.15)), math.hypot(0.11e-3, 16e-6)
    expected = p.cdf(77.2) - p.cdf(72.7)
    for mean, low, high in ((1.2e-3, 0.9e-3, 1.6e-3), (0.0, -0.3e-3, 0.4e-3)):
        expected *= stats.norm.cdf(high, mean, angle) - stats.norm.cdf(low, mean, angle)
    assert_fraction(inside, expected)


def test_time_window_of_the_kaon(events):
    measured = Measured(*events, response(window=0.1))
    assert_fraction(measured.track == 0, 2 * stats.norm.cdf(0.1 / SIGMA_T) - 1)
    assert np.abs(measured.time).max() < 0.1


@pytest.mark.parametrize(("rate", "window"), [(0.5, 0.5), (2.0, 0.6)])
def test_tracks_in_time_are_poisson(events, rate, window):
    """With no track of its own and nothing cut, an event is lost if there is none of 2 x window x rate x efficiency."""
    numbers = response(found=0.5, rate=rate, window=window)
    measured = Measured(*events, numbers)
    mean = 0.5 * rate * 2 * window
    assert_fraction(measured.track == -1, 0.5 * np.exp(-mean))
    assert ((measured.efficiency == 0) == (measured.track == -1)).all()
    assert np.abs(measured.time).max() < window


def test_of_several_tracks_the_closest_is_taken(events):
    """Three tracks on average: time and distance of the best one, against toys of the same beam in numpy."""
    numbers = response(own=0.0, rate=3.0, window=0.5, exact=True)
    measured = Measured(*[tuple(c[:, :20_000] for c in pair) for pair in events], numbers)
    rng = np.random.default_rng(11)
    n = measured.track.size
    (momentum, xy) = (c[:, :20_000] for c in events[1])
    count = rng.poisson(3.0, n)
    best, chosen = np.full(n, np.inf), np.full((2, n), np.nan)
    for k in range(count.max()):
        alive = count > k
        slopes = rng.normal([[1.2e-3], [0.0]], 0.11e-3, (2, n))
        at = np.array([rng.uniform(-0.026, 0.026, n) + 1.2e-3 * 3.2, rng.uniform(-0.012, 0.012, n)]) - 2.6 * slopes
        d = distance(np.array([*slopes, np.ones(n)]), at, momentum, xy)
        t = rng.uniform(-0.5, 0.5, n)
        better = alive & ((t / SIGMA_T) ** 2 + (d / 1.5e-3) ** 2 < best)
        best[better] = ((t / SIGMA_T) ** 2 + (d / 1.5e-3) ** 2)[better]
        chosen[:, better] = np.array([t, d])[:, better]
    taken = measured.track > 0
    assert stats.ks_2samp(measured.time[taken], chosen[0, count > 0]).pvalue > P_MIN
    assert stats.ks_2samp(measured.distance[taken], chosen[1, count > 0]).pvalue > P_MIN


def test_a_wrong_track_is_a_beam_particle_of_its_own(events, truth):
    """With the published momentum and slopes of the beam as they are measured, without knowledge of the kaon."""
    measured = Measured(*events, response(own=0.0, rate=1.0))
    wrong = measured.track > 0
    found = coordinates(measured.momentum)[:, wrong]
    assert_standard_normal((found[0] - 75.0) / math.hypot(0.75, 0.15))
    for values, of_kaon in zip(found, truth[0][:, wrong], strict=True):
        assert abs(np.corrcoef(values, of_kaon)[0, 1]) < SIGMAS / np.sqrt(wrong.sum())
    single = Measured(*events, response(own=0.0, rate=1e-2))
    few = single.track > 0
    found = coordinates(single.momentum)[:, few]
    for values, mean in zip(found[1:], (1.2e-3, 0.0), strict=True):
        assert_standard_normal((values - mean) / math.hypot(0.11e-3, 16e-6))
    # the pixels are left out for other tracks: the profile has sharp edges
    start = single.position[:, few] + found[1:] * 2.6
    for values, middle, half in zip(start, (1.2e-3 * 3.2, 0.0), (0.026, 0.012), strict=True):
        assert stats.kstest(values, "uniform", args=(middle - half, 2 * half)).pvalue > P_MIN


def test_forced_and_natural_agree(events):
    """Means of the track's origin, the distance and the momentum of what is taken, each within its errors."""
    numbers = response(found=0.9, rate=0.5, window=0.6, limits=LIMITS)
    natural, forced = (Measured(*events, numbers, forced=way, key=KEY + np.uint64(way)) for way in (False, True))
    assert np.mean(forced.track != 0) > 1.1 * np.mean(natural.track != 0)
    assert set(np.unique(natural.efficiency)) == {0.0, 1.0}
    wrong = [m.track > 0 for m in (natural, forced)]
    for of in (
        lambda m: np.ones_like(m.time),
        lambda m: m.track == 0,
        lambda m: m.track > 0,
        lambda m: m.track > 1,
        lambda m: (m.track > 0) & (m.distance < 4e-3),
        lambda m: (m.track > 0) * m.time**2,
        lambda m: (m.track > 0) * (coordinates(m.momentum)[0] - 75.0) ** 2,
    ):
        a, b = (m.efficiency * of(m) for m in (natural, forced))
        error = math.sqrt((a.var() + b.var()) / a.size)
        assert abs(a.mean() - b.mean()) < SIGMAS * error
    assert wrong[1].sum() > 1.5 * wrong[0].sum()


def matching(events, cut):
    """Probability of a wrong track with and without the kaon's own, and of the right one, in 0.6 ns and 4 mm."""
    changes = {"gtk.window": 0.6, "beam.rate": 0.45, "gtk.discriminant_cut": cut}
    numbers = gtk.response(CONFIGURATION.with_values(changes))
    close = []
    for found in (1.0, 0.0, numbers[gtk.OWN_FOUND]):
        these = numbers.copy()
        these[gtk.OWN_FOUND] = found
        measured = Measured(*events, these)
        close.append((measured.distance < 4e-3, measured.track))
    wrong = [np.mean(near & (track > 0)) for near, track in close[:2]]
    return *wrong, np.mean(close[2][0] & (close[2][1] == 0))


def test_wrong_tracks_beside_the_right_one_against_the_published(events, capsys):
    """1.3% at about 450 MHz (NA62, JHEP 03 (2021) 058). Nothing is tuned; the rate is uncertain to a fifth."""
    with_own, without, right = matching(events, 1e9)
    with capsys.disabled():
        print(f"\nno cut: wrong {with_own:.4f} with the own track, {without:.4f} without; right {right:.3f}")
    assert with_own == pytest.approx(0.013, abs=0.003)


def test_a_cut_on_the_discriminant_against_the_published(events, capsys):
    """3.5% without the kaon's track fixes the cut, which leaves 1.3% with it, and at least the 75% matched that
    contain losses which are not those of the GTK (NA62, JHEP 03 (2021) 058)."""
    with_own, without, right = matching(events, 6.3)
    with capsys.disabled():
        print(f"\ncut: wrong {with_own:.4f} with the own track, {without:.4f} without; right {right:.3f}")
    assert without == pytest.approx(0.035, abs=0.002)
    assert with_own == pytest.approx(0.013, abs=0.003)
    assert 0.75 < right < 0.94


def test_a_measurement_does_not_depend_on_its_place_in_the_block(events):
    numbers = response(found=0.9, rate=0.5, window=0.6, limits=LIMITS)
    whole = Measured(*events, numbers)
    part = Measured(*[tuple(c[:, :1500] for c in pair) for pair in events], numbers)
    assert np.array_equal(whole.momentum[:, :1500], part.momentum)
    assert np.array_equal(whole.track[:1500], part.track)


def test_the_average_of_the_beam_instead():
    """Without the spectrometer every kaon is the same."""
    given = {("reco", r): np.linspace(1.0, 2.0, 9) for r in (R_KPX, R_KPY, R_KPZ, R_KX, R_KY, R_TRACK, R_DT)}
    numbers = np.array([75.0, 1.2e-3, -0.1e-3, 0.7e-3, 0.2e-3])
    columns = through(lambda event, n: gtk.average(n, numbers, event.reco), given, list(given))
    found = coordinates(columns[:3])
    assert np.abs(found - np.array([[75.0], [1.2e-3], [-0.1e-3]])).max() < 1e-12
    assert (columns[3:] == np.array([[0.7e-3], [0.2e-3], [0.0], [0.0]])).all()
