"""What the ledger says, as the rest of the program sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from immutables import Map

from reconciler.ledger.chain.course import Course
from reconciler.ledger.checkpoints.checkpoint import Witnessed
from reconciler.ledger.repository.objects import CommitId, ObjectId
from reconciler.ledger.verdict import Verdict
from reconciler.model.model import Model


class AlarmKind(Enum):
    """Why a branch isn't judged (any further): what it shows contradicts what this node has already accepted,
    or it asks for rules of a later release."""

    REWRITTEN = "rewritten"
    FOXTROT = "foxtrot"
    ROLLED_BACK = "rolled-back"
    ANCHOR_LOST = "anchor-lost"
    UNKNOWN_PROTOCOL = "unknown-protocol"
    OFF_CHAIN = "off-chain"
    SPLIT_VIEW = "split-view"
    REANCHOR_REFUSED = "reanchor-refused"


@dataclass(frozen=True, slots=True)
class Alarm:
    """The remote's branch was not judged; the last good state stands. Needs a person."""

    kind: AlarmKind
    message: str
    advice: str
    tip: CommitId


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint or record that doesn't count, and why. Nothing is held up by it."""

    code: str
    message: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class CheckpointView:
    """What checkpoints say to this node.

    `expected`: the policy names witnesses, and the node looks for them. `witness` is the newest seen;
    `begun_at` the position of the snapshot from which the ledger was judged here, 0 for the anchor.
    """

    expected: bool = False
    witness: Witnessed | None = None
    begun_at: int = 0
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerView:
    """The ledger judged up to `tip`.

    `mark` is the last accepted transaction that changed something; `effective_tree` the id of a real tree in
    the clone (also `refs/tnet/effective`); `verdicts` has all transactions that were judged here up to the
    tip, the oldest first, after the anchor or snapshot where that began. With an `alarm`, everything else is
    the last good state.
    """

    tip: CommitId
    mark: CommitId
    effective_tree: ObjectId
    model: Model
    verdicts: tuple[Verdict, ...]
    state_hash: str
    alarm: Alarm | None = None
    checkpoints: CheckpointView = CheckpointView()
    anchor: CommitId | None = None
    changed_by: Mapping[bytes, CommitId] = field(default_factory=Map)

    @classmethod
    def of(cls, course: Course, effective_tree: ObjectId) -> LedgerView:
        """What a course has come to, written down as this tree."""
        books = course.books
        return cls(
            tip=books.commit,
            mark=books.mark,
            effective_tree=effective_tree,
            model=course.state.model,
            verdicts=tuple(course.verdicts),
            state_hash=books.hash,
            anchor=books.anchor,
            changed_by=books.changed_by,
        )

    def last_change(self, path: str) -> CommitId | None:
        """The transaction that a document's content comes from, also if it wasn't judged here."""
        return self.changed_by.get(path.encode("utf-8"), self.anchor)
