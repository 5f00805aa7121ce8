"""The schemas are those of the types, the example keeps to them, and editors are shown the way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconciler.model import schema, yaml
from reconciler.model.documents import KINDS, Document, Policy, Suspension
from reconciler.model.loader import kind_for_path, load
from reconciler.model.paths import suspension_path
from reconciler.model.problems import DocumentError
from tests.unit.model import example


def kind_of(path: str) -> type[Document]:
    kind = kind_for_path(path)
    assert kind is not None
    return kind


def test_the_committed_schemas_are_those_of_the_types() -> None:
    assert schema.stale(example.ROOT / "schema") == [], "run: python -m reconciler.model.schema"


def test_no_schema_is_left_from_a_former_kind() -> None:
    there = {path.name for path in (example.ROOT / "schema").iterdir()}
    assert there == {schema.schema_file(kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_schemas_are_schemas(kind: type[Document]) -> None:
    made = schema.schema_of(kind)
    Draft202012Validator.check_schema(made)
    assert made["$id"] == f"urn:tnet:v1:{kind.__name__.lower()}"
    assert made["title"] == kind.__name__


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_field_is_described(kind: type[Document]) -> None:
    definitions = schema.schema_of(kind)["$defs"]
    bare = [
        f"{name}.{field}"
        for name, definition in definitions.items()
        for field, body in definition["properties"].items()
        if "description" not in body and "$ref" not in body
    ]
    assert bare == []


@pytest.mark.parametrize("path", sorted(example.texts()))
def test_the_example_keeps_to_the_schemas(path: str) -> None:
    validator = Draft202012Validator(schema.schema_of(kind_of(path)))
    assert [error.message for error in validator.iter_errors(yaml.read(example.texts()[path].encode()))] == []


@pytest.mark.parametrize("path", sorted(example.texts()))
def test_an_unknown_field_is_against_the_schema(path: str) -> None:
    value = yaml.read(example.texts()[path].encode())
    assert isinstance(value, dict)
    validator = Draft202012Validator(schema.schema_of(kind_of(path)))
    assert not validator.is_valid(value | {"surprise": 1})


@pytest.mark.parametrize("path", sorted(example.texts()))
def test_the_first_line_leads_an_editor_to_the_schema(path: str) -> None:
    first = example.texts()[path].splitlines()[0]
    prefix, _, target = first.partition("$schema=")
    assert prefix == "# yaml-language-server: "
    found = os.path.normpath((example.EXAMPLE / path).parent / target)
    assert found == str(example.ROOT / "schema" / schema.schema_file(kind_of(path)))


def test_check_names_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert schema.main([]) == 0
    assert schema.main(["--check"]) == 0
    (tmp_path / "schema" / "node.schema.json").write_text("{}")
    (tmp_path / "schema" / "farm.schema.json").unlink()
    assert schema.main(["--check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["schema/farm.schema.json", "schema/node.schema.json"]
    assert schema.main(["--what"]) == 64


KEY = "ssh-ed25519 AAAA"
SIGNERS = {"principals": [{"name": "eve", "keys": [KEY]}]}


def policy(**spec: object) -> object:
    value = yaml.read(example.texts()[example.POLICY].encode())
    assert isinstance(value, dict) and isinstance(value["spec"], dict)
    return value | {"spec": value["spec"] | spec}


@pytest.mark.parametrize(
    ("spec", "valid"),
    [
        ({"rules": [{"paths": ["farms/*/farm.yaml"], "signers": SIGNERS}]}, True),
        ({"rules": [{"paths": [], "signers": SIGNERS}]}, False),
        ({"rules": [{"paths": ["farms/p*/farm.yaml"], "signers": SIGNERS}]}, False),
        ({"rules": [{"paths": ["farms/*/farm.yaml"]}]}, False),
        ({"rules": [{"paths": ["farms/*/farm.yaml"], "signers": SIGNERS}] * 33}, False),
        ({"witness": SIGNERS}, True),
        ({"witness": {"principals": []}}, False),
        ({"withdrawn": ["0" * 40]}, True),
        ({"withdrawn": ["0" * 39]}, False),
        ({"withdrawn": ["F" * 40]}, False),
        ({"root": {"principals": [{"name": "eve", "keys": ["sk-ssh-ed25519@openssh.com AAAA"]}]}}, True),
        ({"root": {"principals": [{"name": "eve", "keys": ["sk-ssh-ed25519@opensshxcom AAAA"]}]}}, False),
        ({"root": {"principals": [{"name": "eve", "keys": ["ssh-dss AAAA"]}]}}, False),
    ],
)
def test_an_editor_sees_what_a_policy_may_say(spec: dict[str, object], valid: bool) -> None:
    assert Draft202012Validator(schema.schema_of(Policy)).is_valid(policy(**spec)) is valid


@pytest.mark.parametrize(
    ("reason", "valid"),
    [("Sends spam.", True), ("", False), ("  ", False), ("two\nlines", False), ("x" * 201, False)],
)
def test_an_editor_sees_that_a_reason_is_one_line(reason: str, valid: bool) -> None:
    value = {
        "apiVersion": "tnet/v1",
        "kind": "Suspension",
        "metadata": {"name": "acme"},
        "spec": {"reason": reason},
    }
    assert Draft202012Validator(schema.schema_of(Suspension)).is_valid(value) is valid
    try:
        load(suspension_path("acme"), json.dumps(value).encode())
        loads = True
    except DocumentError:
        loads = False
    assert loads is valid
