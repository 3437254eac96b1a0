"""Samples whose process is a decay descriptor: through a card to event files, and what the detector makes of them."""

import math
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
from small_runs import assert_same, card, columns, made, sample

import kaongen
from kaongen.configuration import load
from kaongen.decays import daughters
from kaongen.decays.amplitude import amplitude
from kaongen.decays.catalogue import find
from kaongen.decays.mixture import alone
from kaongen.decays.sampling import CHUNK
from kaongen.errors import CardError
from kaongen.event_block import SURVIVAL
from kaongen.events.inspection import validate_events
from kaongen.events.reader import open_events
from kaongen.jit import BLOCK, row
from kaongen.particles import Measured
from kaongen.production.card import parse_card
from kaongen.production.chain import build_chain
from kaongen.production.engine import plan
from kaongen.random import stream_key
from kaongen.run import run

PHOTONS = "K+ -> mu+ nu_mu (phi -> gamma gamma)"
MUONS = "K+ -> mu+ nu_mu (phi -> mu+ mu-)"
NA62 = load("na62-2016-2018")
FOREVER = 1e6
"""ns: phi of 0.25 GeV flies 300 km for each unit of p/m."""

CARD = """
[run]
name = "flying"
seed = 3
shard_candidates = 65536

[[sample]]
process = "munu"
role = "normalisation"
candidates = 2000

[[sample]]
name = "phi-gg"
process = "K+ -> (phi -> gamma gamma) nu_mu mu+"
role = "signal"
candidates = 3000
parameters = { m_X = 0.25, tau_phi = 20.0, y = 2e-3 }
"""


def refused(process, **options):
    """What a card with this process is told."""
    with pytest.raises(CardError) as caught:
        plan(card(sample(process, 100, name="mine", **options)))
    return str(caught.value)


KEY = stream_key(1, "phi")


def chain_of(process, vetoes="weight", **parameters):
    return build_chain([alone(find(process), parameters)], NA62, vetoes)


def run_lane(lane, number, event):
    """A block of numbers through a lane, with those that miss a detector left in their places."""
    event.take(np.arange(number * BLOCK, (number + 1) * BLOCK, dtype=np.uint64))
    lane.decay(KEY, BLOCK, event)
    for stage in (*lane.propagation, *lane.response):
        stage.run(KEY, BLOCK, event)


def weights(process, blocks=10, vetoes="weight", lane=0, **parameters):
    """Of the first numbers, always with the same key: the kaons and their own decays are then the same.

    Whatever their lane, all go that of one candidate, by default that of the kaon's own daughter, and count for it.
    """
    chain = chain_of(process, vetoes, **parameters)
    event, found = chain.block(), []
    for number in range(blocks):
        run_lane(chain.lanes[lane], number, event)
        found.append(event.weight / len(chain.lanes))
    return np.concatenate(found)


@pytest.fixture(scope="module")
def invisible():
    return weights("munuphi", m_X=0.25)


# through a card


@pytest.fixture(scope="module")
def flying(tmp_path_factory):
    """A whole run of a card as a person writes it."""
    with patch("kaongen.run.save_plots", lambda result, directory: []):
        return run(parse_card(CARD, "mine.toml"), tmp_path_factory.mktemp("flying") / "run")


def test_a_card_with_a_decay_runs(flying):
    assert validate_events(flying.directory) == []
    events = open_events(flying.directory)
    assert list(events.samples) == ["munu", "phi-gg"]
    info = events["phi-gg"].info
    assert info.process == PHOTONS
    assert info.decay == PHOTONS
    assert info.parameters == {"m_X": 0.25, "tau_phi": 20.0, "y": 2e-3}
    stable = find("munuphi")
    rate = stable.branching_fraction(stable.values({"m_X": 0.25, "y": 2e-3}))
    assert info.branching_fraction == pytest.approx(rate.value, rel=1e-12)
    assert info.branching_fraction_error == pytest.approx(rate.error, rel=1e-12)
    assert events["phi-gg"].tally.candidates == events["phi-gg"].tally.generated == 3000
    assert events["phi-gg"].tally.selected > 0


def test_the_result_has_its_acceptance(flying):
    """Between nothing, where photons are seen, and that of an invisible phi, by its tally."""
    (row_of,) = (r for r in flying.result.samples if r.sample == "phi-gg")
    assert row_of.acceptance.value > 0
    assert row_of.acceptance.value < 1


def test_branching_fractions_of_daughters_count(tmp_path):
    """pi0 -> e+ e- gamma is 1.2% of the decays; either of two pi0 may be the one, the other gives two photons."""
    processes = ("pipi0", "K+ -> pi+ (pi0 -> e+ e- gamma)", "K+ -> pi+ (pi0 -> e+ e- gamma) pi0")
    samples = plan(card(*(sample(p, 100, name=f"s{k}", parameters={}) for k, p in enumerate(processes)))).samples
    expected = (0.2067 * 0.98823, 0.2067 * 0.01174, 0.0176 * 2 * 0.01174 * 0.98823)
    for planned, fraction in zip(samples, expected, strict=True):
        assert planned.info.branching_fraction == pytest.approx(fraction, rel=1e-6)
    assert samples[0].info.decay == "K+ -> pi+ (pi0 -> gamma gamma)"
    assert samples[2].info.decay == "K+ -> pi+ (pi0 -> e+ e- gamma) (pi0 -> gamma gamma)"


def test_threads_and_shards_do_not_matter(tmp_path):
    """Also where a decay in flight needs rows of its own in each thread's block."""
    parts = (
        sample(PHOTONS, 2 * CHUNK + 5, name="flying", parameters={"m_X": 0.25, "tau_phi": 5.0}),
        sample("munuphi", CHUNK, name="stable", parameters={"m_X": 0.25}),
        sample(MUONS, CHUNK, name="muons", parameters={"m_X": 0.25, "tau_phi": 50.0}),
    )
    made(tmp_path / "one", *parts, threads=1)
    base = columns(tmp_path / "one")
    made(tmp_path / "many", *parts, threads=4, shard_candidates=2 * CHUNK)
    assert_same(base, columns(tmp_path / "many"))
    assert all(len(table["weight"]) > 0 for table in base.values())


@amplitude
def _spikes(s12, s23, p):
    """Too narrow for the cells: it lies above its bounds a few percent of the time."""
    product = math.sin(1000.0 * s12) * math.sin(1000.0 * s23)
    return 1.0 / (1.001 - product * product)


@pytest.mark.filterwarnings("ignore:.*varies much")
def test_decays_of_daughters_above_their_bound_are_tallied(tmp_path, monkeypatch):
    """As many as in a sample of the same decays without a detector; and their weights are in the events."""
    monkeypatch.setitem(daughters.KNOWN, ("phi", "e+", "e-", "gamma"), daughters.Known(Measured(0.5, 0.0, ""), _spikes))
    decay, n, values = "K+ -> mu+ nu_mu (phi -> e+ e- gamma)", 2 * CHUNK, {"m_X": 0.3, "tau_phi": FOREVER}
    manifest = made(tmp_path, sample(decay, n, name="above", parameters=values), vetoes="accept")
    bare = kaongen.sample(replace(find(decay), name="above"), n, values=values, seed=5)
    assert sum(s.tally.above_bound for s in manifest.shards) == len(bare.above_bound) > 100
    events = columns(tmp_path)["above"]
    assert np.isin(events["index"], list(bare.above_bound)).sum() > 10
    # of what is accepted the weight is the excess, times the number of candidates
    candidates = len(chain_of(decay, **values).lanes)
    excess = [bare.above_bound.get(number, 1.0) for number in events["index"].tolist()]
    assert events["weight"] == pytest.approx(candidates * np.array(excess), rel=1e-12)


def test_a_run_is_resumed(tmp_path):
    part = sample(PHOTONS, 2 * CHUNK, name="flying", parameters={"m_X": 0.25, "tau_phi": 5.0})
    manifest = made(tmp_path, part)
    before = columns(tmp_path)
    (tmp_path / manifest.shards[1].file).unlink()
    assert made(tmp_path, part, resume=True) == manifest
    assert_same(before, columns(tmp_path))


def test_however_a_decay_is_written_its_events_are_the_same(tmp_path):
    """The name of the sample seeds them; order and white space of the descriptor do not."""
    texts = (PHOTONS, "K+->  nu_mu (phi->gamma gamma)\tmu+")
    found = []
    for number, text in enumerate(texts):
        made(tmp_path / str(number), sample(text, CHUNK, name="s", parameters={"m_X": 0.25, "tau_phi": 5.0}))
        found.append(columns(tmp_path / str(number)))
    assert_same(*found)


@pytest.mark.parametrize(
    ("process", "options", "parts"),
    [
        ("K+ -> mu+ nu_mu (phi -> gamma gama)", {}, ["there is no particle 'gama'", "did you mean 'gamma'", "^"]),
        ("K+ -> mu+ nu_mu (phi -> gamma gamma", {}, ["expected a ')'"]),
        ("K+ -> mu+ nu_mu (S -> gamma gamma)", {}, ["no process has the daughters of K+ -> mu+ nu_mu S"]),
        ("K+ -> mu+ nu_mu (phi -> gamma e+)", {}, ["charge is not conserved"]),
        (PHOTONS, {}, ["m_X is missing"]),
        (PHOTONS, {"parameters": {"m_X": 0.2, "tau": 1.0}}, ["no parameter 'tau'", "tau_phi"]),
        (PHOTONS, {"parameters": {"m_X": 0.2, "tau_phi": 1e9}}, ["tau_phi = 1e+09 ns is not allowed"]),
        (MUONS, {"parameters": {"m_X": 0.2}}, ["phi of 0.2 GeV cannot decay to mu+ mu-, which weigh 0.211317 GeV"]),
        ("K+ -> pi+ (X -> A' A')", {"parameters": {"m_X": 0.2}}, ["m_A is missing: mass of A'"]),
        ("munuph", {}, ["there is no process 'munuph'", "did you mean 'munuphi'"]),
    ],
)
def test_what_is_wrong_with_a_decay_is_said_of_its_sample(process, options, parts):
    message = refused(process, **options)
    assert "sample 'mine'" in message
    for part in parts:
        assert part in message, message


def test_a_decay_needs_a_name_for_its_sample():
    """Its files cannot be called after it."""
    with pytest.raises(CardError, match=r"sample\[1\].*needs a name of its own: name = "):
        parse_card(CARD.replace('name = "phi-gg"\n', ""), "mine.toml")
    with pytest.raises(CardError, match=r"sample\[1\]\.name"):
        parse_card(CARD.replace('name = "phi-gg"', f'name = "{PHOTONS}"'), "mine.toml")


@pytest.mark.parametrize("process", ["K+ -> e+ nu_e", "K+ -> (mu+ -> e+ nu_e anti-nu_mu) nu_mu"])
def test_an_electron_can_be_the_candidate(tmp_path, process):
    """As any positive particle: how it is told from the search's is the detector's business."""
    made(tmp_path / "run", sample("munu", 100), sample(process, 3000, name="mine", parameters={}))
    assert validate_events(tmp_path / "run") == []
    assert open_events(tmp_path / "run")["mine"].tally.generated == 3000
    (lane,) = chain_of(process).lanes
    assert lane.final.species[lane.candidate].name == "e+"


# what the detector sees


def test_a_phi_that_lives_forever_is_invisible(invisible):
    """Event by event: kaons, muons and the detector's response are the same, and no photon is near."""
    assert np.array_equal(weights(PHOTONS, m_X=0.25, tau_phi=FOREVER), invisible)
    assert np.array_equal(weights("K+ -> mu+ nu_mu (phi -> e+ e-)", m_X=0.25, tau_phi=FOREVER), invisible)


def test_muons_far_behind_the_detector_are_no_candidates(invisible):
    """A second mu+ counts only where it could have been taken for the muon."""
    assert np.array_equal(weights(MUONS, m_X=0.25, tau_phi=FOREVER), invisible)
    for products in ("mu+ mu-", "e+ e-"):
        assert not weights(f"K+ -> mu+ nu_mu (phi -> {products})", lane=1, m_X=0.25, tau_phi=FOREVER).any()


def test_a_lane_for_each_candidate_leaves_the_mean_as_it_is(invisible):
    """Half of the numbers go that of the e+ from phi, which is never seen: the others count twice."""
    chain = chain_of("K+ -> mu+ nu_mu (phi -> e+ e-)", m_X=0.25, tau_phi=FOREVER)
    event, found = chain.block(), np.zeros(len(invisible))
    mine = np.zeros(len(invisible), dtype=bool)
    for lane, numbers in chain.batches(KEY, 0, len(invisible)):
        event.take(numbers)
        left, _ = lane.run(KEY, len(numbers), event)
        found[event.index[:left]] = event.weight[:left]
        mine[numbers] = lane is chain.lanes[0]
    assert np.array_equal(found, np.where(mine, 2 * invisible, 0.0))
    assert abs(mine.mean() - 0.5) < 5 * 0.5 / math.sqrt(len(mine))


def test_photons_at_the_vertex_are_vetoed(invisible):
    """Two photons of some GeV: one in 10000 events escapes, and in those at least one is soft or missed."""
    at_once = weights(PHOTONS, m_X=0.25, tau_phi=0.0)
    assert (at_once <= invisible).all()
    assert at_once.sum() < 1e-3 * invisible.sum()
    assert ((at_once > 0) == (invisible > 0)).mean() > 0.99, "inefficiencies, not geometry"


@pytest.mark.parametrize("products", ["gamma gamma", "e+ e-"])
def test_the_longer_it_lives_the_more_is_accepted(products, invisible):
    """From one mean life to the next, each event's phi flies farther in proportion."""
    decay = f"K+ -> mu+ nu_mu (phi -> {products})"
    taus = (0.0, 0.3, 1.0, 3.0, 10.0, 100.0, 1e4)
    found = [weights(decay, m_X=0.25, tau_phi=tau) for tau in taus]
    shares = [w.sum() / invisible.sum() for w in found]
    assert shares == sorted(shares)
    assert shares[1] < 0.05
    assert 0.05 < shares[2] < 0.3
    assert shares[-1] > 0.999
    for w in found:
        assert (w <= invisible * (1 + 1e-12)).all()


def test_the_share_that_is_accepted_is_that_of_flights_out_of_the_detector(invisible):
    """Where almost all flights are longer than the detector, those that end in it are 1 - exp(-path/mean flight).

    Nearly all of them are vetoed; the path from the vertex to the last veto, at 261 m, says how many there are.
    """
    chain = chain_of(PHOTONS, m_X=0.25, tau_phi=30.0)
    event = chain.block()
    mean, seen, total = 0.0, 0.0, 0.0
    for number in range(10):
        run_lane(chain.lanes[0], number, event)
        p = event.momenta[2].reshape(4, BLOCK)[:3]
        z = event.beam.reshape(-1, BLOCK)[6]
        per_length = 0.25 / (0.299792458 * 30.0 * np.sqrt((p**2).sum(axis=0)))
        stays = [1 - np.exp(-(end - z) * per_length) for end in (236.0, 261.0)]
        there = invisible[number * BLOCK : (number + 1) * BLOCK]
        mean = mean + np.array([(there * chance).sum() for chance in stays])
        seen += (there - event.weight).sum()
        total += there.sum()
    spread = 5 * math.sqrt(mean[1] / total / (invisible > 0).sum())
    low, high = mean / total
    assert low - spread < seen / total < high + spread


def test_accepting_agrees_with_weighing():
    """As if they were independent, which they are not and which makes the error too large: to five of them."""
    weighed = weights(PHOTONS, m_X=0.25, tau_phi=10.0)
    accepted = weights(PHOTONS, vetoes="accept", m_X=0.25, tau_phi=10.0)
    assert set(np.unique(accepted)) == {0.0, 1.0}
    error = math.sqrt((accepted.var() + weighed.var()) / len(weighed))
    assert abs(accepted.mean() - weighed.mean()) < 5 * error


def test_a_neutral_pion_in_flight():
    """X -> pi0 gamma behind the detector leaves the pi+ alone; at the vertex all three photons are seen."""
    decay = "K+ -> pi+ (X -> pi0 gamma)"
    nothing = weights("piX", m_X=0.3)
    assert np.array_equal(weights(decay, m_X=0.3, tau_X=FOREVER), nothing)
    near = weights(decay, m_X=0.3, tau_X=0.0)
    assert near.sum() < 1e-3 * nothing.sum()
    chain = chain_of(decay, m_X=0.3, tau_X=5.0)
    (lane,) = chain.lanes
    assert len(lane.final.photons()) == 3
    event = chain.block()
    run_lane(lane, 0, event)
    assert ((row(event.fate, SURVIVAL) >= 0) & (row(event.fate, SURVIVAL) <= 1)).all()
