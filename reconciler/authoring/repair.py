"""Bringing a branch's files back to what is in effect. That needs nobody's permission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.authoring import standing
from reconciler.authoring.author import Author
from reconciler.authoring.commit import tree_with
from reconciler.authoring.errors import NothingToDo
from reconciler.ledger.repository.objects import Entry

Repairs = Mapping[bytes, Entry | None]
"""By path what is in effect there."""


def repairs(author: Author, words: Sequence[str]) -> Repairs:
    """What has to be brought back: at the files and below the directories named, or everywhere.

    Raises NothingToDo if HEAD has nothing there but what is in effect.
    """
    refused = standing.not_in_effect(author.replay)
    paths = list(refused)
    if words:
        paths = [path for word in words for path in _named(author, word, paths)]
    if not paths:
        raise NothingToDo("all that HEAD holds is in effect")
    return {path: refused[path].effective for path in sorted(paths)}


def _named(author: Author, word: str, paths: Sequence[bytes]) -> list[bytes]:
    found = standing.below(author, word, paths)
    if not found:
        raise NothingToDo(f"{word}: what HEAD has there is in effect", "`tnet diff` lists what isn't")
    return found


def repaired_tree(author: Author, wanted: Repairs) -> str:
    """HEAD's tree with these paths as they are in effect, as a tree object's id."""
    removed = b"".join(b"0 %s\t%s\0" % (b"0" * 40, path) for path, entry in wanted.items())
    put = b"".join(
        b"%s %s\t%s\0" % (entry.mode.encode("ascii"), entry.id.encode("ascii"), path)
        for path, entry in wanted.items()
        if entry is not None
    )
    # First all go, so that a file can come where a directory was.
    return tree_with(author.tree, removed + put)
