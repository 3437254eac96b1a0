"""One sample's way through beam, decay, detector and reconstruction: an event is a function of its index alone."""

import numpy as np
import pytest
from small_runs import PARAMETERS

from kaongen.configuration import load
from kaongen.decays.catalogue import find
from kaongen.decays.mixture import alone
from kaongen.event_block import ACCEPTANCE, EFFICIENCY, FATE_ROWS, M2_TRUE, R_EOP, R_M2, RECO_ROWS, SURVIVAL
from kaongen.jit import BLOCK, row
from kaongen.production.chain import build_chain
from kaongen.production.selection import MEASURED_ROWS
from kaongen.random import stream_key

NA62 = load("na62-2016-2018")
PROCESSES = ("munu", "munug", "pi0munu", "pipipi", "pipienu", "munuee", "munuV", "munuphi", "muN", "mununubarnu")
KEY = stream_key(7, "chain")

MULTIPLICITY = {"pipipi": 2.0, "pipienu": 2.0, "munuee": 2.0}
"""How many could be the candidate, where it is not one: two pi+, or e+ and another."""


def chain(name, vetoes="weight", **changes):
    return build_chain([alone(find(name), PARAMETERS.get(name, {}))], NA62.with_values(changes), vetoes)


def run(chain, first, n, event):
    """(lane, events left, decays above their bound) after each batch of candidates first .. first + n - 1."""
    for lane, numbers in chain.batches(KEY, first, n):
        event.take(numbers)
        yield lane, *lane.run(KEY, len(numbers), event)


def made(chain, first, n, event):
    """Numbers, weights and measured rows (rows, n) of what is left, in the order of the numbers."""
    parts = []
    for _, left, _ in run(chain, first, n, event):
        rows = event.reco.reshape(RECO_ROWS, BLOCK)[:, :left].copy()
        parts.append((event.index[:left].copy(), event.weight[:left].copy(), rows))
    index, weight, measured = (np.concatenate(part, axis=-1) for part in zip(*parts, strict=True))
    order = np.argsort(index)
    return index[order], weight[order], measured[:, order]


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("vetoes", ["weight", "accept"])
def test_an_event_is_made_again_from_its_index(name, vetoes):
    """Alone in its block it is the same to the last bit as among thousands of others; or there is none."""
    one = chain(name, vetoes)
    first = 3 * BLOCK
    index, weight, measured = made(one, first, BLOCK, one.block())
    assert len(index) > 100
    assert (np.diff(index.astype(np.int64)) > 0).all()
    assert index[0] >= first
    assert index[-1] < first + BLOCK
    single = one.block()
    for j in {0, 1, len(index) // 2, len(index) - 1, *np.flatnonzero(weight > 0.0)[:10].tolist()}:
        again = made(one, int(index[j]), 1, single)
        assert again[0].tolist() == [index[j]]
        assert again[1].tobytes() == weight[j].tobytes()
        if weight[j] > 0.0:  # what is not seen need not be measured
            assert again[2][:, 0].tobytes() == measured[:, j].tobytes()
    gone = np.setdiff1d(np.arange(first, first + BLOCK, dtype=np.uint64), index)
    assert len(gone) > 100
    for number in gone[::500]:
        assert len(made(one, int(number), 1, single)[0]) == 0


def in_a_dirty_block(one, n):
    """The first events, made in a block full of NaN."""
    dirty = one.block()
    for columns in (dirty.reco, dirty.track, dirty.beam, dirty.fate, dirty.extra, dirty.weight, *dirty.momenta):
        columns[:] = np.nan
    return made(one, 0, n, dirty)


@pytest.mark.parametrize("name", PROCESSES)
def test_what_lay_in_the_block_before_does_not_matter(name):
    one = chain(name)
    expected, found = made(one, 0, 500, one.block()), in_a_dirty_block(one, 500)
    assert found[0].tobytes() == expected[0].tobytes()
    assert found[1].tobytes() == expected[1].tobytes()
    seen = expected[1] > 0.0
    assert seen.any()
    for clean, dirty in zip(expected[2][:, seen], found[2][:, seen], strict=True):
        # a row that no stage of this detector measures stays as it was
        assert dirty.tobytes() == clean.tobytes() or np.isnan(dirty).all()


def test_every_column_of_the_event_files_is_measured():
    _, weight, measured = in_a_dirty_block(chain("munu"), 500)
    assert np.isfinite(measured[MEASURED_ROWS][:, weight > 0.0]).all(axis=1).tolist() == [True] * len(MEASURED_ROWS)


@pytest.mark.parametrize("name", PROCESSES)
def test_weights_are_probabilities(name):
    """Times the number of particles that could be the candidate, and what undoes the bias of decays that are forced."""
    one, natural = chain(name), chain(name, "accept")
    event = natural.block()
    for _, left, above in run(natural, 0, 8 * BLOCK, event):
        # up to three bodies the bounds are rigorous
        assert above == 0 or (name in ("pipienu", "munuee") and above <= 1e-2 * BLOCK)
        for fate in (ACCEPTANCE, EFFICIENCY, SURVIVAL):
            probability = row(event.fate, fate)[:left]
            assert ((probability >= 0.0) & (probability <= 1.0)).all()
    for _, left, _ in run(one, 0, 8 * BLOCK, event):
        weight, fates = event.weight[:left], event.fate.reshape(FATE_ROWS, BLOCK)[:, :left]
        assert (fates >= 0.0).all()
        assert (fates[[ACCEPTANCE, SURVIVAL]] <= 1.0).all()
        assert np.array_equal(weight > 0.0, fates.prod(axis=0) > 0.0)
        seen = weight > 0.0
        for quantity in (R_M2, R_EOP, M2_TRUE):
            assert np.isfinite(row(event.reco, quantity)[:left][seen]).all()


@pytest.mark.parametrize("name", PROCESSES)
def test_accepting_is_yes_or_no(name):
    one = chain(name, "accept")
    _, weight, _ = made(one, 0, 2 * BLOCK, one.block())
    assert set(np.unique(weight)) <= {0.0, MULTIPLICITY.get(name, 1.0)}


def test_a_perfect_detector_sees_the_neutrino():
    """Without resolutions, scattering and wrong tracks the missing mass of K+ -> mu+ nu is zero."""
    errors = ("resolution", "wrong_track", "momentum_constant", "momentum_linear", "angle_constant", "angle_scattering")
    trackers = [name for name in NA62.quantities if name.startswith(("gtk.", "straw.")) and name.endswith(errors)]
    trackers += [name for name in ("beam.rate",) if name in NA62.quantities]
    perfect = chain("munu", "accept", **dict.fromkeys(trackers, 0.0))
    _, weight, measured = made(perfect, 0, BLOCK, perfect.block())
    seen = weight > 0.0
    assert seen.any()
    # a few muons decay on their way, or hit a nucleus
    assert (np.abs(measured[R_M2, seen]) < 1e-9).mean() > 0.98
    # the difference of squares of 75 GeV, in double precision
    assert np.abs(measured[M2_TRUE]).max() < 2e-11
