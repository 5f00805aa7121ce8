"""A snapshot's state: any bytes are refused by name, or are books with one encoding."""

from __future__ import annotations

from reconciler.ledger.checkpoints import state_file
from reconciler.ledger.checkpoints.state_file import StateMalformed


def check(data: bytes) -> None:
    """Raises AssertionError, or whatever shouldn't come out, where the reader is wrong."""
    try:
        books = state_file.decode(data)
    except StateMalformed as malformed:
        assert str(malformed).isprintable()
        return
    assert state_file.encode(books) == data
    assert len(books.log.root) == 32
