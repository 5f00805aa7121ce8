"""What may come onto the checkpoints' branch.

The branch is replaced each time (reconciler/ledger/checkpoints/checkpoint_branch.py), so it isn't its history
that only goes on, but what it says: a checkpoint never gives way to an older one or to none, and a new one is
signed by those who may, of this ledger, and agrees with it.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from reconciler.ledger.anchor import Anchor
from reconciler.ledger.chain import beginning
from reconciler.ledger.chain.course import Course
from reconciler.ledger.checkpoints import checkpoint, checkpoint_branch
from reconciler.ledger.checkpoints.checkpoint import Checkpoint, CheckpointRefused
from reconciler.ledger.checkpoints.snapshot import SnapshotForged, require_snapshot
from reconciler.ledger.checkpoints.witness import require_agreement, verified, witness_quorum
from reconciler.ledger.repository.objects import CommitId


class CheckpointGivesWay(CheckpointRefused):
    """Where a checkpoint was would be none, or an older one."""


def require_checkpoints(course: Course, anchor: Anchor, old: CommitId | None, new: CommitId) -> None:
    """`course` is the ledger as it stands on the server. Raises `CheckpointRefused`."""
    before = _NOTHING if old is None else _held(course, old)
    after = _held(course, new)
    if after.witness != before.witness:
        _require_witness(course, anchor, after.witness)
        _require_newer("witness", before.witness, after.witness)
    if after.snapshot != before.snapshot:
        _require_snapshot(course, anchor, after.snapshot)
        _require_newer("snapshot", before.snapshot, after.snapshot)
    if after.snapshot is not None and after != before:
        _require_content(checkpoint.parse(after.snapshot).checkpoint, after.state)


class _Held(NamedTuple):
    """What the branch holds."""

    witness: bytes | None
    snapshot: bytes | None
    state: bytes | None


_NOTHING = _Held(None, None, None)


def _held(course: Course, commit: CommitId) -> _Held:
    files = checkpoint_branch.read(course.store, commit)
    return _Held(files.witness(), files.snapshot(), files.state())


def _require_witness(course: Course, anchor: Anchor, data: bytes | None) -> None:
    if data is not None:
        found = verified(data, anchor.commit, witness_quorum(course.state.model))
        require_agreement(found.checkpoint, course)


def _require_snapshot(course: Course, anchor: Anchor, data: bytes | None) -> None:
    if data is not None:
        signed = require_snapshot(data, anchor.commit)
        checkpoint.verify(signed, beginning.pinned_root(course.store, anchor))
        require_agreement(signed.checkpoint, course)


def _require_content(snapshot: Checkpoint, state: bytes | None) -> None:
    content = snapshot.content
    if content is None or state is None or hashlib.sha256(state).hexdigest() != content.sha256:
        raise SnapshotForged(f"the state beside the {snapshot} isn't the one that was signed")


def _require_newer(kind: str, old: bytes | None, new: bytes | None) -> None:
    last = None if old is None else _readable(old)
    if last is None:
        return
    if new is None:
        raise CheckpointGivesWay(f"the {last} would go", "put the newest of each kind on the branch")
    if checkpoint.parse(new).checkpoint.sequence <= last.sequence:
        raise CheckpointGivesWay(
            f"the {last} would give way to another {kind} that isn't newer",
            "fetch the branch, and give yours a higher sequence",
        )


def _readable(data: bytes) -> Checkpoint | None:
    """What came there before there was a hook may be anything."""
    try:
        return checkpoint.parse(data).checkpoint
    except CheckpointRefused:
        return None
