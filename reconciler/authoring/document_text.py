"""From a typed document to the text of its file, new or changed."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import FieldInfo

from reconciler.authoring import yaml_write
from reconciler.authoring.errors import AuthoringError
from reconciler.authoring.yaml_update import update
from reconciler.errors import TnetError
from reconciler.model.documents import Document
from reconciler.model.loader import load
from reconciler.model.schema import DIRECTORY, schema_file

_HEADER_FIELDS = ("apiVersion", "kind", "metadata", "spec")


def new_text(path: str, document: Document, *, with_schema: bool = False) -> bytes:
    """The file of a new document, in the house's layout, without what equals its default.

    `with_schema`: the first line tells editors where in the repository the kind's JSON Schema lies.
    """
    spoken = _without_defaults(document)
    spoken["kind"] = type(document).__name__
    text = yaml_write.block({field: spoken[field] for field in _HEADER_FIELDS})
    heading = _schema_line(path, document) if with_schema else ""
    return _checked(path, heading + text, document)


def schema_path(kind: type[Document]) -> str:
    """Where in a ledger's repository the JSON Schema of a kind lies."""
    return f"{DIRECTORY}/{schema_file(kind)}"


def _schema_line(path: str, document: Document) -> str:
    """The comment that YAML language servers look for, with a path relative to the document's."""
    up = "../" * path.count("/")
    return f"# yaml-language-server: $schema={up}{schema_path(type(document))}\n"


def changed_text(path: str, content: bytes, document: Document) -> bytes:
    """`content`, which holds an earlier form of `document`, changed to say what `document` says.

    Comments, order and layout stay. Raises AuthoringError where the text's layout defeats the edit, and
    DocumentError where `document` (or `content`) isn't valid.
    """
    before = load(path, content)
    old, new = _plain(before), _plain(document)
    text = update(content.decode("utf-8"), old, _without_taken_back(old, new))
    return _checked(path, text, document)


def _plain(value: Struct) -> dict[str, Any]:
    """Mappings, lists and scalars, defaults included."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value))
    return plain


def _without_taken_back(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """`new` without what it says no more: such a field's line goes, rather than to say `null`."""
    kept: dict[str, Any] = {}
    for name, value in new.items():
        before = old.get(name)
        if value is None and before is not None:
            continue
        both = isinstance(value, dict) and isinstance(before, dict)
        kept[name] = _without_taken_back(before, value) if both else value  # type: ignore[arg-type]
    return kept


def _without_defaults(value: Any) -> Any:
    if isinstance(value, Struct):
        return {
            field.encode_name: _without_defaults(getattr(value, field.name))
            for field in msgspec.structs.fields(value)
            if getattr(value, field.name) != _default(field)
        }
    if isinstance(value, tuple):
        return [_without_defaults(item) for item in value]
    return value


def _default(field: FieldInfo) -> Any:
    """What the field holds if nothing is said; msgspec keeps `{}` as a factory."""
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _checked(path: str, text: str, document: Document) -> bytes:
    """An edit that reads back as something else is never written."""
    content = text.encode("utf-8")
    try:
        read_back = load(path, content)
    except TnetError as error:
        if _is_valid(path, document):
            raise _defeated(path) from error
        raise
    if read_back != document:
        raise _defeated(path)
    return content


def _is_valid(path: str, document: Document) -> bool:
    """Would the document itself be accepted if it were written in the plainest way?"""
    spoken = {**_without_defaults(document), "kind": type(document).__name__}
    try:
        load(path, yaml_write.block(spoken).encode("utf-8"))
    except TnetError:
        return False
    return True


def _defeated(path: str) -> AuthoringError:
    return AuthoringError(
        f"{path}: this layout can't be edited without touching other lines",
        "write lists and mappings over several lines, one entry each, or make the change by hand",
    )
