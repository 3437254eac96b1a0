"""Decays written as descriptors: which process of the catalogue they are, and which of its daughters decay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kaongen.decays.daughters import LIFETIMES
from kaongen.decays.descriptor import Descriptor, name_of, parse
from kaongen.decays.final_state import lifetime_name, mass_name
from kaongen.decays.process import Parameter, Process
from kaongen.errors import ProcessError, suggestion
from kaongen.particles import M_K, SPECIES

LONGEST = 1e6
"""Longest mean life that a card may give a new particle, in ns: nothing that lives so long decays in NA62."""


def is_descriptor(text: str) -> bool:
    """Whether this is meant as a decay, and not as the name of a process."""
    return "->" in text or "(" in text


def resolve(text: str, processes: Iterable[Process]) -> Process:
    """The process that a descriptor describes.

    A process that covers the whole chain, with the correlations between its steps, is preferred to one whose daughters
    then decay on their own. In the latter case each new particle gets a lifetime `tau_...` in ns (0 unless given), and
    each new one among the products a mass `m_...` in GeV, as parameters.

    Raises
    ------
    ProcessError
        If it cannot be read, or no process has these daughters.
    """
    wanted = parse(text)
    known = tuple(processes)
    for process in known:
        if wanted.key in {process.descriptor.key, *([parse(process.chain).key] if process.chain else ())}:
            return process
    stable = Descriptor(wanted.parent, wanted.names)
    matches = [p for p in known if p.descriptor.key == stable.key]
    if not matches:
        decays = [p.decay for p in known]
        hint = suggestion(str(stable), decays)
        raise ProcessError(f"no process has the daughters of {stable}{hint} (`kaongen channels` lists all)")
    return _with_decays(matches[0], wanted)


def _with_decays(process: Process, wanted: Descriptor) -> Process:
    """The process with its daughters in their own order, those decaying that decay in `wanted`."""
    left = list(wanted.daughters)
    daughters: list[str | Descriptor] = []
    for name in process.descriptor.names:
        # of several daughters of a kind, those that decay come first
        alike = [d for d in left if name_of(d) == name]
        chosen = next((d for d in alike if not isinstance(d, str)), alike[0])
        left.remove(chosen)
        daughters.append(chosen)
    decay = Descriptor(wanted.parent, tuple(daughters))
    parameters = {p.name: p for p in process.parameters}
    mass_of = dict(process.mass_of)
    for nested in _nested(decay):
        if nested.parent not in LIFETIMES:
            name = lifetime_name(nested.parent)
            text = f"mean life of {nested.parent}; 0: it decays at once"
            parameters.setdefault(name, Parameter(name, 0.0, LONGEST, text, "ns", 0.0, of_daughter=True))
        for product in nested.names:
            if SPECIES[product].mass is None and product not in mass_of:
                # the same for a particle and its antiparticle
                twin = next((p for p in mass_of if mass_name(p) == mass_name(product)), None)
                if twin is not None:
                    mass_of[product] = mass_of[twin]
                    continue
                name = mass_name(product) if mass_name(product) not in parameters else f"mass_{product}"
                mass_of[product] = name
                parameters[name] = Parameter(name, 0.0, M_K, f"mass of {product}", "GeV", of_daughter=True)
    return replace(
        process, name=str(decay), decay=str(decay), parameters=tuple(parameters.values()), mass_of=mass_of, chain=""
    )


def _nested(decay: Descriptor) -> Iterable[Descriptor]:
    for daughter in decay.daughters:
        if isinstance(daughter, Descriptor):
            yield daughter
            yield from _nested(daughter)
