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

FORM_FACTORS = ("F_V", "F_V_slope", "F_A")
SLOPES = ("lambda_plus", "lambda_plus2", "lambda_zero")
CUSP = ("g", "h", "k", "a", "b", "q")
TERMS = ("contact", "structure")

NAMES = {
    "munu": (),
    "pipi0": (),
    "pipipi": ("g", "h", "k"),
    "pi0enu": SLOPES,
    "pi0munu": SLOPES,
    "pipi0pi0": CUSP,
    "munug": ("E_gamma_min", *FORM_FACTORS),
    "pipi0g": ("E_gamma_min", "X_E", "X_M", "cos_phase"),
    "pi0enug": ("E_gamma_min", "lambda_plus", "lambda_zero"),
    "pi0munug": ("E_gamma_min", "lambda_plus", "lambda_zero"),
    "pipienu": ("f_s", "f_s1", "f_s2", "f_e", "f_p", "g_p", "g_p1", "h_p"),
    "pi0pi0enu": ("a", "b", "c", "d"),
    "enu": (),
    "enug": ("E_gamma_min", *FORM_FACTORS),
    "pigg": ("c_hat",),
    "piee": ("a", "b"),
    "pimumu": ("a", "b"),
    "munuee": ("m_ee_min", *TERMS),
    "enuee": ("m_ee_min", *TERMS),
    "munumumu": TERMS,
    "enumumu": TERMS,
    "pinunu": ("lambda_plus", "lambda_plus2"),
    "pieeee": ("a", "b"),
    "mununubarnu": (),
    "munuV": ("m_X", "g"),
    "munuV-mumu": ("m_X", "g"),
    "munuphi": ("m_X", "y"),
    "muN": ("m_N", "U2"),
    "eN": ("m_N", "U2"),
    "piX": ("m_X", "BR"),
    "piS": ("m_S", "sin2_theta"),
    "pia": ("m_a", "g_Y"),
    "piaa": ("m_a", "BR"),
}
"""Every process and its parameters, in order: what cards, files and programs rely on."""

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


FOUR_LEPTONS = [
    ("munumumu", {}, 1.351e-8),
    ("munumumu", {"structure": 0.0}, 3.797e-9),
    ("munumumu", {"structure": 0.0, "contact": 0.0}, 6.13e-8),
    ("enumumu", {}, 1.125e-8),
    ("munuee", {"m_ee_min": 0.14}, 8.51e-8),
    ("enuee", {"m_ee_min": 0.14}, 3.39e-8),
]
"""Rates of hep-ph/9209261 with today's masses and constants; bremsstrahlung without contact term is not gauge invariant
and in no paper: it is there to be seen to be large (tests/amplitudes/test_lnu_ll.py, by other phase space)."""


def fraction(name, **given):
    process = find(name)
    return process.branching_fraction(process.values(given))


def test_names_and_parameters():
    assert {p.name: tuple(q.name for q in p.parameters) for p in processes()} == NAMES
    assert all(find(name).name == name for name in NAMES)


def test_every_process_is_found_by_its_decay():
    """But for the one that shares its daughters with another: for it the chain is asked for."""
    for process in processes():
        expected = find("munumumu") if process.name == "munuV-mumu" else process
        assert find(process.decay) is expected
        shuffled = " ".join(reversed(process.daughters))
        assert find(f"  K+->{shuffled} ") is expected
        if process.chain:
            assert find(process.chain) is process
    assert [p.name for p in processes() if p.chain] == ["munuV-mumu"]


def test_a_chain_nobody_describes_is_made_of_its_process():
    found = find("K+ -> pi+ (S -> mu+ mu-)")
    assert found.daughters == find("piS").daughters
    assert [p.name for p in found.parameters] == ["m_S", "sin2_theta", "tau_S"]
    assert found not in processes()


@pytest.mark.parametrize("process", processes(), ids=lambda p: p.name)
def test_every_entry_is_complete(process):
    assert process.reference
    assert all(p.description and p.minimum < p.maximum for p in process.parameters)
    assert all(p.default is None or p.minimum <= p.default <= p.maximum for p in process.parameters)
    assert set(process.daughters) <= set(SPECIES)
    # a new mass comes from a parameter, and all others from the table
    assert set(process.mass_of) == {name for name in process.daughters if SPECIES[name].mass is None}
    assert set(process.mass_of.values()) <= {p.name for p in process.parameters}


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
    ("name", "value", "error"),
    [
        ("munu", 0.6356, 0.0011),
        ("pipi0", 0.2067, 0.0008),
        ("pipipi", 0.05583, 0.00024),
        ("pi0enu", 0.0507, 0.0004),
        ("pi0munu", 0.03352, 0.00034),
        ("pipi0pi0", 0.01760, 0.00023),
        ("pipienu", 4.247e-5, 0.024e-5),
        ("pi0pi0enu", 2.55e-5, 0.04e-5),
        ("enu", 1.582e-5, 0.007e-5),
    ],
)
def test_measured_rates(name, value, error):
    rate = fraction(name)
    assert (rate.value, rate.error) == (value, error)
    assert "2026" in rate.source


def test_heavy_neutrino_rate():
    """BR(K -> mu nu) at m_N = 0 and |U|^2 = 1, and 4.13 times that at 263 MeV (NA62, PLB 816 (2021) 136259)."""
    assert fraction("muN", m_N=0.0, U2=1.0).value == pytest.approx(0.6356, rel=1e-12)
    assert fraction("eN", m_N=0.0, U2=1.0).value == pytest.approx(1.582e-5, rel=1e-12)
    assert fraction("muN", m_N=0.263, U2=1e-8).value == pytest.approx(4.13 * 0.6356e-8, rel=2e-3)


def test_three_neutrino_rate():
    """1.62e-16 in the paper, which rounds its coefficients."""
    rate = fraction("mununubarnu")
    assert abs(rate.value - 1.62e-16) < rate.error


@pytest.mark.parametrize(("name", "given", "expected"), FOUR_LEPTONS)
def test_rates_of_four_leptons(name, given, expected):
    """What phase space costs is known to per mille; the 10% are what order p^4 leaves out."""
    rate = fraction(name, **given)
    assert rate.value == pytest.approx(expected, rel=0.01)
    assert rate.error / rate.value == pytest.approx(0.1, rel=0.01)
    integral, error = find(name).width(find(name).values(given))
    assert 0 < error < 1e-3 * integral


def test_a_pair_below_a_cut_does_not_count():
    rates = [fraction("munuee", m_ee_min=m).value for m in (0.1, 0.14, 0.2)]
    assert rates[0] > 1.2 * rates[1] > 1.4 * rates[2]


def test_a_vector_that_decays_is_as_frequent_as_the_vector():
    assert fraction("munuV-mumu", m_X=0.25, g=2e-3) == fraction("munuV", m_X=0.25, g=2e-3)


def test_radiative_rate_grows_as_the_cut_falls():
    """Inner bremsstrahlung: by about the same from one decade to the next, and less than K -> mu nu itself."""
    rates = [fraction("munug", E_gamma_min=e).value for e in (0.1, 0.01, 0.001)]
    assert rates[0] < rates[1] < rates[2] < BR_K_MUNU.value
    assert rates[2] - rates[1] == pytest.approx(rates[1] - rates[0], rel=0.5)


# What a user gets wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("K+ -> mu+ mu-", "charge is not conserved"),
        ("K+ -> mu+ mu+ mu-", r"no process has .* did you mean 'K\+ -> pi\+ mu\+ mu-'"),
        ("K+ -> e+ mu+ mu- nu", r"no process has the daughters of K\+ -> e\+ mu\+ mu- nu; did you mean 'K\+ -> "),
        ("munuv", r"there is no process 'munuv'; did you mean 'munuV'\? \(known: munu, pipi0, pipipi, pi0enu, "),
        ("pi0mununu", r"did you mean 'pi0munu'"),
        ("MUN", r"did you mean 'muN'\?"),
        ("munuv-mumu", r"did you mean 'munuV-mumu'\?"),
        ("pieee", r"did you mean 'pieeee'\?"),
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
