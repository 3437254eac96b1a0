"""Amplitudes of one's own for many bodies: plain or compiled functions of momenta, sampled like the catalogue's."""

from itertools import pairwise

import numpy as np
import pytest
from nbody import integral_over_pair, mass_squared, two_body, volume
from numba import njit
from phase_space import P_MIN, sampled
from scipy import stats

import kaongen
from kaongen.decays import catalogue
from kaongen.decays.amplitude import momenta_address
from kaongen.decays.cells import build_cells
from kaongen.decays.phase_space import phase_space
from kaongen.errors import ProcessError
from kaongen.jit import BLOCK
from kaongen.particles import BR_K_MUNU, M_E, M_K, M_MU, M_PI, M_PI0


@pytest.fixture
def registry(monkeypatch):
    """A catalogue that forgets what a test registers."""
    monkeypatch.setattr(catalogue, "_CATALOGUE", dict(catalogue._CATALOGUE))


def own(function, decay="K+ -> pi+ pi- e+ nu_e", *, particles=None, name="mine", **options):
    dynamics = {key: options.pop(key) for key in ("order", "limits", "exchange") if key in options}
    amplitude = kaongen.momenta_amplitude(function, particles or len(decay.split()) - 2)
    rate = options.pop("rate", kaongen.measured(BR_K_MUNU))
    return kaongen.Process(name, decay, kaongen.ManyBody(amplitude, **dynamics), rate, "none", **options)


# Functions -------------------------------------------------------------------------------------------------------


def different(p, parameters):
    """Another number for each exchange of particles or of components."""
    total = parameters[0] * p[0][0] * p[len(p) - 1][2]
    for i in range(len(p)):
        total += (i + 1.0) * p[i][3] + 0.1 * i * i * p[i][1] * p[i][0]
    return total * total


@njit
def compiled_different(p, parameters):
    total = parameters[0] * p[0][0] * p[len(p) - 1][2]
    for i in range(len(p)):
        total += (i + 1.0) * p[i][3] + 0.1 * i * i * p[i][1] * p[i][0]
    return total * total


@pytest.mark.parametrize("function", [different, compiled_different], ids=["plain", "njit"])
@pytest.mark.parametrize("particles", [3, 4, 5, 6])
def test_a_function_becomes_a_loop_over_a_block(particles, function):
    amplitude = kaongen.momenta_amplitude(function, particles)
    momenta = np.random.default_rng(particles).normal(size=(4 * particles, BLOCK))
    parameters, result = np.array([0.25]), np.full(BLOCK, -1.0)
    n = 100
    assert amplitude(n, momenta.ravel(), parameters, result) == 0
    p = momenta.reshape(particles, 4, BLOCK)[:, :, :n]
    assert result[:n] == pytest.approx(different(p, parameters), rel=1e-12)
    assert (result[n:] == -1).all()
    assert momenta_address(amplitude) != 0


def test_plain_and_compiled_functions_give_the_same_decays():
    one, other = (own(f, "K+ -> pi+ e+ e-", parameters=(STRENGTH,)) for f in (different, compiled_different))
    first, second = (kaongen.sample(process, 20_000) for process in (one, other))
    assert first.columns.tobytes() == second.columns.tobytes()
    assert one.width({"a": 0.5}) == other.width({"a": 0.5})


STRENGTH = kaongen.Parameter("a", -1.0, 1.0, "strength", default=0.25)


def test_amplitudes_are_not_mistaken_for_each_other():
    """Both are made into the same loop, over the same phase space."""
    widths = [own(function, "K+ -> pi+ e+ e-").width({})[0] for function in (steep, whole_number)]
    assert widths[1] / widths[0] > 1000
    assert own(steep, "K+ -> pi+ e+ e-").width({})[0] == widths[0]


def steep(p, parameters):
    return p[0][3] ** 8


def whole_number(p, parameters):
    return 2


def test_a_function_that_returns_a_whole_number_is_taken():
    """Twice phase space."""
    masses = (M_PI, M_MU, M_MU)
    table = build_cells(kaongen.momenta_amplitude(whole_number, 3), phase_space(M_K, masses), np.empty(0))
    assert table.integral == pytest.approx(2 * volume(M_K, masses), rel=1e-5)


# A process of one's own ------------------------------------------------------------------------------------------


def photon_like(p, parameters):
    """A pole in the mass of p[0] and p[1], and a preference of p[2] for high energies."""
    e = p[0][3] + p[1][3]
    x, y, z = p[0][0] + p[1][0], p[0][1] + p[1][1], p[0][2] + p[1][2]
    s = e * e - x * x - y * y - z * z
    return parameters[0] / (s + parameters[1])


@pytest.mark.usefixtures("registry")
def test_a_process_of_ones_own():
    """Registered, found by its name, with parameters, a new particle, a width, a rate and decays."""
    process = kaongen.register(
        kaongen.Process(
            name="pair-and-X",
            decay="K+ -> pi+ X e+ e-",
            dynamics=kaongen.ManyBody(kaongen.momenta_amplitude(photon_like, 4), order=(2, 3, 0, 1)),
            parameters=(
                kaongen.Parameter("strength", 0.0, 10.0, "of the coupling", default=3.0),
                kaongen.Parameter("away", 0.0, 1.0, "of the pole", "GeV^2", default=1e-3),
                kaongen.Parameter("m_X", 0.0, 0.3, "mass of X", "GeV"),
            ),
            mass_of={"X": "m_X"},
            rate=kaongen.relative_to_munu(lambda v: 0.5),
            reference="these lines",
        )
    )
    assert kaongen.find("pair-and-X") is process
    values = process.values({"m_X": 0.1})
    masses = (M_PI, 0.1, M_E, M_E)
    assert process.masses(values) == masses

    def squared(s):
        return 3.0 / (s + 1e-3)

    whole = integral_over_pair(M_K, masses, (2, 3), squared)
    width, error = process.width(values)
    assert width == pytest.approx(whole / (2 * M_K), rel=2e-4)
    assert error < 1e-3 * width
    # Sum|M|^2 of K -> mu nu is lambda^2 (m_K^2 - m_mu^2), and its phase space a number
    munu = (M_K**2 - M_MU**2) * float(two_body(M_K, M_MU, 0.0)) / (2 * M_K)
    rate = process.branching_fraction(values)
    assert rate.value == pytest.approx(0.5 * BR_K_MUNU.value * whole / (2 * M_K) / munu, rel=2e-4)

    n = 100_000
    decays = sampled(process, {"m_X": 0.1}, n)
    for particle, mass in enumerate(masses):
        assert np.abs(mass_squared(decays.momenta[particle]) - mass**2).max() < 1e-12 * M_K**2
    s = decays.mass_squared(2, 3)
    edges = np.array([4 * M_E**2, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.02, 0.03, 0.045, (M_K - M_PI - 0.1) ** 2])
    shares = [integral_over_pair(M_K, masses, (2, 3), squared, within=piece) / whole for piece in pairwise(edges)]
    assert sum(shares) == pytest.approx(1, rel=1e-6)
    assert stats.chisquare(np.histogram(s, edges)[0], np.array(shares) / sum(shares) * n).pvalue > P_MIN
    assert kaongen.sample(process, 1000, values={"m_X": 0.1}).names == ("pi+", "X", "e+", "e-")


def check_masses(p, parameters):
    """1 if the particles have these squared masses, and nothing that is allowed otherwise."""
    for i in range(len(p)):
        s = p[i][3] ** 2 - p[i][0] ** 2 - p[i][1] ** 2 - p[i][2] ** 2
        if abs(s - parameters[i] * parameters[i]) > 1e-10:
            return np.nan
    return 1.0


@pytest.mark.parametrize("order", [(), (2, 0, 3, 1)])
def test_an_amplitude_gets_the_daughters_in_the_order_that_it_asks_for(order):
    decay, masses = "K+ -> pi+ mu+ e- gamma", (M_PI, M_MU, M_E, 0.0)
    wanted = [masses[i] for i in order or range(4)]
    parameters = tuple(kaongen.Parameter(f"m{i}", 0.0, 1.0, "mass", "GeV", m) for i, m in enumerate(wanted))
    process = own(check_masses, decay, order=order, parameters=parameters)
    decays = sampled(process, {}, 100)
    for particle, mass in enumerate(masses):
        assert np.abs(decays.mass_squared(particle) - mass**2).max() < 1e-12
    assert process.width(process.values({}))[0] == pytest.approx(float(volume(M_K, masses)) / (2 * M_K), rel=1e-4)


def test_like_daughters_are_exchanged_if_asked():
    """An amplitude that prefers the first one, made symmetric."""
    energies = []
    for exchange in ((), ((0, 1),)):
        p = sampled(own(steep, "K+ -> pi+ pi+ pi-", exchange=exchange), {}, 50_000).momenta
        energies.append(p[:, 3].mean(axis=1))
    plain, exchanged = energies
    assert plain[0] > plain[1] + 0.005
    # to five times 35 MeV over the square root of the number
    assert exchanged == pytest.approx([plain[:2].mean(), plain[:2].mean(), plain[2]], abs=8e-4)


def test_like_daughters_halve_the_width():
    process = own(whole_number, "K+ -> pi+ pi+ pi-")
    assert process.symmetry == 2
    assert process.width({})[0] == pytest.approx(2 * float(volume(M_K, 3 * [M_PI])) / (2 * M_K) / 2, rel=1e-4)


def test_limits_of_a_process():
    """On the mass shell of a system, from a parameter."""
    mass = kaongen.Parameter("m", 0.28, 0.4, "mass of the pair", "GeV")
    process = own(whole_number, limits=lambda v: {2: (v["m"], v["m"])}, parameters=(mass,))
    s = sampled(process, {"m": 0.35}, 100).mass_squared(0, 1)
    assert np.sqrt(s) == pytest.approx(np.full(100, 0.35), rel=1e-12)


def energy_of_the_neutrino(p, parameters):
    return p[2][3]


def energy_on_the_plot(s12, s23, parameters):
    return (M_K * M_K - s12) / (2.0 * M_K)


def test_three_bodies_as_many_bodies():
    """The same width as on the Dalitz plot, and the same spectrum."""
    decay = "K+ -> pi0 e+ nu_e"
    many = own(energy_of_the_neutrino, decay)
    dalitz = kaongen.Process(
        "plot", decay, kaongen.ThreeBody(kaongen.amplitude(energy_on_the_plot)), kaongen.measured(BR_K_MUNU), "none"
    )
    assert many.width({})[0] == pytest.approx(dalitz.width({})[0], rel=1e-5)
    edges = np.linspace(M_PI0, 0.265, 31)
    spectra = [np.histogram(sampled(process, {}, 100_000).momenta[0, 3], edges)[0] for process in (many, dalitz)]
    assert stats.chi2_contingency(np.array(spectra)).pvalue > P_MIN


# What a user gets wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("particles", [0, 2, 7])
def test_too_few_or_too_many_daughters(particles):
    with pytest.raises(ProcessError, match=f"an amplitude of {particles} daughters: it must be 3 to 6"):
        kaongen.momenta_amplitude(different, particles)


@pytest.mark.parametrize(
    "function",
    [lambda p, parameters: p[4][3], lambda p: 1.0, lambda p, parameters: p[0], lambda p, parameters: "a"],
    ids=["a fifth particle", "one argument", "a momentum", "a text"],
)
def test_a_function_that_cannot_be_compiled(function):
    with pytest.raises(ProcessError, match=r"numba cannot compile the amplitude as a function of \(p, parameters\): "):
        kaongen.momenta_amplitude(function, 4)


@pytest.mark.parametrize(
    ("decay", "options", "message"),
    [
        ("K+ -> pi+ pi0", {"particles": 3}, "mine: 'K\\+ -> pi\\+ pi0' has 2 daughters, it must have 3 or more"),
        ("K+ -> pi+ e+ e-", {"order": (0, 1)}, r"mine: order \(0, 1\) must hold 0, 1 and 2 once each"),
        ("K+ -> pi+ e+ e-", {"order": (1, 2, 3)}, r"mine: order \(1, 2, 3\) must hold 0, 1 and 2 once each"),
        ("K+ -> pi+ e+ e-", {"order": (0, 0, 1)}, r"mine: order \(0, 0, 1\) must hold 0, 1 and 2 once each"),
    ],
)
def test_a_process_that_cannot_be(decay, options, message):
    with pytest.raises(ProcessError, match=message):
        own(whole_number, decay, **options)


def negative(p, parameters):
    return p[0][3] - 0.2


@pytest.mark.parametrize(
    ("function", "decay", "limits", "message"),
    [
        (negative, "K+ -> pi+ e+ e-", None, r"mine: \|M\|\^2 is -.*: it must be finite and not negative everywhere"),
        (whole_number, "K+ -> pi+ e+ e-", lambda v: {2: (0.0, 0.1)}, "mine: the limits leave no phase space"),
        (whole_number, "K+ -> pi+ e+ e-", lambda v: {3: (0.0, 0.1)}, "mine: limits on the mass of the first 3 of 3"),
    ],
)
def test_a_process_that_cannot_be_sampled(function, decay, limits, message):
    process = own(function, decay, limits=limits)
    for ask in (lambda: kaongen.sample(process, 10), lambda: process.width({})):
        with pytest.raises(ProcessError, match=message):
            ask()


def _one(p, parameters):
    return 1.0


@pytest.mark.parametrize("particles", [4, 6])
def test_an_amplitude_of_another_number_of_daughters_is_refused(particles):
    """It would read momenta that are not there."""
    with pytest.raises(ProcessError, match=f"mine: the amplitude is of {particles} daughters, the decay has 5"):
        kaongen.Process(
            name="mine",
            decay="K+ -> pi+ e+ e- nu anti-nu",
            dynamics=kaongen.ManyBody(kaongen.momenta_amplitude(_one, particles)),
            rate=kaongen.measured(BR_K_MUNU),
            reference="here",
        )


@pytest.mark.parametrize("pair", [(0, 7), (-1, 1), (0, 2)])
def test_only_like_daughters_can_be_exchanged(pair):
    with pytest.raises(ProcessError, match=r"mine: exchange \(.*\) must be the positions in p of two daughters"):
        kaongen.Process(
            name="mine",
            decay="K+ -> e+ e+ e- nu_e",
            dynamics=kaongen.ManyBody(kaongen.momenta_amplitude(_one, 4), exchange=(pair,)),
            rate=kaongen.measured(BR_K_MUNU),
            reference="here",
        )


def test_a_narrow_peak_outside_the_chain_is_warned_of():
    def peak(p, parameters):
        e, x, y, z = p[0][3] + p[2][3], p[0][0] + p[2][0], p[0][1] + p[2][1], p[0][2] + p[2][2]
        return 1.0 / ((e * e - x * x - y * y - z * z - 0.04) ** 2 + 1e-10)

    process = kaongen.Process(
        name="mine",
        decay="K+ -> e+ nu_e mu+ mu-",
        dynamics=kaongen.ManyBody(kaongen.momenta_amplitude(peak, 4)),
        rate=kaongen.measured(BR_K_MUNU),
        reference="here",
    )
    with pytest.warns(UserWarning, match="a narrow peak must be in the mass of the first two"):
        process.cell_table({})
