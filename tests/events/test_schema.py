import json

import pytest
from event_samples import write_one, write_run

from kaongen.events.inspection import inspect
from kaongen.events.schema import event_file_schema, manifest_schema

jsonschema = pytest.importorskip("jsonschema")


@pytest.mark.parametrize(("schema", "name"), [(event_file_schema(), "event-file"), (manifest_schema(), "manifest")])
def test_schemas_are_schemas_and_describe_every_field(schema, name):
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["$id"] == f"kaongen/{name}-1.json"
    for model in (schema, *schema["$defs"].values()):
        assert all("description" in field for field in model["properties"].values()), model["title"]


def test_what_is_written_obeys_its_schema(tmp_path):
    write_run(tmp_path)
    jsonschema.validate(json.loads((tmp_path / "manifest.json").read_text()), manifest_schema())
    jsonschema.validate(inspect(write_one(tmp_path)), event_file_schema())


def test_what_is_wrong_breaks_its_schema(tmp_path):
    write_run(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for change in ({"layout_version": 0}, {"surplus": 1}, {"shards": [{}]}, {"complete": None}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(manifest | change, manifest_schema())
    shard = inspect(write_one(tmp_path))
    for change in ({"kind": "run"}, {"header": {}}, {"samples": None}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(shard | change, event_file_schema())
