"""The verdicts given so far, kept on disk, so that nothing is judged twice (docs/spec/ledger.md, section 5).

One JSON line a transaction, after a first line that says which ledger it is and by which rules. Each line has
the hash of the state after it, and a check sum; reading books the transactions anew and compares. From the
first line that doesn't agree on, the file is as good as empty: what it held is judged again.

A cache and no more: whoever can write it can write the node's configuration, too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reconciler.ledger import bounds
from reconciler.ledger.judging.books import Books, Touched
from reconciler.ledger.repository.objects import CommitId, Entry, ObjectId
from reconciler.ledger.verdict import Reason, Signer, Verdict

FORMAT = 4

_RawEntry = tuple[str, str] | None


class _Head(msgspec.Struct, frozen=True):
    """The first line."""

    format: int
    protocol: int
    anchor: str


class _Line(msgspec.Struct, frozen=True, array_like=True):
    """One transaction. Paths are bytes, written as Latin-1."""

    commit: str
    reason: str
    detail: str
    hint: str
    signers: tuple[tuple[str, str, str], ...]
    touched: tuple[tuple[str, _RawEntry, _RawEntry], ...]
    subject: str
    author: str
    date: int
    hash: str


@dataclass(frozen=True, slots=True)
class Record:
    """A verdict with what it took to book it."""

    verdict: Verdict
    touched: tuple[Touched, ...]


class Chronicle:
    """The file. Many processes may read and write it; a torn or foreign line is found and dropped."""

    def __init__(self, path: Path, anchor: CommitId) -> None:
        self._path = path
        self._head = _Head(FORMAT, bounds.PROTOCOL, anchor)
        self._end: tuple[int, int] | None = (
            None  # So many transactions end at this offset, by our own writing.
        )

    def read(self, opened: Books, chain: Sequence[CommitId]) -> tuple[Books, list[Verdict]]:
        """The books after the transactions of `chain` that are recorded, and their verdicts."""
        books, verdicts = opened, list[Verdict]()
        for books, record in self.records(opened, chain):  # noqa: B007  (the last books are the result)
            verdicts.append(record.verdict)
        return books, verdicts

    def records(self, opened: Books, chain: Sequence[CommitId]) -> Iterator[tuple[Books, Record]]:
        """Each transaction of `chain` that is recorded, with the books after it."""
        books = opened
        with contextlib.suppress(msgspec.DecodeError, ValueError):
            for line, commit in zip(self._lines(), chain, strict=False):
                if line.commit != commit:
                    return
                books, record = _booked(books, line)
                yield books, record

    def _lines(self) -> Iterator[_Line]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            if msgspec.json.decode(file.readline(), type=_Head) != self._head:
                return
            for line in file:
                yield _checked(line)

    def write(self, kept: int, records: Sequence[Record]) -> None:
        """Keeps the first `kept` transactions and puts these after them. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        known, self._end = self._end, None
        with self._path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if known != (kept, file.seek(0, os.SEEK_END)):
                file.truncate(self._end_of(kept))
            if file.seek(0, os.SEEK_END) == 0:
                file.write(msgspec.json.encode(self._head) + b"\n")
            file.writelines(_written(record) for record in records)
            self._end = (kept + len(records), file.tell())

    def _end_of(self, kept: int) -> int:
        """Where the first line (if it is ours) and `kept` more end."""
        with self._path.open("rb") as file:
            head = file.readline()
            with contextlib.suppress(msgspec.DecodeError):
                if msgspec.json.decode(head, type=_Head) == self._head:
                    return len(head) + sum(len(file.readline()) for _ in range(kept))
        return 0


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Line)


def _written(record: Record) -> bytes:
    """The line, and behind a tab its CRC-32: the hashes in it don't cover what is only there to be shown."""
    data = _ENCODER.encode(_line(record))
    return b"%s\t%08x\n" % (data, zlib.crc32(data))


def _checked(line: bytes) -> _Line:
    """Raises ValueError."""
    data, _, check = line.rpartition(b"\t")
    if check != b"%08x\n" % zlib.crc32(data):
        raise ValueError("a line of the chronicle is damaged")
    return _DECODER.decode(data)


def _booked(books: Books, line: _Line) -> tuple[Books, Record]:
    """Raises ValueError where the line doesn't fit what came before."""
    touched = tuple(
        Touched(path, books.effective(path), _entry(base), _entry(result))
        for path, base, result in ((raw.encode("latin-1"), old, new) for raw, old, new in line.touched)
    )
    reason = Reason(line.reason)
    after = books.after(CommitId(line.commit), reason, touched)
    if after.hash != line.hash:
        raise ValueError("the chronicle's hash doesn't follow from its transactions")
    verdict = Verdict(
        commit=after.commit,
        position=after.position,
        reason=reason,
        detail=line.detail,
        hint=line.hint,
        signers=tuple(Signer(*signer) for signer in line.signers),
        paths=tuple(item.name for item in touched),
        subject=line.subject,
        author=line.author,
        date=line.date,
        state_hash=after.hash,
    )
    return after, Record(verdict, touched)


def _line(record: Record) -> _Line:
    verdict = record.verdict
    return _Line(
        commit=verdict.commit,
        reason=verdict.reason.value,
        detail=verdict.detail,
        hint=verdict.hint,
        signers=tuple((each.role, each.principal, each.fingerprint) for each in verdict.signers),
        touched=tuple(
            (item.path.decode("latin-1"), _raw(item.base), _raw(item.result)) for item in record.touched
        ),
        subject=verdict.subject,
        author=verdict.author,
        date=verdict.date,
        hash=verdict.state_hash,
    )


def _raw(entry: Entry | None) -> _RawEntry:
    return None if entry is None else (entry.mode, entry.id)


def _entry(raw: _RawEntry) -> Entry | None:
    return None if raw is None else Entry(raw[0], ObjectId(raw[1]))
