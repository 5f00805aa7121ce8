"""Taking over knowingly what others put at a path (docs/spec/ledger.md, section 9.1).

A line in a commit's message says: at this path I want this object, in the place of that which is in effect.

    Tnet-Adopt: <new object> <object in effect> <path>

Forty zeros stand for no object. It makes the commit an author of the path, also where it changes nothing: so
what was squashed, unsigned or refused can be taken over without being taken out first. Whoever signs it has
both objects before their eyes, so it stands in for the rule that a change begins from what is in effect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.errors import TnetError
from reconciler.ledger import governed
from reconciler.ledger.judging.books import FILE_MODE
from reconciler.ledger.repository.objects import CommitMalformed, Entry, ObjectId, parse_commit

NAME = "Tnet-Adopt"
ABSENT = "0" * 40

_MENTIONED = NAME.lower().encode("ascii")
_MEANT = re.compile(r"tnet-adopt[ \t]*:", re.IGNORECASE | re.ASCII)
_FORM = re.compile(rf"{NAME}: ([0-9a-f]{{40}}) ([0-9a-f]{{40}}) (\S+)", re.ASCII)
_BLANK = re.compile(r"[ \t\r]*")


class AdoptionMalformed(TnetError):
    """A line that begins as the trailer does and isn't one."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """One trailer. `new` and `expected` are plain files; None is no file."""

    path: bytes
    new: Entry | None
    expected: Entry | None

    def __str__(self) -> str:
        return f"{NAME}: {_object(self.new)} {_object(self.expected)} {self.path.decode('ascii')}"


def adoptions_of(raw: bytes) -> dict[bytes, Adoption]:
    """The adoptions in the message of a commit, by path; none in a malformed commit.

    Raises `AdoptionMalformed`.
    """
    if _MENTIONED not in raw.lower():  # Asked of every commit; faster than a pattern.
        return {}
    try:
        message = parse_commit(raw).message
    except CommitMalformed:
        return {}
    return adoptions_in(message)


def adoptions_in(message: str) -> dict[bytes, Adoption]:
    """The adoptions in a message, by path. Raises `AdoptionMalformed`."""
    before, last = _last_paragraph(message)
    for line in before:
        if _MEANT.match(line):
            raise AdoptionMalformed(f"{line.rstrip()!r} stands outside of the message's last paragraph")
    found: dict[bytes, Adoption] = {}
    for adoption in map(_parse, filter(_MEANT.match, last)):
        if adoption.path in found:
            raise AdoptionMalformed(f"{adoption.path.decode('ascii')} is adopted twice")
        found[adoption.path] = adoption
    return found


def _last_paragraph(message: str) -> tuple[list[str], list[str]]:
    """The lines before it, and its own: it ends with the last line that isn't blank."""
    lines = message.split("\n")
    while lines and _BLANK.fullmatch(lines[-1]):
        lines.pop()
    start = len(lines)
    while start and not _BLANK.fullmatch(lines[start - 1]):
        start -= 1
    return lines[:start], lines[start:]


def _parse(line: str) -> Adoption:
    parts = _FORM.fullmatch(line)
    if parts is None:
        raise AdoptionMalformed(f"{line!r} is not `{NAME}: <new object> <object in effect> <path>`")
    new, expected, path = parts.groups()
    if governed.place(path.encode("utf-8")) is None:
        raise AdoptionMalformed(f"{line!r}: no document can lie at this path")
    if new == expected:
        raise AdoptionMalformed(f"{line!r}: both objects are the same")
    return Adoption(path.encode("ascii"), _entry(new), _entry(expected))


def _entry(name: str) -> Entry | None:
    return None if name == ABSENT else Entry(FILE_MODE, ObjectId(name))


def _object(entry: Entry | None) -> str:
    return ABSENT if entry is None else entry.id
