"""Labels with mathematics between dollar signs, as plain text and as HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_SYMBOLS: Final = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "eta": "η", "theta": "θ",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ",
    "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Delta": "Δ", "Gamma": "Γ", "Lambda": "Λ", "Sigma": "Σ",
    "Phi": "Φ", "Omega": "Ω", "to": "→", "rightarrow": "→", "times": "×", "cdot": "·", "pm": "±", "leq": "≤",
    "le": "≤", "geq": "≥", "ge": "≥", "ll": "≪", "gg": "≫", "sim": "∼", "approx": "≈", "infty": "∞", "ell": "ℓ",
    "dots": "…", "ldots": "…", "mid": "|", "vert": "|", "sin": "sin", "cos": "cos", "log": "log", "ln": "ln",
    "left": "", "right": "", "quad": " ", "propto": "∝", "sqrt": "√", "circ": "°",
}  # fmt: skip
_TEXT: Final = ("mathrm", "text", "rm", "mathsf", "mathbf", "mathit", "mathcal", "operatorname")
_ACCENTS: Final = {"bar": "\u0304", "overline": "\u0304", "hat": "\u0302", "tilde": "\u0303"}
_RAISED: Final = str.maketrans("0123456789+-−()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾")
_LOWERED: Final = str.maketrans("0123456789+-−()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₍₎")
_TOKEN: Final = re.compile(r"\\[A-Za-z]+|\\.|[{}^_]|[A-Za-z]|.", re.DOTALL)

_POWER: Final = re.compile(r"\^(-?\d+)")
_SPACED: Final = "=<>→×±≤≥≪≫∼≈∝"


@dataclass(frozen=True)
class _Writer:
    """How to write what is outside of mathematics, letters inside of it (upright or not), and what is raised (sup)."""

    verbatim: Callable[[str], str]
    letters: Callable[[str, bool], str]
    script: Callable[[str, str], str]

    def label(self, label: str) -> str:
        parts = label.split("$")
        if len(parts) % 2 == 0:  # a dollar sign without another
            return self.verbatim(label)
        return "".join(
            self.formula(iter(_TOKEN.findall(part)), False) if i % 2 else self.verbatim(part)
            for i, part in enumerate(parts)
        ).replace("  ", " ")

    def formula(self, tokens: Iterator[str], upright: bool) -> str:
        """Up to the end, or to the brace that closes a group."""
        done = []
        for token in tokens:
            if token == "}":
                break
            done.append(self.one(token, tokens, upright))
        return "".join(done)

    def one(self, token: str, tokens: Iterator[str], upright: bool) -> str:
        if token == "{":
            return self.formula(tokens, upright)
        if token in "^_":
            return self.script("sup" if token == "^" else "sub", self.next(tokens, upright))
        if token.startswith("\\"):
            return self.command(token[1:], tokens, upright)
        if token.isspace() and not upright:
            return ""
        return self.symbol("−" if token == "-" else token, upright)

    def command(self, name: str, tokens: Iterator[str], upright: bool) -> str:
        if name in _TEXT:
            return self.next(tokens, True)
        if name in _ACCENTS:
            return self.next(tokens, upright) + _ACCENTS[name]
        if name in _SYMBOLS:
            return self.symbol(_SYMBOLS[name], True)
        return self.symbol(" " if name in ",;: " else "" if name == "!" else name, True)

    def symbol(self, text: str, upright: bool) -> str:
        written = self.letters(text, upright)
        return f" {written} " if text and text in _SPACED else written

    def next(self, tokens: Iterator[str], upright: bool) -> str:
        for token in tokens:
            if not token.isspace():
                return self.one(token, tokens, upright)
        return ""


def _html_letters(text: str, upright: bool) -> str:
    return f"<i>{text}</i>" if text.isascii() and text.isalpha() and not upright else html.escape(text)


def _plain_script(kind: str, text: str) -> str:
    table = _RAISED if kind == "sup" else _LOWERED
    if all(ord(character) in table for character in text):
        return text.translate(table)
    mark = "^" if kind == "sup" else "_"
    return mark + (text if text.isalnum() else f"({text})")


_PLAIN: Final = _Writer(lambda text: text, lambda text, upright: text, _plain_script)
_HTML: Final = _Writer(html.escape, _html_letters, lambda kind, text: f"<{kind}>{text}</{kind}>")


def with_unit(label: str, unit: str) -> str:
    """A quantity with its unit in brackets, powers such as GeV^2 as mathematics."""
    if not unit:
        return label
    return f"{label} [{unit if '$' in unit else _POWER.sub(_raised, unit)}]"


def _raised(power: re.Match[str]) -> str:
    return f"$^{{{power[1]}}}$"


def plain(label: str) -> str:
    """`$m^2_\\mathrm{miss}$` as m²_miss: for terminals and file headers."""
    return _PLAIN.label(label)


def markup(label: str) -> str:
    """The same as HTML, with everything else escaped."""
    return _HTML.label(label)
