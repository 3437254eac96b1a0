"""What begins behind a flight: photons, second charged particles and candidates, from anywhere in the detector."""

import math
from dataclasses import replace

import numpy as np
import pytest
from blocks import KEY, chain_of, produced
from hypothesis import given
from hypothesis import strategies as st
from plain_geometry import (
    CHANTI_Z,
    IRC_Z,
    LAV_BACK,
    LAV_FRONT,
    LAV_INNER,
    LAV_OUTER,
    LKR_Z,
    SAC_Z,
    STRAW_Z,
    chamber,
    chanti,
    first_station,
    krypton,
    line,
)
from veto_blocks import chanti_survival, charged_traces, photon_stations, photon_survival

from kaongen.event_block import ACCEPTANCE, EFFICIENCY, K_X, K_Y, K_Z, SURVIVAL, T_MUON_Z
from kaongen.jit import BLOCK, row


def anywhere(n, seed):
    """Momenta and places (3, n): in and beside the beam, before, between and behind the systems; 1 in 50 backwards."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(100.0, 270.0, n)
    # a third where the beam is, the others up to the outermost ring
    r, turn = np.where(rng.random(n) < 0.33, 0.02, 1.5) * np.sqrt(rng.random(n)), rng.uniform(0, 2 * np.pi, n)
    place = np.array([1.2e-3 * (z - 101.8) + r * np.cos(turn), r * np.sin(turn), z])
    angle, turn = 10 ** rng.uniform(-4, -0.5, n), rng.uniform(0, 2 * np.pi, n)
    momentum = 10 ** rng.uniform(-1, 1.8, n) * np.array(
        [np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)]
    )
    momentum[2, ::50] *= -1
    return momentum, place


# photons


def test_photons_from_anywhere_agree_with_a_slow_ray_tracer():
    momentum, place = anywhere(20_000, 1)
    expected = [first_station(p, 1000 * v) for p, v in zip(momentum.T, place.T, strict=True)]
    assert photon_stations(momentum, place) == expected
    assert all(expected.count(name) > 100 for name in ("lav", "irc", "lkr", "sac", None))


PLANES = {
    "irc": (0.1, 0.0, IRC_Z / 1000),
    "lkr": (0.5, 0.2, LKR_Z / 1000),
    "sac": (0.0, 0.0, SAC_Z / 1000),
    **{
        f"lav{k}": ((LAV_INNER[k] + LAV_OUTER[k]) / 2000, 0.0, front / 1000)
        for k, front in enumerate(LAV_FRONT)
    },
}  # fmt: skip


@pytest.mark.parametrize("name", list(PLANES))
def test_a_plane_is_hit_from_in_front_and_not_from_behind(name):
    """Along z through the middle of its glass, beginning a millimetre before it and a millimetre behind."""
    x, y, z = PLANES[name]
    forward = (0.0, 0.0, 3.0)
    assert photon_stations(forward, (x, y, z - 1e-3)) == [name[:3]]
    behind = (x, y, (LAV_BACK[int(name[3:])] / 1000 if name[:3] == "lav" else z) + 1e-3)
    assert photon_stations(forward, behind)[0] == first_station(forward, 1000 * np.array(behind))
    # nothing is left behind the last one
    assert photon_stations(forward, (x, y, SAC_Z / 1000 + 1e-3)) == [None]


@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.floats(1e-9, 1e6))
def test_nothing_sees_photons_from_behind_the_detector(x, y, slope_x, slope_y, distance):
    place = (x, y, SAC_Z / 1000 + distance)
    momentum = np.array([[5.0 * slope_x], [5.0 * slope_y], [5.0]])
    assert photon_stations(momentum, place) == [None]
    assert photon_survival(momentum, place)[0, 0] == 1.0


@pytest.mark.parametrize("distance", [1.0, 10.0])
def test_photons_behind_the_calorimeter_meet_only_the_last_station(distance):
    """Between the LKr and the SAC: as from a target of 20 cm."""
    z = SAC_Z / 1000 - distance
    assert z > LKR_Z / 1000
    for x, expected in ((0.0, "sac"), (0.099, "sac"), (0.101, None), (0.5, None)):
        assert photon_stations((0.0, 0.0, 5.0), (x, 0.0, z)) == [expected]


def test_the_place_moves_the_photon_and_not_only_the_plane():
    """The same momentum from two places: into the hole, or onto the crystals."""
    momentum = (0.0, 0.0, 5.0)
    for z in (120.0, 200.0, 240.0):
        assert photon_stations(momentum, (0.0, 0.0, z)) == ["sac"]
        assert photon_stations(momentum, (0.6, 0.3, z))[0] == first_station(momentum, (600.0, 300.0, 1000 * z))
    assert photon_stations(momentum, (0.6, 0.3, 239.0)) == ["lkr"]


# charged particles


def test_charged_particles_behind_everything_leave_nothing():
    momentum, place = anywhere(2000, 5)
    place[2] = np.random.default_rng(5).uniform(261.0, 1e6, 2000)
    for kind in ("pion", "muon", "electron"):
        assert (charged_traces(kind, 1.0, momentum, place)[0] == 1.0).all()
    forward = momentum[2] > 0
    assert (chanti_survival(momentum[:, forward], place[:, forward]) == 1.0).all()


def chanti_crossed(momentum, place):
    """How many stations a straight line meets ahead of it."""
    count = []
    for p, v in zip(momentum.T, 1000 * place.T, strict=True):
        ahead = [z for z in CHANTI_Z if (z > v[2]) == (p[2] > 0)]
        count.append(sum(chanti(z, *line(p, v, z)) for z in ahead))
    return np.array(count)


def test_chanti_sees_what_begins_in_front_of_it():
    """Products of a flight that ends between its stations, or goes back to them."""
    n = 5000
    rng = np.random.default_rng(8)
    momentum, place = anywhere(n, 8)
    place[:2] = rng.uniform(-0.2, 0.2, (2, n))
    place[2] = rng.uniform(102.0, 105.0, n)
    momentum[2, ::3] = -np.abs(momentum[2, ::3])
    crossed = chanti_crossed(momentum, place)
    assert chanti_survival(momentum, place) == pytest.approx(0.01**crossed, rel=1e-12)
    assert set(crossed) >= {0, 1, 2, 3}


# events


def through_lane(process, values, blocks=3, changes=(), lane=0):
    """Events of one lane, of all numbers: momenta and places of each particle, and what the detector made of them."""
    one = chain_of(process, values, changes).lanes[lane]
    event = chain_of(process, values, changes).block()
    parts = []
    for number in range(blocks):
        event.take(np.arange(number * BLOCK, (number + 1) * BLOCK, dtype=np.uint64))
        one.decay(KEY, BLOCK, event)
        for stage in (*one.propagation, *one.response):
            stage.run(KEY, BLOCK, event)
        parts.append(
            {
                "momenta": np.stack([rows.reshape(4, BLOCK)[:3].copy() for rows in event.momenta]),
                "places": np.stack(
                    [np.stack([row(rows, k) for k in (K_X, K_Y, K_Z)]) for rows in event.origins]
                ),
                "vertex": np.stack([row(event.beam, k) for k in (K_X, K_Y, K_Z)]),
                "fate": np.stack([row(event.fate, k) for k in (ACCEPTANCE, EFFICIENCY, SURVIVAL)]),
                "weight": event.weight.copy(),
            }
        )  # fmt: skip
    return one, {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}


def unseen(process, values, slots, moved=None):
    """Probability that each of some particles of the lane of the first candidate is not seen, (slots, n).

    moved : places (slots, 3, n) to let them begin at instead of where they do, for the events inside the acceptance.
    """
    one = chain_of(process, values).lanes[0]
    found = []
    for slot in slots:
        about = f"{one.final.species[slot].name} {slot}"
        assert any(stage.subject == about for stage in one.response), about
        event, parts, done = chain_of(process, values).block(), [], 0
        for number in range(3):
            event.take(np.arange(number * BLOCK, (number + 1) * BLOCK, dtype=np.uint64))
            one.decay(KEY, BLOCK, event)
            for stage in one.propagation:
                stage.run(KEY, BLOCK, event)
            n = event.compact(BLOCK, one.slots)
            if moved is not None:
                rows = np.zeros(event.vertex.size)
                for k, values_of in zip((K_X, K_Y, K_Z), moved[slots.index(slot)], strict=True):
                    row(rows, k)[:n] = values_of[done : done + n]
                event.origins[slot] = rows
            survival, own = row(event.fate, SURVIVAL), np.ones(n)
            for stage in one.response:
                before = survival[:n].copy()
                if stage.subject == about:
                    survival[:n] = 1.0
                stage.run(KEY, n, event)
                if stage.subject == about:
                    own *= survival[:n]
                    survival[:n] *= before
            parts.append(own)
            done += n
        found.append(np.concatenate(parts))
    return np.array(found)


def test_photons_of_events_begin_where_phi_decays():
    """The survival of each event from those of its photons; if they began at the kaon's vertex it would be another."""
    decay, values = "K+ -> mu+ nu_mu (phi -> gamma gamma)", (("m_X", 0.2), ("tau_phi", 2.0))
    lane, event = through_lane(decay, values)
    assert lane.final.displaced() == lane.final.photons() == (3, 4)
    inside = event["fate"][0] > 0
    assert inside.sum() > 1000
    momenta, places = event["momenta"][..., inside], event["places"][..., inside]
    vertex = event["vertex"][:, inside]
    assert np.array_equal(places[0], vertex)
    assert np.array_equal(places[3], places[4])
    along = (places[3] - vertex) / momenta[2]
    assert np.abs(along - along[2]).max() < 1e-9 * along.max()
    chances = unseen(decay, values, (3, 4))
    assert event["fate"][2][inside] == pytest.approx(chances.prod(axis=0), rel=1e-12)
    assert np.array_equal(unseen(decay, values, (3, 4), moved=places[3:5]), chances)
    wrong = unseen(decay, values, (3, 4), moved=np.array([vertex, vertex]))
    assert (np.abs(wrong.prod(axis=0) - chances.prod(axis=0)) > 0.5).mean() > 0.1
    # a slow ray tracer says it too: what meets no station is hardly seen, hard ones in the crystals almost always,
    # unless they hit the muon's own cluster
    asked = event["fate"][1][inside] > 0  # nobody asks for more of an event that is lost
    for slot, chance in zip((3, 4), chances, strict=True):
        met = [first_station(p, 1000 * v) for p, v in zip(momenta[slot].T, places[slot].T, strict=True)]
        nothing, crystals = (np.array([name == wanted for name in met]) for wanted in (None, "lkr"))
        hard = asked & (np.sqrt((momenta[slot] ** 2).sum(axis=0)) > 10.0)
        assert nothing.sum() > 100
        assert (crystals & hard).sum() > 100
        assert (chance[nothing] == 1.0).mean() > 0.9
        assert (chance[crystals & hard] < 0.02).mean() > 0.95


def seen_everywhere(charge, momentum, place):
    """Whether a particle crosses the first two chambers and the krypton."""
    if momentum[2] <= 0:
        return False
    at = {z: line(momentum, place, z, charge) for z in (*STRAW_Z[:2], LKR_Z)}
    return krypton(*at[LKR_Z]) and all(chamber(k, *at[STRAW_Z[k]]) for k in range(2))


def test_electrons_of_events_begin_where_phi_decays():
    decay, values = "K+ -> mu+ nu_mu (phi -> e+ e-)", (("m_X", 0.2), ("tau_phi", 2.0))
    _, event = through_lane(decay, values)
    inside = event["fate"][0] > 0
    momenta, places = event["momenta"][..., inside], event["places"][..., inside]
    vertex = event["vertex"][:, inside]
    chances = unseen(decay, values, (3, 4))
    assert event["fate"][2][inside] == pytest.approx(chances.prod(axis=0), rel=1e-12)
    assert np.array_equal(unseen(decay, values, (3, 4), moved=places[3:5]), chances)
    wrong = unseen(decay, values, (3, 4), moved=np.array([vertex, vertex]))
    assert (np.abs(wrong.prod(axis=0) - chances.prod(axis=0)) > 0.5).mean() > 0.05
    for slot, charge, chance in zip((3, 4), (1.0, -1.0), chances, strict=True):
        behind = places[slot, 2] > SAC_Z / 1000
        assert behind.sum() > 50
        assert (chance[behind] == 1.0).all()
        ahead = (places[slot, 2] < 180.0) & (event["fate"][1][inside] > 0)
        both = ahead & [
            seen_everywhere(charge, p, 1000 * v) for p, v in zip(momenta[slot].T, places[slot].T, strict=True)
        ]
        assert both.sum() > 100
        assert (chance[both] < 0.02).mean() > 0.95


def test_the_guard_counters_see_electrons_from_where_phi_decays():
    """With stations where phi decays: the real ones are behind its back. The candidate is not asked."""
    stations = (125.0, 130.0, 140.0, 150.0, 170.0, 200.0)
    decay, values = "K+ -> mu+ nu_mu (phi -> e+ e-)", (("m_X", 0.2), ("tau_phi", 0.5))
    _, event = through_lane(decay, values, changes=(("chanti.z", stations),))
    _, without = through_lane(decay, values, changes=(("chanti.z", stations), ("chanti.inefficiency", 1.0)))
    crossed = 0
    for slot in (3, 4):
        for z in stations:
            p, v = event["momenta"][slot], 1000 * event["places"][slot]
            distance = 1000 * z - v[2]
            ahead = (distance > 0) == (p[2] > 0)
            x, y = v[0] + p[0] / p[2] * distance, v[1] + p[1] / p[2] * distance
            hit = np.array([chanti(1000 * z, *at) for at in zip(x, y, strict=True)])
            # what flies on behind the last one is not asked
            crossed = crossed + (hit & ahead & ((v[2] <= 200_000.0) | (p[2] < 0)))
    inside = event["fate"][0] > 0
    assert event["fate"][2][inside] == pytest.approx((0.01**crossed * without["fate"][2])[inside], rel=1e-9)
    assert (crossed[inside] > 1).sum() > 300


def test_candidates_of_the_kaon_leave_the_guard_counters_behind():
    """They need not be asked: the stations stand in front of the decay volume, and candidates go forward."""
    _, event = through_lane("munu", ())
    inside = event["fate"][0] > 0
    assert (chanti_survival(event["momenta"][0][:, inside], event["vertex"][:, inside]) == 1.0).all()


def test_a_displaced_decay_does_not_change_the_candidate():
    """Its track, its acceptance and its efficiency are those of the same decay with phi invisible."""
    values = (("m_X", 0.2),)
    alone = produced("munuphi", 2 * BLOCK, values)
    for products in ("gamma gamma", "e+ e-", "mu+ mu-"):
        if products == "mu+ mu-":
            values = (("m_X", 0.25),)
            alone = produced("munuphi", 2 * BLOCK, values)
        decay = f"K+ -> mu+ nu_mu (phi -> {products})"
        both = chain_of(decay, (*values, ("tau_phi", 2.0)))
        # the lane of the muon from the kaon, for all numbers
        found = produced(decay, 2 * BLOCK, chain=replace(both, lanes=both.lanes[:1]))
        assert np.array_equal(found.fate[:2], alone.fate[:2])
        assert np.array_equal(found.beam, alone.beam)
        assert (found.fate[2] <= alone.fate[2] * (1 + 1e-12)).all()
        assert np.array_equal(found.momenta[:3], alone.momenta)


# candidates that begin behind a flight


def candidates(decay, values):
    """Of the lane whose candidate begins behind a flight."""
    lane, event = through_lane(decay, values, blocks=4, lane=-1)
    return lane, event["places"][lane.candidate, 2], event


@pytest.mark.parametrize(
    ("decay", "values"),
    [
        ("K+ -> (pi+ -> mu+ nu_mu) X", (("m_X", 1e-4),)),
        ("K+ -> e+ (N -> pi+ e-)", (("m_N", 0.3), ("tau_N", 5.0))),
        ("K+ -> e+ (N -> mu+ e-)", (("m_N", 0.3), ("tau_N", 5.0))),
    ],
)
def test_a_candidate_crosses_only_what_is_ahead_of_it(decay, values):
    """A track needs four chambers: none begins behind the first of them."""
    lane, z, event = candidates(decay, values)
    assert lane.candidate in lane.final.displaced()
    late = z > STRAW_Z[0] / 1000
    assert late.sum() > 1000
    assert (event["weight"][late] == 0.0).all()
    assert (event["weight"][~late] > 0.0).any()


def test_pions_decay_to_muons_before_the_spectrometer_one_way_or_another():
    """A pi+ that decays by descriptor, or in the detector's own model: the same share of muons that are seen.

    Only what decays before the first chamber is compared: in the other cases the model keeps the pion's track.
    """
    _, z, event = candidates("K+ -> (pi+ -> mu+ nu_mu) X", (("m_X", 1e-4),))
    by_descriptor = event["fate"][0] * event["fate"][1]
    model = produced("piX", 4 * BLOCK, (("m_X", 1e-4),))
    first = STRAW_Z[0] / 1000
    muon_z = model.track[T_MUON_Z]
    early = muon_z < first
    by_model = np.where(early, model.fate[0] * model.fate[1], 0.0)
    by_descriptor = np.where(z < first, by_descriptor, 0.0)
    n = z.size
    error = math.hypot(by_descriptor.std(), by_model.std()) / math.sqrt(n)
    assert by_model.sum() > 0
    assert abs(by_descriptor.mean() - by_model.mean()) < 5 * error


# several that could be the candidate


def without_vetoes(lane):
    """The same lane where only the candidate and the kaon are asked."""
    own = (f"{lane.final.species[lane.candidate].name} {lane.candidate}", "kaon")
    return replace(lane, response=tuple(stage for stage in lane.response if stage.subject in own))


def mean_weight(chain, n=40 * BLOCK):
    """Mean of the weight, and its error."""
    found = produced("", n, chain=replace(chain, lanes=tuple(map(without_vetoes, chain.lanes)))).weight
    assert found.size == n
    return found.mean(), found.std() / math.sqrt(n)


def standing_for_itself(chain, slot):
    """The chain of one lane whose candidate is in a slot and counts for no other."""
    lane = chain.lanes[0]
    propagation = chain.detector.propagation(lane.final, slot)
    response = chain.detector.response(lane.final, slot, multiplicity=1)
    return replace(chain, lanes=(replace(lane, candidate=slot, propagation=propagation, response=response),))


@pytest.mark.parametrize(
    ("decay", "values", "slots"),
    [
        ("K+ -> pi+ pi+ pi-", (), (0, 1)),
        ("munumumu", (), (0, 2)),
        ("pipienu", (), (0, 2)),
        ("pieeee", (), (0, 1, 3)),
        ("munuV-mumu", (("m_X", 0.3),), (0, 2)),
        ("K+ -> mu+ nu_mu (phi -> mu+ mu-)", (("m_X", 0.25),), (0, 3)),
        ("K+ -> mu+ nu_mu (phi -> mu+ mu-)", (("m_X", 0.25), ("tau_phi", 2.0)), (0, 3)),
        ("K+ -> (pi+ -> mu+ nu_mu) pi+ pi-", (), (1, 3)),  # the other pi+ has decayed
    ],
)
def test_each_that_could_be_the_candidate_counts_for_itself(decay, values, slots):
    """The mean weight is the sum over all positive particles of the probability to be the one that is measured."""
    chain = chain_of(decay, values)
    for slot in slots:
        assert chain.lanes[0].final.species[slot].charge == 1
    mean, error = mean_weight(chain)
    each = [mean_weight(standing_for_itself(chain, slot)) for slot in slots]
    expected = sum(value for value, _ in each)
    spread = math.hypot(error, *(e for _, e in each))
    assert abs(mean - expected) < 5 * spread, (mean, expected, spread)
    assert spread < 0.05 * expected
