"""The command line: thin commands over the Python API. Heavy imports happen inside the commands."""

from __future__ import annotations

import sys
import warnings
from typing import Any

from kaongen.cli.app import app
from kaongen.errors import KaongenError

# isort: off
# in the order in which --help lists them
from kaongen.cli import runs, limits, reach, exports, decays, display, tools  # noqa: F401
# isort: on

__all__ = ["app", "main"]


def main() -> None:
    """Entry point: bad input ends with one message and exit code 2."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn  # type: ignore[assignment]
            app()
    except KaongenError as problem:
        print(f"kaongen: {problem}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # whoever read our output has seen enough
        sys.stderr.close()
        sys.exit(0)
    except OSError as problem:
        # a full disk, say, where compiled code is kept
        print(f"kaongen: {problem}", file=sys.stderr)
        sys.exit(2)


def _warn(message: Warning | str, *place: Any) -> None:
    """A warning is one line, without the place in the code."""
    print(f"kaongen: warning: {message}", file=sys.stderr)
