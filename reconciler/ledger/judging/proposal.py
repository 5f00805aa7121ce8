"""A transaction that isn't one yet: files on top of the judged ledger, to be judged as if committed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.ledger import bounds
from reconciler.ledger.judging.books import FILE_MODE
from reconciler.ledger.judging.provider import Transaction
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.repository.objects import Change, CommitId, Entry, ObjectId, object_id
from reconciler.ledger.repository.store import Edge
from reconciler.ledger.signatures.keys import PublicKey
from reconciler.ledger.verdict import Reason

SUBJECT = "uncommitted changes"


@dataclass(frozen=True, slots=True)
class File:
    """A file's content, with the mode git would give it."""

    data: bytes
    mode: str = FILE_MODE

    @property
    def entry(self) -> Entry:
        return Entry(self.mode, object_id("blob", self.data))


class Proposal:
    """The transaction that these files (None: removed) would make, and all that the judge asks about it.

    What `message` adopts must be among the files.
    """

    def __init__(
        self,
        parent: CommitId,
        present: Mapping[bytes, Entry],
        files: Mapping[bytes, File | None],
        signer: PublicKey | None,
        message: str = SUBJECT,
    ) -> None:
        self._signer = signer
        self._blobs = {file.entry.id: file.data for file in files.values() if file is not None}
        self._entries = {path: file.entry for path, file in files.items() if file is not None}
        self.transaction = _transaction(parent, present, self._entries, files.keys(), message)

    def signer(self, commit: CommitId) -> PublicKey:
        if self._signer is None:
            raise Rejected(Reason.UNSIGNED, "it is not signed")
        return self._signer

    def raw(self, commit: CommitId) -> bytes:
        return self.transaction.raw

    def blob(self, name: ObjectId) -> bytes | None:
        data = self._blobs[name]
        return data if len(data) <= bounds.MAX_DOCUMENT_BYTES else None

    def merged(self, transaction: Transaction) -> Mapping[CommitId, tuple[CommitId, ...]] | None:
        return {}

    def differences(self, edges: Sequence[Edge], paths: frozenset[bytes]) -> Sequence[tuple[Change, ...]]:
        return ()

    def listings(self, edges: Sequence[Edge]) -> Sequence[tuple[Change, ...] | None]:
        return ()

    def files_at(
        self, commits: Sequence[CommitId], paths: Collection[bytes]
    ) -> Mapping[CommitId, Mapping[bytes, Entry]]:
        found = {path: self._entries[path] for path in paths if path in self._entries}
        return dict.fromkeys(commits, found)

    def descends(self, commit: CommitId, ancestor: CommitId) -> bool:
        return True


def _transaction(
    parent: CommitId,
    present: Mapping[bytes, Entry],
    entries: Mapping[bytes, Entry],
    paths: Iterable[bytes],
    message: str,
) -> Transaction:
    raw = f"tree {'0' * 40}\nparent {parent}\nauthor <> 0 +0000\ncommitter <> 0 +0000\n\n{message}\n".encode()
    changes = (Change(path, present.get(path), entries.get(path)) for path in paths)
    changed = tuple(change for change in changes if change.old != change.new)
    return Transaction(CommitId(object_id("commit", raw)), (parent,), raw, changed)
