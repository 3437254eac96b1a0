"""Files that are either whole or not there, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path

from kaongen.errors import EventFileError

PARTIAL = ".partial"
"""What a file's name ends in until it is whole."""


def write_durably(path: Path, content: bytes, verify: Callable[[Path], None] | None = None) -> None:
    """Write `content` to `path` through a file beside it; on any failure `path` stays as it was.

    The file beside it gets its final name once its bytes are on disk and `verify`, which raises to refuse, has seen it.

    Raises
    ------
    EventFileError
        Naming the file and the reason: no space, no permission, too large.
    """
    partial = path.with_name(path.name + PARTIAL)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb", buffering=0) as file:
            rest = memoryview(content)
            while rest:  # the system may take less than all: 2 GiB at most, or what still fits on the disk
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        if verify is not None:
            verify(partial)
        partial.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise EventFileError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def remove_stale_partials(directory: Path) -> list[Path]:
    """Remove what killed writers left in a run directory, and say what it was.

    Only for when no other process writes there: a partial file of a living writer looks the same.
    """
    stale = sorted([*directory.glob(f"*{PARTIAL}"), *directory.glob(f"shards/*{PARTIAL}")])
    try:
        for path in stale:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise EventFileError(f"cannot remove the stale {path}: {error.strerror or error}") from error
    return stale


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems have nothing to synchronise here
            raise
    finally:
        os.close(descriptor)
