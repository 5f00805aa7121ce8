"""A ledger judged up to some transaction, and how to go on from there (docs/spec/ledger.md, section 6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

from reconciler.ledger.anchor import Anchor
from reconciler.ledger.chain import beginning
from reconciler.ledger.chain.beginning import Start
from reconciler.ledger.chain.chronicle import Chronicle, Record
from reconciler.ledger.chain.effective import EffectiveTree
from reconciler.ledger.chain.git_provider import GitProvider
from reconciler.ledger.chain.history import History
from reconciler.ledger.judging.books import Books
from reconciler.ledger.judging.judge import judge
from reconciler.ledger.judging.merkle import Frontier
from reconciler.ledger.judging.state import State
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.repository.store import Step, Store
from reconciler.ledger.verdict import Verdict


class Course:
    """The state after the last judged transaction, and the verdicts of all that were judged to get there.

    `start` is the anchor, or a later transaction whose state root has vouched for. `verdicts` begins with it,
    `leaves` has the log's leaf of each; `before` are the transactions from the anchor on that come before it.
    What was judged after the start is kept in `chronicle`.
    """

    def __init__(
        self, store: Store, start: Start, before: Sequence[CommitId], state: State, chronicle: Chronicle
    ) -> None:
        self.state = state
        self.verdicts = [start.verdict]
        self.leaves = [start.books.leaf]
        self.store = store
        self.start = start
        self.chronicle = chronicle
        self.effective = EffectiveTree(store)
        self.history = History(store, (*before, start.books.commit))

    @property
    def books(self) -> Books:
        return self.state.books

    def verdict_at(self, position: int) -> Verdict | None:
        """The verdict at a position of the ledger; None if it wasn't judged here."""
        index = position - self.start.books.position
        return self.verdicts[index] if 0 <= index < len(self.verdicts) else None

    def log_at(self, position: int) -> Frontier:
        """The log up to a position that was judged here."""
        later = self.leaves[1 : position - self.start.books.position + 1]
        return reduce(Frontier.append, later, self.start.books.log)

    def keep(self, records: Sequence[Record]) -> None:
        """Writes the records of what was judged last into the chronicle. Raises OSError."""
        self.chronicle.write(len(self.verdicts) - 1 - len(records), records)

    def book(self, verdict: Verdict, leaf: bytes) -> None:
        """Puts down what became of the next transaction."""
        self.verdicts.append(verdict)
        self.leaves.append(leaf)
        self.history.extend((verdict.commit,))

    def judge(self, steps: Sequence[Step]) -> Iterator[Record]:
        """Judges these next transactions one by one; the course is at each when its record comes."""
        provider = GitProvider(self.store, self.history)
        for transaction in provider.transactions(steps):
            self.state, verdict, touched = judge(self.state, transaction, provider)
            self.book(verdict, self.books.leaf)
            if verdict.reason.changes_state:
                self.effective.note(touched)
            yield Record(verdict, touched)


def resume(store: Store, anchor: Anchor, chronicle: Chronicle, chain: Sequence[CommitId]) -> Course:
    """The course as far as the chronicle has this chain (the transactions after the anchor)."""
    return resume_from(store, beginning.at_anchor(store, anchor), chronicle, chain)


def resume_from(store: Store, start: Start, chronicle: Chronicle, chain: Sequence[CommitId]) -> Course:
    """The same from a start on that chain, which the chronicle has to begin with."""
    begun, books = start.books.position, start.books
    judged: list[tuple[Verdict, bytes]] = []
    for after, record in chronicle.records(books, chain[begun:]):
        judged.append((record.verdict, after.leaf))
        books = after
    state = State.of(books, beginning.read_model(store, books.entries))
    course = Course(store, start, (start.books.anchor, *chain)[:begun], state, chronicle)
    for verdict, leaf in judged:
        course.book(verdict, leaf)
    return course
