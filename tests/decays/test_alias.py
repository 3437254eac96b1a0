"""The alias table against counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaongen.decays.alias import CELL_BITS, CELLS, alias_table, choose, probabilities

BITS = 32 - CELL_BITS
SHARE = 2**BITS


def chosen(alias):
    """Probability of each cell: half of its words, so to say, stay and the others go to the cell's alias."""
    entries = [divmod(int(entry), SHARE) for entry in alias]
    share = [0] * len(entries)
    for cell, (other, own) in enumerate(entries):
        share[cell] += own
        share[other] += SHARE - own
    return np.array(share) / (len(entries) * SHARE)


def assert_reproduced(given, probability):
    """No cell gets noticeably less than was asked for, and what rounding adds goes to the largest."""
    unit = 1 / (len(probability) * SHARE)
    assert given.sum() == pytest.approx(1, abs=1e-12)
    assert (given >= probability * (1 - 2.01 / SHARE)).all()
    others = np.arange(len(probability)) != np.argmax(probability)
    assert (given - probability)[others].max(initial=0) <= unit
    assert ((given == 0) == (probability == 0)).all()


@given(st.lists(st.floats(0, 1e3) | st.just(0.0) | st.floats(1e-12, 1e-6), min_size=1, max_size=40))
def test_alias_table_gives_the_probabilities_that_were_asked_for(weights):
    weights = np.array([*weights, 1.0])
    probability = weights / weights.sum()
    assert_reproduced(chosen(alias_table(probability)), probability)


def test_alias_table_of_a_whole_plot():
    probability = np.random.default_rng(1).exponential(size=CELLS) ** 4
    probability /= probability.sum()
    alias = alias_table(probability)
    assert_reproduced(chosen(alias), probability)
    assert chosen(alias) == pytest.approx(probabilities(alias), abs=1e-18)


def test_every_word_leads_to_the_right_cell():
    """All words of a table of eight cells, by the rule in words: below its share stay, else go to the alias."""
    probability = np.array([0.5, 0.25, 0.125, 0.0625, 0.03125, 0.03, 0.00124, 0.00001])
    alias = alias_table(probability)
    word = np.arange(8 * SHARE)
    cell, fraction = word // SHARE, word % SHARE
    other, own = (alias >> np.uint64(BITS)).astype(int), (alias % np.uint64(SHARE)).astype(int)
    landed = np.where(fraction < own[cell], cell, other[cell])
    words = np.random.default_rng(2).integers(0, len(word), 1000).astype(np.uint64)
    assert [choose(w, alias) for w in words] == landed[words.astype(int)].tolist()
    assert np.bincount(landed, minlength=8) / word.size == pytest.approx(probability, abs=2e-5)
    assert np.bincount(landed, minlength=8) / word.size == pytest.approx(probabilities(alias), abs=1e-18)
