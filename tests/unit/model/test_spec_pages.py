"""The specification names every field and every code, and its examples are what it says they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import inspect

from reconciler.model import yaml
from reconciler.model.documents import KINDS, Document, Rule, Signers
from tests.unit.model import example

SPEC = example.ROOT / "docs" / "spec"
MODEL = example.ROOT / "reconciler" / "model"
SHARED = {"apiVersion", "kind", "metadata.name", "metadata.description"}
COMMON = SPEC / "documents.md"


def page(kind: type[Document]) -> str:
    return (SPEC / f"{kind.__name__.lower()}.md").read_text()


def fields(kind: inspect.Type, at: str = "") -> list[str]:
    """Every field below `kind`, as the pages write them: `spec.resources[].sealed.key`."""
    if isinstance(kind, inspect.Metadata):
        return fields(kind.type, at)
    if isinstance(kind, inspect.UnionType):
        return [name for member in kind.types for name in fields(member, at)]
    if isinstance(kind, inspect.VarTupleType):
        return fields(kind.item_type, f"{at}[]")
    if not isinstance(kind, inspect.StructType) or kind.cls in (Signers, Rule):
        return []
    inner = [(f"{at}.{field.encode_name}".lstrip("."), field.type) for field in kind.fields]
    return [found for name, type_ in inner for found in (name, *fields(type_, name))]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_field_is_on_its_kinds_page(kind: type[Document]) -> None:
    text = page(kind)
    wanted = [name for name in fields(inspect.type_info(kind)) if name.startswith("spec.")]
    assert wanted
    assert [name for name in wanted if f"`{name}`" not in text] == []


def test_what_all_kinds_share_is_on_the_common_page() -> None:
    text = COMMON.read_text()
    assert [name for name in SHARED if f"`{name}`" not in text] == []
    for name in ("threshold", "principals", "principals[].name", "principals[].keys"):
        assert f"`{name}`" in text


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_page_names_no_field_that_is_not_there(kind: type[Document]) -> None:
    named = set(re.findall(r"^\| `(spec\.[^`]+)`", page(kind), re.MULTILINE))
    assert named == {name for name in fields(inspect.type_info(kind)) if name.startswith("spec.")}


def codes_in_code() -> set[str]:
    """The codes that findings, violations and YAML errors are made with."""
    files = ("within.py", "within_signers.py", "shape.py", "yaml.py", "rules.py")
    sources = "".join((MODEL / name).read_text() for name in files)
    found = set(
        re.findall(
            r'"([a-z]+(?:-[a-z0-9]+)+|alias|anchor|tag|syntax|empty|character|directive|key)"', sources
        )
    )
    taken = {f"{kind}-taken" for kind in re.findall(r'^    "([a-z0-9-]+)": \(', sources, re.MULTILINE)}
    plain = {
        "slot",
        "netid",
        "vni",
        "wireguard-key",
        "node-id",
        "endpoint",
        "fast-address",
        "ipv6-allocation",
    }
    return (found | taken) - plain - {"bad-value"}


def test_every_code_is_explained() -> None:
    text = "".join(path.read_text() for path in SPEC.glob("*.md"))
    assert sorted(code for code in codes_in_code() if f"`{code}`" not in text) == []


def test_links_lead_somewhere() -> None:
    pages = [SPEC / f"{kind.__name__.lower()}.md" for kind in KINDS]
    for source in (COMMON, SPEC / "sealed-keys.md", *pages):
        for target in re.findall(r"\]\(([^)#]*)#?[^)]*\)", source.read_text()):
            file = Path(source.parent / target) if target else source
            assert file.exists() or file.name in ("ledger.md", "data-plane.md"), f"{source.name}: {target}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_examples_are_yaml_of_their_kind(kind: type[Document]) -> None:
    block = page(kind).split("## Example\n\n")[1].split("\n\nA whole one")[0].split("\n\nWhole ones")[0]
    text = "\n".join(line[4:] for line in block.splitlines())
    value: Any = yaml.read(text.encode())
    assert value["kind"] == kind.__name__
    assert set(value["spec"]) <= {field.encode_name for field in spec_fields(kind)}


def spec_fields(kind: type[Document]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    spec = next(field.type for field in info.fields if field.name == "spec")
    assert isinstance(spec, inspect.StructType)
    return spec.fields
