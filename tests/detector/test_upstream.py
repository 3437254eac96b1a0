"""Decays outside the volume, and of pions: their number against the exponential law, and where their daughters go."""

import numpy as np
import pytest
from blocks import CONFIGURATION, KEY, SIGMAS
from scipy import stats

from kaongen.beam import Beam
from kaongen.configuration import load
from kaongen.decays.catalogue import find
from kaongen.decays.final_state import final_state
from kaongen.decays.samplers import PRIMARY, sampler
from kaongen.decays.sampling import blocks
from kaongen.decays.workspace import PX, PY, PZ, E
from kaongen.event_block import BEAM_ROWS, K_E, K_PX, K_PY, K_PZ, K_X, K_Y, K_Z, EventBlock
from kaongen.jit import BLOCK
from kaongen.upstream import pion_decay, transport

# Particle Data Group, Review of Particle Physics 2026: mass in GeV and c tau in m
KAON, PION, M_MU = (0.493677, 3.711), (0.13957039, 7.8045), 0.1056583755
VOLUME, GTK3, KTAG, STRAIGHT = (105.0, 180.0), 102.4, 72.0, 60.0
P_MIN = 1e-6
N = 100_000

ZONES = {
    ("entrance", "kaon"): (GTK3, 105.0),
    ("upstream", "kaon"): (KTAG, GTK3),
    ("volume", "pion"): VOLUME,
    ("entrance", "pion"): (GTK3, 105.0),
    ("upstream", "pion"): (STRAIGHT, GTK3),
}


def parents(zone, particle, n=N, configuration=CONFIGURATION):
    """Rows of the beam, (BEAM_ROWS, n), and weights."""
    beam, event = Beam(configuration, zone, particle), EventBlock(1)
    rows, weights = np.empty((BEAM_ROWS, n)), np.empty(n)
    for first, size in blocks(n):
        event.number(first, size)
        event.weight[:] = 1.0
        beam.send(KEY, size, event)
        rows[:, first : first + size] = event.beam.reshape(BEAM_ROWS, BLOCK)[:, :size]
        weights[first : first + size] = event.weight[:size]
    return rows, weights


@pytest.mark.parametrize(("zone", "particle"), ZONES)
def test_parents_decay_exponentially_in_their_zone(zone, particle):
    rows, _ = parents(zone, particle)
    (low, high), (mass, flight) = ZONES[zone, particle], KAON if particle == "kaon" else PION
    p = np.sqrt(rows[K_PX] ** 2 + rows[K_PY] ** 2 + rows[K_PZ] ** 2)
    assert rows[K_E] == pytest.approx(np.hypot(p, mass), rel=1e-12)
    assert rows[K_Z].min() > low
    assert rows[K_Z].max() < high
    mean = p / mass * flight
    quantile = np.expm1(-(rows[K_Z] - low) / mean) / np.expm1(-(high - low) / mean)
    assert stats.kstest(quantile, "uniform").pvalue > P_MIN


@pytest.mark.parametrize(("zone", "particle"), ZONES)
def test_weights_are_decays_for_each_kaon_that_decays_in_the_volume(zone, particle):
    """Of 70 pions and 6 kaons at the start of the volume; there were more further upstream."""
    rows, weights = parents(zone, particle, 20_000)
    (low, high), (mass, flight) = ZONES[zone, particle], KAON if particle == "kaon" else PION
    p = np.sqrt(rows[K_PX] ** 2 + rows[K_PY] ** 2 + rows[K_PZ] ** 2)

    def decays(mass, flight, low, high):
        mean = p / mass * flight
        return np.exp((105.0 - low) / mean) - np.exp((105.0 - high) / mean)

    expected = decays(mass, flight, low, high) / decays(*KAON, *VOLUME) * (1.0 if particle == "kaon" else 70 / 6)
    assert weights == pytest.approx(expected, rel=1e-4)  # c tau has four digits above


def test_the_volume_of_kaons_is_the_unit():
    rows, weights = parents("volume", "kaon", 5000)
    assert (weights == 1.0).all()
    beam = Beam(CONFIGURATION)
    assert beam.own_track
    assert beam.tagged
    assert beam.line is None
    assert rows[K_Z].min() > 105.0


@pytest.mark.parametrize("particle", ["kaon", "pion"])
def test_there_is_a_track_of_its_own_only_behind_gtk_and_a_tag_only_of_kaons(particle):
    own = {zone: Beam(CONFIGURATION, zone, particle).own_track for zone in ("volume", "entrance", "upstream")}
    assert own == {"volume": True, "entrance": True, "upstream": False}
    assert Beam(CONFIGURATION, "upstream", particle).tagged == (particle == "kaon")


def test_a_period_without_gtk_has_the_same_zones():
    rows, weights = parents("upstream", "kaon", 1000, load("na62-2015"))
    again, same = parents("upstream", "kaon", 1000)
    assert np.array_equal(rows, again)
    assert np.array_equal(weights, same)


def test_upstream_parents_are_where_the_beam_is():
    """Between the pairs of dipoles 60 mm down, in front of and behind them at y = 0; without the slope of TRIM5."""
    rows, _ = parents("upstream", "kaon")
    z, y, slope_x = rows[K_Z], rows[K_Y], rows[K_PX] / rows[K_PZ]
    for low, high, middle in ((72.0, 82.9, 0.0), (89.1, 93.3, -60e-3), (99.5, 102.4, 0.0)):
        here = (z > low) & (z < high)
        # half the height of 24 mm, the divergence over 33 m, and 1% of 60 mm
        assert abs(y[here].mean() - middle) < 0.3e-3
        assert np.abs(y[here] - middle).max() < 0.012 + 5 * 0.11e-3 * 33 + 5 * 0.6e-3
    assert abs(slope_x[z < 101.8].mean()) < 5e-6
    assert abs(slope_x[z > 101.8].mean() - 1.2e-3) < 20e-6


# Daughters


def daughters(name, n, changes=None, particle="kaon", zone="upstream"):
    """Momenta (slots, 4, n) and origins (slots, 3, n) behind the line, those in front of it, and the vertices."""
    beam = Beam(CONFIGURATION.with_values(changes or {}), zone, particle)
    if particle == "pion":
        made, final = pion_decay()
    else:
        process = find(name)
        values = process.values({})
        made, final = sampler(process, values), final_state(process, values)
    slots = len(final.species)
    event = EventBlock(slots)
    momenta, before, origins = (np.empty((slots, k, n)) for k in (4, 4, 3))
    vertices = np.empty((BEAM_ROWS, n))
    for first, size in blocks(n):
        piece = slice(first, first + size)
        event.number(first, size)
        made.settle(KEY, size, PRIMARY, event, event.momenta[: made.particles])
        beam.send(KEY, size, event)
        beam.boost(size, event, made.particles)
        final.decay(KEY, size, event)
        before[:, :, piece] = [rows.reshape(4, BLOCK)[:, :size] for rows in event.momenta]
        transport(KEY, size, event, final, beam)
        vertices[:, piece] = event.beam.reshape(BEAM_ROWS, BLOCK)[:, :size]
        momenta[:, :, piece] = [rows.reshape(4, BLOCK)[:, :size] for rows in event.momenta]
        origins[:, :, piece] = [rows.reshape(-1, BLOCK)[K_X : K_Z + 1, :size] for rows in event.origins]
    return final, momenta, origins, before, vertices


def test_the_vertex_stays_and_particles_begin_at_the_last_station():
    final, momenta, origins, before, vertices = daughters("pipi0", 4000)
    assert vertices[K_Z].max() < GTK3
    seen = [*final.photons(), *final.charged()]
    assert len(seen) == 3
    assert (origins[seen, 2] == GTK3).all()
    # the pi0 itself, which nobody sees, is left alone
    assert np.array_equal(momenta[1], before[1])
    # photons go straight, or not at all
    for photon in final.photons():
        alive = momenta[photon, PZ] > 0
        assert 0.2 < alive.mean() < 1.0
        assert momenta[photon][:, alive] == pytest.approx(before[photon][:, alive], abs=1e-12)
        slope = before[photon, PX] / before[photon, PZ]
        expected = vertices[K_X] + slope * (GTK3 - vertices[K_Z])
        assert origins[photon, 0][alive] == pytest.approx(expected[alive], abs=1e-12)


def test_pions_come_out_of_the_opening_that_the_box_cut_of_pix_removes():
    """NA62, JHEP 03 (2021) 058: |x| < 100 mm, |y| < 500 mm at the final collimator, against upstream decays.

    Of pions of 15-35 GeV that get past the collimator and into the chambers' radius.
    """
    _, momenta, origins, _, _ = daughters("pipi0", 100_000)
    px, py, pz, _ = momenta[0]
    p = np.sqrt(px**2 + py**2 + pz**2)
    chosen = (pz > 0) & (p > 15.0) & (p < 35.0)
    x, y = (origins[0, k] + q / np.where(pz > 0, pz, 1.0) * (183.5 - GTK3) for k, q in enumerate((px, py)))
    chosen &= np.hypot(x, y) < 1.0
    assert chosen.sum() > 1000
    back = 101.8 - GTK3
    at_x, at_y = (origins[0, k] + q / np.where(pz > 0, pz, 1.0) * back for k, q in enumerate((px, py)))
    inside = (np.abs(at_x) < 0.100) & (np.abs(at_y) < 0.500)
    assert inside[chosen].mean() > 0.97


def test_a_wide_collimator_leaves_only_what_goes_through_its_aperture():
    """1.7 x 1.8 m^2 since 2018, 76 x 40 mm."""
    changes = {
        "beam_line.collimator": [100.21, 101.41],
        "beam_line.collimator_aperture": [0.038, 0.020],
        "beam_line.collimator_outer": [0.85, 0.90],
    }
    _, momenta, origins, _, vertices = daughters("pipi0", 50_000, changes)
    px, py, pz, _ = momenta[0]
    alive = (pz > 0) & (vertices[K_Z] < 100.0)
    # TRIM5 stands between; it turns by p_x alone, 90 MeV
    back_x = origins[0, 0] - px / np.where(alive, pz, 1.0) * (GTK3 - 101.8)
    back_y = origins[0, 1] - py / np.where(alive, pz, 1.0) * (GTK3 - 101.41)
    slope = (px - 0.090) / np.where(alive, pz, 1.0)
    back_x -= slope * (101.8 - 101.41)
    # the last quarter of it counts where its middle is
    assert alive.sum() > 1000
    assert np.abs(back_x[alive] - slope[alive] * 0.15).max() < 0.038 + 1e-4
    assert np.abs(back_y[alive] - py[alive] / pz[alive] * 0.15).max() < 0.020 + 1e-4


def test_pion_decays_conserve_momentum_and_have_the_end_points_of_two_bodies():
    final, _, _, before, vertices = daughters("", 20_000, particle="pion", zone="volume")
    assert final.charged() == (0,)
    total = before.sum(axis=0)
    for row, beam_row in ((PX, K_PX), (PY, K_PY), (PZ, K_PZ), (E, K_E)):
        assert total[row] == pytest.approx(vertices[beam_row], abs=1e-9)
    mass2 = before[0, E] ** 2 - (before[0, [PX, PY, PZ]] ** 2).sum(axis=0)
    assert mass2 == pytest.approx(M_MU**2, abs=1e-9)
    share = before[0, E] / vertices[K_E]
    least = (M_MU / PION[0]) ** 2
    # uniform between the ends, for what moves with the speed of light
    assert stats.kstest(share, "uniform", args=(least, 1 - least)).pvalue > P_MIN


def test_muons_of_beam_pions_stay_near_the_beam():
    """Transverse momentum below 29.8 MeV: within 0.7 mrad of a pion of 75 GeV."""
    _, _, _, before, vertices = daughters("", 20_000, particle="pion", zone="volume")
    slopes = [before[0, k] / before[0, PZ] - vertices[k] / vertices[K_PZ] for k in (PX, PY)]
    p_star = (PION[0] ** 2 - M_MU**2) / (2 * PION[0])
    angle = np.hypot(*slopes)
    assert (angle * before[0, PZ]).max() < p_star * (1 + 1e-3)
    assert angle.max() < 0.7e-3
    assert abs(np.mean(slopes[0])) < SIGMAS * np.std(slopes[0]) / np.sqrt(20_000)
