"""The run directory: whether a run may go there, and what an older one leaves behind."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from kaongen.errors import CardError, EventFileError
from kaongen.events.durable import PARTIAL
from kaongen.events.manifest import MANIFEST, read_manifest
from kaongen.production.card import Card, parse_json_card

CARD_FILE = "card.json"
RESULT_FILE = "result.json"
SHARDS = "shards"
PLOTS = "plots"
TABLES = "tables"
REPORT_FILE = "report.html"

_OURS = (CARD_FILE, MANIFEST, RESULT_FILE, REPORT_FILE, SHARDS, PLOTS, TABLES)


def prepare(directory: Path, card: Card, *, resume: bool, overwrite: bool) -> None:
    """Make sure that a run of this card may go there; afterwards the directory exists.

    An older run is removed only with `overwrite`, and only what a run writes: never anything else.

    Raises
    ------
    EventFileError
        If something is in the way; it is left as it was.
    """
    with _named(directory, "use the directory"):
        if directory.exists() and not directory.is_dir():
            raise EventFileError(f"{directory} is a file: choose another directory with -o")
        directory.mkdir(parents=True, exist_ok=True)
        there = sorted(path.name for path in directory.iterdir() if not path.name.endswith(PARTIAL))
    if not there:
        return
    if not _holds_a_run(directory):
        raise EventFileError(f"{directory} holds {there[0]} and no kaongen run: choose another directory with -o")
    if resume:
        _same_card(directory, card)
    elif overwrite:
        _remove_run(directory, there)
    else:
        raise EventFileError(
            f"{directory} exists already: --resume goes on with it, --overwrite replaces it, -o chooses another"
        )


def read_run_card(directory: Path) -> Card:
    """The card that a run directory was made from.

    Raises
    ------
    EventFileError
        If it is not there or not a card.
    """
    path = directory / CARD_FILE
    try:
        return parse_json_card(path.read_text(encoding="utf-8"), str(path))
    except OSError as problem:
        raise EventFileError(f"cannot read the card of the run, {path}: {problem.strerror}") from None
    except (CardError, UnicodeDecodeError) as problem:
        raise EventFileError(f"cannot read the card of the run, {problem}") from None


def _holds_a_run(directory: Path) -> bool:
    read = read_manifest if (directory / MANIFEST).exists() else read_run_card
    try:
        read(directory)
    except EventFileError:
        return False
    return True


def _same_card(directory: Path, card: Card) -> None:
    if (directory / MANIFEST).exists():
        found = read_manifest(directory).provenance.card_sha256
    else:
        found = read_run_card(directory).sha256()
    if found != card.sha256():
        raise EventFileError(
            f"{directory} holds a run of another card, seed or version: only the same one can be resumed "
            f"(card {found[:12]} there, {card.sha256()[:12]} here): --overwrite replaces it, -o chooses another"
        )


def _remove_run(directory: Path, there: list[str]) -> None:
    if foreign := [name for name in there if name not in _OURS]:
        raise EventFileError(f"{directory} holds {foreign[0]} besides a run: move it away, or choose another with -o")
    with _named(directory, "remove the run in"):
        # the manifest first: without it nothing that is left would be trusted
        for name in (MANIFEST, RESULT_FILE, REPORT_FILE, PLOTS, TABLES, SHARDS, CARD_FILE):
            path = directory / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def _named(directory: Path, action: str) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise EventFileError(f"cannot {action} {directory}: {problem.strerror or problem}") from None
