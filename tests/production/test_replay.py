"""One event made again: what is stored, what kinematics allow, what the kernels have seen, and every wrong question."""

import json
import math
import re
import shutil
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_runs import card, made, sample

import kaongen.event_block as event_block
import kaongen.replay.event as replay_module
import kaongen.replay.target as target_module
from kaongen.analysis.pi_selection import PionSelection
from kaongen.configuration import load
from kaongen.decays.sampling import CHUNK
from kaongen.errors import KaongenError
from kaongen.events.columns import INDEX
from kaongen.events.layout import Tally
from kaongen.events.manifest import MANIFEST, read_manifest, write_manifest
from kaongen.events.reader import open_events
from kaongen.events.shard import columns_of, read_metadata
from kaongen.events.writer import write_shard
from kaongen.production.directory import CARD_FILE
from kaongen.replay.event import replay
from kaongen.replay.rows import names_of
from kaongen.replay.target import find_event

DECAYS = (
    sample("munu"),
    sample("munug"),
    sample("pi0munu", 2 * CHUNK + 17),
    sample("pipipi"),
    sample("munuV-mumu"),
    sample("mununubarnu"),
    sample("K+ -> mu+ nu_mu (phi -> gamma gamma)", name="displaced", parameters={"m_X": 0.05, "tau_phi": 0.1}),
    sample("K+ -> pi+ (S -> mu+ mu-)", name="far", parameters={"m_S": 0.25, "tau_S": 1.0}),
)
NAMES = [part["name"] if "name" in part else part["process"] for part in DECAYS]
COMPARED = {
    "m2_miss": lambda h: h.reconstruction.m2_miss,
    "m2_miss_true": lambda h: h.reconstruction.m2_miss_true,
    "cda": lambda h: h.reconstruction.cda,
    "eop": lambda h: h.reconstruction.eop,
    "kaon_pz": lambda h: h.reconstruction.kaon.pz,
    "muon_px": lambda h: h.reconstruction.candidate.px,
    "vertex_z": lambda h: h.reconstruction.vertex.z,
}
MULTIPLICITY = {"pipipi": 2, "munuV-mumu": 2, "far": 2}
"""How many positive particles could be the candidate, where it is not one."""
M = {"K+": 0.493677, "mu": 0.1056583755, "pi": 0.13957039, "e": 0.51099895e-3}
"""GeV; Particle Data Group."""


def with_card(directory, *samples, **settings):
    """A run with its card, as `kaongen run` leaves it."""
    made(directory, *samples, **settings)
    (directory / CARD_FILE).write_text(card(*samples, **settings).model_dump_json())
    return directory


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return with_card(tmp_path_factory.mktemp("replay") / "run", *DECAYS)


@pytest.fixture
def copy(run, tmp_path):
    """A run that may be damaged."""
    return shutil.copytree(run, tmp_path / "copy")


def show(place, sample, index):
    return replay(find_event(f"{place}/{sample}:{index}"))


@cache
def from_card(path, sample, index):
    return show(path, sample, index)


@pytest.fixture(scope="module")
def card_file(tmp_path_factory):
    """The card of the run, as a file; all that an event needs."""
    path = tmp_path_factory.mktemp("card") / "small.toml"
    wanted = card(*DECAYS).model_dump(mode="json")
    lines = ["[run]", *(f"{key} = {json.dumps(value)}" for key, value in wanted["run"].items())]
    for part in wanted["sample"]:
        values = ", ".join(f"{key} = {value!r}" for key, value in part.pop("parameters").items())
        lines += ["[[sample]]", *(f"{key} = {json.dumps(value)}" for key, value in part.items())]
        lines.append(f"parameters = {{ {values} }}")
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_is_made_again(run, name):
    """To the last bit, in every column; and what was not kept is not kept."""
    compare(run, name)


def test_yes_and_no_are_made_again(tmp_path):
    directory = with_card(tmp_path / "run", sample("munu"), sample("munuphi"), vetoes="accept")
    for name in ("munu", "munuphi"):
        compare(directory, name)


def compare(directory, name):
    table = open_events(directory)[name].columns()
    rows = len(table["index"])
    assert rows
    for row in np.unique(np.linspace(0, rows - 1, min(rows, 6)).astype(int)):
        history = show(directory, name, int(table["index"][row]))
        assert history.stored == "identical"
        assert history.selected
        assert history.weight == table["weight"][row]
        for column, value in COMPARED.items():
            assert np.float32(value(history)) == table[column][row], column
    others = np.setdiff1d(np.arange(2000), table["index"])[:4]
    for index in others:
        history = show(directory, name, int(index))
        assert (history.stored, history.selected) == ("not selected", False)
        assert history.verdict() != "selected"


def test_a_shard_knows_its_run(run):
    manifest = read_manifest(run)
    for record in manifest.shards:
        with columns_of(run / record.file) as read:
            index = int(read(INDEX)[-1])
        history = replay(find_event(f"{run / record.file}:{index}"))
        assert history.stored == "identical"
        assert (history.origin.sample, history.origin.index) == (record.sample, index)


def test_the_card_is_enough(run, card_file):
    """An event made from the card is that of the run."""
    for name in NAMES:
        one, other = from_card(card_file, name, 11), show(run, name, 11)
        assert one.stored is None
        assert (one.particles, one.kaon, one.weight, one.cuts) == (
            other.particles,
            other.kaon,
            other.weight,
            other.cuts,
        )


def test_one_sample_needs_no_name(tmp_path):
    directory = with_card(tmp_path / "run", sample("munu"))
    assert replay(find_event(f"{directory}:5")).origin.sample == "munu"


def test_a_mixture_has_many_decays(tmp_path):
    """Each number is a decay of its own; the column `component` says which."""
    table = tmp_path / "two.dec"
    table.write_text("Decay K+\n0.7 mu+ nu_mu PHSP;\n0.3 pi+ pi0 PHSP;\nEnddecay\nEnd\n")
    directory = with_card(tmp_path / "run", sample(str(table), name="two"))
    columns = open_events(directory)["two"].columns("index", "component")
    for which, process in enumerate(("munu", "pipi0")):
        rows = np.flatnonzero(columns["component"] == which)[:5]
        assert len(rows)
        for row in rows:
            history = show(directory, "two", int(columns["index"][row]))
            assert history.stored == "identical"
            assert (history.origin.component, history.origin.process) == (which, process)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30)
@given(index=st.integers(0, CHUNK - 1))
def test_momentum_is_conserved_and_nothing_is_infinite(card_file, name, index):
    history = from_card(card_file, name, index)
    for parent in (history.kaon, *(p for p in history.particles if p.decays)):
        products = [p for p in history.particles if p.parent == parent.number]
        assert len(products) >= 2
        for component in ("px", "py", "pz", "e"):
            total = math.fsum(getattr(p.momentum, component) for p in products)
            assert total == pytest.approx(getattr(parent.momentum, component), rel=1e-9, abs=1e-9)
        end = parent.path[-1]
        if max(abs(end.x), abs(end.y)) < 1.5:
            for p in products:
                assert (p.begins.x, p.begins.y, p.begins.z) == pytest.approx((end.x, end.y, end.z), abs=1e-9)
    for p in (history.kaon, *history.particles):
        numbers = [p.momentum.px, p.momentum.py, p.momentum.pz, p.momentum.e]
        numbers += [getattr(point, axis) for point in (*p.path, *p.hits, p.begins) for axis in "xyz"]
        assert all(map(math.isfinite, numbers))
        mass = M["K+"] if p.name == "K+" else M.get(p.name.rstrip("+-")) if p.charge else None
        if mass:
            assert p.momentum.e**2 - p.momentum.p**2 == pytest.approx(mass**2, abs=1e-8)
        assert p.path[0] == p.begins
        z = [point.z for point in p.path]
        assert z == sorted(z, reverse=p.momentum.pz < 0.0)
    assert json.loads(json.dumps(history.as_dict(), allow_nan=False))["origin"]["index"] == index


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30)
@given(index=st.integers(0, CHUNK - 1))
def test_the_drawn_way_is_that_of_the_simulation(card_file, name, index):
    """Crossings of the candidate, here by straight lines, against the positions that the kernels wrote."""
    history = from_card(card_file, name, index)
    family = history.family()
    if family[0].begins.z > 183.508 or any(p.momentum.pz <= 0.0 for p in family):
        assert history.acceptance == 0.0  # begins behind the first chamber, or goes backwards
        return
    written = {q.name: q.value for step in history.steps if step.name == "trajectory" for q in step.written}
    names = {"CHOD tiles": "tile", "CHOD slabs": "slab"}
    hits = {hit.detector: hit for p in family for hit in p.hits}
    for detector in replay_module.ACCEPTANCE_PLANES:
        if detector not in hits:
            continue
        called = names.get(detector, detector)
        assert hits[detector].x == pytest.approx(written[f"{called} x"], abs=1e-9)
        assert hits[detector].y == pytest.approx(written[f"{called} y"], abs=1e-9)
    end = family[-1].path[-1].z
    crossed = [d for d in replay_module.ACCEPTANCE_PLANES if plane_z(d) < end]
    assert {*crossed} <= hits.keys() or family[-1].end == "leaves NA62"
    assert bool(history.missed()) == (history.acceptance == 0.0)


def plane_z(detector):
    """z of a plane of NA62, m."""
    return {"STRAW 1": 183.508, "STRAW 2": 194.066, "STRAW 3": 204.459, "STRAW 4": 218.885, "RICH": 219.445,
            "CHOD tiles": 238.1315, "CHOD slabs": 239.009, "LKr": 241.093, "MUV3": 246.8}[detector]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30)
@given(index=st.integers(0, CHUNK - 1))
def test_factors_multiply_to_the_weight(card_file, name, index):
    history = from_card(card_file, name, index)
    for row in ("acceptance", "efficiency", "survival"):
        factors = [getattr(step, row) for step in history.steps]
        total = getattr(history, row)
        assert total >= 0.0
        if total > 0.0:
            assert total == pytest.approx(math.prod(factors), rel=1e-12)
        else:
            assert 0.0 in factors
    product = history.acceptance * history.efficiency * history.survival
    *before, decision = history.steps
    assert decision.name == "decision"
    assert decision.weight == pytest.approx(MULTIPLICITY.get(name, 1) * product, rel=1e-12)
    assert history.generated == 1.0
    assert history.weight == pytest.approx(math.prod(step.weight for step in history.steps), rel=1e-12)
    # nothing else is between the decay and the decision than the kaon's scattering
    assert {step.name for step in before if step.weight != 1.0} == {"scattering in GTK3"}
    assert history.selected == all(cut.passed for cut in history.cuts)


def test_a_kick_bends_by_its_momentum(card_file):
    """0.270 GeV, towards negative x for positive charge: slopes on both sides of the magnet."""
    bent = 0
    for index in range(200):
        for p in from_card(card_file, "pipipi", index).particles:
            at = [point.z for point in p.path]
            assert {*at[1:-1]} <= {183.508, 196.995}
            if 196.995 in at[1:-1]:
                before, magnet, after = p.path[at.index(196.995) - 1 :]
                slopes = [(b.x - a.x) / (b.z - a.z) for a, b in ((before, magnet), (magnet, after))]
                assert slopes[1] - slopes[0] == pytest.approx(-p.charge * 0.270 / p.momentum.p, rel=1e-6)
                straight = [(b.y - a.y) / (b.z - a.z) for a, b in ((before, magnet), (magnet, after))]
                assert straight[0] == pytest.approx(straight[1], rel=1e-6, abs=1e-12)
                bent += 1
    assert bent > 300


def test_what_scatters_turns_where_the_material_is(card_file):
    """One in 20 is made to: the kaon in GTK3, the candidate in the first chamber, each with its step's numbers."""
    kaons = candidates = 0
    weights = []
    for index in range(400):
        history = from_card(card_file, "munu", index)
        step = history.steps[0]
        assert (step.name, step.subject) == ("scattering in GTK3", "kaon")
        weights.append(step.weight)
        found = {q.name: q.value for q in step.written}
        path = history.kaon.path
        if found:
            kaons += 1
            assert [point.z for point in path][1:-1] == [102.4]
            (x, y), (new_x, new_y) = (slopes(*path[k : k + 2]) for k in (0, 1))
            assert new_x - x == pytest.approx(found["kaon deflected in x"], abs=1e-10)
            assert new_y - y == pytest.approx(found["kaon deflected in y"], abs=1e-10)
            assert math.hypot(new_x - x, new_y - y) > 5e-5  # five widths of what the resolution has, at 75 GeV
            hit = next(hit for hit in history.kaon.hits if hit.detector == "GTK3")
            assert (hit.x, hit.y, hit.z) == pytest.approx((path[1].x, path[1].y, path[1].z), abs=1e-12)
        else:
            assert len(path) == 2
            assert step.weight == pytest.approx(1.0 / 0.95, rel=0.01)
        scatter = next(step for step in history.steps if step.name == "scattering in STRAW 1")
        turned = {q.name: q.value for q in scatter.written}
        tracked = history.tracked()
        if turned and len(history.family()) == 1:
            candidates += 1
            first = tracked.path[1]
            assert first.z == 183.508
            before, after = slopes(*tracked.path[:2]), slopes(*tracked.path[1:3])
            assert after[1] == pytest.approx(turned["py"] / turned["pz"], abs=1e-9)
            assert math.dist(before, after) > 1e-5
    assert 8 <= kaons <= 40
    assert candidates >= 5
    assert min(weights) > 0.0
    assert np.mean(weights) == pytest.approx(1.0, abs=0.03)


def slopes(one, other):
    return (other.x - one.x) / (other.z - one.z), (other.y - one.y) / (other.z - one.z)


def test_every_row_has_a_name():
    """A row that is new to the event has no name here yet."""
    for prefix, rows in (
        ("T_", event_block.TRACK_ROWS),
        (("R_", "M2_"), event_block.RECO_ROWS),
        ("K_", event_block.BEAM_ROWS),
    ):
        names = names_of(prefix if isinstance(prefix, tuple) else (prefix,), rows)
        assert len({name for name, _ in names}) == rows
        assert not [name for name, _ in names if name.startswith(("T_", "R_", "K_")) or not name]


def test_a_pion_is_looked_at_by_the_pion_s_cuts():
    """The configuration says for what the one track is taken."""
    wanted = find_event("na62-muon/munu:3")
    other = wanted.card.model_copy(
        update={"detector": wanted.card.detector.model_copy(update={"configuration": "na62-2017-pinunu"})}
    )
    history = replay(replace(wanted, card=other))
    assert [cut.name for cut in history.cuts] == list(PionSelection.cuts[1:])
    assert load("na62-2017-pinunu").candidate == "pion"


def refused(target, *words):
    with pytest.raises(KaongenError) as problem:
        replay(find_event(str(target)))
    for word in words:
        assert re.search(re.escape(str(word)), str(problem.value)), str(problem.value)


@pytest.mark.parametrize(
    "target",
    ["", ":", ":3", "na62-muon", "na62-muon:", "na62-muon/munu:-1", "na62-muon/munu:1.5", "na62-muon/munu:1e3",
     "na62-muon/munu: 3", "na62-muon/munu:٣", "na62-muon/munu:" + "9" * 5000],
)  # fmt: skip
def test_what_names_no_event_is_refused(target):
    refused(target, "does not name an event", "na62-muon/munug:1234")


def test_unknown_places_are_refused(tmp_path, run):
    refused("na62-mun/munu:3", "na62-mun/munu", "did you mean 'na62-muon'?")
    refused("na62-muon/munugg:3", "no sample 'munugg'", "did you mean 'munug'?")
    refused("na62-muon:3", "several samples", "na62-muon/munu:0", "munuphi-200")
    refused(f"{tmp_path}:3", tmp_path, "no manifest.json")
    refused(f"{tmp_path}/none.h5:3", "there is no file")
    refused(f"{tmp_path}/none.toml/munu:3", "cannot read the card")
    refused(f"{run}/munugg:3", run, "munugg")
    refused(f"{run}/shards:3", "shards")


def test_numbers_beyond_the_candidates_are_refused(run, card_file):
    for place in (run, card_file):
        refused(f"{place}/munu:{CHUNK}", place, f"0 to {CHUNK - 1}", CHUNK)
        refused(f"{place}/munu:{2**64}", f"0 to {CHUNK - 1}")
    refused(f"{run}/shards/pi0munu-00001.h5:3", f"{CHUNK} to {2 * CHUNK - 1}", "not 3")


def test_other_versions_are_refused(run, monkeypatch):
    monkeypatch.setattr(target_module, "version", lambda name: "99.0")
    for target in (f"{run}/munu:3", f"{run}/shards/munu-00000.h5:3"):
        refused(target, "was made by kaongen", "99.0")


def test_files_without_their_card_are_refused(copy, tmp_path):
    alone = tmp_path / "elsewhere" / "munu-00000.h5"
    alone.parent.mkdir()
    shutil.copy(copy / "shards" / "munu-00000.h5", alone)
    refused(f"{alone}:3", alone, "does not hold the card", CARD_FILE)
    (copy / CARD_FILE).write_text(card(*DECAYS, seed=99).model_dump_json())
    refused(f"{copy}/munu:3", CARD_FILE, "not the card")
    refused(f"{copy}/shards/munu-00000.h5:3", CARD_FILE, "not the card")
    (copy / CARD_FILE).unlink()
    refused(f"{copy}/munu:3", "cannot read the card")
    refused(f"{copy}/shards/munu-00000.h5:3", "does not hold the card")


def rewritten(directory, change):
    """The first shard with other contents, and a manifest that believes it."""
    manifest = read_manifest(directory)
    record = manifest.shards[0]
    metadata = read_metadata(directory / record.file)
    with columns_of(directory / record.file) as read:
        columns = {name: read(name) for name in metadata.table.names}
    columns = change(columns)
    tally = metadata.header.tally.model_copy(update={"selected": len(columns[INDEX])})
    assert isinstance(tally, Tally)
    header = metadata.header.model_copy(update={"tally": tally})
    written = write_shard(directory / record.file, columns, metadata.table, header)
    write_manifest(directory, manifest.model_copy(update={"shards": (written, *manifest.shards[1:])}))
    return columns


@pytest.mark.parametrize("column", ["weight", "m2_miss", "component", "vertex_x"])
def test_another_event_under_the_number_is_refused(copy, column):
    """A last bit is enough."""

    def change(columns):
        values = columns[column].copy()
        values[3] = values[3] + 1 if column == "component" else np.nextafter(values[3], values.dtype.type(np.inf))
        return columns | {column: values}

    columns = rewritten(copy, change)
    refused(f"{copy}/munu:{columns[INDEX][3]}", "munu-00000.h5", f"has {column} =", "made again")
    assert show(copy, "munu", int(columns[INDEX][4])).stored == "identical"


def test_a_lost_event_is_refused(copy):
    """The selection keeps it, and the file has it not; and the other way round."""
    kept = []

    def change(columns):
        kept.append(int(columns[INDEX][3]))
        return {name: np.delete(values, 3) for name, values in columns.items()}

    rewritten(copy, change)
    refused(f"{copy}/munu:{kept[0]}", "did not keep", "keeps it")

    def renumber(columns):
        free = next(i for i in range(CHUNK) if i not in {*columns[INDEX].tolist()} and i != kept[0])
        values = columns[INDEX].copy()
        at = int(np.searchsorted(values, free))
        values[at] = free
        kept.append(free)
        return columns | {INDEX: values}

    rewritten(copy, renumber)
    refused(f"{copy}/munu:{kept[1]}", "kept candidate", "does not keep it")


def test_a_part_that_is_not_there_yet(copy):
    manifest = read_manifest(copy)
    write_manifest(copy, manifest.model_copy(update={"shards": manifest.shards[1:], "complete": False}))
    history = show(copy, "munu", 3)
    assert history.stored == "not there"
    (copy / MANIFEST).write_text("{}")
    refused(f"{copy}/munu:3", "manifest")
