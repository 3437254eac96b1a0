"""The models of `kaongen.models` by name, as projections see them, and every process with one unknown mass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast, get_args

from kaongen.decays.catalogue import find, processes
from kaongen.decays.chains import is_descriptor
from kaongen.errors import ProcessError, suggestion
from kaongen.models.alp import AxionLikeParticle
from kaongen.models.dark_scalar import DarkScalar
from kaongen.models.hnl import HeavyNeutralLepton
from kaongen.models.lmu_ltau import DarkMatter, Kind, LMuLTau
from kaongen.models.muonic_scalar import MuonicScalar
from kaongen.particles import M_MU
from kaongen.reach.models import Coupling, Model
from kaongen.reach.processes import model_of
from kaongen.reach.settings import Channel, Decays, Reach
from kaongen.searches.base import stepped

Values = Mapping[str, float | str]
_G = Coupling("g", "$g_V$", 2, 1e-3, 1.0)
_Y = Coupling("y", r"$y_\phi$", 2, 1e-3, 1.0)
_PHI_TO_MUONS = "K+ -> mu+ nu_mu (phi -> mu+ mu-)"
DARK_MATTER = ("chi", "chi_over_v", "chi_charge")
"""Values of a model with dark matter: its kind, mass over that of V, and charge."""


@dataclass(frozen=True)
class Entry:
    """One line of the table: what a model is, which values it takes beside mass and coupling, how it is made."""

    name: str
    title: str
    process: str
    options: tuple[str, ...]
    build: Callable[[Decays, Values], Model]


def dark_matter_of(values: Values, mass: float) -> DarkMatter | None:
    """The dark matter that values describe beside a V of some mass (GeV); None without a mass ratio.

    Raises
    ------
    ProcessError
        If kind, ratio or charge is not allowed.
    """
    if "chi_over_v" not in values:
        if given := [name for name in DARK_MATTER if name in values]:
            raise ProcessError(f"lmu-ltau: {given[0]} needs chi_over_v, the mass of dark matter over that of V")
        return None
    ratio = _number("lmu-ltau", values, "chi_over_v", 0.0)
    if not 0.0 < ratio < 0.5:
        raise ProcessError(f"lmu-ltau: chi_over_v = {ratio:g} must lie between 0 and 0.5, so that V decays to it")
    kind = str(values.get("chi", "majorana"))
    if kind not in get_args(Kind):
        raise ProcessError(
            f"lmu-ltau: chi = {kind!r}{suggestion(kind, get_args(Kind))} (allowed: {', '.join(get_args(Kind))})"
        )
    return DarkMatter(cast(Kind, kind), ratio * mass, _number("lmu-ltau", values, "chi_charge", 1.0))


def _lmu_ltau(decays: Decays, values: Values) -> Model:
    if decays == "visible":
        raise ProcessError("lmu-ltau: V decays at once; where it decays to muons, lmu-ltau-mumu looks for it")
    dark_matter_of(values, 0.1)

    def fraction(mass: float) -> float:
        return LMuLTau(mass, _G.reference, dark_matter_of(values, mass)).invisible_fraction()

    model = _of_process("munuV", "lmu-ltau", _G, "mu", stepped(0.01, 0.37, 0.01))
    if decays == "invisible":
        return replace(model, boson="vector", decays="invisible")
    dark = "neutrinos and dark matter" if "chi_over_v" in values else "neutrinos"
    return replace(model, boson="vector", fraction=fraction, decays=f"to {dark} as seen, to others not")


def _lmu_ltau_mumu(decays: Decays, values: Values) -> Model:
    _only_visible("lmu-ltau-mumu", decays)
    dark_matter_of(values, 0.3)

    def fraction(mass: float) -> float:
        return LMuLTau(mass, _G.reference, dark_matter_of(values, mass)).branching_fraction("mu+ mu-")

    model = _of_process("munuV-mumu", "lmu-ltau-mumu", _G, "dimuon", stepped(0.214, 0.386, 0.004))
    return replace(model, boson="vector", fraction=fraction, decays="to muon pairs")


def _muonic_scalar(decays: Decays, values: Values) -> Model:
    if decays == "visible":
        raise ProcessError(
            "muonic-scalar: the momentum of phi beside a neutrino is not measured, so that its decays on the way "
            "cannot be counted; where it decays to muons, muonic-scalar-mumu looks for it"
        )
    model = _of_process("munuphi", "muonic-scalar", _Y, "mu", stepped(0.01, 0.37, 0.01))
    return replace(
        model, boson="scalar", own_lifetime=lambda m, y: MuonicScalar(m, y).lifetime(), decays="invisible or escaping"
    )


def _muonic_scalar_mumu(decays: Decays, values: Values) -> Model:
    _only_visible("muonic-scalar-mumu", decays)

    def fraction(mass: float) -> float:
        return MuonicScalar(mass, _Y.reference).branching_fraction("mu+ mu-")

    model = _of_process("munuphi", "muonic-scalar-mumu", _Y, "dimuon", stepped(0.214, 0.386, 0.004))
    return replace(
        model,
        process=_PHI_TO_MUONS,
        rate_of="munuphi",
        boson="scalar",
        masses=(2.0 * M_MU + 1e-5, model.masses[1]),
        fraction=fraction,
        decays="to muon pairs",
    )


def _hnl(decays: Decays, values: Values) -> Model:
    given = _number("hnl", values, "majorana", 1.0)
    if given not in (0.0, 1.0):
        raise ProcessError(f"hnl: majorana = {given:g} must be 1 (Majorana) or 0 (Dirac)")
    majorana = given == 1.0

    def particle(mass: float, u2: float) -> HeavyNeutralLepton:
        return HeavyNeutralLepton(mass, u2_mu=u2, majorana=majorana)

    model = _of_process("muN", "hnl", _of("muN", "U2", r"$|U_{\mu4}|^2$", 1), "mu", stepped(0.2, 0.384, 0.004))
    model = replace(model, masses=(0.165, model.masses[1]))
    if decays == "invisible":
        return replace(model, decays="none")
    return replace(
        model,
        lifetime=lambda m, u2: particle(m, u2).lifetime(),
        unspoilt=lambda m: particle(m, 1e-8).invisible_fraction(),
        decays="through its mixing, spoiling the event before the end of the detector but for three neutrinos",
    )


def _dark_scalar(decays: Decays, values: Values) -> Model:
    model = _of_process("piS", "dark-scalar", _of("piS", "sin2_theta", r"$\sin^2\theta$", 1), "pion", ())
    if decays == "invisible":
        return replace(model, decays="invisible")
    return replace(
        model, lifetime=lambda m, s2: DarkScalar(m, s2).lifetime(), decays="visible, through its mixing with the Higgs"
    )


def _alp(decays: Decays, values: Values) -> Model:
    model = _of_process("pia", "alp", _of("pia", "g_Y", "$g_Y$", 2), "pion", ())
    if decays == "invisible":
        return replace(model, decays="invisible")
    return replace(
        model, lifetime=lambda m, g: AxionLikeParticle(m, g).lifetime(), decays="visible, to fermions and photons"
    )


ENTRIES: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry("lmu-ltau", "V of gauged L_mu - L_tau, invisible", "munuV", DARK_MATTER, _lmu_ltau),
        Entry("lmu-ltau-mumu", "V of gauged L_mu - L_tau, to muons", "munuV-mumu", DARK_MATTER, _lmu_ltau_mumu),
        Entry("muonic-scalar", "scalar coupled to muons, invisible or escaping", "munuphi", (), _muonic_scalar),
        Entry("muonic-scalar-mumu", "scalar coupled to muons, to muons", _PHI_TO_MUONS, (), _muonic_scalar_mumu),
        Entry("hnl", "heavy neutral lepton mixing with nu_mu", "muN", ("majorana",), _hnl),
        Entry("dark-scalar", "scalar mixing with the Higgs boson (BC4)", "piS", (), _dark_scalar),
        Entry("alp", "axion-like particle coupled to fermions (BC10)", "pia", (), _alp),
    )
}


def find_model(settings: Reach) -> Model:
    """The model that settings ask for, with their values.

    Raises
    ------
    ProcessError
        If there is no such model or process, or it cannot be used as asked; the message suggests the closest.
    """
    name = settings.model
    if name in ENTRIES:
        model = _named(ENTRIES[name], settings)
    else:
        names = [*ENTRIES, *(process.name for process in processes())]
        if not is_descriptor(name) and name not in names:
            raise ProcessError(
                f"there is no model or process {name!r}{suggestion(name, names)} (models: {', '.join(ENTRIES)}; "
                "processes: see `kaongen channels`)"
            )
        model = model_of(name, settings.decays, settings.values, settings.coupling)
    if settings.channel not in (None, model.channel):
        raise ProcessError(f"{name} is looked for with {model.channel}, not with {settings.channel}")
    return model


def _named(entry: Entry, settings: Reach) -> Model:
    for name in settings.values:
        if name not in entry.options:
            known = ", ".join(entry.options) or "none"
            raise ProcessError(f"{entry.name} has no value {name!r}{suggestion(name, entry.options)} (known: {known})")
    model = entry.build(settings.decays, settings.values)
    if settings.coupling is not None and (model.coupling is None or settings.coupling != model.coupling.name):
        own = model.coupling.name if model.coupling else "none"
        raise ProcessError(f"{entry.name} has no coupling {settings.coupling!r} (its coupling: {own})")
    return replace(model, title=entry.title)


def _of(process: str, name: str, symbol: str, power: int) -> Coupling:
    parameter = next(p for p in find(process).parameters if p.name == name)
    assert parameter.default is not None
    return Coupling(name, symbol, power, parameter.default, parameter.maximum)


def _of_process(process: str, name: str, coupling: Coupling, channel: Channel, scan: tuple[float, ...]) -> Model:
    entry = find(process)
    mass = next(p for p in entry.parameters if p.name.startswith("m_"))
    particle = next(iter(entry.mass_of), "V")
    return Model(
        name=name, title=name, process=process, mass=mass.name, particle=particle, channel=channel,
        masses=(mass.minimum, mass.maximum), scan=scan, coupling=coupling,
    )  # fmt: skip


def _only_visible(name: str, decays: Decays) -> None:
    if decays == "invisible":
        raise ProcessError(f"{name} is the decay to muons: it cannot be invisible")


def _number(model: str, values: Values, name: str, default: float) -> float:
    value = values.get(name, default)
    if isinstance(value, str):
        raise ProcessError(f"{model}: {name} = {value!r} is not a number")
    return float(value)
