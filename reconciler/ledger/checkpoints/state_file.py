"""The books as bytes: what a snapshot stands for, from which a node goes on without judging what came before.

Each state has one encoding (docs/spec/checkpoints.md, "The state"): fields in order, lists sorted by their
names' bytes, nothing left over. Numbers and strings are those of RFC 4251; ids and hashes are bare bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from immutables import Map

from reconciler.errors import TnetError
from reconciler.ledger.judging.books import Books
from reconciler.ledger.judging.merkle import HASH_BYTES, Frontier
from reconciler.ledger.repository.objects import CommitId, ObjectId
from reconciler.ledger.signatures.wire import Reader, WireError, string

MAGIC = b"tnet/v1 state\0"
MAX_BYTES = 256 << 20
"""A million paths take some 120 MB."""
_ID_BYTES = 20
_POSITION_BYTES = 8

Value = TypeVar("Value")


class StateMalformed(TnetError):
    """Not in this form, or not the state of any history."""


def encode(books: Books) -> bytes:
    """The books at a transaction that changed something, as `decode` gives them back."""
    assert books.mark == books.commit
    return b"".join(
        (
            MAGIC,
            bytes.fromhex(books.anchor),
            bytes.fromhex(books.commit),
            books.position.to_bytes(_POSITION_BYTES, "big"),
            bytes.fromhex(books.hash),
            books.leaf,
            *books.log.peaks,
            _ids(books.entries),
            _ids(books.changed_by),
            _count(books.retired),
            *(string(name.encode("ascii")) for name in sorted(books.retired)),
        )
    )


def _ids(ids: Mapping[bytes, str]) -> bytes:
    records = (string(path) + bytes.fromhex(name) for path, name in sorted(ids.items()))
    return _count(ids) + b"".join(records)


def _count(listed: Mapping[Value, object]) -> bytes:
    return len(listed).to_bytes(4, "big")


def decode(data: bytes) -> Books:
    """The books that these bytes are. Raises `StateMalformed`."""
    try:
        return _decoded(Reader(data))
    except (WireError, UnicodeDecodeError) as broken:
        raise StateMalformed(f"the state {broken}") from None


def _decoded(reader: Reader) -> Books:
    if reader.take(len(MAGIC)) != MAGIC:
        raise WireError("doesn't begin as a state does")
    anchor, commit = (CommitId(reader.take(_ID_BYTES).hex()) for _ in range(2))
    position = int.from_bytes(reader.take(_POSITION_BYTES), "big")
    state_hash, leaf = reader.take(HASH_BYTES), reader.take(HASH_BYTES)
    peaks = tuple(reader.take(HASH_BYTES) for _ in range((position + 1).bit_count()))
    books = Books(
        anchor=anchor,
        commit=commit,
        position=position,
        mark=commit,
        hash=state_hash.hex(),
        leaf=leaf,
        log=Frontier(position + 1, peaks),
        entries=_map(reader, _object_id),
        changed_by=_map(reader, _commit_id),
        retired=Map({name.decode("ascii"): None for name in _map(reader, lambda _: None)}),
    )
    reader.end()
    return books


def _object_id(reader: Reader) -> ObjectId:
    return ObjectId(reader.take(_ID_BYTES).hex())


def _commit_id(reader: Reader) -> CommitId:
    return CommitId(reader.take(_ID_BYTES).hex())


def _map(reader: Reader, value: Callable[[Reader], Value]) -> Map[bytes, Value]:
    """A list of names in ascending order, each with its value."""
    found: dict[bytes, Value] = {}
    last: bytes | None = None
    for _ in range(reader.uint32()):
        name = reader.string()
        if last is not None and name <= last:
            raise WireError("lists names that are not in order")
        found[name] = value(reader)
        last = name
    return Map(found)
