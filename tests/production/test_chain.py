"""One sample's way through beam, decay, detector and reconstruction: an event is a function of its index alone."""

import numpy as np
import pytest
from small_runs import PARAMETERS

from kaongen.configuration import load
from kaongen.decays.catalogue import find
from kaongen.event_block import ACCEPTANCE, EFFICIENCY, M2_TRUE, R_EOP, R_M2, RECO_ROWS, SURVIVAL
from kaongen.jit import BLOCK, row
from kaongen.production.chain import build_chain
from kaongen.random import stream_key

NA62 = load("na62-2016-2018")
PROCESSES = ("munu", "munug", "pi0munu", "pipipi", "munuV", "munuphi", "muN", "mununubarnu")
KEY = stream_key(7, "chain")


def chain(name, vetoes="weight", **changes):
    return build_chain(find(name), PARAMETERS.get(name, {}), NA62.with_values(changes), vetoes)


def reco(event, n):
    return event.reco.reshape(RECO_ROWS, BLOCK)[:, :n].copy()


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("vetoes", ["weight", "accept"])
def test_an_event_is_made_again_from_its_index(name, vetoes):
    """Alone in its block it is the same to the last bit as among a thousand others."""
    one = chain(name, vetoes)
    event = one.block()
    made, _ = one.run(KEY, 3 * BLOCK, BLOCK, event)
    index, weight, measured = event.index[:made].copy(), event.weight[:made].copy(), reco(event, made)
    assert np.array_equal(index, np.arange(3 * BLOCK, 4 * BLOCK, dtype=np.uint64))
    alone = one.block()
    for j in (0, 1, made // 2, made - 1, *np.flatnonzero(weight > 0.0)[:10]):
        assert one.run(KEY, int(index[j]), 1, alone)[0] == 1
        assert alone.index[0] == index[j]
        assert alone.weight[0] == weight[j]
        if weight[j] > 0.0:  # what is not seen need not be measured
            assert reco(alone, 1)[:, 0].tobytes() == measured[:, j].tobytes()


@pytest.mark.parametrize("name", PROCESSES)
def test_what_lay_in_the_block_before_does_not_matter(name):
    one = chain(name)
    clean, dirty = one.block(), one.block()
    for columns in (dirty.reco, dirty.track, dirty.beam, dirty.fate, dirty.extra, dirty.weight):
        columns[:] = np.nan
    made = one.run(KEY, 0, 500, clean)
    assert one.run(KEY, 0, 500, dirty) == made
    n = made[0]
    assert clean.weight[:n].tobytes() == dirty.weight[:n].tobytes()
    seen = clean.weight[:n] > 0.0
    assert reco(clean, n)[:, seen].tobytes() == reco(dirty, n)[:, seen].tobytes()


@pytest.mark.parametrize("name", PROCESSES)
def test_weights_are_probabilities(name):
    """Up to the number of particles that could be the candidate: two pi+ in K+ -> pi+ pi+ pi-."""
    one = chain(name)
    event = one.block()
    multiplicity = 2.0 if name == "pipipi" else 1.0
    for first in range(0, 8 * BLOCK, BLOCK):
        made, above = one.run(KEY, first, BLOCK, event)
        assert above == 0
        weight = event.weight[:made]
        assert ((weight >= 0.0) & (weight <= multiplicity)).all()
        for fate in (ACCEPTANCE, EFFICIENCY, SURVIVAL):
            probability = row(event.fate, fate)[:made]
            assert ((probability >= 0.0) & (probability <= 1.0)).all()
        seen = weight > 0.0
        for quantity in (R_M2, R_EOP, M2_TRUE):
            assert np.isfinite(row(event.reco, quantity)[:made][seen]).all()


@pytest.mark.parametrize("name", PROCESSES)
def test_accepting_is_yes_or_no(name):
    one = chain(name, "accept")
    event = one.block()
    multiplicity = 2.0 if name == "pipipi" else 1.0
    made, _ = one.run(KEY, 0, BLOCK, event)
    assert set(np.unique(event.weight[:made])) <= {0.0, multiplicity}


def test_a_perfect_detector_sees_the_neutrino():
    """Without resolutions, scattering and wrong tracks the missing mass of K+ -> mu+ nu is zero."""
    nothing = (
        "gtk.momentum_resolution", "gtk.angle_resolution", "gtk.position_resolution", "gtk.wrong_track",
        "straw.momentum_constant", "straw.momentum_linear", "straw.angle_constant", "straw.angle_scattering",
        "straw.position_resolution",
    )  # fmt: skip
    perfect = chain("munu", **dict.fromkeys(nothing, 0.0))
    event = perfect.block()
    made, _ = perfect.run(KEY, 0, BLOCK, event)
    seen = event.weight[:made] > 0.0
    assert seen.any()
    assert np.abs(row(event.reco, R_M2)[:made][seen]).max() < 1e-9
    # the difference of squares of 75 GeV, in double precision
    assert np.abs(row(event.reco, M2_TRUE)[:made]).max() < 2e-11
