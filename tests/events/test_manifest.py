import json
import os
from itertools import pairwise

import pytest
from event_samples import PROVENANCE, TABLE, header, info, selected_events, slice_of, write_run

from kaongen.errors import EventFileError
from kaongen.events.durable import remove_stale_partials
from kaongen.events.layout import Manifest, SamplePlan, ShardRecord, Tally
from kaongen.events.manifest import (
    missing_ranges,
    overlap_problems,
    read_manifest,
    shard_problem,
    verified_shards,
    write_manifest,
)
from kaongen.events.writer import write_shard


def shards(*edges):
    return tuple(
        ShardRecord(
            file=f"shards/{first}.h5",
            sample="munu",
            first=first,
            stop=stop,
            rows=0,
            size_bytes=0,
            sha256="",
            tally=Tally(),
        )
        for first, stop in edges
    )


def plan(candidates, *edges):
    samples = (SamplePlan(info=info(), candidates=candidates),)
    return Manifest(provenance=PROVENANCE, samples=samples, shards=shards(*edges))


def overwrite(path, offset, byte):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(bytes([byte]))


def test_a_manifest_comes_back_as_it_was_written(tmp_path):
    manifest = write_run(tmp_path)
    assert read_manifest(tmp_path) == manifest
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["manifest.json"]


def test_a_manifest_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    manifest = write_run(tmp_path)

    def no_space(descriptor):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(EventFileError, match=r"manifest\.json: No space left"):
        write_manifest(tmp_path, manifest.model_copy(update={"complete": False}))
    assert read_manifest(tmp_path).complete


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[]", "not a manifest of kaongen"),
        (b'{"layout_version": "one"}', "not a manifest of kaongen"),
        (b'{"layout_version": 2, "news": []}', "newer kaongen"),
        (b'{"layout_version": 1, "complete": true}', "provenance: Field required"),
    ],
)
def test_broken_manifests_are_named(tmp_path, text, message):
    (tmp_path / "manifest.json").write_bytes(text)
    with pytest.raises(EventFileError, match=message) as caught:
        read_manifest(tmp_path)
    assert "manifest.json" in str(caught.value)


def test_directories_without_a_manifest_are_named(tmp_path):
    with pytest.raises(EventFileError, match=r"has no manifest\.json"):
        read_manifest(tmp_path)
    with pytest.raises(EventFileError, match="does not exist"):
        read_manifest(tmp_path / "nowhere")


def test_a_manifest_does_not_reach_outside_its_run(tmp_path):
    write_run(tmp_path)
    data = json.loads((tmp_path / "manifest.json").read_text())
    data["shards"][0]["file"] = "../elsewhere.h5"
    (tmp_path / "manifest.json").write_text(json.dumps(data))
    with pytest.raises(EventFileError, match="inside the run"):
        read_manifest(tmp_path)


def test_intact_shards_are_verified(tmp_path):
    manifest = write_run(tmp_path)
    assert verified_shards(tmp_path, manifest) == list(manifest.shards)
    assert verified_shards(tmp_path, manifest, deep=True) == list(manifest.shards)


def test_lost_and_shortened_shards_are_not_verified(tmp_path):
    manifest = write_run(tmp_path, cuts=(0, 10, 20, 40))
    lost, short, good = manifest.shards
    (tmp_path / lost.file).unlink()
    os.truncate(tmp_path / short.file, short.size_bytes - 1)
    assert verified_shards(tmp_path, manifest) == [good]
    assert "No such file" in shard_problem(tmp_path, manifest, lost)
    assert f"the manifest says {short.size_bytes}" in shard_problem(tmp_path, manifest, short)


def test_only_a_deep_look_finds_a_changed_byte_in_a_column(tmp_path):
    manifest = write_run(tmp_path)
    record = manifest.shards[0]
    path = tmp_path / record.file
    offset = path.read_bytes().index(selected_events(40)["mu_px"][:3].astype("<f4").tobytes())
    overwrite(path, offset, 1)
    assert record in verified_shards(tmp_path, manifest)
    assert record not in verified_shards(tmp_path, manifest, deep=True)
    assert "checksum" in shard_problem(tmp_path, manifest, record, deep=True)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("sample", {"sample": info(branching_fraction=0.1)}),
        ("seed", {"provenance": PROVENANCE.model_copy(update={"seed": 1})}),
        ("card", {"provenance": PROVENANCE.model_copy(update={"card_sha256": "00" * 32})}),
        ("tally", {"tally": header(slice_of(selected_events(40), 0, 15), 0, 16).tally}),
    ],
)
def test_a_shard_of_another_run_is_not_verified(tmp_path, what, change):
    manifest = write_run(tmp_path)
    columns = slice_of(selected_events(40), 0, 15)
    foreign = header(columns, 0, 15).model_copy(update=change)
    record = write_shard(tmp_path / manifest.shards[0].file, columns, TABLE, foreign)
    # Even one of the right size, which a look at the directory would not notice.
    listed = manifest.shards[0].model_copy(update={"size_bytes": record.size_bytes})
    assert f"another {what}" in shard_problem(tmp_path, manifest, listed)


@pytest.mark.parametrize(
    ("edges", "gaps"),
    [
        ([], [(0, 10)]),
        ([(0, 10)], []),
        ([(5, 10), (0, 5)], []),
        ([(0, 4), (6, 9)], [(4, 6), (9, 10)]),
        ([(2, 10)], [(0, 2)]),
        ([(0, 8), (2, 4)], [(8, 10)]),
    ],
)
def test_missing_ranges(edges, gaps):
    manifest = plan(10, *edges)
    assert [(gap.first, gap.stop) for gap in missing_ranges(manifest, manifest.shards)] == gaps


def test_overlapping_shards_are_named():
    manifest = plan(10, (0, 6), (4, 10))
    assert overlap_problems(manifest, manifest.shards) == ["shards/0.h5 and shards/4.h5 share munu [4, 6)"]
    assert overlap_problems(plan(10, (0, 4), (4, 10)), shards(*pairwise((0, 4, 10)))) == []


def test_stale_partials_are_removed_and_nothing_else(tmp_path):
    manifest = write_run(tmp_path)
    left = [tmp_path / "manifest.json.partial", tmp_path / "shards/munu-00007.h5.partial"]
    for path in left:
        path.write_bytes(b"half")
    assert remove_stale_partials(tmp_path) == sorted(left)
    assert remove_stale_partials(tmp_path) == []
    assert verified_shards(tmp_path, manifest, deep=True) == list(manifest.shards)
