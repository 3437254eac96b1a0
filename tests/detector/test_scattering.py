"""Large deflections: densities against quadrature of textbook cross sections, events against the densities."""

import itertools
import math

import numpy as np
import pytest
from blocks import KEY, P_MIN, SIGMAS, kaons, through
from scipy import integrate, special, stats

from kaongen.configuration import load
from kaongen.detector import scattering
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
    T_ELECTRON_Z,
    T_KINK_Z,
    T_MUON_Z,
    T_P,
    T_PX,
    T_PY,
    T_PZ,
    T_QX,
    T_QY,
    T_QZ,
    T_X,
    T_Y,
    T_Z,
)

N = 400_000
GTK3, CHAMBER = 102.4, 183.508
HBARC, ALPHA, AVOGADRO = 0.1973269804, 1 / 137.035999, 6.02214076e23
CONFIGURATION = load("na62-2016-2018")
STATION = scattering.in_gtk(CONFIGURATION)
LEPTON, PION = scattering.in_first_chamber(CONFIGURATION)
KAON = (19.0, 2.4, 7.0)


def above(q, material):
    """Probability of a momentum transfer above q (GeV)."""
    return integrate.quad(
        lambda u: scattering.t_density(math.exp(u), material), 2 * math.log(q), 2 * math.log(0.5), limit=200
    )[0]


@pytest.mark.parametrize(
    ("p", "thickness", "charge", "mass", "surface"), [(75.0, 0.005, 14, 28.09, 0.109), (1.0, 0.01, 6, 12.011, 0.427)]
)
def test_highland_against_moliere(p, thickness, charge, mass, surface):
    """The Gaussian through 98% of Moliere's distribution (Lynch and Dahl, Nucl. Instrum. Meth. B 58 (1991) 6)."""
    p_mev = 1e3 * p
    chi_c2 = 0.157 * charge * (charge + 1) * surface / mass / p_mev**2
    chi_a2 = 2.007e-5 * charge ** (2 / 3) * (1 + 3.34 * (charge * ALPHA) ** 2) / p_mev**2
    nu = 0.5 * chi_c2 / (1.167 * chi_a2) / (1 - 0.98)
    moliere = math.sqrt(chi_c2 / (1 + 0.98**2) * ((1 + nu) / nu * math.log(1 + nu) - 1))
    assert scattering.highland(p, thickness) == pytest.approx(moliere, rel=0.11)


def test_highland_for_one_radiation_length():
    assert scattering.highland(2.0, 1.0) == pytest.approx(6.8e-3, rel=1e-12)


@pytest.mark.parametrize("group", ["gtk", "straw"])
def test_the_elements_make_up_the_thickness(group):
    """Radiation lengths of the elements by the fit of the PDG, 716.4 A / (Z (Z + 1) ln(287/sqrt Z)) g/cm^2."""
    total = 0.0
    for charge, mass, surface in CONFIGURATION.array(f"{group}.elements"):
        length = 63.04 if charge == 1 else 716.4 * mass / (charge * (charge + 1) * math.log(287 / math.sqrt(charge)))
        total += surface / length
    assert total == pytest.approx(CONFIGURATION.number(f"{group}.thickness"), rel=0.05)


@pytest.mark.parametrize(("p", "angle"), [(75.0, 0.2e-3), (75.0, 1.75e-3), (35.0, 1.75e-3), (10.0, 3e-3)])
def test_coulomb_scattering_is_rutherford_with_a_form_factor(p, angle):
    """Rutherford's cross section integrated over the angle, Fourier transform of a Gaussian charge, dipole protons."""
    charge, mass, surface = 14, 28.09, 0.109
    material = scattering.material(0.0, 0.005, [[charge, mass, surface]], None)
    rms = (0.82 * mass ** (1 / 3) + 0.58) / HBARC

    def form_factor(q):
        width = rms / math.sqrt(3)
        density = lambda r: math.exp(-0.5 * (r / width) ** 2) * r * r  # noqa: E731
        wave = lambda r: density(r) * np.sinc(q * r / math.pi)  # noqa: E731
        return integrate.quad(wave, 0, 9 * width)[0] / integrate.quad(density, 0, 9 * width)[0]

    def cross_section(theta):
        q = 2 * p * math.sin(theta / 2)
        rutherford = (ALPHA * HBARC / (2 * p * math.sin(theta / 2) ** 2)) ** 2 * 1e-26
        coherent = form_factor(q) ** 2
        protons = (1 - coherent) * (1 + q * q / 0.71) ** -4
        return 2 * math.pi * math.sin(theta) * rutherford * (charge**2 * coherent + charge * protons)

    top = 2 * math.asin(0.5 / (2 * p))
    grid = np.geomspace(angle, top, 12)
    expected = sum(integrate.quad(cross_section, low, high, epsrel=1e-7)[0] for low, high in itertools.pairwise(grid))
    expected *= surface / mass * AVOGADRO
    assert above(2 * p * math.sin(angle / 2), material) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("mass", [12.011, 28.09, 197.0])
@pytest.mark.parametrize("hadron", [KAON, (24.0, 3.3, 8.5), (39.0, 7.0, 10.5)])
def test_cross_sections_are_integrals_over_the_impact_parameter(mass, hadron):
    total, elastic, slope = hadron
    rms2 = (0.82 * mass ** (1 / 3) + 0.58) ** 2 - 0.84**2
    width2 = 2 * rms2 / 3 + 2 * slope * HBARC**2

    def thickness(b):
        return mass * math.exp(-b * b / width2) / (math.pi * width2)

    def over_plane(f):
        return integrate.quad(lambda b: 2 * math.pi * b * f(b), 0, 12 * math.sqrt(width2), epsabs=0)[0]

    def profile(b):
        return -math.expm1(-0.05 * total * thickness(b))

    # 1 mb is 0.1 fm^2
    expected_elastic = over_plane(lambda b: profile(b) ** 2) / 0.1
    absorbed = lambda sigma: over_plane(lambda b: -math.expm1(-0.1 * sigma * thickness(b)))  # noqa: E731
    expected_quasi = (absorbed(total) - absorbed(total - elastic)) / 0.1
    # slope of |amplitude|^2 between t = 0 and a small t
    t = 1e-5
    wave = over_plane(lambda b: profile(b) * special.j0(b * math.sqrt(t) / HBARC)) / over_plane(profile)
    result = scattering.glauber(mass, *hadron)
    assert result[0] == pytest.approx(expected_elastic, rel=1e-8)
    assert result[1] == pytest.approx(expected_quasi, rel=1e-8)
    assert result[2] == pytest.approx(-2 * math.log(wave) / t, rel=2e-3)


@pytest.mark.parametrize(("mass", "absorption"), [(12.011, 222.0), (26.98, 445.0), (63.55, 782.0)])
def test_absorption_of_protons_on_nuclei(mass, absorption):
    """Measured at 60-280 GeV on C, Al and Cu (Carroll et al., Phys. Lett. B 80 (1979) 319), quasi-elastic included."""
    elastic, _, slope = scattering.glauber(mass, 39.0, 7.0, 10.5)
    # optical theorem: the elastic cross section in the forward direction gives the total one
    forward = elastic * slope * 1.0
    total = math.sqrt(16 * math.pi * forward * 0.3893794)
    assert total - elastic == pytest.approx(absorption, rel=0.12)


def test_free_protons_are_protons():
    assert scattering.glauber(1.008, *KAON) == (2.4, 0.0, 7.0)


@pytest.mark.parametrize("material", [STATION, LEPTON, PION], ids=["station", "lepton", "pion"])
def test_total_and_bound(material):
    lowest = math.sqrt(material[scattering.LOWEST])
    assert material[scattering.TOTAL] == pytest.approx(above(lowest, material), rel=1e-4)
    log_t = np.linspace(2 * math.log(lowest), 2 * math.log(0.5), 30_011)
    largest = max(scattering.t_density(math.exp(u), material) for u in log_t)
    assert largest * material[scattering.LOG_RANGE] <= material[scattering.BOUND] < 1
    assert math.exp(material[scattering.LOG_RANGE]) * lowest**2 == pytest.approx(0.25)


def test_tails_begin_outside_of_the_gaussian():
    for material, thickness in ((STATION, 0.005), (LEPTON, 0.0045), (PION, 0.0045)):
        assert math.sqrt(material[scattering.LOWEST]) == pytest.approx(5 * scattering.highland(1.0, thickness))


def test_elastic_scattering_of_kaons_in_a_station():
    """Hadronic: 2e-4 by the measured elastic cross section of kaons on aluminium of about 80 mb, per 0.5% of X0."""
    pure = STATION[scattering.ELEMENTS :].reshape(-1, 7)
    assert pure[:, scattering.ELASTIC].sum() == pytest.approx(80e-27 * 0.109 / 28.09 * AVOGADRO, rel=0.15)


class Kaons:
    def __init__(self, forced, n=N, z=None, key=KEY):
        self.momentum, self.vertex = kaons(n)
        if z is not None:
            self.vertex[2] = z
        given = {("weight", 0): 1.0, ("beam", K_DX): 7.0, ("beam", K_DY): 7.0}
        columns = (*self.momentum, *self.vertex)
        given |= {("beam", r): c for r, c in zip((K_PX, K_PY, K_PZ, K_X, K_Y, K_Z), columns, strict=True)}
        wanted = [("beam", r) for r in (K_PX, K_PY, K_PZ, K_X, K_Y, K_Z, K_DX, K_DY)]

        def stage(event, size):
            scattering.kaon(size, key, STATION, forced, event.index, event.beam, event.weight)

        found = through(stage, given, [*wanted, ("weight", 0)])
        self.after, self.moved, self.bend, self.weight = found[:3], found[3:6], found[6:8], found[8]
        self.transfer = transfers(self.momentum, self.after)


class Candidates:
    """Candidates of 20 GeV from 120 m; a muon unless muon_z says otherwise."""

    def __init__(self, forced, n=N, z=120.0, muon_z=-1.0, electron_z=np.inf, kink=np.inf, key=KEY):
        rng = np.random.default_rng(5)
        slopes = rng.normal(0.0, 4e-3, (2, n))
        self.momentum = 20.0 * np.array([*slopes, np.ones(n)]) / np.sqrt(1 + (slopes**2).sum(0))
        self.point = rng.normal(0.0, 0.02, (2, n))
        self.daughter = 0.7 * self.momentum + np.array([[0.02], [-0.01], [0.0]])
        self.z = z
        rows = (T_PX, T_PY, T_PZ, T_X, T_Y, T_QX, T_QY, T_QZ)
        given = dict(zip([("track", r) for r in rows], (*self.momentum, *self.point, *self.daughter), strict=True))
        given |= {("track", T_Z): z, ("track", T_MUON_Z): muon_z, ("track", T_ELECTRON_Z): electron_z}
        given |= {("track", T_P): 20.0, ("track", T_KINK_Z): kink, ("fate", EFFICIENCY): 1.0}
        material = np.array([LEPTON, PION])

        def stage(event, size):
            scattering.candidate(size, key, material, forced, event.index, event.track, event.fate)

        found = through(stage, given, [*(("track", r) for r in rows), ("fate", EFFICIENCY)])
        self.after, self.moved, self.turned, self.weight = found[:3], found[3:5], found[5:8], found[8]
        self.transfer = transfers(self.momentum, self.after)


def transfers(before, after):
    """Momentum times angle (GeV)."""
    size = np.linalg.norm(before, axis=0)
    return np.arcsin(np.minimum(np.linalg.norm(np.cross(before.T, after.T), axis=1) / size**2, 1.0)) * size


SAMPLES = {
    "kaon": (Kaons, {}, STATION),
    "muon": (Candidates, {}, LEPTON),
    "electron": (Candidates, {"electron_z": -1.0, "muon_z": np.inf}, LEPTON),
    "pion": (Candidates, {"muon_z": np.inf}, PION),
    "pion that decays behind": (Candidates, {"muon_z": 190.0, "kink": 190.0}, PION),
}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("forced", [False, True])
def test_probability_above_a_momentum_transfer(name, forced):
    """As in nature and forced, against quadrature of the density."""
    made, changes, material = SAMPLES[name]
    sample = made(forced, **changes)
    for q in (1.001 * math.sqrt(material[scattering.LOWEST]), 0.010, 0.030, 0.060, 0.130, 0.250):
        seen = sample.weight * (sample.transfer > q)
        # as in nature, one event at least
        error = max(seen.std() / math.sqrt(N), 0.0 if forced else 1.0 / N)
        assert abs(seen.mean() - above(q, material)) < SIGMAS * error
    assert abs(sample.weight.mean() - 1.0) <= SIGMAS * sample.weight.std() / math.sqrt(N)
    if not forced:
        assert (sample.weight == 1.0).all()


@pytest.mark.parametrize("name", SAMPLES)
def test_weight_of_what_does_not_scatter(name):
    """The probability not to scatter over the share that is let through."""
    made, changes, material = SAMPLES[name]
    sample = made(True, n=20_000, **changes)
    passed = sample.transfer < 1e-6
    expected = (1 - above(math.sqrt(material[scattering.LOWEST]), material)) / (1 - scattering.FORCED_SCATTERS)
    assert np.abs(sample.weight[passed] / expected - 1).max() < 1e-6
    assert abs(passed.mean() - 1 + scattering.FORCED_SCATTERS) < SIGMAS * math.sqrt(0.05 * 0.95 / 20_000)


@pytest.mark.parametrize("name", ["kaon", "muon", "pion"])
def test_forced_scattering_reaches_far(name):
    """The relative error of the probability above 60 MeV is 1% with these events; as in nature it would be 8-40%."""
    made, changes, _ = SAMPLES[name]
    sample = made(True, **changes)
    tail = sample.weight * (sample.transfer > 0.060)
    assert np.count_nonzero(tail) > 0.01 * N
    assert tail.std() / math.sqrt(N) < 0.03 * tail.mean()


@pytest.mark.parametrize("name", ["kaon", "muon"])
def test_deflections_are_isotropic_in_azimuth(name):
    made, changes, _ = SAMPLES[name]
    sample = made(True, **changes)
    hit = sample.transfer > 1e-3
    change = sample.after[:, hit] - sample.momentum[:, hit]
    phi = np.arctan2(change[1], change[0])
    assert stats.kstest(phi, "uniform", args=(-np.pi, 2 * np.pi)).pvalue > P_MIN
    assert abs(np.corrcoef(np.cos(phi), sample.momentum[0, hit])[0, 1]) < SIGMAS / math.sqrt(hit.sum())


def test_a_scattered_kaon_keeps_its_energy_and_its_point_in_the_station():
    sample = Kaons(True)
    hit = sample.transfer > 1e-6
    assert np.abs(np.linalg.norm(sample.after, axis=0) / np.linalg.norm(sample.momentum, axis=0) - 1).max() < 1e-12
    before, after = sample.momentum[:2] / sample.momentum[2], sample.after[:2] / sample.after[2]
    back = sample.vertex[2] - GTK3
    crossing = sample.vertex[:2] - before * back
    assert np.abs(sample.moved[:2] - after * back - crossing).max() < 1e-12
    assert (sample.moved[2] == sample.vertex[2]).all()
    assert np.abs(sample.bend - (after - before)).max() < 1e-15
    assert (sample.bend[:, ~hit] == 0).all()
    assert (sample.after[:, ~hit] == sample.momentum[:, ~hit]).all()
    assert 0.04 < hit.mean() < 0.06


@pytest.mark.parametrize("forced", [False, True])
def test_a_kaon_that_decays_before_the_station_does_not_scatter(forced):
    sample = Kaons(forced, n=20_000, z=100.0)
    assert (sample.weight == 1).all()
    assert (sample.after == sample.momentum).all()
    assert (sample.bend == 0).all()


@pytest.mark.parametrize("kink", [np.inf, 190.0])
def test_a_scattered_candidate_still_crosses_the_chamber_where_it_did(kink):
    sample = Candidates(True, kink=kink)
    before, after = sample.momentum[:2] / sample.momentum[2], sample.after[:2] / sample.after[2]
    forward = CHAMBER - sample.z
    assert np.abs(sample.moved + after * forward - sample.point - before * forward).max() < 1e-12
    assert np.abs(np.linalg.norm(sample.after, axis=0) - 20.0).max() < 1e-12
    change = sample.turned[:2] / sample.turned[2] - sample.daughter[:2] / sample.daughter[2]
    assert np.abs(change - (after - before if kink < np.inf else 0)).max() < 1e-12
    assert np.abs(np.linalg.norm(sample.turned, axis=0) / np.linalg.norm(sample.daughter, axis=0) - 1).max() < 1e-12


@pytest.mark.parametrize("forced", [False, True])
def test_a_candidate_from_behind_the_chamber_does_not_scatter_in_it(forced):
    sample = Candidates(forced, n=20_000, z=190.0)
    assert (sample.weight == 1).all()
    assert (sample.after == sample.momentum).all()
    assert (sample.moved == sample.point).all()


def test_kaon_and_candidate_scatter_independently():
    a, b = Kaons(True), Candidates(True)
    first, second = a.transfer > 1e-6, b.transfer > 1e-6
    assert abs(np.corrcoef(first, second)[0, 1]) < SIGMAS / math.sqrt(N)
