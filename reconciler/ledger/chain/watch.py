"""A node's eye on the checkpoints' branch: it takes what counts, and says what doesn't and why.

Two kinds of finding: a `Note` is told and holds up nothing. A checkpoint that counts and contradicts the
branch is an alarm (`OffChain`, `SplitView`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler.errors import TnetError
from reconciler.ledger.chain.clone import Clone
from reconciler.ledger.chain.course import Course
from reconciler.ledger.chain.mark import Mark
from reconciler.ledger.chain.origin import Origin
from reconciler.ledger.checkpoints import checkpoint, checkpoint_branch
from reconciler.ledger.checkpoints.checkpoint import Checkpoint, CheckpointRefused, Place
from reconciler.ledger.checkpoints.checkpoint_branch import CheckpointFiles
from reconciler.ledger.checkpoints.snapshot import require_snapshot
from reconciler.ledger.checkpoints.witness import LastWitness, OffChain, require_agreement, witness_quorum
from reconciler.ledger.config import LedgerConfig
from reconciler.ledger.judging.authority import root_quorum
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.trouble import CheckpointsMissing
from reconciler.ledger.view import CheckpointView, Note


class CheckpointOfLeftFork(CheckpointRefused):
    """Of the history that this node has left by a re-anchor record."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the checkpoints come to beside a course: the view, and what contradicts it, if anything."""

    view: CheckpointView
    contradiction: CheckpointRefused | None = None


class Watch:
    """Looks at what was last fetched; keeps the newest witness beside the mark."""

    def __init__(self, config: LedgerConfig, clone: Clone, origin: Origin) -> None:
        self._config = config
        self._clone = clone
        self._origin = origin
        self._last = LastWitness(config.directory / "witness", config.anchor)
        self._agreed: tuple[Course, set[Place]] | None = None
        self._looked: tuple[CommitId, CommitId | None, str] | None = None
        self._seen = Seen(CheckpointView())

    def look(self, course: Course, marked: Mark | None) -> Seen:
        """What the checkpoints say beside this course. Asked again about the same, it answers from memory.

        Raises OSError if what is to be kept can't be written.
        """
        about = self._about(course)
        if self._config.checkpoints is not None and about != self._looked:
            self._seen = self._look_at(course, marked).seen()
            self._looked = about
        return self._seen

    def is_quiet(self, course: Course) -> bool:
        """Whether nothing has come since the last look, and nothing was wrong then."""
        if self._config.checkpoints is None:
            return True
        return self._seen.contradiction is None and self._about(course) == self._looked

    def _look_at(self, course: Course, marked: Mark | None) -> _Look:
        if self._agreed is None or self._agreed[0] is not course:
            self._agreed = (course, set())
        return _Look(self._clone, self._last, self._origin, course, marked, self._agreed[1])

    def _about(self, course: Course) -> tuple[CommitId, CommitId | None, str]:
        return course.books.commit, self._clone.checkpoints(), str(self._clone.checkpoints_trouble)

    def newest_sequences(self, course: Course) -> tuple[int, int]:
        """Of the witness and of the snapshot that are shown now, 0 if there is none that counts."""
        look = self._look_at(course, None)
        seen = look.seen().view.witness
        return (0 if seen is None else seen.checkpoint.sequence, look.snapshot_sequence())


class _Look:
    """One look. Collects notes on the way, and in `agreed` the places that need no second one: a course only
    grows, and to compare its log takes time that grows with it."""

    def __init__(
        self,
        clone: Clone,
        last: LastWitness,
        origin: Origin,
        course: Course,
        marked: Mark | None,
        agreed: set[Place],
    ) -> None:
        self._clone = clone
        self._last = last
        self._origin = origin
        self._course = course
        self._marked = marked
        self._agreed = agreed
        self._quorum = witness_quorum(course.state.model)
        self._notes: list[Note] = []
        self._contradiction: CheckpointRefused | None = None

    def seen(self) -> Seen:
        self._notes += map(_note, self._troubles())
        files = self._files()
        if files is not None:
            with self._noting():
                self._take_witness(files)
        witness = self._last.read(self._quorum)
        if witness is not None:
            left = 0 if self._marked is None else self._marked.witness_left
            with self._noting():
                self._compare(witness.checkpoint, left)
        if files is not None:
            with self._noting():
                self._compare_snapshot(files)
        begun_at = self._course.start.books.position
        view = CheckpointView(self._quorum is not None, witness, begun_at, tuple(self._notes))
        return Seen(view, self._contradiction)

    def _troubles(self) -> Iterator[TnetError]:
        """What kept checkpoints from coming. That there are none is told where some are expected."""
        fetching = self._clone.checkpoints_trouble
        if fetching is not None and (self._quorum or not isinstance(fetching, CheckpointsMissing)):
            yield fetching
        if self._origin.refused is not None:
            yield self._origin.refused

    def snapshot_sequence(self) -> int:
        """Of the branch's snapshot, if root has signed it."""
        with self._noting():
            files = self._files()
            found = None if files is None else self._snapshot(files)
            return 0 if found is None else found.sequence
        return 0

    def _files(self) -> CheckpointFiles | None:
        commit = self._clone.checkpoints()
        with self._noting():
            return None if commit is None else checkpoint_branch.read(self._clone.store, commit)
        return None

    def _take_witness(self, files: CheckpointFiles) -> None:
        data = files.witness()
        if data is not None:
            self._last.take(data, self._quorum)

    def _compare_snapshot(self, files: CheckpointFiles) -> None:
        found = self._snapshot(files)
        if found is not None:
            self._compare(found, 0 if self._marked is None else self._marked.snapshot_left)

    def _snapshot(self, files: CheckpointFiles) -> Checkpoint | None:
        """The branch's snapshot, by root as it is now: so its word can be taken away, too."""
        data = files.snapshot()
        if data is None:
            return None
        signed = require_snapshot(data, self._course.books.anchor)
        checkpoint.verify(signed, root_quorum(self._course.state.model))
        return signed.checkpoint

    def _compare(self, found: Checkpoint, left: int) -> None:
        if found.place in self._agreed:
            return
        try:
            require_agreement(found, self._course)
            self._agreed.add(found.place)
        except OffChain as off:
            if found.sequence <= left:
                raise CheckpointOfLeftFork(
                    f"the {found} is of the history that this node has left",
                    "make a new one: tnet checkpoint",
                ) from None
            self._contradiction = self._contradiction or off
        except CheckpointRefused as split:
            self._contradiction = self._contradiction or split

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except CheckpointRefused as refused:
            self._notes.append(_note(refused))


def _note(trouble: TnetError) -> Note:
    return Note(type(trouble).__name__, str(trouble), trouble.advice)


def branch_of(clone: Clone) -> Callable[[], CheckpointFiles | None]:
    """Reads the checkpoints' branch as it was last fetched. What it gives raises `CheckpointRefused`."""

    def read() -> CheckpointFiles | None:
        commit = clone.checkpoints()
        return None if commit is None else checkpoint_branch.read(clone.store, commit)

    return read
