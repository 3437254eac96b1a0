import json

import h5py
import numpy as np
import pytest
from event_samples import TABLE, selected_events, write_one, write_run

from kaongen.errors import EventFileError
from kaongen.events.layout import Tally
from kaongen.events.manifest import write_manifest
from kaongen.events.reader import inspect, open_events, validate_events
from kaongen.events.shard import columns_digest, read_metadata, shard_image


def forged(path, change):
    """A shard with a right checksum over wrong columns, as a broken writer would make it."""
    columns = {c.name: selected_events(40)[c.name].astype(c.stored) for c in TABLE.columns}
    change(columns)
    digest = columns_digest((column, columns[column.name]) for column in TABLE.columns)
    path.write_bytes(shard_image(columns, TABLE, read_metadata(path).header, digest, None))
    return path


def test_inspecting_a_run(tmp_path):
    manifest = write_run(tmp_path)
    summary = inspect(tmp_path)
    json.dumps(summary, allow_nan=False)
    assert (summary["kind"], summary["layout_version"], summary["complete"]) == ("run", 1, True)
    (sample,) = summary["samples"]
    assert (sample["rows"], sample["shards"]) == (len(selected_events(40)["index"]), 2)
    assert sample["columns"][1] == {
        "name": "mu_px",
        "dtype": "float32",
        "unit": "GeV",
        "description": "muon momentum, x",
    }
    assert sample["momenta"][0]["mass_GeV"] == 0.1056583755
    assert sample["tally"] == sum((record.tally for record in manifest.shards), Tally()).model_dump(mode="json")
    assert summary["provenance"]["seed"] == 2**63 + 5
    assert summary["missing"] == []


def test_inspecting_a_run_with_a_lost_shard(tmp_path):
    manifest = write_run(tmp_path)
    (tmp_path / manifest.shards[0].file).unlink()
    summary = inspect(tmp_path)
    assert summary["missing"] == [{"sample": "munu", "first": 0, "stop": 15}]
    assert not summary["complete"]
    assert summary["samples"][0]["tally"]["candidates"] == 25


def test_inspecting_a_shard(tmp_path):
    path = write_one(tmp_path)
    summary = inspect(path)
    with h5py.File(path) as file:
        assert summary["header"] == json.loads(file.attrs["header"])
        assert summary["sha256"] == file.attrs["columns_sha256"].decode()
    assert (summary["kind"], summary["samples"][0]["shards"]) == ("shard", 1)


def test_inspecting_nothing(tmp_path):
    with pytest.raises(EventFileError, match="there is no file"):
        inspect(tmp_path / "none.h5")


def test_nothing_is_wrong_with_what_we_write(tmp_path):
    write_run(tmp_path, cuts=(0, 1, 39, 40))
    assert validate_events(tmp_path) == []
    assert validate_events(tmp_path, deep=False) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["index"].sort() or c["index"].__setitem__(1, c["index"][0]), "does not increase"),
        (lambda c: c["index"].__setitem__(-1, 40), "leaves the range [0, 40)"),
        (lambda c: c["mu_px"].__setitem__(slice(2), np.inf), "2 values of the column 'mu_px' are not finite"),
        (lambda c: c.update({k: v[1:] for k, v in c.items()}), "its tally counts"),
    ],
)
def test_files_of_a_broken_writer_are_found_out(tmp_path, change, message):
    problems = validate_events(forged(write_one(tmp_path), change))
    assert len(problems) == 1
    assert message in problems[0]


def test_a_run_lists_each_of_its_problems(tmp_path):
    manifest = write_run(tmp_path, cuts=(0, 10, 20, 40))
    (tmp_path / manifest.shards[1].file).unlink()
    write_manifest(tmp_path, manifest.model_copy(update={"shards": manifest.shards[1:]}))
    problems = validate_events(tmp_path)
    assert len(problems) == 2
    assert "munu-00001.h5" in problems[0]
    assert "munu [0, 10)" in problems[1]


def test_a_run_that_did_not_come_to_its_end_is_not_good(tmp_path):
    write_manifest(tmp_path, write_run(tmp_path).model_copy(update={"complete": False}))
    assert "came to its end" in validate_events(tmp_path)[0]


def test_validating_what_cannot_be_opened_is_a_problem_and_not_an_error(tmp_path):
    assert "not a run directory" in validate_events(tmp_path)[0]
    (tmp_path / "x.h5").write_text("nothing")
    assert "not an HDF5 file" in validate_events(tmp_path / "x.h5")[0]


def test_no_flipped_byte_changes_a_number_unnoticed(tmp_path):
    path = write_one(tmp_path, candidates=12)
    content = path.read_bytes()
    before, table = open_events(path)["munu"].columns(), read_metadata(path).table
    header = read_metadata(path).header
    rng = np.random.default_rng(3)
    noticed = 0
    for offset in rng.choice(len(content), 200, replace=False):
        damaged = bytearray(content)
        damaged[offset] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        if validate_events(path):
            noticed += 1
            continue
        # What is not noticed lies between the parts of the file, or in text that is stored twice.
        after = open_events(path)["munu"].columns()
        assert all(np.array_equal(before[name], after[name]) for name in before)
        assert (read_metadata(path).header, read_metadata(path).table.columns) == (header, table.columns)
    assert noticed > 100
