"""The catalogue: names, parameters, published rates, and one's own processes through the same door."""

from dataclasses import replace

import numpy as np
import pytest
from numba import njit
from phase_space import P_MIN, Plot, sampled
from scipy import stats

from kaongen.decays import catalogue
from kaongen.decays.amplitude import amplitude
from kaongen.decays.catalogue import find, processes, register
from kaongen.decays.process import Process, ThreeBody
from kaongen.decays.rates import measured
from kaongen.decays.sampling import sample
from kaongen.errors import ProcessError
from kaongen.particles import BR_K_MUNU, M_K, M_MU, M_PI, SPECIES

NAMES = {
    "munu": (),
    "munug": ("E_gamma_min", "F_V", "F_A"),
    "pi0munu": ("lambda_plus", "lambda_plus2", "lambda_zero"),
    "pipipi": ("g", "h", "k"),
    "munuV": ("m_X", "g"),
    "munuphi": ("m_X", "y"),
    "muN": ("m_N", "U2"),
    "mununubarnu": (),
}

RATES = {
    "munuV": {0.01: 0.2173, 0.05: 0.0553, 0.1: 0.01803, 0.2: 1.937e-3, 0.3: 7.33e-5},
    "munuphi": {0.01: 0.0560, 0.05: 0.02685, 0.1: 0.01319, 0.2: 2.439e-3, 0.3: 1.402e-4},
}
"""BR/coupling^2 against m_X in GeV: quadrature of Dirac traces, in tests/amplitudes/test_totals.py once more."""

COUPLING = {"munuV": "g", "munuphi": "y"}


@pytest.fixture
def registry(monkeypatch):
    """A catalogue that forgets what a test registers."""
    monkeypatch.setattr(catalogue, "_CATALOGUE", dict(catalogue._CATALOGUE))


def fraction(name, **given):
    process = find(name)
    return process.branching_fraction(process.values(given))


def test_names_and_parameters():
    assert {p.name: tuple(q.name for q in p.parameters) for p in processes()} == NAMES
    assert all(find(name).name == name for name in NAMES)


@pytest.mark.parametrize("process", processes(), ids=lambda p: p.name)
def test_every_entry_is_complete(process):
    assert process.reference
    assert all(p.description and p.minimum < p.maximum for p in process.parameters)
    assert all(p.default is None or p.minimum <= p.default <= p.maximum for p in process.parameters)
    assert set(process.daughters) <= set(SPECIES)


@pytest.mark.parametrize(("name", "m_x"), [(name, m_x) for name, rates in RATES.items() for m_x in rates])
def test_published_rates(name, m_x):
    rate = fraction(name, **{"m_X": m_x, COUPLING[name]: 1.0})
    assert rate.value == pytest.approx(RATES[name][m_x], rel=3e-3)
    # what is known of K -> mu nu, and next to nothing from the integration
    assert rate.error / rate.value == pytest.approx(BR_K_MUNU.error / BR_K_MUNU.value, rel=0.05)


@pytest.mark.parametrize("name", RATES)
def test_rates_grow_with_the_square_of_the_coupling(name):
    one, ten = (fraction(name, **{"m_X": 0.1, COUPLING[name]: c}) for c in (1e-3, 1e-2))
    assert ten.value == pytest.approx(100 * one.value, rel=1e-12)
    assert ten.error == pytest.approx(100 * one.error, rel=1e-12)
    assert fraction(name, m_X=0.1) == one
    assert fraction(name, **{"m_X": 0.1, COUPLING[name]: 0.0}).value == 0


@pytest.mark.parametrize(
    ("name", "value", "error"), [("munu", 0.6356, 0.0011), ("pi0munu", 0.03352, 0.00034), ("pipipi", 0.05583, 0.00024)]
)
def test_measured_rates(name, value, error):
    rate = fraction(name)
    assert (rate.value, rate.error) == (value, error)
    assert "2026" in rate.source


def test_heavy_neutrino_rate():
    """BR(K -> mu nu) at m_N = 0 and |U|^2 = 1, and 4.13 times that at 263 MeV (NA62, PLB 816 (2021) 136259)."""
    assert fraction("muN", m_N=0.0, U2=1.0).value == pytest.approx(0.6356, rel=1e-12)
    assert fraction("muN", m_N=0.263, U2=1e-8).value == pytest.approx(4.13 * 0.6356e-8, rel=2e-3)


def test_three_neutrino_rate():
    """1.62e-16 in the paper, which rounds its coefficients."""
    rate = fraction("mununubarnu")
    assert abs(rate.value - 1.62e-16) < rate.error


def test_radiative_rate_grows_as_the_cut_falls():
    """Inner bremsstrahlung: by about the same from one decade to the next, and less than K -> mu nu itself."""
    rates = [fraction("munug", E_gamma_min=e).value for e in (0.1, 0.01, 0.001)]
    assert rates[0] < rates[1] < rates[2] < BR_K_MUNU.value
    assert rates[2] - rates[1] == pytest.approx(rates[1] - rates[0], rel=0.5)


# What a user gets wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("munuv", r"there is no process 'munuv'; did you mean 'munuV'\? \(known: munu, munug, "),
        ("pi0mununu", r"did you mean 'pi0munu'"),
        ("MUN", r"did you mean 'muN'\?"),
        ("zzz", r"there is no process 'zzz' \(known: "),
        ("", r"there is no process '' \(known: "),
    ],
)
def test_an_unknown_process(name, message):
    with pytest.raises(ProcessError, match=message):
        find(name)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"m_x": 0.1}, r"munuV has no parameter 'm_x'; did you mean 'm_X'\? \(its parameters: m_X, g\)"),
        ({"m_X": 0.1, "coupling": 1}, r"munuV has no parameter 'coupling' \(its parameters: m_X, g\)"),
        ({}, r"munuV: m_X is missing: mass of X, below m_K - m_mu, 0\.001 to 0\.3875\d+ GeV"),
        ({"m_X": 0.5}, r"munuV: m_X = 0\.5 GeV is not allowed: it must lie between 0\.001 and 0\.3875\d+ GeV"),
        ({"m_X": 0.0}, r"munuV: m_X = 0 GeV is not allowed"),
        ({"m_X": -0.1}, r"munuV: m_X = -0\.1 GeV is not allowed"),
        ({"m_X": float("nan")}, r"munuV: m_X = nan GeV is not allowed"),
        ({"m_X": float("inf")}, r"munuV: m_X = inf GeV is not allowed"),
        ({"m_X": 0.1, "g": -1e-3}, r"munuV: g = -0\.001 is not allowed: it must lie between 0 and 12\.5664 \("),
    ],
)
def test_bad_parameters(given, message):
    with pytest.raises(ProcessError, match=message):
        find("munuV").values(given)


def test_a_process_without_parameters_says_so():
    with pytest.raises(ProcessError, match=r"munu has no parameter 'g' \(its parameters: none\)"):
        find("munu").values({"g": 1.0})


def test_parameters_at_their_limits_are_allowed():
    for process in processes():
        for p in process.parameters:
            needed = {q.name: q.minimum for q in process.parameters if q.default is None}
            for value in (p.minimum, p.maximum):
                assert process.values({**needed, p.name: value})[p.name] == value


# One's own process -----------------------------------------------------------------------------------------------


def flat(s12, s23, p):
    return 1.0


@njit
def flat_njit(s12, s23, p):
    return 1.0


def own(squared, name="mine"):
    return Process(name, "K+ -> pi+ mu+ mu-", ThreeBody(amplitude(squared)), measured(BR_K_MUNU), "none")


@pytest.mark.usefixtures("registry")
def test_a_process_of_ones_own_is_found_and_forgotten():
    mine = register(own(flat))
    assert find("mine") is mine
    assert processes()[-1] is mine
    with pytest.raises(ProcessError, match=r"a process named 'mine' exists already \(K\+ -> pi\+ mu\+ mu-\)"):
        register(own(flat_njit))
    with pytest.raises(ProcessError, match="did you mean 'mine'"):
        find("mien")


def test_the_catalogue_is_as_it_was():
    assert tuple(p.name for p in processes()) == tuple(NAMES)


def test_nobody_replaces_a_built_in_process():
    with pytest.raises(ProcessError, match="a process named 'munu' exists already"):
        register(own(flat, "munu"))


@pytest.mark.usefixtures("registry")
def test_a_constant_amplitude_fills_the_plot_evenly():
    """Equal areas of the (s12, s23) plane hold equally many decays."""
    register(own(flat))
    decays = sampled(find("mine"), {}, 1_000_000)
    plot = Plot((M_PI, M_MU, M_MU), lambda s12, s23: np.ones(np.broadcast_shapes(np.shape(s12), np.shape(s23))))
    low, high = plot.s12_range
    s12, s23 = decays.mass_squared(0, 1), decays.mass_squared(1, 2)
    # squares of the plane that lie inside the plot altogether
    edges_s12, edges_s23 = np.linspace(low, high, 31), np.linspace((2 * M_MU) ** 2, (M_K - M_PI) ** 2, 31)
    bottom, top = plot.s23_range(np.linspace(edges_s12[:-1], edges_s12[1:], 50))
    inside = (edges_s23[:-1] >= bottom.max(axis=0)[:, None]) & (edges_s23[1:] <= top.min(axis=0)[:, None])
    observed, _, _ = np.histogram2d(s12, s23, [edges_s12, edges_s23])
    assert inside.sum() > 300
    assert stats.chisquare(observed[inside]).pvalue > P_MIN
    area = np.diff(edges_s12)[0] * np.diff(edges_s23)[0] / plot.integral()
    share = inside.sum() * area
    assert observed[inside].sum() / s12.size == pytest.approx(share, abs=5 * np.sqrt(share * (1 - share) / s12.size))


@pytest.mark.slow
def test_a_plain_and_a_compiled_function_give_the_same_decays():
    one, other = (sample(own(squared), 100_000, seed=5).columns for squared in (flat, flat_njit))
    assert one.tobytes() == other.tobytes()


def test_the_daughters_may_stand_in_any_order():
    """With a constant |M|^2 the choice of s12 and s23 changes decays, and no distribution."""
    spectra = []
    for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        process = replace(own(flat), dynamics=ThreeBody(amplitude(flat), order=order))
        pion = sampled(process, {}, 200_000).momenta[0, 3]
        spectra.append(np.histogram(pion, np.linspace(M_PI, 0.2047, 41))[0])
    assert stats.chi2_contingency([counts[counts > 0] for counts in spectra]).pvalue > P_MIN
