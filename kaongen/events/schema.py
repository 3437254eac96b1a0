"""JSON Schemas of what this room writes, generated from the models and never by hand."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from kaongen.events.inspection import ShardSummary
from kaongen.events.layout import LAYOUT_VERSION, Manifest

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def event_file_schema() -> dict[str, Any]:
    """The schema of a shard as `inspect` shows it: its header (the root attribute `header`) and its columns."""
    return _schema(ShardSummary, "event-file", "kaongen event file")


def manifest_schema() -> dict[str, Any]:
    """The schema of `manifest.json` in a run directory."""
    return _schema(Manifest, "manifest", "kaongen manifest")


def _schema(model: type[BaseModel], name: str, title: str) -> dict[str, Any]:
    # The schema of what is written, where every field is present, and not of what would be accepted.
    body = model.model_json_schema(mode="serialization")
    return {"$schema": DIALECT, "$id": f"kaongen/{name}-{LAYOUT_VERSION}.json", **body, "title": title}
