"""A ledger judged up to some transaction, and how to go on from there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.ledger import beginning
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.books import Books
from reconciler.ledger.chronicle import Chronicle, Record
from reconciler.ledger.git_provider import GitProvider
from reconciler.ledger.governed import governed
from reconciler.ledger.history import History
from reconciler.ledger.judge import judge
from reconciler.ledger.objects import CommitId
from reconciler.ledger.state import State
from reconciler.ledger.store import Step, Store
from reconciler.ledger.verdict import Verdict


class Course:
    """The state after the last judged transaction, and the verdicts of all from the anchor to it."""

    def __init__(self, store: Store, state: State, verdicts: list[Verdict]) -> None:
        self.state = state
        self.verdicts = verdicts
        self.store = store
        self.history = History(store, (verdict.commit for verdict in verdicts))

    @property
    def books(self) -> Books:
        return self.state.books

    def judge(self, steps: Sequence[Step]) -> Iterator[Record]:
        """Judges these next transactions one by one; the course is at each when its record comes."""
        provider = GitProvider(self.store, self.history)
        for transaction in provider.transactions(steps):
            touched = self.books.touched(governed(transaction.changes))
            self.state, verdict = judge(self.state, transaction, provider)
            self.verdicts.append(verdict)
            self.history.extend((verdict.commit,))
            yield Record(verdict, touched)


def resume(store: Store, anchor: Anchor, chronicle: Chronicle, chain: Sequence[CommitId]) -> Course:
    """The course as far as the chronicle has this chain (the transactions after the anchor)."""
    opened = beginning.open_books(store, anchor)
    books, verdicts = chronicle.read(opened, chain)
    state = State.of(books, beginning.read_model(store, books.entries))
    return Course(store, state, [beginning.anchor_verdict(store, opened), *verdicts])
