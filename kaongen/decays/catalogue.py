"""The catalogue: every decay that kaongen knows, by name or by descriptor."""

from __future__ import annotations

from kaongen.decays import beyond, rare, standard_model
from kaongen.decays.chains import is_descriptor, resolve
from kaongen.decays.process import Process
from kaongen.errors import ProcessError, suggestion

_CATALOGUE: dict[str, Process] = {
    process.name: process for process in (*standard_model.PROCESSES, *rare.PROCESSES, *beyond.PROCESSES)
}


def processes() -> tuple[Process, ...]:
    """All processes, in the order in which they were registered."""
    return tuple(_CATALOGUE.values())


def register(process: Process) -> Process:
    """Add one's own process; the same door that the built-in ones use.

    Raises
    ------
    ProcessError
        If the name is taken.
    """
    if process.name in _CATALOGUE:
        raise ProcessError(f"a process named {process.name!r} exists already ({_CATALOGUE[process.name].decay})")
    _CATALOGUE[process.name] = process
    return process


def find(name: str) -> Process:
    """The process of that name, or that a decay descriptor describes.

    Raises
    ------
    ProcessError
        If there is none; the message suggests the closest.
    """
    if is_descriptor(name):
        return resolve(name, _CATALOGUE.values())
    if name not in _CATALOGUE:
        hint = suggestion(name, _CATALOGUE)
        raise ProcessError(f"there is no process {name!r}{hint} (known: {', '.join(_CATALOGUE)})")
    return _CATALOGUE[name]
