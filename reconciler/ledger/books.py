"""The ledger's books: what is in effect at each path, who changed it last, and the hash that sums up history.

Immutable; each transaction makes new ones that share nearly all of the old. `entries` is the effective tree's
governed part. `dirty` lists the paths where the commit's own tree differs from it (after a rejection), so
the effective tree is that commit's tree with these few paths replaced.

The hash is chained: each transaction's verdict code and what it changed are hashed onto the hash before. Two
nodes with the same hash have judged the same history alike (docs/spec/ledger.md, "State").
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from immutables import Map

from reconciler.ledger.objects import Change, CommitId, Entry, ObjectId, printable
from reconciler.ledger.verdict import Reason

FILE_MODE = "100644"
_ANCHOR_MAGIC = b"tnet/v1 ledger anchor\0"
_STEP_MAGIC = b"tnet/v1 ledger step\0"


@dataclass(frozen=True, slots=True)
class Touched:
    """A governed path that a transaction's commit sets: what is in effect, what stands there in the first
    parent (`base`) and what in the commit itself (`result`)."""

    path: bytes
    effective: Entry | None
    base: Entry | None
    result: Entry | None

    @property
    def is_repair(self) -> bool:
        """The commit brings back what is in effect: it needs nobody's signature."""
        return self.result == self.effective

    @property
    def name(self) -> str:
        """The path for people: what isn't printable is escaped."""
        return printable(self.path)


@dataclass(frozen=True, slots=True)
class Books:
    """The books after `commit`, the `position`-th transaction after the anchor (which has 0).

    `mark` is the last transaction that was accepted and changed something.
    """

    anchor: CommitId
    commit: CommitId
    position: int
    mark: CommitId
    hash: str
    entries: Map[bytes, ObjectId]
    dirty: Map[bytes, None]
    changed_by: Map[bytes, CommitId]

    def effective(self, path: bytes) -> Entry | None:
        """What is in effect at a governed path."""
        name = self.entries.get(path)
        return None if name is None else Entry(FILE_MODE, name)

    def last_change(self, path: bytes) -> CommitId:
        """The transaction that last changed the path; the anchor for what no transaction has changed."""
        return self.changed_by.get(path, self.anchor)

    def touched(self, changes: Iterable[Change]) -> tuple[Touched, ...]:
        """The changes of governed paths beside what is in effect there, sorted by path."""
        return tuple(
            Touched(change.path, self.effective(change.path), change.old, change.new)
            for change in sorted(changes, key=lambda change: change.path)
        )

    def overlay(self) -> dict[bytes, Entry | None]:
        """How the effective tree differs from the tree of `commit`."""
        return {path: self.effective(path) for path in self.dirty}

    def after(self, commit: CommitId, reason: Reason, touched: Iterable[Touched]) -> Books:
        """The books after this transaction, by what became of it."""
        if reason is Reason.ACCEPTED:
            return self._changed(commit, tuple(touched))
        return self._unchanged(commit, reason, touched)

    def _unchanged(self, commit: CommitId, reason: Reason, touched: Iterable[Touched]) -> Books:
        dirty = self.dirty.mutate()
        for item in touched:
            if item.is_repair:
                dirty.pop(item.path, None)
            else:
                dirty[item.path] = None
        return replace(
            self,
            commit=commit,
            position=self.position + 1,
            hash=_step_hash(self.hash, commit, reason, ()),
            dirty=dirty.finish(),
        )

    def _changed(self, commit: CommitId, touched: tuple[Touched, ...]) -> Books:
        entries, dirty = self.entries.mutate(), self.dirty.mutate()
        changed_by = self.changed_by.mutate()
        changed = tuple(item for item in touched if not item.is_repair)
        for item in touched:
            dirty.pop(item.path, None)
        for item in changed:
            changed_by[item.path] = commit
            if item.result is None:
                entries.pop(item.path, None)
            else:
                entries[item.path] = item.result.id
        return replace(
            self,
            commit=commit,
            position=self.position + 1,
            mark=commit,
            hash=_step_hash(self.hash, commit, Reason.ACCEPTED, changed),
            entries=entries.finish(),
            dirty=dirty.finish(),
            changed_by=changed_by.finish(),
        )


def opened(anchor: CommitId, entries: Mapping[bytes, ObjectId]) -> Books:
    """The books at the anchor, with all of its documents in effect."""
    return Books(
        anchor=anchor,
        commit=anchor,
        position=0,
        mark=anchor,
        hash=_anchor_hash(anchor, entries),
        entries=Map(entries),
        dirty=Map(),
        changed_by=Map(),
    )


def _anchor_hash(anchor: CommitId, entries: Mapping[bytes, ObjectId]) -> str:
    digest = hashlib.sha256(_ANCHOR_MAGIC + bytes.fromhex(anchor))
    for path, name in sorted(entries.items()):
        digest.update(_path_record(path, name))
    return digest.hexdigest()


def _step_hash(before: str, commit: CommitId, reason: Reason, changed: tuple[Touched, ...]) -> str:
    digest = hashlib.sha256(_STEP_MAGIC + bytes.fromhex(before) + bytes.fromhex(commit))
    digest.update(reason.value.encode("ascii") + b"\0")
    for item in changed:
        digest.update(_path_record(item.path, None if item.result is None else item.result.id))
    return digest.hexdigest()


def _path_record(path: bytes, name: ObjectId | None) -> bytes:
    """Path, NUL, and the object's 20 bytes (zeros where the path is removed). No path holds a NUL."""
    return path + b"\0" + (bytes(20) if name is None else bytes.fromhex(name))
