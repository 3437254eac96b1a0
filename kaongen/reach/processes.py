"""Any process with one unknown mass as a model: where to look for it, and which coupling its rate measures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

from kaongen.decays.catalogue import find
from kaongen.decays.final_state import final_state
from kaongen.decays.process import Parameter, Process, TwoBody
from kaongen.errors import ProcessError, suggestion
from kaongen.reach.models import Coupling, Model
from kaongen.reach.settings import Channel, Decays

LIFETIME = "lifetime"
"""Of the new particle in ns, for a process that does not know it."""

_CHANNELS: dict[tuple[str, ...], Channel] = {
    ("mu+",): "mu",
    ("pi+",): "pion",
    ("mu+", "mu+", "mu-"): "dimuon",
}
_LARGEST_POWER = 2


def model_of(
    name: str, decays: Decays = "model", values: Mapping[str, float | str] | None = None, coupling: str | None = None
) -> Model:
    """A process of the catalogue, or a decay descriptor, as a model.

    Parameters
    ----------
    name : str
        Of the process.
    decays : "model", "visible" or "invisible"
        Visible decays need a lifetime in `values`.
    values : mapping
        Its parameters besides mass and coupling; "lifetime" in ns.
    coupling : str, optional
        The parameter to limit; by default the only one to whose first or second power the rate is proportional.

    Raises
    ------
    ProcessError
        If there is no such process, it has no unknown mass or several, its final state is that of no search, or the
        coupling has no meaning.
    """
    process = find(name)
    given = _numbers(process, values or {})
    lifetime = given.pop(LIFETIME, None)
    mass = _mass(process, given)
    middle = 0.5 * (mass.minimum + mass.maximum)
    chosen = _coupling(process, {**given, mass.name: middle}, coupling)
    if lifetime is not None and not isinstance(process.dynamics, TwoBody):
        raise ProcessError(
            f"{name}: {LIFETIME} needs a decay to two particles, so that the new one's momentum is known"
        )
    if decays == "visible" and lifetime is None:
        raise ProcessError(f"{name}: visible decays need a lifetime in ns: --set {LIFETIME}=...")
    if decays == "invisible" and lifetime is not None:
        raise ProcessError(f"{name}: {LIFETIME} = {lifetime:g} has no meaning for invisible decays")
    return Model(
        name=name,
        title=process.decay,
        process=name,
        mass=mass.name,
        particle=_particle(process, mass.name),
        channel=_channel(process, {**given, mass.name: middle}),
        masses=(mass.minimum, mass.maximum),
        scan=(),
        coupling=chosen,
        values=given,
        lifetime=None if lifetime is None else (lambda m, c: lifetime),
        decays="invisible or escaping" if lifetime is None else f"visible, lifetime {lifetime:g} ns",
    )


def _numbers(process: Process, values: Mapping[str, float | str]) -> dict[str, float]:
    known = [*(p.name for p in process.parameters), LIFETIME]
    result = {}
    for name, value in values.items():
        if name not in known:
            raise ProcessError(
                f"{process.name} has no parameter {name!r}{suggestion(name, known)} (known: {', '.join(known)})"
            )
        if isinstance(value, str) or not math.isfinite(value):
            raise ProcessError(f"{process.name}: {name} = {value!r} is not a number")
        if name == LIFETIME and value <= 0.0:
            raise ProcessError(f"{process.name}: {LIFETIME} = {value:g} ns must be above 0")
        result[name] = value
    return result


def _mass(process: Process, given: Mapping[str, float]) -> Parameter:
    """The parameter that is a mass and has no value."""
    masses = [p for p in process.parameters if p.unit == "GeV" and p.name.startswith("m_") and p.default is None]
    masses += [
        p for p in process.parameters if p not in masses and p.name in process.mass_of.values() and p.default is None
    ]
    free = [p for p in masses if p.name not in given]
    if len(free) == 1:
        return free[0]
    if not free:
        raise ProcessError(f"{process.name} has no unknown mass: there is nothing to scan ({process.decay})")
    names = ", ".join(p.name for p in free)
    raise ProcessError(
        f"{process.name} has several unknown masses ({names}): give all but one a value, such as "
        f"--set {free[-1].name}=0.1"
    )


def _coupling(process: Process, values: Mapping[str, float], wanted: str | None) -> Coupling | None:
    known = [p.name for p in process.parameters if p.name not in values]
    if wanted is not None and wanted not in (*known, *values):
        there = ", ".join(known) or "none"
        raise ProcessError(f"{process.name} has no coupling {wanted!r}{suggestion(wanted, known)} (known: {there})")
    candidates = [p for p in process.parameters if p.name not in values and p.name in (wanted or p.name)]
    found = [(p, power) for p in candidates if (power := _power(process, values, p)) is not None]
    if wanted is not None:
        found = [(p, power) for p, power in found if p.name == wanted]
        if not found:
            raise ProcessError(
                f"{process.name}: the rate is not proportional to {wanted} or its square, so that a limit on the "
                "branching fraction says nothing about it"
            )
    # a parameter that is the branching fraction itself is no coupling
    found = [(p, power) for p, power in found if p.name != "BR" or wanted == "BR"]
    if len(found) != 1:
        return None
    parameter, power = found[0]
    reference = parameter.default or min(1e-3, parameter.maximum)
    return Coupling(parameter.name, parameter.name, power, reference, parameter.maximum)


def _power(process: Process, values: Mapping[str, float], parameter: Parameter) -> int | None:
    """1 or 2 where the rate is proportional to that power of the parameter."""
    if parameter.minimum > 0.0 or parameter.default is None:
        return None
    largest = min(parameter.maximum, 1e-3)
    at = [
        process.branching_fraction(process.values({**values, parameter.name: factor * largest})).value
        for factor in (0.25, 0.5, 1.0)
    ]
    if min(at) <= 0.0:
        return None
    powers = [math.log2(high / low) for low, high in pairwise(at)]
    power = round(powers[0])
    if 1 <= power <= _LARGEST_POWER and all(abs(p - power) < 1e-6 for p in powers):
        return power
    return None


def _channel(process: Process, values: Mapping[str, float]) -> Channel:
    final = final_state(process, process.values(values))
    charged = tuple(sorted(final.species[slot].name for slot in final.charged()))
    if charged not in _CHANNELS:
        raise ProcessError(
            f"{process.name}: no search looks for {' '.join(charged) or 'no charged particle'}; there are "
            + ", ".join(f"{channel} ({' '.join(tracks)})" for tracks, channel in _CHANNELS.items())
        )
    return _CHANNELS[charged]


def _particle(process: Process, mass: str) -> str:
    return next((name for name, parameter in process.mass_of.items() if parameter == mass), mass.removeprefix("m_"))
