"""Candidates that come from a decay in flight: none is accepted that begins behind the first chamber."""

import numpy as np
import pytest
from blocks import DETECTOR, accepted, begun, chain_of, produced
from plain_geometry import PLANES, STRAW_Z

from kaongen.event_block import ACCEPTANCE, T_RICH_X, T_X1, T_Z
from kaongen.jit import BLOCK

FIRST = float(DETECTOR.chamber_z[0])
N = 20 * BLOCK

FLIGHTS = {
    "muon": ("K+ -> (pi+ -> mu+ nu_mu) pi0", ()),
    "pion": ("K+ -> e+ (N -> pi+ e-)", (("m_N", 0.3), ("tau_N", 20.0))),
}
"""Muons from pions, and pions from heavy neutrinos, that begin before and behind the spectrometer."""


def test_the_first_chamber_is_where_it_was():
    assert pytest.approx(STRAW_Z[0] / 1000) == FIRST


def test_a_micrometre_from_the_chamber():
    z = np.array([FIRST - 1e-6, FIRST, FIRST + 1e-6, -np.inf, np.inf, np.nan])
    assert begun(z, FIRST).tolist() == [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]


def test_what_was_outside_stays_outside():
    z = np.linspace(100.0, 250.0, 1001)
    assert not begun(z, FIRST, inside=0.0).any()
    assert np.array_equal(begun(z, FIRST), z < FIRST)


@pytest.fixture(scope="module", params=list(FLIGHTS))
def events(request):
    decay, values = FLIGHTS[request.param]
    return produced(decay, N, values=values)


def crossed(events):
    """Whether the straight lines of the tracks pass all apertures, wherever they begin."""
    rows = [*range(T_X1, T_X1 + 8), *range(T_RICH_X, T_RICH_X + 10)]
    return accepted(events.track[rows].reshape(9, 2, -1))


def test_none_that_begins_behind_the_first_chamber(events):
    """Many of them would have been: their lines, drawn back to the chambers, pass them all."""
    start, inside, lines = events.track[T_Z], events.fate[ACCEPTANCE], crossed(events)
    late = start >= FIRST
    assert (late & (lines == 1.0)).sum() > 1000
    assert not inside[late].any()
    assert not events.weight[late].any()


def test_all_others_are_as_their_lines_say(events):
    start, inside = events.track[T_Z], events.fate[ACCEPTANCE]
    early = start < FIRST
    assert np.array_equal(inside[early], crossed(events)[early])
    assert inside[early].sum() > 1000
    # in the decay volume, and between it and the spectrometer
    assert ((start > 180.0) & early & (inside == 1.0)).any()


def test_the_lines_agree_with_plain_python(events):
    rows = [*range(T_X1, T_X1 + 8), *range(T_RICH_X, T_RICH_X + 10)]
    some = np.flatnonzero(events.track[T_Z] < FIRST)[:2000]
    hits = 1000 * events.track[rows][:, some].reshape(9, 2, -1)
    expected = [
        all(aperture(x, y) for (_, aperture), (x, y) in zip(PLANES, track, strict=True))
        for track in np.moveaxis(hits, 2, 0)
    ]
    assert np.array_equal(events.fate[ACCEPTANCE, some] == 1.0, expected)


def test_a_candidate_from_the_kaon_begins_early_enough():
    """Kaons decay before the spectrometer, so that nothing is asked of what begins with them."""
    events = produced("munu", N)
    assert events.track[T_Z].max() < FIRST
    assert np.array_equal(events.fate[ACCEPTANCE], crossed(events))
    chain = chain_of("munu")
    (lane,) = chain.lanes
    event = chain.block()
    event.take(np.arange(BLOCK, dtype=np.uint64))
    lane.run(np.uint64(1), BLOCK, event)
    assert event.origins[lane.candidate] is event.vertex
