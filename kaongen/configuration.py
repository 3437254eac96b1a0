"""A detector configuration: numbers with units, sources and a status, read from a table."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kaongen.errors import CardError, suggestion

Status = Literal["input", "recalled", "tuned"]

CONFIGURATIONS = ("na62-2016-2018",)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number, or a list of numbers, of the model."""

    value: Any
    unit: str
    source: str
    status: Status


@dataclass(frozen=True)
class Configuration:
    """All numbers of a data-taking period, by "section.name"."""

    name: str
    description: str
    quantities: dict[str, Quantity]

    def number(self, name: str) -> float:
        return float(self.quantities[name].value)

    def array(self, name: str) -> NDArray[np.float64]:
        return np.array(self.quantities[name].value, dtype=np.float64)

    def with_values(self, changes: dict[str, Any]) -> Configuration:
        """The same configuration with some numbers replaced; their source becomes the card.

        Raises
        ------
        CardError
            If a name does not exist, or a value has another shape than the one it replaces.
        """
        quantities = dict(self.quantities)
        for name, value in changes.items():
            if name not in quantities:
                raise CardError(f"{self.name} has no number {name!r}{suggestion(name, quantities)}")
            old = quantities[name]
            if not _fits(value, old.value):
                raise CardError(f"{name} = {value!r}: it must be finite, with the shape of {old.value!r}")
            quantities[name] = Quantity(value, old.unit, "set in the run card", old.status)
        return Configuration(self.name, self.description, quantities)


def _fits(value: Any, old: Any) -> bool:
    """Whether a value is made of finite numbers and has the shape of the old one."""
    try:
        numbers = np.asarray(value)
    except ValueError:
        return False  # rows of unequal length
    return numbers.dtype.kind in "iuf" and numbers.shape == np.shape(old) and bool(np.all(np.isfinite(numbers)))


def load(name: str) -> Configuration:
    """Read a configuration that ships with the package.

    Raises
    ------
    CardError
        If there is none of that name.
    """
    if name not in CONFIGURATIONS:
        raise CardError(f"there is no detector {name!r} (known: {', '.join(CONFIGURATIONS)})")
    table = tomllib.loads(
        files("kaongen").joinpath("configurations").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    )
    quantities = {
        f"{section}.{key}": Quantity(entry["value"], entry["unit"], entry["source"], entry["status"])
        for section, entries in table.items()
        if isinstance(entries, dict)
        for key, entry in entries.items()
    }
    return Configuration(table["name"], table["description"], quantities)
