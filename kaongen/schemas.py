"""JSON Schemas of what kaongen reads and writes, generated from the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kaongen.analysis.result import Result
from kaongen.events.durable import write_durably
from kaongen.events.schema import event_file_schema, manifest_schema
from kaongen.production.card import Card

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """All schemas by name."""
    layout = Result.model_fields["result_version"].default
    return {
        "card": {"$schema": _DIALECT, "$id": "kaongen/card-1.json", **Card.model_json_schema()},
        "event-file": event_file_schema(),
        "manifest": manifest_schema(),
        "result": {"$schema": _DIALECT, "$id": f"kaongen/result-{layout}.json", **Result.model_json_schema()},
    }


def write_schemas(directory: Path) -> list[Path]:
    """Write each schema to `directory`/NAME.json; returns the files."""
    written = []
    for name, schema in schemas().items():
        path = directory / f"{name}.json"
        write_durably(path, (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode())
        written.append(path)
    return written
