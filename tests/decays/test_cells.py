"""Tables of cells: integrals that are known, errors that are honest, efficiencies as measured, and what is refused."""

import os
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from nbody import integral_over_pair, power_of_pair, step_of_pair, volume

from kaongen.decays.alias import CELL_BITS, CELLS, probabilities
from kaongen.decays.cells import build_cells
from kaongen.decays.phase_space import phase_space
from kaongen.decays.samplers import PRIMARY, Cells
from kaongen.decays.workspace import DecayBlock
from kaongen.errors import ProcessError
from kaongen.jit import BLOCK
from kaongen.particles import M_E, M_K, M_MU
from kaongen.random import stream_key

THREE = (0.1, 0.05, 0.1)
MUONS = (M_MU, M_MU, M_MU, 0.0)
ELECTRONS = (M_E, M_E, M_MU, 0.0)
FIVE = (0.02, 0.1, 0.0, 0.08, 0.05)
SIX = (0.03, 0.1, 0.05, 0.0, 0.02, 0.06)

RESONANCE = 0.27
"""Mass in GeV of the resonances below."""


@dataclass(frozen=True)
class Power:
    """[(s - a)^2 + b^2]^c of a pair of particles over the phase space of some masses."""

    masses: tuple
    pair: tuple = (0, 1)
    a: float = 0.0
    b: float = 0.0
    c: float = 0.0

    amplitude = staticmethod(power_of_pair)

    @property
    def parameters(self):
        return np.array([*self.pair, self.a, self.b, self.c])

    def integral(self):
        ends = (self.a - 5 * self.b, self.a + 5 * self.b) if self.b else ()
        return integral_over_pair(
            M_K, self.masses, self.pair, lambda s: ((s - self.a) ** 2 + self.b**2) ** self.c, ends
        )


@dataclass(frozen=True)
class Step:
    """One where the squared mass of a pair is above a, and nothing below."""

    masses: tuple
    pair: tuple
    a: float

    amplitude = staticmethod(step_of_pair)

    @property
    def parameters(self):
        return np.array([*self.pair, self.a, 0.0])

    def integral(self):
        return integral_over_pair(M_K, self.masses, self.pair, lambda s: float(s > self.a), (self.a,))


def resonance(masses, pair, relative_width):
    """A squared propagator of a particle of that relative width."""
    return Power(masses, pair, RESONANCE**2, relative_width * RESONANCE**2, -1.0)


CASES = {
    "flat, 3": Power(THREE),
    "flat, 4": Power(MUONS),
    "flat, 5": Power(FIVE),
    "flat, 6": Power(SIX),
    "photon": Power(ELECTRONS, c=-1.0),
    "growing": Power(MUONS, (1, 3), c=1.0),
    "wide resonance": resonance(MUONS, (0, 2), 0.1),
    "resonance": resonance(MUONS, (0, 1), 0.02),
    "narrow resonance": resonance(THREE, (0, 1), 0.001),
    "step": Step(MUONS, (0, 2), 0.065),
}

every_case = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "flat, 6" else ()) for name in CASES]
)


@cache
def table_of(name):
    case = CASES[name]
    return build_cells(case.amplitude, phase_space(M_K, case.masses), case.parameters)


@cache
def pull_of(name):
    table = table_of(name)
    return (table.integral - CASES[name].integral()) / table.integral_error


@every_case
def test_known_integrals(name):
    """Within 4.5 of the errors that are stated, which are small."""
    table, case = table_of(name), CASES[name]
    assert abs(pull_of(name)) < 4.5
    assert 0 < table.integral_error < 5e-4 * table.integral
    if "flat" in name:
        assert table.integral == pytest.approx(volume(M_K, case.masses[::-1]), rel=1e-4)


def test_errors_are_honest():
    """Deviations are as large as the errors say; all cases share their random numbers, so the average may be off."""
    pulls = np.array([pull_of(name) for name in CASES if name != "flat, 6"])
    assert 0.4 < np.sqrt((pulls**2).mean()) < 2


def test_a_system_on_its_mass_shell():
    """What is left of phase space when S_2 is fixed, with an amplitude of another pair."""
    masses, shell = (0.1, 0.05, 0.1, 0.08), 0.2
    space = phase_space(M_K, masses, {2: (shell, shell)})
    table = build_cells(power_of_pair, space, np.array([2, 3, 0.0, 0.0, 1.0]))
    first = shell * volume(shell, masses[:2])
    expected = first * integral_over_pair(M_K, (*masses[2:], shell), (0, 1), lambda s: s**2)
    assert abs(table.integral - expected) < 4.5 * table.integral_error
    assert table.integral_error < 1e-4 * expected


# What a table holds ----------------------------------------------------------------------------------------------


@every_case
def test_cells(name):
    """All 2^16, with an acceptance that makes up for what the alias table gives them."""
    table = table_of(name)
    assert table.bits.sum() == CELL_BITS
    assert np.array_equal(table.shifts, np.cumsum(table.bits) - table.bits)
    assert table.alias.shape == table.acceptance.shape == (CELLS,)
    given = probabilities(table.alias)
    assert (given > 0).all()
    # proposed in proportion to a bound, accepted in inverse proportion
    constant = given * table.acceptance
    assert np.abs(constant / constant[0] - 1).max() < 1e-12
    # which, over the proposals, is the density in the hypercube: its mean is the integral
    assert constant[0] * CELLS * table.integral == pytest.approx(table.efficiency * table.space.constant, rel=1e-12)


def measured(table, n=100_000):
    """Decays per attempt, and the weights of n decays."""
    source, block = Cells(table, range(table.space.particles)), DecayBlock(table.space.particles)
    key, attempts, weights = stream_key(3, "cells"), 0, []
    for first in range(0, n, BLOCK):
        count = min(BLOCK, n - first)
        block.number(first, count)
        attempts += source.settle(key, count, PRIMARY, block, block.momenta)[0]
        weights.append(block.weight[:count].copy())
    return n / attempts, np.concatenate(weights)


@every_case
def test_efficiency_is_as_predicted(name):
    """Within 5 standard deviations of a geometric distribution; few decays above their bounds, and not by much."""
    table = table_of(name)
    n = 100_000
    efficiency, weight = measured(table, n)
    assert efficiency == pytest.approx(table.efficiency, rel=5 * np.sqrt((1 - table.efficiency) / n) + 1e-4)
    assert (weight > 1).mean() < 1e-3
    assert weight.mean() - 1 < 1e-3


@pytest.mark.parametrize(
    ("name", "least"),
    [("flat, 3", 0.95), ("flat, 4", 0.9), ("flat, 5", 0.85), ("photon", 0.7), ("growing", 0.4)],
)
def test_efficiency(name, least):
    assert table_of(name).efficiency > least


def arrays_of(table):
    return {
        "warps": table.warps,
        "bits": table.bits,
        "alias": table.alias,
        "acceptance": table.acceptance,
        "numbers": np.array([table.integral, table.integral_error, table.efficiency]),
    }


@pytest.mark.parametrize("threads", [1, 7])
def test_the_number_of_threads_does_not_matter(threads, monkeypatch):
    """To the last bit, also of sums."""
    expected = arrays_of(table_of("narrow resonance"))
    monkeypatch.setattr(os, "cpu_count", lambda: threads)
    case = CASES["narrow resonance"]
    got = arrays_of(build_cells(case.amplitude, phase_space(M_K, case.masses), case.parameters))
    for name, array in expected.items():
        assert got[name].tobytes() == array.tobytes(), name


# What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("below", "message"),
    [
        (-1.0, r"\|M\|\^2 is -.* \(times the phase space\): it must be finite and not negative everywhere"),
        (np.nan, r"\|M\|\^2 is nan .*: it must be finite"),
        (np.inf, r"\|M\|\^2 is inf .*: it must be finite"),
        (0.0, r"\|M\|\^2 vanishes all over phase space: there is nothing to sample"),
    ],
)
def test_an_amplitude_that_is_impossible_everywhere(below, message):
    with pytest.raises(ProcessError, match=message):
        build_cells(step_of_pair, phase_space(M_K, THREE), np.array([0, 1, 1.0, below]))


@pytest.mark.parametrize("below", [-1.0, np.nan, np.inf])
def test_an_amplitude_that_is_impossible_in_a_corner(below):
    """In less than a ten-thousandth of phase space."""
    m1, m2, _ = THREE
    limit = (m1 + m2 + 3e-4) ** 2
    corner = 1 - Step(THREE, (0, 1), limit).integral() / volume(M_K, THREE)
    assert 1e-6 < corner < 1e-4
    with pytest.raises(ProcessError, match="it must be finite and not negative everywhere"):
        build_cells(step_of_pair, phase_space(M_K, THREE), np.array([0, 1, limit, below]))
