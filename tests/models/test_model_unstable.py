"""From widths to lifetimes: units, boosts, and how little an import costs."""

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from particle import Particle
from relative import approx

from kaongen.errors import ProcessError
from kaongen.models.constants import HBAR_C, SPEED_OF_LIGHT_CM, V_UD, VEV
from kaongen.models.lmu_ltau import LMuLTau
from kaongen.models.muonic_scalar import MuonicScalar
from kaongen.models.unstable import Unstable, kallen, phase_space
from kaongen.particles import G_F, HBAR, TAU_MU


class Kaon(Unstable):
    """A long-lived particle that everybody has measured."""

    name = "kaon"
    mass = 0.493677

    def widths(self):
        width = Particle.from_pdgid(321).width / 1000
        return {"mu+ nu_mu": 0.6356 * width, "the rest": 0.3644 * width}


def test_units_are_those_of_a_measured_particle():
    """The kaon flies 3.712 m (c tau) and lives 12.38 ns; at 75 GeV it flies 564 m."""
    assert Kaon().lifetime() == approx(12.38, abs=0.01)
    assert Kaon().decay_length(0.493677 * math.sqrt(2)) == approx(3.711, abs=0.003)
    assert Kaon().decay_length(75.0) == approx(563.8, abs=0.5)
    assert Kaon().branching_fractions() == approx({"mu+ nu_mu": 0.6356, "the rest": 0.3644})
    assert Kaon().escape_probability(75.0, 60.0) == approx(0.899, abs=1e-3)


def test_constants_agree_with_each_other():
    """hbar c = 0.19733 GeV fm, and the muon's lifetime from G_F (with its known corrections of 0.4%)."""
    assert approx(0.1973269804e-15) == HBAR_C
    assert approx(246.22, abs=0.01) == VEV
    m = 0.1056583755
    phase = 1 - 8 * (0.51099895e-3 / m) ** 2
    assert HBAR / (G_F**2 * m**5 / (192 * math.pi**3) * phase) == approx(TAU_MU, rel=0.005)
    assert approx(29.9792458e9) == SPEED_OF_LIGHT_CM
    assert math.hypot(V_UD, 0.22431) == approx(1, abs=2e-3)


@given(m=st.floats(0.1, 5), a=st.floats(0, 0.5), b=st.floats(0, 0.5))
def test_phase_space_is_the_triangle_function(m, a, b):
    expected = math.sqrt(max(kallen(1.0, a * a, b * b), 0.0))
    assert phase_space(m, a * m, b * m) == approx(expected, rel=1e-9, abs=1e-7)
    assert phase_space(m, 0.6 * m, 0.5 * m) == 0


@given(energy=st.floats(1.0, 400.0), length=st.floats(0.0, 300.0), part=st.floats(0.01, 0.99))
def test_escape_is_memoryless(energy, length, part):
    phi = MuonicScalar(0.05, 6e-3)
    whole = phi.escape_probability(energy, length)
    pieces = phi.escape_probability(energy, part * length) * phi.escape_probability(energy, (1 - part) * length)
    assert whole == approx(pieces, rel=1e-9, abs=1e-300)
    assert 0 <= whole <= 1
    assert phi.escape_probability(1.1 * energy, length) >= whole


def test_at_rest_nothing_gets_away():
    v = LMuLTau(0.1, 1e-3)
    assert v.decay_length(0.1) == 0
    assert v.escape_probability(0.1, 1.0) == 0
    assert v.escape_probability(0.1, 0.0) == 1
    assert LMuLTau(0.1, 0.0).escape_probability(75.0, 1e6) == 1
    with pytest.raises(ProcessError, match=r"length = -1 m is not allowed"):
        v.escape_probability(75.0, -1.0)


def test_importing_the_models_imports_no_compiler_and_no_quadrature():
    names = ["lmu_ltau", "muonic_scalar", "hnl", "dark_scalar", "alp", "dark_photon", "g_minus_2", "freeze_out"]
    imports = "; ".join(f"import kaongen.models.{name}" for name in names)
    program = f"import sys; {imports}; print(*(m for m in ('numba', 'scipy', 'h5py') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
