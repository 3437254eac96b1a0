"""One-loop contributions to (g-2) of the muon against closed forms and limits; the published comparisons."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from relative import approx

from kaongen.errors import ProcessError
from kaongen.models import g_minus_2
from kaongen.particles import ALPHA_EM, M_E, M_MU

masses = st.floats(math.log(1e-4), math.log(50.0)).map(math.exp)


def brodsky_de_rafael(m_x):
    """The closed form of the vector's contribution for m_x > 2 m_mu, over g^2: Nucl. Phys. B 168 (1968) 1620."""
    beta = math.sqrt(1 - 4 * M_MU**2 / m_x**2)
    x = (1 - beta) / (1 + beta)
    kernel = x * x / 2 * (2 - x * x) + (1 + x) / (1 - x) * x * x * math.log(x)
    kernel += (1 + x * x) * (1 + x) ** 2 / (x * x) * (math.log1p(x) - x + x * x / 2)
    return kernel / (4 * math.pi**2)


@pytest.mark.parametrize("m_x", [0.22, 0.3, 0.5, 1.0, 3.0])
def test_vector_is_the_kernel_of_vacuum_polarisation(m_x):
    assert g_minus_2.vector(m_x) == approx(brodsky_de_rafael(m_x), rel=1e-7)


def test_a_massless_vector_is_the_photon():
    """Schwinger: alpha/(2 pi)."""
    assert 4 * math.pi * ALPHA_EM * g_minus_2.vector(0.0) == approx(ALPHA_EM / (2 * math.pi))


@pytest.mark.parametrize(("loop", "limit"), [(g_minus_2.vector, 1 / 8), (g_minus_2.scalar, 3 / 16)])
def test_light_bosons(loop, limit):
    assert loop(0.0) == approx(limit / math.pi**2)
    assert loop(1e-6) == approx(limit / math.pi**2, rel=1e-4)
    # the first correction is -pi m_x/m_mu times 1 for the vector, and 2/3 for the scalar
    slope = (loop(1e-5) / loop(0.0) - 1) * M_MU / 1e-5
    assert slope == approx(-math.pi if loop is g_minus_2.vector else -2 * math.pi / 3, rel=2e-3)


def test_heavy_bosons():
    ratio = (M_MU / 100.0) ** 2
    assert g_minus_2.vector(100.0) == approx(ratio / (12 * math.pi**2), rel=1e-4)
    expected = ratio / (8 * math.pi**2) * (-math.log(ratio) - 7 / 6)
    assert g_minus_2.scalar(100.0) == approx(expected, rel=1e-4)


def test_the_electron_feels_heavy_bosons_less():
    assert g_minus_2.vector(100.0, M_E) / g_minus_2.vector(100.0) == approx((M_E / M_MU) ** 2, rel=1e-3)


@given(m_x=masses, factor=st.floats(1.01, 10))
def test_heavier_bosons_contribute_less(m_x, factor):
    for loop in (g_minus_2.vector, g_minus_2.scalar):
        assert 0 < loop(factor * m_x) < loop(m_x)


@given(m_x=masses, delta=st.floats(1e-12, 1e-7), boson=st.sampled_from(["vector", "scalar"]))
def test_coupling_inverts_the_contribution(m_x, delta, boson):
    assert g_minus_2.coupling(boson, m_x, delta) ** 2 * getattr(g_minus_2, boson)(m_x) == approx(delta)


@pytest.mark.parametrize(
    ("name", "difference", "error", "significance"),
    [
        ("2011-davier", 287, 80, 3.6),
        ("2011-hagiwara", 261, 80, 3.3),
        ("2021", 251, 59, 4.2),
        ("2023", 249, 48, 5.1),
        ("2025", 38, 63, 0.6),
        ("2026", 39, 63.8, 0.6),
    ],
)
def test_published_differences(name, difference, error, significance):
    """In 10^-11, as the papers quote them, rounded; that of 2026 is the PDG's average with the same prediction."""
    found = g_minus_2.find(name)
    assert found.difference.value * 1e11 == approx(difference, abs=1)
    assert found.difference.error * 1e11 == approx(error, abs=1)
    assert found.significance == approx(significance, abs=0.06)
    assert found.measured.reference
    assert found.predicted.reference


def test_the_letters_anomaly_is_three_and_a_half_sigma():
    cited = [g_minus_2.find(name).significance for name in ("2011-davier", "2011-hagiwara")]
    assert sum(cited) / 2 == approx(3.5, abs=0.1)


def test_band():
    low, high = g_minus_2.band("2021", 2.0)
    assert (low, high) == approx((132.2e-11, 369.8e-11), rel=2e-3)
    assert g_minus_2.band("2021", 0.0)[0] == approx(251e-11, rel=1e-6)
    couplings = g_minus_2.coupling_band("2021", "vector", 0.05)
    assert [c**2 * g_minus_2.vector(0.05) for c in couplings] == approx([low, high])


def test_a_band_across_zero_leaves_an_upper_limit():
    low, high = g_minus_2.coupling_band("2025", "scalar", 0.05, sigmas=2.0)
    assert low == 0
    assert high**2 * g_minus_2.scalar(0.05) == approx(38.5e-11 + 2 * 63.67e-11, rel=1e-3)


def test_the_vector_that_explained_the_anomaly():
    """g of 4 to 10 times 10^-4 below 100 MeV, the green band of figure 1 of Krnjaic et al."""
    low, high = g_minus_2.coupling_band("2011-davier", "vector", 0.02)
    assert 3e-4 < low < high < 1e-3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: g_minus_2.find("2012"), "no comparison '2012'.*known: 2011-davier, 2011-hagiwara, 2021"),
        (lambda: g_minus_2.band("2021", -1.0), "sigmas = -1 is not allowed"),
        (lambda: g_minus_2.vector(-0.1), "m_x = -0.1 GeV is not allowed"),
        (lambda: g_minus_2.scalar(0.1, 0.0), "m_lepton = 0 GeV is not allowed"),
        (lambda: g_minus_2.coupling("vector", 0.1, -1e-9), "delta_a = -1e-09 is not allowed"),
        (lambda: g_minus_2.coupling("tensor", 0.1, 1e-9), r"no boson 'tensor'.*known: vector, scalar"),
    ],
)
def test_what_makes_no_sense_is_named(make, message):
    with pytest.raises(ProcessError, match=message):
        make()
