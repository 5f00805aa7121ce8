"""What an owner had before its kernel objects were touched, on disk before the first operation.

One append-only file, `pending.journal`, a record a line: `<sha256 of the JSON, 16 hex digits> <JSON>`.

    {"begin": owner, "previous": [object, ...]}   synced before the first operation
    {"commit": owner}                             phase 1 is done and verified, synced
    {"finish": owner}                             phase 2 is done as well

The owners begun and not finished are pending. A line without its end is one whose writer died before it
was synced, so its operations never began: it is dropped. Any other line that can't be read makes the file
corrupt: before the next change it is moved aside and reported by `problems`, and the node goes on from
observation. The file is emptied whenever nothing is pending. It has mode 0600 and holds no secret.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reconciler.engine.record import object_from_record, to_record
from reconciler.errors import TnetError
from reconciler.kernel.graph import KernelObject

_FILE = "pending.journal"
_DIGEST = 16


class JournalError(TnetError):
    """The journal can't be written, so nothing may be changed: there would be no way back."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that was begun and not finished. `previous` is what the owner had before it."""

    owner: str
    previous: tuple[KernelObject, ...]
    committed: bool = False


class Journal:
    """The journal in `directory`, which is made (0700) if it isn't there.

    Reading takes part in nothing: only the first change opens the file, reads it again and tidies it, so
    a second process may look on. Only one at a time may write. Raises JournalError if the directory or the
    file can't be used.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / _FILE
        self._problems: list[str] = []
        self._file: int | None = None
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._pending = _pending_in(_content(self._path)) or {}
        except OSError as error:
            raise _unusable(self._path, error) from error

    @property
    def problems(self) -> tuple[str, ...]:
        """What was found damaged or could not be written, for a person."""
        return tuple(self._problems)

    @property
    def pending(self) -> Mapping[str, Pending]:
        """By owner, what was begun and not finished."""
        return dict(self._pending)

    def begin(self, previous: Mapping[str, Iterable[KernelObject]]) -> None:
        """Record, in one sync, what these owners have now. Where an earlier change of an owner was never
        committed, what it had before that one stands. Raises JournalError, and then nothing is begun."""
        file = self._opened()
        begun = {
            owner: Pending(owner, tuple(objects))
            for owner, objects in previous.items()
            if owner not in self._pending or self._pending[owner].committed
        }
        self._append(file, map(_begin, begun.values()), sync=True)
        self._pending.update(begun)

    def commit(self, owners: Iterable[str]) -> None:
        """Record, in one sync, that phase 1 of these owners is verified. Raises JournalError."""
        file = self._opened()
        marked = {owner: replace(self._pending[owner], committed=True) for owner in owners}
        self._append(file, ({"commit": owner} for owner in marked), sync=True)
        self._pending.update(marked)

    def finish(self, owners: Iterable[str]) -> None:
        """Forget these owners, if they are known. Needs no sync: what is finished twice is finished. Nor is
        it a failure if it can't be written: the next process finds them as they should be, and forgets."""
        done = [owner for owner in owners if owner in self._pending]
        if not done:
            return
        try:
            self._forget(done)
        except JournalError as error:
            self._problems.append(str(error))

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _forget(self, owners: Iterable[str]) -> None:
        file = self._opened()
        done = [owner for owner in owners if self._pending.pop(owner, None) is not None]
        if self._pending:
            self._append(file, ({"finish": owner} for owner in done), sync=False)
        else:
            self._truncate(file, 0)

    def _append(self, file: int, records: Iterable[Mapping[str, Any]], *, sync: bool) -> None:
        data = b"".join(map(_line, records))
        if not data:
            return
        length = os.fstat(file).st_size
        try:
            _write_all(file, data)
            if sync:
                os.fdatasync(file)
        except OSError as error:
            self._truncate(file, length)  # half a line would spoil those written after it
            raise _unusable(self._path, error) from error

    def _truncate(self, file: int, length: int) -> None:
        try:
            os.ftruncate(file, length)
        except OSError as error:
            raise _unusable(self._path, error) from error

    def _opened(self) -> int:
        if self._file is None:
            try:
                self._pending = self._read()
                self._file = self._rewritten()
            except OSError as error:
                raise _unusable(self._path, error) from error
        return self._file

    def _read(self) -> dict[str, Pending]:
        pending = _pending_in(_content(self._path))
        if pending is None:
            self._move_aside()
        return pending or {}

    def _move_aside(self) -> None:
        aside = self._path.with_suffix(".damaged")
        self._path.rename(aside)
        self._problems.append(
            f"{self._path} was damaged and is now {aside}; the node goes on from what it sees in its kernel"
        )

    def _rewritten(self) -> int:
        """Leave only what is pending, so that the file doesn't grow over restarts; the file, open."""
        fresh = self._path.with_suffix(".new")
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            _write_all(file, b"".join(_line(record) for record in _records(self._pending.values())))
            os.fsync(file)
            fresh.rename(self._path)
            _sync_directory(self._path.parent)
        except OSError:
            os.close(file)
            raise
        return file


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _pending_in(content: bytes) -> dict[str, Pending] | None:
    """None if it is damaged. What follows the last line end was never synced."""
    pending: dict[str, Pending] = {}
    try:
        for line in content.split(b"\n")[:-1]:
            _replay(pending, _parse(line))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return pending


def _unusable(path: Path, error: OSError) -> JournalError:
    return JournalError(
        f"the journal {path} can't be used: {error.strerror}", "nothing is changed without it; free its disk"
    )


def _begin(pending: Pending) -> dict[str, Any]:
    return {"begin": pending.owner, "previous": [to_record(item) for item in pending.previous]}


def _records(pending: Iterable[Pending]) -> Iterable[dict[str, Any]]:
    for item in pending:
        yield _begin(item)
        if item.committed:
            yield {"commit": item.owner}


def _replay(pending: dict[str, Pending], record: Mapping[str, Any]) -> None:
    if "begin" in record:
        objects = tuple(object_from_record(item) for item in record["previous"])
        pending[record["begin"]] = Pending(record["begin"], objects)
    elif "commit" in record:
        pending[record["commit"]] = replace(pending[record["commit"]], committed=True)
    else:
        pending.pop(record["finish"], None)


def _line(record: Mapping[str, Any]) -> bytes:
    body = json.dumps(record, separators=(",", ":")).encode()
    return _digest(body) + b" " + body + b"\n"


def _parse(line: bytes) -> Mapping[str, Any]:
    digest, _, body = line.partition(b" ")
    if digest != _digest(body):
        raise ValueError("checksum")
    record: Mapping[str, Any] = json.loads(body)
    return record


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest()[:_DIGEST].encode()


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
