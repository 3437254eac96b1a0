"""Whole runs and what can happen to them: killed, interrupted, out of space, in somebody's way."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kaongen.errors import EventFileError, KaongenError
from kaongen.events.inspection import validate_events
from kaongen.events.manifest import read_manifest
from kaongen.events.reader import open_events
from kaongen.production.card import Card
from kaongen.run import analyse_again, run

CHUNK = 65536
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals and limits as Linux has them")


def card(candidates=2000, seed=3, **more):
    """K+ -> mu+ nu and one background."""
    samples = [
        {"process": "munu", "role": "normalisation", "candidates": candidates},
        {"process": "munug", "role": "background", "candidates": candidates},
    ]
    return Card.model_validate(
        {"run": {"name": "small", "seed": seed, "shard_candidates": CHUNK}, "sample": samples} | more
    )


def text(chosen):
    """The same card as a person writes it."""
    lines = [f'[run]\nname = "{chosen.run.name}"\nseed = {chosen.run.seed}\nshard_candidates = {CHUNK}']
    for part in chosen.sample:
        lines.append(f'[[sample]]\nprocess = "{part.process}"\nname = "{part.name}"\nrole = "{part.role}"')
        lines.append(f"candidates = {part.candidates}")
    return "\n".join(lines) + "\n"


def content(directory):
    """Candidate ranges and checksums of the columns."""
    return [(s.file, s.first, s.stop, s.rows, s.sha256) for s in read_manifest(directory).shards]


def everything(directory):
    """All files below a directory, with their bytes."""
    return {path.relative_to(directory): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture
def plots():
    """For tests that want them."""


@pytest.fixture(autouse=True)
def _no_plots(request, monkeypatch):
    """Drawing takes most of the time of a small run."""
    if "plots" not in request.fixturenames:
        monkeypatch.setattr("kaongen.run.save_plots", lambda result, directory: [])
        monkeypatch.setattr("kaongen.run.write_report", lambda result, directory, **more: directory / "report.html")


# in somebody's way


@pytest.mark.usefixtures("plots")
def test_a_run_leaves_what_it_promises(tmp_path):
    outcome = run(card(), tmp_path / "deep" / "run")
    files = {str(path) for path in everything(outcome.directory)}
    assert files == {
        "card.json", "manifest.json", "result.json", "report.html", "shards/munu-00000.h5", "shards/munug-00000.h5",
        "plots/m2-miss.png", "plots/m2-miss.svg", "plots/events-above-cut.png", "plots/events-above-cut.svg",
        "tables/m2-miss.csv", "tables/events-above-cut.csv", "tables/published-counts.csv",
        "tables/hepdata/submission.yaml", "tables/hepdata/m2-miss.yaml", "tables/hepdata/events-above-cut.yaml",
        "tables/hepdata/published-counts.yaml",
    }  # fmt: skip
    assert validate_events(outcome.directory) == []
    assert Card.model_validate_json((outcome.directory / "card.json").read_text()) == card()


def test_a_run_that_is_there_is_refused_and_stays(tmp_path):
    run(card(), tmp_path / "run")
    before = everything(tmp_path)
    for other in (card(), card(seed=4)):
        with pytest.raises(EventFileError, match=r"run exists already: --resume .* --overwrite"):
            run(other, tmp_path / "run")
    assert everything(tmp_path) == before


def test_overwriting_replaces_the_whole_run(tmp_path):
    run(card(3 * CHUNK), tmp_path / "run")
    run(card(seed=4), tmp_path / "run", overwrite=True)
    run(card(seed=4), tmp_path / "fresh")
    assert everything(tmp_path / "run") == everything(tmp_path / "fresh")


def test_a_bad_card_overwrites_nothing(tmp_path):
    run(card(), tmp_path / "run")
    before = everything(tmp_path)
    bad = card(detector={"changes": {"gtk.nothing": 1.0}})
    with pytest.raises(KaongenError, match=r"gtk\.nothing"):
        run(bad, tmp_path / "run", overwrite=True)
    assert everything(tmp_path) == before


FOREIGN = {
    "notes": {"thesis.tex": "ten years of work"},
    "a web application": {"manifest.json": '{"name": "shop", "icons": []}', "index.html": "<html>"},
    "an address book": {"card.json": '{"fn": "Ada Lovelace"}', "letters.txt": "dear"},
}


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("option", [{}, {"overwrite": True}, {"resume": True}], ids=["plain", "overwrite", "resume"])
def test_a_directory_of_something_else_is_left_alone(tmp_path, what, option):
    for name, words in FOREIGN[what].items():
        (tmp_path / name).write_text(words)
    before = everything(tmp_path)
    with pytest.raises(EventFileError, match=tmp_path.name):
        run(card(), tmp_path, **option)
    assert everything(tmp_path) == before


def test_overwriting_keeps_the_files_that_the_user_put_there(tmp_path):
    """Refused or spared: a run directory may hold a notebook by now."""
    run(card(), tmp_path / "run")
    notebook = tmp_path / "run" / "analysis.ipynb"
    notebook.write_text("{}")
    refusal = ""
    try:
        run(card(seed=4), tmp_path / "run", overwrite=True)
    except EventFileError as problem:
        refusal = str(problem)
    assert not refusal or "analysis.ipynb" in refusal
    assert notebook.read_text() == "{}"


def test_the_directory_one_stands_in_can_be_overwritten(tmp_path, monkeypatch):
    """`-o .`, which cannot itself be removed."""
    run(card(), tmp_path)
    monkeypatch.chdir(tmp_path)
    before = everything(tmp_path)
    try:
        run(card(seed=4), Path("."), overwrite=True)
    except EventFileError:
        assert everything(tmp_path) == before
    else:
        assert read_manifest(tmp_path).provenance.seed == 4


def test_a_link_to_a_run_can_be_overwritten(tmp_path):
    run(card(), tmp_path / "run")
    (tmp_path / "link").symlink_to("run")
    before = everything(tmp_path / "run")
    try:
        run(card(seed=4), tmp_path / "link", overwrite=True)
    except EventFileError:
        assert everything(tmp_path / "run") == before
    else:
        assert read_manifest(tmp_path / "link").provenance.seed == 4


def test_what_cannot_be_removed_is_named(tmp_path, monkeypatch):
    run(card(), tmp_path / "run")

    def refuse(path, *rest, **settings):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    monkeypatch.setattr(os, "unlink", refuse)
    monkeypatch.setattr(os, "remove", refuse)
    with pytest.raises(EventFileError, match="run"):
        run(card(seed=4), tmp_path / "run", overwrite=True)


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "run").write_text("mine")
    for option in ({}, {"overwrite": True}, {"resume": True}):
        with pytest.raises(EventFileError, match="run"):
            run(card(), tmp_path / "run", **option)
        with pytest.raises(EventFileError, match="run"):
            run(card(), tmp_path / "run" / "below", **option)
    assert (tmp_path / "run").read_text() == "mine"


@linux
def test_where_nothing_can_be_made_is_named():
    with pytest.raises(EventFileError, match="/proc/kaongen"):
        run(card(), Path("/proc/kaongen"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_directory_is_named(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o555)
    with pytest.raises(EventFileError, match="locked"):
        run(card(), tmp_path / "locked" / "run")
    with pytest.raises(EventFileError, match="locked"):
        run(card(), tmp_path / "locked")
    assert not list((tmp_path / "locked").iterdir())


# resuming


def test_resuming_what_was_never_begun_begins(tmp_path):
    run(card(), tmp_path / "run", resume=True)
    run(card(), tmp_path / "other")
    assert everything(tmp_path / "run") == everything(tmp_path / "other")


def test_resuming_a_complete_run_changes_nothing(tmp_path):
    outcome = run(card(), tmp_path / "run")
    before = everything(tmp_path / "run")
    assert run(card(), tmp_path / "run", resume=True).result == outcome.result
    assert everything(tmp_path / "run") == before


@pytest.mark.parametrize("other", [card(seed=4), card(2001), card(detector={"vetoes": "accept"})])
def test_another_run_is_not_resumed(tmp_path, other):
    run(card(), tmp_path / "run")
    (tmp_path / "run" / "card.json").unlink()  # even where it would be free to write its own
    before = everything(tmp_path / "run")
    with pytest.raises(EventFileError, match="another card, seed or version"):
        run(other, tmp_path / "run", resume=True)
    assert everything(tmp_path / "run") == before


def test_a_run_killed_before_its_first_shard_can_still_be_analysed(tmp_path):
    """Only the card was there; what is resumed with another one is another run, and its card must say so."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "card.json").write_text(card().model_dump_json())
    try:
        run(card(seed=4), tmp_path / "run", resume=True)
    except EventFileError:
        run(card(), tmp_path / "run", resume=True)
    assert analyse_again(tmp_path / "run").result.card_sha256 == read_manifest(tmp_path / "run").provenance.card_sha256


# in another process: killed, interrupted, out of space

LONG = card(20 * CHUNK)


def start(folder, *options, chosen=LONG, **settings):
    (folder / "long.toml").write_text(text(chosen))
    program = "import sys; from kaongen.cli import main; main()"
    arguments = ["run", str(folder / "long.toml"), "-o", str(folder / "run"), "--json", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", program, *arguments], **pipes, **settings)


def shards(folder):
    return len(list((folder / "run" / "shards").glob("*.h5"))) if (folder / "run" / "shards").exists() else 0


def wait_for(process, condition):
    deadline = time.monotonic() + 120.0
    while not condition():
        assert time.monotonic() < deadline
        if process.poll() is not None:
            return
        time.sleep(0.002)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    directory = tmp_path_factory.mktemp("uninterrupted") / "run"
    result = run(LONG, directory, threads=1).result
    return content(directory), result


def test_a_card_as_text_is_the_same_card(tmp_path):
    from kaongen.production.card import parse_card

    assert parse_card(text(LONG), "long.toml") == LONG


@linux
@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_content(tmp_path, uninterrupted):
    """SIGKILL as the directory appears, during the first shard, and at random moments; then to the end."""
    chance = random.Random(62)
    moments = [
        lambda: (tmp_path / "run").exists(),
        lambda: (tmp_path / "run" / "manifest.json").exists(),
        *(lambda more=more: shards(tmp_path) > more for more in (0, 6, 20)),
    ]
    killed = 0
    for moment in moments:
        process = start(tmp_path, "--resume", "--threads", str(chance.choice([1, 2])))
        wait_for(process, moment)
        time.sleep(chance.uniform(0.0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        if (tmp_path / "run" / "manifest.json").exists():
            listed = content(tmp_path / "run")
            assert listed == [s for s in uninterrupted[0] if s in listed]
            open_events(tmp_path / "run", partial=True)
    assert killed >= 4
    assert not read_manifest(tmp_path / "run").complete
    result = run(LONG, tmp_path / "run", resume=True).result
    assert content(tmp_path / "run") == uninterrupted[0]
    assert result == uninterrupted[1]
    assert validate_events(tmp_path / "run") == []
    assert not list((tmp_path / "run").rglob("*.partial"))


@linux
@pytest.mark.slow
def test_an_interrupted_run_says_how_to_go_on(tmp_path, uninterrupted):
    # what a shell starts in the background ignores the signal, and hands that on
    process = start(tmp_path, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    wait_for(process, lambda: shards(tmp_path) > 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "--resume" in err
    assert "Traceback" not in err
    assert content(tmp_path / "run") == uninterrupted[0][: len(content(tmp_path / "run"))]
    # without --resume it is an existing run like any other
    process = start(tmp_path)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "--resume" in err
    assert run(LONG, tmp_path / "run", resume=True).result == uninterrupted[1]
    assert content(tmp_path / "run") == uninterrupted[0]


def limited(size):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@linux
@pytest.mark.slow
@pytest.mark.usefixtures("plots")
@pytest.mark.parametrize(
    ("size", "named"),
    [(20, "card.json"), (3_000, "manifest.json"), (30_000, "munu-00000.h5"), (60_000, "report")],
)
def test_a_full_disk_is_named_and_survived(tmp_path, size, named):
    """No file may become larger than so many bytes; everything that was whole before stays whole."""
    chosen = card(700 if size == 60_000 else 5000)
    if size == 3_000:
        # of many samples the manifest is longer than the card
        munug = {"process": "munug", "role": "background", "candidates": 5000}
        samples = [{"process": "munu", "role": "normalisation", "candidates": 5000}]
        chosen = card(sample=[*samples, *(munug | {"name": f"munug-{i}"} for i in range(8))])
    process = start(tmp_path, chosen=chosen, preexec_fn=limited(size))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 2, err
    assert out == ""
    assert "Traceback" not in err
    message = err.splitlines()[-1]
    assert message.startswith("kaongen: cannot write ")
    assert any(name in message for name in named.split("|")), message
    assert "File too large" in message
    assert not list((tmp_path / "run").rglob("*.partial"))
    run(chosen, tmp_path / "run", resume=True)
    run(chosen, tmp_path / "other")
    assert everything(tmp_path / "run") == everything(tmp_path / "other")


@linux
@pytest.mark.slow
def test_compiled_code_that_cannot_be_kept_is_no_crash(tmp_path):
    """A home directory that is full or read-only: slower, or one clear message."""
    program = "import sys; from kaongen.cli import main; main()"
    environment = os.environ | {"KAONGEN_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", program, "rate", "munu", "--json"],
        env=environment, preexec_fn=limited(50), capture_output=True, text=True,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    if done.returncode == 0:
        assert json.loads(done.stdout)["branching_fraction"] > 0.6
    else:
        assert done.returncode == 2
        assert "cache" in done.stderr
