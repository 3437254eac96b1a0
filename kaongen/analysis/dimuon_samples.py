"""What the samples of a run are to the search: signals by model and mass, and the continuum by its normalisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kaongen.decays.catalogue import find
from kaongen.decays.final_state import decay_rate
from kaongen.errors import EventFileError
from kaongen.events.layout import SampleInfo
from kaongen.models.lmu_ltau import LMuLTau
from kaongen.models.muonic_scalar import MuonicScalar
from kaongen.papers import three_muons as paper

CONTINUUM: Final = "munumumu"


_GAUGE_BREAKING = (0.0, 0.0)
_VARIANTS: Final = {
    (1.0, 1.0): ("", "order p^4"),
    (1.0, 0.0): ("ib", "inner bremsstrahlung alone"),
    _GAUGE_BREAKING: ("no-contact", "bremsstrahlung without the contact term"),
}
"""Of the continuum: contact term and structure, with the suffix of its scans."""


@dataclass(frozen=True)
class Model:
    """A particle X that decays to muons.

    process : in event files; parent : of K+ -> mu+ nu X alone; coupling : the parameter whose square the rate is
    proportional to; symbol : of the coupling.
    """

    name: str
    process: str
    parent: str
    coupling: str
    symbol: str

    def rate(self, mass: float) -> float:
        """BR(K+ -> mu+ nu X) BR(X -> mu+ mu-) for a coupling of 1, X of this mass (GeV), if the width stayed small."""
        unit = 1e-3
        parent = find(self.parent)
        produced = decay_rate(parent, parent.values({"m_X": mass, self.coupling: unit})).value
        particle = LMuLTau(mass, unit) if self.name == "vector" else MuonicScalar(mass, unit)
        return produced / unit**2 * particle.branching_fractions()["mu+ mu-"]


MODELS: Final = (
    Model("vector", "munuV-mumu", "munuV", "g", "g_V"),
    Model("scalar", "K+ -> mu+ nu_mu (phi -> mu+ mu-)", "munuphi", "y", "y_\\phi"),
)


@dataclass(frozen=True)
class Continuum:
    """The Standard Model's three muons, with one of the normalisations that were used.

    name : suffix of the scans, empty for the nominal one. sample : whose shape it has. branching_fraction : to which it
    is normalised.
    """

    name: str
    title: str
    sample: str
    branching_fraction: float


def signals(infos: Sequence[SampleInfo], roles: Mapping[str, str]) -> dict[str, dict[float, str]]:
    """Names of the signal samples by model and mass (GeV), in rising order.

    Raises
    ------
    EventFileError
        If a signal is none of the models, or a mass is there twice.
    """
    found: dict[str, dict[float, str]] = {}
    for info in infos:
        if roles.get(info.name) != "signal":
            continue
        model = next((m for m in MODELS if m.process == info.process), None)
        if model is None:
            known = ", ".join(m.process for m in MODELS)
            raise EventFileError(f"dimuon: the signal {info.name!r} is {info.process!r}, which is none of: {known}")
        masses, mass = found.setdefault(model.name, {}), info.parameters["m_X"]
        if mass in masses:
            text = f"dimuon: {masses[mass]!r} and {info.name!r} are the same signal"
            raise EventFileError(f"{text} of {1e3 * mass:g} MeV")
        masses[mass] = info.name
    return {name: dict(sorted(masses.items())) for name, masses in found.items()}


def continua(infos: Sequence[SampleInfo], roles: Mapping[str, str]) -> tuple[Continuum, ...]:
    """The continuum in all variants of which there is a sample, the full one first.

    Raises
    ------
    EventFileError
        If the full one is not there, or one is there twice.
    """
    found: dict[tuple[float, float], SampleInfo] = {}
    for info in infos:
        if info.process != CONTINUUM or roles.get(info.name) != "background":
            continue
        terms = (info.parameters["contact"], info.parameters["structure"])
        if terms in found:
            raise EventFileError(f"dimuon: {found[terms].name!r} and {info.name!r} are the same continuum")
        found[terms] = info
    if (1.0, 1.0) not in found:
        raise EventFileError(
            f'dimuon needs a sample with role = "background" of {CONTINUUM} with all terms (contact = 1, structure = 1)'
        )
    if unknown := [info.name for terms, info in found.items() if terms not in _VARIANTS]:
        raise EventFileError(
            f"dimuon: the continuum {unknown[0]!r} is neither the full one, nor bremsstrahlung alone (structure = 0), "
            "nor that without the contact term (contact = 0, structure = 0)"
        )
    result = [
        Continuum(name, title, found[terms].name, found[terms].branching_fraction or 0.0)
        for terms, (name, title) in _VARIANTS.items()
        if terms in found
    ]
    if _GAUGE_BREAKING in found:
        title = f"without the contact term, normalised to {paper.BRANCHING_FRACTION:g}"
        result.append(Continuum("quoted", title, found[_GAUGE_BREAKING].name, paper.BRANCHING_FRACTION))
    return tuple(result)


def others(infos: Sequence[SampleInfo], roles: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the backgrounds besides the continuum."""
    return tuple(i.name for i in infos if roles.get(i.name) == "background" and i.process != CONTINUUM)
