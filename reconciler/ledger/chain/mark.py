"""The high-water mark: how far this node has come, kept outside the clone so that it outlives it.

It names the last transaction that was accepted and changed something. Whatever a remote shows must have it on
its first-parent chain. Written before a new state is acted on, and moved elsewhere than forward only by a
re-anchor record (`reanchor`). Who was root there is kept with it: by their word alone it may be moved.

See docs/spec/ledger.md, section 6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from reconciler.ledger.chain.course import Course
from reconciler.ledger.judging.authority import policy_of
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.trouble import MarkDamaged
from reconciler.model.documents import Signers
from reconciler.whole_file import write_whole

_CHECK = "digest"


@dataclass(frozen=True, slots=True)
class Mark:
    """A transaction of the ledger that begins at `anchor`; `root` are the signers of its policy.

    `reanchored` is the sequence of the last re-anchor record that was followed, 0 before the first;
    `witness_left` and `snapshot_left` are those of the newest checkpoints that were seen until then.
    """

    anchor: CommitId
    commit: CommitId
    position: int
    state_hash: str
    root: Signers
    reanchored: int = 0
    witness_left: int = 0
    snapshot_left: int = 0


def reached(course: Course, before: Mark | None) -> Mark:
    """The mark of this course. What was followed and left before is kept with it."""
    books, root = course.books, policy_of(course.state.model).spec.root
    at = next(verdict for verdict in reversed(course.verdicts) if verdict.commit == books.mark)
    found = Mark(books.anchor, at.commit, at.position, at.state_hash, root)
    if before is None:
        return found
    return replace(
        found,
        reanchored=before.reanchored,
        witness_left=before.witness_left,
        snapshot_left=before.snapshot_left,
    )


def read(path: Path) -> Mark | None:
    """The mark; None before the first. Raises `MarkDamaged`."""
    try:
        return _decoded(path.read_bytes())
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, ValueError) as damaged:
        raise MarkDamaged(
            f"the mark {path} can't be read: {damaged}",
            "if the remote is known to be sound, remove the file: the node then starts from its anchor",
        ) from None


def write(path: Path, mark: Mark) -> None:
    """Puts the mark there, whole or not at all, and on the disk before it returns. Raises OSError."""
    fields = msgspec.to_builtins(mark)
    write_whole(path, msgspec.json.encode({**fields, _CHECK: _digest(fields)}), mode=0o644, durable=True)


def _decoded(data: bytes) -> Mark:
    """Raises ValueError."""
    fields = msgspec.json.decode(data, type=dict[str, object])
    if fields.pop(_CHECK, None) != _digest(fields):
        raise ValueError("its digest is another's")
    return msgspec.convert(fields, Mark)


def _digest(fields: Mapping[str, object]) -> str:
    """A bit that has turned over on the disk must not become another mark."""
    return hashlib.sha256(msgspec.json.encode(fields, order="deterministic")).hexdigest()
