"""Where a node's ledger begins in its clone: at the anchor, or at a snapshot if there was nothing before.

See docs/spec/ledger.md, section 6.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from reconciler.ledger.anchor import Anchor
from reconciler.ledger.chain.chronicle import Chronicle
from reconciler.ledger.chain.clone import Clone
from reconciler.ledger.chain.course import Course, resume, resume_from
from reconciler.ledger.chain.mark import Mark
from reconciler.ledger.checkpoints import snapshot
from reconciler.ledger.checkpoints.checkpoint import CheckpointRefused
from reconciler.ledger.checkpoints.checkpoint_branch import CheckpointFiles
from reconciler.ledger.checkpoints.snapshot import ReadState, Shelf, SnapshotAhead, SnapshotContradicted
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.trouble import AnchorRefused, Damaged
from reconciler.ledger.verdict import Reason

log = logging.getLogger(__name__)


class Origin:
    """Gives the course as far as it was judged before. `refused` says why a snapshot wasn't used, if so."""

    def __init__(self, clone: Clone, anchor: Anchor, branch: Callable[[], CheckpointFiles | None]) -> None:
        self._clone = clone
        self._anchor = anchor
        self._branch = branch
        self._chronicle = Chronicle(clone.path / "tnet" / "chronicle.jsonl", anchor.commit)
        self._shelf = Shelf(clone.path / "tnet" / "snapshot", anchor.commit)
        self._begun_with = b""
        self._contradicted: set[bytes] = set()
        self.refused: CheckpointRefused | None = None

    def resume(self, chain: Sequence[CommitId], over: int | None) -> Course:
        """The course over this chain (the transactions after the anchor). Raises `LocalTrouble`s.

        With `over`, what is known of the ledger at that position is to be compared: so no snapshot is used
        that comes after it.
        """
        kept = self._shelf.snapshot()
        course = None if kept is None else self._from(chain, over, kept, self._shelf.state)
        if course is not None:
            return course
        self._shelf.clear()
        course = resume(self._clone.store, self._anchor, self._chronicle, chain)
        return course if course.books.position else self._from_branch(chain, over) or course

    def require_mark(self, course: Course, marked: Mark | None) -> None:
        """Raises `CheckpointRefused` if a course begun at a snapshot has another state at this node's mark.

        The snapshot isn't used again.
        """
        if marked is None or course.start.verdict.reason is not Reason.SNAPSHOT:
            return
        verdict = course.verdict_at(marked.position)
        if verdict is not None and verdict.state_hash == marked.state_hash:
            return
        self._contradicted.add(self._begun_with)
        self._shelf.clear()
        self.refused = SnapshotContradicted(
            f"from the snapshot of {course.start.books.commit[:12]}, the ledger comes to another state at "
            f"{marked.commit[:12]} than this node has come to before",
            "root has signed a state that isn't the ledger's: find out how, before another node starts there",
        )
        raise self.refused

    def _from_branch(self, chain: Sequence[CommitId], over: int | None) -> Course | None:
        try:
            files = self._branch()
            data = None if files is None else files.snapshot()
        except CheckpointRefused as refused:
            self.refused = refused
            return None
        if files is None or data is None or data in self._contradicted:
            return None
        course = self._from(chain, over, data, files.state)
        if course is not None:
            self._keep(data, files)
        return course

    def _from(
        self, chain: Sequence[CommitId], over: int | None, data: bytes, read_state: ReadState
    ) -> Course | None:
        """The course from this snapshot; None if it can't be used."""
        store = self._clone.store
        try:
            start = snapshot.begin(store, self._anchor, chain, data, read_state)
            _require_not_beyond(start.books.position, over)
            course = resume_from(store, start, self._shelf.chronicle(start), chain)
        except (CheckpointRefused, AnchorRefused, Damaged) as trouble:
            refused = trouble if isinstance(trouble, CheckpointRefused) else _unusable(trouble)
            log.warning("the snapshot isn't used: %s", refused)
            self.refused = refused
            return None
        self.refused, self._begun_with = None, data
        return course

    def _keep(self, data: bytes, files: CheckpointFiles) -> None:
        """What can't be kept is looked for again after a restart."""
        try:
            self._shelf.put(data, files.state() or b"")
        except OSError as error:
            log.warning("the snapshot can't be kept: %s", error)


def _require_not_beyond(position: int, over: int | None) -> None:
    if over is not None and position > over:
        raise SnapshotAhead(
            f"the snapshot is of transaction {position}, and what this node knows of {over} has to be "
            "compared: it judges from the anchor"
        )


def _unusable(trouble: AnchorRefused | Damaged) -> CheckpointRefused:
    return CheckpointRefused(f"the snapshot can't be used: {trouble}", trouble.advice)
