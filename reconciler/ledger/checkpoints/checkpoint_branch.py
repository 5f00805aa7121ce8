"""The branch on which checkpoints travel: at most three files, of which only the newest matter.

    witness     the newest witness checkpoint
    snapshot    the newest snapshot checkpoint
    state       the state that the snapshot stands for

The branch is one commit without parents, replaced each time, so it doesn't grow. Nodes look for these names
and at nothing else in it. Whoever can write it can withhold checkpoints, as the forge can, and no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler.ledger.checkpoints import state_file
from reconciler.ledger.checkpoints.checkpoint import CheckpointRefused
from reconciler.ledger.repository.objects import CommitId, Entry
from reconciler.ledger.repository.store import Store
from reconciler.ledger.signatures import signed_text
from reconciler.ledger.trouble import LocalTrouble

NAME = "tnet-checkpoints"
"""What the branch is called if nobody says otherwise."""
CHECKPOINTS_REF = "refs/tnet/checkpoints"
"""Where a node's clone keeps it."""

WITNESS, SNAPSHOT, STATE = b"witness", b"snapshot", b"state"


class CheckpointTooLarge(CheckpointRefused):
    """More than there may be."""


class CheckpointUnreadable(CheckpointRefused):
    """The branch holds something else than plain files under these names."""


@dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """What the branch holds at `commit`; the files are read when they are wanted."""

    commit: CommitId
    _entries: Mapping[bytes, Entry]
    _store: Store

    def witness(self) -> bytes | None:
        """The witness's file; None if there is none. Raises `CheckpointRefused`."""
        return self._file(WITNESS, signed_text.MAX_BYTES)

    def snapshot(self) -> bytes | None:
        """The snapshot's file; None if there is none. Raises `CheckpointRefused`."""
        return self._file(SNAPSHOT, signed_text.MAX_BYTES)

    def state(self, at_most: int = state_file.MAX_BYTES) -> bytes | None:
        """The state's file of at most so many bytes; None if there is none. Raises `CheckpointRefused`."""
        return self._file(STATE, min(at_most, state_file.MAX_BYTES))

    def _file(self, name: bytes, limit: int) -> bytes | None:
        entry = self._entries.get(name)
        if entry is None:
            return None
        if not entry.is_plain_file:
            raise CheckpointUnreadable(f"{name.decode()} on the checkpoints' branch is no plain file")
        with _unreadable():
            (data,) = self._store.blobs([entry.id], limit)
        if data is None:
            raise CheckpointTooLarge(f"{name.decode()} on the checkpoints' branch has over {limit} bytes")
        return data


def read(store: Store, commit: CommitId) -> CheckpointFiles:
    """What the branch holds at this commit of it. Raises `CheckpointRefused`."""
    with _unreadable():
        found = store.files_at([commit], (WITNESS, SNAPSHOT, STATE))
    return CheckpointFiles(commit, found[commit], store)


@contextmanager
def _unreadable() -> Iterator[None]:
    """Whatever is wrong with objects on this branch is no trouble for the ledger: it needs none of them."""
    try:
        yield
    except LocalTrouble as trouble:
        raise CheckpointUnreadable(f"the checkpoints' branch can't be read: {trouble}") from None
