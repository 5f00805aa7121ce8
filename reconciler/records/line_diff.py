"""What differs between two documents line by line, told by git: its algorithm is bounded and well tried.

Named by their object ids, so neither attributes nor drivers nor a work tree have a say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.ledger.repository.objects import ObjectId, printable
from reconciler.ledger.repository.runner import Runner

Content = tuple[ObjectId, bytes]
"""A document's object with what it holds."""

_OPTIONS = ("--text", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--no-indent-heuristic")
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines `old_start` and so many more became lines `new_start` and so many more, counted from 0."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int


def hunks(runner: Runner, old: ObjectId, new: ObjectId) -> tuple[Hunk, ...]:
    """Everywhere that the two differ, in order, without lines around."""
    if old == new:
        return ()
    said = runner.run("diff", *_OPTIONS, "--unified=0", old, new)
    return tuple(_hunk(line) for line in said.split(b"\n") if line.startswith(b"@@ "))


def unified(runner: Runner, old: Content | None, new: Content | None, name: str) -> list[str]:
    """The unified diff of a file (None: not there), fit for a terminal: what isn't printable is escaped."""
    body = _differing(runner, old, new)
    if not body:
        return []
    sides = ("/dev/null" if side is None else f"{letter}/{name}" for letter, side in (("a", old), ("b", new)))
    return [*(f"{mark} {side}" for mark, side in zip(("---", "+++"), sides, strict=True)), *map(_shown, body)]


def _differing(runner: Runner, old: Content | None, new: Content | None) -> list[bytes]:
    """The hunks. Of a file that comes or goes there is one, and git isn't asked."""
    if old is None or new is None:
        (_, data), sign = (new or old or _NOTHING), b"-" if new is None else b"+"
        lines = data.removesuffix(b"\n").split(b"\n")
        span = b"1,%d" % len(lines)
        head = b"@@ -%s +%s @@" % ((span, b"0,0") if new is None else (b"0,0", span))
        return [head, *(sign + line for line in lines)] if data else []
    said = runner.run("diff", *_OPTIONS, "--unified=3", old[0], new[0])
    found = said.partition(b"\n@@ ")[2].removesuffix(b"\n")
    return (b"@@ " + found).split(b"\n") if found else []


_NOTHING: Content = (ObjectId(""), b"")


def _shown(line: bytes) -> str:
    return "\t".join(printable(part) for part in line.split(b"\t"))


def _hunk(line: bytes) -> Hunk:
    found = _HUNK.match(line)
    assert found is not None, "git's own form"
    old_start, old_count, new_start, new_count = (
        1 if number is None else int(number) for number in found.groups()
    )
    # Of an empty side git names the line before it.
    return Hunk(old_start - (old_count > 0), old_count, new_start - (new_count > 0), new_count)
