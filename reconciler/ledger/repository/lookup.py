"""What stands at given paths in many trees: only the directories on the way to them are ever read.

Inside a merge only the paths that it claims are of interest, in up to ten thousand commits. Whatever else
those commits' trees hold, however large, is never looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.ledger.repository.descent import DIRECTORY, RawTree, entries
from reconciler.ledger.repository.objects import Entry, ObjectId

ReadMany = Callable[[list[ObjectId]], Iterable[RawTree]]
"""Gives the raw bytes of each of these trees, in order."""


@dataclass(slots=True, eq=False)
class _Way:
    """Where the wanted paths lead from one directory: on into others, or to their end."""

    ends: dict[bytes, bytes] = field(default_factory=dict)
    """By name the whole path that ends here."""
    on: dict[bytes, _Way] = field(default_factory=dict)


@dataclass(slots=True)
class _Seen:
    """What a tree has on a way: files at wanted paths, and the trees in which to look on."""

    files: dict[bytes, Entry] = field(default_factory=dict)
    below: list[tuple[ObjectId, _Way]] = field(default_factory=list)


Place = tuple[ObjectId, _Way]


def files_at(
    roots: Collection[ObjectId], paths: Iterable[bytes], read: ReadMany
) -> Mapping[ObjectId, dict[bytes, Entry]]:
    """By root tree the files at those of the paths where it has any. A directory is no file.

    Raises `Damaged` for a tree that can't be read.
    """
    start = _way(paths)
    seen: dict[Place, _Seen] = {}
    wave = list(dict.fromkeys((root, start) for root in roots))
    while wave:
        names = list(dict.fromkeys(tree for tree, _ in wave))
        seen |= _look(wave, names, read(names))
        following = dict.fromkeys(place for each in wave for place in seen[each].below)
        wave = [place for place in following if place not in seen]
    return {root: dict(_files(seen, (root, start))) for root in roots}


def _way(paths: Iterable[bytes]) -> _Way:
    start = _Way()
    for path in paths:
        *directories, name = path.split(b"/")
        way = start
        for directory in directories:
            way = way.on.setdefault(directory, _Way())
        way.ends[name] = path
    return start


def _look(wave: list[Place], names: list[ObjectId], raws: Iterable[RawTree]) -> dict[Place, _Seen]:
    ways: dict[ObjectId, list[_Way]] = {}
    for tree, way in wave:
        ways.setdefault(tree, []).append(way)
    return {
        place: seen
        for name, raw in zip(names, raws, strict=True)
        for place, seen in _look_into(name, raw, ways[name])
    }


def _look_into(tree: ObjectId, raw: RawTree, ways: list[_Way]) -> Iterator[tuple[Place, _Seen]]:
    found = {way: _Seen() for way in ways}
    for _, name, entry in entries(raw):
        for way, seen in found.items():
            if entry.mode == DIRECTORY:
                if name in way.on:
                    seen.below.append((entry.id, way.on[name]))
            elif name in way.ends:
                seen.files[way.ends[name]] = entry
    return (((tree, way), seen) for way, seen in found.items())


def _files(seen: Mapping[Place, _Seen], place: Place) -> Iterator[tuple[bytes, Entry]]:
    yield from seen[place].files.items()
    for below in seen[place].below:
        yield from _files(seen, below)
