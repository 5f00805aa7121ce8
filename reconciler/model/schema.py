"""JSON Schemas of the seven kinds, for editors: generated from the types, so nothing is said twice.

    python -m reconciler.model.schema           writes schema/<kind>.schema.json
    python -m reconciler.model.schema --check   says which of them differ, exit code 1 if any

A schema says what the types say. Rules between fields and between documents are beyond it (`tnet check`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from reconciler.model.documents import KINDS, Document

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DIRECTORY = Path("schema")
_NO_LINE_BREAK_BEHIND = r"(?!\n)"


def schema_file(kind: type[Document]) -> str:
    """The name of a kind's schema: `network.schema.json`."""
    return f"{kind.__name__.lower()}.schema.json"


def schema_of(kind: type[Document]) -> dict[str, Any]:
    """The JSON Schema of one kind, as plain data."""
    generated = msgspec.json.schema(kind)
    top = generated["$defs"].pop(kind.__name__)
    name = kind.__name__.lower()
    head = {"$schema": DIALECT, "$id": f"urn:tnet:v1:{name}", **top}
    described: dict[str, Any] = _for_ecmascript({**head, "$defs": dict(sorted(generated["$defs"].items()))})
    return described


def schema_text(kind: type[Document]) -> str:
    return json.dumps(schema_of(kind), indent=2) + "\n"


def _for_ecmascript(value: Any) -> Any:
    """Patterns without what only Python needs: there `$` matches before a last line break, too."""
    if isinstance(value, dict):
        return {
            key: item.replace(_NO_LINE_BREAK_BEHIND, "") if key == "pattern" else _for_ecmascript(item)
            for key, item in value.items()
        }
    return [_for_ecmascript(item) for item in value] if isinstance(value, list) else value


def stale(directory: Path) -> list[str]:
    """The names of the schemas in `directory` that are missing or differ from the types."""
    return [
        schema_file(kind)
        for kind in KINDS
        if not (directory / schema_file(kind)).is_file()
        or (directory / schema_file(kind)).read_text() != schema_text(kind)
    ]


def write(directory: Path) -> None:
    """Write the schemas of all kinds into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        (directory / schema_file(kind)).write_text(schema_text(kind))


def main(arguments: Sequence[str]) -> int:
    if list(arguments) == ["--check"]:
        different = stale(DIRECTORY)
        for name in different:
            print(f"{DIRECTORY / name} differs from the types: run python -m reconciler.model.schema")
        return 1 if different else 0
    if arguments:
        print("usage: python -m reconciler.model.schema [--check]", file=sys.stderr)
        return 64
    write(DIRECTORY)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
