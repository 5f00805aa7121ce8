"""A node's ledger: fetched, judged from the anchor, remembered, and never taken backwards.

See docs/spec/ledger.md, section 6.
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from reconciler.ledger.anchor import Anchor
from reconciler.ledger.chain import effective, mark
from reconciler.ledger.chain.chronicle import Record
from reconciler.ledger.chain.clone import Clone, shown
from reconciler.ledger.chain.collection import only_young_garbage
from reconciler.ledger.chain.course import Course
from reconciler.ledger.chain.deviation import PERSON, deviation
from reconciler.ledger.chain.mark import Mark
from reconciler.ledger.chain.origin import Origin
from reconciler.ledger.chain.watch import Watch, branch_of
from reconciler.ledger.checkpoints import reanchor
from reconciler.ledger.checkpoints.checkpoint import CheckpointRefused
from reconciler.ledger.checkpoints.reanchor import ReanchorRefused, SignedReanchor
from reconciler.ledger.checkpoints.witness import OffChain
from reconciler.ledger.config import LedgerConfig
from reconciler.ledger.repository.disk import writing
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.repository.store import Step
from reconciler.ledger.trouble import (
    CloneCorrupted,
    Damaged,
    DiskFull,
    LocalTrouble,
    NoGoodState,
    UnknownProtocol,
)
from reconciler.ledger.view import Alarm, AlarmKind, LedgerView
from reconciler.whole_file import remove_leftovers

log = logging.getLogger(__name__)

SAVE_EVERY = 1000
"""Transactions judged between two writes of the chronicle: what dying in the middle costs at most."""
TIDY_EVERY = 64
"""Syncs that brought something between two looks whether the clone should be packed."""


class Route(NamedTuple):
    """A way to a tip: from where this course stands, over these steps."""

    course: Course
    ahead: Sequence[Step]


class Ledger:
    """What one node knows of its ledger. `sync` and `judge_local` may be called again and again.

    Every `LocalTrouble` they raise leaves all that was good before as it was, in memory and on disk.
    """

    def __init__(self, config: LedgerConfig) -> None:
        self._config = config
        self._anchor = Anchor(config.anchor, config.root_fingerprints)
        self._clone = Clone(config)
        self._origin = Origin(self._clone, self._anchor, branch_of(self._clone))
        self._watch = Watch(config, self._clone, self._origin)
        self._mark_path = config.directory / "mark.json"
        self._course: Course | None = None
        self._view: LedgerView | None = None
        self._refused: tuple[CommitId, SignedReanchor, ReanchorRefused] | None = None
        self._brought = 0

    def sync(self) -> LedgerView:
        """Fetches, judges what is new, and returns what is in effect. Raises `LocalTrouble`s."""
        with self._alone():
            before = self._view
            view = self._on_sound_clone(fetch=True)
            if view is not before:
                self._tidy()
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

    def take_reanchor(self, data: bytes) -> SignedReanchor:
        """Keeps a re-anchor record that a person has brought; the next sync follows it.

        Raises `ReanchorRefused` if it can be told already that it wouldn't be, and `LocalTrouble`s.
        """
        with self._alone():
            signed, marked = reanchor.parse(data), self._marked()
            if marked is None:
                raise ReanchorRefused(
                    f"this node has accepted nothing yet of the ledger of {self._anchor.commit[:12]}",
                    "it needs no record: it follows the branch from its anchor",
                )
            reanchor.require_for(marked, signed)
            reanchor.require_fork(signed.record, marked, self._chain_to(marked))
            with writing("the re-anchor record"):
                reanchor.write(self._record_path, signed)
            return signed

    def close(self) -> None:
        """Ends the git processes that are kept for later questions."""
        self._clone.close()

    def _on_sound_clone(self, fetch: bool) -> LedgerView:
        try:
            with only_young_garbage():
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

    def _tidy(self) -> None:
        """Now and then packs the clone; that it can't is no reason to keep quiet about the ledger."""
        self._brought += 1
        if self._brought % TIDY_EVERY != 1:
            return
        try:
            self._clone.tidy()
        except LocalTrouble as trouble:
            log.warning("the clone can't be packed: %s", trouble)

    def _forget(self) -> None:
        self._course = None
        self._view = None

    # --- judging -----------------------------------------------------------------------------------

    def _judge(self, tip: CommitId) -> LedgerView:
        marked = self._marked()
        view = self._unchanged(tip, marked)
        if view is not None:
            return view
        route = self._route(tip, marked)
        if route is not None:
            return self._follow(route, tip, marked)
        self._clone.store.require_history(tip)
        seen = deviation(self._clone.store, self._anchor.commit, marked, tip)
        try:
            signed = self._pending(marked)
            if signed is None or marked is None:
                return self._kept(marked, seen)
            return self._leave_fork(signed, tip, marked)
        except ReanchorRefused as refused:
            message = f"{refused}. Without it: {seen.message}"
            advice = refused.advice or seen.advice
            return self._kept(marked, Alarm(AlarmKind.REANCHOR_REFUSED, message, advice, tip))

    def _unchanged(self, tip: CommitId, marked: Mark | None) -> LedgerView | None:
        """What was seen the last time, if nothing has come since."""
        view, course = self._view, self._course
        if view is None or view.tip != tip or course is None or not self._watch.is_quiet(course):
            return None
        return view if _leads_over(marked, course.history.positions, ()) else None

    def _marked(self) -> Mark | None:
        """The mark; None if it is of another beginning: the node was provisioned anew."""
        marked = mark.read(self._mark_path)
        return marked if marked is not None and marked.anchor == self._anchor.commit else None

    def _route(self, tip: CommitId, marked: Mark | None) -> Route | None:
        """The way to `tip`; None if it doesn't lead over anchor and mark."""
        return self._way(tip, marked, None if marked is None else marked.position)

    def _way(self, tip: CommitId, marked: Mark | None, over: int | None) -> Route | None:
        """The same, judging what lies at the position `over`."""
        store, course = self._clone.store, self._course
        if course is not None:
            ahead = store.first_parents(tip, course.books.commit)
            if ahead is not None and _leads_over(marked, course.history.positions, ahead):
                return Route(course, ahead)
        if store.resolve(self._anchor.commit) is None:
            return None
        steps = store.first_parents(tip, self._anchor.commit)
        if steps is None or not _leads_over(marked, (self._anchor.commit,), steps):
            return None
        course = self._origin.resume([step.commit for step in steps], over)
        return Route(course, steps[course.books.position :])

    def _follow(self, route: Route, tip: CommitId, marked: Mark | None) -> LedgerView:
        """Judges the way. Rules that this release doesn't know end it early, with an alarm."""
        course, alarm = route.course, None
        try:
            self._advance(*route)
            self._origin.require_mark(course, marked)
        except UnknownProtocol as unknown:
            alarm = Alarm(AlarmKind.UNKNOWN_PROTOCOL, str(unknown), unknown.advice, tip)
        except CheckpointRefused as refused:
            log.warning("%s", refused)
            self._forget()
            return self._judge(tip)
        self._course = course
        return self._arrive(course, tip, marked, alarm)

    def _arrive(
        self, course: Course, tip: CommitId, marked: Mark | None, alarm: Alarm | None = None
    ) -> LedgerView:
        """Takes over what was judged, unless a checkpoint that counts contradicts it."""
        with writing("the newest witness"):
            seen = self._watch.look(course, marked)
        if alarm is None and seen.contradiction is not None:
            kept = self._kept(self._marked(), _contradicted(seen.contradiction, tip))
            return replace(kept, checkpoints=seen.view)
        self._view = replace(self._settle(course, marked), checkpoints=seen.view)
        return self._view if alarm is None else replace(self._view, alarm=alarm)

    def _advance(self, course: Course, steps: Sequence[Step]) -> None:
        """Judges the steps, and keeps what is judged also when it is cut short."""
        records = list[Record]()
        try:
            for record in course.judge(steps):
                records.append(record)
                if len(records) == SAVE_EVERY:
                    _save(course, records)
                    records = []
        finally:
            if records:
                _save(course, records)

    def _settle(self, course: Course, marked: Mark | None) -> LedgerView:
        """Writes down where we are, the mark last: only then is it acted on.

        What is written already isn't written again: a node must find its last good state on a full disk, too.
        """
        books, store = course.books, course.store
        tree = course.effective.write(books)
        effective.write_refs(store, books, tree)
        reached = mark.reached(course, marked)
        if mark.read(self._mark_path) != reached:
            with writing("the mark"):
                mark.write(self._mark_path, reached)
        return LedgerView.of(course, tree)

    def _kept(self, marked: Mark | None, alarm: Alarm) -> LedgerView:
        """What was in effect before the remote began to contradict it. Raises `NoGoodState`."""
        view = self._last_good(marked, alarm.message)
        return replace(view, alarm=alarm)

    def _last_good(self, marked: Mark | None, why: str = "the disk is full") -> LedgerView:
        if self._view is None or (marked is not None and self._view.mark != marked.commit):
            tip = self._clone.store.resolve(effective.LEDGER_REF)
            route = None if tip is None else self._route(tip, marked)
            if route is None:
                raise NoGoodState(f"{why}; and there is no earlier state here to keep", PERSON)
            self._advance(*route)
            self._view = self._settle(route.course, marked)
        return self._view

    # --- off a fork --------------------------------------------------------------------------------

    @property
    def _record_path(self) -> Path:
        return self._config.directory / "reanchor"

    def _pending(self, marked: Mark | None) -> SignedReanchor | None:
        """The record that waits to be followed; None if there is none, or it was followed before."""
        signed = reanchor.read(self._record_path)
        done = 0 if marked is None else marked.reanchored
        return signed if signed is not None and signed.record.sequence > done else None

    def _leave_fork(self, signed: SignedReanchor, tip: CommitId, marked: Mark) -> LedgerView:
        """Follows the record to the branch's tip. Raises `ReanchorRefused`."""
        if self._refused is not None and self._refused[:2] == (tip, signed):
            raise self._refused[2]
        try:
            course = self._judged_by(signed, tip, marked)
        except ReanchorRefused as refused:
            self._refused = (tip, signed, refused)
            raise
        self._course = course
        log.warning("this node leaves %s by the %s", marked.commit[:12], signed.record)
        witness, snapshot = self._watch.newest_sequences(course)
        moved = replace(
            marked, reanchored=signed.record.sequence, witness_left=witness, snapshot_left=snapshot
        )
        return self._arrive(course, tip, moved)

    def _judged_by(self, signed: SignedReanchor, tip: CommitId, marked: Mark) -> Course:
        """The branch judged up to its tip. Raises `ReanchorRefused` unless the record allows to go there."""
        reanchor.require_for(marked, signed)
        reanchor.require_fork(signed.record, marked, self._chain_to(marked))
        route = self._way(tip, None, signed.record.position)
        if route is None:
            raise ReanchorRefused(f"the branch that the {signed.record} leads to doesn't lead to the anchor")
        self._advance(*route)
        reanchor.require_reached(signed.record, route.course)
        return route.course

    def _chain_to(self, marked: Mark) -> frozenset[CommitId]:
        """From the anchor to the mark, as far as the clone still has it."""
        store = self._clone.store
        if not self._clone.exists or store.resolve(marked.commit) is None:
            return frozenset()
        steps = store.first_parents(marked.commit, self._anchor.commit) or ()
        return frozenset((self._anchor.commit, *(step.commit for step in steps)))

    # --- one at a time -----------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process works on this node's clone and mark meanwhile."""
        with writing("the lock"):
            self._config.directory.mkdir(parents=True, exist_ok=True)
            lock = (self._config.directory / "ledger.lock").open("ab")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._course is None:
                with writing("the mark"):
                    remove_leftovers(self._mark_path)
                    remove_leftovers(self._record_path)
            yield


def _leads_over(marked: Mark | None, behind: Container[CommitId], ahead: Sequence[Step]) -> bool:
    """Whether the mark is on this chain. Another process of this node may have moved it meanwhile."""
    if marked is None or marked.commit in behind:
        return True
    return any(step.commit == marked.commit for step in ahead)


def _save(course: Course, records: list[Record]) -> None:
    """The chronicle is a cache: what it can't take is judged again after a restart."""
    try:
        course.keep(records)
    except OSError as error:
        log.warning("the chronicle can't be written: %s", error)


def _contradicted(why: CheckpointRefused, tip: CommitId) -> Alarm:
    kind = AlarmKind.OFF_CHAIN if isinstance(why, OffChain) else AlarmKind.SPLIT_VIEW
    return Alarm(kind, f"{why}. The last good state stands", why.advice, tip)
