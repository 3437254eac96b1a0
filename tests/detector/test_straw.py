"""The magnetic spectrometer: pulls and the published resolutions against momentum."""

import numpy as np
import pytest
from blocks import EXACT, SIGMAS, assert_standard_normal, assert_uncorrelated, configured, measured_tracks

N = 50_000


def measured(p, changes=None):
    """True and measured (p, slope x, slope y, x, y) of tracks of one momentum."""
    rng = np.random.default_rng(int(p))
    slopes = rng.uniform(-0.01, 0.01, size=(2, N))
    pz = p / np.sqrt(1 + (slopes**2).sum(axis=0))
    at = rng.uniform(-0.8, 0.8, size=(2, N))
    momentum, position = measured_tracks((slopes[0] * pz, slopes[1] * pz, pz), *at, configured(changes))
    size = np.sqrt((momentum**2).sum(axis=0))
    true = np.array([np.full(N, p), *slopes, *at])
    return true, np.array([size, *(momentum[:2] / momentum[2]), *position])


@pytest.mark.parametrize("p", [5.0, 10.0, 20.0, 50.0, 70.0])
def test_pulls_are_standard_normal(p):
    """0.30% (+) 0.005% p (NA62, Phys. Lett. B 816 (2021) 136259); 60 urad at 10 GeV falling to 20 urad at 50 GeV."""
    true, found = measured(p)
    sigma_p = p * np.hypot(0.0030, 0.00005 * p)
    # the two angles above, solved for a constant and a term in 1/p
    scattering = np.sqrt((60e-6**2 - 20e-6**2) / (1 / 10**2 - 1 / 50**2))
    constant = np.sqrt(20e-6**2 - (scattering / 50) ** 2)
    angle = np.hypot(constant, scattering / p)
    sigma = np.array([sigma_p, angle, angle, 0.1e-3, 0.1e-3])[:, np.newaxis]
    pulls = (found - true) / sigma
    for pull in pulls[[0, 3, 4]]:
        assert_standard_normal(pull)
    for pull in pulls[1:3]:
        # the configuration rounds its two numbers to three digits
        assert pull.std() == pytest.approx(1.0, abs=SIGMAS / np.sqrt(2 * N) + 0.005)
        assert_standard_normal((pull - pull.mean()) / pull.std())
        assert abs(pull.mean()) < SIGMAS / np.sqrt(N)
    assert_uncorrelated(pulls)


@pytest.mark.parametrize(("p", "published"), [(10.0, 60e-6), (50.0, 20e-6)])
def test_angles_are_as_good_as_the_detector_paper_says(p, published):
    true, found = measured(p)
    for k in (1, 2):
        assert (found[k] - true[k]).std() == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize(("p", "low", "high"), [(15.0, 0.003, 0.004), (35.0, 0.003, 0.004), (20.0, 0.0031, 0.0032)])
def test_momenta_are_as_good_as_the_papers_say(p, low, high):
    """0.3-0.4% from 15 to 35 GeV (NA62, JHEP 03 (2021) 058). Read without its second per cent sign, the formula would
    give 10% at 20 GeV."""
    true, found = measured(p)
    assert low < (found[0] / true[0]).std() < high


def test_without_errors_the_track_is_measured_as_it_is():
    true, found = measured(30.0, EXACT)
    assert np.abs(found - true).max() < 1e-12 * 30
