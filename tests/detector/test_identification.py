"""KTAG, CHOD, RICH, calorimeters and MUV3: the factor that each gives to the efficiency of a candidate."""

import numpy as np
import pytest
from blocks import CONFIGURATION, KEY, SIGMAS, assert_standard_normal, through
from scipy import stats

from kaongen.configuration import load
from kaongen.detector import calorimeters, chod, identification, ktag, muv3, rich
from kaongen.detector.identification import ELECTRON, GRID_POINTS, MUON, PION, momentum_grid
from kaongen.errors import CardError
from kaongen.event_block import (
    EFFICIENCY,
    R_KPX,
    R_KPY,
    R_KPZ,
    R_M2,
    R_M2_RICH,
    R_PX,
    R_PY,
    R_PZ,
    T_ELECTRON_Z,
    T_END_P,
    T_KINK_Z,
    T_MUON_Z,
    T_MUV3_X,
    T_MUV3_Y,
    T_P,
)
from kaongen.particles import M_E, M_K, M_MU, M_PI
from kaongen.random import STRAW, draw, normal_pair

FROM_START, NEVER = -1.0, np.inf
LINES = {PION: (NEVER, NEVER), MUON: (FROM_START, NEVER), ELECTRON: (FROM_START, FROM_START)}
MIRROR, LKR_Z, MUV3_Z = 236.873, 241.093, 246.8
NUMBER, ARRAY = CONFIGURATION.number, CONFIGURATION.array
RINGS = rich.Rings(NUMBER("rich.refractivity"), NUMBER("rich.ring_resolution"), NUMBER("rich.ring_hits"))
PIONS = load("na62-2017-pinunu")
PION_CUT = rich.PionCut(
    NUMBER("rich.pion_ring_hits"), *PIONS.array("rich.pion_mass_window"), PIONS.number("rich.pion_likelihood")
)
MUON_CUT = rich.MuonCut(NUMBER("rich.muon_ring_hits"))
FLAT = np.linspace(15, 35, 20_001)
"""Momenta over which the paper's averages go (NA62, JHEP 03 (2021) 058)."""


def candidate(species, p):
    muon_z, electron_z = LINES[species]
    return {("track", T_P): p, ("track", T_END_P): p} | lived(muon_z, electron_z)


def lived(muon_z, electron_z=NEVER, kink_z=NEVER):
    return {("track", T_MUON_Z): muon_z, ("track", T_ELECTRON_Z): electron_z, ("track", T_KINK_Z): kink_z}


def factor(stage, given):
    return through(stage, given | {("fate", EFFICIENCY): 1.0}, [("fate", EFFICIENCY)])[0]


def identified(table, given, z=MIRROR, used_below=np.inf):
    return factor(lambda event, n: identification.identify(n, z, used_below, table, event.track, event.fate), given)


RICH_PION = rich.of_pions(RINGS, PION_CUT, PIONS.number("rich.pion_efficiency"), PIONS.number("rich.muon_as_pion"))
RICH_MUON = rich.of_muons(RINGS, MUON_CUT, NUMBER("rich.muon_efficiency"), NUMBER("rich.other_as_muon"))
NAMES = ("pion_efficiency", "pion_slope", "muon_as_pion", "muon_decline", "electron_as_pion")
CALORIMETERS = calorimeters.of_pions(*(PIONS.number(f"calorimeters.{name}") for name in NAMES))


@pytest.mark.parametrize("part", ["ktag", "chod"])
def test_tag_and_hodoscopes_are_the_same_for_every_event(part):
    kernel = {"ktag": ktag.tag, "chod": chod.see}[part]
    probability = NUMBER(f"{part}.efficiency")
    found = factor(lambda event, n: kernel(n, probability, event.fate), candidate(MUON, np.linspace(3, 75, 300)))
    assert (found == probability).all()


# ---- the table


def test_a_table_is_interpolated_and_holds_at_its_end():
    table = np.random.default_rng(1).random((3, GRID_POINTS))
    p = np.concatenate([np.random.default_rng(2).uniform(0, 102.2, 5000), [0.0, 102.3, 150.0, 1e4]])
    for species in (PION, MUON, ELECTRON):
        expected = np.interp(p, momentum_grid(), table[species])
        # between the last two points the kernel stops a thousandth of a step early
        assert np.abs(identified(table, candidate(species, p)) - expected).max() < 2e-3


@pytest.mark.parametrize(
    ("muon_z", "electron_z", "species"),
    [
        (NEVER, NEVER, PION),
        (MIRROR + 0.001, NEVER, PION),
        (MIRROR - 0.001, NEVER, MUON),
        (FROM_START, NEVER, MUON),
        (FROM_START, MIRROR + 0.001, MUON),
        (FROM_START, 200.0, ELECTRON),
        (FROM_START, FROM_START, ELECTRON),
        (NEVER, 150.0, ELECTRON),
    ],
)
def test_what_it_is_at_the_plane_decides(muon_z, electron_z, species):
    table = np.repeat([[0.2], [0.3], [0.5]], GRID_POINTS, axis=1)
    given = {("track", T_P): 20.0, ("track", T_END_P): 20.0} | lived(muon_z, electron_z)
    assert identified(table, given)[0] == table[species, 0]


@pytest.mark.parametrize(("kink_z", "momentum"), [(200.0, 15.0), (MIRROR + 0.001, 20.0), (NEVER, 20.0)])
def test_the_momentum_at_the_plane_is_the_daughters_behind_the_decay(kink_z, momentum):
    table = np.broadcast_to(momentum_grid() / 200.0, (3, GRID_POINTS)).copy()
    given = {("track", T_P): 20.0, ("track", T_END_P): 15.0} | lived(kink_z, NEVER, kink_z)
    assert identified(table, given)[0] == pytest.approx(momentum / 200.0, rel=1e-12)


def test_it_is_asked_below_a_momentum_only():
    """NA62, Phys. Lett. B 816 (2021) 136259: the RICH identifies below 30 GeV."""
    assert NUMBER("rich.used_below") == 30.0
    found = identified(np.full((3, GRID_POINTS), 0.5), candidate(PION, [5.0, 29.999, 30.0, 70.0]), used_below=30.0)
    assert (found == [0.5, 0.5, 1.0, 1.0]).all()


# ---- RICH


def test_the_index_gives_the_published_thresholds():
    """9.5 GeV for muons (NA62, Phys. Lett. B 816 (2021) 136259), 12.5 GeV for pions (Bizzeti, arXiv:1706.08496)."""
    assert RINGS.threshold(M_MU) == pytest.approx(9.5, abs=0.05)
    assert RINGS.threshold(M_PI) == pytest.approx(12.5, abs=0.05)
    for mass in (M_MU, M_PI):
        below, above = RINGS.angle(mass, RINGS.threshold(mass) * np.array([0.999, 1.001]))
        assert below == 0.0 < above


def test_the_angle_is_that_of_the_cone():
    """cos theta = 1/(n beta), without the approximation of small angles."""
    p = np.linspace(16, 70, 50)
    for mass in (M_E, M_MU, M_PI):
        exact = np.arccos(np.hypot(p, mass) / p / (1 + RINGS.refractivity))
        assert np.abs(RINGS.angle(mass, p) / exact - 1).max() < 2e-4


@pytest.mark.parametrize(
    ("table", "species", "average"),
    [
        (RICH_PION, PION, 0.82),
        (RICH_PION, MUON, 2.3e-3),
        (CALORIMETERS, PION, 0.78),
        (CALORIMETERS, MUON, 6.3e-6),
    ],
)
def test_the_published_averages_between_15_and_35_gev(table, species, average):
    """NA62, JHEP 03 (2021) 058: RICH and calorimeters identify pions, and muons as pions."""
    assert identified(table, candidate(species, FLAT)).mean() == pytest.approx(average, rel=0.005)


def test_the_overlap_alone_stays_below_the_published_numbers():
    """Ring resolution and the cuts are known: what they give must leave room for losses and for rings gone wrong."""
    pions, muons = (PION_CUT.passes(RINGS, mass, FLAT) for mass in (M_PI, M_MU))
    assert 0.82 < pions.mean() < 0.95
    assert 1e-4 < muons.mean() < 2.3e-3
    # the separation falls with the momentum: in the last GeV muons pass by their angle, below 28 GeV by accident
    accidents = identified(RICH_PION, candidate(MUON, FLAT)) - muons
    assert muons[-1] > accidents.max() > muons[FLAT < 28].max()


def test_rings_that_cannot_do_what_was_published_are_refused():
    with pytest.raises(CardError, match=r"rich\.muon_as_pion"):
        rich.of_pions(rich.Rings(62e-6, 200e-6, 13.8), PION_CUT, 0.82, 2.3e-3)


def rings(mass, p, n, seed):
    """Hits and angle of rings, drawn one by one."""
    generator = np.random.default_rng(seed)
    squared = 2 * 62e-6 - (mass / p) ** 2
    share = max(squared / (2 * 62e-6), 0.0)
    hits = generator.poisson(13.8 * share, n)
    return hits, np.sqrt(max(squared, 0.0)) + 86e-6 / np.sqrt(max(share, 1e-9)) * generator.standard_normal(n)


def expected_angle(mass, p):
    return np.sqrt(max(2 * 62e-6 - (mass / p) ** 2, 0.0))


@pytest.mark.parametrize("mass", [M_PI, M_MU, M_E])
@pytest.mark.parametrize("p", [13.5, 16.0, 25.0, 33.0, 40.0])
def test_pions_against_rings_drawn_one_by_one(mass, p):
    """Four hits, a mass of ring and track between 118 and 200 MeV, a muon less than 1/20 as likely as a pion."""
    n = 200_000
    hits, angle = rings(mass, p, n, 3)
    mass2 = p * p * (2 * 62e-6 - np.sign(angle) * angle**2)
    pion, muon = expected_angle(M_PI, p), expected_angle(M_MU, p)
    error = 86e-6 * np.sqrt(2 * 62e-6) / pion
    ratio = stats.norm.logpdf(angle, muon, error) - stats.norm.logpdf(angle, pion, error)
    found = (hits >= 4) & (mass2 > 0.118**2) & (mass2 < 0.2**2) & (ratio < np.log(0.05))
    expected = PION_CUT.passes(RINGS, mass, np.array([p]))[0]
    assert abs(found.mean() - expected) < SIGMAS * np.sqrt(max(expected, 1e-4) / n)


@pytest.mark.parametrize("mass", [M_PI, M_MU])
@pytest.mark.parametrize("p", [11.0, 14.0, 20.0, 29.0])
def test_muons_against_rings_drawn_one_by_one(mass, p):
    """The nearest of the three expected angles decides; every momentum here gives a muon two hits on average."""
    n = 200_000
    hits, angle = rings(mass, p, n, 4)
    distance = np.abs(angle[:, None] - np.array([expected_angle(other, p) for other in (M_E, M_MU, M_PI)]))
    if p < 12.5:
        distance[:, 2] = np.inf  # a pion would give no ring
    found = (hits >= 2) & (distance.argmin(axis=1) == 1)
    expected = MUON_CUT.passes(RINGS, mass, np.array([p]))[0]
    assert abs(found.mean() - expected) < SIGMAS * np.sqrt(max(expected, 1e-4) / n)


def test_below_the_threshold_muons_need_only_not_look_like_positrons():
    """NA62, Phys. Lett. B 816 (2021) 136259."""
    p = np.linspace(5, 9.4, 50)
    assert (identified(RICH_MUON, candidate(MUON, p)) == 1.0).all()
    assert (identified(RICH_MUON, candidate(PION, p)) == 1.0).all()
    assert identified(RICH_MUON, candidate(ELECTRON, p)).max() < 0.05


def test_muons_are_told_from_pions_as_soon_as_they_give_light():
    p = np.linspace(12, 29.8, 100)
    assert identified(RICH_MUON, candidate(MUON, p)).min() > 0.9
    assert identified(RICH_MUON, candidate(PION, p)).max() < 0.05


KAON = (0.09, 0.01, 74.8)


def missing_mass(p, direction, mass=M_PI):
    """(P_K - P)^2 from four-vectors."""
    px, py, pz = p * np.asarray(direction) / np.linalg.norm(direction)
    energy = np.sqrt(np.dot(KAON, KAON) + M_K**2) - np.sqrt(p**2 + mass**2)
    return energy**2 - (KAON[0] - px) ** 2 - (KAON[1] - py) ** 2 - (KAON[2] - pz) ** 2


def m2_rich(species, p, resolution, track=(0.15, -0.1, 25.0), m2=0.5):
    given = candidate(species, p) | {("reco", R_M2): m2}
    names = (R_KPX, R_KPY, R_KPZ, R_PX, R_PY, R_PZ)
    given |= {("reco", name): value for name, value in zip(names, (*KAON, *track), strict=True)}
    response = np.array([MIRROR, 62e-6, resolution, 13.8, 4.0])

    def stage(event, n):
        rich.measure(n, KEY, response, event.index, event.track, event.reco)

    return through(stage, given, [("reco", R_M2_RICH)])[0]


@pytest.mark.parametrize("p", [16.0, 25.0, 40.0])
def test_an_exact_ring_gives_the_pions_momentum_whatever_the_track_says(p):
    assert m2_rich(PION, [p], 0.0)[0] == pytest.approx(missing_mass(p, (0.15, -0.1, 25.0)), abs=1e-9)


def test_a_muons_ring_is_that_of_a_faster_pion():
    expected = missing_mass(20.0 * M_PI / M_MU, (0.15, -0.1, 25.0))
    assert m2_rich(MUON, [20.0], 0.0)[0] == pytest.approx(expected, abs=1e-9)


def test_a_positrons_ring_has_the_highest_momentum_that_is_told_apart():
    assert m2_rich(ELECTRON, [20.0], 0.0)[0] == pytest.approx(missing_mass(100.0, (0.15, -0.1, 25.0)), abs=1e-6)


def test_without_a_ring_the_spectrometer_is_asked():
    """Four hits on average begin at 14.9 GeV."""
    assert (m2_rich(PION, [10.0, 12.6, 14.7], 86e-6) == 0.5).all()
    assert (m2_rich(PION, [15.1, 20.0], 86e-6) != 0.5).all()
    assert (m2_rich(MUON, [9.0, 11.2], 86e-6) == 0.5).all()


@pytest.mark.parametrize("p", [18.0, 30.0])
def test_the_error_of_the_ring(p):
    """The angle found back from the missing mass is Gaussian, with 86 urad over the root of the share of light."""
    wide = (1.0, -0.8, 25.0)  # at small angles to the kaon the missing mass does not fall with the momentum
    momenta = np.linspace(13.0, 90.0, 5000)
    masses = np.array([missing_mass(q, wide) for q in momenta])
    assert (np.diff(masses) < 0).all()
    measured = np.interp(-m2_rich(PION, np.full(50_000, p), 86e-6, wide), -masses, momenta)
    angle = np.sqrt(2 * 62e-6 - (M_PI / measured) ** 2)
    squared = 2 * 62e-6 - (M_PI / p) ** 2
    error = 86e-6 / np.sqrt(squared / (2 * 62e-6))
    assert_standard_normal((angle - np.sqrt(squared)) / error)


# ---- calorimeters


def test_calorimeters_tell_muons_better_the_faster_they_are():
    p = np.linspace(15, 35, 50)
    assert (np.diff(identified(CALORIMETERS, candidate(PION, p), LKR_Z)) > 0).all()
    assert (np.diff(identified(CALORIMETERS, candidate(MUON, p), LKR_Z)) < 0).all()
    assert (identified(CALORIMETERS, candidate(ELECTRON, p), LKR_Z) == 1e-3).all()


def test_muons_are_suppressed_by_eight_orders_of_magnitude_together():
    """Rings and energies are independent: 2.3e-3 times 6.3e-6, if the momenta do not matter much."""
    both = identified(RICH_PION, candidate(MUON, FLAT)) * identified(CALORIMETERS, candidate(MUON, FLAT))
    assert both.mean() == pytest.approx(2.3e-3 * 6.3e-6, rel=0.3)


# ---- MUV3

RESPONSE = np.array([MUV3_Z, 0.103, 1.320, 0.530])
TILES = {
    "efficiency": NUMBER("muv3.efficiency"),
    "needed": NUMBER("muv3.needed_momentum"),
    "straggling": NUMBER("muv3.straggling"),
    "scattering": NUMBER("muv3.scattering"),
    "deviations": NUMBER("muv3.search_deviations"),
    "punch_through": ARRAY("muv3.pion_punch_through"),
    "rate": NUMBER("muv3.rate"),
    "window": NUMBER("muv3.window"),
    "tiles": NUMBER("muv3.tiles"),
    "side": NUMBER("muv3.tile_side"),
}


def signal(species, p, x=0.6, y=0.3, wanted=True, **changes):
    table = muv3.signals(**(TILES | changes))
    given = candidate(species, p) | {("track", T_MUV3_X): x, ("track", T_MUV3_Y): y}
    return factor(lambda event, n: muv3.signal(n, RESPONSE, table, wanted, event.track, event.fate), given)


def test_muons_above_10_gev_give_a_signal_in_995_of_1000_cases():
    """NA62, JINST 12 (2017) P05025 (recalled), away from the edges."""
    found = signal(MUON, np.linspace(10, 75, 200), rate=0.0)
    assert np.abs(found - 0.995).max() < 2e-4


def test_muons_too_slow_for_the_iron_give_none():
    """Energy loss by ionisation: 1.5 MeV cm^2/g in 307 g/cm^2 of krypton, 1.6 in 1.99 m of iron, at the least."""
    least = 1.5e-3 * 27 * 11.37 + 1.6e-3 * 199 * 7.874
    assert signal(MUON, [least - 0.5], rate=0.0)[0] < 1e-3
    assert least < TILES["needed"] < 1.15 * least
    assert signal(MUON, [5.0], rate=0.0)[0] > 0.99


@pytest.mark.parametrize("species", [PION, MUON, ELECTRON])
def test_a_signal_or_none(species):
    p = np.linspace(3, 70, 500)
    either = signal(species, p, x=1.2) + signal(species, p, x=1.2, wanted=False)
    assert np.abs(either - 1).max() < 1e-12


def test_pions_give_one_rarely_and_electrons_by_chance_only():
    p = np.array([15.0, 35.0])
    chance = signal(ELECTRON, p)
    assert signal(PION, p, rate=0.0) == pytest.approx([0.005, 0.012], rel=1e-9)
    assert signal(PION, p) == pytest.approx(1 - (1 - np.array([0.005, 0.012])) * (1 - chance), rel=1e-9)
    assert (signal(ELECTRON, p, rate=0.0) == 0).all()


@pytest.mark.parametrize("window", [3.0, 7.0])
def test_chance_is_that_of_poissonian_hits_in_the_tiles_near_by(window):
    """10 MHz in 148 tiles of 22 cm, within 4 x 53 cm GeV/p of the track."""
    p = 15.0
    generator = np.random.default_rng(5)
    n, radius, side = 20_000, 4 * 0.53 / p, 0.22
    centre = generator.random((n, 2)) * side
    edges = side * np.arange(-3, 5)
    nearest = [np.clip(centre[:, k, None], edges[:-1], edges[1:]) - centre[:, k, None] for k in range(2)]
    touched = (nearest[0][:, :, None] ** 2 + nearest[1][:, None, :] ** 2 < radius**2).sum(axis=(1, 2))
    expected = 1 - np.exp(-0.010 * 2 * window * touched.mean() / 148)
    error = 0.010 * 2 * window * touched.std() / np.sqrt(n) / 148
    assert abs(signal(ELECTRON, [p], window=window)[0] - expected) < SIGMAS * error


@pytest.mark.parametrize(
    ("x", "y", "p"),
    [(0.6, 0.3, 10.0), (1.30, 0.2, 10.0), (-1.25, 1.28, 6.0), (0.11, 0.02, 8.0), (0.0, -0.2, 5.0), (0.103, 0.0, 40.0)],
)
def test_muons_scatter_out_of_the_detector_and_into_its_hole(x, y, p):
    """Drawn one by one, with a round hole; the model's hole is a rectangle."""
    n = 400_000
    at = np.array([[x], [y]]) + 0.53 / p * np.random.default_rng(6).standard_normal((2, n))
    hit = (np.abs(at).max(axis=0) < 1.320) & (np.hypot(*at) > 0.103)
    ideal = {"efficiency": 1.0, "needed": -10.0, "deviations": 10.0, "rate": 0.0}
    found = signal(MUON, [p], x, y, **ideal)[0]
    near_hole = np.hypot(x, y) < 0.25
    assert abs(found - hit.mean()) < 0.03 * near_hole + SIGMAS * np.sqrt(0.25 / n)


@pytest.mark.parametrize(("muon_z", "is_muon"), [(150.0, True), (MUV3_Z - 0.001, True), (MUV3_Z + 0.001, False)])
def test_a_pion_that_decayed_before_it_is_a_muon(muon_z, is_muon):
    table = muv3.signals(**TILES)
    given = {("track", T_P): 20.0, ("track", T_END_P): 20.0, ("track", T_MUV3_X): 0.5, ("track", T_MUV3_Y): 0.5}
    stage = lambda event, n: muv3.signal(n, RESPONSE, table, True, event.track, event.fate)  # noqa: E731
    found = factor(stage, given | lived(muon_z, NEVER, muon_z))[0]
    assert (found > 0.9) == is_muon


def test_the_ring_has_random_numbers_of_its_own():
    """Draws 0 to 7 of its stream belong to the track."""
    n = 2000
    ring = m2_rich(PION, np.full(n, 25.0), 86e-6)
    for number in range(9):
        words = [draw(KEY, np.uint64(j), STRAW, np.uint64(number))[:2] for j in range(n)]
        normal = np.array([normal_pair(*pair)[0] for pair in words])
        correlation = abs(np.corrcoef(ring, normal)[0, 1])
        assert correlation > 0.9 if number == 8 else correlation < SIGMAS / np.sqrt(n)
