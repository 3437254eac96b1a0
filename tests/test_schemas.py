"""The schemas in the repository are those of the code, and what kaongen writes obeys them."""

import json
from pathlib import Path

import jsonschema
import pytest

from kaongen.events.inspection import inspect
from kaongen.production.card import Card, read_card, shipped_cards
from kaongen.run import run
from kaongen.schemas import schemas, write_schemas

FOLDER = Path(__file__).parents[1] / "schemas"
NAMES = ("card", "event-file", "manifest", "result")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    samples = [
        {"process": "munu", "role": "normalisation", "candidates": 3000},
        {"process": "pipipi", "role": "background", "candidates": 3000},
        {"process": "munuphi", "role": "signal", "candidates": 3000, "parameters": {"m_X": 0.2}},
        {
            "name": "S-decays",
            "process": "K+ -> pi+ (S -> mu+ mu-)",
            "role": "signal",
            "candidates": 3000,
            "parameters": {"m_S": 0.25, "tau_S": 0.1},
        },
    ]
    path = tmp_path_factory.mktemp("schemas") / "run"
    run(Card.model_validate({"run": {"name": "small"}, "sample": samples}), path)
    return path


def check(name, instance):
    jsonschema.Draft202012Validator(schemas()[name]).validate(instance)


def test_the_schemas_are_these():
    assert tuple(schemas()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_repository_has_the_schemas_of_the_code(name):
    """After a change of a model: `kaongen schema -o schemas`."""
    stored = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert json.loads(stored) == schemas()[name]


def test_nothing_else_lies_among_the_schemas(tmp_path):
    write_schemas(tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {p.name: p.read_bytes() for p in FOLDER.iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_schemas(name):
    schema = schemas()[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"kaongen/{name}-{2 if name == 'result' else 1}.json"


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_described(name):
    def undescribed(schema):
        for key, field in schema.get("properties", {}).items():
            if "description" not in field and "$ref" not in field:
                yield key
        for part in schema.get("$defs", {}).values():
            yield from undescribed(part)

    assert list(undescribed(schemas()[name])) == []


@pytest.mark.parametrize("name", shipped_cards())
def test_shipped_cards_obey(name):
    check("card", read_card(name).model_dump(mode="json"))


def test_a_card_may_leave_out_what_has_a_default():
    check("card", {"run": {"name": "x"}, "sample": [{"process": "munu", "role": "signal", "candidates": 1}]})


@pytest.mark.parametrize(
    "change",
    [
        {"sede": 1},
        {"seed": -1},
        {"seed": "one"},
        {"name": "../x"},
        {"shard_candidates": 100},
        {"compression": "zip"},
    ],
)
def test_the_schema_of_a_card_refuses_what_the_code_refuses(change):
    good = read_card("na62-muon").model_dump(mode="json")
    with pytest.raises(jsonschema.ValidationError):
        check("card", good | {"run": good["run"] | change})


def test_what_a_run_leaves_obeys(directory):
    check("result", json.loads((directory / "result.json").read_text()))
    check("manifest", json.loads((directory / "manifest.json").read_text()))
    check("card", json.loads((directory / "card.json").read_text()))


def test_every_shard_obeys(directory):
    shards = sorted((directory / "shards").iterdir())
    assert len(shards) == 4
    for shard in shards:
        check("event-file", inspect(shard))


@pytest.mark.parametrize(("name", "needed"), [("result", "spectra"), ("manifest", "samples"), ("card", "sample")])
def test_a_field_too_many_or_too_few_is_noticed(directory, name, needed):
    good = json.loads((directory / f"{name}.json").read_text())
    for broken in ({**good, "extra": 1}, {key: value for key, value in good.items() if key != needed}):
        with pytest.raises(jsonschema.ValidationError):
            check(name, broken)
