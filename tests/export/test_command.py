"""`kaongen export templates`."""

import json

import pytest
from exported_run import write_run
from typer.testing import CliRunner

from kaongen.cli import app
from kaongen.errors import KaongenError

ARGUMENTS = ["--column", "m2_miss", "--bins", "0:0.1:5", "--kaons", "1e10"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("known"))


def call(*arguments):
    return CliRunner().invoke(app, ["export", "templates", *map(str, arguments)])


def test_files_are_written_and_listed(directory, tmp_path):
    done = call(directory, "-o", tmp_path, "--format", "hist, npz", *ARGUMENTS)
    assert done.exit_code == 0
    for name in ("m2-miss.uhi.json", "m2-miss.npz", "templates.json"):
        assert (tmp_path / name).exists()
        assert str(tmp_path / name) in done.output.splitlines()
    assert "m2-miss: 5 bins in m2_miss, 4 samples" in done.output


def test_json_for_programs(directory, tmp_path):
    options = ["--signal", "muN-300", "--branching-fraction", "1e-8", "--sample", "munug", "--sample", "muN-300"]
    done = call(directory, "-o", tmp_path, "--format", "pyhf", *ARGUMENTS, *options, "--json")
    answer = json.loads(done.output)
    assert [path.rsplit("/", 1)[1] for path in answer["files"]] == ["m2-miss.pyhf.json", "templates.json"]
    assert "1e-08" in answer["templates"][0]["samples"]["muN-300"]["normalisation"]
    assert list(answer["templates"][0]["samples"]) == ["munug", "muN-300"]


def test_what_is_wrong_is_said(directory):
    done = call(directory, "--format", "hist", "--column", "m2_miss", "--bins", "5")
    assert isinstance(done.exception, KaongenError)
    assert "--bins '5'" in str(done.exception)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--format", "hist,pyhf"], "a pyhf workspace needs a signal"),
        (["--format", "hist,pyhf", "--signal", "munug"], "'munug' is a background and not a signal"),
        (["--format", "hist", "--signal", "muN-300"], "'muN-300' is for a pyhf workspace"),
        (["--sample", "munug", "--sample", "munug"], "'munug' is asked for twice"),
        (["--kaons", "1e300"], "number of kaon decays = 1e+300"),
        (["--branching-fraction", "2"], "at most 1"),
    ],
)
def test_nothing_is_written_where_something_is_wrong(directory, tmp_path, options, words):
    known = ["--sample", "munu", "--sample", "munug", "--sample", "muN-250"] if "--sample" not in options else []
    done = call(directory, "-o", tmp_path / "out", *ARGUMENTS, *known, *options)
    assert isinstance(done.exception, KaongenError)
    assert words in str(done.exception)
    assert not (tmp_path / "out").exists()
