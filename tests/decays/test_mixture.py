"""Mixtures: how often each process is chosen, and that its decays are those that it would make alone."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from in_flight import M_K, P_MIN, chi_squared, product, spiky_process
from scipy import stats

from kaongen.decays import dec, mixture
from kaongen.decays.catalogue import find
from kaongen.decays.mixture import Component, Mixture, dec_text, from_dec, natural
from kaongen.decays.process import ManyBody, Rate, TwoBody
from kaongen.decays.samplers import PRIMARY, sampler
from kaongen.decays.workspace import DecayBlock
from kaongen.errors import ProcessError
from kaongen.jit import BLOCK
from kaongen.random import CHOICE, draw, stream_key

N = 1_000_000
CHUNK = mixture._CHUNK


def component(name, fraction, error=0.0, **values):
    process = find(name) if isinstance(name, str) else name
    return Component(process, values, Rate(fraction, error, "invented"))


def mixed(*parts, name="mine"):
    """Of (process, fraction) pairs."""
    return Mixture(name, tuple(component(process, fraction) for process, fraction in parts))


MINE = Mixture(
    "mine",
    (
        component("munu", 3.0),
        component("pi0enu", 1.0),
        component("pinunu", 1e-9),
        component("munuV", 0.5, m_X=0.1),
        component("mununubarnu", 0.5),
        component("pipipi", 0.0),
    ),
)
"""Not normalised, one part that hardly ever happens, one that never does."""


@cache
def nature(n=N, **options):
    return natural().sample(n, **options)


@cache
def mine(n=N, **options):
    return MINE.sample(n, **options)


def same(one, other):
    assert np.array_equal(one.component, other.component)
    for a, b in zip(one.parts, other.parts, strict=True):
        assert np.array_equal(a.index, b.index)
        assert np.array_equal(a.columns, b.columns)
        assert a.above_bound == b.above_bound


# fractions


@pytest.mark.slow
def test_nature_decays_in_all_ways():
    """Measured fractions sum to one, within their errors and the experimenters'."""
    whole = natural()
    assert whole.name == "natural"
    assert abs(whole.total - 1) < whole.total_error
    assert 0.001 < whole.total_error < 0.002
    fractions = [c.fraction.value for c in whole.components]
    assert min(fractions) > 1e-11
    names = [c.process.name for c in whole.components]
    assert len(set(names)) == len(names)
    for c in whole.components:
        assert c.values == c.process.values({})


def test_radiative_parts_are_counted_once():
    """With and without a photon together are the measured fraction, which includes both."""
    fraction = {c.process.name: c.fraction for c in natural().components}
    for bare, radiative in (("munu", "munug"), ("pi0enu", "pi0enug"), ("pipi0", "pipi0g"), ("pi0munu", "pi0munug")):
        inclusive, part = (find(name).branching_fraction(find(name).values({})) for name in (bare, radiative))
        assert fraction[radiative] == part
        assert 0 < part.value < 0.1 * inclusive.value
        assert fraction[bare].value + fraction[radiative].value == pytest.approx(inclusive.value, rel=1e-15)
        assert fraction[bare].error == inclusive.error
    for name in ("pipipi", "pipi0pi0", "pipienu", "enu", "enug", "piee", "pinunu"):
        assert fraction[name] == find(name).branching_fraction(find(name).values({}))


@pytest.mark.slow
def test_nothing_of_the_standard_model_is_missing():
    """All that the catalogue has, but what is rarer than 1e-11 or comes with a parameter."""
    from kaongen.decays import rare, standard_model

    there = {c.process.name for c in natural().components}
    for process in (*standard_model.PROCESSES, *rare.PROCESSES):
        fraction = process.branching_fraction(process.values({})).value
        assert (process.name in there) == (fraction > 1e-11), process.name


@pytest.mark.slow
def test_frequencies_are_the_fractions():
    whole = natural()
    counts = np.array([len(part) for part in nature().parts])
    fractions = np.array([c.fraction.value for c in whole.components])
    often = fractions * N > 20
    assert often.sum() > 10
    observed = [*counts[often], counts[~often].sum()]
    expected = np.array([*fractions[often], fractions[~often].sum()]) / whole.total * N
    expected[-1] = max(expected[-1], 1e-9)
    assert stats.poisson.sf(counts[~often].sum() - 1, fractions[~often].sum() * N) > P_MIN
    assert stats.chisquare(observed[:-1], expected[:-1] * sum(observed[:-1]) / expected[:-1].sum()).pvalue > P_MIN


def test_frequencies_of_a_mixture_of_one_s_own():
    counts = np.array([len(part) for part in mine().parts])
    assert counts[2] == counts[5] == 0
    assert chi_squared(counts[[0, 1, 3, 4]], [3.0, 1.0, 0.5, 0.5]) > P_MIN


def test_choices_are_independent_of_one_another():
    """Pairs of neighbours, and the random numbers of the decays."""
    found = mine()
    pairs = found.component[:-1].astype(int) * 5 + found.component[1:]
    counts = np.bincount(pairs[::2], minlength=25).reshape(5, 5)[[0, 1, 3, 4]][:, [0, 1, 3, 4]]
    shares = np.array([3.0, 1.0, 0.5, 0.5])
    assert chi_squared(counts.ravel(), np.outer(shares, shares).ravel()) > P_MIN
    muons = found["munu"]
    cosine = muons.columns[2] / np.sqrt((muons.columns[:3] ** 2).sum(axis=0))
    assert stats.kstest(cosine, "uniform", args=(-1, 2)).pvalue > P_MIN


def test_the_choice_takes_64_bits():
    """The number of a decay is below the limit of its component to the last bit."""
    key = stream_key(1, "choice")
    words = [draw(key, np.uint64(k), CHOICE, np.uint64(0)) for k in range(1000)]
    numbers = [(int(w[0]) << 32) | int(w[1]) for w in words]
    for k in range(0, 1000, 50):
        for limit, expected in ((numbers[k], 1), (numbers[k] + 1, 0)):
            chosen = np.empty(1000, dtype=np.uint8)
            counts = mixture.choose(key, 0, np.array([limit, 2**64 - 1], dtype=np.uint64), chosen)
            assert chosen[k] == expected
            assert chosen.tolist() == [int(number >= limit) for number in numbers]
            assert counts.tolist() == np.bincount(chosen, minlength=2).tolist()


# the parts


def test_parts_are_the_numbers_that_were_chosen():
    for found, whole in ((mine(), MINE), (nature(100_000), natural())):
        assert len(found) == len(found.component)
        assert found.component.dtype == np.uint8
        assert found.mixture.name == whole.name
        assert len(found.parts) == len(whole.components)
        for k, (part, c) in enumerate(zip(found.parts, whole.components, strict=True)):
            assert part.process is c.process
            assert np.array_equal(part.index, np.flatnonzero(found.component == k))
            assert (np.diff(part.index.astype(np.int64)) > 0).all()
            assert len(part) == len(part.index) == part.columns.shape[1]
            assert part.names == c.process.daughters
            assert part.masses == c.process.masses(c.process.values(c.values))
            assert found[c.process.name] is part


def settled(part, key, numbers):
    """Float32 columns of these decays from the sampler of the process, block by block."""
    source = sampler(part.process, part.process.values(VALUES.get(part.process.name, {})))
    block = DecayBlock(source.particles)
    pieces, weights = [], []
    for first in range(0, len(numbers), BLOCK):
        some = numbers[first : first + BLOCK]
        block.take(some)
        source.settle(key, len(some), PRIMARY, block, block.momenta)
        pieces.append([p.reshape(4, BLOCK)[:3, : len(some)].copy() for p in block.momenta])
        weights.append(block.weight[: len(some)].copy())
    columns = np.concatenate([np.concatenate(piece) for piece in pieces], axis=1)
    return columns.astype(np.float32), np.concatenate(weights)


VALUES = {"munuV": {"m_X": 0.1}}


@pytest.mark.slow
def test_natural_decays_are_those_of_each_process():
    """Two-body, three-body and many-body: what its sampler makes of the same numbers with the mixture's key."""
    key = stream_key(1, "natural")
    for part in nature().parts:
        if len(part) == 0:
            continue
        numbers = np.random.default_rng(1).permutation(part.index)[:10_000]
        columns, weights = settled(part, key, numbers)
        at = np.searchsorted(part.index, numbers)
        assert np.array_equal(columns, part.columns[:, at]), part.process.name
        assert np.array_equal(weights, part.weight[at])


@pytest.mark.parametrize("seed", [1, 2])
def test_decays_are_those_of_each_process(seed):
    found = mine(300_000, seed=seed)
    for part in found.parts:
        if len(part):
            columns, _ = settled(part, stream_key(seed, "mine"), part.index)
            assert np.array_equal(columns, part.columns)


@pytest.mark.parametrize("momentum", [0.0, 75.0])
def test_the_daughters_add_up_to_a_moving_kaon(momentum):
    found = mine(100_000, momentum=momentum)
    for part in found.parts:
        if part.process.name == "mununubarnu":
            continue
        total = 0.0
        for k, mass in enumerate(part.masses):
            p = part.columns[3 * k : 3 * k + 3].astype(float)
            total = total + np.array([*p, np.sqrt((p**2).sum(axis=0) + mass**2)])
        if len(part):
            energy = np.hypot(momentum, M_K)
            assert np.abs(total - np.array([[0.0], [0.0], [momentum], [energy]])).max() < 3e-7 * energy
            assert np.abs(product(total, total) - M_K**2).max() < 1e-6 * energy**2


def test_a_boost_changes_nothing_else():
    rest, moving = mine(100_000), mine(100_000, momentum=75.0)
    assert np.array_equal(rest.component, moving.component)
    for a, b in zip(rest.parts, moving.parts, strict=True):
        assert np.array_equal(a.columns[::3], b.columns[::3])
        assert np.array_equal(a.columns[1::3], b.columns[1::3])
        assert not (a.columns[2::3] == b.columns[2::3]).any()


# threads, sizes, seeds


def test_the_number_of_threads_does_not_matter():
    n = 3 * CHUNK + 12_345
    one = MINE.sample(n, threads=1)
    for threads in (2, 5):
        same(one, MINE.sample(n, threads=threads))


def test_a_larger_sample_begins_with_the_smaller():
    larger = mine()
    for n in (0, 1, 2, 1000, BLOCK + 1, CHUNK - 1, CHUNK, CHUNK + 1, 700_000):
        smaller = MINE.sample(n)
        assert len(smaller) == n
        assert np.array_equal(smaller.component, larger.component[:n])
        for a, b in zip(smaller.parts, larger.parts, strict=True):
            k = np.searchsorted(b.index, n)
            assert np.array_equal(a.index, b.index[:k])
            assert k == 0 or np.array_equal(a.columns, b.columns[:, :k])


def test_no_decays():
    """Also of one component only: as many columns as there would be."""
    found = MINE.sample(0)
    assert len(found) == 0
    rows = [part.columns.shape[0] for part in mine().parts]
    assert [part.columns.shape for part in found.parts] == [(n, 0) for n in rows] == [
        (n, 0) for n in (6, 9, 9, 9, 6, 9)
    ]  # fmt: skip
    for part in found.parts:
        assert len(part) == len(part.index) == len(part.weight) == 0


def test_seeds_and_names_give_different_mixtures():
    one, other = mine(100_000), mine(100_000, seed=2)
    renamed = Mixture("other", MINE.components).sample(100_000)
    for different in (other, renamed):
        assert 0.3 < (one.component == different.component).mean() < 0.6
        assert not np.isin(one["munu"].columns[0, :1000], different["munu"].columns[0]).all()


# weights


@pytest.mark.filterwarnings("ignore:.*varies much")
def test_weights_of_decays_above_their_bounds():
    """By number, whatever the chunks that the numbers fell into."""
    spiky = spiky_process()
    n = 2 * CHUNK + 99
    found = mixed(("munu", 1.0), (spiky, 1.0), ("pi0enu", 0.5)).sample(n, threads=2)
    part = found["spiky"]
    columns, weights = settled(part, stream_key(1, "mine"), part.index)
    assert np.array_equal(columns, part.columns)
    assert len(part.above_bound) == (weights > 1.0).sum() > 100
    assert np.array_equal(part.weight, weights)
    assert set(part.above_bound) <= set(part.index.tolist())
    for name in ("munu", "pi0enu"):
        assert found[name].above_bound == {}
        assert (found[name].weight == 1.0).all()
    assert mixed(("munu", 1.0), (spiky, 1.0), ("pi0enu", 0.5)).sample(n, threads=1)["spiky"].above_bound == (
        part.above_bound
    )


def test_the_efficiency_is_that_of_each_process():
    found = mine()
    assert found["munu"].efficiency == 1.0
    expected = sampler(find("munuV"), find("munuV").values({"m_X": 0.1})).efficiency
    assert found["munuV"].efficiency == pytest.approx(expected, abs=5 * np.sqrt(0.05 / len(found["munuV"])))
    assert found["pipipi"].efficiency == 1.0, "none was tried"


# mixtures of one's own


def test_one_component_takes_all():
    found = mixed(("munu", 1e-300)).sample(1000)
    assert (found.component == 0).all()
    assert len(found["munu"]) == 1000


@pytest.mark.parametrize("zero", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2)])
def test_what_never_happens_never_does(zero):
    """At every place, the last among them; nor is it prepared."""
    parts = [("munu", 1.0), ("enu", 1.0), ("pipi0", 1.0)]
    whole = mixed(*((name, 0.0 if k in zero else x) for k, (name, x) in enumerate(parts)))
    found = whole.sample(50_000)
    for k, part in enumerate(found.parts):
        assert (len(part) == 0) == (k in zero)
    assert sum(len(part) for part in found.parts) == 50_000


def test_a_rare_component_is_found_where_it_is():
    """1e-5 of a million, first, in the middle or last: always the same share of the random numbers."""
    for order in ((0, 1, 2), (1, 0, 2), (1, 2, 0)):
        parts = [("enu", 1e-5), ("munu", 0.7), ("pipi0", 0.3 - 1e-5)]
        found = mixed(*(parts[k] for k in order)).sample(N)
        assert stats.poisson.sf(len(found["enu"]) - 1, 10) > P_MIN
        assert stats.poisson.cdf(len(found["enu"]), 10) > P_MIN
        assert chi_squared(np.array([len(found["munu"]), len(found["pipi0"])]), [0.7, 0.3]) > P_MIN


def test_255_components_are_told_apart():
    names = ("munu", "enu", "pipi0")
    whole = mixed(*((names[k % 3], 1.0 + k % 2) for k in range(255)))
    found = whole.sample(200_000)
    assert chi_squared(np.bincount(found.component, minlength=255), [1.0 + k % 2 for k in range(255)]) > P_MIN
    assert len(found.parts) == 255
    assert np.array_equal(found.parts[254].index, np.flatnonzero(found.component == 254))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.just(0.0) | st.floats(1e-300, 1e300), min_size=1, max_size=30).filter(any))
def test_limits_divide_all_random_numbers(fractions):
    """Increasing, to the last number there is; nothing for what never happens."""
    limits = mixture.thresholds([c.fraction.value for c in mixed(*(("munu", x) for x in fractions)).components])
    total = sum(fractions)
    assert limits.dtype == np.uint64
    assert int(limits[-1]) == 2**64 - 1
    before = 0
    for limit, x in zip(limits.tolist(), fractions, strict=True):
        assert limit >= before
        if x == 0.0:
            assert limit - before <= 0 or limit == 2**64 - 1
        assert abs((limit - before) / 2.0**64 - x / total) < 1e-14
        before = limit


def test_limits_of_extreme_fractions():
    limits = mixture.thresholds(
        [c.fraction.value for c in mixed(("munu", 1.0), ("enu", 1e-9), ("pipi0", 1e-18)).components]
    ).astype(object)
    assert [(b - a) / 2**64 for a, b in pairwise([0, *limits])] == pytest.approx([1 - 1e-9, 1e-9, 1e-18], rel=0.06)


def test_the_rates_need_not_sum_to_one():
    small, large = (mixed(("munu", 0.6 * f), ("pipi0", 0.2 * f)) for f in (1e-3, 10.0))
    assert small.total == pytest.approx(8e-4, rel=1e-12)
    assert large.total == pytest.approx(8.0, rel=1e-12)
    assert np.array_equal(small.sample(10_000).component, large.sample(10_000).component)


def test_errors_are_added_in_squares():
    whole = Mixture("m", (component("munu", 0.6, 0.03), component("enu", 0.2, 0.04)))
    assert whole.total_error == pytest.approx(0.05, rel=1e-12)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((), r"mine: 0 components: there must be 1 to 255"),
        ((("munu", 1.0),) * 256, r"mine: 256 components: there must be 1 to 255"),
        ((("munu", 1.0), ("enu", -1e-9)), r"mine: enu has the branching fraction -1e-09"),
        ((("munu", float("nan")),), r"mine: munu has the branching fraction nan"),
        pytest.param(
            (("munu", float("inf")), ("enu", 1.0)),
            r"mine: munu has the branching fraction inf",
        ),
        ((("munu", 0.0), ("enu", 0.0)), r"mine: no component has a branching fraction above 0"),
    ],
)
def test_mixtures_that_cannot_be(parts, message):
    with pytest.raises(ProcessError, match=message):
        mixed(*parts)


def test_decays_of_daughters_are_made_or_refused():
    """A part of which only half is made would be taken for the whole."""
    decay = "K+ -> pi+ (pi0 -> gamma gamma)"
    try:
        part = mixed((decay, 1.0)).sample(10).parts[0]
    except ProcessError as problem:
        assert "pi0 -> gamma gamma" in str(problem)  # noqa: PT017
    else:
        assert part.names == ("pi+", "pi0", "gamma", "gamma")
        assert part.columns.shape == (12, 10)


def test_samples_that_cannot_be():
    with pytest.raises(ProcessError, match="mine: n = -1 decays"):
        MINE.sample(-1)
    for momentum in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ProcessError, match="mine: momentum"):
            MINE.sample(10, momentum=momentum)
    with pytest.raises(ProcessError, match="m_X is missing"):
        mixed(("munuV", 1.0)).sample(10)
    with pytest.raises(ValueError, match="seed"):
        MINE.sample(10, seed=-1)
    with pytest.raises(ProcessError, match=r"mine has no process 'munug' \(it has: munu, pi0enu, pinunu"):
        mine(1000)["munug"]


# decay tables


@pytest.fixture
def written(tmp_path):
    pytest.importorskip("decaylanguage")

    def write(*modes, name="mine"):
        path = tmp_path / f"{name}.dec"
        path.write_text("\n".join(["Decay K+", *(f"{mode};" for mode in modes), "Enddecay", ""]))
        return path

    return write


def test_the_shipped_table():
    pytest.importorskip("decaylanguage")
    whole = from_dec(dec.shipped())
    modes = dec.read(dec.shipped())
    assert whole.name == "kplus"
    assert abs(whole.total - 1) < 0.0015
    assert [c.fraction.value for c in whole.components] == [mode.branching_fraction for mode in modes]
    for c, mode in zip(whole.components, modes, strict=True):
        assert sorted(c.process.daughters) == sorted(mode.daughters)
    names = {c.process.name for c in whole.components}
    assert {c.process.name for c in natural().components} <= names
    unknown = [c.process for c in whole.components if c.process.name not in {p.name for p in mixture.processes()}]
    assert "pi+ pi+ pi- gamma" in [" ".join(p.daughters) for p in unknown]
    assert all(isinstance(p.dynamics, ManyBody) for p in unknown)


@pytest.mark.slow
def test_decays_of_the_shipped_table():
    """Chosen as the table says, known ones with their amplitude, energy and momentum in all."""
    pytest.importorskip("decaylanguage")
    whole = from_dec(dec.shipped())
    found = whole.sample(N)
    counts = np.array([len(part) for part in found.parts])
    fractions = np.array([c.fraction.value for c in whole.components])
    often = fractions * N > 20
    assert chi_squared(counts[often], fractions[often]) > P_MIN
    for part in found.parts:
        if len(part):
            columns, _ = settled(part, stream_key(1, "kplus"), part.index[:5000])
            assert np.array_equal(columns, part.columns[:, :5000])
            energy = sum(
                np.sqrt((part.columns[3 * k : 3 * k + 3].astype(float) ** 2).sum(axis=0) + mass**2)
                for k, mass in enumerate(part.masses)
            )
            assert np.abs(energy - M_K).max() < 3e-7


def test_a_table_of_one_s_own(written):
    """A known mode in another order of its daughters, a two-body one that nobody knows, and one flat in phase space."""
    path = written("0.5 nu_mu mu+ SLN", "0.25 pi+ gamma PHSP", "0.25 e+ nu_e gamma gamma PHSP")
    whole = from_dec(path)
    assert whole.components[0].process is find("munu")
    assert [c.process.daughters for c in whole.components] == [
        ("mu+", "nu_mu"), ("pi+", "gamma"), ("e+", "nu_e", "gamma", "gamma")
    ]  # fmt: skip
    assert isinstance(whole.components[1].process.dynamics, TwoBody)
    assert [c.fraction.value for c in whole.components] == [0.5, 0.25, 0.25]
    found = whole.sample(100_000)
    assert chi_squared(np.array([len(p) for p in found.parts]), [2, 1, 1]) > P_MIN
    one, two = found.parts[1].columns[:3].astype(float), found.parts[1].columns[3:].astype(float)
    assert np.abs(one + two).max() < 1e-7
    p = np.sqrt((two**2).sum(axis=0))
    assert p == pytest.approx((M_K**2 - 0.13957039**2) / (2 * M_K), rel=1e-6)
    assert stats.kstest(two[2] / p, "uniform", args=(-1, 2)).pvalue > P_MIN


def test_a_mode_that_nobody_knows_is_flat_in_phase_space(written):
    """Four particles without mass, all but: the masses of two pairs follow lambda^(1/2)(M^2, s, t)."""
    found = from_dec(written("1.0 nu_e e+ gamma nu PHSP")).sample(100_000).parts[0]
    p = found.columns.reshape(4, 3, -1).astype(float)
    four = [np.array([*q, np.sqrt((q**2).sum(axis=0))]) for q in p]
    s, t = (2 * product(four[i], four[j]) / M_K**2 for i, j in ((0, 2), (1, 3)))
    mid = (np.arange(2000) + 0.5) / 2000
    a, b = mid[:, None], mid[None, :]
    density = np.sqrt(np.maximum((1 - a - b) ** 2 - 4 * a * b, 0.0)) * (np.sqrt(a) + np.sqrt(b) < 1)
    for values, axis in ((s, 1), (t, 0)):
        counts = np.histogram(values, np.linspace(0, 1, 21))[0]
        shares = density.sum(axis=axis).reshape(20, 100).sum(axis=1)
        fine = shares * len(found) / shares.sum() > 20
        assert chi_squared(counts[fine], shares[fine]) > P_MIN


def test_lines_with_the_same_daughters_are_parts_of_one(written):
    whole = from_dec(written("0.25 mu+ nu_mu PHSP", "0.5 pi+ pi0 PHSP", "0.25 nu_mu mu+ SLN"))
    assert {c.process.name: c.fraction.value for c in whole.components} == {"munu": 0.5, "pipi0": 0.5}


def test_a_process_with_a_parameter_that_must_be_given_is_not_the_table_s(written):
    """K+ -> pi+ X would need a mass."""
    with pytest.raises(ProcessError, match="mass of X"):
        from_dec(written("0.5 pi+ X PHSP", "0.5 mu+ nu_mu PHSP")).sample(10)


@pytest.mark.parametrize(
    ("modes", "parts"),
    [
        (["0.5 mu+ nu_tau PHSP", "0.5 pi+ pi0 PHSP"], ["there is no particle 'nu_tau'", "did you mean 'nu_mu'"]),
        (["1.0 pi+ pi- PHSP"], ["charge is not conserved"]),
        (["1.0 pi+ pi0 pi0 pi0 PHSP"], ["K+ is too light"]),
        (["1.0 pi+ PHSP"], ["expected two daughters"]),
        (["1.5 mu+ nu_mu PHSP"], ["does not lie between 0 and 1"]),
        (["0.0 mu+ nu_mu PHSP"], ["no component has a branching fraction above 0"]),
        (["0.5 mu+ nu_mu NO_SUCH_MODEL"], ["a model of EvtGen"]),
    ],
)
def test_tables_that_are_refused(written, modes, parts):
    with pytest.raises(ProcessError) as caught:
        from_dec(written(*modes))
    for part in (*parts, "mine"):
        assert part in str(caught.value)


def test_tables_that_are_not_there(tmp_path):
    with pytest.raises(ProcessError, match=r"none\.dec: the decay table cannot be read"):
        from_dec(tmp_path / "none.dec")


def test_a_table_without_the_kaon(tmp_path):
    pytest.importorskip("decaylanguage")
    path = tmp_path / "pion.dec"
    path.write_text("Decay pi+\n1.0 mu+ nu_mu PHSP;\nEnddecay\n")
    with pytest.raises(ProcessError, match=r"no decays of K\+"):
        from_dec(path)


@pytest.mark.parametrize("whole", [natural, lambda: MINE], ids=["natural", "mine"])
def test_written_as_a_table_and_read_again(whole, tmp_path):
    """Every mode with its fraction of all, the largest first."""
    pytest.importorskip("decaylanguage")
    whole = whole()
    path = tmp_path / "again.dec"
    path.write_text(dec_text(whole))
    modes = dec.read(path)
    ordered = sorted(whole.components, key=lambda c: -c.fraction.value)
    assert [mode.daughters for mode in modes] == [c.process.daughters for c in ordered]
    for mode, c in zip(modes, ordered, strict=True):
        assert mode.branching_fraction == pytest.approx(c.fraction.value / whole.total, rel=1e-15)
    assert sum(mode.branching_fraction for mode in modes) == pytest.approx(1.0, abs=1e-12)
    leptonic = {mode.daughters for mode in modes if mode.model == "SLN"}
    assert leptonic == {d for d in (m.daughters for m in modes) if d in (("mu+", "nu_mu"), ("e+", "nu_e"))}
    assert {mode.model for mode in modes} == {"SLN", "PHSP"}
    assert all(mode.parameters == () for mode in modes)


def test_a_mixture_from_its_own_table_is_the_same(tmp_path):
    """Processes and fractions; what has lost its parameters is flat."""
    pytest.importorskip("decaylanguage")
    path = tmp_path / "natural.dec"
    path.write_text(dec_text(natural()))
    again = from_dec(path)
    before = {c.process.name: c.fraction.value for c in natural().components}
    assert {c.process.name: c.fraction.value for c in again.components} == pytest.approx(before, rel=1e-3)
    assert again.total == pytest.approx(1.0, abs=1e-12)
    known = {p.name for p in mixture.processes()}
    assert {c.process.name for c in again.components} <= known
