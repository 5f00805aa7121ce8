"""What differs between two trees under the governed roots, found by going down both at once, within bounds.

Whoever makes a tree can make it larger than any memory: a dozen small objects that hold each other ten times
each are a million million paths. So what is listed is bounded, and the bounds are the protocol's
(docs/spec/ledger.md, section 7), counted in what the repository holds and in nothing else:

- An *entry* is a name in a tree, a file or a directory. It differs if type, executable bit or object does.
- Compared are the governed entries of the two root trees, and then what is in each directory that differs. So
  each entry that differs is met once by its path, whoever looks. `git diff-tree -t` prints exactly these.
- More than `MAX_LISTED` of them, or one deeper than `MAX_DEPTH`, or one with a path longer than
  `MAX_PATH_BYTES`: then there is no list. A descent that stops at the first of these has missed nothing, as
  none of the three can be undone by what it would still meet.

So the verdict doesn't depend on who makes the list, in which order, on which version of git, or with how much
memory. git makes it much faster, and its list is held to the same bounds. Where git gives up (memory, stack,
limits of its own) the descent here decides, with memory for a list within the bounds and two trees a level.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from reconciler.ledger.bounds import MAX_DEPTH, MAX_LISTED, MAX_PATH_BYTES
from reconciler.ledger.governed import is_governed
from reconciler.ledger.repository.objects import Change, Entry, ObjectId
from reconciler.ledger.trouble import Damaged

RawTree = bytes | mmap.mmap
Read = Callable[[ObjectId], RawTree]
"""Gives a tree's raw bytes."""

DIRECTORY = "040000"
_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
# git takes a mode by its file type and the owner's executable bit alone (git, cache.h, canon_mode); what is
# no file, link or directory it takes for a submodule.
_TYPES = {0o100000: "100644", 0o120000: "120000", 0o040000: DIRECTORY}
_TYPE_BITS, _EXECUTABLE_BIT = 0o170000, 0o100


class Unlistable(Exception):
    """More differs than the bounds allow to be listed."""


class Named(NamedTuple):
    """An entry of a tree, and its place in git's order, in which a directory's name ends in a slash."""

    order: bytes
    name: bytes
    entry: Entry


class Listing:
    """The files that differ, collected one by one as long as the bounds hold."""

    def __init__(self, at_most: int | None = None) -> None:
        self._left = MAX_LISTED if at_most is None else at_most
        self._changes: list[Change] = []

    def add(self, path: bytes, old: Entry | None, new: Entry | None) -> None:
        """An entry that differs. Of directories nothing is kept: their files come by themselves."""
        self._left -= 1
        if self._left < 0 or len(path) > MAX_PATH_BYTES or path.count(b"/") >= MAX_DEPTH:
            raise Unlistable
        if DIRECTORY not in (old and old.mode, new and new.mode):
            self._changes.append(Change(path, old, new))

    def sorted(self) -> tuple[Change, ...]:
        """All of them by path. Raises `Damaged` if a path came twice, as from a tree that lists it twice."""
        if len({change.path for change in self._changes}) != len(self._changes):
            raise Damaged("a tree in the repository lists a path twice")
        return tuple(sorted(self._changes, key=lambda change: change.path))


def descend(
    old: ObjectId | None, new: ObjectId | None, read: Read, at_most: int | None = None
) -> tuple[Change, ...] | None:
    """The governed files that differ between two root trees, by path; None if they can't be listed.

    `old` is None for no tree at all; `at_most` entries are listed instead of `MAX_LISTED`. Raises `Damaged`
    for a tree that can't be read.
    """
    listing = Listing(at_most)
    waiting: list[tuple[bytes, ObjectId | None, ObjectId | None]] = [(b"", old, new)]
    try:
        while waiting:
            prefix, old_tree, new_tree = waiting.pop()
            for name, before, after in _differing(_raw(old_tree, read), _raw(new_tree, read)):
                if prefix or is_governed(name):
                    listing.add(prefix + name, before, after)
                    if DIRECTORY in (before and before.mode, after and after.mode):
                        waiting.append((prefix + name + b"/", _tree(before), _tree(after)))
    except Unlistable:
        return None
    return listing.sorted()


def _tree(entry: Entry | None) -> ObjectId | None:
    return None if entry is None else entry.id


def _raw(tree: ObjectId | None, read: Read) -> RawTree:
    return b"" if tree is None else read(tree)


def _differing(old: RawTree, new: RawTree) -> Iterator[tuple[bytes, Entry | None, Entry | None]]:
    """The entries that differ, each with what it was and is; a file and a directory are two entries."""
    olds, news = entries(old), entries(new)
    before, after = next(olds, None), next(news, None)
    while before is not None or after is not None:
        if after is None or (before is not None and before.order < after.order):
            assert before is not None
            yield before.name, before.entry, None
            before = next(olds, None)
        elif before is None or after.order < before.order:
            yield after.name, None, after.entry
            after = next(news, None)
        else:
            if before.entry != after.entry:
                yield after.name, before.entry, after.entry
            before, after = next(olds, None), next(news, None)


def entries(raw: RawTree) -> Iterator[Named]:
    """The entries of a raw tree (mode, space, name, NUL, 20 bytes of id, again and again), as git takes them.

    Raises `Damaged` where the bytes are no tree, or not in git's order.
    """
    at, last = 0, b""
    for found in _ENTRY.finditer(raw):
        mode, name, binary = found.groups()
        entry = Entry(canonical_mode(mode), ObjectId(binary.hex()))
        order = name + b"/" if entry.mode == DIRECTORY else name
        if found.start() != at or order <= last:
            break
        at, last = found.end(), order
        yield Named(order, name, entry)
    if at != len(raw):
        raise Damaged("a tree in the repository can't be read: its entries are malformed or out of order")


def canonical_mode(mode: bytes) -> str:
    """The mode that git takes these octal digits for."""
    bits = int(mode, 8)
    kind = _TYPES.get(bits & _TYPE_BITS, "160000")
    return "100755" if kind == "100644" and bits & _EXECUTABLE_BIT else kind


def held_to_bounds(
    differing: Iterable[tuple[bytes, Entry | None, Entry | None]],
) -> tuple[Change, ...] | None:
    """What `descend` would say, from somebody else's list of all entries that differ, directories too."""
    listing = Listing()
    try:
        for path, old, new in differing:
            if is_governed(path):
                listing.add(path, old, new)
    except Unlistable:
        return None
    return listing.sorted()
