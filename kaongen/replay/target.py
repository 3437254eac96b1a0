"""Which event is asked for: of which sample of which card, and where it is stored, if it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from kaongen.errors import CardError, EventFileError, KaongenError, suggestion
from kaongen.events.layout import Provenance
from kaongen.events.manifest import MANIFEST, read_manifest, shard_problem
from kaongen.events.shard import read_metadata
from kaongen.production.card import Card, SamplePart, read_card, shipped_cards
from kaongen.production.directory import CARD_FILE, read_run_card

_FORMS = "FILE.h5:EVENT, RUN/SAMPLE:EVENT or CARD/SAMPLE:EVENT"
_EXAMPLE = "na62-muon/munug:1234"


@dataclass(frozen=True)
class Wanted:
    """An event that is asked for: of which sample of which card, and the file that holds it, if there is one.

    shard : where the event is if the selection kept it. lost : whether there is a run, but no shard of it yet.
    """

    target: str
    card: Card
    sample: SamplePart
    index: int
    shard: Path | None = None
    lost: bool = False


def find_event(target: str) -> Wanted:
    """What `FILE.h5:EVENT`, `RUN/SAMPLE:EVENT` or `CARD/SAMPLE:EVENT` means.

    EVENT is the number of a candidate, as in the column `index` of an event file; the sample may be left out where
    there is only one. RUN is a run directory, CARD a card (.toml) or the name of one that ships with the package.

    Raises
    ------
    KaongenError
        If there is no such file, card, sample or candidate, or this version did not make the file.
    """
    place, colon, number = target.rpartition(":")
    if not colon or not place or not re.fullmatch("[0-9]{1,20}", number):
        raise KaongenError(
            f"{target!r} does not name an event: it must be {_FORMS}, with the number of a candidate, as {_EXAMPLE}"
        )
    index = int(number)
    if place.endswith(".h5"):
        return _in_shard(target, Path(place), index)
    for holder, sample in _splittings(place):
        if (Path(holder) / MANIFEST).is_file():
            return _in_run(target, Path(holder), sample, index)
        if holder.endswith(".toml") or holder in shipped_cards():
            card = read_card(holder)
            part = _sample(card, sample, holder)
            _check_index(index, part, holder)
            return Wanted(target, card, part, index)
    if Path(place).is_dir():
        read_manifest(place)  # says what is missing
    raise KaongenError(
        f"there is no run directory or card {place!r}{suggestion(place.partition('/')[0], shipped_cards())} "
        f"(it must be {_FORMS}; cards that ship: {', '.join(shipped_cards())})"
    )


def _splittings(place: str) -> Iterator[tuple[str, str | None]]:
    """What may be a file, with or without a sample behind it."""
    yield place, None
    holder, slash, sample = place.rpartition("/")
    if slash and holder and sample:
        yield holder, sample


def _sample(card: Card, name: str | None, origin: str) -> SamplePart:
    names = [part.name for part in card.sample]
    if name is None:
        if len(names) > 1:
            raise CardError(f"{origin} has several samples: say which, as {origin}/{names[0]}:0 ({', '.join(names)})")
        return card.sample[0]
    if name not in names:
        raise CardError(f"{origin} has no sample {name!r}{suggestion(name, names)} (known: {', '.join(names)})")
    return next(part for part in card.sample if part.name == name)


def _check_index(index: int, part: SamplePart, origin: str) -> None:
    if index >= part.candidates:
        raise KaongenError(
            f"{origin}: the sample {part.name!r} has {part.candidates} candidates: "
            f"the event must be 0 to {part.candidates - 1}, not {index}"
        )


def _check_made_here(provenance: Provenance, origin: Path) -> None:
    here = version("kaongen")
    if provenance.kaongen_version != here:
        raise EventFileError(
            f"{origin} was made by kaongen {provenance.kaongen_version}: only that version makes its events again "
            f"(this is {here})"
        )


def _in_run(target: str, directory: Path, sample: str | None, index: int) -> Wanted:
    manifest = read_manifest(directory)
    _check_made_here(manifest.provenance, directory)
    card = read_run_card(directory)
    if card.sha256() != manifest.provenance.card_sha256:
        raise EventFileError(f"{directory / CARD_FILE} is not the card that the events were made from")
    part = _sample(card, sample, str(directory))
    _check_index(index, part, str(directory))
    for record in manifest.shards:
        if record.sample == part.name and record.first <= index < record.stop:
            if problem := shard_problem(directory, manifest, record):
                raise EventFileError(problem)
            return Wanted(target, card, part, index, shard=directory / record.file)
    return Wanted(target, card, part, index, lost=True)


def _in_shard(target: str, path: Path, index: int) -> Wanted:
    header = read_metadata(path).header
    _check_made_here(header.provenance, path)
    card = _card_of(path, header.provenance)
    part = _sample(card, header.sample.name, str(path))
    if not header.first <= index < header.stop:
        raise EventFileError(
            f"{path} holds candidates {header.first} to {header.stop - 1}: the event must be one of them, not {index}"
        )
    return Wanted(target, card, part, index, shard=path)


def _card_of(path: Path, provenance: Provenance) -> Card:
    """A file knows its card by the checksum alone: it lies in the run directory, or ships with the package."""
    directory = path.absolute().parent.parent
    if (directory / CARD_FILE).is_file():
        card = read_run_card(directory)
        if card.sha256() == provenance.card_sha256:
            return card
        raise EventFileError(f"{directory / CARD_FILE} is not the card that {path} was made from")
    for name in shipped_cards():
        card = read_card(name).changed(seed=provenance.seed)
        if card.sha256() == provenance.card_sha256:
            return card
    raise EventFileError(
        f"{path} does not hold the card that it was made from, only its checksum {provenance.card_sha256[:12]}: "
        f"put the {CARD_FILE} of its run into {directory}"
    )
