"""The ledger's books: what is in effect at each path, who changed it last, and the hash that sums up history.

Immutable; each transaction makes new ones that share nearly all of the old. `entries` is the effective tree's
governed part.

Each transaction is one leaf of a log: its position, commit and verdict code, and what it changed. The hash
is chained over the leaves: two nodes with the same hash have judged the same history alike. `log` is the
frontier of a Merkle tree over them, by which a short proof shows that a transaction is in it
(docs/spec/ledger.md, section 5).

`retired` has the names of the tenants that were removed. It follows from the records, as all else here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from immutables import Map

from reconciler.ledger.judging.merkle import Frontier, leaf_hash
from reconciler.ledger.repository.objects import Change, CommitId, Entry, ObjectId, printable
from reconciler.ledger.verdict import Reason
from reconciler.model.documents import Tenant
from reconciler.model.paths import place_of

FILE_MODE = "100644"
_MAGIC = b"tnet/v1 ledger\0"
_NOTHING_BEFORE = "0" * 64


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

    `mark` is the last transaction that was accepted and changed something; `leaf` the hash of this
    transaction's leaf, the last one of `log`.
    """

    anchor: CommitId
    commit: CommitId
    position: int
    mark: CommitId
    hash: str
    leaf: bytes
    log: Frontier
    entries: Map[bytes, ObjectId]
    changed_by: Map[bytes, CommitId]
    retired: Map[str, None]

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

    def after(self, commit: CommitId, reason: Reason, touched: Iterable[Touched]) -> Books:
        """The books after this transaction, by what became of it."""
        items = tuple(touched)
        stepped = self._stepped(commit, reason, leaf_data(self.position + 1, commit, reason, items))
        return stepped._changed(items) if reason.changes_state else stepped

    def _stepped(self, commit: CommitId, reason: Reason, data: bytes) -> Books:
        """One transaction on, with all that holds whatever became of it."""
        leaf = leaf_hash(data)
        return replace(
            self,
            commit=commit,
            position=self.position + 1,
            mark=commit if reason.changes_state else self.mark,
            hash=_chained(self.hash, leaf),
            leaf=leaf,
            log=self.log.append(leaf),
        )

    def _changed(self, touched: tuple[Touched, ...]) -> Books:
        entries, changed_by, retired = self.entries.mutate(), self.changed_by.mutate(), self.retired.mutate()
        for item in _changing(touched):
            changed_by[item.path] = self.commit
            if item.result is None:
                entries.pop(item.path, None)
                retired.update(dict.fromkeys(_retired_by(item)))
            else:
                entries[item.path] = item.result.id
        return replace(
            self,
            entries=entries.finish(),
            changed_by=changed_by.finish(),
            retired=retired.finish(),
        )


def opened(anchor: CommitId, entries: Mapping[bytes, ObjectId]) -> Books:
    """The books at the anchor, with all of its documents in effect."""
    leaf = leaf_hash(anchor_leaf_data(anchor, entries))
    return Books(
        anchor=anchor,
        commit=anchor,
        position=0,
        mark=anchor,
        hash=_chained(_NOTHING_BEFORE, leaf),
        leaf=leaf,
        log=Frontier().append(leaf),
        entries=Map(entries),
        changed_by=Map(),
        retired=Map(),
    )


def anchor_leaf_data(anchor: CommitId, entries: Mapping[bytes, ObjectId]) -> bytes:
    """The content of the anchor's leaf: all of its documents."""
    return encode_leaf(0, anchor, Reason.ANCHOR, sorted(entries.items()))


def leaf_data(position: int, commit: CommitId, reason: Reason, touched: Iterable[Touched]) -> bytes:
    """The content of a transaction's leaf. What it changed is in it only if it counts."""
    changed = _changing(touched) if reason.changes_state else ()
    records = ((item.path, None if item.result is None else item.result.id) for item in changed)
    return encode_leaf(position, commit, reason, records)


def encode_leaf(
    position: int, commit: CommitId, reason: Reason, records: Iterable[tuple[bytes, ObjectId | None]]
) -> bytes:
    """The bytes of a leaf: position, commit, code, and by path what is in effect now (None: nothing)."""
    head = position.to_bytes(8, "big") + bytes.fromhex(commit) + reason.value.encode("ascii") + b"\0"
    return head + b"".join(_record(path, name) for path, name in records)


def _record(path: bytes, name: ObjectId | None) -> bytes:
    """Path, NUL, and the object's 20 bytes (zeros where the path is removed). No path holds a NUL."""
    return path + b"\0" + (bytes(20) if name is None else bytes.fromhex(name))


def _retired_by(removed: Touched) -> tuple[str, ...]:
    """The tenant's name that goes out of use with this document."""
    place = place_of(removed.path.decode("ascii"))
    return (place.tenant,) if place is not None and place.kind is Tenant else ()


def _changing(touched: Iterable[Touched]) -> tuple[Touched, ...]:
    return tuple(item for item in touched if not item.is_repair)


def _chained(before: str, leaf: bytes) -> str:
    return hashlib.sha256(_MAGIC + bytes.fromhex(before) + leaf).hexdigest()
