"""The accepted transactions that changed something, with the documents they put in effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from reconciler.ledger.chronicle import Record
from reconciler.ledger.objects import ObjectId
from reconciler.ledger.verdict import Verdict
from reconciler.model.documents import Document
from reconciler.model.loader import load

Contents = Callable[[Sequence[ObjectId]], Sequence[bytes]]
"""Gives the documents with these ids (`Replay.contents`)."""

CHUNK = 500
"""Transactions whose documents are read at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction that counts: each document it set, or removed (None)."""

    verdict: Verdict
    documents: Mapping[str, Document | None]


def steps(records: Iterable[Record], contents: Contents) -> Iterator[Step]:
    """All of them, the anchor first: it sets everything that it holds."""
    counting = (record for record in records if record.verdict.changes_state)
    while chunk := list(islice(counting, CHUNK)):
        objects = [_objects(record) for record in chunk]
        names = sorted({name for each in objects for name in each.values() if name is not None})
        known = dict(zip(names, contents(names), strict=True))
        for record, changed in zip(chunk, objects, strict=True):
            yield Step(
                record.verdict,
                {path: None if name is None else load(path, known[name]) for path, name in changed.items()},
            )


def _objects(record: Record) -> dict[str, ObjectId | None]:
    """What the transaction put in effect. A repair changes nothing."""
    return {
        item.path.decode("ascii"): None if item.result is None else item.result.id
        for item in record.touched
        if not item.is_repair
    }
