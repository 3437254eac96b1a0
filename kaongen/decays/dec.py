"""Decay tables in the DEC format of EvtGen: read through decaylanguage, written, and one that comes with kaongen."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from kaongen.decays.descriptor import quote
from kaongen.errors import ProcessError, suggestion


@dataclass(frozen=True, slots=True)
class Mode:
    """One line of a Decay block.

    parameters : of the model, as numbers where they are numbers.
    """

    branching_fraction: float
    daughters: tuple[str, ...]
    model: str
    parameters: tuple[float | str, ...] = ()

    def __str__(self) -> str:
        parameters = (p if isinstance(p, str) else repr(float(p)) for p in self.parameters)
        words = (repr(float(self.branching_fraction)), *self.daughters, self.model, *parameters)
        return f"{' '.join(words)};"


def shipped() -> Path:
    """The natural decays of the K+, and of the pi0, pi+ and mu+ that come from it."""
    return Path(str(files("kaongen") / "dec" / "kplus.dec"))


def read(path: str | Path, parent: str = "K+") -> tuple[Mode, ...]:
    """The modes of one parent in a DEC file, in their order there.

    Names are those of the file: an Alias stays what it is. Branching fractions are as written, not normalised.

    Raises
    ------
    ProcessError
        If decaylanguage is not installed, the file cannot be read or makes no sense as DEC, the parent does not
        decay there or does so in two blocks, or a branching fraction does not lie between 0 and 1.
    """
    content = _content(Path(path))
    blocks = [
        content.count("\n", 0, match.start()) + 1
        for match in re.finditer(rf"^[ \t]*Decay[ \t]+{re.escape(parent)}(?=\s|$)", content, re.MULTILINE)
    ]
    if len(blocks) > 1:
        lines = " and ".join(map(str, blocks))
        raise ProcessError(f"{path}: {parent} has more than one Decay block (lines {lines}); one must go")
    parents, modes = _decays(str(path), content, parent)
    if parent not in parents:
        more = f" and {len(parents) - 40} more" if len(parents) > 40 else ""
        known = ", ".join(parents[:40]) + more or "nothing"
        raise ProcessError(f"{path} has no decays of {parent}{suggestion(parent, parents)} (it decays: {known})")
    if not modes:
        raise ProcessError(f"{path}: the Decay block of {parent} is empty")
    for mode in modes:
        _check(mode, str(path), parent)
    return modes


def text(modes: Iterable[Mode], parent: str = "K+") -> str:
    """A Decay block that `read` turns into the same modes again.

    Raises
    ------
    ProcessError
        If there are no modes or one cannot be written: a branching fraction that is none, no daughters, a name that
        DEC does not allow.
    """
    lines = list(modes)
    if not lines:
        raise ProcessError(f"DEC text: there are no decays of {parent}")
    for mode in lines:
        _check(mode, "DEC text", parent)
        words = (parent, *mode.daughters, mode.model, *(p for p in mode.parameters if isinstance(p, str)))
        for word in words:
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9/\-+*_().'~]*", word):
                raise ProcessError(f"DEC text: {word!r} in the decays of {parent} is not a name that DEC allows")
        for number in mode.parameters:
            if not isinstance(number, str) and not math.isfinite(number):
                raise ProcessError(f"DEC text: parameter {number!r} of {mode.model} is not a number that DEC allows")
    return "\n".join((f"Decay {parent}", *(f"  {mode}" for mode in lines), "Enddecay", ""))


def _check(mode: Mode, where: str, parent: str) -> None:
    if not 0.0 <= mode.branching_fraction <= 1.0:
        raise ProcessError(f"{where}: a branching fraction of {parent} does not lie between 0 and 1: {mode}")
    if not mode.daughters:
        raise ProcessError(f"{where}: a decay of {parent} has no daughters: {mode}")


def _mode(line: Any) -> Mode:
    """From what decaylanguage knows of a line."""
    parameters = (str(p) if isinstance(p, str) else float(p) for p in line["model_params"])
    return Mode(float(line["bf"]), tuple(map(str, line["fs"])), str(line["model"]), tuple(parameters))


def _content(path: Path) -> str:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise ProcessError(f"{path}: the decay table cannot be read: {problem.strerror}") from None
    except ValueError:  # bytes that are no UTF-8, a null in the path
        raise ProcessError(f"{path}: the decay table cannot be read: it is not a text file") from None
    # decaylanguage drops a file's closing "End", which would shift the lines of its messages, and wants a last newline
    return re.sub(r"^[ \t]*End(?!decay).*$", "", content, flags=re.MULTILINE) + "\n"


def _decays(path: str, content: str, parent: str) -> tuple[list[str], tuple[Mode, ...]]:
    """All that decays there, and the modes of one parent if it is among them."""
    try:
        from decaylanguage import DecFileParser
    except ImportError:
        problem = f'{path}: DEC files are read with the package decaylanguage: pip install "kaongen[dec]"'
        raise ProcessError(problem) from None
    try:
        with warnings.catch_warnings():
            # it warns of other particles than the one asked for, and of what is checked here
            warnings.simplefilter("ignore")
            decays = DecFileParser.from_string(content)
            decays.parse()
        parents = [str(name) for name in decays.list_decay_mother_names()]
        if parent not in parents:
            return parents, ()
        stable = {name for mode in decays.list_decay_modes(parent) for name in mode}
        return parents, tuple(map(_mode, decays.build_decay_chains(parent, stable_particles=stable)[parent]))
    except Exception as problem:  # of any kind: the parser meets what its authors did not think of
        raise ProcessError(f"{path}, {_reason(problem, content)}") from None


_EXPECTED = {
    "SIGNED_NUMBER": "a number",
    "LABEL": "a name",
    "MODEL_NAME": "a model of EvtGen",
    "_SEMICOLON": "';'",
    "ENDDECAY": "'Enddecay'",
    "DECAY": "a statement such as 'Decay'",
    "_NEWLINE": "the end of the line",
}


def _reason(problem: Exception, content: str) -> str:
    """What the parser complains of, and the place if it tells."""
    line, column = getattr(problem, "line", -1), getattr(problem, "column", -1)
    token = getattr(problem, "token", None)
    what = {"$END": "the end of the file", "_NEWLINE": "the end of the line"}.get(getattr(token, "type", ""), "")
    tree: Any = getattr(problem, "obj", None)
    if hasattr(tree, "scan_values"):
        # the model of a mode: known only once all is read
        token = next(tree.scan_values(lambda _: True), None)
        line, column = getattr(token, "line", -1), getattr(token, "column", -1)
        expected = ["a model of EvtGen that decaylanguage knows"]
    else:
        names = next((n for n in (getattr(problem, a, None) for a in ("accepts", "allowed")) if isinstance(n, set)), ())
        expected = [words for name, words in _EXPECTED.items() if name in names]
    if not (isinstance(line, int) and isinstance(column, int) and line > 0 and column > 0):
        return f"not a DEC file that decaylanguage understands: {type(problem).__name__}: {problem}"
    quoted = [*content.split("\n"), ""][min(line - 1, content.count("\n") + 1)]
    found = what or repr(str(token)[:40] if token is not None else quoted[column - 1 : column])
    hope = f"expected {' or '.join(expected)}, " if expected else ""
    return f"line {line}, column {column}: {hope}found {found}\n{quote(quoted, column - 1)}"
