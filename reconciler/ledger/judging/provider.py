"""What the judge has to be told of the repository, as the one interface between it and Git."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.ledger.repository.objects import Change, CommitId, Entry, ObjectId
from reconciler.ledger.repository.store import Edge
from reconciler.ledger.signatures.keys import PublicKey


@dataclass(frozen=True, slots=True)
class Transaction:
    """One commit of the ledger: its raw bytes, all its parents (the first is the ledger's previous commit),
    and every governed file in which it differs from the first parent; None for the `changes` of one that
    changes more than may be listed (`bounds.MAX_LISTED`, `MAX_DEPTH`, `MAX_PATH_BYTES`)."""

    commit: CommitId
    parents: tuple[CommitId, ...]
    raw: bytes
    changes: tuple[Change, ...] | None

    @property
    def is_merge(self) -> bool:
        return len(self.parents) > 1


class Provider(Protocol):
    """Answers about objects. The same question always has the same answer.

    Every method may raise a `LocalTrouble` when it can't tell; the judge lets that through.
    """

    def signer(self, commit: CommitId) -> PublicKey:
        """The key whose valid signature the commit carries. Raises `Rejected`."""

    def raw(self, commit: CommitId) -> bytes:
        """The raw bytes of a transaction, or of a commit that a merge brings in."""

    def blob(self, name: ObjectId) -> bytes | None:
        """The content of a blob; None if it is longer than `bounds.MAX_DOCUMENT_BYTES`."""

    def merged(self, transaction: Transaction) -> Mapping[CommitId, tuple[CommitId, ...]] | None:
        """The parents of each commit that a merge brings in: reachable through its other parents and not
        through its first. None if there are more than `bounds.MAX_MERGED_COMMITS`."""

    def differences(self, edges: Sequence[Edge], paths: frozenset[bytes]) -> Sequence[tuple[Change, ...]]:
        """What each of these commits changed against that parent, of these paths alone."""

    def listings(self, edges: Sequence[Edge]) -> Sequence[tuple[Change, ...] | None]:
        """Every governed file in which each of these commits differs from that parent; None where they are
        more than may be listed."""

    def files_at(
        self, commits: Sequence[CommitId], paths: Collection[bytes]
    ) -> Mapping[CommitId, Mapping[bytes, Entry]]:
        """By commit the files that stand at those of the paths where there are any."""

    def descends(self, commit: CommitId, ancestor: CommitId) -> bool:
        """Whether `ancestor`, a transaction of the ledger, is reachable from `commit` (or is it)."""
