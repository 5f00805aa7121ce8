"""Plain values as YAML text in the house's layout: two spaces a level, dashes indented below their key.

Strings stand plain where that is beyond doubt and as in JSON otherwise. (ruamel's own dumper writes `: 0`
plain inside braces, which nobody can read back.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML

_INDENT = "  "
_PLAIN = re.compile(r"[A-Za-z0-9/_.+][A-Za-z0-9/_.+=:@ -]*(?<![: ])")
_COLON_SPACE = ": "


def block(value: object) -> str:
    """The mapping or list over several lines, ending in a newline."""
    return "".join(f"{line}\n" for line in _lines(value))


def flow(value: object) -> str:
    """The value on one line, without a newline: `[a, b]`, `{a: 1}`, or a scalar."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return _scalar(value)


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _entry(_scalar(key), item)
    elif isinstance(value, list) and value:
        for item in value:
            first, *others = _lines(item)
            yield f"- {first}"
            yield from (_INDENT + line for line in others)
    else:
        yield flow(value)


def _entry(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict | list) and value:
        yield f"{key}:"
        yield from (_INDENT + line for line in _lines(value))
    else:
        yield f"{key}: {flow(value)}"


def _scalar(value: object) -> str:
    if isinstance(value, str) and _is_plain(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _is_plain(text: str) -> bool:
    """Would a reader take the bare text for this very string, in braces too?"""
    if not _PLAIN.fullmatch(text) or _COLON_SPACE in text:
        return False
    return bool(YAML(typ="safe", pure=True).load(text) == text)
