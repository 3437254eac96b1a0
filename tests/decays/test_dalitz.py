"""The Dalitz table: integral against quadrature, bounds against random points, alias table against counting."""

import numpy as np
import pytest
from numba import njit, types
from phase_space import THREE_BODY_CASES, Plot, label, plot_of, sampled

from kaongen.decays import dalitz
from kaongen.decays.alias import probabilities
from kaongen.decays.amplitude import amplitude
from kaongen.decays.catalogue import find
from kaongen.decays.dalitz import CELLS, build_table, density
from kaongen.decays.process import Parameter, Process, ThreeBody
from kaongen.decays.rates import measured
from kaongen.errors import ProcessError
from kaongen.particles import BR_K_MUNU, M_K, M_MU, M_PI, M_PI0, SPECIES

_GRID = types.Array(types.float64, 1, "C")
POINTS_PER_CELL = 16


@njit(types.float64[:](types.int64, _GRID, _GRID, _GRID, _GRID))
def density_at(address, u, v, geometry, parameters):
    result = np.empty(u.size)
    for j in range(u.size):
        result[j] = density(address, u[j], v[j], geometry, parameters)
    return result


def probabilities_at_random_points(table, seed=1):
    """Acceptance at points spread over every cell, corners included; (cells, points)."""
    rng = np.random.default_rng(seed)
    cell = np.arange(CELLS**2)[:, None]
    inside = rng.random((2, CELLS**2, POINTS_PER_CELL))
    inside[:, :, :4] = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])[:, None, :]
    u, v = (
        edges[i] + x * (edges[i + 1] - edges[i])
        for edges, i, x in zip((table.edges_u, table.edges_v), (cell // CELLS, cell % CELLS), inside, strict=True)
    )
    values = density_at(table.address, u.ravel(), v.ravel(), table.geometry, table.parameters)
    return values.reshape(u.shape) * table.acceptance[:, None]


@pytest.fixture(scope="module", params=THREE_BODY_CASES, ids=label)
def case(request):
    name, values = request.param
    process = find(name)
    return process.dalitz_table(process.values(values)), plot_of(name, values)


STEEP = ("piee",)
"""The threshold of the pair lies six decades below the end of its mass squared, in one cell of the plot."""


def test_integral_agrees_with_quadrature(case, request):
    table, plot = case
    truth = plot.integral()
    assert table.integral == pytest.approx(truth, rel=3e-4 if request.node.callspec.id in STEEP else 2e-4)
    assert abs(table.integral - truth) < table.integral_error
    assert table.integral_error < 2e-3 * truth


def test_at_least_95_of_100_proposals_are_accepted(case):
    table, _ = case
    assert 0.95 <= table.efficiency < 1
    assert 0.8 < table.squeeze < table.efficiency


def test_bounds_hold_all_over_the_plot(case, request):
    """A million points: none above the bound of its cell, none below the floor."""
    table, _ = case
    probability = probabilities_at_random_points(table)
    steep = request.node.callspec.id in STEEP
    # in the first of the strips of cells along s12 the bounds may fail, and nowhere else
    outside = probability[CELLS if steep else 0 :]
    assert outside.max() <= 1
    assert (outside >= table.floor[CELLS if steep else 0 :, None]).all()
    assert (table.floor >= 0).all()


def test_edges_divide_the_unit_square(case):
    table, _ = case
    for edges in (table.edges_u, table.edges_v):
        assert edges.shape == (CELLS + 1,)
        assert (edges[0], edges[-1]) == (0, 1)
        assert (np.diff(edges) > 0).all()


def test_limits_agree_with_those_from_energies_and_momenta(case):
    table, plot = case
    low, high = plot.s12_range
    assert table.geometry[dalitz.S12_MIN : dalitz.S12_MAX + 1] == pytest.approx((low, high), rel=1e-14)
    for s12 in np.linspace(low, high, 13)[1:-1]:
        start, length = dalitz.s23_limits(s12, table.geometry)
        assert (start, start + length) == pytest.approx(plot.s23_range(s12), rel=1e-10)


def test_cells_are_proposed_as_their_bounds_ask(case):
    """Proposal probability times acceptance is the cell's area over one common number: the samples are unweighted."""
    table, _ = case
    given = probabilities(table.alias)
    area = np.outer(np.diff(table.edges_u), np.diff(table.edges_v)).ravel()
    occupied = given > 0
    assert (table.acceptance[~occupied] == 0).all()
    ceiling = area[occupied] / (given * table.acceptance)[occupied]
    assert ceiling == pytest.approx(ceiling.mean(), rel=1e-12)
    span = table.geometry[dalitz.S12_MAX] - table.geometry[dalitz.S12_MIN]
    assert table.efficiency == pytest.approx(table.integral / span / ceiling.mean(), rel=1e-12)


# Amplitudes that a user may hand in ------------------------------------------------------------------------------


@amplitude
def negative(s12, s23, p):
    return 0.12 - s12


@amplitude
def not_a_number(s12, s23, p):
    return (0.15 - s12) ** 0.5


@amplitude
def infinite(s12, s23, p):
    return 1.0 / max(0.15 - s12, 0.0)


@amplitude
def nothing(s12, s23, p):
    return 0.0


@amplitude
def constant(s12, s23, p):
    return 1.0


@amplitude
def peak_in_s12(s12, s23, p):
    return 1.0 / ((s12 - p[0] ** 2) ** 2 + (p[0] * p[1]) ** 2)


@amplitude
def peak_in_s23(s12, s23, p):
    return 1.0 / ((s23 - p[0] ** 2) ** 2 + (p[0] * p[1]) ** 2)


def process_of(squared, decay="K+ -> pi+ mu+ mu-", **options):
    return Process("mine", decay, ThreeBody(squared), measured(BR_K_MUNU), "none", **options)


@pytest.mark.parametrize(
    ("squared", "message"),
    [
        (negative, r"mine: \|M\|\^2 is -.*at s12 = 0\.1[2-5]"),
        (not_a_number, r"mine: \|M\|\^2 is nan .*at s12 = 0\.1[5-9]"),
        (infinite, r"mine: \|M\|\^2 is inf .*at s12 = 0\.1[5-9]"),
        (nothing, r"mine: \|M\|\^2 vanishes all over"),
    ],
)
def test_an_impossible_amplitude_is_refused(squared, message):
    with pytest.raises(ProcessError, match=message):
        process_of(squared).dalitz_table({})


def test_below_threshold_is_refused():
    heavy = process_of(constant, "K+ -> pi0 mu+ X", parameters=(Parameter("m", 0.0, 1.0, "mass"),), mass_of={"X": "m"})
    limit = M_K - M_PI0 - M_MU
    with pytest.raises(
        ProcessError, match=r"mine: the daughters' masses add up to 0\.49368.* GeV: they must be below 0\.4936"
    ):
        heavy.dalitz_table({"m": limit + 1e-5})
    assert heavy.dalitz_table({"m": limit - 1e-5}).integral > 0


def test_a_cut_without_phase_space_is_refused():
    with pytest.raises(ProcessError, match="the cut leaves no phase space"):
        build_table(constant, (M_PI, M_MU, M_MU), np.zeros(0), parent=M_K, s12_max=0.06)


def test_a_parameter_without_a_mass_is_refused():
    with pytest.raises(ProcessError, match="mine: no parameter gives the mass of X"):
        process_of(constant, "K+ -> pi0 mu+ X").dalitz_table({})


def test_a_process_without_a_dalitz_plot_says_so():
    with pytest.raises(ProcessError, match=r"munu has no Dalitz plot: K\+ -> mu\+ nu_mu"):
        find("munu").dalitz_table({})


def test_two_massless_daughters_may_be_any_pair():
    """Constant |M|^2 for K -> pi nu nubar: the area of the plot does not care which pair is called 12."""
    masses = (SPECIES["pi+"].mass, 0.0, 0.0)
    areas = [build_table(constant, masses[k:] + masses[:k], np.zeros(0), parent=M_K).integral for k in range(3)]
    assert areas == pytest.approx([areas[0]] * 3, rel=1e-3)


@pytest.mark.parametrize(
    ("squared", "pair", "width"),
    [(peak_in_s12, (0, 1), 1e-3), (peak_in_s23, (1, 2), 1e-3), (peak_in_s23, (1, 2), 3e-4)],
)
def test_a_narrow_peak_is_sampled_without_bias(squared, pair, width):
    """A resonance in pi mu or mu mu: what lies above its bound is counted, and kept with a weight that makes up for it.

    Of 1 MeV nothing does; the ridge of 0.3 MeV falls between the points at which the bounds were looked for.
    """
    mass = 0.27
    resonance = (Parameter("M", 0.0, 1.0, "mass", default=mass), Parameter("W", 0.0, 1.0, "width", default=width))
    process = process_of(squared, parameters=resonance)
    result = sampled(process, {}, 1_000_000)
    assert result.above == (result.weight > 1).sum()
    assert (result.above == 0) == (width == 1e-3)
    assert len(result.weight) == 1_000_000
    assert result.weight.min() == 1

    plot = Plot(process.masses(process.values({})), lambda s12, s23: squared.py_func(s12, s23, np.array([mass, width])))
    inside = mass + width * np.array([-15, -5, -2, -1, -0.5, -0.2, 0, 0.2, 0.5, 1, 2, 5, 15])
    low, high = (M_PI + M_MU, M_K - M_MU) if pair == (0, 1) else (2 * M_MU, M_K - M_PI)
    edges = np.array([low, *inside, high]) ** 2
    expected = plot.marginal_s12(edges) if pair == (0, 1) else plot.marginal_s23(edges)
    expected *= result.weight.sum()
    observed, _ = np.histogram(result.mass_squared(*pair), edges, weights=result.weight)
    errors = np.sqrt(np.histogram(result.mass_squared(*pair), edges, weights=result.weight**2)[0])
    assert (np.abs(observed - expected) < 5 * errors).all()
