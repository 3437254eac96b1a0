"""What scales every event alike: random veto, trigger, downscaling, and the number of kaon decays of a data set."""

import numpy as np
import pytest
from blocks import CONFIGURATION, SIGMAS

from kaongen.configuration import load
from kaongen.detector import data_taking
from kaongen.papers import na62_mu, na62_pix

PIONS = load("na62-2017-pinunu")
RATE, TAU = CONFIGURATION.number("beam.rate"), data_taking.veto_time(CONFIGURATION)


def test_the_loss_at_the_average_intensity_is_the_published_one():
    """About 30%, NA62, Phys. Lett. B 816 (2021) 136259; between 1.3e12 and 2.2e12 protons, 500 MHz at the latter."""
    assert data_taking.random_veto(RATE, TAU) == pytest.approx(0.30, rel=1e-12)
    assert 500e-3 * 1.3 / 2.2 < RATE < 500e-3


def test_the_loss_is_that_of_independent_particles():
    """Drawn one by one: an event is lost if any beam particle comes within the veto time."""
    n, rate = 400_000, 0.5
    lost = np.random.default_rng(1).exponential(1 / rate, n) < TAU
    assert abs(lost.mean() - data_taking.random_veto(rate, TAU)) < SIGMAS * np.sqrt(0.25 / n)


def test_the_loss_of_the_pion_search_is_similar():
    """A prediction of the muon's veto time at the rate of 2017. Tighter vetoes may lose more, but not by much."""
    loss = data_taking.random_veto(na62_pix.BEAM_RATE["2017"], TAU)
    assert PIONS.number("beam.rate") == pytest.approx(na62_pix.BEAM_RATE["2017"], rel=1e-12)
    assert 0 < (1 - na62_pix.RANDOM_VETO["2017"].value) - loss < 0.05


@pytest.mark.parametrize("year", ["2016", "2018 S1", "2018 S2"])
def test_the_loss_follows_the_intensity_of_the_years(year):
    """Predicted from 2017; vetoes and windows were changed a little from year to year."""
    loss = data_taking.random_veto(na62_pix.BEAM_RATE[year], data_taking.veto_time(PIONS))
    published = na62_pix.RANDOM_VETO[year]
    assert abs(1 - loss - published.value) < published.error + 0.06


def test_what_is_recorded():
    assert data_taking.recorded_share(CONFIGURATION) == pytest.approx(0.99 * 0.70 / 400, rel=1e-12)
    without = CONFIGURATION.with_values({"data_taking.random_veto": 0.0, "data_taking.downscaling": 1})
    assert data_taking.recorded_share(without) == 0.99


def test_the_number_of_kaon_decays_is_that_of_the_beam():
    """6% of the beam are kaons of 75 GeV, of which 1 - exp(-75 m/L) decay in the decay volume."""
    length = 75.0 / 0.493677 * 0.299792458 * 12.38
    seconds = 0.92e6 * 3.0
    expected = seconds * RATE * 1e9 * 0.06 * -np.expm1(-75.0 / length)
    assert data_taking.kaon_decays(CONFIGURATION) == pytest.approx(expected, rel=0.05)


def test_the_published_number_of_kaons_is_predicted_but_for_dead_time():
    """N_K = 1.14(2)e10, NA62, Phys. Lett. B 816 (2021) 136259.

    Spills, intensity and rates give more, as they must: dead time, bad bursts and the share of the intensity that is
    not known (1.3e12 to 2.2e12 protons) are left out. They may take a third, not more.
    """
    live = na62_mu.N_KAONS.value / data_taking.effective_kaons(CONFIGURATION)
    assert 0.67 < live < 1.0


def test_the_kaons_of_2017_give_the_single_event_sensitivity():
    """With the acceptance of NA62, JHEP 11 (2020) 042; N_K is 1.5(2)e12 there."""
    assert data_taking.kaon_decays(PIONS) == pytest.approx(na62_pix.N_KAONS_2017.value, rel=0.02)
    sensitivity = 1 / (data_taking.effective_kaons(PIONS) * na62_pix.ACCEPTANCE_PINUNU["2017"].value)
    assert sensitivity == pytest.approx(na62_pix.SES.value, rel=0.1)


def test_60_m_of_decay_volume():
    """The rate of decays in 60 m from that in 75 m, for the beam's mean decay length."""
    length = 75.0 / 0.493677 * 0.299792458 * 12.38
    share = np.expm1(-60.0 / length) / np.expm1(-75.0 / length)
    rates = [configuration.number("data_taking.kaon_decay_rate") for configuration in (PIONS, CONFIGURATION)]
    assert rates[0] / rates[1] == pytest.approx(share, rel=0.01)
