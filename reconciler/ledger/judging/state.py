"""The state of the ledger at one position: its books, and the effective documents as judging needs them.

See docs/spec/ledger.md, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.ledger.judging.books import Books, Touched
from reconciler.ledger.judging.keyring import Keyring
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.verdict import Reason
from reconciler.model.model import Model


@dataclass(frozen=True, slots=True)
class State:
    """Everything that a verdict may depend on besides the repository's objects. Immutable."""

    books: Books
    keyring: Keyring
    model: Model

    @classmethod
    def of(cls, books: Books, model: Model) -> State:
        """The state with these books and these documents, which must be those the books list."""
        return cls(books, Keyring().with_changes((None, each) for each in model.documents.values()), model)

    def after(self, commit: CommitId, reason: Reason, touched: tuple[Touched, ...], model: Model) -> State:
        """The state after a transaction that puts this model in effect."""
        changed = [item.name for item in touched] if model is not self.model else []
        old, new = self.model.documents, model.documents
        return State(
            self.books.after(commit, reason, touched),
            self.keyring.with_changes((old.get(path), new.get(path)) for path in changed),
            model,
        )
