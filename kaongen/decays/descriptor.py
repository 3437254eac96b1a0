"""Decay descriptors such as `K+ -> pi+ (pi0 -> e+ e- gamma)`: read, checked against charge and mass, written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from kaongen.errors import ProcessError, suggestion
from kaongen.particles import SPECIES

MAX_DEPTH: Final = 20
"""Decays inside decays."""

Key: TypeAlias = tuple[str, "tuple[Key, ...]"]


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A decay: the parent's name and its daughters, each a name or the decay of a particle in turn.

    Two are equal if they read the same; `key` tells whether they are the same decay, in whatever order.
    """

    parent: str
    daughters: tuple[str | Descriptor, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the direct daughters, in their order."""
        return tuple(map(name_of, self.daughters))

    @property
    def key(self) -> Key:
        """Hashable, and the same for every order of the daughters at each level."""
        return self.parent, tuple(sorted((d, ()) if isinstance(d, str) else d.key for d in self.daughters))

    def __str__(self) -> str:
        daughters = (d if isinstance(d, str) else f"({d})" for d in self.daughters)
        return f"{self.parent} -> {' '.join(daughters)}"


def name_of(daughter: str | Descriptor) -> str:
    """Name of a daughter, whether it decays in turn or not."""
    return daughter if isinstance(daughter, str) else daughter.parent


def parse(text: str, parent: str | None = "K+") -> Descriptor:
    """Read a decay descriptor.

    Parameters
    ----------
    text
        Names of `kaongen.particles.SPECIES`, `->` after each parent, parentheses around the decay of a daughter;
        any white space. Lepton number may be violated, electric charge may not.
    parent
        The particle whose decay it must be; None for any.

    Raises
    ------
    ProcessError
        With the text, a caret under the place, what was found there and what was expected. Besides errors of
        syntax and unknown names: fewer than two daughters, charge not conserved, daughters too heavy.
    """
    return _Reader(text).top(parent)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str  # empty at the end
    place: int

    def __str__(self) -> str:
        if not self.text:
            return "the end"
        return repr(self.text if len(self.text) <= 40 else f"{self.text[:37]}...")


_TOKEN = re.compile(r"->|[()]|(?:(?!->)[^\s()])+")
_MARKS = ("", "->", "(", ")")


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        yield _Token(match[0], match.start())
    while True:
        yield _Token("", len(text))


class _Reader:
    """One descent through a text, a token at a time."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = next(self._tokens)

    def top(self, parent: str | None) -> Descriptor:
        example = f"a decay such as '{parent or 'K+'} -> ...'"
        if self._next.text == "(":
            self._fail(self._next, f"expected {example}: the outermost decay stands without parentheses")
        first = self._name(example)
        if parent not in (None, first.text):
            self._fail(first, f"expected the decay of {parent}, found that of {first}")
        decay, _ = self._decay(first, 0)
        if self._next.text:
            self._fail(self._next, "this ')' closes nothing")
        return decay

    def _decay(self, parent: _Token, depth: int) -> tuple[Descriptor, float]:
        """What follows the parent's name, up to the end or a ')', and the least mass of what decays so (GeV)."""
        if self._next.text != "->":
            self._fail(self._next, f"expected '->' after {parent}, found {self._next}")
        arrow = self._take()
        daughters: list[str | Descriptor] = []
        charge, mass = 0, 0.0
        while self._next.text not in ("", ")"):
            if self._next.text == "(":
                daughter, least = self._nested(depth + 1)
                daughters.append(daughter)
                name = daughter.parent
            else:
                name = self._name(f"a daughter of {parent}").text
                least = SPECIES[name].mass or 0.0
                daughters.append(name)
            charge += SPECIES[name].charge
            mass += least
        if depth > 0 and not self._next.text:
            # the caller knows which parenthesis is open, and that comes before what may be missing in it
            return Descriptor(parent.text, tuple(daughters)), mass
        if len(daughters) < 2:
            count = "only one" if daughters else "none"
            place = self._next if daughters else arrow
            self._fail(place, f"expected two daughters of {parent} or more, found {count}")
        species = SPECIES[parent.text]
        if charge != species.charge:
            self._fail(
                parent,
                f"charge is not conserved: {parent.text} has {_signed(species.charge)}, "
                f"its daughters together {_signed(charge)}",
            )
        if species.mass is not None and mass >= species.mass:
            self._fail(
                parent,
                f"{parent.text} is too light for this decay: its mass is {species.mass:.6g} GeV, "
                f"that of the daughters {mass:.6g} GeV or more",
            )
        return Descriptor(parent.text, tuple(daughters)), mass if species.mass is None else species.mass

    def _nested(self, depth: int) -> tuple[Descriptor, float]:
        opening = self._take()
        if depth > MAX_DEPTH:
            self._fail(opening, f"decays are nested more than {MAX_DEPTH} deep")
        decay, mass = self._decay(self._name("the particle that decays after '('"), depth)
        if not self._next.text:
            self._fail(opening, "expected a ')' for this '(', found the end")
        self._take()
        return decay, mass

    def _name(self, what: str) -> _Token:
        if self._next.text in _MARKS:
            self._fail(self._next, f"expected {what}, found {self._next}")
        if self._next.text not in SPECIES:
            # nothing is close to a very long name, and comparing takes long
            hint = suggestion(self._next.text, SPECIES) if len(self._next.text) <= 40 else ""
            self._fail(self._next, f"there is no particle {self._next}{hint} (known: {', '.join(SPECIES)})")
        return self._take()

    def _take(self) -> _Token:
        token, self._next = self._next, next(self._tokens)
        return token

    def _fail(self, token: _Token, problem: str) -> NoReturn:
        raise ProcessError(
            f"decay descriptor, character {token.place + 1}: {problem}\n{quote(self._text, token.place)}"
        )


def _signed(charge: int) -> str:
    return f"{charge:+d}" if charge else "0"


def quote(text: str, place: int) -> str:
    """The text around a place, and below it a caret under the place: two lines for an error message."""
    start = max(min(place - 60, len(text) - 100), 0)
    end = start + 100
    before, after = ("..." if start else ""), ("..." if end < len(text) else "")
    # a character for a character, so that the caret stays where it belongs
    shown = "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text[start:end])
    return f"  {before}{shown}{after}\n  {' ' * (len(before) + place - start)}^"
