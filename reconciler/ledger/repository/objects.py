"""Git's objects from their raw bytes: commits parsed strictly, ids computed here.

Git itself is generous: it skips headers that it doesn't know, takes the first of two `tree` lines where other
programs take the last, and re-encodes messages. What a signature covers must have one reading only, so
a commit is accepted only in the exact form in which git writes it:

    tree <40 hex>
    parent <40 hex>                 any number
    author <name> <email> <seconds> <zone>
    committer the same
    gpgsig / gpgsig-sha256          at most one each, continuation lines begin with a space
                                    one empty line
    message                         UTF-8; no control characters but tab, newline, and CR before newline

See docs/spec/ledger.md, section 2.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import NewType

from reconciler.errors import TnetError

CommitId = NewType("CommitId", str)
"""40 lower-case hexadecimal digits."""
ObjectId = NewType("ObjectId", str)

MAX_COMMIT_BYTES = 128 << 10
MAX_PARENTS = 64
MAX_DATE = 253402214399
"""30 December 9999, 23:59:59 UTC. git hands a commit's date to ssh-keygen in local time, which can't read a
year of five digits, and so finds no good signature in later commits (seen with git 2.39, OpenSSH 9.2)."""

MAX_GLANCE_BYTES = 256

_ID = re.compile(rb"[0-9a-f]{40}")
# Git reads ids in capital letters, too, and follows them; in a well-formed commit they don't stand.
_PARENT = re.compile(rb"parent ([0-9a-fA-F]{40})")
_IDENTITY = re.compile(rb"(?:[^<>\n]+ )?<[^<>\n]*> (0|[1-9][0-9]{0,11}) [+-][0-9]{4}")
_HEADER_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_MESSAGE_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
_GLANCE_AUTHOR = re.compile(rb"^author (.*) \d+ [+-]\d{4}$", re.MULTILINE)
_GLANCE_DATE = re.compile(rb"^committer .* (\d{1,18}) [+-]\d{4}$", re.MULTILINE)
_SIGNATURES = (b"gpgsig", b"gpgsig-sha256")


class CommitMalformed(TnetError):
    """A commit that is not in the one form that is accepted."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit in the accepted form.

    `payload` is what a signature covers: the raw bytes without the signature headers.
    """

    tree: ObjectId
    parents: tuple[CommitId, ...]
    author: str
    committer: str
    message: str
    signature: bytes | None
    payload: bytes

    @property
    def subject(self) -> str:
        return self.message.split("\n", 1)[0].strip()

    @property
    def unsigned_id(self) -> CommitId:
        """The id that it would have without its signatures.

        Whoever hands a signed commit on can lay out its signature anew, and so give it another id (the
        signature doesn't cover itself). This one stays."""
        return CommitId(object_id("commit", self.payload))


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at a path in a tree: the mode as git writes it (`100644`) and the object's id."""

    mode: str
    id: ObjectId

    @property
    def is_plain_file(self) -> bool:
        return self.mode == "100644"


@dataclass(frozen=True, slots=True)
class Change:
    """One path of a raw diff; `None` is absent. Names are bytes: git doesn't promise an encoding."""

    path: bytes
    old: Entry | None
    new: Entry | None


def object_id(kind: str, data: bytes) -> ObjectId:
    """The id git gives to this content (SHA-1 over kind, length and content)."""
    header = f"{kind} {len(data)}\0".encode("ascii")
    return ObjectId(hashlib.sha1(header + data, usedforsecurity=False).hexdigest())


@dataclass(frozen=True, slots=True)
class Glance:
    """What a commit says of itself, to be shown: nothing of it is checked or believed."""

    subject: str
    author: str
    date: int


def glance(raw: bytes) -> Glance:
    """Reads any commit, also one that `parse_commit` refuses."""
    head, _, message = raw[:MAX_COMMIT_BYTES].partition(b"\n\n")
    author = _GLANCE_AUTHOR.search(head)
    committer = _GLANCE_DATE.search(head)
    return Glance(
        _shortened(message.strip().split(b"\n", 1)[0]),
        _shortened(author[1]) if author else "",
        min(int(committer[1]), MAX_DATE) if committer else 0,
    )


def _shortened(line: bytes) -> str:
    """It is remembered of every commit, also where nobody has signed it: a few dozen letters say enough."""
    text = printable(line[:MAX_GLANCE_BYTES])
    return f"{text}..." if len(line) > MAX_GLANCE_BYTES else text


def printable(data: bytes) -> str:
    """Text for a terminal: whatever isn't printable is escaped."""
    text = data.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def tree_of(raw: bytes) -> ObjectId:
    """The tree of any commit that git can read: it stands in the first line."""
    return ObjectId(raw[len(b"tree ") : len(b"tree ") + 40].decode("ascii").lower())


def parents_of(raw: bytes) -> tuple[CommitId, ...]:
    """The parents of any commit that git can read: they follow the first line, its tree."""
    lines = raw.partition(b"\n\n")[0].split(b"\n")[1:]
    found: list[CommitId] = []
    for line in lines:
        match = _PARENT.fullmatch(line)
        if match is None:
            break
        found.append(CommitId(match[1].decode("ascii").lower()))
    return tuple(found)


def parse_commit(raw: bytes) -> Commit:
    """The commit with these raw bytes. Raises `CommitMalformed`."""
    if len(raw) > MAX_COMMIT_BYTES:
        raise CommitMalformed(f"the commit is longer than {MAX_COMMIT_BYTES} bytes")
    head, separator, message = raw.partition(b"\n\n")
    if not separator:
        raise CommitMalformed("the commit has no empty line after its headers")
    headers = _Headers(_split(head))
    tree = headers.one(b"tree", _ID)
    parents = headers.parents()
    author = headers.identity(b"author")
    committer = headers.identity(b"committer")
    signatures = headers.signatures()
    headers.end()
    return Commit(
        ObjectId(tree.decode("ascii")),
        parents,
        _text(author, "author"),
        _text(committer, "committer"),
        _message(message),
        signatures.get(b"gpgsig"),
        headers.unsigned() + b"\n" + message,
    )


def _split(head: bytes) -> list[tuple[bytes, bytes]]:
    """(name, value) of each header; continuation lines are joined to the value by newlines."""
    found: list[tuple[bytes, bytes]] = []
    for line in head.split(b"\n"):
        if _HEADER_CONTROL.search(line):
            raise CommitMalformed("a header of the commit holds a control character")
        if line.startswith(b" "):
            if not found:
                raise CommitMalformed("the commit begins with a continuation line")
            name, value = found[-1]
            found[-1] = (name, value + b"\n" + line[1:])
        else:
            name, space, value = line.partition(b" ")
            if not space:
                raise CommitMalformed("a header of the commit is a name alone")
            found.append((name, value))
    return found


class _Headers:
    """The headers in their order: each is taken where it must stand, and what is left over is refused."""

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        self._headers = headers
        self._at = 0

    def _next(self, name: bytes) -> bytes | None:
        if self._at < len(self._headers) and self._headers[self._at][0] == name:
            self._at += 1
            return self._headers[self._at - 1][1]
        return None

    def one(self, name: bytes, form: re.Pattern[bytes]) -> bytes:
        value = self._next(name)
        if value is None:
            raise CommitMalformed(f"the commit's header {name.decode()!r} is not where it must be")
        if not form.fullmatch(value):
            raise CommitMalformed(f"the commit's header {name.decode()!r} is malformed")
        return value

    def identity(self, name: bytes) -> bytes:
        value = self.one(name, _IDENTITY)
        found = _IDENTITY.fullmatch(value)
        if found is None or int(found[1]) > MAX_DATE:
            raise CommitMalformed(f"the commit's header {name.decode()!r} has a date beyond the year 9999")
        return value

    def parents(self) -> tuple[CommitId, ...]:
        found: list[CommitId] = []
        while (value := self._next(b"parent")) is not None:
            if not _ID.fullmatch(value):
                raise CommitMalformed("a parent of the commit is not an id")
            found.append(CommitId(value.decode("ascii")))
        if len(found) > MAX_PARENTS or len(set(found)) != len(found):
            raise CommitMalformed(f"the commit has a parent twice, or more than {MAX_PARENTS}")
        return tuple(found)

    def signatures(self) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        while self._at < len(self._headers) and self._headers[self._at][0] in _SIGNATURES:
            name, value = self._headers[self._at]
            if name in found:
                raise CommitMalformed(f"the commit has two headers {name.decode()!r}")
            found[name] = value
            self._at += 1
        return found

    def end(self) -> None:
        if self._at < len(self._headers):
            name = self._headers[self._at][0].decode("utf-8", "replace")
            raise CommitMalformed(f"the commit has a header {name!r} that is unknown, or not at its place")

    def unsigned(self) -> bytes:
        """The headers without the signatures, as they stood."""
        kept = (item for item in self._headers if item[0] not in _SIGNATURES)
        return b"".join(name + b" " + value.replace(b"\n", b"\n ") + b"\n" for name, value in kept)


def _text(value: bytes, what: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise CommitMalformed(f"the commit's {what} is not UTF-8") from None


def _message(message: bytes) -> str:
    if _MESSAGE_CONTROL.search(message):
        raise CommitMalformed("the commit's message holds a control character")
    return _text(message, "message")
