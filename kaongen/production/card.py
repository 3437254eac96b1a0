"""The run card: what to generate, with which detector, for which search."""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from kaongen.beam import Zone
from kaongen.configuration import CONFIGURATIONS, Configuration, load
from kaongen.decays.chains import is_descriptor
from kaongen.decays.sampling import CHUNK
from kaongen.errors import CardError, suggestion
from kaongen.production.scan import ScanRange
from kaongen.searches.mu_invisible import MuInvisible
from kaongen.searches.settings import AnySettings, known_settings

Role = Literal["normalisation", "background", "signal"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class RunPart(_Part):
    """What all samples have in common."""

    name: str = Field(
        max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", description="Name of the run and of its directory."
    )
    seed: int = Field(default=1, strict=True, ge=0, lt=2**63, description="Seed of all random streams.")
    shard_candidates: int = Field(
        default=16 * CHUNK,
        strict=True,
        ge=CHUNK,
        multiple_of=CHUNK,
        description=f"Candidates per shard, a multiple of {CHUNK}.",
    )
    compression: Literal["none", "gzip"] = Field(default="none", description="Compression of the event files.")


class DetectorPart(_Part):
    """The detector model."""

    configuration: str = Field(default="na62-2016-2018", description=f"One of {', '.join(CONFIGURATIONS)}.")
    vetoes: Literal["weight", "accept"] = Field(
        default="weight",
        description="weight: probabilities of detection and rejection go into the event's weight; accept: yes or no.",
    )
    changes: dict[str, float | list[float] | list[list[float]]] = Field(
        default_factory=dict, description='Numbers of the configuration to replace, such as "gtk.wrong_track" = 0.02.'
    )


class SamplePart(_Part):
    """One process to generate."""

    process: str = Field(
        description="Name of the process in the catalogue (`kaongen channels`), or a decay with those of its "
        "daughters, such as `K+ -> mu+ nu_mu (phi -> gamma gamma)`; `natural` for kaons that decay as in nature, or a "
        "decay table in DEC format (`FILE.dec`); `beam-pions` for pi+ -> mu+ nu_mu of pions of the beam."
    )
    name: str = Field(
        default="",
        max_length=100,
        pattern=r"^([A-Za-z0-9][A-Za-z0-9_.+-]*)?$",
        description="Name of the sample; the process's by default, and to be given for a decay that is written out.",
    )
    zone: Zone = Field(
        default="volume",
        description="Where it decays: volume, the decay volume; entrance, between GTK3 and that; upstream, between "
        "KTAG and GTK3. Weights are per kaon decay in the volume.",
    )
    role: Role = Field(description="What the analysis uses it for.")
    candidates: int = Field(strict=True, ge=1, lt=2**63, description="Candidates to generate.")
    parameters: dict[str, float] = Field(default_factory=dict, description="Parameters of the process, by name.")
    scan: dict[str, Annotated[tuple[float, ...], Field(min_length=1)] | ScanRange] = Field(
        default_factory=dict,
        max_length=1,
        description="Values of one parameter, as a list or as first, last and step: a sample for each, which is named "
        "after the value (a mass in MeV).",
    )

    def scanned(self) -> tuple[SamplePart, ...]:
        """The samples that a scan stands for; the sample itself where there is none."""
        if not self.scan:
            return (self,)
        (parameter, chosen) = next(iter(self.scan.items()))
        values = chosen.values() if isinstance(chosen, ScanRange) else chosen
        if parameter in self.parameters:
            raise ValueError(f"{self.name}: {parameter} is both in `parameters` and in `scan`")
        unit = 1e3 if parameter.startswith("m_") else 1.0
        return tuple(
            self.model_copy(
                update={
                    "name": f"{self.name}-{unit * value:.6g}",
                    "parameters": {**self.parameters, parameter: value},
                    "scan": {},
                }
            )
            for value in values
        )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("name") and isinstance(data.get("process"), str):
            if is_descriptor(data["process"]):
                raise ValueError(f"a sample of the decay {data['process']!r} needs a name of its own: name = ...")
            return {**data, "name": data["process"]}
        return data


class Card(_Part):
    """A run card."""

    run: RunPart = Field(description="What all samples have in common.")
    detector: DetectorPart = Field(default_factory=DetectorPart, description="The detector model.")
    sample: tuple[SamplePart, ...] = Field(min_length=1, description="The processes to generate.")
    analysis: AnySettings = Field(default_factory=MuInvisible, description="The search that reads the events.")

    @field_validator("analysis", mode="before")
    @classmethod
    def _named_search(cls, data: Any) -> Any:
        return {"name": "mu_invisible", **data} if isinstance(data, dict) else data

    @field_validator("sample")
    @classmethod
    def _distinct(cls, declared: tuple[SamplePart, ...]) -> tuple[SamplePart, ...]:
        samples = tuple(sample for part in declared for sample in part.scanned())
        names = [s.name for s in samples]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two samples are called {repeated[0]!r}: give each a name of its own")
        return samples

    def roles(self) -> dict[str, Role]:
        """What each sample is for, by its name."""
        return {part.name: part.role for part in self.sample}

    def configuration(self) -> Configuration:
        """The detector configuration with the card's changes.

        Raises
        ------
        CardError
            If the configuration or a changed number does not exist.
        """
        try:
            return load(self.detector.configuration).with_values(self.detector.changes)
        except CardError as problem:
            raise CardError(f"[detector] {problem}") from None

    def changed(self, *, seed: int | None = None, candidates: int | None = None) -> Card:
        """The same card with another seed, or another number of candidates in every sample."""
        content = self.model_dump()
        if seed is not None:
            content["run"]["seed"] = seed
        if candidates is not None:
            for sample in content["sample"]:
                sample["candidates"] = candidates
        return _checked(content, "the card as changed")

    def scaled(self, factor: float) -> Card:
        """The same card with so many times the candidates, whole chunks of them in each sample."""
        if factor == 1.0:
            return self
        content = self.model_dump()
        for sample in content["sample"]:
            sample["candidates"] = CHUNK * math.ceil(sample["candidates"] * factor / CHUNK)
        return _checked(content, "the card as scaled")

    def sha256(self) -> str:
        """Of the card's content, independent of layout and comments."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def shipped_cards() -> tuple[str, ...]:
    """Names of the cards that come with the package."""
    folder = files("kaongen").joinpath("cards")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def read_card(card: str | Path) -> Card:
    """Read a run card: a path, or the name of one that ships with the package.

    Raises
    ------
    CardError
        If there is no such card, or it is not valid; the message names the key, the value and what is allowed.
    """
    path = Path(card)
    if path.suffix != ".toml" and not _is_file(path):
        names = shipped_cards()
        if str(card) not in names:
            hint = suggestion(str(card), names)
            raise CardError(
                f"there is no card {str(card)!r}{hint} (a path to a .toml file, or one of: {', '.join(names)})"
            )
        text = files("kaongen").joinpath("cards", f"{card}.toml").read_text(encoding="utf-8")
    else:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise CardError(f"cannot read the card {path}: {problem}") from None
    return parse_card(text, str(card))


def _is_file(path: Path) -> bool:
    # not `exists`: a run directory may have the name of its card
    try:
        return path.is_file()
    except OSError:  # a name that no file can have
        return False


def parse_card(text: str, origin: str) -> Card:
    """Check the text of a card; `origin` names it in messages.

    Raises
    ------
    CardError
        If it is not TOML, or not a valid card.
    """
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as problem:
        # numbers of thousands of digits and very deep nesting are errors of their own
        raise CardError(f"{origin} is not TOML: {problem}") from None
    return _checked(data, origin)


def parse_json_card(text: str, origin: str) -> Card:
    """The same of a card as run directories keep it.

    Raises
    ------
    CardError
        If it is not JSON, or not a valid card.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise CardError(f"{origin} is not JSON: {problem}") from None
    return _checked(data, origin)


def _checked(data: Any, origin: str) -> Card:
    try:
        return Card.model_validate(data)
    except ValidationError as problem:
        lines = [_explain(error) for error in _meant(problem.errors())]
        raise CardError(f"{origin} is not a valid card:\n  " + "\n  ".join(lines)) from None


_KINDS_OF_SCAN = ("tuple_type", "model_type")


def _meant(errors: Sequence[Any]) -> list[Any]:
    """Those that say something: of the ways to write a scan the one that was tried, and no consequences of others."""
    kept = []
    for error in errors:
        place = error["loc"][: 4 if error["loc"][2:3] == ("scan",) else None]
        others = [e for e in errors if e is not error and e["loc"][: len(place)] == place]
        if error["type"] == "too_short" and any(len(e["loc"]) > len(error["loc"]) for e in others):
            continue
        if error["type"] in _KINDS_OF_SCAN and any(e["type"] not in _KINDS_OF_SCAN or e in kept for e in others):
            continue
        kept.append(error)
    return kept


def _explain(error: Any) -> str:
    """One line for one mistake: where it is, what was found and what is allowed."""
    place = _place(error["loc"])
    if error["type"] == "extra_forbidden":
        known = _known_keys(error["loc"][:-1])
        hint = suggestion(str(error["loc"][-1]), known)
        return f"{place}: there is no such key{hint} (allowed: {', '.join(known)})"
    if error["type"] == "missing":
        return f"{place}: this key is missing"
    if error["type"] == "union_tag_invalid":
        name, known = error["input"]["name"], list(known_settings())
        return f"{place}.name = {name!r}: there is no such search{suggestion(str(name), known)} ({', '.join(known)})"
    if error["type"] in _KINDS_OF_SCAN and error["loc"][2:3] == ("scan",):
        return f"{place} = {error['input']!r}: it must be a list of values, or first, last and step"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error" and isinstance(error["input"], dict | list | tuple):
        return f"{place}: {message}"
    return f"{place} = {error['input']!r}: {message}"


def _place(location: tuple[int | str, ...]) -> str:
    """Where a mistake is, without the kinds among which a value could choose."""
    parts = [part for i, part in enumerate(location) if not _is_kind(location[:i], part)]
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")


def _is_kind(before: tuple[int | str, ...], part: int | str) -> bool:
    return (before == ("analysis",) and part in known_settings()) or (before[2:3] == ("scan",) and len(before) == 4)


def _known_keys(place: tuple[int | str, ...]) -> list[str]:
    if place[:1] == ("analysis",) and len(place) == 2:
        return list(known_settings()[str(place[1])].model_fields)
    if place[2:3] == ("scan",):
        return list(ScanRange.model_fields)
    model: Any = Card
    for part in place:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        model = next((a for a in get_args(annotation) if isinstance(a, type)), annotation)
    return list(model.model_fields)
