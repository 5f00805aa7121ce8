"""What the ledger says, as the rest of the program sees it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from reconciler.ledger.objects import CommitId, ObjectId
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


@dataclass(frozen=True, slots=True)
class Alarm:
    """The remote's branch was not judged; the last good state stands. Needs a person."""

    kind: AlarmKind
    message: str
    advice: str
    tip: CommitId


@dataclass(frozen=True, slots=True)
class LedgerView:
    """The ledger judged up to `tip`.

    `mark` is the last accepted transaction that changed something; `effective_tree` the id of a real tree in
    the clone (also `refs/tnet/effective`); `verdicts` has all transactions from the anchor to the tip, oldest
    first. With an `alarm`, everything else is the last good state.
    """

    tip: CommitId
    mark: CommitId
    effective_tree: ObjectId
    model: Model
    verdicts: tuple[Verdict, ...]
    state_hash: str
    alarm: Alarm | None = None
