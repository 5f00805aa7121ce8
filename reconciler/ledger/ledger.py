"""A node's ledger: fetched, judged from the anchor, remembered, and never taken backwards."""

from __future__ import annotations

import errno
import fcntl
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from reconciler.ledger import effective, mark
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.authority import policy_of
from reconciler.ledger.chronicle import Chronicle, Record
from reconciler.ledger.clone import Clone, shown
from reconciler.ledger.config import LedgerConfig
from reconciler.ledger.course import Course, resume
from reconciler.ledger.mark import Mark
from reconciler.ledger.objects import CommitId, ObjectId
from reconciler.ledger.store import Step
from reconciler.ledger.trouble import (
    CloneCorrupted,
    Damaged,
    DiskFull,
    LocalTrouble,
    NoGoodState,
    UnknownProtocol,
)
from reconciler.ledger.view import Alarm, AlarmKind, LedgerView

log = logging.getLogger(__name__)

SAVE_EVERY = 1000
"""Transactions judged between two writes of the chronicle: what dying in the middle costs at most."""
TIDY_EVERY = 64
"""Transactions between two looks whether the clone should be packed."""
_PERSON = (
    "find out from the forge's operator and the other nodes what happened; the branch has to be set back"
)


class Ledger:
    """What one node knows of its ledger. `sync` and `judge_local` may be called again and again.

    Every `LocalTrouble` they raise leaves all that was good before as it was, in memory and on disk.
    """

    def __init__(self, config: LedgerConfig) -> None:
        self._config = config
        self._anchor = Anchor(config.anchor, config.root_fingerprints)
        self._clone = Clone(config)
        self._chronicle = Chronicle(self._clone.path / "tnet" / "chronicle.jsonl", config.anchor)
        self._mark_path = config.directory / "mark.json"
        self._course: Course | None = None
        self._view: LedgerView | None = None
        self._tidy_at = 0

    def sync(self) -> LedgerView:
        """Fetches, judges what is new, and returns what is in effect. Raises `LocalTrouble`s."""
        with self._alone():
            view = self._on_sound_clone(fetch=True)
            self._tidy(view)
            return view

    def judge_local(self) -> LedgerView:
        """The same with what was last fetched; on a full disk what was judged before.

        Raises `NoGoodState` if there is nothing.
        """
        with self._alone():
            try:
                return self._on_sound_clone(fetch=False)
            except DiskFull:
                return self._last_good(self._marked())

    def close(self) -> None:
        """Ends the git processes that are kept for later questions."""
        self._clone.close()

    def _on_sound_clone(self, fetch: bool) -> LedgerView:
        try:
            return self._judge(self._tip(fetch))
        except Damaged as damaged:
            log.warning("the clone is damaged and is fetched anew: %s", damaged)
            self._forget()
            self._clone.renew()
        try:
            return self._judge(self._tip(fetch=False))
        except Damaged as damaged:
            raise CloneCorrupted(
                f"a new clone of {shown(self._config.remote)} is damaged: {damaged}"
            ) from None

    def _tip(self, fetch: bool) -> CommitId:
        tip = self._clone.fetch() if fetch else self._clone.fetched()
        if tip is None and self._mark_path.exists():
            raise Damaged(f"{self._clone.path} lacks what this node has fetched before")
        if tip is None:
            raise NoGoodState("nothing was ever fetched", "let the remote be reached once")
        return tip

    def _tidy(self, view: LedgerView) -> None:
        """Now and then packs the clone; that it can't is no reason to keep quiet about the ledger."""
        if len(view.verdicts) < self._tidy_at:
            return
        self._tidy_at = len(view.verdicts) + TIDY_EVERY
        try:
            self._clone.tidy()
        except LocalTrouble as trouble:
            log.warning("the clone can't be packed: %s", trouble)

    def _forget(self) -> None:
        self._course = None
        self._view = None

    # --- judging -----------------------------------------------------------------------------------

    def _judge(self, tip: CommitId) -> LedgerView:
        if self._view is not None and self._view.tip == tip:
            return self._view
        marked = self._marked()
        route = self._route(tip, marked)
        if route is None:
            return replace(self._last_good(marked), alarm=self._alarm(tip, marked))
        return self._follow(*route, tip)

    def _marked(self) -> Mark | None:
        """The mark; None if it is of another beginning: the node was provisioned anew."""
        marked = mark.read(self._mark_path)
        return marked if marked is not None and marked.anchor == self._anchor.commit else None

    def _route(self, tip: CommitId, marked: Mark | None) -> tuple[Course, Sequence[Step]] | None:
        """From where to go on, and the steps to `tip`; None if the way doesn't lead over anchor and mark."""
        store = self._clone.store
        if self._course is not None:
            ahead = store.first_parents(tip, self._course.books.commit)
            if ahead is not None:
                return self._course, ahead
        if store.resolve(self._anchor.commit) is None:
            return None
        steps = store.first_parents(tip, self._anchor.commit)
        if steps is None:
            return None
        chain = [step.commit for step in steps]
        if marked is not None and marked.commit not in {self._anchor.commit, *chain}:
            return None
        course = resume(store, self._anchor, self._chronicle, chain)
        return course, steps[course.books.position :]

    def _follow(self, course: Course, steps: Sequence[Step], tip: CommitId) -> LedgerView:
        """Judges the steps. Rules that this release doesn't know end it early, with an alarm."""
        alarm = None
        try:
            self._advance(course, steps)
        except UnknownProtocol as unknown:
            alarm = Alarm(AlarmKind.UNKNOWN_PROTOCOL, str(unknown), unknown.advice, tip)
        self._view = self._settle(course)
        self._course = course
        return self._view if alarm is None else replace(self._view, alarm=alarm)

    def _advance(self, course: Course, steps: Sequence[Step]) -> None:
        """Judges the steps, and keeps what is judged also when it is cut short."""
        for start in range(0, len(steps), SAVE_EVERY):
            kept, records = course.books.position, list[Record]()
            try:
                for record in course.judge(steps[start : start + SAVE_EVERY]):
                    records.append(record)
            finally:
                self._save(kept, records)

    def _save(self, kept: int, records: list[Record]) -> None:
        """The chronicle is a cache: what it can't take is judged again after a restart."""
        try:
            self._chronicle.write(kept, records)
        except OSError as error:
            log.warning("the chronicle can't be written: %s", error)

    def _settle(self, course: Course) -> LedgerView:
        """Writes down where we are, the mark last: only then is it acted on.

        What is written already isn't written again: a node must find its last good state on a full disk, too.
        """
        books, store = course.books, course.store
        tree = course.effective.write(books)
        effective.write_refs(store, books, tree)
        marked = self._marked()
        reached = _mark_of(course, 0 if marked is None else marked.reanchored)
        if mark.read(self._mark_path) != reached:
            with _writing("the mark"):
                mark.write(self._mark_path, reached)
        return _view_of(course, tree)

    def _last_good(self, marked: Mark | None) -> LedgerView:
        """What was in effect before the remote began to contradict it. Raises `NoGoodState`."""
        if self._view is None:
            tip = self._clone.store.resolve(effective.LEDGER_REF)
            route = None if tip is None else self._route(tip, marked)
            if tip is None or route is None:
                raise NoGoodState(
                    f"the branch {self._config.branch} of {shown(self._config.remote)} doesn't lead over the "
                    "anchor and the mark of this node, and there is no earlier state here to keep",
                    _PERSON,
                )
            self._follow(*route, tip)
        assert self._view is not None
        return self._view

    def _alarm(self, tip: CommitId, marked: Mark | None) -> Alarm:
        store, anchor = self._clone.store, self._anchor.commit
        pinned = anchor if marked is None else marked.commit
        known = store.resolve(pinned) is not None
        if known and store.is_ancestor(tip, pinned):
            kind, what = AlarmKind.ROLLED_BACK, f"the branch was set back to {tip[:12]}, before {pinned[:12]}"
        elif known and store.is_ancestor(pinned, tip):
            kind, what = (
                AlarmKind.FOXTROT,
                (
                    f"the branch's tip {tip[:12]} has {pinned[:12]} behind it, but not on its first-parent "
                    "chain: another history was put in front"
                ),
            )
        elif marked is None or pinned == anchor:
            kind, what = (
                AlarmKind.ANCHOR_LOST,
                f"the branch's tip {tip[:12]} doesn't lead to the anchor {anchor[:12]}",
            )
        else:
            kind, what = (
                AlarmKind.REWRITTEN,
                (
                    f"the branch was rewritten: its tip {tip[:12]} doesn't lead to {pinned[:12]}, "
                    "which this node has accepted"
                ),
            )
        return Alarm(kind, f"{what}. Nothing of it was judged; the last good state stands", _PERSON, tip)

    # --- one at a time -----------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process works on this node's clone and mark meanwhile."""
        with _writing("the lock"):
            self._config.directory.mkdir(parents=True, exist_ok=True)
            lock = (self._config.directory / "ledger.lock").open("ab")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _view_of(course: Course, tree: ObjectId) -> LedgerView:
    books = course.books
    return LedgerView(
        tip=books.commit,
        mark=books.mark,
        effective_tree=tree,
        model=course.state.model,
        verdicts=tuple(course.verdicts),
        state_hash=books.hash,
    )


def _mark_of(course: Course, reanchored: int) -> Mark:
    books, root = course.books, policy_of(course.state.model).spec.root
    at = next(verdict for verdict in reversed(course.verdicts) if verdict.commit == books.mark)
    return Mark(books.anchor, at.commit, at.position, at.state_hash, root, reanchored)


@contextmanager
def _writing(what: str) -> Iterator[None]:
    """Turns what the disk refuses into trouble of ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"no space left to write {what}", "free some space; nothing was changed"
            ) from error
        raise LocalTrouble(f"{what} can't be written: {error}") from error
