import pytest
from event_samples import PROVENANCE, TABLE, info
from pydantic import ValidationError

from kaongen.errors import EventFileError
from kaongen.events.layout import (
    Column,
    CutCount,
    FourMomentum,
    Manifest,
    SamplePlan,
    ShardHeader,
    ShardRecord,
    Table,
    Tally,
    shard_file,
)

INDEX = Column("index", "uint64", "", "number of the candidate")
PX = Column("px", "float32", "GeV", "x")


def record(**changes):
    fields = {"file": "shards/munu-00000.h5", "sample": "munu", "first": 0, "stop": 10, "rows": 3, "size_bytes": 9}
    return ShardRecord(**(fields | {"sha256": "", "tally": Tally()} | changes))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Column("p x", "float32", "", ""), "not an identifier"),
        (lambda: Column("px", "complex64", "", ""), "float32, float64"),
        (lambda: FourMomentum("mu", "px", "px", "px"), "either a mass or an energy"),
        (lambda: FourMomentum("mu", "px", "px", "px", 0.1, "E"), "either a mass or an energy"),
        (lambda: FourMomentum("a/b", "px", "px", "px", 0.1), "cannot name"),
        (lambda: Table((PX,)), "uint64"),
        (lambda: Table((INDEX, PX, PX)), "twice"),
        (lambda: Table((INDEX, PX), (FourMomentum("mu", "px", "py", "px", 0.1),)), "needs the column 'py'"),
        (lambda: TABLE["mu_pq"], "did you mean"),
        (lambda: TABLE.momentum("nu"), "known: mu\\+, mu_reco"),
    ],
)
def test_tables_that_make_no_sense_are_refused(make, message):
    with pytest.raises(EventFileError, match=message):
        make()


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a b"])
def test_sample_names_stay_file_names(name):
    with pytest.raises(ValidationError):
        info(name)


@pytest.mark.parametrize("file", ["/etc/passwd", "../other/shards/a.h5", "shards/../../a.h5", ""])
def test_shards_stay_inside_their_run(file):
    with pytest.raises(ValidationError, match="inside the run"):
        record(file=file)


def test_an_empty_range_is_no_shard():
    with pytest.raises(ValidationError, match="empty"):
        ShardHeader(sample=info(), provenance=PROVENANCE, first=5, stop=5, tally=Tally())


def test_records_refuse_what_they_do_not_know_and_what_json_cannot_say():
    with pytest.raises(ValidationError):
        Tally(candidate=3)
    with pytest.raises(ValidationError):
        Tally(sum_weights=float("nan"))


@pytest.mark.parametrize(
    ("samples", "shards", "message"),
    [
        (["munu", "munu"], [], "same name"),
        (["munu"], [record(), record()], "listed twice"),
        (["munu"], [record(sample="munux")], "not listed"),
        (["munu"], [record(stop=101)], "beyond the 100"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(samples, shards, message):
    plans = [SamplePlan(info=info(name), candidates=100) for name in samples]
    with pytest.raises(ValidationError, match=message):
        Manifest(provenance=PROVENANCE, samples=plans, shards=shards)


def test_tallies_add_cut_by_cut():
    one = Tally(
        candidates=10, generated=9, selected=2, sum_weights=2.5, cutflow=(CutCount(name="a", events=5, sum_weights=6),)
    )
    two = Tally(
        candidates=20, above_bound=1, sum_weights_squared=4, cutflow=(CutCount(name="a", events=1, sum_weights=1),)
    )
    total = Tally(
        candidates=30,
        generated=9,
        above_bound=1,
        selected=2,
        sum_weights=2.5,
        sum_weights_squared=4,
        cutflow=(CutCount(name="a", events=6, sum_weights=7),),
    )
    assert one + two == total
    assert sum((one, two), Tally()) == total
    assert one + Tally() == one


def test_tallies_of_different_cuts_do_not_add():
    one = Tally(candidates=1, cutflow=(CutCount(name="a", events=1, sum_weights=1),))
    for other in (Tally(candidates=1), Tally(candidates=1, cutflow=(CutCount(name="b", events=1, sum_weights=1),))):
        with pytest.raises(EventFileError, match="different cuts"):
            one + other


def test_equivalent_kaons_need_a_rate():
    assert info(branching_fraction=0.25).equivalent_kaons(100) == 400
    assert info(branching_fraction=None).equivalent_kaons(100) is None
    assert info(branching_fraction=0.0).equivalent_kaons(100) is None


def test_shard_files_sort_by_number():
    assert shard_file("munu", 12) == "shards/munu-00012.h5"
