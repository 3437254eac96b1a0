"""Every decay of the catalogue at any parameters: conservation of momentum, mass shells, cuts; ranges of parameters."""

import math

import numpy as np
import pytest
from by_name import K, mass, minkowski_square, sampled
from hypothesis import given, settings
from hypothesis import strategies as st

from kaongen.decays.catalogue import find, processes
from kaongen.decays.process import ManyBody, MuonSpectrum
from kaongen.errors import ProcessError

NAMES = [process.name for process in processes()]
MANY_BODY = [p.name for p in processes() if isinstance(p.dynamics, ManyBody)]
FEW_BODY = [name for name in NAMES if name not in MANY_BODY]

COUPLINGS = ("g", "y", "U2", "BR", "sin2_theta", "g_Y")
"""Which only multiply the rate."""

E_GAMMA_END = {"pipi0g": 0.1704, "pi0munug": 0.1881}
"""GeV; without a photon cut above which nothing is left, where that is below the parameter's range."""


def drawn(process, choose):
    """Values of what shapes a process; `choose` takes a Parameter. Polynomials of Dalitz plots keep their defaults."""
    if process.name in ("pipipi", "pipi0pi0"):
        return {}
    return {p.name: choose(p) for p in process.parameters if p.name not in COUPLINGS}


def anything(p):
    if p.unit != "GeV":
        return st.floats(p.minimum, p.maximum)
    # from next to nothing to next to the end, each decade alike
    low = max(p.minimum, 1e-9)
    masses = st.floats(0, 1).map(lambda x: min(low * (p.maximum / low) ** x, p.maximum))
    return st.one_of(st.just(p.minimum), st.just(p.maximum), masses, st.floats(p.minimum, p.maximum))


@st.composite
def few_bodies(draw):
    name = draw(st.sampled_from(FEW_BODY))
    values = drawn(find(name), lambda p: draw(anything(p)))
    end = E_GAMMA_END.get(name, math.inf)
    if values.get("E_gamma_min", 0.0) > end:
        values["E_gamma_min"] = end
    if name in ("piee", "pimumu"):
        # not both zero
        values["a"] = max(values["a"], 0.01)
    return name, values


def check(name, values, n, seed):
    process = find(name)
    values = process.values(values)
    decays = sampled(name, values, n, seed)
    assert all(p.shape == (n, 4) and np.isfinite(p).all() for p in decays.p.values())
    assert np.abs(sum(decays.p.values()) - [0, 0, 0, K]).max() < 1e-12 * K
    assert (np.isfinite(decays.weight) & (decays.weight >= 1)).all()
    assert decays.above == np.count_nonzero(decays.weight > 1)
    assert decays.attempts >= n
    for daughter, p in decays.p.items():
        if isinstance(process.dynamics, MuonSpectrum) and daughter != "mu+":
            # of all neutrinos together
            assert minkowski_square(p).min() > -1e-12 * K**2
        else:
            assert np.abs(minkowski_square(p) - mass(daughter, values) ** 2).max() < 1e-12 * K**2
            assert p[:, 3].min() >= mass(daughter, values) * (1 - 1e-12)
    for daughter, p in decays.p.items():
        if daughter.startswith("gamma") and "E_gamma_min" in values:
            assert p[:, 3].min() >= values["E_gamma_min"] * (1 - 1e-12)
        if daughter.startswith("e+") and "m_ee_min" in values:
            assert decays.squared(daughter, "e-").min() >= values["m_ee_min"] ** 2 - 1e-12 * K**2
    if name == "munuV-mumu":
        assert np.abs(decays.squared("mu+ 2", "mu-") - values["m_X"] ** 2).max() < 1e-12 * K**2
    return decays


@settings(max_examples=60)
@given(case=few_bodies(), seed=st.integers(0, 2**32))
def test_decays_to_two_and_three_bodies(case, seed):
    name, values = case
    check(name, values, 300, seed)


# a table of a many-body process takes a second: few values, and many decays
CHOICES = {
    "pi0enug": [{}, {"E_gamma_min": 0.001}, {"E_gamma_min": 0.2}],
    "pi0munug": [{}, {"E_gamma_min": 0.001}, {"E_gamma_min": 0.18}],
    "pipienu": [{}],
    "pi0pi0enu": [{}],
    "munuee": [{}, {"m_ee_min": 0.0010220}, {"m_ee_min": 0.35}],
    "enuee": [{}, {"m_ee_min": 0.0010220}, {"m_ee_min": 0.33}],
    "munumumu": [{}],
    "enumumu": [{}],
    "pieeee": [{}],
    "munuV-mumu": [{"m_X": m} for m in (find("munuV-mumu").parameters[0].minimum, 0.26, 0.387)],
}


def test_every_many_body_process_is_there():
    assert sorted(CHOICES) == sorted(MANY_BODY)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "values"), [(name, v) for name in CHOICES for v in CHOICES[name]], ids=str)
def test_decays_to_many_bodies(name, values):
    for seed in (1, 2**40 + 7):
        check(name, values, 30_000, seed)


# Ranges ----------------------------------------------------------------------------------------------------------

PARAMETERS = [(process.name, p.name) for process in processes() for p in process.parameters]
CUTS_AND_MASSES = [(process.name, p.name) for process in processes() for p in process.parameters if p.unit == "GeV"]


def parameter(name, wanted):
    return next(p for p in find(name).parameters if p.name == wanted)


def needed(name):
    """Values of the parameters that have no default, amid their ranges."""
    return {p.name: (p.minimum + p.maximum) / 2 for p in find(name).parameters if p.default is None}


@pytest.mark.parametrize(("name", "wanted"), PARAMETERS)
def test_values_out_of_range_are_refused(name, wanted):
    process, p = find(name), parameter(name, wanted)
    span = p.maximum - p.minimum
    for value in (p.minimum - 0.1 * span, p.maximum + 0.1 * span, math.inf, -math.inf, math.nan):
        with pytest.raises(ProcessError) as refused:
            process.values({**needed(name), wanted: value})
        message = str(refused.value)
        unit = f" {p.unit}" if p.unit else ""
        assert message.startswith(f"{name}: {wanted} = {value:g}{unit} is not allowed")
        assert f"between {p.minimum:g} and {p.maximum:g}{unit}" in message
        assert p.description in message
    for value in (np.nextafter(p.minimum, -math.inf), np.nextafter(p.maximum, math.inf)):
        with pytest.raises(ProcessError, match=wanted):
            process.values({**needed(name), wanted: value})


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_or_unknown_is_named(name):
    process = find(name)
    for wanted in needed(name):
        rest = {key: value for key, value in needed(name).items() if key != wanted}
        with pytest.raises(ProcessError, match=rf"^{name}: {wanted} is missing: .*{parameter(name, wanted).minimum:g}"):
            process.values(rest)
    with pytest.raises(ProcessError, match=rf"^{name} has no parameter 'm_Z'"):
        process.values({**needed(name), "m_Z": 1.0})


@pytest.mark.slow
@pytest.mark.parametrize(("name", "wanted"), CUTS_AND_MASSES)
def test_both_ends_of_the_range_of_a_mass_or_a_cut_leave_phase_space(name, wanted):
    p = parameter(name, wanted)
    for value in (p.minimum, p.maximum):
        decays = check(name, {**needed(name), wanted: value}, 2000, 5)
        assert decays.efficiency > 0.1
        rate = find(name).branching_fraction(find(name).values({**needed(name), wanted: value}))
        assert math.isfinite(rate.value)
        assert rate.value > 0
        assert rate.error >= 0
