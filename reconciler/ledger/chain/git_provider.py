"""The judge's questions answered from a repository, with what many transactions need read in one go."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass

from reconciler.ledger import bounds, governed
from reconciler.ledger.chain import ahead
from reconciler.ledger.chain.ahead import Ask, Findings, Refusal, Task, processes
from reconciler.ledger.chain.history import History
from reconciler.ledger.judging.provider import Transaction
from reconciler.ledger.judging.signing import key_that_signed
from reconciler.ledger.repository.ancestry import Parents
from reconciler.ledger.repository.objects import Change, CommitId, Entry, ObjectId
from reconciler.ledger.repository.store import Edge, Step, Store
from reconciler.ledger.signatures.keys import PublicKey

CHUNK = 300
"""Transactions read ahead at once."""
CHUNK_CHANGES = 20_000
"""Fewer of them if they change so much: three hundred lists as long as a list may be don't fit anywhere."""
CHUNKS_AHEAD = 4
"""So many of them while others work on them."""
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
        self._signers: dict[CommitId, bytes | Refusal] = {}
        self._blobs: dict[ObjectId, bytes] = {}
        self._merged: tuple[CommitId, Parents | None] | None = None

    def transactions(self, steps: Sequence[Step]) -> Iterator[Transaction]:
        """The transactions of these steps of the chain, in order."""
        with processes(len(steps)) as ask:
            for chunk in _begun_early(self._chunks(steps, ask), 0 if ask is None else CHUNKS_AHEAD):
                self._commits, self._blobs = chunk.commits, chunk.blobs
                self._signers = chunk.signers()
                yield from chunk.transactions

    def _chunks(self, steps: Sequence[Step], ask: Ask | None) -> Iterator[_Chunk]:
        done = 0
        while done < len(steps):
            chunk = self._read_ahead(steps[done : done + CHUNK])
            done += len(chunk.transactions)
            if ask is not None:
                chunk.ask(ask)
            yield chunk

    def _read_ahead(self, steps: Sequence[Step]) -> _Chunk:
        """As many of these as fit into the memory, and one at least."""
        changes = self._listed([Edge(step.parents[0], step.commit) for step in steps])
        steps = steps[: len(changes)]
        commits = [step.commit for step in steps]
        raws = self._store.commits(commits)
        documents = {name: path for each in changes for name, path in _documents(each or ())}
        blobs = self._store.blobs(list(documents), READ_AHEAD_BYTES)
        return _Chunk(
            [
                Transaction(step.commit, step.parents, raw, changed)
                for step, raw, changed in zip(steps, raws, changes, strict=True)
            ],
            dict(zip(commits, raws, strict=True)),
            documents,
            {name: blob for name, blob in zip(documents, blobs, strict=True) if blob is not None},
        )

    def _listed(self, edges: Sequence[Edge]) -> list[tuple[Change, ...] | None]:
        found: list[tuple[Change, ...] | None] = []
        left = CHUNK_CHANGES
        with closing(self._store.each_listing(edges)) as listings:
            for changes in listings:
                found.append(changes)
                left -= len(changes or ())
                if left <= 0:
                    break
        return found

    def signer(self, commit: CommitId) -> PublicKey:
        found = self._signers.get(commit)
        return key_that_signed(self.raw(commit)) if found is None else ahead.signer(found)

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
        return self._history.descends(commit, ancestor)


@dataclass(slots=True)
class _Chunk:
    """Some transactions and what was read for them: commits, the paths of their documents, and contents."""

    transactions: list[Transaction]
    commits: dict[CommitId, bytes]
    paths: dict[ObjectId, str]
    blobs: dict[ObjectId, bytes]
    _task: Task | None = None
    _findings: Future[Findings] | None = None

    def ask(self, ask: Ask) -> None:
        """Has signatures verified and documents read elsewhere."""
        documents = [(self.paths[name], blob) for name, blob in self.blobs.items()]
        self._task = Task(list(self.commits.values()), documents)
        self._findings = ask(self._task)

    def signers(self) -> dict[CommitId, bytes | Refusal]:
        """What has been found, which is waited for."""
        if self._task is None or self._findings is None:
            return {}
        findings = self._findings.result()
        ahead.remember(self._task, findings)
        return dict(zip(self.commits, findings.signers, strict=False))


def _begun_early(chunks: Iterator[_Chunk], early: int) -> Iterator[_Chunk]:
    """The same, each taken so many before it is wanted."""
    waiting: deque[_Chunk] = deque()
    for chunk in chunks:
        waiting.append(chunk)
        if len(waiting) > early:
            yield waiting.popleft()
    yield from waiting


def _documents(changes: Sequence[Change]) -> Iterator[tuple[ObjectId, str]]:
    """The blobs that will be wanted if these changes get as far as their content, and where they lie."""
    if len(changes) > READ_AHEAD_DOCUMENTS:
        return
    for change in changes:
        if change.new and change.new.is_plain_file and governed.place(change.path) is not None:
            yield change.new.id, change.path.decode("ascii")
