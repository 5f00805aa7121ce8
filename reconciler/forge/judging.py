"""The ledger judged up to a commit of some repository, to judge on from there what isn't in it yet."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from reconciler.ledger.anchor import Anchor
from reconciler.ledger.chain.chronicle import Chronicle
from reconciler.ledger.chain.course import Course, resume
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.repository.store import Step, Store
from reconciler.ledger.trouble import AnchorRefused

SAVE_EVERY = 1000
"""Transactions judged between two writes of the chronicle."""


def judged(store: Store, git_dir: Path, anchor: Anchor, tip: CommitId) -> Course:
    """The course at `tip`, which is in the repository to stay: what is judged on the way is remembered there.

    Raises `LocalTrouble`s, among them `AnchorRefused`.
    """
    steps = chain(store, anchor, tip)
    chronicle = Chronicle(git_dir / "tnet" / "chronicle.jsonl", anchor.commit)
    course = resume(store, anchor, chronicle, [step.commit for step in steps])
    for start in range(course.books.position, len(steps), SAVE_EVERY):
        records = list(course.judge(steps[start : start + SAVE_EVERY]))
        with suppress(OSError):  # A repository that one may not write can be judged all the same.
            course.keep(records)
    return course


def chain(store: Store, anchor: Anchor, tip: CommitId) -> tuple[Step, ...]:
    """The transactions from the anchor to `tip`. Raises `AnchorRefused`."""
    steps = None
    if store.resolve(anchor.commit) is not None:
        steps = store.first_parents(tip, anchor.commit)
    if steps is None:
        raise AnchorRefused(
            f"{tip[:12]} does not lead to the anchor {anchor.commit[:12]} over first parents",
            "is this the ledger's branch, and the anchor the right one? tnet trust pins it",
        )
    return steps
