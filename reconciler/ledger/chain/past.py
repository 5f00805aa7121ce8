"""Every transaction with what it touched, for those who ask how things came to be as they are.

The verdicts of a ledger are kept in memory, what they were about isn't: it is read again from the chronicle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.ledger.anchor import Anchor
from reconciler.ledger.chain import beginning
from reconciler.ledger.chain.chronicle import Chronicle, Record
from reconciler.ledger.judging.books import FILE_MODE, Books, Touched
from reconciler.ledger.repository.objects import Entry
from reconciler.ledger.repository.store import Store
from reconciler.ledger.trouble import LocalTrouble
from reconciler.ledger.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Past:
    """Where to read it: `verdicts` are all from the anchor on, `fresh` the last of them, which may not have
    been written down."""

    store: Store
    anchor: Anchor
    chronicle: Chronicle
    verdicts: Sequence[Verdict]
    fresh: Sequence[Record]

    def records(self) -> Iterator[Record]:
        """All transactions, the oldest first; the anchor's touched are all documents that it holds.

        Raises `LocalTrouble` if another process has rewritten the chronicle meanwhile.
        """
        opened = beginning.open_books(self.store, self.anchor)
        yield Record(self.verdicts[0], everything(opened))
        yield from self._recorded(opened)
        yield from self.fresh

    def _recorded(self, opened: Books) -> Iterator[Record]:
        chain = [verdict.commit for verdict in self.verdicts[1 : len(self.verdicts) - len(self.fresh)]]
        count = 0
        for _, record in self.chronicle.records(opened, chain):
            count += 1
            yield record
        if count != len(chain):
            raise LocalTrouble("the chronicle was rewritten while it was read", "run the same command again")


def everything(opened: Books) -> tuple[Touched, ...]:
    """The anchor's documents, as if one transaction had brought them all."""
    return tuple(
        Touched(path, None, None, Entry(FILE_MODE, name)) for path, name in sorted(opened.entries.items())
    )
