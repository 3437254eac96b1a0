"""Three muons of one decay: kinematics against a library, tracks that share no random numbers, and what is refused."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import vector
from scipy.optimize import minimize
from small_runs import assert_same, card, columns, sample

from kaongen.analysis.dimuon_selection import ThreeMuonSelection
from kaongen.configuration import load
from kaongen.decays.sampling import CHUNK
from kaongen.errors import CardError, EventFileError, ProcessError
from kaongen.event_block import R_EOP, R_KPX, R_KPY, R_KPZ, R_KX, R_KY, R_PX, R_PY, R_PZ, R_X, R_Y, RECO_ROWS, T_P
from kaongen.events.manifest import read_manifest
from kaongen.events.reader import open_events
from kaongen.jit import BLOCK, row
from kaongen.particles import M_K, M_MU
from kaongen.production.card import SamplePart
from kaongen.production.directory import CARD_FILE
from kaongen.production.engine import plan, produce
from kaongen.production.memory import simulate, simulate_card
from kaongen.production.selection import TABLES, THREE_MUON_ROWS
from kaongen.production.source import chain
from kaongen.production.three_muons import track_keys
from kaongen.production.three_muons_block import (
    S_CDA,
    S_FIRST,
    S_LEAD,
    S_M2,
    S_OTHER,
    S_P_LARGEST,
    S_P_LEAST,
    S_P_SUM,
    S_SECOND,
    S_SWAPPED,
    S_VX,
    S_VY,
    S_VZ,
    THREE_ROWS,
    combine,
)
from kaongen.random import stream_key
from kaongen.replay.event import replay
from kaongen.replay.target import find_event
from kaongen.reproduce.three_tracks import acceptance_of_all

NAME = "na62-2016-2018-3mu"
DETECTOR = load(NAME)
SCALAR = "K+ -> mu+ nu_mu (phi -> mu+ mu-)"
KAON_Z, CHAMBER_Z = 102.4, 183.5


def part(process="munumumu", candidates=CHUNK, name="three", **parameters):
    return SamplePart(process=process, name=name, role="background", candidates=candidates, parameters=parameters)


def made(detector=DETECTOR, selection=None, **settings):
    vetoes = settings.pop("vetoes", "weight")
    key = stream_key(5, "three")
    return simulate(part(**settings), detector, selection or ThreeMuonSelection(), key, vetoes=vetoes)


def three_card(*samples, **settings):
    return card(*samples, configuration=NAME, **settings)


def digest(table):
    return hashlib.sha256(b"".join(values.tobytes() for values in table.values())).hexdigest()


def block_of(process, n=BLOCK, **parameters):
    """A lane and the events of a block behind all stages, before any selection."""
    three = chain(part(process, **parameters), DETECTOR, "weight")
    event, lane, key = three.block(), three.lanes[0], stream_key(3, "block")
    event.number(0, n)
    left, _ = lane.run(key, n, event)
    return lane, event, left


@pytest.fixture(scope="module")
def arbitrary():
    """Reconstructions of three tracks and of a kaon, and what the kernel makes of them."""
    rng = np.random.default_rng(11)
    n = 500
    tracks = []
    for _ in range(3):
        reco = np.zeros(RECO_ROWS * BLOCK)
        for number, values in (
            (R_PX, rng.normal(0.0, 0.15, n)), (R_PY, rng.normal(0.0, 0.15, n)), (R_PZ, rng.uniform(6.0, 40.0, n)),
            (R_X, rng.normal(0.1, 0.3, n)), (R_Y, rng.normal(0.0, 0.3, n)), (R_EOP, rng.uniform(0.0, 0.3, n)),
        ):  # fmt: skip
            row(reco, number)[:n] = values
        tracks.append(reco)
    kaon = np.zeros(RECO_ROWS * BLOCK)
    for number, values in (
        (R_KPX, rng.normal(0.09, 0.01, n)), (R_KPY, rng.normal(0.0, 0.01, n)), (R_KPZ, rng.normal(75.0, 0.8, n)),
        (R_KX, rng.normal(0.0, 0.01, n)), (R_KY, rng.normal(0.0, 0.01, n)),
    ):  # fmt: skip
        row(kaon, number)[:n] = values
    three = np.zeros(THREE_ROWS * BLOCK)
    combine(n, KAON_Z, CHAMBER_Z, *tracks, kaon, three)
    return n, tracks, kaon, three


def muon(reco, n):
    return vector.array(
        {"px": row(reco, R_PX)[:n], "py": row(reco, R_PY)[:n], "pz": row(reco, R_PZ)[:n], "mass": np.full(n, M_MU)}
    )


def test_masses_and_order_are_those_of_a_library(arbitrary):
    n, tracks, kaon, three = arbitrary
    a, b, c = (muon(t, n) for t in tracks)
    k = vector.array(
        {"px": row(kaon, R_KPX)[:n], "py": row(kaon, R_KPY)[:n], "pz": row(kaon, R_KPZ)[:n], "mass": np.full(n, M_K)}
    )
    swapped = a.boostCM_of(k).E < b.boostCM_of(k).E
    assert 0 < swapped.sum() < n
    assert np.array_equal(row(three, S_SWAPPED)[:n] == 1.0, swapped)
    lead, other = (a + c).mass, (b + c).mass
    assert row(three, S_LEAD)[:n] == pytest.approx(np.where(swapped, other, lead), rel=1e-10)
    assert row(three, S_OTHER)[:n] == pytest.approx(np.where(swapped, lead, other), rel=1e-10)
    # by components: the library gives what is left over a positive energy
    energy, *momentum = (getattr(k, x) - getattr(a, x) - getattr(b, x) - getattr(c, x) for x in ("E", "px", "py", "pz"))
    assert row(three, S_M2)[:n] == pytest.approx(energy**2 - sum(p**2 for p in momentum), rel=1e-9, abs=1e-9)
    assert row(three, S_FIRST)[:n] == pytest.approx(np.where(swapped, b.px, a.px), abs=1e-15)
    assert row(three, S_SECOND + 2)[:n] == pytest.approx(np.where(swapped, a.pz, b.pz), abs=1e-15)
    momenta = np.array([a.mag, b.mag, c.mag])
    assert row(three, S_P_LEAST)[:n] == pytest.approx(momenta.min(0), rel=1e-12)
    assert row(three, S_P_LARGEST)[:n] == pytest.approx(momenta.max(0), rel=1e-12)
    assert row(three, S_P_SUM)[:n] == pytest.approx((a + b + c).mag, rel=1e-12)


def test_the_vertex_is_where_the_tracks_are_closest(arbitrary):
    n, tracks, kaon, three = arbitrary

    def spread(z, j):
        at = np.array(
            [
                (row(t, R_X)[j] + row(t, R_PX)[j] / row(t, R_PZ)[j] * (z - CHAMBER_Z),
                 row(t, R_Y)[j] + row(t, R_PY)[j] / row(t, R_PZ)[j] * (z - CHAMBER_Z))
                for t in tracks
            ]
        )  # fmt: skip
        return ((at - at.mean(0)) ** 2).sum(), at.mean(0)

    for j in range(0, n, 25):
        z = row(three, S_VZ)[j]
        best = minimize(lambda s, j=j: spread(CHAMBER_Z + s[0], j)[0], [0.0], method="BFGS", options={"gtol": 1e-12})
        assert z == pytest.approx(CHAMBER_Z + best.x[0], abs=1e-4)
        x, y = spread(z, j)[1]
        assert (row(three, S_VX)[j], row(three, S_VY)[j]) == pytest.approx((x, y), abs=1e-12)
        direction = np.array([row(kaon, R_KPX)[j], row(kaon, R_KPY)[j], row(kaon, R_KPZ)[j]])
        away = np.array([x - row(kaon, R_KX)[j], y - row(kaon, R_KY)[j], z - KAON_Z])
        distance = np.linalg.norm(np.cross(away, direction)) / np.linalg.norm(direction)
        assert row(three, S_CDA)[j] == pytest.approx(distance, rel=1e-6)


@pytest.mark.parametrize(("process", "mass"), [("munuV-mumu", 0.3), (SCALAR, 0.25)])
def test_one_pair_has_the_mass_of_what_decayed(process, mass):
    """In truth to the rounding of the columns, measured within a few resolutions of half a percent at most."""
    data = made(process=process, m_X=mass).data
    lead, other = (np.abs(data[f"m_mumu_{pair}_true"] - mass) < 2e-7 for pair in ("lead", "other"))
    assert np.all(lead | other)
    assert 0 < lead.sum() < len(lead)
    measured = np.where(lead, data["m_mumu_lead"], data["m_mumu_other"])
    assert np.quantile(np.abs(measured / mass - 1.0), 0.95) < 0.01


def test_what_is_missing_is_a_neutrino():
    data = made(candidates=4 * CHUNK).data
    own = data["gtk_track"] == 0
    # (P_K - sum)^2 is small against its parts, of which the smallest is some GeV^2
    assert np.average(data["m2_miss"][own], weights=data["weight"][own]) == pytest.approx(0.0, abs=5e-5)
    assert np.quantile(np.abs(data["m2_miss"][own]), 0.68) < 5e-4


def test_columns_are_rounded_rows():
    names = TABLES["three muons"].names[3:]
    assert len(names) == len(THREE_MUON_ROWS) == len(set(THREE_MUON_ROWS))
    assert names[THREE_MUON_ROWS.tolist().index(S_M2)] == "m2_miss"
    data = made().data
    mass = {"mass": np.full(len(data["weight"]), M_MU)}
    p1, p3 = (vector.array({f"p{x}": data[f"muon{i}_p{x}"].astype(float) for x in "xyz"} | mass) for i in (1, 3))
    assert data["m_mumu_lead"] == pytest.approx((p1 + p3).mass, rel=1e-4)


def test_identical_particles_are_treated_alike():
    """Of two muons that the decay does not tell apart either leads as often; the first is always the faster one."""
    _, event, left = block_of("munumumu")
    swapped = row(event.three, S_SWAPPED)[:left]
    assert swapped.mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(left))


def test_tracks_share_no_random_numbers():
    """Errors of the three momenta are independent, and those of one muon are not those of another with its key."""
    _, event, left = block_of("munumumu")
    errors = []
    for block in event.seen:
        p = np.sqrt(sum(row(block.reco, number)[:left] ** 2 for number in (R_PX, R_PY, R_PZ)))
        errors.append(p / row(block.track, T_P)[:left] - 1.0)
    errors = np.clip(errors, -0.02, 0.02)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert abs(np.corrcoef(errors[i], errors[j])[0, 1]) < 5.0 / np.sqrt(left)
    assert errors.std(axis=1) == pytest.approx(3.2e-3, rel=0.15)
    key = stream_key(1, "x")
    keys = track_keys(key, (0, 2, 3))
    assert len({key, *keys}) == 4
    assert keys == track_keys(key, (0, 2, 3))
    assert set(keys).isdisjoint(track_keys(stream_key(2, "x"), (0, 2, 3)))


def test_acceptance_is_that_of_three_single_tracks():
    """A detector that sees all that crosses it, and knows the kaon, against another way to go through the stages."""
    changes = {"ktag.efficiency": 1.0, "gtk.used": 0, "chod.efficiency": 1.0, "muv3.efficiency": 1.0}
    changes |= {"muv3.needed_momentum": 0.0, "muv3.scattering": 1e-6, "muv3.search_deviations": 10.0}
    n = 40 * CHUNK // 4
    all_seen = made(DETECTOR.with_values(changes), candidates=n).tally
    seen = all_seen.cutflow[1].sum_weights / n
    other = acceptance_of_all("munumumu", load("na62-2016-2018"), 0.0, n)
    assert seen == pytest.approx(other.value, abs=4 * np.sqrt(2) * other.error)


def test_probabilities_are_those_of_nature():
    weighted, natural = (made(candidates=6 * CHUNK, vetoes=vetoes).tally for vetoes in ("weight", "accept"))
    # but for the few decays above the bound of the generator
    assert natural.sum_weights == pytest.approx(natural.selected, rel=1e-4)
    error = np.sqrt(weighted.sum_weights_squared + natural.selected)
    assert weighted.sum_weights == pytest.approx(natural.sum_weights, abs=4 * error)


def test_muons_that_decayed_are_no_muons():
    """Pions are taken for muons where they decay in flight: K+ -> pi+ pi+ pi- is a background that can be made."""
    pions = made(process="pipipi").tally
    muons = made().tally
    assert 0.0 < pions.sum_weights < 0.01 * muons.sum_weights


def test_cuts_are_those_of_the_columns():
    loose = ThreeMuonSelection(momentum=(0.0, 1e3), total_momentum=1e3, eop_max=1e3, cda_max=1e3, volume=(-1e4, 1e4))
    everything, tight = made(selection=loose), made(selection=ThreeMuonSelection(momentum=(8.0, 35.0), cda_max=0.003))
    data = everything.data
    p = np.array([np.sqrt(sum(data[f"muon{i}_p{x}"].astype(float) ** 2 for x in "xyz")) for i in (1, 2, 3)])
    passed = (p.min(0) > 8.0) & (p.max(0) < 35.0) & (data["eop"] < 0.2) & (data["cda"] < 0.003)
    passed &= (data["vertex_z"] > 105.0) & (data["vertex_z"] < 180.0)
    # all but those that sit on an edge to the rounding of a column
    differing = np.setxor1d(data["index"][passed], tight.data["index"])
    assert len(differing) <= 2
    assert 100 < len(tight) < len(everything)
    counts = [cut.events for cut in tight.tally.cutflow]
    assert counts == sorted(counts, reverse=True)
    assert tight.tally.cutflow[-1].events == tight.tally.selected == len(tight)


def test_cuts_explain_themselves():
    _, event, left = block_of("munumumu")
    selection = ThreeMuonSelection(momentum=(12.0, 40.0), cda_max=0.001)
    passed = np.empty(BLOCK, dtype=np.int64)
    counts, sums = np.zeros(6, dtype=np.int64), np.zeros(6)
    k = selection.apply(left, event, passed, counts, sums)
    explained = [all(cut.passed for cut in selection.explain(event, j)) for j in range(left)]
    assert np.flatnonzero(explained).tolist() == passed[:k].tolist()
    assert [cut.name for cut in selection.explain(event, 0)] == list(selection.cuts[1:])


SAMPLES = (sample("munumumu", CHUNK + 100), sample("munuV-mumu", 3000))


def ran(directory, threads=2, **settings):
    wanted = three_card(*SAMPLES, **settings)
    manifest = produce(wanted, ThreeMuonSelection(), directory, threads=threads)
    (directory / CARD_FILE).write_text(wanted.model_dump_json())
    return manifest


@pytest.fixture(scope="module")
def in_files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("files") / "run"
    ran(directory)
    return directory


def test_neither_threads_nor_shards_nor_files_matter(in_files, tmp_path):
    ran(tmp_path / "one", threads=1, shard_candidates=2 * CHUNK)
    assert_same(columns(in_files), columns(tmp_path / "one"))
    memory = simulate_card(three_card(*SAMPLES), ThreeMuonSelection(), threads=2)
    assert_same(columns(in_files), {name: memory[name].columns() for name in memory.samples})
    assert read_manifest(in_files).complete


def test_files_say_what_they_hold(in_files):
    events = open_events(in_files)
    assert events.provenance.detector == NAME
    for member in events.members:
        assert member.column_names == TABLES["three muons"].names
        assert [cut.name for cut in member.tally.cutflow] == list(ThreeMuonSelection.cuts)


BLOCKS = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_three_muons import columns, digest, ran
ran(Path(sys.argv[2]))
for table in columns(Path(sys.argv[2])).values():
    print(digest(table))
"""


@pytest.mark.slow
def test_the_size_of_a_block_does_not_matter(in_files, tmp_path):
    arguments = [sys.executable, "-c", BLOCKS, os.path.dirname(__file__), str(tmp_path / "run")]
    environment = os.environ | {"KAONGEN_BLOCK": "256"}
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [digest(table) for table in columns(in_files).values()]


def test_mixed_kinds_of_chains_in_one_thread():
    """A thread that has made events of one track makes those of three afterwards."""
    from kaongen.analysis.mu_selection import MuonSelection
    from kaongen.production.engine import Worker

    single = chain(part("pipipi"), load("na62-2016-2018"), "weight")
    three = chain(part("pipipi"), DETECTOR, "weight")
    assert single.particles == three.particles
    key = stream_key(1, "x")
    Worker(MuonSelection(), None).run(single, key, 0, 100)
    worker = Worker(ThreeMuonSelection(), None)
    worker.run(three, key, 0, 100)
    with pytest.raises(EventFileError, match="three muons"):
        worker.run(single, key, 0, CHUNK)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (sample("munu"), r"munu.*two positive particles.*K\+ -> mu\+ nu_mu is not"),
        (sample("natural"), "natural.*a single decay of kaons, not 'natural'"),
        (sample("beam-pions"), "beam-pions.*a single decay of kaons, not 'beam-pions'"),
        (sample("munumumu", zone="upstream", name="far"), "far.*in the decay volume"),
        (sample("K+ -> pi+ (pi0 -> e+ e- gamma)", name="dalitz"), "dalitz.*no photon"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_made(wrong, text):
    with pytest.raises(CardError, match=text):
        plan(three_card(sample("munumumu"), wrong))
    with pytest.raises(ProcessError):
        chain(three_card(wrong).sample[0], DETECTOR, "weight")


def test_events_of_three_muons_are_not_shown(in_files):
    with pytest.raises(EventFileError, match=f"{NAME}.*three muons"):
        replay(find_event(f"{in_files}/munumumu:0"))
