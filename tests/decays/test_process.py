"""What a process is made of: parameters, masses, rates, and amplitudes of one's own, however they were written."""

import math
import subprocess
import sys

import numpy as np
import pytest
from numba import njit
from scipy.integrate import quad

from kaongen.decays.amplitude import amplitude, flat
from kaongen.decays.catalogue import find
from kaongen.decays.process import ManyBody, MuonSpectrum, Parameter, Process, Rate, ThreeBody, TwoBody
from kaongen.decays.rates import GAMMA_MUNU, formula, measured
from kaongen.errors import ProcessError
from kaongen.kinematics import kallen
from kaongen.particles import BR_K_MUNU, M_E, M_K, M_MU, M_PI, SPECIES

MASS = Parameter("m", 0.0, 0.2, "mass of X", "GeV")
STRENGTH = Parameter("a", -1.0, 1.0, "strength", default=0.25)


def own(squared=None, **options):
    dynamics = TwoBody() if squared is None else ThreeBody(squared)
    decay = "K+ -> pi+ X" if squared is None else "K+ -> pi+ mu+ mu-"
    return Process(
        **{
            "name": "mine",
            "decay": decay,
            "dynamics": dynamics,
            "rate": measured(BR_K_MUNU),
            "reference": "",
            **options,
        }
    )


def test_values_are_checked_and_completed():
    process = own(parameters=(MASS, STRENGTH), mass_of={"X": "m"})
    values = process.values({"m": 0})
    assert values == {"m": 0.0, "a": 0.25}
    assert all(isinstance(value, float) for value in values.values())
    assert process.masses(values) == (M_PI, 0.0)
    assert np.array_equal(process.vector({"a": 2.0, "m": 1.0}), [1.0, 2.0])


@pytest.mark.parametrize("value", [-1e-12, 0.2000001, math.nan, math.inf, -math.inf])
def test_a_parameter_checks_its_range(value):
    with pytest.raises(
        ProcessError, match=r"mine: m = .* GeV is not allowed: it must lie between 0 and 0\.2 GeV \(mass of X\)"
    ):
        MASS.check("mine", value)


def test_daughters_and_species():
    process = find("munuV")
    assert process.daughters == ("mu+", "nu_mu", "V")
    assert process.species == (SPECIES["mu+"], SPECIES["nu_mu"], SPECIES["V"])
    assert process.masses(process.values({"m_X": 0.125})) == (M_MU, 0.0, 0.125)


def test_a_formula_has_a_relative_error():
    process = own(rate=formula(lambda v: 2.0 * v["a"], 0.1, "thought"), parameters=(STRENGTH,))
    assert process.branching_fraction({"a": 3.0}) == Rate(6.0, pytest.approx(0.6), "thought")


def test_normalisation_of_the_rates():
    """Two-body phase space for |M|^2 = m_K^2 - m_mu^2."""
    p = (M_K**2 - M_MU**2) / (2 * M_K)
    assert pytest.approx(p * (M_K**2 - M_MU**2) / (8 * math.pi * M_K**2), rel=1e-12) == GAMMA_MUNU


@pytest.mark.parametrize(("decay", "symmetry"), [("K+ -> mu+ nu anti-nu", 1), ("K+ -> mu+ nu nu", 2)])
def test_the_width_of_three_bodies(decay, symmetry):
    """For a constant |M|^2 and one mass: the Dalitz plot has the area m^4 ((1 - x^2)/2 + x ln x)."""
    value, error = own(amplitude(whole_number), decay=decay).width({})
    x = (M_MU / M_K) ** 2
    area = M_K**4 * ((1 - x * x) / 2 + x * math.log(x))
    assert value == pytest.approx(area / (256 * math.pi**3 * M_K**3) / symmetry, rel=2e-4)
    assert 0 < error < 2e-3 * value


@pytest.mark.parametrize(
    ("decay", "symmetry"),
    [
        ("K+ -> e+ nu anti-nu", 1),
        ("K+ -> e+ nu nu anti-nu", 2),
        ("K+ -> e+ nu nu anti-nu anti-nu", 4),
        ("K+ -> e+ nu nu nu", 6),
    ],
)
def test_the_width_of_many_bodies(decay, symmetry):
    """For a constant |M|^2: without masses m^(2n - 5)/(4 (4 pi)^(2n - 3) (n - 1)! (n - 2)!), and the e+ takes a little.

    Phase space of n - 1 massless bodies grows like y^(n - 3) with the square y of their mass, and the e+ recoils.
    """
    process = own(decay=decay, dynamics=ManyBody(flat))
    n = len(process.daughters)
    massless = M_K ** (2 * n - 5) / (4 * (4 * math.pi) ** (2 * n - 3) * math.factorial(n - 1) * math.factorial(n - 2))
    x = (M_E / M_K) ** 2
    area, _ = quad(
        lambda y: y ** (n - 3) * math.sqrt(kallen(1.0, x, y)), 0, (1 - math.sqrt(x)) ** 2, epsabs=0, epsrel=1e-10
    )
    expected = massless * area * (n - 1) * (n - 2) / symmetry
    value, error = process.width({})
    assert process.symmetry == symmetry
    assert 0 < error < 3e-5 * value
    assert abs(value - expected) < 5 * error


def test_only_what_has_an_amplitude_has_a_width():
    for name in ("munu", "mununubarnu"):
        with pytest.raises(ProcessError, match=name):
            find(name).width(find(name).values({}))


def test_a_spectrum_may_end_early_but_is_never_negative():
    heights = MuonSpectrum(lambda p: 0.1 - p).heights(0.2, 4)
    assert heights == pytest.approx([0.1, 0.05, 0.0, 0.0, 0.0])


def linear(s12, s23, p):
    return 1.0 + p[0] * s12


@njit
def linear_njit(s12, s23, p):
    return 1.0 + p[0] * s12


@njit
def whole_number(s12, s23, p):
    return 1


@njit
def divides_by_zero(s12, s23, p):
    return 1.0 / (p[0] - p[0])


def test_plain_and_compiled_functions_are_taken():
    p = np.array([3.0])
    for function in (linear, linear_njit):
        assert amplitude(function)(0.5, 0.1, p) == 2.5
    tables = [own(amplitude(f), parameters=(STRENGTH,)).dalitz_table({"a": 0.5}) for f in (linear, linear_njit)]
    assert tables[0].integral == tables[1].integral
    assert np.array_equal(tables[0].alias, tables[1].alias)


def test_a_function_that_returns_a_whole_number_is_taken():
    table = own(amplitude(whole_number)).dalitz_table({})
    assert table.integral == own(amplitude(linear), parameters=(STRENGTH,)).dalitz_table({"a": 0.0}).integral


def test_an_amplitude_that_divides_by_zero_is_refused():
    with pytest.raises(ProcessError, match="mine"):
        own(amplitude(divides_by_zero), parameters=(STRENGTH,)).dalitz_table({"a": 0.5})


def test_an_amplitude_need_not_live_in_a_file():
    """In an interactive session, a notebook's kernel or a string there is no source file to keep compiled code by."""
    code = (
        "import numpy as np\n"
        "from kaongen.decays.amplitude import amplitude\n"
        "print(amplitude(lambda s12, s23, p: 2.0 * s12)(0.25, 0.0, np.zeros(1)))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert run.stdout.strip() == "0.5", run.stderr


@pytest.mark.slow
def test_an_amplitude_follows_a_change_in_a_function_that_it_imports(tmp_path):
    """One's own helper in a file of its own is no source of the package, so no cache may outlive a change in it."""
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "from helper import strength\n"
        "from kaongen.decays.amplitude import amplitude\n"
        "@amplitude\n"
        "def squared(s12, s23, p):\n"
        "    return strength(s12)\n"
        "print(squared(1.0, 0.0, np.zeros(1)))\n"
    )
    for factor in ("1.0", "2.0"):
        (tmp_path / "helper.py").write_text(
            f"from numba import njit\n@njit\ndef strength(s):\n    return {factor} * s\n"
        )
        run = subprocess.run(
            [sys.executable, "mine.py"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120
        )
        assert run.stdout.strip() == factor


@pytest.mark.parametrize(
    "decay",
    ["K+ pi+ pi+ pi-", "K+ -> pi+ pi+ quark", "pi+ pi+ pi-", "K+ -> pi+ pi0", "K+ -> pi+ pi-", "pi+ -> mu+ nu anti-nu"],
)
def test_a_descriptor_that_makes_no_sense_is_refused(decay):
    """A missing arrow, an unknown particle, two daughters for a three-body decay, charge, another parent."""
    with pytest.raises(ProcessError, match="mine"):
        own(amplitude(linear), decay=decay)


def test_the_wrong_number_of_daughters_is_refused():
    with pytest.raises(ProcessError, match=r"mine: 'K\+ -> pi\+ pi\+ pi-' has 3 daughters, a two-body decay has 2"):
        own(decay="K+ -> pi+ pi+ pi-")
    with pytest.raises(ProcessError, match=r"mine: 'K\+ -> pi\+ pi0' has 2 daughters, it must have 3 or more"):
        own(decay="K+ -> pi+ pi0", dynamics=ManyBody(flat))


@pytest.mark.parametrize("order", [(0, 1), (0, 1, 1), (1, 2, 3), (0, 1, 2, 3)])
def test_an_order_that_is_none_is_refused(order):
    for dynamics in (ThreeBody(amplitude(linear), order), ManyBody(flat, order)):
        with pytest.raises(ProcessError, match=r"mine: order .* must hold 0, 1 and 2 once each"):
            own(decay="K+ -> pi+ mu+ mu-", dynamics=dynamics)
