"""What kaongen raises on bad input; the command line turns each into one message and exit code 2."""

from __future__ import annotations


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
