"""One shard as it lies on disk: HDF5 to and from memory, and every way in which a file can fail to be one of ours.

The file image is built and taken apart here; how the bytes reach the disk is the business of `durable`.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from kaongen.errors import EventFileError
from kaongen.events.layout import FORMAT, LAYOUT_VERSION, Column, FourMomentum, ShardHeader, Table

Array = npt.NDArray[Any]
CHUNK_ROWS = 1 << 18  # chunks below 256k rows cost more than the bytes they hold
SIGNATURE = b"\x89HDF\r\n\x1a\n"
HDF5_TROUBLE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError)
"""What h5py raises on a damaged file, depending on where the damage is."""


_ALL_ROWS = slice(None)


class ReadColumn(Protocol):
    def __call__(self, name: str, rows: slice = _ALL_ROWS) -> Array: ...


@dataclass(frozen=True)
class ShardMetadata:
    """Everything that a shard says without its columns being read."""

    header: ShardHeader
    table: Table
    rows: int
    sha256: str
    size_bytes: int


def columns_digest(columns: Iterable[tuple[Column, Array]]) -> str:
    """SHA-256 over the name, type, length and bytes of each column, in order: whatever HDF5 wrote around them."""
    digest = hashlib.sha256()
    for column, values in columns:
        digest.update(f"{column.name}:{column.stored.str}:{len(values)}\n".encode())
        digest.update(np.ascontiguousarray(values, column.stored).view(np.uint8).data)
    return digest.hexdigest()


def shard_image(
    columns: Mapping[str, Array], table: Table, header: ShardHeader, sha256: str, compression: str | None
) -> bytes:
    """The bytes of the HDF5 file.

    Built in memory, because HDF5 can crash the interpreter when the disk fills up while it closes a file; bytes that
    are already there are written with ordinary errors. Equal input gives equal bytes: no times, text of fixed length.
    """
    rows = len(columns[table.names[0]])
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=("v108", "v110")) as file:
        events = file.create_group("events", track_order=True)
        chunking = {"compression": compression, "shuffle": True, "chunks": (min(rows, CHUNK_ROWS),)}
        for column in table.columns:
            packing = chunking if compression and rows else {}
            dataset = events.create_dataset(column.name, data=columns[column.name], track_times=False, **packing)
            _set_text(dataset, unit=column.unit, description=column.description)
        momenta = file.create_group("momenta", track_order=True)
        for momentum in table.momenta:
            group = momenta.create_group(momentum.name)
            _set_text(group, **{k: v for k, v in asdict(momentum).items() if isinstance(v, str) and k != "name"})
            if momentum.mass_GeV is not None:
                group.attrs["mass_GeV"] = np.float64(momentum.mass_GeV)
        text = header.model_dump_json()
        _set_text(file, format=FORMAT, sample=header.sample.name, process=header.sample.process, header=text)
        _set_text(file, header_sha256=_sha256(text), columns_sha256=sha256)
        file.attrs["layout_version"] = np.int64(header.layout_version)
        for name, number in (("first", header.first), ("stop", header.stop), ("rows", rows)):
            file.attrs[name] = np.uint64(number)
        file.attrs["complete"] = True
    return memory.getvalue()


def read_metadata(path: Path) -> ShardMetadata:
    """Read what a shard says of itself, and refuse what is not a whole shard of a layout we know."""
    with _opened(path) as file:
        version = _layout_version(path, file)
        if version > LAYOUT_VERSION:
            raise EventFileError(newer_layout(path, version))
        if not file.attrs["complete"]:
            raise EventFileError(f"{path} was never completed")
        text = _text(file, "header")
        if _sha256(text) != _text(file, "header_sha256"):
            raise EventFileError(f"{path} is damaged: the header does not match its checksum")
        try:
            header = ShardHeader.model_validate_json(text)
        except ValidationError as error:
            raise EventFileError(f"{path} has a header that breaks the layout: {first_complaint(error)}") from error
        rows = int(file.attrs["rows"])
        plain = (version, _text(file, "sample"), int(file.attrs["first"]), int(file.attrs["stop"]))
        if plain != (header.layout_version, header.sample.name, header.first, header.stop):
            raise EventFileError(f"{path} is damaged: its attributes contradict its header")
        try:
            table = Table(
                columns=tuple(_column(name, data, rows) for name, data in file["events"].items()),
                momenta=tuple(_momentum(name, group) for name, group in file["momenta"].items()),
            )
        except EventFileError as error:
            raise EventFileError(f"{path}: {error}") from error
        return ShardMetadata(header, table, rows, _text(file, "columns_sha256"), path.stat().st_size)


@contextmanager
def columns_of(path: Path) -> Iterator[ReadColumn]:
    """Open a shard and give a function that reads one column of it, or some rows, in the machine's own byte order."""
    with _opened(path) as file:

        def read(name: str, rows: slice = _ALL_ROWS) -> Array:
            values: Array = file["events"][name][rows]
            return values.astype(values.dtype.newbyteorder("="), copy=False)

        yield read


def first_complaint(error: ValidationError) -> str:
    """The first thing that a model has against its input, on one line."""
    complaint = error.errors()[0]
    where = ".".join(str(part) for part in complaint["loc"])
    return f"{where}: {complaint['msg']}" if where else complaint["msg"]


def newer_layout(path: Path, version: int) -> str:
    """The complaint about a file from the future."""
    return f"{path} was written by a newer kaongen: it has layout {version}, this one reads up to {LAYOUT_VERSION}"


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    try:
        with path.open("rb") as file:
            start = file.read(len(SIGNATURE))
    except FileNotFoundError as error:
        raise EventFileError(f"there is no file {path}") from error
    except OSError as error:
        raise EventFileError(f"cannot read {path}: {error.strerror or error}") from error
    if start != SIGNATURE:
        if SIGNATURE.startswith(start):
            raise EventFileError(f"{path} is {'truncated' if start else 'empty'}")
        raise EventFileError(f"{path} is not an HDF5 file: it begins with {start!r}")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except HDF5_TROUBLE as error:
        what = "truncated" if "truncated" in str(error) else "damaged"
        raise EventFileError(f"{path} is {what}: {str(error) or type(error).__name__}") from error


def _layout_version(path: Path, file: h5py.File) -> int:
    if "format" not in file.attrs or _text(file, "format") != FORMAT:
        raise EventFileError(
            f"{path} is an HDF5 file, but not one of {FORMAT} (there is no attribute format={FORMAT!r})"
        )
    return int(file.attrs["layout_version"])


def _column(name: str, data: h5py.Dataset, rows: int) -> Column:
    if data.shape != (rows,):
        raise EventFileError(f"the column {name!r} has the shape {data.shape}, not ({rows},)")
    return Column(name, data.dtype.name, _text(data, "unit"), _text(data, "description"))


def _momentum(name: str, group: h5py.Group) -> FourMomentum:
    mass = float(group.attrs["mass_GeV"]) if "mass_GeV" in group.attrs else None
    energy = _text(group, "energy") if "energy" in group.attrs else None
    px, py, pz = (_text(group, axis) for axis in ("px", "py", "pz"))
    return FourMomentum(name, px, py, pz, mass, energy)


def _set_text(node: h5py.HLObject, **texts: str) -> None:
    for name, text in texts.items():
        encoded = text.encode()
        node.attrs.create(name, encoded, dtype=h5py.string_dtype("utf-8", max(1, len(encoded))))


def _text(node: h5py.HLObject, name: str) -> str:
    value = node.attrs[name]
    return value.decode() if isinstance(value, bytes) else str(value)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
