"""Behind the acceptance only those go on that are inside: what is left is to the last bit what it would have been."""

import numpy as np
import pytest
from blocks import chain_of, produced
from hypothesis import given
from hypothesis import strategies as st

from kaongen.decays.catalogue import find, processes
from kaongen.decays.workspace import vertex_rows
from kaongen.event_block import (
    ACCEPTANCE,
    BEAM_ROWS,
    EFFICIENCY,
    FATE_ROWS,
    K_E,
    K_X,
    K_Z,
    M2_TRUE,
    RECO_ROWS,
    SURVIVAL,
    T_CHARGE,
    T_LKR_ENERGY,
    T_LKR_X,
    T_QX,
    T_QY,
    T_QZ,
    T_RICH_X,
    TRACK_ROWS,
    EventBlock,
)
from kaongen.jit import BLOCK, row

# the block alone

SLOTS = (0, 2, 3, 5)
"""Particles that are looked at afterwards, of six: two from the vertex, two pairs from elsewhere."""


_KINKS_AND_PLANES = (T_CHARGE, T_QX, T_QY, T_QZ, *range(T_RICH_X, T_LKR_X))
READ = {
    "beam": [number for number in range(BEAM_ROWS) if number != K_E],
    "track": [number for number in range(TRACK_ROWS) if number not in _KINKS_AND_PLANES],
}
"""Rows that are read behind the acceptance: of the track neither what it needed to find the places where it crosses the
chambers, nor those that only say that it is inside."""


def filled(n, fate, seed):
    """A block whose every number is another; 0 and 1 begin at the vertex, 2 and 3 together, 4 and 5 too."""
    rng = np.random.default_rng(seed)
    event = EventBlock(6)
    event.take(rng.permutation(10 * BLOCK)[:n].astype(np.uint64))
    for columns in (event.beam, event.track, event.reco, event.fate, event.weight, *event.momenta):
        columns[:] = rng.normal(size=columns.size)
    row(event.fate, ACCEPTANCE)[:n], row(event.fate, EFFICIENCY)[:n] = fate
    first, second = vertex_rows(), vertex_rows()
    first[:], second[:] = rng.normal(size=(2, first.size))
    event.origins = [event.vertex, event.vertex, first, first, second, second]
    return event


def content(event):
    """Copies of all that is in a block, as (rows, BLOCK)."""
    areas = {name: getattr(event, name) for name in ("beam", "track", "reco", "fate", "weight")}
    areas |= {f"momenta {slot}": rows for slot, rows in enumerate(event.momenta)}
    areas |= {f"origin {slot}": rows for slot, rows in enumerate(event.origins)}
    return {name: rows.reshape(-1, BLOCK).copy() for name, rows in areas.items()}


FATES = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 1.0]),
        st.sampled_from([0.0, 1.0, 0.3, 1e-300, np.nan]),
    ),
    max_size=60,
)  # fmt: skip


@given(pattern=FATES, before=st.sampled_from([0, 1, 100, BLOCK - 60]), seed=st.integers(0, 1000))
def test_any_pattern_of_acceptance(pattern, before, seed):
    """Against a selection by numpy; those before the pattern are all outside, or all inside."""
    n = before + len(pattern)
    head = np.full((2, before), float(seed % 2))
    fate = np.concatenate([head, np.array(pattern).reshape(-1, 2).T], axis=1)
    event = filled(n, fate, seed)
    index, old = event.index.copy(), content(event)
    # neither outside, nor without hope, nor without a number
    kept = np.flatnonzero((fate[0] > 0) & (fate[1] > 0))
    m = event.compact(n, SLOTS)
    new = content(event)
    assert m == len(kept)
    assert np.array_equal(event.index[:m], index[kept])
    rows = {
        "beam": READ["beam"],
        "track": [number for number in READ["track"] if number != T_LKR_ENERGY],  # measured later
        "reco": [M2_TRUE],  # likewise
        "fate": range(FATE_ROWS),
        "weight": [0],
        **{f"momenta {slot}": range(4) for slot in SLOTS},
        **{f"origin {slot}": range(K_X, K_Z + 1) for slot in SLOTS},
    }
    for area, numbers in rows.items():
        for number in numbers:
            assert np.array_equal(new[area][number, :m], old[area][number, kept], equal_nan=True), (area, number)
    for slot in (1, 4):
        assert np.array_equal(new[f"momenta {slot}"], old[f"momenta {slot}"])


@pytest.mark.parametrize("inside", [0.0, 1.0])
def test_all_or_nothing(inside):
    for n in (1, BLOCK - 1, BLOCK):
        event = filled(n, np.full((2, n), inside), 3)
        old = content(event)
        assert event.compact(n, SLOTS) == inside * n
        if inside:
            for area, values in content(event).items():
                assert np.array_equal(values, old[area])


def test_the_random_numbers_of_an_event_go_with_it():
    """Its number is its identity: whatever is drawn behind the compaction is as it would have been."""
    event = filled(BLOCK, np.array([np.arange(BLOCK) % 3 == 1, np.ones(BLOCK)], dtype=float), 4)
    expected = event.index[1::3].copy()
    assert event.compact(BLOCK, SLOTS) == len(expected)
    assert np.array_equal(event.index[: len(expected)], expected)


# in the chain

MASSES = {
    "munuV": (("m_X", 0.1),),
    "munuV-mumu": (("m_X", 0.25),),
    "munuphi": (("m_X", 0.2),),
    "muN": (("m_N", 0.3),),
    "eN": (("m_N", 0.2),),
    "piX": (("m_X", 0.1),),
    "piS": (("m_S", 0.2),),
    "pia": (("m_a", 0.05),),
    "piaa": (("m_a", 0.1),),
}
FLIGHTS = (
    ("K+ -> (pi+ -> mu+ nu_mu) pi0", ()),
    ("K+ -> mu+ nu_mu (phi -> gamma gamma)", (("m_X", 0.2), ("tau_phi", 2.0))),
    ("K+ -> mu+ nu_mu (phi -> mu+ mu-)", (("m_X", 0.25), ("tau_phi", 2.0))),
    ("K+ -> e+ (N -> pi+ e-)", (("m_N", 0.3), ("tau_N", 5.0))),
    ("K+ -> pi+ (X -> pi0 gamma)", (("m_X", 0.3), ("tau_X", 5.0))),
)
DECAYS = [*((process.name, MASSES.get(process.name, ())) for process in processes()), *FLIGHTS]
N = 2 * BLOCK + 17


def bits(columns):
    return np.ascontiguousarray(columns).view(np.uint64)


@pytest.mark.parametrize("vetoes", ["weight", "accept"])
@pytest.mark.parametrize(("name", "values"), DECAYS, ids=[name for name, _ in DECAYS])
def test_what_is_left_is_what_it_would_have_been(name, values, vetoes):
    """Weights, what is measured, truth: bit by bit; and whoever is missing has no weight."""
    chain = chain_of(name, values, vetoes=vetoes)
    whole, left = (produced(name, N, chain=chain, compact=compact) for compact in (False, True))
    assert left.above == whole.above
    assert sorted(whole.index) == list(range(N))
    place = np.argsort(whole.index)[left.index.astype(np.int64)]
    assert len(set(place)) == len(left)
    assert (np.diff(place) > 0).all(), "in the same order"
    missing = np.ones(N, dtype=bool)
    missing[place] = False
    assert (whole.weight[missing] == 0.0).all()
    # not only those that are seen, but few of the others
    assert missing.mean() > 0.2
    assert len(left) > 0
    for area in ("weight", "reco", "fate"):
        assert np.array_equal(bits(getattr(left, area)), bits(getattr(whole, area)[..., place])), area
    for area, rows in READ.items():
        found, expected = getattr(left, area)[rows], getattr(whole, area)[rows][:, place]
        assert np.array_equal(bits(found), bits(expected)), area
    seen = set(chain.lanes[0].slots).intersection(*(lane.slots for lane in chain.lanes))
    assert seen >= {lane.candidate for lane in chain.lanes}
    for slot in seen:
        assert np.array_equal(bits(left.momenta[slot]), bits(whole.momenta[slot][:, place])), slot


def test_the_catalogue_needs_no_more_masses():
    for process in processes():
        given = dict(MASSES.get(process.name, ()))
        assert given.items() <= process.values(given).items()
        assert find(process.name) is process


def test_what_is_left_is_inside_every_acceptance():
    for name in ("munu", "pipipi", "munuee"):
        left = produced(name, N, chain=chain_of(name), compact=True)
        assert (left.fate[ACCEPTANCE] == 1.0).all()
        assert (left.fate[SURVIVAL] <= 1.0).all()
        assert left.reco.shape[0] == RECO_ROWS
