"""The beam spectrometer: pulls against the published resolutions, and tracks of other beam particles."""

import numpy as np
import pytest
from blocks import (
    DETECTOR,
    EXACT,
    KEY,
    P_MIN,
    SIGMAS,
    assert_fraction,
    assert_standard_normal,
    assert_uncorrelated,
    configured,
    kaons,
    measured_kaons,
)
from scipy import stats

N = 100_000
GTK3 = 102.4


def coordinates(momentum):
    px, py, pz = momentum
    return np.array([np.sqrt(px**2 + py**2 + pz**2), px / pz, py / pz])


@pytest.fixture(scope="module")
def truth():
    """Momentum, vertex, and true position at the last station."""
    momentum, vertex = kaons(N)
    back = vertex[2] - GTK3
    return momentum, vertex, vertex[:2] - coordinates(momentum)[1:] * back


def test_pulls_are_standard_normal(truth):
    """0.15 GeV and 16 urad (NA62, JHEP 03 (2021) 058); pixels of 300 um give 0.09 mm."""
    momentum, vertex, position = truth
    measured, at, _ = measured_kaons(momentum, vertex, configured({"gtk.wrong_track": 0.0}))
    sigma = np.array([[0.15], [16e-6], [16e-6]])
    pulls = [*((coordinates(measured) - coordinates(momentum)) / sigma), *((at - position) / 0.09e-3)]
    for pull in pulls:
        assert_standard_normal(pull)
    assert_uncorrelated(pulls)


def test_errors_know_nothing_of_the_kaon(truth):
    momentum, vertex, _ = truth
    measured, _, _ = measured_kaons(momentum, vertex, configured({"gtk.wrong_track": 0.0}))
    errors = coordinates(measured) - coordinates(momentum)
    for error in errors:
        for value in (*coordinates(momentum), *vertex):
            assert abs(np.corrcoef(error, value)[0, 1]) < SIGMAS / np.sqrt(N)


def test_without_errors_the_kaon_is_measured_as_it_is(truth):
    momentum, vertex, position = truth
    measured, at, _ = measured_kaons(momentum, vertex, configured(EXACT))
    assert np.abs(measured - momentum).max() < 1e-12 * 75
    assert np.abs(at - position).max() < 1e-12


@pytest.fixture(scope="module")
def wrong(truth):
    """Without errors, what is not the kaon is another track."""
    changes = EXACT | {"gtk.wrong_track": 0.25}
    measured, at, _ = measured_kaons(*truth[:2], configured(changes))
    return np.abs(measured - truth[0]).max(axis=0) > 1e-9, measured, at


@pytest.mark.parametrize("probability", [0.013, 0.25])
def test_the_share_of_wrong_tracks(truth, probability):
    """0.013 is the published one (NA62, JHEP 03 (2021) 058)."""
    measured, _, _ = measured_kaons(*truth[:2], configured(EXACT | {"gtk.wrong_track": probability}))
    assert_fraction(np.abs(measured - truth[0]).max(axis=0) > 1e-9, probability)


def test_a_wrong_track_is_a_beam_particle_of_its_own(truth, wrong):
    """With the published momentum, slopes and profile of the beam, and without knowledge of the kaon."""
    mistaken, measured, at = wrong
    found, n = coordinates(measured)[:, mistaken], mistaken.sum()
    for values, mean, rms in zip(found, (75.0, 1.2e-3, 0.0), (0.75, 0.11e-3, 0.11e-3), strict=True):
        assert_standard_normal((values - mean) / rms)
    start = at[:, mistaken] + found[1:] * (105.0 - GTK3)
    for values, middle, half in zip(start, (1.2e-3 * (105.0 - 101.8), 0.0), (0.026, 0.012), strict=True):
        assert stats.kstest(values, "uniform", args=(middle - half, 2 * half)).pvalue > P_MIN
    for values, of_kaon in zip(found, coordinates(truth[0])[:, mistaken], strict=True):
        assert abs(np.corrcoef(values, of_kaon)[0, 1]) < SIGMAS / np.sqrt(n)


def test_whether_a_track_is_wrong_knows_nothing_of_the_kaon(truth, wrong):
    for value in (*coordinates(truth[0]), *truth[1]):
        assert abs(np.corrcoef(wrong[0], value)[0, 1]) < SIGMAS / np.sqrt(N)


def test_matching_is_a_factor_for_every_event(truth):
    for efficiency in (1.0, 0.5, 0.0):
        _, _, factor = measured_kaons(*truth[:2], configured({"gtk.matching_efficiency": efficiency}))
        assert (factor == efficiency).all()


def test_a_measurement_does_not_depend_on_its_place_in_the_block(truth):
    momentum, vertex, _ = truth
    whole, _, _ = measured_kaons(momentum, vertex, DETECTOR, KEY)
    part, _, _ = measured_kaons(momentum[:, :1500], vertex[:, :1500], DETECTOR, KEY)
    assert np.array_equal(whole[:, :1500], part)
