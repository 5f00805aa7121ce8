"""Documents that were edited by hand in the work tree: what there is to commit."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.authoring.author import Author
from reconciler.authoring.checking import GOVERNED_DIRECTORIES
from reconciler.authoring.commit import Changes
from reconciler.authoring.errors import AuthoringError, NothingToDo
from reconciler.model.loader import load
from reconciler.model.paths import kind_for_path, misplaced


def edited(author: Author, only: Collection[str] = ()) -> Changes:
    """The documents that differ from HEAD, with their contents; `only` these paths if any are named.

    Raises DocumentError for the first that isn't valid, NothingToDo if none differs.
    """
    changes = {path: author.tree.read(path) for path in author.tree.dirty(only or GOVERNED_DIRECTORIES)}
    for path, content in changes.items():
        _require_governed(path)
        if content is not None:
            load(path, content)
    if not changes:
        raise NothingToDo("no document differs from HEAD")
    return changes


def _require_governed(path: str) -> None:
    if kind_for_path(path) is None:
        raise AuthoringError(
            f"{path}: {misplaced(path) or 'this is no document of the ledger'}",
            "commit other files with git; nodes don't look at them",
        )
