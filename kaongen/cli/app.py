"""The program itself: its name, options that many commands have, and how they print."""

from __future__ import annotations

import json as json_module
import sys
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="kaongen",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="K+ decays, a parametric NA62, and its searches: from a run card to events to limits.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Number of threads; all processors by default.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="A parameter, as name=value; may be repeated.")]


@app.callback(invoke_without_command=True)
def _version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """K+ decays, a parametric NA62, and its searches: from a run card to events to limits."""
    if show:
        from importlib.metadata import version as installed

        print(installed("kaongen"))
        raise typer.Exit


def print_json(value: Any) -> None:
    """For programs."""
    # not through rich, which would wrap lines
    sys.stdout.write(json_module.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_table(renderable: Any) -> None:
    """For people."""
    from rich.console import Console

    # a file or a pipe has no width of its own
    Console(width=None if sys.stdout.isatty() else 120).print(renderable)


def announce_compilation() -> None:
    """Say so before a long silence."""
    from kaongen.jit import is_cache_cold

    if is_cache_cold():
        print("compiling the kernels, once for this version and machine: half a minute or so", file=sys.stderr)


def parse_settings(settings: list[str]) -> dict[str, float]:
    """Parameters that were written as name=value."""
    from kaongen.errors import ProcessError

    result = {}
    for text in settings:
        name, equals, value = text.partition("=")
        try:
            result[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise ProcessError(f"--set {text!r}: it must be name=value with a number, such as --set m_X=0.1")
    return result
