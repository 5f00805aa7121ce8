"""What a push may bring into a repository that nodes follow.

- The ledger's branch: no deletion, and only what continues it over first parents (no rewriting, no foxtrot);
  every new transaction has to be accepted, as nodes will judge it.
- The checkpoints' branch: no deletion, and no checkpoint but newer ones that agree with the ledger
  (`checkpoint_door`).
- `refs/replace/` and `refs/tnet/`: nothing. The first would show people another history than nodes see.
- Other refs are free; with `signed_only`, a branch may only bring changes of governed paths that somebody
  whom the ledger knows has signed.

This keeps accidents and nonsense out. It is no part of what nodes believe: they judge for themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.forge.checkpoint_door import require_checkpoints
from reconciler.forge.judging import chain, judged
from reconciler.forge.newcomers import unsigned_newcomer
from reconciler.forge.push import Update
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.chain.course import Course
from reconciler.ledger.checkpoints.checkpoint import CheckpointRefused
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.repository.runner import GitFailed
from reconciler.ledger.repository.store import Step, Store
from reconciler.ledger.trouble import AnchorRefused
from reconciler.ledger.verdict import Verdict

MAX_TOLD = 20
"""Rejected transactions of one push that are told one by one; judging ends there."""
_AGAIN = "git fetch, rebase onto the ledger's branch, sign again, and push"
_FORBIDDEN = ("refs/replace/", "refs/tnet/")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the repository's configuration says; branches by their full names."""

    anchor: Anchor
    ledger: str = "refs/heads/main"
    checkpoints: str = "refs/heads/tnet-checkpoints"
    signed_only: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a ref may not go where the push wants it; `rejected` are the verdicts behind it."""

    ref: str
    message: str
    advice: str
    rejected: tuple[Verdict, ...] = ()


class Door:
    """Judges the updates of one push. `store` sees the push's objects; `progress` is told how many of how
    many transactions are judged."""

    def __init__(
        self, store: Store, git_dir: Path, rules: Rules, progress: Callable[[int, int], None]
    ) -> None:
        self._store = store
        self._git_dir = git_dir
        self._rules = rules
        self._progress = progress
        self._course: Course | None = None
        self.accepted: list[Verdict] = []

    def refusals(self, updates: Iterable[Update]) -> tuple[Refusal, ...]:
        """Why the push can't be taken; empty if it can. Raises `LocalTrouble`s: nothing can be told then."""
        aimed = [(self._target(update.ref), update) for update in updates]
        aimed.sort(key=lambda each: each[0] != self._rules.ledger)  # The rest is seen beside what it becomes.
        found = (self._refusal(update, target) for target, update in aimed)
        return tuple(refusal for refusal in found if refusal is not None)

    def _target(self, ref: str) -> str:
        """The ref that is written: another one where the repository has a symbolic ref of this name."""
        try:
            return self._store.runner.text("symbolic-ref", "--quiet", ref)
        except GitFailed as failed:
            if failed.status == 1:
                return ref
            raise

    def _refusal(self, update: Update, ref: str) -> Refusal | None:
        if ref == self._rules.ledger:
            return self._ledger_refusal(update)
        if ref == self._rules.checkpoints:
            return self._checkpoints_refusal(update)
        if ref.startswith(_FORBIDDEN):
            return Refusal(update.ref, "nothing is taken under this name", "push a branch (refs/heads/...)")
        if self._rules.signed_only and ref.startswith("refs/heads/"):
            return self._unsigned_refusal(update)
        return None

    # --- the ledger's branch -----------------------------------------------------------------------

    def _ledger_refusal(self, update: Update) -> Refusal | None:
        if update.new is None:
            return Refusal(update.ref, "the ledger's branch can't be deleted", "nodes follow it")
        if self._store.resolve(self._rules.ledger) != update.old:
            return Refusal(update.ref, "somebody else was faster", _AGAIN)
        try:
            course, steps = self._from(update.old, update.new)
        except AnchorRefused as refused:
            return Refusal(update.ref, str(refused), refused.advice)
        if steps is None:
            assert update.old is not None, "else the anchor would have been missed"
            return self._off_course(update.ref, update.old, update.new)
        return self._judge(update.ref, course, steps)

    def _from(self, old: CommitId | None, new: CommitId) -> tuple[Course, Sequence[Step] | None]:
        """The ledger as it stands, and the steps that the push adds; None if it doesn't continue it."""
        anchor = self._rules.anchor
        if old is None:
            steps = chain(self._store, anchor, new)
            return judged(self._store, self._git_dir, anchor, anchor.commit), steps
        return judged(self._store, self._git_dir, anchor, old), self._store.first_parents(new, old)

    def _off_course(self, ref: str, old: CommitId, new: CommitId) -> Refusal:
        if self._store.is_ancestor(old, new):
            return Refusal(
                ref,
                f"{new[:12]} has the ledger's tip {old[:12]} behind it, but not on its first-parent chain: "
                "every node would stop with the alarm `foxtrot`",
                f"you merged the ledger into your branch and push the result: git rebase {old[:12]} and sign "
                "again; or merge the other way round (git switch main, git merge --no-ff your-branch)",
            )
        return Refusal(
            ref,
            f"{new[:12]} doesn't continue the ledger, whose tip is {old[:12]}: every node would stop with "
            "the alarm `rewritten`",
            f"{_AGAIN}; nothing is ever taken out of the ledger: tnet rollback takes a transaction back",
        )

    def _judge(self, ref: str, course: Course, steps: Sequence[Step]) -> Refusal | None:
        rejected = tuple(itertools.islice(self._rejected(course, steps), MAX_TOLD))
        if not rejected:
            self._course = course
            return None
        more = "" if len(rejected) < MAX_TOLD else " or more"
        return Refusal(
            ref,
            f"nodes would reject {len(rejected)}{more} of {len(steps)} transactions",
            "correct them on your side (tnet check BASE..HEAD shows the same) and push again; what nodes "
            "would accept may be pushed without the rest",
            rejected,
        )

    def _rejected(self, course: Course, steps: Sequence[Step]) -> Iterator[Verdict]:
        for number, record in enumerate(course.judge(steps), start=1):
            self._progress(number, len(steps))
            if record.verdict.accepted:
                self.accepted.append(record.verdict)
            else:
                yield record.verdict

    # --- other branches ----------------------------------------------------------------------------

    def _checkpoints_refusal(self, update: Update) -> Refusal | None:
        if update.new is None:
            return Refusal(update.ref, "the checkpoints' branch can't be deleted", "nodes read it")
        course = self._standing()
        if course is None:
            return Refusal(update.ref, "there is no ledger yet for it to be about", "push the ledger first")
        try:
            require_checkpoints(course, self._rules.anchor, update.old, update.new)
        except CheckpointRefused as refused:
            return Refusal(update.ref, str(refused), refused.advice)
        return None

    def _standing(self) -> Course | None:
        """The ledger as it stands, with what this push adds to it; None before there is one."""
        if self._course is None:
            tip = self._store.resolve(self._rules.ledger)
            if tip is not None:
                self._course = judged(self._store, self._git_dir, self._rules.anchor, tip)
        return self._course

    def _unsigned_refusal(self, update: Update) -> Refusal | None:
        if update.new is None:
            return None
        course = self._standing()
        if course is None:
            return None
        why = unsigned_newcomer(self._store, update.new, course.state.keyring)
        if why is None:
            return None
        return Refusal(
            update.ref, why, "sign it with a key that the ledger knows (git commit -S), and push again"
        )
