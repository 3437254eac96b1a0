import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from event_samples import TABLE, header, selected_events, slice_of, write_one, write_run

import kaongen
from kaongen.errors import EventFileError
from kaongen.events.layout import Column, Table, Tally
from kaongen.events.reader import open_events, validate_events
from kaongen.events.writer import cast, write_shard

SOURCES = os.pathsep.join([str(Path(kaongen.__file__).parents[1]), str(Path(__file__).parent)])


def python(code, *arguments):
    environment = os.environ | {"PYTHONPATH": SOURCES}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], env=environment, stdout=subprocess.PIPE, text=True
    )


def test_any_hdf5_reader_understands_a_shard(tmp_path):
    path = write_one(tmp_path)
    with h5py.File(path) as file:
        assert file.attrs["format"].decode() == "kaongen events"
        assert (file.attrs["layout_version"], file.attrs["first"], file.attrs["stop"]) == (1, 0, 40)
        assert file.attrs["rows"] == len(file["events/index"])
        assert file.attrs["complete"]
        assert list(file["events"]) == list(TABLE.names)
        column = file["events/mu_px"]
        assert (column.dtype, column.chunks, column.attrs["unit"]) == (np.dtype("<f4"), None, b"GeV")
        assert file["momenta/mu+"].attrs["mass_GeV"] == 0.1056583755
        assert file["momenta/mu_reco"].attrs["energy"] == b"mu_E"
        assert json.loads(file.attrs["header"])["sample"]["decay"] == "K+ -> mu+ nu_mu phi"


def test_the_record_describes_the_file(tmp_path):
    record = write_run(tmp_path).shards[1]
    assert record.file == "shards/munu-00001.h5"
    assert record.size_bytes == (tmp_path / record.file).stat().st_size
    assert (record.first, record.stop, record.rows) == (15, 40, record.tally.selected)


def test_the_checksum_can_be_recomputed_with_hashlib_alone(tmp_path):
    digest = hashlib.sha256()
    with h5py.File(write_one(tmp_path)) as file:
        for name, data in file["events"].items():
            digest.update(f"{name}:{data.dtype.str}:{len(data)}\n".encode() + data[...].tobytes())
        assert file.attrs["columns_sha256"].decode() == digest.hexdigest()


def test_equal_events_give_equal_bytes(tmp_path):
    first = [write_one(tmp_path, compression=compression).read_bytes() for compression in (None, "gzip")]
    time.sleep(1.1)  # HDF5 would store times in seconds
    assert [write_one(tmp_path, compression=compression).read_bytes() for compression in (None, "gzip")] == first


def test_compression_changes_the_file_and_not_the_columns(tmp_path):
    plain, packed = (
        write_one(tmp_path / "a", candidates=4000),
        write_one(tmp_path / "b", candidates=4000, compression="gzip"),
    )
    assert packed.stat().st_size < plain.stat().st_size
    one, two = (open_events(path)["munu"].columns() for path in (plain, packed))
    assert all(np.array_equal(one[name], two[name]) for name in TABLE.names)
    assert validate_events(packed) == []


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_a_shard_may_be_empty(tmp_path, compression):
    columns = {name: values[:0] for name, values in selected_events(9).items()}
    write_shard(tmp_path / "none.h5", columns, TABLE, header(columns, 0, 9), compression)
    assert validate_events(tmp_path / "none.h5") == []
    sample = open_events(tmp_path / "none.h5")["munu"]
    assert len(sample) == 0
    assert sample.column("mu_px").dtype == np.float32
    assert len(sample.momentum("mu+")) == 0
    assert sample.sum_weights == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("hits"), "'hits' of the table is not among the data"),
        (lambda c: c.update(extra=c["hits"]), "'extra' of the data is not in the table"),
        (lambda c: c.update(hits=c["hits"][1:]), "'hits' has"),
        (lambda c: c.update(hits=c["hits"].reshape(-1, 1)), "2 dimensions"),
        (lambda c: c.update(hits=c["hits"] + 254), "beyond uint8"),
        (lambda c: c.update(hits=c["hits"] * 0.5), "does not become uint8"),
        (lambda c: c.update(mu_px=c["mu_px"] * 1e300), "finite float32"),
        (lambda c: c.update(m2_miss=c["m2_miss"] * np.nan), "nan in row 0"),
        (lambda c: c.update(index=c["index"][::-1]), "does not increase"),
        (lambda c: c.update(index=c["index"] + np.uint64(20)), "outside of \\[0, 40\\)"),
        (lambda c: c.update({k: v[1:] for k, v in c.items()}), "tally counts"),
    ],
)
def test_columns_that_do_not_fit_are_refused_before_anything_is_written(tmp_path, change, message):
    columns = selected_events(40)
    right = header(columns, 0, 40)
    change(columns)
    with pytest.raises(EventFileError, match=message):
        write_shard(tmp_path / "bad.h5", columns, TABLE, right)
    assert list(tmp_path.iterdir()) == []


def test_integers_keep_their_value_across_types():
    column = Column("index", "uint64", "", "")
    assert cast(np.array([0, 7]), column).dtype == np.uint64
    assert cast(np.array([2**64 - 1], np.uint64), column)[0] == 2**64 - 1
    with pytest.raises(EventFileError, match="beyond uint64"):
        cast(np.array([-1]), column)


def test_the_last_candidate_numbers_are_exact(tmp_path):
    first = 2**64 - 10
    columns = {"index": np.arange(first, first + 5, dtype=np.uint64), "weight": np.ones(5)}
    table = Table((TABLE["index"], TABLE["weight"]))
    write_shard(tmp_path / "far.h5", columns, table, header(columns, first, first + 9))
    assert validate_events(tmp_path / "far.h5") == []
    assert int(open_events(tmp_path / "far.h5")["munu"].column("index")[-1]) == first + 4


def test_unknown_compression_is_refused(tmp_path):
    with pytest.raises(EventFileError, match="None, 'gzip'"):
        write_one(tmp_path, compression="zip")


FULL_DISK = """
import resource, signal, sys
from event_samples import write_one
from kaongen.errors import EventFileError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    write_one(sys.argv[1], candidates=5000)
except EventFileError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [10, 5000, 100_000])
def test_a_full_disk_is_an_error_and_leaves_what_was_there(tmp_path, limit):
    before = write_one(tmp_path).read_bytes()
    process = python(FULL_DISK, tmp_path, limit)
    message, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "one.h5: File too large" in message
    assert [path.name for path in tmp_path.iterdir()] == ["one.h5"]
    assert (tmp_path / "one.h5").read_bytes() == before


def test_a_directory_in_the_way_is_an_error(tmp_path):
    (tmp_path / "one.h5").mkdir()
    with pytest.raises(EventFileError, match=r"cannot write .*one\.h5"):
        write_one(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["one.h5"]


def test_bytes_that_the_disk_changed_are_never_published(tmp_path, monkeypatch):
    def sync_and_spoil(descriptor, sync=os.fsync):
        sync(descriptor)
        for partial in tmp_path.glob("*.partial"):
            spoil(partial)

    def spoil(partial):
        with h5py.File(partial, "r+") as file:
            file["events/m2_miss"][3] += 1e-9

    monkeypatch.setattr(os, "fsync", sync_and_spoil)
    with pytest.raises(EventFileError, match="'m2_miss' was read back different"):
        write_one(tmp_path)
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, sys, time
from event_samples import write_one
step, sync = sys.argv[2], os.fsync
def announce_and_wait(descriptor):
    print("now", flush=True)
    time.sleep(60)
    sync(descriptor)
if step == "before":
    os.fsync = announce_and_wait
else:
    os.fsync = lambda descriptor: announce_and_wait(descriptor) if os.path.exists(sys.argv[1] + "/one.h5") else None
write_one(sys.argv[1], candidates=5000)
"""


@pytest.mark.parametrize("step", ["before", "after"])
def test_kill_at_a_chosen_step_leaves_no_file_or_a_good_one(tmp_path, step):
    process = python(KILLED, tmp_path, step)
    assert process.stdout.readline() == "now\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    names = [path.name for path in tmp_path.iterdir()]
    assert names == (["one.h5.partial"] if step == "before" else ["one.h5"])
    if step == "after":
        assert validate_events(tmp_path / "one.h5") == []


REWRITING = """
import sys
from event_samples import write_one
print("now", flush=True)
while True:
    write_one(sys.argv[1], candidates=300_000)
"""


def test_kill_at_any_time_leaves_no_file_or_a_good_one(tmp_path):
    for wait in (0.02, 0.11, 0.19):
        process = python(REWRITING, tmp_path)
        process.stdout.readline()
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        if (tmp_path / "one.h5").exists():
            assert validate_events(tmp_path / "one.h5") == []


def test_a_rerun_shard_is_the_same_file(tmp_path):
    columns = slice_of(selected_events(40), 10, 30)
    path = tmp_path / "again.h5"
    first = write_shard(path, columns, TABLE, header(columns, 10, 30))
    content = path.read_bytes()
    assert write_shard(path, columns, TABLE, header(columns, 10, 30)) == first
    assert path.read_bytes() == content


def test_a_tally_of_other_rows_is_refused(tmp_path):
    columns = selected_events(40)
    wrong = header(columns, 0, 40).model_copy(update={"tally": Tally(candidates=40)})
    with pytest.raises(EventFileError, match="0 selected"):
        write_shard(tmp_path / "x.h5", columns, TABLE, wrong)
