"""Samples in memory are those of the event files."""

import numpy as np
import pytest
from small_runs import card, columns, made, sample

from kaongen.analysis.mu_selection import MuonSelection
from kaongen.decays.sampling import CHUNK
from kaongen.errors import EventFileError
from kaongen.events.reader import open_events
from kaongen.production.memory import simulate_card

SAMPLES = (sample("munu", CHUNK + 100), sample("munuphi", 2000), sample("natural", 3000))


@pytest.fixture(scope="module")
def in_files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("files") / "run"
    made(directory, *SAMPLES)
    return directory


@pytest.fixture(scope="module")
def in_memory():
    return simulate_card(card(*SAMPLES), MuonSelection(), threads=2)


def test_the_events_are_the_same_to_the_last_bit(in_files, in_memory):
    for name, table in columns(in_files).items():
        other = in_memory[name].columns()
        assert list(other) == list(table)
        for column, values in table.items():
            assert values.tobytes() == other[column].tobytes(), f"{name}: {column}"


def test_so_are_the_counts_and_where_they_come_from(in_files, in_memory):
    files = open_events(in_files)
    assert in_memory.provenance == files.provenance
    assert in_memory.missing == ()
    for one, other in zip(files.members, in_memory.members, strict=True):
        assert one.info == other.info
        assert (one.tally.generated, one.tally.selected) == (other.tally.generated, other.tally.selected)
        assert one.tally.sum_weights == pytest.approx(other.tally.sum_weights, rel=1e-12)
        assert [c.events for c in one.tally.cutflow] == [c.events for c in other.tally.cutflow]
        assert len(one) == len(other)


def test_stretches_join_to_the_whole(in_files, in_memory):
    for events in (open_events(in_files), in_memory):
        munu = events["munu"]
        parts = list(munu.batches("m2_miss", "weight", rows=1000))
        assert max(len(part["weight"]) for part in parts) == 1000
        assert all(list(part) == ["m2_miss", "weight"] for part in parts)
        joined = np.concatenate([part["m2_miss"] for part in parts])
        assert joined.tobytes() == munu.columns("m2_miss")["m2_miss"].tobytes()


def test_an_unknown_column_is_named(in_memory):
    with pytest.raises(EventFileError, match=r"'m2_mis'.*did you mean 'm2_miss'"):
        in_memory["munu"].columns("m2_mis")
    with pytest.raises(EventFileError, match="'m2_mis'"):
        next(in_memory["munu"].batches("m2_mis"))
