"""What a process is made of: parameters, masses, rates, and amplitudes of one's own, however they were written."""

import math
import subprocess
import sys

import numpy as np
import pytest
from numba import njit

from kaongen.decays.amplitude import amplitude
from kaongen.decays.catalogue import find
from kaongen.decays.process import MuonSpectrum, Parameter, Process, Rate, ThreeBody, TwoBody
from kaongen.decays.rates import GAMMA_MUNU, THREE_BODY_FLUX, formula, measured
from kaongen.errors import ProcessError
from kaongen.particles import BR_K_MUNU, M_K, M_MU, M_PI, SPECIES

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
    """Two-body phase space, and three massless daughters, whose Dalitz plot has the area m^4/2."""
    p = (M_K**2 - M_MU**2) / (2 * M_K)
    assert pytest.approx(p * (M_K**2 - M_MU**2) / (8 * math.pi * M_K**2), rel=1e-12) == GAMMA_MUNU
    # the width of three massless bodies, m |M|^2 / (512 pi^3)
    assert pytest.approx(M_K / (512 * math.pi**3), rel=1e-12) == THREE_BODY_FLUX * M_K**4 / 2


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
    tables = [own(amplitude(f), parameters=(STRENGTH,)).table({"a": 0.5}) for f in (linear, linear_njit)]
    assert tables[0].integral == tables[1].integral
    assert np.array_equal(tables[0].alias, tables[1].alias)


def test_a_function_that_returns_a_whole_number_is_taken():
    table = own(amplitude(whole_number)).table({})
    assert table.integral == own(amplitude(linear), parameters=(STRENGTH,)).table({"a": 0.0}).integral


def test_an_amplitude_that_divides_by_zero_is_refused():
    with pytest.raises(ProcessError, match="mine"):
        own(amplitude(divides_by_zero), parameters=(STRENGTH,)).table({"a": 0.5})


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


@pytest.mark.parametrize("decay", ["K+-> pi+ pi+ pi-", "K+ -> pi+ pi+ quark", "pi+ pi+ pi-", "K+ -> pi+ pi-"])
def test_a_descriptor_that_makes_no_sense_is_refused(decay):
    """An unknown particle, a missing arrow, two daughters for a three-body decay."""
    with pytest.raises(ProcessError, match="mine"):
        own(amplitude(linear), decay=decay).table({})
