"""The user's own processes: a Python file that registers them."""

from __future__ import annotations

import runpy
from pathlib import Path

from kaongen.decays.catalogue import processes
from kaongen.errors import KaongenError, ProcessError


def import_file(path: Path) -> tuple[str, ...]:
    """Execute a file that calls `kaongen.register`; returns the names of the processes that it added.

    Raises
    ------
    ProcessError
        If the file cannot be read, raises an error, or registers nothing.
    """
    before = {process.name for process in processes()}
    if not path.is_file():
        raise ProcessError(f"--import {path}: there is no such file")
    try:
        runpy.run_path(str(path), run_name=f"kaongen_import_{path.stem}")
    except KaongenError as problem:
        raise ProcessError(f"--import {path}: {problem}") from None
    except SystemExit as problem:
        raise ProcessError(f"--import {path}: the file ends the program ({problem})") from None
    except Exception as problem:
        place = _line(problem, path)
        raise ProcessError(f"--import {path}{place}: {type(problem).__name__}: {problem}") from None
    added = tuple(process.name for process in processes() if process.name not in before)
    if not added:
        raise ProcessError(f"--import {path}: the file registers no process (kaongen.register(Process(...)))")
    return added


def _line(problem: BaseException, path: Path) -> str:
    """Where in the file it happened."""
    trace = problem.__traceback__
    found = problem.lineno if isinstance(problem, SyntaxError) else None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            found = trace.tb_lineno
        trace = trace.tb_next
    return "" if found is None else f", line {found}"
