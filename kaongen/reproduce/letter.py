"""Krnjaic et al., Phys. Rev. Lett. 124 (2020) 041802: the letter's numbers, and its figures as data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from kaongen.analysis.figure import Figure
from kaongen.analysis.record import Kind, Number
from kaongen.analysis.result import Result, Scan
from kaongen.models import g_minus_2
from kaongen.models.muonic_scalar import MuonicScalar
from kaongen.papers import letter, na62_2015
from kaongen.reproduce.letter_figures import COMPARISON, figures

CARDS: Final = ("letter-2015", "letter-dimuon")
"""The samples that are needed: the first for X that is not seen, the second for X -> mu+ mu-."""

SHOWN = (0.01, 0.1, 0.2, 0.3)
"""Masses (GeV) at which the letter's curves can be compared by eye: it prints no value of them."""


def compare(results: Mapping[str, Result]) -> tuple[list[Number], list[Figure]]:
    """The letter's numbers beside kaongen's, and its figures 1, 2, 4, 5 and 6.

    The curves of the letter's figures are in no table, and are not drawn; nor are the limits of other experiments that
    stand in its figures 1 and 2.

    Parameters
    ----------
    results
        By the name of the card. Without "letter-dimuon" what concerns X -> mu+ mu- is left out.

    Raises
    ------
    KeyError
        If there is no result of "letter-2015".
    """
    invisible, dimuon = results[CARDS[0]], results.get(CARDS[1])
    numbers = [*invisible.numbers, *_derived(), *_limits(invisible)]
    if dimuon is not None:
        numbers += dimuon.numbers
    return numbers, figures(invisible, dimuon)


def _number(name: str, value: float, published: float | None = None, reference: str = letter.REFERENCE,
            kind: Kind = "prediction") -> Number:  # fmt: skip
    return Number(name=name, value=value, kind=kind, published=published, reference=reference)


def _derived() -> list[Number]:
    """What follows without a simulation."""
    kaons = na62_2015.TRIGGERS / (na62_2015.BR_MUNU_LETTER * na62_2015.ACCEPTANCE_LETTER)
    y = math.sqrt(4.0 * math.pi * letter.DECAY_LENGTH_ALPHA)
    length = MuonicScalar(letter.DECAY_LENGTH_MASS, y).decay_length(letter.DECAY_LENGTH_ENERGY)
    return [
        _number("2015: kaons from triggers, acceptance and branching fraction", kaons, na62_2015.N_KAONS_LETTER),
        _number("decay length of phi at 75 GeV, 50 MeV, alpha = 3e-6, m", length, letter.DECAY_LENGTH,
                f"{letter.REFERENCE}, (7)"),
        _number("(g - 2)_mu, measured less predicted in standard deviations, at the letter's time",
                g_minus_2.find(COMPARISON).significance, 3.5),
    ]  # fmt: skip


def _limits(result: Result) -> list[Number]:
    """Points of the curves, and how the choices change them."""
    made = []
    symbols: dict[g_minus_2.Boson, str] = {"vector": "g_V", "scalar": "y_phi"}
    for boson, symbol in symbols.items():
        names = {scan.name for scan in result.scans}
        likelihood = f"{boson}-likelihood-1e13"
        if likelihood not in names:
            continue
        for suffix, text in (("", "simulated acceptance"), ("-assumed", "acceptance 0.35")):
            scan = result.scan(likelihood + suffix)
            made += [
                _number(f"{symbol} at {1e3 * mass:g} MeV, 1e13 kaons, likelihood ratio, {text}", value,
                        reference=f"{scan.reference}: no value printed")
                for mass in SHOWN
                if (value := _at(scan, scan.column("coupling"), mass)) is not None
            ]  # fmt: skip
        covered = _covered(boson, result.scan(likelihood))
        if covered is not None:
            text = f"{boson}: mass up to which the middle of the (g - 2)_mu band is reached with 1e13 kaons, GeV"
            made.append(_number(text, covered, reference=f"{letter.REFERENCE}: 'much of the remaining' band"))
    return made


def _at(scan: Scan, values: list[float | None], mass: float) -> float | None:
    return next((v for m, v in zip(scan.points, values, strict=True) if abs(m - mass) < 1e-6), None)


def _covered(boson: g_minus_2.Boson, scan: Scan) -> float | None:
    """Where the coupling that is reached becomes as large as the one that explains the difference; None if it is."""
    middle = g_minus_2.find(COMPARISON).difference.value
    before: tuple[float, float] | None = None
    for mass, reached in zip(scan.points, scan.column("coupling"), strict=True):
        excess = math.log((reached or math.inf) / g_minus_2.coupling(boson, mass, middle))
        if excess > 0.0:
            # the logarithms are straight enough between two masses
            return before and before[0] + (mass - before[0]) * before[1] / (before[1] - excess)
        before = (mass, excess)
    return None
