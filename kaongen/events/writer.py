"""Columns in memory become a shard on disk, or an error and no shard."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from kaongen.errors import EventFileError
from kaongen.events.durable import write_durably
from kaongen.events.layout import INDEX, Column, ShardHeader, ShardRecord, Table
from kaongen.events.shard import Array, columns_digest, columns_of, read_metadata, shard_image


def write_shard(
    path: str | os.PathLike[str],
    columns: Mapping[str, Array],
    table: Table,
    header: ShardHeader,
    compression: Literal["gzip"] | None = None,
) -> ShardRecord:
    """Write the selected events of one candidate range; the file appears under its name only when it is whole.

    Parameters
    ----------
    path : path
        The shard, usually `<run>/` + `layout.shard_file(...)`; missing directories are made, an older file is replaced.
    columns : mapping of str to array
        One array for each column of `table`, in candidate order, all of one length; cast to the declared types.
    table : Table
        The columns and the four-momenta among them.
    header : ShardHeader
        The sample, the range and the counts.
    compression : None or "gzip"
        Uncompressed by default: compression costs far more time than generating the events.

    Returns
    -------
    ShardRecord
        The entry for the manifest; its `file` is relative to the directory above the one that holds the shard.

    Raises
    ------
    EventFileError
        The columns do not fit the table or the header, or the file cannot be written; what was there before stays.
    """
    path = Path(path).absolute()
    if compression not in (None, "gzip"):
        raise EventFileError(f"cannot write {path}: compression {compression!r} is not one of None, 'gzip'")
    try:
        stored = _matched(columns, table)
        _check_rows(stored[INDEX], header)
    except EventFileError as error:
        raise EventFileError(f"cannot write {path}: {error}") from error
    digest = columns_digest((column, stored[column.name]) for column in table.columns)

    def verify(partial: Path) -> None:
        _verify(partial, stored, table, header, digest)

    image = shard_image(stored, table, header, digest, compression)
    write_durably(path, image, verify)
    return ShardRecord(
        file=path.relative_to(path.parent.parent).as_posix(),
        sample=header.sample.name,
        first=header.first,
        stop=header.stop,
        rows=len(stored[INDEX]),
        size_bytes=len(image),
        sha256=digest,
        tally=header.tally,
    )


def _matched(columns: Mapping[str, Array], table: Table) -> dict[str, Array]:
    if absent := [name for name in table.names if name not in columns]:
        raise EventFileError(f"the column {absent[0]!r} of the table is not among the data")
    if surplus := [name for name in columns if name not in table.names]:
        raise EventFileError(f"the column {surplus[0]!r} of the data is not in the table")
    stored = {column.name: cast(columns[column.name], column) for column in table.columns}
    rows = len(stored[INDEX])
    for name, values in stored.items():
        if len(values) != rows:
            raise EventFileError(f"the column {name!r} has {len(values)} rows, {INDEX!r} has {rows}")
    return stored


def cast(values: Array, column: Column) -> Array:
    """The values in the declared type, where none of them changes by more than the rounding of a float."""
    values = np.asarray(values)
    target, kind = column.stored, column.stored.kind
    if values.ndim != 1:
        raise EventFileError(f"the column {column.name!r} has {values.ndim} dimensions, not one")
    if values.dtype.kind not in {"f": "fiub", "i": "iub", "u": "iub", "b": "b"}[kind]:
        raise EventFileError(f"the column {column.name!r} is {values.dtype}, which does not become {column.dtype}")
    if kind in "iu" and values.dtype != target and values.size:
        limits = np.iinfo(target)
        low, high = int(values.min()), int(values.max())
        if low < limits.min or high > limits.max:
            raise EventFileError(f"the column {column.name!r} reaches from {low} to {high}, beyond {column.dtype}")
    with np.errstate(over="ignore"):  # it becomes infinite, which is refused below
        stored = np.ascontiguousarray(values, target)
    if kind == "f" and not (finite := np.isfinite(stored)).all():
        row = int(np.argmin(finite))
        raise EventFileError(f"the column {column.name!r} is {values[row]} in row {row}, not a finite {column.dtype}")
    return stored


def _check_rows(index: Array, header: ShardHeader) -> None:
    if (selected := header.tally.selected) != len(index):
        raise EventFileError(f"the tally counts {selected} selected events, the columns have {len(index)} rows")
    if len(index) == 0:
        return
    if not (index[1:] > index[:-1]).all():
        raise EventFileError(f"the column {INDEX!r} does not increase: events must come in candidate order, each once")
    if int(index[0]) < header.first or int(index[-1]) >= header.stop:
        found = f"from {index[0]} to {index[-1]}"
        raise EventFileError(f"the column {INDEX!r} reaches {found}, outside of [{header.first}, {header.stop})")


def _verify(partial: Path, stored: Mapping[str, Array], table: Table, header: ShardHeader, digest: str) -> None:
    # Comparing with what is still in memory is stricter than a second checksum, and several times faster.
    metadata = read_metadata(partial)
    said = (metadata.header, metadata.table, metadata.rows, metadata.sha256)
    if said != (header, table, len(stored[INDEX]), digest):
        raise EventFileError(f"cannot write {partial}: what was read back is not what was written")
    with columns_of(partial) as read:
        for name, values in stored.items():
            if not np.array_equal(read(name), values):
                raise EventFileError(f"cannot write {partial}: the column {name!r} was read back different")
