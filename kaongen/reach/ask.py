"""Settings of a projection from what a command line holds; every mistake becomes one message."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import ValidationError

from kaongen.errors import CardError
from kaongen.production.scan import ScanRange
from kaongen.reach.settings import Reach


def ask(
    model: str,
    *,
    search: str = "auto",
    visible: bool | None = None,
    kaons: float = 1e13,
    background: str = "simulated",
    systematic: float = 0.01,
    counting: bool = False,
    simulation_error: bool = False,
    masses: str | None = None,
    confidence_level: float = 0.9,
    method: str = "auto",
    values: Sequence[str] = (),
    coupling: str | None = None,
) -> Reach:
    """What is asked for, checked; `masses` and `values` as text.

    Raises
    ------
    CardError
        If something is not allowed; the message names the option, the value and what is.
    """
    given = {
        "model": model,
        "channel": None if search == "auto" else search,
        "decays": "model" if visible is None else "visible" if visible else "invisible",
        "n_kaons": kaons,
        "background": background,
        "systematic": systematic,
        "counting": counting,
        "simulation_error": simulation_error,
        "masses": () if masses is None else read_masses(masses),
        "confidence_level": confidence_level,
        "method": method,
        "values": read_values(values),
        "coupling": coupling,
    }
    try:
        return Reach.model_validate(given)
    except ValidationError as problem:
        lines = [f"{_OPTIONS.get(str(e['loc'][0]), str(e['loc'][0]))} {e['input']!r}: {e['msg']}" for e in
                 problem.errors()]  # fmt: skip
        raise CardError("; ".join(lines)) from None


_OPTIONS = {
    "channel": "--search",
    "n_kaons": "--kaons",
    "background": "--background",
    "systematic": "--systematic",
    "confidence_level": "--cl",
    "method": "--method",
}


def read_masses(text: str) -> tuple[float, ...]:
    """FIRST:LAST:STEP, or a list separated by commas, in GeV.

    Raises
    ------
    CardError
        If it is neither.
    """
    separator = ":" if ":" in text else ","
    try:
        numbers = [float(part) for part in text.split(separator)]
    except ValueError:
        numbers = []
    if not numbers or not all(math.isfinite(x) for x in numbers) or (separator == ":" and len(numbers) != 3):
        raise CardError(f"--masses {text!r}: it must be FIRST:LAST:STEP or a list such as 0.2,0.25, in GeV")
    if separator == ",":
        return tuple(numbers)
    try:
        return ScanRange(first=numbers[0], last=numbers[1], step=numbers[2]).values()
    except ValidationError as problem:
        error = problem.errors()[0]
        place = "".join(f"{name} = {error['input']:g}: " for name in error["loc"])
        raise CardError(f"--masses {text!r}: {place}{error['msg'].removeprefix('Value error, ')}") from None


def read_values(texts: Sequence[str]) -> dict[str, float | str]:
    """name=value, a number where it is one.

    Raises
    ------
    CardError
        If there is no equals sign, or the number is not finite.
    """
    result: dict[str, float | str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise CardError(f"--set {text!r}: it must be name=value, such as --set chi_over_v=0.33")
        try:
            number = float(value)
        except ValueError:
            result[name.strip()] = value.strip()
            continue
        if not math.isfinite(number):
            raise CardError(f"--set {text!r}: the number must be finite")
        result[name.strip()] = number
    return result
