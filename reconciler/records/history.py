"""The accepted transactions that changed something, with the documents they put in effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from reconciler.ledger.chain.chronicle import Record
from reconciler.ledger.repository.objects import ObjectId
from reconciler.ledger.verdict import Verdict
from reconciler.model.documents import Document
from reconciler.model.loader import load

Contents = Callable[[Sequence[ObjectId]], Sequence[bytes]]
"""Gives the documents with these ids (`Replay.contents`)."""

Standing = Callable[[str, ObjectId], Document | None]
"""Gives the document at a path if this is the object in effect there now (`Replay.standing`)."""

CHUNK = 500
"""Transactions whose documents are read at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction that counts: each document it set, or removed (None)."""

    verdict: Verdict
    documents: Mapping[str, Document | None]


def steps(
    records: Iterable[Record], contents: Contents, standing: Standing = lambda path, name: None
) -> Iterator[Step]:
    """All of them, the anchor first: it sets everything that it holds.

    What is still in effect needn't be read again: `standing` has it.
    """
    counting = (record for record in records if record.verdict.changes_state)
    while chunk := list(islice(counting, CHUNK)):
        objects = [_objects(record) for record in chunk]
        wanted = [item for each in objects for item in each.items()]
        documents = _read(wanted, contents, standing)
        for record, changed in zip(chunk, objects, strict=True):
            yield Step(record.verdict, {path: documents[path, name] for path, name in changed.items()})


def _read(
    wanted: Iterable[tuple[str, ObjectId | None]], contents: Contents, standing: Standing
) -> Mapping[tuple[str, ObjectId | None], Document | None]:
    found = {item: None if item[1] is None else standing(item[0], item[1]) for item in wanted}
    missing = [(path, name) for (path, name), known in found.items() if name is not None and known is None]
    names = sorted({name for _, name in missing})
    data = dict(zip(names, contents(names), strict=True))
    found.update({(path, name): load(path, data[name]) for path, name in missing})
    return found


def _objects(record: Record) -> dict[str, ObjectId | None]:
    """What the transaction put in effect. A repair changes nothing."""
    return {
        item.path.decode("ascii"): None if item.result is None else item.result.id
        for item in record.touched
        if not item.is_repair
    }
