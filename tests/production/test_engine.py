"""The engine: one seed, one content, whatever makes it, cuts it or interrupts it; and tallies that add up."""

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from small_runs import PARAMETERS, assert_same, card, columns, made, sample

import kaongen.production.engine as engine
from kaongen.analysis.mu_selection import MuonSelection
from kaongen.decays.catalogue import find, processes
from kaongen.decays.chains import is_descriptor
from kaongen.decays.mixture import alone
from kaongen.decays.sampling import CHUNK
from kaongen.errors import CardError, EventFileError
from kaongen.events.inspection import validate_events
from kaongen.events.manifest import read_manifest
from kaongen.events.reader import open_events
from kaongen.production.card import read_card, shipped_cards
from kaongen.production.chain import build_chain
from kaongen.random import stream_key

# One of each kind: two-body, three-body with a photon, with a pi0, with pions that decay in flight, many-body, a chain.
# Not whole chunks. And with candidates of two kinds, and of many decays.
SAMPLES = (
    sample("munu", 2 * CHUNK + 777),
    sample("munug", 3 * CHUNK),
    sample("pi0munu", CHUNK),
    sample("pipipi", CHUNK + 1),
    sample("munumumu", 5000),
    sample("K+ -> (pi+ -> mu+ nu_mu) pi0", 30_000, name="flight"),
    sample("munuee", 10_000),
    sample("natural", CHUNK + 321),
)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """An uninterrupted run on one thread."""
    directory = tmp_path_factory.mktemp("base") / "run"
    return directory, made(directory, *SAMPLES, threads=1)


def checksums(manifest):
    return [(s.file, s.first, s.stop, s.rows, s.sha256) for s in manifest.shards]


def test_a_run_is_whole_and_valid(base):
    directory, manifest = base
    assert manifest.complete
    assert read_manifest(directory) == manifest
    assert validate_events(directory) == []
    assert not open_events(directory).missing


def test_threads_do_not_matter(base, tmp_path):
    for threads in (2, 5):
        assert made(tmp_path / str(threads), *SAMPLES, threads=threads) == base[1]


def test_the_size_of_a_shard_does_not_matter(base, tmp_path):
    made(tmp_path, *SAMPLES, shard_candidates=4 * CHUNK)
    assert len(list((tmp_path / "shards").iterdir())) < len(list((base[0] / "shards").iterdir()))
    assert_same(columns(base[0]), columns(tmp_path))


def test_compression_does_not_matter(base, tmp_path):
    assert checksums(made(tmp_path, *SAMPLES, compression="gzip")) == checksums(base[1])


BLOCKS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from small_runs import made, sample
manifest = made(Path(sys.argv[2]), *(sample(name, 5000) for name in sys.argv[3:]))
print(*(record.sha256 for record in manifest.shards))
"""


KINDS = ("munu", "munug", "pi0munu", "pipipi", "munumumu", "munuee", "pieeee", "mununubarnu", "natural")


@pytest.mark.slow
def test_the_size_of_a_block_does_not_matter(tmp_path):
    """Vectors end elsewhere: a kernel that computes differently in its remainder shows here."""

    def sha256(block):
        arguments = [sys.executable, "-c", BLOCKS, os.path.dirname(__file__), str(tmp_path / f"run{block}"), *KINDS]
        environment = os.environ | {"KAONGEN_BLOCK": block} if block else dict(os.environ)
        return subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True).stdout.split()

    usual = sha256("")
    assert len(usual) == len(KINDS)
    assert sha256("256") == usual


def test_more_candidates_begin_with_the_same_events(base, tmp_path):
    made(tmp_path, sample("munug", CHUNK + 12345))
    whole, part = columns(base[0])["munug"], columns(tmp_path)["munug"]
    rows = len(part["index"])
    assert rows == np.count_nonzero(whole["index"] < CHUNK + 12345)
    assert_same({"munug": {name: values[:rows] for name, values in whole.items()}}, {"munug": part})


def test_a_sample_does_not_know_its_neighbours(base, tmp_path):
    """Its name and the seed make its random numbers, not its place in the card."""
    made(tmp_path, *reversed(SAMPLES))
    assert_same(
        columns(base[0]), dict(sorted(columns(tmp_path).items(), key=lambda kv: list(columns(base[0])).index(kv[0])))
    )


def test_other_seeds_and_other_names_make_other_events(tmp_path):
    made(tmp_path / "one", sample("munu", 5000), sample("munu", 5000, name="again"))
    made(tmp_path / "two", sample("munu", 5000), seed=6)
    one, two = columns(tmp_path / "one"), columns(tmp_path / "two")
    for first, second in ((one["munu"], one["again"]), (one["munu"], two["munu"])):
        assert np.isin(first["muon_px"], second["muon_px"]).mean() < 0.01


CATALOGUE = (
    "pi0enu",
    "pi0enug",
    "pi0pi0enu",
    "enu",
    "enug",
    "enuee",
    "eN",
    "munu",
    "pipi0",
    "pipipi",
    "pi0munu",
    "pipi0pi0",
    "munug",
    "pipi0g",
    "pi0munug",
    "pipienu",
    "pigg",
    "piee",
    "pimumu",
    "munuee",
    "munumumu",
    "enumumu",
    "pinunu",
    "pieeee",
    "mununubarnu",
    "munuV",
    "munuV-mumu",
    "munuphi",
    "muN",
    "piX",
    "piS",
    "pia",
    "piaa",
)
M_K, M_MU, M_PI, M_E, M_PI0 = 0.493677, 0.1056583755, 0.13957039, 0.51099895e-3, 0.1349768
"""GeV; Particle Data Group."""


def from_to(least, candidate):
    """Masses of what recoils: from the least to all that the candidate leaves."""
    return least, M_K - candidate


RECOIL = {
    "munu": {"mu+": (0.0, 0.0)},
    "enu": {"e+": (0.0, 0.0)},
    "pipi0": {"pi+": (M_PI0, M_PI0)},
    "pipipi": {"pi+": from_to(2 * M_PI, M_PI)},
    "pi0enu": {"e+": from_to(M_PI0, M_E)},
    "pi0munu": {"mu+": from_to(M_PI0, M_MU)},
    "pipi0pi0": {"pi+": from_to(2 * M_PI0, M_PI)},
    "munug": {"mu+": from_to(0.0, M_MU)},
    "enug": {"e+": from_to(0.0, M_E)},
    "pipi0g": {"pi+": from_to(M_PI0, M_PI)},
    "pi0enug": {"e+": from_to(M_PI0, M_E)},
    "pi0munug": {"mu+": from_to(M_PI0, M_MU)},
    "pipienu": {"pi+": from_to(M_PI + M_E, M_PI), "e+": from_to(2 * M_PI, M_E)},
    "pi0pi0enu": {"e+": from_to(2 * M_PI0, M_E)},
    "pigg": {"pi+": from_to(0.0, M_PI)},
    "piee": {"pi+": from_to(2 * M_E, M_PI), "e+": from_to(M_PI + M_E, M_E)},
    "pimumu": {"pi+": from_to(2 * M_MU, M_PI), "mu+": from_to(M_PI + M_MU, M_MU)},
    "munuee": {"mu+": from_to(0.14, M_MU), "e+": from_to(M_MU + M_E, M_E)},
    "enuee": {"e+": from_to(2 * M_E, M_E)},
    "munumumu": {"mu+": from_to(2 * M_MU, M_MU)},
    "enumumu": {"e+": from_to(2 * M_MU, M_E), "mu+": from_to(M_MU + M_E, M_MU)},
    "pinunu": {"pi+": from_to(0.0, M_PI)},
    "pieeee": {"pi+": from_to(4 * M_E, M_PI), "e+": from_to(M_PI + 3 * M_E, M_E)},
    "mununubarnu": {"mu+": from_to(0.0, M_MU)},
    "munuV": {"mu+": from_to(0.1, M_MU)},
    "munuV-mumu": {"mu+": from_to(2 * M_MU, M_MU)},
    "munuphi": {"mu+": from_to(0.2, M_MU)},
    "muN": {"mu+": (0.3, 0.3)},
    "eN": {"e+": (0.3, 0.3)},
    "piX": {"pi+": (0.1, 0.1)},
    "piS": {"pi+": (0.2, 0.2)},
    "pia": {"pi+": (0.05, 0.05)},
    "piaa": {"pi+": from_to(0.2, M_PI)},
}
"""Least and greatest mass of what each candidate leaves (GeV): from the sum of its masses to m_K - m."""


def most_above(name):
    """Share of decays above their bounds: none of what has a Dalitz plot, few of what has more bodies."""
    return {2: 0.0, 3: 0.0, 4: 1e-3, 5: 1e-2}[len(find(name).daughters)]


@pytest.fixture(scope="module")
def catalogue_run(tmp_path_factory):
    """Every decay of the catalogue, one chunk each."""
    directory = tmp_path_factory.mktemp("catalogue") / "run"
    made(directory, *(sample(name) for name in CATALOGUE))
    return directory


def test_no_decay_of_the_catalogue_is_left_out():
    assert sorted(process.name for process in processes()) == sorted(CATALOGUE) == sorted(RECOIL)
    for process in processes():
        assert {name for name in process.daughters if name.endswith("+")} == set(RECOIL[process.name]), process.name
    shipped = {part.process for name in shipped_cards() for part in read_card(name).sample}
    assert {name for name in shipped if not is_descriptor(name)} <= {*CATALOGUE, "natural", "beam-pions"}


@pytest.mark.parametrize("name", CATALOGUE)
def test_tallies_are_those_of_the_columns(catalogue_run, name):
    events = open_events(catalogue_run)[name]
    tally, table = events.tally, events.columns("index", "weight")
    assert tally.candidates == CHUNK
    assert tally.generated == tally.candidates
    assert tally.above_bound <= most_above(name) * CHUNK
    assert tally.selected == len(table["index"]) == len(np.unique(table["index"]))
    assert tally.sum_weights == pytest.approx(np.sum(table["weight"], dtype=np.longdouble), rel=1e-12)
    assert tally.sum_weights_squared == pytest.approx(np.sum(table["weight"] ** 2, dtype=np.longdouble), rel=1e-12)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_sample_of_one_decay_has_one_component(catalogue_run, name):
    events = open_events(catalogue_run)[name]
    assert events.info.components == ()
    column = events.column("component")
    assert column.dtype == np.uint8
    assert not column.any()


@pytest.mark.parametrize("name", CATALOGUE)
def test_cuts_only_remove(catalogue_run, name):
    tally = open_events(catalogue_run)[name].tally
    assert [cut.name for cut in tally.cutflow] == list(MuonSelection.cuts)
    assert tally.cutflow[0].events == tally.generated
    assert tally.cutflow[-1].events == tally.selected
    assert tally.cutflow[-1].sum_weights == pytest.approx(tally.sum_weights, rel=1e-9)
    for before, after in pairwise(tally.cutflow):
        assert after.events <= before.events
        assert after.sum_weights <= before.sum_weights * (1.0 + 1e-12)


@pytest.mark.parametrize("name", CATALOGUE)
def test_columns_are_what_they_say(catalogue_run, name):
    """Momenta, missing mass and cuts of the selection, recomputed from the stored columns."""
    t = {c: v.astype(np.float64) for c, v in open_events(catalogue_run)[name].columns().items()}
    muon2 = t["muon_px"] ** 2 + t["muon_py"] ** 2 + t["muon_pz"] ** 2
    kaon2 = t["kaon_px"] ** 2 + t["kaon_py"] ** 2 + t["kaon_pz"] ** 2
    energy = np.sqrt(kaon2 + M_K**2) - np.sqrt(muon2 + M_MU**2)
    missing = energy**2 - sum((t[f"kaon_p{c}"] - t[f"muon_p{c}"]) ** 2 for c in "xyz")
    # 75 GeV in single precision leave 75^2 2^-23 of the difference
    assert t["m2_miss"] == pytest.approx(missing, abs=4e-3)
    assert np.abs(t["m2_miss"] - missing).sum() <= 1e-3 * len(missing)
    # the cuts of NA62, Phys. Lett. B 816 (2021) 136259, section 2
    assert ((muon2 > 4.9999**2) & (muon2 < 70.0001**2)).all()
    assert (t["eop"] < 0.2).all()
    assert ((t["cda"] >= 0.0) & (t["cda"] < 7e-3)).all()
    assert ((t["vertex_z"] > 105.0 + 8.0 - 1e-4) & (t["vertex_z"] < 180.0 + 1e-4)).all()
    assert (t["weight"] > 0.0).all()


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_true_missing_mass_is_that_of_what_recoils(catalogue_run, name):
    """Squared masses of what the candidate of each event's lane leaves."""
    table = open_events(catalogue_run)[name].columns("index", "m2_miss_true")
    chain = build_chain([alone(find(name), PARAMETERS.get(name, {}))], card(*SAMPLES).configuration())
    found = 0
    for lane, numbers in chain.batches(stream_key(5, name), 0, CHUNK):
        candidate = lane.final.species[lane.candidate].name
        least, most = (mass**2 for mass in RECOIL[name][candidate])
        values = table["m2_miss_true"][np.isin(table["index"], numbers)]
        assert ((values >= least - 1e-7) & (values <= most + 1e-7)).all(), candidate
        found += len(values)
    assert found == len(table["index"])
    assert found > 0 or set(RECOIL[name]) == {"e+"}  # which look like neither muon nor pion


def test_the_interrupted_run_resumes_to_the_same_content(base, tmp_path, monkeypatch):
    """Stopped after every number of shards in turn; the manifest on disk always lists what is whole."""
    write_shard = engine.write_shard
    left = [0]

    def stumbling(path, *rest):
        if left[0] == 0:
            raise EventFileError(f"cannot write {path}: No space left on device")
        left[0] -= 1
        return write_shard(path, *rest)

    monkeypatch.setattr(engine, "write_shard", stumbling)
    for more in (0, 1, 0, 3):
        left[0] = more
        before = len(read_manifest(tmp_path).shards) if (tmp_path / "manifest.json").exists() else 0
        with pytest.raises(EventFileError, match="No space left"):
            made(tmp_path, *SAMPLES, resume=True)
        stopped = read_manifest(tmp_path)
        assert len(stopped.shards) == before + more
        assert not stopped.complete
        assert checksums(stopped) == checksums(base[1])[: before + more]
    left[0] = 1000
    assert checksums(made(tmp_path, *SAMPLES, resume=True)) == checksums(base[1])
    assert validate_events(tmp_path) == []


def test_an_error_in_a_thread_is_not_lost(tmp_path):
    def broken(name, candidates):
        raise EventFileError("the progress went wrong")

    with pytest.raises(EventFileError, match="the progress went wrong"):
        made(tmp_path, *SAMPLES, progress=broken)


def test_resuming_a_complete_run_does_nothing(tmp_path):
    manifest = made(tmp_path, *SAMPLES[:2])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "shards").iterdir()}
    assert made(tmp_path, *SAMPLES[:2], resume=True) == manifest
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "shards").iterdir()} == before


@pytest.mark.parametrize("damage", ["removed", "cut", "bit", "empty", "foreign"])
def test_a_damaged_shard_is_made_again(base, tmp_path, damage):
    manifest = made(tmp_path, *SAMPLES)
    path = tmp_path / manifest.shards[1].file
    content = path.read_bytes()
    if damage == "removed":
        path.unlink()
    elif damage == "bit":
        half = len(content) // 2
        path.write_bytes(content[:half] + bytes([content[half] ^ 4]) + content[half + 1 :])
    else:
        path.write_bytes({"cut": content[:-100], "empty": b"", "foreign": b"GIF89a" + content[6:]}[damage])
    others = {p: p.stat().st_mtime_ns for p in (tmp_path / "shards").iterdir() if p != path}
    assert made(tmp_path, *SAMPLES, resume=True) == manifest
    assert path.read_bytes() == content
    assert {p: p.stat().st_mtime_ns for p in others} == others
    assert_same(columns(base[0]), columns(tmp_path))


def test_leftovers_of_a_killed_writer_go(tmp_path):
    manifest = made(tmp_path, *SAMPLES[:1])
    leftovers = [tmp_path / "shards/munu-00009.h5.partial", tmp_path / "manifest.json.partial"]
    for path in leftovers:
        path.write_bytes(b"half")
    assert made(tmp_path, *SAMPLES[:1], resume=True) == manifest
    assert not any(path.exists() for path in leftovers)


@pytest.mark.parametrize(
    ("samples", "settings"),
    [
        (SAMPLES[:1], {"seed": 6}),
        (SAMPLES[1:2], {}),
        ((sample("munu", CHUNK),), {}),
        (SAMPLES[:1], {"shard_candidates": 2 * CHUNK}),
        (SAMPLES[:1], {"changes": {"gtk.momentum_resolution": 0.5}}),
    ],
    ids=["seed", "process", "candidates", "shards", "detector"],
)
def test_only_the_same_run_is_resumed(tmp_path, samples, settings):
    manifest = made(tmp_path, *SAMPLES[:1])
    with pytest.raises(EventFileError, match="another card, seed or version"):
        made(tmp_path, *samples, resume=True, **settings)
    assert read_manifest(tmp_path) == manifest
    assert validate_events(tmp_path) == []


def test_a_run_that_is_there_is_not_touched(tmp_path):
    manifest = made(tmp_path, *SAMPLES[:1])
    with pytest.raises(EventFileError, match="holds a run already"):
        made(tmp_path, *SAMPLES[:1], seed=6)
    assert read_manifest(tmp_path) == manifest


def test_an_impossible_card_leaves_no_trace(tmp_path):
    with pytest.raises(CardError, match=r"sample 'munuV'.*m_X = 0.45"):
        made(tmp_path / "run", sample("munuV", parameters={"m_X": 0.45}))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("candidates", [1, 2, 1023, 1024, 1025])
def test_any_number_of_candidates_is_exact(tmp_path, candidates):
    kinds = ("munu", "pipipi", "munug", "munumumu", "mununubarnu")
    manifest = made(tmp_path, *(sample(name, candidates) for name in kinds))
    assert [(s.first, s.stop) for s in manifest.shards] == [(0, candidates)] * len(kinds)
    assert [s.tally.generated for s in manifest.shards] == [candidates] * len(kinds)
    assert validate_events(tmp_path) == []


def test_progress_counts_every_candidate_once(tmp_path):
    said = []
    made(tmp_path, *SAMPLES, progress=lambda name, n: said.append((name, n)))
    for part in SAMPLES:
        assert sum(n for name, n in said if name == part.get("name", part["process"])) == part["candidates"]
    lost = read_manifest(tmp_path).shards[0]
    (tmp_path / lost.file).unlink()
    said.clear()
    made(tmp_path, *SAMPLES, resume=True, progress=lambda name, n: said.append((name, n)))
    assert sum(n for _, n in said) == sum(part["candidates"] for part in SAMPLES)


def test_chunks_in_memory_are_those_in_the_files(base):
    """What benchmarks and toys use instead of files."""
    chain = build_chain([alone(find("munug"), {})], card(*SAMPLES).configuration())
    worker = engine.Worker(MuonSelection(), None)
    pieces = [(chain, stream_key(5, "munug"), k * CHUNK, CHUNK) for k in range(3)]
    chunks = engine.run_in_threads(worker, pieces, 2)
    stored = columns(base[0])["munug"]
    assert np.concatenate([chunk.index for chunk in chunks]).tobytes() == stored["index"].tobytes()
    assert np.concatenate([chunk.weight for chunk in chunks]).tobytes() == stored["weight"].tobytes()
