"""Random streams: the published answers of the generator, and whether streams look alike to a statistician.

Seeds are fixed. A correlation fails beyond 5 standard deviations (6e-7 each, about 300 of them) and a chi-squared or
Kolmogorov test below p = 1e-6 (about 20): a change of keys or streams fails here by chance once in 5000 times.
"""

from itertools import combinations

import numpy as np
import pytest
from numba import njit
from scipy import stats

from kaongen import random
from kaongen.random import draw, normal_pair, philox4x32, stream_key, uniform

N = 1_000_000
FIVE_SIGMA = 5 / np.sqrt(N)
P_MIN = 1e-6
WORDS = 4


@njit
def words_of(key, first, n, stream, number):
    result = np.empty((4, n), dtype=np.uint64)
    for j in range(n):
        a, b, c, d = draw(key, first + np.uint64(j), stream, number)
        result[0, j], result[1, j], result[2, j], result[3, j] = a, b, c, d
    return result


@njit
def normals_of(words_a, words_b):
    result = np.empty((2, words_a.size))
    for j in range(words_a.size):
        result[0, j], result[1, j] = normal_pair(words_a[j], words_b[j])
    return result


def words(*, key=None, first=0, n=N, stream=0, number=0):
    key = stream_key(1, "munuV") if key is None else key
    return words_of(key, np.uint64(first), n, np.uint64(stream), np.uint64(number))


def correlations(a, b):
    """Of each of the four words of a draw with each of another's."""
    return np.corrcoef(a.astype(float), b.astype(float))[:WORDS, WORDS:]


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        (["00000000"] * 4, ["00000000"] * 2, ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]),
        (["ffffffff"] * 4, ["ffffffff"] * 2, ["408f276d", "41c83b0e", "a20bc7c6", "6d5451fd"]),
        (
            ["243f6a88", "85a308d3", "13198a2e", "03707344"],
            ["a4093822", "299f31d0"],
            ["d16cfe09", "94fdcceb", "5001e420", "24126ea1"],
        ),
    ],
    ids=["zeros", "ones", "pi"],
)
def test_philox_gives_the_published_answers(counter, key, expected):
    """The kat_vectors of Random123, philox4x32 with 10 rounds."""
    result = philox4x32(*(np.uint64(int(word, 16)) for word in counter + key))
    assert [f"{int(word):08x}" for word in result] == expected


def test_draw_puts_the_index_the_stream_and_the_number_into_the_counter():
    key, index = 0x299F31D0_A4093822, 0x85A308D3_243F6A88
    result = draw(np.uint64(key), np.uint64(index), np.uint64(0x13198A2E), np.uint64(0x03707344))
    assert [f"{int(word):08x}" for word in result] == ["d16cfe09", "94fdcceb", "5001e420", "24126ea1"]


def test_a_draw_depends_on_its_index_alone():
    whole = words(first=10, n=100)
    assert np.array_equal(whole[:, 37:], words(first=47, n=63))


def test_stream_numbers_never_change():
    """Stored samples can be made again only as long as each purpose keeps its number: append to this list, no more."""
    numbers = ["proposal", "orientation", "secondary", "beam", "vertex", "flight", "gtk", "pileup", "straw"]
    numbers += ["calorimeter", "decision", "choice", "scattering", "halo"]
    assert list(random.STREAMS) == numbers
    assert [int(getattr(random, name.upper())) for name in random.STREAMS] == list(range(len(random.STREAMS)))
    assert len(set(random.STREAMS)) == len(random.STREAMS)


def test_keys_never_change():
    assert stream_key(1, "munuV") == np.uint64(0xC437AA8F54A741F7)
    assert stream_key(2**70, "munu").dtype == np.uint64


def test_keys_are_distinct():
    names = ["munu", "munuV", "munuphi", "1/munu", "", "K+ → μ+"]
    keys = {int(stream_key(seed, name)) for seed in [*range(2000), 11, 2**32, 2**64, 2**64 + 1] for name in names}
    assert len(keys) == 2003 * len(names)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed -1 is negative"):
        stream_key(-1, "munu")


def test_uniforms_lie_inside_the_open_unit_interval():
    lowest, highest = uniform(np.uint64(0)), uniform(np.uint64(2**32 - 1))
    assert lowest == 2.0**-33
    assert highest == 1 - 2.0**-33
    assert uniform(np.uint64(2**31)) - uniform(np.uint64(2**31 - 1)) == 2.0**-32


@pytest.mark.parametrize("shift", [1, 2, 3, 64, 1024, 2**32])
def test_neighbouring_candidates_are_uncorrelated(shift):
    assert np.abs(correlations(words(), words(first=shift))).max() < FIVE_SIGMA


def test_words_of_a_draw_are_uncorrelated():
    matrix = np.corrcoef(words().astype(float))
    assert np.abs(matrix[np.triu_indices(WORDS, 1)]).max() < FIVE_SIGMA


def test_streams_are_uncorrelated():
    first_words = np.array([words(stream=number)[0].astype(float) for number in range(len(random.STREAMS))])
    matrix = np.corrcoef(first_words)
    assert np.abs(matrix[np.triu_indices(len(matrix), 1)]).max() < FIVE_SIGMA


def test_draws_of_a_stream_are_uncorrelated():
    for a, b in combinations(range(3), 2):
        assert np.abs(correlations(words(number=a), words(number=b))).max() < FIVE_SIGMA


@pytest.mark.parametrize(("seed", "sample"), [(2, "munuV"), (1, "munuphi"), (2**63, "munu")])
def test_samples_are_uncorrelated(seed, sample):
    other = words(key=stream_key(seed, sample))
    assert np.abs(correlations(words(), other)).max() < FIVE_SIGMA


def test_keys_that_differ_by_one_bit_are_uncorrelated():
    key = stream_key(1, "munuV")
    for bit in (0, 31, 32, 63):
        assert np.abs(correlations(words(), words(key=key ^ np.uint64(1 << bit)))).max() < FIVE_SIGMA


@pytest.mark.parametrize("number", range(WORDS))
def test_words_are_uniform_in_their_high_and_low_bits(number):
    column = words()[number]
    assert column.max() < 2**32
    for part in (column >> np.uint64(22), column & np.uint64(1023)):
        assert stats.chisquare(np.bincount(part.astype(np.int64), minlength=1024)).pvalue > P_MIN


def test_pairs_of_words_fill_the_square():
    a, b = words()[:2] >> np.uint64(27)
    assert stats.chisquare(np.bincount((a * np.uint64(32) + b).astype(np.int64), minlength=1024)).pvalue > P_MIN


def test_normals_are_standard_normal():
    first, second = normals_of(*words()[:2])
    for sample in (first, second):
        assert stats.kstest(sample, "norm").pvalue > P_MIN
        # standard errors of the first four moments of a normal sample
        assert abs(sample.mean()) < 5 / np.sqrt(N)
        assert abs(sample.var() - 1) < 5 * np.sqrt(2 / N)
        assert abs(stats.skew(sample)) < 5 * np.sqrt(6 / N)
        assert abs(stats.kurtosis(sample)) < 5 * np.sqrt(24 / N)


def test_normals_of_a_pair_are_independent():
    first, second = normals_of(*words()[:2])
    assert abs(np.corrcoef(first, second)[0, 1]) < FIVE_SIGMA
    assert abs(np.corrcoef(first**2, second**2)[0, 1]) < FIVE_SIGMA
    cells = [np.searchsorted(stats.norm.ppf(np.arange(1, 16) / 16), sample) for sample in (first, second)]
    assert stats.chisquare(np.bincount(16 * cells[0] + cells[1], minlength=256)).pvalue > P_MIN


def test_the_largest_normal_is_finite_and_below_seven():
    most = np.array(normal_pair(np.uint64(0), np.uint64(0)))
    assert np.hypot(*most) == pytest.approx(np.sqrt(2 * 33 * np.log(2)), rel=1e-14)
    assert np.hypot(*normal_pair(np.uint64(2**32 - 1), np.uint64(7))) == pytest.approx(2.0**-16, rel=1e-6)
