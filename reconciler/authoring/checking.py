"""What is wrong with documents in a work tree, all of it at once, each where it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.model.documents import Document
from reconciler.model.loader import load
from reconciler.model.model import Model
from reconciler.model.paths import kind_for_path, misplaced
from reconciler.model.problems import DocumentError, Problem
from reconciler.model.rules import Violation, newly_owned
from reconciler.model.yaml import Pointer, locate

GOVERNED_DIRECTORIES = ("trust", "farms", "tenants")

_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def problems(effective: Model, contents: Mapping[str, bytes | None]) -> tuple[Problem, ...]:
    """What is wrong with files (None: removed) that would replace what is in effect.

    Rules between documents are looked at only once every document is right by itself.
    """
    documents: dict[str, Document | None] = {}
    found: list[Problem] = []
    for path, content in contents.items():
        try:
            documents[path] = _loaded(path, content)
        except DocumentError as error:
            found += error.problems
    return tuple(found) or _conflicts(effective, documents, contents)


def _loaded(path: str, content: bytes | None) -> Document | None:
    if kind_for_path(path) is None and content is not None:
        message = misplaced(path) or "this is no document of the ledger"
        raise DocumentError((Problem(path, 1, 1, "", "no-document", message, "move the file elsewhere"),))
    return None if content is None else load(path, content)


def _conflicts(
    effective: Model, documents: Mapping[str, Document | None], contents: Mapping[str, bytes | None]
) -> tuple[Problem, ...]:
    governed = {path: document for path, document in documents.items() if kind_for_path(path)}
    violations = newly_owned(effective, effective.with_changes(governed), governed.keys())
    return tuple(_located(violation, contents[violation.owner_path] or b"") for violation in violations)


def _located(violation: Violation, content: bytes) -> Problem:
    line, column = locate(content).of(_pointer(violation.pointer))
    return Problem(
        violation.owner_path,
        line,
        column,
        violation.pointer,
        violation.code,
        violation.message,
        violation.advice,
    )


def _pointer(shown: str) -> Pointer:
    """`spec.resources[0].node` as its parts."""
    return tuple(name or int(index) for name, index in _PART.findall(shown))
