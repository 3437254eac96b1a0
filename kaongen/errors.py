"""What kaongen raises on bad input; the command line turns each into one message and exit code 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class KaongenError(Exception):
    """Bad input. The message names the thing, what was wrong with it and what is allowed."""


class CardError(KaongenError):
    """A run card, or a value in it, cannot be used."""


class ProcessError(KaongenError):
    """A process is unknown, or a parameter of it is unphysical."""


class EventFileError(KaongenError):
    """An event file, manifest or output directory cannot be read or written as asked."""


class StatisticsError(KaongenError):
    """A counting experiment or a limit was asked for with impossible numbers."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'munuV'?`, or nothing where no known name is close."""
    names = list(known)
    close = [n for n in names if n.lower() == name.lower()] or difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
