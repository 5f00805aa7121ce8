"""A request judged: how it would land, what nodes would say to it, and what each of them would do then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.errors import TnetError
from reconciler.forge.effects import NodeEffect, effects
from reconciler.forge.judging import judged
from reconciler.forge.landing import CannotLand, Landing, Strategy, land
from reconciler.forge.scratch import scratch_store
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.chain.course import Course
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.repository.store import Store
from reconciler.ledger.trouble import UnknownProtocol
from reconciler.ledger.verdict import Reason, Verdict


class NoSuchCommit(TnetError):
    """What was to be judged isn't in this repository."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why it can't get into the ledger at all, or why nodes wouldn't judge it."""

    code: str
    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One transaction that would follow. `stands_for`: the commit of the request that it is about, where the
    forge would yet have to make the transaction itself."""

    verdict: Verdict
    stands_for: CommitId | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a request. `nodes` is what those transactions do that would be accepted."""

    base: CommitId
    head: CommitId
    strategy: Strategy
    transactions: tuple[Judged, ...] = ()
    nodes: tuple[NodeEffect, ...] = ()
    obstacle: Obstacle | None = None
    state_hash: str = ""

    @property
    def ok(self) -> bool:
        return self.obstacle is None and all(each.verdict.accepted for each in self.transactions)


def judge_request(
    git_dir: Path, anchor: Anchor, base: str, head: str, strategy: Strategy | None = None
) -> Outcome:
    """Judges `head` on top of the ledger's `base`. Nothing in the repository changes but its chronicle.

    Raises `NoSuchCommit` and `LocalTrouble`s.
    """
    with scratch_store(git_dir) as store:
        store.check_fit()
        tip, wanted = _commit(store, base), _commit(store, head)
        course = judged(store, git_dir, anchor, tip)
        try:
            landing = land(store, tip, wanted, strategy)
        except CannotLand as cannot:
            obstacle = Obstacle(cannot.code, str(cannot), cannot.advice)
            return Outcome(tip, wanted, strategy or Strategy.MERGE, obstacle=obstacle)
        return _judge(course, landing, tip, wanted)


def _commit(store: Store, revision: str) -> CommitId:
    commit = store.resolve(revision)
    if commit is None:
        raise NoSuchCommit(f"{revision}: there is no such commit here", "fetch it first: git fetch")
    return commit


def _told(verdict: Verdict, landing: Landing) -> Judged:
    copied = landing.strategy in (Strategy.REBASE, Strategy.SQUASH)
    if copied and verdict.reason is Reason.UNSIGNED:
        verdict = replace(verdict, hint=_COPIED)
    return Judged(verdict, landing.stands_for.get(verdict.commit))


_COPIED = (
    "the forge's rebase or squash makes a new commit, which nobody has signed: land it by a merge commit or "
    "a fast-forward instead; squash or rebase in your own clone, where you sign the result"
)


def _judge(course: Course, landing: Landing, base: CommitId, head: CommitId) -> Outcome:
    before, known = course.state.model, len(course.verdicts)
    obstacle = None
    try:
        for _ in course.judge(landing.steps):
            pass
    except UnknownProtocol as unknown:
        obstacle = Obstacle("unknown-protocol", str(unknown), unknown.advice)
    return Outcome(
        base,
        head,
        landing.strategy,
        tuple(_told(verdict, landing) for verdict in course.verdicts[known:]),
        effects(before, course.state.model),
        obstacle,
        course.books.hash,
    )
