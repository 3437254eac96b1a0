import math
import os
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
from event_samples import PROVENANCE, TABLE, header, info, selected_events, write_one, write_run
from hypothesis import given, settings
from hypothesis import strategies as st

from kaongen.errors import EventFileError
from kaongen.events.layout import (
    Column,
    Manifest,
    SamplePlan,
    ShardHeader,
    Table,
    Tally,
)
from kaongen.events.manifest import write_manifest
from kaongen.events.reader import open_events
from kaongen.events.writer import write_shard

DTYPES = ("float32", "float64", "int8", "int32", "int64", "uint16", "uint64", "bool")


@st.composite
def tables_and_cuts(draw):
    """Random columns of random types for random candidates, and two ways of cutting them into shards."""
    candidates = draw(st.integers(1, 30))
    index = np.array(sorted(draw(st.sets(st.integers(0, candidates - 1)))), np.uint64)
    types = draw(st.lists(st.sampled_from(DTYPES), max_size=4))
    compression = draw(st.sampled_from([None, "gzip"]))
    raw = draw(st.binary(min_size=8 * len(index), max_size=8 * len(index)))
    columns = {"index": index}
    for number, dtype in enumerate(types):
        values = np.frombuffer(raw, np.uint8).reshape(len(index), 8)
        values = values[:, 0] > 99 if dtype == "bool" else np.ascontiguousarray(values).view(dtype)[:, 0]
        columns[f"c{number}"] = np.nan_to_num(values) if dtype.startswith("float") else values
    table = Table(
        (TABLE["index"], *(Column(f"c{n}", dtype, "mm", f"číslo {n}") for n, dtype in enumerate(types))),
    )
    cuts = st.sets(st.integers(1, candidates), max_size=5).map(lambda inner: sorted({0, candidates} | inner))
    return candidates, table, columns, compression, draw(cuts), draw(cuts)


def write_cut(directory, candidates, table, columns, compression, cuts):
    records = []
    for number, (first, stop) in enumerate(pairwise(cuts)):
        inside = (columns["index"] >= first) & (columns["index"] < stop)
        part = {name: values[inside] for name, values in columns.items()}
        tally = Tally(candidates=stop - first, selected=int(inside.sum()))
        head = ShardHeader(sample=info(), provenance=PROVENANCE, first=first, stop=stop, tally=tally)
        records.append(write_shard(directory / f"shards/{number}.h5", part, table, head, compression))
    plan = SamplePlan(info=info(), candidates=candidates)
    # In any order: a pool of workers finishes its shards as it likes.
    write_manifest(directory, Manifest(provenance=PROVENANCE, samples=(plan,), shards=tuple(records[::-1])))
    return open_events(directory)["munu"]


@settings(max_examples=25, deadline=None)
@given(drawn=tables_and_cuts())
def test_what_was_written_is_read_whatever_the_shards(drawn, tmp_path_factory):
    candidates, table, columns, compression, *ways = drawn
    for cuts in ways:
        sample = write_cut(tmp_path_factory.mktemp("run"), candidates, table, columns, compression, cuts)
        read = sample.columns()
        assert sample.table == table
        assert sample.tally == Tally(candidates=candidates, selected=len(columns["index"]))
        for name, values in columns.items():
            assert read[name].dtype == values.dtype
            assert read[name].tobytes() == values.tobytes()


def test_sums_of_weights_do_not_depend_on_shards(tmp_path):
    sums = {
        open_events(write_run_at(tmp_path / str(n), cuts))["munu"].sum_weights
        for n, cuts in enumerate([(0, 500), (0, 1, 77, 500), (0, 250, 499, 500)])
    }
    assert sums == {math.fsum(selected_events(500)["weight"].astype(np.float32).tolist())}


def write_run_at(directory, cuts):
    write_run(directory, candidates=cuts[-1], cuts=cuts)
    return directory


def test_a_sample_without_weights_counts_its_events(tmp_path):
    columns = {"index": np.arange(3, dtype=np.uint64)}
    head = ShardHeader(sample=info(), provenance=PROVENANCE, first=0, stop=9, tally=Tally(candidates=9, selected=3))
    write_shard(tmp_path / "x.h5", columns, Table((TABLE["index"],)), head)
    assert open_events(tmp_path / "x.h5")["munu"].sum_weights == 3.0


def test_a_run_is_a_mapping_of_samples(tmp_path):
    write_run(tmp_path)
    events = open_events(str(tmp_path))
    assert events.samples == tuple(events) == ("munu",)
    assert (len(events), events.missing, events.provenance) == (1, (), PROVENANCE)
    sample = events["munu"]
    assert sample.info == info()
    assert sample.column_names == TABLE.names
    assert (sample.unit("m2_miss"), sample.unit("weight")) == ("GeV²", "")
    assert list(sample.columns("weight", "index")) == ["weight", "index"]
    assert len(sample) == sample.tally.selected == len(selected_events(40)["index"])
    assert sample.tally.candidates == 40
    assert sample.equivalent_kaons == 80


def test_momenta_are_vectors_on_their_mass_shell(tmp_path):
    sample = open_events(write_one(tmp_path))["munu"]
    muon, measured = sample.momentum("mu+"), sample.momentum("mu_reco")
    assert np.allclose(muon.mass, 0.1056583755, rtol=1e-12)
    assert np.array_equal(muon.px, sample.column("mu_px"))
    assert np.allclose(muon.E**2 - muon.p**2, 0.1056583755**2, rtol=1e-9)
    assert np.array_equal(measured.E, sample.column("mu_E"))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda events: events["munux"], "sample 'munux' \\(did you mean 'munu'"),
        (lambda events: events["munu"].column("m2_mis"), "did you mean 'm2_miss'"),
        (lambda events: events["munu"].unit("q"), "known: index, mu_px"),
        (lambda events: events["munu"].momentum("mu"), "did you mean 'mu\\+'"),
    ],
)
def test_wrong_names_are_answered_with_right_ones(tmp_path, ask, message):
    write_run(tmp_path)
    with pytest.raises(EventFileError, match=message):
        ask(open_events(tmp_path))


def test_a_run_with_a_hole_is_refused_unless_partial(tmp_path):
    manifest = write_run(tmp_path, cuts=(0, 10, 20, 40))
    write_manifest(tmp_path, manifest.model_copy(update={"shards": manifest.shards[::2], "complete": False}))
    with pytest.raises(EventFileError, match=r"lacks munu \[10, 20\)"):
        open_events(tmp_path)
    events = open_events(tmp_path, partial=True)
    assert events.missing == (("munu", 10, 20),)
    index = selected_events(40)["index"]
    assert np.array_equal(events["munu"].column("index"), index[(index < 10) | (index >= 20)])
    assert events["munu"].tally.candidates == 30


def test_a_lost_shard_is_named_and_counts_as_missing(tmp_path):
    manifest = write_run(tmp_path)
    (tmp_path / manifest.shards[1].file).unlink()
    with pytest.raises(EventFileError, match=r"munu-00001\.h5: No such file"):
        open_events(tmp_path)
    assert open_events(tmp_path, partial=True).missing == (("munu", 15, 40),)


def test_a_sample_of_which_nothing_is_there(tmp_path):
    write_manifest(tmp_path, Manifest(provenance=PROVENANCE, samples=(SamplePlan(info=info(), candidates=5),)))
    sample = open_events(tmp_path, partial=True)["munu"]
    assert (len(sample), sample.tally) == (0, Tally())
    with pytest.raises(EventFileError, match="has no shards"):
        sample.column("index")


def test_a_shard_that_no_manifest_lists_is_not_read(tmp_path):
    write_run(tmp_path)
    write_one(tmp_path / "shards")
    assert len(open_events(tmp_path)["munu"]) == len(selected_events(40)["index"])


def test_overlapping_shards_are_refused(tmp_path):
    manifest = write_run(tmp_path, cuts=(0, 15, 40))
    columns = selected_events(40)
    record = write_shard(tmp_path / "shards/all.h5", columns, TABLE, header(columns, 0, 40))
    write_manifest(tmp_path, manifest.model_copy(update={"shards": (*manifest.shards, record)}))
    with pytest.raises(EventFileError, match="share munu"):
        open_events(tmp_path)


def test_shards_of_different_tables_do_not_join(tmp_path):
    manifest = write_run(tmp_path, cuts=(0, 15, 40))
    columns = selected_events(40)
    part = {"index": columns["index"][columns["index"] >= 15]}
    head = header({**part, "weight": columns["weight"][columns["index"] >= 15]}, 15, 40)
    other = write_shard(tmp_path / "shards/other.h5", part, Table((TABLE["index"],)), head)
    write_manifest(tmp_path, manifest.model_copy(update={"shards": (manifest.shards[0], other)}))
    with pytest.raises(EventFileError, match="other columns than"):
        open_events(tmp_path)["munu"].column("index")


def test_every_truncation_is_noticed(tmp_path):
    path = write_one(tmp_path)
    size = path.stat().st_size
    for length in sorted({*range(12), *range(12, size, size // 40), size - 1}, reverse=True):
        os.truncate(path, length)
        with pytest.raises(EventFileError, match=r"one\.h5 is (truncated|empty|damaged)"):
            open_events(path)


def foreign_hdf5(path):
    with h5py.File(path, "w") as file:
        file["events"] = np.arange(5)


def foreign_format(path):
    with h5py.File(path, "w") as file:
        file.attrs["format"] = np.arange(3)


def newer_layout(path):
    write_one(path.parent).rename(path)
    with h5py.File(path, "r+") as file:
        file.attrs["layout_version"] = 2


def only_the_name(path):
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "kaongen events"


def uneven(path):
    write_one(path.parent).rename(path)
    with h5py.File(path, "r+") as file:
        del file["events/hits"]
        file["events/hits"] = np.zeros(3, np.uint8)


def complex_column(path):
    write_one(path.parent).rename(path)
    with h5py.File(path, "r+") as file:
        rows = len(file["events/hits"])
        del file["events/hits"]
        data = file.create_dataset("events/hits", data=np.zeros(rows, complex))
        data.attrs["unit"] = data.attrs["description"] = ""


def changed_header(path):
    write_one(path.parent).rename(path)
    with h5py.File(path, "r+") as file:
        file.attrs["header"] = file.attrs["header"].replace(b'"generated":40', b'"generated":41')


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "there is no file"),
        (lambda path: path.write_text("event,px,py\n1,2,3\n"), "not an HDF5 file: it begins with b'event,px'"),
        (lambda path: path.write_bytes(b"root" + bytes(500)), "not an HDF5 file"),
        (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(500)), "damaged"),
        (foreign_hdf5, "an HDF5 file, but not one of kaongen"),
        (foreign_format, "an HDF5 file, but not one of kaongen"),
        (newer_layout, "newer kaongen: it has layout 2"),
        (only_the_name, "damaged"),
        (uneven, "column 'hits' has the shape \\(3,\\)"),
        (complex_column, "complex128"),
        (changed_header, "header does not match its checksum"),
    ],
)
def test_files_that_are_not_ours_are_named(tmp_path, make, message):
    path = tmp_path / "odd.h5"
    make(path)
    with pytest.raises(EventFileError, match=message) as caught:
        open_events(path)
    assert "odd.h5" in str(caught.value)


def test_a_file_without_permission_is_named(tmp_path, monkeypatch):
    path = write_one(tmp_path)

    def forbidden(*_, **__):  # the tests may run as a user to whom nothing is forbidden
        raise PermissionError(13, os.strerror(13), str(path))

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(EventFileError, match=r"cannot read .*one\.h5: Permission denied"):
        open_events(path)


def test_a_directory_that_is_no_run_is_named(tmp_path):
    with pytest.raises(EventFileError, match="not a run directory"):
        open_events(tmp_path)
