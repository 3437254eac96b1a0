"""Published numbers among themselves: what one paper prints must follow from what it, or another, prints.

A wrong digit in a constant breaks a relation that holds in the papers. Recalled numbers have no other support.
"""

import math

import numpy as np
import pytest

from kaongen.papers import na62_2015, na62_mu, na62_pix, na62_software
from kaongen.particles import BR_K_MUNU, BR_K_PIPI0, M_K, M_MU, M_PI

# K+ -> mu+ N, mu+ nu X


def test_kaons_follow_from_the_normalisation():
    kaons = na62_mu.N_NORMALISATION / (na62_mu.ACCEPTANCE_MUNU.value * BR_K_MUNU.value)
    assert kaons == pytest.approx(na62_mu.N_KAONS.value, abs=0.5e8)
    error = kaons * na62_mu.ACCEPTANCE_MUNU.error / na62_mu.ACCEPTANCE_MUNU.value
    assert error == pytest.approx(na62_mu.N_KAONS.error, abs=0.5e8)


def test_background_adds_up():
    total = sum(b.value for b in na62_mu.BACKGROUND.values())
    assert total == na62_mu.BACKGROUND_TOTAL.value
    photons = sum(na62_mu.BACKGROUND_PHOTON_VETO.values())
    # the paper takes the photon veto as fully correlated; it rounds 932 to 920
    assert math.hypot(119, photons, na62_mu.BACKGROUND_TAIL) == pytest.approx(na62_mu.BACKGROUND_TOTAL.error, rel=0.015)


def test_tail_and_deficit_give_the_tail_of_the_data():
    data, simulated = na62_mu.TAIL_DATA, na62_mu.TAIL_SIMULATED
    assert (round(data), round(simulated)) == (1950, 1170)
    # the background is an O(1e-6) fraction of the candidates, and the tail no more than a part of the 6224
    assert data < na62_mu.BACKGROUND["munug"].value < 1e-5 * na62_mu.N_NORMALISATION


def test_numbers_of_masses():
    hnl = sum(round((last - first) / step) + 1 for first, last, step in na62_mu.HNL_MASSES)
    assert hnl == 269
    first, last, step = na62_mu.MUNUX_MASSES
    assert round((last - first) / step) + 1 == 37


def test_decay_rate_follows_from_the_beam():
    start, end = na62_software.DECAYS
    share = 1 - math.exp((start - end) / na62_software.MEAN_PATH_KAON)
    assert na62_mu.BEAM_RATE * 0.06 * share == pytest.approx(na62_mu.KAON_DECAY_RATE, rel=0.02)
    path = 75 / M_K * 3.711
    assert path == pytest.approx(na62_software.MEAN_PATH_KAON, rel=2e-3)


def test_heavy_neutral_lepton_limit_is_what_the_paper_says():
    mass, limit = np.array(na62_mu.HNL_LIMIT).T
    assert mass.min() > 0.1995
    assert mass.max() < 0.384
    assert 3e-9 < np.median(limit) < 3e-8  # "O(1e-8)"
    x, y = (M_MU / M_K) ** 2, (mass / M_K) ** 2
    rho = (x + y - (x - y) ** 2) * np.sqrt(1 + x**2 + y**2 - 2 * (x + y + x * y)) / (x * (1 - x) ** 2)
    # no limit at 90% CL is below that of no event, with the acceptance for K+ -> mu+ nu in place of the unprinted one
    events = limit * na62_mu.N_KAONS.value * na62_mu.ACCEPTANCE_MUNU.value * BR_K_MUNU.value * rho
    assert events.min() > -math.log(0.1)


# K+ -> pi+ X, pi+ nu nubar


def test_single_event_sensitivity_gives_the_expected_events():
    expected = na62_pix.BR_PINUNU.value / na62_pix.SES.value
    assert expected == pytest.approx(na62_pix.EXPECTED_1.value + na62_pix.EXPECTED_2.value, abs=0.01)
    assert na62_pix.BR_PINUNU.value / na62_pix.SES_2016.value == pytest.approx(na62_pix.EXPECTED_2016.value, abs=0.001)
    assert na62_pix.REGION_RATIO.value == pytest.approx(2.93, abs=0.005)


@pytest.mark.parametrize("region", [0, 1])
def test_backgrounds_add_up(region):
    pinunu = (na62_pix.EXPECTED_1, na62_pix.EXPECTED_2)[region].value
    total = pinunu + na62_pix.UPSTREAM[region].value + na62_pix.OTHER_KAON_DECAYS[region].value
    assert total == pytest.approx(na62_pix.BACKGROUND_TOTAL[region].value, abs=0.005)


def test_recalled_kaon_backgrounds_add_up_to_the_printed_ones():
    recalled = sum(b.value for b in na62_pix.BACKGROUND_KAON_DECAYS.values())
    assert recalled == pytest.approx(sum(b.value for b in na62_pix.OTHER_KAON_DECAYS), abs=0.01)


def kaons(year):
    if year == "2016":
        return na62_pix.N_KAONS_2016.value
    acceptance = na62_pix.ACCEPTANCE_PIPI0[year].value
    return na62_pix.DOWNSCALING * na62_pix.N_PIPI0[year] / (acceptance * BR_K_PIPI0.value)


@pytest.mark.parametrize(
    ("year", "ses"),
    [
        ("2016", na62_pix.SES_2016.value),
        ("2017", na62_pix.SES.value),
        ("2018 S1", na62_pix.SES_2018["2018 S1"].value),
        ("2018 S2", na62_pix.SES_2018["2018 S2"].value),
    ],
)
def test_recalled_acceptances_give_the_single_event_sensitivity(year, ses):
    seen = na62_pix.ACCEPTANCE_PINUNU[year].value * na62_pix.RANDOM_VETO[year].value * na62_pix.TRIGGER[year].value
    assert 1 / (kaons(year) * seen) == pytest.approx(ses, rel=0.03)


def test_years_make_the_run():
    # 10.01 events expected in 2016-2018 (NA62-FIP)
    events = na62_pix.BR_PINUNU.value * (
        1 / na62_pix.SES_2016.value + 1 / na62_pix.SES.value + sum(1 / s.value for s in na62_pix.SES_2018.values())
    )
    assert events == pytest.approx(10.01, rel=0.02)


def test_signal_regions_keep_off_the_lines():
    m2_pi0 = 0.1349768**2
    assert na62_pix.NORMALISATION_WINDOW[0] < m2_pi0 < na62_pix.NORMALISATION_WINDOW[1]
    assert na62_pix.REGION_1[1] == na62_pix.CONTROL_REGIONS["pipi0, lower"][0]
    assert na62_pix.REGION_2[0] == na62_pix.CONTROL_REGIONS["pipi0, upper"][1]
    assert na62_pix.REGION_2[1] < (2 * M_PI) ** 2  # smallest missing mass of K+ -> pi+ pi+ pi-
    for low, high in (*na62_pix.REGION_1_RICH, *na62_pix.REGION_1_BEAM):
        assert (min(low, 0.0), max(high, 0.01)) == (low, high)
    for low, high in (na62_pix.REGION_2_RICH, na62_pix.REGION_2_BEAM):
        assert (min(low, 0.026), max(high, 0.068)) == (low, high)


def test_scalar_limit_is_that_of_the_branching_fraction():
    # BR/sin^2 at m_S = 0 is 1.2e-3 to 1.5e-3 and falls with the pion's momentum
    for mass, sine in na62_pix.BC4_LIMIT:
        if 0.165 < mass < 0.19:
            y = (mass / M_K) ** 2
            x = (M_PI / M_K) ** 2
            momentum = math.sqrt(1 + x**2 + y**2 - 2 * (x + y + x * y)) / (1 - x)
            assert 1.3e-3 * momentum * sine**2 == pytest.approx(na62_pix.BEST_LIMIT, rel=0.3)


# 2015


def test_letter_and_measurement_agree():
    acceptance = na62_2015.ACCEPTANCE_MUNU
    kaons = na62_2015.TRIGGERS / (na62_2015.BR_MUNU_LETTER * na62_2015.ACCEPTANCE_LETTER)
    assert kaons == pytest.approx(na62_2015.N_KAONS_LETTER, rel=0.1)
    assert abs(acceptance.value - na62_2015.ACCEPTANCE_LETTER) < acceptance.error


def test_resolution_without_gtk():
    ratio = na62_2015.RESOLUTION_M2_MISS.value / na62_mu.RESOLUTION_M2_MISS
    assert ratio == pytest.approx(na62_2015.RESOLUTION_OVER_2016_2018, rel=0.1)


# software


def test_share_of_tracks_with_four_chambers():
    ratio = na62_software.ACCEPTANCE_PIPIPI_FOUR_CHAMBERS / na62_software.ACCEPTANCE_PIPIPI_OLD
    assert ratio ** (1 / 3) == pytest.approx(0.919, abs=0.001)


def closest_approach(x):
    line = na62_software.CDA_KAON_LINE
    height, length = na62_software.CDA_KAON_EXPONENTIAL
    gaussians = sum(h * np.exp(-0.5 * (x / w) ** 2) for h, w in na62_software.CDA_KAON)
    return gaussians + height * np.exp(-x / length) + line[0] + line[1] * x


def test_closest_approach_is_a_distribution():
    x, dx = np.linspace(0, 0.0205, 20501, retstep=True)
    density = closest_approach(x)
    assert density.sum() * dx / 0.25e-3 == pytest.approx(1, abs=0.01)
    assert density[x > 0.004].sum() / density.sum() == pytest.approx(0.092, abs=0.001)
    assert density[x > 0.007].sum() / density.sum() == pytest.approx(0.022, abs=0.001)
    assert (density * x).sum() / density.sum() == pytest.approx(1.80e-3, rel=0.01)


def test_matching_agrees_with_the_full_simulation():
    # 75% within 4 mm and 0.6 ns; the simulation, without pile-up and cut on the distance, has a little more
    ratio = na62_software.ACCEPTANCE_MUNU_GTK / na62_software.ACCEPTANCE_MUNU
    assert na62_pix.MATCHING_EFFICIENCY < ratio < na62_pix.MATCHING_EFFICIENCY / (1 - 0.092)
