"""Where a new node may begin instead of at the anchor: a state that root has signed.

It is believed only as far as the node can tell without judging what came before: signed by root as the
*pinned* policy has it, of this ledger, its commit on the first-parent chain at the position it says, the
bytes of the state those that were signed. Whatever else is wrong with it, the node judges from the anchor.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.ledger import governed
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.chain import beginning
from reconciler.ledger.chain.beginning import Start
from reconciler.ledger.chain.chronicle import Chronicle
from reconciler.ledger.checkpoints import checkpoint, state_file
from reconciler.ledger.checkpoints.checkpoint import (
    Checkpoint,
    CheckpointForeign,
    CheckpointMalformed,
    CheckpointRefused,
    Kind,
    Place,
    SignedCheckpoint,
)
from reconciler.ledger.judging.books import Books
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.repository.store import Store
from reconciler.ledger.verdict import Reason
from reconciler.model.paths import POLICY_PATH
from reconciler.whole_file import write_whole


class SnapshotOffChain(CheckpointRefused):
    """Its commit isn't where it says on the first-parent chain."""


class SnapshotForged(CheckpointRefused):
    """The state isn't the one that was signed."""


class SnapshotAhead(CheckpointRefused):
    """Of a transaction that comes after one of which this node knows the state, its mark for instance."""


class SnapshotContradicted(CheckpointRefused):
    """From there on, the ledger comes to another state than this node has come to before."""


def require_snapshot(data: bytes, anchor: CommitId) -> SignedCheckpoint:
    """The snapshot in a file, not yet verified. Raises `CheckpointRefused`."""
    signed = checkpoint.parse(data)
    if signed.checkpoint.kind is not Kind.SNAPSHOT:
        raise CheckpointMalformed("where a snapshot should be is a witness")
    require_this_ledger(signed.checkpoint, anchor)
    return signed


def require_this_ledger(found: Checkpoint, anchor: CommitId) -> None:
    """Raises `CheckpointForeign`."""
    if found.anchor != anchor:
        raise CheckpointForeign(
            f"the {found} is of the ledger that begins at {found.anchor[:12]}, not {anchor[:12]}"
        )


ReadState = Callable[[int], bytes | None]
"""Reads the file with the state, of at most so many bytes; None if there is none."""


def begin(
    store: Store, anchor: Anchor, chain: Sequence[CommitId], data: bytes, read_state: ReadState
) -> Start:
    """The start that a snapshot's two files give. `chain` are the transactions after the anchor.

    The state, which may be large, is read only once root has vouched for its length. Raises
    `CheckpointRefused`, and `LocalTrouble`s for what is wrong with the repository.
    """
    signed = require_snapshot(data, anchor.commit)
    checkpoint.verify(signed, beginning.pinned_root(store, anchor))
    place = signed.checkpoint.place
    if not 1 <= place.position <= len(chain) or chain[place.position - 1] != place.commit:
        raise SnapshotOffChain(
            f"the {signed.checkpoint} is of {place.commit[:12]}, which isn't transaction {place.position} "
            "of this branch"
        )
    return beginning.start(store, _books(signed.checkpoint, read_state), Reason.SNAPSHOT)


def _books(snapshot: Checkpoint, read_state: ReadState) -> Books:
    content = snapshot.content
    assert content is not None
    state = read_state(content.size_bytes) or b""
    if len(state) != content.size_bytes or hashlib.sha256(state).hexdigest() != content.sha256:
        raise SnapshotForged(f"the state beside the {snapshot} isn't the one that was signed")
    try:
        books = state_file.decode(state)
    except state_file.StateMalformed as broken:
        raise SnapshotForged(f"the {snapshot} can't be used: {broken}") from None
    documents = POLICY_PATH.encode("ascii") in books.entries and all(map(governed.place, books.entries))
    if books.anchor != snapshot.anchor or Place.of(books) != snapshot.place or not documents:
        raise SnapshotForged(f"the state beside the {snapshot} is not what its text says")
    return books


@dataclass(frozen=True, slots=True)
class Shelf:
    """The snapshot from which this clone's ledger was begun, with the chronicle of what came after it.

    A cache as the clone is: without it, the node begins anew.
    """

    directory: Path
    anchor: CommitId

    def snapshot(self) -> bytes | None:
        """The snapshot's file; None if this clone was begun at the anchor."""
        return self._snapshot.read_bytes() if self._snapshot.exists() else None

    def state(self, at_most: int) -> bytes | None:
        """The state's file, cut off after so many bytes and one; None if it isn't there."""
        if not self._state.exists():
            return None
        with self._state.open("rb") as file:
            return file.read(at_most + 1)

    def put(self, snapshot: bytes, state: bytes) -> None:
        """Begins here from now on; what was judged after another snapshot is forgotten. Raises OSError."""
        self.clear()
        self.directory.mkdir(parents=True, exist_ok=True)
        write_whole(self._state, state, mode=0o644)
        write_whole(self._snapshot, snapshot, mode=0o644)

    def clear(self) -> None:
        """Begins at the anchor from now on."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def chronicle(self, start: Start) -> Chronicle:
        """Of what was judged from this start on."""
        return Chronicle(self.directory / "chronicle.jsonl", start.books.commit)

    @property
    def _snapshot(self) -> Path:
        return self.directory / "snapshot"

    @property
    def _state(self) -> Path:
        return self.directory / "state"
