"""Why a branch isn't followed: how its tip lies to what this node has accepted.

See docs/spec/ledger.md, section 6.
"""

from __future__ import annotations

from reconciler.ledger.chain.mark import Mark
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.repository.store import Store
from reconciler.ledger.view import Alarm, AlarmKind

PERSON = (
    "find out from the forge's operator and the other nodes what happened; the branch has to be set back, or "
    "root has to re-anchor (docs/operations.md, Alarms)"
)


def deviation(store: Store, anchor: CommitId, marked: Mark | None, tip: CommitId) -> Alarm:
    """The alarm for a tip that doesn't lead over anchor and mark on first parents."""
    pinned = anchor if marked is None else marked.commit
    kind, what = _seen(store, anchor, pinned, tip)
    return Alarm(kind, f"{what}. Nothing of it was judged; the last good state stands", PERSON, tip)


def _seen(store: Store, anchor: CommitId, pinned: CommitId, tip: CommitId) -> tuple[AlarmKind, str]:
    known = store.resolve(pinned) is not None
    if known and store.is_ancestor(tip, pinned):
        return AlarmKind.ROLLED_BACK, f"the branch was set back to {tip[:12]}, before {pinned[:12]}"
    if known and store.is_ancestor(pinned, tip):
        return AlarmKind.FOXTROT, (
            f"the branch's tip {tip[:12]} has {pinned[:12]} behind it, but not on its first-parent chain: "
            "another history was put in front"
        )
    if pinned == anchor:
        return AlarmKind.ANCHOR_LOST, f"the branch's tip {tip[:12]} doesn't lead to the anchor {anchor[:12]}"
    return AlarmKind.REWRITTEN, (
        f"the branch was rewritten: its tip {tip[:12]} doesn't lead to {pinned[:12]}, "
        "which this node has accepted"
    )
