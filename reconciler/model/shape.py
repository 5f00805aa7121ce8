"""Explains how a value differs from a document's type: every difference, in words.

msgspec decides whether a value fits, fast, and stops at the first difference. When it says no, this walks
the same types and the value side by side and says why, all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from msgspec import inspect

from reconciler.model.documents import Document
from reconciler.model.problems import Finding, shown
from reconciler.model.yaml import Pointer

_Explain = Callable[[Any, object, Pointer], Iterator[Finding]]
_NAMES = {str: "text", int: "a number", bool: "true or false", list: "a list", dict: "a mapping"}


def explain(value: object, kind: type[Document]) -> list[Finding]:
    """All differences between `value` and the type of `kind`; empty exactly when it fits."""
    return list(_explain(_type_of(kind), value, ()))


@lru_cache
def _type_of(kind: type[Document]) -> inspect.Type:
    return inspect.type_info(kind)


def _explain(expected: inspect.Type, value: object, pointer: Pointer) -> Iterator[Finding]:
    if isinstance(expected, inspect.Metadata):
        return _with_description(expected, value, pointer)
    return _EXPLAINERS[type(expected)](expected, value, pointer)


def _with_description(expected: inspect.Metadata, value: object, pointer: Pointer) -> Iterator[Finding]:
    description = (expected.extra_json_schema or {}).get("description", "")
    advice = str((expected.extra or {}).get("form", description))
    for finding in _explain(expected.type, value, pointer):
        if finding.pointer == pointer and not finding.advice:
            yield Finding(pointer, finding.code, finding.message, advice)
        else:
            yield finding


def _struct(expected: inspect.StructType, value: object, pointer: Pointer) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield _wrong_type(pointer, "a mapping", value)
        return
    if expected.tag_field is not None and expected.tag_field in value:
        yield from _tag(expected, value[expected.tag_field], (*pointer, expected.tag_field))
    misspelt = yield from _unknown_fields(_field_names(expected), value, pointer)
    for name in _required(expected):
        if name not in value and name not in misspelt:
            yield Finding((*pointer, name), "missing-field", f"`{shown((*pointer, name))}` is missing")
    for field in expected.fields:
        if field.encode_name in value:
            yield from _explain(field.type, value[field.encode_name], (*pointer, field.encode_name))


def _field_names(expected: inspect.StructType) -> list[str]:
    tag = [expected.tag_field] if expected.tag_field is not None else []
    return [*tag, *(field.encode_name for field in expected.fields)]


def _required(expected: inspect.StructType) -> list[str]:
    optional = {field.encode_name for field in expected.fields if not field.required}
    return [name for name in _field_names(expected) if name not in optional]


def _tag(expected: inspect.StructType, value: object, pointer: Pointer) -> Iterator[Finding]:
    if value != expected.tag:
        message = f"this says `{_brief(value)}`, and a {expected.tag} belongs at this path"
        yield Finding(pointer, "wrong-kind", message, f"Write `kind: {expected.tag}`, or move the file.")


def _unknown_fields(
    names: Sequence[str], value: dict[str, object], pointer: Pointer
) -> Generator[Finding, None, set[str]]:
    """Yields what doesn't belong, and returns the fields that were probably meant."""
    absent, meant = [name for name in names if name not in value], set()
    for key in value:
        if key not in names:
            near = get_close_matches(key, absent, n=1, cutoff=0.6) or _same_letters(key, absent)
            meant.update(near)
            yield _unknown_field((*pointer, key), near, absent)
    return meant


def _unknown_field(pointer: Pointer, near: Sequence[str], absent: Sequence[str]) -> Finding:
    if near:
        advice = f"Did you mean `{near[0]}`?"
    else:
        advice = f"Fields that may stand here: {', '.join(absent)}." if absent else "Remove it."
    message = f"there is no field `{_brief(pointer[-1])}` here"
    return Finding(pointer, "unknown-field", message, advice, at_key=True)


def _same_letters(name: str, candidates: Sequence[str]) -> list[str]:
    plain = re.sub(r"[-_ ]", "", name).lower()
    return [candidate for candidate in candidates if candidate.lower() == plain]


def _text(expected: inspect.StrType, value: object, pointer: Pointer) -> Iterator[Finding]:
    if not isinstance(value, str):
        yield _wrong_type(pointer, "text", value)
    elif expected.pattern is not None and not re.search(expected.pattern, value):
        yield Finding(pointer, "bad-text", f"`{_brief(value)}` is not what `{shown(pointer)}` may be")
    else:
        yield from _length(expected, value, pointer, "characters")


def _number(expected: inspect.IntType, value: object, pointer: Pointer) -> Iterator[Finding]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield _wrong_type(pointer, "a number", value)
    elif expected.ge is not None and value < expected.ge:
        yield Finding(
            pointer, "out-of-range", f"{value} is too small: `{shown(pointer)}` is at least {expected.ge}"
        )
    elif expected.le is not None and value > expected.le:
        yield Finding(
            pointer, "out-of-range", f"{value} is too big: `{shown(pointer)}` is at most {expected.le}"
        )


def _literal(expected: inspect.LiteralType, value: object, pointer: Pointer) -> Iterator[Finding]:
    if not any(value == choice and type(value) is type(choice) for choice in expected.values):
        choices = " or ".join(f"`{choice}`" for choice in expected.values)
        yield Finding(pointer, "bad-choice", f"`{shown(pointer)}` is {choices}, not `{_brief(value)}`")


def _list(expected: inspect.VarTupleType, value: object, pointer: Pointer) -> Iterator[Finding]:
    if not isinstance(value, list):
        yield _wrong_type(pointer, "a list", value)
        return
    yield from _length(expected, value, pointer, "entries")
    for index, item in enumerate(value):
        yield from _explain(expected.item_type, item, (*pointer, index))


def _mapping(expected: inspect.DictType, value: object, pointer: Pointer) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield _wrong_type(pointer, "a mapping", value)
        return
    yield from _length(expected, value, pointer, "entries")
    for key, item in value.items():
        for finding in _explain(expected.key_type, key, (*pointer, key)):
            yield Finding(finding.pointer, finding.code, finding.message, finding.advice, at_key=True)
        yield from _explain(expected.value_type, item, (*pointer, key))


def _optional(expected: inspect.UnionType, value: object, pointer: Pointer) -> Iterator[Finding]:
    """The only unions in documents are of a type and null."""
    if value is not None:
        yield from _explain(
            next(t for t in expected.types if not isinstance(t, inspect.NoneType)), value, pointer
        )


def _length(
    expected: Any, value: Sequence[object] | dict[str, object], pointer: Pointer, what: str
) -> Iterator[Finding]:
    if expected.min_length is not None and len(value) < expected.min_length:
        message = f"`{shown(pointer)}` has {len(value)} {what}, and at least {expected.min_length} are needed"
        yield Finding(pointer, "too-short", message)
    elif expected.max_length is not None and len(value) > expected.max_length:
        message = (
            f"`{shown(pointer)}` has {len(value)} {what}, and at most {expected.max_length} are accepted"
        )
        yield Finding(pointer, "too-long", message)


def _wrong_type(pointer: Pointer, wanted: str, value: object) -> Finding:
    found = "empty" if value is None else _NAMES[type(value)]
    advice = "Give it a value, or remove the line." if value is None else ""
    if wanted == "text" and isinstance(value, (int, bool)):
        advice = "Put it in quotes."
    where = f"`{shown(pointer)}`" if pointer else "the document"
    return Finding(pointer, "wrong-type", f"{where} should be {wanted}, and this is {found}", advice)


def _brief(value: object) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= 60 else text[:60] + "…"


_EXPLAINERS: dict[type[inspect.Type], _Explain] = {
    inspect.StructType: _struct,
    inspect.StrType: _text,
    inspect.IntType: _number,
    inspect.LiteralType: _literal,
    inspect.VarTupleType: _list,
    inspect.DictType: _mapping,
    inspect.UnionType: _optional,
}
