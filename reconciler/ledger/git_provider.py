"""The judge's questions answered from a repository, with what many transactions need read in one go."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from reconciler.ledger import bounds, governed
from reconciler.ledger.history import History, Parents
from reconciler.ledger.keys import PublicKey
from reconciler.ledger.objects import Change, CommitId, Entry, ObjectId
from reconciler.ledger.provider import Transaction
from reconciler.ledger.signing import key_that_signed
from reconciler.ledger.store import Edge, Step, Store

CHUNK = 500
"""Transactions read ahead at once."""
READ_AHEAD_DOCUMENTS = 8
READ_AHEAD_BYTES = 16 << 10
"""Of a transaction that changes more documents, or longer ones, they are read one by one, once they are
wanted: what nobody has signed must not fill the memory."""


class GitProvider:
    """Implements `provider.Provider`."""

    def __init__(self, store: Store, history: History) -> None:
        self._store = store
        self._history = history
        self._commits: dict[CommitId, bytes] = {}
        self._blobs: dict[ObjectId, bytes] = {}
        self._merged: tuple[CommitId, Parents | None] | None = None

    def transactions(self, steps: Sequence[Step]) -> Iterator[Transaction]:
        """The transactions of these steps of the chain, in order."""
        for start in range(0, len(steps), CHUNK):
            yield from self._read_ahead(steps[start : start + CHUNK])

    def _read_ahead(self, steps: Sequence[Step]) -> list[Transaction]:
        commits = [step.commit for step in steps]
        raws = self._store.commits(commits)
        changes = self._store.listings([Edge(step.parents[0], step.commit) for step in steps])
        self._commits = dict(zip(commits, raws, strict=True))
        names = sorted({name for each in changes for name in _documents(each or ())})
        blobs = self._store.blobs(names, READ_AHEAD_BYTES)
        self._blobs = {name: blob for name, blob in zip(names, blobs, strict=True) if blob is not None}
        return [
            Transaction(step.commit, step.parents, raw, changed)
            for step, raw, changed in zip(steps, raws, changes, strict=True)
        ]

    def signer(self, commit: CommitId) -> PublicKey:
        return key_that_signed(self.raw(commit))

    def raw(self, commit: CommitId) -> bytes:
        return self._commits.get(commit) or self._store.commits([commit])[0]

    def blob(self, name: ObjectId) -> bytes | None:
        ahead = self._blobs.get(name)
        return ahead if ahead is not None else self._store.blobs([name], bounds.MAX_DOCUMENT_BYTES)[0]

    def merged(self, transaction: Transaction) -> Mapping[CommitId, tuple[CommitId, ...]] | None:
        first, *others = transaction.parents
        if self._merged is None or self._merged[0] != transaction.commit:
            self._merged = (transaction.commit, self._history.merged(first, others))
        return self._merged[1]

    def differences(self, edges: Sequence[Edge], paths: frozenset[bytes]) -> Sequence[tuple[Change, ...]]:
        return self._store.differences(edges, paths)

    def listings(self, edges: Sequence[Edge]) -> Sequence[tuple[Change, ...] | None]:
        return self._store.listings(edges)

    def files_at(
        self, commits: Sequence[CommitId], paths: Collection[bytes]
    ) -> Mapping[CommitId, Mapping[bytes, Entry]]:
        return self._store.files_at(commits, paths)

    def descends(self, commit: CommitId, ancestor: CommitId) -> bool:
        merged = (self._merged[1] if self._merged else None) or {}
        return self._history.descends(commit, ancestor, merged)


def _documents(changes: Sequence[Change]) -> Iterator[ObjectId]:
    """The blobs that will be wanted if these changes get as far as their content."""
    if len(changes) > READ_AHEAD_DOCUMENTS:
        return
    for change in changes:
        if change.new and change.new.is_plain_file and governed.place(change.path) is not None:
            yield change.new.id
