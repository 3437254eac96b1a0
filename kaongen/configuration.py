"""A detector configuration: numbers with units, sources and a status, read from a table."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kaongen.errors import CardError, suggestion

Status = Literal["input", "recalled", "tuned"]

CONFIGURATIONS = ("na62-2015", "na62-2016-2018", "na62-2016-2018-3mu", "na62-2017-pinunu")

Candidate = Literal["muon", "pion", "three muons"]
"""What the charged track of an event is taken for, or all three."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number, or a list of numbers, of the model."""

    value: Any
    unit: str
    source: str
    status: Status


@dataclass(frozen=True)
class Configuration:
    """All numbers of a data-taking period, by "section.name".

    candidate : what the period's selection takes the charged track of an event for.
    """

    name: str
    description: str
    candidate: Candidate
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
            if problem := _problem(value, old):
                raise CardError(f"{name} = {value!r}: {problem}, like {old.value!r}")
            quantities[name] = Quantity(value, old.unit, "set in the run card", old.status)
        return replace(self, quantities=quantities)


def _problem(value: Any, quantity: Quantity) -> str | None:
    """What keeps a value from taking the place of a quantity's, as the end of a message."""
    try:
        numbers = np.asarray(value)
    except ValueError:
        return "it must be made of finite numbers in the same shape"  # rows of unequal length
    old = np.asarray(quantity.value)
    if numbers.dtype.kind not in "iuf" or numbers.shape != old.shape or not np.all(np.isfinite(numbers)):
        return "it must be made of finite numbers in the same shape"
    if np.any((numbers < 0) & (old >= 0)):
        return "it must not be negative"
    # what has no unit is a probability or a relative error; tables of probabilities hold them in the second column
    fractions = numbers[:, 1] if quantity.unit.endswith("probability") else numbers if not quantity.unit else None
    if fractions is not None and np.any(fractions > 1):
        return "it must lie between 0 and 1"
    if quantity.unit.endswith("probability") and np.any(np.diff(numbers[:, 0]) <= 0):
        return "its energies must increase"
    return None


def load(name: str) -> Configuration:
    """Read a configuration that ships with the package.

    One with a `base` has the numbers of that one, but for those that it states itself.

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
    base = load(table["base"]) if "base" in table else None
    quantities = dict(base.quantities) if base else {}
    for section, entries in table.items():
        if isinstance(entries, dict):
            for key, entry in entries.items():
                number = Quantity(entry["value"], entry["unit"], entry["source"], entry["status"])
                quantities[f"{section}.{key}"] = number
    candidate = table.get("candidate") or (base.candidate if base else "muon")
    return Configuration(table["name"], table["description"], candidate, quantities)
