"""What lies in HEAD's tree beside what is in effect, and which of it a person means by a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.authoring.author import Author
from reconciler.authoring.errors import AuthoringError, WorkTreeError
from reconciler.ledger import bounds
from reconciler.ledger.replay import Replay
from reconciler.ledger.repository.descent import descend
from reconciler.ledger.repository.objects import CommitId, Entry, ObjectId
from reconciler.ledger.repository.store import Edge


@dataclass(frozen=True, slots=True)
class Standing:
    """A governed path where HEAD's tree has something else than what is in effect."""

    effective: Entry | None
    head: Entry | None


def not_in_effect(judged: Replay) -> Mapping[bytes, Standing]:
    """All such paths. Raises AuthoringError where they are too many to be listed."""
    store = judged.store
    changes = descend(judged.view.effective_tree, store.tree_of(judged.books.commit), store.raw_tree)
    if changes is None:
        raise AuthoringError(
            f"HEAD differs from what is in effect in more than {bounds.MAX_LISTED} entries",
            "let whoever runs the forge set the branch back to before that",
        )
    return {change.path: Standing(change.old, change.new) for change in changes}


def below(author: Author, word: str, paths: Sequence[bytes]) -> list[bytes]:
    """Those of the paths that a word names: a file or a directory, from here or from the root."""
    names = {_as_path(word)}
    with suppress(WorkTreeError):  # It is outside of this clone, so it names a path from the root if any.
        names.add(_as_path(author.tree.relative(Path(word))))
    return [path for path in paths if any(_is_below(path, name) for name in names)]


def _as_path(word: str) -> bytes:
    return word.rstrip("/").encode("utf-8", "surrogateescape")


def _is_below(path: bytes, name: bytes) -> bool:
    return name in (b"", b".") or path == name or path.startswith(name + b"/")


def changed_by(judged: Replay, commit: str) -> Mapping[bytes, Entry | None]:
    """What a commit, on this branch or any other, has made of the governed paths that it changed.

    A merge has changed what differs from its first parent. Raises AuthoringError.
    """
    name = CommitId(commit)
    parents = judged.store.runner.text("rev-list", "--no-walk", "--parents", name).split(" ")[1:]
    (changes,) = judged.store.listings([Edge(CommitId(parents[0]) if parents else None, name)])
    if changes is None:
        raise AuthoringError(f"{commit[:12]} changes more than can be listed", "name the paths you want")
    return {change.path: change.new for change in changes}


def content(judged: Replay, entry: Entry | None) -> bytes | None:
    """A document's bytes; None for no document. Raises AuthoringError for what is too long to be one."""
    if entry is None:
        return None
    (data,) = judged.store.blobs([ObjectId(entry.id)], bounds.MAX_DOCUMENT_BYTES)
    if data is None:
        raise AuthoringError(f"a file of more than {bounds.MAX_DOCUMENT_BYTES} bytes is no document")
    return data
