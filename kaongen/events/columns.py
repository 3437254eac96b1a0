"""What a column of an event file is, and which columns together are a four-momentum."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from kaongen.errors import EventFileError

INDEX = "index"
"""The column that every table has: the number of the candidate, which identifies the event within its sample."""

WEIGHT = "weight"
"""The column that a weighted table has. Without it every event counts one."""

DTYPES = ("float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool")
"""The types that a column may have: those that every HDF5 reader knows."""


@dataclass(frozen=True)
class Column:
    """One number per event."""

    name: Annotated[str, Field(description="Name of the dataset in the group `events`.")]
    dtype: Annotated[str, Field(description="Type of the stored numbers, as numpy names it (always little-endian).")]
    unit: Annotated[str, Field(description="Unit of the numbers; empty for a pure number.")]
    description: Annotated[str, Field(description="What the numbers are.")]

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise EventFileError(f"the column name {self.name!r} is not an identifier (letters, digits, underscores)")
        if self.dtype not in DTYPES:
            raise EventFileError(f"the column {self.name!r} has type {self.dtype!r}, not one of {', '.join(DTYPES)}")

    @property
    def stored(self) -> np.dtype[Any]:
        """The type on disk: little-endian everywhere, so that files and checksums do not depend on the machine."""
        return np.dtype(self.dtype).newbyteorder("<")


@dataclass(frozen=True)
class FourMomentum:
    """The columns that form one four-momentum: three components, and either a fixed mass or an energy column."""

    name: Annotated[str, Field(description="Name of the particle that carries the momentum.")]
    px: Annotated[str, Field(description="Column of the x component, in GeV.")]
    py: Annotated[str, Field(description="Column of the y component, in GeV.")]
    pz: Annotated[str, Field(description="Column of the z component, in GeV.")]
    mass_GeV: Annotated[float | None, Field(description="Mass in GeV where it is the same in every event.")] = None
    energy: Annotated[str | None, Field(description="Column of the energy, in GeV, where the mass varies.")] = None

    def __post_init__(self) -> None:
        if not self.name or self.name == "." or "/" in self.name:  # these mean something else to HDF5
            raise EventFileError(f"{self.name!r} cannot name a four-momentum")
        if (self.mass_GeV is None) == (self.energy is None):
            raise EventFileError(f"four-momentum {self.name!r} needs either a mass or an energy column")

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns it is made of."""
        components = (self.px, self.py, self.pz)
        return components if self.energy is None else (*components, self.energy)


@dataclass(frozen=True)
class Table:
    """The columns of a sample, in the order in which they are stored, and the four-momenta among them."""

    columns: tuple[Column, ...]
    momenta: tuple[FourMomentum, ...] = ()

    def __post_init__(self) -> None:
        for kind, names in (("column", self.names), ("four-momentum", tuple(p.name for p in self.momenta))):
            if repeated := sorted({name for name in names if names.count(name) > 1}):
                raise EventFileError(f"{kind} {repeated[0]!r} appears twice in one table")
        if INDEX not in self.names or self[INDEX].dtype != "uint64":
            raise EventFileError(f"a table needs the column {INDEX!r} of type uint64: the number of the candidate")
        for momentum in self.momenta:
            for name in momentum.column_names:
                if name not in self.names:
                    where = f"four-momentum {momentum.name!r}"
                    raise EventFileError(f"{where} needs the {unknown('column', name, self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        """The column names."""
        return tuple(column.name for column in self.columns)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise EventFileError(f"there is no {unknown('column', name, self.names)}")

    def momentum(self, name: str) -> FourMomentum:
        """The four-momentum called `name`."""
        for momentum in self.momenta:
            if momentum.name == name:
                return momentum
        raise EventFileError(f"there is no {unknown('four-momentum', name, [p.name for p in self.momenta])}")


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """`column 'pix' (did you mean 'px'? known: index, px)`: the end of a message about a name that is not there."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{kind} {name!r} ({hint}known: {', '.join(names) or 'none'})"
